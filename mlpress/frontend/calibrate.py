"""Post-training quantisation: real layers to integer layers whose scales come from calibration rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.data import unit_inputs
from mlpress.frontend.integer import LIMIT, IntegerLayer, Ints, check_sums, input_codes, product
from mlpress.ir import (
    Argmax,
    ArgmaxHead,
    Clip,
    Dense,
    HardSigmoid,
    Head,
    Input,
    Ladder,
    LeakyRelu,
    Linear,
    Model,
    QRelu,
    Raw,
    RealActivation,
    Relu,
    Scores,
    ScoresHead,
    Sigmoid,
    Tanh,
    Threshold,
    ThresholdHead,
)

Floats = NDArray[np.float64]
InputRange = Literal["auto", "unit", "data"]
ROUNDING = 1e-6  # a scaling stored in single precision misses its end points by this much
TINY = 1e-12  # values of an activation that differ by less are one value


@dataclass(frozen=True, slots=True)
class Bits:
    """How many bits inputs, weights, QReLU codes and ladder codes get, and how much may saturate."""

    inputs: int
    weights: int
    activations: int
    ladder: int
    quantile: float

    def __post_init__(self) -> None:
        limits = {"input_bits": (self.inputs, 1, 16), "weight_bits": (self.weights, 2, 16)}
        limits |= {"activation_bits": (self.activations, 1, 16), "ladder_bits": (self.ladder, 1, 8)}
        for name, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise MlpressError(f"{name} is {value}; it must be {low} to {high}")
        if not 0.5 < self.quantile <= 1.0:
            raise MlpressError(f"quantile is {self.quantile}; it must be above 0.5 and at most 1")


@dataclass(frozen=True, slots=True, eq=False)
class _Codes:
    """Codes int64 (rows, values), each standing for ``code * step + base``; ``real`` is what the model has there."""

    codes: Ints
    step: Floats
    base: Floats
    real: Floats


def calibrated(
    model: Model, features: Floats, bits: Bits, input_range: InputRange
) -> tuple[tuple[Input, ...], list[IntegerLayer], Head]:
    """Return inputs, layers and head of an integer network close to ``model`` on the rows ``features``."""
    if input_range not in {"auto", "unit", "data"}:
        raise MlpressError(f"input_range is {input_range!r}; it must be auto, unit or data")
    inputs, values = _encoded(model, features, bits.inputs, input_range)
    layers: list[IntegerLayer] = []
    for dense in model.layers[:-1]:
        layer, values = _hidden(dense, values, bits)
        layers.append(layer)
    last, head = _last(model, values, bits)
    return inputs, [*layers, last], head


def _encoded(model: Model, features: Floats, bits: int, input_range: InputRange) -> tuple[tuple[Input, ...], _Codes]:
    scaled = features * model.scale + model.offset
    if model.clip is not None:
        scaled = np.clip(scaled, model.clip.low, model.clip.high)
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    if input_range == "unit" or (input_range == "auto" and _fills_unit(low, high)):
        inputs = unit_inputs(model.inputs, model.scale, model.offset, bits)
    else:
        span = np.where(high > low, high - low, 1.0)
        inputs = unit_inputs(model.inputs, model.scale / span, (model.offset - low) / span, bits)
    codes = input_codes(inputs, features)
    step, base = _decoding(codes, scaled, inputs, model)
    return inputs, _Codes(codes, step, base, scaled)


def _fills_unit(low: Floats, high: Floats) -> bool:
    """Return whether the model's own scaling was made for the unit interval: all within it, most features over half of
    it.
    """
    inside = bool((low >= -ROUNDING).all() and (high <= 1.0 + ROUNDING).all())
    varies = high > low
    return inside and bool(varies.any()) and float(np.median((high - low)[varies])) >= 0.5


def _decoding(codes: Ints, scaled: Floats, inputs: Sequence[Input], model: Model) -> tuple[Floats, Floats]:
    """Return step and base of each input so that ``code * step + base`` is nearest to the scaled feature (least
    squares).

    An input that always gives the same code stands for the mean, and a constant one says nothing: its step is 0.
    """
    gain = np.array([feature.scale for feature in inputs])
    nominal = np.divide(model.scale, gain, out=np.zeros(len(inputs)), where=gain != 0.0)
    spread = codes.var(axis=0)
    together = (codes * scaled).mean(axis=0) - codes.mean(axis=0) * scaled.mean(axis=0)
    fitted = np.divide(together, spread, out=nominal, where=spread > 0.0)
    step = np.where(scaled.max(axis=0) > scaled.min(axis=0), fitted, 0.0)
    return step, scaled.mean(axis=0) - codes.mean(axis=0) * step


def _real(activation: RealActivation, x: Floats) -> Floats:
    match activation:
        case Sigmoid():
            return 1.0 / (1.0 + np.exp(-np.clip(x, -700.0, None)))
        case Tanh():
            return np.tanh(x)
        case LeakyRelu(alpha=alpha):
            return np.where(x > 0.0, x, alpha * x)
        case _:
            return x


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Integer weights (outputs, inputs) and biases (outputs,); one unit of their sums stands for the real ``unit``."""

    weight: Ints
    bias: Ints
    unit: float
    values: Ints  # the sums over the calibration rows, int64 (rows, outputs)


def _rounded(dense: Dense, inputs: _Codes, pre: Floats, bits: int, unit: float) -> _Sums:
    """Round weights to ``bits``, and choose biases that keep the mean of each sum that of the real ``pre``.

    The biases thus take up the mean of all rounding before them (M. Nagel et al., "Data-Free Quantization Through
    Weight Equalization and Bias Correction", ICCV 2019, section 4.2).
    """
    top = (1 << (bits - 1)) - 1
    weight = np.clip(np.rint(dense.weight * inputs.step / unit), -top, top).astype(np.int64)
    sums = product(inputs.codes, weight)
    bias = np.rint((pre / unit).mean(axis=0) - sums.mean(axis=0))
    if not (np.abs(bias) < float(1 << 60)).all():
        raise MlpressError("a bias is out of proportion to its layer's weights; use more weight bits")
    biases = bias.astype(np.int64)
    check_sums(weight.tolist(), biases.tolist(), int(inputs.codes.max(initial=1)))
    return _Sums(weight, biases, unit, sums + biases)


def _fitted(dense: Dense, inputs: _Codes, pre: Floats, bits: int) -> _Sums:
    """Round the layer with the power of two as unit that is nearest to ``pre`` in the mean square.

    The largest candidate holds every weight; the others cut the largest weights off and are finer for the rest.
    """
    scaled = dense.weight * inputs.step
    largest = float(np.abs(scaled).max()) or float(np.abs(pre).max()) or 1.0
    exponent = math.ceil(math.log2(largest / ((1 << (bits - 1)) - 0.5)))
    candidates = [_rounded(dense, inputs, pre, bits, math.ldexp(1.0, exponent - finer)) for finer in range(3)]
    return min(candidates, key=lambda sums: float(np.square(sums.values * sums.unit - pre).mean()))


def _hidden(dense: Dense, values: _Codes, bits: Bits) -> tuple[IntegerLayer, _Codes]:
    match dense.activation:
        case Relu():
            return _saturating(dense, values, bits, 0.0, math.inf)
        case Clip(low=low, high=high):
            return _saturating(dense, values, bits, low, high)
        case HardSigmoid(alpha=alpha, beta=beta):
            scaled = Dense(dense.weight * alpha, dense.bias * alpha + beta, Linear())
            return _saturating(scaled, values, bits, 0.0, 1.0)
        case curve:
            return _laddered(dense, curve, values, bits)


def _saturating(dense: Dense, inputs: _Codes, bits: Bits, low: float, high: float) -> tuple[IntegerLayer, _Codes]:
    """Return ``clip(x, low, high)`` as a :class:`QRelu` of ``x - low``; half a step in the bias makes its shift
    round."""
    if high <= low:  # a constant: no input matters
        dense, high = Dense(np.zeros_like(dense.weight), np.full(len(dense.bias), low), Linear()), math.inf
    pre = inputs.real @ dense.weight.T + dense.bias - low
    sums = _fitted(dense, inputs, pre, bits.weights)
    width, shift, span = bits.activations, 0, high - low
    reach = int(np.quantile(sums.values, bits.quantile, axis=0, method="higher").max())
    if span < reach * sums.unit:  # the upper limit is in use: give it the largest code
        while span < sums.unit * ((1 << width) - 1) and width > 1:
            width -= 1
        shift = max(0, math.floor(math.log2(span / sums.unit / ((1 << width) - 1))))
        sums = _rounded(dense, inputs, pre, bits.weights, span / (((1 << width) - 1) << shift))
    else:
        while (reach + _half(shift)) >> shift >= 1 << width:
            shift += 1
    layer = IntegerLayer(sums.weight, sums.bias + _half(shift), (QRelu(shift, width),) * len(sums.bias))
    codes = layer.outputs(sums.values + _half(shift))
    step = np.full(len(sums.bias), math.ldexp(sums.unit, shift))
    return layer, _Codes(codes, step, np.full(len(step), low), np.clip(pre, 0.0, span) + low)


def _half(shift: int) -> int:
    return (1 << shift) >> 1


def _laddered(dense: Dense, curve: RealActivation, inputs: _Codes, bits: Bits) -> tuple[IntegerLayer, _Codes]:
    """Return any other curve as a ladder for each neuron, its codes evenly over the values that calibration rows
    reach."""
    pre = inputs.real @ dense.weight.T + dense.bias
    sums = _fitted(dense, inputs, pre, bits.weights)
    real = _real(curve, pre)
    low, high = (np.quantile(real, q, axis=0, method="nearest") for q in (1.0 - bits.quantile, bits.quantile))
    steps = (1 << bits.ladder) - 1
    step = (high - low) / steps
    width = np.where(step > TINY, step, 1.0)
    middles = low[:, None] + (np.arange(steps) + 0.5) * width[:, None]
    thresholds = np.clip(np.ceil(_inverse(curve, middles) / sums.unit), -LIMIT, LIMIT)
    ladders = tuple(Ladder(tuple(int(value) for value in row)) for row in thresholds)
    layer = IntegerLayer(sums.weight, sums.bias, ladders)
    return layer, _Codes(layer.outputs(sums.values), np.where(step > TINY, step, 0.0), low, real)


def _inverse(curve: RealActivation, y: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        match curve:
            case Sigmoid():
                inner = np.clip(y, 0.0, 1.0)
                return np.log(inner) - np.log1p(-inner)
            case Tanh():
                return np.arctanh(np.clip(y, -1.0, 1.0))
            case LeakyRelu(alpha=alpha):
                return np.where(y > 0.0, y, y / alpha if alpha else -np.inf)
            case _:
                return y


def _last(model: Model, inputs: _Codes, bits: Bits) -> tuple[IntegerLayer, Head]:
    dense = model.layers[-1]
    at = model.head.at if isinstance(model.head, ThresholdHead) else 0.0
    pre = inputs.real @ dense.weight.T + dense.bias - at
    sums = _fitted(dense, inputs, pre, bits.weights)
    raw = (Raw(),) * len(sums.bias)
    layer = IntegerLayer(sums.weight, sums.bias, raw)
    match model.head:
        case ArgmaxHead():
            return layer, Argmax()
        case ThresholdHead():  # class 1 above 0: one less, and the sign bit tells
            return IntegerLayer(sums.weight, sums.bias - 1, raw), Threshold(0)
        case ScoresHead():
            return layer, Scores((sums.unit,) * len(sums.bias), (0.0,) * len(sums.bias))
