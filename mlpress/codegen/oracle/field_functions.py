"""Model-local functions of fields, domain ``ngpc``, in standard operators of opset 21.

onnxruntime runs them as they stand, in the order of roundings that ``docs/ir.md`` fixes; the reader of ``frontend``
matches the call and holds the body against the one written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from onnx import TensorProto, helper, numpy_helper

from mlpress.ir import (
    PRIMES,
    WAVE,
    Encoding,
    Frequency,
    Grid,
    GridLevel,
    Precision,
    Product,
    Spherical,
    harmonics,
)

FIELD_DOMAIN, OPSET, IR_VERSION = "ngpc", 21, 10


class Body:
    """Nodes of a function in the order written; every method gives the name of the tensor that it adds."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self._constants: dict[tuple[Any, ...], str] = {}

    def node(self, op: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node with one output, ``output`` or a fresh one."""
        name = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def constant(self, value: Any, dtype: DTypeLike = np.float32) -> str:
        """Return a constant, written once."""
        array = np.asarray(value, dtype)
        key = array.dtype.name, array.shape, array.tobytes()
        if key not in self._constants:
            tensor = numpy_helper.from_array(array, "value")
            self._constants[key] = self.node("Constant", output=f"c{len(self._constants)}", value=tensor)
        return self._constants[key]

    def columns(self, source: str, count: int, axis: int = 1) -> list[str]:
        """Split ``source`` into ``count`` columns (rows, 1), or rows where ``axis`` is 0."""
        if count == 1:
            return [source]
        names = [f"{source}_{k}" for k in range(count)]
        self.nodes.append(helper.make_node("Split", [source], names, axis=axis, num_outputs=count))
        return names

    def rounded(self, source: str, precision: Precision, output: str) -> str:
        """Write ``source`` to ``output``, through half precision where ``precision`` asks for it."""
        if precision == "float32":
            return self.node("Identity", source, output=output)
        half = self.node("Cast", source, to=TensorProto.FLOAT16)
        return self.node("Cast", half, output=output, to=TensorProto.FLOAT)

    def function(self, name: str, inputs: Sequence[str], attributes: Sequence[str]) -> Any:
        """Return the function ``name`` with these nodes and the output ``y``."""
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_function(FIELD_DOMAIN, name, list(inputs), ["y"], self.nodes, opsets, list(attributes))


class _Expression:
    """A float32 tensor of a :class:`Body` with the operators of :func:`mlpress.ir.harmonics`."""

    def __init__(self, body: Body, name: str) -> None:
        self.body, self.name = body, name

    def _with(self, op: str, other: Any) -> _Expression:
        operand = other.name if isinstance(other, _Expression) else self.body.constant(other)
        return _Expression(self.body, self.body.node(op, self.name, operand))

    def __mul__(self, other: Any) -> _Expression:
        return self._with("Mul", other)

    def __add__(self, other: Any) -> _Expression:
        return self._with("Add", other)

    def __sub__(self, other: Any) -> _Expression:
        return self._with("Sub", other)


def encoding_attributes(encoding: Encoding, precision: Precision) -> dict[str, Any]:
    """Return the attributes that a call of an encoding's function has; they say all but the tables' values."""
    match encoding:
        case Grid(dimensions=dimensions, levels=levels):
            return {
                "bits": [level.bits for level in levels],
                "dimensions": dimensions,
                "entries": [level.entries for level in levels],
                "features": levels[0].features,
                "hashed": [int(level.hashed) for level in levels],
                "precision": precision,
                "resolutions": [level.resolution for level in levels],
                "scales": [level.scale for level in levels],
                "steps": [level.step for level in levels],
            }
        case Spherical(degree=degree):
            return {"degree": degree, "precision": precision}
        case Frequency(dimensions=dimensions, octaves=octaves):
            return {"dimensions": dimensions, "octaves": octaves, "precision": precision}


def layer_attributes(layer: Product, precision: Precision) -> dict[str, Any]:
    """Return the attributes that a call of a layer's function has."""
    return {"precision": precision, "relu": int(layer.relu), "width": layer.weight.shape[1]}


def encoding_function(encoding: Encoding, precision: Precision, name: str) -> Any:
    """Return the function of an encoding: ``x`` (rows, dimensions) and the tables in, ``y`` (rows, width) out."""
    body, inputs = Body(), ["x"]
    match encoding:
        case Grid(dimensions=dimensions, levels=levels):
            inputs += [f"table{k}" for k in range(len(levels))]
            axes = body.columns("x", dimensions)
            found = [_level(body, level, axes, f"table{k}") for k, level in enumerate(levels)]
        case Spherical(degree=degree):
            found = [value.name for value in harmonics(*(_Expression(body, axis) for axis in body.columns("x", 3)))]
            found = found[: degree**2]
        case Frequency(dimensions=dimensions, octaves=octaves):
            found = [wave for axis in body.columns("x", dimensions) for wave in _waves(body, axis, octaves)]
    joined = body.node("Concat", *found, axis=1)
    body.rounded(joined, precision, "y")
    return body.function(name, inputs, sorted(encoding_attributes(encoding, precision)))


def layer_function(layer: Product, precision: Precision, name: str) -> Any:
    """Return the function of a layer: ``x`` (rows, inputs) and ``weight`` (inputs, outputs) in, ``y`` out.

    The sum is a chain: the first product, then one product added at a time.  A MatMul would add them in an order of
    its own.
    """
    body, width = Body(), layer.weight.shape[1]
    columns = body.columns("x", width)
    weight = "weight" if precision == "float32" else body.node("Cast", "weight", to=TensorProto.FLOAT)
    total = ""
    for column, row in zip(columns, body.columns(weight, width, axis=0), strict=True):
        product = body.node("Mul", column, row)
        total = body.node("Add", total, product) if total else product
    if layer.relu:
        zero = body.constant(0.0)
        total = body.node("Where", body.node("Greater", total, zero), total, zero)
    body.rounded(total, precision, "y")
    return body.function(name, ["x", "weight"], sorted(layer_attributes(layer, precision)))


def _level(body: Body, level: GridLevel, axes: Sequence[str], table: str) -> str:
    """Write one level: places in the grid, corners, look-ups and their weighted sum (rows, features)."""
    one = body.constant(1, np.int64)
    weights, parts = list[tuple[str, str]](), list[tuple[str, str]]()
    for axis, x in enumerate(axes):
        place = body.node("Add", body.node("Mul", x, body.constant(level.scale)), body.constant(0.5))
        base = body.node("Floor", place)
        upper = body.node("Sub", place, base)
        weights.append((body.node("Sub", body.constant(1.0), upper), upper))
        low = body.node("Cast", body.node("Squeeze", base, body.constant([1], np.int64)), to=TensorProto.INT64)
        factor = body.constant(PRIMES[axis] if level.hashed else level.resolution**axis, np.int64)
        high = body.node("Add", low, one)
        parts.append((body.node("Mul", low, factor), body.node("Mul", high, factor)))
    total = ""
    for corner in range(1 << len(axes)):
        weight, index = weights[0][corner & 1], parts[0][corner & 1]
        for axis in range(1, len(axes)):
            side = corner >> axis & 1
            weight = body.node("Mul", weight, weights[axis][side])
            index = body.node("BitwiseXor" if level.hashed else "Add", index, parts[axis][side])
        values = body.node("Gather", table, _modulo(body, level, index), axis=0)
        if level.bits != 32:
            values = body.node("Cast", values, to=TensorProto.FLOAT)
        term = body.node("Mul", weight, values)
        total = body.node("Add", total, term) if total else term
    return total if level.bits >= 16 else body.node("Mul", total, body.constant(level.step))


def _modulo(body: Body, level: GridLevel, index: str) -> str:
    """Reduce an index to the entries of the table; a hash has 32 bits."""
    entries = level.entries
    if entries & (entries - 1) == 0:
        return body.node("BitwiseAnd", index, body.constant(entries - 1, np.int64))
    if level.hashed:
        index = body.node("BitwiseAnd", index, body.constant(0xFFFFFFFF, np.int64))
    return body.node("Mod", index, body.constant(entries, np.int64))


def _waves(body: Body, axis: str, octaves: int) -> list[str]:
    """Write sine and cosine of each octave of one coordinate."""
    found, half = [], body.constant(0.5)
    for octave in range(octaves):
        turns = body.node("Mul", axis, body.constant(2.0 ** (octave - 1)))
        for shifted in (turns, body.node("Add", turns, body.constant(0.25))):
            h = body.node("Sub", body.node("Sub", shifted, body.node("Floor", shifted)), half)
            least = body.node("Min", h, body.node("Sub", half, h))
            v = body.node("Max", least, body.node("Sub", body.constant(-0.5), h))
            square = body.node("Mul", v, v)
            total = body.node("Mul", square, body.constant(WAVE[-1]))
            total = body.node("Add", total, body.constant(WAVE[-2]))
            for coefficient in WAVE[-3::-1]:
                total = body.node("Add", body.node("Mul", total, square), body.constant(coefficient))
            found.append(body.node("Mul", total, v))
    return found
