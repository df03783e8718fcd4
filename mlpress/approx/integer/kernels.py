"""The population engine's inner loops: whole rows of small integers, many at a time.

Rows are sorted by class into segments of one label.  A plane holds one value of each row, in lanes of int16 where the
net's sums fit (32 rows per instruction with AVX-512), else of int32 or int64; the type of the planes selects.  Sums may
wrap on the way and are exact in the end, as two's complement is.

``vector`` and ``layers``, ``head``, ``inputs`` are those of ``genome_layout``; ``k`` is a layer and ``j``
one of its neurons.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpress.approx.common.kinds import Ints, Lanes, Layers
from mlpress.approx.integer.genome_layout import ARGMAX, FLASH_BITS, NEVER, QRELU
from mlpress.jit import compiled, inner

BLOCK = 1024
"""Rows of a block: the planes of a small net stay in the first-level cache."""


@inner
def source_bits(vector: Ints, layers: Layers, inputs: Ints, k: int, source: int) -> int:
    """Return the bits of one source of layer ``k``."""
    if k == 0:
        return int(inputs[source])
    before = layers[k - 1]
    return int(vector[before.bits + source] if vector[before.kind + source] == QRELU else before.width)


@inner
def sum_range(vector: Ints, layers: Layers, inputs: Ints, k: int, j: int) -> tuple[int, int]:
    """Return the bounds of a neuron's sum; terms are taken as independent."""
    layer = layers[k]
    low = high = vector[layer.bias + j]
    at = j * layer.sources * layer.slots
    for source in range(layer.sources):
        full = (1 << source_bits(vector, layers, inputs, k, source)) - 1
        for _ in range(layer.slots):
            code = vector[layer.weight + at]
            if code > 0:
                high += (vector[layer.mask + at] & full) << (code - 1)
            elif code < 0:
                low -= (vector[layer.mask + at] & full) << (-code - 1)
            at += 1
    return low, high


@compiled
def find_lanes(vectors: Ints, layers: Layers, inputs: Ints, lanes: Ints) -> None:
    """Write the narrowest lanes, 16, 32 or 64 bits, that hold every sum of a member into ``lanes`` (members,)."""
    for member in range(len(vectors)):
        reach = 0
        for k in range(len(layers)):
            for j in range(layers[k].neurons):
                low, high = sum_range(vectors[member], layers, inputs, k, j)
                reach = max(reach, high, -low - 1)
        lanes[member] = 16 if reach < 1 << 15 else 32 if reach < 1 << 31 else 64


@inner
def terms_of(vector: Ints, layers: Layers, k: int, j: int, source: Ints, mask: Lanes, factor: Lanes) -> int:
    """Write the neuron's terms into the three arrays and return how many they are."""
    layer = layers[k]
    count = 0
    at = j * layer.sources * layer.slots
    for i in range(layer.sources):
        for _ in range(layer.slots):
            code, seen = vector[layer.weight + at], vector[layer.mask + at]
            at += 1
            if code == 0 or seen == 0:
                continue
            source[count], mask[count] = i, seen
            factor[count] = 1 << (code - 1) if code > 0 else -(1 << (-code - 1))
            count += 1
    return count


@inner
def fill(out: Lanes, value: Any) -> None:
    """Set all of ``out`` to ``value`` (a slice assignment takes ten times as long here)."""
    for r in range(out.size):
        out[r] = value


@inner
def add_terms(out: Lanes, count: int, source: Ints, mask: Lanes, factor: Lanes, planes: Lanes, a: int, b: int) -> None:
    """Add ``count`` terms over rows ``a`` to ``b - 1`` of ``planes`` to ``out``."""
    k = 0
    while k + 4 <= count:
        x0, x1 = planes[source[k], a:b], planes[source[k + 1], a:b]
        x2, x3 = planes[source[k + 2], a:b], planes[source[k + 3], a:b]
        m0, m1, m2, m3 = mask[k], mask[k + 1], mask[k + 2], mask[k + 3]
        f0, f1, f2, f3 = factor[k], factor[k + 1], factor[k + 2], factor[k + 3]
        for r in range(out.size):
            out[r] += (x0[r] & m0) * f0 + (x1[r] & m1) * f1 + (x2[r] & m2) * f2 + (x3[r] & m3) * f3
        k += 4
    while k < count:
        x0, m0, f0 = planes[source[k], a:b], mask[k], factor[k]
        for r in range(out.size):
            out[r] += (x0[r] & m0) * f0
        k += 1


@inner
def clip(out: Lanes, sums: Lanes, shift: Any, top: Any) -> None:
    """Write ``clip(sums, 0, top) >> shift`` into ``out``."""
    zero, lane = out.dtype.type(0), np.iinfo(out.dtype).bits - 1
    for r in range(out.size):
        v = sums[r]
        v = v if v > zero else zero
        v = v if v < top else top
        out[r] = v >> (shift & lane)  # the mask tells the compiler that the shift stays within a lane


@inner
def activate(out: Lanes, sums: Lanes, vector: Ints, layers: Layers, k: int, j: int) -> None:
    """Write the activation of ``sums`` into ``out``."""
    layer = layers[k]
    lane, largest = np.iinfo(out.dtype).bits - 1, np.iinfo(out.dtype).max
    if vector[layer.kind + j] == QRELU:
        shift, bits = vector[layer.shift + j], vector[layer.bits + j]
        if shift >= lane:
            fill(out, out.dtype.type(0))
        else:
            top = largest if bits + shift >= lane else (1 << (bits + shift)) - 1
            clip(out, sums, out.dtype.type(shift), out.dtype.type(top))
        return
    fill(out, out.dtype.type(0))
    for i in range(layer.step_count):
        step = vector[layer.steps + j * layer.step_count + i]
        if step > largest or step == NEVER:
            continue
        at = out.dtype.type(max(step, -largest - 1))
        for r in range(out.size):
            out[r] += sums[r] >= at


@inner
def recode(out: Lanes, codes: Lanes, levels: int, bits: int) -> None:
    """Write input codes as the kept ``levels`` of a converter give them into ``out``."""
    if bits > FLASH_BITS:
        kept = out.dtype.type(((1 << bits) - 1) & ~((1 << (bits - levels)) - 1))
        for r in range(out.size):
            out[r] = codes[r] & kept
        return
    fill(out, out.dtype.type(0))
    for q in range(1, 1 << bits):
        if levels >> (q - 1) & 1:
            level = out.dtype.type(q)
            for r in range(out.size):
                out[r] = level if codes[r] >= level else out[r]


@inner
def recoded_inputs(vector: Ints, head: Ints, inputs: Ints) -> bool:
    """Return whether any input has pruned levels."""
    for i in range(len(inputs)):
        bits = inputs[i]
        if vector[head[3] + i] != ((1 << ((1 << bits) - 1)) - 1 if bits <= FLASH_BITS else bits):
            return True
    return False


@inner
def wrong_argmax(scores: Lanes, classes: int, rows: int, label: int) -> int:
    """Count the first ``rows`` rows whose first largest score (classes or more, rows or more) is not ``label``'s."""
    right = scores[label, :rows]
    wrong = np.zeros(rows, right.dtype)
    one, zero = right.dtype.type(1), right.dtype.type(0)
    for k in range(classes):
        other = scores[k, :rows]
        if k < label:
            for r in range(rows):
                wrong[r] |= one if other[r] >= right[r] else zero
        elif k > label:
            for r in range(rows):
                wrong[r] |= one if other[r] > right[r] else zero
    count = 0
    for r in range(rows):
        count += wrong[r]
    return count


@inner
def wrong_tournament(scores: Lanes, classes: int, rows: int, label: int, vector: Ints, head: Ints) -> int:
    """Count the same where comparisons see bit ranges: play the knock-out; overwrites ``scores``."""
    winner = np.empty((classes, rows), np.int16)
    for k in range(classes):
        winner[k] = k
    lane = np.iinfo(scores.dtype).bits - 1
    count, played = classes, 0
    while count > 1:
        pairs = count // 2
        for pair in range(pairs):
            low, high = vector[head[1] + played], vector[head[2] + played]
            if high:
                high = max(high, low + 1)
            played += 1
            up = lane + 1 - high if 0 < high <= lane else 0
            down = min(up + low, lane)
            left, right, to = scores[2 * pair, :rows], scores[2 * pair + 1, :rows], scores[pair, :rows]
            left_name, right_name, name = winner[2 * pair], winner[2 * pair + 1], winner[pair]
            for r in range(rows):
                a, b = left[r], right[r]
                seen_a = scores.dtype.type(a << (up & lane)) >> (down & lane)
                seen_b = scores.dtype.type(b << (up & lane)) >> (down & lane)
                swap = seen_b > seen_a
                to[r] = b if swap else a
                name[r] = right_name[r] if swap else left_name[r]
        if count % 2:
            scores[pairs, :rows] = scores[count - 1, :rows]
            winner[pairs] = winner[count - 1]
        count = pairs + count % 2
    return int(np.count_nonzero(winner[0] != label))


@inner
def has_ranges(vector: Ints, head: Ints) -> bool:
    """Return whether any comparison of the head sees less than everything."""
    return bool(np.any(vector[head[1] : head[3]]))


@inner
def wrong_rows(scores: Lanes, classes: int, rows: int, label: int, vector: Ints, head: Ints) -> int:
    """Count the rows, all of class ``label``, that the head decides otherwise from scores (classes, rows or more)."""
    if head[0] == ARGMAX:
        if has_ranges(vector, head):
            return wrong_tournament(scores, classes, rows, label, vector, head)
        return wrong_argmax(scores, classes, rows, label)
    largest = np.iinfo(scores.dtype).max
    if head[4] > largest:
        return rows if label == 1 else 0
    at = scores.dtype.type(max(head[4], -largest - 1))
    above = 0
    for r in range(rows):
        above += scores[0, r] >= at
    return rows - above if label == 1 else above


@compiled
def count_wrong(
    vectors: Ints, layers: Layers, head: Ints, inputs: Ints, segments: Ints, codes: Lanes, lanes: Ints, wrong: Ints
) -> None:
    """Add each member's wrongly classified rows to ``wrong`` (members,), for members whose lanes are ``codes``'s.

    ``segments`` is int64 (segments, 3): first row, row after the last, label.  ``codes`` is (inputs, rows) in lane
    type; ``lanes`` (members,) is from :func:`find_lanes`.
    """
    last = len(layers) - 1
    total = layers[last].first + layers[last].neurons
    widest, room = len(inputs), 0
    for k in range(last + 1):
        widest = max(widest, layers[k].neurons)
        room = max(room, layers[k].sources * layers[k].slots)
    source = np.empty((total, room), np.int64)
    mask, factor = np.empty((total, room), codes.dtype), np.empty((total, room), codes.dtype)
    counts = np.empty(total, np.int64)
    planes = np.empty((2, widest, BLOCK), codes.dtype)
    sums = np.empty(BLOCK, codes.dtype)
    for member in range(len(vectors)):
        if lanes[member] != np.iinfo(codes.dtype).bits:
            continue
        vector = vectors[member]
        for k in range(last + 1):
            for j in range(layers[k].neurons):
                n = layers[k].first + j
                counts[n] = terms_of(vector, layers, k, j, source[n], mask[n], factor[n])
        pruned = recoded_inputs(vector, head, inputs)
        for s in range(len(segments)):
            for a in range(segments[s, 0], segments[s, 1], BLOCK):
                b = min(a + BLOCK, segments[s, 1])
                rows = b - a
                if pruned:
                    for i in range(len(inputs)):
                        recode(planes[1, i, :rows], codes[i, a:b], vector[head[3] + i], inputs[i])
                for k in range(last + 1):
                    out, before, start = planes[k % 2], planes[1 - k % 2], 0
                    if k == 0 and not pruned:
                        before, start = codes, a
                    for j in range(layers[k].neurons):
                        n = layers[k].first + j
                        here = sums[:rows] if k < last else out[j, :rows]
                        fill(here, codes.dtype.type(vector[layers[k].bias + j]))
                        add_terms(here, counts[n], source[n], mask[n], factor[n], before, start, start + rows)
                        if k < last:
                            activate(out[j, :rows], here, vector, layers, k, j)
                wrong[member] += wrong_rows(planes[last % 2], layers[last].neurons, rows, segments[s, 2], vector, head)
