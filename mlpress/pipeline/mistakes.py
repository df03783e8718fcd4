"""What a classifier decides, row by row: its confusion matrix, and the rows that only the given model gets right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_CLASSES = 64
"""Classes of the largest confusion matrix that a design keeps."""

MOST_ROWS, MOST_VALUES = 20, 32
"""Rows, and features of each, that are listed of those that only the model gets right."""


def decided_facts(
    features: NDArray[np.float64], labels: NDArray[Any], decided: ArrayLike, given: ArrayLike | None, classes: int
) -> dict[str, Any]:
    """Return the facts ``confusion`` and ``missed`` of class indices ``decided`` (rows,), where ``labels`` are true.

    ``confusion`` has the rows of each true class (rows) that got each class (columns).  A circuit may answer a number
    that is no class: where one does, a last column has those rows.  ``given`` are the class indices
    of the given model: of the rows that it gets right and the design does not, ``missed`` has the number, and the first
    :data:`MOST_ROWS`.  Many classes have neither.
    """
    if not 2 <= classes <= MOST_CLASSES or not len(labels):
        return {}
    true, found = np.asarray(labels, np.int64), np.asarray(decided, np.int64)
    counts = np.zeros((classes, classes + 1), np.int64)
    np.add.at(counts, (true, np.minimum(found, classes)), 1)
    facts: dict[str, Any] = {"confusion": (counts if counts[:, classes].any() else counts[:, :classes]).tolist()}
    if given is not None:
        missed = np.flatnonzero((found != true) & (np.asarray(given) == true))
        shown = missed[:MOST_ROWS]
        facts["missed"] = {
            "count": len(missed),
            "rows": [
                {
                    "row": int(row),
                    "label": int(true[row]),
                    "decided": int(found[row]),
                    "values": [float(value) for value in features[row, :MOST_VALUES]],
                }
                for row in shown
            ],
        }
    return facts
