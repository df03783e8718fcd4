"""The packed-bit engine: 64 rows in a machine word, one word operation per gate.

A :class:`Program` is a straight line of two-input gates and one-row delays.  Mapped netlists and
and-inverter graphs both lower to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.jit import compiled
from mlpress.progress import counted

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

DELAY = 16
"""The operation "the left operand one row earlier" (0 in the first row): a flip-flop of a pipeline."""
AND, OR, XOR, NOT, COPY = 0b1000, 0b1110, 0b0110, 0b0101, 0b1010
"""Truth tables: bit ``a + 2 * b`` is the output for operands ``a`` and ``b``."""

_BLOCK = 1 << 17
"""Words that one block of rows keeps at a time (1 MiB: it should stay in the cache)."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Signal 0 is the constant 0; signals 1 .. ``inputs`` are inputs; gate ``k`` makes signal ``1 + inputs + k``.

    Gate ``k`` is the truth table ``operation[k]`` (uint8, 0..15) of signals ``left[k]`` and ``right[k]``
    (int32), or :data:`DELAY`.  Operands come earlier in the line; only a delay may read a later signal, and
    a program with such feedback runs row by row instead of 64 rows at a time.
    """

    inputs: int
    operation: NDArray[np.uint8]
    left: NDArray[np.int32]
    right: NDArray[np.int32]

    @classmethod
    def of_ands(cls, inputs: int, ands: NDArray[np.int32]) -> Program:
        """Return the program of an and-inverter graph: ``ands`` int32 (gates, 2) are the literals that each reads."""
        left, right = ands[:, 0], ands[:, 1]
        states = np.arange(4)
        one = (states[:, None] & 1) ^ (left & 1) & 1
        two = (states[:, None] >> 1) ^ (right & 1) & 1
        tables = ((one & two) << states[:, None]).sum(axis=0).astype(np.uint8)
        return cls(inputs, tables, left >> 1, right >> 1)

    def __post_init__(self) -> None:
        if np.any(self.operation > DELAY):
            raise MlpressError("a packed program has an unknown operation")
        limits = np.arange(len(self.operation)) + 1 + self.inputs
        for operand, limit in (
            (self.left, np.where(self.operation == DELAY, self.signals, limits)),
            (self.right, limits),
        ):
            if len(operand) != len(limit) or np.any(operand < 0) or np.any(operand >= limit):
                raise MlpressError("a packed program has a gate that reads a later signal; sort it first")

    @property
    def signals(self) -> int:
        """The constant, the inputs and the gates."""
        return 1 + self.inputs + len(self.operation)

    @property
    def feedback(self) -> bool:
        """Whether a delay reads a later signal."""
        return bool(np.any(self.left > np.arange(len(self.operation)) + self.inputs))


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """How often each signal was 1, and how often it changed from a row to the next: int64 (signals,)."""

    rows: int
    ones: Integers
    toggles: Integers


def pack(bits: NDArray[np.bool_]) -> Words:
    """Pack rows as words: bool (..., rows) -> uint64 (..., ceil(rows / 64)), row 0 in bit 0 of word 0."""
    rows = bits.shape[-1]
    packed = np.packbits(bits, axis=-1, bitorder="little")
    padded = np.zeros((*bits.shape[:-1], 8 * -(-rows // 64)), np.uint8)
    padded[..., : packed.shape[-1]] = packed
    return padded.view("<u8").astype(np.uint64, copy=False)


def unpack(words: Words, rows: int) -> NDArray[np.bool_]:
    """Undo :func:`pack`: uint64 (..., words) -> bool (..., rows)."""
    data = np.ascontiguousarray(words, "<u8").view(np.uint8)
    return np.unpackbits(data, axis=-1, count=rows, bitorder="little").astype(bool)


def run(program: Program, inputs: Words, outputs: NDArray[np.integer]) -> Words:
    """Return the values of the signals ``outputs``: uint64 (inputs, words) -> uint64 (outputs, words)."""
    inputs = _checked(program, inputs)
    result = np.empty((len(outputs), inputs.shape[1]), np.uint64)
    for start, stop, values in _blocks(program, inputs):
        result[:, start:stop] = values[outputs]
    return result


def activity(program: Program, inputs: Words, rows: int) -> Activity:
    """Count ones and toggles of every signal over the first ``rows`` rows of ``inputs`` (uint64 (inputs, words))."""
    inputs = _checked(program, inputs)
    if not 0 < rows <= 64 * inputs.shape[1]:
        raise MlpressError(f"the packed inputs hold {counted(64 * inputs.shape[1], 'row')}, not {rows}")
    ones, toggles = np.zeros(program.signals, np.int64), np.zeros(program.signals, np.int64)
    last = np.zeros(program.signals, np.uint64)
    for start, stop, values in _blocks(program, inputs[:, : -(-rows // 64)]):
        _count(values, start, min(rows, 64 * stop) - 64 * start, last, ones, toggles)
    return Activity(rows, ones, toggles)


def _checked(program: Program, inputs: Words) -> Words:
    if inputs.ndim != 2 or len(inputs) != program.inputs:
        raise MlpressError(
            f"the program has {counted(program.inputs, 'input')}; the packed rows have shape {inputs.shape}"
        )
    return np.ascontiguousarray(inputs, np.uint64)


def _blocks(program: Program, inputs: Words) -> Iterator[tuple[int, int, Words]]:
    """Yield (first word, last word, uint64 (signals, words)) of each block; the array is used again."""
    width = max(8, min(inputs.shape[1], _BLOCK // program.signals))
    carry = np.zeros(len(program.operation), np.uint64)
    evaluate = _evaluate_rows if program.feedback else _evaluate
    for start in range(0, inputs.shape[1], width):
        stop = min(start + width, inputs.shape[1])
        values = np.zeros((program.signals, stop - start), np.uint64)
        values[1 : 1 + program.inputs] = inputs[:, start:stop]
        evaluate(values, 1 + program.inputs, program.operation, program.left, program.right, carry)
        yield start, stop, values


@compiled
def _evaluate(
    values: Words,
    first: int,
    operation: NDArray[np.uint8],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    carry: Words,
) -> None:
    """Run the gates; a table becomes its algebraic normal form ``c0 ^ c1 a ^ c2 b ^ c3 a b``."""
    words = values.shape[1]
    full = ~np.uint64(0)
    none = np.uint64(0)
    for gate in range(len(operation)):
        a, b, y = values[left[gate]], values[right[gate]], values[first + gate]
        table = operation[gate]
        if table == 16:
            held = carry[gate]
            for w in range(words):
                y[w] = (a[w] << np.uint64(1)) | held
                held = a[w] >> np.uint64(63)
            carry[gate] = held
            continue
        t0, t1, t2, t3 = table & 1, table >> 1 & 1, table >> 2 & 1, table >> 3 & 1
        c0 = full if t0 else none
        c1 = full if t0 ^ t1 else none
        c2 = full if t0 ^ t2 else none
        c3 = full if t0 ^ t1 ^ t2 ^ t3 else none
        for w in range(words):
            y[w] = c0 ^ (a[w] & c1) ^ (b[w] & c2) ^ (a[w] & b[w] & c3)


@compiled
def _evaluate_rows(
    values: Words,
    first: int,
    operation: NDArray[np.uint8],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    carry: Words,
) -> None:
    """Run the gates row by row; ``carry`` holds what each delay shows next."""
    one = np.uint64(1)
    for w in range(values.shape[1]):
        for bit in range(64):
            at = np.uint64(bit)
            for gate in range(len(operation)):
                table = operation[gate]
                if table == 16:
                    seen = carry[gate]
                else:
                    a = (values[left[gate], w] >> at) & one
                    b = (values[right[gate], w] >> at) & one
                    seen = (np.uint64(table) >> (a | (b << one))) & one
                values[first + gate, w] |= seen << at
            for gate in range(len(operation)):
                if operation[gate] == 16:
                    carry[gate] = (values[left[gate], w] >> at) & one


@compiled
def _ones(word: np.uint64) -> np.int64:
    """Count bits set (the usual tree of partial sums; it compiles to one instruction)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def _count(values: Words, start: int, rows: int, last: Words, ones: Integers, toggles: Integers) -> None:
    """Add the ones and toggles of a block of ``rows`` rows; ``last`` holds each signal's value in the row before."""
    words = (rows + 63) // 64
    tail = ~np.uint64(0) >> np.uint64(64 * words - rows)
    for signal in range(values.shape[0]):
        row = values[signal]
        before = last[signal] if start else row[0] & np.uint64(1)
        total, changed = np.int64(0), np.int64(0)
        for w in range(words):
            mask = tail if w == words - 1 else ~np.uint64(0)
            word = row[w]
            total += _ones(word & mask)
            changed += _ones((word ^ ((word << np.uint64(1)) | before)) & mask)
            before = word >> np.uint64(63)
        last[signal] = before
        ones[signal] += total
        toggles[signal] += changed
