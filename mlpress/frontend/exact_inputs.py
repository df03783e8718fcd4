"""The inputs of a quantised model: codes that are those of its quantisers."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

import numpy as np

from mlpress.errors import MlpressError
from mlpress.ir import Coder, Input, Model, Quantiser, Staircase

MAX_CODES = 1 << 16  # of one quantiser


def known(coder: Coder | None, where: str) -> Coder:
    """Return the coder of a value, ``where`` being its place; raise where there is none, or one of too many codes."""
    if coder is None:
        raise MlpressError(f"{where}: a value has no integers; quantise the model anew with keep_integers=False")
    if coder.top >= MAX_CODES:
        raise MlpressError(f"{where}: a quantiser has {coder.top + 1} codes; at most {MAX_CODES} are supported")
    return coder


def exact_inputs(model: Model) -> tuple[Input, ...]:
    """Return the inputs whose codes are those of the model's quantisers."""
    scaled = zip(model.inputs, model.scale.tolist(), model.offset.tolist(), model.quantisers, strict=True)
    return tuple(_input(name, gain, shift, known(coder, f"input {name!r}")) for name, gain, shift, coder in scaled)


def _input(name: str, gain: float, shift: float, coder: Coder) -> Input:
    if isinstance(coder, Staircase):
        return _comparing(name, gain, shift, coder)
    bits = coder.top.bit_length()
    levels = None if coder.top == (1 << bits) - 1 else tuple(range(1, coder.top + 1))
    move, rounding = _rounding(coder)
    offset = shift / coder.scale + (coder.zero - coder.low) + move
    return Input(name, bits, gain / coder.scale, offset, rounding, levels)


def _rounding(quantiser: Quantiser) -> tuple[float, Literal["floor", "even"]]:
    """Return what is added to a feature's code before it is rounded, and how.

    Halves are the only values that may go astray, where a rounding is not one that inputs have.
    """
    match quantiser.rounding:
        case "even" | "half_even":
            return 0.0, "even"
        case "half_up" | "half_down":
            return 0.5, "floor"
        case "floor":
            return 0.0, "floor"
        case "down" if quantiser.low >= 0:
            return 0.0, "floor"
        case mode:
            raise MlpressError(f"an input is rounded {mode!r}; supported are to the nearest and 'floor'")


LARGEST = 3e38
"""No larger magnitude is taken as a bound of an input."""

FINE = 2.0**160
"""Steps per unit of an input that is compared with one bound: more than 1 from one float32 value to the next."""


def _comparing(name: str, gain: float, shift: float, coder: Staircase) -> Input:
    """Return the one-bit input that is 1 where ``gain * feature + shift`` reaches the bound.

    The feature is taken as float32: its code starts one such number above the last one below the bound.
    """
    if coder.top != 1:
        raise MlpressError(
            f"input {name!r} is compared with {coder.top} bounds; one bound, or a quantiser, is supported"
        )
    if gain == 0.0:
        return Input(name, 1, 0.0, float(shift >= coder.bounds[0]))
    at = (Fraction(coder.bounds[0]) - Fraction(shift)) / Fraction(gain)
    near = np.float32(min(max(float(at), -LARGEST), LARGEST))
    toward = np.float32(-np.inf if gain > 0 else np.inf)
    while (Fraction(float(near)) - at) * (1 if gain > 0 else -1) >= 0:
        near = np.nextafter(near, toward)
    fine = math.copysign(FINE, gain)
    return Input(name, 1, fine, -float(near) * fine)
