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
from mlpress.ir import Circuit, codes_at, input_ports, interpret_circuit
from mlpress.yosys import NOT, AndInverterGraph, Gates

MOST_CLOCKS = 16
"""Registers that may stand in a row."""

Words = dict[str, list[int]]
"""The literals of each port, the least significant bit first."""

Widths = Mapping[str, int]
"""Bits of each port."""

Ports = Mapping[str, int]
"""An unsigned integer for each port."""


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
        """Return the outputs, and what the registers will store, from ``inputs`` and what they have ``stored``."""

    def answer(self, rows: Sequence[Ports]) -> Ports:
        """Answer one row as the circuit does, unsigned by output port, at the last clock of ``rows`` (oldest first)."""


@dataclass(frozen=True, slots=True)
class CircuitMachine:
    """A circuit of the bit level, which has no registers."""

    circuit: Circuit

    @property
    def inputs(self) -> Widths:
        """Ports of the Verilog."""
        return dict(input_ports(self.circuit.inputs))

    @property
    def outputs(self) -> Widths:
        """Ports of the Verilog."""
        names = self.circuit.ports
        return {name: len(word) for name, word in zip(names, self.circuit.outputs, strict=True)}

    @property
    def registers(self) -> int:
        """None."""
        return 0

    def step(self, graph: AndInverterGraph, inputs: Words, stored: Sequence[int]) -> tuple[Words, list[int]]:
        """Return the outputs, and what the registers will store, from ``inputs`` and what they have ``stored``."""
        literals = [0, *(literal for name in self.inputs for literal in inputs[name])]
        for a, b in self.circuit.ands.tolist():
            literals.append(graph.both(literals[a >> 1] ^ a & 1, literals[b >> 1] ^ b & 1))
        words = zip(self.outputs, self.circuit.outputs, strict=True)
        return {name: [literals[x >> 1] ^ x & 1 for x in word] for name, word in words}, []

    def answer(self, rows: Sequence[Ports]) -> Ports:
        """Answer one row as the circuit does, unsigned by output port, at the last clock of ``rows`` (oldest first)."""
        row = np.array([list(codes_at(self.circuit.inputs, rows[-1]).values())])
        words = interpret_circuit(self.circuit, row).words[0].tolist()
        return {
            name: value & (1 << width) - 1 for (name, width), value in zip(self.outputs.items(), words, strict=True)
        }


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
        """Return the outputs, and what the registers will store, from ``inputs`` and what they have ``stored``."""
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

    def answer(self, rows: Sequence[Ports]) -> Ports:
        """Answer one row as the circuit does, unsigned by output port, at the last clock of ``rows`` (oldest first)."""
        gates = self.gates
        stored = [0] * gates.flip_flops
        bits: list[int] = []
        for row in rows:
            bits = [0, *(row.get(bus.name, 0) >> k & 1 for bus in gates.inputs for k in range(bus.width))]
            first = len(bits)
            while True:  # a reset may be computed from an input
                values = bits[:first] + stored
                for table, a, b in zip(
                    gates.operation.tolist(), gates.left.tolist(), gates.right.tolist(), strict=True
                ):
                    values.append(table >> (values[a] + 2 * values[b]) & 1)
                cleared = [held & ~values[clear] & 1 for held, clear in zip(stored, gates.clear.tolist(), strict=True)]
                if cleared == stored:
                    break
                stored = cleared
            bits = values
            stored = [values[signal] for signal in gates.data.tolist()]
        result = iter(gates.result.tolist())
        return {bus.name: sum(bits[next(result)] << k for k in range(bus.width)) for bus in gates.outputs}


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
    """Return the outputs of both over the same inputs; a machine without registers reads the row that a pipeline
    answers.

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
    """Return the literals of the input ports at each clock, the oldest first."""
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
