"""The event model: positions, look-ups, misses, batches and results of every processor, in the order of time.

One event is the issue of a group of samples on one processor; a heap orders them over all processors, so that requests
reach the shared L2 and memory in order.  A group is issued when the group before is ``turns`` cycles old, the group
``queue`` before it is through, and its batch's buffer is free; each engine looks it up when its lines have come.
"""

from __future__ import annotations

from typing import Any

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
    group: int,
    missing: bool,
    time: float,
    done: Any,
    cost: Any,
    lines: Any,
    far: Any,
    server: Any,
    line: Any,
    latency: Any,
) -> tuple[float, int]:
    """Look a group up in all engines; return when the last has it, and the cause that delayed it."""
    last, cause = 0.0, _BANKS
    if not missing:
        for engine in range(done.shape[0]):
            through = max(time, done[engine]) + cost[group, engine]
            done[engine] = through
            last = max(last, through)
        return last, cause
    for engine in range(done.shape[0]):
        ready, why = time, _BANKS
        if lines[group, engine] > 0:
            served = _serve(server, _NEAR, time, lines[group, engine] * line[_NEAR])
            waited = latency[_NEAR]
            if far[group, engine] > 0:
                served = _serve(server, _FAR, served, far[group, engine] * line[_FAR])
                waited += latency[_FAR]
            ready = served + waited
            why = _BANDWIDTH if served - time > waited else _LATENCY
        if ready < done[engine]:
            why = _BANKS
        done[engine] = max(ready, done[engine]) + cost[group, engine]
        if done[engine] >= last:
            last, cause = done[engine], why
    return last, cause


@inner
def _cause(s: int, time: float, per_batch: int, fetched: float, ring: Any, why: Any) -> int:
    """Return what group ``s`` waited for until ``time``: the group that left the queue last, inputs, or a buffer."""
    queue = ring.shape[0]
    if s >= queue and ring[s % queue] >= time:
        return int(why[s % queue])
    if s % per_batch == 0 and fetched >= time:
        return _BANDWIDTH
    return _NETWORKS


@compiled
def _run(
    cost: Any,
    lines: Any,
    far: Any,
    groups: int,
    processors: int,
    per_batch: int,
    turns: int,
    queue: int,
    mlp: float,
    moved: Reals,
    line: Reals,
    latency: Reals,
    causes: Reals,
    halves: Reals,
) -> float:
    """Simulate ``groups`` groups on each processor; return the time of the last result.

    ``moved`` is the L2's cycles for a batch's inputs, its results, and a processor's tables and weights before the
    first, and memory's cycles for the latter; ``line`` and ``latency`` those of the L2 and of
    memory for a line; ``causes`` (5,) is added to, ``halves`` (2,) becomes the mean times at
    which processors finished their middle and their last batch.
    """
    engines, length = cost.shape[1], cost.shape[0]
    missing = np.zeros(length, np.bool_)
    for row in range(length):
        for engine in range(engines):
            missing[row] = missing[row] or lines[row, engine] > 0
    done = np.zeros((processors, engines))
    ring = np.zeros((processors, queue))
    why = np.zeros((processors, queue), np.int64)
    last_issue = np.zeros(processors)
    networks, fetched = np.zeros(processors), np.zeros(processors)
    buffers = np.zeros((processors, 2))
    due = np.full((processors, 2), np.inf)
    at = np.full(processors, -1)
    server = np.zeros(2)
    heap = np.zeros((processors, 2))
    for who in range(processors):
        heap[who, 1] = who
    size, end, middle = processors, 0.0, (groups // per_batch // 2) * per_batch
    while size > 0:
        time, who = heap[0, 0], int(heap[0, 1])
        s = at[who]
        if s < 0:
            loaded = _serve(server, _FAR, time, moved[3]) if who == 0 else time
            served = _serve(server, _NEAR, loaded, moved[2] + moved[0])
            at[who] = 0
            last_issue[who] = served + latency[_NEAR] - turns
            _sift(heap, size, last_issue[who] + turns, who)
            continue
        for half in range(2):
            if due[who, half] <= time:
                due[who, half] = np.inf
                out = _serve(server, _NEAR, time, moved[1])
                end = max(end, out)
        if s == groups:
            later = min(due[who, 0], due[who, 1])
            if later < np.inf:
                _sift(heap, size, later, who)
            else:
                size -= 1
                if size > 0:
                    _sift(heap, size, heap[size, 0], int(heap[size, 1]))
            continue
        base = last_issue[who] + turns
        if time > base:
            causes[_cause(s, time, per_batch, fetched[who], ring[who], why[who])] += time - base
        if s % per_batch == 0:
            served = _serve(server, _NEAR, time, moved[0])
            fetched[who] = served + latency[_NEAR]
        last_issue[who] = time
        row = (s + who * (length // processors)) % length
        through, reason = _look_up(row, missing[row], time, done[who], cost, lines, far, server, line, latency)
        ring[who, s % queue] = through
        why[who, s % queue] = reason
        at[who] = s + 1
        if (s + 1) % per_batch == 0:
            number = s // per_batch
            networks[who] = max(through, networks[who]) + mlp
            buffers[who, number % 2] = networks[who]
            due[who, number % 2] = networks[who]
            if s + 1 == middle:
                halves[0] += networks[who] / processors
            if s + 1 == groups:
                halves[1] += networks[who] / processors
        s += 1
        coming = last_issue[who] + turns
        if s == groups:
            coming = min(due[who, 0], due[who, 1])
        else:
            if s >= queue:
                coming = max(coming, ring[who, s % queue])
            if s % per_batch == 0:
                coming = max(coming, fetched[who])
                if s >= 2 * per_batch:
                    coming = max(coming, buffers[who, (s // per_batch) % 2])
        _sift(heap, size, coming, who)
    return end


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
    cycles = _run(
        *(costs.cycles, costs.lines, costs.far, groups, machine.processors, per_batch, placed.turns, machine.queue),
        float(mlp_cycles(work, machine, size)),
        np.array([came / rate[0], left / rate[0], near_load / rate[0], far_load / rate[1]]),
        machine.line_bytes / rate,
        np.array([machine.l2_latency, machine.dram_latency], np.float64),
        causes,
        halves,
    )
    found = dict(zip(CAUSES, causes / machine.processors, strict=False))
    found["issue"] = float(groups * placed.turns)
    found["ends"] = cycles - sum(found.values())
    after = groups - groups // per_batch // 2 * per_batch
    moved = machine.processors * groups * lanes
    near = machine.processors * near_load + moved * (
        costs.lines_per_sample * machine.line_bytes + work.input_bytes + work.output_bytes
    )
    distant = far_load + moved * costs.far_per_sample * machine.line_bytes
    steady = (halves[1] - halves[0]) / (after * lanes)
    return Timing(float(cycles), float(steady), groups * lanes, machine.processors, found, near, distant)
