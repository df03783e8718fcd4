"""The front of an evolution: circuits from cheap to accurate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.common.front import Figures, Front, cost_row, read_cost, read_facts, unbeaten
from mlpress.errors import MlpressError
from mlpress.ir import Circuit, from_text, to_text
from mlpress.metrics import Metric

FORMAT = "mlpress circuits 5"


@dataclass(frozen=True, slots=True)
class CircuitDesign:
    """One design of a front.

    ``start`` names its start; ``augmentation``, column ``lesson`` of the files, is that of the rows that it learned
    from (:mod:`mlpress.approx.common.teacher`).  Accuracies are shares: ``fit_accuracy`` of all rows, which it has
    seen; ``validation_accuracy`` is the mean accuracy of circuits of similar cost on rows held out of theirs: on
    ``validation_rows`` of them, where these are not all (``fit_accuracy`` is of the others).  ``hint`` is the circuit
    as the target writes it, which the cost ``model`` counts; ``measured`` is the cost of the design as it is built,
    where it was measured; ``beside`` are figures that are no metrics, by column.  ``optimism`` is the bias of the
    validation accuracy where the design starts from a model that may have seen the rows.

    ``held_right``, float64 (rows,), are the shares of circuits of similar cost that decide each row rightly, of those
    that it is held out of; not a number for rows that judge none; no file has them.  ``doubt`` is the standard error of
    the difference to the tree of the design's size on these rows, 0 of a tree
    (:func:`mlpress.approx.gates.against_trees`).
    """

    circuit: Circuit
    hint: str
    start: str
    augmentation: str
    fit_accuracy: float
    validation_accuracy: float
    model: Figures
    measured: Figures | None = None
    validation_rows: int | None = None
    optimism: float = 0.0
    beside: Figures = field(default_factory=dict)
    doubt: float = 0.0
    held_right: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)

    @property
    def ranking(self) -> float:
        """The accuracy that ranks designs of equal cost: on validation rows, less optimism and doubt."""
        return self.validation_accuracy - self.optimism - self.doubt

    @property
    def cost(self) -> Figures:
        """The cost by metric name: measured where it has been, else the model's."""
        return self.model if self.measured is None else self.measured

    def row(self, metrics: Sequence[Metric]) -> dict[str, Any]:
        """Return start, accuracies, costs and further figures, by column."""
        return {
            "start": self.start,
            "lesson": self.augmentation,
            "fit_accuracy": self.fit_accuracy,
            "validation_accuracy": self.validation_accuracy,
            "validation_rows": self.validation_rows,
            "optimism": self.optimism,
            "doubt": self.doubt,
            **cost_row(metrics, self.model, self.measured),
            **self.beside,
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CircuitFront(Front[CircuitDesign]):
    """The circuits that no other one beats on held-out rows, cheapest first.

    ``rounds`` were run and ``moves`` judged; ``stopped`` says why the evolution ended.
    """

    seed: int
    rounds: int
    moves: int
    elapsed_s: float
    stopped: str

    def joined(self, more: Sequence[CircuitDesign]) -> CircuitFront:
        """Return the front with those of ``more`` that belong there, and without what they beat; cheapest first."""
        found = unbeaten((*self.designs, *more), self.metric.name)
        return replace(self, designs=tuple(found)) if more else self

    def to_json(self) -> str:
        """Return everything, lossless: the circuits in their text form."""
        return self.json_text(
            FORMAT,
            **{name: getattr(self, name) for name in _NUMBERS},
            beside=sorted({column for d in self.designs for column in d.beside}),
            designs=[
                row | {"circuit": to_text(d.circuit), "hint": d.hint}
                for row, d in zip(self.rows(), self.designs, strict=True)
            ],
        )

    @classmethod
    def from_json(cls, text: str) -> CircuitFront:
        """Read what :meth:`to_json` wrote; raise where it is something else."""
        try:
            facts, metrics = read_facts(text, FORMAT)
            beside = tuple(str(column) for column in facts["beside"])
            designs = tuple(_design(entry, metrics, beside) for entry in facts["designs"])
            reference = float(facts["reference"])
            return cls(designs, reference, metrics, **{name: facts[name] for name in _NUMBERS})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise MlpressError(f"this is no front of an evolution ({error}); run it again") from error


_NUMBERS = ("seed", "rounds", "moves", "elapsed_s", "stopped")


def _design(entry: Mapping[str, Any], metrics: Sequence[Metric], beside: Sequence[str]) -> CircuitDesign:
    circuit = from_text(entry["circuit"])
    if not isinstance(circuit, Circuit):
        raise ValueError("a design is no circuit")
    model, measured = read_cost(entry, metrics)
    return CircuitDesign(
        circuit,
        str(entry["hint"]),
        str(entry["start"]),
        str(entry["lesson"]),
        float(entry["fit_accuracy"]),
        float(entry["validation_accuracy"]),
        model,
        measured,
        None if entry["validation_rows"] is None else int(entry["validation_rows"]),
        float(entry["optimism"]),
        {column: float(entry[column]) for column in beside if entry.get(column) is not None},
        float(entry["doubt"]),
    )
