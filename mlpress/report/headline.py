"""The handful of figures that a design is judged by; the HTML report and the command line show the same ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlpress.report.figures import counted, figure, interval, items, join, number, part, percent, rows, unit, words


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure: what it is, its value with unit, and a few words on what it means."""

    name: str
    value: str
    note: str = ""
    tone: Literal["plain", "good", "bad"] = "plain"


def tiles(facts: Mapping[str, Any]) -> list[Tile]:
    """The headline of a design, from the facts that it has."""
    estimate = part(facts, "estimate")
    costs = system_tiles(part(facts, "system"), estimate) or estimate_tiles(estimate) or cost_tiles(part(facts, "cost"))
    found = [_accuracy(part(facts, "accuracy")), *costs]
    shown, _ = shown_voltage(estimate)
    nominal = not shown or shown.get("voltage") == estimate.get("nominal_voltage")
    found.append(_tree(part(facts, "tree"), with_power=nominal))
    found.append(_copies(part(facts, "variation")))
    return [tile for tile in [*found, _proof(rows(facts, "verification"))] if tile]


def estimate_tiles(estimate: Mapping[str, Any]) -> list[Tile]:
    """The headline of an estimate: area, power, delay, and what can feed it."""
    found = (_area(estimate), _power(estimate), _delay(estimate), _sources(estimate), _converters(estimate))
    return [tile for tile in found if tile]


def system_tiles(system: Mapping[str, Any], estimate: Mapping[str, Any]) -> list[Tile]:
    """Return the headline of a circuit that reads comparators: everything from the sensors to the class counts."""
    total, gates, comparators = (part(system, name) for name in ("total", "gates", "comparators"))
    if not total:
        return []
    read, volts = counted(comparators.get("count"), "comparator"), unit(words(system.get("at_volts")), "V")
    missing = f"; without {words(system['missing'])}" if system.get("missing") else ""

    def split(name: str, symbol: str) -> str:
        own = unit(figure(gates.get(name)), symbol)
        if number(comparators.get(name)) is None:
            return f"{own} of gates; {read}{missing}"
        return f"{own} of gates and {unit(figure(comparators[name]), symbol)} of {read}{missing}"

    found = [
        Tile("area, sensor to class", unit(figure(total.get("area_cm2")), "cm²"), split("area_cm2", "cm²")),
        Tile(
            "power, sensor to class",
            unit(figure(total.get("power_mw")), "mW"),
            f"at {volts}: {split('power_mw', 'mW')}",
        ),
        _delay(estimate),
        _system_source(system, volts),
    ]
    return [tile for tile in found if tile]


def _system_source(system: Mapping[str, Any], volts: str) -> Tile | None:
    fit = [words(name) for name in items(system, "power_sources")]
    if number(part(system, "comparators").get("power_mw")) is None:
        return None
    if not fit:
        return Tile(
            "power source", "none", f"no printed source is known to feed circuit and comparators at {volts}", "bad"
        )
    also = f"; so can {join(fit[1:])}" if fit[1:] else ""
    return Tile("power source", fit[0], f"can feed circuit and comparators at {volts}{also}")


def cost_tiles(cost: Mapping[str, Any]) -> list[Tile]:
    """Return one tile per metric, for targets that have no tiles of their own: its value, and how it was found."""
    units, how = part(cost, "units"), part(cost, "how")
    return [
        Tile(
            words(name),
            unit(figure(value), words(units[name])) if units.get(name) else figure(value),
            words(how[name]) if how.get(name) else "",
        )
        for name, value in part(cost, "values").items()
    ]


def made_of(facts: Mapping[str, Any]) -> str:
    """Return what a design is made of or for: ``in egfet cells``, ``for cortex-m0plus``; empty where unknown."""
    target = facts.get("target")
    if not target:
        return ""
    return f"in {words(target)} cells" if in_cells(facts) else f"for {words(target)}"


def in_cells(facts: Mapping[str, Any]) -> bool:
    """Return whether the design is a circuit of cells, as all are whose facts name no kind."""
    return facts.get("kind") in {None, "printed"}


def run_tiles(facts: Mapping[str, Any]) -> list[Tile]:
    """What a run on a device found: accuracy, agreement, cycles' spread, and the metrics that it measured."""
    different, count = number(facts.get("different")) or 0, counted(facts.get("rows"), "row")
    bounds = _within({"intervals": {"accuracy": facts.get("interval")}}, "accuracy") if facts.get("interval") else ""
    shown = Tile(
        "R²" if facts.get("metric") == "r2" else "accuracy", score(facts, facts.get("accuracy")), f"on {count}{bounds}"
    )
    same = (
        Tile(
            "same function",
            "DIFFERENT",
            f"{counted(facts.get('different'), 'row')} of {figure(facts.get('rows'))}",
            "bad",
        )
        if different
        else Tile("same function", "equal", f"the reference interpreter's answer to all {count}", "good")
    )
    spans = [
        Tile(f"{words(name)}, {key}", figure(found[key]), f"of {counted(found.get('rows'), 'row')}")
        for name, found in _spans(facts).items()
        for key in ("min", "max")
    ]
    return [shown, same, *cost_tiles(facts), *spans]


def _spans(facts: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What was measured row by row: objects with ``min``, ``max`` and ``rows``."""
    objects = {name: found for name, found in facts.items() if isinstance(found, Mapping)}
    return {name: found for name, found in objects.items() if {"min", "max", "rows"} <= set(found)}


def best_voltage(estimate: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The supply that draws least power among those that meet the rate; ``None`` where none does."""
    fit = [row for row in rows(estimate, "voltages") if row.get("meets_rate") is True]
    return min(fit, key=_total_mw, default=None)


def shown_voltage(estimate: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The one supply that a summary speaks of, and why it is that one.

    It is the nominal one, for which limits are checked and published figures stand, unless it misses the rate.
    """
    voltages = rows(estimate, "voltages")
    rate = unit(words(estimate.get("rate_hz")), "Hz")
    nominal = [row for row in voltages if row.get("voltage") == estimate.get("nominal_voltage")]
    best = best_voltage(estimate)
    if nominal and (nominal[0].get("meets_rate") is True or best is None):
        missed = "" if best else f"; no supply voltage is fast enough for {rate}"
        return nominal[0], f"the nominal supply{missed}"
    if best is not None:
        return best, f"the least that meets {rate}"
    return min(voltages, key=_total_mw, default={}), f"no supply voltage is fast enough for {rate}"


def _total_mw(row: Mapping[str, Any]) -> float:
    found = number(row.get("total_mw"))
    return math.inf if found is None else found


def score(accuracy: Mapping[str, Any], value: Any) -> str:
    """An accuracy as per cent; of a regression its coefficient of determination, which is no share."""
    return figure(value) if accuracy.get("metric") == "r2" else percent(value)


def _accuracy(accuracy: Mapping[str, Any]) -> Tile | None:
    test = part(accuracy, "test")
    shown = test or accuracy
    if number(shown.get("quantised")) is None:
        return None
    where = f"on {counted(shown.get('rows'), 'test row' if test else 'training row')}{_within(shown, 'quantised')}"
    if test and number(accuracy.get("validation")) is not None:
        count = accuracy.get("validation_rows")
        held = "validation rows" if count is None else f"{figure(count)} validation rows"
        where += f", {score(accuracy, accuracy['validation'])} on {held}{_within(accuracy, 'validation')}"
    note = f"{where}; the model as given has {score(accuracy, shown.get('float'))}{_within(shown, 'float')}"
    if number(shown.get("exact")) is not None:
        note += f", its exact integers {score(accuracy, shown['exact'])}{_within(shown, 'exact')}"
    return Tile("R²" if accuracy.get("metric") == "r2" else "accuracy", score(accuracy, shown["quantised"]), note)


def _within(shares: Mapping[str, Any], name: str) -> str:
    """The 95 % interval of a share in brackets, where it has one."""
    found = interval(shares, name)
    return f" ({found})" if found else ""


def _tree(tree: Mapping[str, Any], *, with_power: bool) -> Tile | None:
    """The decision tree; its power is known at the nominal supply alone."""
    if number(tree.get("area_cm2")) is None:
        return None
    known = {"test": "test", "validation": "validation", "fit": "training"}
    rows_of = next((name for name in known if number(tree.get(name)) is not None), None)
    has = [f"has {percent(tree[rows_of])} on {known[rows_of]} rows{_within(tree, rows_of)}"] if rows_of else []
    draws = [f"draws {unit(figure(tree.get('power_mw')), 'mW')}"] if with_power else []
    note = f"a tree of {counted(tree.get('leaves'), 'leaf', 'leaves')} {join([*has, *draws])}".rstrip()
    return Tile("decision tree", unit(figure(tree["area_cm2"]), "cm²"), note)


def _copies(variation: Mapping[str, Any]) -> Tile | None:
    """Return what printed copies reach, whose comparators are off and whose cells may be stuck."""
    if number(variation.get("mean")) is None:
        return None
    causes = [f"comparators off by {percent(variation.get('offset_sigma'))} of full scale (sigma)"]
    if number(variation.get("defect_rate")):
        causes.append(f"{percent(variation['defect_rate'])} of cells stuck")
    reach = ""
    if number(variation.get("share")) is not None:
        reach = f"; {percent(variation['share'])} of them have {percent(variation.get('enough'))} or more"
    note = (
        f"mean of {counted(variation.get('copies'), 'copy', 'copies')} with {join(causes)}; 5th percentile "
        f"{percent(variation.get('fifth'))}{reach}; as drawn {percent(variation.get('drawn'))}"
    )
    return Tile("printed copies", percent(variation["mean"]), note)


def _area(estimate: Mapping[str, Any]) -> Tile | None:
    area = number(estimate.get("area_cm2"))
    if area is None:
        return None
    side = math.sqrt(max(area, 0.0))
    square = unit(figure(10 * side, 2), "mm") if side < 1 else unit(figure(side, 2), "cm")
    cells = estimate.get("cells")
    return Tile(
        "area",
        unit(figure(area), "cm²"),
        (f"{counted(cells, 'cell')}, " if cells else "") + f"as a square {square} a side",
    )


def _power(estimate: Mapping[str, Any]) -> Tile | None:
    shown, why = shown_voltage(estimate)
    if not shown:
        return None
    return Tile("power", _milliwatts(shown), f"at {_volts(shown)}, {why}", "plain" if best_voltage(estimate) else "bad")


def _delay(estimate: Mapping[str, Any]) -> Tile | None:
    shown, _ = shown_voltage(estimate)
    if not shown:
        return None
    rate = number(estimate.get("rate_hz"))
    leaves = f"; {unit(words(rate), 'Hz')} leaves {unit(figure(1000 / rate), 'ms')}" if rate else ""
    depth = estimate.get("logic_depth")
    through = f", through {counted(depth, 'cell')} at most" if depth else ""
    tone: Literal["plain", "bad"] = "plain" if shown.get("meets_rate") is not False else "bad"
    return Tile(
        "critical path", unit(figure(shown.get("critical_path_ms")), "ms"), f"at {_volts(shown)}{through}{leaves}", tone
    )


def power_sources(row: Mapping[str, Any]) -> list[str]:
    """Names of the printed sources that can feed the circuit at this voltage and the estimate's rate."""
    return [] if row.get("meets_rate") is False else [words(name) for name in items(row, "power_sources")]


def _sources(estimate: Mapping[str, Any]) -> Tile | None:
    shown, _ = shown_voltage(estimate)
    if not shown or best_voltage(estimate) is None:
        return None
    fit = power_sources(shown)
    if not fit:
        return Tile("power source", "none", f"it draws more than any printed source gives at {_volts(shown)}", "bad")
    also = f"; so can {join(fit[1:])}" if fit[1:] else ""
    return Tile("power source", fit[0], f"can feed it at {_volts(shown)}{also}")


def _converters(estimate: Mapping[str, Any]) -> Tile | None:
    adc = part(estimate, "adc")
    if not adc:
        return None
    volts = adc.get("at_volts")
    shown, _ = shown_voltage(estimate)
    power = f"and {unit(figure(adc.get('power_mw')), 'mW')} " if not shown or shown.get("voltage") == volts else ""
    read = f" ({words(adc.get('counted'))})" if adc.get("counted") else ""
    note = f"{power}for {counted(adc.get('converters'), 'flash converter')}{read}, not in the figures above"
    return Tile("input converters", unit(figure(adc.get("area_cm2")), "cm²"), note)


def _proof(verification: list[Mapping[str, Any]]) -> Tile:
    ran = [row for row in verification if number(row.get("rows"))]
    ran = [row for row in ran if row.get("verdict") != "out of time"]
    late = [words(row.get("engine")) for row in verification if row.get("verdict") == "out of time"]
    wrong = [words(row.get("engine")) for row in verification if row.get("equal") is not True]
    wrong = [engine for engine in wrong if engine not in late]
    if wrong:
        return Tile("same function", "DIFFERENT", f"{join(wrong)} and the reference interpreter do not agree", "bad")
    if not ran:
        return Tile("same function", "not checked", "run `mlpress verify` on this folder", "bad")
    counts = [number(row.get("rows")) or 0 for row in ran]
    least = f"{'at least ' if min(counts) < max(counts) else ''}{counted(int(min(counts)), 'row')}"
    engines = join([words(row.get("engine")) for row in ran])
    verb = "agrees" if len(ran) == 1 else "agree"
    more = f"; {join(late)} ran out of time" if late else ""
    note = f"{engines} {verb} with the reference interpreter on {least}, bit for bit{more}"
    return Tile("same function", "equal", note, "good")


def _milliwatts(row: Mapping[str, Any]) -> str:
    return unit(figure(row.get("total_mw")), "mW")


def _volts(row: Mapping[str, Any]) -> str:
    return unit(words(row.get("voltage")), "V")
