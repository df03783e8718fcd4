"""Cycles of an instruction by a core's table: when it goes on to the next one, and when it jumps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

CONDITIONAL = frozenset({"m4"})
"""Tables of cores that have conditional instructions (Thumb-2's IT)."""


class Cost(NamedTuple):
    """Cycles where the next instruction follows in memory, and where control goes elsewhere."""

    onward: int
    taken: int


class Step(NamedTuple):
    """An instruction: its bytes, its cycles, and how many behind it are conditional (of an IT)."""

    size: int
    cost: Cost
    conditional: int


def cycles_of(trace: Sequence[int], end: int, look: Callable[[int], Step]) -> int:
    """Return the cycles of the instructions at these addresses, in the order in which they ran, up to ``end``.

    ``look`` returns the instruction at an address.  One whose condition failed does not run, but takes a cycle, as
    any instruction does that the core issues.
    """
    total = left = 0
    for address, following in pairwise([*trace, end]):
        size, each, conditional = look(address)
        left = conditional or max(left - 1, 0)
        onward = address + size
        while left and onward != following:
            onward += look(onward).size
            left -= 1
            total += 1
        total += each.onward if onward == following else each.taken
    return total


def conditional(counting: str, code: bytes) -> int:
    """Return how many instructions an IT makes conditional: its mask ends with a 1, so many bits from the top."""
    first = int.from_bytes(code[:2], "little")
    if counting not in CONDITIONAL or first >> 8 != 0xBF or not first & 15:
        return 0
    return 5 - (first & 15 & -(first & 15)).bit_length()


def cost(counting: str, code: bytes) -> Cost:
    """Return the cycles of the instruction ``code`` (2 or 4 bytes, little endian) by the table ``counting``."""
    match counting:
        case "m0plus":
            return _thumb(
                int.from_bytes(code[:2], "little"), int.from_bytes(code[2:], "little"), load=2, store=2, jump=2
            )
        case "m4":
            return _thumb(
                int.from_bytes(code[:2], "little"), int.from_bytes(code[2:], "little"), load=2, store=1, jump=3
            )
        case "riscv":
            return _riscv(int.from_bytes(code, "little"), branch=3, jump=2)
        case "riscv-slow":
            return _riscv(int.from_bytes(code, "little"), branch=3, jump=3)
        case _:
            raise ValueError(f"no table {counting!r}")


def _thumb(first: int, second: int, load: int, store: int, jump: int) -> Cost:
    top = first >> 11
    if top >= 0b11101:
        return _thumb2(first, second, load, store, jump)
    if first & 0xFF87 in {0x4687, 0x4487} or first & 0xFF00 == 0x4700:  # MOV pc, ADD pc, BX, BLX
        return Cost(jump, jump)
    if top == 0b11100:
        return Cost(jump, jump)
    if first >> 12 == 0b1101:
        return Cost(1, jump)
    if first & 0xF500 == 0xB100:  # CBZ, CBNZ (not on M0+)
        return Cost(1, jump)
    if first & 0xF600 == 0xB400:  # PUSH, POP
        count = (first & 0x1FF).bit_count()
        returns = first & 0x0900 == 0x0900
        return Cost(1 + count + (2 if returns else 0), 1 + count + (2 if returns else 0))
    if first >> 12 == 0b1100:
        return Cost(1 + (first & 0xFF).bit_count(), 1)
    if top == 0b01001:
        return Cost(load, load)
    if first >> 12 == 0b0101:
        return Cost(store, store) if first >> 9 & 7 < 3 else Cost(load, load)
    if first >> 12 in {6, 7, 8, 9}:
        loads = bool(first >> 11 & 1)
        return Cost(load, load) if loads else Cost(store, store)
    return Cost(1, 1)


def _thumb2(first: int, second: int, load: int, store: int, jump: int) -> Cost:
    if first >> 11 == 0b11110 and second & 0x8000:
        link = second & 0x5000 == 0x5000
        return Cost(1 if not link else jump, 3 if link else jump)
    if first & 0xFE40 == 0xE800:  # LDM, STM, PUSH.W, POP.W
        count = second.bit_count()
        return Cost(1 + count, 1 + count + jump - 1)
    if first & 0xFE40 == 0xE840:  # LDRD, STRD, table branches
        if first & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000:
            return Cost(load + jump, load + jump)
        return Cost(3, 3)
    if first & 0xFE00 == 0xF800:
        return Cost(load, load + jump) if first & 0x10 else Cost(store, store)
    if first & 0xFFD0 == 0xFB90:  # SDIV, UDIV: 2 to 12
        return Cost(12, 12)
    return Cost(1, 1)


def _riscv(word: int, branch: int, jump: int) -> Cost:
    if word & 3 != 3:
        return _compressed(word & 0xFFFF, branch, jump)
    match word & 0x7F:
        case 0x03 | 0x23:
            return Cost(2, 2)
        case 0x63:
            return Cost(1, branch)
        case 0x6F | 0x67:
            return Cost(jump, jump)
        case 0x33 if word >> 25 == 1:
            return Cost(37, 37) if word >> 14 & 1 else (Cost(1, 1) if word >> 12 & 7 == 0 else Cost(2, 2))
        case _:
            return Cost(1, 1)


def _compressed(word: int, branch: int, jump: int) -> Cost:
    quadrant, kind = word & 3, word >> 13
    match quadrant, kind:
        case (0, 2 | 6) | (2, 2 | 6):
            return Cost(2, 2)
        case (1, 1 | 5):
            return Cost(jump, jump)
        case (1, 6 | 7):
            return Cost(1, branch)
        case (2, 4) if word >> 2 & 31 == 0:
            return Cost(jump, jump)
        case _:
            return Cost(1, 1)
