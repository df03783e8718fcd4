"""Soft voting: sums of probabilities, where the members and their sum are one network.

The two probabilities of one sigmoid are ``(1 - p, p)``: values of a linear layer over one neuron.  A weighted sum of
them is a linear layer over one neuron per member.  A soft-max over more classes divides by a sum of its own in each
member, which no layer does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from mlpress.errors import MlpressError
from mlpress.frontend.symbolic import FLOAT, Aside, Const, Floats, Flow, Value
from mlpress.ir import Dense, HardSigmoid, Linear, Sigmoid

NEAR = 1e-6
"""How far from 1 a sum of weights may be, which exporters round to float32 (2^-24 each)."""


def real(value: Value) -> Value:
    """Return probabilities as the real values that they are, for arithmetic; all else unchanged.

    Raises :class:`MlpressError` where they are no values of a layer.
    """
    match value:
        case Aside(scores=flow, column=int() as column):
            return _spelled(flow).picked(np.array([column]), (1,))
        case Flow() as flow if flow.final:
            return _spelled(flow)
        case _:
            return value


def marked(result: Value, operands: Sequence[Value | None]) -> Value:
    """Return the result of arithmetic, which is a vote where an operand holds the probabilities of all classes."""
    votes = any(isinstance(value, Flow) and value.final for value in operands)
    return replace(result, final="vote") if votes and isinstance(result, Flow) else result


def complementary(no: Flow, yes: Flow) -> Flow | None:
    """Return ``(1 - q, q)`` as votes, where ``q`` is a weighted sum of sigmoids; else ``None``."""
    first, second = no.open_layer, yes.open_layer
    if first is None or second is None or no.layers[:-1] != yes.layers[:-1] or not is_share(yes):
        return None
    if (first.weight != -second.weight).any() or (first.bias != 1.0 - second.bias).any():
        return None
    both = Dense(np.concatenate([first.weight, second.weight]), np.concatenate([first.bias, second.bias]), Linear())
    return _ended(yes, both)


def is_share(flow: Flow) -> bool:
    """Return whether the one value is a sigmoid's, or a weighted sum of such, from 0 to 1, so that a half decides."""
    reach = lone_reach(flow)
    return reach.low > -NEAR and 0.5 < reach.high < 1.0 + NEAR


class LoneReach(NamedTuple):
    """The least and the largest value, infinite where they are not known."""

    low: float
    high: float


def lone_reach(flow: Flow) -> LoneReach:
    """Return what one value reaches, as far as sigmoids bound it."""
    if flow.width != 1 or not flow.layers or not flow.gain[0]:
        return LoneReach(-np.inf, np.inf)
    ends = [float(flow.gain[0] * bound[0] + flow.shift[0]) for bound in _reach(flow.layers)]
    return LoneReach(min(ends), max(ends))


def is_sum(one: Flow, values: Flow) -> bool:
    """Return whether ``one`` is the sum of ``values``, which are sigmoids' and sums of such, and never negative."""
    if one.width != 1 or one.layers[: len(values.layers)] != values.layers or one.names != values.names:
        return False
    low = values.gain * _reach(values.layers).low + values.shift if values.layers else np.full(1, -np.inf)
    last = one.open_layer
    if last is None or len(one.layers) != len(values.layers) + 1 or (values.gain < 0.0).any():
        return False
    same = np.array_equal(last.weight[0], values.gain) and last.bias[0] == values.shift.sum()
    return bool(same and (low >= 0.0).all())


class _Reach(NamedTuple):
    """The least and the largest value of each neuron, infinite where they are not known."""

    low: Floats
    high: Floats


def _reach(layers: Sequence[Dense]) -> _Reach:
    """Return what neurons reach, as far as sigmoids bound it; quantisers that follow them are left out of account."""
    width = layers[0].weight.shape[1]
    held = _Reach(np.full(width, -np.inf), np.full(width, np.inf))
    for layer in layers:
        rises, falls = np.maximum(layer.weight, 0.0), np.minimum(layer.weight, 0.0)
        low = layer.bias + _times(rises, held.low) + _times(falls, held.high)
        high = layer.bias + _times(rises, held.high) + _times(falls, held.low)
        bounded = np.array([isinstance(one, Sigmoid | HardSigmoid) for one in layer.activations])
        known = bounded | np.array([isinstance(one, Linear) for one in layer.activations])
        low, high = np.where(bounded, 0.0, low), np.where(bounded, 1.0, high)
        held = _Reach(np.where(known, low, -np.inf), np.where(known, high, np.inf))
    return held


def _times(weight: Floats, bounds: Floats) -> Floats:
    """Return ``weight @ bounds``, where 0 times what is not known is 0."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(weight == 0.0, 0.0, weight * bounds).sum(axis=1))


def is_pair(flow: Flow) -> bool:
    """Return whether votes, or sigmoids, are those of two classes whose sum is 1 for every row."""
    if flow.final == "sigmoids" and flow.width == 2:
        return _opposite(flow.layers[-1])
    last = flow.open_layer
    if flow.final != "vote" or last is None or flow.width != 2:
        return False
    return bool((np.abs(last.weight.sum(axis=0)) < NEAR).all()) and abs(float(last.bias.sum()) - 1.0) < NEAR


class Decided(NamedTuple):
    """One value, and the bound above which it means the second class."""

    flow: Flow
    at: float


def decided(flow: Flow) -> Decided | None:
    """Return the one value that decides votes for two classes: half their difference and a half; else ``None``."""
    last = flow.open_layer
    if flow.final != "vote" or last is None or flow.width != 2:
        return None
    weight, bias = (last.weight[1:] - last.weight[:1]) / 2, (last.bias[1:] - last.bias[:1]) / 2 + 0.5
    ended = _ended(flow, Dense(weight, bias, Linear()))
    return Decided(replace(ended, final=""), 0.5)


def _spelled(flow: Flow) -> Flow:
    if flow.altered:
        raise MlpressError(
            "these probabilities were quantised, or normalised by another norm than L1, before the vote; vote with "
            "them as they are"
        )
    match flow.final:
        case "pair":
            return _both(replace(flow, shape=(1,), final=""))
        case "softmax" if flow.width == 2:
            difference = replace(flow, final="").dense(Const(np.array([[-1.0], [1.0]]), FLOAT))
            return _both(difference.activation(Sigmoid()))
        case "sigmoids" if flow.width == 2 and _opposite(flow.layers[-1]):
            last = flow.layers[-1]
            yes = Dense(last.weight[1:], last.bias[1:], last.activation)
            one = replace(flow, shape=(1,), final="", gain=flow.gain[1:], shift=flow.shift[1:])
            return _both(replace(one, layers=(*flow.layers[:-1], yes)))
        case "sigmoids" | "vote":
            return replace(flow, final="")
        case "softmax" | "normalised":
            raise MlpressError(
                f"arithmetic on {flow.final} probabilities of {flow.width} classes: each row is divided by a sum of "
                "its own, which no layer does; keep them last (a vote of several networks is no single network: export "
                "one of them, or train one MLP on what they decide)"
            )
        case _:
            raise MlpressError("arithmetic on log-probabilities is not supported; keep the LogSoftmax last")


def _opposite(layer: Dense) -> bool:
    return bool((layer.weight[0] == -layer.weight[1]).all() and layer.bias[0] == -layer.bias[1])


def _both(one: Flow) -> Flow:
    """Return the values ``(1 - p, p)`` of one probability."""
    both = Dense(np.array([[-1.0], [1.0]]), np.array([1.0, 0.0]), Linear())
    return replace(_ended(replace(one, layers=(*one.layers, both)), both), final="")


def _ended(flow: Flow, last: Dense) -> Flow:
    """Return the flow as votes, with ``last`` in place of its last layer."""
    ones = np.ones(len(last.bias))
    return replace(
        flow, layers=(*flow.layers[:-1], last), shape=(len(ones),), gain=ones, shift=0.0 * ones, final="vote"
    )
