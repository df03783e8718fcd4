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
Scratch = tuple[Ints, Words, Ints, Ints]
"""Working arrays of a visit: candidates, their planes and scores, and the way drawn."""

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
        ("doomed", np.int64),
        ("ones", np.int64),
        ("cost", np.int64),
    ]
)
"""What is known of a signal.

``level`` is 0 for inputs and one more than that of the higher operand for gates; ``first_pin`` heads the list of
the ``readers``; ``place`` is the gate's position in the list of live gates, -1 where the slot is free.  ``above``,
``dirty``, ``queued`` and ``doomed`` hold the number of the last visit that marked the signal so: it depends on the
visited one, it changes with it, it waits to be simulated, it dies without it.  ``next`` links a queue.  ``ones``
counts the rows in which it is 1, and ``cost`` is what the gate costs; an input's is its price, which counts while
anything reads it.
"""

LIVE, FREE, VISIT, CORRECT, COST, VISITS, MOVES, ACCEPTED = range(8)
"""Positions in ``State.counts``."""


class State(NamedTuple):
    """The arrays of a chain, for ``S`` slots, ``W`` words of rows and ``K`` output bits.

    ``value`` (S, W) is every signal in every row.  ``flipped`` (S + 1, W) is what it would be with the visited
    signal inverted; its last row is scratch.  ``labels`` (K, W) are the wanted output bits, ``valid`` (W,) has a one
    for every row, ``right`` (W,) for every row classified correctly.  ``wish`` (2, W) and ``care`` (W,) say what the
    rows want of the visited signal.  ``live``, ``free``, ``dirty`` and ``stack`` are lists, ``queues`` has a queue a
    level.  ``area`` (16,) is the cost of a function, ``watts`` (16, 4) what a state adds, ``seed`` (1,) the state of
    the random numbers.
    """

    nodes: NDArray[Any]
    links: Ints
    outputs: Ints
    value: Words
    flipped: Words
    labels: Words
    valid: Words
    right: Words
    wish: Words
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
