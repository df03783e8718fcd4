"""A mapped netlist as a function of and-inverter literals, for proofs (:mod:`mlpress.verify`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.boolean import Constant, Expression, Gate, Not, Signal
from mlpress.hw.printed.netlist.linked import Linked
from mlpress.hw.printed.netlist.netlist import ONE, OPEN
from mlpress.hw.printed.netlist.simulate import PackedNetlist
from mlpress.yosys import AndInverterGraph

Words = dict[str, list[int]]
"""The literals of each port, the least significant bit first."""


class NetlistMachine:
    """A mapped netlist that can be stepped clock by clock."""

    def __init__(self, linked: Linked) -> None:
        self.linked = linked
        netlist = linked.netlist
        ports = [port for port in netlist.inputs if not linked.clocks.issuperset(port.nets)]
        edges = {isinstance(member.cell.flip_flop.clock, Not) for member in linked.members if member.cell.flip_flop}
        if len(linked.clocks) > 1 or len(edges) > 1:
            raise MlpressError(f"{netlist.name} has several clocks or clock edges; use one")
        self.inputs = {port.name: port.width for port in ports}
        self.outputs = {port.name: port.width for port in netlist.outputs}
        self.registers = sum(len(member.cells) for member in linked.members if member.cell.flip_flop)
        self._place = {
            cell: (member, row) for member in linked.members for row, cell in enumerate(member.cells.tolist())
        }

    def step(
        self, graph: AndInverterGraph, inputs: dict[str, list[int]], stored: Sequence[int]
    ) -> tuple[dict[str, list[int]], list[int]]:
        """Step one clock, as :class:`mlpress.verify.Machine` says."""
        netlist = self.linked.netlist
        nets = [0] * len(netlist.nets)
        nets[ONE] = 1
        for port in netlist.inputs:
            for net, literal in zip(port.nets, inputs.get(port.name, [0] * port.width), strict=True):
                nets[net] = literal
        held = iter(stored)
        waiting: list[tuple[Expression, dict[str, int], list[int], tuple[str, ...]]] = []
        for cell in self.linked.order.tolist():
            member, row = self._place[cell]
            pins = member.inputs[row].tolist()
            values = {pin: nets[net] for pin, net in zip(member.cell.inputs, pins, strict=True)}
            if register := member.cell.flip_flop:
                state = next(held)
                if register.clear is not None:
                    state = graph.both(state, literal_of(graph, register.clear, values) ^ 1)
                if register.preset is not None:
                    state = graph.both(state ^ 1, literal_of(graph, register.preset, values) ^ 1) ^ 1
                states = {register.state: state, register.inverse: state ^ 1}
                values |= states
                waiting.append((register.next_state, states, pins, member.cell.inputs))
            for function, net in zip(member.cell.outputs.values(), member.outputs[row].tolist(), strict=True):
                if net != OPEN:
                    nets[net] = literal_of(graph, function, values)
        data = [
            literal_of(graph, function, states | dict(zip(names, (nets[pin] for pin in pins), strict=True)))
            for function, states, pins, names in waiting
        ]
        return {port.name: [nets[net] for net in port.nets] for port in netlist.outputs}, data

    def answer(self, rows: Sequence[Mapping[str, int]]) -> Mapping[str, int]:
        """Answer rows, as :class:`mlpress.verify.Machine` says."""
        engine = PackedNetlist(self.linked)
        columns = {port.name: np.array([row[port.name] for row in rows], object) for port in engine.inputs}
        return {name: int(values[-1]) for name, values in engine.run(columns).items()}


def literal_of(graph: AndInverterGraph, expression: Expression, values: Mapping[str, int]) -> int:
    """Return the literal of a cell's function."""
    match expression:
        case Signal(name):
            return values[name]
        case Constant(value):
            return int(value)
        case Not(of):
            return literal_of(graph, of, values) ^ 1
        case Gate(kind, left, right):
            a, b = literal_of(graph, left, values), literal_of(graph, right, values)
            match kind:
                case "and":
                    return graph.both(a, b)
                case "or":
                    return graph.both(a ^ 1, b ^ 1) ^ 1
                case "xor":
                    return graph.differ(a, b)
