"""Post-training quantisation: real layers to integer layers whose scales come from calibration rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.bounds import before, code_bound
from mlpress.frontend.data import unit_inputs
from mlpress.frontend.integer import LIMIT, IntegerLayer, Ints, check_sums, input_codes, product
from mlpress.frontend.symbolic import LARGEST
from mlpress.frontend.turns import without_turns
from mlpress.ir import (
    Argmax,
    ArgmaxHead,
    Clip,
    Coder,
    Curve,
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
    Staircase,
    Tanh,
    Threshold,
    ThresholdHead,
    falling_inverse,
    output_bits,
    quantised,
    real_activation,
    rising_inverse,
    turning_point,
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

    @property
    def widest(self) -> int:
        """The most steps of a coder of the model's own that is kept."""
        return (1 << self.activations) - 1


@dataclass(frozen=True, slots=True, eq=False)
class _Codes:
    """Codes int64 (rows, values), each standing for ``code * step + base``; ``real`` is what the model has there.

    ``source`` is the value of the model's layer that each is a part of: values that fall before they rise have two.
    ``bits`` is the width of each code.
    """

    codes: Ints
    step: Floats
    base: Floats
    real: Floats
    source: Ints
    bits: tuple[int, ...]

    def read_by(self, dense: Dense) -> Dense:
        """Return ``dense`` as a layer over these codes."""
        return replace(dense, weight=dense.weight[:, self.source], integers=None)


def calibrated(
    model: Model, features: Floats, bits: Bits, input_range: InputRange
) -> tuple[tuple[Input, ...], list[IntegerLayer], Head]:
    """Return inputs, layers and head of an integer network close to ``model`` on the rows ``features``."""
    if input_range not in {"auto", "unit", "data"}:
        raise MlpressError(f"input_range is {input_range!r}; it must be auto, unit or data")
    model = without_turns(model, bits.widest)
    inputs, values = _encoded(model, features, bits.inputs, input_range)
    layers: list[IntegerLayer] = []
    for dense in model.layers[:-1]:
        layer, values = _layer(values.read_by(dense), dense, values, bits)
        layers.append(layer)
    last = replace(model, layers=(*model.layers[:-1], values.read_by(model.layers[-1])))
    end, head = _last(last, values, bits)
    return inputs, [*layers, end], head


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
    kept = np.arange(len(inputs))
    real = quantised(scaled, model.quantiser)
    return inputs, _Codes(codes, step, base, real, kept, tuple(feature.bits for feature in inputs))


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
    coarser = _coarser(inputs)
    weight = (np.clip(np.rint(dense.weight * inputs.step / unit / coarser), -top, top) * coarser).astype(np.int64)
    sums = product(inputs.codes, weight)
    bias = np.rint((pre / unit).mean(axis=0) - sums.mean(axis=0))
    if not (np.abs(bias) < float(1 << 60)).all():
        raise MlpressError("a bias is out of proportion to its layer's weights; use more weight bits")
    biases = bias.astype(np.int64)
    check_sums(weight.tolist(), biases.tolist(), inputs.codes.max(axis=0, initial=1).tolist())
    return _Sums(weight, biases, unit, sums + biases)


def _coarser(inputs: _Codes) -> Floats:
    """Return in units of the widest codes' weights what a weight of each code is rounded to: the same share of what its
    codes can add to a sum.
    """
    widths = np.array(inputs.bits)
    return np.asarray(2.0 ** (widths.max(initial=1) - widths), np.float64)


def _fitted(dense: Dense, inputs: _Codes, pre: Floats, bits: int) -> _Sums:
    """Round the layer with the power of two as unit that is nearest to ``pre`` in the mean square.

    The largest candidate holds every weight; the others cut the largest weights off and are finer for the rest.
    """
    scaled = dense.weight * inputs.step / _coarser(inputs)
    largest = float(np.abs(scaled).max()) or float(np.abs(pre).max()) or 1.0
    exponent = math.ceil(math.log2(largest / ((1 << (bits - 1)) - 0.5)))
    candidates = [_rounded(dense, inputs, pre, bits, math.ldexp(1.0, exponent - finer)) for finer in range(3)]
    return min(candidates, key=lambda sums: float(np.square(sums.values * sums.unit - pre).mean()))


def _layer(dense: Dense, whole: Dense, values: _Codes, bits: Bits) -> tuple[IntegerLayer, _Codes]:
    """Return one layer over codes: neurons of one kind together, and each back in its place."""
    kinds = _kinds(dense, whole, values, bits)
    if len(set(kinds)) == 1 and isinstance(kinds[0], _Activated):
        return _hidden(replace(dense, activation=kinds[0].activation), values, bits)
    parts: list[tuple[IntegerLayer, _Codes]] = []
    for kind in dict.fromkeys(kinds):
        chosen = np.array([j for j, one in enumerate(kinds) if one == kind])
        rows = Dense(dense.weight[chosen], dense.bias[chosen], Linear())
        match kind:
            case _Carried():
                made = _carried(rows, values)
            case _Coded(activation=activation, coder=coder):
                made = _coded(replace(rows, activation=activation), coder, values, bits)
            case _Activated(activation=activation):
                made = _hidden(replace(rows, activation=activation), values, bits)
        parts.append((made[0], replace(made[1], source=chosen[made[1].source])))
    return _in_order(parts)


@dataclass(frozen=True, slots=True)
class _Activated:
    """A neuron whose activation gets new codes."""

    activation: RealActivation


@dataclass(frozen=True, slots=True)
class _Coded:
    """A neuron that keeps the model's own codes, which are few."""

    activation: RealActivation
    coder: Coder


@dataclass(frozen=True, slots=True)
class _Carried:
    """A neuron that hands on one value."""


def _kinds(dense: Dense, whole: Dense, values: _Codes, bits: Bits) -> list[_Activated | _Coded | _Carried]:
    made: list[_Activated | _Coded | _Carried] = []
    for j, (activation, coder) in enumerate(zip(whole.activations, whole.quantisers, strict=True)):
        row = whole.weight[j]
        alone = activation == Linear() and whole.bias[j] == 0.0 and np.count_nonzero(row) == 1 and row.max() == 1.0
        if alone and len(whole.bias) > 1 and _keeps(coder, values.real[:, values.source == int(np.argmax(row))]):
            made.append(_Carried())
        elif coder is not None and (isinstance(coder, Staircase) or coder.top <= bits.widest):
            made.append(_Coded(activation, coder))
        else:
            made.append(_Activated(activation))
    return made


def _keeps(coder: Coder | None, real: Floats) -> bool:
    """Return whether ``coder`` changes none of the values ``real``, as where they have been through it before."""
    return coder is None or np.array_equal(quantised(real, coder), real)


def _in_order(parts: Sequence[tuple[IntegerLayer, _Codes]]) -> tuple[IntegerLayer, _Codes]:
    """Join the parts of a layer, its values in the model's order."""
    order = np.argsort(np.concatenate([codes.source for _, codes in parts]), kind="stable")

    def joined(axis: int, *arrays: NDArray[Any]) -> NDArray[Any]:
        return np.take(np.concatenate(arrays, axis=axis), order, axis=axis)

    layers, codes = [layer for layer, _ in parts], [found for _, found in parts]
    activations = [activation for layer in layers for activation in layer.activations]
    widths = [width for found in codes for width in found.bits]
    layer = IntegerLayer(
        joined(0, *(layer.weight for layer in layers)),
        joined(0, *(layer.bias for layer in layers)),
        tuple(activations[place] for place in order),
    )
    return layer, _Codes(
        joined(1, *(found.codes for found in codes)),
        joined(0, *(found.step for found in codes)),
        joined(0, *(found.base for found in codes)),
        joined(1, *(found.real for found in codes)),
        joined(0, *(found.source for found in codes)),
        tuple(widths[place] for place in order),
    )


def _carried(rows: Dense, inputs: _Codes) -> tuple[IntegerLayer, _Codes]:
    """Return neurons that hand on codes as they are."""
    pairs = [(j, int(place)) for j, row in enumerate(rows.weight) for place in np.flatnonzero(row)]
    places = np.array([place for _, place in pairs])
    weight = np.zeros((len(pairs), len(inputs.bits)), np.int64)
    weight[np.arange(len(pairs)), places] = 1
    widths = tuple(inputs.bits[place] for place in places)
    layer = IntegerLayer(weight, np.zeros(len(pairs), np.int64), tuple(QRelu(0, width) for width in widths))
    source = np.array([j for j, _ in pairs])
    codes, real = inputs.codes[:, places], inputs.real[:, places]
    return layer, _Codes(codes, inputs.step[places], inputs.base[places], real, source, widths)


def _coded(dense: Dense, coder: Coder, inputs: _Codes, bits: Bits) -> tuple[IntegerLayer, _Codes]:
    """Return neurons that give the model's own codes: a ladder of the coder's thresholds."""
    pre = inputs.real @ dense.weight.T + dense.bias
    sums = _fitted(dense, inputs, pre, bits.weights)
    activation = dense.activations[0]
    steps = range(1, coder.top + 1)
    unit = Fraction(sums.unit)
    bounds = [before(activation, code_bound(coder, count)).over(unit, Fraction(0)) for count in steps]
    ladder = Ladder(tuple(bound.first_integer(-LIMIT, LIMIT) for bound in bounds))
    layer = IntegerLayer(sums.weight, sums.bias, (ladder,) * len(sums.bias))
    count = len(sums.bias)
    real = quantised(real_activation(activation, pre), coder)
    codes = layer.outputs(sums.values)
    return layer, _of_layer(layer, codes, np.full(count, coder.step), np.full(count, coder.base), real)


def _of_layer(layer: IntegerLayer, codes: Ints, step: Floats, base: Floats, real: Floats) -> _Codes:
    """Return the codes of a layer with one code for each neuron."""
    widths = tuple(output_bits(activation) or 0 for activation in layer.activations)
    return _Codes(codes, step, base, real, np.arange(len(widths)), widths)


def _hidden(dense: Dense, values: _Codes, bits: Bits) -> tuple[IntegerLayer, _Codes]:
    match dense.activations[0]:
        case Linear():
            return _saturating(dense, values, bits, *_span(dense, values))
        case Relu():
            return _saturating(dense, values, bits, 0.0, math.inf)
        case Clip(low=low, high=high) if low > -LARGEST and high < LARGEST:
            return _saturating(dense, values, bits, low, high)
        case Clip(low=low, high=high):
            least, _ = _span(dense, values)
            return _saturating(dense, values, bits, max(low, min(least, high)), math.inf if high >= LARGEST else high)
        case HardSigmoid(alpha=alpha, beta=beta):
            scaled = Dense(dense.weight * alpha, dense.bias * alpha + beta, Linear())
            return _saturating(scaled, values, bits, 0.0, 1.0)
        case curve if turning_point(curve) is not None:
            return _turning(dense, curve, values, bits)
        case curve:
            return _laddered(dense, curve, values, bits)


def _span(dense: Dense, values: _Codes) -> tuple[float, float]:
    """Return the least sum on the calibration rows, and no upper end."""
    return float((values.real @ dense.weight.T + dense.bias).min()), math.inf


def _turning(dense: Dense, curve: RealActivation, inputs: _Codes, bits: Bits) -> tuple[IntegerLayer, _Codes]:
    """Return a curve that falls before it rises as two ladders for each neuron, one for each part.

    ``curve(x) = curve(turn) + rise(x) + fall(x)``: the rise is 0 below the turning point, the fall is 0 above it, and
    counts down with each threshold that the sum reaches.
    """
    turn = turning_point(curve) or 0.0
    pre = inputs.real @ dense.weight.T + dense.bias
    sums = _fitted(dense, inputs, pre, bits.weights)
    lowest = float(real_activation(curve, np.array([turn]))[0])
    rise = real_activation(curve, np.maximum(pre, turn)) - lowest
    fall = real_activation(curve, np.minimum(pre, turn)) - lowest
    tops = [np.quantile(part, bits.quantile, axis=0, method="nearest") for part in (rise, fall)]
    steps = (1 << bits.ladder) - 1
    width = np.maximum(np.maximum(*tops) / steps, TINY)
    neurons: list[Ladder] = []
    step, base = [], []
    for j, size in enumerate(width.tolist()):
        counts = [max(1, math.ceil(float(top[j]) / size - 0.5)) for top in tops]
        up = _rising(curve, lowest + (np.arange(counts[0]) + 0.5) * size)
        down = _falling(curve, lowest + (np.arange(counts[1])[::-1] + 0.5) * size)
        neurons += [_ladder(up, sums.unit), _ladder(down, sums.unit)]
        step += [size, -size]
        base += [lowest, counts[1] * size]
    twice = np.repeat(np.arange(len(sums.bias)), 2)
    layer = IntegerLayer(sums.weight[twice], sums.bias[twice], tuple(neurons))
    codes = layer.outputs(sums.values[:, twice])
    real = np.stack([rise + lowest, fall], axis=2).reshape(len(pre), -1)
    made = _of_layer(layer, codes, np.array(step), np.array(base), real)
    return layer, replace(made, source=twice)


def _ladder(at: Floats, unit: float) -> Ladder:
    return Ladder(tuple(int(value) for value in np.clip(np.ceil(at / unit), -LIMIT, LIMIT)))


def _rising(curve: RealActivation, y: Floats) -> Floats:
    return rising_inverse(curve, y) if isinstance(curve, Curve) else y


def _falling(curve: RealActivation, y: Floats) -> Floats:
    match curve:
        case Curve():
            return falling_inverse(curve, y)
        case LeakyRelu(alpha=alpha):
            return y / alpha
        case _:
            raise ValueError(f"{curve} never falls")


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
    return layer, _of_layer(layer, codes, step, np.full(len(step), low), np.clip(pre, 0.0, span) + low)


def _half(shift: int) -> int:
    return (1 << shift) >> 1


def _laddered(dense: Dense, curve: RealActivation, inputs: _Codes, bits: Bits) -> tuple[IntegerLayer, _Codes]:
    """Return any other curve as a ladder for each neuron, its codes evenly over the values that calibration rows
    reach."""
    pre = inputs.real @ dense.weight.T + dense.bias
    sums = _fitted(dense, inputs, pre, bits.weights)
    real = real_activation(curve, pre)
    low, high = (np.quantile(real, q, axis=0, method="nearest") for q in (1.0 - bits.quantile, bits.quantile))
    steps = (1 << bits.ladder) - 1
    step = (high - low) / steps
    width = np.where(step > TINY, step, 1.0)
    middles = low[:, None] + (np.arange(steps) + 0.5) * width[:, None]
    thresholds = np.clip(np.ceil(_inverse(curve, middles) / sums.unit), -LIMIT, LIMIT)
    ladders = tuple(Ladder(tuple(int(value) for value in row)) for row in thresholds)
    layer = IntegerLayer(sums.weight, sums.bias, ladders)
    codes = layer.outputs(sums.values)
    return layer, _of_layer(layer, codes, np.where(step > TINY, step, 0.0), low, real)


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
            case Curve():
                return rising_inverse(curve, y)
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
