"""Flash input converters: what turning analogue features into codes costs.

A flash converter compares its input with every level that it can tell apart and encodes the comparators'
answers.  The model is that of the printed-classifier literature: a 4-bit converter is 16 comparators and 28
two-input ORs, 0.1706 cm2 and 1.296 mW in EGFET at 1 V; the resistor ladder is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mlpress.errors import MlpressError
from mlpress.hw.technology import Technology

COMPARATOR_CM2 = 0.0008
COMPARATOR_MW = 0.04607
"""One EGFET comparator at 1 V ("Printed Machine Learning Classifiers", MICRO 2020; arXiv 2411.08674)."""
OR_CELL = "OR2X1"
MOST_BITS = 8
"""Wider converters are not built as flash."""


@dataclass(frozen=True, slots=True)
class Converter:
    """A flash converter of ``bits`` bits; ``levels`` are the codes it keeps (None: all of 1 .. 2**bits - 1)."""

    bits: int
    levels: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MOST_BITS:
            raise MlpressError(f"a flash converter has 1 to {MOST_BITS} bits, not {self.bits}")
        kept = self.levels or ()
        if any(not 0 < level < 1 << self.bits for level in kept) or list(kept) != sorted(set(kept)):
            raise MlpressError(
                f"the levels of a {self.bits}-bit converter must increase within 1..{(1 << self.bits) - 1}"
            )

    @property
    def comparators(self) -> int:
        """One a kept level; the full converter of the literature has 2**bits (one for the lowest code, too)."""
        full = (1 << self.bits) - 1
        return full + 1 if self.levels is None or len(self.levels) == full else len(self.levels)

    @property
    def or_gates(self) -> int:
        """Two-input ORs of the encoder: each code bit joins the kept levels that have it set."""
        levels = range(1, 1 << self.bits) if self.levels is None else self.levels
        return sum(max(0, sum(level >> k & 1 for level in levels) - 1) for k in range(self.bits))


@dataclass(frozen=True, slots=True)
class AdcCost:
    """All input converters of a classifier together, at 1 V."""

    converters: int
    comparators: int
    or_gates: int
    area_cm2: float
    power_mw: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "converters": self.converters,
            "comparators": self.comparators,
            "or_gates": self.or_gates,
            "area_cm2": self.area_cm2,
            "power_mw": self.power_mw,
            "at_volts": 1.0,
        }


def adc_cost(converters: Iterable[Converter], technology: Technology) -> AdcCost | None:
    """Cost of the ``converters``, or None where ``technology`` has no published comparator (all but EGFET)."""
    cell = technology.cells.get(OR_CELL)
    if cell is None or 1.0 not in cell.corners:
        return None
    found = list(converters)
    comparators, gates = sum(c.comparators for c in found), sum(c.or_gates for c in found)
    return AdcCost(
        converters=len(found),
        comparators=comparators,
        or_gates=gates,
        area_cm2=comparators * COMPARATOR_CM2 + gates * cell.area_um2 * 1e-8,
        power_mw=comparators * COMPARATOR_MW + gates * cell.corners[1.0].static_nw * 1e-6,
    )
