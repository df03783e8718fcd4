"""Untrusted ONNX files: bounded reading of the graph, of its tensors, and of external data beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper

from mlpress.errors import MlpressError

MAX_FILE = 1 << 26  # bytes of a model file, and of each tensor in external data
MAX_ELEMENTS = 1 << 23  # of one tensor; ir.Model allows no more weights either
MAX_TOTAL = 1 << 25  # elements of all tensors together
MAX_NODES = 2000
OPSETS = range(7, 29)  # 7 brought today's broadcasting; 28 is the newest that onnx 1.23 describes
ML_OPSETS = range(1, 6)

FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)

_BYTES = {
    onnx.TensorProto.FLOAT: 4,
    onnx.TensorProto.DOUBLE: 8,
    onnx.TensorProto.FLOAT16: 2,
    onnx.TensorProto.BFLOAT16: 2,
    onnx.TensorProto.INT8: 1,
    onnx.TensorProto.INT16: 2,
    onnx.TensorProto.INT32: 4,
    onnx.TensorProto.INT64: 8,
    onnx.TensorProto.UINT8: 1,
    onnx.TensorProto.UINT16: 2,
    onnx.TensorProto.UINT32: 4,
    onnx.TensorProto.UINT64: 8,
    onnx.TensorProto.BOOL: 1,
    onnx.TensorProto.INT4: 0.5,
    onnx.TensorProto.UINT4: 0.5,
}


def short(name: str | bytes) -> str:
    """Return ``name`` quoted on one line, at most 60 characters of it."""
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    return repr(text if len(text) <= 60 else text[:57] + "...")


def type_name(elem_type: int) -> str:
    """Return the ONNX name of an element type, such as ``FLOAT16``."""
    names = {number: name for name, number in onnx.TensorProto.DataType.items()}
    return str(names.get(elem_type, elem_type))


def read_proto(path: Path, most: int = MAX_FILE) -> Any:
    """Return the ``ModelProto`` in ``path``, with its size and opsets checked; external data is left where it is."""
    if not path.is_file():
        raise MlpressError(f"{path}: no such file; give the path of an ONNX model")
    size = path.stat().st_size
    if size > most:
        raise MlpressError(f"{path}: {size} bytes; an ONNX model for mlpress has at most {most}")
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(path.read_bytes())
    except DecodeError:
        raise MlpressError(f"{path}: not an ONNX model; export one from your trainer first") from None
    if not proto.graph.output:
        raise MlpressError(f"{path}: not an ONNX model, or one without outputs; export one from your trainer first")
    _check_opsets(path, proto)
    return proto


def _check_opsets(path: Path, proto: Any) -> None:
    opsets = {entry.domain: entry.version for entry in proto.opset_import}
    version = opsets.get("", opsets.get("ai.onnx", 0))
    if version not in OPSETS:
        raise MlpressError(
            f"{path}: opset {version}; mlpress reads {OPSETS[0]} to {OPSETS[-1]}, so export the model with one of these"
        )
    ml = opsets.get("ai.onnx.ml", 1)
    if ml not in ML_OPSETS:
        raise MlpressError(f"{path}: ai.onnx.ml opset {ml}; mlpress reads {ML_OPSETS[0]} to {ML_OPSETS[-1]}")


class TensorReader:
    """Turns ``TensorProto`` messages into arrays, within the size limits and the model's own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._left = MAX_TOTAL

    def read(self, tensor: Any) -> NDArray[Any]:
        """Return the values of ``tensor``: floats as float64, integers as int64, text as str objects."""
        what = f"tensor {short(tensor.name)}"
        shape = tuple(tensor.dims)
        if (
            any(size < 0 for size in shape)
            or len(shape) > 8
            or math.prod(max(size, 1) for size in shape) > MAX_ELEMENTS
        ):
            raise MlpressError(f"{what} has shape {short(str(shape))}; at most {MAX_ELEMENTS} elements are read")
        self._left -= math.prod(shape)
        if self._left < 0:
            raise MlpressError(f"{what}: the model's tensors hold more than {MAX_TOTAL} elements together")
        if tensor.data_type == onnx.TensorProto.STRING:
            return _text(tensor, shape, what)
        if tensor.data_type not in _BYTES:
            raise MlpressError(f"{what} has type {type_name(tensor.data_type)}; floats, integers and text are read")
        return _numbers(self._with_raw_data(tensor, what), shape, what)

    def _with_raw_data(self, tensor: Any, what: str) -> Any:
        size = math.ceil(math.prod(tensor.dims) * _BYTES[tensor.data_type])
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            if tensor.HasField("raw_data") and len(tensor.raw_data) != size:
                raise MlpressError(f"{what} holds {len(tensor.raw_data)} bytes; its shape and type need {size}")
            return tensor
        inline = onnx.TensorProto()
        inline.name, inline.data_type = tensor.name, tensor.data_type
        inline.dims.extend(tensor.dims)
        inline.raw_data = self._external({e.key: e.value for e in tensor.external_data}, size, what)
        return inline

    def _external(self, entries: Mapping[str, str], size: int, what: str) -> bytes:
        location = entries.get("location", "")
        # A text that is not UTF-8 comes out of a message as bytes.
        plain = isinstance(location, str) and location and "\0" not in location and "\\" not in location
        file = Path(location if plain else "..")
        if file.is_absolute() or ".." in file.parts:
            raise MlpressError(
                f"{what} is stored in {short(location)}; external data must lie in the model's own folder"
            )
        try:
            target = (self._folder / file).resolve()
            inside = target.is_relative_to(self._folder)
            found = inside and target.is_file()
        except (OSError, RuntimeError):
            inside, found = True, False
        if not inside:
            raise MlpressError(f"{what} is stored in {short(location)}, a link that leads out of the model's folder")
        if not found:
            raise MlpressError(f"{what} is stored in {short(location)}, which is not beside the model; copy it there")
        offset, length = (_count(entries, key, default, what) for key, default in (("offset", 0), ("length", size)))
        if length != size or size > MAX_FILE:
            raise MlpressError(f"{what} has {length} bytes of external data; its shape and type need {size}")
        with target.open("rb") as handle:
            handle.seek(offset)
            data = handle.read(size)
        if len(data) != size:
            raise MlpressError(f"{what}: {short(location)} ends before the tensor does; export the model again")
        return data


def _count(entries: Mapping[str, str], key: str, default: int, what: str) -> int:
    text = entries.get(key, str(default))
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise MlpressError(f"{what}: the external data's {key} is {short(text)}; it must be a count of bytes")
    return int(text)


def _text(tensor: Any, shape: tuple[int, ...], what: str) -> NDArray[Any]:
    if len(tensor.string_data) != math.prod(shape):
        raise MlpressError(f"{what} holds {len(tensor.string_data)} texts; its shape needs {math.prod(shape)}")
    try:
        values = [value.decode("utf-8") for value in tensor.string_data]
    except UnicodeDecodeError:
        raise MlpressError(f"{what} holds text that is not UTF-8") from None
    return np.array(values, dtype=object).reshape(shape)


def _numbers(tensor: Any, shape: tuple[int, ...], what: str) -> NDArray[Any]:
    try:
        values = np.asarray(numpy_helper.to_array(tensor)).reshape(shape)
    except (ValueError, TypeError, OverflowError):
        raise MlpressError(f"{what} does not hold what its shape and type need; export the model again") from None
    if tensor.data_type in FLOATS:
        return values.astype(np.float64)
    if tensor.data_type == onnx.TensorProto.UINT64 and values.size and int(values.max()) >= 1 << 63:
        raise MlpressError(f"{what} holds a value beyond 2**63")
    return values.astype(np.int64)
