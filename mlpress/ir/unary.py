"""Circuits that read comparators: from binary codes to unary ones, and without levels that nothing reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from mlpress.errors import MlpressError
from mlpress.ir.circuit import Circuit, CircuitBuilder, swept
from mlpress.ir.limits import UNARY_LEVELS
from mlpress.ir.net import Input


class Reach(NamedTuple):
    """Where a level of an input begins, on the scale of ``value * scale + offset``.

    The place ``at`` reaches it, or where ``strict`` only what is beyond.  ``full`` is the full scale.
    """

    at: float
    strict: bool
    full: float


def level_reach(feature: Input, level: int) -> Reach:
    """Return where ``level`` of an input begins: at ``level`` (floor), or ``level - 0.5`` (round half to even).

    Exactly that half is enough for an even level alone.
    """
    if feature.rounding == "floor":
        return Reach(float(level), False, float(1 << feature.bits))
    return Reach(level - 0.5, level % 2 == 1, float((1 << feature.bits) - 1))


def unary_inputs(inputs: Sequence[Input]) -> tuple[Input, ...]:
    """Return the same inputs, received as one bit per level; where none has any level, they stay as they are.

    Raises :class:`MlpressError` where one has more levels than a unary input may have.
    """
    for feature in inputs:
        if len(feature.reached) > UNARY_LEVELS:
            raise MlpressError(
                f"input {feature.name!r} has {len(feature.reached)} levels, a unary one at most {UNARY_LEVELS}: take "
                "fewer input bits, or a binary interface"
            )
    if not any(feature.reached for feature in inputs):
        return tuple(inputs)
    return tuple(replace(feature, interface="unary") for feature in inputs)


def unary(circuit: Circuit) -> Circuit:
    """Return the same function of codes with unary inputs: each code bit that is read is encoded from the levels.

    A code bit is the exclusive or of the levels at which it changes, and since every lower level is reached where a
    higher one is, it is also ``level 1 and not level 2, or level 3 and not level 4, ...``, which is what is built.
    """
    inputs = unary_inputs(circuit.inputs)
    if inputs == circuit.inputs:
        return circuit
    builder = CircuitBuilder(inputs)
    literals = [0]
    for k, feature in enumerate(circuit.inputs):
        reached = dict(zip(inputs[k].reached, builder.input(k), strict=True))
        if feature.interface == "unary":
            literals += list(reached.values())
        else:
            literals += [_code_bit(builder, reached, bit) for bit in range(feature.bits)]
    for a, b in circuit.ands.tolist():
        literals.append(builder.both(literals[a >> 1] ^ a & 1, literals[b >> 1] ^ b & 1))
    outputs = [tuple(literals[x >> 1] ^ x & 1 for x in word) for word in circuit.outputs]
    return builder.circuit(outputs, circuit.classes, circuit.scores)


def _code_bit(builder: CircuitBuilder, reached: dict[int, int], bit: int) -> int:
    """Return one bit of the code from the literals of the levels."""
    changes, before = [], 0
    for level, literal in reached.items():
        if (level ^ before) >> bit & 1:
            changes.append(literal)
        before = level
    found = 0
    for k in range(0, len(changes), 2):
        beyond = changes[k + 1] if k + 1 < len(changes) else 0
        found = builder.either(found, builder.both(changes[k], beyond ^ 1))
    return found


def without_unread(circuit: Circuit) -> Circuit:
    """Return the same function of features without the levels of unary inputs that nothing reads.

    One port stays where none is read: a circuit has an input bit.
    """
    first = 1 + circuit.input_bits
    ands, outputs = swept(first, circuit.ands, circuit.outputs)
    read = np.zeros(first + len(ands), np.bool_)
    read[ands.reshape(-1) >> 1] = True
    read[[x >> 1 for word in outputs for x in word]] = True
    kept, inputs, variable = [True], list[Input](), 1
    for feature in circuit.inputs:
        if feature.interface == "binary":
            inputs.append(feature)
            kept += [True] * feature.width
        else:
            keep = read[variable : variable + feature.width].tolist()
            levels = tuple(level for level, stays in zip(feature.reached, keep, strict=True) if stays)
            inputs.append(replace(feature, levels=levels))
            kept += keep
        variable += feature.width
    if sum(kept) == 1:
        k = next(k for k, feature in enumerate(circuit.inputs) if feature.width)
        inputs[k] = replace(inputs[k], levels=(circuit.inputs[k].reached[0],))
        kept[1 + sum(feature.width for feature in circuit.inputs[:k])] = True
    renumbered = np.cumsum([*kept, *[True] * len(ands)], dtype=np.int64) - 1
    gates = (2 * renumbered[ands >> 1] + (ands & 1)).astype(np.int32).reshape(-1, 2)
    words = tuple(tuple(int(2 * renumbered[x >> 1] + (x & 1)) for x in word) for word in outputs)
    return replace(circuit, inputs=tuple(inputs), ands=gates, outputs=words)
