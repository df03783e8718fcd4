"""A kernel as files: its text, and its arrays in an NPZ file without objects."""

from __future__ import annotations

from collections.abc import Mapping

from mlpress.codegen.ngpc.check import check_image
from mlpress.codegen.ngpc.kernel import Image
from mlpress.codegen.ngpc.text import kernel_text, read_kernel
from mlpress.errors import MlpressError
from mlpress.npz import npz_bytes, read_npz_bytes

KERNEL, TABLES = "kernel.txt", "tables.npz"


def image_files(image: Image) -> dict[str, str | bytes]:
    """Return ``kernel.txt`` and ``tables.npz``; equal images give equal files."""
    return {KERNEL: kernel_text(image.kernel), TABLES: npz_bytes(image.arrays)}


def read_image(files: Mapping[str, str | bytes]) -> Image:
    """Return the checked kernel of two files, which anybody may have written.

    Raises :class:`MlpressError` where one is missing or damaged, or breaks a rule.
    """
    text, data = files.get(KERNEL), files.get(TABLES)
    if not isinstance(text, str) or not isinstance(data, bytes):
        raise MlpressError(f"the design has no {KERNEL} or no {TABLES}; compile the field again")
    try:
        image = Image(read_kernel(text), read_npz_bytes(data))
        check_image(image)
    except MlpressError as error:
        raise MlpressError(f"{KERNEL} or {TABLES}: {error}; compile the field again") from None
    return image
