"""The functional simulator: runs the text of a kernel and its arrays, bit for bit as ``docs/ngpc.md`` says."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.codegen.ngpc import (
    Command,
    Copy,
    DirectionUnit,
    Encode,
    GridUnit,
    Image,
    Level,
    Mac,
    Place,
    Read,
    Store,
    Unit,
    WaveUnit,
    Write,
    check_image,
    read_image,
)
from mlpress.errors import MlpressError
from mlpress.ir import Singles
from mlpress.sim.ngpc import kernels, tiles

PAD = 16
"""Further columns of every row of a buffer: rows a power of two apart would share few places in a cache."""

SPAN_BYTES = 1 << 24
"""What a worker keeps of grid encodings: as many samples as this holds go through one table before the next, so that
a table is read from memory once and then from a cache."""

_INDEX = {"dense": kernels.DENSE, "tiled": kernels.TILED, "hash": kernels.HASH}

Step = Callable[["_Memory", int, int], None]
"""One command over a memory, for a batch that begins at a sample of the span, and the number of its samples."""


class _Memory(NamedTuple):
    """What a worker writes to: the buffers and accumulators of a batch, and what grids give for a span."""

    buffers: dict[str, Singles]
    sums: Singles
    grids: Singles


class _Table(NamedTuple):
    """What :func:`kernels.grid_level` takes of a level, and the rows that it gives."""

    scale: np.float32
    stride: NDArray[np.uint32]
    kind: int
    table: kernels.Packed
    step: np.float32
    rows: slice


class _Grid(NamedTuple):
    """A grid encoding: the inputs that it reads, its tables, and its rows of a span."""

    inputs: list[int]
    tables: list[_Table]
    rows: slice


class Simulator:
    """A cluster with a kernel loaded.

    The samples of a call are cut into batches; ``workers`` threads stand for the processors, which share nothing but
    tables and weights, so the number of either changes no result.
    """

    def __init__(self, image: Image, *, workers: int | None = None) -> None:
        """Load a kernel; raises :class:`MlpressError` where it or its arrays break a rule.

        :meth:`read` takes the files of a design.
        """
        check_image(image)
        self.kernel = image.kernel
        self._arrays = arrays = image.arrays
        self._workers = workers or os.cpu_count() or 1
        self._units: dict[str, Unit] = {unit.name: unit for unit in self.kernel.units}
        self._tiles = {one.name: [*map(tiles.padded_tile, arrays[one.array])] for one in self.kernel.weights}
        self._halves = self.kernel.precision == "float16"
        self._grids = self._early()
        self._steps = [step for k, one in enumerate(self.kernel.program) if (step := self._step(k, one)) is not None]
        self._read = self.kernel.program[0]
        self._write = self.kernel.program[-1]

    @classmethod
    def read(cls, files: Mapping[str, str | bytes], *, workers: int | None = None) -> Simulator:
        """Load the kernel of ``kernel.txt`` and ``tables.npz``."""
        return cls(read_image(files), workers=workers)

    def run(self, samples: NDArray[Any]) -> Singles:
        """Return float32 (rows, outputs) for ``samples`` (rows, inputs) within 0..1; raise for other samples."""
        table = np.ascontiguousarray(samples, np.float32)
        wanted = len(self.kernel.inputs)
        if table.ndim != 2 or table.shape[1] != wanted:
            raise MlpressError(f"samples have shape {table.shape}; the kernel takes (rows, {wanted})")
        if not ((table >= 0) & (table <= 1)).all():
            raise MlpressError("a sample is not within 0..1; scale the coordinates")
        out = np.empty((len(table), len(self.kernel.outputs)), np.float32)
        batch = self.kernel.batch
        groups = max(1, min(self._workers, -(-len(table) // batch)))
        span = max(1, min(-(-len(table) // (groups * batch)), SPAN_BYTES // (4 * batch * max(1, self._width)))) * batch
        starts = range(0, len(table), span)
        if groups == 1:
            self._spans(table, out, starts, span)
            return out
        with ThreadPoolExecutor(groups) as pool:
            for done in [pool.submit(self._spans, table, out, starts[g::groups], span) for g in range(groups)]:
                done.result()
        return out

    @property
    def _width(self) -> int:
        """Rows that all grid encodings give."""
        return max((grid.rows.stop for grid in self._grids.values()), default=0)

    def _spans(self, table: Singles, out: Singles, starts: range, span: int) -> None:
        """Run the spans of samples that begin at ``starts``, on a memory of their own."""
        batch, columns = self.kernel.batch, self.kernel.batch + PAD
        memory = _Memory(
            {one.name: np.zeros((one.width, columns), np.float32) for one in self.kernel.buffers},
            np.zeros((tiles.rows_of(self.kernel.cluster.mac_outputs), columns), np.float32),
            np.empty((self._width, min(span, len(table)) + PAD), np.float32),
        )
        assert isinstance(self._read, Read) and isinstance(self._write, Write)
        first, last = self._read.target, self._write.source
        for start in starts:
            samples = table[start : start + span]
            self._encode_early(samples, memory.grids)
            for at in range(0, len(samples), batch):
                count = min(batch, len(samples) - at)
                _columns(memory.buffers, first)[:, :count] = samples[at : at + count].T
                for step in self._steps:
                    step(memory, at, count)
                out[start + at : start + at + count] = _columns(memory.buffers, last)[:, :count].T

    def _early(self) -> dict[int, _Grid]:
        """Return the grid encodings by the number of their command: they read inputs alone, and so may be done first.

        The check of a kernel makes sure of it; here each column of a buffer is followed to the input that it holds.
        """
        held: dict[tuple[str, int], int] = {}
        found: dict[int, _Grid] = {}
        rows = 0
        for number, command in enumerate(self.kernel.program):
            match command:
                case Read(target=target):
                    held = {(target.buffer, target.start + k): k for k in range(target.count)}
                case Copy(source=source, target=target):
                    for k in range(source.count):
                        place = (target.buffer, target.start + k)
                        held.pop(place, None)
                        if (source.buffer, source.start + k) in held:
                            held[place] = held[source.buffer, source.start + k]
                case Encode(unit=name, source=source, target=target):
                    unit = self._units[name]
                    if isinstance(unit, GridUnit):
                        inputs = [held[source.buffer, source.start + k] for k in range(source.count)]
                        tables = [one for k, level in enumerate(unit.levels) for one in self._parts(unit, level, k)]
                        found[number] = _Grid(inputs, tables, slice(rows, rows + unit.width))
                        rows += unit.width
                    _forget(held, target)
                case Store(target=target):
                    _forget(held, target)
        return found

    def _encode_early(self, samples: Singles, out: Singles) -> None:
        """Write what all grids give for ``samples`` (span, inputs) to ``out``, one table after the other."""
        for grid in self._grids.values():
            x = np.ascontiguousarray(samples[:, grid.inputs].T)
            target = out[grid.rows]
            for one in grid.tables:
                kernels.grid_level(x, one.scale, one.stride, one.kind, one.table, one.step, target[one.rows])

    def _step(self, number: int, command: Command) -> Step | None:
        """Return what carries out a command; reading and writing are done around the program."""
        match command:
            case Encode(unit=unit, source=source, target=target):
                return self._encode(number, self._units[unit], source, target)
            case Copy(source=source, target=target):

                def copy(memory: _Memory, at: int, count: int) -> None:
                    _columns(memory.buffers, target)[:, :count] = _columns(memory.buffers, source)[:, :count]

                return copy
            case Mac(weights=weights, tile=tile, source=source, outputs=outputs, first=first):
                values = self._tiles[weights][tile]

                def multiply(memory: _Memory, at: int, count: int) -> None:
                    tiles.mac(_columns(memory.buffers, source), values, outputs, first, memory.sums, count)

                return multiply
            case Store(relu=relu, target=target):

                def store(memory: _Memory, at: int, count: int) -> None:
                    place = _columns(memory.buffers, target)
                    kernels.store(memory.sums, relu, place, count)
                    if self._halves:
                        kernels.round_half(place, count)

                return store
            case Read() | Write():
                return None

    def _encode(self, number: int, unit: Unit, source: Place, target: Place) -> Step:
        def encode(memory: _Memory, at: int, count: int) -> None:
            x, out = _columns(memory.buffers, source), _columns(memory.buffers, target)
            match unit:
                case GridUnit():
                    out[:, :count] = memory.grids[self._grids[number].rows, at : at + count]
                case DirectionUnit():
                    kernels.harmonics(x, out, count)
                case WaveUnit(octaves=octaves):
                    kernels.waves(x, octaves, out, count)
            if self._halves:
                kernels.round_half(out, count)

        return encode

    def _parts(self, unit: GridUnit, level: Level, number: int) -> list[_Table]:
        """Return what a level, the unit's ``number``-th, looks up: its table, in parts where it has many features."""
        table = self._arrays[level.array]
        if table.dtype == np.float16:
            table = table.astype(np.float32)  # exact; this computer has no float16 arithmetic
        found, start = [], number * unit.features
        for packed in kernels.pack(table):
            stop = min(start + len(packed.width), (number + 1) * unit.features)
            found.append(
                _Table(
                    np.float32(level.scale),
                    kernels.strides(level.index == "hash", level.resolution, unit.dimensions),
                    _INDEX[level.index],
                    packed,
                    np.float32(level.step if level.bits < 16 else 0.0),
                    slice(start, stop),
                )
            )
            start = stop
        return found


def _forget(held: dict[tuple[str, int], int], place: Place) -> None:
    """Note that the columns of ``place`` hold no inputs any more."""
    for k in range(place.count):
        held.pop((place.buffer, place.start + k), None)


def _columns(buffers: Mapping[str, Singles], place: Place) -> Singles:
    return buffers[place.buffer][place.start : place.start + place.count]
