"""And-gates with structural hashing, and their binary form in AIGER files.

Literals are ``2 * variable + complement``; variable 0 is the constant 0.  Biere, Heljanko, Wieringa: "AIGER 1.9 and
beyond", FMV report 11/2, JKU Linz 2011.
"""

from __future__ import annotations

FALSE, TRUE = 0, 1
"""The literals of the two constants."""


class HashedAnds:
    """And-gates over variables below ``first``: equal gates are one gate, and constants fold."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.nodes: list[tuple[int, int]] = []
        self._known: dict[tuple[int, int], int] = {}

    def both(self, a: int, b: int) -> int:
        """Return the literal of ``a and b``."""
        low, high = (a, b) if a < b else (b, a)
        if low in (high, TRUE):
            return high
        if low == FALSE or low ^ 1 == high:
            return FALSE
        found = self._known.get((low, high))
        if found is None:
            found = self._known[low, high] = 2 * (self.first + len(self.nodes))
            self.nodes.append((low, high))
        return found

    def close(self) -> None:
        """Free what only further gates would need: half of the memory."""
        self._known.clear()


def delta(value: int) -> bytes:
    """Encode a number in groups of 7 bits, the lowest first; the top bit of a byte says that more follow."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
