"""Quantised (QDQ) models as integer networks that keep every one of their integers.

A layer's sum stands for the real value ``sum * step + offset``.  The next code is the number of integer thresholds
that the sum reaches.  They are found in rational arithmetic from the model's scales, rounding half to even as
``QuantizeLinear`` does (ONNX operator specification), so nothing is lost between two layers.  A bias whose scale is
the product of its layer's scales, as quantisers store it, is added as the integer that it is.

Only a feature exactly half-way between two input codes may go to the other neighbour, where the zero point is an
odd number above the lowest code: :class:`mlpress.ir.Input` rounds the code itself half to even.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mlpress.errors import MlpressError
from mlpress.frontend.bounds import Bound, before, code_bound
from mlpress.frontend.integer import IntegerLayer, Ints, check_sums
from mlpress.ir import (
    Argmax,
    ArgmaxHead,
    Dense,
    Head,
    Input,
    Integers,
    Ladder,
    Linear,
    Model,
    Quantiser,
    Raw,
    RealHead,
    Scores,
    ScoresHead,
    Threshold,
    ThresholdHead,
)

MAX_CODES = 1 << 16  # of one quantiser
SAME_SCALE = Fraction(1, 100_000)  # a bias scale this near input scale * weight scale is that product, rounded


def is_exact(model: Model) -> bool:
    """Return whether ``model`` holds the integers of every layer, and a quantiser for everything between layers."""
    return (
        model.quantiser is not None
        and model.clip is None
        and all(layer.integers is not None for layer in model.layers)
        and all(layer.quantiser is not None for layer in model.layers[:-1])
    )


@dataclass(frozen=True, slots=True)
class _Sums:
    """Neuron ``j`` of a layer: ``weights[j] @ u + bias[j]`` stands for that ``* step[j] + offset[j]``."""

    weights: list[list[int]]
    bias: list[int]
    step: list[Fraction]
    offset: list[Fraction]
    top: int  # the largest code u

    def interval(self, neuron: int) -> tuple[int, int]:
        """Return the lowest and the highest sum."""
        row, bias = self.weights[neuron], self.bias[neuron]
        return bias + self.top * sum(min(w, 0) for w in row), bias + self.top * sum(max(w, 0) for w in row)

    def layer(self, activations: Sequence[Ladder | Raw]) -> IntegerLayer:
        """Return the layer of these sums."""
        check_sums(self.weights, self.bias, self.top)
        return IntegerLayer(_array(self.weights), _array(self.bias), tuple(activations))


def _array(values: Sequence[int] | Sequence[Sequence[int]]) -> Ints:
    return np.array(values, np.int64)


Ladders = list[list[int]]


def exact_layers(model: Model, output_codes: bool) -> tuple[tuple[Input, ...], list[IntegerLayer], Head]:
    """Return inputs, layers and head of the integer network that :func:`is_exact` model ``model`` stands for.

    Where the model quantises its scores, classes are decided on those codes; ``output_codes=False`` decides
    them on the sums that the codes are made of.
    """
    grid = _known(model.quantiser)
    inputs = _inputs(model, grid)
    made: list[IntegerLayer] = []
    waiting = list(model.layers)
    while True:
        layer = waiting.pop(0)
        sums = _sums(layer, grid)
        if layer.quantiser is None:
            last, head = _decided(sums, model.head)
            return inputs, [*made, last], head
        grid = layer.quantiser
        ladders = _ladders(layer, sums)
        while waiting and waiting[0].quantiser is not None and _is_elementwise(waiting[0]):
            following = waiting.pop(0)
            ladders = _through(ladders, sums, following, grid)
            grid = _known(following.quantiser)
        if _only_scales(waiting):
            scores = _sums(waiting[0] if waiting else _identity(len(ladders)), grid)
            end, head = _on_codes(model.head, sums, ladders, scores, output_codes)
            return inputs, [*made, *end], head
        made.append(sums.layer([Ladder(tuple(ladder)) for ladder in ladders]))


def _known(quantiser: Quantiser | None) -> Quantiser:
    if quantiser is None:
        raise MlpressError("the model's integers are not complete; quantise it anew with keep_integers=False")
    codes = quantiser.high - quantiser.low + 1
    if codes > MAX_CODES or codes & (codes - 1):
        raise MlpressError(f"a quantiser has {codes} codes; a power of two up to {MAX_CODES} is supported")
    return quantiser


def _inputs(model: Model, grid: Quantiser) -> tuple[Input, ...]:
    bits = (grid.high - grid.low).bit_length()
    return tuple(
        Input(name, bits, float(gain) / grid.scale, float(shift) / grid.scale + (grid.zero - grid.low), "even")
        for name, gain, shift in zip(model.inputs, model.scale, model.offset, strict=True)
    )


def _sums(layer: Dense, grid: Quantiser) -> _Sums:
    """Return the sums of ``layer`` over codes that stand for ``(code + low - zero) * scale``."""
    held = layer.integers
    if held is None:
        raise MlpressError("the model's integers are not complete; quantise it anew with keep_integers=False")
    weights = held.weight.tolist()
    step = [Fraction(grid.scale) * Fraction(scale) for scale in held.weight_scale.tolist()]
    offset = [Fraction(value) for value in layer.bias.tolist()]
    bias = [(grid.low - grid.zero) * sum(row) for row in weights]
    if held.bias is not None and held.bias_scale is not None:
        for j, (count, scale) in enumerate(zip(held.bias.tolist(), held.bias_scale.tolist(), strict=True)):
            offset[j] = count * Fraction(scale)
            if abs(Fraction(scale) / step[j] - 1) < SAME_SCALE:
                bias[j] += count
                offset[j] = Fraction(0)
    return _Sums(weights, bias, step, offset, grid.high - grid.low)


def _ladders(layer: Dense, sums: _Sums) -> Ladders:
    """Return for each neuron the sums from which on its code is 1, 2, ... steps above the lowest."""
    quantiser = _known(layer.quantiser)
    steps = range(1, quantiser.high - quantiser.low + 1)
    bounds = [before(layer.activation, code_bound(quantiser, count)) for count in steps]
    ladders = []
    for j, (step, offset) in enumerate(zip(sums.step, sums.offset, strict=True)):
        low, high = sums.interval(j)
        ladders.append([bound.over(step, offset).first_integer(low, high + 1) for bound in bounds])
    return ladders


def _is_elementwise(layer: Dense) -> bool:
    """Return whether each output reads only its own input, with a positive weight."""
    if layer.integers is None or layer.integers.weight.shape[0] != layer.integers.weight.shape[1]:
        return False
    diagonal = np.diag(layer.integers.weight)
    return bool((diagonal > 0).all() and np.count_nonzero(layer.integers.weight) == len(diagonal))


def _only_scales(waiting: Sequence[Dense]) -> bool:
    """Return whether nothing is left but, at most, a last element-wise scaling of the scores."""
    return not waiting or (len(waiting) == 1 and waiting[0].quantiser is None and _is_elementwise(waiting[0]))


def _through(ladders: Ladders, sums: _Sums, following: Dense, grid: Quantiser) -> Ladders:
    """Join the ladders of two steps in one: codes that become other codes element by element."""
    inner = _ladders(following, _own_codes(_sums(following, grid)))
    return [[_reaching(ladder, code, sums.interval(j)) for code in inner[j]] for j, ladder in enumerate(ladders)]


def _own_codes(sums: _Sums) -> _Sums:
    """Return an element-wise layer's sums as functions of the code itself: weight 1 and no bias."""
    count = len(sums.bias)
    weights = [[int(i == j) for i in range(count)] for j in range(count)]
    step = [gain * sums.weights[j][j] for j, gain in enumerate(sums.step)]
    offset = [shift + sums.bias[j] * sums.step[j] for j, shift in enumerate(sums.offset)]
    return _Sums(weights, [0] * count, step, offset, sums.top)


def _reaching(ladder: list[int], code: int, interval: tuple[int, int]) -> int:
    """Return the smallest sum whose code is at least ``code``."""
    if code <= 0:
        return interval[0]
    return ladder[code - 1] if code <= len(ladder) else interval[1] + 1


def _identity(count: int) -> Dense:
    ones = np.ones(count)
    return Dense(np.eye(count), 0.0 * ones, Linear(), Integers(np.eye(count, dtype=np.int64), ones))


def _on_codes(
    head: RealHead, sums: _Sums, ladders: Ladders, scores: _Sums, output_codes: bool
) -> tuple[list[IntegerLayer], Head]:
    """Return the last layers of a network whose scores are codes: ``scores`` are the sums over them."""
    if isinstance(head, ThresholdHead):
        own = _own_codes(scores)
        code = Bound(Fraction(head.at), False).over(own.step[0], own.offset[0]).first_integer(0, own.top + 1)
        return [sums.layer([Raw()])], Threshold(_reaching(ladders[0], code, sums.interval(0)))
    if isinstance(head, ArgmaxHead) and not output_codes:
        last, decision = _decided(sums, head)
        return [last], decision
    coded = sums.layer([Ladder(tuple(ladder)) for ladder in ladders])
    last, decision = _decided(scores, head)
    return [coded, last], decision


def _decided(sums: _Sums, head: RealHead) -> tuple[IntegerLayer, Head]:
    """Return the last layer and the integer head that decides as ``head`` does on the sums' real values."""
    raw = [Raw() for _ in sums.bias]
    match head:
        case ThresholdHead(at=at):
            low, high = sums.interval(0)
            first = Bound(Fraction(at), False).over(sums.step[0], sums.offset[0]).first_integer(low, high + 1)
            return sums.layer(raw), Threshold(first)
        case ScoresHead():
            scale, offset = (tuple(float(value) for value in part) for part in (sums.step, sums.offset))
            return sums.layer(raw), Scores(scale, offset)
        case ArgmaxHead():
            return _comparable(sums).layer(raw), Argmax()


def _comparable(sums: _Sums) -> _Sums:
    """Return sums that compare as their real values do, ties included.

    Steps are brought to their common divisor.  What remains of the offsets is a fraction of one unit, and only
    the order of these fractions matters: their ranks take the place of the lowest bits.
    """
    unit = _common_divisor(sums.step)
    factors = [int(step / unit) for step in sums.step]
    whole = [int(offset // unit) for offset in sums.offset]
    rest = [offset / unit - count for offset, count in zip(sums.offset, whole, strict=True)]
    ranks = {fraction: rank for rank, fraction in enumerate(sorted(set(rest)))}
    shift = (len(ranks) - 1).bit_length()
    weights = [[(w * factor) << shift for w in row] for row, factor in zip(sums.weights, factors, strict=True)]
    bias = [
        ((constant * factor + count) << shift) + ranks[fraction]
        for constant, factor, count, fraction in zip(sums.bias, factors, whole, rest, strict=True)
    ]
    return _Sums(weights, bias, sums.step, sums.offset, sums.top)


def _common_divisor(steps: Sequence[Fraction]) -> Fraction:
    divisor = steps[0]
    for step in steps[1:]:
        a, b = divisor, step
        while b:
            a, b = b, a % b
        divisor = a
    return divisor
