"""A design's facts as one HTML file: no script, no request, readable on a phone and in print."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from mlpress.report import figures
from mlpress.report.facts import DesignFacts, Source
from mlpress.report.headline import score, tiles
from mlpress.report.kinds import kind_of
from mlpress.report.reading import items

if TYPE_CHECKING:
    from jinja2 import Environment

# Characters that HTML does not allow, and halves of surrogate pairs, which UTF-8 does not.
NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def render(facts: DesignFacts) -> str:
    """Write the report of a design.

    Parts that are missing are left out.  Every text is escaped: names come from models and data, and are not trusted.
    """
    kind = kind_of(facts.kind)
    page = (
        _environment()
        .get_template("report.html")
        .render(
            kind.context(facts),
            facts=facts,
            accuracy=facts.accuracy,
            title=figures.words(facts.source.model or "design"),
            lede=_lede(facts),
            tiles=tiles(facts),
            inputs=figures.words(facts.net.topology if facts.net else None).split("-")[0],
            notes=any(row.difference or row.note for row in facts.verification),
            made=_made(facts),
            met=_met(facts.source),
            templates=kind.templates,
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
        "span": figures.span,
        "label": figures.label,
        "columns": _columns,
        "interval": figures.interval,
        "score": lambda value, accuracy: score(accuracy.metric if accuracy else None, value),
    }
    return made


def _lede(facts: DesignFacts) -> str:
    topology = facts.net.topology if facts.net else None
    what = f"a {figures.words(topology)} network" if topology else "a classifier"
    made = kind_of(facts.kind).described(facts.target) if facts.target else ""
    return f"{what} {made}".rstrip().capitalize()


def _made(facts: DesignFacts) -> dict[str, Any]:
    """Return what went in, with which options and versions, as one list of names and values."""
    found = [*facts.source.more.items(), ("target", facts.target), *facts.options.items()]
    found += kind_of(facts.kind).made(facts.own).items()
    found += [(f"search {name}", value) for name, value in facts.search.items() if name != "genes"]
    found += [("mlpress", facts.mlpress), *facts.tools.items()]
    return {name: value for name, value in found if value is not None}


def _met(source: Source) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return how labels and columns of the data met the model: what, by what rule, and pairs of names (data, model)."""
    labels, columns = source.labels, source.columns
    pairs = [pair for pair in items(labels.get("pairs"), "pairs") if _is_pair(pair)]
    named = zip(items(columns.get("data"), "data"), items(columns.get("model"), "model"), strict=False)
    found = [("labels", labels.get("by"), pairs), ("columns", columns.get("by"), list(named))]
    return [
        (what, figures.words(by), [(figures.words(one), figures.words(other)) for one, other in names])
        for what, by, names in found
        if names
    ]


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2


def _columns(table: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the keys of all rows, in the order that they first appear."""
    return list(dict.fromkeys(key for row in table.values() for key in row))
