"""More rows than were measured: neighbours of the training rows, labelled by a teacher.

Fitting a small circuit to what a strong classifier says about many rows, instead of to few labels alone, keeps it
from learning the noise (C. Bucila, R. Caruana, A. Niculescu-Mizil, "Model compression", KDD 2006).
"""

from __future__ import annotations

import numpy as np

from mlpress.approx.gates.rows import Rows
from mlpress.ir import Input

MOVED = 0.5
"""Share of the codes of a neighbour that are one above or one below."""

MOST_ROWS = 8_000
"""Neighbours are as many as this allows, and at most :data:`COPIES` a row."""

COPIES = 16
TRUE_COPIES = 2
"""The labelled rows themselves count so many times."""


def taught(rows: Rows, inputs: tuple[Input, ...], seed: int) -> Rows:
    """The rows, twice, and neighbours labelled by the averaged odds of three classifiers.

    They are logistic regression, a random forest and gradient boosting: one smooth, two sharp.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    smooth = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    forest = RandomForestClassifier(200, random_state=seed)
    boosted = HistGradientBoostingClassifier(max_iter=80, random_state=seed)
    voters = [("smooth", smooth), ("forest", forest), ("boosted", boosted)]
    teacher = VotingClassifier(voters, voting="soft").fit(rows.codes, rows.labels)
    rng = np.random.default_rng((seed, 3))
    copies = int(np.clip(MOST_ROWS // len(rows), 1, COPIES))
    near = np.repeat(rows.codes, copies, axis=0)
    draw = rng.random(near.shape)
    top = np.array([(1 << feature.bits) - 1 for feature in inputs])
    near = np.clip(near + (draw < MOVED / 2) - (draw > 1 - MOVED / 2), 0, top)
    return Rows(
        np.concatenate([np.repeat(rows.codes, TRUE_COPIES, axis=0), near]),
        np.concatenate([np.repeat(rows.labels, TRUE_COPIES), teacher.predict(near).astype(np.int64)]),
    )
