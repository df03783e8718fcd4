"""What a mapped netlist costs: area, timing and power at every voltage, and what can feed it.

``docs/estimates.md`` says how the figures are made and how far to trust them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.technology import Technology, cm2
from mlpress.hw.printed.cost.adc import MOST_BITS, AdcCost, Converter, Feed, adc_cost, converters_read
from mlpress.hw.printed.cost.power import estimate_power
from mlpress.hw.printed.cost.sources import LARGEST_AREA_CM2, sources_for
from mlpress.hw.printed.cost.timing import Step, critical_path
from mlpress.hw.printed.netlist.linked import link
from mlpress.hw.printed.netlist.netlist import Netlist, Port
from mlpress.hw.printed.netlist.simulate import PackedNetlist, Rows
from mlpress.progress import counted

RANDOM_ROWS = 4096
"""Rows drawn where the user gives none."""


@dataclass(frozen=True, slots=True)
class InputStatistics:
    """Rows drawn where no data is given: every input bit is 1 with probability ``one``, on its own."""

    one: float = 0.5
    rows: int = RANDOM_ROWS
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.rows} random rows, each input bit 1 with probability {self.one:g} on its own (seed {self.seed})"


@dataclass(frozen=True, slots=True)
class VoltageEstimate:
    """One supply voltage: delay in ms, power in mW, energy of one inference in mJ at the estimate's rate.

    ``power_sources`` can feed the circuit at this voltage; none can where the rate is not met.
    """

    voltage: float
    critical_path_ms: float
    meets_rate: bool
    static_mw: float
    dynamic_mw: float
    total_mw: float
    energy_mj: float
    power_sources: tuple[str, ...]
    timing: str

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "voltage": self.voltage,
            "critical_path_ms": self.critical_path_ms,
            "meets_rate": self.meets_rate,
            "static_mw": self.static_mw,
            "dynamic_mw": self.dynamic_mw,
            "total_mw": self.total_mw,
            "energy_mj": self.energy_mj,
            "power_sources": list(self.power_sources),
            "timing": self.timing,
        }


@dataclass(frozen=True, slots=True)
class Estimate:
    """Cost of a mapped netlist.

    ``voltages`` holds every supply voltage of the technology, rising; ``path`` is the critical path at
    ``nominal_voltage``; ``activity`` says what rows the power figures rest on; ``adc`` is the cost of input
    converters beside the circuit (None where none is known); ``notes`` are sentences for the reader; ``levels_read``
    counts the comparators that the netlist reads by ports of their own.
    """

    technology: str
    top: str
    cells: int
    cells_by_type: dict[str, int]
    area_cm2: float
    logic_depth: int
    rate_hz: float
    rows: int
    activity: str
    nominal_voltage: float
    voltages: tuple[VoltageEstimate, ...]
    path: tuple[Step, ...]
    adc: AdcCost | None
    notes: tuple[str, ...]
    levels_read: int = 0

    def at(self, voltage: float) -> VoltageEstimate:
        """Return the figures at one voltage."""
        for found in self.voltages:
            if found.voltage == voltage:
                return found
        known = ", ".join(f"{found.voltage:g}" for found in self.voltages)
        raise MlpressError(f"there is no estimate at {voltage:g} V; choose one of {known}")

    @property
    def nominal(self) -> VoltageEstimate:
        """The figures at the nominal voltage."""
        return self.at(self.nominal_voltage)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "technology": self.technology,
            "top": self.top,
            "cells": self.cells,
            "cells_by_type": dict(self.cells_by_type),
            "area_cm2": self.area_cm2,
            "logic_depth": self.logic_depth,
            "rate_hz": self.rate_hz,
            "rows": self.rows,
            "activity": self.activity,
            "nominal_voltage": self.nominal_voltage,
            "voltages": [voltage.to_json() for voltage in self.voltages],
            "critical_path": [
                {
                    "instance": step.instance,
                    "cell": step.cell,
                    "input": step.input,
                    "output": step.output,
                    "edge": step.edge,
                    "net": step.net,
                    "delay_ms": step.delay_ms,
                    "arrival_ms": step.arrival_ms,
                }
                for step in self.path
            ],
            "adc": self.adc.to_json() if self.adc else None,
            "notes": list(self.notes),
        }


def check_rate(rate_hz: float) -> None:
    """Raise :class:`MlpressError` where so many inferences per second are impossible."""
    if not (0 < rate_hz < float("inf")):
        raise MlpressError(f"the rate must be a positive number of inferences per second, not {rate_hz:g}")


def estimate(
    netlist: Netlist | PackedNetlist,
    technology: Technology,
    vectors: Rows | None = None,
    rate_hz: float = 5.0,
    input_statistics: InputStatistics | None = None,
    converters: Sequence[Feed] = (),
) -> Estimate:
    """Estimate area, timing and power of ``netlist``, compiled or not, in ``technology`` at every voltage.

    ``vectors`` are the rows that it sees, one every ``1 / rate_hz`` seconds, in this order: integers by
    input port, or an array (rows, ports); without them rows are drawn by ``input_statistics`` (default:
    every bit 1 half the time).  ``converters`` are the input converters to cost beside it, each as far as the netlist
    reads its code (default: none; :func:`full_converters` are those that anybody's ports could need).
    """
    check_rate(rate_hz)
    engine = PackedNetlist(netlist, technology) if isinstance(netlist, Netlist) else netlist
    linked = engine.linked
    drawn = input_statistics or InputStatistics()
    activity = engine.activity(_draw(engine.inputs, drawn) if vectors is None else vectors)
    area = cm2(sum(member.cell.area_um2 * len(member.cells) for member in linked.members))
    voltages = []
    path: tuple[Step, ...] = ()
    for voltage in technology.voltages:
        timing = critical_path(linked, voltage)
        spent = estimate_power(linked, activity, timing, rate_hz)
        meets_rate = timing.delay_ms * rate_hz <= 1000
        if voltage == technology.nominal:
            path = timing.path
        voltages.append(
            VoltageEstimate(
                voltage=voltage,
                critical_path_ms=timing.delay_ms,
                meets_rate=meets_rate,
                static_mw=spent.static_mw,
                dynamic_mw=spent.dynamic_mw,
                total_mw=spent.total_mw,
                energy_mj=spent.total_mw / rate_hz,
                power_sources=tuple(source.name for source in sources_for(spent.total_mw) if meets_rate),
                timing=technology.timing[voltage],
            )
        )
    fed = converters_read(linked, converters)
    adc = adc_cost(fed, technology)
    return Estimate(
        technology=technology.name,
        top=linked.netlist.name,
        cells=len(linked.netlist.names),
        cells_by_type=linked.netlist.cells_by_type(),
        area_cm2=area,
        logic_depth=linked.depth,
        rate_hz=rate_hz,
        rows=activity.rows,
        activity=str(drawn) if vectors is None else f"{counted(activity.rows, 'row')} of data",
        nominal_voltage=technology.nominal,
        voltages=tuple(voltages),
        path=path,
        adc=adc if adc and adc.converters else None,
        notes=tuple(_notes(area, activity.rows, vectors is None)),
        levels_read=sum(converter.comparators for converter in fed if not converter.encoded),
    )


def _draw(ports: Sequence[Port], statistics: InputStatistics) -> dict[str, NDArray[Any]]:
    if not 0 <= statistics.one <= 1 or statistics.rows < 1:
        raise MlpressError("input statistics need a probability from 0 to 1 and at least one row")
    random = np.random.default_rng(statistics.seed)
    drawn: dict[str, NDArray[Any]] = {}
    for port in ports:
        bits = random.random((statistics.rows, port.width)) < statistics.one
        weights = np.array([1 << k for k in range(port.width)], object if port.width > 62 else np.int64)
        drawn[port.name] = (bits * weights).sum(axis=1)
    return drawn


def full_converters(
    netlist: Netlist, technology: Technology, features: Sequence[tuple[str, int, int]] = ()
) -> list[Feed]:
    """Return a full converter for each of the ``features`` (port, lowest bit, bits), and for each input port without
    any.

    Clocks, and what is too wide for a flash converter, get none.
    """
    packed, clocks = {port for port, _, _ in features}, link(netlist, technology).clocks
    ports = [port for port in netlist.inputs if port.name not in packed and not clocks.issuperset(port.nets)]
    whole = [(port.name, 0, port.width) for port in ports]
    return [Feed(port, Converter(bits), low) for port, low, bits in (*features, *whole) if bits <= MOST_BITS]


def _notes(area: float, rows: int, drawn: bool) -> list[str]:
    notes = []
    if drawn:
        notes.append("no rows were given: power rests on random inputs, which real data seldom resemble")
    elif rows < 2:
        notes.append("one row has no changes: dynamic power is left out")
    if area > LARGEST_AREA_CM2:
        notes.append(f"{area:.1f} cm2 is beyond the {LARGEST_AREA_CM2:g} cm2 that most printed applications bear")
    return notes
