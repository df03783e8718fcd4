"""Metrics: the figures that a design costs, which targets name and everything else goes through by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlpress.errors import MlpressError


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure that a design costs, less being better: ``flash`` in ``B``.  ``title`` is for people."""

    name: str
    unit: str
    title: str = ""

    @property
    def key(self) -> str:
        """The metric's key in JSON and its column in CSV: ``flash_b``."""
        return f"{self.name}_{self.unit.lower()}" if self.unit else self.name

    def words(self, value: float) -> str:
        """Return a value with the metric's unit."""
        return f"{value:g} {self.unit}" if self.unit else f"{value:g} {self.name}"


def find_metric(metrics: Sequence[Metric], text: str, owner: str) -> Metric:
    """Return the metric of ``owner`` with this name or key; raise :class:`MlpressError` naming what there is."""
    for metric in metrics:
        if text in {metric.name, metric.key}:
            return metric
    raise MlpressError(f"{owner} has no metric {text[:200]!r}; there are {', '.join(each.name for each in metrics)}")


def ranked(metrics: Sequence[Metric], first: str) -> tuple[Metric, ...]:
    """Return the metrics with that of the name ``first`` before the others."""
    return tuple(sorted(metrics, key=lambda metric: metric.name != first))
