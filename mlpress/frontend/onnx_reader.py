"""ONNX files to :class:`mlpress.ir.Model`."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from mlpress.errors import MlpressError
from mlpress.frontend.budget import Budget
from mlpress.frontend.feature_inputs import feature_input, with_all_inputs
from mlpress.frontend.field_reader import is_field
from mlpress.frontend.metadata import named_inputs
from mlpress.frontend.node import Node, attribute_map, node_label, plain_operator
from mlpress.frontend.ops import apply
from mlpress.frontend.symbolic import Const, Value
from mlpress.frontend.tail import Task, finished
from mlpress.frontend.tensors import MAX_NODES, TensorReader, read_proto, short
from mlpress.ir import Model, verify


def load(path: str | PathLike[str], task: Task = "auto") -> Model:
    """Read the MLP in the ONNX file ``path``.

    Inputs are called as the graph's inputs are, or as the file's metadata calls the features of its one input.
    ``task`` says what plain outputs mean.  With ``"auto"`` labels, soft-max and sigmoid outputs are classes, one
    plain output is the logit of class 1, several are the scores of the classes, and a model of skl2onnx without
    a label is a regressor.  ``"regression"`` reads plain outputs as values.

    Raises :class:`MlpressError` in one line for anything that is not such a model, naming the node.
    """
    if task not in {"auto", "classification", "regression"}:
        raise MlpressError(f"task is {task!r}; it must be auto, classification or regression")
    file = Path(path)
    proto = read_proto(file)
    try:
        if is_field(proto):
            raise MlpressError(
                "it is a field, of the real level; name a target that takes fields, such as ngpc:8, or use load_field"
            )
        read = _read(proto, TensorReader(file.parent))
        model = with_all_inputs(finished(read.outputs, task, proto.producer_name), read.features)
        model = named_inputs(model, proto.metadata_props)
        verify(model)
    except MlpressError as error:
        raise MlpressError(f"{file}: {error}") from None
    return model


class _Graph(NamedTuple):
    """The values of a graph's outputs, and the names of all its features in their order."""

    outputs: list[Value]
    features: tuple[str, ...]


def _read(proto: Any, tensors: TensorReader) -> _Graph:
    graph = _inlined(proto).graph
    if len(graph.node) > MAX_NODES:
        raise MlpressError(f"{len(graph.node)} nodes; a model for mlpress has at most {MAX_NODES}")
    if graph.sparse_initializer:
        raise MlpressError("it has sparse initialisers; export the model with dense ones")
    opset = next(entry.version for entry in proto.opset_import if entry.domain in {"", "ai.onnx"})
    needed = _needed(graph)
    values: dict[str, Value] = {}
    for tensor in graph.initializer:
        if tensor.name in needed:
            values[tensor.name] = Const(tensors.read(tensor), tensor.data_type)
    features: list[str] = []
    for entry in graph.input:
        if entry.name in needed and entry.name not in values:
            flow = feature_input(entry, graph)
            values[entry.name] = flow
            features.extend(flow.names)
    nodes = [node for node in graph.node if any(name in needed for name in node.output if name)]
    last_read = {name: k for k, node in enumerate(nodes) for name in node.input}
    readers: dict[str, set[str]] = {output.name: {"the graph's output"} for output in graph.output}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name, set()).add(plain_operator(node))
    last_read |= {output.name: len(nodes) for output in graph.output}
    budget = Budget()
    for k, node in enumerate(nodes):
        read_by = frozenset().union(*(readers.get(name, ()) for name in node.output))
        _run(node, needed, values, opset, tensors, budget, read_by)
        for name in {*node.input, *node.output}:
            if last_read.get(name, k) <= k:
                values.pop(name, None)
    missing = [output.name for output in graph.output if output.name not in values]
    if missing:
        raise MlpressError(f"output {short(missing[0])} is computed by no node")
    return _Graph([values[output.name] for output in graph.output], tuple(features))


def _inlined(proto: Any) -> Any:
    """Return the model with its local functions written out, where it has any (older PyTorch exporters)."""
    if not proto.functions:
        return proto
    _check_expansion(proto)
    from onnx.checker import ValidationError
    from onnx.inliner import inline_local_functions

    try:
        return inline_local_functions(proto)
    except (RuntimeError, ValidationError):
        raise MlpressError("its local functions cannot be written out; export the model without them") from None


def _check_expansion(proto: Any) -> None:
    functions = {(function.domain, function.name): function for function in proto.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(key: tuple[str, str], above: tuple[tuple[str, str], ...]) -> int:
        if key not in functions:
            return 1
        if key in above or len(above) > 32:
            raise MlpressError(f"local function {short(key[1])} calls itself, or too deeply")
        if key not in sizes:
            sizes[key] = sum(size((node.domain, node.op_type), (*above, key)) for node in functions[key].node)
        return sizes[key]

    total = sum(size((node.domain, node.op_type), ()) for node in proto.graph.node)
    if total > MAX_NODES:
        raise MlpressError(f"{total} nodes with its functions written out; a model for mlpress has at most {MAX_NODES}")


def _needed(graph: Any) -> set[str]:
    """Return the names of the tensors that the outputs depend on."""
    maker = {name: node for node in graph.node for name in node.output if name}
    needed: set[str] = set()
    waiting = [output.name for output in graph.output]
    while waiting:
        name = waiting.pop()
        if name in needed or not name:
            continue
        needed.add(name)
        if name in maker:
            waiting.extend(maker[name].input)
    return needed


def _run(
    proto: Any,
    needed: set[str],
    values: dict[str, Value],
    opset: int,
    tensors: TensorReader,
    budget: Budget,
    readers: frozenset[str],
) -> None:
    label = node_label(proto)
    unknown = [name for name in proto.input if name and name not in values]
    if unknown:
        raise MlpressError(f"{label}: its input {short(unknown[0])} is not computed before it")
    inputs = [values[name] if name else None for name in proto.input]
    try:
        budget.read(inputs)
        operator, attributes, count = plain_operator(proto), attribute_map(proto), len(proto.output)
        results = apply(Node(operator, label, attributes, inputs, opset, tensors, readers, count))
        known = results if isinstance(results, tuple) else (results,)
        extra = [name for name in proto.output[len(known) :] if name in needed]
        if extra:
            raise MlpressError(f"its output {short(extra[0])} is used; only the first one is supported")
        for result in known:
            budget.keep(result, values.values())
        values.update({name: value for name, value in zip(proto.output, known, strict=False) if name})
    except MlpressError as error:
        raise MlpressError(f"{label}: {error}") from None
