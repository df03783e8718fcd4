"""Designs that read comparators: built, verified, proven, written and read again, and what they cost."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from support.reports import tiles

from mlpress import codegen, ir, verify
from mlpress.approx import Budget
from mlpress.codegen import comparators, front_end
from mlpress.design import Design
from mlpress.errors import MlpressError
from mlpress.frontend import Dataset
from mlpress.hw import printed
from mlpress.pipeline.compile import Options, build_design
from mlpress.sim import icarus, run_icarus
from mlpress.verify import prove

INPUTS = (ir.Input("a", 4, 1.5, 0.5), ir.Input("b,\n*/", 3, -2.0, 9.0, "even", (1, 4, 6)))


def net() -> ir.Net:
    hidden = (
        ir.Neuron(3, (ir.Term(0, 1, 0, 15), ir.Term(1, -1, 1, 7)), ir.QRelu(0, 4)),
        ir.Neuron(-3, (ir.Term(0, -1, 1, 15), ir.Term(1, 1, 2, 7)), ir.QRelu(1, 3)),
    )
    last = (ir.Neuron(1, (ir.Term(0, 1, 0, 15),), ir.Raw()), ir.Neuron(0, (ir.Term(1, 1, 1, 7),), ir.Raw()))
    inputs = (
        INPUTS[0],
        ir.Input("b", *[getattr(INPUTS[1], f) for f in ("bits", "scale", "offset", "rounding", "levels")]),
    )
    return ir.Net(inputs, (ir.Layer(hidden), ir.Layer(last)), ir.Argmax(), (0, 1))


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(0).uniform(-1, 12, (150, 2))
    return features, ir.interpret(net(), ir.encode(net(), features)).decision


def test_an_exact_network_behind_comparators(tmp_path: Path, rows: tuple[np.ndarray, np.ndarray]) -> None:
    """The program stays a network; what is built has a port per level and is the same function."""
    build_design(net(), *rows, Options.of("egfet", interface="unary", effort="fast")).save(tmp_path / "d")
    design = Design.load(tmp_path / "d")
    assert isinstance(design.program, ir.Net)
    assert all(result.equal for result in verify(design, rows=256))
    assert [proof.verdict for proof in prove(design)] == ["proven", "proven"]
    facts = design.facts
    assert facts["options"]["interface"] == "unary"
    system = facts["system"]
    total, parts = system["total"], (system["gates"], system["comparators"])
    for name in ("area_cm2", "power_mw"):
        assert total[name] == pytest.approx(sum(part[name] for part in parts))
    assert parts[1]["area_cm2"] == pytest.approx(0.0008 * parts[1]["count"]) and parts[1]["count"] > 0
    assert parts[1]["power_mw"] == pytest.approx(0.04607 * parts[1]["count"])
    assert facts["cost"]["values"] == {"area": total["area_cm2"], "power": total["power_mw"]}
    assert "ladder" in system["missing"]
    assert next(tile for tile in tiles(facts) if tile.name.startswith("area")).name == "area, sensor to class"


def test_the_files_of_the_front_end(tmp_path: Path, rows: tuple[np.ndarray, np.ndarray]) -> None:
    circuit = ir.without_unread(ir.unary(ir.bit_blast(net())))
    design = build_design(circuit, *rows, Options.of("egfet", interface="unary", effort="fast"))
    ports = [name for name, _ in ir.input_ports(circuit.inputs)]
    table = list(csv.DictReader(design.text("converters.csv").splitlines()))
    assert [row["port"] for row in table] == ports
    assert {row["side"] for row in table} == {"above", "below"}
    first = table[0]
    code = int(first["port"].split("ge")[1])
    assert float(first["threshold"]) == pytest.approx((code - 0.5) / 1.5)
    assert float(first["share_of_full_scale"]) == pytest.approx(code / 16)
    assert all(f"output {port};" in design.text("front_end.v") for port in ports)
    assert all(f"input {port};" in design.text("top.v") for port in ports)
    design.save(tmp_path / "d")
    (tmp_path / "d" / "converters.csv").write_text("feature\n")
    with pytest.raises(MlpressError, match=r"converters\.csv|not the files"):
        found = [each for each in verify(Design.load(tmp_path / "d"), rows=256) if not each.equal]
        raise MlpressError(found[0].difference)


def test_names_in_the_files_are_harmless() -> None:
    from mlpress.codegen import converters_csv

    circuit = ir.Circuit(ir.unary_inputs(INPUTS), np.zeros((0, 2), np.int32), ((2,),), (0, 1))
    assert len(list(csv.reader(converters_csv(circuit).splitlines()))) == 1 + 15 + 3
    assert all(line.startswith("//") for line in front_end(circuit).split("module")[0].splitlines())


def test_a_technology_without_a_comparator_says_what_is_missing(rows: tuple[np.ndarray, np.ndarray]) -> None:
    assert printed.load_technology("cnt-tft").comparator is None
    known = printed.load_technology("egfet").comparator
    assert known is not None and known.area_um2 == 80_000 and "MICRO 2020" in known.source
    design = build_design(net(), *rows, Options.of("cnt-tft", interface="unary", effort="fast"))
    system = design.facts["system"]
    assert "no figures of one are known for cnt-tft" in system["missing"]
    assert system["comparators"]["area_cm2"] is None and system["comparators"]["count"] > 0
    assert system["total"] == system["gates"] and system["power_sources"] == []


def test_a_comparator_of_your_own() -> None:
    own = Options.of("cnt-tft", comparator_cm2=0.002, comparator_mw=0.01).target
    known = own.cells().comparator
    assert known.area_um2 == pytest.approx(200_000) and known.static_nw == {own.cells().nominal: pytest.approx(10_000)}
    assert own.searched().facts()["interface"] == "unary"
    assert Options.of("cnt-tft").target.searched().facts()["interface"] == "binary"
    with pytest.raises(MlpressError, match="give comparator_cm2 and comparator_mw"):
        Options.of("egfet", comparator_cm2=0.002).target.check()


def test_wrong_interfaces_are_refused() -> None:
    with pytest.raises(MlpressError, match="no interface 'both'; there are binary, unary"):
        Options.of("egfet", interface="both").target.check()
    with pytest.raises(MlpressError, match="needs --interface binary"):
        Options.of("egfet", interface="unary", style="modules").target.check()
    with pytest.raises(MlpressError, match="take --interface unary"):
        Options.of("egfet").target.validate(ir.to_unary(net()))


def test_a_search_reads_comparators_and_counts_them() -> None:
    from mlpress.frontend import Quantised
    from mlpress.frontend.quantisation import Report
    from mlpress.pipeline import search as searching
    from mlpress.pipeline.preparation import Prepared
    from mlpress.pipeline.settings import RunOptions, Settings, usual

    data = Dataset.bundled("wine")
    span = data.features.max(axis=0) - data.features.min(axis=0)
    inputs = tuple(
        ir.Input(name, 3, float(7 / span[k]), float(-7 * data.features[:, k].min() / span[k]))
        for k, name in enumerate(data.names)
    )
    weights = [ir.Neuron(0, tuple(ir.Term(k, 1, 0, 7) for k in range(j, 13, 3)), ir.Raw()) for j in range(3)]
    exact = ir.Net(inputs, (ir.Layer(tuple(weights)),), ir.Argmax(), data.classes)
    ones, none = np.ones(13), np.zeros(13)
    dense = ir.Dense(np.array([[float(k % 3 == j) for k in range(13)] for j in range(3)]), np.zeros(3), ir.Linear())
    model = ir.Model(data.names, ones, none, (dense,), ir.ArgmaxHead(), data.classes)
    ready = Prepared(
        model, Quantised(exact, Report("accuracy", 0.5, 0.5, 1.0, (), len(data), True)), data, None, {}, (), ()
    )
    options = usual(Options.of("egfet", effort="fast"), {})
    assert options.target.facts()["interface"] == "unary"
    settings = Settings("gates", seed=1)
    found = searching.search_prepared(ready, Budget(60.0), options, settings, rounds=1, run=RunOptions(workers=1))
    for each in found.front.designs:
        assert all(feature.interface == "unary" for feature in each.circuit.inputs)
        assert each.measured is not None
        assert each.measured["area"] <= each.model["area"] + 1e-9
    trees = [each for each in found.front.designs if each.start.endswith("leaves, as it is")]
    assert not any(each.doubt for each in trees)
    for each in found.front.designs:
        smaller = [tree for tree in trees if tree.model["area"] <= each.model["area"]]
        assert each in trees or each.doubt > 0
        assert each in trees or all(each.ranking > tree.ranking for tree in smaller)
    design = found.smallest(max_loss=None, most={"area": 0.1})
    assert isinstance(design.program, ir.Circuit) and design.cost["area"] <= 0.1
    assert design.facts["system"]["comparators"]["count"] == len(ir.input_ports(design.program.inputs))
    json.dumps(design.facts)


@pytest.mark.skipif(not icarus(), reason="Icarus Verilog is not installed")
def test_the_front_end_and_the_design_in_icarus(rows: tuple[np.ndarray, np.ndarray]) -> None:
    """Real values, on thresholds and beside them, go through the comparators' behaviour into the circuit."""
    circuit = ir.without_unread(ir.unary(ir.bit_blast(net())))
    at = np.array([each.threshold for each in comparators(circuit.inputs)])
    near = np.concatenate([at, np.nextafter(at, -np.inf), np.nextafter(at, np.inf)])
    features = np.concatenate([rows[0], np.stack([near, near[::-1]], axis=1)])
    labels = ir.interpret_circuit(circuit, ir.encode(circuit, features)).decision
    design = build_design(circuit, features, labels, Options.of("egfet", interface="unary", effort="fast"))
    found = {result["engine"]: result for result in design.facts["verification"]}
    assert found["Icarus Verilog"]["equal"] and found["Icarus Verilog, from sensors"]["equal"]
    assert found["Icarus Verilog, from sensors"]["rows"] > 100
    codes = ir.encode(circuit, features)
    bench = codegen.testbench(circuit, codes, features=features)
    wrong = front_end(circuit).replace(">=", ">")
    assert "FAIL" in run_icarus(design.text("top.v"), bench.text + wrong)[-1]
