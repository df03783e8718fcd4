"""One front of both levels: at every cost the design that is expected to be the most accurate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mlpress.approx.common.front import VALIDATION, Figures, Front, read_facts, unbeaten
from mlpress.approx.gates import CircuitDesign, CircuitFront
from mlpress.approx.gates.evolution import near_area
from mlpress.approx.integer.front import Candidate, IntegerFront
from mlpress.errors import MlpressError
from mlpress.metrics import Metric

FORMAT = "mlpress merged front 3"


@dataclass(frozen=True, slots=True, eq=False)
class MergedDesign:
    """A design of either level: number ``number`` of that level's own front.

    Losses are counted with ``validation_accuracy``: a gate-level design's own, and for the integer level that of
    designs of similar cost on validation rows, counted from ``reference`` as all losses of the front are.  ``optimism``
    is its bias where the design starts from a model that may have seen those rows (B. Efron, "How biased is the
    apparent error rate of a prediction rule?", 1986), so that designs of both levels compare.
    """

    level: Literal["integer", "gates"]
    number: int
    source: Candidate | CircuitDesign
    fit_accuracy: float
    validation_accuracy: float
    optimism: float = 0.0

    @property
    def ranking(self) -> float:
        """The accuracy that ranks designs of equal cost: the validation accuracy less optimism."""
        return self.validation_accuracy - self.optimism

    @property
    def cost(self) -> Figures:
        """The source's cost by metric."""
        return self.source.cost

    def row(self, metrics: Sequence[Metric]) -> dict[str, Any]:
        """Return plain values by column."""
        return {
            "level": self.level,
            "number": self.number,
            "fit_accuracy": self.fit_accuracy,
            "validation_accuracy": self.validation_accuracy,
            "optimism": self.optimism,
            **{metric.key: self.cost.get(metric.name) for metric in metrics},
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MergedFront(Front[MergedDesign]):
    """The designs of both levels that no other one beats."""

    def to_json(self) -> str:
        """Return the designs, each by its level and its number in that level's own file."""
        return self.json_text(FORMAT)


def read_merged_front(text: str) -> list[tuple[Literal["integer", "gates"], int]]:
    """Return of each design its level and its number in that level's own file, from what :meth:`to_json` wrote."""
    try:
        facts, _ = read_facts(text, FORMAT)
        found = [(entry["level"], entry["number"]) for entry in facts["designs"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MlpressError(f"this is no front of a search ({error}); run the search again") from error
    if any(level not in ("integer", "gates") or type(number) is not int for level, number in found):
        raise MlpressError("this is no front of a search; run the search again")
    return found


def designs_of(
    front: IntegerFront | CircuitFront, reference: float, rows: int, optimism: float = 0.0
) -> list[MergedDesign]:
    """Return all designs of a level's front, with accuracies that compare: losses count from ``reference``.

    ``optimism`` is the bias of accuracies of designs that start from the given model.  All are ranked by the rule of
    succession (P.-S. Laplace, 1814): few rows are believed less than many.

    The best of many integer designs on a few validation rows (``rows``) is the luckiest, so designs count with the mean
    accuracy of designs of similar cost (:func:`mlpress.approx.gates.evolution.near_area`).
    """
    if isinstance(front, CircuitFront):
        return [
            MergedDesign(
                "gates",
                k,
                design,
                design.fit_accuracy,
                design.validation_accuracy,
                design.validation_accuracy
                - design.ranking
                + _luck(design.validation_accuracy, design.validation_rows or round(rows / VALIDATION)),
            )
            for k, design in enumerate(front.designs)
        ]
    name = front.metric.name
    steps = np.array([round(design.model[name] / front.grain) for design in front.designs], np.int64)
    wrong = np.array([round((1 - design.validation_accuracy) * rows) for design in front.designs], np.int64)
    moved = reference - front.reference
    expected = np.clip(1 - near_area(steps, steps, wrong) / max(rows, 1) + moved, 0.0, 1.0).tolist()
    return [
        MergedDesign("integer", k, design, design.fit_accuracy, accuracy, optimism + _luck(accuracy, rows))
        for k, (design, accuracy) in enumerate(zip(front.designs, expected, strict=True))
    ]


def _luck(accuracy: float, rows: int) -> float:
    """Return how much the rule of succession, one right and one wrong row more, lowers an accuracy on ``rows`` rows."""
    return accuracy - (accuracy * rows + 1) / (rows + 2)


def merge(designs: Sequence[MergedDesign], reference: float, metrics: Sequence[Metric]) -> MergedFront:
    """Return the front of these designs."""
    return MergedFront(tuple(unbeaten(designs, metrics[0].name)), reference, tuple(metrics))
