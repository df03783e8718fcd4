"""Fronts of designs, from cheap to accurate, and the choice of one of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from mlpress.approx.common.limits import allows, limits_text
from mlpress.errors import MlpressError
from mlpress.metrics import Metric
from mlpress.notebook import table_html

VALIDATION = 0.25
"""The share of the rows that an integer-level search keeps out, to judge its designs."""

Figures = Mapping[str, float]


class Judged(Protocol):
    """A design of a front: its accuracies, the accuracy that ranks it, and its cost by metric name."""

    @property
    def fit_accuracy(self) -> float: ...  # noqa: D102
    @property
    def validation_accuracy(self) -> float: ...  # noqa: D102
    @property
    def ranking(self) -> float: ...  # noqa: D102
    @property
    def cost(self) -> Figures: ...  # noqa: D102
    def row(self, metrics: Sequence[Metric]) -> dict[str, Any]:
        """Return plain values by column."""
        ...


D = TypeVar("D", bound=Judged)


@dataclass(frozen=True, slots=True, eq=False)
class Front(Generic[D]):
    """The designs that no other one beats, cheapest first.

    Losses count from the accuracy ``reference``.  The first of ``metrics`` ranks the designs.
    """

    designs: tuple[D, ...]
    reference: float
    metrics: tuple[Metric, ...]

    quality: ClassVar[str] = "accuracy"
    """What accuracies are, for people."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.designs)} designs, {self.quality} {self.reference:.4g} of the model)"

    def _repr_html_(self) -> str:
        hidden = {"genes", "circuit", "hint"}
        rows = [{key: value for key, value in row.items() if key not in hidden} for row in self.rows()]
        return table_html(repr(self), rows)

    @property
    def metric(self) -> Metric:
        """The metric that ranks."""
        return self.metrics[0]

    def price(self, design: D) -> float:
        """Return the cost of a design in the metric that ranks."""
        return design.cost[self.metric.name]

    def smallest(self, *, max_loss: float = 0.01, most: Figures | None = None) -> D:
        """Return the cheapest design within ``max_loss`` of the reference on validation rows, and within ``most``."""
        within = self.within(most or {})
        found = [each for each in within if each.validation_accuracy >= self.reference - max_loss]
        if not found:
            nearest = max(within, key=lambda each: each.validation_accuracy)
            raise MlpressError(
                f"no design is within {max_loss:g} of the {self.quality} {self.reference:.4f}: the best has "
                f"{nearest.validation_accuracy:.4f}; allow more loss, or search longer"
            )
        return min(found, key=lambda each: (self.price(each), -each.validation_accuracy))

    def most_accurate(self, *, most: Figures | None = None) -> D:
        """Return the design within ``most`` that ranks highest; of equals the cheapest."""
        return max(self.within(most or {}), key=lambda each: (each.ranking, -self.price(each)))

    def within(self, most: Figures) -> list[D]:
        """Return the designs whose cost is within ``most``, by metric name; raise where there is none."""
        found = [each for each in self.designs if allows(most, each.cost)]
        if not found:
            raise MlpressError(f"no design is within {limits_text(most, self.metrics)}; allow more, or search longer")
        return found

    def rows(self) -> list[dict[str, Any]]:
        """Return the designs as plain values by column, all with the same columns."""
        rows = [{"design": k, **design.row(self.metrics)} for k, design in enumerate(self.designs)]
        columns = dict.fromkeys(column for row in rows for column in row)
        return [{column: row.get(column) for column in columns} for row in rows]

    def to_csv(self) -> str:
        """Return the designs as CSV: a header, and one line per design."""
        rows, text = self.rows(), io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def json_text(self, form: str, **facts: Any) -> str:
        """Return a file of the format ``form``: reference and metrics, these ``facts`` and the designs."""
        head = {
            "format": form,
            "reference": self.reference,
            "metrics": [[metric.name, metric.unit] for metric in self.metrics],
        }
        designs = facts.pop("designs", self.rows())
        return json.dumps({**head, **facts, "designs": designs}, indent=1, allow_nan=False) + "\n"


def unbeaten(designs: Iterable[D], metric: str, slack: float = 1.0) -> list[D]:
    """Return the designs that none beats which costs less than theirs divided by ``slack``; cheapest first.

    One beats another that neither ranks above it nor has more validation accuracy, from which losses are counted.
    """
    ordered = sorted(designs, key=lambda each: (each.cost[metric], -each.ranking, -each.validation_accuracy))
    return [
        each
        for k, each in enumerate(ordered)
        if not any(
            other.cost[metric] * slack <= each.cost[metric]
            and other.ranking >= each.ranking
            and other.validation_accuracy >= each.validation_accuracy
            for other in ordered[:k]
        )
    ]


def cost_row(metrics: Sequence[Metric], model: Figures, measured: Figures | None) -> dict[str, Any]:
    """Return a design's cost by column: the model's, where it has one, and the measured one."""
    known = {f"model_{metric.key}": model[metric.name] for metric in metrics if metric.name in model}
    return known | {metric.key: None if measured is None else measured.get(metric.name) for metric in metrics}


def read_facts(text: str, form: str) -> tuple[dict[str, Any], tuple[Metric, ...]]:
    """Return the facts and metrics of a front's JSON; raise where it is of another format or no JSON.

    Raises :class:`MlpressError`, or ValueError, KeyError, TypeError or RecursionError where ``text`` is no front at
    all.
    """
    facts = json.loads(text)
    if facts["format"] != form:
        raise MlpressError(f"the front has format {facts['format']!r}; this version reads {form!r}")
    metrics = tuple(Metric(str(name), str(unit)) for name, unit in facts["metrics"])
    if not metrics:
        raise ValueError("it has no metrics")
    return facts, metrics


def read_cost(entry: Mapping[str, Any], metrics: Sequence[Metric]) -> tuple[dict[str, float], dict[str, float] | None]:
    """Return the model's and the measured figures of a row that :func:`cost_row` made."""
    model = {m.name: float(entry[f"model_{m.key}"]) for m in metrics if entry.get(f"model_{m.key}") is not None}
    measured = {m.name: float(entry[m.key]) for m in metrics if entry.get(m.key) is not None}
    return model, measured or None
