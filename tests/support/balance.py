"""A set whose classes are arithmetic: which side of a balance goes down (like UCI's "Balance Scale", made here)."""

from __future__ import annotations

from itertools import product

import numpy as np


def balance() -> tuple[np.ndarray, np.ndarray]:
    """All weights and distances of 1 to 5 on both sides, int64 (625, 4), and the sign of their moments + 1 (625,)."""
    codes = np.array(list(product(range(1, 6), repeat=4)), np.int64)
    left, right = codes[:, 0] * codes[:, 1], codes[:, 2] * codes[:, 3]
    return codes, np.sign(left - right) + 1
