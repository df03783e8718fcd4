"""Power of a mapped netlist from the activity of its nets.

Static power: for each cell, the sum over its states of the product of its pins' signal probabilities times
the state's power; an output's part in a state follows from the inputs.  Dynamic power: each change of a net
costs the energy inside the cell that makes it, as its tables say, and ``C V^2 / 2`` for the load; a change
of an input that leaves the output alone costs what the tables say of that input.  Changes are those between
the settled values of consecutive rows (zero delay): glitches are not counted.

The weighing of several energies for one output follows the vendors' tools: by the toggle rates of the
inputs that they are related to, times the probability of their conditions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlpress.hw.printed.cells.boolean import Expression, evaluate, variables
from mlpress.hw.printed.cells.lookup import stack
from mlpress.hw.printed.cells.technology import Cell, Corner, Energy, Floats
from mlpress.hw.printed.cost.timing import Timing
from mlpress.hw.printed.netlist.linked import Linked, Members
from mlpress.hw.printed.netlist.netlist import OPEN
from mlpress.hw.printed.netlist.simulate import NetActivity


@dataclass(frozen=True, slots=True)
class Power:
    """mW: ``static`` of the cells, ``internal`` to switching cells, ``switching`` of the nets."""

    static_mw: float
    internal_mw: float
    switching_mw: float

    @property
    def dynamic_mw(self) -> float:
        """What grows with the rate."""
        return self.internal_mw + self.switching_mw

    @property
    def total_mw(self) -> float:
        """Everything."""
        return self.static_mw + self.dynamic_mw


def estimate_power(linked: Linked, activity: NetActivity, timing: Timing, rate_hz: float) -> Power:
    """Estimate power at the voltage of ``timing`` (whose loads and slews it uses) with ``rate_hz`` rows per second."""
    static = internal = 0.0
    for member in linked.members:
        corner = member.cell.corners[timing.voltage]
        states = _probabilities(member, activity)
        static += float(states.sum(axis=0) @ state_power(member.cell, corner))
        internal += float(_internal(member, corner, states, activity, timing).sum())
    charge = float(timing.load.mean(axis=0) @ activity.toggles)
    switching = charge * timing.voltage**2 / 2
    return Power(static * 1e-6, internal * rate_hz * 1e-9, switching * rate_hz * 1e-9)


@dataclass(frozen=True, slots=True, eq=False)
class CellPower:
    """Power by cell, float64 (cells,) in mW, with the nets that each drives; ``inputs_mw`` is that of the input nets.

    All of it together is :attr:`Power.total_mw`.
    """

    cells_mw: Floats
    inputs_mw: float


def cell_power(linked: Linked, activity: NetActivity, timing: Timing, rate_hz: float) -> CellPower:
    """Share out what :func:`estimate_power` sums up, by the same rules."""
    found = np.zeros(len(linked.netlist.names))
    nets = timing.load.mean(axis=0) * activity.toggles * (timing.voltage**2 / 2 * rate_hz * 1e-9)
    for member in linked.members:
        corner = member.cell.corners[timing.voltage]
        states = _probabilities(member, activity)
        found[member.cells] += states @ state_power(member.cell, corner) * 1e-6
        found[member.cells] += _internal(member, corner, states, activity, timing) * (rate_hz * 1e-9)
        for column in member.outputs.T:
            driven = column != OPEN
            found[member.cells[driven]] += nets[column[driven]]
            nets[column[driven]] = 0.0
    return CellPower(found, float(nets.sum()))


def state_power(cell: Cell, corner: Corner) -> Floats:
    """Return the static power in nW of every row of the cell's truth table (over :attr:`Cell.variables`), float64
    (rows,)."""
    names, (tables, ones) = cell.variables, _tables(cell)
    result = np.full(1 << len(names), corner.static_nw)
    for when, value in reversed(corner.states):
        rows = evaluate(when, tables, ones)
        result[[row for row in range(len(result)) if rows >> row & 1]] = value
    return result


def _tables(cell: Cell) -> tuple[dict[str, int], int]:
    """Return the truth table of every pin and state of a cell over its variables, and that of the constant 1."""
    names = cell.variables
    ones = (1 << (1 << len(names))) - 1
    tables = variables(names)
    if stored := cell.flip_flop:
        tables[stored.inverse] = ones & ~tables[stored.state]
    return tables | {pin: evaluate(function, tables, ones) for pin, function in cell.outputs.items()}, ones


def _probabilities(member: Members, activity: NetActivity) -> Floats:
    """Return the probability of each row of the truth table in each cell, pins taken as
    independent: float64 (n, rows)."""
    cell = member.cell
    columns = [activity.one[column] for column in member.inputs.T]
    if cell.flip_flop:
        columns.append(_stored(member, activity))
    result = np.ones((len(member.cells), 1))
    for one in columns:  # variable i is bit i of the row number, so later variables go in front
        result = np.concatenate([result * (1 - one)[:, None], result * one[:, None]], axis=1)
    return result


def _stored(member: Members, activity: NetActivity) -> Floats:
    """Return the probability that the stored bit of each flip-flop is 1, read off an output that shows it (1/2 if none
    does).
    """
    tables, _ = _tables(member.cell)
    state = tables[member.cell.flip_flop.state] if member.cell.flip_flop else 0
    one = np.full(len(member.cells), 0.5)
    for pin, column in zip(member.cell.outputs, member.outputs.T, strict=True):
        seen = activity.one[column]
        one = np.where(column == OPEN, one, seen if tables[pin] == state else 1 - seen)
    return one


def _internal(member: Members, corner: Corner, states: Floats, activity: NetActivity, timing: Timing) -> Floats:
    """Return the energy per row in pJ inside each cell of a kind, float64 (n,).

    Tables are extrapolated as for delays; a negative sum, which only extrapolation makes, counts as 0.
    """
    tables, ones = _tables(member.cell)
    nets = dict(zip(member.cell.inputs, member.inputs.T, strict=True))
    nets |= dict(zip(member.cell.outputs, member.outputs.T, strict=True))
    slew = timing.slew.max(axis=0)
    total = np.zeros(len(member.cells))
    for group in _groups(corner):
        pin = nets[group[0].pin]
        toggles = np.where(pin == OPEN, 0.0, activity.toggles[pin])
        weights = []
        for energy in group:
            likely = _likely(energy, group, tables, ones, states)
            weights.append(likely if energy.related is None else likely * activity.toggles[nets[energy.related]])
        if group[0].related is not None:
            share = sum(weights)
            weights = [np.divide(weight, share, out=np.zeros_like(weight), where=share > 0) for weight in weights]
        for energy, weight in zip(group, weights, strict=True):
            cause = nets[energy.related] if energy.related is not None else pin
            total += toggles * weight * _mean_energy(energy, slew[cause], timing.load[:, pin])
    return np.maximum(total, 0.0)


def _groups(corner: Corner) -> list[list[Energy]]:
    """Return the energies that share a pin, a supply rail, and whether they speak of an output or of a quiet input."""
    found: dict[tuple[str, str, bool], list[Energy]] = {}
    for energy in corner.energies:
        found.setdefault((energy.pin, energy.supply, energy.related is None), []).append(energy)
    return list(found.values())


def _likely(energy: Energy, group: list[Energy], tables: dict[str, int], ones: int, states: Floats) -> Floats:
    """Return the probability of the condition; an energy without one stands for what its conditional siblings leave."""

    def sure(when: Expression) -> Floats:
        true = evaluate(when, tables, ones)
        result: Floats = states[:, [bool(true >> row & 1) for row in range(states.shape[1])]].sum(axis=1)
        return result

    if energy.when is not None:
        return sure(energy.when)
    others = [sure(other.when) for other in group if other.when is not None and other.related == energy.related]
    return np.clip(1.0 - sum(others, np.zeros(len(states))), 0.0, 1.0)


def _mean_energy(energy: Energy, slew: Floats, load: Floats) -> Floats:
    """Return the mean of the rising and the falling edge's energy in pJ, for each cell."""
    total = np.zeros(len(slew))
    for table, edge in ((energy.rise, 0), (energy.fall, 1)):
        if table is not None:
            total += stack([table])(np.zeros(len(slew), np.int32), slew, load[edge]) / 2
    return total
