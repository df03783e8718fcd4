"""What a net's arithmetic costs, counted without synthesis: bit heaps, clips and comparators.

A neuron is one bit heap: every term bit is a bit of a column, a subtracted bit is inverted and its constant joins
the bias.  Full and half adders reduce the columns to one bit each, from the lowest up (the count of adders is
that of any such compressor tree: a full adder removes one bit, whatever the order).  Sum bits that nobody
reads need no sum: truncated columns keep their carries only.
"""

from __future__ import annotations

import numpy as np

from mlpress.approx.jit import Ints, Layers, inner
from mlpress.approx.kernels import has_ranges
from mlpress.approx.layout import FLASH_BITS, NEVER, QRELU
from mlpress.sim import compiled

COLUMNS = 64

PARTS = (
    "full",  # a full adder with both outputs
    "majority",  # its carry alone
    "parity",  # its sum alone
    "half",  # a half adder with both outputs
    "and2",  # its carry alone: AND, or OR where the column has a constant one
    "xor2",  # its sum alone
    "relu",  # one output bit held at zero by the sign
    "saturate",  # one output bit held at one by an overflow
    "overflow",  # one more column that tells of the overflow
    "compare",  # one bit of a comparison of two scores, or of a sum with a constant
    "select",  # one bit of a multiplexer: the winning score's
    "name",  # one bit of a multiplexer: the winning index's
    "comparator",  # of a flash converter: one a kept level
    "encode",  # one gate of its encoder
)
"""What is counted; :class:`mlpress.approx.cost.CostModel` has a price for each."""

FULL, MAJORITY, PARITY, HALF, AND2, XOR2, RELU, SATURATE, OVERFLOW, COMPARE, SELECT, NAME, COMPARATOR, ENCODE = range(
    len(PARTS)
)


@inner
def bit_length(value: int) -> int:
    """Bits of an unsigned value."""
    bits = 0
    while value > 0:
        value >>= 1
        bits += 1
    return bits


@inner
def width_of(low: int, high: int) -> int:
    """Bits of ``low .. high``: two's complement where ``low`` is negative, else unsigned."""
    if low >= 0:
        return bit_length(high)
    return max(bit_length(-low - 1), bit_length(high)) + 1


@inner
def input_mask(levels: int, bits: int) -> int:
    """Bits that an input's code can have set."""
    if bits > FLASH_BITS:
        return ((1 << bits) - 1) & ~((1 << (bits - levels)) - 1)
    mask = 0
    for q in range(1, 1 << bits):
        if levels >> (q - 1) & 1:
            mask |= q
    return mask


@inner
def converter_parts(levels: int, bits: int, parts: Ints) -> None:
    """Count an input's flash converter; the full one has a comparator for the lowest code, too (see ``hw``)."""
    step = 1 << (bits - levels) if bits > FLASH_BITS else 1
    kept = 0
    for q in range(step, 1 << bits, step):
        kept += bits > FLASH_BITS or levels >> (q - 1) & 1
    parts[COMPARATOR] += kept + (kept == (1 << bits) - 1)
    for b in range(bits):
        ones = 0
        for q in range(step, 1 << bits, step):
            ones += (bits > FLASH_BITS or levels >> (q - 1) & 1) and q >> b & 1
        parts[ENCODE] += max(ones - 1, 0)


@inner
def compress(heap: Ints, constant: int, width: int, wanted: int, parts: Ints) -> None:
    """Count the adders that reduce ``heap`` plus ``constant``, modulo ``2**width``, to the ``wanted`` sum bits."""
    top = min(bit_length(wanted), width)
    carry = 0
    for c in range(top):
        bits, one = heap[c] + carry, constant >> c & 1
        carry = 0
        asked = wanted >> c & 1
        carries = c < top - 1
        while bits >= 3:
            bits -= 2
            last = bits == 1 and not one
            if not carries:
                parts[PARITY] += 1
            elif last and not asked:
                parts[MAJORITY] += 1
                carry += 1
            else:
                parts[FULL] += 1
                carry += 1
        if bits == 2:
            if not carries:
                parts[XOR2] += asked
            else:
                parts[HALF if asked else AND2] += 1
                carry += 1
        elif bits == 1 and one:
            carry += carries


@inner
def pour(vector: Ints, layer: Layers, j: int, negate: bool, masks: Ints, heap: Ints, state: Ints) -> None:
    """Add a neuron's terms and bias, or their negation, to ``heap``.

    ``masks`` (sources,) are the bits that each source can have set, or ``-1 - value`` of one that is constant;
    ``state`` is constant, low and high.
    """
    sign = -1 if negate else 1
    bias = sign * vector[layer.bias + j]
    for i in range(3):
        state[i] += bias
    at = j * layer.sources * layer.slots
    for i in range(layer.sources):
        for _ in range(layer.slots):
            code, seen = vector[layer.weight + at] * sign, vector[layer.mask + at]
            at += 1
            if code == 0:
                continue
            shift = abs(code) - 1
            if masks[i] < 0:
                part = (seen & (-1 - masks[i])) << shift
                for s in range(3):
                    state[s] += part if code > 0 else -part
                continue
            seen &= masks[i]
            if code > 0:
                state[2] += seen << shift
            else:
                state[0] -= seen << shift
                state[1] -= seen << shift
            while seen:
                if seen & 1:
                    heap[shift] += 1
                seen >>= 1
                shift += 1


@inner
def hidden_parts(
    vector: Ints, layer: Layers, j: int, masks: Ints, wanted: int, heap: Ints, state: Ints, parts: Ints
) -> None:
    """Count a hidden neuron whose output bits ``wanted`` are read."""
    heap[:COLUMNS] = 0
    state[:] = 0
    pour(vector, layer, j, False, masks, heap, state)
    low, high = state[1], state[2]
    width = width_of(low, high)
    full = (1 << width) - 1
    if vector[layer.kind + j] == QRELU:
        shift, bits = vector[layer.shift + j], vector[layer.bits + j]
        above = max(width - (1 if low < 0 else 0) - shift - bits, 0)
        outputs = 0
        for b in range(bits):
            outputs += wanted >> b & 1
        if bits == 1:  # one threshold: the sign of what is left
            above = 0
            heap_want = 1 << (width - 1)
            if low >= 1 << shift or high < 1 << shift:
                return
            compress(heap, state[0] - (1 << shift), width, heap_want, parts)
            return
        if high < 1 << shift:
            return
        read = ((wanted << shift) & full) | (((1 << above) - 1) << (shift + bits) if above else 0)
        if low < 0:
            read |= 1 << (width - 1)
            parts[RELU] += outputs
        if above:
            parts[SATURATE] += outputs
            parts[OVERFLOW] += above - 1
        compress(heap, state[0], width, read & full, parts)
        return
    steps = 0
    lowest = COLUMNS
    previous = NEVER
    for i in range(layer.step_count):
        step = vector[layer.steps + j * layer.step_count + i]
        seen = False
        for before in range(i):
            seen |= vector[layer.steps + j * layer.step_count + before] == step
        if seen or step <= low or step > high:
            continue
        steps += 1
        previous = step
        zeros = 0
        while zeros < COLUMNS - 1 and not (step >> zeros) & 1:
            zeros += 1
        lowest = min(lowest, zeros)
    if steps == 0:
        return
    if steps == 1:
        compress(heap, state[0] - previous, width, 1 << (width - 1), parts)
        return
    lowest = min(lowest, width - 1)
    compress(heap, state[0], width, full & ~((1 << lowest) - 1), parts)
    parts[COMPARE] += steps * (width - lowest)


@inner
def output_mask(vector: Ints, layer: Layers, j: int, masks: Ints, heap: Ints, state: Ints) -> int:
    """Bits that a hidden neuron's output can have set, or ``-1 - value`` where it is constant."""
    state[:] = 0
    pour(vector, layer, j, False, masks, heap, state)
    low, high = state[1], state[2]
    if vector[layer.kind + j] == QRELU:
        shift, bits = vector[layer.shift + j], vector[layer.bits + j]
        top = (1 << bits) - 1
        high = min(max(high >> shift, 0), top)
        low = min(max(low >> shift, 0), top)
        return -1 - high if high == low else (1 << bit_length(high)) - 1
    mask = always = 0
    for i in range(layer.step_count):
        step = vector[layer.steps + j * layer.step_count + i]
        if low < step <= high:
            reached = 0
            for other in range(layer.step_count):
                reached += vector[layer.steps + j * layer.step_count + other] <= step
            mask |= reached
        always += step <= low
    return mask if mask else -1 - always


@inner
def head_parts(vector: Ints, layer: Layers, head: Ints, masks: Ints, heap: Ints, state: Ints, parts: Ints) -> None:
    """Count the last layer and the head."""
    classes = layer.neurons
    if classes == 1 or (classes == 2 and not has_ranges(vector, head)):
        heap[:COLUMNS] = 0
        state[:] = 0
        if classes == 1:
            pour(vector, layer, 0, False, masks, heap, state)
            state -= head[4]
        else:
            pour(vector, layer, 0, True, masks, heap, state)
            pour(vector, layer, 1, False, masks, heap, state)
            state -= 1
        if state[1] >= 0 or state[2] < 0:
            return
        width = width_of(state[1], state[2])
        compress(heap, state[0], width, 1 << (width - 1), parts)
        return
    base = vector[layer.bias]
    for j in range(1, classes):
        base = min(base, vector[layer.bias + j])
    ranges = has_ranges(vector, head)
    if ranges:
        base = 0
    lows, highs = heap[COLUMNS : COLUMNS + classes], heap[COLUMNS + classes : COLUMNS + 2 * classes]
    for j in range(classes):
        state[:] = -base
        pour(vector, layer, j, False, masks, heap, state)
        lows[j], highs[j] = state[1], state[2]
    floor, first = lows[0], 0
    for j in range(1, classes):
        if lows[j] > floor:
            floor, first = lows[j], j
    count, common = 0, 1
    for j in range(classes):
        if ranges or j == first or highs[j] > floor or (highs[j] == floor and j < first):
            heap[:COLUMNS] = 0
            state[:] = -base
            pour(vector, layer, j, False, masks, heap, state)
            width = max(width_of(lows[j], highs[j]), 1)
            compress(heap, state[0], width, (1 << width) - 1, parts)
            lows[count] = 0 if lows[j] == highs[j] else width + (lows[j] >= 0)
            common = max(common, width + (lows[j] >= 0))
            count += 1
    tournament_parts(vector, head, count, common, lows, parts)


@inner
def tournament_parts(vector: Ints, head: Ints, count: int, common: int, widths: Ints, parts: Ints) -> None:
    """Count the knock-out of ``count`` scores of these signed ``widths``, 0 for a constant; overwrites them.

    Comparisons are as wide as the widest, ``common``.
    """
    played, names = 0, 0
    while count > 1:
        pairs = count // 2
        for pair in range(pairs):
            a, b = widths[2 * pair], widths[2 * pair + 1]
            low, high = vector[head[1] + played], vector[head[2] + played]
            played += 1
            seen = max((min(common, high) if high else common) - low, 1)
            if a == 0 or b == 0:
                parts[AND2] += seen if a != b else 0
            else:
                parts[COMPARE] += seen
            if count > 2:
                parts[SELECT] += max(a, b)
            parts[NAME] += names
            widths[pair] = max(a, b)
        if count % 2:
            widths[pairs] = widths[count - 1]
        count = pairs + count % 2
        names += 1


@inner
def net_parts(
    vector: Ints,
    layers: Layers,
    head: Ints,
    inputs: Ints,
    adc: bool,
    masks: Ints,
    wanted: Ints,
    heap: Ints,
    state: Ints,
    parts: Ints,
) -> None:
    """Count a whole net into ``parts``; the other arrays are scratch, int64.

    ``adc`` counts converters, too.  ``masks`` and ``wanted`` are (layers + 1, widest), ``heap`` (:data:`COLUMNS` +
    2 * widest), ``state`` (3,).
    """
    last = len(layers) - 1
    for i in range(len(inputs)):
        masks[0, i] = input_mask(vector[head[3] + i], inputs[i])
        if adc:
            converter_parts(vector[head[3] + i], inputs[i], parts)
    for k in range(last):
        for j in range(layers[k].neurons):
            masks[k + 1, j] = output_mask(vector, layers[k], j, masks[k], heap, state)
    wanted[:] = 0
    wanted[last + 1] = 1
    for k in range(last, 0, -1):
        layer = layers[k]
        at = 0
        for j in range(layer.neurons):
            alive = wanted[k + 1, j] != 0
            for i in range(layer.sources):
                for _ in range(layer.slots):
                    if alive and masks[k, i] > 0 and vector[layer.weight + at] != 0:
                        wanted[k, i] |= vector[layer.mask + at] & masks[k, i]
                    at += 1
    for k in range(last):
        for j in range(layers[k].neurons):
            if wanted[k + 1, j]:
                hidden_parts(vector, layers[k], j, masks[k], wanted[k + 1, j], heap, state, parts)
    head_parts(vector, layers[last], head, masks[last], heap, state, parts)


@compiled
def count_parts(vectors: Ints, layers: Layers, head: Ints, inputs: Ints, adc: bool, parts: Ints) -> None:
    """:func:`net_parts` of every member into ``parts`` (members, parts)."""
    widest = len(inputs)
    for k in range(len(layers)):
        widest = max(widest, layers[k].neurons)
    masks = np.zeros((len(layers) + 1, widest), np.int64)
    wanted = np.zeros((len(layers) + 1, widest), np.int64)
    heap, state = np.zeros(COLUMNS + 2 * widest, np.int64), np.zeros(3, np.int64)
    for member in range(len(vectors)):
        net_parts(vectors[member], layers, head, inputs, adc, masks, wanted, heap, state, parts[member])
