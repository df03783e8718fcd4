"""Pictures of a design's facts: the front, where its costs go, what it decides, and curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlpress.metrics import Metric
from mlpress.report.facts import Cost, DesignFacts, FrontPoint, Landmark, Spent
from mlpress.report.figures import counted, figure, percent, unit, words
from mlpress.report.headline import score
from mlpress.report.reading import number
from mlpress.report.vega import Spec, spec

COLOURS = tuple(f"var(--c{k})" for k in range(8))
SHAPES = {"front": "circle", "exact": "square", "tree": "diamond", "published": "cross", "model": "circle"}
COLOUR_OF = {"front": "var(--accent)", "exact": "var(--ink)", "tree": "var(--good)", "published": "var(--cool)"}

MOST_PARTS = 400
"""Parts that a treemap shows; the smallest of more are one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: the metric or the set of rows that it is of, for people, and its specification."""

    title: str
    spec: Spec


def metrics_of(cost: Cost) -> list[Metric]:
    """Return the metrics of a design, as its facts name them."""
    return [Metric(words(name), words(cost.units[name]) if cost.units.get(name) else "") for name in cost.values]


def metric_label(metric: Metric) -> str:
    """Return what stands at the axis of a metric."""
    return f"{metric.name} in {metric.unit.replace('2', '²')}" if metric.unit else metric.name


def fronts(facts: DesignFacts, metrics: Sequence[Metric]) -> list[Picture]:
    """Return accuracy against each of the costs that at least two points have; the first one ranks."""
    asked = facts.accuracy.metric if facts.accuracy else None
    found = []
    for metric in metrics:
        rows = [_landmark_row(k, one, metric, asked) for k, one in enumerate(facts.landmarks) if one.kind != "model"]
        rows += [_front_row(k, point, metric, asked) for k, point in enumerate(facts.front)]  # on top, to be clicked
        drawn = [row for row in rows if row is not None]
        if len(drawn) < 2:
            continue
        lines = [
            {"label": f"{words(one.name)}: {score(asked, one.accuracy)}", "y": one.accuracy}
            for one in facts.landmarks
            if one.kind == "model" and one.accuracy is not None
        ]
        found.append(Picture(metric_label(metric), front(drawn, lines, metric_label(metric), asked)))
    return found


def front(rows: list[dict[str, Any]], lines: list[dict[str, Any]], costs: str, asked: Any, height: int = 340) -> Spec:
    """Return the picture of points, and of lines at an accuracy, against ``costs``."""
    places = [row["x"] for row in rows]
    picked = next((row["id"] for row in rows if row["chosen"]), -1)
    shares = asked not in {"psnr", "r2"}
    drawn = spec(
        "front",
        {"points": rows, "lines": lines},
        costs=costs,
        quality={"psnr": "PSNR in dB", "r2": "R²"}.get(str(asked), "accuracy"),
        format=".1%" if shares else "~g",
        picked=picked,
    )
    if not lines:
        drawn["scales"][1]["domain"] = {"data": "points_rows", "field": "y"}
    if max(places) < 8 * min(places):
        drawn["scales"][0]["type"] = "linear"
    drawn["height"] = height
    return drawn


def _in_range(accuracy: Any, cost: Any) -> bool:
    return accuracy is not None and cost is not None and 1e-9 < cost < 1e15 and abs(accuracy) < 1e6


def _front_row(k: int, point: FrontPoint, metric: Metric, asked: Any) -> dict[str, Any] | None:
    cost = point.costs.get(metric.key)
    if not _in_range(point.accuracy, cost):
        return None
    name = "this design" if point.chosen else f"design {k if point.design is None else words(point.design)}"
    said = f"{name}: {score(asked, point.accuracy)} at {unit(figure(cost), metric.unit)}"
    return {
        "id": k,
        "kind": "front",
        "label": "",
        "x": cost,
        "y": point.accuracy,
        "chosen": point.chosen is True,
        "hollow": point.chosen is not True,
        "shape": SHAPES["front"],
        "colour": COLOUR_OF["front"],
        "tip": said,
        "said": said,
    }


def _landmark_row(k: int, one: Landmark, metric: Metric, asked: Any) -> dict[str, Any] | None:
    cost = one.costs.get(metric.key)
    if not _in_range(one.accuracy, cost):
        return None
    kind = str(one.kind) if one.kind in COLOUR_OF else "published"
    said = f"{words(one.name)}: {score(asked, one.accuracy)} at {unit(figure(cost), metric.unit)}"
    return {
        "id": 10_000 + k,
        "kind": kind,
        "label": words(one.name) if kind in {"exact", "published"} else "",
        "x": cost,
        "y": one.accuracy,
        "chosen": False,
        "hollow": False,
        "shape": SHAPES[kind],
        "colour": COLOUR_OF[kind],
        "tip": f"{said}\n{words(one.note)}" if one.note else said,
        "said": said,
    }


def several(names: Sequence[str], designs: Sequence[DesignFacts]) -> list[Picture]:
    """Return accuracy against each cost that all of the ``designs`` have."""
    shared = [
        metric
        for metric in metrics_of(designs[0].cost)
        if all(number(one.cost.values.get(metric.name)) is not None for one in designs)
    ]
    asked = {one.accuracy.metric if one.accuracy else None for one in designs}
    if len(asked) > 1:
        return []
    kind = next(iter(asked))
    found = []
    for metric in shared:
        rows = []
        for k, (name, one) in enumerate(zip(names, designs, strict=True)):
            shown = (one.accuracy.test or one.accuracy).quantised if one.accuracy else None
            row = _front_row(
                k, FrontPoint(accuracy=shown, costs={metric.key: one.cost.values[metric.name]}), metric, kind
            )
            if row is not None:
                said = f"{name}: {score(kind, shown)} at {unit(figure(row['x']), metric.unit)}"
                rows.append(row | {"kind": "design", "label": name, "hollow": False, "tip": said, "said": said})
        if len(rows) > 1:
            found.append(Picture(metric_label(metric), front(rows, [], metric_label(metric), kind, 300)))
    return found


def treemaps(spent: Spent | None, metrics: Sequence[Metric]) -> list[Picture]:
    """Return where each cost goes, of those that at least two parts have."""
    named = {metric.key: metric for metric in metrics}
    found = []
    for key in dict.fromkeys(key for part in spent.parts for key in part.costs) if spent else ():
        assert spent is not None  # else there is no key
        metric = named.get(key) or Metric(*key.partition("_")[::2])
        parts = [(part, part.costs[key]) for part in spent.parts if 0 < part.costs.get(key, 0) < 1e15]
        if len(parts) > 1:
            drawn = _treemap([(part.of, part.count, value) for part, value in parts], metric.unit.replace("2", "²"))
            found.append(Picture(metric_label(metric), drawn))
    return found


def _treemap(parts: Sequence[tuple[Sequence[Any], Any, float]], symbol: str) -> Spec:
    parts = sorted(parts, key=lambda part: -part[2])
    whole = sum(value for _, _, value in parts)
    if len(parts) > MOST_PARTS:
        rest = sum(value for _, _, value in parts[MOST_PARTS:])
        parts = [*parts[:MOST_PARTS], (("others",), len(parts) - MOST_PARTS, rest)]
    groups = list(dict.fromkeys(words(of[0]) if of else "all" for of, _, _ in parts))
    rows: list[dict[str, Any]] = [{"id": "all", "parent": None, "name": "", "leaf": False, "value": 0}]
    rows += [{"id": f"g{k}", "parent": "all", "name": name, "leaf": False, "value": 0} for k, name in enumerate(groups)]
    for k, (of, count, value) in enumerate(parts):
        group = words(of[0]) if of else "all"
        name = words(of[-1]) if len(of) > 1 else group
        amount = unit(figure(value), symbol).strip()
        whole_name = group if name == group else f"{group}: {name}"
        own = f"\n{counted(count, 'of them', 'of them')}" if count else ""
        said = f"{whole_name}\n{amount}, {percent(value / whole)}{own}"
        rows.append(
            {
                "id": f"p{k}",
                "parent": f"g{groups.index(group)}",
                "name": name,
                "leaf": True,
                "value": value,
                "amount": f"{amount} · {percent(value / whole)}",
                "colour": COLOURS[groups.index(group) % len(COLOURS)],
                "tip": said,
                "said": said.replace("\n", ", "),
            }
        )
    return spec("treemap", {"parts": rows})


def confusion(counts: Sequence[Any], classes: Sequence[Any]) -> Spec | None:
    """Return the confusion matrix, None where it is none of as many ``classes``; its last column may be no class."""
    matrix = confused(counts, len(classes))
    if matrix is None:
        return None
    names = unlike([*classes, "no class"])
    cells = []
    for i, line in enumerate(matrix):
        whole = sum(line) or 1
        for j, count in enumerate(line):
            tip = f"{names[i]} taken for {names[j]}: {counted(count, 'row')}, {percent(count / whole)} of the class"
            cells.append(
                {
                    "line": names[i],
                    "column": names[j],
                    "count": count,
                    "share": count / whole,
                    "right": i == j,
                    "tip": tip,
                    "said": tip,
                }
            )
    drawn = spec("confusion", {"cells": cells})
    drawn["height"] = min(90 + 40 * len(matrix), 560)
    return drawn


def confused(counts: Sequence[Any], classes: int) -> list[list[int]] | None:
    """Return a confusion matrix as whole numbers, None where it is none of so many classes.

    Each line may have one column more: rows for which the answer was no class.
    """
    if len(counts) != classes or classes < 2:
        return None
    lines = [list(line) if isinstance(line, list | tuple) else [] for line in counts]
    widths = {len(line) for line in lines}
    whole = all(type(n) is int and 0 <= n < 10**12 for line in lines for n in line)
    return lines if whole and widths in ({classes}, {classes + 1}) else None


def unlike(classes: Iterable[Any]) -> list[str]:
    """Return the classes as a person reads them; of equal ones, all but the first have a number behind."""
    found: list[str] = []
    for name in classes:
        shown = words(name)
        found.append(shown if shown not in found else f"{shown} ({len(found)})")
    return found


def curves(rows: Sequence[Mapping[str, Any]], across: str, up: str, *, level: bool = False) -> Spec | None:
    """Return curves of ``rows`` with x, y, curve, colour and more; ``level`` leaves the vertical axis linear."""
    plain = {"curve": "", "colour": "var(--accent)", "dash": [], "marked": True, "here": False}
    drawn = [
        {**plain, "label": "", "tip": "", "said": "", **row}
        for row in rows
        if (number(row["x"]) or 0) > 0 and (number(row["y"]) or 0) > 0
    ]
    if len(drawn) < 2:
        return None
    found = spec("lines", {"curves": drawn}, across=across, up=up)
    if level:
        found["scales"][1] |= {"type": "linear", "zero": True}
    return found
