"""Single-bit operations with constant folding and structural hashing: what a plan becomes on its way to hardware.

A literal is ``2 * node + inverted``; node 0 is constant false.  Every later back end (Verilog, and-inverter graph)
walks the finished :class:`Bits`, so that all of them build the same circuit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from mlpress.ir.ands import FALSE, TRUE

Kind = Literal["and", "xor", "xor3", "maj", "mux"]


class Gate(NamedTuple):
    """One operation on literals; ``c`` is 0 where it takes two.

    ``and``, ``xor``: of ``a`` and ``b``; ``xor3`` and ``maj``: sum and carry of a full adder; ``mux``: ``b`` where
    ``a``, else ``c``.  ``owner`` is the name of the plan value that it is part of.
    """

    kind: Kind
    a: int
    b: int
    c: int
    owner: str


@dataclass(frozen=True, slots=True)
class Bits:
    """A finished bit program.

    Nodes 1 .. n are the input bits (``inputs``: name -> width, LSB first, in order); node n + 1 + k is
    ``gates[k]``.  ``words`` names literals for the reader (LSB first); ``outputs`` names the outputs and says
    whether each is signed.
    """

    inputs: tuple[tuple[str, int], ...]
    gates: tuple[Gate, ...]
    words: Mapping[str, tuple[int, ...]]
    outputs: Mapping[str, tuple[tuple[int, ...], bool]]

    @property
    def first_gate(self) -> int:
        """The node of ``gates[0]``."""
        return 1 + sum(width for _, width in self.inputs)

    def depths(self) -> list[int]:
        """Count the operations on the longest way from an input to each gate."""
        found = [0] * self.first_gate
        for gate in self.gates:
            found.append(1 + max(found[gate.a >> 1], found[gate.b >> 1], found[gate.c >> 1]))
        return found[self.first_gate :]


@dataclass(slots=True)
class GateList:
    """A bit program in the making; ``owner`` is set by whoever builds a value."""

    inputs: tuple[tuple[str, int], ...]
    owner: str = ""
    gates: list[Gate] = field(default_factory=list)
    _known: dict[tuple[str, int, int, int], int] = field(default_factory=dict)
    _first: int = 0
    _depths: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._first = 1 + sum(width for _, width in self.inputs)
        self._depths = [0] * self._first

    def input_words(self) -> list[tuple[int, ...]]:
        """Return the literals of each input, LSB first."""
        words, node = [], 1
        for _, width in self.inputs:
            words.append(tuple(2 * (node + k) for k in range(width)))
            node += width
        return words

    def depth(self, literal: int) -> int:
        """Count the operations on the longest way from an input to ``literal``."""
        return self._depths[literal >> 1]

    def and_(self, a: int, b: int) -> int:
        """Return ``a & b``."""
        a, b = min(a, b), max(a, b)
        if a == FALSE or a == b ^ 1:
            return FALSE
        if a in (TRUE, b):
            return b
        return self._gate("and", a, b)

    def or_(self, a: int, b: int) -> int:
        """Return ``a | b``."""
        return self.and_(a ^ 1, b ^ 1) ^ 1

    def xor(self, a: int, b: int) -> int:
        """Return ``a ^ b``."""
        inverted = (a ^ b) & 1
        a, b = sorted((a & ~1, b & ~1))
        if a == b:
            return inverted
        if a == FALSE:
            return b ^ inverted
        return self._gate("xor", a, b) ^ inverted

    def full_add(self, a: int, b: int, c: int) -> tuple[int, int]:
        """Return sum and carry of three bits."""
        return self.xor3(a, b, c), self.maj(a, b, c)

    def xor3(self, a: int, b: int, c: int) -> int:
        """Return ``a ^ b ^ c``."""
        inverted = (a ^ b ^ c) & 1
        a, b, c = sorted((a & ~1, b & ~1, c & ~1))
        if a == FALSE:
            return self.xor(b, c) ^ inverted
        if a == b:
            return c ^ inverted
        if b == c:
            return a ^ inverted
        return self._gate("xor3", a, b, c) ^ inverted

    def maj(self, a: int, b: int, c: int) -> int:
        """Return 1 where at least two of three are."""
        a, b, c = sorted((a, b, c))
        if a == FALSE:
            return self.and_(b, c)
        if a == TRUE:
            return self.or_(b, c)
        if b in (a, c):
            return b
        if a == b ^ 1:
            return c
        if b == c ^ 1:
            return a
        if (a & 1) + (b & 1) + (c & 1) >= 2:  # a majority is its own dual
            return self._gate("maj", *sorted((a ^ 1, b ^ 1, c ^ 1))) ^ 1
        return self._gate("maj", a, b, c)

    def mux(self, select: int, one: int, zero: int) -> int:
        """Return ``one`` where ``select``, else ``zero``."""
        if select & 1:
            select, one, zero = select ^ 1, zero, one
        if select == FALSE:
            return zero
        if one == zero:
            return one
        if one in (FALSE, select ^ 1):
            return self.and_(select ^ 1, zero)
        if one in (TRUE, select):
            return self.or_(select, zero)
        if zero in (FALSE, select):
            return self.and_(select, one)
        if zero in (TRUE, select ^ 1):
            return self.or_(select ^ 1, one)
        if one == zero ^ 1:
            return self.xor(select, zero)
        return self._gate("mux", select, one, zero)

    def finish(self, words: Mapping[str, Sequence[int]], outputs: Mapping[str, tuple[Sequence[int], bool]]) -> Bits:
        """Return the program, with what no output needs left out."""
        live = {literal >> 1 for word, _ in outputs.values() for literal in word}
        for k in reversed(range(len(self.gates))):
            if self._first + k in live:
                gate = self.gates[k]
                live.update((gate.a >> 1, gate.b >> 1, gate.c >> 1))
        renamed = {node: node for node in range(self._first)}
        kept: list[Gate] = []
        for k, gate in enumerate(self.gates):
            if self._first + k in live:
                renamed[self._first + k] = self._first + len(kept)
                a, b, c = (2 * renamed[literal >> 1] | literal & 1 for literal in gate[1:4])
                kept.append(gate._replace(a=a, b=b, c=c))

        def moved(word: Sequence[int]) -> tuple[int, ...]:
            return tuple(2 * renamed[literal >> 1] | literal & 1 for literal in word)

        shown = {name: moved(word) for name, word in words.items() if all(literal >> 1 in renamed for literal in word)}
        ends = {name: (moved(word), signed) for name, (word, signed) in outputs.items()}
        return Bits(self.inputs, tuple(kept), shown, ends)

    def _gate(self, kind: Kind, a: int, b: int, c: int = 0) -> int:
        key = (kind, a, b, c)
        if key not in self._known:
            self._known[key] = 2 * (self._first + len(self.gates))
            self.gates.append(Gate(kind, a, b, c, self.owner))
            self._depths.append(1 + max(self.depth(a), self.depth(b), self.depth(c)))
        return self._known[key]
