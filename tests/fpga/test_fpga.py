"""FPGAs as a target: pipelines, mapped netlists, placing and routing, and searches by look-up tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from support.nets import random_net
from support.reports import render, tiles
from support.told import classifier, data

import mlpress as mp
from mlpress import codegen, ir
from mlpress.approx import Layout
from mlpress.codegen.verilog import flat
from mlpress.errors import MlpressError
from mlpress.hw import fpga
from mlpress.sim import Rtl
from mlpress.targets import Fpga, read_target
from mlpress.targets.fpga_prices import lut_costs
from mlpress.verify import Proven, Refuted, prove_equal
from mlpress.yosys import read_gates

STILL = {"clk": 0, "rst": 0}
ECP5, ICE40 = fpga.DEVICES["ecp5-25k"], fpga.DEVICES["ice40-up5k"]
BITS = {"input_bits": 2, "weight_bits": 4, "activation_bits": 2}


def small(seed: int) -> ir.Lowered | ir.Circuit:
    net = random_net(np.random.default_rng(seed), layers=2, neurons=3, inputs=3, input_bits=3, head="argmax")
    return ir.to_hardware(net)


@pytest.fixture(scope="module", params=[ECP5, ICE40], ids=lambda device: device.name)
def design(request: pytest.FixtureRequest) -> mp.Design:
    """A tiny classifier, placed and routed: one for each family, since the first start of each tool is slow."""
    return mp.compile(classifier(), data(), target=request.param.name, **BITS)


@pytest.fixture
def folder(design: mp.Design, tmp_path: Path) -> Path:
    return design.save(tmp_path / "build")


@pytest.mark.parametrize(("stages", "whole"), [(1, 4000), (2, 4000), (3, 20), (5, 4000)])
def test_a_pipeline_is_the_circuit_some_clocks_later(stages: int, whole: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flat, "WHOLE_GATES", whole)
    monkeypatch.setattr(flat, "PART_GATES", 10)
    lowered = small(26)
    text = codegen.to_verilog(lowered, registered=True, stages=stages)
    assert (codegen.audit(text, lowered, registered=True).modules > 1) == (whole == 20)
    verdict = prove_equal(ir.to_circuit(ir.program_of(lowered)), read_gates({"top.v": text}, "top"), held=STILL)
    assert isinstance(verdict, Proven)
    assert verdict.clocks == stages + 1
    assert (
        f"repeat ({stages + 1}) @(posedge clk)"
        in codegen.testbench(lowered, np.zeros((1, 3), np.int64), registered=True, stages=stages).text
    )


def test_stages_cut_the_longest_chain_evenly() -> None:
    bits = ir.bits_of(small(26))
    found = np.array(flat.stages_of(bits, 4))
    depths = np.array(bits.depths())
    assert set(found) == {0, 1, 2, 3}
    for stage in range(4):
        span = depths[found == stage]
        assert span.max() - span.min() < -(-depths.max() // 4)


@pytest.mark.parametrize(
    "options", [{"stages": 0}, {"stages": 2}, {"stages": 2, "registered": True, "style": "modules"}]
)
def test_a_pipeline_needs_flip_flops_and_the_flat_style(options: dict[str, Any]) -> None:
    with pytest.raises(MlpressError, match="stages: a pipeline has"):
        codegen.to_verilog(small(26), **options)


@pytest.mark.parametrize(("device", "seed"), [(ECP5, 26), (ICE40, 26)], ids=["ecp5", "ice40"])
def test_a_mapped_netlist_is_the_circuit(device: fpga.Device, seed: int) -> None:
    lowered = small(seed)
    netlist = fpga.synthesise(codegen.to_verilog(lowered, registered=True), device)
    circuit = ir.to_circuit(ir.program_of(lowered))
    assert isinstance(prove_equal(circuit, fpga.read_netlist(netlist), held=STILL), Proven)
    assert "src" not in netlist
    cells = json.loads(netlist)["modules"]["top"]["cells"].values()
    used = fpga.resources(netlist)
    assert used.luts == sum("LUT4" in cell["type"] for cell in cells) > 0
    assert used.flip_flops == len(cells) - used.luts > 0
    cell = next(cell for cell in cells if "LUT4" in cell["type"])
    (name,) = cell["parameters"]
    flipped = "".join("10"[int(bit)] for bit in cell["parameters"][name])
    changed = netlist.replace(cell["parameters"][name], flipped)
    assert isinstance(prove_equal(circuit, fpga.read_netlist(changed), held=STILL), Refuted)


def table_netlist(kind: str, parameter: str, pins: str, output: str, table: int) -> dict[str, Any]:
    bits = {f"x{k}": {"direction": "input", "bits": [2 + k]} for k in range(4)}
    wires = {pin: [2 + k] for k, pin in enumerate(pins.split())} | {output: [9]}
    cell = {"type": kind, "parameters": {parameter: f"{table:016b}"}, "connections": wires}
    return {"modules": {"top": {"ports": bits | {"y": {"direction": "output", "bits": [9]}}, "cells": {"c": cell}}}}


@pytest.mark.parametrize("name", ["ecp5-25k", "ice40-up5k"])
def test_a_design_of_several_modules_is_one_netlist(name: str) -> None:
    text = """
module sum(input [1:0] a, input [1:0] b, output [2:0] y); assign y = a + b; endmodule
module top(input [1:0] a, input [1:0] b, output [2:0] y, output [2:0] z);
  sum first(.a(a), .b(b), .y(y));
  sum second(.a(a), .b(2'd3), .y(z));
endmodule
"""
    engine = Rtl(fpga.read_netlist(fpga.synthesise(text, fpga.read_device(name))))
    a, b = (np.array(column) for column in zip(*product(range(4), range(4)), strict=True))
    found = engine.run({"a": a, "b": b})
    np.testing.assert_array_equal(found["y"], a + b)
    np.testing.assert_array_equal(found["z"], a + 3)


@pytest.mark.parametrize("cell", [("LUT4", "INIT", "A B C D", "Z"), ("SB_LUT4", "LUT_INIT", "I0 I1 I2 I3", "O")])
def test_a_look_up_table_is_its_truth_table(cell: tuple[str, str, str, str]) -> None:
    rows = np.array(list(product((0, 1), repeat=4)))
    tables = [0, 0xFFFF, 0xAAAA, 0xFF00, 0x6996, *np.random.default_rng(0).integers(0, 1 << 16, 20).tolist()]
    for table in tables:
        engine = Rtl(fpga.read_netlist(json.dumps(table_netlist(*cell, table))))
        found = engine.run({f"x{k}": rows[:, k] for k in range(4)})["y"]
        assert found.tolist() == [table >> int(row @ [1, 2, 4, 8]) & 1 for row in rows]


def broken(change: Callable[[dict[str, Any]], Any]) -> str:
    netlist = table_netlist("LUT4", "INIT", "A B C D", "Z", 0x6996)
    change(netlist["modules"]["top"])
    return json.dumps(netlist)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no netlist"),
        ("[" * 100_000, "is no netlist"),
        ('{"modules": {"top": {"ports": 1, "cells": 2}}}', "has no ports or no cells"),
        (broken(lambda top: top["cells"]["c"].update(type="DP16KD")), "a cell 'DP16KD', which mlpress does not know"),
        (broken(lambda top: top["cells"]["c"].update(parameters={})), "is no mapped netlist: 'INIT'"),
        (broken(lambda top: top["cells"]["c"]["parameters"].update(INIT="2")), "is no mapped netlist"),
        (broken(lambda top: top["cells"]["c"]["connections"].update(A=[9])), "a combinational loop"),
        (broken(lambda top: top["cells"]["c"]["connections"].update(A=[77])), "nothing drives net 77"),
        (broken(lambda top: top["cells"]["c"]["connections"].update(Z=[2])), "two drivers"),
        (broken(lambda top: top["ports"]["y"].update(direction="inout")), "is no mapped netlist: 'inout'"),
    ],
)
def test_a_netlist_that_is_none_is_refused_in_a_line(text: str, says: str) -> None:
    with pytest.raises(MlpressError, match=says) as told:
        fpga.read_netlist(text)
    assert "\n" not in str(told.value)


def test_a_flip_flop_of_another_kind_is_refused() -> None:
    wires = {"CLK": [2], "DI": [3], "LSR": [4], "Q": [9]}
    cell = {"type": "TRELLIS_FF", "parameters": {"REGSET": "SET"}, "connections": wires}
    with pytest.raises(MlpressError, match="a flip-flop with REGSET='SET'"):
        fpga.read_netlist(broken(lambda top: top["cells"].update(c=cell)))


def test_a_design_says_what_it_takes_and_how_fast_it_is(design: mp.Design, folder: Path) -> None:
    target = design.target
    assert isinstance(target, Fpga)
    device = target.device()
    own, cost = design.facts["fpga"], design.cost
    used = fpga.resources((folder / "netlist.json").read_text())
    assert (cost["luts"], cost["flip_flops"], cost["block_rams"]) == (used.luts, used.flip_flops, 0)
    assert used.luts <= own["logic_cells"] < used.luts + used.flip_flops + 10
    assert cost["latency"] == pytest.approx(1000 * 2 / own["fmax_mhz"])
    assert (folder / device.family.bitstream).stat().st_size > 50_000
    assert own["power"] == "not known"
    engines = [check["engine"] for check in design.facts["verification"]]
    assert {"onnxruntime", "RTL", "mapped netlist", "Amaranth"} <= set(engines)
    shown = {tile.name: tile.value for tile in tiles(design.facts)}
    assert shown["clock"].endswith("MHz")
    assert shown["power"] == "not known"
    assert device.title in render(design.facts)


def test_verify_prove_and_run_read_the_folder(design: mp.Design, folder: Path) -> None:
    found = mp.Design.load(folder)
    checks = {check.engine: check.equal for check in mp.verify(found, rows=20)}
    assert checks["mapped netlist"] is checks["bitstream"] is True
    assert [proof.verdict for proof in mp.prove(found)] == ["proven", "proven"]
    assert mp.run(found, "rtl", data())["accuracy"] == design.facts["accuracy"]["quantised"]
    target = found.target
    assert isinstance(target, Fpga)
    found.artifact.files[target.device().family.bitstream] = b"another one"  # type: ignore[index]
    assert [check.engine for check in mp.verify(found, rows=20) if not check.equal] == ["bitstream"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"stages": 0}, "a pipeline has 1 to 14 stages, not 0"),
        ({"stages": 15}, "a pipeline has 1 to 14 stages, not 15"),
        ({"seed": -1}, "the seed is -1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(MlpressError, match=says):
        read_target("ecp5-25k", options).check()


def test_nextpnr_is_only_needed_to_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlpress.hw.fpga.routing.find_spec", lambda name: None)
    with pytest.raises(MlpressError, match=r"pip install 'mlpress\[fpga\]', or .* -O place=false"):
        Fpga().check()
    with pytest.raises(MlpressError, match="no nextpnr for iCE40"):
        fpga.route("{}", ICE40)
    found = mp.compile(classifier(), data(), target="ecp5-25k", place=False, stages=3, **BITS)
    assert set(found.cost) == {"luts", "flip_flops"}
    assert all(check["equal"] for check in found.facts["verification"])


def test_a_design_with_too_many_pins_is_refused_before_any_work() -> None:
    net = ir.program_of(small(26))
    assert isinstance(net, ir.Net)
    net = replace(net, inputs=tuple(replace(one, bits=16, levels=None) for one in net.inputs))
    with pytest.raises(MlpressError, match=r"the circuit has \d+ pins, ice40-up5k has 39; take fewer --input-bits"):
        read_target("ice40-up5k").validate(net)
    read_target("ice40-up5k", {"place": False}).validate(net)


def test_unary_inputs_are_refused() -> None:
    program = ir.to_circuit(ir.program_of(small(26)))
    with pytest.raises(MlpressError, match="it reads comparators; target ecp5-25k has none"):
        Fpga().validate(replace(program, inputs=ir.unary_inputs(program.inputs)))


def test_an_answer_that_is_always_the_same_takes_no_table() -> None:
    net = ir.program_of(small(26))
    assert isinstance(net, ir.Net)
    scores = ir.Layer(tuple(ir.Neuron(k, (), ir.Raw()) for k in range(3)))
    always = ir.Net(net.inputs, (replace(net.layers[0]), scores), ir.Argmax(), (0, 1, 2))
    assert Fpga().measure(always, np.zeros((1, 3), np.int64)).values["luts"] == 0


def power_net(rng: np.random.Generator, sources: int) -> ir.Net:
    """Three hidden neurons with weights that are powers of two, of which the largest decides: no answer is constant."""
    inputs = tuple(ir.Input(f"x{k}", 3, 1.0, 0.0) for k in range(sources))

    def hidden(j: int) -> ir.Neuron:
        terms = [ir.Term(k, 1 if (k + j) % 2 else -1, int(rng.integers(2)), 7) for k in range(sources)]
        return ir.Neuron(4, tuple(terms), ir.QRelu(2, 2))

    scores = ir.Layer(tuple(ir.Neuron(0, (ir.Term(j, 1, 0, 3),), ir.Raw()) for j in range(3)))
    return ir.Net(inputs, (ir.Layer(tuple(map(hidden, range(3)))), scores), ir.Argmax(), (0, 1, 2))


def test_the_cost_model_ranks_as_synthesis_does() -> None:
    rng, found, real = np.random.default_rng(3), list[float](), list[float]()
    target = Fpga(place=False)
    for sources in (2, 3, 5, 7, 10):
        net = power_net(rng, sources)
        layout = Layout.of(net)
        model = target.cost_model(layout)
        found.append(float(model.cost(layout.pack(net)[None])[0]))
        real.append(target.measure(net, np.zeros((1, sources), np.int64)).values["luts"])
    assert spearmanr(found, real).statistic > 0.85


def test_an_inverter_costs_nothing_and_a_parity_is_three_gates() -> None:
    costs = lut_costs()
    assert costs.area[0b0101] == costs.area[0b0011] == costs.area[0b1010] == 0
    assert 0 < costs.area[0b1000] == costs.area[0b0111] == costs.area[0b0110] // 3
    assert Fpga().gate_costs("latency") is None


def test_a_quick_measure_counts_gates() -> None:
    circuit = ir.to_circuit(ir.program_of(small(26)))
    found = Fpga().measure(circuit, np.zeros((1, 3), np.int64), quick=True)
    assert found.values == {"luts": pytest.approx(0.11 * len(circuit.ands))}
