"""What a net takes in flash and cycles before any code is written, for searches of the integer level."""

from __future__ import annotations

from collections.abc import Mapping

from mlpress.approx import CostModel, Layout, StartShape
from mlpress.hw.mcu import Core

FLOORS = {"flash": 20.0, "cycles": 20.0}
"""Bytes and cycles below which costs are spread evenly along a front, and above by their logarithm."""

SPILL = 1.25
"""Instructions of straight-line code per operation: values that leave registers and come back."""

LOOP_SPILL = {"flash": 2.5, "cycles": 1.9}
"""Cycles of a loop per cycle of its operations, by goal: measured on a Cortex-M0+ for 64-16-10, clang -Os and -O2."""

ODD = 10_000.0
"""What a layer that is no matrix costs as a loop: no search takes it."""

TAUGHT = 0.7
"""The share of the net's own scores in what even weights are trained to."""

TRAININGS = (
    StartShape(1.0, 6),
    StartShape(0.625, 0, 2, 3e-4, TAUGHT),
    StartShape(0.5, 0, 2, 3e-4, TAUGHT),
    StartShape(0.75, 0, 2, 5e-4, TAUGHT),
    StartShape(0.5, 2),
    StartShape(0.75, 0, 2, 1e-3, TAUGHT),
    StartShape(0.375, 2),
    StartShape(0.375, 0, 2, 3e-4, TAUGHT),
    StartShape(0.25, 2),
)
"""The nets that a search trains: cost falls with fewer neurons, smaller weights, and more of them 0."""

LIST, LISTED_OUTPUT, LISTED_CODE = (
    {"flash": 26, "cycles": 16},
    {"flash": 20, "cycles": 10},
    {"flash": 58, "cycles": 112},
)
"""Instructions around a list of inputs, around a neuron's lists, and of a layer, by goal, as the generator has them."""


def mcu_cost_model(layout: Layout, core: Core, goal: str, shape: str = "auto") -> CostModel:
    """Return the cost model of code for ``core``: straight lines, loops over weights, or lists, as ``goal`` has them.

    ``shape`` of the code is ``unrolled``, ``looped``, ``listed``, or whichever is cheaper.

    Counts follow :mod:`mlpress.codegen.c`: a term is an addition, a shift one per power of two of a neuron (sums are
    doubled between them), an output a bias, a shift and two comparisons; a loop reads words of packed weights for
    every source, four registers of sums at a time; a neuron has two lists of inputs per power of two.
    """
    known = {"unrolled": _straight(core), "looped": _looped(core, goal), "listed": _listed(core, goal)}
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


def _listed(core: Core, goal: str) -> dict[str, Mapping[str, float]]:
    c, wide, code = core.cycles, 1 if core.word == 32 else 2, core.instruction_bytes
    lists = 2 * (c["table"] + 2 * c["branch"] + LIST[goal] * wide * c["alu"])
    term = c["table"] + c["load"] + (wide + 0.6) * c["alu"]
    output = lists + LISTED_OUTPUT[goal] * c["alu"]
    cycles = {"term": term, "shift": lists, "output": output, "layer": 30.0 * c["alu"], "odd": ODD}
    flash = {"term": 1.0, "shift": 2.0, "output": 3.0, "layer": LISTED_CODE[goal] * code, "odd": ODD}
    return {"cycles": cycles, "flash": flash}
