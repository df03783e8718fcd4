"""The figures that a design is judged by; the HTML report and the command line show the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlpress.report.facts import Accuracy, Check, Cost, DesignFacts, Run, Shares
from mlpress.report.figures import counted, figure, interval, join, percent, unit, words
from mlpress.report.kinds import kind_of
from mlpress.report.reading import Number


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure: its name, its value with unit, and a few words on what it means."""

    name: str
    value: str
    note: str = ""
    tone: Literal["plain", "good", "bad"] = "plain"


def tiles(facts: DesignFacts) -> list[Tile]:
    """Return the headline of a design, from the facts that it has."""
    accuracy = [] if facts.accuracy is None else _accuracy(facts.accuracy)
    return [*accuracy, *kind_of(facts.kind).tiles(facts), _same_function(facts.verification)]


def lead(facts: DesignFacts) -> list[Tile]:
    """Return what a reader wants to know first: accuracy, what it costs in all, and whether it is the same function."""
    accuracy = [] if facts.accuracy is None else _accuracy(facts.accuracy)
    return [*accuracy, *kind_of(facts.kind).lead(facts), _same_function(facts.verification)]


def cost_tiles(cost: Cost) -> list[Tile]:
    """Return one tile per metric: its value, and how it was found."""
    return [
        Tile(
            words(name),
            unit(figure(value), words(cost.units[name])) if cost.units.get(name) else figure(value),
            words(cost.how[name]) if cost.how.get(name) else "",
        )
        for name, value in cost.values.items()
    ]


def made_of(facts: DesignFacts) -> str:
    """Return what a design is made of or for: ``in egfet cells``, ``for cortex-m0plus``; empty where unknown."""
    return kind_of(facts.kind).made_of(facts.target) if facts.target else ""


def run_tiles(run: Run) -> list[Tile]:
    """Return what a run on a device found: accuracy, agreement, the metrics it measured, and their spread."""
    count = counted(run.rows, "row")
    shown = Tile(_metric(run.metric), score(run.metric, run.accuracy), f"on {count}{in_brackets(run.interval)}")
    same = Tile("same function", "equal", f"the reference interpreter's answer to all {count}", "good")
    if run.different:
        note = f"{counted(run.different, 'row')} of {figure(run.rows)}"
        same = Tile("same function", "DIFFERENT", note, "bad")
    spans = [
        Tile(f"{words(name)}, {end}", figure(value), f"of {counted(span.rows, 'row')}")
        for name, span in run.spans.items()
        for end, value in (("min", span.low), ("max", span.high))
    ]
    return [shown, same, *cost_tiles(run), *spans]


def score(metric: Any, value: Any) -> str:
    """Write an accuracy as per cent; of a regression its coefficient of determination, of a field a PSNR."""
    match metric:
        case "r2":
            return figure(value)
        case "psnr":
            return "equal" if value is None else unit(figure(value), "dB")
        case _:
            return percent(value)


def in_brackets(bounds: Sequence[Any] | None) -> str:
    """Write the 95 % interval of a share in brackets, where it has one."""
    found = interval(bounds)
    return f" ({found})" if found else ""


def _metric(metric: Any) -> str:
    return {"r2": "R²", "psnr": "PSNR"}.get(str(metric), "accuracy")


def _accuracy(accuracy: Accuracy) -> list[Tile]:
    shown: Shares = accuracy.test or accuracy
    if accuracy.metric == "psnr":
        return [_noise(shown, "test sample" if accuracy.test else "sample")]
    if shown.quantised is None:
        return []

    def said(value: Number | None, shares: Shares, name: str) -> str:
        return score(accuracy.metric, value) + in_brackets(shares.intervals.get(name))

    rows = counted(shown.rows, "test row" if accuracy.test else "training row")
    where = f"on {rows}{in_brackets(shown.intervals.get('quantised'))}"
    if accuracy.test and accuracy.validation is not None:
        count = accuracy.validation_rows
        held = "validation rows" if count is None else counted(count, "validation row")
        validation = score(accuracy.metric, accuracy.validation)
        where += f", {validation} on {held}{in_brackets(accuracy.intervals.get('validation'))}"
    note = f"{where}; the model as given has {said(shown.given, shown, 'float')}"
    if shown.exact is not None:
        note += f", its exact integers {said(shown.exact, shown, 'exact')}"
    return [Tile(_metric(accuracy.metric), score(accuracy.metric, shown.quantised), note)]


def _noise(fit: Shares, what: str) -> Tile:
    """Return how well a field fits its samples."""
    given = f"; the field as given has {score('psnr', fit.given)}" if fit.given is not None else ""
    return Tile(_metric("psnr"), score("psnr", fit.quantised), f"on {counted(fit.rows, what)}{given}")


def _same_function(checks: Sequence[Check]) -> Tile:
    ran = [check for check in checks if check.rows and not check.late]
    late = [words(check.engine) for check in checks if check.late]
    wrong = [words(check.engine) for check in checks if check.equal is not True and words(check.engine) not in late]
    if wrong:
        return Tile("same function", "DIFFERENT", f"{join(wrong)} and the reference interpreter do not agree", "bad")
    if not ran:
        return Tile("same function", "not checked", "run `mlpress verify` on this folder", "bad")
    counts = [check.rows or 0 for check in ran]
    least = f"{'at least ' if min(counts) < max(counts) else ''}{counted(int(min(counts)), 'row')}"
    engines = join([words(check.engine) for check in ran])
    verb = "agrees" if len(ran) == 1 else "agree"
    more = f"; {join(late)} ran out of time" if late else ""
    note = f"{engines} {verb} with the reference interpreter on {least}, bit for bit{more}"
    return Tile("same function", "equal", note, "good")
