"""Printed circuits: area, power, delay, sources and converters; cells, supplies and the critical path in the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mlpress import ir
from mlpress.report.facts import DesignFacts, Shares
from mlpress.report.figures import MISSING, counted, figure, join, percent, unit, words
from mlpress.report.headline import Tile, cost_tiles, in_brackets
from mlpress.report.printed_system import Copies, System, copies_tiles, offset_rows, system_tiles
from mlpress.report.reading import Json, Number, mapping, number, read
from mlpress.report.schematic import Drawing, schematics
from mlpress.report.vega import Spec


@dataclass(frozen=True, slots=True)
class Supply:
    """What a circuit does at one supply voltage."""

    voltage: Number | None = None
    critical_path_ms: Number | None = None
    meets_rate: bool | None = None
    static_mw: Number | None = None
    dynamic_mw: Number | None = None
    total_mw: Number | None = None
    energy_mj: Number | None = None
    power_sources: tuple[Json, ...] = ()
    timing: Json = None

    @property
    def sources(self) -> list[str]:
        """Names of the printed sources that can feed the circuit at this voltage and the estimate's rate."""
        return [] if self.meets_rate is False else [words(name) for name in self.power_sources]

    @property
    def volts(self) -> str:
        """The voltage with its unit."""
        return unit(words(self.voltage), "V")


@dataclass(frozen=True, slots=True)
class Converters:
    """Input converters beside a circuit."""

    converters: Number | None = None
    area_cm2: Number | None = None
    power_mw: Number | None = None
    at_volts: Number | None = None
    counted: Json = None


@dataclass(frozen=True, slots=True)
class PathStep:
    """One cell of the critical path."""

    cell: Json = None
    instance: Json = None
    input: Json = None
    output: Json = None
    edge: Json = None
    net: Json = None
    delay_ms: Number | None = None
    arrival_ms: Number | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a mapped netlist costs."""

    cells: Number | None = None
    cells_by_type: Mapping[str, Json] = field(default_factory=dict)
    area_cm2: Number | None = None
    logic_depth: Number | None = None
    rate_hz: Number | None = None
    activity: Json = None
    nominal_voltage: Number | None = None
    voltages: tuple[Supply, ...] = ()
    critical_path: tuple[PathStep, ...] = ()
    adc: Converters | None = None
    notes: tuple[Json, ...] = ()

    @property
    def best(self) -> Supply | None:
        """The supply that draws least power among those that meet the rate; ``None`` where none does."""
        return min((supply for supply in self.voltages if supply.meets_rate), key=_total_mw, default=None)

    @property
    def nominal(self) -> Supply | None:
        """The nominal supply, where it is known."""
        return next((supply for supply in self.voltages if supply.voltage == self.nominal_voltage), None)

    def shown(self) -> tuple[Supply | None, str]:
        """Return the one supply that a summary speaks of, and why it is that one.

        It is the nominal one, for which limits are checked and published figures stand, unless it misses the rate.
        """
        rate, nominal, best = unit(words(self.rate_hz), "Hz"), self.nominal, self.best
        if nominal and (nominal.meets_rate or best is None):
            missed = "" if best else f"; no supply voltage is fast enough for {rate}"
            return nominal, f"the nominal supply{missed}"
        if best is not None:
            return best, f"the least that meets {rate}"
        return min(self.voltages, key=_total_mw, default=None), f"no supply voltage is fast enough for {rate}"


@dataclass(frozen=True, slots=True)
class Tree:
    """A decision tree in the same cells: its cost, and its accuracies as shares."""

    leaves: Number | None = None
    area_cm2: Number | None = None
    power_mw: Number | None = None
    fit: Number | None = None
    validation: Number | None = None
    test: Number | None = None
    intervals: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PrintedFacts:
    """The facts of a printed circuit."""

    estimate: Estimate | None = None
    tree: Tree | None = None
    synthesis: Mapping[str, Json] = field(default_factory=dict)
    audit: Mapping[str, Json] = field(default_factory=dict)
    system: System | None = None
    variation: Copies | None = None


@dataclass(frozen=True, slots=True)
class TechnologyFacts:
    """A technology: its supplies in volts and its number of cells."""

    nominal: Number | None = None
    voltages: tuple[Json, ...] = ()
    cells: Number | None = None


@dataclass(frozen=True, slots=True)
class Printed:
    """What is shown of printed circuits."""

    program: str = "a classifier"
    templates: Mapping[str, str] = field(
        default_factory=lambda: {
            "cost": "printed_cost.html",
            "built": "printed_audit.html",
            "trust": "printed_trust.html",
        }
    )

    def read(self, found: Mapping[str, Any]) -> PrintedFacts:
        """Read estimate, tree, synthesis, audit, system and copies."""
        known = ("estimate", "tree", "system", "variation")
        parts = {name: mapping(found.get(name), name) or None for name in known}
        return read(PrintedFacts, {**found, **parts})

    def read_target(self, found: Mapping[str, Any]) -> TechnologyFacts:
        """Read what a list of targets says of a technology."""
        return read(TechnologyFacts, found)

    def made_of(self, target: str) -> str:
        """Return what the design is made of: ``in egfet cells``."""
        return f"in {words(target)} cells"

    def described(self, target: str) -> str:
        """Return the same in a sentence on a program."""
        return f"as a circuit of {words(target)} cells"

    def tiles(self, facts: DesignFacts) -> Sequence[Tile]:
        """Return the tiles of the system or the estimate, of the decision tree, and of the copies."""
        own: PrintedFacts = facts.own
        shown, _ = (own.estimate or Estimate()).shown()
        with_power = own.estimate is None or shown is None or shown.voltage == own.estimate.nominal_voltage
        return [*_costs(facts), *_tree(own.tree, with_power=with_power), *copies_tiles(own.variation)]

    def lead(self, facts: DesignFacts) -> Sequence[Tile]:
        """Return area and power from the sensors to the class, as far as they are known."""
        own: PrintedFacts = facts.own
        if own.system is not None:
            return system_tiles(own.system, [])[:2]
        return _totals(own.estimate) if own.estimate else cost_tiles(facts.cost)[:2]

    def schematics(
        self, facts: DesignFacts, files: Mapping[str, str | bytes], program: ir.Shipped | None
    ) -> Sequence[Drawing]:
        """Return the drawings of the mapped netlist, with the critical path."""
        netlist, own = files.get("netlist.v"), facts.own
        if not isinstance(netlist, str):
            return ()
        path = own.estimate.critical_path if own.estimate else ()
        inputs = program.inputs if isinstance(program, ir.Net | ir.Circuit) else ()
        return schematics(netlist, inputs, frozenset(words(step.instance) for step in path))

    def curves(self, facts: DesignFacts) -> Sequence[tuple[str, str, Spec]]:
        """Return nothing: tables say what there is to say."""
        return ()

    def made(self, own: PrintedFacts) -> Mapping[str, Any]:
        """Return how it was synthesised."""
        return {f"synthesis {name}": value for name, value in own.synthesis.items() if name != "cells"}

    def context(self, facts: DesignFacts) -> Mapping[str, Any]:
        """Return what the templates show."""
        own: PrintedFacts = facts.own
        estimate, accuracy = own.estimate or Estimate(), facts.accuracy
        counts = estimate.cells_by_type or mapping(own.synthesis.get("cells"), "cells")
        return {
            "own": own,
            "estimate": estimate,
            "shares": accuracy or Shares(),
            "test_shares": (accuracy.test if accuracy else None) or Shares(),
            "validation": accuracy.validation if accuracy else None,
            "cells": _bars(counts),
            "best": estimate.best,
            "nominal_mw": estimate.nominal.total_mw if estimate.nominal else None,
            "supplies": [_fed(supply, estimate, own.system) for supply in estimate.voltages],
            "sources": _sources(estimate, own.system),
            "timing": _timing(estimate.voltages),
            "offsets": offset_rows(own.variation),
            "audit_tables": [name for name, value in own.audit.items() if _is_table(value)],
        }

    def columns(self, own: TechnologyFacts) -> tuple[str, str]:
        """Return the supplies, and the number of cells."""
        volts = list(own.voltages)
        supply = f"{words(volts)} V (usually {words(own.nominal)} V)" if volts else ""
        return supply, "" if own.cells is None else counted(own.cells, "cell")


KIND = Printed()


def read_estimate(found: Mapping[str, Any]) -> Estimate:
    """Read an estimate as ``mlpress estimate`` prints it."""
    return read(Estimate, found, "estimate")


def _costs(facts: DesignFacts) -> list[Tile]:
    own: PrintedFacts = facts.own
    if own.system is not None:
        delay = None if own.estimate is None else _delay(own.estimate)
        return system_tiles(own.system, [] if delay is None else [delay])
    return cost_tiles(facts.cost) if own.estimate is None else estimate_tiles(own.estimate)


def _totals(estimate: Estimate) -> list[Tile]:
    """Return area and power of the gates with the input converters that feed them."""
    found = [tile for tile in (_area(estimate), _power(estimate)) if tile is not None]
    adc, (shown, _) = estimate.adc, estimate.shown()
    if adc is None or len(found) < 2 or estimate.area_cm2 is None or adc.area_cm2 is None:
        return found
    converters = counted(adc.converters, "flash converter")
    area = Tile(
        "area, sensor to class",
        unit(figure(estimate.area_cm2 + adc.area_cm2), "cm²"),
        f"{unit(figure(estimate.area_cm2), 'cm²')} of gates and {unit(figure(adc.area_cm2), 'cm²')} of {converters}",
    )
    if shown is None or shown.total_mw is None or adc.power_mw is None or shown.voltage != adc.at_volts:
        return [area, found[1]]
    power = Tile(
        "power, sensor to class",
        unit(figure(shown.total_mw + adc.power_mw), "mW"),
        f"at {shown.volts}: {unit(figure(shown.total_mw), 'mW')} of gates and {unit(figure(adc.power_mw), 'mW')} of "
        f"{converters}",
    )
    return [area, power]


def estimate_tiles(estimate: Estimate) -> list[Tile]:
    """Return the headline of an estimate: area, power, delay, and what can feed it."""
    found = (_area(estimate), _power(estimate), _delay(estimate), _source(estimate), _converters(estimate))
    return [tile for tile in found if tile]


def _total_mw(supply: Supply) -> float:
    return math.inf if supply.total_mw is None else supply.total_mw


def _most_mw(estimate: Estimate) -> float:
    return max((supply.total_mw or 0.0 for supply in estimate.voltages), default=0.0)


def _tree(tree: Tree | None, *, with_power: bool) -> list[Tile]:
    """Return the decision tree's tile; its power is known at the nominal supply alone."""
    if tree is None or tree.area_cm2 is None:
        return []
    known = (("test", tree.test, "test"), ("validation", tree.validation, "validation"), ("fit", tree.fit, "training"))
    has = next(
        (
            [f"has {percent(share)} on {rows} rows{in_brackets(tree.intervals.get(name))}"]
            for name, share, rows in known
            if share is not None
        ),
        [],
    )
    draws = [f"draws {unit(figure(tree.power_mw), 'mW')}"] if with_power else []
    note = f"a tree of {counted(tree.leaves, 'leaf', 'leaves')} {join([*has, *draws])}".rstrip()
    return [Tile("decision tree", unit(figure(tree.area_cm2), "cm²"), note)]


def _area(estimate: Estimate) -> Tile | None:
    if estimate.area_cm2 is None:
        return None
    side = math.sqrt(max(estimate.area_cm2, 0.0))
    square = unit(figure(10 * side, 2), "mm") if side < 1 else unit(figure(side, 2), "cm")
    cells = f"{counted(estimate.cells, 'cell')}, " if estimate.cells else ""
    return Tile("area", unit(figure(estimate.area_cm2), "cm²"), f"{cells}as a square {square} per side")


def _power(estimate: Estimate) -> Tile | None:
    shown, why = estimate.shown()
    if shown is None:
        return None
    tone: Literal["plain", "bad"] = "plain" if estimate.best else "bad"
    return Tile("power", unit(figure(shown.total_mw), "mW"), f"at {shown.volts}, {why}", tone)


def _delay(estimate: Estimate) -> Tile | None:
    shown, _ = estimate.shown()
    if shown is None:
        return None
    rate = estimate.rate_hz
    leaves = f"; {unit(words(rate), 'Hz')} leaves {unit(figure(1000 / rate), 'ms')}" if rate else ""
    through = f", through {counted(estimate.logic_depth, 'cell')} at most" if estimate.logic_depth else ""
    tone: Literal["plain", "bad"] = "plain" if shown.meets_rate is not False else "bad"
    return Tile("critical path", unit(figure(shown.critical_path_ms), "ms"), f"at {shown.volts}{through}{leaves}", tone)


def _source(estimate: Estimate) -> Tile | None:
    shown, _ = estimate.shown()
    if shown is None or estimate.best is None:
        return None
    if not (fit := shown.sources):
        return Tile("power source", "none", f"it draws more than any printed source gives at {shown.volts}", "bad")
    also = f"; so can {join(fit[1:])}" if fit[1:] else ""
    return Tile("power source", fit[0], f"can feed it at {shown.volts}{also}")


def _converters(estimate: Estimate) -> Tile | None:
    if (adc := estimate.adc) is None:
        return None
    shown, _ = estimate.shown()
    power = f"and {unit(figure(adc.power_mw), 'mW')} " if shown is None or shown.voltage == adc.at_volts else ""
    read_bits = f" ({words(adc.counted)})" if adc.counted else ""
    note = f"{power}for {counted(adc.converters, 'flash converter')}{read_bits}, not in the figures above"
    return Tile("input converters", unit(figure(adc.area_cm2), "cm²"), note)


@dataclass(frozen=True, slots=True)
class Fed:
    """A supply voltage of a whole system: power of the gates, of what feeds them, of all; and what can feed that.

    ``inputs_mw`` and ``total_mw`` are None where the power of comparators is not known at this voltage, ``feeds`` too.
    ``shares`` are static and dynamic power of the gates, as shares of the most that is drawn at any voltage.
    """

    supply: Supply
    inputs_mw: Number | None
    total_mw: Number | None
    feeds: tuple[str, ...] | None
    shares: tuple[float, float]


def _fed(supply: Supply, estimate: Estimate, system: System | None) -> Fed:
    static, dynamic = _power_shares(supply, _most_mw(estimate))
    if system is None:
        return Fed(supply, None, supply.total_mw, tuple(supply.sources), (static, dynamic))
    if supply.voltage != system.at_volts or system.comparators.power_mw is None:
        return Fed(supply, None, None, None, (static, dynamic))
    feeds = () if supply.meets_rate is False else tuple(words(name) for name in system.power_sources)
    return Fed(supply, system.comparators.power_mw, system.total.power_mw, feeds, (static, dynamic))


def _sources(estimate: Estimate, system: System | None) -> list[tuple[str, str, list[bool | None]]]:
    """Return each printed source with its limit, and at which voltages it can feed everything (None: not known)."""
    from mlpress.hw.printed import POWER_SOURCES

    feeds = [_fed(supply, estimate, system).feeds for supply in estimate.voltages]
    known = {source.name: (source.title, f"{source.limit_mw:g}") for source in POWER_SOURCES}
    others = {name: (name, MISSING) for names in feeds for name in names or () if name not in known}
    return [
        (*text, [None if names is None else name in names for names in feeds])
        for name, text in (known | others).items()
    ]


def _timing(voltages: Sequence[Supply]) -> list[tuple[str, str]]:
    """Return what the delays rest on, with the voltages that it is true of."""
    found: dict[str, list[str]] = {}
    for supply in voltages:
        if supply.timing:
            found.setdefault(words(supply.timing), []).append(words(supply.voltage))
    return [(join(volts), text) for text, volts in found.items()]


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(row, Mapping) for row in value.values())


def _bars(counts: Mapping[str, Any]) -> list[tuple[str, Any, float]]:
    """Return each name with its count and its share of the largest one, largest first."""
    sizes = {name: number(count) or 0.0 for name, count in counts.items()}
    most = max(sizes.values(), default=0.0)
    return [(name, counts[name], _share(sizes[name], most)) for name in sorted(sizes, key=lambda k: (-sizes[k], k))]


def _power_shares(supply: Supply, most: float) -> tuple[float, float]:
    """Return static and dynamic power as shares of the ``most`` milliwatts that are drawn."""
    return _share(supply.static_mw or 0.0, most), _share(supply.dynamic_mw or 0.0, most)


def _share(value: float, most: float) -> float:
    return min(max(value / most, 0.0), 1.0) if most > 0 else 0.0
