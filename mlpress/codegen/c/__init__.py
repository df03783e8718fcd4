"""C99 for microcontrollers: :func:`generate` makes a header and a source of a net or a circuit, bit for bit."""

from mlpress.codegen.c.firmware import LARGEST_ROW, PROTOCOLS, VERSION, firmware_files, model_hash, row_bytes
from mlpress.codegen.c.generate import generate
from mlpress.codegen.c.options import SHAPES, CFacts, COptions, CSource
from mlpress.codegen.c.package import PACKAGES, package_files, package_names
from mlpress.codegen.c.text import identifier

__all__ = [
    "LARGEST_ROW",
    "PACKAGES",
    "PROTOCOLS",
    "SHAPES",
    "VERSION",
    "CFacts",
    "COptions",
    "CSource",
    "firmware_files",
    "generate",
    "identifier",
    "model_hash",
    "package_files",
    "package_names",
    "row_bytes",
]
