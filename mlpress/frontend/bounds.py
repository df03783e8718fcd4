"""Exact bounds on real values, carried back through activations to the integers that reach them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from mlpress.ir import Clip, HardSigmoid, LeakyRelu, Linear, Quantiser, RealActivation, Relu, Sigmoid, Tanh

Number = Fraction | float  # a float is an infinity


@dataclass(frozen=True, slots=True)
class Bound:
    """The values from ``at`` up; ``at`` itself belongs to them where ``inclusive``.

    An infinite ``at`` is a float: minus infinity for all values, plus infinity for none.
    """

    at: Number
    inclusive: bool

    def holds(self, value: Fraction) -> bool:
        """Return whether ``value`` is within the bound."""
        return value > self.at or (self.inclusive and value == self.at)

    def over(self, step: Fraction, offset: Fraction) -> Bound:
        """Return the bound on ``x`` that means this one on ``x * step + offset``, for a positive step."""
        return self if isinstance(self.at, float) else Bound((self.at - offset) / step, self.inclusive)

    def first_integer(self, low: int, high: int) -> int:
        """Return the smallest integer within the bound, or the nearer of ``low`` and ``high`` where it lies beyond
        them.
        """
        if isinstance(self.at, float):
            return low if self.at < 0 else high
        first = math.ceil(self.at) if self.inclusive else math.floor(self.at) + 1
        return min(max(first, low), high)


ALL = Bound(-math.inf, True)
NONE = Bound(math.inf, True)


def code_bound(quantiser: Quantiser, steps: int) -> Bound:
    """Return the real values whose code is at least ``quantiser.low + steps``.

    ``round(v / scale) + zero >= code`` holds from ``v / scale = code - zero - 1/2`` on; that tie rounds up only to
    an even number.
    """
    count = quantiser.low + steps - quantiser.zero
    return Bound((count - Fraction(1, 2)) * Fraction(quantiser.scale), count % 2 == 0)


def before(activation: RealActivation, bound: Bound) -> Bound:
    """Return the bound on the values before a never-falling ``activation`` that means ``bound`` on those after it."""
    y = bound.at
    if isinstance(y, float):
        return bound
    match activation:
        case Linear():
            return bound
        case Relu() | LeakyRelu(alpha=0.0):
            return ALL if bound.holds(Fraction(0)) else bound
        case Clip(low=low, high=high):
            return _clipped(bound, Fraction(low), Fraction(high))
        case LeakyRelu(alpha=alpha):
            return bound if y >= 0 else Bound(y / Fraction(alpha), bound.inclusive)
        case HardSigmoid(alpha=0.0, beta=beta):
            return ALL if bound.holds(Fraction(min(max(beta, 0.0), 1.0))) else NONE
        case HardSigmoid(alpha=alpha, beta=beta):
            return _clipped(bound, Fraction(0), Fraction(1)).over(Fraction(alpha), Fraction(beta))
        case Sigmoid():
            return _curved(bound, y, 0, lambda value: math.log(value) - math.log1p(-value))
        case Tanh():
            return _curved(bound, y, -1, math.atanh)


def _clipped(bound: Bound, low: Fraction, high: Fraction) -> Bound:
    if bound.holds(low):
        return ALL
    return bound if bound.holds(high) else NONE


def _curved(bound: Bound, y: Fraction, low: int, inverse: Callable[[float], float]) -> Bound:
    """Bound the input of a curve that rises from ``low`` to 1 and reaches neither, in double precision."""
    value = float(y)
    if value <= low:
        return ALL
    return NONE if value >= 1.0 else Bound(Fraction(inverse(value)), bound.inclusive)
