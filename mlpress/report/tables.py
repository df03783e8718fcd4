"""What the command line prints, as rich tables that fit 80 columns.

Every text goes in as :class:`rich.text.Text`: names from models and files are never read as markup, and
control characters in them never reach the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlpress.report.facts import Check, DesignFacts, Files, Proof, Run, TargetFacts
from mlpress.report.figures import figure, words
from mlpress.report.headline import Tile, made_of, run_tiles, tiles
from mlpress.report.kinds import kind_of
from mlpress.report.printed import Estimate, estimate_tiles

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

STYLES = {"plain": "bold", "good": "bold green", "bad": "bold red"}


def summary_table(facts: DesignFacts) -> Table:
    """Return the headline of a design, one figure per row."""
    named = [words(facts.source.model) if facts.source.model else "", words(facts.net.topology) if facts.net else ""]
    return _tile_table(tiles(facts), " ".join(filter(None, [*named, made_of(facts)])))


def summary_rows(facts: DesignFacts) -> list[dict[str, str]]:
    """Return the same as plain texts, for a notebook."""
    return [{"figure": tile.name, "value": tile.value, "": tile.note} for tile in tiles(facts)]


def run_table(run: Run) -> Table:
    """Return what a run on a device found, one figure per row."""
    return _tile_table(run_tiles(run), f"{words(run.target)}, device {words(run.device)}")


def estimate_table(estimate: Estimate) -> Group:
    """Return the headline of an estimate; below it power, delay and energy at every voltage, and what can feed it."""
    from rich.console import Group

    headings = ["supply", "total\nmW", "static\nmW", "dynamic\nmW", "path\nms", "energy\nmJ"]
    table = _table([*headings, f"{words(estimate.rate_hz)} Hz", "weakest\nsource"], figures=len(headings))
    best = estimate.best
    for row in estimate.voltages:
        values = (row.total_mw, row.static_mw, row.dynamic_mw, row.critical_path_ms, row.energy_mj)
        table.add_row(
            _text(f"{words(row.voltage)} V"),
            *(_text(figure(value)) for value in values),
            _verdict(row.meets_rate, bad=row.meets_rate is False),
            _text(next(iter(row.sources), "none")),
            style="bold" if row is best else None,
        )
    notes = [_text(f"note: {words(note)}") for note in estimate.notes]
    return Group(_tile_table(estimate_tiles(estimate), ""), table, *notes)


def verification_table(checks: Sequence[Check]) -> Table:
    """Return what every engine said: rows that it ran, and whether all equal the reference interpreter."""
    table = _table(["engine", "rows", "equal", ""], figures=0)
    for check in checks:
        wrong = check.equal is not True and not check.late
        remark = check.difference or check.note or ""
        table.add_row(
            _text(words(check.engine)),
            _text(figure(check.rows)),
            _text(words(check.verdict), "yellow") if check.late else _verdict(not wrong, bad=wrong),
            _text(remark and words(remark)),
        )
    table.columns[1].justify = "right"
    return table


def files_line(files: Files) -> Text:
    """Return whether the folder's files are those that were written."""
    if files.changed:
        return _text(f"files: not the ones that were written: {', '.join(map(words, files.changed))}", "bold red")
    if not files.hashed:
        return _text("files: no hashes in design.json (an older version wrote it)", "yellow")
    return _text(f"files: all {words(files.hashed)} are the ones that were written", "green")


def proof_table(proofs: Sequence[Proof]) -> Table:
    """Return what became of every claim: its verdict, seconds, and the difference where it is refuted."""
    table = _table(["for all inputs", "verdict", "seconds", ""], figures=0)
    for proof in proofs:
        tone = {"proven": "green", "refuted": "bold red"}.get(words(proof.verdict), "yellow")
        table.add_row(
            _text(words(proof.claim)),
            _text(words(proof.verdict), tone),
            _text(figure(proof.seconds)),
            _text(words(proof.difference or "")),
        )
    table.columns[2].justify = "right"
    return table


def targets_table(targets: Iterable[TargetFacts]) -> Table:
    """List targets: name, kind, title, and what more their kind knows."""
    table = _table(["target", "kind", "title", "supply or registers", "cells or parts"], figures=0)
    for target in targets:
        own = kind_of(target.kind).columns(target.own)
        table.add_row(
            _text(words(target.name), "bold"),
            _text(words(target.kind)),
            _text(words(target.title)),
            *(_text(words(text)) for text in own),
        )
    return table


def fits_table(parts: Sequence[Mapping[str, Any]]) -> Table:
    """List parts that a design fits or not: flash and RAM taken of those there are, time, energy, price."""
    headings = ["part", "core", "fits", "flash\nB", "RAM\nB", "time\nus", "energy\nnJ", "price\nUSD"]
    table = _table(headings, figures=0)
    for one in parts:
        fits = one.get("fits") is True
        stack = "" if one.get("stack_known") else " + stack"
        table.add_row(
            _text(words(one.get("part")), "bold" if fits else ""),
            _text(words(one.get("core"))),
            _verdict(fits, bad=not fits),
            _text(f"{figure(one.get('flash_needed'))} of {figure(one.get('flash'))}"),
            _text(f"{figure(one.get('ram_needed'))}{stack} of {figure(one.get('ram'))}"),
            _text(figure(one.get("microseconds"))),
            *(
                _text("not known" if one.get(key) is None else figure(one.get(key)))
                for key in ("nanojoules", "dollars")
            ),
        )
    return table


def _tile_table(found: Iterable[Tile], title: str) -> Table:
    from rich.table import Table

    table = Table(
        box=None,
        show_header=False,
        title=_text(title, "bold") if title else None,
        title_justify="left",
        padding=(0, 2, 0, 0),
    )
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for tile in found:
        table.add_row(_text(tile.name), _text(tile.value, STYLES[tile.tone]), _text(tile.note))
    return table


def plain_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return a table of texts."""
    table = _table(headings, figures=0)
    for cells in rows:
        table.add_row(*map(_text, cells))
    return table


def _table(headings: Sequence[str], *, figures: int) -> Table:
    """Return an empty table; its first ``figures`` columns hold numbers."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for index, heading in enumerate(headings):
        numeric = index < figures
        table.add_column(_text(heading), justify="right" if numeric else "left", no_wrap=numeric, vertical="top")
    return table


def _verdict(value: Any, *, bad: bool) -> Text:
    return _text(words(value), "bold red" if bad else "green")


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style=style)
