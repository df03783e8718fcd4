"""Accuracies of decision trees and plain networks on unseen rows, to compare designs with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress import interrupts
from mlpress.approx.common.clock import now
from mlpress.approx.gates.cells import GateCosts
from mlpress.approx.gates.evolution import near_area
from mlpress.approx.gates.front import CircuitDesign
from mlpress.approx.gates.genome import to_genome
from mlpress.approx.gates.rows import Rows, held_out_folds
from mlpress.approx.gates.starts import Trained, tree_circuit
from mlpress.approx.gates.whole import pruned, whole_area
from mlpress.ir import Circuit, Input, interpret

LEAVES = (2, 4, 8, 16, 32, 64, 128, 256)
"""The sizes of trees to compare with."""


FINE_LEAVES = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64)
"""The sizes of trees that are designs themselves."""

WEIGHT = 1_000_000
"""Shares of rows are counted in so many parts."""


@dataclass(frozen=True, slots=True)
class TreePoint:
    """A decision tree as a circuit: accuracies as in :class:`mlpress.approx.gates.CircuitDesign`."""

    leaves: int
    circuit: Circuit
    hint: str
    fit_accuracy: float
    validation_accuracy: float
    model_cost: float


def tree_points(
    inputs: tuple[Input, ...],
    classes: tuple[int | str, ...],
    rows: Rows,
    costs: GateCosts,
    folds: int = 4,
    seed: int = 0,
    sizes: Sequence[int] = LEAVES,
    until: float = inf,
) -> list[TreePoint]:
    """Fit scikit-learn's trees of several sizes (most leaves); return exact circuits, each gate in its own cells.

    After the moment ``until`` (of :func:`mlpress.approx.now`) there are no more, but for the first.
    """
    from sklearn.tree import DecisionTreeClassifier

    found: list[TreePoint] = []
    for leaves in sizes:
        if found and now() > until:
            break
        fitted = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=seed)
        held_out = _held_out_accuracy(fitted, rows.codes, rows.labels, folds, seed)
        decided = fitted.fit(rows.codes, rows.labels).predict(rows.codes)
        circuit = tree_circuit(fitted, inputs, classes)
        genome, left = pruned(to_genome(circuit, costs), inputs)
        found.append(
            TreePoint(
                leaves,
                circuit if left == inputs else genome.to_circuit(left, classes),
                costs.written(genome, left),
                float(np.mean(decided == rows.labels)),
                held_out,
                whole_area(genome, left, costs) * costs.step,
            )
        )
    return found


def tree_designs(points: Sequence[TreePoint], costs: GateCosts, metric: str) -> list[CircuitDesign]:
    """Return the trees as designs: a circuit that is no better on held-out rows than a tree of its size is the tree.

    Their validation accuracies are those of trees of similar cost, as for other circuits.  ``costs`` are in the metric
    of the name ``metric``.
    """
    area = np.array([round(point.model_cost / costs.step) for point in points], np.int64)
    wrong = np.array([round((1 - point.validation_accuracy) * WEIGHT) for point in points], np.int64)
    expected = np.clip(1 - near_area(area, area, wrong) / WEIGHT, 0.0, 1.0).tolist()
    return [
        CircuitDesign(
            circuit=point.circuit,
            hint=point.hint,
            start=f"tree of {point.leaves} leaves, as it is",
            augmentation="rows",
            fit_accuracy=point.fit_accuracy,
            validation_accuracy=accuracy,
            model={metric: point.model_cost},
        )
        for point, accuracy in zip(points, expected, strict=True)
    ]


def nearest_tree(points: Sequence[TreePoint], accuracy: float) -> TreePoint:
    """Return the smallest tree whose validation accuracy is ``accuracy`` or more; where none is, the most accurate."""
    enough = [point for point in points if point.validation_accuracy >= accuracy]
    if enough:
        return min(enough, key=lambda point: point.model_cost)
    return max(points, key=lambda point: (point.validation_accuracy, -point.model_cost))


class Retrained(NamedTuple):
    """Accuracies of networks trained anew on all folds but one: ``fit`` on these, ``held_out`` on that one.

    ``given`` is the given model's accuracy on the held-out folds.
    """

    fit: float
    held_out: float
    given: float


def retrained_accuracy(
    start: Trained, rows: Rows, decided: NDArray[np.int64], folds: int = 4, judged: int = 4, seed: int = 0
) -> Retrained:
    """Return the accuracies of networks of a model's shape, trained anew without one each of ``judged`` folds.

    ``decided``, (rows,), are the model's classes.  Its accuracy on rows that it was trained on is biased upwards.  That
    of new networks is not, but says little of the model where training anew fails, which ``fit`` shows.
    """
    right = fitted = given = seen = unseen = 0
    for held in list(held_out_folds(rows.labels, folds, seed))[:judged]:
        interrupts.check()
        net = start.net(rows.take(~held), seed)
        agree = np.asarray(interpret(net, rows.codes).decision) == rows.labels
        right, fitted = right + int(np.sum(agree[held])), fitted + int(np.sum(agree[~held]))
        given += int(np.sum(decided[held] == rows.labels[held]))
        unseen, seen = unseen + int(held.sum()), seen + int(np.sum(~held))
    return Retrained(fitted / seen, right / unseen, given / unseen)


def _held_out_accuracy(
    classifier: Any, features: NDArray[Any], labels: NDArray[np.int64], folds: int, seed: int
) -> float:
    """Return the accuracy of a scikit-learn classifier on each fold, fitted to all others."""
    wrong = 0
    for held in held_out_folds(labels, folds, seed):
        interrupts.check()
        classifier.fit(features[~held], labels[~held])
        wrong += int(np.sum(classifier.predict(features[held]) != labels[held]))
    return 1 - wrong / len(labels)
