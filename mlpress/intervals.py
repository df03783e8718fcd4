"""How sure an accuracy is that was counted on some rows."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

Z = 1.959963984540054
"""The normal distribution's 97.5 % quantile: two-sided 95 %."""


class Interval(NamedTuple):
    """Bounds of a share, each 0 to 1."""

    low: float
    high: float


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
