"""Compiled visits: one signal, every way to make it that was drawn, judged exactly; one of them is taken.

A visit to a signal simulates its flip once (:mod:`mlpress.approx.gates.flip`).  After that the effect of making the
signal as ``f(x, y)`` costs a few words: with ``score(v) = rows right - rows wrong`` over the rows that care,

``score(x and y)``, ``score(x)``, ``score(y)`` and ``score(1)`` give the score of all ten functions of both, as sums.

The choice is a heat bath: way ``i`` with probability proportional to ``exp(-E[i] / temperature)``, the present one
among them, drawn by the Gumbel-max trick (E. J. Gumbel, "Statistical Theory of Extreme Values", 1954).  The energy
``E`` is the change of cost in um2, gates that die and inputs that nothing reads any more counted off, and inputs that
nothing read before counted on, less ``price`` um2 for every row gained.
"""

from __future__ import annotations

import numpy as np

from mlpress.approx.gates.cells import NOT
from mlpress.approx.gates.edits import (
    add_gate,
    apply_table,
    count_ones,
    gate_cost,
    invert,
    inverted_cost,
    move_pin,
    ones_in,
    recount,
    remove_dead,
    reprice,
    rewrite,
    substitute,
)
from mlpress.approx.gates.flip import find_wishes, mark_above, next_visit, simulate_flip, take_over, wish_score
from mlpress.approx.gates.state import ACCEPTED, FREE, LIVE, MOVES, VISITS, Ints, Scalar, Scratch, State, Words
from mlpress.jit import inner

STAY, REPLACE, MAKE, WRAP, NEST = range(5)
"""Ways: as it is; another signal in its place; ``f(x, y)``; ``f(signal, x)``; ``f(x, g(y, z))``."""

FUNCTIONS = (0b0001, 0b0010, 0b0100, 0b0110, 0b0111, 0b1000, 0b1001, 0b1011, 0b1101, 0b1110)
"""The functions that depend on both operands."""

TAIL = 14.0
"""Gumbel noise above this (probability 1e-6) is not waited for."""

NEAR = 32
"""Room for candidates from the signal's own neighbourhood."""


@inner
def random_word(seed: Words) -> Scalar:
    """The next 64 random bits: SplitMix64 (Steele et al., "Fast splittable pseudorandom number generators", 2014)."""
    seed[0] += np.uint64(0x9E3779B97F4A7C15)
    z = seed[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@inner
def random_below(seed: Words, bound: int) -> Scalar:
    """A random integer within 0 .. bound - 1."""
    return np.int64(((random_word(seed) >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@inner
def random_unit(seed: Words) -> float:
    """A random number strictly between 0 and 1."""
    return (np.float64(random_word(seed) >> np.uint64(12)) + 0.5) / 4503599627370496.0


@inner
def gumbel(seed: Words) -> Scalar:
    """Standard Gumbel noise."""
    return -np.log(-np.log(random_unit(seed)))


@inner
def doom(s: State, gate: int, signal: int, visit: int) -> Scalar:
    """Mark the gates and priced inputs that die when the visited signal's old make-up goes; returns their cost.

    That is the cone that only ``gate``'s operands use, or, for an output bit (``gate`` is -1), ``signal`` itself if
    nothing else reads it, and its cone.
    """
    slots = s.nodes.size
    first, count, top, cost = 2 * slots, 0, 0, 0
    if gate < 0:
        node = s.nodes[signal]
        if node.readers != 1 or (signal < s.first_gate and node.cost == 0):
            return 0
        node.doomed = visit
        cost += node.cost
        if signal < s.first_gate:
            return cost
        s.stack[0] = signal
    else:
        s.stack[0] = gate
    while top >= 0:
        node = s.nodes[s.stack[top]]
        top -= 1
        for side in range(1 if node.table == NOT else 2):
            operand = node.a if side == 0 else node.b
            below = s.nodes[operand]
            below.readers -= 1
            s.stack[first + count] = operand
            count += 1
            if below.readers == 0 and (operand >= s.first_gate or below.cost > 0):
                below.doomed = visit
                cost += below.cost
                if operand >= s.first_gate:
                    top += 1
                    s.stack[top] = operand
    for i in range(count):
        s.nodes[s.stack[first + i]].readers += 1
    return cost


@inner
def fresh(s: State, x: int, y: int, z: int) -> Scalar:
    """Prices of the inputs among the signals ``x``, ``y`` and ``z`` that nothing reads yet."""
    cost = 0
    if s.nodes[x].readers == 0:
        cost += s.nodes[x].cost
    if s.nodes[y].readers == 0 and y != x:
        cost += s.nodes[y].cost
    if s.nodes[z].readers == 0 and z not in (x, y):
        cost += s.nodes[z].cost
    return cost


@inner
def spared(s: State, x: int, y: int, z: int, visit: int) -> int:
    """Cost of the doomed gates and inputs that live on if the signals ``x``, ``y`` and ``z`` are read."""
    if s.nodes[x].doomed != visit and s.nodes[y].doomed != visit and s.nodes[z].doomed != visit:
        return 0
    slots = s.nodes.size
    first, count, top, cost = 2 * slots, 0, -1, 0
    for k in range(3):
        signal = x if k == 0 else y if k == 1 else z
        if s.nodes[signal].doomed == visit:
            s.nodes[signal].doomed = 0
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
            if s.nodes[operand].doomed == visit:
                s.nodes[operand].doomed = 0
                top += 1
                s.stack[top] = operand
    for i in range(count):
        s.nodes[s.stack[first + i]].doomed = visit
    return cost


@inner
def add_candidate(s: State, signal: int, visit: int, candidates: Ints, count: int) -> int:
    """Append ``signal`` unless it is a constant, depends on the visited one, or there is no room."""
    if signal < 2 or s.nodes[signal].above == visit or count == candidates.size:
        return count
    candidates[count] = signal
    return count + 1


@inner
def find_candidates(s: State, gate: int, signal: int, visit: int, candidates: Ints, draws: int) -> tuple[int, int]:
    """Signals to make the visited one from: operands first, then theirs, then its readers' others, then any.

    Returns how many there are and how many of them are operands.
    """
    gates = 2 * s.nodes.size
    count = 0
    if gate >= 0:
        count = add_candidate(s, s.nodes[gate].a, visit, candidates, count)
        if s.nodes[gate].table != NOT:
            count = add_candidate(s, s.nodes[gate].b, visit, candidates, count)
        operands = count
    else:
        count = add_candidate(s, signal, visit, candidates, count)
        operands = 0
    for k in range(count):
        below = candidates[k]
        if below >= s.first_gate:
            count = add_candidate(s, s.nodes[below].a, visit, candidates, count)
            if s.nodes[below].table != NOT:
                count = add_candidate(s, s.nodes[below].b, visit, candidates, count)
    pin = s.nodes[signal].first_pin if gate >= 0 else -1
    while pin >= 0 and count < NEAR - 2:
        if pin < gates:
            reader = s.nodes[pin >> 1]
            count = add_candidate(s, reader.a, visit, candidates, count)
            count = add_candidate(s, reader.b, visit, candidates, count)
        pin = s.links[pin, 0]
    inputs = s.first_gate - 2
    for _ in range(draws):
        k = random_below(s.seed, inputs + s.counts[LIVE])
        count = add_candidate(s, 2 + k if k < inputs else s.live[k - inputs], visit, candidates, count)
    return count, operands


@inner
def function_score(table: int, both: int, left: int, right: int, one: int) -> int:
    """The score of a function from those of "left and right", "left", "right" and 1: inclusion and exclusion."""
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
def and_score(a: Words, b: Words, wish: Words, words: int) -> int:
    """The score of "a and b"."""
    total = 0
    for j in range(words):
        word = a[j] & b[j]
        total += ones_in(word & wish[0, j]) - ones_in(word & wish[1, j])
    return total


@inner
def visit_signal(s: State, price: float, temperature: float, draws: Ints, scratch: Scratch) -> bool:
    """Visit a random gate or output bit; returns whether anything changed.

    ``draws`` int64 (3,): signals, pairs, and nested pairs to draw at random.  ``scratch`` is what
    :func:`mlpress.approx.gates.chain.scratch` makes.
    """
    candidates, planes, scores, way = scratch
    s.counts[VISITS] += 1
    site = random_below(s.seed, s.counts[LIVE] + s.outputs.size)
    output = site - s.counts[LIVE]
    gate = s.live[site] if output < 0 else -1
    signal = gate if output < 0 else s.outputs[output]
    visit = next_visit(s)
    dirty, reached = 0, True
    if output < 0:
        mark_above(s, gate, visit)
        dirty, reached = simulate_flip(s, gate, visit)
    words = find_wishes(s, signal, output, visit) if reached else 0
    gain = doom(s, gate, signal, visit) + (s.nodes[gate].cost if gate >= 0 else 0)
    way[0] = STAY
    if words == 0 and output < 0:
        way[0], way[2] = REPLACE, 0
    else:
        count, operands = find_candidates(s, gate, signal, visit, candidates, draws[0])
        compact(s, candidates, count, planes, scores, words)
        choose(s, signal, visit, words, gain, price, temperature, draws, scratch, count, operands)
    if way[0] == STAY:
        return False
    if output < 0:
        take_gate(s, gate, way, dirty)
    else:
        take_output(s, output, way)
    s.counts[ACCEPTED] += 1
    return True


@inner
def compact(s: State, candidates: Ints, count: int, planes: Words, scores: Ints, words: int) -> None:
    """The candidates' values in the words that care, side by side, and their scores."""
    for i in range(count):
        value, plane = s.value[candidates[i]], planes[i]
        for j in range(words):
            plane[j] = value[s.care[j]]
        scores[i] = wish_score(s, plane, words)


@inner
def choose(
    s: State,
    signal: int,
    visit: int,
    words: int,
    gain: int,
    price: float,
    temperature: float,
    draws: Ints,
    scratch: Scratch,
    count: int,
    operands: int,
) -> None:
    """Draw one of the ways by heat bath into ``way``: (kind, function, x, y, inner function, z)."""
    candidates, planes, scores, way = scratch
    one = 0
    for j in range(words):
        one += ones_in(s.wish[0, j]) - ones_in(s.wish[1, j])
    own = planes[count]
    for j in range(words):
        own[j] = s.value[signal, s.care[j]]
    now = wish_score(s, own, words)
    best = temperature * gumbel(s.seed)
    tail = temperature * TAIL
    room = s.counts[FREE] >= 2
    for constant in range(2):
        odds = gain + price * ((one if constant else 0) - now)
        if odds + tail > best:
            odds += temperature * gumbel(s.seed)
            if odds > best:
                best = odds
                way[0], way[2] = REPLACE, constant
    tried = 2
    for i in range(count):
        x = candidates[i]
        for inverted in range(2):
            worth = (
                price * ((one - scores[i] if inverted else scores[i]) - now) + gain - (s.area[NOT] if inverted else 0)
            )
            if worth + tail > best and x != signal and (room or not inverted):
                worth -= spared(s, x, x, x, visit) + fresh(s, x, x, x)
                if inverted:
                    worth -= gate_cost(s, NOT, x, x) - s.area[NOT]
                worth += temperature * gumbel(s.seed)
                if worth > best:
                    best = worth
                    way[0] = MAKE if inverted else REPLACE
                    way[1], way[2], way[3] = NOT, x, x
        tried += 2
    for pair in range(operands * count + draws[1]):
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
        both = and_score(planes[i], planes[j], s.wish, words)
        for table in FUNCTIONS:
            worth = gain - s.area[table] + price * (function_score(table, both, scores[i], scores[j], one) - now)
            if worth + tail > best:
                worth -= spared(s, x, y, y, visit) + fresh(s, x, y, y) + gate_cost(s, table, x, y) - s.area[table]
                worth += temperature * gumbel(s.seed)
                if worth > best:
                    best = worth
                    way[0], way[1], way[2], way[3] = MAKE, table, x, y
        tried += len(FUNCTIONS)
    if not room:
        s.counts[MOVES] += tried
        return
    for i in range(operands, count):
        x = candidates[i]
        if x == signal:
            continue
        both = and_score(own, planes[i], s.wish, words)
        for table in FUNCTIONS:
            worth = price * (function_score(table, both, now, scores[i], one) - now) - s.area[table]
            if worth + tail > best:
                worth -= gate_cost(s, table, signal, x) - s.area[table] + fresh(s, x, x, x)
                worth += temperature * gumbel(s.seed)
                if worth > best:
                    best = worth
                    way[0], way[1], way[2] = WRAP, table, x
        tried += len(FUNCTIONS)
    inner_plane = planes[count]
    for _ in range(draws[2]):
        if count < 3:
            break
        i, j, k = random_below(s.seed, count), random_below(s.seed, count), random_below(s.seed, count)
        x, y, z = candidates[i], candidates[j], candidates[k]
        if y == z:
            continue
        below = FUNCTIONS[random_below(s.seed, len(FUNCTIONS))]
        if gain - s.area[below] - s.area[0b0111] + price * (most_wished(s, words) - now) + tail < best:
            continue
        apply_table(below, planes[j, :words], planes[k, :words], inner_plane[:words])
        inner_score = wish_score(s, inner_plane, words)
        both = and_score(planes[i], inner_plane, s.wish, words)
        for table in FUNCTIONS:
            worth = gain - s.area[table] - s.area[below]
            worth += price * (function_score(table, both, scores[i], inner_score, one) - now)
            if worth + tail > best:
                worth -= spared(s, x, y, z, visit) + fresh(s, x, y, z) + gate_cost(s, below, y, z) - s.area[below]
                worth += temperature * gumbel(s.seed)
                if worth > best:
                    best = worth
                    way[0], way[1], way[2], way[3], way[4], way[5] = NEST, table, x, y, below, z
        tried += len(FUNCTIONS)
    s.counts[MOVES] += tried


@inner
def most_wished(s: State, words: int) -> int:
    """The best score that any signal can have."""
    total = 0
    for j in range(words):
        total += ones_in(s.wish[0, j])
    return total


@inner
def made(s: State, table: int, x: int, y: int) -> Scalar:
    """A new gate with its value."""
    gate = add_gate(s, table, x, y)
    apply_table(table, s.value[x], s.value[y], s.value[gate])
    count_ones(s, gate)
    return gate


@inner
def take_gate(s: State, gate: int, way: Ints, dirty: int) -> None:
    """Carry out the way drawn for a gate."""
    kind, table, x, y = way[0], way[1], way[2], way[3]
    node = s.nodes[gate]
    same = node.a == x and node.b == y
    mirrored = node.a == y and node.b == x and flip_sides(table) == table
    if kind == MAKE and node.table == table and (same or mirrored):
        return
    changed = s.flipped[s.flipped.shape[0] - 1]
    if kind == WRAP:
        x, y = made(s, node.table, node.a, node.b), x
    elif kind == NEST:
        y = made(s, way[4], y, way[5])
    if kind == REPLACE:
        for w in range(changed.size):
            changed[w] = s.value[x, w]
    else:
        apply_table(table, s.value[x], s.value[y], changed)
    for w in range(changed.size):
        changed[w] ^= s.value[gate, w]
    take_over(s, changed, dirty)
    if kind == REPLACE:
        substitute(s, gate, x)
    else:
        rewrite(s, gate, table, x, y)
        if kind == WRAP:
            reprice(s, gate)


@inner
def flip_sides(table: int) -> int:
    """``table`` with its operands exchanged."""
    return (table & 0b1001) | (table & 0b0010) << 1 | (table & 0b0100) >> 1


@inner
def take_output(s: State, output: int, way: Ints) -> None:
    """Carry out the way drawn for an output bit: what it reads changes, and nothing else."""
    kind, table, x, y = way[0], way[1], way[2], way[3]
    old = s.outputs[output]
    if kind == REPLACE:
        new = x
    elif kind == MAKE:
        new = made(s, table, x, y)
    elif kind == WRAP:
        new = made(s, table, old, x)
    else:
        new = made(s, table, x, made(s, way[4], y, way[5]))
    if new != old:
        move_pin(s, 2 * s.nodes.size + output, old, new)
        remove_dead(s, old)
        recount(s)


@inner
def visit_polarity(s: State, temperature: float) -> None:
    """Invert a random gate, its readers taking that in, by Metropolis' rule; no signal but the gate's own changes."""
    if s.counts[LIVE] == 0:
        return
    gate = s.live[random_below(s.seed, s.counts[LIVE])]
    more, possible = inverted_cost(s, gate)
    if possible and (more <= 0 or random_unit(s.seed) < np.exp(-more / temperature)):
        invert(s, gate)
