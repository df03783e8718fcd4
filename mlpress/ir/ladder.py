"""Long ladders by their structure: a monotone quantiser is a multiplication, a shift and a clip.

The thresholds of a quantised layer lie on a line, ``t_i = ceil((i - beta) / slope)``.  Where integers ``m``, ``b`` and
``k`` with ``(s * m + b) >> k >= i`` exactly where ``s >= t_i`` exist, for every ``i``, the ladder is that formula.
They exist where some line runs on or above all points ``(t_i, i)`` and below all ``(t_i - 1, i)``; every threshold is
compared, in integers, before a formula is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpress.ir.digits import digit_count
from mlpress.ir.interval import Interval

LONG = 16
"""Thresholds within a sum's range from which on a ladder's structure is looked for."""

SAFE_BITS = 61
"""Bits of the largest product that the search for a formula computes."""

SPARE_BITS = 6
"""Bits of the shift beyond those at which neighbouring slopes differ by a threshold somewhere: a slope ``n / span`` of
``n`` steps over ``span`` sums leaves room for one of about ``span ** 2 / n`` others."""

CANDIDATES = 4096
"""Multipliers at most that are tried for each shift."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Clamp:
    """``base + clip(sum >> shift, 0, top)``."""

    shift: int
    base: int
    top: int

    def __call__(self, total: int) -> int:
        """Return the output for the sum ``total``."""
        return self.base + min(max(total >> self.shift, 0), self.top)


@dataclass(frozen=True, slots=True)
class Line:
    """A ladder as ``clamp(s * multiplier + constant)``, for every sum ``s`` of the interval it was found for."""

    multiplier: int
    constant: int
    clamp: Clamp


def reached(thresholds: tuple[int, ...], total: Interval) -> tuple[int, tuple[int, ...]]:
    """Return how many thresholds every sum in ``total`` reaches, and those that some reach and some don't."""
    base = sum(threshold <= total.low for threshold in thresholds)
    return base, tuple(t for t in thresholds[base:] if t <= total.high)


def straight(thresholds: tuple[int, ...], total: Interval) -> Line | None:
    """Return the formula of a long ladder over the sums in ``total``, with the fewest signed digits; None where none
    is.
    """
    base, inner = reached(thresholds, total)
    if len(inner) < LONG or inner[-1] - inner[0] < 2:  # a jump over one or two sums: any steep line would do
        return None
    span, size = (inner[-1] - inner[0]).bit_length(), len(inner).bit_length()
    finest = max(0, 2 * span - size) + SPARE_BITS
    farthest = max(abs(inner[0]), abs(inner[-1])).bit_length()
    if max(span, farthest) + finest + max(0, size - span) + 4 > SAFE_BITS:
        return None
    steps = _Steps(np.array(inner, np.int64), np.arange(1, len(inner) + 1, dtype=np.int64))
    slopes = steps.slopes(finest)
    if slopes is None:
        return None
    best: tuple[int, int, int] | None = None
    for shift in range(finest + 1):
        low, high = -(-slopes[0] >> (finest - shift)), slopes[1] >> (finest - shift)
        for multiplier in range(max(1, low), min(high, low + CANDIDATES) + 1):
            found = digit_count(multiplier), shift, multiplier
            if (best is None or found < best) and steps.room(multiplier, shift) >= 0:
                best = found
    if best is None:
        return None
    _, shift, multiplier = best
    return Line(multiplier, _roundest(*steps.constants(multiplier, shift)), Clamp(shift, base, len(inner)))


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """Thresholds and the outputs that they begin: int64 (steps,)."""

    at: Ints
    code: Ints

    def constants(self, multiplier: int, shift: int) -> tuple[int, int]:
        """Return the lowest and the highest constant for which the formula has every threshold; none where they
        cross."""
        line = (self.code << shift) - self.at * multiplier
        return int(line.max()), int(line.min()) + multiplier - 1

    def room(self, multiplier: int, shift: int) -> int:
        """Return how far the constants reach; negative where there is none.  A concave function of the multiplier."""
        low, high = self.constants(multiplier, shift)
        return high - low

    def slopes(self, shift: int) -> tuple[int, int] | None:
        """Return the lowest and the highest multiplier that has constants, or None."""
        low, high = 0, 2 * ((len(self.at) << shift) // max(1, int(self.at[-1] - self.at[0])) + 1)
        while low < high:  # uphill
            middle = (low + high) // 2
            if self.room(middle, shift) < self.room(middle + 1, shift):
                low = middle + 1
            else:
                high = middle
        if self.room(low, shift) < 0:
            return None
        return self._end(low, -1, shift), self._end(low, 1, shift)

    def _end(self, start: int, way: int, shift: int) -> int:
        """Return the last multiplier with constants on one side of ``start``."""
        reach = 1
        while self.room(start + way * reach, shift) >= 0:
            reach *= 2
        inside, outside = start + way * (reach // 2), start + way * reach
        while abs(outside - inside) > 1:
            middle = (inside + outside) // 2
            if self.room(middle, shift) >= 0:
                inside = middle
            else:
                outside = middle
        return inside


def _roundest(low: int, high: int) -> int:
    """Return the number from ``low`` to ``high`` with the most low zero bits."""
    if low <= 0 <= high:
        return 0
    zeros = (high - low).bit_length()
    while -(-low >> zeros) << zeros > high:
        zeros -= 1
    return -(-low >> zeros) << zeros
