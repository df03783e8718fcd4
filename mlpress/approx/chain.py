"""Simulated annealing of one net: small changes, judged on all rows, with only what changed computed anew.

A chain minimises ``wrong rows + price * area`` by Metropolis' rule (S. Kirkpatrick et al., "Optimization by
simulated annealing", Science 220, 1983).  The random number of the rule is drawn first, so it is known how many wrong
rows a proposal may have; a first block of rows, an eighth of each class, turns most bad ones away.
"""

from __future__ import annotations

import numpy as np

from mlpress.approx.heap import COMPARATOR
from mlpress.approx.jit import Ints, Lanes, Layers, Reals, inner
from mlpress.approx.kernels import activate, add_terms, fill, has_ranges, recode, sum_range, terms_of, wrong_tournament
from mlpress.approx.layout import ARGMAX
from mlpress.approx.moves import EDITS, Genes, edit, propose, undo
from mlpress.approx.net_cost import cost_scratch, net_parts
from mlpress.sim import compiled

BINS = 64
"""Error levels at which a chain remembers its smallest net."""

SOURCE_BITS = 24


@inner
def wrong_block(
    planes: Lanes, index: Ints, classes: int, a: int, b: int, label: int, vector: Ints, head: Ints, scratch: Lanes
) -> int:
    """Rows ``a`` to ``b - 1``, all of class ``label``, that the head decides otherwise.

    The score of class ``k`` is the plane ``index[k]``.
    """
    rows = b - a
    count = 0
    if head[0] != ARGMAX:
        largest = np.iinfo(planes.dtype).max
        if head[4] > largest:
            return rows if label == 1 else 0
        at = planes.dtype.type(max(head[4], -largest - 1))
        score = planes[index[0], a:b]
        for r in range(rows):
            count += score[r] >= at
        return rows - count if label == 1 else count
    if has_ranges(vector, head):
        for k in range(classes):
            scratch[k, :rows] = planes[index[k], a:b]
        return wrong_tournament(scratch, classes, rows, label, vector, head)
    right, wrong = planes[index[label], a:b], scratch[0, :rows]
    one, zero = planes.dtype.type(1), planes.dtype.type(0)
    fill(wrong, zero)
    for k in range(classes):
        other = planes[index[k], a:b]
        if k < label:
            for r in range(rows):
                wrong[r] |= one if other[r] >= right[r] else zero
        elif k > label:
            for r in range(rows):
                wrong[r] |= one if other[r] > right[r] else zero
    for r in range(rows):
        count += wrong[r]
    return count


@inner
def bit_means(plane: Lanes, blocks: Ints, early: int, out: Reals) -> None:
    """How often each bit of a plane is set in the first ``early`` blocks, into ``out`` (:data:`SOURCE_BITS`,)."""
    rows = 0
    out[:] = 0.0
    for s in range(early):
        part = plane[blocks[s, 0] : blocks[s, 1]]
        rows += part.size
        every = plane.dtype.type(0)
        for r in range(part.size):
            every |= part[r]
        for b in range(min(SOURCE_BITS, np.iinfo(plane.dtype).bits - 1)):
            bit = plane.dtype.type(1 << b)
            if not every & bit:
                continue
            count = 0
            for r in range(part.size):
                count += part[r] & bit != 0
            out[b] += count
    for b in range(SOURCE_BITS):
        out[b] /= rows


@inner
def mean_sum(count: int, source: Ints, mask: Lanes, factor: Lanes, means: Reals) -> float:
    """The mean of a neuron's terms, from how often each bit of its sources is set."""
    total = 0.0
    for i in range(count):
        seen, bit, part = np.int64(mask[i]), 0, 0.0
        while seen and bit < SOURCE_BITS:
            if seen & 1:
                part += means[source[i], bit] * (1 << bit)
            seen >>= 1
            bit += 1
        total += part * factor[i]
    return total


@inner
def fits(vector: Ints, layers: Layers, inputs: Ints, k: int, j: int, bits: int) -> bool:
    """Whether a neuron's sum stays within lanes of ``bits`` bits."""
    low, high = sum_range(vector, layers, inputs, k, j)
    limit = 1 << (bits - 1)
    return -limit <= low and high < limit


@compiled
def anneal(
    vector: Ints,
    layers: Layers,
    head: Ints,
    inputs: Ints,
    genes: Genes,
    blocks: Ints,
    early: int,
    codes: Lanes,
    prices: Reals,
    schedule: tuple[int, float, float, float],
    seed: int,
    bin_width: int,
    bins: tuple[Reals, Ints, Ints],
) -> tuple[int, float]:
    """Anneal ``vector`` in place and return its wrong rows and area.

    ``genes`` is what :func:`mlpress.approx.chains.gene_tables` makes; ``blocks`` int64 (blocks, 3) are rows of one
    label, the first ``early`` of them the first to be judged; ``codes`` (inputs, rows) in lane type; ``prices``
    float64, the area of each of :data:`mlpress.approx.heap.PARTS`; ``schedule`` is (steps, price of area in rows,
    first and last temperature in rows).  ``bins`` is (area, wrong, vectors) of the smallest net met at each error
    level, ``bin_width`` rows apart.
    """
    low, high, free, place, order, starts, owner = genes
    steps, price, hot, cold = schedule
    bin_area, bin_wrong, bin_vector = bins
    np.random.seed(seed)
    last, n0 = len(layers) - 1, len(inputs)
    total = layers[last].first + layers[last].neurons
    nodes, rows, classes = n0 + total, codes.shape[1], layers[last].neurons
    lane = np.iinfo(codes.dtype).bits
    room, widest = 0, n0
    for k in range(last + 1):
        room = max(room, layers[k].sources * layers[k].slots)
        widest = max(widest, layers[k].neurons)
    source, mask, factor = (
        np.zeros((total, room), np.int64),
        np.zeros((total, room), codes.dtype),
        np.zeros((total, room), codes.dtype),
    )
    counts, at_rows, score_rows = np.zeros(total, np.int64), np.zeros(room, np.int64), np.zeros(classes, np.int64)
    planes = np.zeros((2 * nodes, rows), codes.dtype)
    side, dirty, touched = np.zeros(nodes, np.int64), np.zeros(nodes, np.bool_), np.zeros(nodes, np.bool_)
    read, stale = np.zeros(nodes, np.bool_), np.zeros(nodes, np.bool_)
    means, bias_mean = np.zeros((nodes, SOURCE_BITS)), np.zeros(total)
    sums, scratch = np.zeros(rows, codes.dtype), np.zeros((classes, rows), codes.dtype)
    block_wrong, new_wrong = np.zeros(len(blocks), np.int64), np.zeros(len(blocks), np.int64)
    log = np.zeros((EDITS, 2), np.int64)
    scratch_cost = cost_scratch(layers, inputs)
    parts = np.zeros(len(prices), np.int64)
    early_rows = 0
    for s in range(early):
        early_rows += blocks[s, 1] - blocks[s, 0]
    share = early_rows / rows
    wrong, area, adc = 0, 0.0, prices[COMPARATOR] > 0.0
    touched[:] = True
    for step in range(-1, steps):
        first = step < 0
        if not first:
            temperature = hot * (cold / hot) ** (step / steps)
            propose(vector, log, low, high, free, place, order, starts, layers)
            while np.random.random() < 0.3:
                propose(vector, log, low, high, free, place, order, starts, layers)
            if log[0, 0] == 0:
                continue
            touched[:] = False
            for i in range(1, log[0, 0] + 1):
                if owner[log[i, 0]] >= 0:
                    touched[owner[log[i, 0]]] = True
        # The terms that change, and what hangs on them.
        fitting = True
        for k in range(last + 1):
            for j in range(layers[k].neurons):
                n = layers[k].first + j
                if not touched[n0 + n]:
                    continue
                counts[n] = terms_of(vector, layers, k, j, source[n], mask[n], factor[n])
                before = 0 if k == 0 else n0 + layers[k - 1].first
                for i in range(counts[n]):
                    source[n, i] += before
                if first:
                    continue
                if np.random.random() < 0.5:
                    shift = round(bias_mean[n] - mean_sum(counts[n], source[n], mask[n], factor[n], means))
                    if shift != 0:
                        position = layers[k].bias + j
                        edit(vector, log, low, high, free, position, vector[position] + shift)
                fitting &= fits(vector, layers, inputs, k, j, lane)
        read[:] = False
        for n in range(total):
            for i in range(counts[n]):
                read[source[n, i]] = True
        for n in range(layers[last].first, total):
            read[n0 + n] = True
        for node in range(n0):
            dirty[node] = touched[node]
        for k in range(last + 1):
            for j in range(layers[k].neurons):
                n = layers[k].first + j
                hit = touched[n0 + n] or (stale[n0 + n] and read[n0 + n])
                for i in range(counts[n]):
                    hit |= dirty[source[n, i]]
                dirty[n0 + n] = hit
                if hit and not touched[n0 + n]:
                    fitting &= fits(vector, layers, inputs, k, j, lane)
        parts[:] = 0
        net_parts(vector, layers, head, inputs, adc, scratch_cost, parts)
        new_area = 0.0
        for i in range(len(prices)):
            new_area += parts[i] * prices[i]
        most = float(rows)
        if not first:
            most = wrong + price * (area - new_area) - temperature * np.log(1.0 - np.random.random())
        accepted = fitting and most >= 0
        # The rows, block by block.
        new_total, old_part = 0, 0
        if accepted:
            for s in range(len(blocks)):
                if s == early and not first:
                    worse = new_total - old_part
                    if worse > (most - wrong) * share + 2.0 * np.sqrt(abs(worse) + 1.0):
                        accepted = False
                        break
                a, b = blocks[s, 0], blocks[s, 1]
                for node in range(n0):
                    if dirty[node]:
                        recode(
                            planes[2 * node + 1 - side[node], a:b],
                            codes[node, a:b],
                            vector[head[3] + node],
                            inputs[node],
                        )
                for k in range(last + 1):
                    for j in range(layers[k].neurons):
                        n = layers[k].first + j
                        node = n0 + n
                        if not dirty[node] or not read[node]:
                            continue
                        for i in range(counts[n]):
                            other = source[n, i]
                            at_rows[i] = 2 * other + (side[other] ^ dirty[other])
                        out = planes[2 * node + 1 - side[node], a:b]
                        here = out if k == last else sums[: b - a]
                        fill(here, codes.dtype.type(vector[layers[k].bias + j]))
                        add_terms(here, counts[n], at_rows, mask[n], factor[n], planes, a, b)
                        if k < last:
                            activate(out, here, vector, layers, k, j)
                for j in range(classes):
                    node = n0 + layers[last].first + j
                    score_rows[j] = 2 * node + (side[node] ^ dirty[node])
                new_wrong[s] = wrong_block(planes, score_rows, classes, a, b, blocks[s, 2], vector, head, scratch)
                new_total += new_wrong[s]
                old_part += block_wrong[s]
                if new_total > most:
                    accepted = False
                    break
        if not accepted:
            undo(vector, log)
            for k in range(last + 1):
                for j in range(layers[k].neurons):
                    n = layers[k].first + j
                    if touched[n0 + n]:
                        counts[n] = terms_of(vector, layers, k, j, source[n], mask[n], factor[n])
                        before = 0 if k == 0 else n0 + layers[k - 1].first
                        for i in range(counts[n]):
                            source[n, i] += before
            continue
        log[0, 0] = 0
        wrong, area = new_total, new_area
        block_wrong[:] = new_wrong
        for node in range(nodes):
            if dirty[node]:
                stale[node] = not read[node]
                if read[node] or node < n0:
                    side[node] = 1 - side[node]
                    bit_means(planes[2 * node + side[node]], blocks, early, means[node])
        for n in range(total):
            if dirty[n0 + n]:
                bias_mean[n] = mean_sum(counts[n], source[n], mask[n], factor[n], means)
        level = min(wrong // bin_width, len(bin_area) - 1)
        if new_area < bin_area[level] or (new_area == bin_area[level] and wrong < bin_wrong[level]):
            bin_area[level], bin_wrong[level] = new_area, wrong
            bin_vector[level] = vector
    return wrong, area
