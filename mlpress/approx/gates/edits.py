"""Compiled edits of a netlist: readers, levels, costs, and the rewriting of gates.

See :mod:`mlpress.approx.gates.state` for the arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpress.approx.gates.cells import NOT
from mlpress.approx.gates.state import CORRECT, COST, FREE, LIVE, Ints, Scalar, State, Words
from mlpress.jit import compiled, inner

WAITING = -1
"""The mark, in ``freed``, of a gate that waits to be simplified."""

_FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
_NONE = np.uint64(0)


@inner
def ones_in(word: Any) -> Scalar:
    """Count the bits set (partial sums; LLVM makes it one instruction)."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@inner
def apply_table(table: int, a: Words, b: Words, out: Words) -> None:
    """Write the function ``table`` of two signals into ``out``, by its algebraic normal form."""
    t0, t1, t2, t3 = table & 1, table >> 1 & 1, table >> 2 & 1, table >> 3 & 1
    c0 = _FULL if t0 else _NONE
    c1 = _FULL if t0 ^ t1 else _NONE
    c2 = _FULL if t0 ^ t2 else _NONE
    c3 = _FULL if t0 ^ t1 ^ t2 ^ t3 else _NONE
    for w in range(out.size):
        out[w] = c0 ^ (a[w] & c1) ^ (b[w] & c2) ^ (a[w] & b[w] & c3)


@inner
def gate_cost(s: State, table: int, a: int, b: int) -> Scalar:
    """Return the cost of a gate; its static power takes the operands as independent, as the netlist's estimate does."""
    cost = s.area[table]
    if s.watts[NOT, 1] == 0.0:
        return cost
    p, q = s.nodes[a].ones / s.rows, s.nodes[b].ones / s.rows
    w = s.watts[table]
    return cost + np.int64((1 - q) * ((1 - p) * w[0] + p * w[1]) + q * ((1 - p) * w[2] + p * w[3]))


@inner
def reprice(s: State, gate: int) -> None:
    """Bring a live gate's cost up to date."""
    node = s.nodes[gate]
    cost = gate_cost(s, node.table, node.a, node.b)
    s.counts[COST] += cost - node.cost
    node.cost = cost


@inner
def connect(s: State, pin: int, signal: int) -> None:
    """Add ``pin`` to the readers of ``signal``."""
    node = s.nodes[signal]
    if node.readers == 0 and signal < s.first_gate:
        s.counts[COST] += node.cost
    head = node.first_pin
    s.links[pin, 0], s.links[pin, 1] = head, -1
    if head >= 0:
        s.links[head, 1] = pin
    node.first_pin = pin
    node.readers += 1


@inner
def disconnect(s: State, pin: int, signal: int) -> None:
    """Remove ``pin`` from the readers of ``signal``."""
    node = s.nodes[signal]
    after, before = s.links[pin, 0], s.links[pin, 1]
    if before >= 0:
        s.links[before, 0] = after
    else:
        node.first_pin = after
    if after >= 0:
        s.links[after, 1] = before
    node.readers -= 1
    if node.readers == 0 and signal < s.first_gate:
        s.counts[COST] -= node.cost


@inner
def connect_gate(s: State, gate: int, table: int, a: int, b: int) -> None:
    """Give ``gate`` its function and operands, and price it."""
    node = s.nodes[gate]
    node.table, node.a, node.b = table, a, b
    connect(s, 2 * gate, a)
    if table != NOT:
        connect(s, 2 * gate + 1, b)
    node.cost = gate_cost(s, table, a, b)
    s.counts[COST] += node.cost


@inner
def disconnect_gate(s: State, gate: int) -> None:
    """Take ``gate``'s operands and its cost away."""
    node = s.nodes[gate]
    disconnect(s, 2 * gate, node.a)
    if node.table != NOT:
        disconnect(s, 2 * gate + 1, node.b)
    s.counts[COST] -= node.cost
    node.cost = 0


@inner
def add_gate(s: State, table: int, a: int, b: int) -> Scalar:
    """Add a gate in a free slot (there must be one) and return it; its value is still to be filled in."""
    s.counts[FREE] -= 1
    gate = s.free[s.counts[FREE]]
    node = s.nodes[gate]
    node.first_pin, node.readers = -1, 0
    node.place = s.counts[LIVE]
    s.live[node.place] = gate
    s.counts[LIVE] += 1
    connect_gate(s, gate, table, a, b)
    node.level = 1 + max(s.nodes[a].level, s.nodes[b].level)
    return gate


@inner
def remove_dead(s: State, signal: int) -> None:
    """Free ``signal`` if it is a gate that nothing reads, and then its operands, and so on."""
    top = 0
    s.stack[top] = signal
    while top >= 0:
        gate = s.stack[top]
        top -= 1
        node = s.nodes[gate]
        if gate < s.first_gate or node.readers > 0 or node.place < 0:
            continue
        disconnect_gate(s, gate)
        s.counts[LIVE] -= 1
        last = s.live[s.counts[LIVE]]
        s.live[node.place] = last
        s.nodes[last].place = node.place
        node.place = -1
        s.free[s.counts[FREE]] = gate
        s.counts[FREE] += 1
        s.stack[top + 1], s.stack[top + 2] = node.a, node.b
        top += 2


@inner
def relevel(s: State, gate: int) -> None:
    """Bring the level of ``gate`` and of what depends on it up to date."""
    gates = 2 * s.nodes.size
    top = 0
    s.stack[top] = gate
    while top >= 0:
        gate = s.stack[top]
        top -= 1
        node = s.nodes[gate]
        level = 1 + max(s.nodes[node.a].level, s.nodes[node.b].level)
        if level == node.level:
            continue
        node.level = level
        pin = node.first_pin
        while pin >= 0:
            if pin < gates:
                reader = s.nodes[pin >> 1]
                if reader.level != 1 + max(s.nodes[reader.a].level, s.nodes[reader.b].level):
                    top += 1
                    s.stack[top] = pin >> 1
            pin = s.links[pin, 0]


@inner
def rewrite(s: State, gate: int, table: int, a: int, b: int) -> None:
    """Make ``gate`` the function ``table`` of ``a`` and ``b``, which do not depend on it."""
    node = s.nodes[gate]
    old_a, old_b = node.a, node.b
    disconnect_gate(s, gate)
    connect_gate(s, gate, table, a, b)
    remove_dead(s, old_a)
    remove_dead(s, old_b)
    relevel(s, gate)


@inner
def move_pin(s: State, pin: int, old: int, new: int) -> None:
    """Let ``pin`` read ``new`` in place of ``old``; costs and levels are still to be brought up to date."""
    disconnect(s, pin, old)
    connect(s, pin, new)
    if pin >= 2 * s.nodes.size:
        s.outputs[pin - 2 * s.nodes.size] = new
        return
    node = s.nodes[pin >> 1]
    if node.table == NOT:
        node.a = node.b = new
    elif pin & 1:
        node.b = new
    else:
        node.a = new


@inner
def simple_form(node: Any) -> tuple[int, int]:
    """Simplify a gate with a constant operand, or the same one twice, to (signal, inverted), or else (-1, 0).

    A constant is signal 0 or 1.
    """
    table, a, b = node.table, node.a, node.b
    if table == NOT:
        return (1 - a, 0) if a < 2 else (-1, 0)
    if a == b:
        low, high, x = table & 1, table >> 3 & 1, a
    elif a < 2:
        low, high, x = table >> a & 1, table >> (2 + a) & 1, b
    elif b < 2:
        low, high, x = table >> (2 * b) & 1, table >> (2 * b + 1) & 1, a
    else:
        return -1, 0
    if low == high:
        return low, 0
    if x < 2:
        return x ^ low, 0
    return x, low


@inner
def move_readers(s: State, old: int, new: int, top: int) -> int:
    """Let all pins of ``old`` read ``new``; push their gates on the stack above ``top`` and return its new top."""
    gates = 2 * s.nodes.size
    pin = s.nodes[old].first_pin
    while pin >= 0:
        after = s.links[pin, 0]
        move_pin(s, pin, old, new)
        if pin < gates:
            gate = pin >> 1
            reprice(s, gate)
            relevel(s, gate)
            if s.nodes[gate].freed != WAITING:
                s.nodes[gate].freed = WAITING
                top += 1
                s.stack[top] = gate
        pin = after
    return top


@inner
def substitute(s: State, old: int, new: int) -> None:
    """Let every reader of ``old`` read ``new``, of the same value; remove gates that become trivial."""
    bottom = s.stack.size // 2  # the lower half belongs to the functions called here
    top = move_readers(s, old, new, bottom)
    remove_dead(s, old)
    while top > bottom:
        gate = s.stack[top]
        top -= 1
        node = s.nodes[gate]
        node.freed = 0
        signal, inverted = simple_form(node)
        if node.place < 0 or signal < 0:
            continue
        if inverted:
            rewrite(s, gate, NOT, signal, signal)
        else:
            top = move_readers(s, gate, signal, top)
            remove_dead(s, gate)


@inner
def inverted_cost(s: State, gate: int) -> tuple[int, bool]:
    """Return the rise in cost of turning ``gate`` into its complement, all its readers following.

    The second value is whether it can be done: an output that reads it must not change.
    """
    node = s.nodes[gate]
    more = (0 if node.table == NOT else s.area[15 ^ node.table]) - s.area[node.table]
    pin = node.first_pin
    while pin >= 0:
        if pin >= 2 * s.nodes.size:
            return 0, False
        reader = s.nodes[pin >> 1]
        if reader.table == NOT:
            more -= s.area[NOT]
        elif reader.a == reader.b:
            return 0, False
        else:
            more += s.area[flip_operand(reader.table, pin & 1)] - s.area[reader.table]
        pin = s.links[pin, 0]
    return more, True


@inner
def flip_operand(table: int, side: int) -> int:
    """Return ``table`` with its left (0) or right (1) operand inverted."""
    if side == 0:
        return (table & 0b0101) << 1 | (table & 0b1010) >> 1
    return (table & 0b0011) << 2 | (table & 0b1100) >> 2


@inner
def invert(s: State, gate: int) -> None:
    """Turn ``gate`` into its complement: its readers absorb that, and inverters behind it and in it go."""
    node = s.nodes[gate]
    inverters = 0
    pin = node.first_pin
    while pin >= 0:
        reader = s.nodes[pin >> 1]
        if reader.table == NOT:
            s.dirty[inverters] = pin >> 1
            inverters += 1
        else:
            reader.table = flip_operand(reader.table, pin & 1)
        pin = s.links[pin, 0]
    source = node.a if node.table == NOT else gate
    if source == gate:
        node.table = 15 ^ node.table
        value = s.value[gate]
        for w in range(value.size):
            value[w] = ~value[w] & s.valid[w]
        node.ones = s.rows - node.ones
        reprice(s, gate)
    node.readers += 1  # it must outlive its readers
    for k in range(inverters):  # not inverters that are made now: they invert the new signal
        substitute(s, s.dirty[k], source)
    pin = node.first_pin
    while pin >= 0:
        if pin < 2 * s.nodes.size:
            reprice(s, pin >> 1)
        pin = s.links[pin, 0]
    node.readers -= 1
    if source == gate:
        remove_dead(s, gate)
    else:
        substitute(s, gate, source)


@inner
def recount(s: State) -> None:
    """Judge the rows anew from the output bits."""
    right = s.right
    for w in range(right.size):
        right[w] = s.valid[w]
    for k in range(s.outputs.size):
        value, wanted = s.value[s.outputs[k]], s.labels[k]
        for w in range(right.size):
            right[w] &= ~(value[w] ^ wanted[w])
    correct = 0
    for w in range(right.size):
        correct += ones_in(right[w])
    s.counts[CORRECT] = correct


@inner
def count_ones(s: State, signal: int) -> None:
    """Bring the number of rows in which ``signal`` is 1 up to date."""
    value = s.value[signal]
    total = 0
    for w in range(value.size):
        total += ones_in(value[w] & s.valid[w])
    s.nodes[signal].ones = total


@compiled
def load(s: State, table: Ints, operands: Ints, outputs: Ints) -> None:
    """Fill an empty state with a netlist, simulate it, and drop what no output needs."""
    first = s.first_gate
    for signal in range(first):
        count_ones(s, signal)
    for k in range(table.size):
        a, b = operands[k, 0], operands[k, 1]
        gate = add_gate(s, table[k], a, b)
        apply_table(table[k], s.value[a], s.value[b], s.value[gate])
        count_ones(s, gate)
    for k in range(outputs.size):
        s.outputs[k] = outputs[k]
        connect(s, 2 * s.nodes.size + k, outputs[k])
    for gate in range(first + table.size - 1, first - 1, -1):
        remove_dead(s, gate)
    recount(s)
