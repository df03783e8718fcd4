"""Arrays as NPZ bytes, the same bytes for the same arrays, and back without trust."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlpress.errors import MlpressError

MOST_ARRAYS = 4096
MOST_BYTES = 1 << 29
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of a ZIP member: no file depends on when it was written


def npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return an NPZ file that holds ``arrays``, uncompressed."""
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w", force_zip64=True) as member:
                npy.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
    return data.getvalue()


def read_npz_bytes(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an NPZ file; raise :class:`MlpressError` for objects, and beyond 512 MiB in all."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MOST_ARRAYS or sum(member.file_size for member in members) > MOST_BYTES:
                raise MlpressError(f"more than {MOST_ARRAYS} arrays, or more than {MOST_BYTES >> 20} MiB of them")
            return {
                member.filename.removesuffix(".npy"): read_array(archive, member, member.filename) for member in members
            }
    except (ValueError, OSError, EOFError, KeyError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error):
        raise MlpressError("the arrays are damaged") from None


def read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, what: str) -> NDArray[Any]:
    """Return one array after a look at its header: no objects, and no more values than the member has bytes for.

    Messages begin with ``what``.  Raises what NumPy and zipfile do where the member is damaged.
    """
    with archive.open(member) as handle:
        version = npy.read_magic(handle)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(handle)
    if dtype.hasobject:
        raise MlpressError(f"{what} holds Python objects; save numbers or text instead")
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise MlpressError(f"{what} says it is larger than its file; the file is damaged")
    with archive.open(member) as handle:
        return np.asarray(npy.read_array(handle, allow_pickle=False))
