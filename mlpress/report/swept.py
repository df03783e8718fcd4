"""A sweep as a page: its table, and a picture of accuracy against each cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlpress.report import figures
from mlpress.report.html import shell
from mlpress.report.pictures import COLOURS, Picture, front
from mlpress.report.reading import number
from mlpress.report.tables import plain_table

if TYPE_CHECKING:
    from rich.table import Table

PLAIN = frozenset(
    {"target", "input_bits", "weight_bits", "activation_bits", "model_accuracy", "rows", "refused"}
    | {"accuracy", "accuracy_low", "accuracy_high"}
)
"""Columns that are no costs."""


def sweep_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of a sweep for a terminal."""
    columns = _columns(rows)
    return plain_table([figures.label(name) for name in columns], [_cells(row, columns) for row in rows])


def render_sweep(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Write the page of a sweep; texts are escaped."""
    columns = _columns(rows)
    table = [_cells(row, columns) for row in rows]
    found = _pictures(rows)
    specs = {f"sweep-{k}": one.spec for k, one in enumerate(found)}
    tabs = [(one.title, f"sweep-{k}") for k, one in enumerate(found)]
    named = [figures.label(name) for name in columns]
    return shell("swept.html", f"sweep of {title}", specs, columns=named, table=table, pictures=tabs, name=title)


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    found = dict.fromkeys(column for row in rows for column in row)
    return [column for column in found if column not in {"accuracy_low", "accuracy_high"}]


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    return [_cell(row, column) for column in columns]


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if column == "accuracy" and value is not None and row.get("accuracy_low") is not None:
        return f"{figures.percent(value)} ({figures.interval([row['accuracy_low'], row['accuracy_high']])})"
    if column in {"accuracy", "model_accuracy"} and value is not None:
        return figures.percent(value)
    return "" if value is None else figures.figure(value) if number(value) is not None else figures.words(value)


def _pictures(rows: Sequence[Mapping[str, Any]]) -> list[Picture]:
    """Return accuracy against each cost of at least two designs; a colour and a shape per target."""
    targets = list(dict.fromkeys(figures.words(row.get("target")) for row in rows))
    shapes = ("circle", "square", "diamond", "cross", "triangle-up")
    found = []
    for key in dict.fromkeys(column for row in rows for column in row if column not in PLAIN):
        points = []
        for k, row in enumerate(rows):
            cost, accuracy = number(row.get(key)), number(row.get("accuracy"))
            if cost is None or accuracy is None or not 0 < cost < 1e15:
                continue
            target = figures.words(row.get("target"))
            bits = f"{row.get('input_bits')}/{row.get('weight_bits')}"
            said = f"{target}, {bits} bits of inputs and weights: {figures.percent(accuracy)} at {figures.figure(cost)}"
            at = targets.index(target)
            points.append(
                {
                    **{"id": k, "kind": "design", "label": f"{bits}", "x": cost, "y": accuracy, "chosen": False},
                    **{"hollow": False, "shape": shapes[at % len(shapes)], "colour": COLOURS[at % len(COLOURS)]},
                    **{"tip": said, "said": said},
                }
            )
        if len(points) > 1:
            name = key.replace("_", " in ", 1).replace("2", "²")
            found.append(Picture(name, front(points, [], name, "accuracy")))
    return found
