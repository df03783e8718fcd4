"""An integer network for other tools: an ONNX graph with QONNX's ``Quant`` and FINN's ``MultiThreshold``.

Behind the input's quantisers all tensors hold whole numbers, so that any tool that knows the two operators computes
the network exactly, and the frontend reads the same network back.  They are float32, or float64 where sums are larger
than float32 holds; so are features and scaled scores, where float32 does not hold their scales.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mlpress.codegen.oracle.graph import onnx_type
from mlpress.errors import MlpressError
from mlpress.ir import Argmax, Input, Ladder, Layer, Net, QRelu, Raw, Scores, Threshold, output_bits

DOMAIN = "qonnx.custom_op.general"
OPSET = 17
WHOLE = 1 << 53
"""float64 holds all whole numbers up to this magnitude."""

SINGLE = 1 << 24
"""float32 holds all whole numbers up to this magnitude."""

WIDEST = 12
"""Bits of the widest shift and clip that is written as a table of thresholds."""


def qonnx_net(net: Net) -> onnx.ModelProto:
    """Return the graph of ``net``: input ``features`` (rows, inputs), output ``label`` or ``scores``.

    Raises :class:`MlpressError` where the network has what such a graph has no form for: dropped product bits,
    pruned converter levels, comparisons of a few bits, or codes of more than :data:`WIDEST` bits.
    """
    single = _holds_sums(net)
    made = _Writer(_kind(single), _kind(single and _holds_scales(net)))
    x = made.inputs(net.inputs)
    bits = [feature.bits for feature in net.inputs]
    for k, layer in enumerate(net.layers):
        x = made.layer(layer, bits, x, k)
        bits = [output_bits(neuron.activation) or 0 for neuron in layer.neurons]
    made.head(net, x)
    return made.model(net)


CODES = np.dtype(np.float32)
"""What QONNX's quantisers and thresholds give in its own executor, whatever they are given."""


class _Writer:
    """The nodes so far; whole numbers are of the type ``real``, features and scaled scores of the type ``outer``."""

    def __init__(self, real: np.dtype[np.floating], outer: np.dtype[np.floating]) -> None:
        self.real, self.outer = real, outer
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.outputs: list[Any] = []

    def constant(self, values: Any, dtype: Any = None) -> str:
        name = f"c{len(self.constants)}"
        array = np.asarray(values, object if dtype is str else dtype or self.real)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], domain=domain, **attributes))
        return name

    def cast(self, x: str, given: np.dtype[np.floating], wanted: np.dtype[np.floating]) -> str:
        """Return ``x``, of the type ``given``, as a tensor of the type ``wanted``."""
        return x if given == wanted else self.node("Cast", x, to=onnx_type(wanted))

    def inputs(self, inputs: Sequence[Input]) -> str:
        """Write the codes of the features, each kind of converter for all of its columns."""
        x = "features"
        if any(feature.missing is not None for feature in inputs):
            values = [math.nan if feature.missing is None else feature.missing for feature in inputs]
            x = self.node("Imputer", x, domain="ai.onnx.ml", imputed_value_floats=values, replaced_value_float=math.nan)
        x = self.node("Mul", x, self.constant([[feature.scale for feature in inputs]], self.outer))
        x = self.node("Add", x, self.constant([[feature.offset for feature in inputs]], self.outer))
        x = self.cast(x, self.outer, self.real)
        kinds = [(feature.bits, feature.rounding, _top(feature)) for feature in inputs]
        parts, order = [], []
        for kind in dict.fromkeys(kinds):
            columns = [column for column, one in enumerate(kinds) if one == kind]
            order += columns
            part = x
            if len(columns) < len(kinds):
                part = self.node("Gather", x, self.constant(columns, np.int64), axis=1)
            parts.append(self._coded(part, *kind))
        if len(parts) == 1:
            return parts[0]
        joined = self.node("Concat", *parts, axis=1)
        return self.node("Gather", joined, self.constant(np.argsort(order), np.int64), axis=1)

    def _coded(self, x: str, bits: int, rounding: str, top: int) -> str:
        one, none, width = self.constant(1.0), self.constant(0.0), self.constant(float(bits))
        mode = "FLOOR" if rounding == "floor" else "ROUND"
        q = self.node("Quant", x, one, none, width, domain=DOMAIN, signed=0, narrow=0, rounding_mode=mode)
        q = self.cast(q, CODES, self.real)
        return q if top == (1 << bits) - 1 else self.node("Clip", q, none, self.constant(float(top)))

    def layer(self, layer: Layer, bits: Sequence[int], x: str, k: int) -> str:
        """Write one layer: weights, biases, and the thresholds of its activations."""
        weight = np.zeros((len(bits), len(layer.neurons)))
        for j, neuron in enumerate(layer.neurons):
            for term in neuron.terms:
                if term.mask != (1 << bits[term.source]) - 1:
                    raise MlpressError(
                        f"layer {k}, neuron {j}: product bits are dropped; only exact weights can be written"
                    )
                weight[term.source, j] += term.sign << term.shift
        bias = [float(neuron.bias) for neuron in layer.neurons]
        if max(np.abs(weight).max(initial=0), *map(abs, bias)) >= WHOLE:
            raise MlpressError(f"layer {k}: a weight or bias is beyond 2**53, which float64 does not hold")
        x = self.node("Add", self.node("MatMul", x, self.constant(weight)), self.constant([bias]))
        tables = [_thresholds(neuron.activation, f"layer {k}, neuron {j}") for j, neuron in enumerate(layer.neurons)]
        if not any(tables):
            return x
        parts, order = [], []
        for count in dict.fromkeys(map(len, tables)):
            columns = [j for j, table in enumerate(tables) if len(table) == count]
            order += columns
            part = x
            if len(columns) < len(tables):
                part = self.node("Gather", x, self.constant(columns, np.int64), axis=1)
            table = self.constant([tables[j] for j in columns])
            codes = self.node("MultiThreshold", part, table, domain=DOMAIN, out_dtype="UINT16")
            parts.append(self.cast(codes, CODES, self.real))
        if len(parts) == 1:
            return parts[0]
        joined = self.node("Concat", *parts, axis=1)
        return self.node("Gather", joined, self.constant(np.argsort(order), np.int64), axis=1)

    def head(self, net: Net, x: str) -> None:
        """Write what the scores decide."""
        match net.head:
            case Argmax(ranges=()):
                label = self.node("ArgMax", x, axis=1, keepdims=0)
                if net.classes != tuple(range(len(net.classes))):
                    label = self.node("Gather", self._names(net.classes), label)
                self._label(label, net)
            case Threshold(at=at):
                reached = self.node("GreaterOrEqual", x, self.constant(float(at)))
                yes, no = (self._names([net.classes[index]]) for index in (1, 0))
                self._label(self.node("Where", reached, yes, no), net)
            case Scores(scale=scale, offset=offset):
                x = self.cast(x, self.real, self.outer)
                if set(scale) != {1.0} or any(offset):
                    x = self.node("Mul", x, self.constant([scale], self.outer))
                    x = self.node("Add", x, self.constant([offset], self.outer)) if any(offset) else x
                self.outputs.append(helper.make_tensor_value_info(x, onnx_type(self.outer), None))
            case _:
                raise MlpressError("comparisons see a few bits of the scores; only exact ones can be written")

    def _names(self, classes: Sequence[int | str]) -> str:
        return self.constant(classes, str if isinstance(classes[0], str) else np.int64)

    def _label(self, label: str, net: Net) -> None:
        kind = TensorProto.STRING if isinstance(net.classes[0], str) else TensorProto.INT64
        self.outputs.append(helper.make_tensor_value_info(label, kind, None))

    def model(self, net: Net) -> onnx.ModelProto:
        """Return the model with the features' names in its metadata."""
        import json

        entry = helper.make_tensor_value_info("features", onnx_type(self.outer), ["rows", len(net.inputs)])
        graph = helper.make_graph(self.nodes, "mlpress", [entry], self.outputs, self.constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 2), helper.make_opsetid("ai.onnx.ml", 3)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="mlpress")
        helper.set_model_props(model, {"feature_names": json.dumps([feature.name for feature in net.inputs])})
        return model


def _kind(single: bool) -> np.dtype[np.floating]:
    return np.dtype(np.float32 if single else np.float64)


def _holds_sums(net: Net) -> bool:
    """Return whether float32 holds every sum of ``net``, whatever the order of its terms, and every threshold."""
    bits = [feature.bits for feature in net.inputs]
    for layer in net.layers:
        for neuron in layer.neurons:
            reach = sum(((1 << bits[term.source]) - 1) << term.shift for term in neuron.terms)
            ends = neuron.activation.thresholds if isinstance(neuron.activation, Ladder) else ()
            if max((reach + abs(neuron.bias), *map(abs, ends))) > SINGLE:
                return False
        bits = [output_bits(neuron.activation) or 0 for neuron in layer.neurons]
    return not isinstance(net.head, Threshold) or abs(net.head.at) <= SINGLE


def _holds_scales(net: Net) -> bool:
    """Return whether float32 holds the scales and offsets of inputs and scores."""
    reals = [value for feature in net.inputs for value in (feature.scale, feature.offset)]
    reals += [] if net.scores is None else [*net.scores.scale, *net.scores.offset]
    return all(float(np.float32(value)) == value for value in reals)


def _top(feature: Input) -> int:
    if feature.levels is None:
        return (1 << feature.bits) - 1
    if feature.levels != tuple(range(1, len(feature.levels) + 1)):
        raise MlpressError(f"input {feature.name!r}: its converter lacks levels; only whole ranges can be written")
    return len(feature.levels)


def _thresholds(activation: QRelu | Ladder | Raw, where: str) -> list[float]:
    match activation:
        case Ladder(thresholds=thresholds):
            found = list(thresholds)
        case QRelu(shift=shift, bits=bits) if bits <= WIDEST:
            found = [count << shift for count in range(1, 1 << bits)]
        case QRelu(bits=bits):
            raise MlpressError(f"{where}: codes of {bits} bits; at most {WIDEST} can be written as thresholds")
        case Raw():
            return []
    if max(map(abs, found)) >= WHOLE:
        raise MlpressError(f"{where}: a threshold is beyond 2**53, which float64 does not hold")
    return [float(value) for value in found]
