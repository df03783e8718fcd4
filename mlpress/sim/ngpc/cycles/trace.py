"""What look-ups cost in a machine's SRAM: cycles of bank conflicts, and lines that come from the L2 and the memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.hw.ngpc import Machine
from mlpress.jit import compiled, inner
from mlpress.sim.ngpc.cycles.addresses import entries, positions
from mlpress.sim.ngpc.cycles.workload import Placing, Workload, placing

Counts = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The costs of groups of samples: ``lanes`` samples that are looked up side by side are a group.

    ``cycles``, ``lines`` and ``far`` are uint16 (groups, engines): cycles that an engine is busy with a group, lines
    that it fetches from the L2, and those of them that the L2 fetches from memory.
    """

    placing: Placing
    cycles: Counts
    lines: Counts
    far: Counts

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.cycles.shape[0])

    @property
    def conflict_cycles(self) -> float:
        """Mean cycles per look-up of a level."""
        used = self.placing.lanes * len(self.placing.places)
        return float(self.cycles.sum(dtype=np.int64)) / (self.groups * used)

    @property
    def lines_per_sample(self) -> float:
        """Mean lines from the L2 per sample."""
        return float(self.lines.sum(dtype=np.int64)) / (self.groups * self.placing.lanes)

    @property
    def far_per_sample(self) -> float:
        """Mean lines from memory per sample."""
        return float(self.far.sum(dtype=np.int64)) / (self.groups * self.placing.lanes)


@inner
def _bank_cycles(index: Any, row: int, banks: int, ports: int, load: Any) -> int:
    """Return the reads of the fullest bank, over ``ports``; corners that share an entry share its read."""
    worst = 0
    for bank in range(banks):
        load[bank] = 0
    for corner in range(index.shape[1]):
        entry = index[row, corner]
        known = False
        for before in range(corner):
            known = known or index[row, before] == entry
        if not known:
            bank = entry % banks
            load[bank] += 1
            worst = max(worst, load[bank])
    return (worst + ports - 1) // ports


@inner
def _reach_l2(line: int, tags: Any, ages: Any, now: int) -> bool:
    """Look a line up in the L2, least recently used out; return whether it was there."""
    row = line % tags.shape[0]
    oldest = 0
    for way in range(tags.shape[1]):
        if tags[row, way] == line:
            ages[row, way] = now
            return True
        if ages[row, way] < ages[row, oldest]:
            oldest = way
    tags[row, oldest] = line
    ages[row, oldest] = now
    return False


@compiled
def _walk_level(
    index: NDArray[np.uint32],
    lanes: int,
    stride: int,
    place: tuple[int, int],
    bank: tuple[int, int],
    tags: NDArray[np.int64],
    line: tuple[int, int],
    cycles: Counts,
    missed: NDArray[np.int64],
) -> None:
    """Add a level's conflicts to ``cycles`` (groups, engines), and write each sample's missed lines, -1 for none.

    ``place`` is its first engine and their number, ``bank`` banks and ports of one engine, ``line`` entries per line
    and the level's first line.
    """
    first, engines = place
    banks, ports = bank
    per_line, base = line
    load = np.zeros(banks * engines, np.int64)
    for s in range(index.shape[0]):
        column = s % lanes * stride + first
        busy = _bank_cycles(index, s, banks * engines, ports, load)
        for engine in range(engines):
            cycles[s // lanes, column + engine] += busy
        if tags.shape[0] == 0:
            continue
        for corner in range(index.shape[1]):
            number = np.int64(index[s, corner]) // per_line
            row = number % tags.shape[0]
            if tags[row] != number:
                tags[row] = number
                missed[s, corner] = base + number
            else:
                missed[s, corner] = -1


@compiled
def _walk_l2(
    missed: NDArray[np.int64], columns: NDArray[np.int64], lanes: int, tags: Any, ages: Any, lines: Counts, far: Counts
) -> None:
    """Count the lines of ``missed`` (samples, levels, corners) that the L2 has and has not, per group and engine."""
    now = 1
    for s in range(missed.shape[0]):
        for level in range(missed.shape[1]):
            group, column = s // lanes, s % lanes * columns[-1] + columns[level]
            for corner in range(missed.shape[2]):
                line = missed[s, level, corner]
                if line >= 0:
                    lines[group, column] += 1
                    if not _reach_l2(line, tags, ages, now):
                        far[group, column] += 1
                    now += 1


def trace(work: Workload, machine: Machine, samples: int = 1 << 14, seed: int = 0) -> Trace:
    """Return the costs of ``samples`` samples in a warm machine: as many before them fill its caches.

    In an ideal machine all look-ups take one cycle.
    """
    placed = placing(work, machine)
    lanes = placed.lanes
    groups = -(-samples // lanes)
    columns = lanes * placed.stride
    cycles = np.zeros((groups, columns), np.uint16)
    lines, far = np.zeros_like(cycles), np.zeros_like(cycles)
    if machine.ideal:
        for place in placed.places:
            cycles[:, place.first :: placed.stride] += 1
        return Trace(placed, cycles, lines, far)
    both = np.zeros((2 * groups, columns), np.uint16)
    x = positions(work.order, work.dimensions, 2 * groups * lanes, work.samples_per_pixel, seed)
    cached = [number for number, place in enumerate(placed.places) if place.misses]
    missed = np.full((len(x), len(cached), work.corners), -1, np.int64)
    base = 0
    for number, (level, place) in enumerate(zip(work.levels, placed.places, strict=True)):
        per_line = max(1, 8 * machine.line_bytes // level.entry_bits)
        sets = max(1, place.cached // machine.line_bytes) if place.misses else 0
        into = missed[:, cached.index(number)] if place.misses else missed[:, :0].reshape(len(x), 0)
        row = np.ascontiguousarray(into) if place.misses else np.empty((0, 0), np.int64)
        span = (place.first, place.engines)
        reads = (machine.banks, machine.ports)
        tags = np.arange(sets, dtype=np.int64)
        _walk_level(entries(level, x), lanes, placed.stride, span, reads, tags, (per_line, base), both, row)
        if place.misses:
            missed[:, cached.index(number)] = row
        base += -(-level.entries // per_line)
    if cached:
        lines, far = _misses(machine, placed, cached, missed, both.shape)
        return Trace(placed, both[groups:], lines[groups:], far[groups:])
    return Trace(placed, both[groups:], lines, far)


def _misses(
    machine: Machine, placed: Placing, cached: list[int], missed: NDArray[np.int64], shape: tuple[int, ...]
) -> tuple[Counts, Counts]:
    """Return lines from the L2 and from memory, each uint16 of ``shape`` (groups, engines)."""
    lines, far = np.zeros(shape, np.uint16), np.zeros(shape, np.uint16)
    sets = max(1, machine.l2_bytes // (machine.line_bytes * machine.l2_ways))
    tags = np.full((sets, machine.l2_ways), -1, np.int64)
    columns = np.array([*(placed.places[number].first for number in cached), placed.stride], np.int64)
    _walk_l2(missed, columns, placed.lanes, tags, np.zeros_like(tags), lines, far)
    return lines, far
