"""What every function of two signals costs in a technology's own cells, for searches of the gate level.

A function is a truth table of four bits: bit ``a + 2 * b`` is its value for operands ``a`` and ``b``.  Each is made
of the cells with one or two inputs that are cheapest in area together, found by uniform-cost search (Dijkstra) over
the sets of functions that a few cells can make from ``a`` and ``b``.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.gates import LEFT, RIGHT, WIRES, GateCosts, Genome
from mlpress.errors import MlpressError
from mlpress.hw.printed import Technology, state_power, truth_table
from mlpress.ir import Input
from mlpress.targets.own_cells import Step, to_netlist

NW = 1e-6
"""A nanowatt in mW."""

UM2 = 1e-8
"""A square micrometre in cm2."""

MOST_CELLS = 6
"""Cells in the composition of one function."""


@dataclass(frozen=True, slots=True, eq=False)
class CellCosts(GateCosts):
    """The cost of each of the 16 functions in the cells of ``technology``: area in um2, static power at ``voltage``.

    ``steps[f]`` are the cells that make function ``f``, each after those that it reads.  ``comparator`` is the cost of
    one in steps and its static power in nW, zeros where no figures are known.  ``powers`` are costs of power, not area.
    """

    technology: Technology
    voltage: float
    steps: tuple[tuple[Step, ...], ...]
    comparator: tuple[float, float]
    powers: bool = False

    def level_price(self) -> tuple[float, float]:
        """Return the price of a comparator."""
        return self.comparator

    def by_states(self) -> bool:
        """Return whether these are powers: a gate whose output is low takes dozens of times that of a high one."""
        return self.powers

    def written(self, genome: Genome, inputs: tuple[Input, ...]) -> str:
        """Return the netlist, as Verilog, that makes every gate of its own cells."""
        return to_netlist(genome, inputs, self.technology, self.steps).to_verilog()


class _Cell(NamedTuple):
    name: str
    inputs: int
    table: int
    area: float
    static_nw: NDArray[np.float64]


def cell_costs(technology: Technology, voltage: float | None = None) -> CellCosts:
    """Return the costs in ``technology`` at ``voltage`` (its nominal one where None).

    Raises :class:`MlpressError` where its cells cannot make every function.
    """
    supply = technology.nominal if voltage is None else technology.check_voltage(voltage)
    cells = list(_usable(technology, supply))
    found = _cheapest(cells)
    missing = [table for table in range(16) if table not in found]
    if missing:
        raise MlpressError(
            f"the cells of {technology.name} with one or two inputs cannot make every gate; they need an inverter and "
            f"a NAND or NOR, or the like"
        )
    by_name = {cell.name: cell for cell in cells}
    area, static_nw = np.zeros(16, np.int64), np.zeros((16, 4))
    for table, steps in found.items():
        area[table] = round(sum(by_name[step.cell].area for step in steps))
        for step in steps:
            states = [(step.left >> k & 1) + 2 * (step.right >> k & 1) for k in range(4)]
            static_nw[table] += by_name[step.cell].static_nw[states]
    known, made = technology.comparator, tuple(found[table] for table in range(16))
    comparator = (0.0, 0.0) if known is None else (known.area_um2, known.static_nw.get(supply, 0.0))
    return CellCosts(area, static_nw, UM2, technology, supply, made, comparator)


def power_costs(costs: CellCosts) -> CellCosts:
    """Return the costs with static power, in nW, in the place of area: of the states that rows give to the operands."""
    _, comparator_nw = costs.comparator
    area = np.rint(costs.static_nw.mean(axis=1)).astype(np.int64)
    return replace(costs, area=area, step=NW, comparator=(comparator_nw, comparator_nw), powers=True)


def _usable(technology: Technology, voltage: float) -> Iterator[_Cell]:
    for name, cell in sorted(technology.cells.items()):
        if cell.dont_use or cell.unsupported or cell.flip_flop or len(cell.outputs) != 1:
            continue
        count = len(cell.inputs)
        if count not in {1, 2} or voltage not in cell.corners:
            continue
        (function,) = cell.outputs.values()
        table, power = truth_table(function, cell.inputs), state_power(cell, cell.corners[voltage])
        if count == 1:  # the second operand means nothing
            table, power = table * 0b0101, np.tile(power, 2)
        yield _Cell(name, count, table, cell.area_um2, power)


def _cheapest(cells: list[_Cell]) -> dict[int, tuple[Step, ...]]:
    """Return the cheapest composition of every function that the cells can make, in order of cost."""
    start = frozenset((LEFT, RIGHT))
    cost: dict[frozenset[int], float] = {start: 0.0}
    came: dict[frozenset[int], tuple[frozenset[int], Step]] = {}
    found: dict[int, tuple[Step, ...]] = {0b0000: (), 0b1111: ()}
    queue: list[tuple[float, int, frozenset[int]]] = [(0.0, 0, start)]
    done: set[frozenset[int]] = set()
    while queue and len(found) < 16:
        spent, _, have = heapq.heappop(queue)
        if have in done:
            continue
        done.add(have)
        for table in sorted(have - found.keys()):
            found[table] = _needed(table, have, came)
        if len(have) == 2 + MOST_CELLS:
            continue
        for step, area in _extensions(cells, have):
            more = have | {step.made}
            if spent + area < cost.get(more, np.inf):
                cost[more], came[more] = spent + area, (have, step)
                heapq.heappush(queue, (spent + area, len(cost), more))
    return found


def _extensions(cells: list[_Cell], have: frozenset[int]) -> Iterator[tuple[Step, float]]:
    operands = sorted(have)
    for cell in cells:
        for left in operands:
            for right in operands if cell.inputs == 2 else (left,):
                made = sum((cell.table >> ((left >> k & 1) + 2 * (right >> k & 1)) & 1) << k for k in range(4))
                if made not in have and made not in WIRES:
                    yield Step(cell.name, left, right, made), cell.area


def _needed(
    table: int, have: frozenset[int], came: dict[frozenset[int], tuple[frozenset[int], Step]]
) -> tuple[Step, ...]:
    """Return the steps to ``have`` that ``table`` needs, first to last."""
    steps: list[Step] = []
    while have in came:
        have, step = came[have]
        steps.append(step)
    wanted, kept = {table}, []
    for step in steps:
        if step.made in wanted:
            kept.append(step)
            wanted |= {step.left, step.right}
    return tuple(reversed(kept))
