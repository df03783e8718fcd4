"""C99 for microcontrollers: :func:`generate` makes a header and a source of a net or a circuit, bit for bit."""

from mlpress.codegen.c.generate import generate
from mlpress.codegen.c.options import SHAPES, CFacts, COptions, CSource
from mlpress.codegen.c.package import PACKAGES, package_files, package_names
from mlpress.codegen.c.text import identifier

__all__ = [
    "PACKAGES",
    "SHAPES",
    "CFacts",
    "COptions",
    "CSource",
    "generate",
    "identifier",
    "package_files",
    "package_names",
]
