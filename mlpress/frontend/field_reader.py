"""ONNX files to :class:`mlpress.ir.Field`: graphs of the functions of domain ``ngpc``."""

from __future__ import annotations

import json
from collections import Counter
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from mlpress.codegen import FIELD_DOMAIN, encoding_function, layer_function
from mlpress.errors import MlpressError
from mlpress.frontend.node import node_label
from mlpress.frontend.tensors import read_proto, short, type_name
from mlpress.ir import (
    Encode,
    Encoding,
    Field,
    FieldNode,
    Frequency,
    Grid,
    GridLevel,
    Network,
    Product,
    Span,
    Spherical,
    verify,
)

LARGEST_FIELD = 1 << 29
"""Bytes of a field's file: instant-ngp's largest published tables take 134 MB."""

_TABLES = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16, TensorProto.INT8: np.int8}
_MOST_GRAPH_NODES = 1024

MOST_SPANS = 4096
"""Parts of values that one node may join: a chain of joints doubles them."""


class _Layers(NamedTuple):
    """A network whose layers are still being read."""

    source: tuple[Span, ...]
    layers: list[Product]


def is_field(proto: Any) -> bool:
    """Return whether an ONNX model is a field: it has functions of domain ``ngpc``."""
    return any(function.domain == FIELD_DOMAIN for function in proto.functions)


def load_field(path: str | PathLike[str]) -> Field:
    """Return the field in the ONNX file ``path``.

    Its graph calls functions of domain ``ngpc`` (``GridEncode``, ``SphericalHarmonics``, ``FrequencyEncode``,
    ``Dense``), whose bodies must be those that mlpress writes: what onnxruntime computes is then what is compiled.
    Raises :class:`MlpressError` in one line for anything else, naming the node.
    """
    file = Path(path)
    proto = read_proto(file, LARGEST_FIELD)
    try:
        if not is_field(proto):
            raise MlpressError(f"it calls no function of domain {FIELD_DOMAIN}; a field is written by mlpress.frontend")
        _check_text(proto)
        field = _Reader(proto).field()
        verify(field)
    except MlpressError as error:
        raise MlpressError(f"{file}: {error}") from None
    return field


def _check_text(proto: Any) -> None:
    """Raise where a name is not UTF-8: it comes out of a message as bytes."""
    graph = proto.graph
    names = [tensor.name for tensor in graph.initializer] + [entry.name for entry in (*graph.input, *graph.output)]
    for node in graph.node:
        names += [node.op_type, node.domain, node.name, *node.input, *node.output]
        names += [attribute.name for attribute in node.attribute]
    names += [text for function in proto.functions for text in (function.name, function.domain)]
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise MlpressError(f"{short(wrong[0])} is no UTF-8 text; write the file again")


class _Reader:
    def __init__(self, proto: Any) -> None:
        self.proto, graph = proto, proto.graph
        self.functions = {one.name: one for one in proto.functions if one.domain == FIELD_DOMAIN}
        self.tensors = {tensor.name: tensor for tensor in graph.initializer}
        self.uses = Counter(name for node in graph.node for name in node.input)
        self.uses.update(output.name for output in graph.output)
        self.precisions: set[str] = set()
        self.nodes: list[Encode | _Layers] = []
        self.spans: dict[str, tuple[Span, ...]] = {}
        self.dense: dict[str, _Layers] = {}
        """Networks by the tensor that their last layer gives, where nothing but a further layer reads it."""

    def field(self) -> Field:
        graph = self.proto.graph
        if len(graph.input) != 1 or len(graph.output) != 1 or len(graph.node) > _MOST_GRAPH_NODES:
            raise MlpressError(f"a field has one input, one output and at most {_MOST_GRAPH_NODES} nodes")
        name, width = graph.input[0].name, _columns(graph.input[0])
        self.spans[name] = (Span(0, 0, width),)
        for node in graph.node:
            try:
                self.node(node)
            except MlpressError as error:
                raise MlpressError(f"{node_label(node)}: {error}") from None
        results = self.source(graph.output[0].name)
        nodes: tuple[FieldNode, ...] = tuple(
            node if isinstance(node, Encode) else Network(node.source, tuple(node.layers)) for node in self.nodes
        )
        if len(self.precisions) > 1:
            raise MlpressError("its functions have different precisions; a field has one")
        held = {entry.key: entry.value for entry in self.proto.metadata_props}
        inputs = _names(held.get("inputs"), width, "x")
        outputs = _names(held.get("outputs"), sum(span.width for span in results), "y")
        return Field(inputs, nodes, outputs, results, cast(Any, next(iter(self.precisions), "float32")))

    def source(self, name: str) -> tuple[Span, ...]:
        if name not in self.spans:
            raise MlpressError(f"{short(name)} is not computed before it")
        return self.spans[name]

    def node(self, node: Any) -> None:
        if len(node.output) != 1 or not node.input:
            raise MlpressError("it must have inputs and one output")
        if node.domain == FIELD_DOMAIN:
            self.call(node, node.op_type.partition("_")[0])
            return
        if node.domain not in {"", "ai.onnx"}:
            raise MlpressError(f"domain {short(node.domain)} is not known")
        match node.op_type:
            case "Identity":
                found = self.source(node.input[0])
            case "Concat":
                if _attributes(node) != {"axis": 1}:
                    raise MlpressError("values are joined along axis 1")
                found = tuple(span for name in node.input for span in self.source(name))
                if len(found) > MOST_SPANS:
                    raise MlpressError(f"it joins {len(found)} parts; at most {MOST_SPANS} are joined")
            case "Slice":
                found = self.slice(node)
            case other:
                raise MlpressError(f"operator {short(other)}; between functions a field has Identity, Concat and Slice")
        self.spans[node.output[0]] = found

    def slice(self, node: Any) -> tuple[Span, ...]:
        """Return the columns that a Slice along axis 1 leaves."""
        numbers = [self.tensor(name, {TensorProto.INT64: np.int64}).reshape(-1).tolist() for name in node.input[1:]]
        if len(numbers) != 3 or any(len(one) != 1 for one in numbers) or numbers[2] != [1]:
            raise MlpressError("columns are cut along axis 1, in steps of 1")
        (start,), (stop,) = numbers[0], numbers[1]
        spans = self.source(node.input[0])
        if not 0 <= start < stop <= sum(span.width for span in spans):
            raise MlpressError(f"there are no columns {start} to {stop}")
        found, at = [], 0
        for span in spans:
            low, high = max(start - at, 0), min(stop - at, span.width)
            if low < high:
                found.append(Span(span.value, span.start + low, span.start + high))
            at += span.width
        return tuple(found)

    def tensor(self, name: str, kinds: dict[int, Any]) -> NDArray[Any]:
        tensor = self.tensors.get(name)
        if tensor is None:
            raise MlpressError(f"{short(name)} must be an initialiser")
        if tensor.data_type not in kinds or tensor.data_location == TensorProto.EXTERNAL:
            raise MlpressError(f"{short(name)} is {type_name(tensor.data_type)}, or is in another file")
        try:
            return np.array(numpy_helper.to_array(tensor), kinds[tensor.data_type])
        except (ValueError, TypeError):
            raise MlpressError(f"{short(name)}: its values do not fit its shape") from None

    def call(self, node: Any, family: str) -> None:
        attributes = _attributes(node)
        source = self.source(node.input[0])
        precision = attributes.get("precision")
        if precision not in ("float32", "float16"):  # a list has no hash
            raise MlpressError(f"precision is {precision!r}; it must be float32 or float16")
        self.precisions.add(precision)
        if family == "Dense":
            layer = self.layer(node, attributes)
            self.hold(node, layer_function(layer, cast(Any, precision), node.op_type))
            self.append(node, source, layer)
            return
        encoding = self.encoding(node, family, attributes)
        self.hold(node, encoding_function(encoding, cast(Any, precision), node.op_type))
        self.add(node.output[0], Encode(source, encoding), encoding.width)

    def hold(self, node: Any, wanted: Any) -> None:
        """Raise where the function of the file is not the one that mlpress writes for these attributes."""
        if self.functions.get(node.op_type) != wanted:
            raise MlpressError(f"function {short(node.op_type)} is not the one that mlpress writes for its attributes")

    def add(self, name: str, node: Encode | _Layers, width: int) -> None:
        self.nodes.append(node)
        self.spans[name] = (Span(len(self.nodes), 0, width),)

    def append(self, node: Any, source: tuple[Span, ...], layer: Product) -> None:
        """Add a layer to the network that feeds it alone, or begin one."""
        name, output = node.input[0], node.output[0]
        width = int(layer.weight.shape[0])
        network = self.dense.pop(name, None) if self.uses[name] == 1 else None
        if network is None:
            network = _Layers(source, [])
            self.add(output, network, width)
        else:
            self.spans[output] = (Span(source[0].value, 0, width),)
        network.layers.append(layer)
        self.dense[output] = network

    def layer(self, node: Any, attributes: dict[str, Any]) -> Product:
        if len(node.input) != 2:
            raise MlpressError("a layer takes values and weights")
        kinds = {TensorProto.FLOAT16 if attributes["precision"] == "float16" else TensorProto.FLOAT: np.float32}
        weight = self.tensor(node.input[1], kinds)
        if weight.ndim != 2 or weight.size == 0 or attributes.get("width") != weight.shape[0]:
            raise MlpressError(f"its weights have shape {weight.shape}; attribute width must be the first number")
        if weight.shape[0] > 1 << 14:
            raise MlpressError(f"a layer has at most {1 << 14} inputs")
        return Product(np.ascontiguousarray(weight.T), attributes.get("relu") == 1)

    def encoding(self, node: Any, family: str, attributes: dict[str, Any]) -> Encoding:
        numbers = {name: value for name, value in attributes.items() if isinstance(value, int)}
        for name, value in numbers.items():
            if not 0 <= value <= 1 << 24:
                raise MlpressError(f"attribute {name} is {value}")
        match family:
            case "SphericalHarmonics" if 1 <= numbers.get("degree", 0) <= 4:
                return Spherical(numbers["degree"])
            case "FrequencyEncode" if 1 <= numbers.get("octaves", 0) <= 16 and 1 <= numbers.get("dimensions", 0) <= 64:
                return Frequency(numbers["dimensions"], numbers["octaves"])
            case "GridEncode" if 1 <= numbers.get("dimensions", 0) <= 4:
                return Grid(numbers["dimensions"], self.levels(node, attributes))
        raise MlpressError(f"{short(node.op_type)} with these attributes is no function of a field")

    def levels(self, node: Any, attributes: dict[str, Any]) -> tuple[GridLevel, ...]:
        count = len(node.input) - 1
        lists = {name: attributes.get(name) for name in ("scales", "resolutions", "hashed", "bits", "steps", "entries")}
        wrong = [name for name, found in lists.items() if not isinstance(found, list) or len(found) != count]
        if wrong or not 1 <= count <= 64:
            raise MlpressError(f"attribute {(wrong or ['entries'])[0]} must have one value for each of 1 to 64 tables")
        whole = [value for name in ("resolutions", "hashed", "bits", "entries") for value in lists[name] or ()]
        if not all(isinstance(value, int) for value in whole):
            raise MlpressError("resolutions, hashed, bits and entries are lists of integers")
        if not all(1 <= value <= 1 << 20 for value in lists["resolutions"] or ()):
            raise MlpressError(f"a resolution is not within 1..{1 << 20}")
        rows: list[Any] = list(zip(*lists.values(), strict=True))
        return tuple(
            GridLevel(float(scale), int(resolution), bool(hashed), int(bits), float(step), self.table(name, entries))
            for name, (scale, resolution, hashed, bits, step, entries) in zip(node.input[1:], rows, strict=True)
        )

    def table(self, name: str, entries: int) -> NDArray[Any]:
        tensor = self.tensors.get(name)
        kind = _TABLES.get(tensor.data_type) if tensor is not None else None
        if tensor is None or kind is None:
            raise MlpressError(f"table {short(name)} must be an initialiser of float32, float16 or int8")
        table = self.tensor(name, {tensor.data_type: kind})
        if table.ndim != 2 or table.shape[0] != entries or not 1 <= table.shape[1] <= 16:
            raise MlpressError(f"table {short(name)} has shape {table.shape}; it must be ({entries}, features)")
        return table


def _columns(entry: Any) -> int:
    tensor = entry.type.tensor_type
    dims = tensor.shape.dim
    if tensor.elem_type != TensorProto.FLOAT or len(dims) != 2 or not 1 <= dims[1].dim_value <= 1 << 14:
        raise MlpressError(f"input {short(entry.name)} must be float32 (rows, inputs)")
    return int(dims[1].dim_value)


def _attributes(node: Any) -> dict[str, Any]:
    found = {}
    kinds = onnx.AttributeProto
    for attribute in node.attribute:
        if attribute.type not in (kinds.INT, kinds.FLOAT, kinds.STRING, kinds.INTS, kinds.FLOATS):
            raise MlpressError(f"attribute {short(attribute.name)} is no number, list of numbers or text")
        value = onnx.helper.get_attribute_value(attribute)
        found[attribute.name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if isinstance(value, (tuple, list)) or (hasattr(value, "__len__") and not isinstance(value, (bytes, str))):
            found[attribute.name] = list(value)
    return found


def _names(text: Any, count: int, letter: str) -> tuple[str, ...]:
    """Return the names that a file's metadata has, or counted ones."""
    generated = tuple(f"{letter}[{index}]" for index in range(count))
    if not isinstance(text, str) or len(text) > 1 << 20:
        return generated
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return generated
    names = found if isinstance(found, list) and all(isinstance(name, str) for name in found) else []
    return tuple(names) if len(set(names)) == len(names) == count else generated
