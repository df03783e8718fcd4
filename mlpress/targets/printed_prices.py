"""What a net costs in printed cells before it is synthesised, for searches of the integer level."""

from __future__ import annotations

from mlpress.approx import CostModel, Layout
from mlpress.errors import MlpressError
from mlpress.hw.printed import Cell, Converter, Technology, adc_cost, truth_table

FLASH_MOST_BITS = 8
"""Wider converters are not built as flash (see :mod:`mlpress.hw.printed.cost.adc`)."""

FLOOR_CM2 = 0.02
"""About eight gates: areas are spread along a front by their logarithm, and evenly below this."""

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


def printed_cost_model(layout: Layout, technology: Technology, *, with_adc: bool = False) -> CostModel:
    """Return the cost model in the cells of ``technology``: ``area`` in cm2, ``power`` in mW at its nominal voltage.

    Power is the static power of the gate that mapped netlists are mostly made of, by area.  ``with_adc`` adds the input
    converters.
    """
    gate = _smallest_gate(technology)
    area = {part: count * gate.area_um2 * 1e-8 for part, count in GATES.items()}
    density = gate.corners[technology.nominal].static_nw * 1e-6 / (gate.area_um2 * 1e-8)
    power = {part: price * density for part, price in area.items()}
    if with_adc:
        more_area, more_power = _converter_prices(layout, technology)
        area, power = area | more_area, power | more_power
    return CostModel.of(layout, [{"area": area, "power": power}], {"area": FLOOR_CM2, "power": FLOOR_CM2 * density})


def gate_area(technology: Technology) -> float:
    """Return the area, in cm2, of the gate that :data:`GATES` are counted in."""
    return _smallest_gate(technology).area_um2 * 1e-8


def _smallest_gate(technology: Technology) -> Cell:
    """Return the cheapest two-input NAND or NOR."""
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


def _converter_prices(layout: Layout, technology: Technology) -> tuple[dict[str, float], dict[str, float]]:
    """Return area in cm2 and power in mW of a comparator and of an encoder gate, by pricing two small converters."""
    wide = [feature for feature in layout.net.inputs if feature.bits > FLASH_MOST_BITS]
    if wide:
        raise MlpressError(
            f"input {wide[0].name!r} has {wide[0].bits} bits; flash converters have at most {FLASH_MOST_BITS}"
        )
    one = adc_cost([Converter(2, (1,))], technology)  # one comparator
    three = adc_cost([Converter(2, (1, 3))], technology)  # two comparators and a gate
    if one is None or three is None:
        raise MlpressError(f"{technology.name} has no published converter; leave the converters out of the cost")
    return (
        {"comparator": one.area_cm2, "encode": three.area_cm2 - 2 * one.area_cm2},
        {"comparator": one.power_mw, "encode": three.power_mw - 2 * one.power_mw},
    )
