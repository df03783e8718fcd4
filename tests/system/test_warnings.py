"""What is suspicious is said aloud, kept in the design, shown in its report, and an error with --strict."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from rich.console import Console
from support.design_facts import design_facts
from support.pages import Page
from support.reports import render, summary_table
from support.told import NAMES, Told, classifier, data, rows
from typer.testing import CliRunner

from mlpress import Dataset, MlpressError, compile, ir  # noqa: A004
from mlpress.approx import Budget, Multiply, apply
from mlpress.cli import app
from mlpress.codegen import onnx_model
from mlpress.frontend import quantise
from mlpress.intervals import accuracy_interval
from mlpress.ir import Dense, Linear, Model, ScoresHead
from mlpress.pipeline import search as searching
from mlpress.pipeline.accuracy import accuracy, accuracy_facts
from mlpress.pipeline.compile import Options
from mlpress.pipeline.preparation import Prepared, prepare
from mlpress.pipeline.suspicions import of_loss, of_test
from mlpress.progress import Silent, recorded


def warnings_of(model: Model, dataset: Dataset, test: Dataset | None = None) -> list[str]:
    return list(prepare(model, dataset, Options.of().quantisation, test=test).warnings)


def prepared(dataset: Dataset | None = None, test: Dataset | None = None) -> Prepared:
    return prepare(classifier(), dataset or data(), Options.of().quantisation, test=test)


def test_a_model_on_its_own_rows_gives_no_warning() -> None:
    assert warnings_of(classifier(), data(), data(count=60)) == []


def test_labels_in_another_order_than_the_trainers() -> None:
    """The trainer counted tall, wide, long as 0, 1, 2; sorted order is long, tall, wide."""
    low, other = warnings_of(classifier(), data(("tall", "wide", "long")))
    assert low.startswith("the model decides 0.0 % of 120 rows rightly, less than the 35.0 % that always saying")
    assert low.endswith("; likely causes: labels in another order than the trainer's")
    assert other == (
        "the labels seem to be in another order than the trainer's: the model decides 0.0 % of 120 rows rightly, but "
        "100.0 % where long is 2, tall is 0, wide is 1; call the labels in the data as the model calls its classes"
    )


def test_two_labels_of_three_in_another_order_are_seen_above_the_largest_class_too() -> None:
    features, labels = rows(300)
    features[labels == 0] = features[labels == 0][:1]  # most rows are of class 0
    kept = np.flatnonzero((labels == 0) | (np.arange(300) % 2 == 0))
    swapped = Dataset.from_arrays(features[kept], np.array([0, 2, 1])[labels[kept]], NAMES)
    assert warnings_of(classifier(), swapped) == [
        "the labels seem to be in another order than the trainer's: the model decides 50.0 % of 196 rows rightly, but "
        "100.0 % where 0 is 0, 1 is 2, 2 is 1; call the labels in the data as the model calls its classes"
    ]


def test_shuffled_columns_without_names_are_a_likely_cause() -> None:
    features, labels = rows()
    low, *_ = warnings_of(classifier(("x[0]", "x[1]", "x[2]")), Dataset.from_arrays(features[:, [1, 2, 0]], labels))
    assert "less than the 35.0 % that always saying" in low
    assert "columns in another order than in training; they are taken as they come, 3 without names" in low


@pytest.mark.parametrize(
    ("scale", "gain", "said"),
    [
        (1.0, [-1, -500, -3000], "scaling (the model has no scaling of its own and is fed values of up to 2.9"),
        (0.5, [-1, -500, -3000], "scaling (the model scales its inputs, to values of up to 1."),
        (0.01, [-0.001, -1, -1.5], "scaling (after the model's own the rows span only 0.00"),
    ],
)
def test_scaling_is_a_likely_cause(scale: float, gain: list[float], said: str) -> None:
    features, labels = rows()
    wrong = Dataset.from_arrays(features * gain, labels, NAMES)
    model = replace(classifier(), scale=np.full(3, scale))
    (low,) = [text for text in warnings_of(model, wrong) if "that always saying" in text]
    assert said in low


def test_columns_that_the_models_own_scaling_takes_far_off() -> None:
    """Shuffled columns that the model still decides better by than by guessing."""
    features, labels = rows()
    units = np.array([1.0, 1.0, 2000.0])
    model = replace(classifier(("x[0]", "x[1]", "x[2]")), scale=1 / units + np.array([0, 0.001, 0]))
    assert warnings_of(model, Dataset.from_arrays(features * units, labels, NAMES)) == []
    shuffled = Dataset.from_arrays((features * units)[:, [0, 2, 1]], labels, ("length", "height", "width"))
    assert [text for text in warnings_of(model, shuffled) if "own scaling" in text] == [
        "the model's own scaling takes height far off (height to about 1.11e+03, where scaled values are about 1); "
        "likely causes: columns in another order than in training; they are taken in the data's order: length, "
        "height, width (--features names the order that the model expects); other units than in training"
    ]


def test_a_regression_worse_than_the_mean() -> None:
    features, _ = rows()
    model = Model(NAMES, np.ones(3), np.zeros(3), (Dense(np.ones((1, 3)), np.zeros(1), Linear()),), ScoresHead(), ())
    wrong = Dataset.from_arrays(features, 100 - features.sum(axis=1), NAMES, task="regression")
    assert warnings_of(model, wrong)[0].startswith("the model predicts 120 rows worse than their mean would (R² -")


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (
            1,
            "1 training row is few: 1 right of 1 means an accuracy of 20.7 to 100.0 % (95 % interval); give 30 or more",
        ),
        (10, "10 training rows are few: 9 right of 10 means an accuracy of 59.6 to 98.2 % (95 % interval); give 30"),
    ],
)
def test_few_rows(count: int, said: str) -> None:
    assert warnings_of(classifier(), data().take(np.arange(count)))[0].startswith(said)
    assert any("30 training rows are few" in text for text in warnings_of(classifier(), data(count=30))) is False


def test_few_test_rows() -> None:
    found = warnings_of(classifier(), data(), data(count=12))
    assert found == [
        "12 test rows are few: 11 right of 12 means an accuracy of 64.6 to 98.5 % (95 % interval); give 30 or more"
    ]


def test_one_class_only() -> None:
    _, labels = rows(200)
    only = data(count=200).take(labels == 1)
    assert warnings_of(classifier(), only) == [
        "all training rows are of one class (1): always saying it would be right, so they tell nothing"
    ]


def test_a_constant_feature() -> None:
    features, _ = rows()
    features[:, 1] = 0.5
    flat = Dataset.from_arrays(features, np.argmax(features, axis=1), NAMES)
    assert warnings_of(classifier(), flat) == [
        "the same value in all training rows has width: the circuit is made for that value alone; drop what carries "
        "nothing, or give rows in which it varies"
    ]


def test_few_validation_rows() -> None:
    told = Told()
    dataset = data().take(np.arange(40))
    with pytest.raises(RuntimeError, match="far enough"):
        searching.search_model(classifier(), dataset, Budget(1), Options.of(effort="fast"), progress=Stopping(told))  # type: ignore[arg-type]
    assert told.warnings == [
        "9 validation rows are few: 8 right of 9 means an accuracy of 56.5 to 98.0 % (95 % interval); give 30 or more"
    ]


class Stopping:
    """A progress that ends the search where it begins in earnest."""

    def __init__(self, told: Told) -> None:
        self.warn, self.note = told.warn, told.note

    def step(self, name: str) -> None:
        if name == "prepare the search":
            raise RuntimeError("far enough")


def test_reading_leaves_remarks_that_are_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    features, labels = rows()
    lines = [",".join(NAMES) + ",y", *(f"{a},{b},{c},{k}" for (a, b, c), k in zip(features, labels, strict=True))]
    (tmp_path / "iris").write_text("\n".join(lines) + "\n")
    assert warnings_of(classifier(), Dataset.read("iris")) == list(Dataset.read("iris").remarks)


def test_accuracies_are_those_of_the_program_on_the_same_rows() -> None:
    """The share of equal answers was that of the exact network, beside accuracies of an approximated one."""
    given = prepared(test=data(count=60))
    net = apply(given.quantised.net, [Multiply(terms=0)])
    circuit = ir.bit_blast(net)
    for program in (net, circuit):
        facts = given.accuracy(program)
        for found, on in ((facts, given.rows), (facts["test"], given.tests)):
            assert on is not None
            decided = ir.interpret(net, ir.encode(net, on.features)).decision
            wanted = ir.interpret_model(given.model, on.features)[1]
            assert decided is not None
            assert found["quantised"] == np.mean(decided == on.labels) == accuracy(program, on)
            assert found["agreement"] == np.mean(decided == wanted)
            assert found["agreement"] < 1.0
            assert found["exact"] == accuracy(given.quantised.net, on)
            assert found["rows"] == len(on)
            for name in ("float", "quantised", "agreement", "exact"):
                assert found["intervals"][name] == list(accuracy_interval(found[name], len(on)))


def test_the_exact_networks_accuracies_are_counted_as_any_others() -> None:
    given = prepared()
    net = given.quantised.net
    facts = given.accuracy(net)
    decided = ir.interpret(net, ir.encode(net, given.rows.features)).decision
    assert facts["quantised"] == np.mean(decided == given.rows.labels)
    assert facts["agreement"] == np.mean(decided == ir.interpret_model(given.model, given.rows.features)[1])
    assert "exact" not in facts
    assert facts["majority"] == np.bincount(given.rows.labels).max() / 120


def test_a_circuit_far_below_its_model() -> None:
    given = prepared()
    facts = given.accuracy(apply(given.quantised.net, [Multiply(terms=0)]))
    (found,) = of_loss(facts, approximated=True)
    assert "of 120 rows rightly, the model 100.0 %: the approximation that was asked for is too rough" in found
    assert of_loss(given.accuracy(given.quantised.net), approximated=False) == []
    coarse = prepare(classifier(), data(), Options.of(input_bits=1, weight_bits=2).quantisation)
    (found,) = of_loss(coarse.accuracy(coarse.quantised.net), approximated=False)
    assert "more --input-bits or --weight-bits may help" in found


def test_a_test_accuracy_below_the_interval() -> None:
    test = {"rows": 500, "quantised": 0.926, "intervals": {"quantised": list(accuracy_interval(0.926, 500))}}
    facts = {
        "metric": "accuracy",
        "quantised": 0.99,
        "rows": 1000,
        "validation": 0.981,
        "validation_rows": 1000,
        "intervals": {
            "quantised": list(accuracy_interval(0.99, 1000)),
            "validation": list(accuracy_interval(0.981, 1000)),
        },
        "test": test,
    }
    assert of_test(facts) == [
        "the circuit decides 92.6 % of 500 rows of test rightly (90.0 to 94.6 %), below the validation rows' "
        "97.1 to 98.8 % (98.1 % of 1000 rows): expect the test rows' accuracy in use, and see whether they differ in "
        "kind"
    ]
    without = {name: value for name, value in facts.items() if name != "validation"}
    assert "below the training rows' 98.2 to 99.5 % (99.0 % of 1000 rows)" in of_test(without)[0]
    assert of_test(facts | {"test": test | {"quantised": 0.975}}) == []
    assert of_test(facts | {"test": test | {"quantised": 1.0}}) == []
    assert of_test(facts | {"test": None}) == []


def test_python_callers_hear_warnings_as_pythons_own() -> None:
    progress, kept = recorded(Silent())
    with pytest.warns(UserWarning, match="beware"):
        progress.warn("beware")
    assert kept == ["beware"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model.onnx, and rows.csv whose class names are in another order than the model's."""
    folder = tmp_path_factory.mktemp("warned")
    onnx.save(onnx_model(classifier()), folder / "model.onnx")
    features, labels = rows()
    for name, classes in (("rows.csv", ("tall", "wide", "long")), ("right.csv", (0, 1, 2))):
        lines = [f"{c:.6f},{a:.6f},{b:.6f},{classes[k]}" for (a, b, c), k in zip(features, labels, strict=True)]
        (folder / name).write_text("\n".join(["height,length,width,label", *lines]) + "\n")
    return folder


@pytest.mark.parametrize("command", ["compile", "search"])
def test_strict_ends_in_one_line_and_writes_nothing(
    place: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    words = [command, "model.onnx", "--data", "rows.csv", "--features", "length,width,height", "-o", "none", "--strict"]
    done = CliRunner().invoke(app, [*words, "-q"])
    assert isinstance(done.exception, MlpressError)
    assert "less than the 35.0 % that always saying" in str(done.exception)
    assert str(done.exception).endswith("(a warning, made an error by --strict)")
    assert not list(place.glob("none*"))


@pytest.mark.parametrize("command", ["compile", "search", "verify", "estimate"])
def test_every_command_that_works_has_strict(command: str) -> None:
    assert "--strict" in CliRunner().invoke(app, [command, "--help"], terminal_width=200).output


def test_compile_prints_the_mapping_and_keeps_its_warnings(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    words = ["--data", "rows.csv", "--features", "length,width,height", "--effort", "fast", "-o", "build", "--json"]
    done = CliRunner().invoke(app, ["compile", "model.onnx", *words], env={"COLUMNS": "500"})
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    told = done.stderr.splitlines()
    assert (
        "note: labels are matched to the model's counted classes in their order: long is 0, tall is 1, wide is 2"
        in told
    )
    assert "note: columns are matched by name, and put in the model's order: length, width, height" in told
    assert facts["source"]["labels"] == {"by": "order", "pairs": [["long", 0], ["tall", 1], ["wide", 2]]}
    assert facts["source"]["columns"]["data"] == ["length", "width", "height"]
    assert [f"warning: {text}" for text in facts["warnings"]] == [line for line in told if line.startswith("warning")]
    assert len(facts["warnings"]) == 2
    page = Page((place / "build" / "report.html").read_text())
    assert page.text.index(facts["warnings"][1]) < page.text.index("What it is")
    for name in ("long", "tall", "wide", "labels", "columns", "height"):
        assert name in page.sections["data"].lower()


def test_features_put_shuffled_columns_right(place: Path) -> None:
    shuffled = Dataset.from_csv(place / "right.csv")
    unnamed = replace(classifier(), inputs=("x[0]", "x[1]", "x[2]"))
    told = Told()
    design = compile(
        unnamed, shuffled, features=["length", "width", "height"], test=shuffled, effort="fast", progress=told
    )
    assert design.facts["accuracy"]["float"] == 1.0
    assert told.warnings == design.facts["warnings"]
    assert [one.name for one in design.program.inputs] == ["length", "width", "height"]


def test_the_report_shows_rows_and_intervals_of_every_accuracy() -> None:
    facts = design_facts()
    accuracy = facts["accuracy"]
    for found in (accuracy, accuracy["test"]):
        names = [name for name in ("float", "quantised", "agreement") if name in found]
        found["intervals"] = {name: list(accuracy_interval(found[name], found["rows"])) for name in names}
    accuracy |= {"validation": 0.88, "validation_rows": 99}
    accuracy["intervals"]["validation"] = list(accuracy_interval(0.88, 99))
    text = Page(render(facts)).sections["accuracy"].replace("\N{NO-BREAK SPACE}", " ")
    for said in ("398", "87.2 to 93.0 %", "171", "84.0 to 93.2 %", "99", "80.1 to 93.0 %"):
        assert said in text, said
    with Console(width=200) as console, console.capture() as printed:
        console.print(summary_table(facts))
    assert "on 171 test rows (84.0 to 93.2" in printed.get().replace("\N{NO-BREAK SPACE}", " ")
    assert "88.0 % on 99 validation rows (80.1 to 93.0" in printed.get().replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a\nb\x07"])
def test_warnings_in_the_report_are_text(text: str) -> None:
    facts = design_facts() | {"front": None, "warnings": [text]}
    facts["source"] |= {
        "labels": {"by": text, "pairs": [[text, 0], text, [text]]},
        "columns": {"by": text, "data": [text], "model": [text, text]},
    }
    page = Page(render(facts))
    assert [attributes.get("id") for attributes, _ in page.scripts] == ["specs", None]
    assert "\x07" not in page.text


def test_accuracy_facts_of_a_regression_have_no_intervals() -> None:
    features, _ = rows()
    model = Model(NAMES, np.ones(3), np.zeros(3), (Dense(np.ones((1, 3)), np.zeros(1), Linear()),), ScoresHead(), ())
    dataset = Dataset.from_arrays(features, features.sum(axis=1), NAMES, task="regression")
    quantised = quantise(model, dataset)
    facts = accuracy_facts(model, quantised, quantised.net, dataset, dataset)
    assert facts["float"] == pytest.approx(1.0)
    assert facts["test"]["quantised"] == pytest.approx(facts["quantised"])
    assert "intervals" not in facts
    assert "majority" not in facts
