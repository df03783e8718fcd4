"""The cost of a design, or of Verilog that mlpress did not write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpress import ir
from mlpress.design import Design
from mlpress.errors import MlpressError
from mlpress.progress import Progress
from mlpress.targets import DEFAULT_TARGET, Cost, Rows, VerilogTarget, check_options, read_target

if TYPE_CHECKING:
    from mlpress.frontend import Dataset


def estimate(
    what: Design | str | Path | Sequence[str | Path],
    data: Dataset | None = None,
    *,
    target: str = DEFAULT_TARGET,
    top: str | None = None,
    mapped: bool = False,
    vectors: str | Path | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Cost:
    """Return the cost of a design in every metric of its target, on the rows of ``data`` (default: its own).

    Verilog files are synthesised for ``target`` with its ``options`` first, or are a netlist of its cells already
    (``mapped``), and see the input ``vectors`` of a file (default: each bit is 1 half of the time).  ``Cost.values``
    are by metric name, ``Cost.how`` says how each was found.  Raises :class:`MlpressError` where rows or options do not
    fit, or the Verilog cannot be read.
    """
    if isinstance(what, Design):
        if options or top is not None or mapped or vectors is not None:
            raise MlpressError("a design has its own target and rows; target, top, mapped and vectors are for Verilog")
        rows = what.rows
        if data is not None:
            own = data.for_model(what.program)
            rows = Rows(own.features, ir.engine_rows(what.program, own.features), own.labels)
        return what.target.estimate(what.artifact, rows)
    names = [what] if isinstance(what, str | Path) else what
    if not isinstance(names, Sequence) or not names or not all(isinstance(name, str | Path) for name in names):
        raise MlpressError(f"estimate takes a design or Verilog files, not a {type(what).__name__}")
    if data is not None:
        raise MlpressError("Verilog sees input vectors, not rows of data: estimate(..., vectors=FILE)")
    check_options(target, options)
    chosen = read_target(target, options)
    if not isinstance(chosen, VerilogTarget):
        raise MlpressError(f"Verilog cannot be estimated for {target}; `mlpress targets` lists printed targets")
    seen = None if vectors is None else Path(vectors)
    return chosen.verilog_cost([Path(name) for name in names], top=top, mapped=mapped, vectors=seen, progress=progress)
