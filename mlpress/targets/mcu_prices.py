"""What a net takes in flash and cycles before any code is written, for searches of the integer level."""

from __future__ import annotations

from collections.abc import Mapping

from mlpress.approx import CostModel, Layout
from mlpress.hw.mcu import Core

FLOORS = {"flash": 20.0, "cycles": 20.0}
"""Bytes and cycles below which costs are spread evenly along a front, and above by their logarithm."""

SPILL = 1.25
"""Instructions of straight-line code per operation: values that leave registers and come back."""

LOOP_SPILL = {"flash": 2.5, "cycles": 1.9}
"""Cycles of a loop per cycle of its operations, by goal: measured on a Cortex-M0+ for 64-16-10, clang -Os and -O2."""

ODD = 10_000.0
"""What a layer that is no matrix costs as a loop: no search takes it."""

TRAININGS = ((1.0, 6), (0.5, 2), (0.375, 2), (0.25, 2), (0.5, 1), (0.375, 3), (0.3125, 2), (0.75, 1))
"""Share of the neurons and largest shift of each net that a search trains: cost falls with both."""


def mcu_cost_model(layout: Layout, core: Core, goal: str, shape: str = "auto") -> CostModel:
    """Return the cost model of code for ``core``: straight lines, or loops over packed weights, as ``goal`` has them.

    ``shape`` of the code is ``unrolled``, ``looped``, or whichever is cheaper.

    Counts follow :mod:`mlpress.codegen.c`: a term is an addition, a shift one per power of two of a neuron (sums are
    doubled between them), an output a bias, a shift and two comparisons; a loop reads words of packed weights for
    every source, four registers of sums at a time.
    """
    known = {"unrolled": _straight(core), "looped": _looped(core, goal)}
    ways = [known[shape]] if shape in known else [*known.values()]
    first, second = ("cycles", "flash") if goal == "cycles" else ("flash", "cycles")
    return CostModel.of(layout, ways, {first: FLOORS[first], second: FLOORS[second]}, trainings=TRAININGS)


def _straight(core: Core) -> dict[str, Mapping[str, float]]:
    c, wide = core.cycles, 1 if core.word == 32 else 2
    count = {"term": 1.0, "masked": 1.0, "shift": 1.0, "output": 6.0}
    operations = {part: SPILL * wide * times for part, times in count.items()}
    cycles = {part: times * c["alu"] for part, times in operations.items()}
    flash = {part: times * core.instruction_bytes for part, times in operations.items()}
    return {
        "cycles": cycles | {"input": float(c["load"]), "net": 10.0},
        "flash": flash | {"input": core.instruction_bytes, "net": 8.0},
    }


def _looped(core: Core, goal: str) -> dict[str, Mapping[str, float]]:
    c = core.cycles
    loop = c["load"] + c["alu"] + c["branch"]
    paired = goal == "cycles" and core.multiplier
    word = c["load"] + c["multiply_add"] if paired else c["multiply_add"] + 2 * c["alu"]
    once = 0 if paired else c["load"] + c["alu"]
    spill = LOOP_SPILL[goal]
    cycles = {"word": spill * word, "pass": spill * (loop + once), "output": 8.0 * c["alu"], "layer": 40.0, "odd": ODD}
    table = {"word": 4.0} if paired else {"weight_bit": 1 / 8}
    code = core.instruction_bytes
    flash = table | {"layer": 50.0 * code, "output": 2.0, "net": 20.0, "odd": ODD}
    return {"cycles": cycles, "flash": flash}
