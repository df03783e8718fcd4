"""The choice of a visit: every way to make a signal that was drawn is scored exactly, and one is taken by heat bath.

With ``score(v) = rows right - rows wrong`` over the rows that care, ``score(x and y)``, ``score(x)``, ``score(y)`` and
``score(1)`` give the score of all ten functions of both, as sums.

Choice ``i`` is taken with probability proportional to ``exp(-E[i] / temperature)``, the present make-up among them, by
the Gumbel-max trick (E. J. Gumbel, "Statistical Theory of Extreme Values", 1954): the largest of ``-E[i]`` plus
``temperature`` times Gumbel noise.  The energy ``E`` is the change of cost in um2 (gates and inputs that are freed
count off, inputs that nothing read before count on) less ``price`` um2 for every row gained.
"""

from __future__ import annotations

from typing import NamedTuple

from mlpress.approx.gates.cells import NOT
from mlpress.approx.gates.edits import apply_table, gate_cost, ones_in
from mlpress.approx.gates.flip import score_of
from mlpress.approx.gates.random_numbers import gumbel, random_below
from mlpress.approx.gates.state import FREE, MOVES, Ints, Scalar, Scratch, State, Words
from mlpress.jit import inner

STAY, REPLACE, MAKE, WRAP, NEST = range(5)
"""Kinds of choices: as it is; another signal in its place; ``f(x, y)``; ``f(signal, x)``; ``f(x, g(y, z))``."""

FUNCTIONS = (0b0001, 0b0010, 0b0100, 0b0110, 0b0111, 0b1000, 0b1001, 0b1011, 0b1101, 0b1110)
"""The functions that depend on both operands."""

TAIL = 14.0
"""Gumbel noise above this (probability 1e-6) is not waited for."""


class Visit(NamedTuple):
    """A visit as its choices see it.

    ``number`` marks what the visit touched; ``words`` of rows care.  ``gain`` is the cost that the present make-up
    frees; ``price`` and ``temperature`` are in um2.  ``now`` is the score of the signal as it is and ``one`` that of a
    constant 1.  There are ``candidate_count`` candidates, of which the first ``operand_count`` are operands.
    """

    signal: int
    number: int
    words: int
    gain: int
    price: float
    temperature: float
    now: int
    one: int
    candidate_count: int
    operand_count: int


@inner
def cost_added(s: State, x: int, y: int, z: int) -> Scalar:
    """Return the prices of the inputs among the signals ``x``, ``y`` and ``z`` that nothing reads yet."""
    cost = 0
    if s.nodes[x].readers == 0:
        cost += s.nodes[x].cost
    if s.nodes[y].readers == 0 and y != x:
        cost += s.nodes[y].cost
    if s.nodes[z].readers == 0 and z not in (x, y):
        cost += s.nodes[z].cost
    return cost


@inner
def cost_kept(s: State, x: int, y: int, z: int, visit: int) -> int:
    """Return the cost of the freed gates and inputs that stay if the signals ``x``, ``y`` and ``z`` are read."""
    if s.nodes[x].freed != visit and s.nodes[y].freed != visit and s.nodes[z].freed != visit:
        return 0
    slots = s.nodes.size
    first, count, top, cost = 2 * slots, 0, -1, 0
    for k in range(3):
        signal = x if k == 0 else y if k == 1 else z
        if s.nodes[signal].freed == visit:
            s.nodes[signal].freed = 0
            top += 1
            s.stack[top] = signal
    while top >= 0:
        signal = s.stack[top]
        top -= 1
        s.stack[first + count] = signal
        count += 1
        node = s.nodes[signal]
        cost += node.cost
        for side in range(2):
            operand = node.a if side == 0 else node.b
            if s.nodes[operand].freed == visit:
                s.nodes[operand].freed = 0
                top += 1
                s.stack[top] = operand
    for i in range(count):
        s.nodes[s.stack[first + i]].freed = visit
    return cost


@inner
def function_score(table: int, both: int, left: int, right: int, one: int) -> int:
    """Return a function's score from those of "left and right", "left", "right" and 1, by inclusion and exclusion."""
    score = 0
    if table & 1:
        score += one - left - right + both
    if table & 2:
        score += left - both
    if table & 4:
        score += right - both
    if table & 8:
        score += both
    return score


@inner
def and_score(a: Words, b: Words, row_gain: Words, words: int) -> int:
    """Return the score of "a and b"."""
    total = 0
    for j in range(words):
        word = a[j] & b[j]
        total += ones_in(word & row_gain[0, j]) - ones_in(word & row_gain[1, j])
    return total


@inner
def highest_score(s: State, words: int) -> int:
    """Return the best score that any signal can have."""
    total = 0
    for j in range(words):
        total += ones_in(s.row_gain[0, j])
    return total


@inner
def choose(s: State, visit: Visit, draws: Ints, scratch: Scratch) -> None:
    """Draw a choice by heat bath into ``scratch.choice``; leave it alone where the present make-up stays.

    ``draws`` int64 (3,) is as in :func:`mlpress.approx.gates.moves.visit_signal`.
    """
    best = visit.temperature * gumbel(s.seed)
    best = choose_signal(s, visit, best, scratch)
    best = choose_pair(s, visit, best, draws[1], scratch)
    if s.counts[FREE] >= 2:
        best = choose_wrap(s, visit, best, scratch)
        choose_nest(s, visit, best, draws[2], scratch)


@inner
def choose_signal(s: State, visit: Visit, best: float, scratch: Scratch) -> float:
    """Offer both constants and each candidate, plain and inverted; return the best negative energy with noise."""
    candidates, scores, choice = scratch.candidates, scratch.scores, scratch.choice[0]
    gain, price, now, one = visit.gain, visit.price, visit.now, visit.one
    tail = visit.temperature * TAIL
    room = s.counts[FREE] >= 2
    for constant in range(2):
        neg_energy = gain + price * ((one if constant else 0) - now)
        if neg_energy + tail > best:
            neg_energy += visit.temperature * gumbel(s.seed)
            if neg_energy > best:
                best = neg_energy
                choice.kind, choice.x = REPLACE, constant
    for i in range(visit.candidate_count):
        x = candidates[i]
        for inverted in range(2):
            rise = (one - scores[i] if inverted else scores[i]) - now
            neg_energy = price * rise + gain - (s.area[NOT] if inverted else 0)
            if neg_energy + tail > best and x != visit.signal and (room or not inverted):
                neg_energy -= cost_kept(s, x, x, x, visit.number) + cost_added(s, x, x, x)
                if inverted:
                    neg_energy -= gate_cost(s, NOT, x, x) - s.area[NOT]
                neg_energy += visit.temperature * gumbel(s.seed)
                if neg_energy > best:
                    best = neg_energy
                    choice.kind = MAKE if inverted else REPLACE
                    choice.table, choice.x, choice.y = NOT, x, x
    s.counts[MOVES] += 2 + 2 * visit.candidate_count
    return best


@inner
def choose_pair(s: State, visit: Visit, best: float, drawn: int, scratch: Scratch) -> float:
    """Offer all functions of operands with candidates, and of ``drawn`` random pairs; return the best so far."""
    candidates, planes, scores = scratch.candidates, scratch.planes, scratch.scores
    choice, gain, price, now, one = scratch.choice[0], visit.gain, visit.price, visit.now, visit.one
    count, operands = visit.candidate_count, visit.operand_count
    tail = visit.temperature * TAIL
    for pair in range(operands * count + drawn):
        i, j = pair // max(count, 1), pair % max(count, 1)
        if pair >= operands * count:
            if count < 2:
                break
            i, j = random_below(s.seed, count), random_below(s.seed, count)
        elif j <= i and j < operands:
            continue
        x, y = candidates[i], candidates[j]
        if x == y:
            continue
        both = and_score(planes[i], planes[j], s.row_gain, visit.words)
        for table in FUNCTIONS:
            neg_energy = gain - s.area[table] + price * (function_score(table, both, scores[i], scores[j], one) - now)
            if neg_energy + tail > best:
                neg_energy -= (
                    cost_kept(s, x, y, y, visit.number)
                    + cost_added(s, x, y, y)
                    + gate_cost(s, table, x, y)
                    - s.area[table]
                )
                neg_energy += visit.temperature * gumbel(s.seed)
                if neg_energy > best:
                    best = neg_energy
                    choice.kind, choice.table, choice.x, choice.y = MAKE, table, x, y
        s.counts[MOVES] += len(FUNCTIONS)
    return best


@inner
def choose_wrap(s: State, visit: Visit, best: float, scratch: Scratch) -> float:
    """Offer all functions of the signal itself with each candidate but operands; return the best so far."""
    candidates, planes, scores, choice = scratch.candidates, scratch.planes, scratch.scores, scratch.choice[0]
    price, now, one = visit.price, visit.now, visit.one
    tail = visit.temperature * TAIL
    for i in range(visit.operand_count, visit.candidate_count):
        x = candidates[i]
        if x == visit.signal:
            continue
        both = and_score(planes[visit.candidate_count], planes[i], s.row_gain, visit.words)
        for table in FUNCTIONS:
            neg_energy = price * (function_score(table, both, now, scores[i], one) - now) - s.area[table]
            if neg_energy + tail > best:
                neg_energy -= gate_cost(s, table, visit.signal, x) - s.area[table] + cost_added(s, x, x, x)
                neg_energy += visit.temperature * gumbel(s.seed)
                if neg_energy > best:
                    best = neg_energy
                    choice.kind, choice.table, choice.x = WRAP, table, x
        s.counts[MOVES] += len(FUNCTIONS)
    return best


@inner
def choose_nest(s: State, visit: Visit, best: float, drawn: int, scratch: Scratch) -> None:
    """Offer all functions of a candidate and a random function of two others, for ``drawn`` random triples."""
    candidates, planes, scores = scratch.candidates, scratch.planes, scratch.scores
    choice, gain, price, now, one = scratch.choice[0], visit.gain, visit.price, visit.now, visit.one
    words, count = visit.words, visit.candidate_count
    tail = visit.temperature * TAIL
    inner_plane = planes[count]
    for _ in range(drawn):
        if count < 3:
            break
        i, j, k = random_below(s.seed, count), random_below(s.seed, count), random_below(s.seed, count)
        x, y, z = candidates[i], candidates[j], candidates[k]
        if y == z:
            continue
        below = FUNCTIONS[random_below(s.seed, len(FUNCTIONS))]
        if gain - s.area[below] - s.area[0b0111] + price * (highest_score(s, words) - now) + tail < best:
            continue
        apply_table(below, planes[j, :words], planes[k, :words], inner_plane[:words])
        inner_score = score_of(s, inner_plane, words)
        both = and_score(planes[i], inner_plane, s.row_gain, words)
        for table in FUNCTIONS:
            neg_energy = gain - s.area[table] - s.area[below]
            neg_energy += price * (function_score(table, both, scores[i], inner_score, one) - now)
            if neg_energy + tail > best:
                neg_energy -= (
                    cost_kept(s, x, y, z, visit.number)
                    + cost_added(s, x, y, z)
                    + gate_cost(s, below, y, z)
                    - s.area[below]
                )
                neg_energy += visit.temperature * gumbel(s.seed)
                if neg_energy > best:
                    best = neg_energy
                    choice.kind, choice.table, choice.x = NEST, table, x
                    choice.inner_table, choice.y, choice.z = below, y, z
        s.counts[MOVES] += len(FUNCTIONS)
