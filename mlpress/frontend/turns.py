"""Quantised activations that fall before they rise (GELU, SiLU, hard swish, Mish, ``|x|``), as two that only rise.

The code of such a neuron is that of its turning point, plus the steps that the rising part has climbed, plus those
that the falling part has yet to come down: two neurons over the same sum, each with the bounds of one part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mlpress.frontend.bounds import Bound, code_bound
from mlpress.frontend.symbolic import LARGEST, identity_layer
from mlpress.ir import (
    MAX_LEVELS,
    Coder,
    Curve,
    Dense,
    Integers,
    LeakyRelu,
    Linear,
    Model,
    RealActivation,
    Staircase,
    falling_inverse,
    real_activation,
    rising_inverse,
    turning_point,
)

FARTHEST = 1e9
"""Below this value curves that fall from 0 have not left it: less than the smallest float64 is missing."""


def without_turns(model: Model, most: int = MAX_LEVELS) -> Model:
    """Return the model with two neurons in place of each whose activation falls before it rises, then has a coder.

    Coders of more than ``most`` steps are left as they are.
    """
    made: list[Dense] = []
    copies: list[int] = []
    for given in model.layers:
        layer = _over(given, copies) if copies else given
        counts = [2 if _turns(*held, most) else 1 for held in zip(layer.activations, layer.quantisers, strict=True)]
        copies = counts if 2 in counts else []
        made.append(_apart(layer, copies) if copies else layer)
    if copies:
        made.append(_over(identity_layer(len(copies)), copies))
    return replace(model, layers=tuple(made))


def _turns(activation: RealActivation, coder: Coder | None, most: int) -> bool:
    return coder is not None and coder.top <= most and turning_point(activation) is not None


def _over(layer: Dense, copies: Sequence[int]) -> Dense:
    """Return the layer over values of which each is the sum of as many as ``copies`` says."""
    held = layer.integers
    columns = np.repeat(np.arange(len(copies)), copies)
    integers = None if held is None else replace(held, weight=held.weight[:, columns])
    return replace(layer, weight=layer.weight[:, columns], integers=integers)


def _apart(layer: Dense, copies: Sequence[int]) -> Dense:
    """Return the layer with two neurons for each of two ``copies``: the rising part, and the falling one."""
    activations: list[RealActivation] = []
    held: list[Coder | None] = []
    for activation, coder, count in zip(layer.activations, layer.quantisers, copies, strict=True):
        if count == 1 or coder is None:
            activations.append(activation)
            held.append(coder)
        else:
            activations += [Linear(), Linear()]
            held += _parts(activation, coder)
    rows = np.repeat(np.arange(len(copies)), copies)
    integers = None if layer.integers is None else _picked(layer.integers, rows)
    return Dense(layer.weight[rows], layer.bias[rows], tuple(activations), integers, tuple(held))


def _picked(held: Integers, rows: NDArray[np.int64]) -> Integers:
    bias = None if held.bias is None else held.bias[rows]
    bias_scale = None if held.bias_scale is None else held.bias_scale[rows]
    return Integers(held.weight[rows], held.weight_scale[rows], bias, bias_scale)


def _parts(activation: RealActivation, coder: Coder) -> tuple[Staircase, Staircase]:
    """Return the coders of the rising and of the falling part, over the sum before the activation."""
    bounds = [code_bound(coder, code) for code in range(1, coder.top + 1)]
    turn, least = real_activation(activation, np.array([turning_point(activation) or 0.0, -FARTHEST])).tolist()
    lowest = sum(bound.holds(Fraction(turn)) for bound in bounds)
    falls = sum(bound.holds(Fraction(least)) for bound in bounds)
    up = [_risen(activation, bound) for bound in bounds[lowest:]]
    down = [_fallen(activation, bound) for bound in bounds[lowest:falls]][::-1]
    return (
        Staircase(tuple(up) or (LARGEST,), coder.step, coder.base + lowest * coder.step),
        Staircase(tuple(down) or (LARGEST,), -coder.step, len(down) * coder.step),
    )


def _risen(activation: RealActivation, bound: Bound) -> float:
    """Return the least value above the turning point whose activation is within ``bound``."""
    if isinstance(activation, Curve):
        return float(rising_inverse(activation, np.array(float(bound.at))))
    return _least(bound)


def _fallen(activation: RealActivation, bound: Bound) -> float:
    """Return the least value at which the falling part is no longer within ``bound``."""
    if isinstance(activation, LeakyRelu):
        return _least(Bound(bound.at / Fraction(activation.alpha), not bound.inclusive))
    assert isinstance(activation, Curve)
    return float(falling_inverse(activation, np.array(float(bound.at))))


def _least(bound: Bound) -> float:
    """Return the least float64 within ``bound``."""
    near = float(bound.at)
    return next(
        value
        for value in (math.nextafter(near, -math.inf), near, math.nextafter(near, math.inf))
        if bound.holds(Fraction(value))
    )
