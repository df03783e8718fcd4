"""Powers of two as shift codes, for cores without a multiplier: an input is shifted by the code and added.

An input stands at the top of a 32-bit register; the code says how far it is moved down.  A negative weight leaves it in
the upper half of the sum, a positive one moves it on by 16 bits, so that one addition serves both signs, and the
difference of the halves is the sum of the products.  Codes of 4 bits have two bits for the distance and one for the
sign, which two codes in a byte interleave so that one mask brings either to its place; codes of 5 bits are the number
itself, and 31 moves the input out of the register: a weight of 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mlpress.codegen.c.matrix import Matrix

POSITIVE, NOTHING = 16, 31
"""The bit of a code that a positive weight has, and the code of a weight of 0."""

MASKS = {4: 0x13, 5: 0x1F}
"""Bits of a code at the foot of an element, by bits per weight."""


class Codes(NamedTuple):
    """How the weights of a layer are coded: ``bits`` per weight, the least power of two as a ``factor``, and how far
    the largest one is above it (``reach``, in shifts)."""

    bits: int
    factor: int
    reach: int

    def code(self, weight: int) -> int:
        """Return how far an input is moved down for ``weight``."""
        if weight == 0:
            return NOTHING
        down = self.reach - (abs(weight) // self.factor).bit_length() + 1
        return down | (POSITIVE if weight > 0 else 0)

    def element(self, weights: Sequence[int | None]) -> int:
        """Return an element with the codes of these weights, the first at its foot; ``None`` is a place unused."""
        return sum(self.code(one) << place(self.bits, k) for k, one in enumerate(weights) if one is not None)


def place(bits: int, index: int) -> int:
    """Return the bit of an element at which the code with this index begins."""
    return 8 * (index // 2) + 2 * (index % 2) if bits == 4 else bits * index


def shift_codes(matrix: Matrix) -> Codes | None:
    """Return the shortest codes of ``matrix``, or ``None`` where a weight is no power of two or a half would overflow.

    The products of the positive weights, and those of the negative ones, must fit 16 bits each.
    """
    sizes = {abs(weight) for row in matrix.weights for weight in row}
    powers = sorted(sizes - {0})
    if not powers or any(size & (size - 1) for size in powers):
        return None
    factor, top = powers[0], max(max(matrix.high).bit_length(), 1)
    reach = (powers[-1] // factor).bit_length() - 1
    most = max(
        sum(abs(w) // factor * high for w, high in zip(row, matrix.high, strict=True) if w * sign > 0)
        for row in matrix.weights
        for sign in (1, -1)
    )
    if most > 0xFFFF or top + reach > 16 or (0 in sizes and top + reach >= 16):
        return None
    return Codes(4 if reach <= 3 and 0 not in sizes else 5, factor, reach)


def shifted_lines(codes: Codes, loads: list[str], sums: int, words: int, skip: bool, stop: str) -> list[str]:
    """Return the loop over the inputs; ``loads`` are the lines that leave a group's elements in ``t0``, ``t1``, ..."""
    each, mask = sums // words, f"0x{MASKS[codes.bits]:X}u"
    added = []
    for k in range(sums):
        word, field = divmod(k, each)
        moved = place(codes.bits, field) - (place(codes.bits, field - 1) if field else 0)
        if field:
            added += [f"t{word} >>= {moved};", f"MLPRESS_KEEP(t{word});"]
        added.append(f"a{k} += v >> (t{word} & {mask});")
    body = [*(line.removeprefix("const ") for line in loads), *added]
    if skip:
        body = ["if (v != 0u) {", *[f"    {line}" for line in body], "}"]
    return [
        "    do {",
        f"        const uint32_t v = (uint32_t)*p++ << {POSITIVE + codes.reach};",
        *[f"        {line}" for line in body],
        f"        w += {words};",
        f"    }} while (p != {stop});",
    ]
