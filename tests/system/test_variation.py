"""Printed copies: offsets of comparators and stuck cells, against one copy at a time."""

from __future__ import annotations

import numpy as np
import pytest
from support.reports import tiles

from mlpress import codegen, ir
from mlpress.approx.gates.genome import to_genome
from mlpress.errors import MlpressError
from mlpress.hw import printed
from mlpress.pipeline.compile import Options, build_design
from mlpress.pipeline.variation import offset_curve, vary, with_variation
from mlpress.report.figures import percent
from mlpress.report.printed_system import Copies, offset_rows
from mlpress.report.reading import read
from mlpress.targets.own_cells import to_netlist
from mlpress.targets.printed_gates import CellCosts, cell_costs

INPUTS = (
    ir.Input("a", 3, 2.0, 0.5, "floor", (2, 5), "unary"),
    ir.Input("b", 3, -1.0, 7.0, "even", (3, 4), "unary"),
)


@pytest.fixture(scope="module")
def costs() -> CellCosts:
    return cell_costs(printed.load_technology("egfet"))


def circuit() -> ir.Circuit:
    builder = ir.CircuitBuilder(INPUTS)
    a, b = builder.input(0), builder.input(1)
    return builder.circuit([(builder.differ(a[0], b[1]), builder.both(a[1], b[0]))], (0, 1, 2))


def data() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(1).uniform(-1, 8, (130, 2))
    return features, ir.interpret_circuit(circuit(), ir.encode(circuit(), features)).decision


def test_copies_without_faults_are_the_circuit(costs: CellCosts) -> None:
    features, labels = data()
    netlist = to_netlist(to_genome(circuit(), costs), INPUTS, costs.technology, costs.steps)
    found = vary(netlist, costs.technology, INPUTS, features, labels, copies=3, enough=1.0)
    assert (found.drawn, found.mean, found.fifth, found.share) == (1.0, 1.0, 1.0, 1.0)


def test_offsets_move_thresholds_one_copy_at_a_time(costs: CellCosts) -> None:
    features, labels = data()
    netlist = to_netlist(to_genome(circuit(), costs), INPUTS, costs.technology, costs.steps)
    found = vary(netlist, costs.technology, INPUTS, features, labels, offset_sigma=0.05, copies=40, enough=0.9, seed=3)
    offsets = 0.05 * np.random.default_rng((3, 12)).standard_normal((40, 4))
    engine = printed.PackedNetlist(netlist, costs.technology)
    shares = []
    for row in offsets:
        columns = {}
        for each, off in zip(codegen.comparators(INPUTS), row, strict=True):
            feature = INPUTS[each.number]
            full = 8.0 if feature.rounding == "floor" else 7.0
            moved = features[:, each.number] * feature.scale + feature.offset + off * full
            columns[each.port] = (moved > each.reach if each.strict else moved >= each.reach).astype(np.int64)
        shares.append(float(np.mean(engine.run(columns)["y"] == labels)))
    assert found.mean == pytest.approx(np.mean(shares)) and found.mean < 1.0
    assert found.fifth == pytest.approx(np.percentile(shares, 5))
    assert found.share == np.mean(np.array(shares) >= 0.9)


def test_a_stuck_cell_is_stuck(costs: CellCosts) -> None:
    features, labels = data()
    netlist = to_netlist(to_genome(circuit(), costs), INPUTS, costs.technology, costs.steps)
    linked = printed.link(netlist, costs.technology)
    columns = ir.port_columns(INPUTS, ir.encode(circuit(), features))
    bits = {name: np.repeat(column[None, :] == 1, 2, axis=0) for name, column in columns.items()}
    driven = {net for port in netlist.outputs for net in port.nets}
    last = next(
        cell
        for member in linked.members
        for row, cell in enumerate(member.cells.tolist())
        if member.outputs[row, 0] in driven
    )
    faults = np.zeros((2, len(netlist.names)), np.int8)
    faults[:, last] = 1, 2
    found = printed.run_copies(linked, bits, faults)["y"]
    bit = next(k for k in range(2) if not (found[0] >> k & 1).any() and (found[1] >> k & 1).all())
    assert np.array_equal(found[0] & ~(1 << bit), labels & ~(1 << bit))
    broken = vary(netlist, costs.technology, INPUTS, features, labels, defect_rate=0.2, copies=50)
    assert broken.mean < broken.drawn == 1.0


def test_a_design_states_its_copies() -> None:
    features, labels = data()
    design = build_design(circuit(), features, labels, Options.of("egfet", interface="unary", effort="fast"))
    varied = with_variation(design, features, labels, offset_sigma=0.02, copies=30, enough=0.9)
    facts = varied.facts["variation"]
    assert [point["offset_sigma"] for point in facts["curve"]] == [0.0, 0.005, 0.01, 0.02, 0.03, 0.05]
    assert facts["curve"][0]["mean"] == 1.0 and facts["curve"][3]["mean"] == facts["mean"]
    assert "printed copies" in [tile.name for tile in tiles(varied.facts)]
    binary = ir.Circuit((ir.Input("a", 2, 1.0, 0.0),), np.zeros((0, 2), np.int32), ((2,),), (0, 1))
    plain = build_design(binary, features[:, :1], labels > 0, Options.of("egfet", effort="fast"))
    with pytest.raises(MlpressError, match="only circuits that read comparators can be varied"):
        with_variation(plain, features[:, :1], labels, offset_sigma=0.02)


@pytest.mark.parametrize(
    ("figures", "said"),
    [((-0.1, 0.0, 5), "share of full scale"), ((0.0, 2.0, 5), "a probability"), ((0.0, 0.0, 0), "1 to 100000")],
)
def test_figures_out_of_range(figures: tuple[float, float, int], said: str, costs: CellCosts) -> None:
    features, labels = data()
    netlist = to_netlist(to_genome(circuit(), costs), INPUTS, costs.technology, costs.steps)
    sigma, rate, copies = figures
    with pytest.raises(MlpressError, match=said):
        vary(
            netlist,
            costs.technology,
            INPUTS,
            features,
            labels,
            offset_sigma=sigma,
            defect_rate=rate,
            copies=copies,
        )


def test_the_curve_of_a_circuit_is_that_of_its_netlist(costs: CellCosts) -> None:
    features, labels = data()
    netlist = to_netlist(to_genome(circuit(), costs), INPUTS, costs.technology, costs.steps)
    found = offset_curve(circuit(), features, labels, copies=40, curve=(0.0, 0.05), seed=3)
    for at in found:
        wanted = vary(
            netlist, costs.technology, INPUTS, features, labels, offset_sigma=at["offset_sigma"], copies=40, seed=3
        )
        assert (at["mean"], at["fifth"]) == pytest.approx((wanted.mean, wanted.fifth))


def test_a_report_tells_accuracy_against_offsets() -> None:
    points = [{"offset_sigma": sigma, "mean": 0.9 - sigma, "fifth": 0.8} for sigma in (0.0, 0.02)]
    found = read(Copies, {"mean": 0.9, "curve": points, "others": [{"name": "tree of 4 leaves", "curve": points}]})
    head, design, tree = offset_rows(found)
    assert head[1:] == [percent(0.0), percent(0.02)] and design[0] == "this design" and tree[0] == "tree of 4 leaves"
    assert design[1:] == tree[1:] == [f"{percent(share)} ({percent(0.8)})" for share in (0.9, 0.88)]
    assert offset_rows(None) == offset_rows(read(Copies, {"mean": 0.9})) == []
