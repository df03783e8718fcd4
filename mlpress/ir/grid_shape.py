"""Grids as instant-ngp lays them out: the resolution and the table of each level, without any value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from mlpress.errors import MlpressError

GridKind = Literal["hash", "dense", "tiled"]
MOST_SCALE = 1 << 31


class LevelShape(NamedTuple):
    """A level without its values: ``scale`` is a float32 value, ``resolution`` counts vertices along an axis."""

    scale: float
    resolution: int
    entries: int
    hashed: bool


@dataclass(frozen=True, slots=True)
class GridShape:
    """A grid encoding of tiny-cuda-nn without its values.

    ``levels`` resolutions from ``base`` on, each ``growth`` times the one before; ``features`` per entry.  A ``hash``
    grid has ``entries`` entries per level at most, a ``tiled`` one ``base**dimensions``, a ``dense`` one an entry per
    vertex.
    """

    kind: GridKind
    dimensions: int
    levels: int
    features: int
    base: int
    growth: float
    entries: int = 1 << 19

    def level(self, number: int) -> LevelShape:
        """Lay out one level: ``scale = 2**(number * log2(growth)) * base - 1`` in float32.

        Raises :class:`MlpressError` where the scale is beyond 0 to :data:`MOST_SCALE`.
        """
        with np.errstate(over="ignore"):
            grown = np.exp2(np.float32(number) * np.float32(np.log2(self.growth))) * np.float32(self.base)
        scale = float(grown - np.float32(1))
        if not 0 <= scale < MOST_SCALE:
            raise MlpressError(f"level {number} has a scale of {scale:g}; it must be within 0 to {MOST_SCALE}")
        resolution = math.ceil(scale) + 1
        vertices = resolution**self.dimensions
        entries = -(-vertices // 8) * 8
        if self.kind == "hash":
            entries = min(entries, self.entries)
        elif self.kind == "tiled":
            entries = min(entries, int(self.base**self.dimensions))
        return LevelShape(scale, resolution, entries, self.kind == "hash" and entries < vertices)
