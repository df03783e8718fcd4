"""Designs as one HTML file: what they are, what they cost, and pictures to explore; nothing is fetched.

The only scripts of a page are Vega and ``page.js``: its content security policy names them by their hashes, so that
nothing else runs, whatever models and data are called.  Their data are blocks of JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from mlpress import ir
from mlpress.report import figures, pictures
from mlpress.report.facts import Accuracy, DesignFacts, Shares, Source
from mlpress.report.headline import Tile, lead, score, tiles
from mlpress.report.kinds import kind_of
from mlpress.report.network import network
from mlpress.report.pictures import metric_label, metrics_of, unlike
from mlpress.report.reading import items
from mlpress.report.sources import sources
from mlpress.report.vega import Spec, library

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

# Characters that HTML does not allow, and halves of surrogate pairs, which UTF-8 does not.
NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Shown:
    """A design to be shown: its facts, its program and the files of its artifact where they are at hand, its folder."""

    facts: DesignFacts
    program: ir.Shipped | None = None
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    folder: str = "build"


def render(shown: Sequence[Shown]) -> str:
    """Write the report of one design, or of several side by side.

    Parts that are missing are left out.  Every text is escaped: names come from models and data, and are not trusted.
    """
    specs: dict[str, Spec] = {}
    several = len(shown) > 1
    names = unlike(one.folder for one in shown)
    bodies = [_body(one, f"d{k}-" if several else "", names[k], specs) for k, one in enumerate(shown)]
    compared = _compared(shown, names, specs) if several else None
    title = f"{len(shown)} designs" if several else _title(shown[0].facts)
    version = shown[0].facts.mlpress
    return shell("designs.html", title, specs, bodies=bodies, compared=compared, version=version)


def shell(template: str, title: str, specs: Mapping[str, Spec], **context: Any) -> str:
    """Write a page whose body is a ``template``: its style, its pictures by id, and the scripts that it may run."""
    own = _text("page.js")
    made = _environment()
    body = made.get_template(template).render(context, title=title)
    page: str = made.get_template("report.html").render(
        title=title,
        body=_markup(NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", body)),
        version=context.get("version"),
        specs=_block(specs),
        library=_markup(library()) if specs else "",
        script=_markup(own),
        policy=_policy(*([library(), own] if specs else [own])),
    )
    return page


def _body(shown: Shown, p: str, name: str, specs: dict[str, Spec]) -> Markup:
    """Write one design: what there is of it, then the list of contents, which follows from that."""
    contents: list[tuple[str, str]] = []

    def section(id_: str, title: str) -> Markup:
        """Begin a section, and note it in the contents."""
        from markupsafe import escape

        contents.append((p + id_, title))
        return _markup(f'<section id="{p}{id_}">\n<h2>{escape(title)}</h2>')

    found = _design(shown, p, name, specs) | {"section": section, "contents": contents}
    templates = _environment()
    sections = _markup(templates.get_template("sections.html").render(found))
    return _markup(templates.get_template("design.html").render(found, sections=sections))


def _title(facts: DesignFacts) -> str:
    return figures.words(facts.source.model or "design")


def _design(shown: Shown, p: str, name: str, specs: dict[str, Spec]) -> dict[str, Any]:
    """Return what the templates show of one design; its pictures are added to ``specs`` by their id, from ``p`` on."""
    facts, program = shown.facts, shown.program
    kind = kind_of(facts.kind)
    metrics = metrics_of(facts.cost)
    accuracy = facts.accuracy

    def drawn(id_: str, found: Spec | None) -> str | None:
        """Keep a picture, and return its id in the page."""
        if found is None:
            return None
        specs[p + id_] = found
        return p + id_

    def all_of(id_: str, found: Sequence[pictures.Picture]) -> list[tuple[str, str]]:
        return [(one.title, str(drawn(f"{id_}-{k}", one.spec))) for k, one in enumerate(found)]

    schematics = kind.schematics(facts, shown.files, program)
    net = network(program) if isinstance(program, ir.Net) else None
    return {
        **kind.context(facts),
        "p": p,
        "name": name,
        "facts": facts,
        "accuracy": accuracy,
        "title": _title(facts),
        "lede": _lede(facts),
        "lead": lead(facts),
        "sure": _sure(facts.accuracy),
        "tiles": [tile for tile in tiles(facts) if tile.name not in {one.name for one in lead(facts)}],
        "inputs": figures.words(facts.net.topology if facts.net else None).split("-")[0],
        "notes": any(row.difference or row.note for row in facts.verification),
        "made": _made(facts),
        "met": _met(facts.source),
        "templates": kind.templates,
        "fronts": all_of("front", pictures.fronts(facts, metrics)),
        "points": _points(shown, metrics),
        "landmarks": facts.landmarks,
        "metrics": [(metric, metric_label(metric)) for metric in metrics],
        "treemaps": all_of("spent", pictures.treemaps(facts.spent, metrics)),
        "network": None if net is None else (drawn("network", net[0]), net[1]),
        "schematics": schematics,
        "schematic_tabs": all_of("schematic", [pictures.Picture(one.title, one.spec) for one in schematics]),
        "mistakes": _mistakes(facts, accuracy, drawn),
        "curves": [
            (title, said, drawn(f"curve-{k}", found)) for k, (title, said, found) in enumerate(kind.curves(facts))
        ],
        "texts": sources(shown.files),
        "picked": next((k for k, point in enumerate(facts.front) if point.chosen is True), 0),
    }


@dataclass(frozen=True, slots=True)
class PointShown:
    """A point of the front in the panel beside it."""

    id: int
    title: str
    accuracies: Sequence[tuple[str, str]]
    costs: Sequence[tuple[str, str]]
    chosen: bool
    command: str
    note: str = ""


def _points(shown: Shown, metrics: Sequence[Any]) -> list[PointShown]:
    facts = shown.facts
    asked = facts.accuracy.metric if facts.accuracy else None

    def costs_of(costs: Mapping[str, Any]) -> list[tuple[str, str]]:
        known = [
            (one.name, figures.unit(figures.figure(costs[one.key]), one.unit.replace("2", "²")))
            for one in metrics
            if one.key in costs
        ]
        return [(name, text.strip()) for name, text in known]

    def said(value: Any, bounds: Any = None) -> str:
        interval = figures.interval(bounds)
        return score(asked, value) + (f" ({interval})" if interval else "")

    found = []
    for k, point in enumerate(facts.front):
        number = k if point.design is None else point.design
        held = "validation" if point.rows is None else f"validation, {figures.counted(point.rows, 'row')}"
        accuracies = [("fitting rows", point.fit), (held, point.accuracy), ("test rows", point.test)]
        shares = [
            (name, said(value, point.interval if name == held else None))
            for name, value in accuracies
            if value is not None
        ]
        level = {"gates": "evolved gate by gate", "integer": "a network of approximate arithmetic"}.get(
            str(point.level), ""
        )
        command = f"mlpress pick {shlex.quote(shown.folder)} --design {figures.words(number)} -o other"
        title = f"design {figures.words(number)}{', this one' if point.chosen else ''}"
        found.append(PointShown(k, title, shares, costs_of(point.costs), point.chosen is True, command, level))
    for k, one in enumerate(facts.landmarks):
        if one.kind != "model":
            shares = [
                (name, said(value))
                for name, value in (("fitting rows", one.fit), ("validation", one.accuracy))
                if value is not None
            ]
            note = figures.words(one.note) if one.note else ""
            found.append(PointShown(10_000 + k, figures.words(one.name), shares, costs_of(one.costs), False, "", note))
    return found


@dataclass(frozen=True, slots=True)
class Mistakes:
    """What a design decides on one set of rows: the picture of its confusion, per class figures, and missed rows."""

    rows: str
    picture: str | None
    classes: Sequence[tuple[str, int, str, str]]
    missed: int | None
    columns: Sequence[str]
    table: Sequence[tuple[str, str, str, Sequence[str]]]


def _mistakes(facts: DesignFacts, accuracy: Accuracy | None, drawn: Any) -> list[Mistakes]:
    classes = (facts.net.classes if facts.net else ()) or (facts.circuit.classes if facts.circuit else ())
    found = []
    for id_, rows, shares in (("test", "test rows", accuracy and accuracy.test), ("fit", "training rows", accuracy)):
        if not shares:
            continue
        matrix = pictures.confused(shares.confusion, len(classes))
        if matrix is None:
            continue
        picture = drawn(f"confusion-{id_}", pictures.confusion(shares.confusion, classes))
        found.append(Mistakes(rows, picture, _per_class(matrix, classes), *_missed(facts, shares, classes)))
    return found


def _per_class(matrix: list[list[int]], classes: Sequence[Any]) -> list[tuple[str, int, str, str]]:
    """Return for each class its name, its number of rows, its recall and its precision."""
    found = []
    for k, name in enumerate(unlike(classes)):
        true, decided = sum(matrix[k]), sum(line[k] for line in matrix)
        recall = figures.percent(matrix[k][k] / true) if true else figures.MISSING
        precision = figures.percent(matrix[k][k] / decided) if decided else figures.MISSING
        found.append((name, true, recall, precision))
    return found


def _missed(facts: DesignFacts, shares: Shares, classes: Sequence[Any]) -> tuple[int | None, list[str], list[Any]]:
    """Return the number of rows that only the model gets right, and a table of the first."""
    missed = shares.missed
    if missed is None or type(missed.count) is not int:
        return None, [], []
    names = [figures.words(name) for name in items(facts.source.columns.get("model"), "model")]
    width = max((len(row.values) for row in missed.rows), default=0)
    columns = [names[k] if k < len(names) else f"x{k}" for k in range(width)]

    def name_of(index: Any) -> str:
        return figures.words(classes[index]) if type(index) is int and 0 <= index < len(classes) else figures.MISSING

    table = [
        (
            figures.words(row.row),
            name_of(row.label),
            name_of(row.decided),
            [figures.figure(value, 4) for value in row.values],
        )
        for row in missed.rows
    ]
    return missed.count, columns, table


def _compared(shown: Sequence[Shown], names: Sequence[str], specs: dict[str, Spec]) -> dict[str, Any]:
    """Return designs side by side: one column of figures per design, and pictures of the costs that all have."""
    columns = [{tile.name: tile for tile in [*lead(one.facts), *tiles(one.facts)]} for one in shown]
    rows = list(dict.fromkeys(name for column in columns for name in column))
    found = []
    for k, one in enumerate(pictures.several(names, [each.facts for each in shown])):
        specs[f"several-{k}"] = one.spec
        found.append((one.title, f"several-{k}"))
    empty = Tile("", figures.MISSING)
    return {
        "names": names,
        "rows": [(name, [column.get(name, empty) for column in columns]) for name in rows],
        "pictures": found,
        "ledes": [_lede(one.facts) for one in shown],
    }


def _block(specs: Mapping[str, Spec]) -> Markup:
    """Return JSON that no HTML parser takes for markup."""
    text = json.dumps(specs, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return _markup(text)


def _policy(*scripts: str) -> str:
    """Return the content security policy that allows these scripts alone."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}"


def _markup(text: str) -> Markup:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - our own script, a library's, or JSON without markup


def _text(name: str) -> str:
    return (resources.files("mlpress.report") / "templates" / name).read_text(encoding="utf-8")


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
    what = f"a {figures.words(topology)} network" if topology else kind_of(facts.kind).program
    made = kind_of(facts.kind).described(facts.target) if facts.target else ""
    return f"{what} {made}".rstrip().capitalize()


def _sure(accuracy: Accuracy | None) -> str:
    """Return the 95 % interval of the accuracy that a report leads with, empty where there is none."""
    shown: Shares | None = accuracy and (accuracy.test or accuracy)
    return figures.interval(shown.intervals.get("quantised")) if shown else ""


def _made(facts: DesignFacts) -> dict[str, Any]:
    """Return what went in, with which options and versions, as one list of names and values."""
    found = [("date", facts.date), *facts.source.more.items(), ("target", facts.target), *facts.options.items()]
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
