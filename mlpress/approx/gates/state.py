"""The working state of one chain: a netlist in arrays that compiled kernels edit in place.

Signals are those of :mod:`mlpress.approx.gates.genome`; gates live in slots, in no order.  A *pin* is a place that
reads a signal: ``2 * gate`` and ``2 * gate + 1`` are a gate's operands (an inverter has the first alone), and
``2 * slots + k`` is output bit ``k``.  The pins that read a signal form a linked list.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

# What kernels take, named for the reader; numba infers and checks the types.
Ints: TypeAlias = Any  # array of int64
Words: TypeAlias = Any  # array of uint64
Scalar: TypeAlias = Any  # a number
Choice: TypeAlias = Any  # a record of CHOICE

CHOICE = np.dtype([(name, np.int64) for name in ("kind", "table", "x", "y", "inner_table", "z")])
"""How a visited signal is made anew: ``kind`` is one of those of :mod:`mlpress.approx.gates.choice`, and the others are
``table(x, y)`` or ``table(x, inner_table(y, z))``.
"""


class Scratch(NamedTuple):
    """Working arrays of a visit, for ``C`` candidates and ``W`` words of rows.

    ``candidates`` (C,) are signals; ``planes`` (C + 1, W) are their values in the words that care, side by side, and
    one plane more; ``scores`` (C,) are theirs.  ``choice`` :data:`CHOICE` (1,) is what was drawn.
    """

    candidates: Ints
    planes: Words
    scores: Ints
    choice: NDArray[Any]


NODE = np.dtype(
    [
        ("table", np.int64),
        ("a", np.int64),
        ("b", np.int64),
        ("level", np.int64),
        ("first_pin", np.int64),
        ("readers", np.int64),
        ("place", np.int64),
        ("above", np.int64),
        ("dirty", np.int64),
        ("queued", np.int64),
        ("next", np.int64),
        ("freed", np.int64),
        ("ones", np.int64),
        ("cost", np.int64),
    ]
)
"""Record of a signal.

``level`` is 0 for inputs and one more than that of the higher operand for gates; ``first_pin`` heads the list of the
``readers``; ``place`` is the gate's position in the list of live gates, -1 where the slot is free.  ``above``,
``dirty``, ``queued`` and ``freed`` hold the number of the last visit that marked the signal so: it depends on the
visited one, it changes with it, it waits to be simulated, nothing else needs it.  ``next`` links a queue.  ``ones``
counts the rows in which it is 1, and ``cost`` is the gate's cost; an input's is its price, which counts while anything
reads it.
"""

LIVE, FREE, VISIT, CORRECT, COST, VISITS, MOVES, ACCEPTED = range(8)
"""Positions in ``State.counts``."""


class State(NamedTuple):
    """The arrays of a chain, for ``S`` slots, ``W`` words of rows and ``K`` output bits.

    ``value`` (S, W) is every signal in every row.  ``flipped`` (S + 1, W) are the values with the visited signal
    inverted; its last row is scratch.  ``labels`` (K, W) are the wanted output bits, ``valid`` (W,) has a one for every
    row, ``right`` (W,) for every row classified correctly.  ``care`` (W,) are the words with rows that care for the
    visited signal, and ``row_gain`` (2, W) has, word by word, the rows that are right with a 1 alone and those that are
    right with a 0 alone.  ``live``, ``free``, ``dirty`` and ``stack`` are lists, ``queues`` has one queue per level.
    ``area`` (16,) is the cost of a function, ``watts`` (16, 4) the power that a state adds to it, ``seed`` (1,) the
    state of the random numbers.
    """

    nodes: NDArray[Any]
    links: Ints
    outputs: Ints
    value: Words
    flipped: Words
    labels: Words
    valid: Words
    right: Words
    row_gain: Words
    care: Ints
    live: Ints
    free: Ints
    dirty: Ints
    stack: Ints
    queues: Ints
    area: Ints
    watts: NDArray[np.float64]
    seed: Words
    counts: Ints
    first_gate: int
    rows: int
