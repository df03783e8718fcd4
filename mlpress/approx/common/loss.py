"""The accuracy that a design loses, with its confidence interval."""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.intervals import Z, accuracy_interval


class Loss(NamedTuple):
    """Accuracy lost (a share; negative where it was gained) and its 95 % interval, counted on ``rows`` rows."""

    mean: float
    low: float
    high: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self._asdict()

    def __str__(self) -> str:
        return f"{self.mean:.1%} (95 %: {self.low:.1%} to {self.high:.1%} of {self.rows} rows)"


def paired_loss(model: NDArray[np.bool_], design: NDArray[np.bool_]) -> Loss:
    """Return the loss of ``design`` against ``model``, bool (rows,): whether each decides a row rightly.

    The interval is the adjusted Wald interval for matched pairs: A. Agresti, Y. Min, "Simple improved confidence
    intervals for comparing matched proportions", Statistics in Medicine 24, 2005.
    """
    rows = len(model)
    lost, won = int(np.sum(model & ~design)), int(np.sum(~model & design))
    b, c, n = lost + 0.5, won + 0.5, rows + 2
    centre, half = (b - c) / n, Z * sqrt(b + c - (b - c) ** 2 / n) / n
    return Loss((lost - won) / rows, max(centre - half, -1.0), min(centre + half, 1.0), rows)


def estimated_loss(reference: float, accuracy: float, rows: int) -> Loss:
    """Return the loss where only the two accuracies, on ``rows`` rows each, are known, not which rows are wrong.

    The interval is of two independent shares, which is wide for the same rows: method 10 of R. G. Newcombe, "Interval
    estimation for the difference between independent proportions", Statistics in Medicine 17, 1998.
    """
    one, two = accuracy_interval(reference, rows), accuracy_interval(accuracy, rows)
    mean = reference - accuracy
    low = mean - sqrt((reference - one.low) ** 2 + (two.high - accuracy) ** 2)
    high = mean + sqrt((one.high - reference) ** 2 + (accuracy - two.low) ** 2)
    return Loss(mean, max(low, -1.0), min(high, 1.0), rows)
