"""Area and power of candidates without synthesis."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.integer.engine import CHUNK, spread
from mlpress.approx.integer.genome_layout import Ints, Layout
from mlpress.approx.integer.heap import COMPARATOR, PARTS
from mlpress.approx.integer.net_cost import count_parts
from mlpress.errors import MlpressError
from mlpress.hw.printed import Cell, Converter, Technology, adc_cost, truth_table

FLASH_MOST_BITS = 8
"""Wider converters are not built as flash (see :mod:`mlpress.hw.printed.cost.adc`)."""

Floats = NDArray[np.float64]

GATES = {
    "full": 8.5,
    "majority": 5.0,
    "parity": 8.0,
    "half": 3.0,
    "and2": 1.2,
    "xor2": 3.0,
    "relu": 1.2,
    "saturate": 1.3,
    "overflow": 1.5,
    "compare": 4.0,
    "select": 3.6,
    "name": 1.0,
}
"""Two-input NAND gates that remain of each part after synthesis.

Fitted by least squares of the relative error to 300 nets of five data sets, synthesised to EGFET cells; before
synthesis a full adder has nine, a carry five.  ``benchmarks/cost_model.py`` measures how well areas are ranked.
"""


@dataclass(frozen=True, slots=True, eq=False)
class CostModel:
    """Counts a net's parts and prices them in a technology's cells.

    ``prices`` is float64, cm2 for each of ``heap.PARTS``; ``density`` is mW/cm2, the static power of
    the gate that mapped netlists are mostly made of.
    """

    layout: Layout
    prices: Floats
    density: float

    @classmethod
    def of(cls, layout: Layout, technology: Technology, *, with_adc: bool = False) -> CostModel:
        """The model in the cells of ``technology`` at its nominal voltage; ``with_adc`` adds the input converters."""
        gate = _smallest_gate(technology)
        prices = {part: GATES[part] * gate.area_um2 * 1e-8 for part in GATES}
        prices["comparator"], prices["encode"] = _converter_prices(layout, technology) if with_adc else (0.0, 0.0)
        density = gate.corners[technology.nominal].static_nw * 1e-6 / (gate.area_um2 * 1e-8)
        return cls(layout, np.array([prices[part] for part in PARTS]), density)

    def without_adc(self) -> CostModel:
        """The model of the classifier alone."""
        prices = self.prices.copy()
        prices[COMPARATOR:] = 0.0
        return replace(self, prices=prices)

    @staticmethod
    def gate_area(technology: Technology) -> float:
        """cm2 of the gate that :data:`GATES` are counted in."""
        return _smallest_gate(technology).area_um2 * 1e-8

    @property
    def with_adc(self) -> bool:
        """Whether the input converters are part of the cost."""
        return bool(self.prices[COMPARATOR] > 0)

    def parts(self, vectors: Ints, workers: int = 1) -> Ints:
        """How many of each part, int64 (members, parts), the vectors (members, layout.size) need."""
        parts = np.zeros((len(vectors), len(PARTS)), np.int64)

        def run(start: int) -> None:
            part = slice(start, start + CHUNK)
            count_parts(vectors[part], *self.layout.tables, self.with_adc, parts[part])

        spread(run, range(0, len(vectors), CHUNK), workers)
        return parts

    def area(self, vectors: Ints, workers: int = 1) -> Floats:
        """Area in cm2, float64 (members,), with the converters where they join the cost."""
        area: Floats = self.parts(vectors, workers) @ self.prices
        return area


def _smallest_gate(technology: Technology) -> Cell:
    """The cheapest two-input NAND or NOR."""
    found = [
        cell
        for cell in technology.cells.values()
        if not cell.dont_use and len(cell.inputs) == 2 and len(cell.outputs) == 1 and _is_complete(cell)
    ]
    if not found:
        raise MlpressError(f"{technology.name} has neither a NAND nor a NOR of two inputs; the cost model needs one")
    return min(found, key=lambda cell: (cell.area_um2, cell.name))


def _is_complete(cell: Cell) -> bool:
    """Whether every circuit can be made of this cell alone: a NAND or a NOR."""
    (function,) = cell.outputs.values()
    return truth_table(function, cell.inputs) in (0b0111, 0b0001)


def _converter_prices(layout: Layout, technology: Technology) -> tuple[float, float]:
    """Area in cm2 of a comparator and of an encoder gate, by pricing two small converters."""
    wide = [feature for feature in layout.net.inputs if feature.bits > FLASH_MOST_BITS]
    if wide:
        raise MlpressError(
            f"input {wide[0].name!r} has {wide[0].bits} bits; flash converters have at most {FLASH_MOST_BITS}"
        )
    one = adc_cost([Converter(2, (1,))], technology)  # one comparator
    three = adc_cost([Converter(2, (1, 3))], technology)  # two comparators and a gate
    if one is None or three is None:
        raise MlpressError(f"{technology.name} has no published converter; leave the converters out of the cost")
    return one.area_cm2, three.area_cm2 - 2 * one.area_cm2
