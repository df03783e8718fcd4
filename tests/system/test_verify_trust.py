"""What ``mlpress verify`` believes: nothing that it did not see, and nothing in a folder as it came."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from support.commands import mlpress

from mlpress import Design, codegen, ir, verify
from mlpress.codegen import TestBench
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.hw import printed
from mlpress.pipeline.compile import Options, build_design
from mlpress.verify import prove_soon, require_equal
from mlpress.verify.probes import MOST_ROWS, probe_rows, worth_rows
from mlpress.yosys import check_circuit


def net(inputs: int = 3, head: ir.Head | None = None) -> ir.Net:
    rng = np.random.default_rng(14 if head is None else 5)
    features = tuple(ir.Input(f"f{k}", 4, 2.0, 1.0, rounding="floor") for k in range(inputs))

    def layer(count: int, sources: int, width: int, activation: ir.Activation) -> ir.Layer:
        weights = rng.integers(-20, 21, (count, sources)).tolist()
        rows = [tuple(t for k, w in enumerate(row) for t in ir.weight_terms(w, k, width)) for row in weights]
        return ir.Layer(tuple(ir.Neuron(int(rng.integers(0, 60)), row, activation) for row in rows))

    outputs = 3 if head is None else len(head.scale)
    layers = (layer(2, inputs, 4, ir.QRelu(4, 4)), layer(outputs, 2, 4, ir.Raw()))
    made = ir.Net(features, layers, head or ir.Argmax(), ("a", "b", "c") if head is None else ())
    ir.verify(made)
    return made


def pressed(program: ir.Net | ir.Circuit, **options: object) -> Design:
    rows = np.random.default_rng(0).uniform(0, 8, (40, len(program.inputs)))
    return build_design(program, rows, np.zeros(40, np.int64), Options.of(effort="fast", **options))


@pytest.fixture(scope="module")
def design() -> Design:
    return pressed(net())


@pytest.fixture(scope="module")
def scores() -> Design:
    return pressed(net(2, ir.Scores((1.0, 1.0), (0.0, 0.0))))


@pytest.fixture
def folder(design: Design, tmp_path: Path) -> Path:
    return design.save(tmp_path / "build")


def aged(folder: Path) -> Path:
    """The folder as an older version wrote it, without hashes."""
    facts = json.loads((folder / "design.json").read_text())
    del facts["sha256"]
    (folder / "design.json").write_text(json.dumps(facts))
    return folder


def wrong(design: Design, **options: object) -> dict[str, str]:
    return {r.engine: r.difference for r in verify(design, **options) if r.verdict == "different"}


def test_the_file_that_is_not_the_one_written_is_named(folder: Path) -> None:
    for name in sorted(path.name for path in folder.iterdir() if path.name != "design.json"):
        assert name in json.loads((folder / "design.json").read_text())["sha256"]
    done = mlpress("verify", folder, "--json", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == {"verdict": "unchanged", "hashed": 7, "changed": []}
    assert [proof["verdict"] for proof in json.loads(done.stdout)["proofs"]] == ["proven", "proven"]
    with (folder / "report.html").open("a") as file:
        file.write("<!-- -->")
    done = mlpress("verify", folder, cwd=folder.parent)
    assert done.returncode == 1
    assert "files: not the ones that were written: report.html" in done.stdout
    assert Design.load(folder).changed == ("report.html",)


def test_an_older_folder_says_that_it_has_no_hashes(folder: Path) -> None:
    done = mlpress("verify", aged(folder), "--json", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == {"verdict": "no hashes", "hashed": 0, "changed": []}


def test_an_older_test_bench_of_the_first_rows_is_known(design: Design) -> None:
    many = np.tile(design.features, (8, 1))
    old = codegen.testbench(ir.lower_net(design.program), ir.encode(design.program, many)[:256], most=256)
    assert wrong(replace(design, features=many, labels=np.zeros(320)).with_file("top_tb.v", old.text)) == {}


@pytest.mark.parametrize("names", [["../design.json"], ["/etc/passwd"], ["a/b"], [""], [f"f{k}" for k in range(65)]])
def test_hashes_are_of_files_in_the_folder(folder: Path, names: list[str]) -> None:
    facts = json.loads((folder / "design.json").read_text())
    (folder / "design.json").write_text(json.dumps(facts | {"sha256": dict.fromkeys(names, "0")}))
    with pytest.raises(MlpressError, match="no proper list"):
        Design.load(folder)


def test_an_endless_file_is_not_read(folder: Path) -> None:
    (folder / "top.v").unlink()
    (folder / "top.v").symlink_to("/dev/zero")
    with pytest.raises(MlpressError, match="no plain file"):
        Design.load(folder)


def test_an_empty_test_bench_is_no_pass(folder: Path) -> None:
    bench = (folder / "top_tb.v").read_text()
    empty = re.sub(r"k < \d+", "k < 0", re.sub(r"    rows\[.*\n", "", bench)).replace("40 rows", "0 rows")
    assert empty != bench
    (aged(folder) / "top_tb.v").write_text(empty)
    assert list(wrong(Design.load(folder))) == ["test bench"]


def test_permuted_classes_are_noticed(folder: Path) -> None:
    text = (folder / "program.mlp").read_text()
    (aged(folder) / "program.mlp").write_text(text.replace('"a" "b" "c"', '"b" "a" "c"'))
    changed = Design.load(folder)
    assert changed.program.classes == ("b", "a", "c")
    assert "b, a, c" in wrong(changed)["classes"]
    facts = json.loads((folder / "design.json").read_text())
    facts["net"]["classes"] = ["b", "a", "c"]
    assert "top.v" in wrong(changed.with_facts(facts))["classes"]


def test_missing_and_extra_ports_are_differences(scores: Design) -> None:
    without = re.sub(r"(?m)^  (output|wire) .*\by1;\n|^  assign y1\b[^;]*;\n", "", scores.text("top.v")).replace(
        ", y1)", ")"
    )
    assert wrong(scores.with_file("top.v", without))["RTL"] == "output y1 is missing"
    more = (
        scores.text("top.v")
        .replace(", y1)", ", y1, z)")
        .replace("endmodule", "  output z;\n  assign z = x0[0];\nendmodule")
    )
    assert wrong(scores.with_file("top.v", more))["RTL"] == "output z is one port too many"
    asks = scores.text("top.v").replace("(x0,", "(q, x0,").replace("endmodule", "  input q;\nendmodule")
    assert wrong(scores.with_file("top.v", asks))["RTL"] == "input q is one port too many"
    wider = re.sub(
        r"(output|wire) (signed )?\[(\d+):0\] y1;",
        lambda m: f"{m[1]} {m[2] or ''}[{int(m[3]) + 1}:0] y1;",
        scores.text("top.v"),
    )
    assert "output y1 has" in wrong(scores.with_file("top.v", wider))["RTL"]
    cut = re.sub(r"output (.*\by1;)", r"wire \1", scores.text("netlist.v").replace(", y1", "", 1))
    assert "output" in cut
    assert "y1 is missing" in wrong(scores.with_file("netlist.v", cut))["mapped netlist"]


def test_a_foreign_oracle_is_not_run(design: Design) -> None:
    graph = onnx.load_from_string(design.oracle)
    graph.graph.node.append(helper.make_node("ConstantOfShape", ["c0"], ["flood"]))
    assert wrong(replace(design, oracle=graph.SerializeToString())) == {
        "onnxruntime": "oracle.onnx was not run: its operators are not those of the program's graph"
    }
    away = onnx.load_from_string(design.oracle)
    away.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    away.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")
    assert "constants" in wrong(replace(design, oracle=away.SerializeToString()))["onnxruntime"]
    assert "no ONNX file" in wrong(replace(design, oracle=b"\xff\xff"))["onnxruntime"]


def tools(folder: Path, vvp: str) -> str:
    """A folder with an ``iverilog`` that keeps what it is given, and a ``vvp`` that does as told."""
    folder.mkdir()
    for name, script in (("iverilog", f'cat design.v > "{folder}/seen.v"'), ("vvp", vvp)):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("says", "verdict"),
    [
        ("echo PASS: 40 rows", "equal"),
        ("echo PASS: 40 rows; echo 'top_tb.v:9: $finish called at 40 (1ns)'", "equal"),
        ("echo PASS: 0 rows", "different"),
        ("echo PASS: 39 rows", "different"),
        ("echo row 3; echo PASS: 40 rows", "different"),
        ("true", "different"),
        (r"printf '\377\376\000PASS: 40 rows\n'", "different"),
        (r"printf 'PASS: 40 rows\n\377'", "different"),
        ("echo PASS: 40 rows; exit 1", "different"),
        ("sleep 60", "out of time"),
        ("while :; do :; done", "out of time"),
    ],
)
def test_icarus_passes_with_one_line_only(
    design: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, verdict: str
) -> None:
    from mlpress.sim import rtl

    monkeypatch.setenv("PATH", tools(tmp_path / "bin", says) + ":/usr/bin:/bin")
    monkeypatch.setattr(rtl, "LIMITS", replace(rtl.LIMITS, seconds=1.0))
    marked = design.with_file("top_tb.v", "module top_tb; initial $fopen(1); endmodule\n")
    results = {result.engine: result for result in require_equal_or_not(marked)}
    assert results["Icarus Verilog"].verdict == verdict
    assert results["Icarus Verilog"].optional
    seen = (tmp_path / "bin" / "seen.v").read_text()
    assert "$fopen" not in seen  # the bench is the program's
    assert design.text("top_tb.v") in seen


def require_equal_or_not(design: Design):
    return verify(design, rows=256)


@pytest.mark.parametrize(("left_s", "says"), [(0.5, "no time left"), (2.0, "did not end within 2 s")])
def test_a_search_has_no_more_time_for_a_bench_than_is_left(
    design: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left_s: float, says: str
) -> None:
    from mlpress.sim import rtl

    monkeypatch.setenv("PATH", tools(tmp_path / "bin", "sleep 60") + ":/usr/bin:/bin")
    monkeypatch.setattr(rtl, "monotonic", lambda: 0.0)
    results = {result.engine: result for result in verify(design, rows=256, optional_until=left_s)}
    assert results["Icarus Verilog"].verdict == "out of time" and says in results["Icarus Verilog"].note


def test_out_of_time_loses_no_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, design: Design) -> None:
    from mlpress.sim import rtl

    monkeypatch.setenv("PATH", tools(tmp_path / "bin", "sleep 60") + ":/usr/bin:/bin")
    monkeypatch.setattr(rtl, "LIMITS", replace(rtl.LIMITS, seconds=0.3))
    made = pressed(net())
    assert {row["engine"]: row["verdict"] for row in made.facts["verification"]}["Icarus Verilog"] == "out of time"
    made.save(tmp_path / "build")
    report = (tmp_path / "build" / "report.html").read_text()
    assert "Icarus Verilog ran out of time" in report
    assert "DIFFERENT" not in report


def test_a_simulation_that_runs_out_of_time_says_so(design: Design, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlpress.targets.verilog_engines.SIMULATION_LIMIT", -1.0)
    results = {result.engine: result for result in require_equal(design)}
    assert (results["Amaranth"].verdict, results["Amaranth"].rows) == ("out of time", 0)
    assert not results["Amaranth"].equal


def test_reading_that_runs_out_of_time_is_no_difference(design: Design, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object, **__: object) -> None:
        raise OutOfTimeError("Yosys did not end within 1 s")

    monkeypatch.setattr("mlpress.sim.rtl.read_gates", late)
    monkeypatch.setattr("mlpress.targets.printed.read_gates", late)
    results = {result.engine: result for result in require_equal(design)}
    assert results["RTL"].verdict == "out of time"
    assert not results["RTL"].optional
    assert [proof.verdict for proof in prove_soon(design)] == ["out of time", "out of time"]


@pytest.mark.parametrize(
    "line",
    [
        'initial $fopen("x");',
        '`include "/etc/passwd"',
        'initial $display("PASS: 40 rows");',
        "always @(x0) top_tb.failed = 0;",
        "always @(x0) \\top_tb .failed = 0;",
        "initial forever #1;",
        "assign #5 y = x0;",
        'import "DPI-C" function void f();',
        "always @* while (1);",
    ],
)
def test_verilog_that_does_more_than_a_circuit_is_not_simulated(design: Design, line: str) -> None:
    check_circuit("top.v", design.text("top.v"), reserved="top_tb")
    with pytest.raises(MlpressError, match=r"top\.v:\d+: "):
        check_circuit("top.v", design.text("top.v").replace("endmodule", f"{line}\nendmodule"), reserved="top_tb")


def test_our_own_verilog_is_never_refused(scores: Design) -> None:
    program = ir.lower_net(scores.program)
    for style in ("flat", "modules"):
        for registered in (False, True):
            check_circuit("top.v", codegen.to_verilog(program, style=style, registered=registered), reserved="top_tb")


def test_a_bench_knows_its_rows_and_is_smaller_for_large_circuits() -> None:
    lowered = ir.lower_net(net())
    codes = np.random.default_rng(0).integers(0, 16, (1000, 3))
    bench = codegen.testbench(lowered, codes)
    assert isinstance(bench, TestBench)
    assert bench.rows == 256
    assert bench.verdict == "PASS: 256 rows"
    assert codegen.testbench(lowered, codes, most=7).rows == 7
    large = ir.Circuit(
        inputs=lowered.net.inputs,
        ands=chain(60_000),
        outputs=((2 * 60_012,),),
        classes=("a", "b"),
    )
    assert codegen.testbench(large, codes).rows == 4


def chain(gates: int) -> np.ndarray:
    """And-gates, each of the one before and the inverse of an input, that no folding makes fewer."""
    first = 13
    rows = [(2, 4)]
    for k in range(1, gates):
        rows.append(tuple(sorted((2 * (first + k - 1) | 1, 2 * (1 + k % 12) | (k // 12 & 1)))))
    return np.array(rows, np.int32)


def test_random_rows_fill_the_code_space_and_are_repeatable() -> None:
    small, large = net(3), net(6)
    codes = ir.encode(small, probe_rows(small, rows=worth_rows(small)))
    assert len(np.unique(codes, axis=0)) == 1 << 12
    near = np.full((50, 6), 7)
    first, again = (probe_rows(large, rows=20_000, near=near) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    drawn = ir.encode(large, first)[-20_000:]
    assert 4000 < np.sum(np.sum(drawn == 7, axis=1) >= 5) < 6000  # one feature changed
    assert np.sum(np.all((drawn == 0) | (drawn == 15), axis=1)) > 2000
    assert all(set(column) == set(range(16)) for column in drawn.T)
    assert 256 < worth_rows(large) <= MOST_ROWS


def test_rows_of_the_users_own_are_run(folder: Path) -> None:
    rows = np.random.default_rng(5).uniform(0, 8, (23, 3))
    lines = ["f0,f1,f2,colour", *(",".join([*map(str, row), "a"]) for row in rows.tolist())]
    (folder.parent / "more.csv").write_text("\n".join(lines) + "\n")
    plain = json.loads(mlpress("verify", folder, "--json", cwd=folder.parent).stdout)
    done = mlpress("verify", folder, "--data", "more.csv", "--label", "colour", "--json", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rows_given"] == 23
    assert [e["rows"] for e in told["engines"][:4]] == [e["rows"] + 23 for e in plain["engines"][:4]]
    assert mlpress("verify", folder, "--data", "none.csv", cwd=folder.parent).returncode == 2


CELLS = {"NAND2X1": "NOR2X1", "NOR2X1": "NAND2X1", "AND2X1": "OR2X1", "OR2X1": "AND2X1", "XOR2X1": "XNOR2X1"}


def mutants(design: Design, count: int) -> list[Design]:
    """Designs with one cell of another kind, or one operator of the Verilog changed."""
    found = []
    lines = design.text("netlist.v").splitlines()
    for k, line in enumerate(lines):
        kind = line.split()[0] if line.split() else ""
        if kind in CELLS:
            text = "\n".join([*lines[:k], line.replace(kind, CELLS[kind], 1), *lines[k + 1 :]]) + "\n"
            found.append(design.with_file("netlist.v", text))
    for match in re.finditer(r"(?<=[\w\]]) ([&|^]) (?=[\w~(])", design.text("top.v")):
        start, end = match.span(1)
        other = "|" if match[1] != "|" else "&"
        found.append(design.with_file("top.v", design.text("top.v")[:start] + other + design.text("top.v")[end:]))
    chosen = np.random.default_rng(0).permutation(len(found))[:count]
    return [found[k] for k in chosen.tolist()]


@pytest.mark.parametrize("kind", ["net", pytest.param("circuit", marks=pytest.mark.long)])
def test_every_functional_mutation_is_found(design: Design, kind: str) -> None:
    """All rows that there are (12 input bits) say which mutations are functional at all."""
    made = design if kind == "net" else pressed(ir.bit_blast(net()))
    every = probe_rows(made.program, rows=1 << 13)
    codes = np.unique(ir.encode(made.program, every), axis=0)
    assert len(codes) == 1 << 12
    columns = {f"x{k}": codes[:, k] for k in range(3)}
    technology = printed.load_technology("egfet")
    right = ir.interpret(net(), codes).decision
    functional = 0
    for mutant in mutants(made, 24):
        if mutant.text("netlist.v") == made.text("netlist.v"):
            from mlpress.sim import Rtl

            answers = Rtl(mutant.text("top.v")).run(columns)["y"]
        else:
            mapped = printed.parse_netlist(mutant.text("netlist.v"), "top")
            answers = printed.PackedNetlist(mapped, technology).run(columns)["y"]
        if np.array_equal(answers, right):
            continue
        functional += 1
        assert wrong(mutant, rows=4096), mutant
    assert functional >= 12
