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
from mlpress.sim.ngpc import kernels

PAD = 16
"""Further columns of every row of a buffer: rows a power of two apart would share few places in a cache."""

_INDEX = {"dense": kernels.DENSE, "tiled": kernels.TILED, "hash": kernels.HASH}

Step = Callable[[dict[str, Singles], Singles, int], None]
"""One command over the buffers, the accumulators and a number of samples."""


class _Table(NamedTuple):
    """What :func:`kernels.grid_level` takes of a level."""

    scale: np.float32
    stride: NDArray[np.uint32]
    kind: int
    table: NDArray[Any]
    step: np.float32


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
        self._tiles = {one.name: np.ascontiguousarray(arrays[one.array]) for one in self.kernel.weights}
        self._halves = self.kernel.precision == "float16"
        self._steps = [step for command in self.kernel.program if (step := self._step(command)) is not None]
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
        starts = range(0, len(table), batch)
        if groups == 1:
            self._batches(table, out, starts)
            return out
        with ThreadPoolExecutor(groups) as pool:
            for done in [pool.submit(self._batches, table, out, starts[g::groups]) for g in range(groups)]:
                done.result()
        return out

    def _batches(self, table: Singles, out: Singles, starts: range) -> None:
        """Run the batches that begin at ``starts``, on buffers of their own."""
        batch = self.kernel.batch
        buffers = {one.name: np.zeros((one.width, batch + PAD), np.float32) for one in self.kernel.buffers}
        sums = np.zeros((self.kernel.cluster.mac_outputs, batch + PAD), np.float32)
        assert isinstance(self._read, Read) and isinstance(self._write, Write)
        first, last = self._read.target, self._write.source
        for start in starts:
            count = min(batch, len(table) - start)
            _columns(buffers, first)[:, :count] = table[start : start + count].T
            for step in self._steps:
                step(buffers, sums, count)
            out[start : start + count] = _columns(buffers, last)[:, :count].T

    def _step(self, command: Command) -> Step | None:
        """Return what carries out a command; reading and writing are done around the program."""
        match command:
            case Encode(unit=unit, source=source, target=target):
                return self._encode(self._units[unit], source, target)
            case Copy(source=source, target=target):

                def copy(buffers: dict[str, Singles], sums: Singles, count: int) -> None:
                    _columns(buffers, target)[:, :count] = _columns(buffers, source)[:, :count]

                return copy
            case Mac(weights=weights, tile=tile, source=source, outputs=outputs, first=first):
                values = self._tiles[weights][tile]

                def multiply(buffers: dict[str, Singles], sums: Singles, count: int) -> None:
                    kernels.mac(_columns(buffers, source), values, first, sums[:outputs], count)

                return multiply
            case Store(relu=relu, target=target):

                def store(buffers: dict[str, Singles], sums: Singles, count: int) -> None:
                    place = _columns(buffers, target)
                    kernels.store(sums, relu, place, count)
                    if self._halves:
                        kernels.round_half(place, count)

                return store
            case Read() | Write():
                return None

    def _encode(self, unit: Unit, source: Place, target: Place) -> Step:
        tables = [self._table(unit, level) for level in unit.levels] if isinstance(unit, GridUnit) else []

        def encode(buffers: dict[str, Singles], sums: Singles, count: int) -> None:
            x, out = _columns(buffers, source), _columns(buffers, target)
            match unit:
                case GridUnit(features=features):
                    for k, one in enumerate(tables):
                        place = out[k * features : (k + 1) * features]
                        kernels.grid_level(x, count, one.scale, one.stride, one.kind, one.table, one.step, place)
                case DirectionUnit():
                    kernels.harmonics(x, out, count)
                case WaveUnit(octaves=octaves):
                    kernels.waves(x, octaves, out, count)
            if self._halves:
                kernels.round_half(out, count)

        return encode

    def _table(self, unit: GridUnit, level: Level) -> _Table:
        table = self._arrays[level.array]
        if table.dtype == np.float16:
            table = table.astype(np.float32)  # exact; this computer has no float16 arithmetic
        return _Table(
            np.float32(level.scale),
            kernels.strides(level.index == "hash", level.resolution, unit.dimensions),
            _INDEX[level.index],
            np.ascontiguousarray(table),
            np.float32(level.step if level.bits < 16 else 0.0),
        )


def _columns(buffers: Mapping[str, Singles], place: Place) -> Singles:
    return buffers[place.buffer][place.start : place.start + place.count]
