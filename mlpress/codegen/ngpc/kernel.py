"""The description of a kernel: what a cluster is told to do, and nothing of the program that it came from.

A kernel is read by the functional simulator, which runs it, and by the cycle models, which time it.  Its text form is
:mod:`mlpress.codegen.ngpc.text`; arrays (tables, tiles of weights) stand beside the text, by name.  ``docs/ngpc.md`` is
the specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from mlpress.hw.ngpc import Cluster

Precision = Literal["float32", "float16"]
How = Literal["fit", "split", "cache"]
Index = Literal["dense", "tiled", "hash"]


@dataclass(frozen=True, slots=True)
class Buffer:
    """On-chip storage of ``width`` values per sample."""

    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a level's table is.

    ``fit``: whole in the SRAM of one engine.  ``split``: entry ``i`` in the SRAM of engine ``engines[i % k]`` of its
    ``k`` engines.  ``cache``: in memory behind the shared L2, with ``resident`` bytes of one engine's SRAM as a cache.
    ``engines`` are those of lane 0; lane ``n`` has the same ones, ``n * stride`` further (:class:`GridUnit`).
    ``turn`` is the pass over the engines that the level belongs to.  ``size`` is the table's bytes, and ``resident``
    the bytes of SRAM that it takes in each of its engines.
    """

    how: How
    turn: int
    engines: tuple[int, ...]
    size: int
    resident: int


@dataclass(frozen=True, slots=True)
class Level:
    """The configuration of an encoding engine for one level.

    ``scale`` is a float32 value.  ``index``: ``dense`` (``entries`` is ``resolution**dimensions`` or more), ``tiled``
    (fewer: dense, modulo ``entries``) or ``hash``; all end modulo ``entries``, which is a mask where that is a power of
    two.  ``array`` names the table, (entries, features); ``bits`` per value: 32, 16, or 2..8 for integers, whose
    interpolated sum is multiplied by ``step`` (1.0 for floats).
    """

    scale: float
    resolution: int
    entries: int
    index: Index
    array: str
    bits: int
    step: float
    placement: Placement


@dataclass(frozen=True, slots=True)
class GridUnit:
    """Encoding engines set up for one grid encoding.

    ``lanes`` samples are encoded side by side, each on ``stride`` engines; ``turns`` passes are needed for one.
    """

    name: str
    dimensions: int
    features: int
    lanes: int
    stride: int
    turns: int
    levels: tuple[Level, ...]

    @property
    def width(self) -> int:
        """Values per sample."""
        return self.features * len(self.levels)


@dataclass(frozen=True, slots=True)
class DirectionUnit:
    """Spherical harmonics of a direction up to ``degree`` (exclusive): ``degree**2`` values of 3 inputs."""

    name: str
    degree: int

    dimensions = 3

    @property
    def width(self) -> int:
        """Values per sample."""
        return self.degree**2


@dataclass(frozen=True, slots=True)
class WaveUnit:
    """Sines and cosines of ``octaves`` frequencies of each of ``dimensions`` inputs."""

    name: str
    dimensions: int
    octaves: int

    @property
    def width(self) -> int:
        """Values per sample."""
        return 2 * self.octaves * self.dimensions


Unit = GridUnit | DirectionUnit | WaveUnit


@dataclass(frozen=True, slots=True)
class Weights:
    """A layer's weights in tiles of the MLP engine.

    ``array`` names float32 (tiles, mac_inputs, mac_outputs), zeros beyond the layer's edges.  Tiles are in the order of
    their use: for each block of outputs, the blocks of inputs.
    """

    name: str
    inputs: int
    outputs: int
    array: str


@dataclass(frozen=True, slots=True)
class Place:
    """``count`` columns of a buffer from ``start`` on."""

    buffer: str
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class LoadTable:
    """Fill the SRAM of the engines of one level of a grid unit (of a cached level: nothing is moved yet)."""

    unit: str
    level: int


@dataclass(frozen=True, slots=True)
class LoadWeights:
    """Bring a layer's tiles into the processor's weight memory."""

    weights: str


@dataclass(frozen=True, slots=True)
class Read:
    """Take the next samples of the batch into a buffer."""

    target: Place


@dataclass(frozen=True, slots=True)
class Encode:
    """Run an encoding unit, all levels and turns; float16 kernels round what it gives."""

    unit: str
    source: Place
    target: Place


@dataclass(frozen=True, slots=True)
class Copy:
    """Move columns from buffer to buffer: wires, no arithmetic."""

    source: Place
    target: Place


@dataclass(frozen=True, slots=True)
class Mac:
    """Multiply-accumulate ``tile`` of ``weights`` with columns of ``source``, on ``outputs`` accumulators.

    ``first`` begins the sums with the first product; else they go on.  The order over inputs is that of the columns.
    """

    weights: str
    tile: int
    source: Place
    outputs: int
    first: bool


@dataclass(frozen=True, slots=True)
class Store:
    """Write the accumulators to ``target``, through a ReLU or as they are; float16 kernels round them there."""

    relu: bool
    target: Place


@dataclass(frozen=True, slots=True)
class Write:
    """Hand the batch's results out, in the order of the kernel's outputs."""

    source: Place


Preload = LoadTable | LoadWeights
Command = Read | Encode | Copy | Mac | Store | Write


@dataclass(frozen=True, slots=True)
class Kernel:
    """A cluster's whole configuration and its two command streams.

    ``preload`` runs once per scene, ``program`` once per batch of up to ``batch`` samples on every processor.
    ``inputs`` and ``outputs`` name the columns that come in and go out.  No array is part of it.
    """

    cluster: Cluster
    precision: Precision
    batch: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    buffers: tuple[Buffer, ...]
    units: tuple[Unit, ...]
    weights: tuple[Weights, ...]
    preload: tuple[Preload, ...]
    program: tuple[Command, ...]

    def unit(self, name: str) -> Unit:
        """Return the unit called ``name``."""
        return next(unit for unit in self.units if unit.name == name)

    def layer(self, name: str) -> Weights:
        """Return the weights called ``name``."""
        return next(weights for weights in self.weights if weights.name == name)

    def grids(self) -> tuple[GridUnit, ...]:
        """Return the units that look up tables."""
        return tuple(unit for unit in self.units if isinstance(unit, GridUnit))


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A kernel with its arrays by name: tables as float32, float16 or int8, tiles of weights as float32."""

    kernel: Kernel
    arrays: Mapping[str, NDArray[Any]]
