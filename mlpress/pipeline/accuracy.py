"""The accuracies of a design: all of one program, each on one set of rows, with confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.intervals import accuracy_interval, score
from mlpress.pipeline.mistakes import decided_facts

if TYPE_CHECKING:
    from mlpress.frontend import Dataset, Quantised


def accuracy_facts(
    model: ir.Model, quantised: Quantised, program: ir.Program, rows: Dataset, tests: Dataset | None = None
) -> dict[str, Any]:
    """Return the accuracies of ``model`` and of the shipped ``program`` on ``rows``, and on ``tests`` where given.

    ``rows`` are those that the model was ``quantised`` on.  ``float`` is the model's accuracy, ``quantised`` the
    program's, ``agreement`` the share of rows on which both decide alike, and ``exact``, where the program is another
    than the quantised network, that network's accuracy.  ``intervals`` holds 95 % intervals of the shares, and
    ``majority`` is the share of the largest class.  A regression has coefficients of determination and no intervals.
    ``confusion`` and ``missed`` are those of :func:`mlpress.pipeline.mistakes.decided_facts`.
    """
    net = quantised.net
    known = _known(quantised) if program == net else None
    return {
        "metric": quantised.report.metric,
        **_on(model, net, program, rows, known),
        "saturation": list(quantised.report.saturation),
        "kept_integers": quantised.report.exact,
        "test": None if tests is None else _on(model, net, program, tests),
        **_majority(rows),
    }


def fit_facts(quantised: Quantised, rows: Dataset) -> dict[str, Any]:
    """Return what quantisation found on its own ``rows``: :func:`accuracy_facts` without deciding them again."""
    return {"metric": quantised.report.metric, **_stated(_known(quantised), rows), **_majority(rows)}


def _known(quantised: Quantised) -> dict[str, float]:
    report = quantised.report
    return {"float": report.model_score, "quantised": report.net_score, "agreement": report.agreement}


def _majority(rows: Dataset) -> dict[str, float]:
    if not rows.classes:
        return {}
    return {"majority": float(np.bincount(rows.labels.astype(np.int64)).max() / len(rows))}


def with_intervals(shares: Mapping[str, Any], rows: Mapping[str, int]) -> dict[str, Any]:
    """Return ``shares`` with the 95 % ``intervals`` of those that were counted on so many ``rows``, by name."""
    found = {name: list(accuracy_interval(shares[name], count)) for name, count in rows.items() if name in shares}
    return {**shares, "intervals": {**shares.get("intervals", {}), **found}}


def accuracy(program: ir.Program, rows: Dataset) -> float:
    """Return the share of rows whose class the program decides rightly; a regression's coefficient of determination."""
    decided = _decisions(program, rows)
    return score(rows.labels, decided)


def _on(
    model: ir.Model, exact: ir.Net, program: ir.Program, rows: Dataset, known: dict[str, float] | None = None
) -> dict[str, Any]:
    """Return shares, ``known`` or counted, and mistakes; model and program decide each row once."""
    values, classes = ir.interpret_model(model, rows.features)
    wanted = values if classes is None else classes
    ours = _decisions(program, rows)
    shares = known or {
        "float": score(rows.labels, wanted),
        "quantised": score(rows.labels, ours),
        "agreement": score(wanted, ours),
    }
    if program != exact:
        shares["exact"] = accuracy(exact, rows)
    if classes is None:
        return _stated(shares, rows)
    return _stated(shares, rows) | decided_facts(rows.features, rows.labels, ours, classes, len(program.classes))


def _stated(shares: dict[str, float], rows: Dataset) -> dict[str, Any]:
    facts = {"rows": len(rows), **shares}
    return with_intervals(facts, dict.fromkeys(shares, len(rows))) if rows.classes else facts


def _decisions(program: ir.Program, rows: Dataset) -> NDArray[Any]:
    """Return classes, int64 (rows,), or a regression's values, float64 (rows, outputs); equal rows are run once."""
    codes, back = np.unique(ir.encode(program, rows.features), axis=0, return_inverse=True)
    return ir.answers(program, codes)[back.reshape(-1)]


def interval_text(interval: Sequence[float]) -> str:
    """Write an interval in per cent: ``87.2 to 93.1 %``."""
    low, high = interval
    return f"{100 * low:.1f} to {100 * high:.1f} %"
