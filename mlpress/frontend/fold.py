"""Operators on known tensors and on shapes: what exporters leave for the runtime to fold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.node import Node, kind
from mlpress.frontend.symbolic import Const, Dims, Value
from mlpress.frontend.tensors import FLOATS, MAX_ELEMENTS, short, type_name
from mlpress.progress import counted

INT64 = int(onnx.TensorProto.INT64)

_UNARY: dict[str, Callable[[Any], Any]] = {
    "Neg": np.negative,
    "Sqrt": np.sqrt,
    "Reciprocal": np.reciprocal,
    "Abs": np.abs,
    "Exp": np.exp,
}
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Max": np.maximum,
    "Min": np.minimum,
    "Pow": np.power,
}
FOLDED = (*_UNARY, *_BINARY, "Clip")
REDUCED: dict[str, Callable[..., Any]] = {
    "ReduceSum": np.sum,
    "ReduceMean": np.mean,
    "ReduceMax": np.max,
    "ReduceMin": np.min,
    "ReduceL2": np.linalg.norm,
}
_CASTS: dict[int, Any] = {
    onnx.TensorProto.FLOAT: np.float32,
    onnx.TensorProto.DOUBLE: np.float64,
    onnx.TensorProto.FLOAT16: np.float16,
    onnx.TensorProto.INT8: np.int8,
    onnx.TensorProto.UINT8: np.uint8,
    onnx.TensorProto.INT32: np.int32,
    onnx.TensorProto.INT64: np.int64,
}


def constant(node: Node) -> Const:
    """Evaluate ``Constant``: a tensor, or one of the short forms."""
    for name, elem_type in (("value_float", onnx.TensorProto.FLOAT), ("value_int", INT64)):
        if node.has(name):
            scalar = node.real(name, 0.0) if name == "value_float" else node.integer(name, 0)
            return Const(np.asarray(scalar), elem_type)
    if node.has("value_floats"):
        return Const(np.array(node.reals("value_floats"), np.float64), onnx.TensorProto.FLOAT)
    if node.has("value_ints"):
        return Const(np.array(node.integers("value_ints"), np.int64), INT64)
    if node.has("value_strings"):
        return Const(np.array(node.texts("value_strings"), object), onnx.TensorProto.STRING)
    value = node.tensor("value")
    if value is None:
        raise MlpressError("it has no value that can be read; dense tensors, numbers and texts are supported")
    return value


def arithmetic(node: Node, operands: Sequence[Const]) -> Const:
    """Evaluate element-wise arithmetic on constants."""
    if any(operand.values.dtype == object for operand in operands):
        raise MlpressError("arithmetic on text constants is not supported")
    try:
        size = math.prod(np.broadcast_shapes(*(operand.values.shape for operand in operands)))
    except ValueError:
        raise MlpressError("its constants have shapes that do not fit together") from None
    if size > MAX_ELEMENTS:
        raise MlpressError(f"its result has {size} elements; at most {MAX_ELEMENTS} are supported")
    floats = [np.asarray(operand.values, np.float64) for operand in operands]
    with np.errstate(all="ignore"):
        match node.op, floats:
            case op, [x] if op in _UNARY:
                result = _UNARY[op](x)
            case op, [x, y] if op in _BINARY:
                result = _BINARY[op](x, y)
            case "Clip", [x, low, high]:
                result = np.clip(x, low, high)
            case _:
                raise MlpressError(f"it has {counted(len(operands), 'input')}; the operator takes another number")
    elem_type = operands[0].elem_type
    if elem_type not in FLOATS:
        result = np.trunc(result)
        if not (np.abs(result) < 2.0**53).all():
            raise MlpressError("its integer result is out of range")
        return Const(result.astype(np.int64), elem_type)
    return Const(np.asarray(result), elem_type)


def constant_of_shape(node: Node) -> Const:
    """Evaluate ``ConstantOfShape``; where the batch is its first axis, all rows are the one row returned."""
    given = node.input(0)
    whole = isinstance(given, Dims) and given.sizes[:1] == (None,) and None not in given.sizes[1:]
    shape = [size or 1 for size in sizes(given)] if whole else ints(given)
    if any(size < 0 for size in shape) or math.prod(shape) > MAX_ELEMENTS:
        raise MlpressError(f"its shape is {short(str(shape))}; at most {MAX_ELEMENTS} elements are supported")
    value = node.tensor("value")
    filler = np.zeros(()) if value is None else value.values.reshape(-1)[0]
    elem_type = int(onnx.TensorProto.FLOAT) if value is None else value.elem_type
    return Const(np.full(shape, filler), elem_type)


def reduced(node: Node, constant: Const) -> Const:
    """Evaluate one of :data:`REDUCED` on a constant, as weight normalisation leaves it."""
    along = axes(node)
    keeps = bool(node.integer("keepdims", 1))
    if constant.values.dtype == object or not constant.values.size:
        raise MlpressError("it reduces a constant that holds no numbers")
    where = None if along is None else tuple(along)
    try:
        values = REDUCED[node.op](np.asarray(constant.values, np.float64), axis=where, keepdims=keeps)
    except (ValueError, IndexError):
        raise MlpressError(f"its axes {short(str(along))} do not fit shape {constant.values.shape}") from None
    return Const(np.asarray(values), constant.elem_type)


def size_arithmetic(node: Node) -> Dims:
    """Evaluate ``Mul``, ``Div``, ``Add`` or ``Sub`` of sizes and constants, where the batch is not among them."""
    parts = [sizes(node.input(index)) for index in range(len(node.inputs))]
    scalar = all((isinstance(value, Dims) and value.scalar) or not isinstance(value, Dims) for value in node.inputs)
    length = max(map(len, parts))
    lines = [part * length if len(part) == 1 else part for part in parts]
    operation = {"Mul": int.__mul__, "Add": int.__add__, "Sub": int.__sub__, "Div": int.__floordiv__}.get(node.op)
    if operation is None or len(parts) != 2 or any(len(line) != length for line in lines):
        raise MlpressError("this arithmetic on shapes is not supported")
    found: list[int | None] = []
    for left, right in zip(*lines, strict=True):
        if (left is None and right == 1) or (right is None and left == 1 and node.op == "Mul"):
            found.append(None)
        elif left is None or right is None or (node.op == "Div" and right == 0):
            raise MlpressError("a shape is computed from the batch size, which is not known")
        else:
            found.append(operation(left, right))
    return Dims(tuple(found), scalar)


def cast(node: Node, value: Const) -> Const:
    """Evaluate ``Cast`` of a constant."""
    target = node.integer("to", 0)
    if target not in _CASTS or value.values.dtype == object:
        raise MlpressError(f"a constant is cast to {type_name(target)}; floats and integers are supported")
    with np.errstate(all="ignore"):
        values = value.values.astype(_CASTS[target])
    if target in FLOATS:
        return Const(values.astype(np.float64), target, value.codes, value.scales)
    return Const(values.astype(np.int64), target)


def rearranged(value: Const, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Const:
    """Apply ``change`` to the values, and to the integers behind them."""
    try:
        parts = [None if part is None else change(part) for part in (value.values, value.codes, value.scales)]
    except (ValueError, IndexError, OverflowError):
        raise MlpressError(f"its constant of shape {value.values.shape} cannot be rearranged so") from None
    values = parts[0]
    if values is None or values.size > MAX_ELEMENTS:
        raise MlpressError(f"its result has more than {MAX_ELEMENTS} elements")
    return Const(values, value.elem_type, parts[1], parts[2])


def ints(value: Value) -> list[int]:
    """Return a constant list of integers, such as a target shape or axes, or sizes other than the batch's."""
    if isinstance(value, Dims) and None not in value.sizes:
        return [size for size in value.sizes if size is not None]
    if (
        not isinstance(value, Const)
        or value.values.dtype != np.int64
        or value.values.ndim > 1
        or value.values.size > 64
    ):
        raise MlpressError("a shape, axis or index is not a short constant list of integers")
    return [int(item) for item in np.atleast_1d(value.values)]


def sizes(value: Value) -> list[int | None]:
    """Return a target shape: a constant or what shape arithmetic gave."""
    return list(value.sizes) if isinstance(value, Dims) else list(ints(value))


def axes(node: Node) -> list[int] | None:
    """Return the axes of ``Squeeze`` and ``Unsqueeze``: an attribute before opset 13, an input since."""
    if node.has("axes"):
        return node.integers("axes")
    given = node.optional(1)
    return None if given is None else ints(given)


def reshape(value: Const, target: Sequence[int | None], copy_zero: bool) -> Const:
    """Evaluate ``Reshape`` of a constant."""
    if any(size is None for size in target):
        raise MlpressError("a constant is reshaped by the batch size, which is not known")
    old = value.values.shape
    shape = [
        old[axis] if size == 0 and copy_zero and axis < len(old) else int(size or 0) for axis, size in enumerate(target)
    ]
    return rearranged(value, lambda array: array.reshape(shape))


def concat(values: Sequence[Value]) -> Const | Dims:
    """Evaluate ``Concat`` of constants, or of sizes where a shape is among them."""
    if all(isinstance(value, Const) for value in values):
        arrays = [value.values for value in values if isinstance(value, Const)]
        if not arrays or any(array.ndim != 1 for array in arrays) or sum(array.size for array in arrays) > MAX_ELEMENTS:
            raise MlpressError("constants are joined; only short lists are supported")
        elem_type = next(value.elem_type for value in values if isinstance(value, Const))
        return Const(np.concatenate(arrays), elem_type)
    joined: list[int | None] = []
    for value in values:
        if not isinstance(value, Const | Dims):
            raise MlpressError(f"a shape is joined with what is {kind(value)}")
        joined.extend(sizes(value))
    return Dims(tuple(joined))


def gather(node: Node, value: Const | Dims, index: Value) -> Const | Dims:
    """Evaluate ``Gather`` from a list along its only axis."""
    if node.integer("axis", 0) not in {0, -1} or not isinstance(index, Const):
        raise MlpressError("gathering is supported from a constant list or a shape, along its only axis")
    picks = ints(index)
    scalar = index.values.ndim == 0
    try:
        if isinstance(value, Dims):
            return Dims(tuple(value.sizes[pick] for pick in picks), scalar)
        return Const(value.values[picks[0] if scalar else picks], value.elem_type)
    except IndexError:
        raise MlpressError(f"index {short(str(picks))} is out of range") from None


def slice_sizes(node: Node, value: Dims) -> Dims:
    """Evaluate ``Slice`` of a shape."""
    if node.has("starts"):
        starts, ends = node.integers("starts") or [], node.integers("ends") or []
        steps = [1]
    else:
        starts, ends = ints(node.input(1)), ints(node.input(2))
        steps = [1] if node.optional(4) is None else ints(node.input(4))
    if len(starts) != 1 or len(ends) != 1 or len(steps) != 1 or steps[0] == 0:
        raise MlpressError("a shape is sliced along more than one axis")
    return Dims(value.sizes[starts[0] : ends[0] : steps[0]])
