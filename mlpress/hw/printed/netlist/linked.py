"""A netlist bound to a technology: who drives what, in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.boolean import signals
from mlpress.hw.printed.cells.technology import Cell, FlipFlop, Technology
from mlpress.hw.printed.netlist.netlist import ONE, OPEN, ZERO, Netlist

Indices = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """All instances of one cell: ``cells`` int32 (n,), nets of its ``inputs`` (n, inputs) and ``outputs`` (n, outputs).

    An unconnected output is on net -1; the order of pins is that of :class:`Cell`.
    """

    cell: Cell
    cells: Indices
    inputs: Indices
    outputs: Indices


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """``netlist`` in ``technology``: its ``members`` by cell, and ``order``: every driver before its readers.

    A flip-flop comes after what it stores, unless registers feed back (``feedback``).  ``level`` (int32,
    cells) counts the cells on the longest path from an input or a flip-flop, the cell itself included.
    ``clocks`` are the nets on clock pins.
    """

    netlist: Netlist
    technology: Technology
    members: tuple[Members, ...]
    order: Indices
    level: Indices
    clocks: frozenset[int]
    feedback: bool

    @property
    def depth(self) -> int:
        """Cells on the longest path."""
        return int(self.level.max(initial=0))

    def live_nets(self) -> frozenset[int]:
        """Return the nets that an output depends on by structure, through registers too; clocks, clears and presets
        aside."""
        reads: dict[int, list[int]] = {}
        for member in self.members:
            stored = member.cell.flip_flop
            data = signals(stored.next_state) if stored else member.cell.inputs
            columns = [k for k, pin in enumerate(member.cell.inputs) if pin in data]
            for outputs, inputs in zip(member.outputs.tolist(), member.inputs[:, columns].tolist(), strict=True):
                reads |= dict.fromkeys(outputs, inputs)
        waiting = [net for port in self.netlist.outputs for net in port.nets]
        live = set(waiting)
        while waiting:
            for net in reads.get(waiting.pop(), ()):
                if net not in live:
                    live.add(net)
                    waiting.append(net)
        return frozenset(live)


def link(netlist: Netlist, technology: Technology) -> Linked:
    """Hold every cell, pin and net of ``netlist`` against ``technology``; :class:`MlpressError` names what is wrong."""
    members = tuple(_members(netlist, kind, technology) for kind in range(len(netlist.kinds)))
    driver = _drivers(netlist, members)
    feedback = any(member.cell.flip_flop and _reads_itself(member.cell.flip_flop) for member in members)
    if feedback or (sorted_cells := _sort(netlist, members, driver, through=True)) is None:
        feedback, sorted_cells = True, _sort(netlist, members, driver, through=False)
    if sorted_cells is None:
        raise MlpressError(f"there are combinational loops in {netlist.name!r}; mlpress simulates none")
    order, level = sorted_cells
    return Linked(netlist, technology, members, order, level, _clocks(netlist, members), feedback)


def _reads_itself(stored: FlipFlop) -> bool:
    return bool({stored.state, stored.inverse} & set(signals(stored.next_state)))


def _members(netlist: Netlist, kind: int, technology: Technology) -> Members:
    name, pins = netlist.kinds[kind].name, netlist.kinds[kind].pins
    cell = technology.cell(name)
    cells = np.flatnonzero(netlist.kind == kind).astype(np.int32)
    if cell.unsupported:
        raise MlpressError(f"cell {name} ({_first(netlist, cells)}) is {cell.unsupported}")
    for pin in pins:
        if pin not in cell.inputs and pin not in cell.outputs:
            known = ", ".join([*cell.inputs, *cell.outputs])
            raise MlpressError(f"cell {name} ({_first(netlist, cells)}) has no pin {pin!r}; its pins are {known}")

    def nets(wanted: list[str]) -> Indices:
        columns = [netlist.pins[cells, pins.index(pin)] if pin in pins else np.full(len(cells), OPEN) for pin in wanted]
        return np.array(columns, np.int32).reshape(len(wanted), len(cells)).T

    inputs = nets(list(cell.inputs))
    if np.any(inputs == OPEN):
        row, pin = np.argwhere(inputs == OPEN)[0].tolist()
        raise MlpressError(f"input {cell.inputs[pin]} of {netlist.names[cells[row]]} ({name}) is not connected")
    return Members(cell, cells, inputs, nets(list(cell.outputs)))


def _first(netlist: Netlist, cells: Indices) -> str:
    return f"instance {netlist.names[cells[0]]}" if len(cells) else "no instance"


def _drivers(netlist: Netlist, members: tuple[Members, ...]) -> Indices:
    """Return the cell that drives each net; -2 for ports and constants, -1 for none."""
    driver = np.full(len(netlist.nets), -1, np.int32)
    driver[[ZERO, ONE]] = -2
    for port in netlist.inputs:
        driver[list(port.nets)] = -2
    for member in members:
        for column in member.outputs.T:
            connected = column != OPEN
            nets, cells = column[connected], member.cells[connected]
            unique, counts = np.unique(nets, return_counts=True)
            clash = np.concatenate([unique[driver[unique] != -1], unique[counts > 1]])
            if clash.size:
                raise MlpressError(f"net {netlist.nets[clash[0]]!r} has two drivers; each net needs exactly one")
            driver[nets] = cells
    for member in members:
        for pin, column in zip(member.cell.inputs, member.inputs.T, strict=True):
            loose = np.flatnonzero(driver[column] == -1)
            if loose.size:
                name, net = netlist.names[member.cells[loose[0]]], netlist.nets[column[loose[0]]]
                raise MlpressError(f"net {net!r} at {name}/{pin} ({member.cell.name}) has no driver")
    for port in netlist.outputs:
        for net in port.nets:
            if driver[net] == -1:
                raise MlpressError(f"output {port.name!r}: net {netlist.nets[net]!r} has no driver")
    return driver


def _sort(
    netlist: Netlist, members: tuple[Members, ...], driver: Indices, *, through: bool
) -> tuple[Indices, Indices] | None:
    """Return the cells in evaluation order, and their levels (Kahn's algorithm); None where there is a loop.

    A flip-flop waits for what it stores only where ``through`` is set.
    """
    count = len(netlist.names)
    edges_from, edges_to = [], []
    flip_flop = np.zeros(count, bool)
    for member in members:
        flip_flop[member.cells] = member.cell.flip_flop is not None
        stored_at = member.cell.flip_flop
        for pin, column in zip(member.cell.inputs, member.inputs.T, strict=True):
            if stored_at and not through and pin in signals(stored_at.next_state):
                continue
            driven = driver[column] >= 0
            edges_from.append(driver[column][driven])
            edges_to.append(member.cells[driven])
    sources = np.concatenate([np.zeros(0, np.int32), *edges_from])
    sinks = np.concatenate([np.zeros(0, np.int32), *edges_to])
    waiting = np.bincount(sinks, minlength=count)
    by_source = np.argsort(sources, kind="stable")
    readers = sinks[by_source].tolist()
    start = np.concatenate([[0], np.cumsum(np.bincount(sources, minlength=count))]).tolist()
    missing, stored = waiting.tolist(), flip_flop.tolist()
    reach = [0] * count
    level = [0] * count
    order = [cell for cell in range(count) if not missing[cell]]
    for cell in order:
        level[cell] = 0 if stored[cell] else reach[cell] + 1
        for reader in readers[start[cell] : start[cell + 1]]:
            reach[reader] = max(reach[reader], level[cell])
            missing[reader] -= 1
            if not missing[reader]:
                order.append(reader)
    if len(order) < count:
        return None
    return np.array(order, np.int32), np.array(level, np.int32)


def _clocks(netlist: Netlist, members: tuple[Members, ...]) -> frozenset[int]:
    """Return the nets on clock pins: each must be an input that feeds nothing else."""
    clocks: set[int] = set()
    others: set[int] = set()
    for member in members:
        stored = member.cell.flip_flop
        clock = signals(stored.clock) if stored else ()
        for pin, column in zip(member.cell.inputs, member.inputs.T, strict=True):
            (clocks if pin in clock else others).update(column.tolist())
    inputs = {net for port in netlist.inputs for net in port.nets}
    for net in sorted(clocks):
        if net not in inputs or net in others:
            raise MlpressError(
                f"clock net {netlist.nets[net]!r} is gated or used as data; drive clock pins from an input"
            )
    return frozenset(clocks)
