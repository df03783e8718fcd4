"""Activations by name: what they compute, and where those that fall at first begin to rise.

Formulas: ONNX operator specification (Elu, Selu, Celu, Softplus, Erf, Softsign, HardSwish, Gelu, Mish); SiLU is
``x * sigmoid(x)`` (S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units", 2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from mlpress.ir.model import Curve, Floats, LeakyRelu, RealActivation

FARTHEST = 1e9
"""The magnitude up to which an inverse is looked for."""

HALVINGS = 120
"""Steps of an inverse's bisection: beyond them float64 has no finer values."""

Function = Callable[..., Floats]


@dataclass(frozen=True, slots=True)
class Shape:
    """A curve's function of ``x`` and its parameters, their names, and whether it falls before it rises."""

    function: Function
    parameters: tuple[str, ...] = ()
    turns: bool = False


def _below(x: Floats) -> Floats:
    return np.minimum(x, 0.0)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -700.0, None))))


def _softplus(x: Floats) -> Floats:
    return np.asarray(np.logaddexp(0.0, x))


def _erf(x: Floats) -> Floats:
    return np.asarray(np.frompyfunc(math.erf, 1, 1)(x), np.float64)


def _tanh_gelu(x: Floats) -> Floats:
    return np.asarray(0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3))))


CURVES: dict[str, Shape] = {
    "elu": Shape(lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(_below(x))), ("alpha",)),
    "selu": Shape(lambda x, alpha, gamma: gamma * np.where(x > 0, x, alpha * np.expm1(_below(x))), ("alpha", "gamma")),
    "celu": Shape(lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(_below(x) / alpha)), ("alpha",)),
    "softplus": Shape(_softplus),
    "erf": Shape(_erf),
    "softsign": Shape(lambda x: x / (1.0 + np.abs(x))),
    "hardswish": Shape(lambda x: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0), turns=True),
    "silu": Shape(lambda x: x * _sigmoid(x), turns=True),
    "gelu": Shape(lambda x: 0.5 * x * (1.0 + _erf(x / math.sqrt(2.0))), turns=True),
    "gelutanh": Shape(_tanh_gelu, turns=True),
    "mish": Shape(lambda x: x * np.tanh(_softplus(x)), turns=True),
}
"""The curves by name.  Parameters must be positive, so that all but those that turn never fall."""


def curve_values(curve: Curve, x: Floats) -> Floats:
    """Return the curve at each element of ``x``, float64."""
    return np.asarray(CURVES[curve.name].function(np.asarray(x, np.float64), *curve.parameters), np.float64)


@cache
def turning_point(activation: RealActivation) -> float | None:
    """Return the value below which ``activation`` falls and above which it rises; ``None`` where it never falls.

    Found by ternary search between -4 and 0, where all curves here have their one minimum.
    """
    if isinstance(activation, LeakyRelu):
        return 0.0 if activation.alpha < 0.0 else None
    if not isinstance(activation, Curve) or not CURVES[activation.name].turns:
        return None
    low, high = -4.0, 0.0
    for _ in range(HALVINGS):
        third = (high - low) / 3.0
        left, right = curve_values(activation, np.array([low + third, high - third]))
        low, high = (low + third, high) if left > right else (low, high - third)
    return (low + high) / 2.0


def rising_inverse(curve: Curve, y: Floats) -> Floats:
    """Return the smallest value above the turning point, within :data:`FARTHEST`, at which the curve reaches ``y``."""
    goal = np.asarray(y, np.float64)
    turn = turning_point(curve)
    low = np.full(goal.shape, -FARTHEST if turn is None else turn)
    high = np.full(goal.shape, FARTHEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        reached = curve_values(curve, middle) >= goal
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


def falling_inverse(curve: Curve, y: Floats) -> Floats:
    """Return the smallest value below the turning point at which the curve has fallen to ``y`` or less."""
    goal = np.asarray(y, np.float64)
    low, high = np.full(goal.shape, -FARTHEST), np.full(goal.shape, turning_point(curve) or 0.0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        reached = curve_values(curve, middle) <= goal
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high
