"""A small writer of ONNX graphs made of standard operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, DTypeLike
from onnx import helper, numpy_helper

OPSET = 18  # the first with BitwiseAnd
IR_VERSION = 8  # the one that came with that opset


def onnx_type(dtype: DTypeLike) -> int:
    """Return ONNX's number for a NumPy type."""
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


class Graph:
    """Nodes in the order written; every method gives the name of the tensor that it adds."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def input(self, name: str, dtype: DTypeLike, columns: int) -> str:
        """Declare a graph input (rows, columns)."""
        self._inputs.append(helper.make_tensor_value_info(name, onnx_type(dtype), ["rows", columns]))
        return name

    def output(self, name: str, dtype: DTypeLike, columns: int | None = None) -> str:
        """Declare the tensor ``name`` a graph output (rows, columns), or (rows,) where ``columns`` is None."""
        shape = ["rows"] if columns is None else ["rows", columns]
        self._outputs.append(helper.make_tensor_value_info(name, onnx_type(dtype), shape))
        return name

    def constant(self, value: ArrayLike, dtype: DTypeLike) -> str:
        """Add an initialiser."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def node(self, op: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Add a node with one output, ``name`` or a fresh one."""
        output = name or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [output], **attributes))
        return output

    def model(self, name: str, notes: Mapping[str, str]) -> onnx.ModelProto:
        """Return the checked model, with ``notes`` as its metadata."""
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="mlpress")
        helper.set_model_props(model, dict(notes))
        onnx.checker.check_model(model)
        return model
