"""What a cluster has to do per sample, as the cycle models see it: levels of a grid, widths of networks, bytes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from mlpress.errors import MlpressError
from mlpress.hw.ngpc import Application, GridShape, Machine, Mode, Order, machine

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


class Kernel(Protocol):
    """What is read of a compiled kernel; ``grids()`` have ``dimensions``, ``features`` and ``levels``, and ``weights``
    have ``inputs`` and ``outputs``."""

    @property
    def precision(self) -> str:
        """``float32`` or ``float16``."""

    @property
    def batch(self) -> int:
        """Samples of a batch."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Columns that come in."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Columns that go out."""

    @property
    def weights(self) -> tuple[Any, ...]:
        """Layers in order."""

    @property
    def cluster(self) -> Any:
        """The cluster that it is for."""

    def grids(self) -> tuple[Any, ...]:
        """Return the units that look up tables."""


def machine_of(kernel: Kernel, mode: Mode) -> Machine:
    """Return the machine that a kernel is for: NGPC with the numbers of the kernel's own cluster and batch."""
    own = kernel.cluster
    return machine(
        f"ngpc:{own.processors}",
        mode,
        engines=own.engines,
        sram_bytes=own.sram_bytes,
        mac_inputs=own.mac_inputs,
        mac_outputs=own.mac_outputs,
        batch=kernel.batch,
    )


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

        Raises :class:`MlpressError` where it has no grid, or grids of different numbers of coordinates.
        """
        grids = kernel.grids()
        if len({grid.dimensions for grid in grids}) != 1:
            raise MlpressError(f"the cycle models take kernels with grids of one kind; this one has {len(grids)} grids")
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
            grids[0].dimensions,
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
        if not 1 <= len(self.levels) <= MOST_LEVELS:
            raise MlpressError(f"{self.name[:40]}: {len(self.levels)} levels; give 1 to {MOST_LEVELS}")
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


def level_of(shape: GridShape, number: int, dimensions: int, value_bytes: int) -> Level:
    """Return level ``number`` of a grid, by the rules of ``docs/ngpc.md`` (those of tiny-cuda-nn)."""
    factor = np.exp2(np.float32(number) * np.float32(np.log2(shape.growth)))
    scale = np.float32(factor * np.float32(shape.base) - np.float32(1))
    if not 0 <= scale < MOST_ENTRIES:
        raise MlpressError(f"level {number} has a scale of {scale:g}; the models take 0 to {MOST_ENTRIES}")
    resolution = int(np.ceil(scale)) + 1
    whole = resolution**dimensions
    size = -(-whole // 8) * 8
    if shape.kind == "hash":
        size = min(size, shape.entries)
    elif shape.kind == "tiled":
        size = min(size, shape.base**dimensions)
    index: Literal["dense", "hash"] = "hash" if shape.kind == "hash" and size < whole else "dense"
    return Level(float(scale), resolution, size, index, 8 * shape.features * value_bytes)


def workload(application: Application, shape: GridShape, name: str = "", value_bytes: int = 2) -> Workload:
    """Return an application's work with one of its encodings; samples come and go as ``value_bytes`` per value."""
    levels = tuple(level_of(shape, n, application.dimensions, value_bytes) for n in range(shape.levels))
    first, *others = application.networks
    width = shape.levels * shape.features
    networks = ((width, *first[1:]), *others)
    outputs = networks[-1][-1] + (1 if len(networks) > 1 else 0)
    inputs = application.dimensions + application.directions
    return Workload(
        name or f"{application.name}/{shape.kind}",
        application.dimensions,
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
    """Place the levels on the engines, by the rules of ``docs/ngpc.md``: fit, else split over idle engines, else cache.

    An ideal SRAM holds everything.
    """
    count, engines = len(work.levels), found.engines
    turns = -(-count // engines)
    if found.ideal:
        stride = min(count, engines)
        return Placing(max(1, engines // count), stride, turns, tuple(Place(n % engines, 1, 0) for n in range(count)))
    if turns > 1:
        return Placing(1, engines, turns, _in_turns(work, found))
    needs = [max(1, -(-level.table_bytes // found.sram_bytes)) for level in work.levels]
    spare = engines - count
    spread = [1] * count
    for number in sorted(range(count), key=lambda n: (needs[n], n)):
        if needs[number] - 1 <= spare:
            spare -= needs[number] - 1
            spread[number] = needs[number]
    places, first = [], 0
    for need, taken in zip(needs, spread, strict=True):
        places.append(Place(first, taken, 0 if need == taken else found.sram_bytes))
        first += taken
    return Placing(engines // first, first, 1, tuple(places))


def _in_turns(work: Workload, found: Machine) -> tuple[Place, ...]:
    """Place level n in engine ``n mod engines``; what does not fit shares the rest of its SRAM."""
    count, engines = len(work.levels), found.engines
    places: dict[int, Place] = {}
    for engine in range(engines):
        free, outside = found.sram_bytes, []
        for number in range(engine, count, engines):
            size = work.levels[number].table_bytes
            if size <= free:
                free -= size
                places[number] = Place(engine, 1, 0)
            else:
                outside.append(number)
        for number in outside:
            places[number] = Place(engine, 1, max(found.line_bytes, free // len(outside)))
    return tuple(places[number] for number in range(count))
