"""Compiled visits: every way to make one signal that was drawn is judged exactly, and one of them is taken.

A visit to a signal simulates its flip once (:mod:`mlpress.approx.gates.flip`).  After that the effect of making the
signal as ``f(x, y)`` costs a few words, and :mod:`mlpress.approx.gates.choice` takes one by heat bath.
"""

from __future__ import annotations

import numpy as np

from mlpress.approx.gates.cells import NOT
from mlpress.approx.gates.choice import MAKE, NEST, REPLACE, STAY, WRAP, Visit, choose
from mlpress.approx.gates.edits import (
    add_gate,
    apply_table,
    count_ones,
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
from mlpress.approx.gates.flip import find_care_rows, mark_above, next_visit, score_of, simulate_flip, take_over
from mlpress.approx.gates.random_numbers import random_below, random_unit
from mlpress.approx.gates.state import ACCEPTED, LIVE, VISITS, Choice, Ints, Scalar, Scratch, State
from mlpress.jit import inner

NEAR = 32
"""Room for candidates from the signal's own neighbourhood."""


@inner
def cost_freed(s: State, gate: int, signal: int, visit: int) -> Scalar:
    """Mark the gates and priced inputs that the visited signal's old make-up alone needs; return their cost.

    That is the cone that only ``gate``'s operands use, or, for an output bit (``gate`` is -1), ``signal`` itself if
    nothing else reads it, and its cone.
    """
    slots = s.nodes.size
    first, count, top, cost = 2 * slots, 0, 0, 0
    if gate < 0:
        node = s.nodes[signal]
        if node.readers != 1 or (signal < s.first_gate and node.cost == 0):
            return 0
        node.freed = visit
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
                below.freed = visit
                cost += below.cost
                if operand >= s.first_gate:
                    top += 1
                    s.stack[top] = operand
    for i in range(count):
        s.nodes[s.stack[first + i]].readers += 1
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
    """Find signals to make the visited one from: operands first, then theirs, then its readers' others, then any.

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
def visit_signal(s: State, price: float, temperature: float, draws: Ints, scratch: Scratch) -> bool:
    """Visit a random gate or output bit; return whether anything changed.

    ``draws`` int64 (3,): signals, pairs, and nested pairs to draw at random.
    """
    choice = scratch.choice[0]
    s.counts[VISITS] += 1
    site = random_below(s.seed, s.counts[LIVE] + s.outputs.size)
    output = site - s.counts[LIVE]
    gate = s.live[site] if output < 0 else -1
    signal = gate if output < 0 else s.outputs[output]
    number = next_visit(s)
    dirty, reached = 0, True
    if output < 0:
        mark_above(s, gate, number)
        dirty, reached = simulate_flip(s, gate, number)
    words = find_care_rows(s, signal, output, number) if reached else 0
    gain = cost_freed(s, gate, signal, number) + (s.nodes[gate].cost if gate >= 0 else 0)
    choice.kind = STAY
    if words == 0 and output < 0:
        choice.kind, choice.x = REPLACE, 0
    else:
        count, operands = find_candidates(s, gate, signal, number, scratch.candidates, draws[0])
        now, one = compact(s, signal, count, words, scratch)
        visit = Visit(signal, number, words, gain, price, temperature, now, one, count, operands)
        choose(s, visit, draws, scratch)
    if choice.kind == STAY:
        return False
    if output < 0:
        take_gate(s, gate, choice, dirty)
    else:
        take_output(s, output, choice)
    s.counts[ACCEPTED] += 1
    return True


@inner
def compact(s: State, signal: int, count: int, words: int, scratch: Scratch) -> tuple[int, int]:
    """Copy the words that care of the candidates and of ``signal``, after them, side by side, and score the candidates.

    Returns the scores of ``signal`` as it is and of a constant 1.
    """
    planes, scores = scratch.planes, scratch.scores
    for i in range(count):
        value, plane = s.value[scratch.candidates[i]], planes[i]
        for j in range(words):
            plane[j] = value[s.care[j]]
        scores[i] = score_of(s, plane, words)
    one = 0
    for j in range(words):
        one += ones_in(s.row_gain[0, j]) - ones_in(s.row_gain[1, j])
    own = planes[count]
    for j in range(words):
        own[j] = s.value[signal, s.care[j]]
    return score_of(s, own, words), one


@inner
def new_gate(s: State, table: int, x: int, y: int) -> Scalar:
    """Add a gate and its value; return its signal."""
    gate = add_gate(s, table, x, y)
    apply_table(table, s.value[x], s.value[y], s.value[gate])
    count_ones(s, gate)
    return gate


@inner
def take_gate(s: State, gate: int, choice: Choice, dirty: int) -> None:
    """Make a gate as chosen."""
    kind, table, x, y = choice.kind, choice.table, choice.x, choice.y
    node = s.nodes[gate]
    same = node.a == x and node.b == y
    mirrored = node.a == y and node.b == x and flip_sides(table) == table
    if kind == MAKE and node.table == table and (same or mirrored):
        return
    changed = s.flipped[s.flipped.shape[0] - 1]
    if kind == WRAP:
        x, y = new_gate(s, node.table, node.a, node.b), x
    elif kind == NEST:
        y = new_gate(s, choice.inner_table, y, choice.z)
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
    """Return ``table`` with its operands exchanged."""
    return (table & 0b1001) | (table & 0b0010) << 1 | (table & 0b0100) >> 1


@inner
def take_output(s: State, output: int, choice: Choice) -> None:
    """Let an output bit read what was chosen; nothing else changes."""
    kind, table, x, y = choice.kind, choice.table, choice.x, choice.y
    old = s.outputs[output]
    if kind == REPLACE:
        new = x
    elif kind == MAKE:
        new = new_gate(s, table, x, y)
    elif kind == WRAP:
        new = new_gate(s, table, old, x)
    else:
        new = new_gate(s, table, x, new_gate(s, choice.inner_table, y, choice.z))
    if new != old:
        move_pin(s, 2 * s.nodes.size + output, old, new)
        remove_dead(s, old)
        recount(s)


@inner
def visit_polarity(s: State, temperature: float) -> None:
    """Invert a random gate, its readers taking that in, by Metropolis' rule; only the gate's own signal changes."""
    if s.counts[LIVE] == 0:
        return
    gate = s.live[random_below(s.seed, s.counts[LIVE])]
    more, possible = inverted_cost(s, gate)
    if possible and (more <= 0 or random_unit(s.seed) < np.exp(-more / temperature)):
        invert(s, gate)
