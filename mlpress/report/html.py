"""A design's facts as one HTML file: no script, no request, readable on a phone and in print."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from mlpress.report import figures
from mlpress.report.charts import front_chart
from mlpress.report.headline import best_voltage, in_cells, made_of, power_sources, score, tiles

if TYPE_CHECKING:
    from jinja2 import Environment

SECTIONS = (
    *("source", "options", "net", "circuit", "accuracy", "tree", "search"),
    *("plan", "audit", "code", "synthesis", "estimate", "tools"),
)
# Characters that HTML does not allow, and halves of surrogate pairs, which UTF-8 does not.
NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def render(facts: Mapping[str, Any]) -> str:
    """Write the report of a design, from the content of its ``design.json``.

    Parts that are missing or null are left out.  Raises :class:`MlpressError` where a part is not of the
    kind that it must be.  Every text is escaped: names come from models and data, and are not trusted.
    """
    from markupsafe import Markup

    parts = {name: figures.part(facts, name) for name in SECTIONS}
    if parts["net"]:
        parts["net"] = {**parts["net"], **parts["plan"]}
    estimate, net = parts["estimate"], parts["net"]
    voltages, front = figures.rows(estimate, "voltages"), figures.rows(facts, "front")
    verification = figures.rows(facts, "verification")
    page = (
        _environment()
        .get_template("report.html")
        .render(
            parts,
            facts=facts,
            title=figures.words(parts["source"].get("model") or "design"),
            lede=_lede(facts, net),
            tiles=tiles(facts),
            inputs=figures.words(net.get("topology")).split("-")[0],
            cells=_bars(figures.part(estimate, "cells_by_type") or figures.part(parts["synthesis"], "cells")),
            voltages=voltages,
            best=best_voltage(estimate),
            nominal_mw=next(
                (row.get("total_mw") for row in voltages if row.get("voltage") == estimate.get("nominal_voltage")), None
            ),
            most_mw=max((figures.number(row.get("total_mw")) or 0.0 for row in voltages), default=0.0),
            sources=_sources(voltages),
            timing=_timing(voltages),
            audit_tables=[name for name, value in parts["audit"].items() if _is_table(value)],
            verification=verification,
            notes=any(row.get("difference") or row.get("note") for row in verification),
            made=_made(facts, parts),
            cost=figures.part(facts, "cost"),
            warnings=figures.items(facts, "warnings"),
            met=_met(parts["source"]),
            in_cells=in_cells(facts),
            front_chart=Markup(front_chart(front, parts["tree"])),  # noqa: S704 - matplotlib's own text, made of numbers only
        )
    )
    return NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", page)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("mlpress.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "figure": figures.figure,
        "percent": figures.percent,
        "words": figures.words,
        "part": figures.part,
        "entries": figures.items,
        "rows": figures.rows,
        "span": figures.span,
        "label": figures.label,
        "columns": _columns,
        "interval": figures.interval,
        "score": lambda value, accuracy: score(accuracy, value),
        "shares": _shares,
    }
    return made


def _lede(facts: Mapping[str, Any], net: Mapping[str, Any]) -> str:
    topology, target = net.get("topology"), facts.get("target")
    what = f"a {figures.words(topology)} network" if topology else "a classifier"
    made = f"as a circuit of {figures.words(target)} cells" if target and in_cells(facts) else made_of(facts)
    return f"{what} {made}".rstrip().capitalize()


def _made(facts: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what went in, with which options and versions, as one list of names and values."""
    synthesis = [(f"synthesis {name}", value) for name, value in parts["synthesis"].items() if name != "cells"]
    source = [(name, value) for name, value in parts["source"].items() if name not in {"labels", "columns"}]
    found = [*source, ("target", facts.get("target")), *parts["options"].items(), *synthesis]
    found += [(f"search {name}", value) for name, value in parts["search"].items() if name != "genes"]
    found += [("mlpress", facts.get("mlpress")), *parts["tools"].items()]
    return {name: value for name, value in found if value is not None}


def _met(source: Mapping[str, Any]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return how labels and columns of the data met the model: what, by what rule, and pairs of names (data, model)."""
    labels, columns = figures.part(source, "labels"), figures.part(source, "columns")
    pairs = [tuple(figures.words(name) for name in pair) for pair in figures.items(labels, "pairs") if _is_pair(pair)]
    named = zip(figures.items(columns, "data"), figures.items(columns, "model"), strict=False)
    found = [
        ("labels", figures.words(labels.get("by")), [(pair[0], pair[1]) for pair in pairs]),
        ("columns", figures.words(columns.get("by")), [(figures.words(a), figures.words(b)) for a, b in named]),
    ]
    return [(what, by, names) for what, by, names in found if names]


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2


def _sources(voltages: list[Mapping[str, Any]]) -> list[tuple[str, str, list[bool]]]:
    """Return each printed source with its limit, and at which of the ``voltages`` it can feed the circuit."""
    from mlpress.hw.printed import POWER_SOURCES

    feeds = [power_sources(row) for row in voltages]
    known = {source.name: (source.title, f"{source.limit_mw:g}") for source in POWER_SOURCES}
    named = known | {name: (name, figures.MISSING) for names in feeds for name in names if name not in known}
    return [(*text, [name in names for names in feeds]) for name, text in named.items()]


def _timing(voltages: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return what the delays rest on, with the voltages that it is true of."""
    found: dict[str, list[str]] = {}
    for row in voltages:
        if row.get("timing"):
            found.setdefault(figures.words(row["timing"]), []).append(figures.words(row.get("voltage")))
    return [(figures.join(volts), text) for text, volts in found.items()]


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(row, Mapping) for row in value.values())


def _columns(table: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the keys of all rows, in the order that they first appear."""
    return list(dict.fromkeys(key for row in table.values() for key in row))


def _bars(counts: Mapping[str, Any]) -> list[tuple[str, Any, float]]:
    """Return each name with its count and its share of the largest one, largest first."""
    sizes = {name: figures.number(count) or 0.0 for name, count in counts.items()}
    most = max(sizes.values(), default=0.0)
    return [
        (name, counts[name], _share(sizes[name], most)) for name in sorted(sizes, key=lambda name: (-sizes[name], name))
    ]


def _shares(row: Mapping[str, Any], most: float) -> list[float]:
    """Return static and dynamic power as shares of the ``most`` milliwatts that are drawn."""
    return [_share(figures.number(row.get(name)) or 0.0, most) for name in ("static_mw", "dynamic_mw")]


def _share(value: float, most: float) -> float:
    return min(max(value / most, 0.0), 1.0) if most > 0 else 0.0
