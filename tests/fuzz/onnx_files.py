"""ONNX files: graphs with other operators, shapes, attributes, edges and constants."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
from fuzz.kind import Kind
from fuzz.text import mutate_bytes
from google.protobuf.message import DecodeError
from onnx import numpy_helper, parser

from mlpress.frontend import load, load_field
from mlpress.frontend.field_reader import is_field

HEADER = '<ir_version: 8, opset_import: ["" : %d, "ai.onnx.ml" : 3]> g (float[N,3] x) => (float[N,%s] y)'
BODIES = (
    (13, "2", "h = Gemm(x, w, b) a = Relu(h) y = Gemm(a, v, c)"),
    (17, "2", "h = MatMul(x, w) i = Add(h, b) a = Tanh(i) k = Gemm(a, v, c) y = Softmax<axis=1>(k)"),
    (11, "1", "h = Gemm<transB=0>(x, w, b) a = Sigmoid(h) k = MatMul(a, o) y = Sigmoid(k)"),
    (17, "2", "m = Sub(x, s) n = Div(m, t) h = MatMul(n, w) a = Clip(h, lo, hi) y = Gemm<alpha=0.5>(a, v, c)"),
    (17, "2", "f = Flatten(x) h = Gemm(f, w, b) a = LeakyRelu<alpha=0.1>(h) k = Gemm(a, v, c) y = Identity(k)"),
    (13, "2", "q = QuantizeLinear(x, qs, qz) d = DequantizeLinear(q, qs, qz) wd = DequantizeLinear(wq, qs, z8) "
     "h = MatMul(d, wd) a = Relu(h) y = Gemm(a, v, c)"),
    (17, "2", "g = Shape(x) r = Reshape(x, shape) h = MatMul(r, w) e = Mul(h, b) a = HardSigmoid(e) y = MatMul(a, v)"),
)  # fmt: skip
OPERATORS = (
    *("Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "Neg", "Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid"),
    *("Tanh", "Softmax", "LogSoftmax", "ArgMax", "Greater", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose"),
    *("Concat", "Identity", "Cast", "Dropout", "QuantizeLinear", "DequantizeLinear", "BatchNormalization", "Shape"),
    *(
        "Gather",
        "Slice",
        "ReduceMax",
        "Max",
        "Min",
        "Pow",
        "Sqrt",
        "Reciprocal",
        "Abs",
        "Exp",
        "Constant",
        "If",
        "Conv",
    ),
)
ATTRIBUTES = (
    "precision",
    "resolutions",
    "scales",
    "bits",
    "entries",
    "degree",
    "axis",
    "alpha",
    "beta",
    "transA",
    "transB",
    "to",
    "epsilon",
    "perm",
    "axes",
    "keepdims",
    "block_size",
)
DIMS = (-1, 0, 1, 2, 3, 4, 5, 1 << 20, 1 << 31, 1 << 62, -(1 << 62))
TYPES = (0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 21, 22, 99)
REALS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e38, 3e38, float("nan"), float("inf"), 0.5)


@functools.cache
def seeds() -> Sequence[bytes]:
    from support.fields import one_grid

    from mlpress.codegen import onnx_field

    rng = np.random.default_rng(0)
    known: dict[str, Any] = {
        **{name: rng.normal(size=shape).astype(np.float32) for name, shape in
           (("w", (3, 4)), ("b", (4,)), ("v", (4, 2)), ("c", (2,)), ("o", (4, 1)), ("s", (3,)), ("t", (3,)))},
        **{"lo": np.float32(0), "hi": np.float32(6), "qs": np.float32(0.1), "qz": np.uint8(3), "z8": np.int8(0)},
        **{"wq": rng.integers(-9, 9, (3, 4)).astype(np.int8), "shape": np.array([-1, 3])},
    }  # fmt: skip
    found = []
    for opset, outputs, body in BODIES:
        proto = parser.parse_model(f"{HEADER % (opset, outputs)} {{ {body} }}")
        for name, value in known.items():
            if any(name in node.input for node in proto.graph.node):
                proto.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        found.append(proto.SerializeToString())
    small = onnx_field(one_grid("hash", 2, levels=1, entries=16)).SerializeToString()
    return (*found, small)


def mutate(rng: Random, data: bytes, other: bytes) -> bytes:
    if rng.random() < 0.15:
        return mutate_bytes(rng, data, other)
    proto, second = onnx.ModelProto.FromString(data), onnx.ModelProto.FromString(other)
    for _ in range(rng.choice((1, 1, 2, 3))):
        _change(rng, proto, second)
    return bytes(proto.SerializeToString())


def _change(rng: Random, proto: Any, second: Any) -> None:
    graph = proto.graph
    names = [name for node in graph.node for name in (*node.input, *node.output)] or ["x"]
    kind = rng.randrange(12)
    if kind < 7 and graph.node:
        _change_node(rng, graph, names, second, kind)
    elif kind < 10 and graph.initializer:
        _change_tensor(rng, graph.initializer[rng.randrange(len(graph.initializer))])
    elif kind == 10:
        entry = rng.choice([*graph.input, *graph.output] or [graph.input.add()])
        match rng.randrange(3):
            case 0:
                entry.name = rng.choice(names)
            case 1:
                entry.type.tensor_type.elem_type = rng.choice(TYPES)
            case _:
                entry.type.tensor_type.shape.dim.add().dim_value = rng.choice(DIMS)
    elif proto.opset_import:
        proto.opset_import[0].version = rng.choice((1, 7, 9, 12, 13, 18, 23, 28, 99))


def _change_node(rng: Random, graph: Any, names: list[str], second: Any, kind: int) -> None:
    node = graph.node[rng.randrange(len(graph.node))]
    match kind:
        case 0:
            node.op_type = rng.choice(OPERATORS)
        case 1 if node.input:
            node.input[rng.randrange(len(node.input))] = rng.choice([*names, "", "none"])
        case 2:
            node.input.append(rng.choice(names))
        case 3:
            attribute = node.attribute.add()
            attribute.name = rng.choice(ATTRIBUTES)
            match rng.randrange(4):
                case 0:
                    attribute.type, attribute.i = onnx.AttributeProto.INT, rng.choice(DIMS)
                case 1:
                    attribute.type, attribute.f = onnx.AttributeProto.FLOAT, rng.choice(REALS)
                case 2:
                    attribute.type = onnx.AttributeProto.INTS
                    attribute.ints.extend(rng.choices(DIMS, k=rng.randrange(4)))
                case _:
                    attribute.type, attribute.s = rng.randrange(15), bytes(rng.choices(range(256), k=3))
        case 4:
            graph.node.insert(rng.randrange(len(graph.node)), node)
        case 5:
            del graph.node[rng.randrange(len(graph.node))]
        case _:
            theirs = second.graph.node
            if theirs:
                graph.node.append(theirs[rng.randrange(len(theirs))])


def _change_tensor(rng: Random, tensor: Any) -> None:
    match rng.randrange(6):
        case 0 if tensor.dims:
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(DIMS)
        case 1:
            tensor.data_type = rng.choice(TYPES)
        case 2:
            tensor.dims.append(rng.choice(DIMS))
        case 3:
            tensor.raw_data = mutate_bytes(rng, tensor.raw_data, b"\xff\x7f\x00\x80")
        case 4:
            count = len(tensor.raw_data) // 4
            if count and tensor.data_type == onnx.TensorProto.FLOAT:
                values = np.frombuffer(tensor.raw_data, np.float32, count).copy()
                values[rng.randrange(count)] = rng.choice(REALS)
                tensor.raw_data = values.tobytes()
        case _:
            tensor.data_location = rng.randrange(2)
            entry = tensor.external_data.add()
            entry.key, entry.value = rng.choice(("location", "offset", "length")), rng.choice(("../x", "a", "-1", "9"))


def read(case: bytes, folder: Path) -> None:
    path = folder / "case.onnx"
    path.write_bytes(case)
    try:
        proto = onnx.ModelProto.FromString(case)
        field = is_field(proto)
    except DecodeError:
        field = False
    if field:
        load_field(path)
    else:
        load(path)


KIND = Kind("onnx", seeds, mutate, read, share=4)
