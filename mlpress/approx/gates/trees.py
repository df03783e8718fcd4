"""Accuracies of decision trees and plain networks on unseen rows, to compare designs with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress import interrupts
from mlpress.approx.common.clock import now
from mlpress.approx.gates.cells import GateCosts
from mlpress.approx.gates.chain import new_state
from mlpress.approx.gates.evolution import near_area, near_weights
from mlpress.approx.gates.front import CircuitDesign
from mlpress.approx.gates.genome import Genome, to_genome
from mlpress.approx.gates.offsets import right_shares, seen_rows
from mlpress.approx.gates.rows import PackedRows, Rows, held_out_folds, pack_rows
from mlpress.approx.gates.starts import Trained, tree_circuit
from mlpress.approx.gates.state import COST
from mlpress.approx.gates.whole import input_costs, pruned, whole_area
from mlpress.ir import Circuit, Input, interpret

LEAVES = (2, 4, 8, 16, 32, 64, 128, 256)
"""The sizes of trees to compare with."""


FINE_LEAVES = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256)
"""The sizes of trees that are designs themselves."""

WEIGHT = 1_000_000
"""Shares of rows are counted in so many parts."""


@dataclass(frozen=True, slots=True)
class TreePoint:
    """A decision tree as a circuit: accuracies as in :class:`mlpress.approx.gates.CircuitDesign`.

    ``held_right`` float64 (rows,) says which rows the trees of this size decide rightly that have not seen them: 1, or
    0, or through offsets of comparators the share of printed copies.
    """

    leaves: int
    circuit: Circuit
    hint: str
    fit_accuracy: float
    validation_accuracy: float
    model_cost: float
    held_right: NDArray[np.float64] = field(compare=False, repr=False)


def tree_points(
    inputs: tuple[Input, ...],
    classes: tuple[int | str, ...],
    rows: Rows,
    costs: GateCosts,
    folds: int = 4,
    seed: int = 0,
    sizes: Sequence[int] = LEAVES,
    until: float = inf,
    offset_sigma: float = 0.0,
) -> list[TreePoint]:
    """Fit scikit-learn's trees of several sizes (most leaves); return exact circuits, each gate in its own cells.

    After the moment ``until`` (of :func:`mlpress.approx.now`) there are no more, but for the first.  With
    ``offset_sigma`` they are fitted to rows seen through offsets, and held-out rows judge them through others, as
    they judge circuits.
    """
    from sklearn.tree import DecisionTreeClassifier

    found: list[TreePoint] = []
    packed = pack_rows(inputs, len(classes), rows)

    def learned(rows: Rows) -> Rows:
        return seen_rows(inputs, rows, offset_sigma, (seed, 19)) if offset_sigma else rows

    every = learned(rows)
    parts = [(learned(rows.take(~held)), held) for held in held_out_folds(rows.labels, folds, seed)]
    for leaves in sizes:
        if found and now() > until:
            break
        fitted = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=seed)

        def right(fitted: Any, held: Rows) -> NDArray[np.float64]:
            if not offset_sigma:
                return np.asarray(fitted.predict(held.codes) == held.labels, np.float64)
            netlist = to_genome(tree_circuit(fitted, inputs, classes), costs)
            return right_shares(netlist, inputs, len(classes), held, costs, offset_sigma, seed)

        held_right = _held_out_right(fitted, rows, parts, right)
        decided = fitted.fit(every.codes, every.labels).predict(rows.codes)
        circuit = tree_circuit(fitted, inputs, classes)
        whole = to_genome(circuit, costs)
        genome, left = pruned(whole, inputs)
        found.append(
            TreePoint(
                leaves,
                circuit if left == inputs else genome.to_circuit(left, classes),
                costs.written(genome, left),
                float(np.mean(decided == rows.labels)),
                float(np.mean(held_right)),
                _cost(whole, inputs, costs, packed) * costs.step,
                held_right,
            )
        )
    return found


def _cost(genome: Genome, inputs: tuple[Input, ...], costs: GateCosts, rows: PackedRows) -> int:
    """Return the cost of a tree and the levels that it reads, in steps: on the ``rows``, where states count."""
    if not costs.by_states():
        return whole_area(genome, inputs, costs)
    return int(new_state(genome, rows, costs, 0, inputs=input_costs(inputs, costs)).counts[COST])


def tree_designs(points: Sequence[TreePoint], costs: GateCosts, metric: str) -> list[CircuitDesign]:
    """Return the trees as designs.

    Their validation accuracies are those of trees of similar cost, as for other circuits.  ``costs`` are in the metric
    of the name ``metric``.
    """
    area = np.array([round(point.model_cost / costs.step) for point in points], np.int64)
    wrong = np.array([round((1 - point.validation_accuracy) * WEIGHT) for point in points], np.int64)
    expected = np.clip(1 - near_area(area, area, wrong) / WEIGHT, 0.0, 1.0).tolist()
    rights = near_weights(area, area) @ np.array([point.held_right for point in points])
    return [
        CircuitDesign(
            circuit=point.circuit,
            hint=point.hint,
            start=f"tree of {point.leaves} leaves, as it is",
            augmentation="rows",
            fit_accuracy=point.fit_accuracy,
            validation_accuracy=accuracy,
            model={metric: point.model_cost},
            held_right=right,
        )
        for point, accuracy, right in zip(points, expected, rights, strict=True)
    ]


def against_trees(designs: Sequence[CircuitDesign], trees: Sequence[CircuitDesign], metric: str) -> list[CircuitDesign]:
    """Return the designs that beat the tree of their size on rows held out of both, each with its doubt.

    The tree of a design's size is the most accurate one of no more cost (by the model, in the metric of this name), or
    the smallest.  Both are compared row by row (matched pairs): a design leaves where a tree of no more cost is less
    than a standard error of the mean difference behind it.  ``trees`` come from :func:`tree_designs`.
    """
    found = []
    for design in designs:
        smaller = [tree for tree in trees if tree.model[metric] <= design.model[metric]]
        tree = (
            max(smaller, key=lambda each: each.validation_accuracy)
            if smaller
            else min(trees, key=lambda each: each.model[metric])
        )
        assert design.held_right is not None and tree.held_right is not None  # both were judged on rows
        judged = np.isfinite(design.held_right)
        ahead = design.held_right[judged] - tree.held_right[judged]
        error = float(ahead.std(ddof=1)) / len(ahead) ** 0.5 if len(ahead) > 1 else 1.0
        if not smaller or float(ahead.mean()) - design.optimism > error:
            found.append(replace(design, doubt=error))
    return found


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


def _held_out_right(
    classifier: Any,
    rows: Rows,
    parts: Sequence[tuple[Rows, NDArray[np.bool_]]],
    right: Callable[[Any, Rows], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return how ``right`` a scikit-learn classifier is about each row, (rows,).

    Each of the ``parts`` is what it is fitted to, and which of the ``rows`` these leave out.
    """
    found = np.zeros(len(rows))
    for learned, held in parts:
        interrupts.check()
        classifier.fit(learned.codes, learned.labels)
        found[held] = right(classifier, rows.take(held))
    return found
