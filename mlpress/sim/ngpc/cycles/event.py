"""The event model: positions, look-ups, misses, batches and results of every processor, in the order of time.

One event is the issue of a group of samples on one processor; events are taken in the order of time over all
processors, so that requests reach the shared L2 and memory in order.  A group is issued when the group before is
``turns`` cycles old, the group ``queue`` before it is through, and its batch's buffer is free; each engine looks it up
when its lines have come.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.hw.ngpc import Machine
from mlpress.jit import compiled, inlined
from mlpress.sim.ngpc.cycles.layers import batch_groups, io_bytes, mlp_cycles, preload_bytes
from mlpress.sim.ngpc.cycles.timing import CAUSES, Timing
from mlpress.sim.ngpc.cycles.trace import Trace
from mlpress.sim.ngpc.cycles.workload import Workload

Reals = NDArray[np.float64]
Words = NDArray[np.int64]
_ISSUE, _BANKS, _LATENCY, _BANDWIDTH, _NETWORKS = range(5)
_NEAR, _FAR = 0, 1
_SIDE_BY_SIDE = _BLOCKS = 16
"""Events that are compared at a time, by vector instructions, and so many of these: one per processor at most."""


class _Costs(NamedTuple):
    """A trace: ``cycles`` (groups, engines), and the misses of all groups one after the other.

    Those of group g are ``first[g]`` to ``first[g + 1]``: ``engine``, and for how many cycles the L2 and memory (0 for
    no line from there) serve its lines, ``served`` (misses, 2).  ``even``: no group misses, or keeps an engine for
    longer than a group is issued for, so that no look-up ever waits; ``longest`` (groups,) is then all that is needed.
    """

    cycles: Any
    longest: Any
    first: Words
    engine: NDArray[np.uint16]
    served: Reals
    even: bool


class _Rules(NamedTuple):
    """What is the same for all processors.

    ``moved`` is the L2's cycles for a batch's inputs, its results, and a processor's tables and weights before the
    first, and memory's cycles for the latter; ``latency`` is that of the L2 and of memory for a line.
    """

    groups: int
    per_batch: int
    turns: int
    queue: int
    networks: float
    moved: Reals
    latency: Reals


class _State(NamedTuple):
    """What is known of each processor.

    ``done`` (processors, engines) is when its engines are free, ``through`` and ``why`` (processors, queue) when its
    last groups were through and what delayed them.  ``times`` (processors, 8) are its last issue, when its networks are
    free, when the next batch's inputs are there, and when its two buffers are free and their results are due.
    ``places`` (processors, 5) are the next group's number, -1 before the first, its row of the trace, its place in the
    queue and in its batch, and the batch's buffer.  ``order`` is when each processor's next event is, infinite for
    none, and ``least`` the first of every :data:`_SIDE_BY_SIDE` of them: the bits of floats, which for numbers that are
    not negative have the same order.
    """

    done: Reals
    through: Reals
    why: NDArray[np.uint8]
    times: Reals
    places: Words
    order: Words
    least: Words


_ISSUED, _FREE_NETWORKS, _FETCHED, _FREE, _DUE = 0, 1, 2, 4, 6
"""Columns of ``times``; of the last two there is one per buffer."""


@inlined
def _next(order: Words, least: Words, who: int, bits: int) -> tuple[int, int]:
    """Give processor ``who`` its next event, and return the first of all with its processor, the first of several.

    All is read before anything is written: vectors that hold a word just written would wait for it.
    """
    block = who // _SIDE_BY_SIDE
    own = bits
    for k in range(_SIDE_BY_SIDE):
        one = bits if k == who % _SIDE_BY_SIDE else order[block, k]
        own = one if one < own else own
    top = own
    for b in range(_BLOCKS):
        one = own if b == block else least[b]
        top = one if one < top else top
    found = _BLOCKS
    for b in range(_BLOCKS):
        found = min(found, b if (own if b == block else least[b]) == top else _BLOCKS)
    place = _SIDE_BY_SIDE
    for k in range(_SIDE_BY_SIDE):
        one = bits if found * _SIDE_BY_SIDE + k == who else order[found, k]
        place = min(place, k if one == top else _SIDE_BY_SIDE)
    order[block, who % _SIDE_BY_SIDE], least[block] = bits, own
    return found * _SIDE_BY_SIDE + place, top


@inlined
def _look_up(time: float, who: int, row: int, done: Reals, bits: Words, cycles: Any) -> Any:
    """Look a group up that every engine has the lines of; return the bits of when the last one is done."""
    for engine in range(done.shape[1]):
        before = done[who, engine]
        done[who, engine] = (time if time > before else before) + cycles[row, engine]
    top = np.int64(0)
    for engine in range(bits.shape[1]):
        top = bits[who, engine] if bits[who, engine] > top else top
    return top


@inlined
def _request(
    time: float,
    who: int,
    row: int,
    done: Reals,
    cycles: Any,
    first: Words,
    engines: Any,
    served: Reals,
    server: Reals,
    latency: Reals,
    late: Reals,
    whys: Words,
) -> int:
    """Fetch a group's lines: write when each engine that misses has looked it up, and what delayed it, from place 0.

    Returns the place of the last one; of several at a time, the last engine's.
    """
    start, last, latest = first[row], 0, 0.0
    near, far, beyond = server[_NEAR], server[_FAR], latency[_NEAR] + latency[_FAR]
    near = near if near > time else time
    for k in range(start, first[row + 1]):
        distant = served[k, _FAR] > 0
        near += served[k, _NEAR]
        fetched = (far if far > near else near) + served[k, _FAR]
        far = fetched if distant else far
        come = fetched if distant else near
        waited = beyond if distant else latency[_NEAR]
        ready, before = come + waited, done[who, engines[k]]
        late[k - start] = (ready if ready > before else before) + cycles[row, engines[k]]
        behind = _BANDWIDTH if come - time > waited else _LATENCY
        whys[k - start] = _BANKS if ready < before else behind
        last = k - start if late[k - start] >= latest else last
        latest = late[k - start] if late[k - start] >= latest else latest
    server[_NEAR], server[_FAR] = near, far
    return last


@inlined
def _last_of(
    top: Any,
    who: int,
    row: int,
    first: Words,
    engines: Any,
    done: Reals,
    bits: Words,
    late: Reals,
    whys: Words,
    latest: Any,
    cause: int,
) -> tuple[Any, int]:
    """Write when the engines that miss are done; return the bits of when the last of all is, and what delayed it.

    ``top`` are those had nothing been missed, ``latest`` those of the last engine that misses, and ``cause`` what
    delayed it.
    """
    start, stop = first[row], first[row + 1]
    for k in range(start, stop):
        done[who, engines[k]] = late[k - start]
    if latest != top:
        return (latest, cause) if latest > top else (top, _BANKS)
    last = bits.shape[1] - 1
    while bits[who, last] != top:
        last -= 1
    cause = _BANKS
    for k in range(start, stop):
        cause = whys[k - start] if engines[k] == last else cause
    return top, cause


@inlined
def _load(time: float, who: int, server: Reals, moved: Reals) -> float:
    """Return when a processor's tables, weights and first inputs have come; the first processor's fill the L2."""
    if who == 0:
        time = server[_FAR] = max(server[_FAR], time) + moved[3]
    server[_NEAR] = max(server[_NEAR], time) + (moved[2] + moved[0])
    return float(server[_NEAR])


@compiled
def _run(costs: Any, rules: Any, state: Any, server: Reals, causes: Reals, halves: Reals) -> float:
    """Simulate all groups on each processor; return the time of the last result.

    ``server`` (2,) is when the L2 and memory are free, ``causes`` (5,) is added to, and ``halves`` (2,) becomes the
    mean times at which processors finished their middle and their last batch.  A group that needs nothing shared is
    issued with the one before: no other event can change it.
    """
    cycles, longest, first, engine, served, even = costs
    groups, per_batch, turns, queue, mlp, moved, latency = rules
    done, through, why, times, places, order, least = state
    bits, rows, live, end = done.view(np.int64), longest.shape[0], done.shape[0], 0.0
    processors, middle = live, groups // per_batch // 2 * per_batch
    late, whys = np.zeros(done.shape[1]), np.zeros(done.shape[1], np.int64)
    lates, word = late.view(np.int64), np.zeros(1, np.int64)
    value, who, cause = word.view(np.float64), 0, _BANKS
    while live > 0:
        who, word[0] = _next(order, least, who, word[0])
        time = value[0]
        s, row, slot, place, half = places[who, 0], places[who, 1], places[who, 2], places[who, 3], places[who, 4]
        if s < 0:
            value[0] = _load(time, who, server, moved) + latency[_NEAR]
            places[who, 0], times[who, _ISSUED] = 0, value[0] - turns
            continue
        for k in range(2):
            if times[who, _DUE + k] <= time:
                times[who, _DUE + k] = np.inf
                server[_NEAR] = max(server[_NEAR], time) + moved[1]
                end = max(end, server[_NEAR])
        coming = min(times[who, _DUE], times[who, _DUE + 1])
        if s == groups:
            live -= coming == np.inf
            value[0] = coming
            continue
        while True:
            base = times[who, _ISSUED] + turns
            if time > base:
                if s >= queue and through[who, slot] >= time:
                    causes[why[who, slot]] += time - base
                else:
                    causes[_BANDWIDTH if place == 0 and times[who, _FETCHED] >= time else _NETWORKS] += time - base
            if first[row] == first[row + 1]:
                word[0], cause = _look_up(time, who, row, done, bits, cycles), _BANKS
            else:
                k = _request(time, who, row, done, cycles, first, engine, served, server, latency, late, whys)
                top = _look_up(time, who, row, done, bits, cycles)
                word[0], cause = _last_of(top, who, row, first, engine, done, bits, late, whys, lates[k], whys[k])
            last = value[0]
            through[who, slot], why[who, slot] = last, cause
            if place == 0:
                server[_NEAR] = max(server[_NEAR], time) + moved[0]
                times[who, _FETCHED] = server[_NEAR] + latency[_NEAR]
            times[who, _ISSUED] = time
            s, row, slot, place, time = s + 1, row + 1, slot + 1, place + 1, time + turns
            if even:
                while place < per_batch and time < coming:
                    times[who, _ISSUED] = time
                    s, row, slot, place, time = s + 1, row + 1, slot + 1, place + 1, time + turns
                last = times[who, _ISSUED] + longest[(row - 1) % rows]
                row, slot = row % rows, slot % queue
            row, slot = 0 if row == rows else row, 0 if slot == queue else slot
            if s >= queue:
                time = max(time, through[who, slot])
            if place == per_batch:
                place = 0
                taken = max(last, times[who, _FREE_NETWORKS]) + mlp
                times[who, _FREE_NETWORKS], times[who, _FREE + half], times[who, _DUE + half] = taken, taken, taken
                coming, half = min(times[who, _DUE], times[who, _DUE + 1]), 1 - half
                halves[0] += taken / processors if s == middle else 0.0
                halves[1] += taken / processors if s == groups else 0.0
                time = max(time, times[who, _FETCHED], times[who, _FREE + half])
            time = coming if s == groups else time
            if s == groups or place == 0 or time >= coming or first[row] != first[row + 1]:
                break
        places[who, 0], places[who, 1], places[who, 2], places[who, 3], places[who, 4] = s, row, slot, place, half
        value[0] = time
    return end


@compiled
def _count(cycles: Any, lines: Any, longest: Words, first: Words) -> None:
    """Write the most cycles of any engine per group, and where its misses begin."""
    for group in range(longest.shape[0]):
        most, missing = 0, 0
        for engine in range(cycles.shape[1]):
            most = max(most, int(cycles[group, engine]))
            missing += lines[group, engine] > 0
        longest[group], first[group + 1] = most, first[group] + missing


@compiled
def _list(lines: Any, far: Any, line: Reals, engines: Any, served: Reals) -> None:
    """Write each miss' engine, and the cycles in which the L2 and memory serve its lines."""
    at = 0
    for group in range(lines.shape[0]):
        for engine in range(lines.shape[1]):
            if lines[group, engine] > 0:
                engines[at] = engine
                served[at, _NEAR] = lines[group, engine] * line[_NEAR]
                served[at, _FAR] = far[group, engine] * line[_FAR]
                at += 1


def _costs(costs: Trace, line: Reals) -> _Costs:
    """Return a trace as the simulation reads it; ``line`` is the L2's and memory's cycles for a line."""
    longest, first = np.zeros(costs.groups, np.int64), np.zeros(costs.groups + 1, np.int64)
    _count(costs.cycles, costs.lines, longest, first)
    engine, served = np.zeros(first[-1], np.uint16), np.zeros((first[-1], 2))
    _list(costs.lines, costs.far, line, engine, served)
    even = costs.cycles.size > 0 and first[-1] == 0 and longest.max() <= costs.placing.turns
    return _Costs(costs.cycles, longest, first, engine, served, bool(even))


def _start(processors: int, engines: int, queue: int, rows: int) -> _State:
    """Return the state before the first event; each processor begins at a row of its own."""
    events = np.full((_BLOCKS, _SIDE_BY_SIDE), np.inf)
    events.reshape(-1)[:processors] = 0.0
    places = np.zeros((processors, 5), np.int64)
    places[:, 0], places[:, 1] = -1, np.arange(processors) * (rows // processors) % rows
    times = np.zeros((processors, 8))
    times[:, _DUE:] = np.inf
    return _State(
        done=np.zeros((processors, engines)),
        through=np.zeros((processors, queue)),
        why=np.zeros((processors, queue), np.uint8),
        times=times,
        places=places,
        order=events.view(np.int64),
        least=events.view(np.int64).min(axis=1),
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
    rules = _Rules(
        groups,
        per_batch,
        placed.turns,
        machine.queue,
        float(mlp_cycles(work, machine, size)),
        np.array([came / rate[0], left / rate[0], near_load / rate[0], far_load / rate[1]]),
        np.array([machine.l2_latency, machine.dram_latency], np.float64),
    )
    state = _start(machine.processors, costs.cycles.shape[1], machine.queue, costs.groups)
    cycles = _run(_costs(costs, machine.line_bytes / rate), rules, state, np.zeros(2), causes, halves)
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
