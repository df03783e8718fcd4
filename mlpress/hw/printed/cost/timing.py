"""Static timing: arrival times from the technology's look-up tables.

The rules are those of the vendors' tools: inputs switch at time 0 with a slew of 0; every arc looks up its
delay and output slew by input slew and load, extrapolating linearly outside the tables; a net takes the
latest arrival and, on its own, the largest slew of the arcs that drive it; a load is the sum of the readers'
pins at the upper end of their capacitance range; wires and output ports have no capacitance.  What a
constant blocks does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.boolean import Expression, evaluate, signals, truth_table, variables
from mlpress.hw.printed.cells.lookup import look_up, stack
from mlpress.hw.printed.cells.technology import Arc, Floats, Table
from mlpress.hw.printed.netlist.linked import Indices, Linked, Members
from mlpress.hw.printed.netlist.netlist import ONE, OPEN, ZERO
from mlpress.jit import compiled

RISE, FALL = 0, 1


@dataclass(frozen=True, slots=True)
class Step:
    """One cell of a path: ``edge`` is its output's, ``arrival_ms`` the time at its output ``net``."""

    instance: str
    cell: str
    input: str
    output: str
    edge: str
    net: str
    delay_ms: float
    arrival_ms: float


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """Critical path at one voltage: its delay, its ``path``, and per edge (rise, fall) and net:

    ``arrival`` and ``slew`` in ns and ``load`` in pF, float64 (2, nets); an arrival of -inf never switches.
    """

    voltage: float
    delay_ms: float
    path: tuple[Step, ...]
    arrival: Floats
    slew: Floats
    load: Floats


@dataclass(frozen=True, slots=True)
class _Edge:
    """An arc from one edge of an input pin to one edge of an output pin, by index in the cell."""

    arc: Arc
    pin: int
    pin_edge: int
    output: int
    output_edge: int
    delay: Table
    slew: Table


def critical_path(linked: Linked, voltage: float) -> Timing:
    """Time ``linked`` at ``voltage``; :class:`MlpressError` where a cell has no delay tables."""
    linked.technology.check_voltage(voltage)
    nets = len(linked.netlist.nets)
    edges = [list(_edges(member, voltage)) for member in linked.members]
    flat = [edge for member in edges for edge in member]
    tables = stack(table for edge in flat for table in (edge.delay, edge.slew))
    start = np.concatenate([[0], np.cumsum([len(member) for member in edges])]).astype(np.int32)
    shape = np.array([(e.pin, e.pin_edge, e.output, e.output_edge) for e in flat], np.int32).reshape(-1, 4)

    constant = constants(linked)
    arrival, slew = np.full((2, nets), -np.inf), np.zeros((2, nets))
    for port in linked.netlist.inputs:
        arrival[:, list(port.nets)] = 0.0
    load = loads(linked, voltage)
    cause = np.full((2, nets), -1, np.int32)
    kind, inputs, outputs = _matrices(linked)
    _propagate(
        _by_level(linked), kind, inputs, outputs, start, shape, _blocked(linked, edges, constant),
        tables.slews, tables.loads, tables.values, tables.sizes, load, arrival, slew, cause,
    )  # fmt: skip
    delay, end = _worst(linked, arrival)
    path = tuple(reversed(list(_trace(linked, end, arrival, cause, flat)))) if end else ()
    return Timing(voltage, delay / 1e6, path, arrival, slew, load)


def loads(linked: Linked, voltage: float) -> Floats:
    """Return the load of each net for a rising and a falling edge, pF, float64 (2, nets)."""
    load = np.zeros((2, len(linked.netlist.nets)))
    for member in linked.members:
        capacitance = member.cell.corners[voltage].capacitance
        for pin, column in zip(member.cell.inputs, member.inputs.T, strict=True):
            np.add.at(load[RISE], column, capacitance[pin].rise)
            np.add.at(load[FALL], column, capacitance[pin].fall)
    return load


def constants(linked: Linked) -> NDArray[np.int8]:
    """Return the nets that can never switch, by propagating the constants: 0, 1, or -1 for all others; int8 (nets,)."""
    known = np.full(len(linked.netlist.nets), -1, np.int8)
    known[ZERO], known[ONE] = 0, 1
    if not np.any(linked.netlist.pins == ZERO) and not np.any(linked.netlist.pins == ONE):
        return known
    kind, inputs, _ = _matrices(linked)
    rows, nets = _rows(linked), inputs.tolist()
    fixed = {ZERO, ONE}
    for cell in linked.order.tolist():
        if fixed.isdisjoint(nets[cell]):
            continue
        member, row = linked.members[kind[cell]], int(rows[cell])
        if member.cell.flip_flop is None:
            for function, net in zip(member.cell.outputs.values(), member.outputs[row].tolist(), strict=True):
                value = _restricted(function, member, row, known)
                if net != OPEN and value is not None:
                    known[net] = value
                    fixed.add(net)
    return known


def _restricted(function: Expression, member: Members, row: int, known: NDArray[np.int8]) -> int | None:
    """Return the constant that ``function`` of a cell is, given the constants at its inputs, or None."""
    names = member.cell.variables
    rows = _possible(member, row, known)
    value = truth_table(function, names) & rows
    return 0 if not value else 1 if value == rows else None


def _possible(member: Members, row: int, known: NDArray[np.int8]) -> int:
    """Return the rows of the truth table (a bit set) that the constants at the inputs of a cell allow."""
    names = member.cell.variables
    ones = (1 << (1 << len(names))) - 1
    possible = ones
    tables = variables(names)
    for pin, net in zip(member.cell.inputs, member.inputs[row].tolist(), strict=True):
        if known[net] >= 0:
            possible &= tables[pin] if known[net] else ones & ~tables[pin]
    return possible


def _edges(member: Members, voltage: float) -> Iterator[_Edge]:
    cell = member.cell
    corner = cell.corners[voltage]
    outputs = list(cell.outputs)
    if outputs and not corner.arcs:
        raise MlpressError(f"cell {cell.name} has no delay tables at {voltage:g} V; the critical path needs them")
    for arc in corner.arcs:
        senses = {"positive": ((RISE, RISE), (FALL, FALL)), "negative": ((FALL, RISE), (RISE, FALL))}
        every = ((RISE, RISE), (RISE, FALL), (FALL, RISE), (FALL, FALL))
        for before, after in every if arc.sense == "none" else senses[arc.sense]:
            delay, slew = (arc.rise, arc.rise_slew) if after == RISE else (arc.fall, arc.fall_slew)
            wanted = arc.edges in ("both", "rise" if after == RISE else "fall")
            if arc.clocked and before == FALL:
                continue
            if wanted and delay is not None and slew is not None:
                yield _Edge(arc, cell.inputs.index(arc.related), before, outputs.index(arc.output), after, delay, slew)


def _blocked(linked: Linked, edges: list[list[_Edge]], constant: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return the edges of each cell that constants at its inputs rule out: bool (cells, most edges of a cell)."""
    blocked = np.zeros((len(linked.netlist.names), max((len(member) for member in edges), default=0)), bool)
    for member, arcs in zip(linked.members, edges, strict=True):
        for row in np.flatnonzero((constant[member.inputs] >= 0).any(axis=1)).tolist():
            possible = _possible(member, row, constant)
            for k, edge in enumerate(arcs):
                blocked[member.cells[row], k] = not _can_switch(member, edge.arc, possible)
    return blocked


def _can_switch(member: Members, arc: Arc, possible: int) -> bool:
    """Return whether the arc's input can still move its output, and its condition still hold, in the ``possible``
    states.
    """
    names = member.cell.variables
    tables, ones = variables(names), (1 << (1 << len(names))) - 1
    if arc.when is not None and set(signals(arc.when)) <= set(names):
        possible &= evaluate(arc.when, tables, ones)
    if arc.clocked:
        return possible != 0
    step = 1 << names.index(arc.related)
    value = truth_table(member.cell.outputs[arc.output], names)
    high = possible & tables[arc.related]
    low = (high >> step) & possible
    return bool(((value >> step) ^ value) & low)


def _matrices(linked: Linked) -> tuple[Indices, Indices, Indices]:
    """Return for every cell the index of its members, and the nets of its inputs and outputs (-1 where it has
    fewer)."""
    cells = len(linked.netlist.names)
    kind = np.zeros(cells, np.int32)
    inputs = np.full((cells, max((m.inputs.shape[1] for m in linked.members), default=0)), OPEN, np.int32)
    outputs = np.full((cells, max((m.outputs.shape[1] for m in linked.members), default=0)), OPEN, np.int32)
    for k, member in enumerate(linked.members):
        kind[member.cells] = k
        inputs[member.cells, : member.inputs.shape[1]] = member.inputs
        outputs[member.cells, : member.outputs.shape[1]] = member.outputs
    return kind, inputs, outputs


def _rows(linked: Linked) -> Indices:
    """Return for every cell its row among its members."""
    rows = np.zeros(len(linked.netlist.names), np.int32)
    for member in linked.members:
        rows[member.cells] = np.arange(len(member.cells))
    return rows


def _by_level(linked: Linked) -> Indices:
    """Group cells by level, so that timing flows forward: flip-flops (level 0) start paths."""
    return np.argsort(linked.level, kind="stable").astype(np.int32)


def _worst(linked: Linked, arrival: Floats) -> tuple[float, tuple[int, int] | None]:
    """Return the latest arrival in ns, and its (edge, net), over output ports and the data pins of flip-flops."""
    ends = [net for port in linked.netlist.outputs for net in port.nets]
    for member in linked.members:
        if stored := member.cell.flip_flop:
            data = [member.cell.inputs.index(pin) for pin in signals(stored.next_state) if pin in member.cell.inputs]
            ends.extend(member.inputs[:, data].ravel().tolist())
    if not ends:
        return 0.0, None
    times = arrival[:, ends]
    edge, end = np.unravel_index(int(np.argmax(times)), times.shape)
    worst = float(times[edge, end])
    return (worst, (int(edge), ends[int(end)])) if np.isfinite(worst) else (0.0, None)


def _trace(linked: Linked, end: tuple[int, int], arrival: Floats, cause: Indices, edges: list[_Edge]) -> Iterator[Step]:
    """Return the steps of the path to ``end``, the last one first."""
    kind, _, outputs = _matrices(linked)
    rows = _rows(linked)
    driver = np.full(len(linked.netlist.nets), -1, np.int32)
    cells, columns = np.nonzero(outputs != OPEN)
    driver[outputs[cells, columns]] = cells
    edge, net = end
    while cause[edge, net] >= 0:
        taken = edges[cause[edge, net]]
        member, row = linked.members[kind[driver[net]]], int(rows[driver[net]])
        before = int(member.inputs[row, taken.pin])
        yield Step(
            instance=linked.netlist.names[member.cells[row]],
            cell=member.cell.name,
            input=taken.arc.related,
            output=taken.arc.output,
            edge="rise" if edge == RISE else "fall",
            net=linked.netlist.nets[net],
            delay_ms=float(arrival[edge, net] - arrival[taken.pin_edge, before]) / 1e6,
            arrival_ms=float(arrival[edge, net]) / 1e6,
        )
        edge, net = taken.pin_edge, before


@compiled
def _propagate(
    order: Indices,
    kind: Indices,
    inputs: Indices,
    outputs: Indices,
    start: Indices,
    shape: Indices,
    blocked: NDArray[np.bool_],
    slews: Floats,
    points: Floats,
    values: Floats,
    sizes: Indices,
    load: Floats,
    arrival: Floats,
    slew: Floats,
    cause: Indices,
) -> None:
    """Push arrivals and slews through the cells; edge ``e`` owns tables ``2 e`` (delay) and ``2 e + 1`` (slew)."""
    for c in range(len(order)):
        cell = order[c]
        first = start[kind[cell]]
        for e in range(first, start[kind[cell] + 1]):
            before, pin_edge = inputs[cell, shape[e, 0]], shape[e, 1]
            after, edge = outputs[cell, shape[e, 2]], shape[e, 3]
            if after < 0 or blocked[cell, e - first] or arrival[pin_edge, before] == -np.inf:
                continue
            out = load[edge, after]
            delay = look_up(slews, points, values, sizes, 2 * e, slew[pin_edge, before], out)
            reached = arrival[pin_edge, before] + delay
            if reached > arrival[edge, after]:
                arrival[edge, after] = reached
                cause[edge, after] = e
            turned = look_up(slews, points, values, sizes, 2 * e + 1, slew[pin_edge, before], out)
            slew[edge, after] = max(slew[edge, after], turned)
