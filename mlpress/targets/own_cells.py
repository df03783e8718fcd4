"""A genome as a netlist: every gate in its own cells."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from mlpress.approx.gates import FIRST_INPUT, LEFT, RIGHT, Genome
from mlpress.hw.printed import CellKind, Netlist, Port, Technology
from mlpress.ir import Input, input_ports


class Step(NamedTuple):
    """One cell of a composition: it makes the function ``made`` from the functions ``left`` and ``right``."""

    cell: str
    left: int
    right: int
    made: int


def to_netlist(
    genome: Genome,
    inputs: tuple[Input, ...],
    technology: Technology,
    steps: Sequence[Sequence[Step]],
    name: str = "top",
) -> Netlist:
    """Return the cells of every gate, by its function's ``steps``, with the ports of the RTL, the last one ``y``."""
    used = sorted({step.cell for table in set(genome.table.tolist()) for step in steps[table]})
    cells = [technology.cells[cell] for cell in used]
    kinds = tuple(CellKind(cell.name, (*cell.inputs, *cell.outputs)) for cell in cells)
    rows: list[list[int]] = []
    kind: list[int] = []
    given = input_ports(inputs)
    nets = ["0", "1", *(f"{port}_{bit}" for port, width in given for bit in range(width))]
    signals = list(range(genome.first_gate))  # the net of every signal: constants and inputs have their own numbers
    width = max((len(each.pins) for each in kinds), default=0)
    for gate, (table, (a, b)) in enumerate(zip(genome.table.tolist(), genome.operands.tolist(), strict=True)):
        made = {LEFT: signals[a], RIGHT: signals[b]}
        for k, step in enumerate(steps[table]):
            nets.append(f"g{gate}_{k}")
            made[step.made] = len(nets) - 1
            pins = [made[step.left], made[step.right]][: len(kinds[used.index(step.cell)].pins) - 1]
            rows.append([*pins, len(nets) - 1] + [-1] * (width - len(pins) - 1))
            kind.append(used.index(step.cell))
        signals.append(made[table])
    ends = list(accumulate((width for _, width in given), initial=FIRST_INPUT))
    ports = [
        Port(port, "input", tuple(range(ends[k], ends[k + 1])), width - 1, 0) for k, (port, width) in enumerate(given)
    ]
    answer = tuple(signals[signal] for signal in genome.outputs.tolist())
    return Netlist(
        name=name,
        ports=(*ports, Port("y", "output", answer, len(answer) - 1, 0)),
        nets=tuple(nets),
        kinds=kinds,
        kind=np.array(kind, np.int32),
        pins=np.array(rows, np.int32).reshape(len(rows), width),
        names=tuple(f"c{k}" for k in range(len(rows))),
    )
