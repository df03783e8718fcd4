"""The front of a search of the integer level: designs from cheap to accurate, each made again from its genes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from mlpress.approx.common.front import VALIDATION, Figures, Front, cost_row, read_cost, read_facts
from mlpress.approx.integer.space import Space
from mlpress.approx.passes import ApproximatePass, make_pass, without_unread_levels
from mlpress.errors import MlpressError
from mlpress.ir import Net, from_text, to_text
from mlpress.metrics import Metric

FORMAT = "mlpress front 3"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One design of a front.

    ``genes`` make it again; accuracies are shares of the fitting rows (and their neighbours, see
    :func:`mlpress.approx.search`) and of the validation rows.  ``model`` is the cost model's cost by metric name,
    ``measured`` that of the design as it is built, where it was measured; ``beside`` are figures that are no metrics,
    by column.
    """

    genes: tuple[int, ...]
    fit_accuracy: float
    validation_accuracy: float
    model: Figures
    measured: Figures | None = None
    beside: Figures = field(default_factory=dict)

    @property
    def ranking(self) -> float:
        """The accuracy that ranks designs of equal cost: over all rows, validation rows by their usual share.

        The most accurate design on a few dozen validation rows is mostly a lucky one; the fitting rows, where
        neighbours labelled by a teacher join them, say more.
        """
        return VALIDATION * self.validation_accuracy + (1 - VALIDATION) * self.fit_accuracy

    @property
    def cost(self) -> Figures:
        """The cost by metric name: measured where it has been, else the model's."""
        return self.model if self.measured is None else self.measured

    def row(self, metrics: Sequence[Metric]) -> dict[str, Any]:
        """Return accuracies, costs and further figures, by column."""
        return {
            "fit_accuracy": self.fit_accuracy,
            "validation_accuracy": self.validation_accuracy,
            **cost_row(metrics, self.model, self.measured),
            **self.beside,
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IntegerFront(Front[Candidate]):
    """The designs that no other one beats on the fitting rows, cheapest first.

    ``start`` and ``passes`` span the space that the genes live in; ``grain`` is the smallest difference of model costs
    that means something.  ``reference`` is the given model's accuracy on validation rows.  ``stopped`` says why the
    search ended.
    """

    start: Net
    passes: tuple[ApproximatePass, ...]
    grain: float
    seed: int
    generations: int
    tried: int
    elapsed_s: float
    stopped: str

    def space(self) -> Space:
        """Return the search space, made again."""
        return Space.of(self.start, self.passes)

    def net(self, candidate: Candidate) -> Net:
        """Return the integer net of a design, made again from its genes, without input levels that nothing reads."""
        return without_unread_levels(self.space().decode(np.array(candidate.genes, np.int64)))

    def to_json(self) -> str:
        """Return everything, lossless."""
        return self.json_text(
            FORMAT,
            start=to_text(self.start),
            passes=[{"name": p.name, "options": asdict(p)} for p in self.passes],
            **{name: getattr(self, name) for name in _NUMBERS},
            beside=sorted({column for c in self.designs for column in c.beside}),
            designs=[row | {"genes": c.genes} for row, c in zip(self.rows(), self.designs, strict=True)],
        )

    @classmethod
    def from_json(cls, text: str) -> IntegerFront:
        """Read what :meth:`to_json` wrote; raise where it is something else."""
        try:
            facts, metrics = read_facts(text, FORMAT)
            start = from_text(facts["start"])
            passes = tuple(make_pass(entry["name"], entry["options"]) for entry in facts["passes"])
            beside = tuple(str(column) for column in facts["beside"])
            designs = tuple(_candidate(entry, metrics, beside) for entry in facts["designs"])
            numbers = {name: facts[name] for name in _NUMBERS}
            reference = float(facts["reference"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise MlpressError(f"this is no front of a search ({error}); run the search again") from error
        if not isinstance(start, Net):
            raise MlpressError("the front does not start from an integer net; run the search again")
        return cls(designs, reference, metrics, start, passes, **numbers)


_NUMBERS = ("grain", "seed", "generations", "tried", "elapsed_s", "stopped")


def _candidate(entry: Mapping[str, Any], metrics: Sequence[Metric], beside: Sequence[str]) -> Candidate:
    model, measured = read_cost(entry, metrics)
    return Candidate(
        genes=tuple(int(gene) for gene in entry["genes"]),
        fit_accuracy=float(entry["fit_accuracy"]),
        validation_accuracy=float(entry["validation_accuracy"]),
        model=model,
        measured=measured,
        beside={column: float(entry[column]) for column in beside if entry[column] is not None},
    )
