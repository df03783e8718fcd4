"""What a cluster has to do per sample, as the cycle models see it: levels of a grid, widths of networks, bytes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields
from typing import Literal

from mlpress.codegen.ngpc import Kernel, place_tables
from mlpress.errors import MlpressError
from mlpress.hw.ngpc import Application, Cluster, Machine, Mode, Order, machine, machine_names
from mlpress.ir import GridShape

MOST_LEVELS, MOST_WIDTH, MOST_ENTRIES = 256, 65536, 1 << 31


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of a grid: ``scale`` as float32, ``resolution`` vertices along an axis, ``entries`` in its table.

    ``index`` is ``dense`` (modulo ``entries``, whether the table is whole or tiled) or ``hash``.
    """

    scale: float
    resolution: int
    entries: int
    index: Literal["dense", "hash"]
    entry_bits: int

    @property
    def table_bytes(self) -> int:
        """Bytes of the whole table."""
        return -(-self.entries * self.entry_bits // 8)


def machine_of(kernel: Kernel, mode: Mode) -> Machine:
    """Return the machine that a kernel is for: NGPC with the numbers of the kernel's own cluster and batch."""
    own = kernel.cluster
    changes = {field.name: getattr(own, field.name) for field in fields(Cluster) if field.name != "name"}
    family = own.name.partition(":")[0]
    name = own.name if family in machine_names() else f"ngpc:{own.processors}"
    return machine(name, mode, batch=kernel.batch, **changes)


@dataclass(frozen=True, slots=True)
class Workload:
    """Samples of ``dimensions`` coordinates through ``levels`` and ``networks`` (widths from input to output).

    ``input_bytes`` and ``output_bytes`` cross the memory's side of the cluster per sample; ``order`` is that of the
    samples, ``samples_per_pixel`` how many of them a pixel needs.
    """

    name: str
    dimensions: int
    levels: tuple[Level, ...]
    networks: tuple[tuple[int, ...], ...]
    input_bytes: int
    output_bytes: int
    order: Order
    samples_per_pixel: float

    @classmethod
    def of(cls, kernel: Kernel, order: Order = "raster", samples_per_pixel: float = 1.0) -> Workload:
        """Return the work of a kernel per sample; its samples come in ``order``.

        Raises :class:`MlpressError` where it has grids of different numbers of coordinates.
        """
        grids = kernel.grids()
        dimensions = {grid.dimensions for grid in grids} or {min(len(kernel.inputs), 4)}
        if len(dimensions) != 1:
            raise MlpressError(
                f"the cycle models take grids of one number of coordinates; these have {sorted(dimensions)}"
            )
        levels = tuple(
            Level(
                level.scale,
                level.resolution,
                level.entries,
                "hash" if level.index == "hash" else "dense",
                grid.features * level.bits,
            )
            for grid in grids
            for level in grid.levels
        )
        value = 2 if kernel.precision == "float16" else 4
        return cls(
            "kernel",
            dimensions.pop(),
            levels,
            tuple((weights.inputs, weights.outputs) for weights in kernel.weights),
            len(kernel.inputs) * value,
            len(kernel.outputs) * value,
            order,
            samples_per_pixel,
        )

    def __post_init__(self) -> None:
        if not 1 <= self.dimensions <= 4:
            raise MlpressError(f"{self.name[:40]}: {self.dimensions} coordinates; an encoding engine takes 1 to 4")
        if len(self.levels) > MOST_LEVELS:
            raise MlpressError(f"{self.name[:40]}: {len(self.levels)} levels; give {MOST_LEVELS} at most")
        if not all(1 <= level.entries <= MOST_ENTRIES for level in self.levels):
            raise MlpressError(f"{self.name[:40]}: a table must have 1 to {MOST_ENTRIES} entries")
        if not all(len(widths) > 1 and all(1 <= w <= MOST_WIDTH for w in widths) for widths in self.networks):
            raise MlpressError(f"{self.name[:40]}: a network needs two widths or more, each 1 to {MOST_WIDTH}")

    @property
    def corners(self) -> int:
        """Look-ups per level and sample."""
        return int(2**self.dimensions)

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of all layers in order."""
        return tuple(pair for widths in self.networks for pair in itertools.pairwise(widths))

    @property
    def multiplications(self) -> int:
        """Products of all layers per sample."""
        return sum(inputs * outputs for inputs, outputs in self.layers)

    @property
    def weights(self) -> int:
        """Weights of all layers."""
        return self.multiplications


def level_of(shape: GridShape, number: int, value_bytes: int) -> Level:
    """Return level ``number`` of a grid with values of ``value_bytes``."""
    one = shape.level(number)
    index: Literal["dense", "hash"] = "hash" if one.hashed else "dense"
    return Level(one.scale, one.resolution, one.entries, index, 8 * shape.features * value_bytes)


def workload(application: Application, shape: GridShape, name: str = "", value_bytes: int = 2) -> Workload:
    """Return an application's work with one of its encodings; samples come and go as ``value_bytes`` per value."""
    levels = tuple(level_of(shape, n, value_bytes) for n in range(shape.levels))
    first, *others = application.networks
    width = shape.levels * shape.features
    networks = ((width, *first[1:]), *others)
    outputs = networks[-1][-1] + (1 if len(networks) > 1 else 0)
    inputs = shape.dimensions + application.directions
    return Workload(
        name or f"{application.name}/{shape.kind}",
        shape.dimensions,
        levels,
        networks,
        inputs * value_bytes,
        outputs * value_bytes,
        application.order,
        application.samples_per_pixel,
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a level is: ``engines`` from ``first`` on share its table; ``cached`` bytes of SRAM stand for it if not."""

    first: int
    engines: int
    cached: int

    @property
    def misses(self) -> bool:
        """Whether look-ups may miss the SRAM."""
        return self.cached > 0


@dataclass(frozen=True, slots=True)
class Placing:
    """All levels' places: ``lanes`` samples side by side, each on ``stride`` engines, in ``turns`` passes."""

    lanes: int
    stride: int
    turns: int
    places: tuple[Place, ...]


def placing(work: Workload, found: Machine) -> Placing:
    """Place the levels on the engines, as the compiler does; an ideal SRAM holds everything."""
    if not work.levels:
        return Placing(1, 1, 1, ())
    count, engines = len(work.levels), found.engines
    turns = -(-count // engines)
    if found.ideal:
        stride = min(count, engines)
        return Placing(max(1, engines // count), stride, turns, tuple(Place(n % engines, 1, 0) for n in range(count)))
    placed = place_tables(tuple(level.table_bytes for level in work.levels), found)
    least = found.line_bytes
    places = tuple(
        Place(one.engines[0], len(one.engines), max(least, one.resident) if one.how == "cache" else 0)
        for one in placed.levels
    )
    return Placing(placed.lanes, placed.stride, placed.turns, places)
