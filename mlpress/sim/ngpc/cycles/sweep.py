"""Configurations on which the two models are held against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mlpress.hw.ngpc import MODES, Machine, applications, encodings, machine
from mlpress.ir import GridShape
from mlpress.sim.ngpc.cycles.analytic import estimate
from mlpress.sim.ngpc.cycles.event import simulate
from mlpress.sim.ngpc.cycles.timing import Timing
from mlpress.sim.ngpc.cycles.trace import trace
from mlpress.sim.ngpc.cycles.workload import Workload, workload


@dataclass(frozen=True, slots=True)
class Configuration:
    """A work on a machine; ``switch`` begins with a new scene."""

    name: str
    work: Workload
    machine: Machine
    switch: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """What both models say of a configuration."""

    configuration: Configuration
    analytic: Timing
    event: Timing

    @property
    def difference(self) -> float:
        """Relative difference of the cycles, analytic over event."""
        return self.analytic.cycles / self.event.cycles - 1


def works() -> Iterator[tuple[str, Workload]]:
    """Yield the four applications with their three encodings."""
    for one in applications():
        for kind, shape in encodings(one.name).items():
            name = f"{one.name}/{kind}"
            yield name, workload(one, shape, name)


def odd_works() -> Iterator[tuple[str, Workload]]:
    """Yield works that the paper has none of: 1 to 4 dimensions, odd levels, tables and widths."""
    nerf, hashed = applications()[0], encodings("nerf")["hashgrid"]
    for dimensions in (1, 2, 3, 4):
        for levels, entries in ((16, 1 << 19), (5, 300007), (20, 1 << 16)):
            shape = replace(hashed, dimensions=dimensions, levels=levels, entries=entries)
            own = replace(nerf, dimensions=dimensions, directions=0, networks=((32, 64, 4),))
            name = f"{dimensions}-d/L{levels}/T{entries}"
            yield name, workload(own, shape, name)
    for widths in ((32, 128, 128, 4), (32, 200, 3), (32, 256, 256, 256, 16), (32, 65, 1)):
        name = f"widths {'-'.join(map(str, widths))}"
        yield name, workload(replace(nerf, networks=(widths,)), hashed, name)
    for levels in (1, 3, 7, 12, 33):
        name = f"L{levels}"
        yield name, workload(nerf, GridShape("hash", 3, levels, 4, 16, 1.3, 100003), name)


def configurations() -> Iterator[Configuration]:
    """Yield the whole sweep: works, modes, processors, queues, banks, sizes of SRAM, batches, new scenes, NeuRex."""
    for name, work in works():
        for mode in MODES:
            for processors in (1, 16, 64, 256):
                yield Configuration(name, work, machine(f"ngpc:{processors}", mode))
        for processors in (1, 16, 64):
            yield Configuration(f"{name}, queue 64", work, machine(f"ngpc:{processors}", "physical", queue=64))
        for banks in (2, 16):
            yield Configuration(f"{name}, {banks} banks", work, machine("ngpc:8", "physical", banks=banks))
        yield Configuration(f"{name}, 256 KB", work, machine("ngpc:8", "physical", sram_bytes=1 << 18))
        yield Configuration(f"{name}, batch 1024", work, machine("ngpc:8", "physical", batch=1024))
        yield Configuration(f"{name}, new scene", work, machine("ngpc:8", "physical"), switch=True)
    for name, work in odd_works():
        for processors in (1, 32):
            yield Configuration(name, work, machine(f"ngpc:{processors}", "physical"))
    for name, work in works():
        yield Configuration(f"{name}, NeuRex", work, machine("neurex-server", "paper"))


def random_configurations(count: int, seed: int) -> Iterator[Configuration]:
    """Yield physical machines drawn at random, far from the published one, on which no model was tuned."""
    generator = np.random.default_rng(seed)
    every = [*works(), *odd_works()]
    for _ in range(count):
        name, work = every[generator.integers(len(every))]
        changes = {
            "banks": int(generator.choice([2, 4, 8, 16])),
            "ports": int(generator.choice([1, 2])),
            "queue": int(generator.choice([32, 64, 128, 256, 512])),
            "batch": int(generator.choice([128, 256, 512])),
            "l2_latency": int(generator.integers(50, 400)),
            "dram_latency": int(generator.integers(100, 600)),
            "l2_bandwidth": float(generator.uniform(0.5e12, 4e12)),
            "sram_bytes": int(2 ** generator.integers(17, 21)),
            "fill_cycles": int(generator.integers(0, 128)),
        }
        processors = int(2 ** generator.uniform(0, 8))
        yield Configuration(name, work, machine(f"ngpc:{processors}", "physical", **changes))


def compare(one: Configuration, samples: int = 4096) -> Compared:
    """Run both models on a configuration, ``samples`` samples on each processor."""
    costs = trace(one.work, one.machine, samples)
    found = estimate(one.work, one.machine, costs, samples, one.switch)
    return Compared(one, found, simulate(one.work, one.machine, costs, samples, one.switch))
