"""The analytic model: the slowest of issue, banks, misses, memory and networks sets the pace.

It reads a trace's sums alone: how long the busiest engine is with ``queue`` groups, how many groups start a wait for
lines that nothing before them hides, and lines per sample.
"""

from __future__ import annotations

from typing import Any, NamedTuple


from mlpress.hw.ngpc import Machine
from mlpress.jit import compiled
from mlpress.sim.ngpc.cycles.layers import batch_groups, mlp_cycles
from mlpress.sim.ngpc.cycles.timing import CAUSES, Timing
from mlpress.sim.ngpc.cycles.trace import Trace
from mlpress.sim.ngpc.cycles.workload import Workload


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
def _epochs(lines: Any, far: Any, size: int, near: float, distant: float) -> tuple[float, float]:
    """Return waits per group that no wait within ``size`` groups before hides, and the mean latency of such a wait."""
    groups, engines = lines.shape
    at, count, total = 0, 0, 0.0
    while at < groups:
        longest = 0.0
        for engine in range(engines):
            if lines[at, engine] > 0:
                longest = max(longest, near + (distant if far[at, engine] > 0 else 0.0))
        if longest > 0:
            count += 1
            total += longest
            at += size
        else:
            at += 1
    return count / groups, total / max(count, 1)


class Pace(NamedTuple):
    """Cycles per group by what could set the pace; the largest does."""

    issue: float
    banks: float
    latency: float
    bandwidth: float
    networks: float


def pace(work: Workload, machine: Machine, costs: Trace) -> Pace:
    """Return the cycles per group of samples that each part of a processor needs."""
    placed = costs.placing
    lanes = placed.lanes
    size = batch_groups(machine, lanes)
    banks = _windows(costs.cycles, machine.queue)
    rate, wait = _epochs(costs.lines, costs.far, machine.queue, machine.l2_latency, machine.dram_latency)
    own = max(banks, float(placed.turns))
    hidden = machine.queue * own
    latency = own + rate * max(0.0, wait - hidden)
    moved = work.input_bytes + work.output_bytes
    near = (costs.lines_per_sample * machine.line_bytes + moved) / machine.l2_bandwidth
    far = (costs.far_per_sample * machine.line_bytes + moved) / machine.dram_bandwidth
    bandwidth = machine.processors * lanes * machine.clock_hz * max(near, far)
    return Pace(float(placed.turns), banks, latency, bandwidth, mlp_cycles(work, machine, size * lanes) / size)


def estimate(work: Workload, machine: Machine, costs: Trace, samples: int = 4096) -> Timing:
    """Return the timing of ``samples`` samples on each processor, rounded up as the event model does."""
    machine.check()
    lanes = costs.placing.lanes
    size = batch_groups(machine, lanes)
    batches = max(4, -(-samples // (size * lanes)))
    groups = batches * size
    found = pace(work, machine, costs)
    step = max(found)
    encode = max(found.issue, found.banks, found.latency, found.bandwidth)
    rates = machine.l2_bandwidth, machine.dram_bandwidth
    came = work.input_bytes * size * lanes * machine.clock_hz * machine.processors
    first = machine.l2_latency + machine.dram_latency + came * sum(1 / rate for rate in rates)
    fill = first + size * encode if found.networks >= encode else first + size * found.networks
    cycles = fill + groups * step
    causes = dict.fromkeys(CAUSES, 0.0)
    before = 0.0
    for cause, value in zip(CAUSES, found, strict=False):
        causes[cause] = groups * max(0.0, value - before)
        before = max(before, value)
    causes["ends"] = cycles - sum(causes.values())
    moved = machine.processors * groups * lanes
    own = work.input_bytes + work.output_bytes
    near = moved * (costs.lines_per_sample * machine.line_bytes + own)
    far = moved * (costs.far_per_sample * machine.line_bytes + own)
    return Timing(cycles, step / lanes, groups * lanes, machine.processors, causes, near, far)


