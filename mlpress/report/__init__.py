"""What a person reads about a design: the HTML report, and the tables of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.report.facts import (
        Check,
        DesignFacts,
        Run,
        read_checks,
        read_design,
        read_files,
        read_proofs,
        read_run,
        read_targets,
    )
    from mlpress.report.front_plot import Point, draw, read_points
    from mlpress.report.html import Shown, render
    from mlpress.report.printed import read_estimate
    from mlpress.report.swept import render_sweep, sweep_table
    from mlpress.report.tables import (
        estimate_table,
        files_line,
        fits_table,
        proof_table,
        run_table,
        summary_rows,
        summary_table,
        targets_table,
        verification_table,
    )

_MODULES = {
    "facts": (
        "Check",
        "DesignFacts",
        "Run",
        "read_checks",
        "read_design",
        "read_files",
        "read_proofs",
        "read_run",
        "read_targets",
    ),
    "front_plot": (
        "Point",
        "draw",
        "read_points",
    ),
    "html": ("Shown", "render"),
    "printed": ("read_estimate",),
    "swept": ("render_sweep", "sweep_table"),
    "tables": (
        "estimate_table",
        "files_line",
        "fits_table",
        "proof_table",
        "run_table",
        "summary_rows",
        "summary_table",
        "targets_table",
        "verification_table",
    ),
}

__all__ = [
    "Check",
    "DesignFacts",
    "Point",
    "Run",
    "Shown",
    "draw",
    "estimate_table",
    "files_line",
    "fits_table",
    "proof_table",
    "read_checks",
    "read_design",
    "read_estimate",
    "read_files",
    "read_points",
    "read_proofs",
    "read_run",
    "read_targets",
    "render",
    "render_sweep",
    "run_table",
    "summary_rows",
    "summary_table",
    "sweep_table",
    "targets_table",
    "verification_table",
]

__getattr__ = lazy_door(__name__, {name: module for module, names in _MODULES.items() for name in names})
