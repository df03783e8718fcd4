"""What is allowed but suspicious about a model and its rows, one line each, with the likely causes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.frontend import listed, paired
from mlpress.intervals import accuracy_interval
from mlpress.pipeline.accuracy import interval_text

if TYPE_CHECKING:
    from mlpress.frontend import Dataset, Match

FEW_ROWS = 30
"""Fewer rows than this hardly state an accuracy: 95 % intervals of 90 % are wider than 20 points."""

FAR_BELOW = 0.05
"""A circuit that decides this share of rows less rightly than the model is far below it."""

MOST_PEAK = 30.0
"""Values this large at a first layer are hardly what a trainer scaled: standardised ones stay within about 10."""

LEAST_SPAN = 0.02
"""Values that span no more than this at a first layer hardly are either: scaled ones span 1 or more."""


def of_rows(rows: Dataset, what: str) -> list[str]:
    """Find what is suspicious about ``rows`` alone, which are the ``what`` rows ("training", "test")."""
    count = len(rows)
    found = []
    if count < FEW_ROWS:
        found.append(few_rows(count, what))
    if len(rows.classes) > 1 and (rows.labels == rows.labels[0]).all():
        only = listed([rows.classes[int(rows.labels[0])]])
        found.append(
            f"all {what} rows are of one class ({only}): always saying it would be right, so they tell nothing"
        )
    constant = [name for name, column in zip(rows.names, rows.features.T, strict=True) if (column == column[0]).all()]
    if constant and count > 1 and what == "training":
        has = "has" if len(constant) == 1 else "have"
        found.append(
            f"the same value in all {what} rows {has} {listed(constant)}: the circuit is made for that value alone; "
            f"drop what carries nothing, or give rows in which it varies"
        )
    return found


def few_rows(count: int, what: str) -> str:
    """Return the warning of so few ``what`` rows, with how little an accuracy on them says."""
    right = round(0.9 * count)
    return (
        f"{count} {what} row{' is' if count == 1 else 's are'} few: {right} right of {count} means an "
        f"accuracy of {interval_text(accuracy_interval(right / count, count))} (95 % interval); give {FEW_ROWS} or more"
    )


def of_fit(model: ir.Model, rows: Dataset, match: Match, accuracy: Mapping[str, Any], likely: str) -> list[str]:
    """Find out whether ``model`` fits the training ``rows`` worse than guessing, or better with other labels.

    ``match`` says how the data met the model, ``accuracy`` are the facts of its program, and ``likely`` says which
    column may hold the labels instead of the one that was taken.
    """
    share = accuracy["float"]
    if accuracy["metric"] == "r2":
        if share >= 0:
            return []
        causes = [*_column_causes(match), *_scaling_causes(model, rows), *([likely] if likely else [])]
        return [f"the model predicts {len(rows)} rows worse than their mean would (R² {share:.3g}){_causes(causes)}"]
    found = []
    other = _better_labels(model, rows)
    majority = accuracy["majority"]
    if share < majority or (share == majority < 1 and not other):
        less = "less" if share < majority else "no more"
        common = rows.classes[int(np.bincount(rows.labels.astype(np.int64)).argmax())]
        causes = ["labels in another order than the trainer's", *_column_causes(match)]
        causes += [] if other else [*_scaling_causes(model, rows), *([likely] if likely else [])]
        found.append(
            f"the model decides {_rate(share, len(rows))} rightly, {less} than the {100 * majority:.1f} % "
            f"that always saying {listed([common])} would{_causes(causes)}"
        )
    if other:
        better, pairs = other
        found.append(
            f"the labels seem to be in another order than the trainer's: the model decides {_rate(share, len(rows))} "
            f"rightly, but {100 * better:.1f} % where {paired(pairs)}; "
            "call the labels in the data as the model calls its classes"
        )
    return found


def of_scaling(model: ir.Model, rows: Dataset, match: Match) -> list[str]:
    """Find columns that the model's own scaling takes far off, as those in another order or of another unit."""
    scaled = (model.scale != 1) | (model.offset != 0)
    usual = np.median(np.abs(rows.features * model.scale + model.offset), axis=0)
    far = np.flatnonzero(scaled & (usual > MOST_PEAK))
    if not len(far):
        return []
    worst = int(far[usual[far].argmax()])
    causes = [*_column_causes(match), "other units than in training"]
    return [
        f"the model's own scaling takes {listed([rows.names[k] for k in far])} far off "
        f"({listed([rows.names[worst]])} to about {usual[worst]:.3g}, where scaled values are about 1){_causes(causes)}"
    ]


def of_loss(accuracy: Mapping[str, Any], *, approximated: bool) -> list[str]:
    """Find out whether a circuit is far below the model that it was made from, on the training rows."""
    if accuracy["metric"] != "accuracy":
        return []
    ours, given = accuracy["quantised"], accuracy["float"]
    if given - ours <= FAR_BELOW or accuracy["intervals"]["quantised"][1] >= given:
        return []
    cause = (
        "the approximation that was asked for is too rough"
        if approximated
        else "more --input-bits or --weight-bits may help, and rows without far outliers"
    )
    return [f"the circuit decides {_rate(ours, accuracy['rows'])} rightly, the model {100 * given:.1f} %: {cause}"]


def of_test(accuracy: Mapping[str, Any]) -> list[str]:
    """Find out whether test accuracy is below the interval stated before (validation's, or training's)."""
    test = accuracy.get("test")
    if test is None or accuracy["metric"] != "accuracy":
        return []
    name, rows = ("validation", "validation_rows") if "validation" in accuracy else ("quantised", "rows")
    low, high = accuracy["intervals"][name]
    if test["quantised"] >= low:
        return []
    what = "validation" if name == "validation" else "training"
    return [
        f"the circuit decides {_rate(test['quantised'], test['rows'])} of test rightly "
        f"({interval_text(test['intervals']['quantised'])}), below the {what} rows' {interval_text((low, high))} "
        f"({100 * accuracy[name]:.1f} % of {accuracy[rows]} rows): "
        "expect the test rows' accuracy in use, and see whether they differ in kind"
    ]


def _rate(share: float, rows: int) -> str:
    return f"{100 * share:.1f} % of {rows} rows"


def _causes(causes: list[str]) -> str:
    return f"; likely causes: {'; '.join(causes)}" if causes else ""


def _column_causes(match: Match) -> list[str]:
    columns = match.columns
    if columns.by == "name" or len(columns.data) < 2:
        return []
    return [f"columns in another order than in training; they are {columns.taken}"]


def _scaling_causes(model: ir.Model, rows: Dataset) -> list[str]:
    """Find out whether the first layer's values are much larger or flatter than those that trainers feed."""
    reached = rows.features * model.scale + model.offset
    peak = float(np.abs(reached).max())
    span = float(np.median(np.ptp(reached, axis=0)))
    own = bool((model.scale != 1).any() or (model.offset != 0).any())
    if peak > MOST_PEAK:
        lacks = "the model scales its inputs, to" if own else "the model has no scaling of its own and is fed"
        return [f"scaling ({lacks} values of up to {peak:.3g}; feed it rows as it was trained on)"]
    if own and span < LEAST_SPAN:
        return [f"scaling (after the model's own the rows span only {span:.2g}: they may be scaled already)"]
    return ["scaling (rows must come as the model was trained on them)"]


def _better_labels(model: ir.Model, rows: Dataset) -> tuple[float, list[tuple[int | str, int | str]]] | None:
    """Return the share of rows that the model would decide rightly by another order of labels, and that order.

    Far more: the 95 % intervals of both accuracies lie apart, and it beats the largest class.  The best order is an
    assignment problem on the matrix of classes and decisions.
    """
    decided = ir.interpret_model(model, rows.features)[1]
    assert decided is not None  # classes
    labels, count = rows.labels.astype(np.int64), len(rows.classes)
    met = np.bincount(labels * count + decided, minlength=count * count).reshape(count, count)
    order = _assignment(met)
    best, now = int(met[np.arange(count), order].sum()), int(np.trace(met))
    most = int(met.sum(axis=1).max())
    apart = accuracy_interval(best / len(rows), len(rows)).low > accuracy_interval(now / len(rows), len(rows)).high
    if not apart or best <= most:
        return None
    return best / len(rows), [(name, model.classes[place]) for name, place in zip(rows.classes, order, strict=True)]


def _assignment(met: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a column of its own for each row of ``met``, so that the sum is largest."""
    from scipy.optimize import linear_sum_assignment

    return np.asarray(linear_sum_assignment(met, maximize=True)[1], np.int64)
