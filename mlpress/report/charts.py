"""Charts that need axes, as inline SVG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO
from typing import NamedTuple

# Drawn in these colours, and handed to the style sheet, which knows light from dark.
COLOURS = {"#010101": "var(--ink)", "#020202": "var(--quiet)", "#030303": "var(--line)", "#040404": "var(--accent)"}
INK, QUIET, LINE, ACCENT = COLOURS


class Mark(NamedTuple):
    """One design in a chart: its cost and its accuracy, a share of 1; ``None`` where it is not known."""

    cost: float | None
    accuracy: float | None
    chosen: bool = False


def front_chart(marks: Sequence[Mark], cost: str, tree: Mark | None = None) -> str:
    """Draw accuracy against ``cost`` of a search's front as an ``<svg>`` element; empty where no mark has both.

    ``tree`` is the decision tree to hold it against.
    """
    beside = [] if tree is None else _points([tree], chosen=False)
    plain = _points(marks, chosen=False)
    chosen = _points(marks, chosen=True)
    if not plain and not chosen:
        return ""

    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mlpress", "font.size": 10}):
        picture = Figure(figsize=(4.3, 2.9), layout="constrained")
        axes = picture.add_subplot()
        every = sorted(plain + chosen)
        axes.step(*zip(*every, strict=True), where="post", color=QUIET, linewidth=1)
        if plain:
            axes.plot(*zip(*plain, strict=True), "o", color=QUIET, markersize=4.5)
        if chosen:
            axes.plot(*zip(*chosen, strict=True), "o", color=ACCENT, markersize=9)
        if beside:
            axes.plot(*zip(*beside, strict=True), "D", markerfacecolor="none", markeredgecolor=ACCENT, markersize=7)
            axes.annotate("decision tree", beside[0], (7, -10), textcoords="offset points", color=QUIET, fontsize=9)
        areas = [area for area, _ in every + beside]
        if (spread := max(areas) / min(areas)) > 8:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if spread < 1000 else (1,)))
            axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g} %"))
        axes.set_xlabel(cost, color=QUIET)
        axes.set_ylabel("accuracy", color=QUIET)
        axes.tick_params(which="both", color=LINE, labelcolor=INK)
        axes.grid(color=LINE, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(LINE)
        text = StringIO()
        picture.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(text.getvalue())


def _points(marks: Sequence[Mark], *, chosen: bool) -> list[tuple[float, float]]:
    """Return (cost, accuracy) of the marks that are, or are not, ``chosen``; what no design can have is left out."""
    found = []
    for mark in marks:
        if mark.chosen is not chosen or mark.cost is None or mark.accuracy is None:
            continue
        if 1e-9 < mark.cost < 1e9 and 0 <= mark.accuracy <= 1:
            found.append((mark.cost, mark.accuracy))
    return sorted(found)


def _inline(svg: str) -> str:
    """Return the ``<svg>`` element alone, with its size left to the style sheet and its colours to variables."""
    element = svg[svg.index("<svg") :].strip()
    head, body = element.split(">", 1)
    head = re.sub(r' (?:width|height|xmlns|xmlns:xlink|version)="[^"]*"', "", head)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    for drawn, shown in COLOURS.items():
        body = body.replace(drawn, shown)
    return f'{head} class="chart" role="img" aria-label="accuracy against area">{body}'
