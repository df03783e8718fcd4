"""The parts of a net's arithmetic, counted without synthesis: bit heaps, clips and comparators.

A neuron is one bit heap: every term bit is a bit of a column, a subtracted bit is inverted and its constant joins the
bias.  Full and half adders reduce the columns to one bit each, from the lowest up (the count of adders is that of any
such compressor tree: a full adder removes one bit, whatever the order).  Sum bits that nothing reads need no sum:
truncated columns keep their carries only.
"""

from __future__ import annotations

from mlpress.approx.common.kinds import Ints, Layers
from mlpress.approx.integer.genome_layout import FLASH_BITS, NEVER, QRELU
from mlpress.jit import inner

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
    "comparator",  # of a flash converter: one per kept level
    "encode",  # one gate of its encoder
)
"""Parts of the arithmetic as a circuit; :class:`mlpress.approx.integer.cost.CostModel` has a price for each."""

FULL, MAJORITY, PARITY, HALF, AND2, XOR2, RELU, SATURATE, OVERFLOW, COMPARE, SELECT, NAME, COMPARATOR, ENCODE = range(
    len(PARTS)
)


@inner
def bit_length(value: int) -> int:
    """Return the bits of an unsigned value."""
    bits = 0
    while value > 0:
        value >>= 1
        bits += 1
    return bits


@inner
def width_of(low: int, high: int) -> int:
    """Return the bits of ``low .. high``: two's complement where ``low`` is negative, else unsigned."""
    if low >= 0:
        return bit_length(high)
    return max(bit_length(-low - 1), bit_length(high)) + 1


@inner
def input_mask(levels: int, bits: int) -> int:
    """Return the bits that an input's code can have set."""
    if bits > FLASH_BITS:
        return ((1 << bits) - 1) & ~((1 << (bits - levels)) - 1)
    mask = 0
    for q in range(1, 1 << bits):
        if levels >> (q - 1) & 1:
            mask |= q
    return mask


@inner
def converter_parts(levels: int, bits: int, wanted: int, parts: Ints) -> None:
    """Count an input's flash converter: the levels that change a ``wanted`` bit of its code.

    The full one has a comparator for the lowest code, too (see ``hw``).
    """
    step = 1 << (bits - levels) if bits > FLASH_BITS else 1
    for b in range(-1, bits):  # first all kept levels, then those that set bit b
        before = count = 0
        for q in range(step, 1 << bits, step):
            if (bits > FLASH_BITS or levels >> (q - 1) & 1) and (q & wanted) != before:
                before = q & wanted
                count += b < 0 or q >> b & 1
        if b < 0:
            parts[COMPARATOR] += count + (count == (1 << bits) - 1)
        else:
            parts[ENCODE] += max(count - 1, 0)


@inner
def compress(heap: Ints, constant: int, width: int, wanted: int, parts: Ints) -> tuple[int, int]:
    """Count the adders that reduce ``heap`` plus ``constant``, modulo ``2**width``, to the ``wanted`` sum bits.

    Returns the sum bits that vary, and the values of those that do not.
    """
    top = min(bit_length(wanted), width)
    carry = varying = fixed = 0
    for c in range(top):
        bits, one = heap[c] + carry, constant >> c & 1
        carry = 0
        asked = wanted >> c & 1
        carries = c < top - 1
        if bits:
            varying |= 1 << c
        else:
            fixed |= one << c
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
    return varying, fixed


@inner
def pour(vector: Ints, layer: Layers, j: int, masks: Ints, heap: Ints, state: Ints) -> None:
    """Write a neuron's terms and bias into ``heap`` and ``state``: constant, lowest and highest sum.

    ``masks`` (sources,) are the bits that each source can have set, or ``-1 - value`` of one that is constant.
    """
    heap[:] = 0
    state[:] = vector[layer.bias + j]
    at = j * layer.sources * layer.slots
    for i in range(layer.sources):
        for _ in range(layer.slots):
            code, seen = vector[layer.weight + at], vector[layer.mask + at]
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
                heap[shift] += seen & 1
                seen >>= 1
                shift += 1


@inner
def hidden_parts(vector: Ints, layer: Layers, j: int, wanted: int, heap: Ints, state: Ints, parts: Ints) -> None:
    """Count a hidden neuron whose output bits ``wanted`` are read."""
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
def output_mask(vector: Ints, layer: Layers, j: int, low: int, high: int) -> int:
    """Return the bits that a hidden neuron's output can have set for these sums, or ``-1 - value`` of a constant."""
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
