"""Exact bounds on real values, carried back through activations to the integers that reach them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mlpress.ir import (
    Clip,
    Coder,
    Curve,
    HardSigmoid,
    LeakyRelu,
    Linear,
    Quantiser,
    RealActivation,
    Relu,
    Sigmoid,
    Staircase,
    Tanh,
    curve_values,
    rising_inverse,
    turning_point,
)

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


FARTHEST = 1e6
"""Beyond this magnitude a curve is taken as constant."""

ALL = Bound(-math.inf, True)
NONE = Bound(math.inf, True)


def code_bound(coder: Coder, steps: int) -> Bound:
    """Return the real values whose code is at least ``steps`` above the lowest."""
    if isinstance(coder, Staircase):
        return Bound(Fraction(coder.bounds[steps - 1]), True)
    at, inclusive = _edge(coder, coder.low + steps)
    return Bound((at - coder.zero) * Fraction(coder.scale), inclusive)


def _edge(quantiser: Quantiser, code: int) -> tuple[Fraction, bool]:
    """Return from which ``v / scale + zero`` on the code is at least ``code``, and whether that value itself is.

    Halves that round to even reach only an even number: one before the zero point is added (``even``), or after.
    """
    half = code - Fraction(1, 2)
    match quantiser.rounding:
        case "even":
            return half, (code - quantiser.zero) % 2 == 0
        case "half_even":
            return half, code % 2 == 0
        case "half_up":
            return half, code > 0
        case "half_down":
            return half, code <= 0
        case "floor":
            return Fraction(code), True
        case "ceil":
            return Fraction(code - 1), False
        case "up":
            return (Fraction(code - 1), False) if code > 0 else (Fraction(code), True)
        case "down":
            return (Fraction(code), True) if code > 0 else (Fraction(code - 1), False)


def before(activation: RealActivation, bound: Bound) -> Bound:
    """Return the bound on the values before a never-falling ``activation`` that means ``bound`` on those after it."""
    y = bound.at
    if turning_point(activation) is not None:
        raise ValueError(f"{activation} falls before it rises; turns.without_turns takes it apart")
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
        case Curve():
            return _on_curve(activation, bound)


def _on_curve(curve: Curve, bound: Bound) -> Bound:
    """Bound the input of a named curve, in double precision."""
    ends = curve_values(curve, np.array([-FARTHEST, FARTHEST]))
    low, high = (Fraction(float(value)) for value in ends)
    if bound.holds(low):
        return ALL
    if not bound.holds(high):
        return NONE
    return Bound(Fraction(float(rising_inverse(curve, np.array(float(bound.at))))), True)


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
