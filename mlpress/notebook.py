"""How values show themselves in a notebook: a small table, with every text escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

MOST_ROWS = 12
"""Rows of a table that a notebook shows."""


def table_html(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a title and a table with a column per key of the first row, as HTML; long tables are cut."""
    head = f"<p><b>{_text(title)}</b></p>"
    if not rows:
        return head
    columns = list(rows[0])
    shown = "".join(
        "<tr>" + "".join(f"<td>{_text(row.get(column))}</td>" for column in columns) + "</tr>"
        for row in rows[:MOST_ROWS]
    )
    named = "".join(f"<th>{_text(column)}</th>" for column in columns)
    left = len(rows) - MOST_ROWS
    more = f"<p>and {left:,} more</p>" if left > 0 else ""
    return f"{head}<table><thead><tr>{named}</tr></thead><tbody>{shown}</tbody></table>{more}"


def _text(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
    return escape("".join(one if one.isprintable() else " " for one in text)[:200])
