"""A design on a device: what it answers there to rows of data, and what that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.errors import MlpressError
from mlpress.intervals import accuracy_interval
from mlpress.pipeline.accuracy import score
from mlpress.progress import Progress, Silent
from mlpress.targets import RunTarget, Values

if TYPE_CHECKING:
    from mlpress.design import Design
    from mlpress.frontend import Dataset


def run(
    design: Design, device: str, dataset: Dataset | None = None, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Run ``design`` on a ``device`` of its target; without a ``dataset``, on the rows that it was made from.

    Returns plain JSON values: ``device``, ``rows``, ``metric``, ``accuracy`` with its 95 % ``interval`` (a regression
    has none), ``different`` (rows whose answer is not the reference interpreter's), ``values`` by metric of the target
    with ``how`` each was found and its ``units``, and what more the target knows.  Raises :class:`MlpressError` for a
    device that the target does not have or that cannot run here, and for data that do not fit.
    """
    progress = progress or Silent()
    target, program = design.target, design.program
    known = target.devices(design.artifact) if isinstance(target, RunTarget) else {}
    if device not in known:
        there = f"there are {', '.join(known)}" if known else "it has none"
        raise MlpressError(f"target {target.name} has no device {device[:200]!r}; {there}")
    rows = None if dataset is None else dataset.for_model(program)
    features, labels = (design.features, design.labels) if rows is None else (rows.features, rows.labels)
    if not len(features):
        raise MlpressError("there is no row to run; give some with --data")
    codes = ir.encode(program, features)
    progress.step(f"run {len(codes)} rows on device {device}")
    trial = known[device](codes)
    answers = _answers(program, trial.values)
    accuracy = score(labels, answers)
    wanted = program_answers(program, codes)
    different = (answers != wanted).reshape(len(codes), -1).any(axis=1)
    classifies = answers.ndim == 1
    return {
        "device": device,
        "target": target.name,
        "rows": len(codes),
        "metric": "accuracy" if classifies else "r2",
        "accuracy": accuracy,
        "interval": list(accuracy_interval(accuracy, len(codes))) if classifies else None,
        "different": int(different.sum()),
        "values": dict(trial.cost.values),
        "how": dict(trial.cost.how),
        "units": {metric.name: metric.unit for metric in target.metrics if metric.name in trial.cost.values},
        **trial.cost.facts,
    }


def program_answers(program: ir.Net | ir.Circuit, codes: NDArray[np.int64]) -> NDArray[Any]:
    """Return the reference interpreter's classes, int64 (rows,), or real scores, float64 (rows, scores)."""
    if isinstance(program, ir.Circuit):
        trace = ir.interpret_circuit(program, codes)
        return trace.words if trace.decision is None else trace.decision
    found = ir.interpret(program, codes)
    return ir.score_values(program, found.scores) if found.decision is None else found.decision


def _answers(program: ir.Net | ir.Circuit, values: Values) -> NDArray[Any]:
    """Return classes or real scores from the values of the ports."""
    if "output y" in values:
        return np.asarray(values["output y"])
    scores = np.stack([np.asarray(values[f"output y{k}"]) for k in range(len(values))], axis=1)
    return ir.score_values(program, scores) if isinstance(program, ir.Net) else scores
