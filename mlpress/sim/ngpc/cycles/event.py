"""The event model: positions, look-ups, misses, batches and results of every processor, in the order of time.

One event is the issue of a group of samples on one processor; a heap orders them over all processors, so that requests
reach the shared L2 and memory in order.  A group is issued when the group before is ``turns`` cycles old, the group
``queue`` before it is through, and its batch's buffer is free; each engine looks it up when its lines have come.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.hw.ngpc import Machine
from mlpress.jit import compiled, inner
from mlpress.sim.ngpc.cycles.layers import batch_groups, io_bytes, mlp_cycles, preload_bytes
from mlpress.sim.ngpc.cycles.timing import CAUSES, Timing
from mlpress.sim.ngpc.cycles.trace import Trace
from mlpress.sim.ngpc.cycles.workload import Workload

Reals = NDArray[np.float64]
_ISSUE, _BANKS, _LATENCY, _BANDWIDTH, _NETWORKS = range(5)
_NEAR, _FAR = 0, 1


class _Costs(NamedTuple):
    """A trace: cycles, lines and far lines (groups, engines), and whether a group has any line (groups,)."""

    cycles: Any
    lines: Any
    far: Any
    missing: Any


class _Rules(NamedTuple):
    """What is the same for all processors.

    ``moved`` is the L2's cycles for a batch's inputs, its results, and a processor's tables and weights before the
    first, and memory's cycles for the latter; ``line`` and ``latency`` are those of the L2 and of memory for a line.
    """

    groups: int
    per_batch: int
    turns: int
    queue: int
    networks: float
    moved: Reals
    line: Reals
    latency: Reals


class _State(NamedTuple):
    """Times of each processor: when its engines (processors, engines) and networks are free, its last issue, when the
    last groups (processors, queue) were through and what delayed them, when the next batch's inputs are there, when its
    two buffers (processors, 2) are free and their results are due; and the next group of each.  ``server`` is when the
    L2 and memory are free.
    """

    done: Reals
    networks: Reals
    issued: Reals
    through: Reals
    why: Any
    fetched: Reals
    free: Reals
    due: Reals
    at: Any
    server: Reals


@inner
def _sift(heap: Any, size: int, time: float, who: int) -> None:
    """Put an event in the place of the heap's first and restore the order: by time, then by processor."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            heap[other, 0] < heap[child, 0] or (heap[other, 0] == heap[child, 0] and heap[other, 1] < heap[child, 1])
        ):
            child = other
        if heap[child, 0] > time or (heap[child, 0] == time and heap[child, 1] >= who):
            break
        heap[at, 0] = heap[child, 0]
        heap[at, 1] = heap[child, 1]
        at = child
    heap[at, 0] = time
    heap[at, 1] = who


@inner
def _serve(server: Any, which: int, time: float, cycles: float) -> float:
    """Return when a request of ``cycles`` that comes at ``time`` is served, after those before it."""
    start = max(server[which], time)
    server[which] = start + cycles
    return float(start + cycles)


@inner
def _look_up(
    row: int, time: float, done: Any, cycles: Any, lines: Any, far: Any, server: Any, line: Any, latency: Any
) -> tuple[float, int]:
    """Look a group that misses up in all engines; return when the last has it, and the cause that delayed it."""
    last, cause = 0.0, _BANKS
    for engine in range(done.shape[0]):
        ready, why = time, _BANKS
        if lines[row, engine] > 0:
            served = _serve(server, _NEAR, time, lines[row, engine] * line[_NEAR])
            waited = latency[_NEAR]
            if far[row, engine] > 0:
                served = _serve(server, _FAR, served, far[row, engine] * line[_FAR])
                waited += latency[_FAR]
            ready = served + waited
            why = _BANDWIDTH if served - time > waited else _LATENCY
        if ready < done[engine]:
            why = _BANKS
        done[engine] = max(ready, done[engine]) + cycles[row, engine]
        if done[engine] >= last:
            last, cause = done[engine], why
    return last, cause


@compiled
def _run(costs: Any, rules: Any, state: Any, heap: Reals, causes: Reals, halves: Reals) -> float:
    """Simulate all groups on each processor; return the time of the last result.

    ``heap`` is (processors, 2), ``causes`` (5,) is added to, and ``halves`` (2,) becomes the mean times at which
    processors finished their middle and their last batch.  A group that needs nothing shared is issued with the one
    before: no other event can change it.
    """
    cycles, lines, far, missing = costs
    groups, per_batch, turns, queue, mlp, moved, line, latency = rules
    done, networks, issued, through, why, fetched, free, due, at, server = state
    processors, engines = done.shape
    size, end, offset = processors, 0.0, missing.shape[0] // processors
    while size > 0:
        time, who = heap[0, 0], int(heap[0, 1])
        s = at[who]
        if s < 0:
            loaded = _serve(server, _FAR, time, moved[3]) if who == 0 else time
            at[who], time = 0, _serve(server, _NEAR, loaded, moved[2] + moved[0]) + latency[_NEAR]
            issued[who] = time - turns
            _sift(heap, size, time, who)
            continue
        for half in range(2):
            if due[who, half] <= time:
                due[who, half] = np.inf
                end = max(end, _serve(server, _NEAR, time, moved[1]))
        coming = min(due[who, 0], due[who, 1])
        if s == groups:
            time = coming
            if coming == np.inf:
                size -= 1
                time, who = heap[size, 0], int(heap[size, 1])
        shared, row = s < groups, 0
        while shared or (s < groups and s % per_batch != 0 and time < coming and not missing[row]):
            shared = False
            row, slot, base = (s + who * offset) % missing.shape[0], s % queue, issued[who] + turns
            if time > base and s >= queue and through[who, slot] >= time:
                causes[why[who, slot]] += time - base
            elif time > base:
                causes[_BANDWIDTH if s % per_batch == 0 and fetched[who] >= time else _NETWORKS] += time - base
            issued[who] = time
            if missing[row]:
                last, cause = _look_up(row, time, done[who], cycles, lines, far, server, line, latency)
            else:
                last, cause = 0.0, _BANKS
                for engine in range(engines):
                    done[who, engine] = max(time, done[who, engine]) + cycles[row, engine]
                    last = max(last, done[who, engine])
            through[who, slot], why[who, slot] = last, cause
            if s % per_batch == 0:
                fetched[who] = _serve(server, _NEAR, time, moved[0]) + latency[_NEAR]
            s, time = s + 1, time + turns
            if s >= queue:
                time = max(time, through[who, s % queue])
            if s % per_batch == 0:
                number = s // per_batch - 1
                networks[who] = max(last, networks[who]) + mlp
                free[who, number % 2], due[who, number % 2] = networks[who], networks[who]
                coming = min(due[who, 0], due[who, 1])
                halves[0] += networks[who] / processors if s == groups // per_batch // 2 * per_batch else 0.0
                halves[1] += networks[who] / processors if s == groups else 0.0
                time = max(time, fetched[who], free[who, (number + 1) % 2])
            at[who], row = s, (s + who * offset) % missing.shape[0]
            if s == groups:
                time = coming
        _sift(heap, size, time, who)
    return end


def _start(processors: int, engines: int, queue: int) -> _State:
    """Return the state before the first event."""
    return _State(
        done=np.zeros((processors, engines)),
        networks=np.zeros(processors),
        issued=np.zeros(processors),
        through=np.zeros((processors, queue)),
        why=np.zeros((processors, queue), np.int64),
        fetched=np.zeros(processors),
        free=np.zeros((processors, 2)),
        due=np.full((processors, 2), np.inf),
        at=np.full(processors, -1),
        server=np.zeros(2),
    )


def simulate(work: Workload, machine: Machine, costs: Trace, samples: int = 4096, switch: bool = False) -> Timing:
    """Run ``samples`` samples on each processor, rounded up to whole batches, at least four of them.

    With ``switch`` the scene is new: every processor's tables and weights come first.
    """
    machine.check()
    placed = costs.placing
    lanes = placed.lanes
    per_batch = batch_groups(machine, lanes)
    batches = max(4, -(-samples // (per_batch * lanes)))
    groups = batches * per_batch
    size = per_batch * lanes
    rate = np.array([machine.l2_bandwidth, machine.dram_bandwidth]) / machine.clock_hz
    came, left = io_bytes(work, size)
    near_load, far_load = preload_bytes(work, machine) if switch else (0, 0)
    causes, halves = np.zeros(5), np.zeros(2)
    missing = costs.lines.any(axis=1)
    rules = _Rules(
        groups,
        per_batch,
        placed.turns,
        machine.queue,
        float(mlp_cycles(work, machine, size)),
        np.array([came / rate[0], left / rate[0], near_load / rate[0], far_load / rate[1]]),
        machine.line_bytes / rate,
        np.array([machine.l2_latency, machine.dram_latency], np.float64),
    )
    state = _start(machine.processors, costs.cycles.shape[1], machine.queue)
    heap = np.zeros((machine.processors, 2))
    heap[:, 1] = np.arange(machine.processors)
    cycles = _run(_Costs(costs.cycles, costs.lines, costs.far, missing), rules, state, heap, causes, halves)
    found = dict(zip(CAUSES, (causes / machine.processors).tolist(), strict=False))
    found["issue"] = float(groups * placed.turns)
    found["ends"] = float(cycles) - sum(found.values())
    after = groups - groups // per_batch // 2 * per_batch
    moved = machine.processors * groups * lanes
    near = machine.processors * near_load + moved * (
        costs.lines_per_sample * machine.line_bytes + work.input_bytes + work.output_bytes
    )
    distant = far_load + moved * costs.far_per_sample * machine.line_bytes
    steady = (halves[1] - halves[0]) / (after * lanes)
    return Timing(float(cycles), float(steady), groups * lanes, machine.processors, found, near, distant)
