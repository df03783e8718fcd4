"""The cost model: flash and cycles of a shape on a core, estimated from counts of operations.

It serves to choose between shapes before anything is compiled.  Counts follow what compilers make of the inner loops;
``docs/mcu.md`` shows the estimates beside measurements.
"""

from __future__ import annotations

from typing import NamedTuple

from mlpress.codegen.c.packing import Group, Packing
from mlpress.codegen.c.text import type_bytes
from mlpress.codegen.c.unrolled import Work
from mlpress.hw.mcu import Core
from mlpress.ir import Ladder

CALL, OUTPUT = 30, 8
"""Instructions around a pass, and those that make a code of a sum."""

SPILL = 1.25
"""Instructions of straight-line code per operation: values that leave registers and come back."""


LIST, LISTED_OUTPUT, LISTED_CODE = (16, 26), (10, 20), (112, 58)
"""Instructions around a list, those around a neuron's lists, and those of a layer: in line, and by a function."""


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


def packed_cost(packing: Packing, core: Core, top: int, small: bool = False) -> Estimate:
    """Return the cost of a looped layer whose inputs have ``top`` bits, tables and pass functions included."""
    c = core.cycles
    m = packing.matrix
    if packing.kind == "listed":
        return listed_cost(packing, core, small)
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


def listed_cost(packing: Packing, core: Core, small: bool) -> Estimate:
    """Return the cost of a layer of lists; ``small`` says that a function, not code in line, adds a list."""
    c, made = core.cycles, packing.lists
    stream, wide = made.stream(), 1 if core.word == 32 or packing.word == "uint16_t" else 2
    count = sum(len(row) for row in made.rows)
    terms = sum(len(one) for row in made.rows for one in row)
    cycles = terms * (c["table"] + c["load"] + (wide + 0.6) * c["alu"])
    cycles += count * (c["table"] + 2 * c["branch"] + LIST[small] * wide * c["alu"])
    cycles += (len(made.rows) * LISTED_OUTPUT[small] + CALL) * c["alu"]
    flash = len(stream) * made.size // 8 + type_bytes(packing.bias_word) * len(made.rows)
    return Estimate(round(flash + LISTED_CODE[small] * core.instruction_bytes), round(cycles))


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
        case "listed":
            raise AssertionError("lists are read without passes")
        case "dsp":
            return 0.0, (loop + 3 * c["alu"] + n * (c["load"] + 2 * c["alu"] + 2 * c["multiply_add"])) / 4
