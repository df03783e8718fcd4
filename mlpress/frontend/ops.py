"""What each ONNX operator does to the values that the reader follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx

from mlpress.errors import MlpressError
from mlpress.frontend import fold, tail
from mlpress.frontend.node import Node, kind
from mlpress.frontend.qdq import dequantize, quantize
from mlpress.frontend.reshape_ops import LAYOUT, layout
from mlpress.frontend.symbolic import LARGEST, Const, Dims, Flow, Label, Value, finite
from mlpress.ir import Clip, HardSigmoid, LeakyRelu, RealActivation, Relu, Sigmoid, Tanh
from mlpress.progress import counted

SUPPORTED = (
    "Gemm, MatMul, Add, Sub, Mul, Div, BatchNormalization, Relu, Clip, LeakyRelu, Sigmoid, HardSigmoid, Tanh, "
    "Softmax, LogSoftmax, ArgMax, Greater, Flatten, Reshape, Squeeze, Unsqueeze, Transpose, Concat, Identity, Cast, "
    "Dropout, QuantizeLinear, DequantizeLinear, and ai.onnx.ml's Scaler, Normalizer, ZipMap, "
    "ArrayFeatureExtractor, LabelEncoder"
)
_ACTIVATIONS = ("Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid", "Tanh")


def apply(node: Node) -> Value:
    """Apply ``node``; return its first output."""
    if node.op in fold.FOLDED:
        operands = [value for value in node.inputs if isinstance(value, Const)]
        if len(operands) == len(node.inputs):
            return fold.arithmetic(node, operands)
    match node.op:
        case "Gemm":
            return _gemm(node)
        case "MatMul":
            return _product(node.input(0), node.input(1))
        case "Add" | "Sub" | "Mul" | "Div" | "Neg":
            return _arithmetic(node)
        case "BatchNormalization":
            return _batch_normalization(node)
        case op if op in _ACTIVATIONS:
            return node.flow(0).activation(_activation(node))
        case "Softmax" | "LogSoftmax":
            return _softmax(node)
        case op if op in LAYOUT:
            return layout(node)
        case "Constant":
            return fold.constant(node)
        case "QuantizeLinear":
            return quantize(node)
        case "DequantizeLinear":
            return dequantize(node)
        case "ArgMax":
            return tail.arg_max(node)
        case "Greater" | "GreaterOrEqual":
            return tail.greater(node)
        case "Gather":
            return _gather(node)
        case "Slice":
            return _slice(node)
        case "ReduceMax":
            return tail.aside(node)
        case "ai.onnx.ml.Scaler":
            return _scaler(node)
        case "ai.onnx.ml.Normalizer":
            return tail.normalizer(node)
        case "ai.onnx.ml.ZipMap":
            return tail.zip_map(node)
        case "ai.onnx.ml.ArrayFeatureExtractor":
            return tail.named_label(node.const(0), node.input(1))
        case "ai.onnx.ml.LabelEncoder":
            return tail.label_encoder(node)
        case op if op.removeprefix("com.microsoft.").startswith(("QLinear", "QGemm")):
            raise MlpressError("this operator is not supported; quantise the model with QuantFormat.QDQ instead")
        case _:
            raise MlpressError(f"this operator is not supported; supported: {SUPPORTED}")


def _gemm(node: Node) -> Flow:
    alpha, beta = node.real("alpha", 1.0), node.real("beta", 1.0)
    left = _oriented(node.input(0), node.integer("transA", 0))
    right = _oriented(node.input(1), node.integer("transB", 0))
    if isinstance(left, Const):
        left = _times(left, alpha)
    else:
        right = _times(right, alpha) if isinstance(right, Const) else right
    result = _product(left, right)
    bias = node.const_or_none(2)
    return result if bias is None or beta == 0.0 else result.add(_times(bias, beta))


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


def _arithmetic(node: Node) -> Flow:
    if node.op == "Neg":
        flow = node.flow(0)
        return flow.affine(-np.ones(flow.width), np.zeros(flow.width))
    left, right = node.input(0), node.input(1)
    match node.op, left, right:
        case _, Flow(), Flow():
            raise MlpressError("both operands are computed from the features; one of them must be constant")
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


def _activation(node: Node) -> RealActivation:
    match node.op:
        case "Relu":
            return Relu()
        case "Clip":
            return _clip(node)
        case "LeakyRelu":
            return LeakyRelu(_rising(node.real("alpha", 0.01)))
        case "HardSigmoid":
            return HardSigmoid(_rising(node.real("alpha", 0.2)), node.real("beta", 0.5))
        case "Sigmoid":
            return Sigmoid()
        case _:
            return Tanh()


def _rising(alpha: float) -> float:
    if not 0.0 <= alpha < LARGEST:
        raise MlpressError(f"its alpha is {alpha}; supported are activations that never fall, with alpha of 0 or more")
    return alpha


def _clip(node: Node) -> RealActivation:
    bounds = [-LARGEST, LARGEST]
    for index, name in enumerate(("min", "max")):
        bounds[index] = node.real(name, bounds[index])
        given = node.const_or_none(index + 1)
        if given is not None:
            if given.values.size != 1 or given.values.dtype == object:
                raise MlpressError(f"its {name} is not one number")
            bounds[index] = float(given.values.reshape(()))
    low, high = (min(max(bound, -LARGEST), LARGEST) for bound in bounds)
    if not low <= high:
        raise MlpressError(f"its min {low} is not below its max {high}")
    return Relu() if (low, high) == (0.0, LARGEST) else Clip(low, high)


def _softmax(node: Node) -> Flow:
    flow = node.flow(0)
    axis = node.integer("axis", -1 if node.opset >= 13 else 1)
    if len(flow.shape) != 1 or axis not in ({0, -2} if flow.transposed else {1, -1}):
        raise MlpressError(f"axis {axis} is not that of the classes; supported is a soft-max over each row's values")
    if flow.final:
        raise MlpressError("a soft-max of probabilities is not supported")
    return replace(flow, final="softmax")


def _scaler(node: Node) -> Flow:
    flow = node.flow(0)
    offset, scale = (_list(node.reals(name) or [], flow.width, name) for name in ("offset", "scale"))
    return flow.affine(np.ones(flow.width), -offset).affine(scale, np.zeros(flow.width))


def _list(values: Sequence[float], width: int, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if len(values) not in {1, width}:
        raise MlpressError(f"its {name} has {counted(len(values), 'value')}; there must be 1 or {width}")
    return np.broadcast_to(finite(Const(np.array(values, np.float64), onnx.TensorProto.FLOAT)), (width,))


def _gather(node: Node) -> Value:
    match node.input(0), node.input(1):
        case Const() as names, Label() as label:
            return tail.named_label(names, label)
        case ((Const() | Dims() as value), index):
            return fold.gather(node, value, index)
        case value, _:
            return tail.aside(node) if isinstance(value, Flow) else _refuse(value)


def _slice(node: Node) -> Value:
    match node.input(0):
        case Dims() as dims:
            return fold.slice_sizes(node, dims)
        case Flow():
            return tail.aside(node)
        case value:
            return _refuse(value)


def _refuse(value: Value) -> Value:
    raise MlpressError(f"its input 0 is {kind(value)}; that is not supported")
