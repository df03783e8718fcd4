"""Rows seen through comparators that are off: what copies answer, and searches that live with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import egfet

from mlpress import MlpressError, ir
from mlpress.approx import Budget
from mlpress.approx.gates import CircuitFront, GateSearchOptions, Rows, Tree, evolve, tree_points
from mlpress.approx.gates.advance import _material
from mlpress.approx.gates.genome import to_genome
from mlpress.approx.gates.offsets import JUDGED, LEARNED, judging_rows, offset_bits, right_shares, somewhere
from mlpress.approx.gates.problem import GateProblem
from mlpress.pipeline.compile import Options
from mlpress.pipeline.search import _searched_level
from mlpress.pipeline.settings import Settings
from mlpress.progress import Silent

INPUTS = (
    ir.Input("a", 3, 2.0, 0.5, "floor", (2, 5), "unary"),
    ir.Input("b", 3, -1.0, 7.0, "even", None, "unary"),
)
EFFORT = GateSearchOptions(prices=(8.0, 4.0, 2.0), visits=200, draws=(8, 8, 4), folds=2, augmentations=("rows",))


def places(features: np.ndarray, inputs: tuple[ir.Input, ...] = INPUTS) -> np.ndarray:
    return features * [each.scale for each in inputs] + [each.offset for each in inputs]


def coded(features: np.ndarray, inputs: tuple[ir.Input, ...] = INPUTS) -> np.ndarray:
    return ir.encode(ir.Circuit(inputs, np.zeros((0, 2), np.int32), ((2,),), (0, 1)), features)


def test_without_offsets_comparators_answer_the_code() -> None:
    features = np.concatenate([np.random.default_rng(0).uniform(-1, 8, (200, 2)), [[0.75, 0.5], [0.75, 1.5]]])
    bits = offset_bits(INPUTS, places(features), np.zeros((1, 9)), np.zeros(202, np.int64))
    assert np.array_equal(bits, np.array(list(ir.input_bits(INPUTS, coded(features)))))
    codes = coded(features)
    anywhere = somewhere(INPUTS, codes, np.random.default_rng(1))
    assert np.array_equal(coded((anywhere - [0.5, 7.0]) / [2.0, -1.0]), codes)


def test_every_comparator_of_a_copy_is_off_for_good() -> None:
    features = np.random.default_rng(0).uniform(-1, 8, (50, 2))
    offsets, copy = 0.1 * np.random.default_rng(2).standard_normal((3, 9)), np.arange(50) % 3
    bits = offset_bits(INPUTS, places(features), offsets, copy)
    for r in range(50):
        a, b = places(features)[r]
        assert bits[1, r] == (a + 8 * offsets[r % 3, 1] >= 5)
        moved = b + 7 * offsets[r % 3, 4]  # level 3, an odd one: half to even goes to 2
        assert bits[4, r] == (moved > 2.5)


def test_the_share_of_copies_that_decide_a_row() -> None:
    features = np.random.default_rng(0).uniform(-1, 8, (60, 2))
    circuit = ir.Circuit(INPUTS, np.zeros((0, 2), np.int32), ((4,),), (0, 1))  # the second comparator alone
    labels, costs = (coded(features)[:, 0] >= 5).astype(np.int64), egfet.gate_costs()
    rows = Rows(coded(features), labels, places(features))
    shares = right_shares(to_genome(circuit, costs), INPUTS, 2, rows, costs, 0.05, 3)
    offsets = 0.05 * np.random.default_rng((3, 17)).standard_normal((JUDGED, 9))
    wanted = [(places(features)[:, 0] + 8 * off[1] >= 5) == labels for off in offsets]
    assert np.allclose(shares, np.mean(wanted, axis=0)) and 0 < shares.min() < 1
    assert judging_rows(INPUTS, 2, rows, 0.05, 3).rows == 60 * JUDGED
    assert right_shares(to_genome(circuit, costs), INPUTS, 2, rows, costs, 0.0, 3).tolist() == [1.0] * 60


NEAR_AND_FAR = tuple(ir.Input(name, 3, 1.0, 0.0, interface="unary") for name in ("near", "far"))


def near_and_far() -> Rows:
    """One feature tells the classes apart by a hair, the other by half its scale but for a few rows."""
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 2, 240)
    far = np.where(rng.random(240) < 0.04, 1 - labels, labels)
    features = np.stack([3.95 + 0.1 * labels, np.where(far, 6.5, 1.5) + rng.uniform(-0.4, 0.4, 240)], axis=1)
    return Rows(coded(features, NEAR_AND_FAR), labels, places(features, NEAR_AND_FAR))


def evolved(sigma: float, **options: object) -> CircuitFront:
    effort, start = replace(EFFORT, offset_sigma=sigma), [Tree(NEAR_AND_FAR, (0, 1), 8)]
    settings: dict = {"effort": effort, "workers": 1, "seed": 1} | options
    return evolve(
        NEAR_AND_FAR,
        (0, 1),
        near_and_far(),
        start,
        egfet.gate_costs(),
        egfet.METRICS,
        Budget(generations=2),
        **settings,
    )


def test_designs_are_evolved_for_the_copies_that_are_printed() -> None:
    sound, off = evolved(0.0), evolved(0.05)
    best = max(sound.designs, key=lambda each: each.ranking)
    assert [len(feature.reached) for feature in best.circuit.inputs] == [1, 0] and best.validation_accuracy == 1.0
    best = max(off.designs, key=lambda each: each.ranking)
    assert [len(feature.reached) for feature in best.circuit.inputs] == [0, 1]
    assert 0.93 < best.validation_accuracy < 0.99  # no copy mistakes the far feature
    assert best.held_right is not None and best.held_right.mean() == pytest.approx(best.validation_accuracy)
    again = evolved(0.05, workers=2)
    assert replace(again, elapsed_s=0.0).to_json() == replace(off, elapsed_s=0.0).to_json()


def test_trees_are_fitted_and_judged_through_offsets() -> None:
    rows, costs = near_and_far(), egfet.gate_costs()
    sound, off = (
        tree_points(NEAR_AND_FAR, (0, 1), rows, costs, sizes=(2,), offset_sigma=sigma)[0] for sigma in (0.0, 0.05)
    )
    assert sound.validation_accuracy == sound.fit_accuracy == 1.0
    assert [len(feature.reached) for feature in sound.circuit.inputs] == [1, 0]
    assert [len(feature.reached) for feature in off.circuit.inputs] == [0, 1]  # no copy mistakes the far feature
    assert off.validation_accuracy == pytest.approx(off.held_right.mean()) == off.fit_accuracy > 0.93


def test_rounds_see_other_copies_and_judges_the_same() -> None:
    effort, start = replace(EFFORT, offset_sigma=0.05), (Tree(NEAR_AND_FAR, (0, 1), 8),)
    problem = GateProblem(NEAR_AND_FAR, (0, 1), near_and_far(), start, egfet.gate_costs(), effort, 0)
    first, second = _material(problem, 0, 0), _material(problem, 0, 1)
    assert not np.array_equal(first.packed.inputs, second.packed.inputs)
    assert first.held is not None and second.held is not None
    assert np.array_equal(first.held.inputs, second.held.inputs)
    assert first.packed.rows == 120 * LEARNED and first.held.rows == 120 * JUDGED  # they are few


def test_offsets_need_comparators_and_gates() -> None:
    inputs = (ir.Input("a", 3, 1.0, 0.0),)
    net = ir.Net(inputs, (ir.Layer((ir.Neuron(0, (ir.Term(0, 1, 0, 7),), ir.Raw()),)),), ir.Threshold(3), (0, 1))
    settings, unary = Settings("both", offset_sigma=0.02), Options.of("egfet", interface="unary")
    assert _searched_level(settings, net, unary, Silent(), gates=True) == "gates"
    with pytest.raises(MlpressError, match="take --interface unary"):
        _searched_level(settings, net, Options.of("egfet"), Silent(), gates=True)
    with pytest.raises(MlpressError, match="take --level gates"):
        _searched_level(replace(settings, level="integer"), net, unary, Silent(), gates=True)
    with pytest.raises(MlpressError, match="share of full scale, 0 to 1"):
        GateSearchOptions(offset_sigma=2.0)
