"""What shared sums cost, in compiled code: adders of pairs and of bit heaps, in tenths of a two-input NAND gate."""

from __future__ import annotations

from typing import Any, TypeAlias

from mlpress.ir.nands import AND, FULL, HALF, HALF_ONE, MAJORITY, OR, PARITY, XOR
from mlpress.jit import inner

Array: TypeAlias = Any
"""What kernels take, int64; numba infers and checks it."""


@inner
def add_pair(words: Array, pair: Array, found: Array) -> None:
    """Write the adder of a pair to ``found``.

    ``pair`` is (first, second, shift of the first, of the second, sign); ``words`` (words, 3) holds each word's
    columns as a mask, its highest value and its offset.  ``found`` (5,) gets cost, bits saved, columns, highest value,
    and offset.
    """
    first = words[pair[0], 0] << pair[2]
    second = words[pair[1], 0] << pair[3]
    high = words[pair[0], 1] << pair[2]
    offset = words[pair[0], 2] << pair[2]
    if pair[4] > 0:
        high += words[pair[1], 1] << pair[3]
        offset += words[pair[1], 2] << pair[3]
    else:  # the complement of the second, which is its columns' ones less it
        high += second
        offset += second - (words[pair[1], 2] << pair[3])
    cost = saved = columns = carry = 0
    rest, column = high, 1
    while rest > 0:
        rest >>= 1
        bits = (1 if first & column else 0) + (1 if second & column else 0)
        saved += bits
        bits += carry
        carry = 0
        if bits:
            columns |= column
            saved -= 1
        if bits == 2:
            cost += HALF if rest else XOR
            carry = 1
        elif bits == 3:
            cost += FULL if rest else PARITY
            carry = 1
        column <<= 1
    found[0], found[1], found[2], found[3], found[4] = cost, saved, columns, high, offset


@inner
def heap_cost(count: Array, constant: int, width: int, unread: int) -> int:
    """Count the adders of a heap with ``count`` bits per column, of whose sum the lowest ``unread`` bits are not
    read."""
    cost = carry = 0
    for column in range(width):
        bits, one = count[column] + carry, constant >> column & 1
        carry = 0
        read, top = column >= unread, column == width - 1
        while bits >= 3:
            bits -= 2
            carry += 1
            cost += PARITY if top else (FULL if read or bits > 1 or one else MAJORITY)
        if bits == 2:
            carry += 1
            if top:
                cost += XOR
            elif one:
                cost += HALF_ONE if read else OR
            else:
                cost += HALF if read else AND
        elif bits == 1 and one:
            carry += 1
    return cost


@inner
def rows_cost(
    terms: Array,
    size: int,
    words: Array,
    ends: Array,
    constants: Array,
    unread: Array,
    count: Array,
    per_column: int,
    idle: int,
) -> int:
    """Return the heaps of all rows, and what stands behind them: ``per_column`` of the widest, less ``idle`` of it for
    a row without terms.
    """
    cost = start = widest = 0
    empty = False
    for r in range(len(constants)):
        low, high = ends[r, 0], ends[r, 1]
        width = 0
        while (high if high > -low - 1 else -low - 1) >> width > 0:
            width += 1
        width += low < 0
        constant = constants[r]
        for k in range(width + 1):
            count[k] = 0
        stop = start
        while stop < size and terms[stop, 0] == r:
            word, shift, sign = terms[stop, 1], terms[stop, 2], terms[stop, 3]
            columns = words[word, 0]
            constant -= sign * (words[word, 2] << shift)
            if sign < 0:
                constant -= columns << shift
            while columns > 0:
                count[shift] += columns & 1
                columns >>= 1
                shift += 1
            stop += 1
        if stop == start:
            empty = True
        else:
            cost += heap_cost(count, constant, width, unread[r])
            widest = max(widest, width)
        start = stop
    return cost + widest * (per_column - (idle if empty else 0))
