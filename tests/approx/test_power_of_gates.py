"""``--minimise power`` behind comparators: what the search counts is what the built circuit draws."""

from __future__ import annotations

import numpy as np
import pytest

from mlpress import ir
from mlpress.approx.gates import Rows, tree_points
from mlpress.approx.gates.chain import anneal, genome_of, new_scratch, new_state
from mlpress.approx.gates.genome import to_genome
from mlpress.approx.gates.rows import pack_rows
from mlpress.approx.gates.starts import Tree
from mlpress.approx.gates.state import COST
from mlpress.approx.gates.trees import _cost
from mlpress.approx.gates.whole import input_costs
from mlpress.pipeline.compile import Options

INPUTS = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0, interface="unary") for k in range(4))
CLASSES = (0, 1, 2)
TARGET = Options.of("egfet", interface="unary").target


def rows() -> Rows:
    codes = np.random.default_rng(2).integers(0, 8, (400, 4))
    codes[:, 1] = np.minimum(codes[:, 1], 2)  # levels that are seldom reached
    return Rows(codes, (codes[:, 0] + codes[:, 1] > 5).astype(np.int64) + (codes[:, 2] > 4))


def test_the_power_of_a_tree_is_that_of_its_rows_and_comparators() -> None:
    seen, costs = rows(), TARGET.gate_costs("power")
    (point,) = tree_points(INPUTS, CLASSES, seen, costs, sizes=(10,))
    built = TARGET.measure(point.circuit, seen.codes, point.hint, quick=True)
    system = built.facts["system"]
    assert system["total"]["power_mw"] == pytest.approx(built.values["power"])
    assert built.values["power"] > system["comparators"]["power_mw"] >= 0.04607
    assert point.model_cost == pytest.approx(built.values["power"], rel=0.08)  # changes and pins are on top
    genome = to_genome(point.circuit, costs)
    blind = (genome.area(costs) * costs.step) + system["comparators"]["power_mw"]
    assert abs(blind - built.values["power"]) > 2 * abs(point.model_cost - built.values["power"])


def test_a_chain_of_powers_saves_power() -> None:
    seen, costs = rows(), TARGET.gate_costs("power")
    packed, prices = pack_rows(INPUTS, 3, seen), input_costs(INPUTS, costs)
    genome = to_genome(Tree(INPUTS, CLASSES, 12).make(seen, 0), costs)
    state = new_state(genome, packed, costs, 5, inputs=prices)
    assert int(state.counts[COST]) == _cost(genome, INPUTS, costs, packed)
    unit = costs.unit
    anneal(state, 800, 4 * unit, unit, 0.03 * unit, np.array((32, 32, 16), np.int64), new_scratch(packed.words, 32))
    made = genome_of(state)
    assert int(state.counts[COST]) == _cost(made, INPUTS, costs, packed) < _cost(genome, INPUTS, costs, packed)
