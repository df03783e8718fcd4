"""Arrays as NPZ bytes, the same bytes for the same arrays, and back without trust.

Every NPZ file is read here: members, headers and shapes are checked in Python integers before anything is unpacked.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tokenize import TokenError
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from mlpress.errors import MlpressError

MOST_ARRAYS = 4096
MOST_BYTES = 1 << 29
MOST_AXES = 8
FREE_BYTES = 1 << 26
"""A file may unpack to this many bytes, eight per value at least, however small it is; a larger one ..."""
MOST_PACKED = 64
"""... to at most this many times its size: real numbers pack less."""

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of a ZIP member: no file depends on when it was written
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"  # the ZIP format's end of the list of members, and its larger form
_END_SIZE, _COMMENT = 22, 1 << 16
_LIST_BYTES = 512  # of one member in the list: its name and some more

DAMAGES = (
    ValueError,
    TypeError,
    OSError,
    EOFError,
    LookupError,
    OverflowError,
    MemoryError,
    SyntaxError,
    TokenError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile and NumPy raise for damaged files."""


class Header(NamedTuple):
    """What an array's header says: sizes, checked against the bytes that are there, and the type."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Npz:
    """An open NPZ file: ``names`` of its arrays."""

    def __init__(self, archive: zipfile.ZipFile, size: int, most: int) -> None:
        self._archive = archive
        self._left = min(most, max(FREE_BYTES, MOST_PACKED * size))
        self._members = {
            member.filename.removesuffix(".npy"): member
            for member in archive.infolist()
            if member.filename.endswith(".npy")
        }
        self.names = tuple(self._members)

    def header(self, name: str) -> Header:
        """Return what the header of the array ``name`` says; raise :class:`MlpressError` where it cannot be true."""
        what = f"array {name[:40]!r}"
        member = self._members[name]
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 1:
            raise MlpressError(f"{what} is packed in another way than numpy.savez does; write the file again with it")
        try:
            with self._archive.open(member) as handle:
                version = npy.read_magic(handle)
                read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                shape, _, dtype = read(handle)
        except DAMAGES:
            raise MlpressError(f"{what} is damaged; write the file again with numpy.savez") from None
        if dtype.hasobject:
            raise MlpressError(f"{what} holds Python objects; save numbers or text instead")
        if not all(type(size) is int and 0 <= size < 1 << 48 for size in shape) or len(shape) > MOST_AXES:
            raise MlpressError(f"{what} has no shape that an array may have; the file is damaged")
        values = math.prod(shape)
        if dtype.itemsize == 0 and values:
            raise MlpressError(f"{what} holds {dtype}, which takes no bytes; save numbers or text instead")
        if values * dtype.itemsize > member.file_size:
            raise MlpressError(f"{what} says it is larger than its file; the file is damaged")
        return Header(shape, dtype)

    def array(self, name: str) -> NDArray[Any]:
        """Return the array ``name``; raise :class:`MlpressError` where it is damaged, or too large for its file."""
        shape, dtype = self.header(name)
        self._left -= math.prod(shape) * max(dtype.itemsize, 8)
        if self._left < 0:
            raise MlpressError(f"array {name[:40]!r} unpacks to far more than the file holds or may hold; {_SPLIT}")
        try:
            with self._archive.open(self._members[name]) as handle:
                array = np.asarray(npy.read_array(handle, allow_pickle=False))
        except DAMAGES:
            raise MlpressError(f"array {name[:40]!r} is damaged; write the file again with numpy.savez") from None
        if dtype.kind == "U" and not _is_text(array):
            raise MlpressError(f"array {name[:40]!r} holds text that is not Unicode")
        return array


_SPLIT = "give fewer rows, or write it with numpy.savez"


@contextmanager
def open_npz(source: bytes | Path, most: int = MOST_BYTES) -> Iterator[Npz]:
    """Open an NPZ file or its bytes, of whose arrays at most ``most`` bytes are read, eight per value at least.

    Raises :class:`MlpressError` in one line for what is no NPZ file, and for damaged ones; it does not name the file.
    """
    damaged = "not an NPZ file, or a damaged one; write it with numpy.savez"
    try:
        handle = BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    except OSError as error:
        raise MlpressError(f"cannot be read: {error.strerror}") from None
    with handle:
        try:
            size = handle.seek(0, 2)
            _check_list(handle, size)
            archive = zipfile.ZipFile(handle)
        except DAMAGES:
            raise MlpressError(damaged) from None
        if sum(member.file_size for member in archive.infolist()) > most:
            raise MlpressError(f"it unpacks to more than {most >> 20} MiB; {_SPLIT}")
        yield Npz(archive, size, most)


def npz_bytes(arrays: Mapping[str, NDArray[Any]], *, packed: bool = False) -> bytes:
    """Return an NPZ file that holds ``arrays``; ``packed`` ones as long as :func:`open_npz` reads them back."""
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            info = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            info.compress_type = archive.compression
            with archive.open(info, "w", force_zip64=True) as member:
                npy.write_array(member, np.asarray(array, order="C"), allow_pickle=False)
    unpacked = sum(array.size * max(array.itemsize, 8) for array in arrays.values())
    if packed and unpacked > max(FREE_BYTES, MOST_PACKED * len(data.getbuffer())):
        return npz_bytes(arrays)
    return data.getvalue()


def read_npz_bytes(data: bytes, most: int = MOST_BYTES) -> dict[str, NDArray[Any]]:
    """Return the arrays of an NPZ file; raise :class:`MlpressError` for objects, and beyond ``most`` bytes in all."""
    with open_npz(data, most) as file:
        return {name: file.array(name) for name in file.names}


def _check_list(handle: Any, size: int) -> None:
    """Raise ``ValueError`` where the list of members is longer than that of as many as may be there."""
    handle.seek(max(0, size - _COMMENT - _END_SIZE))
    tail = handle.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + _END_SIZE or _END_64 in tail[max(0, end - 20) : end]:
        raise ValueError
    count, length = struct.unpack("<HI", tail[end + 10 : end + 16])
    if count > MOST_ARRAYS or length > MOST_ARRAYS * _LIST_BYTES:
        raise ValueError


def _is_text(array: NDArray[Any]) -> bool:
    """Return whether every element of an array of text is Unicode: bytes may say anything."""
    codes = np.ascontiguousarray(array).reshape(-1).view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
    return not np.any((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000)))
