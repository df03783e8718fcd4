"""Where the area and the power of a mapped netlist are: cell by cell, and by the outputs that need the cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpress.hw.printed.cells.technology import cm2
from mlpress.hw.printed.cost.power import cell_power
from mlpress.hw.printed.cost.timing import critical_path
from mlpress.hw.printed.netlist.linked import Linked
from mlpress.hw.printed.netlist.netlist import OPEN
from mlpress.hw.printed.netlist.simulate import PackedNetlist, Rows

MOST_CONES = 24
"""Outputs whose cones are told apart; further ones count with the last."""


@dataclass(frozen=True, slots=True)
class Cone:
    """The cells that exactly these ``outputs`` need: their number, area in cm2, and power in mW at the nominal supply.

    Cells that no output needs have no outputs; what switches at the input ports is theirs too, and no cell's.
    """

    outputs: tuple[str, ...]
    cells: int
    area_cm2: float
    power_mw: float


def spending(engine: PackedNetlist, rows: Rows, rate_hz: float) -> tuple[Cone, ...]:
    """Return area and power by the outputs that need them, for ``rows`` at ``rate_hz``; they add up to the totals.

    Cones of fewer outputs come first.
    """
    linked = engine.linked
    timing = critical_path(linked, linked.technology.nominal)
    found = cell_power(linked, engine.activity(rows), timing, rate_hz)
    area = np.zeros(len(linked.netlist.names))
    for member in linked.members:
        area[member.cells] = cm2(member.cell.area_um2)
    names, needed = needs(linked)
    sets: dict[int, list[int]] = {}
    for cell, outputs in enumerate(needed.tolist()):
        sets.setdefault(outputs, []).append(cell)
    cones = []
    for outputs, cells in sorted(sets.items(), key=lambda entry: (entry[0].bit_count(), entry[0])):
        named = tuple(name for k, name in enumerate(names) if outputs >> k & 1)
        cones.append(Cone(named, len(cells), float(area[cells].sum()), float(found.cells_mw[cells].sum())))
    if found.inputs_mw:
        cones.append(Cone((), 0, 0.0, found.inputs_mw))
    return tuple(cones)


def needs(linked: Linked) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the output bits, and for each cell which of them depend on it: bit ``k`` for name ``k``.

    The second is int64 (cells,); registers are looked through.
    """
    wanted = [
        (port.name if port.width == 1 else f"{port.name}[{k}]", net)
        for port in linked.netlist.outputs
        for k, net in enumerate(port.nets)
    ]
    names = [name for name, _ in wanted[:MOST_CONES]]
    if len(wanted) > MOST_CONES:
        names[-1] = f"{names[-1]} and others"
    reads: list[tuple[list[int], list[int]]] = [([], [])] * len(linked.netlist.names)
    for member in linked.members:
        for cell, inputs, outputs in zip(
            member.cells.tolist(), member.inputs.tolist(), member.outputs.tolist(), strict=True
        ):
            reads[cell] = inputs, [net for net in outputs if net != OPEN]
    of_net = [0] * len(linked.netlist.nets)
    for k, (_, net) in enumerate(wanted):
        of_net[net] |= 1 << min(k, MOST_CONES - 1)
    of_cell = np.zeros(len(reads), np.int64)
    changed = True
    while changed:  # once, and once more to see it; registers that feed back take some more
        changed = False
        for cell in reversed(linked.order.tolist()):
            inputs, outputs = reads[cell]
            found = 0
            for net in outputs:
                found |= of_net[net]
            of_cell[cell] = found
            for net in inputs:
                if of_net[net] | found != of_net[net]:
                    of_net[net] |= found
                    changed = True
        changed = changed and linked.feedback
    return names, of_cell
