"""Random networks of few bits as QONNX or QCDQ exporters write them, and the same functions in standard operators."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from mlpress.frontend import exact_net, load
from mlpress.ir import Net

DOMAIN = "qonnx.custom_op.general"
MODES = ("ROUND", "FLOOR", "CEIL", "HALF_UP", "HALF_DOWN", "UP", "DOWN")


class Graph:
    """Nodes and constants in the order written; a method returns the tensor that it adds."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, dtype: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def model(
        self, width: int, result: str, kind: int = TensorProto.FLOAT, more: Sequence[str] = ()
    ) -> onnx.ModelProto:
        entry = helper.make_tensor_value_info("x", kind, ["N", width])
        outputs = [helper.make_tensor_value_info(name, kind, None) for name in (result, *more)]
        graph = helper.make_graph(self.nodes, "g", [entry], outputs, self.constants)
        opsets = [helper.make_opsetid("", 20), helper.make_opsetid(DOMAIN, 2)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def random_network(seed: int, *, any_rounding: bool = False) -> onnx.ModelProto:
    """A classifier of 1 to 3 layers, of 1 to 8 bits, any scales, per tensor or per channel; even seeds are QONNX.

    ``any_rounding`` lets features be rounded in ways that an input code has not.
    """
    rng = np.random.default_rng([17, seed])
    made, widths = Graph(), rng.integers(2, 6, rng.integers(2, 5)).tolist()
    quant = _quant if seed % 2 == 0 else _qcdq
    bits = int(rng.integers(1, 9))
    x = quant(made, rng, "x", bits, 3.0, widths[0], plain=not any_rounding)
    for k, (width, count) in enumerate(pairwise(widths)):
        scale = np.exp(rng.normal(size=(count, 1) if rng.random() < 0.5 else ())) * 0.3
        weight = made.constant(rng.normal(size=(count, width)), np.float32)
        w = _weight(made, rng, weight, int(rng.integers(1, 9)), scale, qonnx=seed % 2 == 0)
        bias = rng.normal(size=count) * (0.1 if k == len(widths) - 2 else 0.5)  # no class should win everywhere
        x = made.node("Gemm", x, w, made.constant(bias, np.float32), transB=1)
        if k < len(widths) - 2:
            x = _between(made, rng, x, count)
            x = quant(made, rng, x, int(rng.integers(1, 9)), 2.0, count, plain=False)
    return made.model(widths[0], x)


def _between(made: Graph, rng: np.random.Generator, x: str, count: int) -> str:
    kind = rng.integers(4)
    if kind == 0:
        parts = [rng.normal(size=count), rng.normal(size=count), rng.normal(size=count), rng.uniform(0.5, 2, count)]
        return made.node("BatchNormalization", x, *(made.constant(part, np.float32) for part in parts))
    return x if kind == 1 else made.node("Relu", x)


def _range(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    return (-(1 << bits - 1) + narrow, (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1 - narrow)


def _quant(made: Graph, rng: np.random.Generator, x: str, bits: int, reach: float, width: int, plain: bool) -> str:
    if bits == 1 and rng.random() < 0.7:
        return made.node("BipolarQuant", x, made.constant(rng.uniform(0.1, 2), np.float32), domain=DOMAIN)
    signed, narrow = bool(rng.random() < 0.5), bool(bits > 1 and rng.random() < 0.5)
    zero = int(rng.integers(-2, 3)) if rng.random() < 0.3 and bits > 1 else 0
    mode = MODES[rng.integers(2 if plain else len(MODES))]
    each = rng.random() < 0.3
    scale = reach / (1 << bits) * np.exp(rng.normal(size=(1, width) if each else ()) * 0.5)
    parts = (made.constant(scale, np.float32), made.constant(zero, np.float32), made.constant(bits, np.float32))
    op = "Quant" if rng.random() < 0.5 else "IntQuant"
    return made.node(op, x, *parts, domain=DOMAIN, signed=int(signed), narrow=int(narrow), rounding_mode=mode)


def _qcdq(made: Graph, rng: np.random.Generator, x: str, bits: int, reach: float, width: int, plain: bool) -> str:
    signed = bool(rng.random() < 0.5) and bits > 1
    kind = np.int8 if signed else np.uint8
    low, high = _range(bits, signed, narrow=bool(bits > 1 and rng.random() < 0.5))
    each = rng.random() < 0.3
    scale = made.constant(reach / (1 << bits) * np.exp(rng.normal(size=width if each else ()) * 0.5), np.float32)
    zero = made.constant(rng.integers(low, high + 1, width if each else ()), kind)
    q = made.node("QuantizeLinear", x, scale, zero)
    if (low, high) != (-128, 127) and (low, high) != (0, 255):
        q = made.node("Clip", q, made.constant(low, kind), made.constant(high, kind))
    return made.node("DequantizeLinear", q, scale, zero)


def _weight(made: Graph, rng: np.random.Generator, w: str, bits: int, scale: Any, qonnx: bool) -> str:
    if qonnx and bits == 1:
        return made.node("BipolarQuant", w, made.constant(scale, np.float32), domain=DOMAIN)
    if qonnx:
        parts = (made.constant(scale, np.float32), made.constant(0.0, np.float32), made.constant(bits, np.float32))
        return made.node("Quant", w, *parts, domain=DOMAIN, signed=1, narrow=1, rounding_mode="ROUND")
    signed = bits > 1 and bool(rng.random() < 0.7)
    kind = np.int8 if signed else np.uint8
    low, high = _range(bits, signed, narrow=signed)
    each = np.size(scale) if np.ndim(scale) else ()
    size = made.constant(np.reshape(scale, each), np.float32)
    zero = made.constant(np.zeros(each) if signed else rng.integers(low, high + 1, each), kind)
    q = made.node("QuantizeLinear", w, size, zero, axis=0)
    q = made.node("Clip", q, made.constant(low, kind), made.constant(high, kind))
    return made.node("DequantizeLinear", q, size, zero, axis=0)


def standard(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The same function in float64, with every quantiser written in standard operators.

    Outputs: the network's, then the codes of every quantiser of values that depend on the features, in their order,
    less the lowest code that it may give; the two of a sign are 0 and 2.  Then, of a QCDQ file, the same values in
    steps of their scale, not yet rounded.
    """
    made = _Standard(proto)
    for node in proto.graph.node:
        made.add(node)
    width = width_of(proto)
    return made.graph.model(width, made.names[proto.graph.output[0].name], TensorProto.DOUBLE, made.codes + made.steps)


def width_of(proto: onnx.ModelProto) -> int:
    """The number of features."""
    return int(proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value)


class _Standard:
    def __init__(self, proto: onnx.ModelProto) -> None:
        self.graph = Graph()
        self.names = {"x": "x"}
        self.held = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
        self.fixed = set(self.held)
        self.codes: list[str] = []
        self.steps: list[str] = []
        self.lowest = 0
        for name, array in self.held.items():
            self.names[name] = self.graph.constant(array, np.float64)

    def op(self, op: str, *inputs: Any, **attributes: Any) -> str:
        named = [one if isinstance(one, str) else self.graph.constant(one, np.float64) for one in inputs]
        return self.graph.node(op, *named, **attributes)

    def add(self, node: Any) -> None:
        attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        x, *more = [self.names[name] for name in node.input]
        if node.input[0] in self.fixed:
            self.fixed.update(node.output)
        coded = ""
        match node.op_type:
            case "Quant" | "IntQuant":
                coded = self.quant(x, more, int(self.held[node.input[3]]), attributes)
                result = self.op("Mul", self.op("Sub", coded, more[1]), more[0])
            case "BipolarQuant":
                coded = self.sign(x)
                result = self.op("Mul", coded, more[0])
            case "QuantizeLinear":
                scale, zero = self.along(node, attributes)
                kind = np.iinfo(self.held[node.input[2]].dtype)
                self.lowest = kind.min
                steps = self.op("Div", x, scale)
                self.steps += [steps] * (node.output[0] not in self.fixed)
                q = self.op("Add", self.op("Round", steps), zero)
                result = self.op("Clip", q, float(kind.min), float(kind.max))
            case "Clip":
                self.lowest = int(self.held[node.input[1]])
                result = self.op("Clip", x, *more)
            case "DequantizeLinear":
                coded = x
                scale, zero = self.along(node, attributes)
                result = self.op("Mul", self.op("Sub", x, zero), scale)
            case op:
                result = self.op(op, x, *more, **attributes)
        self.names[node.output[0]] = result
        if coded and node.output[0] not in self.fixed:
            self.codes.append(self.op("Sub", coded, float(self.lowest)))

    def along(self, node: Any, attributes: dict[str, Any]) -> tuple[str, str]:
        parts = [self.held[name].astype(np.float64) for name in node.input[1:3]]
        if attributes.get("axis", 1) == 0:
            parts = [part.reshape(-1, 1) if part.ndim else part for part in parts]
        return self.graph.constant(parts[0], np.float64), self.graph.constant(parts[1], np.float64)

    def sign(self, x: str) -> str:
        self.lowest = -1
        reached = self.op("Cast", self.op("GreaterOrEqual", x, 0.0), to=TensorProto.DOUBLE)
        return self.op("Sub", self.op("Mul", reached, 2.0), 1.0)

    def quant(self, x: str, more: list[str], bits: int, attributes: dict[str, Any]) -> str:
        value = self.op("Add", self.op("Div", x, more[0]), more[1])
        signed, narrow = bool(attributes["signed"]), bool(attributes["narrow"])
        if bits == 1 and signed:
            return self.sign(value)
        self.lowest, high = _range(bits, signed, narrow)
        clipped = self.op("Clip", value, float(self.lowest), float(high))
        return self.rounded(clipped, attributes["rounding_mode"].decode())

    def rounded(self, x: str, mode: str) -> str:
        if mode in ("ROUND", "FLOOR", "CEIL"):
            return self.op(mode.capitalize(), x)
        op, shift = {
            "HALF_UP": ("Floor", 0.5),
            "HALF_DOWN": ("Ceil", -0.5),
            "UP": ("Ceil", 0.0),
            "DOWN": ("Floor", 0.0),
        }[mode]
        return self.op("Mul", self.op("Sign", x), self.op(op, self.op("Add", self.op("Abs", x), shift)))


def run(proto: onnx.ModelProto, name: str, x: np.ndarray) -> list[Any]:
    """The outputs of a graph on the rows ``x`` of its input ``name``."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(proto.SerializeToString(), options).run(None, {name: x})


def read(proto: onnx.ModelProto) -> Net:
    """The integer network that is read from ``proto``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        path.write_bytes(proto.SerializeToString())
        return exact_net(load(path))
