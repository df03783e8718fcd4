"""The bit level: an and-inverter graph from the bits of the input codes to the bits of the class index.

Signals are *literals* as in AIGER ("The AIGER And-Inverter Graph Format", Biere, 2006; "AIGER 1.9 And Beyond",
Biere, Heljanko, Wieringa, 2011): literal ``2 * v`` is variable ``v``, ``2 * v + 1`` its complement, and variable 0
is the constant 0.  ``docs/ir.md`` is the specification; :func:`mlpress.ir.verify` enforces it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mlpress.ir.ands import FALSE, HashedAnds
from mlpress.ir.net import Input, Scores, output_ports
from mlpress.notebook import table_html

Literals = NDArray[np.int32]


Word = tuple[int, ...]
"""The literals of an integer's bits, the least significant first."""


@dataclass(frozen=True, slots=True, eq=False)
class Circuit:
    """And-gates between the bits of ``inputs`` and those of ``outputs``.

    Variables 1, 2, ... are the input bits: input 0's, then input 1's, and so on; those of a binary input are its code's
    bits from the least significant up, those of a unary one its levels from the lowest up.  The variables after them
    are the and-gates.  Row ``k`` of ``ands``, int32 (gates, 2), holds the two
    literals that gate ``k`` reads.

    A classifier has one output word, the unsigned class index; ``classes`` names what it stands for.  A regression
    has one word per score, in two's complement; ``scores`` says what real values they stand for, and ``classes``
    is empty.
    """

    inputs: tuple[Input, ...]
    ands: Literals
    outputs: tuple[Word, ...]
    classes: tuple[int | str, ...]
    scores: Scores | None = None

    level: ClassVar[str] = "circuit"

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, Circuit)
            and self.inputs == other.inputs
            and np.array_equal(self.ands, other.ands)
            and self.outputs == other.outputs
            and self.classes == other.classes
            and self.scores == other.scores
        )

    def __repr__(self) -> str:
        return f"Circuit({self.input_bits} input bits, {len(self.ands)} and-gates, {len(self.classes)} classes)"

    def _repr_html_(self) -> str:
        rows = [
            {"input": feature.name, "bits": feature.width, "interface": feature.interface} for feature in self.inputs
        ]
        return table_html(f"{self!r}, {self.depth()} after one another at most", rows)

    @property
    def ports(self) -> tuple[str, ...]:
        """The output ports, one per word: ``y``, or ``y0``, ``y1``, ... for scores."""
        return output_ports(self.scores)

    @property
    def terms(self) -> int:
        """None: a circuit has gates, and no terms of sums."""
        return 0

    @property
    def shared_sums(self) -> int | None:
        """``None``: a circuit has no sums that could be shared."""
        return None

    @property
    def input_bits(self) -> int:
        """Bits in which all input codes together come in."""
        return sum(feature.width for feature in self.inputs)

    @property
    def variables(self) -> int:
        """The constant, the input bits and the gates."""
        return 1 + self.input_bits + len(self.ands)

    def depth(self) -> int:
        """Count the and-gates on the longest path from an input to an output."""
        level = [0] * self.variables
        first = 1 + self.input_bits
        for gate, (a, b) in enumerate(self.ands.tolist()):
            level[first + gate] = 1 + max(level[a >> 1], level[b >> 1])
        return max((level[literal >> 1] for word in self.outputs for literal in word), default=0)


def index_bits(classes: int) -> int:
    """Count the bits of the class index of a classifier with so many ``classes``."""
    return max(1, (classes - 1).bit_length())


class CircuitBuilder(HashedAnds):
    """Builds a circuit gate by gate; equal gates are one gate, and constants fold.

    Besides the trivial cases, a gate is simplified where one operand is an and-gate that shares a literal with the
    other: the rules of "Local Two-Level And-Inverter Graph Minimization without Blowup" (Brummayer, Biere, 2006)
    that need no new gate.  Of two levels of one unary input, the higher one implies the lower one; where ``possible``
    is false, gates are kept that differ only in rows in which it does not.
    """

    def __init__(self, inputs: Sequence[Input], *, possible: bool = True) -> None:
        self._inputs = tuple(inputs)
        super().__init__(1 + sum(feature.width for feature in inputs))
        self._bits: list[list[int]] = []
        self._level_of: dict[int, int] = {}
        variable = 1
        for index, feature in enumerate(inputs):
            self._bits.append([2 * (variable + k) for k in range(feature.width)])
            if feature.interface == "unary" and possible:
                self._level_of.update((variable + k, index) for k in range(feature.width))
            variable += feature.width

    def __len__(self) -> int:
        return len(self.nodes)

    def input(self, index: int) -> list[int]:
        """Return the literals of input ``index``: the least significant bit, or the lowest level, first."""
        return list(self._bits[index])

    def invert(self, a: int) -> int:
        """Return the complement of ``a``."""
        return a ^ 1

    def both(self, a: int, b: int) -> int:
        """Return the literal of ``a and b``; no new gate where an operand's own gate decides it."""
        if a > b:
            a, b = b, a
        if (simple := self._implied(a, b)) is not None:
            return simple
        if (simple := self._absorbed(a, b)) is not None or (simple := self._absorbed(b, a)) is not None:
            return simple
        return HashedAnds.both(self, a, b)

    def _implied(self, low: int, high: int) -> int | None:
        """Return ``low and high`` where both are levels of one unary input, None where they are not, or it is a gate.

        Where the higher level is reached, the lower one is.
        """
        source = self._level_of.get(low >> 1)
        if source is None or source != self._level_of.get(high >> 1) or low >> 1 == high >> 1:
            return None
        if not low & 1:
            return None if high & 1 else high
        return low if high & 1 else FALSE

    def _absorbed(self, x: int, gate: int) -> int | None:
        """Return ``x and gate`` where one of the gate's own operands decides it or replaces the gate, else None."""
        if gate >> 1 < self.first:
            return None
        p, q = self.nodes[(gate >> 1) - self.first]
        if not gate & 1:
            if x in (p, q):
                return gate
            return FALSE if x ^ 1 in (p, q) else None
        if x ^ 1 in (p, q):
            return x
        if x == p:
            return self.both(x, q ^ 1)
        return self.both(x, p ^ 1) if x == q else None

    def either(self, a: int, b: int) -> int:
        """Return ``a`` or ``b``."""
        return self.both(a ^ 1, b ^ 1) ^ 1

    def differ(self, a: int, b: int) -> int:
        """Return ``a`` xor ``b``."""
        flip = (a ^ b) & 1
        a, b = a & ~1, b & ~1
        return self.both(self.both(a, b) ^ 1, self.both(a ^ 1, b ^ 1) ^ 1) ^ flip

    def choose(self, select: int, high: int, low: int) -> int:
        """Return ``high`` where ``select`` is 1, else ``low``."""
        if high == low ^ 1:
            return self.differ(select, low)
        return self.either(self.both(select, high), self.both(select ^ 1, low))

    def majority(self, a: int, b: int, c: int) -> int:
        """Return 1 where at least two of the three are: the carry of a full adder."""
        return self.either(self.both(a, b), self.both(c, self.either(a, b)))

    def circuit(
        self, outputs: Sequence[Word], classes: tuple[int | str, ...] = (), scores: Scores | None = None
    ) -> Circuit:
        """Return the circuit of what ``outputs`` need; gates that nothing reads are left out."""
        ands = np.array(self.nodes, np.int32).reshape(-1, 2)
        return Circuit(self._inputs, *swept(self.first, ands, outputs), classes, scores)


def swept(first: int, ands: Literals, outputs: Sequence[Word]) -> tuple[Literals, tuple[Word, ...]]:
    """Return ``ands`` (variables from ``first`` on) without the gates that no output needs, and ``outputs``
    renumbered."""
    used = np.zeros(first + len(ands), np.bool_)
    used[:first] = True
    for word in outputs:
        used[[literal >> 1 for literal in word]] = True
    rows = ands.tolist()
    for gate in range(len(rows) - 1, -1, -1):
        if used[first + gate]:
            a, b = rows[gate]
            used[a >> 1] = used[b >> 1] = True
    renumbered = np.cumsum(used, dtype=np.int32) - 1
    kept = ands[used[first:]]
    return (
        (2 * renumbered[kept >> 1] + (kept & 1)).astype(np.int32).reshape(-1, 2),
        tuple(tuple(int(2 * renumbered[x >> 1] + (x & 1)) for x in word) for word in outputs),
    )
