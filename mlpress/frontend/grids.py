"""The integers behind real values: codes on their grids, and weights that are integers times scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.ir import Clip, Coder, Coders, Integers, Quantiser, Staircase

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LARGEST_CODE = 1 << 53  # of ir.Integers
WHOLE = LARGEST_CODE - 1
"""Real weights that are all whole numbers up to this magnitude are taken as integers."""


def one_or_each(held: Sequence[Coder | None]) -> Coders:
    """Return the one coder where all are equal, else one per value."""
    return held[0] if all(coder == held[0] for coder in held) else tuple(held)


def narrowed(coder: Coder | None, limits: Clip) -> Coder | None:
    """Return the coder whose values are those of ``coder`` after ``limits``; ``None`` where there is none."""
    match coder:
        case Quantiser(scale=scale, zero=zero, low=low, high=high):
            lowest = _limit(limits.low, scale, zero, low, (low - zero) * scale >= limits.low)
            highest = _limit(limits.high, scale, zero, high, (high - zero) * scale <= limits.high)
            if lowest is None or highest is None or not low <= lowest < highest <= high:
                return None
            return replace(coder, low=lowest, high=highest)
        case Staircase(bounds=bounds, step=step, base=base):
            levels = [min(max(base + step * count, limits.low), limits.high) for count in range(len(bounds) + 1)]
            rises = [after - level for level, after in pairwise(levels)]
            left = [bound for bound, rise in zip(bounds, rises, strict=True) if rise]
            found = {rise for rise in rises if rise}
            return Staircase(tuple(left), found.pop(), levels[0]) if len(found) == 1 else None
        case None:
            return None


def _limit(bound: float, scale: float, zero: int, code: int, unchanged: bool) -> int | None:
    """Return the code at a clip's ``bound``: its own ``code`` where that is within, ``None`` between two codes."""
    if unchanged:
        return code
    count = Fraction(bound) / Fraction(scale)
    return int(count) + zero if count.denominator == 1 else None


def same_grid(held: Coder | None, new: Coder | None) -> Coder | None:
    """Return the coder that does what ``new`` does to values of ``held``, where they share a grid, else ``None``."""
    if held == new:
        return held
    if not isinstance(held, Quantiser) or not isinstance(new, Quantiser):
        return None
    low, high = max(held.low, new.low), min(held.high, new.high)
    if (held.scale, held.zero) != (new.scale, new.zero) or low >= high:
        return None
    return replace(held, low=low, high=high)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A dense layer's weights (inputs, outputs) as ``codes * scales``, both of that shape."""

    codes: Ints
    scales: Floats

    @classmethod
    def of(cls, matrix: Floats, codes: Ints | None, scales: Floats | None) -> Held | None:
        """Return the integers of a quantised matrix, or of one of whole numbers; else ``None``."""
        if codes is not None and scales is not None:
            return cls(codes, scales)
        if (np.abs(matrix) <= WHOLE).all() and (matrix == np.rint(matrix)).all():
            return cls(matrix.astype(np.int64), np.ones(matrix.shape))
        return None

    def behind(self, gain: Floats, last: Integers | None) -> Integers | None:
        """Return the layer's integers after inputs times ``gain``, or after the integers of an open layer ``last``."""
        if last is not None:
            scale = last.weight_scale
            return None if (scale != scale[0]).any() else self._over(scale, last.weight)
        return self._over(gain, None)

    def _over(self, factors: Floats, inner: Ints | None) -> Integers | None:
        scales = self.scales[0]
        plain = (self.scales == scales).all() and (factors == factors[0]).all() and factors[0] > 0
        if plain:
            codes, scale = self.codes.T, scales * factors[0]
        else:
            found = common_rows(self.codes.T, self.scales.T * factors)
            if found is None:
                return None
            codes, scale = found
        if inner is not None:
            codes = codes @ inner
        if (np.abs(codes) >= LARGEST_CODE).any():
            return None
        return Integers(np.ascontiguousarray(codes), np.asarray(scale, np.float64))


def common_rows(codes: NDArray[Any], scales: Floats) -> tuple[Ints, Floats] | None:
    """Return integers (rows, columns) and a scale per row whose products are ``codes * scales``, or ``None``."""
    rows, units = [], []
    for line, sizes in zip(codes.tolist(), scales.tolist(), strict=True):
        values = [Fraction(size) * code for code, size in zip(line, sizes, strict=True)]
        unit = common_unit([value for value in values if value])
        whole = [int(value / unit) for value in values]
        if float(unit) == 0.0 or Fraction(float(unit)) != unit or max(map(abs, whole), default=0) >= LARGEST_CODE:
            return None
        rows.append(whole)
        units.append(float(unit))
    return np.array(rows, np.int64), np.array(units)


def common_unit(values: Sequence[Fraction]) -> Fraction:
    """Return the largest number of which all ``values`` are multiples; 1 where there are none."""
    if not values:
        return Fraction(1)
    below = lcm(*(value.denominator for value in values))
    return Fraction(gcd(*(int(value * below) for value in values)), below)
