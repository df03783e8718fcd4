"""From sensors to the ports of a printed circuit with unary inputs: files, checks, and what comparators add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress import codegen, ir
from mlpress.hw import printed
from mlpress.targets.base import file_text
from mlpress.verify import EngineResult

Lowered = ir.Lowered | ir.Circuit

CONVERTERS, FRONT_END = "converters.csv", "front_end.v"


def is_unary(inputs: Sequence[ir.Input]) -> bool:
    """Return whether any input comes from comparators."""
    return any(feature.interface == "unary" for feature in inputs)


def front_files(lowered: Lowered) -> dict[str, str]:
    """Return the table of comparators and their behaviour, by file name."""
    return {CONVERTERS: codegen.converters_csv(lowered), FRONT_END: codegen.front_end(lowered)}


def check_front_end(
    wanted: Mapping[str, str], files: Mapping[str, str | bytes], features: NDArray[np.float64]
) -> list[EngineResult]:
    """Check that ``files`` of the front end are the ``wanted`` ones, which the program makes; nothing without any."""
    if not wanted:
        return []
    wrong = [name for name, text in wanted.items() if file_text(files, name) != text]
    difference = f"{wrong[0]} is not the one that this program makes" if wrong else ""
    return [EngineResult.of("front end", len(features), difference, "its files, written again")]


@dataclass(frozen=True, slots=True)
class SystemCost:
    """Area (cm2) and power (mW, at ``volts``) of gates, and of the ``count`` comparators that they read.

    ``comparators`` is None where these are no part of the system, and ``missing`` names what no figure is known of.
    """

    gates: tuple[float, float]
    comparators: tuple[float, float] | None
    count: int
    volts: float
    missing: str
    meets_rate: bool = True

    def values(self) -> dict[str, float]:
        """Return what counts, by metric: everything there are figures of."""
        extra = self.comparators or (0.0, 0.0)
        return {"area": self.gates[0] + extra[0], "power": self.gates[1] + extra[1]}

    def facts(self) -> dict[str, Any]:
        """Return the parts as plain JSON values, or nothing where the circuit has no comparators."""
        if self.comparators is None and not self.missing:
            return {}
        known = self.comparators or (None, None)
        return {
            "system": {
                "gates": {"area_cm2": self.gates[0], "power_mw": self.gates[1]},
                "comparators": {"count": self.count, "area_cm2": known[0], "power_mw": known[1]},
                "total": {"area_cm2": self.values()["area"], "power_mw": self.values()["power"]},
                "at_volts": self.volts,
                "power_sources": self._sources(),
                "missing": self.missing,
            }
        }

    def _sources(self) -> list[str]:
        """Return the printed sources that can feed everything; none where the comparators' power is not known."""
        known = self.comparators is not None and (self.comparators[1] > 0 or not self.count)
        found = printed.sources_for(self.values()["power"]) if known and self.meets_rate else ()
        return [source.name for source in found]


def system_cost(found: printed.Estimate, technology: printed.Technology, inputs: Sequence[ir.Input]) -> SystemCost:
    """Return what a circuit with these inputs costs in all at the nominal supply."""
    gates, volts = (found.area_cm2, found.nominal.total_mw), found.nominal_voltage
    if not is_unary(inputs):
        return SystemCost(gates, None, 0, volts, "")
    if technology.comparator is None:
        missing = f"the comparators: no figures of one are known for {technology.name}"
        return SystemCost(gates, None, found.levels_read, volts, missing, found.nominal.meets_rate)
    area, power, missing = 0.0, 0.0, "the resistor ladder"
    if found.adc is not None:
        area, power = found.adc.area_cm2, found.adc.power_mw
        if found.adc.volts != volts:
            power, missing = 0.0, f"the comparators' power: it is known at {found.adc.volts:g} V alone; {missing}"
    return SystemCost(gates, (area, power), found.levels_read, volts, missing, found.nominal.meets_rate)
