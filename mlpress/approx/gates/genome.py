"""The genome of gate-level evolution: a netlist of two-input functions, each at the target's price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.gates.cells import AND, NOT, WIRES, GateCosts
from mlpress.errors import MlpressError
from mlpress.ir import Circuit, CircuitBuilder, Input

ZERO, ONE, FIRST_INPUT = 0, 1, 2
"""The signals of the constants, and that of the first input bit."""

_LEFT_INVERTED = tuple(sum((table >> (k ^ 1) & 1) << k for k in range(4)) for table in range(16))
_RIGHT_INVERTED = tuple(sum((table >> (k ^ 2) & 1) << k for k in range(4)) for table in range(16))


@dataclass(frozen=True, slots=True, eq=False)
class Genome:
    """Gates in topological order; a signal is a constant (0, 1), an input bit (2, 3, ...) or, after those, a gate.

    Gate ``k`` is the function ``table[k]`` (uint8, bit ``a + 2 * b``) of the signals ``operands[k]`` (int32,
    (gates, 2)), which come before it; an inverter reads one signal twice.  ``outputs`` (int32) are the signals of
    the output bits.
    """

    input_bits: int
    table: NDArray[np.uint8]
    operands: NDArray[np.int32]
    outputs: NDArray[np.int32]

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, Genome)
            and self.input_bits == other.input_bits
            and np.array_equal(self.table, other.table)
            and np.array_equal(self.operands, other.operands)
            and np.array_equal(self.outputs, other.outputs)
        )

    def __len__(self) -> int:
        return len(self.table)

    @property
    def first_gate(self) -> int:
        """The signal of gate 0."""
        return FIRST_INPUT + self.input_bits

    def area(self, costs: GateCosts) -> int:
        """Return the cost of all gates, in steps of ``costs.step``."""
        return int(costs.area[self.table].sum())

    def read(self) -> NDArray[np.bool_]:
        """Return which input bits any gate or output reads, bool (input bits,)."""
        found = np.zeros(self.first_gate + len(self), np.bool_)
        found[self.operands.reshape(-1)] = True
        found[self.outputs] = True
        return found[FIRST_INPUT : self.first_gate]

    def check(self) -> None:
        """Raise :class:`MlpressError` where the arrays are no genome (they may come from a file)."""
        types = self.table.dtype == np.uint8 and self.operands.dtype == self.outputs.dtype == np.int32
        flat = self.table.ndim == self.outputs.ndim == 1
        if not types or not flat or self.operands.shape != (len(self.table), 2):
            raise MlpressError("a netlist of the evolution has arrays of the wrong types or shapes")
        own = self.first_gate + np.arange(len(self.table))
        read = (self.operands >= 0).all() and (self.operands < own[:, None]).all()
        if not read or not np.all((self.outputs >= 0) & (self.outputs < self.first_gate + len(own))):
            raise MlpressError("a netlist of the evolution reads a signal that does not come before the gate")
        if np.any(self.table > 15) or np.isin(self.table, WIRES).any():
            raise MlpressError("a netlist of the evolution has a gate that is no gate")

    def to_circuit(self, inputs: Sequence[Input], classes: tuple[int | str, ...]) -> Circuit:
        """Return the and-inverter graph, equal for all input bits: the genome's netlist is one of this circuit."""
        builder = CircuitBuilder(inputs, possible=False)
        literals = [0, 1, *(literal for k in range(len(inputs)) for literal in builder.input(k))]
        for table, (a, b) in zip(self.table.tolist(), self.operands.tolist(), strict=True):
            literals.append(_build(builder, table, literals[a], literals[b]))
        word = tuple(literals[signal] for signal in self.outputs.tolist())
        return builder.circuit([word], classes)


def _build(builder: CircuitBuilder, table: int, a: int, b: int) -> int:
    """Build a two-input function of and-gates, by the number of its ones."""
    rows = [k for k in range(4) if table >> k & 1]
    if len(rows) == 1:
        return builder.both(a ^ ~rows[0] & 1, b ^ (~rows[0] >> 1 & 1))
    if len(rows) == 3:
        return _build(builder, table ^ 15, a, b) ^ 1
    if table in (0b0110, 0b1001):
        return builder.differ(a, b) ^ (table & 1)
    return (a if table in (0b0101, 0b1010) else b) ^ (table & 1)


def to_genome(circuit: Circuit, costs: GateCosts) -> Genome:
    """Return the genome of a classifier ``circuit``, mapped gate by gate.

    A gate is made in the polarity that is cheapest for its readers as a tree (dynamic programming over both
    polarities); where both are needed an inverter makes the other.
    """
    if circuit.scores is not None:
        raise MlpressError("this circuit gives scores, not classes; the evolution needs a classifier")
    mapper = _Mapper(circuit, costs)
    outputs = [mapper.signal(literal) for literal in circuit.outputs[0]]
    return mapper.genome(outputs)


class _Mapper:
    """Chooses each gate's function from the outputs down."""

    def __init__(self, circuit: Circuit, costs: GateCosts) -> None:
        self._first = 1 + circuit.input_bits
        self._ands = circuit.ands.tolist()
        self._area = [int(area) for area in costs.area]
        self._input_bits = circuit.input_bits
        self._made: dict[int, int] = {0: ZERO, 1: ONE}
        self._made.update({2 * (1 + k): FIRST_INPUT + k for k in range(circuit.input_bits)})
        self._gates: list[tuple[int, int, int]] = []
        self._choice: list[tuple[int, int, int] | None] = [None] * (2 * circuit.variables)
        inverter = self._area[NOT]
        cost = [0, 0] + [0, inverter] * circuit.input_bits
        readers = [1] * circuit.variables
        for a, b in self._ands:
            readers[a >> 1] += 1
            readers[b >> 1] += 1
        for k, (a, b) in enumerate(self._ands):
            own = 2 * (self._first + k)
            both = []
            for negative in (0, 1):
                both.append(min(self._options(a, b, negative, cost)))
            for negative in (0, 1):
                if both[negative][0] <= both[1 - negative][0] + inverter:
                    self._choice[own + negative] = both[negative][1:]
            for negative in (0, 1):
                whole = min(both[negative][0], both[1 - negative][0] + inverter)
                cost.append(whole // max(1, readers[self._first + k] - 1))  # shared among the readers

    def _options(self, a: int, b: int, negative: int, cost: list[int]) -> Iterator[tuple[int, int, int, int]]:
        """Yield cost, function and literals of each way to make the gate or its complement."""
        for flip in range(4):
            left, right = a ^ flip & 1, b ^ flip >> 1
            table = AND
            table = _LEFT_INVERTED[table] if flip & 1 else table
            table = _RIGHT_INVERTED[table] if flip >> 1 else table
            table ^= 15 * negative
            yield self._area[table] + cost[left] + cost[right], table, left, right

    def signal(self, literal: int) -> int:
        """Return the signal of ``literal``; make what it needs."""
        stack = [literal]
        while stack:
            wanted = stack[-1]
            if wanted in self._made:
                stack.pop()
                continue
            choice = self._choice[wanted]
            if choice is None or wanted >> 1 < self._first:
                needs, table = (wanted ^ 1, wanted ^ 1), NOT
            else:
                table, *literals = choice
                needs = (literals[0], literals[1])
            missing = [need for need in needs if need not in self._made]
            if missing:
                stack += missing
                continue
            self._gates.append((table, self._made[needs[0]], self._made[needs[1]]))
            self._made[wanted] = FIRST_INPUT + self._input_bits + len(self._gates) - 1
            stack.pop()
        return self._made[literal]

    def genome(self, outputs: list[int]) -> Genome:
        """Return the genome of the gates made so far."""
        gates = np.array(self._gates, np.int32).reshape(-1, 3)
        return Genome(self._input_bits, gates[:, 0].astype(np.uint8), gates[:, 1:].copy(), np.array(outputs, np.int32))
