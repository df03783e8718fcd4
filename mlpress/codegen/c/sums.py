"""Straight-line C: sums of signed, masked, shifted values, and what activations make of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mlpress.codegen.c.text import fast_type, number, signed_type, table, wrapped
from mlpress.ir import Activation, Clamp, Interval, Ladder, QRelu

LONG_LADDER = 6
"""Thresholds from which on a ladder is a table that is searched."""


class Operand(NamedTuple):
    """``sign * ((variable & mask) << shift)``, with ``mask`` ``None`` for all bits; ``high`` is the largest value."""

    variable: str
    mask: int | None
    shift: int
    sign: int
    high: int


def bound(operands: Sequence[Operand], constant: int) -> int:
    """Return what no partial sum of ``operands`` and ``constant`` exceeds in magnitude, in any order."""
    return abs(constant) + sum(one.high << one.shift for one in operands)


KEEP_MACRO = """\
#if defined(__GNUC__)
#define MLPRESS_KEEP(v) __asm__("" : "+r"(v))
#else
#define MLPRESS_KEEP(v) ((void)0)
#endif
"""
"""Hides how a value was made.  Compilers else gather doublings and additions into a product, which is a call of a
library's function where there is no multiply instruction, and clang turns short branches into longer code without."""


def sum_lines(name: str, operands: Sequence[Operand], constant: int, keep: bool = False) -> tuple[str, list[str]]:
    """Return the type of the sum ``name``, and the lines that compute it.

    Operands stand together by their shifts, the largest first, and the sum is doubled between them (Horner's
    scheme), so that a sum needs no more shifts than its widest weight has bits.  ``keep`` hides them from
    compilers, one by one (:data:`KEEP_MACRO`); 64-bit sums are always hidden, since a product of them is a call too.
    """
    kind = fast_type(bound(operands, constant))
    if not operands:
        return kind, [f"    const {kind} {name} = {number(constant)};"]
    by_shift: dict[int, list[Operand]] = {}
    for one in operands:
        by_shift.setdefault(one.shift, []).append(one)
    shifts = sorted(by_shift, reverse=True)
    lines: list[str] = []
    kept = [f"    MLPRESS_KEEP({name});"] if keep or kind == "int64_t" else []
    for k, shift in enumerate(shifts):
        ordered = sorted(by_shift[shift], key=lambda one: -one.sign)
        words = [f"{'-' if one.sign < 0 else '+'} {_atom(one)}" for one in ordered]
        if k == 0:
            words[0] = words[0].removeprefix("+ ").replace("- ", "-")
            head = f"{kind} {name} ="
        else:
            head = f"{name} = ({name} * {number(1 << (shifts[k - 1] - shift))})"
        if k == len(shifts) - 1 and shift == 0 and constant:
            words.append(f"{'-' if constant < 0 else '+'} {number(abs(constant))}")
        words[-1] += ";"
        lines += [*wrapped([head, *words]), *kept]
    last = shifts[-1]
    if last:
        tail = f" {'-' if constant < 0 else '+'} {number(abs(constant))}" if constant else ""
        lines.append(f"    {name} = ({name} * {number(1 << last)}){tail};")
        lines += kept
    return kind, lines


def _atom(one: Operand) -> str:
    return one.variable if one.mask is None else f"({one.variable} & {one.mask})"


def activation_lines(name: str, source: str, kind: str, activation: Activation | Clamp, total: Interval) -> list[str]:
    """Return the lines that define ``name`` as ``activation`` of the sum ``source`` of the type ``kind``."""
    match activation:
        case QRelu(shift=shift, bits=bits):
            return activation_lines(name, source, kind, Clamp(shift, 0, (1 << bits) - 1), total)
        case Clamp(shift=shift, base=base, top=top):
            word = fast_type(base + top)
            shifted = source if shift == 0 else f"({source} >> {shift})"
            limit = (top + 1) << shift
            if total.high >= limit:
                shifted = f"(({source} >= {number(limit)}) ? {number(top)} : {shifted})"
            if total.low < 0:
                shifted = f"(({source} < 0) ? 0 : {shifted})"
            moved = f"({base} + {shifted})" if base else shifted
            return [f"    const {word} {name} = ({word}){moved};"]
        case Ladder(thresholds=thresholds):
            certain = sum(t <= total.low for t in thresholds)
            reached = [t for t in thresholds if total.low < t <= total.high]
            word = fast_type(len(thresholds))
            terms = [f"(({source} >= {number(t)}) ? 1 : 0)" for t in reached]
            words = [" + ".join(([str(certain)] if certain else []) + terms[:1]), *[f"+ {one}" for one in terms[1:]]]
            words[-1] += ";"
            return wrapped([f"const {word} {name} =", *words])
        case _:
            raise AssertionError("a raw sum has no activation")


def long_ladder(prefix: str, thresholds: Sequence[int], total: Interval) -> tuple[list[str], int, int, str]:
    """Return a table of the thresholds within ``total``, how many are below it, their number and their type."""
    certain = sum(t <= total.low for t in thresholds)
    reached = [t for t in thresholds if total.low < t <= total.high]
    kind = signed_type(reached[0], reached[-1])
    return table(kind, prefix, reached), certain, len(reached), kind
