"""Circuits and trees on the same held-out rows: a design no better than a tree of its size is the tree."""

from __future__ import annotations

import numpy as np
import pytest
from support import egfet

from mlpress import ir
from mlpress.approx import Budget
from mlpress.approx.gates import (
    CircuitDesign,
    GateSearchOptions,
    Rows,
    Tree,
    against_trees,
    evolve,
    tree_designs,
    tree_points,
)
from mlpress.approx.gates.advance import right_rows
from mlpress.approx.gates.genome import to_genome
from mlpress.approx.gates.problem import GateProblem
from mlpress.pipeline.starts import starts

INPUTS = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0, interface="unary") for k in range(3))
CLASSES = (0, 1, 2)
CIRCUIT = ir.Circuit(INPUTS, np.zeros((0, 2), np.int32), ((2, 4),), CLASSES)
EFFORT = GateSearchOptions(prices=(2.0, 1.0), visits=100, draws=(8, 8, 4), cycles=1, augmentations=("rows",))


def design(right: np.ndarray, area: float, start: str, optimism: float = 0.0) -> CircuitDesign:
    share = float(np.nanmean(right))
    return CircuitDesign(
        CIRCUIT, "", start, "rows", share, share, {"area": area}, optimism=optimism, held_right=right.astype(np.float64)
    )


def rows(count: int = 150) -> Rows:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 8, (count, 3))
    return Rows(codes, np.clip((codes[:, 0] + rng.integers(0, 4, count)) // 4, 0, 2))


def test_a_design_no_better_than_the_tree_of_its_size_is_the_tree() -> None:
    rng = np.random.default_rng(0)
    tree = rng.random(400) < 0.8
    luck, skill = tree.copy(), tree.copy()
    wrong = np.flatnonzero(~tree)
    luck[wrong[:20]], luck[np.flatnonzero(tree)[:16]] = True, False  # 36 rows differ, 4 more are right
    skill[wrong[:20]] = True
    trees = [design(tree, 1.0, "tree"), design(tree, 3.0, "tree too")]
    found = against_trees([design(luck, 1.1, "luck"), design(skill, 1.2, "skill")], trees, "area")
    assert [each.start for each in found] == ["skill"]
    error = float((skill.astype(float) - tree).std(ddof=1) / 20)
    assert found[0].doubt == pytest.approx(error)
    assert found[0].ranking == pytest.approx(found[0].validation_accuracy - error)
    small = against_trees([design(luck, 0.9, "luck")], trees, "area")
    assert small and small[0].ranking < trees[0].ranking  # smaller than any tree: it stays, and ranks below the tree
    assert not against_trees([design(skill, 1.2, "skill", optimism=0.05)], trees, "area")


def test_rows_that_judge_no_design_are_no_evidence() -> None:
    tree = np.random.default_rng(0).random(400) < 0.8
    skill = tree.astype(np.float64)
    skill[np.flatnonzero(~tree)[:30]] = 1.0
    part = skill.copy()
    part[100:] = np.nan
    found = against_trees([design(part, 2.0, "part")], [design(tree, 1.0, "tree")], "area")
    assert found[0].doubt == pytest.approx(float((skill - tree)[:100].std(ddof=1) / 10))


def test_rows_right_are_those_that_the_circuit_decides() -> None:
    seen, costs = rows(), egfet.gate_costs()
    problem = GateProblem(INPUTS, CLASSES, seen, (Tree(INPUTS, CLASSES, 6),), costs, EFFORT, 0)
    circuit = Tree(INPUTS, CLASSES, 6).make(seen, 0)
    decided = ir.interpret_circuit(circuit, seen.codes).decision
    assert np.array_equal(right_rows(problem, to_genome(circuit, costs), seen), decided == seen.labels)


def test_stated_accuracies_are_those_of_the_rows() -> None:
    seen, costs = rows(), egfet.gate_costs()
    start = [Tree(INPUTS, CLASSES, 6)]
    front = evolve(INPUTS, CLASSES, seen, start, costs, egfet.METRICS, Budget(generations=1), effort=EFFORT, workers=1)
    for each in front.designs:
        assert each.held_right is not None
        assert each.held_right.mean() == pytest.approx(each.validation_accuracy, abs=1e-9)
    points = tree_points(INPUTS, CLASSES, seen, costs, sizes=(2, 4))
    for point, each in zip(points, tree_designs(points, costs, "area"), strict=True):
        assert point.held_right.mean() == pytest.approx(point.validation_accuracy)
        assert each.held_right is not None
        assert each.held_right.mean() == pytest.approx(each.validation_accuracy, abs=1e-5)


def test_a_poor_network_is_no_start() -> None:
    """Folds start from networks trained anew; where these are far better, so do the archives that make the designs."""
    neurons = tuple(ir.Neuron(k, (ir.Term(k, 1, 0, 7),), ir.Raw()) for k in range(3))
    plain = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0) for k in range(3))
    net = ir.Net(plain, (ir.Layer(neurons),), ir.Argmax(), CLASSES)
    usual, instead = (starts(net, None, trees=True, inputs=INPUTS, poor=poor) for poor in (False, True))
    assert [start.name for start in usual[:2]] == ["the exact network", "tree of 16 leaves"]
    assert [start.name for start in instead[:2]] == ["trained 3-3", "tree of 16 leaves"]
    assert "the exact network" not in [start.name for start in instead]
