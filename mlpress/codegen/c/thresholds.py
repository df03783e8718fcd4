"""Exact float32 thresholds of an input's code.

The code is a monotone step function of the feature, so that it is known once the float32 is known at which each code
begins.  Bit patterns are compared as integers: ``bits ^ 0x7FFFFFFF`` of negative numbers, ``bits`` of others, as
int32, stand in the order of the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpress.ir import Circuit, Input, Net, code_values, encode

FINITE = 0x7F7FFFFF
"""The bit pattern of the largest finite float32."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a float32 becomes a code: ``codes[k]`` from the order number ``starts[k - 1]`` on (ascending), below it
    ``codes[0]``.

    Of a rule with a negative scale the codes fall.
    """

    codes: tuple[int, ...]
    starts: tuple[int, ...]


def order(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order number, int32 in int64, of float32 bit patterns 0 to 2**32 - 1."""
    return np.where(bits >> 31 == 1, (~(bits & 0x7FFFFFFF)), bits)


def unorder(numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the float32 values of order numbers."""
    bits = np.where(numbers < 0, (~numbers & 0x7FFFFFFF) | 0x80000000, numbers)
    return bits.astype(np.uint32).view(np.float32)


def _codes(feature: Input, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    net = Circuit((feature,), np.zeros((0, 2), np.int32), (), ())
    return encode(net, unorder(numbers).astype(np.float64).reshape(-1, 1))[:, 0]


def rule(feature: Input) -> Rule:
    """Return the codes of ``feature`` and where each begins, found by bisection over all finite float32 values.

    Feature values are float32 widened to float64, then scaled as :class:`mlpress.ir.Input` says.
    """
    ends = _codes(feature, np.array([-FINITE - 1, FINITE], np.int64))
    first, last = int(ends[0]), int(ends[1])
    reached = [code for code in code_values(feature) if min(first, last) <= code <= max(first, last)]
    if last < first:
        reached.reverse()
    wanted = np.array(reached[1:], np.int64)
    low = np.full(len(wanted), -FINITE - 1, np.int64)
    high = np.full(len(wanted), FINITE, np.int64)
    sign = -1 if last < first else 1
    while (high - low > 1).any():
        middle = low + (high - low) // 2
        above = _codes(feature, middle) * sign >= wanted * sign
        high = np.where(above, middle, high)
        low = np.where(above, low, middle)
    starts = [int(value) for value in high]
    # a code that no float32 gives has the start of the next one: the later one counts
    kept = [k for k in range(len(starts)) if k == len(starts) - 1 or starts[k] != starts[k + 1]]
    return Rule((reached[0], *(reached[k + 1] for k in kept)), tuple(starts[k] for k in kept))


def rules(program: Net | Circuit) -> tuple[list[Rule], list[int]]:
    """Return the distinct rules of a program's inputs, and for each input the index of its rule."""
    found: list[Rule] = []
    index: dict[tuple[object, ...], int] = {}
    of: list[int] = []
    for feature in program.inputs:
        key = (feature.bits, feature.scale, feature.offset, feature.rounding, feature.levels)
        if key not in index:
            one = rule(feature)
            if one not in found:
                found.append(one)
            index[key] = found.index(one)
        of.append(index[key])
    return found, of
