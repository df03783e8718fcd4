"""``QuantizeLinear`` and ``DequantizeLinear``: where a model's integers are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnx
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.grids import one_or_each
from mlpress.frontend.node import Node, kind
from mlpress.frontend.symbolic import Coded, Const, Flow, Value, finite
from mlpress.frontend.tensors import type_name
from mlpress.ir import Coders, Quantiser, coders

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
    return quantized(node, node.input(0), node.const(1), node.const_or_none(2))


def quantized(node: Node, value: Value, scale: Const, zero: Const | None) -> Value:
    """Quantise ``value`` as ``QuantizeLinear`` does."""
    low, high = _range(_code_type(node, zero))
    match value:
        case Flow() as flow:
            coder = _coder(node, flow, scale, zero, low, high)
            return Coded(flow.quantised(coder), coder)
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
    return dequantized(node, node.input(0), node.const(1), node.const_or_none(2))


def dequantized(node: Node, value: Value, scale: Const, zero: Const | None) -> Value:
    """Turn integers back as ``DequantizeLinear`` does."""
    match value:
        case Coded(flow, coder):
            if not _fits(node, flow, scale, zero, coder):
                raise MlpressError("it dequantises with another scale or zero point than quantised its input")
            return flow
        case Flow() as flow if flow.bare and zero is not None:
            found = _coder(node, flow, scale, zero, *_range(zero.elem_type))
            step = np.array([coder.scale for coder in _quantisers(found, flow.width)])
            offset = np.array([coder.zero for coder in _quantisers(found, flow.width)])
            return flow.affine(step, -offset * step).quantised(found)
        case Const() as constant if constant.values.dtype == np.int64:
            step, offset = _spread(node, scale, zero, constant.values.shape)
            codes = constant.values - offset.astype(np.int64)
            return Const(codes * step, scale.elem_type, codes, step)
        case other:
            raise MlpressError(f"it dequantises what is {kind(other)}; supported are integers with a zero point")


def clipped(coded: Coded, low: float, high: float) -> Coded:
    """Return the codes of ``coded`` within ``low`` to ``high``: a narrower range of codes."""
    held = _quantisers(coded.quantiser, coded.flow.width)
    narrow = []
    for coder in held:
        lowest, highest = max(coder.low, math.ceil(low)), min(coder.high, math.floor(high))
        if not lowest < highest:
            raise MlpressError(f"it clips codes to {low} up to {high}, which leaves fewer than two of them")
        narrow.append(replace(coder, low=lowest, high=highest))
    found = one_or_each(narrow)
    return Coded(coded.flow.quantised(found), found)


def recast(coded: Coded, elem_type: int) -> Coded:
    """Return the codes in another integer type, which must hold them all."""
    low, high = _range(elem_type)
    if any(coder.low < low or coder.high > high for coder in _quantisers(coded.quantiser, coded.flow.width)):
        raise MlpressError(f"it casts codes to {type_name(elem_type)}, which does not hold them all")
    return coded


def q_gemm(node: Node) -> Value:
    """Apply ``com.microsoft.QGemm``: a dense layer on codes, with codes as its result."""
    if node.integer("transA", 0):
        raise MlpressError("transA=1 is not supported; keep the batch as the first axis")
    names = [node.const(index) for index in (1, 2, 4, 5)]
    value = dequantized(node, node.input(0), names[0], names[1])
    bias = node.const_or_none(6)
    alpha = node.real("alpha", 1.0)
    weight = _weight(node, names[2], names[3], transposed=bool(node.integer("transB", 0)))
    flow = _of_features(value).dense(weight)
    if alpha != 1.0:
        flow = flow.affine(np.full(flow.width, alpha), np.zeros(flow.width))
    if bias is not None:
        step = finite(names[0]).reshape(()) * np.broadcast_to(finite(names[2]).reshape(-1), (flow.width,)) * alpha
        codes = np.broadcast_to(bias.values.reshape(-1), (flow.width,)).astype(np.int64)
        flow = flow.add(Const(codes * step, names[0].elem_type, codes, step))
    scale, zero = node.const_or_none(7), node.const_or_none(8)
    return flow if scale is None else quantized(node, flow, scale, zero)


def q_linear_matmul(node: Node) -> Value:
    """Apply ``QLinearMatMul``: codes times codes."""
    flow = _of_features(dequantized(node, node.input(0), node.const(1), node.const(2)))
    weight = _weight(node, node.const(4), node.const(5), transposed=False)
    return quantized(node, flow.dense(weight), node.const(6), node.const(7))


def q_linear_add(node: Node, added: Callable[[Flow, Flow], Flow]) -> Value:
    """Apply ``com.microsoft.QLinearAdd``: the sum of what two tensors of codes stand for."""
    parts = [
        dequantized(node, node.input(start), node.const(start + 1), node.const_or_none(start + 2)) for start in (0, 3)
    ]
    match parts:
        case [Flow() as flow, Const() as constant] | [Const() as constant, Flow() as flow]:
            total = flow.add(constant)
        case [Flow() as left, Flow() as right]:
            total = added(left, right)
        case _:
            raise MlpressError("it adds no values computed from the features")
    return quantized(node, total, node.const(6), node.const_or_none(7))


def q_activation(node: Node, apply: Callable[[Flow], Flow]) -> Value:
    """Apply ``com.microsoft.QLinearSigmoid`` or ``QLinearLeakyRelu``: an activation from codes to codes."""
    flow = _of_features(dequantized(node, node.input(0), node.const(1), node.const_or_none(2)))
    return quantized(node, apply(flow), node.const(3), node.const_or_none(4))


def _weight(node: Node, scale: Const, zero: Const | None, transposed: bool) -> Const:
    """Return the weights of input 3 as (inputs, outputs); their scales are one, or one per output."""
    codes = node.const(3).values
    if codes.ndim != 2 or codes.dtype != np.int64:
        raise MlpressError("its weights are no constant matrix of integers")
    codes = codes.T if transposed else codes
    step, offset = (np.broadcast_to(part.reshape(1, -1), codes.shape) for part in _scale_and_zero(scale, zero))
    whole = codes - offset.astype(np.int64)
    return Const(whole * step, scale.elem_type, whole, step)


def _scale_and_zero(scale: Const, zero: Const | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return finite(scale), np.zeros(1) if zero is None else finite(zero)


def _of_features(value: Value) -> Flow:
    if not isinstance(value, Flow):
        raise MlpressError(f"its input 0 is {kind(value)}; values computed from the features are supported there")
    return value


def _quantisers(held: Coders, count: int) -> list[Quantiser]:
    return [coder for coder in coders(held, count) if isinstance(coder, Quantiser)]


def _fits(node: Node, flow: Flow, scale: Const, zero: Const | None, held: Coders) -> bool:
    """Return whether a dequantiser's scale and zero point are those of the quantiser that made the codes."""
    step, offset = _on_row(node, flow, scale), _on_row(node, flow, zero)
    found = _quantisers(held, flow.width)
    return [(coder.scale, coder.zero) for coder in found] == list(zip(step, map(int, offset), strict=True))


def _on_row(node: Node, flow: Flow, part: Const | None) -> list[float]:
    """Return a scale or zero point for each element of a row."""
    values = np.zeros(1) if part is None else finite(part)
    if values.size == 1:
        return [float(values.reshape(()))] * flow.width
    axis = node.integer("axis", 1)
    if values.size != flow.width or len(flow.shape) != 1 or axis not in ({0, -2} if flow.transposed else {1, -1}):
        raise MlpressError(f"{values.size} scales or zero points do not fit rows of shape {flow.shape}")
    return [float(value) for value in values.reshape(-1)]


def _coder(node: Node, flow: Flow, scale: Const, zero: Const | None, low: int, high: int) -> Coders:
    step, offset = _on_row(node, flow, scale), _on_row(node, flow, zero)
    if not min(step) > 0:
        raise MlpressError("its scale is not positive")
    return one_or_each([Quantiser(size, int(start), low, high) for size, start in zip(step, offset, strict=True)])


def _code_type(node: Node, zero: Const | None) -> int:
    if zero is not None:
        return zero.elem_type
    return node.integer("output_dtype", 0) or int(onnx.TensorProto.UINT8)


def _range(elem_type: int) -> tuple[int, int]:
    if elem_type not in _RANGES:
        names = ", ".join(type_name(known) for known in _RANGES)
        raise MlpressError(f"its integers have type {type_name(elem_type)}; supported: {names}")
    return _RANGES[elem_type]


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
