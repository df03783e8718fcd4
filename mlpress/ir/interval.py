"""Exact integer intervals: the range of every sum and of every activation, and the widths that follow.

Terms that read the same source are not independent, so they are taken together: as a function of one source
they are a weighted sum of its bits, whose extremes over a range of values are found bit by bit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mlpress.ir.net import Activation, Input, Ladder, Net, Neuron, QRelu, Raw, Term


class Interval(NamedTuple):
    """The integers from ``low`` to ``high``, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class LayerIntervals:
    """What each neuron of one layer can give: its sum, and its activation's output."""

    sums: tuple[Interval, ...]
    outputs: tuple[Interval, ...]


def unsigned_bits(high: int) -> int:
    """Count the bits that hold ``0 .. high`` unsigned; at least 1."""
    return max(1, high.bit_length())


def signed_bits(low: int, high: int) -> int:
    """Count the bits that hold ``low .. high`` in two's complement; at least 1."""
    return max(value.bit_length() if value >= 0 else (-value - 1).bit_length() for value in (low, high)) + 1


def output_bits(activation: Activation) -> int | None:
    """Return the declared width of an activation's unsigned output; ``None`` for :class:`Raw`, which has none."""
    match activation:
        case QRelu(bits=bits):
            return bits
        case Ladder(thresholds=thresholds):
            return len(thresholds).bit_length()
        case Raw():
            return None


def code_values(feature: Input) -> Sequence[int]:
    """Return every code that the input can give, in increasing order."""
    if feature.levels is None:
        return range(1 << feature.bits)
    return (0, *feature.levels)


def activate(activation: Activation, total: int) -> int:
    """Apply ``activation`` to the sum ``total``."""
    match activation:
        case QRelu(shift=shift, bits=bits):
            return min(max(total >> shift, 0), (1 << bits) - 1)
        case Ladder(thresholds=thresholds):
            return bisect_right(thresholds, total)
        case Raw():
            return total


def bit_weights(terms: Iterable[Term]) -> list[int]:
    """Return what bit ``k`` of a source adds to the sum (entry ``k``), for ``terms`` that all read that source."""
    weights: list[int] = []
    for term in terms:
        weights.extend([0] * (term.mask.bit_length() - len(weights)))
        for k in range(term.mask.bit_length()):
            weights[k] += (term.mask >> k & 1) * (term.sign << (term.shift + k))
    return weights


def bits_interval(weights: Sequence[int], values: Interval) -> Interval:
    """Return the extremes of ``sum(weights[k] * bit k of x)`` over all ``x`` in ``values`` (0 <= low <= high)."""
    return Interval(-_largest([-weight for weight in weights], values), _largest(weights, values))


def _largest(weights: Sequence[int], values: Interval) -> int:
    """Return the largest weighted bit sum over ``values``, from the top bit down.

    ``best`` holds, for the bits above the current one, the largest sum by whether they equal those of the low
    end and of the high end; bits below are free once neither end binds.
    """
    if values.low == 0 and values.high & (values.high + 1) == 0:  # all bits are free from the start
        return sum(weight for weight in weights[: values.high.bit_length()] if weight > 0)
    best: dict[tuple[bool, bool], int] = {(True, True): 0}
    for k in reversed(range(max(len(weights), values.high.bit_length()))):
        weight = weights[k] if k < len(weights) else 0
        low_bit, high_bit = values.low >> k & 1, values.high >> k & 1
        after: dict[tuple[bool, bool], int] = {}
        for (at_low, at_high), total in best.items():
            for bit in (0, 1):
                if (at_low and bit < low_bit) or (at_high and bit > high_bit):
                    continue
                state = (at_low and bit == low_bit, at_high and bit == high_bit)
                reached = total + bit * weight
                after[state] = max(after.get(state, reached), reached)
        best = after
    return max(best.values())


def _values_interval(weights: Sequence[int], values: Iterable[int]) -> Interval:
    sums = [sum(weight for k, weight in enumerate(weights) if value >> k & 1) for value in values]
    return Interval(min(sums), max(sums))


def _sum_interval(neuron: Neuron, inputs: Sequence[Input] | None, ranges: Sequence[Interval]) -> Interval:
    by_source: dict[int, list[Term]] = {}
    for term in neuron.terms:
        by_source.setdefault(term.source, []).append(term)
    low = high = neuron.bias
    for source, terms in by_source.items():
        weights = bit_weights(terms)
        if inputs is not None and inputs[source].levels is not None:
            part = _values_interval(weights, code_values(inputs[source]))
        else:
            part = bits_interval(weights, ranges[source])
        low, high = low + part.low, high + part.high
    return Interval(low, high)


def input_intervals(net: Net) -> tuple[Interval, ...]:
    """Return the range of each input's code."""
    return tuple(Interval(0, code_values(feature)[-1]) for feature in net.inputs)


def intervals(net: Net) -> tuple[LayerIntervals, ...]:
    """Return the range of every sum and output, layer by layer.

    Sources are taken as independent.  So the sums of the first layer are exact (some code row reaches each
    end), and those of later layers are sound: never too narrow.
    """
    found: list[LayerIntervals] = []
    ranges = input_intervals(net)
    inputs: Sequence[Input] | None = net.inputs
    for layer in net.layers:
        sums = tuple(_sum_interval(neuron, inputs, ranges) for neuron in layer.neurons)
        outputs = tuple(
            Interval(activate(neuron.activation, total.low), activate(neuron.activation, total.high))
            for neuron, total in zip(layer.neurons, sums, strict=True)
        )
        found.append(LayerIntervals(sums, outputs))
        ranges, inputs = outputs, None
    return tuple(found)
