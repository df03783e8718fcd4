"""`mlpress verify --formal`: proven, refuted with a row, or out of time; never anything in between."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.commands import mlpress

from mlpress import Design, ir, prove, sim
from mlpress.errors import MlpressError
from mlpress.hw import printed
from mlpress.pipeline.compile import Options, build_design
from mlpress.verify import Counterexample


def net(inputs: int, head: ir.Head | None = None, bits: int = 4) -> ir.Net:
    """A dense net with three hidden neurons and three classes, or one score."""
    rng = np.random.default_rng(1)
    features = tuple(ir.Input(f"feature {k}", bits, 2.0, 1.0, rounding="floor") for k in range(inputs))

    def layer(count: int, sources: int, width: int, activation: ir.Activation) -> ir.Layer:
        weights = rng.integers(-60, 61, (count, sources)).tolist()
        rows = [tuple(t for k, w in enumerate(row) for t in ir.weight_terms(w, k, width)) for row in weights]
        return ir.Layer(tuple(ir.Neuron(int(rng.integers(-90, 90)), row, activation) for row in rows))

    classes = ("a", "b", "c") if head is None else ()
    layers = (layer(3, inputs, bits, ir.QRelu(6, 5)), layer(len(classes) or 1, 3, 5, ir.Raw()))
    made = ir.Net(features, layers, head or ir.Argmax(), classes)
    ir.verify(made)
    decided = ir.interpret(made, rng.integers(0, 1 << bits, (200, inputs))).decision
    assert decided is None or len(set(decided.tolist())) > 1
    return made


def pressed(program: ir.Net | ir.Circuit, **options: object) -> Design:
    rows = np.random.default_rng(0).uniform(0, 8, (40, len(program.inputs)))
    return build_design(program, rows, np.zeros(40), Options.of(effort="fast", **options))


@pytest.fixture(scope="module")
def design() -> Design:
    return pressed(net(7))


def broken(design: Design) -> Design:
    """Its netlist with one cell of another kind, such that it does matter."""
    lines = design.text("netlist.v").splitlines()
    last = max(k for k, line in enumerate(lines) if line.startswith("  NAND2X1 "))
    lines[last] = lines[last].replace("NAND2X1", "NOR2X1", 1)
    return design.with_file("netlist.v", "\n".join(lines) + "\n")


def test_a_design_is_proven(tmp_path: Path, design: Design) -> None:
    design.save(tmp_path / "build")
    done = mlpress("verify", "build", "--formal", "--json", "-v", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    proofs = json.loads(done.stdout)["proofs"]
    assert [(proof["claim"], proof["verdict"]) for proof in proofs] == [
        ("circuit = top.v", "proven"),
        ("top.v = netlist.v", "proven"),
    ]
    assert all(proof["seconds"] > 0 and proof["difference"] == "" for proof in proofs)
    assert "prove top.v = netlist.v for all inputs" in done.stderr


def test_a_wrong_cell_is_refuted_with_a_row_that_differs(tmp_path: Path, design: Design) -> None:
    wrong = broken(design)
    wrong.save(tmp_path / "build")
    done = mlpress("verify", "build", "--formal", "--json", "-q", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    proofs = json.loads(done.stdout)["proofs"]
    assert [proof["verdict"] for proof in proofs] == ["proven", "refuted"]
    row = proofs[1]["counterexample"]
    assert list(row["features"]) == [f"feature {k}" for k in range(7)]
    codes = ir.encode(wrong.program, np.array([list(row["features"].values())]))
    assert dict(zip(row["codes"], codes[0].tolist(), strict=True)) == row["codes"]
    columns = {port: codes[:, k] for k, port in enumerate(row["codes"])}
    rtl = sim.Rtl(wrong.text("top.v")).run(columns)["y"][0]
    netlist = printed.PackedNetlist(
        printed.parse_netlist(wrong.text("netlist.v"), "top"), printed.load_technology("egfet")
    ).run(columns)["y"][0]
    assert row["answers"] == {
        "top.v": {"y": rtl},
        "netlist.v": {"y": netlist},
        "reference interpreter": {"y": ir.interpret(wrong.program, codes).decision[0]},
    }
    assert rtl != netlist
    assert "x0 =" in proofs[1]["difference"]
    assert f"netlist.v: y = {netlist}" in proofs[1]["difference"]


def test_a_proof_that_does_not_end_is_no_success(tmp_path: Path) -> None:
    """Sums in words against heaps of full adders, over too many bits to try out."""
    pressed(net(7), style="modules").save(tmp_path / "build")
    done = mlpress("verify", "build", "--formal", "--time-limit", "0.5s", "--json", cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    assert found["proofs"][0]["verdict"] == "out of time"
    assert all(engine["equal"] for engine in found["engines"])


def test_sums_in_words_are_proven_by_trying_all_rows() -> None:
    """Another lowering altogether: ``+`` and ``>`` in Verilog, elaborated by Yosys."""
    proofs = prove(pressed(net(4), style="modules"), timeout_s=10)
    assert [proof.verdict for proof in proofs] == ["proven", "proven"]


def test_a_registered_design_is_proven_as_a_pipeline(design: Design) -> None:
    registered = pressed(net(5), registered=True)
    assert [proof.verdict for proof in prove(registered)] == ["proven", "proven"]
    (_, refuted) = prove(broken(registered))
    assert refuted.verdict == "refuted"
    assert refuted.counterexample is not None
    assert len(refuted.counterexample.inputs) == 3


def test_a_regression_tells_its_scores_as_the_ports_carry_them() -> None:
    made = pressed(net(3, ir.Scores((1.0,), (0.0,))))
    assert [proof.verdict for proof in prove(made)] == ["proven", "proven"]
    lowest = re.compile(r"(assign y0 = \{[^;]*,\s)([^,;]+)\};")
    inverted = made.with_file("top.v", lowest.sub(r"\1~(\2)};", made.text("top.v"), count=1))
    assert inverted.text("top.v") != made.text("top.v")
    first = prove(inverted)[0]
    assert first.verdict == "refuted"
    assert isinstance(first.counterexample, Counterexample)
    answers = first.counterexample.answers
    assert answers["reference interpreter"] == answers["circuit"]
    assert answers["circuit"]["y0"] ^ answers["top.v"]["y0"] == 1


@pytest.mark.parametrize("limit", ["soon", "-3s"])
def test_a_time_limit_must_be_one(tmp_path: Path, limit: str) -> None:
    done = mlpress("verify", "build", "--formal", f"--time-limit={limit}", cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "is no time" in done.stderr


def test_a_design_with_a_port_too_many_is_not_proven(design: Design) -> None:
    """Only a registered design has a reset."""
    more = (
        design.text("top.v")
        .replace("input [3:0] x0;", "input [3:0] x0;\n  input rst;", 1)
        .replace("(x0,", "(rst, x0,", 1)
    )
    changed = design.with_file("top.v", more)
    assert "rst" in changed.text("top.v")
    with pytest.raises(MlpressError, match="input 'rst': the first circuit has no 'rst'"):
        prove(changed)


def test_an_evolved_circuit_is_proven_too() -> None:
    """A program that comes from no net."""
    lowered = ir.bit_blast(net(4))
    ands = lowered.ands.copy()
    ands[(lowered.outputs[0][0] >> 1) - 1 - lowered.input_bits, 0] ^= 1
    made = pressed(replace(lowered, ands=ands))
    assert [proof.verdict for proof in prove(made)] == ["proven", "proven"]
    other = prove(replace(made, program=lowered))[0]
    assert other.counterexample is not None
    assert other.counterexample.answers["reference interpreter"] == other.counterexample.answers["circuit"]
