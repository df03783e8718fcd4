"""Levels anywhere: how thresholds are chosen from rows, and what reads them."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from mlpress import Dataset, MlpressError, ir, verify
from mlpress.approx.common.teacher import augment_rows
from mlpress.approx.gates import Rows, Trained, tree_points
from mlpress.frontend.cuts import chosen_levels
from mlpress.pipeline.compile import Options, Quantisation, build_design
from mlpress.pipeline.preparation import prepare
from mlpress.pipeline.settings import usual

TARGET = Options.of("egfet", interface="unary", effort="fast")


def entropy(labels: np.ndarray) -> float:
    share = np.bincount(labels) / len(labels)
    return float(-sum(p * np.log2(p) for p in share if p) * len(labels))


def test_the_first_level_is_the_most_informative_one() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, 300)
    labels = np.where(rng.random(300) < 0.15, rng.integers(0, 3, 300), (codes > 97).astype(int) + (codes > 180))
    left = {level: entropy(labels[codes < level]) + entropy(labels[codes >= level]) for level in set(codes) - {0}}
    lowest = min(left.values())
    (first,) = chosen_levels(codes, labels, 8, 1, "information")
    assert first in codes + 1 or first in codes
    assert entropy(labels[codes < first]) + entropy(labels[codes >= first]) == pytest.approx(lowest)
    both = chosen_levels(codes, labels, 8, 2, "information")
    assert first in both and len(both) == 2 and abs(both[0] - 98) <= 3 and abs(both[1] - 181) <= 3
    many = chosen_levels(codes, labels, 8, 63, "information")
    assert list(many) == sorted(set(many)) and len(many) <= 63
    assert set(chosen_levels(codes, labels, 8, 63, "mdl")) <= set(many)
    assert 2 <= len(chosen_levels(codes, labels, 8, 63, "mdl")) < 12
    assert chosen_levels(codes, rng.integers(0, 2, 300), 8, 63, "mdl") == ()  # noise is worth no level


def test_even_levels_and_even_rows() -> None:
    codes = np.minimum(np.random.default_rng(1).exponential(20.0, 900).astype(int), 255)
    assert chosen_levels(codes, codes * 0, 8, 15, "uniform") == tuple(range(16, 256, 16))
    levels = chosen_levels(codes, codes * 0, 8, 3, "quantiles")
    assert np.mean(codes < levels[0]) < 0.3 and 0.4 < np.mean(codes < levels[1]) < 0.55
    assert chosen_levels(codes * 0, codes * 0, 8, 7, "quantiles") == ()
    assert chosen_levels(codes * 0, codes * 0, 8, 7, "information") == ()


def test_wrong_levels_are_one_line() -> None:
    for options, said in (
        ({"levels": 64}, "64 levels cannot be chosen; ask for 1 to 63"),
        ({"levels": -1}, "-1 levels cannot be chosen"),
        ({"levels": 7, "cuts": "even"}, "no rule of cuts 'even'; there are uniform"),
        ({"levels": 7.5}, "must be a whole number"),
    ):
        with pytest.raises(MlpressError, match=said):
            Options.of("egfet", **options)
    with pytest.raises(MlpressError, match="target cortex-m0plus reads no comparators"):
        Options.of("cortex-m0plus", levels=7)
    assert "levels" not in Options.of("egfet").facts()
    assert Options.of("egfet", levels=7).facts()["cuts"] == "information"
    wide = Options.of("egfet", levels=7, input_bits=12)
    assert usual(wide, {}).target.facts()["interface"] == "unary"


def data() -> Dataset:
    """Classes that change at .37 and .41 of the first feature: no level of 4 bits lies between."""
    rng = np.random.default_rng(2)
    table = rng.uniform(0, 50, (400, 2))
    return Dataset.from_arrays(table, (table[:, 0] > 18.5).astype(int) * (table[:, 0] < 20.5), ("a", "b"))


def model(rows: Dataset) -> ir.Model:
    weight = np.array([[0.1, 0.0], [-0.1, 0.02]])
    layer = ir.Dense(weight, np.zeros(2), ir.Linear())
    return ir.Model(rows.names, np.ones(2), np.zeros(2), (layer,), ir.ArgmaxHead(), rows.classes)


def test_levels_are_read_where_they_tell_the_classes_apart() -> None:
    """Chosen, evolved on, built, written and verified: 7 levels do what an even grid of 15 cannot."""
    rows, right = data(), {}
    for name, how in (("even", Quantisation()), ("chosen", Quantisation(levels=7))):
        ready = prepare(model(rows), rows, how)
        net = ready.quantised.net
        codes, labels = ir.encode(net, rows.features), rows.labels.astype(np.int64)
        assert ready.quantised.report.net_score == np.mean(ir.interpret(net, codes).decision == labels)
        inputs, costs = TARGET.target.receives(net.inputs), TARGET.target.gate_costs("area")
        (tree,) = tree_points(inputs, net.classes, Rows(codes, labels), costs, sizes=(3,))
        right[name] = tree.fit_accuracy
    assert right["even"] < 0.99 < right["chosen"]
    levels = net.inputs[0].levels
    assert levels is not None and len(levels) <= 7
    design = build_design(tree.circuit, rows.features, labels, TARGET, hint=tree.hint)
    table = list(csv.DictReader(design.text("converters.csv").splitlines()))
    found = sorted(float(row["threshold"]) for row in table if row["feature"] == "a")
    assert found == pytest.approx([18.5, 20.5], abs=50 / 256)
    assert all(result.equal for result in verify(design, rows=256))
    made = Trained(net, (), tries=1, interface="unary").make(Rows(codes, labels), 0)
    anew = Trained(net, (), tries=1).net(Rows(codes, labels), 0)
    assert np.array_equal(ir.interpret_circuit(made, codes).decision, ir.interpret(anew, codes).decision)


def test_neighbours_of_rows_are_codes_that_can_occur() -> None:
    inputs = (ir.Input("a", 8, 1.0, 0.0, levels=tuple(range(3, 250, 8))), ir.Input("b", 8, 1.0, 0.0))
    rng = np.random.default_rng(0)
    codes = ir.encode(ir.Circuit(inputs, np.zeros((0, 2), np.int32), ((0,),), (0, 1)), rng.uniform(0, 255, (60, 2)))
    labels = (codes[:, 0] > 100).astype(np.int64)
    near, _ = augment_rows(codes, labels, inputs, "moved", 0, quick=True)
    kept = [0, *inputs[0].reached]
    assert set(near[:, 0].tolist()) <= set(kept)
    later = near[len(near) - 60 * 16 :].reshape(60, 16, 2) - codes[:, None, :]
    assert set(np.unique(later[:, :, 1])) == {-1, 0, 1}
    assert later[:, :, 0].max() == 16 and later[:, :, 0].min() == -16  # two of 31 levels
