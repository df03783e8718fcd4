"""Cycle models of neural-graphics clusters: an analytic one and an event model that check each other.

:func:`workload` says what there is to do per sample, :func:`trace` what the look-ups cost in a machine's SRAM, from
real addresses; :func:`estimate` and :func:`simulate` time it, and :func:`frame` compares a frame with the GPU's.
"""

from mlpress.sim.ngpc.cycles.addresses import entries, positions
from mlpress.sim.ngpc.cycles.analytic import Pace, estimate, pace
from mlpress.sim.ngpc.cycles.energy import energy_pj
from mlpress.sim.ngpc.cycles.event import simulate
from mlpress.sim.ngpc.cycles.frame import (
    Amdahl,
    Cost,
    Frame,
    Roofline,
    amdahl,
    cost,
    frame,
    least_sram_mm2,
    products_w,
    roofline,
)
from mlpress.sim.ngpc.cycles.layers import mlp_cycles, preload_bytes, tiles
from mlpress.sim.ngpc.cycles.sweep import (
    Compared,
    Configuration,
    compare,
    configurations,
    odd_works,
    random_configurations,
    works,
)
from mlpress.sim.ngpc.cycles.timing import CAUSES, Timing
from mlpress.sim.ngpc.cycles.trace import Trace, trace
from mlpress.sim.ngpc.cycles.workload import Level, Place, Placing, Workload, level_of, machine_of, placing, workload

__all__ = [
    "CAUSES",
    "Amdahl",
    "Compared",
    "Configuration",
    "Cost",
    "Frame",
    "Level",
    "Pace",
    "Place",
    "Placing",
    "Roofline",
    "Timing",
    "Trace",
    "Workload",
    "amdahl",
    "compare",
    "configurations",
    "cost",
    "energy_pj",
    "entries",
    "estimate",
    "frame",
    "least_sram_mm2",
    "level_of",
    "machine_of",
    "mlp_cycles",
    "odd_works",
    "pace",
    "placing",
    "positions",
    "preload_bytes",
    "products_w",
    "random_configurations",
    "roofline",
    "simulate",
    "tiles",
    "trace",
    "workload",
    "works",
]
