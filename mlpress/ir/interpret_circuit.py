"""The reference interpreter of the bit level: what a circuit means.

Slow and obvious on purpose; everything fast is tested against it.  A signal is a Python integer with one bit per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.ir.circuit import Circuit
from mlpress.ir.interpret import check_codes
from mlpress.ir.model import Ints


@dataclass(frozen=True, slots=True, eq=False)
class CircuitTrace:
    """Every value of a run.

    ``signals`` holds each variable's value as a Python integer with bit ``r`` for row ``r``; ``words`` is int64
    (rows, outputs); ``decision`` is the class index, int64 (rows,), or ``None`` for a regression.
    """

    signals: list[int]
    words: Ints
    decision: Ints | None


def interpret_circuit(circuit: Circuit, codes: NDArray[Any]) -> CircuitTrace:
    """Run a verified ``circuit`` on input codes (rows, inputs)."""
    rows = check_codes(circuit, codes).tolist()
    ones = (1 << len(rows)) - 1
    signals = [0]
    for k, feature in enumerate(circuit.inputs):
        if feature.interface == "unary":
            signals += [sum((row[k] >= level) << r for r, row in enumerate(rows)) for level in feature.reached]
        else:
            signals += [sum((row[k] >> bit & 1) << r for r, row in enumerate(rows)) for bit in range(feature.bits)]

    def value(literal: int) -> int:
        return signals[literal >> 1] ^ (ones if literal & 1 else 0)

    for a, b in circuit.ands.tolist():
        signals.append(value(a) & value(b))
    signed = circuit.scores is not None
    columns = [_numbers([value(literal) for literal in word], len(rows), signed) for word in circuit.outputs]
    words = np.array(columns, np.int64).T.reshape(len(rows), len(columns))
    return CircuitTrace(signals, words, None if signed else words[:, 0])


def _numbers(bits: Sequence[int], rows: int, signed: bool) -> list[int]:
    """Return the integer of each row, its bits the least significant first."""
    top = len(bits) - 1
    weights = [-(1 << k) if signed and k == top else 1 << k for k in range(len(bits))]
    return [sum(weight * (bit >> r & 1) for weight, bit in zip(weights, bits, strict=True)) for r in range(rows)]
