"""Cycles of the MLP side of a processor, and the bytes that a batch moves."""

from __future__ import annotations

from mlpress.hw.ngpc import Machine
from mlpress.sim.ngpc.cycles.workload import Workload, placing


def tiles(work: Workload, machine: Machine) -> tuple[int, ...]:
    """Return the tiles of each layer: ``ceil(inputs / mac_inputs) * ceil(outputs / mac_outputs)``."""
    return tuple(-(-i // machine.mac_inputs) * -(-o // machine.mac_outputs) for i, o in work.layers)


def mlp_cycles(work: Workload, machine: Machine, samples: int) -> int:
    """Return the cycles in which the networks take ``samples`` samples.

    Streamed layers work at once: the layer with most tiles sets the pace.  Else tiles follow one another: each needs
    a cycle per sample and its fill, and waits for its weights where they load for longer than the tile before ran.
    Samples are spread over the arrays.
    """
    count = tiles(work, machine)
    if not count:
        return 0
    share = -(-samples // machine.arrays)
    if machine.streamed:
        return max(count) * share + machine.fill_cycles
    run = share + machine.fill_cycles
    return sum(count) * (run + max(0, machine.load_cycles - run)) + machine.load_cycles


def batch_groups(machine: Machine, lanes: int) -> int:
    """Return the groups of ``lanes`` samples that make a batch."""
    return max(1, machine.batch // lanes)


def io_bytes(work: Workload, samples: int) -> tuple[int, int]:
    """Return the bytes that ``samples`` samples bring in and take out."""
    return work.input_bytes * samples, work.output_bytes * samples


def preload_bytes(work: Workload, machine: Machine) -> tuple[int, int]:
    """Return the bytes that a new scene brings: into each processor, and from memory into the L2, once for all.

    A table that is cached fills its part of the SRAM with its first entries.  Lanes have copies of their own, written
    together.
    """
    placed = placing(work, machine)
    resident = 0
    for level, place in zip(work.levels, placed.places, strict=True):
        resident += min(level.table_bytes, place.cached) if place.misses else level.table_bytes
    weights = work.weights * machine.value_bytes
    return resident + weights, sum(level.table_bytes for level in work.levels) + weights
