"""Programs as plain ONNX graphs of standard operators, so that onnxruntime can be the independent oracle.

The integer graphs use int64 throughout and uint64 where bits move; the operators are those that onnxruntime's CPU
provider implements for these types: Gather, BitwiseAnd, MatMul, Add, Max, Min, BitShift, GreaterOrEqual,
Greater, Where, ReduceSum, ReduceMax, ArgMax, Cast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import onnx

from mlpress.codegen.oracle.curves import onnx_curve
from mlpress.codegen.oracle.graph import Graph, onnx_type
from mlpress.ir import (
    Activations,
    Argmax,
    ArgmaxHead,
    BitRange,
    Clip,
    Coders,
    Curve,
    HardSigmoid,
    Input,
    Ladder,
    Layer,
    LeakyRelu,
    Linear,
    Model,
    Net,
    QRelu,
    Quantiser,
    Relu,
    Rounding,
    Scores,
    ScoresHead,
    Sigmoid,
    Staircase,
    Tanh,
    Threshold,
    ThresholdHead,
)

NEVER = (1 << 63) - 1  # no sum of a verified net reaches it


def onnx_net(net: Net, start: Literal["features", "codes"] = "features") -> onnx.ModelProto:
    """Write the graph of a verified ``net``.

    Input: ``features`` float64 (rows, inputs), or ``codes`` int64 (rows, inputs) where ``start`` says so.
    Outputs, all int64: ``codes`` (only from features), ``sum_k`` and ``out_k`` (rows, neurons) of every layer
    ``k``, and ``decision`` (rows,); a net with a scores head has ``values`` float64 (rows, scores) in its place.
    """
    graph = Graph()
    x = input_codes(graph, net.inputs, start)
    for k, layer in enumerate(net.layers):
        total = _sums(graph, layer, x, f"sum_{k}")
        x = _activations(graph, layer, total, f"out_{k}")
        graph.output(total, np.int64, len(layer.neurons))
        graph.output(x, np.int64, len(layer.neurons))
    _net_head(graph, net, x)
    return graph.model("mlpress_net", {"mlpress": "integer network"})


def input_codes(graph: Graph, inputs: tuple[Input, ...], start: Literal["features", "codes"]) -> str:
    """Return the tensor of input codes: an input of its own, or an output that is made of the input ``features``."""
    if start == "codes":
        return graph.input("codes", np.int64, len(inputs))
    return graph.output(_encode(graph, inputs), np.int64, len(inputs))


def _encode(graph: Graph, inputs: tuple[Input, ...]) -> str:
    def row(values: list[float]) -> str:
        return graph.constant([values], np.float64)

    x = graph.input("features", np.float64, len(inputs))
    x = _filled(graph, x, [feature.missing for feature in inputs], np.dtype(np.float64))
    x = graph.node("Mul", x, row([feature.scale for feature in inputs]))
    x = graph.node("Add", x, row([feature.offset for feature in inputs]))
    even = graph.constant([[feature.rounding == "even" for feature in inputs]], np.bool_)
    x = graph.node("Where", even, graph.node("Round", x), graph.node("Floor", x))
    x = graph.node("Max", x, graph.constant(0.0, np.float64))
    x = graph.node("Min", x, row([float((1 << feature.bits) - 1) for feature in inputs]))
    pruned = any(feature.levels is not None for feature in inputs)
    x = graph.node("Cast", x, name=None if pruned else "codes", to=onnx_type(np.int64))
    return _keep_levels(graph, inputs, x) if pruned else x


def _filled(graph: Graph, x: str, missing: Sequence[float | None], real: np.dtype[np.floating]) -> str:
    """Return the features with what stands for missing ones."""
    if all(value is None for value in missing):
        return x
    values = graph.constant([[np.nan if value is None else value for value in missing]], real)
    return graph.node("Where", graph.node("IsNaN", x), values, x)


def _keep_levels(graph: Graph, inputs: tuple[Input, ...], x: str) -> str:
    most = max(1, *(len(feature.levels or ()) for feature in inputs))
    table = np.full((1, len(inputs), most), NEVER, np.int64)
    for column, feature in enumerate(inputs):
        kept = feature.levels or ()
        table[0, column, : len(kept)] = kept
    levels = graph.constant(table, np.int64)
    reached = graph.node("GreaterOrEqual", _last_axis(graph, x), levels)
    kept_level = graph.node("Where", reached, levels, graph.constant(0, np.int64))
    code = graph.node("ReduceMax", kept_level, graph.constant([2], np.int64), keepdims=0)
    pruned = graph.constant([[feature.levels is not None for feature in inputs]], np.bool_)
    return graph.node("Where", pruned, code, x, name="codes")


def _last_axis(graph: Graph, x: str) -> str:
    return graph.node("Unsqueeze", x, graph.constant([2], np.int64))


def _sums(graph: Graph, layer: Layer, x: str, name: str) -> str:
    """Add a matrix product over the different (source, mask) pairs that the layer reads."""
    pairs = sorted({(term.source, term.mask) for neuron in layer.neurons for term in neuron.terms}) or [(0, 0)]
    index = {pair: row for row, pair in enumerate(pairs)}
    weights = np.zeros((len(pairs), len(layer.neurons)), np.int64)
    for column, neuron in enumerate(layer.neurons):
        for term in neuron.terms:
            weights[index[term.source, term.mask], column] += term.sign << term.shift
    x = graph.node("Gather", x, graph.constant([source for source, _ in pairs], np.int64), axis=1)
    x = graph.node("BitwiseAnd", x, graph.constant([[mask for _, mask in pairs]], np.int64))
    x = graph.node("MatMul", x, graph.constant(weights, np.int64))
    return graph.node("Add", x, graph.constant([[neuron.bias for neuron in layer.neurons]], np.int64), name=name)


def _activations(graph: Graph, layer: Layer, total: str, name: str) -> str:
    kinds = {type(neuron.activation) for neuron in layer.neurons}
    if Ladder not in kinds and QRelu not in kinds:
        return graph.node("Identity", total, name=name)
    if Ladder not in kinds:
        return _qrelu(graph, layer, total, name)
    if QRelu not in kinds:
        return _ladder(graph, layer, total, name)
    climbs = graph.constant([[isinstance(neuron.activation, Ladder) for neuron in layer.neurons]], np.bool_)
    return graph.node("Where", climbs, _ladder(graph, layer, total), _qrelu(graph, layer, total), name=name)


def _qrelu(graph: Graph, layer: Layer, total: str, name: str | None = None) -> str:
    found = [neuron.activation if isinstance(neuron.activation, QRelu) else QRelu(0, 1) for neuron in layer.neurons]
    positive = graph.node("Max", total, graph.constant(0, np.int64))
    bits = graph.node("Cast", positive, to=onnx_type(np.uint64))
    shifts = graph.constant([[qrelu.shift for qrelu in found]], np.uint64)
    shifted = graph.node("BitShift", bits, shifts, direction="RIGHT")
    numbers = graph.node("Cast", shifted, to=onnx_type(np.int64))
    return graph.node("Min", numbers, graph.constant([[(1 << q.bits) - 1 for q in found]], np.int64), name=name)


def _ladder(graph: Graph, layer: Layer, total: str, name: str | None = None) -> str:
    found = [n.activation.thresholds if isinstance(n.activation, Ladder) else () for n in layer.neurons]
    table = np.full((1, len(found), max(map(len, found))), NEVER, np.int64)
    for row, thresholds in enumerate(found):
        table[0, row, : len(thresholds)] = thresholds
    reached = graph.node("GreaterOrEqual", _last_axis(graph, total), graph.constant(table, np.int64))
    ones = graph.node("Cast", reached, to=onnx_type(np.int32))
    count = graph.node("ReduceSum", ones, graph.constant([2], np.int64), keepdims=0)
    return graph.node("Cast", count, name=name, to=onnx_type(np.int64))


def _net_head(graph: Graph, net: Net, scores: str) -> None:
    match net.head:
        case Argmax(ranges=()):
            graph.output(graph.node("ArgMax", scores, name="decision", axis=1, keepdims=0), np.int64)
        case Argmax(ranges=ranges):
            graph.output(_tournament(graph, ranges, scores), np.int64)
        case Threshold(at=at):
            reached = graph.node("GreaterOrEqual", scores, graph.constant(at, np.int64))
            first = graph.node("Squeeze", reached, graph.constant([1], np.int64))
            graph.output(graph.node("Cast", first, name="decision", to=onnx_type(np.int64)), np.int64)
        case Scores(scale=scale, offset=offset):
            real = graph.node("Cast", scores, to=onnx_type(np.float64))
            real = graph.node("Mul", real, graph.constant([scale], np.float64))
            graph.output(
                graph.node("Add", real, graph.constant([offset], np.float64), name="values"), np.float64, len(scale)
            )


def _tournament(graph: Graph, ranges: tuple[BitRange, ...], scores: str) -> str:
    """Add the knock-out, a round at a time over all its pairs; ``index`` holds the candidates' classes."""
    count, played = len(ranges) + 1, 0
    zero = graph.node("Mul", scores, graph.constant(0, np.int64))
    index = graph.node("Add", zero, graph.constant([list(range(count))], np.int64))
    while count > 1:
        pairs = count // 2
        windows = ranges[played : played + pairs]
        even, odd = list(range(0, 2 * pairs, 2)), list(range(1, 2 * pairs, 2))
        left, right = _columns(graph, scores, even), _columns(graph, scores, odd)
        wins = graph.node("Greater", _seen(graph, right, windows), _seen(graph, left, windows))
        winners = [
            graph.node("Where", wins, right, left),
            graph.node("Where", wins, _columns(graph, index, odd), _columns(graph, index, even)),
        ]
        if count % 2:
            passing = [_columns(graph, table, [count - 1]) for table in (scores, index)]
            winners = [graph.node("Concat", won, last, axis=1) for won, last in zip(winners, passing, strict=True)]
        scores, index = winners
        played += pairs
        count -= pairs
    return graph.node("Squeeze", index, graph.constant([1], np.int64), name="decision")


def _columns(graph: Graph, table: str, columns: list[int]) -> str:
    return graph.node("Gather", table, graph.constant(columns, np.int64), axis=1)


def _seen(graph: Graph, score: str, windows: tuple[BitRange, ...]) -> str:
    """Return what the comparisons see of the scores, moved up so that its sign bit is the word's: order is kept."""
    tops = [64 if window.high is None else window.high for window in windows]
    lost = [window.low + 64 - top for window, top in zip(windows, tops, strict=True)]
    bits = graph.node("Cast", score, to=onnx_type(np.uint64))
    bits = graph.node("BitShift", bits, graph.constant([[64 - top for top in tops]], np.uint64), direction="LEFT")
    keep = graph.constant([[(1 << 64) - (1 << count) for count in lost]], np.uint64)
    return graph.node("Cast", graph.node("BitwiseAnd", bits, keep), to=onnx_type(np.int64))


def onnx_model(model: Model, dtype: Literal["float64", "float32"] = "float64") -> onnx.ModelProto:
    """Write the graph of a verified real ``model``, computed in ``dtype``.

    Input ``features`` (rows, inputs); outputs ``outputs`` (rows, outputs), the last layer's values, and, except
    for regression, ``decision`` int64 (rows,).
    """
    graph = Graph()
    real = np.dtype(dtype)
    x = _filled(graph, graph.input("features", real, len(model.inputs)), model.missing, real)
    x = graph.node("Mul", x, graph.constant([model.scale], real))
    x = graph.node("Add", x, graph.constant([model.offset], real))
    if model.clip is not None:
        x = _real_activation(graph, model.clip, x, real)
    x = _quantiser(graph, model.quantiser, x, real)
    for layer in model.layers:
        x = graph.node("Gemm", x, graph.constant(layer.weight, real), graph.constant(layer.bias, real), transB=1)
        x = _quantiser(graph, layer.quantiser, _real_activation(graph, layer.activation, x, real), real)
    x = graph.node("Identity", x, name="outputs")
    graph.output(x, real, len(model.layers[-1].bias))
    match model.head:
        case ArgmaxHead():
            graph.output(graph.node("ArgMax", x, name="decision", axis=1, keepdims=0), np.int64)
        case ThresholdHead(at=at):
            above = graph.node("Greater", x, graph.constant(at, real))
            first = graph.node("Squeeze", above, graph.constant([1], np.int64))
            graph.output(graph.node("Cast", first, name="decision", to=onnx_type(np.int64)), np.int64)
        case ScoresHead():
            pass
    return graph.model("mlpress_model", {"mlpress": "real network"})


def _columnwise(graph: Graph, x: str, kinds: Sequence[Any], apply: Callable[[Any, str], str]) -> str:
    """Return ``apply(kind, x)`` of each column's own kind, in one node for each distinct kind."""
    result = x
    for kind in dict.fromkeys(kinds):
        mask = graph.constant([[one == kind for one in kinds]], np.bool_)
        result = graph.node("Where", mask, apply(kind, x), result)
    return result


def _quantiser(graph: Graph, quantiser: Coders, x: str, real: np.dtype[np.floating]) -> str:
    match quantiser:
        case None:
            return x
        case tuple():
            return _columnwise(graph, x, quantiser, lambda one, part: _quantiser(graph, one, part, real))
        case Staircase(bounds=bounds, step=step, base=base):
            reached = graph.node("GreaterOrEqual", _last_axis(graph, x), graph.constant([[bounds]], real))
            ones = graph.node("Cast", reached, to=onnx_type(real))
            count = graph.node("ReduceSum", ones, graph.constant([2], np.int64), keepdims=0)
            scaled = graph.node("Mul", count, graph.constant(step, real))
            return graph.node("Add", scaled, graph.constant(base, real))
        case Quantiser(low=low, high=high, rounding=rounding):
            scale, zero = graph.constant(quantiser.scale, real), graph.constant(quantiser.zero, real)
            x = graph.node("Div", x, scale)
            if rounding == "even":
                q = graph.node("Add", graph.node("Round", x), zero)
            else:
                q = _rounded(graph, graph.node("Add", x, zero), rounding, real)
            q = graph.node("Clip", q, graph.constant(low, real), graph.constant(high, real))
            return graph.node("Mul", graph.node("Sub", q, zero), scale)


_MAGNITUDES: dict[str, tuple[str, float]] = {
    "half_up": ("Floor", 0.5),
    "half_down": ("Ceil", -0.5),
    "up": ("Ceil", 0.0),
    "down": ("Floor", 0.0),
}
"""Roundings of the magnitude: the operator, and what is added before it."""


def _rounded(graph: Graph, x: str, rounding: Rounding, real: np.dtype[np.floating]) -> str:
    if rounding not in _MAGNITUDES:
        return graph.node({"floor": "Floor", "ceil": "Ceil"}.get(rounding, "Round"), x)
    operator, shift = _MAGNITUDES[rounding]
    moved = graph.node("Add", graph.node("Abs", x), graph.constant(shift, real))
    return graph.node("Mul", graph.node("Sign", x), graph.node(operator, moved))


def _real_activation(graph: Graph, activation: Activations, x: str, real: np.dtype[np.floating]) -> str:
    def constant(value: float) -> str:
        return graph.constant(value, real)

    match activation:
        case tuple():
            return _columnwise(graph, x, activation, lambda one, part: _real_activation(graph, one, part, real))
        case Curve(name=name, parameters=parameters):
            return onnx_curve(graph, name, [constant(value) for value in parameters], x, real)
        case Linear():
            return x
        case Relu() | Sigmoid() | Tanh():
            return graph.node(type(activation).__name__, x)
        case Clip(low=low, high=high):
            return graph.node("Clip", x, constant(low), constant(high))
        case LeakyRelu(alpha=alpha):  # onnxruntime has LeakyRelu and HardSigmoid for float32 only
            positive = graph.node("Greater", x, constant(0.0))
            return graph.node("Where", positive, x, graph.node("Mul", x, constant(alpha)))
        case HardSigmoid(alpha=alpha, beta=beta):
            line = graph.node("Add", graph.node("Mul", x, constant(alpha)), constant(beta))
            return graph.node("Clip", line, constant(0.0), constant(1.0))
