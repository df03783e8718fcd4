"""The analytic model: the slowest of issue, banks, misses, memory and networks sets the pace.

It reads a trace's sums alone: how long the busiest engine is with ``queue`` groups, how many groups start a wait for
lines that nothing before them hides, and lines per sample.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mlpress.hw.ngpc import Machine
from mlpress.jit import compiled
from mlpress.sim.ngpc.cycles.layers import batch_groups, mlp_cycles, preload_bytes
from mlpress.sim.ngpc.cycles.timing import CAUSES, Timing
from mlpress.sim.ngpc.cycles.trace import Trace
from mlpress.sim.ngpc.cycles.workload import Workload

NORM, OTHERS = 8, 0.7
"""Exponent by which irregular waits add up, and share of the processors that look up while one does: both fitted to the
event model on the sweep, as no closed form is known."""


@compiled
def _windows(cost: Any, size: int) -> float:
    """Return the mean over windows of ``size`` groups of the busiest engine's cycles per group."""
    groups, engines = cost.shape
    size = min(size, groups)
    total, count = 0.0, 0
    for start in range(0, groups - size + 1, size):
        worst = 0
        for engine in range(engines):
            busy = 0
            for group in range(start, start + size):
                busy += cost[group, engine]
            worst = max(worst, busy)
        total += worst
        count += 1
    return total / (count * size)


@compiled
def _waits(lines: Any, far: Any, size: int, near: float, distant: float, step: float, slack: float) -> float:
    """Return the cycles per group that waiting for lines adds to ``step``.

    A wait hides others within ``size`` groups, and ``size`` steps of other engines hide a part of it.  Engines that
    miss are faster by ``slack`` per group, and so were ahead by that, for each group since the last wait.
    """
    groups, engines = lines.shape
    total = 0.0
    at, since = 0, 0
    while at < groups:
        longest = 0.0
        for engine in range(engines):
            if lines[at, engine] > 0:
                longest = max(longest, near + (distant if far[at, engine] > 0 else 0.0))
        if longest > size * step:
            total += max(0.0, longest - size * step - min(since, size) * slack)
            at += size
            since = 0
        else:
            at += 1
            since += 1
    return float(total / groups)


@compiled
def _alone(cost: Any, lines: Any, far: Any, size: int, near: float, distant: float, step: float) -> float:
    """Return the mean cycles from the issue of a batch of ``size`` groups, alone, to the last of its look-ups.

    Groups are issued, or their lines come, every ``step`` cycles.
    """
    groups, engines = cost.shape
    size = min(size, groups)
    total, count = 0.0, 0
    for start in range(0, groups - size + 1, size):
        longest = 0.0
        for engine in range(engines):
            done = 0.0
            for group in range(start, start + size):
                ready = (group - start) * step
                if lines[group, engine] > 0:
                    ready += near + (distant if far[group, engine] > 0 else 0.0)
                done = max(done, ready) + cost[group, engine]
            longest = max(longest, done)
        total += longest
        count += 1
    return total / count


class Pace(NamedTuple):
    """Cycles per group by what could set the pace.

    ``networks`` counts both batch buffers: two batches take as long as one alone needs to be looked up and taken, with
    with others looking up meanwhile (:func:`alone`).
    """

    issue: float
    banks: float
    latency: float
    bandwidth: float
    networks: float

    @property
    def step(self) -> float:
        """Cycles per group: the largest; but waits are irregular, and add up with what they are nearly as long as.

        The exponent of their power mean is :data:`NORM`.
        """
        if self.latency <= max(self.issue, self.banks):
            return max(self)
        other = max(self.bandwidth, self.networks)
        return float((self.latency**NORM + other**NORM) ** (1 / NORM))


def pace(work: Workload, machine: Machine, costs: Trace) -> Pace:
    """Return the cycles per group of samples that each part of a processor needs."""
    placed = costs.placing
    lanes = placed.lanes
    size = batch_groups(machine, lanes)
    banks = _windows(costs.cycles, machine.queue)
    own = max(banks, float(placed.turns))
    waits = float(machine.l2_latency), float(machine.dram_latency)
    slack = _slack(costs, own)
    latency = own + max(
        _waits(lines, costs.far, machine.queue, *waits, own, slack) for lines in (costs.lines, costs.far)
    )
    moved = work.input_bytes + work.output_bytes
    near = (costs.lines_per_sample * machine.line_bytes + moved) / machine.l2_bandwidth
    far = costs.far_per_sample * machine.line_bytes / machine.dram_bandwidth
    bandwidth = machine.processors * lanes * machine.clock_hz * max(near, far)
    networks = mlp_cycles(work, machine, size * lanes) / size
    if costs.lines_per_sample:
        networks = max(networks, (max(alone(machine, costs) / size, latency) + networks) / 2)
    return Pace(float(placed.turns), banks, latency, bandwidth, networks)


def fetch(machine: Machine, costs: Trace) -> float:
    """Return the cycles per group in which the L2 and memory serve the lines of all processors."""
    line = machine.line_bytes * machine.processors * costs.placing.lanes * machine.clock_hz
    return line * max(costs.lines_per_sample / machine.l2_bandwidth, costs.far_per_sample / machine.dram_bandwidth)


def alone(machine: Machine, costs: Trace) -> float:
    """Return the cycles from the issue of a batch to its last look-up, with :data:`OTHERS` looking up meanwhile."""
    step = max(float(costs.placing.turns), OTHERS * fetch(machine, costs))
    size = batch_groups(machine, costs.placing.lanes)
    return float(_alone(costs.cycles, costs.lines, costs.far, size, machine.l2_latency, machine.dram_latency, step))


def _slack(costs: Trace, own: float) -> float:
    """Return by how many cycles per group engines that miss are faster than ``own``."""
    missing = costs.lines.any(axis=0)
    return max(0.0, own - float(costs.cycles[:, missing].mean())) if missing.any() else 0.0


def estimate(work: Workload, machine: Machine, costs: Trace, samples: int = 4096, switch: bool = False) -> Timing:
    """Return the timing of ``samples`` samples on each processor, rounded up as the event model does.

    With ``switch`` the scene is new: every processor's tables and weights come first.
    """
    machine.check()
    lanes = costs.placing.lanes
    size = batch_groups(machine, lanes)
    batches = max(4, -(-samples // (size * lanes)))
    groups = batches * size
    found = pace(work, machine, costs)
    step = found.step
    came = work.input_bytes * size * lanes * machine.processors * machine.clock_hz
    near_load, far_load = preload_bytes(work, machine) if switch else (0, 0)
    loads = machine.processors * near_load / machine.l2_bandwidth + far_load / machine.dram_bandwidth
    first = machine.l2_latency + came / machine.l2_bandwidth + loads * machine.clock_hz
    encode = max(found.issue, found.banks, found.latency, fetch(machine, costs))
    cycles = (
        first
        + (groups - size) * step
        + max(size * encode, alone(machine, costs))
        + mlp_cycles(work, machine, size * lanes)
    )
    causes = dict.fromkeys(CAUSES, 0.0)
    before = 0.0
    for cause, value in zip(CAUSES, found, strict=False):
        causes[cause] = groups * max(0.0, value - before)
        before = max(before, value)
    moved = machine.processors * groups * lanes
    own = work.input_bytes + work.output_bytes
    near = machine.processors * near_load + moved * (costs.lines_per_sample * machine.line_bytes + own)
    distant = far_load + moved * costs.far_per_sample * machine.line_bytes
    causes[max(CAUSES[:5], key=lambda cause: causes[cause])] += groups * (step - before)
    causes["ends"] = cycles - sum(causes.values())
    return Timing(cycles, step / lanes, groups * lanes, machine.processors, causes, near, distant)
