"""Large networks: Verilog in parts, each read, audited and mapped apart, and the same function as a whole."""

from __future__ import annotations

import re

import numpy as np
import pytest

from mlpress import codegen, ir
from mlpress.codegen.verilog import flat
from mlpress.errors import MlpressError
from mlpress.hw import printed
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, QRelu, Raw, weight_terms
from mlpress.sim import Rtl
from mlpress.verify import port_values
from mlpress.yosys import gates as elaboration
from mlpress.yosys import read_gates


@pytest.fixture(scope="module")
def net() -> Net:
    rng = np.random.default_rng(3)

    def layer(count: int, sources: int, bits: int, activation: ir.Activation) -> Layer:
        weights = rng.integers(-60, 61, (count, sources)).tolist()
        terms = [tuple(t for k, w in enumerate(row) for t in weight_terms(w, k, bits)) for row in weights]
        return Layer(tuple(Neuron(int(rng.integers(-200, 200)), row, activation) for row in terms))

    inputs = tuple(Input(f"f{k}", 4, 1.0, 0.0) for k in range(10))
    made = Net(inputs, (layer(5, 10, 4, QRelu(4, 6)), layer(4, 5, 6, Raw())), Argmax(), ("a", "b", "c", "d"))
    ir.verify(made)
    return made


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small network is cut as a large one is."""
    monkeypatch.setattr(flat, "WHOLE_GATES", 100)
    monkeypatch.setattr(flat, "PART_GATES", 150)
    monkeypatch.setattr(elaboration, "PART_TEXT", 1000)


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("registered", [False, True])
def test_parts_are_the_network(net: Net, registered: bool) -> None:
    lowered = ir.lower_net(net)
    text = codegen.to_verilog(lowered, registered=registered)
    assert len(re.findall(r"(?m)^module top_part\d+", text)) > 3
    report = codegen.audit(text, lowered, registered=registered)
    assert report.audited == report.modules > 4
    technology = printed.load_technology("egfet")
    gates = read_gates({"top.v": text}, "top")
    assert len(gates.cuts) == report.modules - 1
    assert gates.flip_flops == (42 if registered else 0)
    codes = np.random.default_rng(5).integers(0, 16, (300, 10))
    expected = ir.interpret(net, codes).decision
    found = printed.synthesise(text, "top", technology, effort="fast")
    assert f"mapped in {len(gates.cuts)} blocks" in " ".join(found.notes)
    late = 2 if registered else 0
    rows = np.concatenate([codes, np.repeat(codes[-1:], late, axis=0)])
    for engine in (Rtl(text), printed.PackedNetlist(found.netlist, technology)):
        ports = engine.gates.inputs if isinstance(engine, Rtl) else engine.inputs
        answers = engine.run(port_values(rows, [port.name for port in ports]))["y"]
        assert answers[late:].tolist() == expected.tolist()


@pytest.mark.long
def test_blocks_lose_little(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    lowered, technology = ir.lower_net(net), printed.load_technology("egfet")
    whole = printed.synthesise(codegen.to_verilog(lowered), "top", technology, effort="fast")
    monkeypatch.setattr(flat, "WHOLE_GATES", 100)
    monkeypatch.setattr(flat, "PART_GATES", 400)
    monkeypatch.setattr(elaboration, "PART_TEXT", 1000)
    parts = printed.synthesise(codegen.to_verilog(lowered), "top", technology, effort="fast")
    assert "blocks" in " ".join(parts.notes)
    assert parts.area_um2 < 1.04 * whole.area_um2


@pytest.mark.usefixtures("in_parts")
def test_a_long_text_is_audited_in_part_and_says_so(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    lowered = ir.lower_net(net)
    text = codegen.to_verilog(lowered)
    monkeypatch.setattr("mlpress.codegen.verilog.auditing.LIMIT", len(text) // 2)
    report = codegen.audit(text, lowered)
    assert 1 < report.audited < report.modules
    assert report.characters < report.all_characters
    with pytest.raises(MlpressError, match="modules, the plan"):
        codegen.audit(re.sub(r"(?s)module top_part1\(.*?endmodule\n", "", text), lowered)


@pytest.mark.usefixtures("in_parts")
def test_a_changed_part_is_found(net: Net) -> None:
    lowered = ir.lower_net(net)
    text = codegen.to_verilog(lowered)
    changed = re.sub(r"(?s)(module top_part2\(.*?) \^ ", r"\1 & ", text, count=1)
    with pytest.raises(MlpressError, match="top_part2 has"):
        codegen.audit(changed, lowered)


def test_a_loop_through_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elaboration, "PART_TEXT", 100)
    part = "module top_part{k}({i}, {o});\n  input {i};\n  output {o};\n  assign {o} = ~{i};\nendmodule\n"
    parts = part.format(k=0, i="a", o="b") + part.format(k=1, i="b", o="a")
    calls = "  top_part0 p0(.a(a), .b(b));\n  top_part1 p1(.a(a), .b(b));\n"
    text = f"{parts}module top(y);\n  output y;\n  wire a;\n  wire b;\n{calls}  assign y = a;\nendmodule\n"
    with pytest.raises(MlpressError, match="loop through the parts"):
        read_gates({"top.v": text}, "top")
