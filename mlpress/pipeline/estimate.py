"""The cost of a design."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpress import ir
from mlpress.design import Design
from mlpress.targets import Cost, Rows

if TYPE_CHECKING:
    from mlpress.frontend import Dataset


def estimate(design: Design, data: Dataset | None = None) -> Cost:
    """Return the cost of a design in every metric of its target, on the rows of ``data`` (default: its own).

    ``Cost.values`` are by metric name, ``Cost.how`` says how each was found.  Raises :class:`MlpressError` where the
    rows do not fit the design.
    """
    rows = design.rows
    if data is not None:
        own = data.for_model(design.program)
        rows = Rows(own.features, ir.engine_rows(design.program, own.features), own.labels)
    return design.target.estimate(design.artifact, rows)
