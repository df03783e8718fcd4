"""The handful of figures that a design is judged by; the HTML report and the command line show the same ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mlpress.report.figures import counted, figure, items, join, number, part, percent, rows, unit, words


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
    found = [_accuracy(part(facts, "accuracy")), *estimate_tiles(estimate)]
    found.append(_tree(part(facts, "tree")))
    return [tile for tile in [*found, _proof(rows(facts, "verification"))] if tile]


def estimate_tiles(estimate: Mapping[str, Any]) -> list[Tile]:
    """The headline of an estimate: area, power, delay, and what can feed it."""
    found = (_area(estimate), _power(estimate), _delay(estimate), _sources(estimate), _converters(estimate))
    return [tile for tile in found if tile]


def best_voltage(estimate: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The supply that draws least power among those that meet the rate; ``None`` where none does."""
    fit = [row for row in rows(estimate, "voltages") if row.get("meets_rate") is True]
    return min(fit, key=_total_mw, default=None)


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
    where = f"on {counted(shown.get('rows'), 'test row' if test else 'training row')}"
    if test and number(accuracy.get("validation")) is not None:
        where += f", {score(accuracy, accuracy['validation'])} on validation rows"
    note = f"{where}; the model as given has {score(accuracy, shown.get('float'))}"
    if number(shown.get("exact")) is not None:
        note += f", its exact integers {score(accuracy, shown['exact'])}"
    return Tile("R²" if accuracy.get("metric") == "r2" else "accuracy", score(accuracy, shown["quantised"]), note)


def _tree(tree: Mapping[str, Any]) -> Tile | None:
    if number(tree.get("area_cm2")) is None:
        return None
    known = {"test": "test", "validation": "validation", "fit": "training"}
    rows_of = next((name for name in known if number(tree.get(name)) is not None), None)
    has = f" has {percent(tree[rows_of])} on {known[rows_of]} rows and" if rows_of else ""
    size, power = counted(tree.get("leaves"), "leaf", "leaves"), unit(figure(tree.get("power_mw")), "mW")
    note = f"a tree of {size}{has} draws {power}"
    return Tile("decision tree", unit(figure(tree["area_cm2"]), "cm²"), note)


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
    voltages = rows(estimate, "voltages")
    if not voltages:
        return None
    rate = unit(words(estimate.get("rate_hz")), "Hz")
    best = best_voltage(estimate)
    if best is None:
        least = min(voltages, key=_total_mw)
        return Tile(
            "power", _milliwatts(least), f"at {_volts(least)}; no supply voltage is fast enough for {rate}", "bad"
        )
    note = f"at {_volts(best)}, the least that meets {rate}"
    nominal = estimate.get("nominal_voltage")
    usual = next((row for row in voltages if nominal and row.get("voltage") == nominal and row is not best), None)
    return Tile("power", _milliwatts(best), note + (f"; {_milliwatts(usual)} at {_volts(usual)}" if usual else ""))


def _delay(estimate: Mapping[str, Any]) -> Tile | None:
    voltages = rows(estimate, "voltages")
    if not voltages:
        return None
    shown = best_voltage(estimate) or min(voltages, key=lambda row: number(row.get("critical_path_ms")) or math.inf)
    rate = number(estimate.get("rate_hz"))
    leaves = f"; {unit(words(rate), 'Hz')} leaves {unit(figure(1000 / rate), 'ms')}" if rate else ""
    depth = estimate.get("logic_depth")
    through = f", through {counted(depth, 'cell')} at most" if depth else ""
    tone: Literal["plain", "bad"] = "plain" if shown.get("meets_rate") is not False else "bad"
    return Tile(
        "critical path", unit(figure(shown.get("critical_path_ms")), "ms"), f"at {_volts(shown)}{through}{leaves}", tone
    )


def power_sources(row: Mapping[str, Any]) -> list[str]:
    """Names of the printed sources that can feed the circuit at this voltage."""
    return [words(name) for name in items(row, "power_sources")]


def _sources(estimate: Mapping[str, Any]) -> Tile | None:
    best = best_voltage(estimate)
    if best is None:
        return None
    fit = power_sources(best)
    if not fit:
        return Tile("power source", "none", f"it draws more than any printed source gives at {_volts(best)}", "bad")
    also = f"; so can {join(fit[1:])}" if fit[1:] else ""
    return Tile("power source", fit[0], f"can feed it at {_volts(best)}{also}")


def _converters(estimate: Mapping[str, Any]) -> Tile | None:
    adc = part(estimate, "adc")
    if not adc:
        return None
    volts = f" at {_volts({'voltage': adc.get('at_volts')})}" if adc.get("at_volts") else ""
    each = counted(adc.get("converters"), "flash converter")
    note = f"and {unit(figure(adc.get('power_mw')), 'mW')}{volts} for {each}"
    return Tile("input converters", unit(figure(adc.get("area_cm2")), "cm²"), f"{note}, not counted above")


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
