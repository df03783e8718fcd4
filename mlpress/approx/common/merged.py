"""One front of both levels: at every area the design that is expected to be the most accurate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mlpress.approx.common.choice import csv_text, unbeaten
from mlpress.approx.gates import CircuitDesign, CircuitFront
from mlpress.approx.gates.evolution import near_area
from mlpress.approx.integer.front import Candidate, Front

FORMAT = "mlpress merged front 1"


@dataclass(frozen=True, slots=True, eq=False)
class MergedDesign:
    """A design of either level: number ``number`` of that level's own front.

    ``validation_accuracy`` is what losses are counted with: a gate-level design's own, and for the integer level what
    its likes lose on validation rows, counted from ``reference`` as all losses of the front are.  ``optimism`` is what
    it has too much of where the design starts from a model that may have seen those rows (B. Efron, "How biased is the
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
        """What ranks designs of one area."""
        return self.validation_accuracy - self.optimism

    @property
    def area_cm2(self) -> float:
        """The source's area."""
        return self.source.area_cm2

    @property
    def power_mw(self) -> float:
        """The source's power."""
        return self.source.power_mw

    def row(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "level": self.level,
            "design": self.number,
            "fit_accuracy": self.fit_accuracy,
            "validation_accuracy": self.validation_accuracy,
            "optimism": self.optimism,
            "area_cm2": self.area_cm2,
            "power_mw": self.power_mw,
        }


@dataclass(frozen=True, slots=True, eq=False)
class MergedFront:
    """The designs that no other one beats, smallest first; losses count from the accuracy ``reference``."""

    designs: tuple[MergedDesign, ...]
    reference: float

    def rows(self) -> list[dict[str, Any]]:
        """The designs as plain values."""
        return [design.row() for design in self.designs]

    def to_csv(self) -> str:
        """The designs, a line each."""
        return csv_text(self.rows())

    def to_json(self) -> str:
        """The designs, each by its level and its number in that level's own file."""
        facts = {"format": FORMAT, "reference": self.reference, "designs": self.rows()}
        return json.dumps(facts, indent=1, allow_nan=False) + "\n"


def designs_of(front: Front | CircuitFront, reference: float, rows: int, optimism: float = 0.0) -> list[MergedDesign]:
    """All designs of a level's front, with accuracies that compare: losses count from ``reference``.

    ``optimism`` is that of accuracies of what starts from the given model.

    The best of many integer designs on a few validation rows (``rows``) is the luckiest, so what counts is what designs
    of like area have there (:func:`mlpress.approx.gates.evolution.near_area`).
    """
    if isinstance(front, CircuitFront):
        return [
            MergedDesign("gates", k, design, design.fit_accuracy, design.validation_accuracy, design.optimism)
            for k, design in enumerate(front.designs)
        ]
    area = np.array([round(design.model_cm2 * 1e8) for design in front.designs], np.int64)
    wrong = np.array([round((1 - design.validation_accuracy) * rows) for design in front.designs], np.int64)
    moved = reference - front.reference
    expected = np.clip(1 - near_area(area, area, wrong) / max(rows, 1) + moved, 0.0, 1.0).tolist()
    return [
        MergedDesign("integer", k, design, design.fit_accuracy, accuracy, optimism)
        for k, (design, accuracy) in enumerate(zip(front.designs, expected, strict=True))
    ]


def merge(designs: Sequence[MergedDesign], reference: float) -> MergedFront:
    """The front of these designs."""
    return MergedFront(tuple(unbeaten(designs)), reference)
