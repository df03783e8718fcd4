"""`mlpress search` as a user types it: a front, a chosen design that every engine agrees on, and the same again."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlpress import Dataset, Design, MlpressError, from_sklearn
from mlpress.approx import Front
from mlpress.ir import to_text
from mlpress.searching import power_limit


def mlpress(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlpress", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with iris as model.onnx and rows.csv."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    from mlpress.codegen import onnx_model

    folder = tmp_path_factory.mktemp("search")
    data = Dataset.bundled("iris")
    classifier = make_pipeline(MinMaxScaler(), MLPClassifier((3,), max_iter=2000, alpha=0.01, random_state=0))
    classifier.fit(data.features, data.labels)
    model = from_sklearn(classifier)
    (folder / "model.onnx").write_bytes(onnx_model(model).SerializeToString())
    np.savetxt(folder / "rows.csv", np.column_stack([data.features, data.labels]), delimiter=",", fmt="%g")
    return folder


OPTIONS = ["--data", "rows.csv", "--generations", "3", "--max-loss", "0.05", "--effort", "fast"]


@pytest.fixture(scope="module")
def searched(place: Path) -> Path:
    done = mlpress("search", "model.onnx", *OPTIONS, "-o", "found", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert all(engine["equal"] for engine in facts["verification"])
    return place / "found"


def test_the_folder_is_a_design_with_its_front(searched: Path) -> None:
    names = {path.name for path in searched.iterdir()}
    assert {"design.json", "netlist.v", "front.json", "front.csv", "front.png", "front.svg"} <= names
    assert not list(searched.parent.glob("*.checkpoint.npz"))
    design = Design.load(searched)
    front = Front.from_json((searched / "front.json").read_text())
    chosen = front.smallest(max_loss=0.05)
    assert to_text(front.net(chosen)) == (searched / "program.mlp").read_text()
    assert list(chosen.genes) == design.facts["search"]["genes"]
    assert chosen.measured is not None
    assert chosen.measured.area_cm2 == pytest.approx(design.facts["estimate"]["area_cm2"], rel=1e-12)


def test_it_is_smaller_than_the_exact_circuit(place: Path, searched: Path) -> None:
    done = mlpress(
        "compile", "model.onnx", "--data", "rows.csv", "--effort", "fast", "-o", "exact", "--json", cwd=place
    )
    exact = json.loads(done.stdout)["estimate"]["area_cm2"]
    assert Design.load(searched).facts["estimate"]["area_cm2"] < 0.5 * exact


def test_the_same_seed_finds_the_same_on_other_workers(place: Path, searched: Path) -> None:
    done = mlpress("search", "model.onnx", *OPTIONS, "--workers", "1", "-o", "again", "-q", cwd=place)
    assert done.returncode == 0, done.stderr
    for name in ("program.mlp", "netlist.v", "front.csv"):
        assert (searched / name).read_bytes() == (place / "again" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--budget", "soon"], "90s, 5m or 1h"),
        (["--power-source", "reactor"], "harvester, blue-spark, zinergy, molex"),
        (["--max-loss", "-1"], "max_loss"),
        (["--resume"], "checkpoint"),
    ],
)
def test_bad_options_are_one_line(place: Path, words: list[str], says: str) -> None:
    done = mlpress("search", "model.onnx", "--data", "rows.csv", "-o", "none", *words, cwd=place)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert says in done.stderr
    assert not (place / "none").exists()


def test_where_nothing_is_good_enough_the_exact_circuit_is_taken(place: Path) -> None:
    words = [
        "--data",
        "rows.csv",
        "--generations",
        "1",
        "--max-loss",
        "0",
        "--effort",
        "fast",
        "-o",
        "strict",
        "--json",
    ]
    facts = json.loads(mlpress("search", "model.onnx", *words, cwd=place).stdout)
    assert facts["accuracy"]["validation"] >= facts["accuracy"]["reference"]


def test_the_tightest_limit_counts() -> None:
    assert power_limit([], None) is None
    assert power_limit(["molex", "blue-spark"], 10.0) == 3.0
    assert power_limit(["molex"], 2.0) == 2.0
    with pytest.raises(MlpressError, match="no power source"):
        power_limit(["sun"], None)
