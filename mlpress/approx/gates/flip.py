"""Compiled Boolean differences: the exact effect of inverting a signal in every row, and taking changes over.

Rows do not know of each other.  So the effect of *any* new function at a signal follows from one simulation in which
the signal is inverted in every row: where the new value differs from the old one, everything behind the signal takes
its flipped value, and elsewhere it stays.  This is the Boolean difference of logic testing, taken over whole data
sets; the rows in which nothing changes for better or worse are the signal's observability don't-cares.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpress.approx.gates.cells import NOT
from mlpress.approx.gates.edits import count_ones, ones_in, recount, reprice
from mlpress.approx.gates.state import VISIT, Scalar, State, Words
from mlpress.jit import inner

_FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
_NONE = np.uint64(0)


@inner
def mark_above(s: State, gate: int, visit: int) -> None:
    """Mark ``gate`` and everything that depends on it."""
    gates = 2 * s.nodes.size
    top = 0
    s.stack[top] = gate
    s.nodes[gate].above = visit
    while top >= 0:
        pin = s.nodes[s.stack[top]].first_pin
        top -= 1
        while pin >= 0:
            if pin < gates and s.nodes[pin >> 1].above != visit:
                s.nodes[pin >> 1].above = visit
                top += 1
                s.stack[top] = pin >> 1
            pin = s.links[pin, 0]


@inner
def queue_readers(s: State, signal: int, visit: int, last: int) -> tuple[int, bool]:
    """Queue the readers of a changed signal by level; return the highest level, and whether an output reads it."""
    gates = 2 * s.nodes.size
    reached = False
    pin = s.nodes[signal].first_pin
    while pin >= 0:
        if pin >= gates:
            reached = True
        else:
            reader = s.nodes[pin >> 1]
            if reader.queued != visit:
                reader.queued = visit
                reader.next = s.queues[reader.level]
                s.queues[reader.level] = pin >> 1
                last = max(last, reader.level)
        pin = s.links[pin, 0]
    return last, reached


@inner
def simulate_flip(s: State, gate: int, visit: int) -> tuple[int, bool]:
    """Invert ``gate`` in all rows and simulate what changes, level by level.

    Fills ``s.flipped`` for the changed signals, which are listed in ``s.dirty``; returns how many they are and
    whether one of them is an output.
    """
    value, flipped = s.value[gate], s.flipped[gate]
    for w in range(value.size):
        flipped[w] = value[w] ^ s.valid[w]
    s.nodes[gate].dirty = visit
    s.dirty[0] = gate
    count = 1
    level = s.nodes[gate].level
    last, reached = queue_readers(s, gate, visit, level)
    while level < last:
        level += 1
        reader = s.queues[level]
        s.queues[level] = -1
        while reader >= 0:
            node = s.nodes[reader]
            if differs(s, node, reader, visit):
                node.dirty = visit
                s.dirty[count] = reader
                count += 1
                last, hit = queue_readers(s, reader, visit, last)
                reached = reached or hit
            reader = node.next
    return count, reached


@inner
def differs(s: State, node: Any, gate: int, visit: int) -> Scalar:
    """Evaluate a gate on flipped operands; return whether it changes in any row."""
    a = s.flipped[node.a] if s.nodes[node.a].dirty == visit else s.value[node.a]
    b = s.flipped[node.b] if s.nodes[node.b].dirty == visit else s.value[node.b]
    old, out = s.value[gate], s.flipped[gate]
    table = node.table
    t0, t1, t2, t3 = table & 1, table >> 1 & 1, table >> 2 & 1, table >> 3 & 1
    c0 = _FULL if t0 else _NONE
    c1 = _FULL if t0 ^ t1 else _NONE
    c2 = _FULL if t0 ^ t2 else _NONE
    c3 = _FULL if t0 ^ t1 ^ t2 ^ t3 else _NONE
    change = _NONE
    for w in range(out.size):
        word = c0 ^ (a[w] & c1) ^ (b[w] & c2) ^ (a[w] & b[w] & c3)
        out[w] = word
        change |= (word ^ old[w]) & s.valid[w]
    return change != _NONE


@inner
def find_care_rows(s: State, signal: int, output: int, visit: int) -> int:
    """Find the rows whose decision depends on the visited signal, after its flip was simulated; return their words.

    A row that is right with the signal at 1 and wrong with it at 0 is in ``s.row_gain[0]``, the opposite in
    ``s.row_gain[1]``; other rows do not care.  Only the words with such rows are kept: word ``j`` of these is word
    ``s.care[j]`` of the rows.  Where ``output`` is 0 or more, it is that output bit alone that was inverted.
    """
    right = s.flipped[s.flipped.shape[0] - 1]
    for w in range(right.size):
        right[w] = s.valid[w]
    for k in range(s.outputs.size):
        source = s.outputs[k]
        value = s.flipped[source] if output < 0 and s.nodes[source].dirty == visit else s.value[source]
        wanted = s.labels[k]
        invert = _FULL if k == output else _NONE
        for w in range(right.size):
            right[w] &= ~(value[w] ^ wanted[w] ^ invert)
    value, before = s.value[signal], s.right
    words = 0
    for w in range(right.size):
        differ = right[w] ^ before[w]
        if differ != _NONE:
            high = differ & ~(before[w] ^ value[w])  # right as it is with a 1, or wrong as it is with a 0
            s.row_gain[0, words], s.row_gain[1, words] = high, differ ^ high
            s.care[words] = w
            words += 1
    return words


@inner
def take_over(s: State, changed: Words, dirty: int) -> None:
    """Change the visited signal, and what its flip changed, in the rows ``changed``, uint64 (words,)."""
    some = False
    for w in range(changed.size):
        changed[w] &= s.valid[w]
        some = some or changed[w] != _NONE
    if not some:
        return
    for i in range(dirty):
        value, flipped = s.value[s.dirty[i]], s.flipped[s.dirty[i]]
        for w in range(changed.size):
            value[w] ^= (value[w] ^ flipped[w]) & changed[w]
    recount(s)
    if s.watts[NOT, 1] == 0.0:
        return
    gates = 2 * s.nodes.size
    for i in range(dirty):
        count_ones(s, s.dirty[i])
    for i in range(dirty):
        pin = s.nodes[s.dirty[i]].first_pin
        while pin >= 0:
            if pin < gates:
                reprice(s, pin >> 1)
            pin = s.links[pin, 0]


@inner
def score_of(s: State, plane: Words, words: int) -> int:
    """Return rows right less rows wrong, over the rows that care, of the compact signal ``plane``."""
    total = 0
    for j in range(words):
        total += ones_in(plane[j] & s.row_gain[0, j]) - ones_in(plane[j] & s.row_gain[1, j])
    return total


@inner
def next_visit(s: State) -> Scalar:
    """Count a new visit; return its number."""
    s.counts[VISIT] += 1
    return s.counts[VISIT]
