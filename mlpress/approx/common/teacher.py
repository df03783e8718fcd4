"""More rows than were measured: neighbours of the training rows, labelled by a teacher.

Fitting a small classifier to the decisions of a strong one on many rows, beside the few labels, keeps it from learning
the noise (C. Bucila, R. Caruana, A. Niculescu-Mizil, "Model compression", KDD 2006).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir import Input, code_values

Ints = NDArray[np.int64]

Augmentation = Literal["rows", "moved", "mixed"]
"""How rows are augmented: not at all; by neighbours whose codes are *moved* by one step; by neighbours whose codes are
*mixed* with those of a similar row (as the MUNGE of the paper does).  Moved ones reach further from the rows, which
suits few or noisy rows; mixed ones stay where rows are."""

AUGMENTATIONS: tuple[Augmentation, ...] = get_args(Augmentation)

MOST_ROWS = 32_000
"""Neighbours are as many as this allows, and at most :data:`COPIES` per row; none where a row has no room for one."""

MOST_CODES = 2_000_000
"""Rows of many inputs have fewer neighbours: so many codes in all."""

COPIES = 16
MOVED = 0.5
"""Share of the codes of a moved neighbour that are one above or one below."""

STEPS = 15
"""The kept levels of an input have so many steps: as many as 4 bits have levels."""

MIXED = 0.5
"""Share of the codes of a mixed neighbour that are another row's: one of the :data:`SIMILAR` nearest."""

SIMILAR = 5

TREES, QUICK_TREES = 200, 40
"""Trees of the teacher's forest, and of that of a quick one."""

BOOSTED = 400
"""Gradient boosting joins the teachers up to so many features times classes: beyond, it takes longer than a search."""


def check_augmentation(augmentation: str) -> None:
    """Raise :class:`MlpressError` where there is no such augmentation."""
    if augmentation not in AUGMENTATIONS:
        raise MlpressError(f"no augmentation {augmentation!r}; there are {', '.join(AUGMENTATIONS)}")


def augment_rows(
    codes: Ints,
    labels: Ints,
    inputs: tuple[Input, ...],
    augmentation: Augmentation,
    seed: int,
    *,
    most: int = MOST_ROWS,
    quick: bool = False,
) -> tuple[Ints, Ints]:
    """Return rows (rows, inputs) and labels (rows,): the given ones, repeated to a third of all, then neighbours.

    There are no more than about 1.5 ``most`` in all; where neighbours have no room, the rows are as they were.  A
    ``quick`` teacher is a smaller one, for a search of seconds.
    """
    check_augmentation(augmentation)
    codes, labels = codes.astype(np.int64, copy=False), labels.astype(np.int64, copy=False)
    copies = min(COPIES, min(most, MOST_CODES // codes.shape[1]) // len(codes))
    if augmentation == "rows" or not copies or len(np.unique(labels)) < 2:
        return codes, labels
    rng = np.random.default_rng((seed, 3))
    top = np.array([(1 << feature.bits) - 1 for feature in inputs])
    near = _moved(codes, inputs, copies, rng) if augmentation == "moved" else _mixed(codes, top, copies, rng)
    said = _committee(codes.tobytes(), labels.tobytes(), codes.shape[1], seed, quick).predict(near).astype(np.int64)
    times = -(-copies // 2)
    return (
        np.concatenate([np.repeat(codes, times, axis=0), near]),
        np.concatenate([np.repeat(labels, times), said]),
    )


def _moved(codes: Ints, inputs: tuple[Input, ...], copies: int, rng: np.random.Generator) -> Ints:
    """Return neighbours a step up or down: of a code, or of an input with kept levels a :data:`STEPS`-th of these."""
    near = np.repeat(codes, copies, axis=0)
    draw = rng.random(near.shape)
    step = (draw < MOVED / 2).astype(np.int64) - (draw > 1 - MOVED / 2)
    for k, feature in enumerate(inputs):
        kept = np.array(code_values(feature), np.int64)
        far = 1 if feature.levels is None else max(1, len(feature.levels) // STEPS)
        place = np.searchsorted(kept, near[:, k]) + far * step[:, k]
        near[:, k] = kept[np.clip(place, 0, len(kept) - 1)]
    return near


def _mixed(codes: Ints, top: Ints, copies: int, rng: np.random.Generator) -> Ints:
    from sklearn.neighbors import NearestNeighbors

    similar = min(SIMILAR, len(codes) - 1)
    search = NearestNeighbors(n_neighbors=similar).fit(codes / top)
    nearest = search.kneighbors(return_distance=False)  # of each row, but for itself
    row = np.repeat(np.arange(len(codes)), copies)
    other = nearest[row, rng.integers(0, similar, len(row))]
    mixed: Ints = np.where(rng.random((len(row), codes.shape[1])) < MIXED, codes[other], codes[row])
    return mixed


@lru_cache(maxsize=8)
def _committee(packed_codes: bytes, packed_labels: bytes, features: int, seed: int, quick: bool) -> Any:
    """Fit three classifiers that average their odds: logistic regression, a random forest, gradient boosting.

    One is smooth, two are sharp; a ``quick`` committee has no boosting, which takes longest.  They are fitted on one
    thread, so that the number of cores changes nothing, and once for all augmentations: codes (rows, ``features``) and
    labels come as bytes, which the cache compares.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    smooth = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    forest = RandomForestClassifier(QUICK_TREES if quick else TREES, random_state=seed)
    boosted = HistGradientBoostingClassifier(max_iter=80, random_state=seed)
    codes = np.frombuffer(packed_codes, np.int64).reshape(-1, features)
    labels = np.frombuffer(packed_labels, np.int64)
    voters = [("smooth", smooth), ("forest", forest)]
    if not quick and features * len(np.unique(labels)) <= BOOSTED:
        voters.append(("boosted", boosted))
    with threadpool_limits(1, user_api="openmp"):
        return VotingClassifier(voters, voting="soft").fit(codes, labels)
