"""The gate-level engine: genomes, their cells, and chains that must know exactly what they did."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numba import njit
from support import egfet
from support.circuits import random_circuit

from mlpress import ir
from mlpress.approx.gates.cells import AND, LEFT, NOT, RIGHT, WIRES
from mlpress.approx.gates.chain import anneal, genome_of, new_scratch, new_state
from mlpress.approx.gates.choice import FUNCTIONS
from mlpress.approx.gates.edits import invert
from mlpress.approx.gates.genome import Genome, to_genome
from mlpress.approx.gates.rows import Rows, check_rows, pack_rows
from mlpress.approx.gates.starts import Tree, at_least, tree_circuit
from mlpress.approx.gates.state import CORRECT, COST, LIVE, State
from mlpress.errors import MlpressError
from mlpress.hw import printed
from mlpress.targets.own_cells import to_netlist
from mlpress.targets.printed_gates import CellCosts, cell_costs


@pytest.fixture(scope="module")
def costs() -> CellCosts:
    return cell_costs(printed.load_technology("egfet"))


def random_rows(rng: np.random.Generator, circuit: ir.Circuit, rows: int) -> Rows:
    tops = [1 << feature.bits for feature in circuit.inputs]
    codes = rng.integers(0, tops, (rows, len(tops)))
    labels = ir.interpret_circuit(circuit, codes).words[:, 0] % len(circuit.classes)
    noisy = rng.random(rows) < 0.2
    labels[noisy] = rng.integers(len(circuit.classes), size=int(noisy.sum()))
    return Rows(codes, labels)


def classifier(seed: int, gates: int = 80) -> ir.Circuit:
    return random_circuit(np.random.default_rng(seed), gates=gates, regression=False)


def decisions(circuit: ir.Circuit, codes: np.ndarray) -> list[int]:
    return ir.interpret_circuit(circuit, codes).words[:, 0].tolist()


def test_functions_are_made_of_cells_that_compute_them(costs: CellCosts) -> None:
    cells = costs.technology.cells
    for table, steps in enumerate(costs.steps):
        made = {0b0000, LEFT, RIGHT, 0b1111}
        for step in steps:
            cell = cells[step.cell]
            (function,) = cell.outputs.values()
            own = printed.truth_table(function, cell.inputs)
            operands = (step.left, step.right)[: len(cell.inputs)]
            assert set(operands) <= made
            index = [sum((operand >> k & 1) << j for j, operand in enumerate(operands)) for k in range(4)]
            assert step.made == sum((own >> index[k] & 1) << k for k in range(4))
            made.add(step.made)
        assert table in made
        assert costs.area[table] == round(sum(cells[step.cell].area_um2 for step in steps))


@pytest.mark.parametrize("seed", range(8))
def test_genomes_and_their_netlists_compute_the_circuit(seed: int, costs: CellCosts) -> None:
    rng = np.random.default_rng(seed)
    circuit = classifier(seed)
    genome = to_genome(circuit, costs)
    genome.check()
    codes = random_rows(rng, circuit, 200).codes
    assert decisions(genome.to_circuit(circuit.inputs, circuit.classes), codes) == decisions(circuit, codes)
    netlist = to_netlist(genome, circuit.inputs, costs.technology, costs.steps)
    again = printed.parse_netlist(netlist.to_verilog(), "top")
    found = printed.PackedNetlist(again, costs.technology).run({f"x{k}": codes[:, k] for k in range(codes.shape[1])})
    assert found["y"].tolist() == decisions(circuit, codes)
    cells = again.cells_by_type()
    assert genome.area(costs) == round(sum(costs.technology.cells[name].area_um2 * n for name, n in cells.items()))


@pytest.mark.parametrize("power", [0.0, 3.0])
@pytest.mark.parametrize("seed", range(8))
def test_a_chain_knows_what_it_did(seed: int, power: float, costs: CellCosts) -> None:
    rng = np.random.default_rng(seed)
    circuit = classifier(seed, 120)
    rows = random_rows(rng, circuit, 300)
    packed = pack_rows(circuit.inputs, len(circuit.classes), rows)
    state = new_state(to_genome(circuit, costs), packed, costs, seed, power)
    for hot in (3e6, 3e5, 1e5):
        anneal(state, 1500, 2e5, hot, 1e4, np.array([16, 16, 8]), new_scratch(packed.words, 16))
        genome = genome_of(state)
        genome.check()
        assert len(genome) == state.counts[LIVE]
        evolved = genome.to_circuit(circuit.inputs, circuit.classes)
        right = np.array(decisions(evolved, rows.codes)) == rows.labels
        assert right.sum() == state.counts[CORRECT]
        fresh = new_state(genome, packed, costs, 0, power)
        assert fresh.counts[COST] == state.counts[COST]
        assert fresh.counts[CORRECT] == state.counts[CORRECT]
        if not power:
            assert genome.area(costs) == state.counts[COST]


@njit  # not kept on disk: what it calls may change
def inverted(state: State, gate: int) -> None:
    invert(state, gate)


def test_a_gate_beside_its_own_inverter_is_inverted(costs: CellCosts) -> None:
    """Inverters that come up while a gate's readers take its inversion in are not taken for those from before."""
    inputs = (ir.Input("a", 1, 1.0, 0.0), ir.Input("b", 1, 1.0, 0.0))
    codes = np.array([(a, b) for a in (0, 1) for b in (0, 1)])
    for first, second in product(FUNCTIONS, FUNCTIONS):
        table = np.array([AND, NOT, first, second], np.uint8)
        genome = Genome(2, table, np.array([(2, 3), (4, 4), (5, 4), (6, 5)], np.int32), np.array([7], np.int32))
        labels = np.array(decisions(genome.to_circuit(inputs, (0, 1)), codes))
        state = new_state(genome, pack_rows(inputs, 2, Rows(codes, labels)), costs, 0)
        inverted(state, 4)
        after = genome_of(state)
        assert decisions(after.to_circuit(inputs, (0, 1)), codes) == labels.tolist(), (first, second)
        assert after.area(costs) == state.counts[COST]


def test_chains_find_what_a_function_needs(costs: CellCosts) -> None:
    """A circuit of two inputs bits behind a tangle: the chain finds the one gate that it takes."""
    inputs = (ir.Input("a", 4, 1.0, 0.0), ir.Input("b", 4, 1.0, 0.0))
    codes = np.array([(a, b) for a in range(16) for b in range(16)])
    labels = ((codes[:, 0] >> 3) & ~(codes[:, 1] >> 2) & 1) ^ 1
    rows = Rows(codes, labels)
    tangle = Tree(inputs, ("no", "yes"), 64).make(rows, 0)
    packed = pack_rows(inputs, 2, rows)
    state = new_state(to_genome(tangle, costs), packed, costs, 1)
    anneal(state, 3000, 1e6, 3e5, 1e4, np.array([16, 16, 8]), new_scratch(packed.words, 16))
    assert state.counts[CORRECT] == 256
    assert state.counts[COST] <= costs.area[0b1101]


@pytest.mark.parametrize("least", [0, 1, 5, 8, 15, 16])
def test_comparisons_with_constants(least: int) -> None:
    builder = ir.CircuitBuilder((ir.Input("a", 4, 1.0, 0.0),))
    circuit = builder.circuit([(at_least(builder, builder.input(0), least),)], (0, 1))
    assert decisions(circuit, np.arange(16)[:, None]) == [int(code >= least) for code in range(16)]


@pytest.mark.parametrize("leaves", [2, 7, 40])
def test_trees_decide_as_scikit_learn_does(leaves: int) -> None:
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(leaves)
    inputs = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0) for k in range(4))
    codes, labels = rng.integers(0, 8, (300, 4)), rng.integers(0, 5, 300)
    fitted = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0).fit(codes, labels)
    circuit = tree_circuit(fitted, inputs, tuple("abcde"))
    ir.verify(circuit)
    assert decisions(circuit, codes) == fitted.predict(codes).tolist()


@pytest.mark.parametrize(
    ("codes", "labels", "said"),
    [
        ([[0, 1]], [0, 1], "labels for 1 row;"),
        ([[0, 9]], [0], "beyond its bits"),
        ([[0, 1]], [3], "outside 0..1"),
        ([[0]], [0], "2 inputs"),
    ],
)
def test_rows_that_do_not_fit(codes: list[list[int]], labels: list[int], said: str) -> None:
    inputs = (ir.Input("a", 2, 1.0, 0.0), ir.Input("b", 3, 1.0, 0.0))
    with pytest.raises(MlpressError, match=said):
        check_rows(inputs, 2, Rows(np.array(codes), np.array(labels)))


def test_a_constant_is_a_netlist_without_cells(costs: CellCosts) -> None:
    inputs = (ir.Input("a", 2, 1.0, 0.0),)
    constant = Genome(2, np.zeros(0, np.uint8), np.zeros((0, 2), np.int32), np.array([1, 2], np.int32))
    constant.check()
    text = to_netlist(constant, inputs, costs.technology, costs.steps).to_verilog()
    found = printed.PackedNetlist(printed.parse_netlist(text, "top"), costs.technology).run({"x0": np.arange(4)})
    assert found["y"].tolist() == [1, 3, 1, 3]


def test_regressions_are_refused(costs: CellCosts) -> None:
    with pytest.raises(MlpressError, match="scores"):
        to_genome(random_circuit(np.random.default_rng(2), regression=True), costs)


def test_genomes_from_files_are_checked() -> None:
    table, outputs = np.array([0b0111], np.uint8), np.array([4], np.int32)
    Genome(2, table, np.array([[2, 3]], np.int32), outputs).check()
    with pytest.raises(MlpressError, match="before"):
        Genome(2, table, np.array([[2, 4]], np.int32), outputs).check()
    with pytest.raises(MlpressError, match="no gate"):
        Genome(2, np.array([0b1111], np.uint8), np.array([[2, 3]], np.int32), outputs).check()
    with pytest.raises(MlpressError, match="types"):
        Genome(2, table, np.array([[2, 3]], np.int64), outputs).check()


def test_gates_can_be_priced_by_power(costs: CellCosts) -> None:
    found = egfet.TARGET.gate_costs("power")
    assert found.area.tolist() == [round(mean) for mean in costs.static_nw.mean(axis=1)]
    assert [found.area[table] for table in WIRES] == [0, 0, 0, 0]
    assert (found.step, costs.step) == (1e-6, 1e-8)
    assert found.unit > 0
