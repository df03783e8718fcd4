"""Quantised (QDQ) models as integer networks that keep every one of their integers.

A layer's sum stands for the real value ``sum * step + offset``.  The next code is the number of integer thresholds
that the sum reaches.  They are found in rational arithmetic from the model's scales, rounding half to even as
``QuantizeLinear`` does (ONNX operator specification), so nothing is lost between two layers.  A bias whose scale is
the product of its layer's scales, as quantisers store it, is added as the integer that it is.

Only a feature exactly half-way between two input codes may go to the other neighbour, where the zero point is an
odd number above the lowest code: :class:`mlpress.ir.Input` rounds the code itself half to even.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.bounds import Bound, before, code_bound
from mlpress.frontend.exact_inputs import exact_inputs, known
from mlpress.frontend.integer import LIMIT, IntegerLayer, Ints, check_sums
from mlpress.frontend.symbolic import identity_layer
from mlpress.frontend.turns import without_turns
from mlpress.ir import (
    MAX_LEVELS,
    Argmax,
    ArgmaxHead,
    Coder,
    Dense,
    Head,
    Input,
    Ladder,
    Model,
    QRelu,
    Quantiser,
    Raw,
    RealActivation,
    RealHead,
    Scores,
    ScoresHead,
    Staircase,
    Threshold,
    ThresholdHead,
    turning_point,
)
from mlpress.progress import counted

SAME_SCALE = Fraction(1, 100_000)  # a bias scale this near input scale * weight scale is that product, rounded


def is_exact(model: Model) -> bool:
    """Return whether ``model`` holds the integers of every layer, and a coder for every value between layers."""
    return inexact_place(model) is None


def inexact_place(model: Model) -> str | None:
    """Return where the first real values of ``model`` are that no integers stand for; ``None`` where there are none."""
    if None in model.quantisers or model.clip is not None:
        return "its inputs"
    for k, layer in enumerate(model.layers):
        if layer.integers is None:
            return f"the weights of layer {k}"
        if k < len(model.layers) - 1 and None in layer.quantisers:
            return f"the outputs of layer {k}"
        if any(
            turning_point(activation) is not None and coder is None
            for activation, coder in zip(layer.activations, layer.quantisers, strict=True)
        ):
            return f"the activation of layer {k}, which falls before it rises"
    return None


def holds_integers(model: Model) -> bool:
    """Return whether a trainer left codes in ``model``.

    Weights that are whole numbers are no sign of that, nor are features that are compared with bounds.
    """
    coders = [*model.quantisers, *(coder for layer in model.layers for coder in layer.quantisers)]
    if model.quantiser is None and (np.count_nonzero(model.layers[0].weight, axis=1) <= 1).all():
        coders = [coder for layer in model.layers[1:] for coder in layer.quantisers]
    scales = [layer.integers.weight_scale for layer in model.layers if layer.integers is not None]
    return any(coder is not None for coder in coders) or any((scale != 1.0).any() for scale in scales)


def with_coded_inputs(model: Model, features: NDArray[np.float64], bits: int) -> Model:
    """Return ``model`` with codes of ``bits`` bits for inputs that are real, over the range of ``features``.

    Steps are powers of two, so that the first layer's weights stay its integers, shifted.
    """
    scaled = features * model.scale + model.offset
    if model.clip is not None:
        scaled = np.clip(scaled, model.clip.low, model.clip.high)
    top = (1 << bits) - 1
    made: list[Coder] = []
    for held, column in zip(model.quantisers, scaled.T, strict=True):
        low, high = float(column.min()), float(column.max())
        step = 2.0 ** math.ceil(math.log2(max((high - low) / top, 2.0**-40)))
        made.append(held or Quantiser(step, -round(low / step), 0, top))
    return replace(model, quantiser=tuple(made), clip=None)


Ladders = list[list[int]]


@dataclass(frozen=True, slots=True)
class _Grid:
    """What codes stand for: code ``u`` of value ``i``, 0 to ``top[i]``, for ``base[i] + step[i] * u``."""

    step: list[Fraction]
    base: list[Fraction]
    top: list[int]


def _grid(coders: Sequence[Coder | None], where: str) -> _Grid:
    held = [known(coder, where) for coder in coders]
    step = [Fraction(coder.step) for coder in held]
    base = [
        Fraction(coder.base) if isinstance(coder, Staircase) else (coder.low - coder.zero) * Fraction(coder.scale)
        for coder in held
    ]
    return _Grid(step, base, [coder.top for coder in held])


@dataclass(frozen=True, slots=True)
class _Sums:
    """Neuron ``j`` of a layer: ``weights[j] @ u + bias[j]`` stands for that ``* step[j] + offset[j]``."""

    weights: list[list[int]]
    bias: list[int]
    step: list[Fraction]
    offset: list[Fraction]
    top: list[int]  # the largest code of each source

    def interval(self, neuron: int) -> tuple[int, int]:
        """Return the lowest and the highest sum."""
        row, bias = self.weights[neuron], self.bias[neuron]
        reach = [weight * top for weight, top in zip(row, self.top, strict=True)]
        return bias + sum(min(part, 0) for part in reach), bias + sum(max(part, 0) for part in reach)

    def layer(self, ladders: Ladders | None = None) -> IntegerLayer:
        """Return the layer of these sums, with a ladder for each neuron, or with none (:class:`Raw`)."""
        check_sums(self.weights, self.bias, self.top)
        raw = Raw()
        if ladders is None:
            return IntegerLayer(_array(self.weights), _array(self.bias), (raw,) * len(self.bias))
        formed = [_formed(ladder, *self.interval(j)) for j, ladder in enumerate(ladders)]
        bias = [constant + moved for constant, (moved, _) in zip(self.bias, formed, strict=True)]
        return IntegerLayer(_array(self.weights), _array(bias), tuple(activation for _, activation in formed))


def _array(values: Sequence[int] | Sequence[Sequence[int]]) -> Ints:
    return np.array(values, np.int64)


def _formed(ladder: list[int], low: int, high: int) -> tuple[int, QRelu | Ladder]:
    """Return what is added to a sum within ``low`` to ``high``, and the activation that then is the ladder's.

    Thresholds that are a power of two apart, up to ``2**bits - 1`` of them, are a shift and a clip.  Those that no
    sum reaches, or all sums do, may lie anywhere beyond the others.
    """
    inner = [place for place, threshold in enumerate(ladder) if low < threshold <= high]
    if len(ladder) < 3 or (len(ladder) + 1) & len(ladder) or len(inner) < 2:
        return 0, Ladder(tuple(ladder))
    first, last = inner[0], inner[-1]
    span = ladder[last] - ladder[first]
    width = span // (last - first)
    start = ladder[first] - first * width  # of the threshold of code 1
    regular = all(ladder[place] == start + place * width for place in inner)
    reached = first == 0 or start + (first - 1) * width <= low
    beyond = last == len(ladder) - 1 or start + (last + 1) * width > high
    if width < 1 or width & (width - 1) or not (regular and reached and beyond):
        return 0, Ladder(tuple(ladder))
    return width - start, QRelu(width.bit_length() - 1, len(ladder).bit_length())


def exact_layers(model: Model, output_codes: bool) -> tuple[tuple[Input, ...], list[IntegerLayer], Head]:
    """Return inputs, layers and head of the integer network that :func:`is_exact` model ``model`` stands for.

    Where the model quantises its scores, classes are decided on those codes; ``output_codes=False`` decides
    them on the sums that the codes are made of.
    """
    _check_thresholds(model)
    model = without_turns(model)
    grid = _grid(model.quantisers, "the inputs")
    inputs = exact_inputs(model)
    made: list[IntegerLayer] = []
    waiting = list(model.layers)
    while True:
        layer = waiting.pop(0)
        sums = _sums(layer, grid)
        if not _is_coded(layer):
            last, head = _decided(sums, model.head)
            return inputs, [*made, last], head
        grid = _grid(layer.quantisers, f"layer {len(model.layers) - len(waiting) - 1}")
        ladders = _ladders(layer, sums)
        while waiting and _is_coded(waiting[0]) and _is_elementwise(waiting[0]) and min(grid.step) > 0:
            following = waiting.pop(0)
            ladders = _through(ladders, sums, following, grid)
            grid = _grid(following.quantisers, f"layer {len(model.layers) - len(waiting) - 1}")
        if _only_scales(waiting):
            scores = _sums(waiting[0] if waiting else identity_layer(len(ladders)), grid)
            end, head = _on_codes(model.head, sums, ladders, scores, output_codes)
            return inputs, [*made, *end], head
        made.append(sums.layer(ladders))


def _is_coded(layer: Dense) -> bool:
    return None not in layer.quantisers


def _check_thresholds(model: Model) -> None:
    """Raise where the codes between layers need more thresholds together than a net may have."""
    counts = [sum(coder.top for coder in layer.quantisers if coder is not None) for layer in model.layers]
    if sum(counts) <= MAX_LEVELS:
        return
    k = int(np.argmax(counts))
    neurons = len(model.layers[k].bias)
    bits = max(coder.top.bit_length() for coder in model.layers[k].quantisers if coder is not None)
    fits = max(1, (MAX_LEVELS // sum(len(layer.bias) for layer in model.layers)).bit_length() - 1)
    raise MlpressError(
        f"layer {k}: {counted(neurons, 'neuron')} of {bits}-bit codes need {counts[k]} thresholds, all layers "
        f"{sum(counts)}; a net has at most {MAX_LEVELS}: export activations of at most {fits} bits, or quantise the "
        "model anew with keep_integers=False"
    )


def _sums(layer: Dense, grid: _Grid) -> _Sums:
    """Return the sums of ``layer`` over codes that stand for what ``grid`` says."""
    held = layer.integers
    if held is None:
        raise MlpressError("the model's integers are not complete; quantise it anew with keep_integers=False")
    made = [
        _sum(row, Fraction(scale), grid)
        for row, scale in zip(held.weight.tolist(), held.weight_scale.tolist(), strict=True)
    ]
    bias, step = [row.bias for row in made], [row.step for row in made]
    offset = [row.offset + Fraction(real) for row, real in zip(made, layer.bias.tolist(), strict=True)]
    if held.bias is not None and held.bias_scale is not None:
        for j, (count, scale) in enumerate(zip(held.bias.tolist(), held.bias_scale.tolist(), strict=True)):
            offset[j] = made[j].offset
            if abs(Fraction(scale) / step[j] - 1) < SAME_SCALE:
                bias[j] += count
            else:
                offset[j] += count * Fraction(scale)
    return _Sums([row.weights for row in made], bias, step, offset, grid.top)


class _Row(NamedTuple):
    """``weights @ u + bias`` stands for that ``* step + offset``, without the layer's own bias."""

    weights: list[int]
    bias: int
    step: Fraction
    offset: Fraction


def _sum(row: list[int], scale: Fraction, grid: _Grid) -> _Row:
    """Return one neuron's sum of weights ``row * scale`` over codes; their steps are brought to one divisor."""
    read = [i for i, weight in enumerate(row) if weight] or [0]
    unit = _common_divisor(sorted({abs(grid.step[i]) for i in read}))
    factors = {step: int(step / unit) for step in {grid.step[i] for i in read}}
    weights = [weight * factors[grid.step[i]] if weight else 0 for i, weight in enumerate(row)]
    parts: dict[Fraction, int] = {}
    for i in read:
        parts[grid.base[i]] = parts.get(grid.base[i], 0) + row[i]
    base = sum((value * count for value, count in parts.items()), Fraction(0))
    whole = math.floor(base / unit)
    return _Row(weights, whole, unit * scale, (base - whole * unit) * scale)


def _ladders(layer: Dense, sums: _Sums) -> Ladders:
    """Return for each neuron the sums from which on its code is 1, 2, ... steps above the lowest."""
    bounds: dict[tuple[RealActivation, Coder], list[Bound]] = {}
    ladders = []
    for j, (activation, held) in enumerate(zip(layer.activations, layer.quantisers, strict=True)):
        coder = known(held, f"neuron {j}")
        if (activation, coder) not in bounds:
            steps = range(1, coder.top + 1)
            bounds[activation, coder] = [before(activation, code_bound(coder, count)) for count in steps]
        low, high = sums.interval(j)
        step, offset = sums.step[j], sums.offset[j]
        found = bounds[activation, coder]
        ladders.append([bound.over(step, offset).first_integer(low, high + 1) for bound in found])
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


def _through(ladders: Ladders, sums: _Sums, following: Dense, grid: _Grid) -> Ladders:
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


def _on_codes(
    head: RealHead, sums: _Sums, ladders: Ladders, scores: _Sums, output_codes: bool
) -> tuple[list[IntegerLayer], Head]:
    """Return the last layers of a network whose scores are codes: ``scores`` are the sums over them."""
    if isinstance(head, ThresholdHead):
        own = _own_codes(scores)
        if own.step[0] > 0:
            code = Bound(Fraction(head.at), False).over(own.step[0], own.offset[0]).first_integer(0, own.top[0] + 1)
            return [sums.layer()], Threshold(_reaching(ladders[0], code, sums.interval(0)))
    if isinstance(head, ArgmaxHead) and not output_codes:
        last, decision = _decided(sums, head)
        return [last], decision
    last, decision = _decided(scores, head)
    return [sums.layer(ladders), last], decision


def _decided(sums: _Sums, head: RealHead) -> tuple[IntegerLayer, Head]:
    """Return the last layer and the integer head that decides as ``head`` does on the sums' real values."""
    match head:
        case ThresholdHead(at=at):
            low, high = sums.interval(0)
            first = Bound(Fraction(at), False).over(sums.step[0], sums.offset[0]).first_integer(low, high + 1)
            return sums.layer(), Threshold(first)
        case ScoresHead():
            scale, offset = (tuple(float(value) for value in part) for part in (sums.step, sums.offset))
            return sums.layer(), Scores(scale, offset)
        case ArgmaxHead():
            return _comparable(sums).layer(), Argmax()


def _comparable(sums: _Sums) -> _Sums:
    """Return sums that compare as their real values do, ties included.

    Steps are brought to their common divisor.  What remains of the offsets is a fraction of one unit, and only
    the order of these fractions matters: their ranks take the place of the lowest bits.  Sums too long for that, as of
    a scale per channel on both sides of the last layer, lose their last bits: docs/models.md says what that changes.
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
    cut = _excess(weights, bias, sums.top)
    if cut:
        half = 1 << (cut - 1)
        weights = [[(w + half) >> cut for w in row] for row in weights]
        bias = [(constant + half) >> cut for constant in bias]
    return _Sums(weights, bias, sums.step, sums.offset, sums.top)


def _excess(weights: list[list[int]], bias: list[int], top: list[int]) -> int:
    """Return how many bits the longest sum has too many."""
    longest = max(
        sum(abs(w) * most for w, most in zip(row, top, strict=True)) + abs(constant)
        for row, constant in zip(weights, bias, strict=True)
    )
    return max(0, longest.bit_length() - (LIMIT.bit_length() - 2)) if longest > LIMIT else 0


def _common_divisor(steps: Sequence[Fraction]) -> Fraction:
    divisor = steps[0]
    for step in steps[1:]:
        a, b = divisor, step
        while b:
            a, b = b, a % b
        divisor = a
    return divisor
