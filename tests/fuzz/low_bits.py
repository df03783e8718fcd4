"""Random networks of few bits: read as their exporter means them, or refused; a case is the seed of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

from fuzz.kind import Kind
from support.lowbit_engines import case, check_codes, check_single_precision

ROWS = 20
FIRST = 1_000
"""Those below are a test's own."""


def seeds() -> Sequence[bytes]:
    return (b"1000", b"1001")


def mutate(rng: Random, data: bytes, other: bytes) -> bytes:
    return str(rng.randrange(FIRST, 1 << 48)).encode()


def read(data: bytes, folder: Path) -> None:
    one = case(int(data), ROWS, any_rounding=True)
    check_codes(one)
    if one.seed % 2:
        check_single_precision(one)


KIND = Kind("lowbit", seeds, mutate, read)
