"""What the command line prints, as rich tables that fit 80 columns.

Every text goes in as :class:`rich.text.Text`: names from models and files are never read as markup, and
control characters in them never reach the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlpress.report.figures import counted, figure, items, part, rows, words
from mlpress.report.headline import Tile, best_voltage, estimate_tiles, made_of, power_sources, run_tiles, tiles

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

LATE = "out of time"
STYLES = {"plain": "bold", "good": "bold green", "bad": "bold red"}


def summary_table(facts: Mapping[str, Any]) -> Table:
    """The headline of a design from the content of its ``design.json``, one figure a row."""
    source, net = part(facts, "source"), part(facts, "net")
    named = [words(source.get("model")) if source.get("model") else "", words(net.get("topology")) if net else ""]
    return _tile_table(tiles(facts), " ".join(filter(None, [*named, made_of(facts)])))


def run_table(facts: Mapping[str, Any]) -> Table:
    """What a run on a device found, one figure a row."""
    return _tile_table(run_tiles(facts), f"{words(facts.get('target'))}, device {words(facts.get('device'))}")


def estimate_table(estimate: Mapping[str, Any]) -> Group:
    """The headline of an estimate; below it power, delay and energy at every voltage, and what can feed it."""
    from rich.console import Group

    voltages = rows(estimate, "voltages")
    headings = ["supply", "total\nmW", "static\nmW", "dynamic\nmW", "path\nms", "energy\nmJ"]
    table = _table([*headings, f"{words(estimate.get('rate_hz'))} Hz", "weakest\nsource"], figures=len(headings))
    best = best_voltage(estimate)
    for row in voltages:
        values = [row.get(key) for key in ("total_mw", "static_mw", "dynamic_mw", "critical_path_ms", "energy_mj")]
        meets = row.get("meets_rate")
        table.add_row(
            _text(f"{words(row.get('voltage'))} V"),
            *(_text(figure(value)) for value in values),
            _verdict(meets, bad=meets is False),
            _text(next(iter(power_sources(row)), "none")),
            style="bold" if row is best else None,
        )
    notes = [_text(f"note: {words(note)}") for note in items(estimate, "notes")]
    return Group(_tile_table(estimate_tiles(estimate), ""), table, *notes)


def verification_table(results: Sequence[Mapping[str, Any]]) -> Table:
    """What every engine said: rows that it ran, and whether all equal the reference interpreter."""
    table = _table(["engine", "rows", "equal", ""], figures=0)
    for row in results:
        late = row.get("verdict") == LATE
        wrong = row.get("equal") is not True and not late
        remark = row.get("difference") or row.get("note") or ""
        table.add_row(
            _text(words(row.get("engine"))),
            _text(figure(row.get("rows"))),
            _text(LATE, "yellow") if late else _verdict(not wrong, bad=wrong),
            _text(remark and words(remark)),
        )
    table.columns[1].justify = "right"
    return table


def files_line(files: Mapping[str, Any]) -> Text:
    """Whether the folder's files are those that were written: ``verdict``, ``hashed`` and ``changed``."""
    if changed := items(files, "changed"):
        return _text(f"files: not the ones that were written: {', '.join(map(words, changed))}", "bold red")
    if not files.get("hashed"):
        return _text("files: no hashes in design.json (an older version wrote it)", "yellow")
    return _text(f"files: all {words(files.get('hashed'))} are the ones that were written", "green")


def proof_table(proofs: Sequence[Mapping[str, Any]]) -> Table:
    """What became of every claim: ``claim``, ``verdict``, ``seconds``, and the ``difference`` where it is refuted."""
    table = _table(["for all inputs", "verdict", "seconds", ""], figures=0)
    for row in proofs:
        tone = {"proven": "green", "refuted": "bold red"}.get(words(row.get("verdict")), "yellow")
        table.add_row(
            _text(words(row.get("claim"))),
            _text(words(row.get("verdict")), tone),
            _text(figure(row.get("seconds"))),
            _text(words(row.get("difference") or "")),
        )
    table.columns[2].justify = "right"
    return table


def targets_table(targets: Iterable[Mapping[str, Any]]) -> Table:
    """List targets: ``name``, ``kind``, ``title``, and what more is known.

    That is ``nominal`` volts, ``voltages`` and the number of ``cells`` of printed ones; of cores the ``bits`` of a
    register, whether there is a ``multiplier``, and ``parts`` to buy.
    """
    table = _table(["target", "kind", "title", "supply or registers", "cells or parts"], figures=0)
    for target in targets:
        volts, parts, cells = items(target, "voltages"), items(target, "parts"), target.get("cells")
        supply = f"{words(volts)} V (usually {words(target.get('nominal'))} V)" if volts else ""
        registers = f"{words(target.get('bits'))} bits" if target.get("bits") else ""
        without = ", no multiplier" if target.get("multiplier") is False else ""
        table.add_row(
            _text(words(target.get("name")), "bold"),
            _text(words(target.get("kind"))),
            _text(words(target.get("title"))),
            _text(words(supply or registers + without)),
            _text(words(parts) if cells is None else counted(cells, "cell")),
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


def _table(headings: Sequence[str], *, figures: int) -> Table:
    """An empty table; its first ``figures`` columns hold numbers."""
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
