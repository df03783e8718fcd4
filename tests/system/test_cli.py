"""The command line as a user types it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.commands import mlpress

from mlpress import Dataset, Design, compile, verify  # noqa: A004
from mlpress.frontend import load


def apart(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    command = [sys.executable, "-m", "mlpress", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def one_line_error(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("mlpress: ")
    return lines[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small two-layer model.onnx and its rows.csv."""
    folder = tmp_path_factory.mktemp("cli")
    rng = np.random.default_rng(0)
    rows = rng.uniform(0, 1, (120, 4))
    weights = [rng.normal(size=(4, 3)), np.full(3, 0.1), rng.normal(size=(3, 3)), np.zeros(3)]
    hidden = np.maximum(rows @ weights[0] + weights[1], 0)
    scores = hidden @ weights[2]
    weights[3] = -np.median(scores, axis=0)  # so that every class is met
    labels = np.argmax(scores + weights[3], axis=1)
    assert np.bincount(labels).min() > 10
    names = ["w0", "b0", "w1", "b1"]
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["x", "w0", "b0"], ["s"], name="first"),
            helper.make_node("Relu", ["s"], ["h"], name="relu"),
            helper.make_node("Gemm", ["h", "w1", "b1"], ["y"], name="second"),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 3])],
        [numpy_helper.from_array(w.astype(np.float32), n) for w, n in zip(weights, names, strict=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, folder / "model.onnx")
    text = [
        "a,b,c,d,label",
        *(",".join([*(f"{v:.6f}" for v in row), str(k)]) for row, k in zip(rows, labels, strict=True)),
    ]
    (folder / "rows.csv").write_text("\n".join(text) + "\n")
    return folder


@pytest.fixture(scope="module")
def built(place: Path) -> Path:
    done = mlpress(
        "compile", "model.onnx", "--data", "rows.csv", "-o", "build", "--effort", "fast", "--json", cwd=place
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["net"]["topology"] == "4-3-3"
    assert all(engine["equal"] for engine in facts["verification"])
    assert facts["accuracy"]["float"] == 1.0
    return place / "build"


def test_compile_writes_the_whole_folder(built: Path) -> None:
    names = {path.name for path in built.iterdir()}
    assert names == {
        "design.json", "program.mlp", "top.v", "top_tb.v", "netlist.v", "oracle.onnx", "rows.npz", "report.html"
    }  # fmt: skip
    assert not [path for path in built.parent.iterdir() if path.name.startswith(".")]
    assert "model.onnx" in json.loads((built / "design.json").read_text())["source"]["model"]


def test_compile_is_repeatable(place: Path, built: Path) -> None:
    again = apart("compile", "model.onnx", "--data", "rows.csv", "-o", "again", "--effort", "fast", "-q", cwd=place)
    assert again.returncode == 0, again.stderr
    for name in ("program.mlp", "top.v", "top_tb.v", "netlist.v", "oracle.onnx", "rows.npz"):
        assert (built / name).read_bytes() == (place / "again" / name).read_bytes(), name
    one, other = (json.loads((folder / "design.json").read_text()) for folder in (built, place / "again"))
    assert one["command"] == "mlpress compile model.onnx --data rows.csv -o build --effort fast --json"
    assert other["command"] == "mlpress compile model.onnx --data rows.csv -o again --effort fast -q"
    assert one["date"] <= other["date"]
    assert [proof["verdict"] for proof in one["proofs"]] == ["proven", "proven"]
    for facts in (one, other):  # all that is of the run, and not of the design
        del facts["command"], facts["date"], facts["sha256"]["report.html"]
        for proof in facts["proofs"]:
            del proof["seconds"]
    assert one == other


def test_verify_agrees(place: Path, built: Path) -> None:
    done = mlpress("verify", "build", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    engines = {row["engine"]: row for row in json.loads(done.stdout)["engines"]}
    assert {"reference interpreter", "onnxruntime", "RTL", "mapped netlist", "Amaranth"} <= set(engines)
    assert all(row["equal"] for row in engines.values())
    assert all(
        engines[name]["rows"] > 300 for name in ("reference interpreter", "onnxruntime", "RTL", "mapped netlist")
    )


def test_verify_names_the_difference(place: Path, built: Path) -> None:
    design = Design.load(built)
    broken = design.text("netlist.v").replace("NAND2X1", "NOR2X1", 1)
    assert broken != design.text("netlist.v")
    (place / "broken").mkdir()
    for path in built.iterdir():
        (place / "broken" / path.name).write_bytes(path.read_bytes())
    (place / "broken" / "netlist.v").write_text(broken)
    done = mlpress("verify", "broken", "--json", cwd=place)
    assert done.returncode == 1
    wrong = [row for row in json.loads(done.stdout)["engines"] if not row["equal"]]
    assert [row["engine"] for row in wrong] == ["mapped netlist"]
    assert "output y" in wrong[0]["difference"]
    assert "instead of" in wrong[0]["difference"]


def test_verify_names_the_neuron(built: Path) -> None:
    design = Design.load(built)
    graph = onnx.load_from_string(design.oracle)
    bias = next(item for item in graph.graph.initializer if tuple(numpy_helper.to_array(item).shape) in ((3,), (1, 3)))
    changed = numpy_helper.to_array(bias).copy()
    changed.flat[1] += 64
    bias.CopyFrom(numpy_helper.from_array(changed, bias.name))
    results = verify(replace(design, oracle=graph.SerializeToString()))
    wrong = [result for result in results if not result.equal]
    assert [result.engine for result in wrong] == ["onnxruntime"]
    assert "layer 0, neuron 1, sum: " in wrong[0].difference


def test_estimate_own_netlist_and_rtl(place: Path, built: Path) -> None:
    facts = json.loads((built / "design.json").read_text())["estimate"]
    mapped = mlpress("estimate", "build/netlist.v", "--mapped", "--top", "top", "--json", cwd=place)
    assert mapped.returncode == 0, mapped.stderr
    assert json.loads(mapped.stdout)["area_cm2"] == facts["area_cm2"]
    rtl = mlpress("estimate", "build/top.v", "--effort", "fast", "--json", cwd=place)
    assert rtl.returncode == 0, rtl.stderr
    assert json.loads(rtl.stdout)["area_cm2"] == facts["area_cm2"]


def test_estimate_rtl_that_we_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "adder.v").write_text("module adder(input [3:0] a, b, output [4:0] s); assign s = a + b; endmodule\n")
    done = mlpress("estimate", "adder.v", "--top", "adder", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert 0.03 < facts["area_cm2"] < 0.12
    assert [row["voltage"] for row in facts["voltages"]] == [0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["compile", "none.onnx", "--data", "rows.csv"], "none.onnx"),
        (["compile", "model.onnx", "--data", "none.csv"], "none.csv"),
        (["compile", "model.onnx", "--data", "rows.csv", "--target", "paper"], "egfet"),
        (["compile", "model.onnx", "--data", "rows.csv", "--effort", "heroic"], "thorough"),
        (["compile", "model.onnx", "--data", "rows.csv", "--style", "baroque"], "flat, modules"),
        (["compile", "model.onnx", "--data", "rows.csv", "--input-bits", "0"], "input"),
        (["compile", "model.onnx", "--data", "rows.csv", "--label", "colour"], "colour"),
        (["compile", "model.onnx", "--data", "wine"], "feature"),
        (["compile", "model.onnx", "--data", "rows.csv", "--rate", "-1"], "rate"),
        (["compile", "rows.csv", "--data", "rows.csv"], "rows.csv"),
        (["compile", "model.onnx", "--data", "rows.csv", "-o", "rows.csv"], "is a file"),
        (["compile", "model.onnx", "--data", "rows.csv", "-o", "."], "design.json"),
        (["estimate", "none.v"], "none.v"),
        (["estimate", "rows.csv"], "rows.csv"),
        (["verify", "nowhere"], "mlpress compile"),
    ],
)
def test_bad_input_is_one_line(place: Path, words: list[str], says: str) -> None:
    before = {path.name for path in place.iterdir()}
    line = one_line_error(mlpress(*words, cwd=place))
    assert says in line
    assert {path.name for path in place.iterdir()} == before


def test_version_targets_and_help(tmp_path: Path) -> None:
    assert apart("--version", cwd=tmp_path).stdout == "mlpress 0.1.0\n"
    targets = json.loads(mlpress("targets", "--json", cwd=tmp_path).stdout)
    assert [target["name"] for target in targets if target["kind"] == "printed"] == ["egfet", "cnt-tft"]
    shown = mlpress("--help", cwd=tmp_path).stdout
    assert all(command in shown for command in ("compile", "estimate", "verify", "targets"))


def test_the_command_line_starts_light(tmp_path: Path) -> None:
    heavy = "numpy onnx onnxruntime amaranth pyosys sklearn numba matplotlib pyverilog rich jinja2"
    code = f"import sys, mlpress.cli; print(*[m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_python_in_as_few_lines(place: Path, tmp_path: Path) -> None:
    design = compile(
        load(place / "model.onnx"),
        Dataset.from_csv(place / "rows.csv"),
        effort="fast",
        style="modules",
        registered=True,
    )
    folder = design.save(tmp_path / "design")
    assert all(result.equal for result in verify(Design.load(folder)))
    assert "module h0_0_sum_unit" in design.text("top.v")
