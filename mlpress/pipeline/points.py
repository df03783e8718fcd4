"""The points of a front as facts of a design: what the report draws, and what ``mlpress pick`` goes by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlpress import ir
from mlpress.errors import MlpressError
from mlpress.intervals import accuracy_interval
from mlpress.metrics import Metric
from mlpress.pipeline.accuracy import accuracy

if TYPE_CHECKING:
    from mlpress.pipeline.result import SearchResult
    from mlpress.report import Point

MOST_TEST_US = 10e6
"""Microseconds that the points of a front may take on test rows; where they would take longer, they are not run."""


def point(number: int, judged: Any, metrics: Sequence[Metric], *, chosen: bool) -> dict[str, Any]:
    """Return the facts of design ``number`` of a front: accuracies on fitting and validation rows, and every cost."""
    return {
        "design": number,
        "chosen": chosen,
        "fit": judged.fit_accuracy,
        "accuracy": judged.validation_accuracy,
        **{metric.key: judged.cost.get(metric.name) for metric in metrics},
    }


def search_points(found: SearchResult, chosen: Any) -> list[dict[str, Any]]:
    """Return the facts of all designs of a search's front, with their accuracies on the test rows, if there are any."""
    from mlpress.approx import MergedDesign

    designs: Sequence[Any] = (found.merged or found.front).designs
    tests = _on_test(found, designs)
    points = []
    for number, judged in enumerate(designs):
        rows = found.judging_rows(judged)
        points.append(
            point(number, judged, found.front.metrics, chosen=judged is chosen)
            | {"rows": rows, "interval": list(accuracy_interval(judged.validation_accuracy, rows))}
            | ({"level": judged.level} if isinstance(judged, MergedDesign) else {})
            | ({} if tests is None else {"test": tests[number]})
        )
    return points


def _on_test(found: SearchResult, designs: Sequence[Any]) -> list[float] | None:
    """Return the accuracy of each design on the test rows, where that does not take long."""
    rows = found.test
    if rows is None:
        return None
    programs = [found.program(judged) for judged in designs]
    if sum(ir.row_micros(program) for program in programs) * len(rows) > MOST_TEST_US:
        return None
    return [accuracy(program, rows) for program in programs]


def landmarks(found: SearchResult) -> list[dict[str, Any]]:
    """Return what a front is held against: the given model, its exact network, and decision trees, as facts.

    What is not built has the cost of the cost model.
    """
    metric, rows = found.front.metric, found.dataset
    return [
        {"name": "model as given", "kind": "model", "accuracy": found.reference},
        {
            "name": "exact network",
            "kind": "exact",
            "accuracy": accuracy(found.exact, rows),
            **_priced(found),
            "note": "cost by the cost model; its accuracy is that on all rows, which the model may have seen",
        },
        *(
            {
                "name": f"tree of {tree.leaves} leaves",
                "kind": "tree",
                "fit": tree.fit_accuracy,
                "accuracy": tree.validation_accuracy,
                metric.key: tree.model_cost,
                "note": "cost by the cost model",
            }
            for tree in found.trees
        ),
    ]


def _priced(found: SearchResult) -> Mapping[str, float]:
    from mlpress.approx import Layout
    from mlpress.pipeline.settings import search_target

    try:
        layout = Layout.of(found.exact)
        model = search_target(found.options).cost_model(layout)
    except MlpressError:  # the gate level alone can search for it
        return {}
    if model is None:
        return {}
    values = model.values(layout.pack(found.exact)[None])[0].tolist()
    known = {metric.name: metric for metric in found.front.metrics}
    return {known[name].key: value for name, value in zip(model.metrics, values, strict=True) if name in known}


def published_facts(points: Sequence[Point], metric: Metric) -> list[dict[str, Any]]:
    """Return published designs as facts of the same form as :func:`landmarks`."""
    return [
        {"name": one.label, "kind": "published", "accuracy": one.accuracy, metric.key: one.cost, "note": "published"}
        for one in points
    ]
