"""`mlpress search` with gates: designs that every engine and proof agrees on, and the same again whatever happens."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support import commands, quick_mlpress

from mlpress import Dataset, Design, from_sklearn, ir
from mlpress.approx.gates import CircuitFront

ROOT = str(Path(__file__).resolve().parents[2])
ENVIRONMENT = os.environ | {"PYTHONPATH": ROOT}

COMMON = ["--data", "rows.csv", "--max-loss", "0.05", "--effort", "fast", "--input-bits", "3", "--weight-bits", "4"]
GATES = [*COMMON, "--level", "gates", "--rounds", "2"]
BOTH = [*COMMON, "--level", "both", "--generations", "2", "--rounds", "3", "--start", "tree"]


def command(words: tuple[object, ...]) -> list[str]:
    return [sys.executable, quick_mlpress.__file__, *map(str, words)]


def mlpress(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    with quick_mlpress.quickened():
        return commands.mlpress(*words, cwd=cwd)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with iris as model.onnx, rows.csv, and every third row once more as test.csv."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    from mlpress.codegen import onnx_model

    folder = tmp_path_factory.mktemp("levels")
    data = Dataset.bundled("iris")
    classifier = make_pipeline(MinMaxScaler(), MLPClassifier((2,), solver="lbfgs", max_iter=500, random_state=0))
    classifier.fit(data.features, data.labels)
    (folder / "model.onnx").write_bytes(onnx_model(from_sklearn(classifier)).SerializeToString())
    rows = np.column_stack([data.features, data.labels])
    np.savetxt(folder / "rows.csv", rows, delimiter=",", fmt="%g")
    np.savetxt(folder / "test.csv", rows[::3], delimiter=",", fmt="%g")
    return folder


@pytest.fixture(scope="module")
def both(place: Path) -> Path:
    words = [*BOTH, "--test", "test.csv", "--workers", "2", "-o", "both", "--json"]
    done = mlpress("search", "model.onnx", *words, cwd=place)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert len(facts["verification"]) > 3
    assert all(engine["equal"] for engine in facts["verification"])
    return place / "both"


def test_the_folder_is_a_design_with_both_fronts(both: Path) -> None:
    names = {path.name for path in both.iterdir()}
    kinds = ("json", "csv", "png", "svg")
    assert {"design.json", "program.mlp", "top.v", "netlist.v", *(f"front.{kind}" for kind in kinds)} <= names
    assert {f"integer_front.{kind}" for kind in kinds} <= names
    assert not list(both.parent.glob("both.checkpoint*"))
    front = front_of(both)
    assert front.rounds == 3
    assert any(design.start.startswith("tree of") for design in front.designs)
    assert all(design.measured is not None for design in front.designs)


def test_the_facts_name_the_search_and_the_tree(both: Path) -> None:
    design = Design.load(both)
    facts = design.facts
    assert facts["search"]["level"] == "gates"
    assert facts["search"]["moves"] > 10_000
    tree = facts["tree"]
    assert tree["area_cm2"] > 0
    assert tree["power_mw"] > 0
    assert min(tree["fit"], tree["validation"], tree["test"]) > 0.5
    rows = Dataset.from_csv(both.parent / "test.csv")
    codes = ir.encode(design.program, rows.features)
    circuit = isinstance(design.program, ir.Circuit)
    decided = (ir.interpret_circuit if circuit else ir.interpret)(design.program, codes).decision
    assert facts["accuracy"]["test"]["quantised"] == np.mean(decided == rows.labels)
    assert facts["accuracy"]["validation"] >= facts["accuracy"]["reference"] - 0.05


def test_gates_alone_end_in_a_circuit(place: Path) -> None:
    """Of codes: behind comparators trees are always among the starts."""
    words = [*GATES, "--interface", "binary", "-o", "gates", "--max-loss", "1", "--json"]
    done = mlpress("search", "model.onnx", *words, cwd=place)
    assert done.returncode == 0, done.stderr
    design = Design.load(place / "gates")
    assert isinstance(design.program, ir.Circuit)
    ir.verify(design.program)
    facts = json.loads(done.stdout)
    assert facts["circuit"]["and_gates"] == len(design.program.ands)
    assert facts["search"]["rounds"] == 2
    assert not (place / "gates" / "integer_front.json").exists()
    assert not any("tree" in found.start for found in front_of(place / "gates").designs)


def front_of(folder: Path) -> CircuitFront:
    """The front of the gate level: on its own, or beside that of both levels."""
    both = folder / "gate_front.json"
    return CircuitFront.from_json((both if both.is_file() else folder / "front.json").read_text())


def same(one: Path, other: Path) -> None:
    for name in ("program.mlp", "netlist.v", "front.csv", "integer_front.csv", "gate_front.csv"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_the_design_passes_verify_and_its_proofs(both: Path) -> None:
    found = mlpress("verify", both.name, "--formal", "--json", cwd=both.parent)
    assert found.returncode == 0, found.stderr
    assert [proof["verdict"] for proof in json.loads(found.stdout)["proofs"]] == ["proven", "proven"]


@pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.long)])
def test_stopped_among_gates_and_resumed_it_finds_the_same(place: Path, both: Path, how: signal.Signals) -> None:
    """Its rounds have no end; once it has kept one it is stopped, and one worker goes on to those of the whole run."""
    name = f"stopped by {how.name}"
    endless = [*BOTH[:-4], "--rounds", "100000", *BOTH[-2:]]
    kept = place / f"{name}.checkpoint.gates.npz"
    words = ("search", "model.onnx", *endless, "-o", name, "--json")
    process = subprocess.Popen(
        command(words), cwd=place, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not kept.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(how)
    output, errors = process.communicate(timeout=120)
    ends = 3
    if how is signal.SIGINT:
        assert process.returncode == 0, errors
        facts = json.loads(output)["search"]
        assert facts["stopped"] == "interrupted"
        ends = max(ends, facts["rounds"] + 1)
        assert front_of(place / name).rounds < ends
    else:
        assert process.returncode == -signal.SIGKILL
        assert not (place / name).exists()
        ends = max(ends, len(json.loads(str(np.load(kept)["facts"]))["energies"]) + 1)
    whole = [*BOTH[:-4], "--rounds", ends, *BOTH[-2:]]
    resumed = mlpress("search", "model.onnx", *whole, "-o", name, "--resume", "--workers", "1", "-q", cwd=place)
    assert resumed.returncode == 0, resumed.stderr
    undisturbed = both
    if ends > 3:
        undisturbed = place / f"undisturbed {ends}"
        done = mlpress("search", "model.onnx", *whole, "-o", undisturbed.name, "-q", cwd=place)
        assert done.returncode == 0, done.stderr
    same(place / name, undisturbed)
    assert not list(place.glob(f"{name}.checkpoint*"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--level", "gate"], "'integer', 'gates', 'both'"),
        (["--start", "forest"], "'model', 'tree'"),
    ],
)
def test_bad_options_are_one_line(place: Path, words: list[str], says: str) -> None:
    done = mlpress("search", "model.onnx", "--data", "rows.csv", "-o", "none", *words, cwd=place)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place / "none").exists()
