"""What each ONNX operator does to the values that the reader follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx

from mlpress.errors import MlpressError
from mlpress.frontend import (
    activation_ops,
    branches,
    encoder_ops,
    fold,
    heads,
    pick_ops,
    products,
    qonnx,
    quantised_ops,
    refusals,
    votes,
)
from mlpress.frontend.node import Node, kind
from mlpress.frontend.reshape_ops import LAYOUT, layout
from mlpress.frontend.symbolic import Const, Dims, Flow, Value, finite
from mlpress.progress import counted

SUPPORTED = (
    "Gemm, MatMul, Conv over a whole row, Add, Sub, Mul, Div, Sum, Mean, BatchNormalization, Max, Min, "
    + ", ".join(activation_ops.ACTIVATIONS)
    + ", Softmax, LogSoftmax, ArgMax, TopK, Greater, Less, Where, Round, Gather, GatherND, Slice, Flatten, "
    "Reshape, Squeeze, Unsqueeze, Transpose, Concat, Identity, Cast, Dropout, QuantizeLinear, DequantizeLinear, QGemm, "
    "QLinearMatMul, QLinearAdd, QONNX's Quant, BipolarQuant, Trunc, MultiThreshold, and ai.onnx.ml's linear stages "
    "(docs/models.md)"
)


def apply(node: Node) -> Value | tuple[Value, ...]:
    """Apply ``node``; return its output, or all of them where it has several that are known."""
    if node.op in fold.FOLDED:
        operands = [value for value in node.inputs if isinstance(value, Const)]
        if len(operands) == len(node.inputs):
            return fold.arithmetic(node, operands)
    if node.op in fold.REDUCED and isinstance(constant := node.optional(0), Const):
        return fold.reduced(node, constant)
    match node.op:
        case "Gemm":
            return _gemm(node)
        case "com.microsoft.FusedGemm":
            return activation_ops.fused(node, _gemm(node))
        case "MatMul" | "com.microsoft.FusedMatMul":
            return _matmul(node)
        case "Conv":
            return _convolution(node)
        case "Add" | "Sub" | "Mul" | "Div" | "Neg":
            return _arithmetic(node)
        case "Sum" | "Mean":
            return _sum(node)
        case "ReduceSum" | "ReduceMean":
            return _reduced(node)
        case "BatchNormalization":
            return _batch_normalization(node)
        case op if op in activation_ops.ACTIVATIONS or op in activation_ops.CONTRIBUTED:
            return activation_ops.activate(node)
        case "Max" | "Min":
            return activation_ops.extreme(node)
        case "Softmax" | "LogSoftmax":
            return _softmax(node)
        case op if op in LAYOUT:
            return layout(node)
        case "Constant":
            return fold.constant(node)
        case "ConstantOfShape":
            return fold.constant_of_shape(node)
        case op if op in qonnx.OPERATORS:
            return qonnx.apply_qonnx(node)
        case op if op in quantised_ops.OPERATORS:
            return quantised_ops.apply_quantised(node, branches.added)
        case op if op in heads.OPERATORS:
            return heads.apply_head(node)
        case op if op in pick_ops.OPERATORS:
            return pick_ops.pick(node)
        case "ai.onnx.ml.Scaler":
            return _scaler(node)
        case "ai.onnx.ml.Imputer":
            return _imputer(node)
        case "ai.onnx.ml.OneHotEncoder":
            return encoder_ops.one_hot_encoder(node)
        case op:
            raise MlpressError(refusals.reason(op) or f"this operator is not supported; supported: {SUPPORTED}")


def _matmul(node: Node) -> Flow:
    if node.op == "MatMul":
        return _product(node.input(0), node.input(1))
    right = _oriented(node.input(1), node.integer("transB", 0))
    right = _times(right, node.real("alpha", 1.0)) if isinstance(right, Const) else right
    return _product(_oriented(node.input(0), node.integer("transA", 0)), right)


def _convolution(node: Node) -> Flow:
    """Apply ``Conv`` whose kernel is as large as its input: a dense layer."""
    flow, kernel = node.flow(0), node.const(1)
    pads, shape = node.integers("pads") or [0], kernel.values.shape
    if node.integer("group", 1) != 1 or any(pads) or shape[1:] != flow.shape:
        raise MlpressError(
            f"a kernel of shape {shape} on rows of shape {flow.shape}; a convolution is supported only where its "
            "kernel is as large as its input, without padding or groups: use dense layers"
        )
    flat = fold.rearranged(kernel, lambda array: array.reshape(len(array), -1).T)
    result = replace(flow, shape=(flow.width,)).dense(flat)
    bias = node.const_or_none(2)
    result = result if bias is None else result.add(bias)
    return replace(result, shape=(*result.shape, *(1,) * (len(shape) - 2)))


def _sum(node: Node) -> Value:
    values = [votes.real(node.input(index)) for index in range(len(node.inputs))]
    total = values[0]
    for value in values[1:]:
        total = _added(total, value)
    if not isinstance(total, Flow):
        raise MlpressError("it adds no values computed from the features")
    share = 1.0 / len(values) if node.op == "Mean" else 1.0
    total = total if share == 1.0 else total.affine(np.full(total.width, share), np.zeros(total.width))
    return votes.marked(total, node.inputs)


def _reduced(node: Node) -> Flow:
    """Apply ``ReduceSum`` or ``ReduceMean`` over each row's values: a layer of one neuron."""
    value, given = votes.real(node.input(0)), node.const_or_none(1)
    flow = value if isinstance(value, Flow) else node.flow(0)
    axes = node.integers("axes") if given is None else fold.ints(given)
    if len(flow.shape) != 1 or flow.transposed or axes not in ([1], [-1]):
        raise MlpressError("it is supported over each row's values (axis 1)")
    share = 1.0 / flow.width if node.op == "ReduceMean" else 1.0
    total = flow.dense(Const(np.full((flow.width, 1), share), onnx.TensorProto.FLOAT))
    return total if node.integer("keepdims", 1) else replace(total, shape=())


def _added(left: Value, right: Value) -> Value:
    match left, right:
        case Flow(), Flow():
            return branches.added(left, right)
        case (Flow() as flow, Const() as c) | (Const() as c, Flow() as flow):
            return flow.add(c)
        case _:
            raise MlpressError(f"its inputs are {kind(left)} and {kind(right)}; that is not supported")


def _gemm(node: Node) -> Flow:
    alpha, beta = node.real("alpha", 1.0), node.real("beta", 1.0)
    left = _oriented(node.input(0), node.integer("transA", 0))
    right = _oriented(node.input(1), node.integer("transB", 0))
    if isinstance(left, Const):
        left = _times(left, alpha)
    else:
        right = _times(right, alpha) if isinstance(right, Const) else right
    result = _product(left, right)
    match node.optional(2):
        case Flow() as other if beta != 0.0:
            part = other.affine(np.full(other.width, beta), np.zeros(other.width))
            return branches.added(result, part)
        case None:
            return result
        case _ if beta == 0.0:
            return result
        case _:
            return result.add(_times(node.const(2), beta))


def _oriented(value: Value, transpose: int) -> Value:
    match value:
        case Const() if transpose:
            return fold.rearranged(value, np.transpose)
        case Flow(shape=(_,)) if transpose:
            return replace(value, transposed=not value.transposed)
        case Flow(shape=shape) if transpose:
            raise MlpressError(f"transposing rows of shape {shape} is not supported; flatten them first")
        case _:
            return value


def _times(constant: Const, factor: float) -> Const:
    if factor == 1.0:
        return constant
    scales = None if constant.scales is None or factor <= 0.0 else constant.scales * factor
    codes = None if scales is None else constant.codes
    return Const(finite(constant) * factor, constant.elem_type, codes, scales)


def _product(left: Value, right: Value) -> Flow:
    """Multiply ``left @ right``, where one of them comes from the features and the other is constant."""
    match left, right:
        case Flow(), Const():
            flow, weight, transposed = left, right, False
        case Const(), Flow():
            flow, weight, transposed = right, fold.rearranged(left, np.transpose), True
        case Flow(), Flow():
            raise MlpressError("both factors are computed from the features; one of them must be constant")
        case _:
            raise MlpressError(f"it multiplies what is {kind(left)} by what is {kind(right)}; that is not supported")
    flow = replace(flow, final="") if flow.final == "vote" and not flow.altered else flow
    if flow.final:
        raise MlpressError("a dense layer on probabilities is not supported; keep the soft-max or sigmoid last")
    if flow.transposed != transposed:
        raise MlpressError("the batch is not where a dense layer needs it; check transA and transB")
    if len(flow.shape) != 1:
        raise MlpressError(f"a dense layer on rows of shape {flow.shape} is not supported; flatten them first")
    if weight.values.ndim == 1:
        column = fold.rearranged(weight, lambda array: array[:, None])
        return replace(flow.dense(column), shape=())
    return flow.dense(weight)


def _arithmetic(node: Node) -> Value:
    sizes = [value for value in node.inputs if isinstance(value, Dims)]
    if sizes:
        return fold.size_arithmetic(node)
    if node.op == "Neg":
        flow = node.flow(0)
        return flow.affine(-np.ones(flow.width), np.zeros(flow.width))
    return votes.marked(_of_two(node.op, votes.real(node.input(0)), votes.real(node.input(1))), node.inputs)


def _of_two(op: str, left: Value, right: Value) -> Value:
    match op, left, right:
        case "Add" | "Sub", Flow() as first, Flow() as second:
            return branches.added(first, second, -1.0 if op == "Sub" else 1.0)
        case "Mul", Flow() as first, Flow() as second:
            return products.product(first, second)
        case "Div", Flow() as first, Flow() as second:
            return products.quotient(first, second)
        case ("Add", Flow() as flow, Const() as c) | ("Add", Const() as c, Flow() as flow):
            return flow.add(c)
        case "Sub", Flow() as flow, Const() as c:
            return flow.affine(np.ones(flow.width), -flow.spread(c))
        case "Sub", Const() as c, Flow() as flow:
            return flow.affine(-np.ones(flow.width), flow.spread(c))
        case ("Mul", Flow() as flow, Const() as c) | ("Mul", Const() as c, Flow() as flow):
            return flow.affine(flow.spread(c), np.zeros(flow.width))
        case "Div", Flow() as flow, Const() as c:
            divisor = flow.spread(c)
            if not divisor.all():
                raise MlpressError("it divides by a constant that holds 0")
            return flow.affine(1.0 / divisor, np.zeros(flow.width))
        case _:
            raise MlpressError(f"its inputs are {kind(left)} and {kind(right)}; supported are features with a constant")


def _batch_normalization(node: Node) -> Flow:
    flow = node.flow(0)
    if node.integer("training_mode", 0):
        raise MlpressError("it is in training mode; export the model in inference mode (eval)")
    channels = flow.shape[:1]
    parts = [np.asarray(finite(node.const(index))) for index in range(1, 5)]
    if not channels or any(part.shape != channels for part in parts):
        raise MlpressError(f"its constants have shapes {[part.shape for part in parts]}; rows have {flow.shape}")
    scale, bias, mean, variance = (part.reshape(-1, *(1,) * (len(flow.shape) - 1)) for part in parts)
    spread = variance + node.real("epsilon", 1e-5)
    if (spread <= 0).any():
        raise MlpressError("a variance is not positive; train or export the model again")
    gain = scale / np.sqrt(spread)
    shift = bias - mean * gain
    return flow.affine(flow.spread_array(gain), flow.spread_array(shift))


def _softmax(node: Node) -> Flow:
    flow = node.flow(0)
    axis = node.integer("axis", -1 if node.opset >= 13 else 1)
    if len(flow.shape) != 1 or axis not in ({0, -2} if flow.transposed else {1, -1}):
        raise MlpressError(f"axis {axis} is not that of the classes; supported is a soft-max over each row's values")
    if flow.final:
        raise MlpressError("a soft-max of probabilities is not supported")
    return replace(flow, final="log" if node.op == "LogSoftmax" else "softmax")


def _scaler(node: Node) -> Flow:
    flow = node.flow(0)
    offset, scale = (_list(node.reals(name) or [], flow.width, name) for name in ("offset", "scale"))
    return flow.affine(np.ones(flow.width), -offset).affine(scale, np.zeros(flow.width))


def _imputer(node: Node) -> Flow:
    """Apply ``Imputer``: what stands for missing features (NaN); behind other steps than scalings there are none."""
    flow = node.flow(0)
    if not math.isnan(node.real("replaced_value_float", 0.0)):
        raise MlpressError("it replaces another value than NaN; export the model without that, or clean the data first")
    values = node.reals("imputed_value_floats") or []
    if not flow.bare or not values:
        return flow
    if len(values) not in {1, flow.width}:
        raise MlpressError(f"it has {counted(len(values), 'value')} for {counted(flow.width, 'feature')}")
    told = dict(flow.missing)
    for k, (name, value) in enumerate(zip(flow.names, np.broadcast_to(values, (flow.width,)).tolist(), strict=True)):
        if math.isfinite(value) and flow.scale[k]:
            told.setdefault(name, float(np.float32((value - flow.offset[k]) / flow.scale[k])))
    return replace(flow, missing=tuple(sorted(told.items())))


def _list(values: Sequence[float], width: int, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if len(values) not in {1, width}:
        raise MlpressError(f"its {name} has {counted(len(values), 'value')}; there must be 1 or {width}")
    return np.broadcast_to(finite(Const(np.array(values, np.float64), onnx.TensorProto.FLOAT)), (width,))
