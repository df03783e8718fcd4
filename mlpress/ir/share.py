"""Sub-sums that several sums share: a greedy search over pairs of operands.

The method is that of multiple constant multiplication by common two-term sub-expressions (R. I. Hartley,
"Subexpression sharing in filters using canonic signed digit multipliers", IEEE TCAS-II 43(10), 1996), with the gain
counted in the full adders of bit heaps, not in whole adders: a pair is worth sharing by the bits that it takes out of
every heap, less the bits that its own adder costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Operand(NamedTuple):
    """``sign * ((value & mask) << shift)``; ``value`` indexes a plan's values, and ``mask`` -1 takes all."""

    value: int
    mask: int
    shift: int
    sign: int


class Pair(NamedTuple):
    """``first + second`` up to a common shift and sign: ``first`` is positive and the smaller shift is 0."""

    first: Operand
    second: Operand


def pair_of(one: Operand, other: Operand) -> tuple[Pair, int, int]:
    """The normal form of ``one + other``, with the (shift, sign) that gives them back from it."""
    first, second = sorted((one, other))
    shift, sign = min(first.shift, second.shift), first.sign
    pair = Pair(
        Operand(first.value, first.mask, first.shift - shift, 1),
        Operand(second.value, second.mask, second.shift - shift, second.sign * sign),
    )
    return pair, shift, sign


def best_pair(rows: Sequence[Sequence[Operand]], saved_bits: Callable[[Pair], int], least: int) -> Pair | None:
    """The pair whose sharing saves the most full adders over ``rows`` (at least ``least``), or ``None``.

    ``saved_bits(pair)`` is the number of heap bits that one use of the shared sum saves; its own adder costs
    as much once.  Ties go to the smallest pair, so that the result does not depend on any order of sets.
    """
    uses: dict[Pair, int] = defaultdict(int)
    for row in rows:
        taken: dict[Pair, set[int]] = defaultdict(set)
        for i, one in enumerate(row):
            for j in range(i + 1, len(row)):
                pair, _, _ = pair_of(one, row[j])
                if i in taken[pair] or j in taken[pair]:
                    continue
                taken[pair].update((i, j))
                uses[pair] += 1
    gains = [((count - 1) * saved_bits(pair), pair) for pair, count in uses.items() if count > 1]
    worthwhile = [(-gain, pair) for gain, pair in gains if gain >= least]
    return min(worthwhile)[1] if worthwhile else None


def replace_pair(row: Sequence[Operand], pair: Pair, value: int) -> list[Operand]:
    """``row`` with every use of ``pair`` replaced by the shared ``value``."""
    left = list(row)
    found: list[Operand] = []
    i = 0
    while i < len(left):
        match = _partner(left, i, pair)
        if match is None:
            i += 1
            continue
        j, shift, sign = match
        del left[j], left[i]
        found.append(Operand(value, -1, shift, sign))
    return sorted(left + found)


def _partner(row: Sequence[Operand], i: int, pair: Pair) -> tuple[int, int, int] | None:
    for j in range(i + 1, len(row)):
        candidate, shift, sign = pair_of(row[i], row[j])
        if candidate == pair:
            return j, shift, sign
    return None
