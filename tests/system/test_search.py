"""`mlpress search` as a user types it: a front, a chosen design that every engine agrees on, and the same again."""

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

from mlpress import Dataset, Design, MlpressError, from_sklearn, verify
from mlpress.approx import IntegerFront
from mlpress.ir import to_text
from mlpress.pipeline.compile import Options, build_design
from mlpress.report import read_points
from mlpress.targets import power_limit

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}


def command(*words: object) -> list[str]:
    """The command of a search with few trainings and short chains."""
    return [sys.executable, quick_mlpress.__file__, *map(str, words)]


def mlpress(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    with quick_mlpress.quickened():
        return commands.mlpress(*words, cwd=cwd)


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


OPTIONS = ["--data", "rows.csv", "--level", "integer", "--generations", "3", "--max-loss", "0.05", "--effort", "fast"]
OPTIONS += ["--interface", "binary"]
"""Codes from flash converters, as they come in unless comparators are read."""


@pytest.fixture(scope="module")
def searched(place: Path) -> Path:
    (place / "published.csv").write_text("label,accuracy,area_cm2\n$25 net,0.93,3.5\n")
    words = ["--published", "published.csv", "-o", "found", "--json"]
    done = mlpress("search", "model.onnx", *OPTIONS, *words, cwd=place)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert all(engine["equal"] for engine in facts["verification"])
    return place / "found"


def test_the_folder_is_a_design_with_its_front(searched: Path) -> None:
    names = {path.name for path in searched.iterdir()}
    assert {"design.json", "netlist.v", "front.json", "front.csv", "front.png", "front.svg"} <= names
    assert not list(searched.parent.glob("*.checkpoint*"))
    design = Design.load(searched)
    front = IntegerFront.from_json((searched / "front.json").read_text())
    chosen = front.smallest(max_loss=0.05)
    assert to_text(front.net(chosen)) == (searched / "program.mlp").read_text()
    assert list(chosen.genes) == design.facts["search"]["genes"]
    assert chosen.measured is not None
    assert chosen.measured["area"] == pytest.approx(design.facts["estimate"]["area_cm2"], rel=1e-12)


def test_it_is_smaller_than_the_exact_circuit(place: Path, searched: Path) -> None:
    done = mlpress(
        "compile", "model.onnx", "--data", "rows.csv", "--effort", "fast", "-o", "exact", "--json", cwd=place
    )
    exact = json.loads(done.stdout)["estimate"]["area_cm2"]
    assert Design.load(searched).facts["estimate"]["area_cm2"] < 0.5 * exact


def test_the_same_seed_finds_the_same_on_other_workers(place: Path, searched: Path) -> None:
    words = ["search", "model.onnx", *OPTIONS, "--workers", "1", "-o", "again", "-q"]
    subprocess.run(command(*words), cwd=place, env=ENVIRONMENT, timeout=300, check=True)
    for name in ("program.mlp", "netlist.v", "front.csv"):
        assert (searched / name).read_bytes() == (place / "again" / name).read_bytes(), name
    for name in ("front.png", "front.svg"):  # without the published design
        assert (searched / name).read_bytes() != (place / "again" / name).read_bytes(), name


def test_every_design_of_the_front_passes_verify(place: Path, searched: Path) -> None:
    front = IntegerFront.from_json((searched / "front.json").read_text())
    rows = Dataset.from_csv(place / "rows.csv").for_model(front.start)
    assert len(front.designs) > 5
    for k, candidate in enumerate(front.designs):
        build_design(front.net(candidate), rows.features, rows.labels, Options.of(effort="fast")).save(place / "member")
        design = Design.load(place / "member")
        assert design.program == front.net(candidate)
        results = verify(design)
        assert len(results) > 4
        assert [result.engine for result in results if not result.equal] == [], k
        assert candidate.measured is not None
        assert design.facts["estimate"]["area_cm2"] == pytest.approx(candidate.measured["area"], rel=1e-12)
    assert mlpress("verify", "member", "-q", cwd=place).returncode == 0


def test_converters_are_said_and_can_count(place: Path, searched: Path) -> None:
    done = mlpress("search", "model.onnx", *OPTIONS, "--with-adc", "-o", "whole", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    ours = json.loads(done.stdout)["estimate"]["adc"]
    theirs = Design.load(searched).facts["estimate"]["adc"]
    assert ours["area_cm2"] < theirs["area_cm2"]
    for folder, counted in ((searched, False), (place / "whole", True)):
        front = IntegerFront.from_json((folder / "front.json").read_text())
        chosen = front.smallest(max_loss=0.05)
        adc = Design.load(folder).facts["estimate"]["adc"]
        assert chosen.measured is not None
        assert (chosen.beside["adc_cm2"], chosen.beside["adc_mw"]) == pytest.approx((adc["area_cm2"], adc["power_mw"]))
        own = Design.load(folder).facts["estimate"]["area_cm2"]
        assert chosen.cost["area"] == pytest.approx(own + (adc["area_cm2"] if counted else 0.0))
    assert {"adc_cm2", "adc_mw"} <= set((searched / "front.csv").read_text().splitlines()[0].split(","))


def test_an_interrupted_search_writes_what_it_has_and_goes_on(place: Path) -> None:
    words = [
        "search",
        "model.onnx",
        "--data",
        "rows.csv",
        "--level",
        "integer",
        "--effort",
        "fast",
        "--max-loss",
        "0.05",
    ]
    process = subprocess.Popen(
        command(*words, "--generations", "5000", "-o", "stopped", "--json"),
        cwd=place,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (place / "stopped.checkpoint.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    facts = json.loads(output)
    assert facts["search"]["stopped"] == "interrupted"
    assert all(engine["equal"] for engine in facts["verification"])
    assert "--resume goes on" in " ".join(errors.split())
    ends = facts["search"]["generations"] + 1
    more = mlpress(*words, "--generations", ends, "-o", "stopped", "--resume", "--json", cwd=place)
    again = mlpress(*words, "--generations", ends, "-o", "whole run", "--json", cwd=place)
    assert json.loads(more.stdout)["search"] == json.loads(again.stdout)["search"]
    assert (place / "stopped" / "front.csv").read_bytes() == (place / "whole run" / "front.csv").read_bytes()
    assert not list(place.glob("stopped.checkpoint*"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--budget", "soon"], "90s, 5m or 1h"),
        (["--power-source", "reactor"], "harvester, blue-spark, zinergy, molex"),
        (["--max-loss", "-1"], "max_loss"),
        (["--max", "area"], "is no limit; write name=value, as in flash=1024"),
        (["--max", "aera=1"], "target egfet has no metric 'aera'; there are area, power"),
        (["--minimise", "speed"], "target egfet has no metric 'speed'; there are area, power"),
        (["--published", "rows.csv"], "its columns must be label, accuracy and area_cm2"),
        (["--published", "none.csv"], "cannot read none.csv"),
    ],
)
def test_bad_options_are_one_line(place: Path, words: list[str], says: str) -> None:
    done = mlpress("search", "model.onnx", "--data", "rows.csv", "-o", "none", *words, cwd=place)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert says in done.stderr
    assert not (place / "none").exists()


def test_where_nothing_is_good_enough_the_exact_circuit_is_taken(place: Path) -> None:
    words = [*OPTIONS, "--generations", "1", "--max-loss", "0", "-o", "strict", "--json"]
    facts = json.loads(mlpress("search", "model.onnx", *words, cwd=place).stdout)
    assert facts["accuracy"]["validation"] >= facts["accuracy"]["reference"]


def test_the_tightest_limit_counts() -> None:
    assert power_limit([], None) is None
    assert power_limit(["molex", "blue-spark"], 10.0) == 3.0
    assert power_limit(["molex"], 2.0) == 2.0
    with pytest.raises(MlpressError, match="no power source"):
        power_limit(["sun"], None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("label,accuracy\na,0.9\n", "no column 'area_cm2'"),
        ("label,accuracy,area_cm2\na,0.9,1\nb,high,1\n", ":3: could not convert string to float: 'high'"),
        ("label,accuracy,area_cm2\na,0.9\n", ":2: "),
        ("label,accuracy,area_cm2\na,90,1\n", ":2: accuracy is a share of 1"),
        ("label,accuracy,area_cm2\na,0.9,nan\n", ":2: accuracy is a share of 1 and area_cm2 is above 0"),
    ],
)
def test_bad_published_points_are_one_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "points.csv").write_text(text)
    with pytest.raises(MlpressError) as raised:
        read_points(tmp_path / "points.csv", "area_cm2")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
