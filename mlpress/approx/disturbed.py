"""More rows where there are few: disturbed copies of them, labelled by a teacher.

Fitting a small net to what a stronger classifier says around the rows, beside their own labels, keeps it from learning
single rows by heart (C. Bucila, R. Caruana, A. Niculescu-Mizil, "Model compression", KDD 2006).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from mlpress.approx.layout import Ints
from mlpress.errors import MlpressError
from mlpress.ir import Input

NOISE = 0.1
"""Standard deviation of the noise on copies, as a share of an input's range."""

MOST_ROWS = 2000
"""Rows are copied as long as there are not more than this many with the copies, and at most :data:`COPIES` times."""

COPIES = 6

TEACHERS, HIDDEN, DECAY, EPOCHS = 7, 16, 0.1, 400
"""The teacher is the mean of so many networks of one hidden layer, with so much weight decay, trained so long."""


def with_copies(codes: Ints, labels: Ints, inputs: Sequence[Input], noise: float, seed: int) -> tuple[Ints, Ints]:
    """Rows (rows, inputs) and labels (rows,), and after them their disturbed copies with the teacher's labels."""
    if noise < 0:
        raise MlpressError(f"the noise is {noise:g}; it must be 0 or more")
    copies = max(min(COPIES, MOST_ROWS // len(codes) - 1), 0) if noise else 0
    if not copies or len(np.unique(labels)) < 2:
        return codes, labels
    top = np.array([(1 << feature.bits) - 1 for feature in inputs])
    rng = np.random.default_rng((seed, 3))
    moved = codes + rng.normal(0.0, 1.0, (copies, *codes.shape)) * noise * top
    disturbed = np.clip(np.round(moved), 0, top).astype(np.int64).reshape(-1, codes.shape[1])
    taught = _taught(codes / top, labels, disturbed / top, seed)
    return np.concatenate([codes, disturbed]), np.concatenate([labels, taught])


def _taught(known: np.ndarray, labels: Ints, rows: np.ndarray, seed: int) -> Ints:
    """Class indices that the teacher, trained on ``known`` (rows, inputs) within 0 .. 1, gives ``rows``."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    votes = np.zeros((len(rows), len(np.unique(labels))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are bounded on purpose
        for state in np.random.default_rng((seed, 4)).integers(0, 1 << 31, TEACHERS).tolist():
            teacher = MLPClassifier(
                (HIDDEN,), alpha=DECAY, max_iter=EPOCHS, learning_rate_init=0.01, random_state=state
            )
            votes += teacher.fit(known, labels).predict_proba(rows)
    taught: Ints = np.unique(labels)[votes.argmax(axis=1)]
    return taught
