"""The real level of neural fields: coordinates in, values out, through encodings with tables and small networks.

A :class:`Field` is to encodings what :class:`~mlpress.ir.model.Model` is to classifiers.  All of it computes in
float32, rounding where ``docs/ir.md`` says so, and so has one result, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

Precision = Literal["float32", "float16"]
Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Span:
    """Columns ``start`` to ``stop - 1`` of a value: value 0 is the inputs, value ``k + 1`` is what node ``k`` gives."""

    value: int
    start: int
    stop: int

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True, eq=False)
class GridLevel:
    """One resolution of a grid encoding.

    ``scale`` is a float32 value and ``resolution`` the number of vertices along an axis.  ``table`` is float32,
    float16 or int8 (entries, features).  ``bits`` per value are 32 or 16, or 2 to 8 for int8, whose interpolated sum is
    multiplied by ``step`` (a float32 value; 1.0 for floats).  A vertex is looked up by a hash where ``hashed``, else by
    its index, in either case modulo ``entries``.
    """

    scale: float
    resolution: int
    hashed: bool
    bits: int
    step: float
    table: NDArray[Any]

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, GridLevel)
            and self.facts == other.facts
            and self.table.dtype == other.table.dtype
            and np.array_equal(self.table, other.table)
        )

    @property
    def facts(self) -> tuple[float, int, bool, int, float]:
        """All but the table."""
        return self.scale, self.resolution, self.hashed, self.bits, self.step

    @property
    def entries(self) -> int:
        """Rows of the table."""
        return int(self.table.shape[0])

    @property
    def features(self) -> int:
        """Values per entry."""
        return int(self.table.shape[1])


@dataclass(frozen=True, slots=True)
class Grid:
    """Features of ``dimensions`` coordinates: those of each of the ``levels``, interpolated, one after the other."""

    dimensions: int
    levels: tuple[GridLevel, ...]

    @property
    def width(self) -> int:
        """Values per sample."""
        return sum(level.features for level in self.levels)


@dataclass(frozen=True, slots=True)
class Spherical:
    """Real spherical harmonics of a direction, bands 0 to ``degree - 1``: ``degree**2`` values of 3 coordinates."""

    degree: int = 4

    @property
    def dimensions(self) -> int:
        """Coordinates that it takes."""
        return 3

    @property
    def width(self) -> int:
        """Values per sample."""
        return self.degree**2


@dataclass(frozen=True, slots=True)
class Frequency:
    """``sin(2**k * pi * x)`` and ``cos(2**k * pi * x)``, k from 0 to ``octaves - 1``, of each coordinate in turn."""

    dimensions: int
    octaves: int

    @property
    def width(self) -> int:
        """Values per sample."""
        return 2 * self.octaves * self.dimensions


Encoding = Grid | Spherical | Frequency


@dataclass(frozen=True, slots=True)
class Encode:
    """``encoding`` of the columns of ``source``, joined."""

    source: tuple[Span, ...]
    encoding: Encoding

    @property
    def width(self) -> int:
        """Values per sample."""
        return self.encoding.width


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A layer without bias: ``weight @ x``, then a ReLU where ``relu``; ``weight`` is float32 (outputs, inputs)."""

    weight: Singles
    relu: bool

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Product) and self.relu == other.relu and np.array_equal(self.weight, other.weight)


@dataclass(frozen=True, slots=True)
class Network:
    """``layers`` over the columns of ``source``, joined."""

    source: tuple[Span, ...]
    layers: tuple[Product, ...]

    @property
    def width(self) -> int:
        """Values per sample."""
        return int(self.layers[-1].weight.shape[0])


FieldNode = Encode | Network


@dataclass(frozen=True, slots=True)
class Field:
    """Coordinates within 0..1, named by ``inputs``, through ``nodes`` in order; ``results`` are the ``outputs``.

    ``precision`` ``float16`` rounds what encodings and layers give to half precision; tables and weights hold such
    values too.
    """

    inputs: tuple[str, ...]
    nodes: tuple[FieldNode, ...]
    outputs: tuple[str, ...]
    results: tuple[Span, ...]
    precision: Precision = "float32"

    level: ClassVar[str] = "field"
    classes: ClassVar[tuple[int | str, ...]] = ()

    @property
    def ports(self) -> tuple[str, ...]:
        """The output ports, ``y0``, ``y1``, ...: one per output."""
        return tuple(f"y{k}" for k in range(len(self.outputs)))

    @property
    def widths(self) -> tuple[int, ...]:
        """Columns of every value, the inputs first."""
        return (len(self.inputs), *(node.width for node in self.nodes))

    def grids(self) -> tuple[Grid, ...]:
        """Return the grid encodings in order."""
        found = [node.encoding for node in self.nodes if isinstance(node, Encode)]
        return tuple(encoding for encoding in found if isinstance(encoding, Grid))
