"""Rows that a verification runs beside the data: corners, codes drawn over the whole space, and near misses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlpress import ir

RANDOM_ROWS = 256
"""Rows drawn from real values, beyond the ends of each input's range too."""

SECONDS = 2.0
"""Processor time that :func:`worth_rows` is meant to fill."""

MOST_ROWS = 65_536
"""Rows at most, for memory's sake; up to 16 input bits they are all rows that there are."""


def worth_rows(program: ir.Program) -> int:
    """Return how many rows all engines run in about two seconds: a function of the program's size alone."""
    return int(np.clip(SECONDS * 1e6 / ir.row_micros(program), RANDOM_ROWS, MOST_ROWS))


def probe_rows(
    program: ir.Program, seed: int = 0, *, rows: int = RANDOM_ROWS, near: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return corner rows (all low, all high, each input alone at either end) and random ones, as features (rows,
    inputs).

    The first :data:`RANDOM_ROWS` random ones are real values; the rest of ``rows`` are all codes that there are where
    that is enough, else codes from the whole space, corners, and rows of ``near`` (codes, int64 (rows, inputs)) with
    one feature changed.
    """
    rng = np.random.default_rng(seed)
    top = np.array([(1 << feature.bits) - 1 for feature in program.inputs], np.int64)
    alone = np.eye(len(top), dtype=np.int64)
    real = rng.uniform(-1.0, top + 2.0, (RANDOM_ROWS, len(top)))
    corners = [np.zeros((1, len(top)), np.int64), top[None, :], alone * top, top - alone * top]
    return places_of(program, np.concatenate([*corners, real, _codes(rng, top, rows - RANDOM_ROWS, near)]))


def places_of(program: ir.Program, places: NDArray[np.number]) -> NDArray[np.float64]:
    """Return features (rows, inputs) whose place on the scale of codes is ``places``; a whole place gives its own
    code."""
    scale = np.array([feature.scale for feature in program.inputs])
    offset = np.array([feature.offset for feature in program.inputs])
    # Half a code above the edge, so that a code that truncates gives the place itself.
    half = np.array([0.5 if feature.rounding == "floor" else 0.0 for feature in program.inputs])
    return np.where(scale == 0, 0.0, (places + half - offset) / np.where(scale == 0, 1.0, scale))


def _codes(
    rng: np.random.Generator, top: NDArray[np.int64], rows: int, near: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    if rows <= 0:
        return np.zeros((0, len(top)), np.int64)
    bits = sum(int(end).bit_length() for end in top)
    if 1 << bits <= rows + RANDOM_ROWS:
        return _all_codes(top)
    changed, ends = (0 if near is None or not len(near) else rows // 4), rows // 8
    parts = [
        rng.integers(0, top + 1, (rows - changed - ends, len(top))),
        rng.integers(0, 2, (ends, len(top))) * top,
    ]
    if changed and near is not None:
        beside = near[rng.integers(0, len(near), changed)]
        column = rng.integers(0, len(top), changed)
        beside[np.arange(changed), column] = rng.integers(0, top[column] + 1)
        parts.append(beside)
    return np.concatenate(parts)


def _all_codes(top: NDArray[np.int64]) -> NDArray[np.int64]:
    grids = np.meshgrid(*(np.arange(end + 1) for end in top), indexing="ij")
    return np.stack([grid.reshape(-1) for grid in grids], axis=1)
