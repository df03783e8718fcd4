"""``QuantizeLinear`` and ``DequantizeLinear``: where a model's integers are."""

from __future__ import annotations

import math

import numpy as np
import onnx
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.node import Node, kind
from mlpress.frontend.symbolic import Coded, Const, Flow, Value, finite
from mlpress.frontend.tensors import type_name
from mlpress.ir import Quantiser

_RANGES: dict[int, tuple[int, int]] = {
    onnx.TensorProto.INT4: (-8, 7),
    onnx.TensorProto.UINT4: (0, 15),
    onnx.TensorProto.INT8: (-128, 127),
    onnx.TensorProto.UINT8: (0, 255),
    onnx.TensorProto.INT16: (-(1 << 15), (1 << 15) - 1),
    onnx.TensorProto.UINT16: (0, (1 << 16) - 1),
    onnx.TensorProto.INT32: (-(1 << 31), (1 << 31) - 1),
}


def quantize(node: Node) -> Value:
    """Apply ``QuantizeLinear`` to features, scores or a constant."""
    value, scale, zero = node.input(0), node.const(1), node.const_or_none(2)
    low, high = _range(_code_type(node, zero))
    match value:
        case Flow() as flow:
            quantiser = _quantiser(scale, zero, low, high)
            return Coded(flow.quantised(quantiser), quantiser)
        case Const() as constant:
            real = finite(constant)
            step, offset = _spread(node, scale, zero, real.shape)
            # In single precision, as the ONNX reference and onnxruntime divide.
            quotient = real.astype(np.float32) / step.astype(np.float32)
            codes = np.clip(np.rint(quotient).astype(np.float64) + offset, low, high)
            return Const(codes.astype(np.int64), _code_type(node, zero))
        case other:
            raise MlpressError(f"it quantises what is {kind(other)}; supported are features, scores and constants")


def dequantize(node: Node) -> Value:
    """Apply ``DequantizeLinear`` to quantised features, or to a constant, whose integers are kept."""
    value, scale, zero = node.input(0), node.const(1), node.const_or_none(2)
    match value:
        case Coded(flow, quantiser):
            if _quantiser(scale, zero, quantiser.low, quantiser.high) != quantiser:
                raise MlpressError("it dequantises with another scale or zero point than quantised its input")
            return flow
        case Flow() as flow if flow.bare and zero is not None:
            quantiser = _quantiser(scale, zero, *_range(zero.elem_type))
            step = np.full(flow.width, quantiser.scale)
            return flow.affine(step, -quantiser.zero * step).quantised(quantiser)
        case Const() as constant if constant.values.dtype == np.int64:
            step, offset = _spread(node, scale, zero, constant.values.shape)
            codes = constant.values - offset.astype(np.int64)
            return Const(codes * step, scale.elem_type, codes, step)
        case other:
            raise MlpressError(f"it dequantises what is {kind(other)}; supported are integers with a zero point")


def _code_type(node: Node, zero: Const | None) -> int:
    if zero is not None:
        return zero.elem_type
    return node.integer("output_dtype", 0) or int(onnx.TensorProto.UINT8)


def _range(elem_type: int) -> tuple[int, int]:
    if elem_type not in _RANGES:
        names = ", ".join(type_name(known) for known in _RANGES)
        raise MlpressError(f"its integers have type {type_name(elem_type)}; supported: {names}")
    return _RANGES[elem_type]


def _quantiser(scale: Const, zero: Const | None, low: int, high: int) -> Quantiser:
    step = finite(scale)
    offset = np.zeros(1) if zero is None else finite(zero)
    if step.size != 1 or offset.size != 1:
        raise MlpressError("features and activations with a scale each are not supported; use one scale for a tensor")
    if not step.reshape(()) > 0:
        raise MlpressError("its scale is not positive")
    return Quantiser(float(step.reshape(())), int(offset.reshape(())), low, high)


def _spread(
    node: Node, scale: Const, zero: Const | None, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scale and zero point for each element of a constant: one for all, or one for each index of an axis."""
    if node.integer("block_size", 0):
        raise MlpressError("blocked quantisation is not supported; use one scale for a tensor or for an axis")
    parts = [finite(scale), np.zeros(()) if zero is None else finite(zero)]
    if not (parts[0] > 0).all():
        raise MlpressError("a scale is not positive")
    axis = node.integer("axis", 1)
    axis += len(shape) if axis < 0 else 0
    spread = []
    for part in parts:
        if part.size == 1:
            spread.append(np.broadcast_to(part.reshape(()), shape))
            continue
        along = 0 if len(shape) == 1 else axis
        if part.ndim != 1 or not 0 <= along < len(shape) or part.size != shape[along]:
            raise MlpressError(f"{part.size} scales or zero points do not fit a tensor of shape {shape}")
        aligned = part.reshape(-1, *(1,) * (len(shape) - 1 - along))
        spread.append(np.broadcast_to(aligned, shape))
    if math.prod(shape) == 0:
        raise MlpressError("it quantises an empty tensor")
    return spread[0], spread[1]
