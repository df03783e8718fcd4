"""The reference interpreters: what a program means.

Slow and obvious on purpose; everything fast is tested against them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir.circuit import Circuit
from mlpress.ir.curves import curve_values
from mlpress.ir.interval import activate, code_values
from mlpress.ir.model import (
    Activations,
    ArgmaxHead,
    Clip,
    Coders,
    Curve,
    Floats,
    HardSigmoid,
    Ints,
    LeakyRelu,
    Linear,
    Model,
    Quantiser,
    Relu,
    Rounding,
    ScoresHead,
    Sigmoid,
    Staircase,
    Tanh,
    ThresholdHead,
)
from mlpress.ir.net import Argmax, BitRange, Head, Input, Net, Neuron, Scores, Threshold


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Every value of a run: ``sums[k]`` and ``layers[k]`` are int64 (rows, neurons) of layer ``k``.

    ``decision`` is the class index, int64 (rows,), or ``None`` for :class:`Scores`.
    """

    sums: list[Ints]
    layers: list[Ints]
    decision: Ints | None

    @property
    def scores(self) -> Ints:
        """The last layer's values, int64 (rows, scores)."""
        return self.layers[-1]

    @property
    def words(self) -> Ints:
        """The values of the output ports, int64 (rows, ports)."""
        return self.scores if self.decision is None else self.decision[:, None]


def check_features(features: NDArray[Any], names: Sequence[str], missing: Sequence[float | None] = ()) -> Floats:
    """Return ``features`` as float64 (rows, inputs), where NaN is there what ``missing`` says of its column, if any.

    Raises :class:`MlpressError` where the shape is wrong or a value is not finite then.
    """
    table = np.asarray(features, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(names):
        raise MlpressError(f"features have shape {table.shape}; expected (rows, {len(names)})")
    table = filled(table, missing)
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        row, column = (int(index) for index in bad[0])
        value = float(table[row, column])
        raise MlpressError(
            f"row {row}, feature {names[column]!r}: {value} is not a finite number; drop or fill the row"
        )
    return table


def filled(features: Floats, missing: Sequence[float | None]) -> Floats:
    """Return ``features`` (rows, inputs) with what ``missing`` says in place of NaN; NaN stays where it is ``None``."""
    if all(value is None for value in missing):
        return features
    values = np.array([np.nan if value is None else value for value in missing])
    return np.where(np.isnan(features), values, features)


def encode(net: Net | Circuit, features: NDArray[Any]) -> Ints:
    """Encode real features (rows, inputs) as input codes, int64 (rows, inputs), as :class:`Input` defines them."""
    missing = [feature.missing for feature in net.inputs]
    table = check_features(features, [feature.name for feature in net.inputs], missing)
    codes = np.zeros(table.shape, np.int64)
    for column, feature in enumerate(net.inputs):
        with np.errstate(over="ignore"):
            scaled = table[:, column] * feature.scale + feature.offset
        rounded = np.floor(scaled) if feature.rounding == "floor" else np.rint(scaled)
        codes[:, column] = np.clip(rounded, 0, (1 << feature.bits) - 1).astype(np.int64)
        if feature.levels is not None:
            kept = np.array(code_values(feature), np.int64)
            codes[:, column] = kept[np.searchsorted(kept, codes[:, column], side="right") - 1]
    return codes


def check_codes(net: Net | Circuit, codes: NDArray[Any]) -> Ints:
    """Return ``codes`` as int64 (rows, inputs); raise where an input cannot give one of them."""
    table = np.asarray(codes)
    if not np.issubdtype(table.dtype, np.integer) or table.ndim != 2 or table.shape[1] != len(net.inputs):
        raise MlpressError(f"codes are {table.dtype} {table.shape}; expected integers (rows, {len(net.inputs)})")
    for column, feature in enumerate(net.inputs):
        bad = np.flatnonzero(~_allowed(feature, table[:, column]))
        if len(bad):
            row = int(bad[0])
            raise MlpressError(
                f"row {row}, input {feature.name!r}: code {int(table[row, column])} is not one that its "
                f"{feature.bits}-bit converter gives; encode the features first"
            )
    return table.astype(np.int64)


def _allowed(feature: Input, codes: NDArray[Any]) -> NDArray[np.bool_]:
    if feature.levels is None:
        return (codes >= 0) & (codes < 1 << feature.bits)
    return np.isin(codes, np.array(code_values(feature)))


def interpret(net: Net, codes: NDArray[Any]) -> Trace:
    """Run a verified ``net`` on input codes (rows, inputs)."""
    outputs = check_codes(net, codes)
    sums: list[Ints] = []
    layers: list[Ints] = []
    for layer in net.layers:
        totals = [neuron_sums(neuron, outputs) for neuron in layer.neurons]
        values = [
            [activate(neuron.activation, total) for total in column.tolist()]
            for neuron, column in zip(layer.neurons, totals, strict=True)
        ]
        sums.append(np.stack(totals, axis=1))
        outputs = np.array(values, np.int64).T
        layers.append(outputs)
    decisions = [decide(net.head, row) for row in outputs.tolist()]
    return Trace(sums, layers, None if isinstance(net.head, Scores) else np.array(decisions, np.int64))


ROWS_AT_ONCE = 256
"""Rows whose terms stand in memory together."""


def neuron_sums(neuron: Neuron, x: Ints) -> Ints:
    """Return ``bias + sum of terms``, int64 (rows,), over the outputs ``x`` (rows, sources) of the layer before.

    The verifier sees to it that every partial sum fits in int64.
    """
    terms = [(term.source, term.sign, term.mask, term.shift) for term in neuron.terms]
    source, sign, mask, shift = np.array(terms, np.int64).reshape(-1, 4).T
    totals = np.full(len(x), neuron.bias, np.int64)
    for first in range(0, len(x), ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        totals[rows] += ((x[rows, source] & mask) << shift) @ sign
    return totals


def seen(score: int, window: BitRange) -> int:
    """Return what a comparison with this ``window`` sees of ``score``."""
    if window.high is None:
        return score >> window.low
    width = window.high - window.low
    field = (score >> window.low) & ((1 << width) - 1)
    return field - (1 << width) if field >> (width - 1) else field


def decide(head: Head, scores: Sequence[int]) -> int | None:
    """Return the class index that ``head`` finds in one row of scores; ``None`` for :class:`Scores`."""
    match head:
        case Argmax(ranges=ranges):
            return _tournament(scores, list(ranges) or [BitRange()] * (len(scores) - 1))
        case Threshold(at=at):
            return int(scores[0] >= at)
        case Scores():
            return None


def _tournament(scores: Sequence[int], windows: list[BitRange]) -> int:
    candidates = list(range(len(scores)))
    played = 0
    while len(candidates) > 1:
        winners = []
        for left, right in zip(candidates[0::2], candidates[1::2], strict=False):
            window = windows[played]
            played += 1
            winners.append(right if seen(scores[right], window) > seen(scores[left], window) else left)
        if len(candidates) % 2:
            winners.append(candidates[-1])
        candidates = winners
    return candidates[0]


def score_values(program: Net | Circuit, scores: NDArray[Any]) -> Floats:
    """Return the real values, float64 (rows, scores), that a regression's integer ``scores`` stand for."""
    if program.scores is None:
        raise MlpressError("this net classifies: only a net with a scores head has real values")
    values: Floats = np.asarray(scores) * np.array(program.scores.scale) + np.array(program.scores.offset)
    return values


def interpret_model(model: Model, features: NDArray[Any]) -> tuple[Floats, Ints | None]:
    """Run ``model`` on real features (rows, inputs) in float64.

    Returns the last layer's outputs, float64 (rows, outputs), and the class index, int64 (rows,), or ``None``
    for regression.
    """
    with np.errstate(over="ignore"):
        x = check_features(features, model.inputs, model.missing) * model.scale + model.offset
        if model.clip is not None:
            x = real_activation(model.clip, x)
        x = quantised(x, model.quantiser)
        for layer in model.layers:
            x = quantised(real_activation(layer.activation, x @ layer.weight.T + layer.bias), layer.quantiser)
    match model.head:
        case ArgmaxHead():
            return x, np.argmax(x, axis=1).astype(np.int64)
        case ThresholdHead(at=at):
            return x, (x[:, 0] > at).astype(np.int64)
        case ScoresHead():
            return x, None


def quantised(x: Floats, quantiser: Coders) -> Floats:
    """Return the values of ``x`` (rows, values) after they passed through the ``quantiser``'s integers."""
    match quantiser:
        case None:
            return x
        case tuple():
            return np.stack([quantised(x[:, j], one) for j, one in enumerate(quantiser)], axis=1)
        case Staircase(bounds=bounds, step=step, base=base):
            return np.asarray(base + step * np.searchsorted(np.array(bounds), x, side="right"), np.float64)
        case Quantiser(scale=scale, zero=zero, low=low, high=high, rounding="even"):
            return np.asarray((np.clip(np.rint(x / scale) + zero, low, high) - zero) * scale)
        case Quantiser(scale=scale, zero=zero, low=low, high=high, rounding=rounding):
            return np.asarray((np.clip(rounded(x / scale + zero, rounding), low, high) - zero) * scale)


def rounded(x: Floats, rounding: Rounding) -> Floats:
    """Round each element of ``x``."""
    match rounding:
        case "even" | "half_even":
            return np.rint(x)
        case "half_up":
            return np.asarray(np.sign(x) * np.floor(np.abs(x) + 0.5))
        case "half_down":
            return np.asarray(np.sign(x) * np.ceil(np.abs(x) - 0.5))
        case "up":
            return np.asarray(np.sign(x) * np.ceil(np.abs(x)))
        case "down":
            return np.trunc(x)
        case "floor":
            return np.floor(x)
        case "ceil":
            return np.ceil(x)


def real_activation(activation: Activations, x: Floats) -> Floats:
    """Apply the activation to each element of ``x`` (rows, values)."""
    match activation:
        case tuple():
            return np.stack([real_activation(one, x[:, j]) for j, one in enumerate(activation)], axis=1)
        case Curve():
            return curve_values(activation, x)
        case Linear():
            return x
        case Relu():
            return np.maximum(x, 0.0)
        case Clip(low=low, high=high):
            return np.minimum(np.maximum(x, low), high)
        case LeakyRelu(alpha=alpha):
            return np.where(x > 0, x, alpha * x)
        case Sigmoid():
            return 1.0 / (1.0 + np.exp(-x))
        case HardSigmoid(alpha=alpha, beta=beta):
            return np.clip(alpha * x + beta, 0.0, 1.0)
        case Tanh():
            return np.tanh(x)
