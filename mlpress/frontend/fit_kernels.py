"""Compiled loops of the trainer: the corners of samples, their values, and the gradients that flow back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.jit import compiled

Singles = NDArray[np.float32]
Uints = NDArray[np.uint32]


@compiled
def corners(x: Singles, scale: float, stride: Uints, hashed: bool, weights: Singles, indices: Uints, size: int) -> None:
    """Fill ``weights`` and ``indices`` (rows, corners) of samples ``x`` (rows, dimensions) in a table of ``size``."""
    rows, dimensions = x.shape
    for row in range(rows):
        for corner in range(weights.shape[1]):
            weight, index = np.float32(1), np.uint32(0)
            for axis in range(dimensions):
                place = x[row, axis] * np.float32(scale) + np.float32(0.5)
                base = np.floor(place)
                above = place - base
                side = corner >> axis & 1
                weight *= above if side else np.float32(1) - above
                part = np.uint32(np.uint32(np.int32(base) + side) * stride[axis])
                index = np.uint32(index ^ part) if hashed else np.uint32(index + part)
            weights[row, corner] = weight
            indices[row, corner] = np.uint32(index % np.uint32(size))


@compiled
def gather(table: Singles, weights: Singles, indices: Uints, out: Singles) -> None:
    """Write the weighted sums of the table's entries to ``out`` (rows, features)."""
    for row in range(out.shape[0]):
        for feature in range(out.shape[1]):
            total = np.float32(0)
            for corner in range(weights.shape[1]):
                total += weights[row, corner] * table[indices[row, corner], feature]
            out[row, feature] = total


@compiled
def scatter(slope: Singles, weights: Singles, indices: Uints, into: Singles) -> None:
    """Add the gradients ``slope`` (rows, features) of :func:`gather`'s result to those of the table."""
    for row in range(slope.shape[0]):
        for corner in range(weights.shape[1]):
            for feature in range(slope.shape[1]):
                into[indices[row, corner], feature] += weights[row, corner] * slope[row, feature]


@compiled
def adam(values: Any, slope: Any, mean: Any, square: Any, rate: float, first: float, second: float) -> None:
    """Take a step of Adam on flat float32 arrays and clear ``slope``; values without a gradient stay (instant-ngp).

    ``first`` and ``second`` are the corrections ``1 - beta**step`` of both means (D. Kingma and J. Ba, 2015).
    """
    for k in range(values.shape[0]):
        g = slope[k]
        if g != 0:
            mean[k] = np.float32(0.9) * mean[k] + np.float32(0.1) * g
            square[k] = np.float32(0.99) * square[k] + np.float32(0.01) * g * g
            values[k] -= np.float32(rate * (mean[k] / first) / (np.sqrt(square[k] / second) + 1e-15))
            slope[k] = np.float32(0)
