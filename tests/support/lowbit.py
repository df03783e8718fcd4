"""Random networks of few bits as QONNX or QCDQ exporters write them, and the same functions in standard operators.

``python -m support.lowbit 1000`` (in ``tests``) compares that many networks with the integer networks read from them.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from mlpress.codegen.oracle.program import onnx_net
from mlpress.frontend import exact_net, load
from mlpress.ir import Net, encode, interpret

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

    def model(self, width: int, result: str, kind: int = TensorProto.FLOAT) -> onnx.ModelProto:
        entry = helper.make_tensor_value_info("x", kind, ["N", width])
        output = helper.make_tensor_value_info(result, kind, None)
        graph = helper.make_graph(self.nodes, "g", [entry], [output], self.constants)
        opsets = [helper.make_opsetid("", 20), helper.make_opsetid(DOMAIN, 2)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def random_network(seed: int) -> onnx.ModelProto:
    """A classifier of 1 to 3 layers, of 1 to 8 bits, any scales, per tensor or per channel; even seeds are QONNX."""
    rng = np.random.default_rng([17, seed])
    made, widths = Graph(), rng.integers(2, 6, rng.integers(2, 5)).tolist()
    quant = _quant if seed % 2 == 0 else _qcdq
    bits = int(rng.integers(1, 9))
    x = quant(made, rng, "x", bits, 3.0, widths[0], plain=True)
    for k, (width, count) in enumerate(pairwise(widths)):
        scale = np.exp(rng.normal(size=(count, 1) if rng.random() < 0.5 else ())) * 0.3
        weight = made.constant(rng.normal(size=(count, width)), np.float32)
        w = _weight(made, rng, weight, int(rng.integers(1, 9)), scale, qonnx=seed % 2 == 0)
        x = made.node("Gemm", x, w, made.constant(rng.normal(size=count), np.float32), transB=1)
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
    each = not plain and rng.random() < 0.3
    scale = reach / (1 << bits) * np.exp(rng.normal(size=(1, width) if each else ()) * 0.5)
    parts = (made.constant(scale, np.float32), made.constant(zero, np.float32), made.constant(bits, np.float32))
    op = "Quant" if rng.random() < 0.5 else "IntQuant"
    return made.node(op, x, *parts, domain=DOMAIN, signed=int(signed), narrow=int(narrow), rounding_mode=mode)


def _qcdq(made: Graph, rng: np.random.Generator, x: str, bits: int, reach: float, width: int, plain: bool) -> str:
    signed = bool(rng.random() < 0.5) and bits > 1
    kind = np.int8 if signed else np.uint8
    low, high = _range(bits, signed, narrow=bool(bits > 1 and rng.random() < 0.5))
    each = not plain and rng.random() < 0.3
    scale = made.constant(reach / (1 << bits) * np.exp(rng.normal(size=width if each else ()) * 0.5), np.float32)
    zero = made.constant(np.full(width if each else (), rng.integers(low, high + 1)), kind)
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
    low, high = _range(max(bits, 2), signed=True, narrow=True)
    size = made.constant(np.reshape(scale, -1) if np.ndim(scale) else scale, np.float32)
    zero = made.constant(np.zeros(np.size(scale)) if np.ndim(scale) else 0, np.int8)
    q = made.node("QuantizeLinear", w, size, zero, axis=0)
    q = made.node("Clip", q, made.constant(low, np.int8), made.constant(high, np.int8))
    return made.node("DequantizeLinear", q, size, zero, axis=0)


def standard(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The same function in float64, with every quantiser written in standard operators."""
    made = _Standard(proto)
    for node in proto.graph.node:
        made.add(node)
    width = proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    return made.graph.model(width, made.names[proto.graph.output[0].name], TensorProto.DOUBLE)


class _Standard:
    def __init__(self, proto: onnx.ModelProto) -> None:
        self.graph = Graph()
        self.names = {"x": "x"}
        self.held = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
        for name, array in self.held.items():
            self.names[name] = self.graph.constant(array, np.float64)

    def op(self, op: str, *inputs: Any, **attributes: Any) -> str:
        named = [one if isinstance(one, str) else self.graph.constant(one, np.float64) for one in inputs]
        return self.graph.node(op, *named, **attributes)

    def add(self, node: Any) -> None:
        attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        x, *more = [self.names[name] for name in node.input]
        match node.op_type:
            case "Quant" | "IntQuant":
                result = self.quant(x, more, int(self.held[node.input[3]]), attributes)
            case "BipolarQuant":
                result = self.op("Mul", self.sign(x), more[0])
            case "QuantizeLinear":
                scale, zero = self.along(node, attributes)
                kind = self.held[node.input[2]].dtype
                q = self.op("Add", self.op("Round", self.op("Div", x, scale)), zero)
                result = self.op("Clip", q, float(np.iinfo(kind).min), float(np.iinfo(kind).max))
            case "DequantizeLinear":
                scale, zero = self.along(node, attributes)
                result = self.op("Mul", self.op("Sub", x, zero), scale)
            case op:
                result = self.op(op, x, *more, **attributes)
        self.names[node.output[0]] = result

    def along(self, node: Any, attributes: dict[str, Any]) -> tuple[str, str]:
        parts = [self.held[name].astype(np.float64) for name in node.input[1:3]]
        if attributes.get("axis", 1) == 0:
            parts = [part.reshape(-1, 1) if part.ndim else part for part in parts]
        return self.graph.constant(parts[0], np.float64), self.graph.constant(parts[1], np.float64)

    def sign(self, x: str) -> str:
        reached = self.op("Cast", self.op("GreaterOrEqual", x, 0.0), to=TensorProto.DOUBLE)
        return self.op("Sub", self.op("Mul", reached, 2.0), 1.0)

    def quant(self, x: str, more: list[str], bits: int, attributes: dict[str, Any]) -> str:
        scale, zero = more[:2]
        value = self.op("Add", self.op("Div", x, scale), zero)
        signed, narrow = bool(attributes["signed"]), bool(attributes["narrow"])
        if bits == 1 and signed:
            q = self.sign(value)
        else:
            low, high = _range(bits, signed, narrow)
            q = self.rounded(self.op("Clip", value, float(low), float(high)), attributes["rounding_mode"].decode())
        return self.op("Mul", self.op("Sub", q, zero), scale)

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


def differences(seed: int, count: int = 100) -> int:
    """Rows on which the network of ``seed`` and its integers, in two engines, do not decide alike."""
    proto = random_network(seed)
    width = proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    x = np.random.default_rng([3, seed]).normal(size=(count, width)).astype(np.float32).astype(np.float64)
    scores = run(standard(proto), "x", x)[0]
    expected = scores.argmax(axis=1)
    net = read(proto)
    codes = encode(net, x)
    ours = interpret(net, codes).decision
    oracle = run(onnx_net(net, "codes"), "codes", codes)[-1]
    return int(((ours != expected) | (oracle != expected)).sum())


if __name__ == "__main__":
    total = int(sys.argv[1])
    wrong = {seed: bad for seed in range(total) if (bad := differences(seed))}
    print(f"{total} networks, {len(wrong)} with rows that differ: {wrong}")
    sys.exit(bool(wrong))
