"""The oracle graph of a program, and whether a graph from a file is that graph."""

from __future__ import annotations

from typing import Any

import onnx
from google.protobuf.message import DecodeError

from mlpress.codegen.oracle.circuit import onnx_circuit
from mlpress.codegen.oracle.program import onnx_net
from mlpress.ir import Circuit, Net


def oracle_graph(program: Net | Circuit) -> bytes:
    """Serialise the ONNX graph of ``program``: features in, codes and decision or scores out."""
    match program:
        case Net():
            graph = onnx_net(program)
        case Circuit():
            graph = onnx_circuit(program)
    return bytes(graph.SerializeToString())


def graph_difference(data: bytes, program: Net | Circuit) -> str:
    """Say in one line how the graph ``data`` differs from that of ``program`` in anything but its numbers, or "".

    A graph without such a difference is safe to run: it has the operators, names and shapes that mlpress writes, and
    reads no other file.  Whether its numbers are right is for a run to tell.
    """
    own = oracle_graph(program)
    if data == own:
        return ""
    try:
        found, wanted = onnx.ModelProto.FromString(data), onnx.ModelProto.FromString(own)
    except DecodeError:
        return "it is no ONNX file"
    for what, one, other in (
        ("operators", found.graph.node, wanted.graph.node),
        ("inputs", found.graph.input, wanted.graph.input),
        ("outputs", found.graph.output, wanted.graph.output),
        ("operator set", found.opset_import, wanted.opset_import),
    ):
        if list(one) != list(other):
            return f"its {what} are not those of the program's graph"
    if found.functions or found.training_info or found.graph.sparse_initializer:
        return "it has functions or tensors that the program's graph does not have"
    if [_shape(one) for one in found.graph.initializer] != [_shape(one) for one in wanted.graph.initializer]:
        return "its constants have other names, types or shapes than those of the program's graph"
    return ""


def _shape(tensor: Any) -> tuple[Any, ...]:
    return tensor.name, tuple(tensor.dims), tensor.data_type, tensor.data_location, len(tensor.external_data)
