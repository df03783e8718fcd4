"""The audit passes what the plan says and refuses everything else."""

import re

import numpy as np
import pytest
from support.nets import random_codes, random_net

from mlpress import codegen, ir
from mlpress.errors import MlpressError
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, QRelu, Raw, weight_terms


@pytest.fixture(scope="module")
def lowered() -> ir.Lowered:
    inputs = tuple(Input(f"f{k}", 4, 1.0, 0.0) for k in range(3))
    rng = np.random.default_rng(4)

    def neuron(sources: int, bits: int, activation: ir.Activation) -> Neuron:
        weights = rng.integers(-100, 100, sources).tolist()
        terms = tuple(term for k, weight in enumerate(weights) for term in weight_terms(weight, k, bits))
        return Neuron(int(rng.integers(-300, 300)), terms, activation)

    hidden = Layer(tuple(neuron(3, 4, QRelu(4, 6)) for _ in range(3)))
    scores = Layer(tuple(neuron(3, 6, Raw()) for _ in range(4)))
    net = Net(inputs, (hidden, scores), Argmax(), ("a", "b", "c", "d"))
    ir.verify(net)
    return ir.lower_net(net)


def test_report_counts_what_the_plan_says(lowered: ir.Lowered) -> None:
    report = codegen.audit(codegen.to_verilog(lowered), lowered)
    gates = lowered.bits.gates
    assert report.style == "flat"
    assert report.modules == 1
    assert report.ports == {"x0": 4, "x1": 4, "x2": 4, "y": 2}
    assert report.operators["^"] == sum({"xor": 1, "xor3": 2, "maj": 1}.get(gate.kind, 0) for gate in gates)
    assert report.comparators == len(lowered.plan.head.candidates) - 1
    assert report.registers == 0
    assert {name for name in report.adders if name.endswith("_sum")} == {
        s.name for s in lowered.plan.sums if "shared" not in s.name and s.operands
    }


def test_modules_have_one_adder_an_operand(lowered: ir.Lowered) -> None:
    report = codegen.audit(codegen.to_verilog(lowered, style="modules"), lowered)
    for value in lowered.plan.sums:
        assert report.adders[value.name]["adders"] in (len(value.operands), len(value.operands) - 1)


def test_registers_are_counted(lowered: ir.Lowered) -> None:
    text = codegen.to_verilog(lowered, registered=True)
    assert codegen.audit(text, lowered, registered=True).registers == 3 * 4 + 2
    with pytest.raises(MlpressError, match="ports of top differ"):
        codegen.audit(text, lowered)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (" ^ ", " & ", r"operators \^"),
        ("input [3:0] x1;", "input [4:0] x1;", "ports of top differ"),
        ("endmodule", "  assign y[0] = 1'bx;\nendmodule", "undefined constant 1'bx"),
        ("endmodule", "  always @(x0) begin end\nendmodule", "combinational module"),
        ("endmodule", "  wire extra = x0[0] & x0[1];\nendmodule", "operators &"),
        ("endmodule", "  wire extra = x0 == x1;\nendmodule", "operators Eq"),
        ("module top(", "module other(", "no module 'top'"),
        ("assign y", "assign $random y", "cannot parse"),
    ],
)
def test_tampered_verilog_is_refused(lowered: ir.Lowered, old: str, new: str, says: str) -> None:
    text = codegen.to_verilog(lowered)
    assert old in text
    with pytest.raises(MlpressError, match=says):
        codegen.audit(text.replace(old, new, 1), lowered)


def test_verilog_is_plain_and_repeatable(lowered: ir.Lowered) -> None:
    text = codegen.to_verilog(lowered)
    assert text == codegen.to_verilog(lowered)
    assert "(*" not in text
    assert not re.search(r"\bsigned'|logic|always_", text)


def test_header_names_features_and_classes_safely() -> None:
    evil = 'a */ `include "x" \n endmodule'
    net = Net(
        (Input("temp;endmodule", 2, 2.0, 0.5, levels=(1, 3)),),
        (Layer((Neuron(0, weight_terms(1, 0, 2), Raw()), Neuron(2, (), Raw()))),),
        Argmax(),
        (evil.replace("\n", " "), "ok"),
    )
    ir.verify(net)
    text = codegen.to_verilog(ir.lower_net(net))
    comments = [line for line in text.splitlines() if line.startswith("//")]
    assert any(
        "temp_endmodule, 2 bits = floor(value * 2.0 + 0.5), clipped, kept levels 1, 3" in line for line in comments
    )
    assert "`" not in text
    assert "*/" not in text


@pytest.mark.parametrize("style", ["flat", "modules"])
def test_amaranth_agrees(style: str) -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        net = random_net(rng, neurons=6, head="argmax")
        codes = random_codes(rng, net, 16)
        found = codegen.simulate(ir.lower_net(net), codes, style)
        assert found["y"].tolist() == ir.interpret(net, codes).decision.tolist()


def test_a_sum_of_hundreds_of_terms_has_a_module_and_is_simulated() -> None:
    rng = np.random.default_rng(5)
    inputs = tuple(Input(f"f{k}", 1, 1.0, 0.0) for k in range(900))
    weights = rng.choice([-3, -1, 1, 2], 900).tolist()
    terms = tuple(term for k, weight in enumerate(weights) for term in weight_terms(weight, k, 1))
    net = Net(inputs, (Layer((Neuron(-40, terms, Raw()), Neuron(7, terms[::2], Raw()))),), Argmax(), ("a", "b"))
    ir.verify(net)
    codes, lowered = random_codes(rng, net, 6), ir.lower_net(net)
    assert codegen.simulate(lowered, codes, "modules")["y"].tolist() == ir.interpret(net, codes).decision.tolist()
    report = codegen.audit(codegen.to_verilog(lowered, style="modules"), lowered)
    for value in lowered.plan.sums:
        assert report.adders[value.name]["adders"] in (len(value.operands), len(value.operands) - 1)


def test_bad_names_and_styles_are_one_line(lowered: ir.Lowered) -> None:
    with pytest.raises(MlpressError, match="no module name"):
        codegen.to_verilog(lowered, name="top; endmodule")
    with pytest.raises(MlpressError, match="there are flat, modules"):
        codegen.to_verilog(lowered, style="baroque")
    with pytest.raises(MlpressError, match="at least one row"):
        codegen.testbench(lowered, np.zeros((0, 3), np.int64))
