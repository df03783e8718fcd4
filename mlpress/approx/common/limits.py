"""Limits of loss and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from mlpress.errors import MlpressError
from mlpress.metrics import Metric, find_metric


@dataclass(frozen=True, slots=True)
class Limits:
    """The share of accuracy that may be lost (``None``: no limit), and the most that may be spent, by metric."""

    max_loss: float | None = None
    most: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in {"max_loss": self.max_loss, **self.most}.items():
            if value is not None and not value >= 0:
                raise MlpressError(f"{name} is {value}; it must be 0 or more")

    def named(self, metrics: Sequence[Metric], owner: str) -> Limits:
        """Return the limits by the names of the ``metrics`` of ``owner``; of two for one metric, the tighter.

        Raises :class:`MlpressError` where one names no metric.
        """
        most: dict[str, float] = {}
        for text, value in self.most.items():
            name = find_metric(metrics, text, owner).name
            most[name] = min(value, most.get(name, inf))
        return replace(self, most=most)


def allows(most: Mapping[str, float], cost: Mapping[str, float]) -> bool:
    """Return whether a cost is within the limits by metric; an unknown one is not."""
    return all(cost.get(name, inf) <= value for name, value in most.items())


def limits_text(most: Mapping[str, float], metrics: Sequence[Metric]) -> str:
    """Return the limits in words, each with the unit of its metric."""
    known = {metric.name: metric for metric in metrics}
    return " and ".join(known[name].words(value) if name in known else f"{value:g}" for name, value in most.items())
