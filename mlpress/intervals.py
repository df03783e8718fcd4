"""Accuracies, and how sure they are."""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054
"""The normal distribution's 97.5 % quantile: two-sided 95 %."""


class Interval(NamedTuple):
    """Bounds of a share, each 0 to 1."""

    low: float
    high: float


def score(expected: NDArray[Any], found: NDArray[Any]) -> float:
    """Return the share of classes (rows,) that are the expected ones; of values (rows, outputs), their R2.

    R2 is the coefficient of determination, the mean over the outputs.
    """
    if found.ndim == 1:
        return float(np.mean(expected == found))
    from sklearn.metrics import r2_score

    return float(r2_score(expected.reshape(len(expected), -1), found))


def accuracy_interval(share: float, rows: int) -> Interval:
    """Return the 95 % confidence interval of an accuracy ``share`` (0 to 1) that was counted on ``rows`` rows.

    It is Wilson's score interval (E. B. Wilson, "Probable inference, the law of succession, and statistical
    inference", Journal of the American Statistical Association 22, 1927).  Without rows it is 0 to 1.
    """
    if rows <= 0:
        return Interval(0.0, 1.0)
    weight = Z * Z / rows
    centre = (share + weight / 2) / (1 + weight)
    half = Z * sqrt(share * (1 - share) / rows + weight / (4 * rows)) / (1 + weight)
    low = 0.0 if share <= 0 else centre - half
    high = 1.0 if share >= 1 else centre + half
    return Interval(max(low, 0.0), min(high, 1.0))
