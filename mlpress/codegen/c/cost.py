"""The cost model: flash and cycles of a shape on a core, estimated from counts of operations.

It serves to choose between shapes before anything is compiled.  Counts follow what compilers make of the inner loops;
``docs/mcu.md`` shows the estimates beside measurements.
"""

from __future__ import annotations

from typing import NamedTuple

from mlpress.codegen.c.packing import Group, Packing
from mlpress.codegen.c.unrolled import Work
from mlpress.hw.mcu import Core
from mlpress.ir import Ladder

CALL, OUTPUT = 30, 8
"""Instructions around a pass, and those that make a code of a sum."""

SPILL = 1.25
"""Instructions of straight-line code per operation: values that leave registers and come back."""


class Estimate(NamedTuple):
    """Bytes of flash, and cycles of a prediction."""

    flash: int
    cycles: int

    def plus(self, other: Estimate) -> Estimate:
        """Return the sum of both."""
        return Estimate(self.flash + other.flash, self.cycles + other.cycles)


def straight_cost(work: Work, core: Core, stored: bool = False) -> Estimate:
    """Return the cost of straight-line code; ``stored`` says that outputs go to memory."""
    c = core.cycles
    wide = 1 if core.word == 32 else 2
    plain = (work.adds + work.shifts + 2 * work.compares) * wide
    count = SPILL * plain + work.loads * (1 + stored)
    cycles = SPILL * plain * c["alu"] + work.loads * c["load"] + work.compares * c["branch"] / 2
    return Estimate(round(count * core.instruction_bytes) + work.tables + 8, round(cycles) + 10)


def packed_cost(packing: Packing, core: Core, top: int) -> Estimate:
    """Return the cost of a looped layer whose inputs have ``top`` bits, tables and pass functions included."""
    c = core.cycles
    m = packing.matrix
    flash, cycles = 0.0, 0.0
    shapes = set()
    for shape, _ in packing.groups:
        once, each = _pass(packing, shape, core, top)
        cycles += once + each * m.inputs + CALL * c["alu"] + shape.neurons * OUTPUT * c["alu"]
        flash += packing.step(shape) * shape.size // 8 + 4 * shape.sums
        if shape not in shapes and packing.kind == "coded":
            shapes.add(shape)
            flash += len(packing.elements(0)) + (45 + OUTPUT) * core.instruction_bytes
        if shape not in shapes:
            shapes.add(shape)
            flash += (10 + 5 * shape.sums + CALL + OUTPUT * packing.lanes) * core.instruction_bytes
    if isinstance(m.activation, Ladder):
        count = len(m.thresholds[0])
        flash += count * m.outputs * 2
        cycles += count * m.outputs * (c["load"] + 3 * c["alu"] + c["branch"])
    return Estimate(round(flash), round(cycles))


def _pass(packing: Packing, shape: Group, core: Core, top: int) -> tuple[float, float]:
    """Return cycles of a pass once, and for each input."""
    c, m = core.cycles, packing.matrix
    n = shape.sums
    loop = c["load"] + c["alu"] + c["branch"]
    match packing.kind:
        case "multiplied":
            product = c["multiply_add"] + 2 * c["alu"]
            return 0.0, loop + shape.words * c["load"] + c["alu"] + n * product
        case "paired":
            return 0.0, loop + n * (c["load"] + c["multiply_add"])
        case "coded":
            read = 8 * c["alu"] + 2 * c["load"] + c["branch"] + c["call"]
            return 0.0, loop + 10 * c["alu"] + read * 8 * len(packing.elements(0)) / m.inputs / m.outputs
        case "bitwise":
            bit = loop + 3 * c["alu"] + (shape.words * c["load"] + 2 * n * c["alu"]) / 2
            return (loop + c["alu"]) * packing.matrix.inputs, top * bit
        case "shifted":
            masked = packing.matrix.bits == 4  # a shift takes the low 5 bits of its register
            return 0.0, loop + shape.words * c["load"] + 2 * c["alu"] + n * (3 + masked) * c["alu"]
        case "bytes":
            wide = 1 if core.word == 32 else 2
            return 0.0, loop + n * (c["table"] + c["multiply"] + wide * c["alu"] + c["alu"])
        case "dsp":
            return 0.0, (loop + 3 * c["alu"] + n * (c["load"] + 2 * c["alu"] + 2 * c["multiply_add"])) / 4
