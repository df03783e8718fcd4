"""Choosing a design of a front."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from mlpress.errors import MlpressError

VALIDATION = 0.25
"""The share of the rows that an integer-level search keeps out, to judge its designs."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Area and power of a synthesised design, and of the input converters that it reads, where they are known."""

    area_cm2: float
    power_mw: float
    adc_cm2: float | None = None
    adc_mw: float | None = None


class Judged(Protocol):
    """A design of a front: its validation accuracy, the accuracy that ranks it, and what it costs."""

    @property
    def validation_accuracy(self) -> float: ...  # noqa: D102
    @property
    def ranking(self) -> float: ...  # noqa: D102
    @property
    def area_cm2(self) -> float: ...  # noqa: D102
    @property
    def power_mw(self) -> float: ...  # noqa: D102


D = TypeVar("D", bound=Judged)


def smallest(
    designs: Sequence[D], reference: float, max_loss: float, max_area: float | None, max_power: float | None
) -> D:
    """The smallest design whose validation accuracy is within ``max_loss`` of ``reference``."""
    within = _within(designs, max_area, max_power)
    found = [c for c in within if c.validation_accuracy >= reference - max_loss]
    if not found:
        nearest = max(within, key=lambda c: c.validation_accuracy)
        raise MlpressError(
            f"no design is within {max_loss:g} of the accuracy {reference:.4f}: the best has "
            f"{nearest.validation_accuracy:.4f}; allow more loss, or search longer"
        )
    return min(found, key=lambda c: (c.area_cm2, -c.validation_accuracy))


def most_accurate(designs: Sequence[D], max_area: float | None, max_power: float | None) -> D:
    """The design that ranks highest; of equals the smallest."""
    return max(_within(designs, max_area, max_power), key=lambda c: (c.ranking, -c.area_cm2))


def unbeaten(designs: Iterable[D], slack: float = 1.0) -> list[D]:
    """Return those that no design of less than their area divided by ``slack`` beats; smallest first.

    One beats another that neither ranks above it nor has more validation accuracy, from which losses are counted.
    """
    ordered = sorted(designs, key=lambda each: (each.area_cm2, -each.ranking, -each.validation_accuracy))
    return [
        each
        for k, each in enumerate(ordered)
        if not any(
            other.area_cm2 * slack <= each.area_cm2
            and other.ranking >= each.ranking
            and other.validation_accuracy >= each.validation_accuracy
            for other in ordered[:k]
        )
    ]


def _within(designs: Sequence[D], max_area: float | None, max_power: float | None) -> list[D]:
    found = [
        c
        for c in designs
        if (max_area is None or c.area_cm2 <= max_area) and (max_power is None or c.power_mw <= max_power)
    ]
    if not found:
        limits = [f"{limit:g} {unit}" for limit, unit in ((max_area, "cm2"), (max_power, "mW")) if limit is not None]
        raise MlpressError(f"no design is within {' and '.join(limits)}; allow more, or search longer")
    return found


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows with equal keys as CSV, a header first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
