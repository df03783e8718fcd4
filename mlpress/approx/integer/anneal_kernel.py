"""Simulated annealing of one net: small changes, judged on all rows, with only what changed computed anew.

A chain minimises ``wrong rows + price * cost`` by Metropolis' rule (S. Kirkpatrick et al., "Optimization by
simulated annealing", Science 220, 1983).  The random number of the rule is drawn first, so it is known how many wrong
rows a proposal may have; a first block of rows, an eighth of each class, turns most bad ones away.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mlpress.approx.common.kinds import Ints, Lanes, Layers, Reals
from mlpress.approx.integer.genome_layout import ARGMAX
from mlpress.approx.integer.kernels import (
    activate,
    add_terms,
    fill,
    has_ranges,
    recode,
    sum_range,
    terms_of,
    wrong_tournament,
)
from mlpress.approx.integer.moves import MORE_MOVES, Genes, edit, mark_touched, new_log, propose, undo
from mlpress.approx.integer.net_cost import Pricing, cost_scratch, net_cost
from mlpress.jit import compiled, inner

SOURCE_BITS = 24
"""Bits of a source whose means are kept: the widest activation."""


@inner
def wrong_block(
    planes: Lanes, index: Ints, a: int, b: int, label: int, vector: Ints, head: Ints, scratch: Lanes
) -> int:
    """Count the rows from ``a`` to ``b - 1``, all of class ``label``, that the head decides otherwise.

    The score of class ``k`` is the plane ``index[k]``.
    """
    classes, rows, count = len(index), b - a, 0
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
    """Write each plane bit's share of ones in the first ``early`` blocks into ``out`` (:data:`SOURCE_BITS`,)."""
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
    """Return the mean of a neuron's terms, from how often each bit of its sources is set."""
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


class Schedule(NamedTuple):
    """A chain's ``steps`` proposals, the ``price`` of cost in rows, and the first and last temperature in rows."""

    steps: int
    price: float
    hot: float
    cold: float


class Bins(NamedTuple):
    """The cheapest net visited at each of ``B`` error levels, ``width`` rows apart.

    ``cost`` is float64 (B,), infinite where there is none; ``wrong`` int64 (B,) rows; ``vectors`` int64 (B, size).
    """

    width: int
    cost: Reals
    wrong: Ints
    vectors: Ints


class State(NamedTuple):
    """A chain's net at work: arrays only.  A node is an input or, after the inputs, a neuron.

    Terms of each neuron: ``counts`` (neurons,); ``source`` (a node), ``mask`` and ``factor`` (neurons, terms).  Values
    of node ``i`` on all rows: ``planes[2 * i + side[i]]``; a proposal's are on the other side.  ``touched``
    nodes have changed genes, ``dirty`` ones other values; ``read`` ones have readers, and ``stale`` ones, without
    readers, were not kept up to date.  ``means`` (nodes, :data:`SOURCE_BITS`): how often each bit is set;
    ``sum_means`` (neurons,): each neuron's mean sum without bias.  ``right`` to ``news`` are scratch and the
    wrong rows of each block, kept and proposed.
    """

    counts: Ints
    source: Ints
    mask: Lanes
    factor: Lanes
    planes: Lanes
    side: Ints
    touched: Ints
    dirty: Ints
    read: Ints
    stale: Ints
    means: Reals
    sum_means: Reals
    at: Ints
    score_at: Ints
    sums: Lanes
    scores: Lanes
    wrong: Ints
    news: Ints


@inner
def new_state(layers: Layers, inputs: Ints, codes: Lanes, blocks: Ints) -> State:
    """Return room for a chain whose every node is still to be computed."""
    last = layers[len(layers) - 1]
    neurons, room = last.first + last.neurons, 0
    for k in range(len(layers)):
        room = max(room, layers[k].sources * layers[k].slots)
    nodes, rows = len(inputs) + neurons, codes.shape[1]
    return State(
        np.zeros(neurons, np.int64),
        np.zeros((neurons, room), np.int64),
        np.zeros((neurons, room), codes.dtype),
        np.zeros((neurons, room), codes.dtype),
        np.zeros((2 * nodes, rows), codes.dtype),
        np.zeros(nodes, np.int64),
        np.ones(nodes, np.bool_),
        np.ones(nodes, np.bool_),
        np.ones(nodes, np.bool_),
        np.zeros(nodes, np.bool_),
        np.zeros((nodes, SOURCE_BITS)),
        np.zeros(neurons),
        np.zeros(room, np.int64),
        np.zeros(last.neurons, np.int64),
        np.zeros(rows, codes.dtype),
        np.zeros((last.neurons, rows), codes.dtype),
        np.zeros(len(blocks), np.int64),
        np.zeros(len(blocks), np.int64),
    )


@inner
def relink(vector: Ints, layers: Layers, inputs: Ints, state: State) -> None:
    """Read the terms of touched neurons again."""
    for k in range(len(layers)):
        before = 0 if k == 0 else len(inputs) + layers[k - 1].first
        for j in range(layers[k].neurons):
            n = layers[k].first + j
            if state.touched[len(inputs) + n]:
                count = terms_of(vector, layers, k, j, state.source[n], state.mask[n], state.factor[n])
                state.counts[n] = count
                for i in range(count):
                    state.source[n, i] += before


@inner
def compensate(vector: Ints, layers: Layers, inputs: Ints, state: State, log: Ints, genes: Genes) -> None:
    """Add to the biases of half the touched neurons what their terms lost on average."""
    for k in range(len(layers)):
        for j in range(layers[k].neurons):
            n = layers[k].first + j
            if not state.touched[len(inputs) + n] or np.random.random() < 0.5:
                continue
            mean = mean_sum(state.counts[n], state.source[n], state.mask[n], state.factor[n], state.means)
            position = layers[k].bias + j
            edit(vector, log, genes, position, vector[position] + round(state.sum_means[n] - mean))


@inner
def spread_change(vector: Ints, layers: Layers, inputs: Ints, state: State) -> bool:
    """Mark what is read and what changes; return whether every changed sum fits the lanes."""
    n0, last = len(inputs), layers[len(layers) - 1]
    state.read[:] = False
    for n in range(len(state.counts)):
        for i in range(state.counts[n]):
            state.read[state.source[n, i]] = True
    state.read[n0 + last.first :] = True
    state.dirty[:n0] = state.touched[:n0]
    limit = 1 << (np.iinfo(state.planes.dtype).bits - 1)
    fitting = True
    for k in range(len(layers)):
        for j in range(layers[k].neurons):
            n = layers[k].first + j
            hit = state.touched[n0 + n] or (state.stale[n0 + n] and state.read[n0 + n])
            for i in range(state.counts[n]):
                hit |= state.dirty[state.source[n, i]]
            state.dirty[n0 + n] = hit
            if hit:
                low, high = sum_range(vector, layers, inputs, k, j)
                fitting &= -limit <= low and high < limit
    return fitting


@inner
def compute(vector: Ints, layers: Layers, head: Ints, inputs: Ints, codes: Lanes, state: State, a: int, b: int) -> None:
    """Compute the proposal's values of dirty nodes that are read, on rows ``a`` to ``b - 1``."""
    n0, planes, side, dirty = len(inputs), state.planes, state.side, state.dirty
    for i in range(n0):
        if dirty[i]:
            recode(planes[2 * i + 1 - side[i], a:b], codes[i, a:b], vector[head[3] + i], inputs[i])
    for k in range(len(layers)):
        for j in range(layers[k].neurons):
            n = layers[k].first + j
            node = n0 + n
            if not dirty[node] or not state.read[node]:
                continue
            for i in range(state.counts[n]):
                other = state.source[n, i]
                state.at[i] = 2 * other + (side[other] ^ dirty[other])
            out = planes[2 * node + 1 - side[node], a:b]
            here = out if k == len(layers) - 1 else state.sums[: b - a]
            fill(here, planes.dtype.type(vector[layers[k].bias + j]))
            add_terms(here, state.counts[n], state.at, state.mask[n], state.factor[n], planes, a, b)
            if k < len(layers) - 1:
                activate(out, here, vector, layers, k, j)


@inner
def judge(
    vector: Ints,
    layers: Layers,
    head: Ints,
    inputs: Ints,
    codes: Lanes,
    rows: tuple[Ints, int],
    state: State,
    most: float,
    allowed: float,
) -> int:
    """Count the wrong rows of the proposal; return -1 where they are more than ``most`` or look like it.

    ``rows`` is the blocks and how many are early.  After these the proposal is dropped where it has more wrong rows
    than their share of ``allowed`` more, by two standard deviations of as many coin flips.
    """
    blocks, early = rows
    first = len(inputs) + layers[len(layers) - 1].first
    for j in range(len(state.score_at)):
        state.score_at[j] = 2 * (first + j) + (state.side[first + j] ^ state.dirty[first + j])
    total = worse = 0
    for s in range(len(blocks)):
        if s == early and worse > allowed + 2.0 * np.sqrt(abs(worse) + 1.0):
            return -1
        a, b, label = blocks[s, 0], blocks[s, 1], blocks[s, 2]
        compute(vector, layers, head, inputs, codes, state, a, b)
        state.news[s] = wrong_block(state.planes, state.score_at, a, b, label, vector, head, state.scores)
        total += state.news[s]
        worse += state.news[s] - state.wrong[s]
        if total > most:
            return -1
    return total


@inner
def keep(inputs: Ints, rows: tuple[Ints, int], state: State) -> None:
    """Make the proposal the chain's net."""
    n0, (blocks, early) = len(inputs), rows
    state.wrong[:] = state.news
    for node in range(len(state.side)):
        if not state.dirty[node]:
            continue
        state.stale[node] = not state.read[node]
        if state.read[node] or node < n0:
            state.side[node] = 1 - state.side[node]
            bit_means(state.planes[2 * node + state.side[node]], blocks, early, state.means[node])
    for n in range(len(state.counts)):
        if state.dirty[n0 + n]:
            state.sum_means[n] = mean_sum(state.counts[n], state.source[n], state.mask[n], state.factor[n], state.means)


@inner
def remember(vector: Ints, wrong: int, cost: float, bins: Bins) -> None:
    """Keep a net that is the cheapest of its error level."""
    level = min(wrong // bins.width, len(bins.cost) - 1)
    if cost < bins.cost[level] or (cost == bins.cost[level] and wrong < bins.wrong[level]):
        bins.cost[level], bins.wrong[level] = cost, wrong
        bins.vectors[level] = vector


@compiled
def anneal(
    vector: Ints,
    layers: Layers,
    head: Ints,
    inputs: Ints,
    genes: Genes,
    rows: tuple[Ints, int],
    codes: Lanes,
    pricing: Pricing,
    schedule: Schedule,
    seed: int,
    bins: Bins,
) -> None:
    """Anneal ``vector`` in place.

    ``genes`` is from ``annealer.gene_tables``; ``rows`` is blocks of one label, int64 (blocks, 3), and how many of them
    are judged early; ``codes`` (inputs, rows) in lane type; ``pricing`` of the net's parts; ``bins`` are filled.
    """
    steps, price, hot, cold = schedule
    blocks, early = rows
    np.random.seed(seed)
    state, scratch, log = new_state(layers, inputs, codes, blocks), cost_scratch(layers, inputs), new_log()
    every = codes.shape[1]
    share = (blocks[:early, 1] - blocks[:early, 0]).sum() / every
    relink(vector, layers, inputs, state)
    spread_change(vector, layers, inputs, state)
    cost = net_cost(vector, layers, head, inputs, pricing, scratch)
    wrong = judge(vector, layers, head, inputs, codes, rows, state, np.inf, np.inf)
    keep(inputs, rows, state)
    remember(vector, wrong, cost, bins)
    for step in range(steps):
        temperature = hot * (cold / hot) ** (step / steps)
        propose(vector, log, genes, layers)
        while np.random.random() < MORE_MOVES:
            propose(vector, log, genes, layers)
        if not log[0, 0]:
            continue
        reads_head = mark_touched(log, genes, state.touched)
        relink(vector, layers, inputs, state)
        compensate(vector, layers, inputs, state, log, genes)
        fitting = spread_change(vector, layers, inputs, state)
        new_cost = net_cost(vector, layers, head, inputs, pricing, scratch)
        allowed = price * (cost - new_cost) - temperature * np.log(1.0 - np.random.random())
        new = -1
        if fitting and wrong + allowed >= 0:
            if reads_head or state.dirty[len(state.dirty) - layers[len(layers) - 1].neurons :].any():
                new = judge(vector, layers, head, inputs, codes, rows, state, wrong + allowed, allowed * share)
            elif allowed >= 0:
                new = wrong
                state.news[:] = state.wrong
                compute(vector, layers, head, inputs, codes, state, 0, every)  # nodes that the scores do not depend on
        if new < 0:
            undo(vector, log)
            relink(vector, layers, inputs, state)
            continue
        log[0, 0] = 0
        wrong, cost = new, new_cost
        keep(inputs, rows, state)
        remember(vector, wrong, cost, bins)
