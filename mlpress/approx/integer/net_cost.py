"""The cost of a net and of its head as a circuit; see :mod:`mlpress.approx.integer.heap`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mlpress.approx.common.kinds import Ints, Layers, Reals
from mlpress.approx.integer.heap import (
    AND2,
    COLUMNS,
    COMPARE,
    NAME,
    PARTS,
    SELECT,
    compress,
    converter_parts,
    hidden_parts,
    input_mask,
    output_mask,
    pour,
    width_of,
)
from mlpress.approx.integer.kernels import has_ranges
from mlpress.approx.integer.program_parts import PROGRAM_PARTS, program_parts
from mlpress.jit import compiled, inner

ALL_PARTS = (*PARTS, *PROGRAM_PARTS)
"""All parts that have a price: of a circuit, then of a program."""

WIDTH, VARYING, FIXED, NAME_VARYING, NAME_FIXED = range(5)
FIELDS = 5
"""Fields of each score in a knock-out: its signed width, which of its bits vary and the others' values; which bits of
its class index vary and the others' values."""


class Pricing(NamedTuple):
    """Prices of a net's parts.

    ``prices`` is float64 (metrics, ways, :data:`ALL_PARTS`): of every part by metric, of which the first one ranks,
    and by way to build a net.  ``most``, float64 (metrics,), are limits of the others.  ``circuit``, ``program`` and
    ``converters`` say which kinds of parts have a price at all.
    """

    prices: Reals
    most: Reals
    circuit: bool
    program: bool
    converters: bool


class Scratch(NamedTuple):
    """Room for the count of one net, int64: bits that each source can have set, and those that are read (layers + 1,
    widest); bit heaps (neurons, :data:`COLUMNS`); constant, least and largest sum (neurons, 3); the knock-out's
    ``field`` (:data:`FIELDS`, widest); ``parts`` (:data:`ALL_PARTS`,).
    """

    masks: Ints
    wanted: Ints
    heaps: Ints
    states: Ints
    field: Ints
    parts: Ints


@inner
def head_parts(vector: Ints, layer: Layers, head: Ints, heaps: Ints, states: Ints, field: Ints, parts: Ints) -> None:
    """Count the last layer and the head; overwrites ``heaps`` (scores, :data:`COLUMNS`) and ``states`` (scores, 3)."""
    classes = layer.neurons
    ranges = has_ranges(vector, head)
    if classes == 1:
        states[0] -= head[4]
        sign_parts(heaps[0], states[0], parts)
        return
    if classes == 2 and not ranges:  # the second less the first
        ones = 0
        for c in range(COLUMNS - 2):
            ones += heaps[0, c] << c
            heaps[1, c] += heaps[0, c]
        states[1, 0] -= states[0, 0] + ones + 1
        states[1, 1] -= states[0, 2] + 1
        states[1, 2] -= states[0, 1] + 1
        sign_parts(heaps[1], states[1], parts)
        return
    first = 0
    for j in range(1, classes):
        if states[j, 1] > states[first, 1]:
            first = j
    floor = states[first, 1]
    base = 0
    if not ranges:
        base = vector[layer.bias : layer.bias + classes].min()
    count = 0
    for j in range(classes):
        low, high = states[j, 1], states[j, 2]
        if ranges or j == first or high > floor or (high == floor and j < first):
            low, high = low - base, high - base
            width = width_of(min(low, -1), max(high, 0))
            full = (1 << width) - 1
            field[VARYING, count], field[FIXED, count] = compress(heaps[j], states[j, 0] - base, width, full, parts)
            if low >= 0:  # its sign is known
                field[VARYING, count] &= full >> 1
                field[FIXED, count] &= full >> 1
            field[WIDTH, count], field[NAME_VARYING, count], field[NAME_FIXED, count] = width, 0, j
            count += 1
    tournament_parts(vector, head, count, field, parts)


@inner
def sign_parts(heap: Ints, state: Ints, parts: Ints) -> None:
    """Count a sum of which only the sign is read."""
    if state[1] < 0 <= state[2]:
        width = width_of(state[1], state[2])
        compress(heap, state[0], width, 1 << (width - 1), parts)


@inner
def tournament_parts(vector: Ints, head: Ints, count: int, field: Ints, parts: Ints) -> None:
    """Count the knock-out of the ``count`` scores in ``field`` (:data:`FIELDS`, scores), which it overwrites."""
    played = 0
    while count > 1:
        pairs = count // 2
        for pair in range(pairs):
            a, b = 2 * pair, 2 * pair + 1
            low, high = vector[head[1] + played], vector[head[2] + played]
            played += 1
            winner = compare_parts(field, a, b, low, high, parts)
            if winner >= 0:
                field[:, pair] = field[:, winner]
                continue
            width = max(field[WIDTH, a], field[WIDTH, b])
            choose(field, VARYING, a, b, pair, width, SELECT if count > 2 else -1, parts)
            choose(field, NAME_VARYING, a, b, pair, 0, NAME, parts)
            field[WIDTH, pair] = width
        if count % 2:
            field[:, pairs] = field[:, count - 1]
        count = pairs + count % 2


@inner
def bit_of(field: Ints, row: int, score: int, bit: int) -> tuple[bool, int]:
    """Return whether a bit of a score varies, and its value where not; above its width it is the sign."""
    at = min(bit, field[WIDTH, score] - 1)
    return bool(field[row, score] >> at & 1), field[row + 1, score] >> at & 1


@inner
def compare_parts(field: Ints, a: int, b: int, low: int, high: int, parts: Ints) -> int:
    """Count a comparison as a chain of majorities; return the winner where it is known beforehand, else -1."""
    width = max(field[WIDTH, a], field[WIDTH, b])
    if high:
        width = min(width, max(high, low + 1))
    varies, value = False, 0  # of the chain so far
    for bit in range(min(low, width - 1), width):
        (left_varies, left), (right_varies, right) = bit_of(field, VARYING, a, bit), bit_of(field, VARYING, b, bit)
        left = 1 - left
        if bit == width - 1:  # the sign counts the other way
            left, right = 1 - left, 1 - right
        free = int(left_varies) + int(right_varies) + int(varies)
        ones = (0 if left_varies else left) + (0 if right_varies else right) + (0 if varies else value)
        if free == 3:
            parts[COMPARE] += 1
        elif free == 2:
            parts[AND2] += 1
            varies = True
        elif free == 1:
            varies, value = ones == 1, int(ones == 2)
        else:
            varies, value = False, int(ones >= 2)
    return -1 if varies else (b if value else a)


@inner
def choose(field: Ints, row: int, a: int, b: int, to: int, width: int, part: int, parts: Ints) -> None:
    """Count the multiplexers of a winner's bits (``part`` -1: nothing reads them)."""
    varying = fixed = 0
    is_name = row == NAME_VARYING
    for bit in range(COLUMNS // 4 if is_name else width):
        if is_name:
            left_varies, left = bool(field[row, a] >> bit & 1), field[row + 1, a] >> bit & 1
            right_varies, right = bool(field[row, b] >> bit & 1), field[row + 1, b] >> bit & 1
        else:
            (left_varies, left), (right_varies, right) = bit_of(field, row, a, bit), bit_of(field, row, b, bit)
        if left_varies and right_varies:
            if part >= 0:
                parts[part] += 1
            varying |= 1 << bit
        elif left_varies or right_varies:
            if part >= 0:
                parts[AND2] += 1
            varying |= 1 << bit
        elif left != right:
            varying |= 1 << bit
        else:
            fixed |= left << bit
    field[row, to], field[row + 1, to] = varying, fixed


@inner
def read_net(vector: Ints, layers: Layers, head: Ints, inputs: Ints, scratch: Scratch) -> None:
    """Find every neuron's bits and range of sums, and which bits of each source are read."""
    masks, wanted = scratch.masks, scratch.wanted
    last = len(layers) - 1
    for i in range(len(inputs)):
        masks[0, i] = input_mask(vector[head[3] + i], inputs[i])
    for k in range(last + 1):
        for j in range(layers[k].neurons):
            n = layers[k].first + j
            pour(vector, layers[k], j, masks[k], scratch.heaps[n], scratch.states[n])
            if k < last:
                masks[k + 1, j] = output_mask(vector, layers[k], j, scratch.states[n, 1], scratch.states[n, 2])
    for k in range(last, -1, -1):
        layer = layers[k]
        wanted[k] = 0
        at = 0
        for j in range(layer.neurons):
            for i in range(layer.sources):
                for _ in range(layer.slots):
                    if (k == last or wanted[k + 1, j]) and masks[k, i] > 0 and vector[layer.weight + at] != 0:
                        wanted[k, i] |= vector[layer.mask + at] & masks[k, i]
                    at += 1


@inner
def circuit_parts(
    vector: Ints, layers: Layers, head: Ints, inputs: Ints, adc: bool, scratch: Scratch, parts: Ints
) -> None:
    """Count the net's arithmetic as a circuit, after :func:`read_net`, with the input converters where ``adc``."""
    last = len(layers) - 1
    for k in range(last):
        for j in range(layers[k].neurons):
            n = layers[k].first + j
            if scratch.wanted[k + 1, j]:
                hidden_parts(vector, layers[k], j, scratch.wanted[k + 1, j], scratch.heaps[n], scratch.states[n], parts)
    if adc:
        for i in range(len(inputs)):
            converter_parts(vector[head[3] + i], inputs[i], scratch.wanted[0, i], parts)
    scores = layers[last].first
    head_parts(vector, layers[last], head, scratch.heaps[scores:], scratch.states[scores:], scratch.field, parts)


@inner
def net_parts(
    vector: Ints, layers: Layers, head: Ints, inputs: Ints, pricing: Pricing, scratch: Scratch, parts: Ints
) -> None:
    """Count the parts of a net that have a price into ``parts`` (:data:`ALL_PARTS`,)."""
    read_net(vector, layers, head, inputs, scratch)
    if pricing.circuit:
        circuit_parts(vector, layers, head, inputs, pricing.converters, scratch, parts)
    if pricing.program:
        program_parts(vector, layers, scratch, parts[len(PARTS) :])


@inner
def net_cost(vector: Ints, layers: Layers, head: Ints, inputs: Ints, pricing: Pricing, scratch: Scratch) -> float:
    """Return the cost of a net, built in the cheapest way; what is beyond its limits makes it dearer by the square."""
    parts = scratch.parts
    parts[:] = 0
    net_parts(vector, layers, head, inputs, pricing, scratch, parts)
    best = np.inf
    for way in range(pricing.prices.shape[1]):
        cost = 0.0
        for i in range(len(parts)):
            cost += parts[i] * pricing.prices[0, way, i]
        for metric in range(1, len(pricing.most)):
            if pricing.most[metric] < np.inf:
                value = 0.0
                for i in range(len(parts)):
                    value += parts[i] * pricing.prices[metric, way, i]
                beyond = max(value / pricing.most[metric], 1.0)
                cost *= beyond * beyond
        best = min(best, cost)
    return best


@inner
def cost_scratch(layers: Layers, inputs: Ints) -> Scratch:
    """Return room for :func:`net_parts`."""
    widest, last = len(inputs), layers[len(layers) - 1]
    for k in range(len(layers)):
        widest = max(widest, layers[k].neurons)
    total = last.first + last.neurons
    return Scratch(
        np.zeros((len(layers) + 1, widest), np.int64),
        np.zeros((len(layers) + 1, widest), np.int64),
        np.zeros((total, COLUMNS), np.int64),
        np.zeros((total, 3), np.int64),
        np.zeros((FIELDS, widest), np.int64),
        np.zeros(len(ALL_PARTS), np.int64),
    )


@compiled
def count_parts(vectors: Ints, layers: Layers, head: Ints, inputs: Ints, pricing: Pricing, parts: Ints) -> None:
    """Count :func:`net_parts` of every member into ``parts`` (members, parts)."""
    scratch = cost_scratch(layers, inputs)
    for member in range(len(vectors)):
        net_parts(vectors[member], layers, head, inputs, pricing, scratch, parts[member])
