"""Products and quotients of a value and a function of itself: activations that exporters write in several nodes.

Older opsets and some trainers have no node for SiLU, GELU, Mish, hard swish or softsign.  The factor is a chain of
element-wise steps over the same sums as the value, and is recognised by its steps and their constants.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend import votes
from mlpress.frontend.branches import open_end
from mlpress.frontend.symbolic import Flow
from mlpress.ir import (
    Clip,
    Coders,
    Curve,
    Dense,
    HardSigmoid,
    LeakyRelu,
    Linear,
    RealActivation,
    Sigmoid,
    Staircase,
    Tanh,
)

NEAR = 1e-6
"""How far from its value a constant may be, relatively: exporters write float32 (2^-24)."""

STEEP = 18.5
"""From here on softplus is the value itself within 1e-8; PyTorch writes so above 20."""

_ROOT = math.sqrt(2.0)


class _Line(NamedTuple):
    """``gain * x + shift``, the same for each element."""

    gain: float
    shift: float


_Step = _Line | RealActivation | Staircase


def product(first: Flow, second: Flow) -> Flow:
    """Return ``x * f(x)`` where that is an activation: SiLU, GELU, hard swish or Mish, of a multiple of ``x``."""
    for value, factor in ((first, second), (second, first)):
        found = _of_product(_steps(value, factor))
        if found is not None:
            return _activated(value, *found)
    raise MlpressError(
        "both operands are computed from the features; a product of two is supported only as x * f(x) of SiLU "
        "(x * sigmoid(x)), GELU, Mish and hard swish, without quantisers within"
    )


def quotient(value: Flow, divisor: Flow) -> Flow:
    """Return ``x / (1 + |x|)``, softsign, of a multiple of ``x``, or probabilities over their sum."""
    last = divisor.open_layer
    if last is not None and not last.weight.any() and (last.bias == 1.0).all():
        return value  # over the sum of two probabilities
    if not value.final and value.width > 1 and votes.is_sum(divisor, value):
        return replace(value, final="normalised")
    match _steps(value, divisor):
        case [_Line(k, 0.0), LeakyRelu(-1.0), _Line(gain, shift)] if shift > 0.0 and gain > 0.0 and k:
            scale = gain * abs(k) / shift
            return _activated(value, Curve("softsign"), scale, 1.0 / (shift * scale))
        case _:
            raise MlpressError(
                "both operands are computed from the features; a quotient of two is supported only as x / (1 + |x|), "
                "or as probabilities over their sum"
            )


def chosen(condition: Flow, yes: Flow, no: Flow) -> Flow:
    """Return ``x`` where it is above a bound, else softplus of ``x``, where the bound is so high that both are one."""
    match _steps(yes, no), _steps(yes, condition):
        case [_Line(k, 0.0), Curve("softplus"), _Line(gain, 0.0)], [_Line(times, shift), Staircase((bound,), 1.0, 0.0)]:
            least = (bound - shift) / times if times > 0.0 else 0.0
            if k > 0.0 and _near(k * gain, 1.0) and least * k >= STEEP:
                return no
    raise MlpressError(
        "it chooses between values computed from the features; supported is choosing constants, and softplus above a "
        f"bound from which on it is the value itself ({STEEP} and more)"
    )


def _activated(value: Flow, curve: Curve, scale: float, gain: float) -> Flow:
    """Return ``gain * curve(scale * value)``."""
    ones, none = np.ones(value.width), np.zeros(value.width)
    return value.affine(ones * scale, none).activation(curve).affine(ones * gain, none)


class _Found(NamedTuple):
    curve: Curve
    scale: float
    gain: float


def _of_product(steps: list[_Step] | None) -> _Found | None:
    """Return the curve that ``x`` times the steps' result is, ``gain * curve(scale * x)``, if there is one."""
    match steps:
        case [_Line(k, 0.0), Sigmoid(), _Line(gain, 0.0)] if k > 0.0:
            return _Found(Curve("silu"), k, gain / k)
        case [_Line(k, 0.0), Curve("erf"), _Line(gain, shift)] if k > 0.0 and _near(gain, shift):
            return _Found(Curve("gelu"), _one(k * _ROOT), 2.0 * gain / _one(k * _ROOT))
        case [_Line(k, 0.0), HardSigmoid(alpha, 0.5), _Line(gain, 0.0)] if k * alpha > 0.0:
            scale = _one(6.0 * k * alpha)
            return _Found(Curve("hardswish"), scale, gain / scale)
        case [_Line(k, shift), Clip(0.0, high), _Line(gain, 0.0)] if k > 0.0 and _near(2.0 * shift, high):
            scale = _one(6.0 * k / high)
            return _Found(Curve("hardswish"), scale, _one(gain * high) / scale)
        case [_Line(k, 0.0), Curve("softplus"), _Line(1.0, 0.0), Tanh(), _Line(gain, 0.0)] if k > 0.0:
            return _Found(Curve("mish"), k, gain / k)
        case _:
            return None


def _near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=NEAR)


def _one(value: float) -> float:
    """Return 1 for what is 1 but for the rounding of constants."""
    return 1.0 if _near(value, 1.0) else value


def _steps(value: Flow, factor: Flow) -> list[_Step] | None:
    """Return the element-wise steps from ``value`` to ``factor``; ``None`` where it is not computed so."""
    if value.final or factor.final or value.shape != factor.shape or value.transposed != factor.transposed:
        return None
    closed, end = open_end(value)
    shared, rest = closed.layers, factor.layers[len(closed.layers) :]
    if not rest or not _same_inputs(value, factor) or factor.layers[: len(shared)] != shared:
        return None
    first = _multiple(end.weight, end.bias, rest[0])
    lines = [first, *(_diagonal(layer) for layer in rest[1:]), _line(factor.gain, factor.shift)]
    steps: list[_Step] = []
    for line, layer in zip(lines, (*rest, None), strict=True):
        if line is None:
            return None
        steps.append(line)
        if layer is None:
            return steps
        held: tuple[RealActivation, Coders] = (layer.activations[0], layer.quantisers[0])
        if any(one != held[0] for one in layer.activations) or any(one != held[1] for one in layer.quantisers):
            return None
        match held:
            case activation, None:
                steps.append(activation)
            case Linear(), Staircase() as stairs if layer is rest[-1] and lines[-1] == _Line(1.0, 0.0):
                return [*steps, stairs]
            case _:
                return None
    return None


def _same_inputs(one: Flow, other: Flow) -> bool:
    """Return whether two flows have the same features, scaled and coded alike."""
    same = one.names == other.names and one.clip == other.clip and one.quantiser == other.quantiser
    return same and np.array_equal(one.scale, other.scale) and np.array_equal(one.offset, other.offset)


def _multiple(weight: NDArray[np.float64], bias: NDArray[np.float64], layer: Dense) -> _Line | None:
    """Return the line from ``weight @ x + bias`` to the layer's sums, alike for each neuron, if there is one."""
    if layer.weight.shape != weight.shape or not weight.any():
        return None
    place = np.unravel_index(int(np.abs(weight).argmax()), weight.shape)
    gain = _one(float(layer.weight[place] / weight[place]))
    shifts = layer.bias - gain * bias
    size = float(np.abs(layer.bias).max(initial=0.0) + np.abs(gain * bias).max(initial=0.0))
    shift = 0.0 if np.abs(shifts).max() <= NEAR * size else float(shifts[0])
    same = np.allclose(layer.weight, gain * weight, rtol=NEAR, atol=0.0)
    return _Line(gain, shift) if same and np.allclose(shifts, shift, rtol=NEAR, atol=NEAR * size) else None


def _diagonal(layer: Dense) -> _Line | None:
    held = np.diag(layer.weight)
    square = layer.weight.shape == (len(held), len(held))
    return _line(held, layer.bias) if square and not (layer.weight - np.diag(held)).any() else None


def _line(gain: NDArray[np.float64], shift: NDArray[np.float64]) -> _Line | None:
    same = bool((gain == gain[0]).all() and (shift == shift[0]).all())
    return _Line(float(gain[0]), float(shift[0])) if same else None
