"""The plain way to evolve an and-inverter graph on rows, compiled: what our engine's speed is held against.

One move rewrites one operand of one gate: to a constant, to the gate's other operand, or to a random earlier literal.
The fan-out cone is simulated again on words of 64 rows, as far as values change; a rejected move is undone by turning
back which of a gate's two buffers is read.  A move is accepted if no fewer rows are right than at the start and
"gates removed + rows gained" passes Metropolis' test.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from mlpress.approx.gates.edits import ones_in
from mlpress.approx.gates.random_numbers import random_below, random_unit
from mlpress.approx.gates.rows import PackedRows
from mlpress.ir import Circuit, Input
from mlpress.jit import inner

LIVE, CORRECT, FLOOR, TRIED, ACCEPTED = range(5)
"""Positions in ``Graph.counts``."""

PINS = 2
"""Operands of a gate; pin ``PINS * gate + side`` reads one, and ``PINS * variables + k`` is output bit ``k``."""


class Graph(NamedTuple):
    """For V variables (constant, inputs, gates in topological order), W words of rows and K output bits.

    ``operands`` (V, 2) and ``outputs`` (K,) are literals, ``2 * variable + inverted``.  ``value`` (V, 2, W) has two
    buffers a variable and ``buffer`` (V,) says which one holds.  ``links`` and ``first`` are lists of the pins that
    read a variable, ``readers`` (V,) their lengths.  ``pending`` has a bit a variable.
    """

    operands: Any
    outputs: Any
    value: Any
    buffer: Any
    links: Any
    first: Any
    readers: Any
    live: Any
    place: Any
    pending: Any
    changed: Any
    stack: Any
    labels: Any
    valid: Any
    seed: Any
    counts: Any
    first_gate: int


def new_graph(circuit: Circuit, rows: PackedRows, seed: int) -> Graph:
    """The graph of ``circuit``, simulated."""
    first_gate, variables = 1 + circuit.input_bits, circuit.variables
    operands = np.zeros((variables, 2), np.int64)
    operands[first_gate:] = circuit.ands
    outputs = np.array(circuit.outputs[0], np.int64)
    value = np.zeros((variables, 2, rows.words), np.uint64)
    value[1:first_gate, 0] = rows.inputs
    graph = Graph(
        operands=operands,
        outputs=outputs,
        value=value,
        buffer=np.zeros(variables, np.int64),
        links=np.full((PINS * variables + len(outputs), 2), -1, np.int64),
        first=np.full(variables, -1, np.int64),
        readers=np.zeros(variables, np.int64),
        live=np.arange(first_gate, variables),
        place=np.arange(variables) - first_gate,
        pending=np.zeros(-(-variables // 64), np.uint64),
        changed=np.zeros(variables, np.int64),
        stack=np.zeros(8 * variables, np.int64),
        labels=rows.labels,
        valid=rows.valid,
        seed=np.array([seed], np.uint64),
        counts=np.zeros(5, np.int64),
        first_gate=first_gate,
    )
    graph.counts[LIVE] = variables - first_gate
    load(graph)
    return graph


def to_circuit(graph: Graph, inputs: tuple[Input, ...], classes: tuple[int | str, ...]) -> Circuit:
    """The graph's live gates as a circuit."""
    live = np.sort(graph.live[: graph.counts[LIVE]])
    number = np.arange(len(graph.operands))
    number[live] = graph.first_gate + np.arange(len(live))
    pairs = 2 * number[graph.operands[live] >> 1] + (graph.operands[live] & 1)
    word = 2 * number[graph.outputs >> 1] + (graph.outputs & 1)
    return Circuit(inputs, pairs.astype(np.int32).reshape(-1, 2), (tuple(word.tolist()),), classes)


@inner
def connect(g: Graph, pin: int, literal: int) -> None:
    variable = literal >> 1
    head = g.first[variable]
    g.links[pin, 0], g.links[pin, 1] = head, -1
    if head >= 0:
        g.links[head, 1] = pin
    g.first[variable] = pin
    g.readers[variable] += 1


@inner
def disconnect(g: Graph, pin: int, literal: int) -> None:
    variable = literal >> 1
    after, before = g.links[pin, 0], g.links[pin, 1]
    if before >= 0:
        g.links[before, 0] = after
    else:
        g.first[variable] = after
    if after >= 0:
        g.links[after, 1] = before
    g.readers[variable] -= 1


@inner
def simulate(g: Graph, gate: int) -> bool:
    """Fill the gate's other buffer; whether it differs from the one that holds."""
    a, b = g.operands[gate, 0], g.operands[gate, 1]
    left, right = g.value[a >> 1, g.buffer[a >> 1]], g.value[b >> 1, g.buffer[b >> 1]]
    old, new = g.value[gate, g.buffer[gate]], g.value[gate, 1 - g.buffer[gate]]
    flip_left, flip_right = np.uint64(0) - np.uint64(a & 1), np.uint64(0) - np.uint64(b & 1)
    different = np.uint64(0)
    for w in range(new.size):
        word = (left[w] ^ flip_left) & (right[w] ^ flip_right)
        different |= word ^ old[w]
        new[w] = word
    return different != 0


@inner
def right_rows(g: Graph) -> int:
    """Rows whose output bits are all as they should be."""
    total = 0
    for w in range(g.valid.size):
        word = g.valid[w]
        for k in range(g.outputs.size):
            literal = g.outputs[k]
            flip = np.uint64(0) - np.uint64(literal & 1)
            word &= ~(g.value[literal >> 1, g.buffer[literal >> 1], w] ^ flip ^ g.labels[k, w])
        total += ones_in(word)
    return total


@inner
def wake_readers(g: Graph, variable: int) -> bool:
    """Make the gates that read ``variable`` pending; whether an output reads it too."""
    output = False
    pin = g.first[variable]
    while pin >= 0:
        reader = pin // PINS
        if reader < g.first.size:
            g.pending[reader >> 6] |= np.uint64(1) << np.uint64(reader & 63)
        else:
            output = True
        pin = g.links[pin, 0]
    return output


@inner
def propagate(g: Graph, gate: int) -> tuple[int, bool]:
    """Simulate the cone of ``gate``; how many variables changed, and whether an output did."""
    count, output = 0, False
    if not simulate(g, gate):
        return 0, False
    g.buffer[gate] ^= 1
    g.changed[0], count = gate, 1
    output |= wake_readers(g, gate)
    for block in range(gate >> 6, g.pending.size):
        while g.pending[block]:
            lowest = g.pending[block] & (~g.pending[block] + np.uint64(1))
            g.pending[block] ^= lowest
            reader = (block << 6) + ones_in(lowest - np.uint64(1))
            if simulate(g, reader):
                g.buffer[reader] ^= 1
                g.changed[count] = reader
                count += 1
                output |= wake_readers(g, reader)
    return count, output


@inner
def release(g: Graph, top: int, undo: bool) -> int:
    """Take one reader from each variable on the stack, and from the operands of those that nothing reads then.

    Returns how many gates nothing reads.  With ``undo`` nothing has changed in the end.
    """
    first, count, removed = 2 * g.first.size, 0, 0
    while top > 0:
        top -= 1
        variable = g.stack[top]
        g.readers[variable] -= 1
        g.stack[first + count] = variable
        count += 1
        if g.readers[variable] == 0 and variable >= g.first_gate:
            removed += 1
            g.stack[top], g.stack[top + 1] = g.operands[variable, 0] >> 1, g.operands[variable, 1] >> 1
            top += 2
    if undo:
        for k in range(count):
            g.readers[g.stack[first + k]] += 1
    return removed


@inner
def remove_dead(g: Graph, variable: int) -> None:
    g.stack[0] = variable
    top = 1
    while top > 0:
        top -= 1
        gate = g.stack[top]
        if gate < g.first_gate or g.readers[gate] > 0 or g.place[gate] < 0:
            continue
        g.counts[LIVE] -= 1
        last = g.live[g.counts[LIVE]]
        g.live[g.place[gate]], g.place[last] = last, g.place[gate]
        g.place[gate] = -1
        for side in range(2):
            literal = g.operands[gate, side]
            disconnect(g, PINS * gate + side, literal)
            g.stack[top] = literal >> 1
            top += 1


@inner
def simple_form(g: Graph, gate: int) -> int:
    """The literal that a gate with a constant operand, or the same variable twice, comes to, or -1."""
    a, b = g.operands[gate, 0], g.operands[gate, 1]
    if a == 0 or b == 0 or a == b ^ 1:
        return 0
    if a == b or a == 1:  # noqa: PLR1714 - numba compiles this better
        return int(b)
    return int(a) if b == 1 else -1


@inner
def substitute(g: Graph, gate: int) -> None:
    """Everything that reads the trivial ``gate`` reads what it comes to; gates that become trivial go too."""
    bottom = 2 * g.first.size
    g.stack[bottom] = gate
    top = bottom + 1
    while top > bottom:
        top -= 1
        gate = g.stack[top]
        literal = simple_form(g, gate)
        while g.first[gate] >= 0:
            pin = g.first[gate]
            disconnect(g, pin, 2 * gate)
            reader, side = pin // PINS, pin % PINS
            if reader >= g.first.size:
                k = pin - PINS * g.first.size
                g.outputs[k] = literal ^ (g.outputs[k] & 1)
                connect(g, pin, g.outputs[k])
                continue
            g.operands[reader, side] = literal ^ (g.operands[reader, side] & 1)
            connect(g, pin, g.operands[reader, side])
            if simple_form(g, reader) >= 0:
                g.stack[top] = reader
                top += 1
        remove_dead(g, gate)


@inner
def draw(g: Graph, gate: int, side: int) -> int:
    """What the gate's operand is rewritten to."""
    kind = random_below(g.seed, 3)
    if kind == 0:
        return int(random_below(g.seed, 2))
    if kind == 1:
        return int(g.operands[gate, 1 - side])
    inputs = g.first_gate - 1
    variable = gate
    while variable >= gate:
        k = random_below(g.seed, inputs + g.counts[LIVE])
        variable = 1 + k if k < inputs else g.live[k - inputs]
    return int(2 * variable + random_below(g.seed, 2))


@inner
def removed_by(g: Graph, gate: int, old: int, simple: int, new: int) -> int:
    """Gates that nothing would read after the move."""
    kept = (simple if simple >= 0 else new) >> 1
    g.readers[kept] += 1
    if simple >= 0:
        g.stack[0], g.stack[1] = g.operands[gate, 0] >> 1, g.operands[gate, 1] >> 1
        removed = 1 + release(g, 2, True)
    else:
        g.stack[0] = old >> 1
        removed = release(g, 1, True)
    g.readers[kept] -= 1
    return removed


@inner
def move(g: Graph, temperature: float) -> None:
    """Try one move."""
    gate = g.live[random_below(g.seed, g.counts[LIVE])]
    side = random_below(g.seed, 2)
    old, new = g.operands[gate, side], draw(g, gate, side)
    if new == old:
        return
    g.counts[TRIED] += 1
    g.operands[gate, side] = new
    simple = simple_form(g, gate)
    changed, output = propagate(g, gate)
    correct = right_rows(g) if output else g.counts[CORRECT]
    accepted = correct >= g.counts[FLOOR]
    if accepted:
        g.operands[gate, side] = old
        worth = removed_by(g, gate, old, simple, new) + correct - g.counts[CORRECT]
        accepted = worth >= 0 or random_unit(g.seed) < np.exp(worth / temperature)
    if not accepted:
        g.operands[gate, side] = old
        for k in range(changed):
            g.buffer[g.changed[k]] ^= 1
        return
    g.counts[ACCEPTED] += 1
    g.counts[CORRECT] = correct
    disconnect(g, PINS * gate + side, old)
    g.operands[gate, side] = new
    connect(g, PINS * gate + side, new)
    if simple >= 0:
        substitute(g, gate)
    remove_dead(g, old >> 1)


@njit
def load(g: Graph) -> None:
    """Connect and simulate all gates."""
    for gate in range(g.first_gate, g.first.size):
        for side in range(2):
            connect(g, PINS * gate + side, g.operands[gate, side])
        simulate(g, gate)
        g.buffer[gate] ^= 1
    for k in range(g.outputs.size):
        connect(g, PINS * g.first.size + k, g.outputs[k])
    for gate in range(g.first.size - 1, g.first_gate - 1, -1):
        remove_dead(g, gate)
    g.counts[CORRECT] = g.counts[FLOOR] = right_rows(g)


@njit
def moves(g: Graph, count: int, temperature: float) -> None:
    """Try ``count`` moves at one temperature."""
    for _ in range(count):
        if g.counts[LIVE] == 0:
            return
        move(g, temperature)
