"""Where the area and the power of a printed circuit go, from sensors to the class, as facts for the report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mlpress import ir
from mlpress.hw import printed
from mlpress.targets.base import Values

Lowered = ir.Lowered | ir.Circuit

ADDERS = {
    "full_adders": {"XOR2X1": 2, "NAND2X1": 3},
    "half_adders": {"XOR2X1": 1, "AND2X1": 1},
    "muxes": {"NAND2X1": 3},
}
"""The cells that a full adder, a half adder and a multiplexer are usually made of: weights to share out an area."""


def spent_facts(
    packed: printed.PackedNetlist,
    found: printed.Estimate,
    lowered: Lowered,
    vectors: Values,
    audit: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the fact ``spent``: parts with their area in cm2 and power in mW at the nominal supply, and how found.

    Of a network whose sums the ``audit`` counted, gates are those of its neurons; of any other circuit, the cones of
    its output bits.
    """
    technology = packed.linked.technology
    cones = printed.spending(packed, vectors, found.rate_hz)
    adders = audit.get("adders")
    if isinstance(adders, Mapping) and adders and isinstance(lowered, ir.Lowered):
        gates, how = _neurons(adders, cones, technology), "gates are shared out by the adders of each neuron's sums"
    else:
        gates, how = _cones(cones), "gates are those that a bit of the answer needs, cell by cell"
    parts = [*_inputs(packed, found, lowered.inputs, technology), *gates]
    return {"spent": {"how": how, "parts": parts}}


def _part(path: Sequence[str], area: float, power: float | None, count: int) -> dict[str, Any]:
    return {"of": list(path), "area_cm2": area, "power_mw": power, "count": count}


def _cones(cones: Sequence[printed.Cone]) -> list[dict[str, Any]]:
    parts = []
    for cone in cones:
        names = cone.outputs
        name = "input nets" if not names else names[0] if len(names) == 1 else f"shared by {' and '.join(names)}"
        parts.append(_part(("gates", name), cone.area_cm2, cone.power_mw, cone.cells))
    return parts


def _neurons(
    adders: Mapping[str, Any], cones: Sequence[printed.Cone], technology: printed.Technology
) -> list[dict[str, Any]]:
    """Share the gates out by the area that the adders of each sum would have on their own."""
    weights: dict[tuple[str, str], float] = {}
    for name, counts in adders.items():
        own = sum(
            counts.get(kind, 0) * number * technology.cells[cell].area_um2
            for kind, cells in ADDERS.items()
            for cell, number in cells.items()
            if cell in technology.cells
        )
        if own:
            path = _place(str(name))
            weights[path] = weights.get(path, 0.0) + own
    area, power = sum(cone.area_cm2 for cone in cones), sum(cone.power_mw for cone in cones)
    cells, whole = sum(cone.cells for cone in cones), sum(weights.values())
    if not whole:
        return _cones(cones)
    return [
        _part(path, area * own / whole, power * own / whole, round(cells * own / whole))
        for path, own in sorted(weights.items())
    ]


def _place(name: str) -> tuple[str, str]:
    """Return layer and neuron of a sum's name in the plan: ``h0_1_sum``, ``s_2_sum``, ``h0_shared3``, ``y``."""
    found = re.match(r"(h\d+|s)_(?:(\d+)|(shared))", name)
    if found is None:
        return "decision", name
    layer = "scores" if found[1] == "s" else f"layer {found[1][1:]}"
    return layer, "shared sums" if found[3] else f"neuron {found[2]}"


def _inputs(
    packed: printed.PackedNetlist,
    found: printed.Estimate,
    inputs: Sequence[ir.Input],
    technology: printed.Technology,
) -> list[dict[str, Any]]:
    """Return the converters, or the comparators of each feature, as far as figures of one are known."""
    adc = found.adc
    if adc is None:
        return []
    power = adc.power_mw if adc.volts == found.nominal_voltage else None
    if adc.encoded or technology.comparator is None:
        return [_part(("inputs", "flash converters"), adc.area_cm2, power, adc.converters)]
    live = packed.linked.live_nets()
    nets = {port.name: port.nets for port in packed.linked.netlist.inputs}
    parts = []
    for k, feature in enumerate(inputs):
        ports = [port for port, _ in ir.input_ports([feature], first=k)]
        count = sum(any(net in live for net in nets.get(port, ())) for port in ports)
        share = count / max(adc.comparators, 1)
        if count:
            name = f"{feature.name or ir.port_name(k)}"
            parts.append(_part(("inputs", name), adc.area_cm2 * share, None if power is None else power * share, count))
    return parts
