"""`mlpress compile --approx` as a user types it: passes alone, without a search."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from support.commands import mlpress
from support.reports import summary_table

from mlpress import Dataset, Design, compile, from_sklearn, verify  # noqa: A004
from mlpress.approx import Accumulate, Multiply, apply
from mlpress.codegen import onnx_model
from mlpress.frontend import quantise
from mlpress.ir import encode, interpret, score_values


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model.onnx, rows.csv and test.csv."""
    from sklearn.neural_network import MLPClassifier

    folder = tmp_path_factory.mktemp("approx")
    data = Dataset.bundled("iris")
    scaled = data.features / data.features.max(axis=0)
    classifier = MLPClassifier((3,), max_iter=150, learning_rate_init=0.03, random_state=0).fit(scaled, data.labels)
    (folder / "model.onnx").write_bytes(onnx_model(from_sklearn(classifier)).SerializeToString())
    table = np.column_stack([scaled, data.labels])
    np.savetxt(folder / "rows.csv", table[::2], delimiter=",", fmt="%.4f")
    np.savetxt(folder / "test.csv", table[1::2], delimiter=",", fmt="%.4f")
    return folder


OPTIONS = ["--data", "rows.csv", "--test", "test.csv", "--effort", "fast", "--json"]


@pytest.fixture(scope="module")
def facts(place: Path) -> dict[str, dict[str, object]]:
    """design.json of the exact circuit and of an approximate one."""
    found = {}
    for name, words in {
        "exact": [],
        "approximate": ["--approx", "multiply:terms=1", "--approx", "accumulate:columns=4"],
    }.items():
        done = mlpress("compile", "model.onnx", *OPTIONS, *words, "-o", name, cwd=place)
        assert done.returncode == 0, done.stderr
        found[name] = json.loads(done.stdout)
    return found


def test_the_program_is_what_the_passes_make(place: Path, facts: dict[str, dict[str, object]]) -> None:
    exact, design = Design.load(place / "exact"), Design.load(place / "approximate")
    assert design.program == apply(exact.program, [Multiply(1), Accumulate(4)])
    assert facts["approximate"]["passes"] == [
        {"name": "multiply", "options": {"terms": 1, "shifts": None}},
        {"name": "accumulate", "options": {"columns": 4, "rounding": 0, "compensate": True}},
    ]
    assert facts["exact"]["passes"] == []


def test_every_engine_equals_the_approximate_program(place: Path, facts: dict[str, dict[str, object]]) -> None:
    results = verify(Design.load(place / "approximate"))
    assert len(results) > 4
    assert all(result.equal for result in results)


def test_what_is_lost_and_saved_is_said(place: Path, facts: dict[str, dict[str, object]]) -> None:
    exact, ours = facts["exact"]["accuracy"], facts["approximate"]["accuracy"]
    assert ours["exact"] == exact["quantised"]
    assert ours["test"]["exact"] == exact["test"]["quantised"]
    assert "exact" not in exact
    design = Design.load(place / "approximate")
    decided = interpret(design.program, encode(design.program, design.features)).decision
    assert ours["quantised"] == np.mean(decided == design.labels)
    assert ours["quantised"] != ours["exact"]
    assert facts["approximate"]["estimate"]["area_cm2"] < facts["exact"]["estimate"]["area_cm2"]
    console = Console(width=400, file=StringIO())
    console.print(summary_table(facts["approximate"]))
    assert f"its exact integers {100 * ours['test']['exact']:.1f}" in console.file.getvalue()


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("divide", "there is no pass 'divide'; the passes are multiply, accumulate, activation, argmax, inputs"),
        ("multiply:bits=2", "multiply has no option 'bits'; its options are terms, shifts"),
        ("inputs:drop=nothing", "there is no input 'nothing' to drop"),
    ],
)
def test_bad_passes_are_one_line(place: Path, word: str, says: str) -> None:
    done = mlpress("compile", "model.onnx", *OPTIONS, "--approx", word, "-o", "none", cwd=place)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not (place / "none").exists()


def test_passes_from_python_on_a_regression() -> None:
    from sklearn.neural_network import MLPRegressor

    rng = np.random.default_rng(0)
    features = rng.uniform(0, 1, (80, 3))
    values = features @ [1.0, -0.5, 0.25]
    estimator = MLPRegressor(hidden_layer_sizes=(3,), max_iter=400, learning_rate_init=0.02, random_state=0).fit(
        features, values
    )
    data = Dataset(features, values, ("a", "b", "c"), ())
    design = compile(from_sklearn(estimator), data, passes=[Multiply(2)], effort="fast")
    accuracy = design.facts["accuracy"]
    assert accuracy["metric"] == "r2"
    assert accuracy["exact"] == quantise(from_sklearn(estimator), data).report.net_score
    net = apply(quantise(from_sklearn(estimator), data).net, [Multiply(2)])
    wrong = values - score_values(net, interpret(net, encode(net, features)).scores)[:, 0]
    assert accuracy["quantised"] == pytest.approx(1 - np.mean(wrong**2) / np.var(values), abs=1e-12)
    assert accuracy["quantised"] != accuracy["exact"]
