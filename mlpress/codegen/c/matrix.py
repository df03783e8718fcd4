"""A layer as a matrix of integer weights, where it is one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mlpress.ir import Activation, Interval, Ladder, Layer, LayerIntervals, Net, QRelu, Raw, input_intervals, intervals

MAX_LADDER = 255
"""Thresholds of a neuron at most that a loop compares with."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """``activation(weights @ x + bias)`` with int weights (outputs, inputs), and the ranges of its sums.

    ``activation`` is one for all neurons: a :class:`QRelu`, a :class:`Raw`, or ladders of equal length, of which
    ``thresholds`` has one row per neuron.  ``high`` is the largest code of each input.  ``base`` is the least weight,
    ``step`` the greatest common divisor of all distances from it, and ``bits`` hold the largest distance in steps.
    """

    weights: tuple[tuple[int, ...], ...]
    bias: tuple[int, ...]
    activation: Activation
    thresholds: tuple[tuple[int, ...], ...]
    sums: tuple[Interval, ...]
    high: tuple[int, ...]
    base: int
    step: int
    bits: int
    skipped: int

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return len(self.high)

    @property
    def outputs(self) -> int:
        """Number of neurons."""
        return len(self.bias)

    @property
    def low_sum(self) -> int:
        """The least sum of any neuron."""
        return min(total.low for total in self.sums)

    @property
    def high_sum(self) -> int:
        """The largest sum of any neuron."""
        return max(total.high for total in self.sums)


def matrices(net: Net) -> list[Matrix | None]:
    """Return each layer of ``net`` as a matrix, or ``None`` where masks or mixed activations stand against it."""
    ranges: Sequence[Interval] = input_intervals(net)
    found: list[Matrix | None] = []
    for layer, known in zip(net.layers, intervals(net), strict=True):
        found.append(_matrix(layer, known, [interval.high for interval in ranges]))
        ranges = known.outputs
    return found


def _matrix(layer: Layer, known: LayerIntervals, high: Sequence[int]) -> Matrix | None:
    first = layer.neurons[0].activation
    rows: list[tuple[int, ...]] = []
    for neuron in layer.neurons:
        row = [0] * len(high)
        for term in neuron.terms:
            full = (1 << high[term.source].bit_length()) - 1
            if term.mask & full != full:
                return None
            row[term.source] += term.sign << term.shift
        rows.append(tuple(row))
    activations = [neuron.activation for neuron in layer.neurons]
    thresholds: tuple[tuple[int, ...], ...] = ()
    match first:
        case Ladder():
            ladders = [one.thresholds for one in activations if isinstance(one, Ladder)]
            if len(ladders) != len(activations) or max(map(len, ladders)) > MAX_LADDER:
                return None
            longest = max(map(len, ladders))
            never = max(total.high for total in known.sums) + 1
            thresholds = tuple((*one, *[max(never, one[-1])] * (longest - len(one))) for one in ladders)
            if any(a > b for one in thresholds for a, b in pairwise(one)):
                return None
        case QRelu() | Raw():
            if any(one != first for one in activations):
                return None
    live = [k for k in range(len(high)) if any(row[k] for row in rows)] or [0]
    skipped, end = live[0], live[-1] + 1
    rows = [row[skipped:end] for row in rows]
    weights = {weight for row in rows for weight in row}
    base = min(weights)
    step = math.gcd(*(weight - base for weight in weights)) or 1
    bits = max(1, ((max(weights) - base) // step).bit_length())
    bias = tuple(neuron.bias for neuron in layer.neurons)
    return Matrix(tuple(rows), bias, first, thresholds, known.sums, tuple(high[skipped:end]), base, step, bits, skipped)
