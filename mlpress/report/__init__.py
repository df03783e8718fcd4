"""What a person reads about a design: the HTML report, and the tables of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.report.front_plot import Point, draw, read_points
    from mlpress.report.html import render
    from mlpress.report.tables import (
        estimate_table,
        files_line,
        fits_table,
        proof_table,
        run_table,
        summary_table,
        targets_table,
        verification_table,
    )

__all__ = [
    "Point",
    "draw",
    "estimate_table",
    "files_line",
    "fits_table",
    "proof_table",
    "read_points",
    "render",
    "run_table",
    "summary_table",
    "targets_table",
    "verification_table",
]

__getattr__ = lazy_door(
    __name__,
    {
        "Point": "front_plot",
        "draw": "front_plot",
        "read_points": "front_plot",
        "estimate_table": "tables",
        "render": "html",
        "run_table": "tables",
        "files_line": "tables",
        "fits_table": "tables",
        "proof_table": "tables",
        "summary_table": "tables",
        "targets_table": "tables",
        "verification_table": "tables",
    },
)
