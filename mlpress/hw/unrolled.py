"""Circuits as functions of and-inverter literals, clock by clock.

A pipeline is unrolled: its outputs are a function of the inputs of this clock and of a few clocks before.  A register
holds what stood at its data pin the clock before, unless a clear or preset acts on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mlpress.errors import MlpressError
from mlpress.hw.aiger import AndInverterGraph
from mlpress.hw.boolean import Constant, Expression, Gate, Not, Signal
from mlpress.hw.linked import Linked
from mlpress.hw.netlist import ONE, OPEN
from mlpress.ir import Circuit
from mlpress.yosys import NOT, Gates

MOST_CLOCKS = 16
"""Registers that may stand in a row."""

Words = dict[str, list[int]]
"""The literals of each port, the least significant bit first."""

Widths = Mapping[str, int]
"""Bits of each port."""


class Machine(Protocol):
    """A circuit that can be run for one clock."""

    @property
    def inputs(self) -> Widths:
        """Input ports without the clock."""

    @property
    def outputs(self) -> Widths:
        """Output ports."""

    @property
    def registers(self) -> int:
        """Stored bits."""

    def step(self, graph: AndInverterGraph, inputs: Words, stored: Sequence[int]) -> tuple[Words, list[int]]:
        """Outputs, and what the registers will store, from ``inputs`` and what they did ``stored``."""


@dataclass(frozen=True, slots=True)
class CircuitMachine:
    """An and-inverter graph of ours: no registers."""

    circuit: Circuit

    @property
    def inputs(self) -> Widths:
        """Ports ``x0, x1, ...``."""
        return {f"x{k}": feature.bits for k, feature in enumerate(self.circuit.inputs)}

    @property
    def outputs(self) -> Widths:
        """Ports of the Verilog."""
        names = self.circuit.output_names
        return {name: len(word) for name, word in zip(names, self.circuit.outputs, strict=True)}

    @property
    def registers(self) -> int:
        """None."""
        return 0

    def step(self, graph: AndInverterGraph, inputs: Words, stored: Sequence[int]) -> tuple[Words, list[int]]:
        """See :class:`Machine`."""
        literals = [0, *(literal for name in self.inputs for literal in inputs[name])]
        for a, b in self.circuit.ands.tolist():
            literals.append(graph.both(literals[a >> 1] ^ a & 1, literals[b >> 1] ^ b & 1))
        words = zip(self.outputs, self.circuit.outputs, strict=True)
        return {name: [literals[x >> 1] ^ x & 1 for x in word] for name, word in words}, []


class GatesMachine:
    """Elaborated Verilog."""

    def __init__(self, gates: Gates) -> None:
        self.gates = gates
        bits = [(bus.name, k) for bus in gates.inputs for k in range(bus.width)]
        clocks = {bits[signal - 1] if 0 < signal <= len(bits) else None for signal in gates.clock.tolist()}
        if None in clocks or len(clocks) > 1:
            raise MlpressError(f"{gates.name} has several clocks, or a gated one; use one clock, and from an input")
        read = np.concatenate([gates.left, gates.right, gates.result, gates.data, gates.clear])
        if np.isin(gates.clock, read).any():
            raise MlpressError(f"the clock of {gates.name} is used as data; drive only registers with it")
        self.clocks = {name for name, _ in filter(None, clocks)}
        self.inputs = {bus.name: bus.width for bus in gates.inputs if bus.name not in self.clocks}
        self.outputs = {bus.name: bus.width for bus in gates.outputs}
        self.registers = gates.flip_flops

    def step(self, graph: AndInverterGraph, inputs: Words, stored: Sequence[int]) -> tuple[Words, list[int]]:
        """See :class:`Machine`."""
        gates = self.gates
        literals = [x for bus in gates.inputs for x in inputs.get(bus.name, [0] * bus.width)]
        clears = [self._clear(signal, literals) for signal in gates.clear.tolist()]
        shown = [graph.both(held, clear ^ 1) for held, clear in zip(stored, clears, strict=True)]
        signals = graph.add(gates, literals + shown)
        result = iter(gates.result.tolist())
        words = {bus.name: [signals[next(result)] for _ in range(bus.width)] for bus in gates.outputs}
        return words, [signals[signal] for signal in gates.data.tolist()]

    def _clear(self, signal: int, inputs: Sequence[int]) -> int:
        gates = self.gates
        gate = signal - 1 - gates.input_bits - gates.flip_flops
        flip = gate >= 0 and int(gates.operation[gate]) == NOT
        place = int(gates.left[gate]) if flip else signal
        if place > gates.input_bits:
            raise MlpressError(f"a reset of {gates.name} is computed; drive it from an input")
        return ([0, *inputs][place]) ^ int(flip)


class NetlistMachine:
    """Cells of a technology."""

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

    def step(self, graph: AndInverterGraph, inputs: Words, stored: Sequence[int]) -> tuple[Words, list[int]]:
        """See :class:`Machine`."""
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


def literal_of(graph: AndInverterGraph, expression: Expression, values: Mapping[str, int]) -> int:
    """The literal of a cell's function."""
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


@dataclass(frozen=True, slots=True)
class Unrolled:
    """Two machines over the same inputs.

    ``inputs`` is port, bit and clocks ago of the inputs of ``graph`` (those after them are what registers held at
    first, which no output depends on); ``one`` and ``other`` are the outputs of each.  A machine without registers
    reads the row of ``latency`` clocks ago.
    """

    graph: AndInverterGraph
    inputs: tuple[tuple[str, int, int], ...]
    one: Words
    other: Words
    clocks: int
    latency: int


def unroll(one: Machine, other: Machine, held: Mapping[str, int]) -> Unrolled:
    """The outputs of both over the same inputs; a machine without registers reads the row that a pipeline answers.

    ``held`` are input ports that stand still.
    """
    widths = {name: width for name, width in {**one.inputs, **other.inputs}.items() if name not in held}
    for clocks in range(MOST_CLOCKS + 1):
        inputs = [(name, k, ago) for ago in range(clocks + 1) for name in widths for k in range(widths[name])]
        graph = AndInverterGraph(len(inputs) + one.registers + other.registers)
        rows = list(_rows(inputs, {**one.inputs, **other.inputs}, held, clocks))
        first = len(inputs)
        both = []
        for machine in (one, other):
            stored = [2 * (1 + first + k) for k in range(machine.registers)]
            first += machine.registers
            both.append(_run(machine, graph, rows if machine.registers else rows[-1:], stored))
        seen = [graph.cone([x for word in words.values() for x in word])[0] for words in both]
        if any(node > len(inputs) for nodes in seen for node in nodes):
            continue
        latency = 0
        for k, (machine, partner) in enumerate(((one, other), (other, one))):
            if partner.registers and not machine.registers:
                delays = {inputs[node - 1][2] for node in seen[1 - k]}
                if len(delays) > 1:
                    raise MlpressError(
                        "the registers mix rows of several clocks; it is no pipeline of the other circuit"
                    )
                latency = min(delays, default=0)
                both[k] = _run(machine, graph, [rows[clocks - latency]], [])
        return Unrolled(graph, tuple(inputs), both[0], both[1], clocks, latency)
    raise MlpressError(f"registers feed back, or over {MOST_CLOCKS} stand in a row; only pipelines can be proven")


def _rows(
    inputs: Sequence[tuple[str, int, int]], widths: Widths, held: Mapping[str, int], clocks: int
) -> Iterator[Words]:
    """The literals of the input ports at each clock, the oldest first."""
    literal = {place: 2 * (1 + k) for k, place in enumerate(inputs)}
    for ago in range(clocks, -1, -1):
        yield {
            name: [held[name] >> k & 1 if name in held else literal[name, k, ago] for k in range(width)]
            for name, width in widths.items()
        }


def _run(machine: Machine, graph: AndInverterGraph, rows: Sequence[Words], stored: Sequence[int]) -> Words:
    words: Words = {}
    for row in rows:
        words, stored = machine.step(graph, row, stored)
    return words
