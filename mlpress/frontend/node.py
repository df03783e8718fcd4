"""One node of an ONNX graph with typed access to its attributes and inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import onnx
from onnx import AttributeProto

from mlpress.errors import MlpressError
from mlpress.frontend.symbolic import Aside, Coded, Const, Dims, Flow, Label, Named, Value, as_values
from mlpress.frontend.tensors import TensorReader, short


@dataclass(frozen=True, slots=True)
class Node:
    """A node, the values of its inputs (``None`` where one is left out), the model's opset, and how many outputs it
    has."""

    op: str
    label: str
    attributes: dict[str, Any]
    inputs: Sequence[Value | None]
    opset: int
    tensors: TensorReader
    readers: frozenset[str] = frozenset()
    outputs: int = 1

    def has(self, name: str) -> bool:
        """Return whether the attribute is given."""
        return name in self.attributes

    def _attribute(self, name: str, kind: int) -> Any:
        found = self.attributes.get(name)
        if found is not None and found.type != kind:
            raise MlpressError(f"its attribute {name!r} has the wrong type")
        return found

    def integer(self, name: str, default: int) -> int:
        """Return an integer attribute."""
        found = self._attribute(name, AttributeProto.INT)
        return default if found is None else int(found.i)

    def real(self, name: str, default: float) -> float:
        """Return a float attribute."""
        found = self._attribute(name, AttributeProto.FLOAT)
        return default if found is None else float(found.f)

    def integers(self, name: str) -> list[int] | None:
        """Return a list of integers, or ``None``."""
        found = self._attribute(name, AttributeProto.INTS)
        return None if found is None else [int(value) for value in found.ints]

    def reals(self, name: str) -> list[float] | None:
        """Return a list of floats, or ``None``."""
        found = self._attribute(name, AttributeProto.FLOATS)
        return None if found is None else [float(value) for value in found.floats]

    def text(self, name: str, default: str) -> str:
        """Return a text attribute."""
        found = self._attribute(name, AttributeProto.STRING)
        return default if found is None else _utf8(found.s)

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts, or ``None``."""
        found = self._attribute(name, AttributeProto.STRINGS)
        return None if found is None else [_utf8(value) for value in found.strings]

    def tensor(self, name: str) -> Const | None:
        """Return a tensor attribute, or ``None``."""
        found = self._attribute(name, AttributeProto.TENSOR)
        return None if found is None else Const(self.tensors.read(found.t), found.t.data_type)

    def input(self, index: int) -> Value:
        """Return the value of an input that must be there."""
        value = self.optional(index)
        if value is None:
            raise MlpressError(f"its input {index} is missing")
        return value

    def optional(self, index: int) -> Value | None:
        """Return the value of an input, or ``None`` where it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def flow(self, index: int) -> Flow:
        """Return an input that must come from the features."""
        match self.input(index):
            case Flow() as flow:
                return flow
            case Label() as label:
                return as_values(label)
            case other:
                raise MlpressError(f"its input {index} is {kind(other)}; real values are supported there")

    def const(self, index: int) -> Const:
        """Return an input that must be constant."""
        match self.input(index):
            case Const() as const:
                return const
            case Flow(layers=(), names=names) as flow if flow.bare:
                stray = short(names[0].partition("[")[0])
                raise MlpressError(
                    f"its input {index} is the graph's input {stray} where a constant belongs; the exporter left its "
                    "value out: export the model again with that value inside"
                )
            case other:
                raise MlpressError(f"its input {index} is {kind(other)}; a constant is supported there")

    def const_or_none(self, index: int) -> Const | None:
        """Return an input that must be constant where it is given."""
        return None if self.optional(index) is None else self.const(index)


def kind(value: Value) -> str:
    """Describe a value for error messages."""
    match value:
        case Const():
            return "a constant"
        case Dims():
            return "a shape"
        case Flow():
            return "computed from the features"
        case Coded():
            return "quantised"
        case Label():
            return "the class"
        case Named() | Aside():
            return "computed from the probabilities"


def operator(proto: Any) -> str:
    """Return the operator with its domain in front, unless that is ONNX's own."""
    domain = "" if proto.domain in {"", "ai.onnx"} else f"{proto.domain}."
    return f"{domain}{proto.op_type}"


QONNX = ("qonnx", "onnx.brevitas", "finn.custom_op.general")
"""Domains of QONNX operators: its own, and those of the tools that had them before."""

PLAIN = ("com.microsoft.QuantizeLinear", "com.microsoft.DequantizeLinear", "com.microsoft.Gelu")
"""onnxruntime's own names of operators that ONNX has too."""


def plain_operator(proto: Any) -> str:
    """Return the operator by the one name that the reader knows it by, whatever its exporter calls its domain."""
    name = operator(proto)
    if name in PLAIN:
        return str(proto.op_type)
    domain = str(proto.domain)
    if any(domain == known or domain.startswith(f"{known}.") for known in QONNX):
        return f"qonnx.{proto.op_type}"
    return name


def node_label(proto: Any) -> str:
    """Return what error messages call a node: its name, or its first output where it has none."""
    op = short(operator(proto)).strip("'\"")
    if proto.name:
        return f"node {short(proto.name)} ({op})"
    return f"node of output {short(next(iter(proto.output), ''))} ({op})"


def _utf8(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise MlpressError("one of its attributes holds text that is not UTF-8") from None


def attribute_map(proto: Any) -> dict[str, onnx.AttributeProto]:
    """Return the node's attributes by name."""
    return {attribute.name: attribute for attribute in proto.attribute}
