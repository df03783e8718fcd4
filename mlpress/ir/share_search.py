"""The compiled search behind :mod:`mlpress.ir.share`: ruin and recreate, with an annealing test.

A state is a digit form for every weight, the common weight that is taken off each source, and a list of shared
pairs.  A step redraws a few forms, drops a few pairs, replays the pairs that are left and goes on greedily (ruin and
recreate: Schrimpf et al., Journal of Computational Physics 159, 2000); it is kept by the test of simulated annealing.

Costs are tenths of a two-input NAND gate.  Everything is integer arrays, so that the machine code is small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.ir.nands import FULL
from mlpress.ir.share_cost import Array, add_pair, rows_cost
from mlpress.jit import compiled, inner

HEAT = 200.0
"""The annealing test's first temperature, in tenths of a NAND gate."""

SEED = 1
WORDS = 512
"""Sources and shared pairs that one search may have."""

Ints = NDArray[np.int64]


class Problem(NamedTuple):
    """What is searched, int64; :func:`best_sharing` has the shapes."""

    weights: Ints
    choices: Ints
    values: Ints
    forms: Ints
    digits: Ints
    constants: Ints
    unread: Ints


class Best(NamedTuple):
    """The best state so far, int64: ``sizes`` (2,) are the numbers of terms and of words; see :class:`Sharing`."""

    terms: Ints
    words: Ints
    pairs: Ints
    common: Ints
    sizes: Ints


class Room(NamedTuple):
    """Where a search works, int64.

    ``terms`` and ``spare`` (terms, 4), ``words`` (words, 3), ``pairs`` and the ``kept`` ones of the accepted state
    (words, 5); the hash ``table`` (slots, 2) of pairs and its ``keys`` (slots,); the form of each weight in the
    accepted ``state`` and the ``tried`` one (rows, sources); the common weights of both, ``common`` and ``moved``
    (sources,); the ``ends`` (rows, 2) of each sum; one ``pair`` (5,) and its adder ``found`` (5,); the number
    of a heap's bits in each of its ``columns``; the new ``place`` (words,) of each word, and the ``random`` state (1,).
    """

    terms: Ints
    spare: Ints
    words: Ints
    pairs: Ints
    kept: Ints
    table: Ints
    keys: Ints
    state: Ints
    tried: Ints
    common: Ints
    moved: Ints
    ends: Ints
    pair: Ints
    found: Ints
    columns: Ints
    place: Ints
    random: Ints
    best: Best


@inner
def draw(state: Array, below: int) -> int:
    """Draw a number in 0 .. below - 1 (xorshift64; Marsaglia, Journal of Statistical Software 8(14), 2003)."""
    x = state[0]
    x ^= x << 13
    x ^= (x >> 7) & 0x1FFFFFFFFFFFFFF
    x ^= x << 17
    state[0] = x
    drawn: int = (x & 0x7FFFFFFFFFFFFFFF) % below
    return drawn


@inner
def use_pair(terms: Array, size: int, pair: Array, index: int) -> int:
    """Replace ``pair`` by word ``index`` wherever it stands in ``terms`` (terms, 4: row, word, shift, sign).

    Returns the new number of terms; rows stand together and keep their order.
    """
    first, second, apart = pair[0], pair[1], pair[3] - pair[2]
    start = 0
    while start < size:
        stop = start
        while stop < size and terms[stop, 0] == terms[start, 0]:
            stop += 1
        for a in range(start, stop):
            if terms[a, 1] != first:
                continue
            for b in range(start, stop):
                if (
                    b != a
                    and terms[b, 1] == second
                    and terms[b, 2] - terms[a, 2] == apart
                    and terms[a, 3] * terms[b, 3] == pair[4]
                ):
                    terms[a, 1] = index
                    terms[a, 2] -= pair[2]
                    terms[b, 1] = -1
                    break
        start = stop
    kept = 0
    for t in range(size):
        if terms[t, 1] >= 0:
            for k in range(4):
                terms[kept, k] = terms[t, k]
            kept += 1
    return kept


@inner
def count_pairs(terms: Array, size: int, words: Array, table: Array, keys: Array) -> int:
    """Count every pair of overlapping terms of a row; return how many different pairs ``keys`` lists.

    ``table`` (slots, 2) is a hash table of key and count, empty at 0; the slots in use stand in ``keys``.
    """
    found = 0
    slots = len(table) - 1
    for a in range(size):
        columns = words[terms[a, 1], 0] << terms[a, 2]
        b = a + 1
        while b < size and terms[b, 0] == terms[a, 0]:
            if columns & (words[terms[b, 1], 0] << terms[b, 2]):
                i, j = (a, b) if (terms[a, 1], terms[a, 2]) <= (terms[b, 1], terms[b, 2]) else (b, a)
                key = ((terms[i, 1] * WORDS + terms[j, 1]) * 128 + terms[j, 2] - terms[i, 2] + 64) * 2
                key += (terms[i, 3] == terms[j, 3]) + 1
                slot = (key * 0x9E3779B1 >> 15) & slots
                while table[slot, 0] != key and table[slot, 0] != 0:
                    slot = (slot + 1) & slots
                if table[slot, 0] == 0:
                    table[slot, 0] = key
                    table[slot, 1] = 0
                    keys[found] = slot
                    found += 1
                table[slot, 1] += 1
            b += 1
    return found


@inner
def read_key(key: int, pair: Array) -> None:
    """Return the pair of a hash key."""
    key -= 1
    pair[4] = 1 if key & 1 else -1
    apart = (key >> 1 & 127) - 64
    pair[0], pair[1] = (key >> 8) // WORDS, (key >> 8) % WORDS
    pair[2], pair[3] = max(0, -apart), max(0, apart)


@inner
def recreate(
    terms: Array, size: int, words: Array, pairs: Array, used: int, table: Array, keys: Array, pair: Array, found: Array
) -> tuple[int, int]:
    """Share the pair that saves the most, until none saves anything; return the sizes of terms and words."""
    while used < WORDS:
        different = count_pairs(terms, size, words, table, keys)
        best, chosen = 0, 0
        for k in range(different):
            key, uses = table[keys[k], 0], table[keys[k], 1]
            table[keys[k], 0] = 0
            if uses < 2:
                continue
            read_key(key, pair)
            if pair[0] == pair[1]:  # such uses may overlap
                uses = (uses + 1) // 2 if uses > 2 else uses
            add_pair(words, pair, found)
            gain = uses * found[1] * FULL - found[0]
            if gain > best or (gain == best and gain > 0 and key < chosen):
                best, chosen = gain, key
        if best == 0:
            break
        read_key(chosen, pair)
        size = define(terms, size, words, pairs, used, pair, found)
        used += 1
    return size, used


@inner
def define(terms: Array, size: int, words: Array, pairs: Array, used: int, pair: Array, found: Array) -> int:
    """Make ``pair`` word ``used`` and use it; return the new number of terms."""
    add_pair(words, pair, found)
    for k in range(3):
        words[used, k] = found[2 + k]
    for k in range(5):
        pairs[used, k] = pair[k]
    return use_pair(terms, size, pair, used)


@inner
def load(state: Array, forms: Array, digits: Array, terms: Array) -> int:
    """Write the digits of all weights to ``terms``; return how many.

    ``state`` (rows, sources) is the form of each weight, ``forms`` (forms, 2) its first digit and its size.
    """
    size = 0
    for r in range(state.shape[0]):
        for s in range(state.shape[1]):
            first, count = forms[state[r, s], 0], forms[state[r, s], 1]
            for k in range(first, first + count):
                terms[size, 0], terms[size, 1] = r, s
                terms[size, 2], terms[size, 3] = digits[k, 0], digits[k, 1]
                size += 1
    return size


@inner
def copy_rows(source: Array, target: Array, count: int) -> None:
    """Copy the first ``count`` rows of a matrix."""
    for i in range(count):
        for k in range(source.shape[1]):
            target[i, k] = source[i, k]


@inner
def replay(
    terms: Array,
    size: int,
    words: Array,
    pairs: Array,
    sources: int,
    kept: Array,
    kept_used: int,
    place: Array,
    spare: Array,
    pair: Array,
    found: Array,
) -> tuple[int, int]:
    """Share the ``kept`` pairs again, but for those marked -1 in ``place`` and those that lost their use.

    ``place`` (words,) maps old to new words; returns the sizes of terms and words.
    """
    used = sources
    for w in range(sources, kept_used):
        first, second = place[kept[w, 0]], place[kept[w, 1]]
        if place[w] < 0 or first < 0 or second < 0:
            place[w] = -1
            continue
        pair[0], pair[1] = first, second
        for k in range(2, 5):
            pair[k] = kept[w, k]
        copy_rows(terms, spare, size)
        left = define(terms, size, words, pairs, used, pair, found)
        if size - left < 2:
            copy_rows(spare, terms, size)
            place[w] = -1
            continue
        place[w] = used
        size = left
        used += 1
    return size, used


@inner
def redraw(weights: Array, choices: Array, values: Array, state: Array, common: Array, random: Array) -> None:
    """Change the forms of a few weights, or the common weight of a source or of all sources."""
    rows, sources = state.shape
    kind = draw(random, 100)
    if kind < 70:
        for _ in range(1 + draw(random, 3)):
            r, s = draw(random, rows), draw(random, sources)
            number = weights[r, s, common[s]]
            state[r, s] = values[number, 1] + draw(random, values[number, 2])
    elif kind < 90:
        every, one, row = draw(random, 4) == 0, draw(random, sources), draw(random, rows)
        for s in range(sources):
            if choices[s] > 1 and (every or s == one):
                common[s] = row if every else draw(random, choices[s])
                for r in range(rows):
                    number = weights[r, s, common[s]]
                    state[r, s] = values[number, 1] + draw(random, values[number, 2])


@inner
def find_ends(weights: Array, values: Array, words: Array, common: Array, constants: Array, ends: Array) -> None:
    """Write the range of every row to ``ends`` (rows, 2)."""
    for r in range(len(constants)):
        ends[r, 0] = ends[r, 1] = constants[r]
        for s in range(len(common)):
            value = values[weights[r, s, common[s]], 0] * words[s, 1]
            ends[r, 1 if value > 0 else 0] += value


@compiled
def search(problem: Problem, room: Room, per_column: int, idle: int, steps: int) -> int:
    """Leave the best of ``steps`` states in ``room``; see :func:`best_sharing`."""
    weights, choices, values, constants = problem.weights, problem.choices, problem.values, problem.constants
    terms, words, pairs, kept = room.terms, room.words, room.pairs, room.kept
    state, tried, common, moved, ends = room.state, room.tried, room.common, room.moved, room.ends
    keys, table, pair, found = room.keys, room.table, room.pair, room.found
    place, random, best = room.place, room.random, room.best
    rows, sources = state.shape
    kept_used = sources
    cost = lowest = 1 << 60
    for r in range(rows):
        for s in range(sources):
            state[r, s] = values[weights[r, s, common[s]], 1]
    for step in range(steps + 1):
        copy_rows(state, tried, rows)
        for s in range(sources):
            moved[s] = common[s]
        for w in range(WORDS):
            place[w] = w if w < sources else 0
        if step:
            redraw(weights, choices, values, tried, moved, random)
            for _ in range(draw(random, 7)):
                if kept_used > sources:
                    place[sources + draw(random, kept_used - sources)] = -1
        size = load(tried, problem.forms, problem.digits, terms)
        size, used = replay(terms, size, words, pairs, sources, kept, kept_used, place, room.spare, pair, found)
        size, used = recreate(terms, size, words, pairs, used, table, keys, pair, found)
        now = 0
        for w in range(sources, used):
            add_pair(words, pairs[w], found)
            now += found[0]
        find_ends(weights, values, words, moved, constants, ends)
        now += rows_cost(terms, size, words, ends, constants, problem.unread, room.columns, per_column, idle)
        heat = HEAT * (1.0 - step / (steps + 1.0)) + 1e-9
        if now <= cost or draw(random, 1 << 30) < (1 << 30) * math.exp((cost - now) / heat):
            cost = now
            copy_rows(tried, state, rows)
            for s in range(sources):
                common[s] = moved[s]
            copy_rows(pairs, kept, used)
            kept_used = used
            if now < lowest:
                lowest = now
                for s in range(sources):
                    best.common[s] = moved[s]
                copy_rows(terms, best.terms, size)
                copy_rows(words, best.words, used)
                copy_rows(pairs, best.pairs, used)
                best.sizes[0], best.sizes[1] = size, used
    return lowest


@dataclass(frozen=True, slots=True)
class Sharing:
    """The best state of a search, int64: its cost in tenths of a NAND, the choice of each source, the terms
    (terms, 4: row, word, shift, sign), and pairs (words, 5: first, second, their shifts, sign) and words (words, 3:
    columns, highest value, offset), whose first entries are the sources."""

    cost: int
    common: Ints
    terms: Ints
    pairs: Ints
    words: Ints


def best_sharing(
    weights: Ints,
    choices: Ints,
    start: Ints,
    values: Ints,
    forms: Ints,
    digits: Ints,
    constants: Ints,
    unread: Ints,
    sources: Ints,
    *,
    per_column: int,
    idle: int,
    steps: int,
) -> Sharing:
    """Return the best of ``steps`` states, all arrays int64.

    ``weights`` (rows, sources, choices) is the weight number of each row and source for each choice of the common
    weight, of which source s has ``choices[s]`` and starts with ``start[s]``; where there is more than one, the first
    are each row's own weights.  ``values`` (numbers, 3) is what a weight number stands for: its integer, its first
    form, and how many forms it has.  ``forms`` (forms, 2) are a form's first digit and its size, ``digits``
    (digits, 2) exponents and signs.  ``constants`` and ``unread`` (rows,) are each row's constant and how many low
    bits of its sum nothing reads, and ``sources`` (sources, 2) each source's columns as a mask and its highest value.
    """
    rows, count = weights.shape[:2]
    longest = _longest(weights, choices, values, forms)
    most = int(longest.sum()) + 1
    slots = 1 << max(6, int((longest * longest).sum()).bit_length())

    def empty(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    words = empty(WORDS, 3)
    words[:count, :2] = sources
    room = Room(
        terms=empty(most, 4),
        spare=empty(most, 4),
        words=words,
        pairs=empty(WORDS, 5),
        kept=empty(WORDS, 5),
        table=empty(slots, 2),
        keys=empty(slots),
        state=empty(rows, count),
        tried=empty(rows, count),
        common=start.copy(),
        moved=empty(count),
        ends=empty(rows, 2),
        pair=empty(5),
        found=empty(5),
        columns=empty(192),
        place=empty(WORDS),
        random=np.array([SEED], np.int64),
        best=Best(empty(most, 4), words.copy(), empty(WORDS, 5), empty(count), empty(2)),
    )
    problem = Problem(weights, choices, values, forms, digits, constants, unread)
    cost = search(problem, room, per_column, idle, steps)
    best = room.best
    size, used = best.sizes
    return Sharing(int(cost), best.common, best.terms[:size], best.pairs[:used], best.words[:used])


def _longest(weights: Ints, choices: Ints, values: Ints, forms: Ints) -> Ints:
    """Return the most terms that each row can have, int64 (rows,)."""
    sizes = forms[values[:, 1], 1][weights]  # all forms of a weight are equally long
    sizes[:, np.arange(weights.shape[2])[None, :] >= choices[:, None]] = 0
    longest: Ints = sizes.max(axis=2).sum(axis=1)
    return longest
