"""The gate engine with priced inputs: costs are exact, dear comparators are dropped, no price changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from mlpress import ir
from mlpress.approx.gates.chain import anneal, genome_of, new_scratch, new_state
from mlpress.approx.gates.genome import Genome, to_genome
from mlpress.approx.gates.rows import Rows, pack_rows
from mlpress.approx.gates.starts import Tree
from mlpress.approx.gates.state import COST, NODE
from mlpress.approx.gates.whole import input_costs, whole_area
from mlpress.hw import printed
from mlpress.targets.own_cells import to_netlist
from mlpress.targets.printed_gates import CellCosts, cell_costs

INPUTS = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0, interface="unary") for k in range(4))


@pytest.fixture(scope="module")
def costs() -> CellCosts:
    return cell_costs(printed.load_technology("egfet"))


def noisy(seed: int, rows: int = 300) -> Rows:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 8, (rows, 4))
    labels = (codes[:, 0] + codes[:, 1] > 7).astype(np.int64) + (codes[:, 2] > 4)
    wrong = rng.random(rows) < 0.1
    labels[wrong] = rng.integers(0, 3, int(wrong.sum()))
    return Rows(codes, labels)


def grown(costs: CellCosts, rows: Rows, inputs: tuple[ir.Input, ...] = INPUTS) -> Genome:
    return to_genome(Tree(inputs, (0, 1, 2), 24).make(rows, 0), costs)


def annealed(
    costs: CellCosts, genome: Genome, rows: Rows, prices: np.ndarray | None, power: float = 0.0
) -> tuple[Genome, int]:
    packed, draws = pack_rows(INPUTS, 3, rows), np.array((32, 32, 16), np.int64)
    state = new_state(genome, packed, costs, 5, power, prices)
    anneal(state, 1500, 4e6, 4e5, 4e4, draws, new_scratch(packed.words, 32))
    return genome_of(state), int(state.counts[COST])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("power", [0.0, 2.0])
def test_the_cost_of_a_chain_is_that_of_its_gates_and_of_the_inputs_it_reads(
    costs: CellCosts, seed: int, power: float
) -> None:
    rows = noisy(seed)
    prices = input_costs(INPUTS, costs, power)
    assert set(prices.tolist()) == {80_000 + round(power * 46_070)}
    made, cost = annealed(costs, grown(costs, rows), rows, prices, power)
    again = new_state(made, pack_rows(INPUTS, 3, rows), costs, 0, power, prices)
    assert again.counts[COST] == cost
    if not power:
        assert whole_area(made, INPUTS, costs) == cost == made.area(costs) + 80_000 * int(made.read().sum())


def test_dear_inputs_are_dropped(costs: CellCosts) -> None:
    rows = noisy(0)
    start = grown(costs, rows)
    free, _ = annealed(costs, start, rows, np.zeros(28, np.int64))
    dear, _ = annealed(costs, start, rows, np.full(28, 10_000_000, np.int64))
    assert 0 < dear.read().sum() < free.read().sum()


def test_inputs_without_a_price_change_nothing(costs: CellCosts) -> None:
    rows = noisy(1)
    start = grown(costs, rows)
    assert annealed(costs, start, rows, None) == annealed(costs, start, rows, np.zeros(28, np.int64))
    binary = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0) for k in range(4))
    assert not input_costs(binary, costs, 3.0).any()
    assert "cost" in NODE.names


def test_a_tree_reads_one_level_per_test(costs: CellCosts) -> None:
    rows = noisy(2)
    circuit = Tree(INPUTS, (0, 1, 2), 6).make(rows, 0)
    genome = to_genome(circuit, costs)
    assert genome.read().sum() <= 5
    binary = Tree(tuple(ir.Input(f"f{k}", 3, 1.0, 0.0) for k in range(4)), (0, 1, 2), 6).make(rows, 0)
    codes = np.random.default_rng(0).integers(0, 8, (500, 4))
    decided = [ir.interpret_circuit(each, codes).decision for each in (circuit, binary)]
    assert np.array_equal(*decided)
    netlist = to_netlist(genome, INPUTS, costs.technology, costs.steps)
    engine = printed.PackedNetlist(netlist, costs.technology)
    assert np.array_equal(engine.run(ir.port_columns(INPUTS, codes))["y"], decided[0])
