"""A target that only the table knows goes through everything: Python, the folder, the report, the command line."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from support.fake_target import FILE
from support.told import classifier, data, rows
from typer.testing import CliRunner

import mlpress as mp
from mlpress import targets
from mlpress.cli import app
from mlpress.codegen import onnx_model
from mlpress.ir import Layer, encode, interpret, to_text

ROOT = Path(__file__).parents[2]
ROW = targets.Row("support.fake_target", "Lookup")


@pytest.fixture(autouse=True, scope="module")
def lookup() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(targets.TARGETS, "lookup", ROW)
        yield


@pytest.fixture(scope="module")
def design(lookup: None) -> mp.Design:
    return mp.compile(classifier(), data(), target="lookup", term_price=0.5, weight_bits=6)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lookup")
    onnx.save(onnx_model(classifier()), folder / "model.onnx")
    features, labels = rows()
    lines = [f"{a:.6f},{b:.6f},{c:.6f},{k}" for (a, b, c), k in zip(features, labels, strict=True)]
    (folder / "rows.csv").write_text("\n".join(["length,width,height,label", *lines]) + "\n")
    return folder


def terms(design: mp.Design) -> int:
    return sum(len(neuron.terms) for layer in design.program.layers for neuron in layer.neurons)


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "200"})


def test_compile_builds_verifies_and_estimates(design: mp.Design) -> None:
    assert list(design.files) == [FILE]
    assert design.facts["kind"] == "lookup"
    assert design.cost == {"price": 0.5 * terms(design)}
    assert design.facts["lookup"] == {"lines": design.text(FILE).count("\n") + 1}
    assert {row["engine"]: row["verdict"] for row in design.facts["verification"]} == {
        "reference interpreter": "equal",
        "onnxruntime": "equal",
        "listing": "equal",
    }


def test_predict_and_accuracy_are_the_reference_interpreters(design: mp.Design) -> None:
    features, _ = rows(500, seed=3)
    decided = interpret(design.program, encode(design.program, features)).decision
    expected = np.asarray(design.program.classes)[decided]
    np.testing.assert_array_equal(design.predict(features), expected)
    np.testing.assert_array_equal(design.predict(features.tolist()), expected)
    assert len(set(expected.tolist())) == 3
    own = interpret(design.program, encode(design.program, design.features)).decision
    assert design.accuracy == float(np.mean(own == design.labels))
    assert 0.5 < design.accuracy <= 1.0


def test_accuracy_is_that_of_test_rows_where_there_are_some() -> None:
    more = data(count=80)
    found = mp.compile(classifier(), data(), target="lookup", input_bits=2, test=more)
    right = found.predict(more.features) == more.labels
    assert found.accuracy == float(np.mean(right)) == found.facts["accuracy"]["test"]["quantised"]


def test_a_folder_comes_back(design: mp.Design, tmp_path: Path) -> None:
    again = mp.Design.load(design.save(tmp_path / "made"))
    assert again.target == design.target == mp.read_target("lookup", term_price=0.5)
    assert again.program == design.program
    assert again.text(FILE) == design.text(FILE)
    assert again.cost == design.cost
    results = mp.verify(again, rows=50)
    assert [result.verdict for result in results] == ["equal"] * 3
    assert mp.prove(again) == []


def test_verify_sees_what_the_target_wrote(design: mp.Design) -> None:
    *first, last = design.program.layers
    wrong = to_text(replace(design.program, layers=(*first, Layer(last.neurons[::-1]))))
    listing = mp.verify(design.with_file(FILE, wrong), rows=50)[-1]
    assert listing.verdict == "different"
    assert "output y" in listing.difference


def test_the_report_says_what_it_costs_and_nothing_of_cells(design: mp.Design, tmp_path: Path) -> None:
    page = (design.save(tmp_path / "made") / "report.html").read_text().replace("\N{NO-BREAK SPACE}", " ")
    assert f"{0.5 * terms(design):.3g}" in page
    assert "EUR" in page
    assert "every term at its price" in page
    assert "for lookup" in page
    assert "lookup cells" not in page
    assert "mapped netlist" not in page


def test_the_command_line(place: Path) -> None:
    build = place / "build"
    words = [place / "model.onnx", "--data", place / "rows.csv", "-t", "lookup", "-O", "term_price=2", "-o", build]
    done = run("compile", *words)
    assert done.exit_code == 0, done.output
    assert "for lookup" in done.stdout
    assert re.search(r"price +\d+(\.\d+)?\sEUR +every term at its price", done.stdout), done.stdout
    assert json.loads((build / "design.json").read_text())["options"]["term_price"] == 2
    checked = run("verify", build, "--json")
    assert checked.exit_code == 0, checked.output
    assert [row["engine"] for row in json.loads(checked.stdout)["engines"]][-1] == "listing"
    assert run("verify", build, "--formal").exit_code == 0
    (build / FILE).write_text("mlpress net 1\n")
    assert run("verify", build).exit_code == 1


def test_the_list_of_targets() -> None:
    assert mp.targets()[-1] == {"name": "lookup", "kind": "lookup", "title": "terms, written out"}
    done = run("targets")
    assert done.exit_code == 0
    line = next(line for line in done.stdout.splitlines() if "lookup" in line)
    assert line.split("terms, written out")[1].split() == ["–", "–"]


def test_a_search_ranks_and_limits_by_the_targets_metric() -> None:
    found = mp.search(classifier(), data(), target="lookup", generations=2, term_price=0.5, max_loss=0.2)
    prices = [each.model["price"] for each in found.front.designs]
    assert all(each.measured == each.cost for each in found.front.designs)
    assert prices == sorted(prices)
    assert found.merged is None
    chosen = found.chosen()
    assert chosen.cost == {"price": 0.5 * terms(chosen)}
    assert chosen.cost == found.front.smallest(max_loss=0.2).cost
    assert chosen.accuracy > found.reference - 0.15
    assert max(each.cost["price"] for each in found.within({"price": 2.0})) <= 2.0
    with pytest.raises(mp.MlpressError, match=r"^no design is within -1 EUR; allow more, or search longer$"):
        found.smallest(most={"price": -1.0})


def test_search_on_the_command_line(place: Path) -> None:
    words = ["--data", place / "rows.csv", "-t", "lookup", "-O", "term_price=0.5", "--generations", "1", "--json"]
    done = run("search", place / "model.onnx", *words, "--max", "price_eur=3", "-o", place / "found")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["cost"]["values"]["price"] <= 3.0
    assert facts["search"]["metric"] == "price_eur"
    assert "tree" not in facts
    header, *rows = (place / "found" / "front.csv").read_text().splitlines()
    assert header == "design,fit_accuracy,validation_accuracy,model_price_eur,price_eur"
    assert len(rows) == len(facts["front"])
    again = mp.Design.load(place / "found")
    assert mp.verify(again, rows=50)[-1].verdict == "equal"
    page = (place / "found" / "report.html").read_text()
    assert "EUR" in page


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"most": {"aera": 1.0}}, "target lookup has no metric 'aera'; there are price"),
        ({"minimise": "power"}, "target lookup has no metric 'power'; there are price"),
        ({"level": "gates"}, "target lookup has no gates to search; search networks with --level integer"),
        ({"most": {"price": -1.0}}, "price is -1.0; it must be 0 or more"),
        ({"effort": "fast"}, "target lookup has no option 'effort'; there are term_price; of every target"),
    ],
)
def test_search_refuses_in_one_line(options: dict[str, Any], says: str) -> None:
    with pytest.raises(mp.MlpressError, match=f"^{re.escape(says)}") as caught:
        mp.search(classifier(), data(), target="lookup", generations=1, **options)
    assert "\n" not in str(caught.value)


def test_a_target_without_costs_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says = "networks for lookup cannot be searched for; compile the model as it is"
    monkeypatch.setattr("support.fake_target.Lookup.cost_model", lambda self, layout: None)
    words = ["--data", place / "rows.csv", "-t", "lookup", "--seconds", "1", "-o", place / "none"]
    done = run("search", place / "model.onnx", *words)
    assert isinstance(done.exception, mp.MlpressError)
    assert str(done.exception) == says
    assert not list(place.glob("none*"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"term_price": -1.0}, "a term costs -1 EUR; give a price above 0"),
        ({"term_price": "dear"}, "option 'term_price' of target lookup is 'dear'; it must be float"),
        ({"effort": "fast"}, "target lookup has no option 'effort'; there are term_price; of every target"),
    ],
)
def test_options_are_refused_in_one_line(options: dict[str, Any], says: str) -> None:
    with pytest.raises(mp.MlpressError, match=f"^{re.escape(says)}") as caught:
        mp.compile(classifier(), data(), target="lookup", **options)
    assert "\n" not in str(caught.value)


def test_a_folder_with_an_ill_typed_option_is_refused(design: mp.Design, tmp_path: Path) -> None:
    path = design.save(tmp_path / "made") / "design.json"
    path.write_text(path.read_text().replace('"term_price": 0.5', '"term_price": []'))
    with pytest.raises(mp.MlpressError, match=r"options.*term_price.*must be float"):
        mp.Design.load(path.parent)


def test_the_page_shows_this_target() -> None:
    page = (ROOT / "docs" / "new-target.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert blocks[0] == (ROOT / "tests" / "support" / "fake_target.py").read_text()
    assert "targets/table.py" in page


def test_pages_name_modules_that_are_there() -> None:
    """Every path and dotted module of mlpress that a page names."""
    missing = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text()
        named = {*re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.py)`", text)}
        missing += [
            f"{page.name}: {path}"
            for path in named
            if not any((base / path).is_file() for base in (ROOT, ROOT / "mlpress"))
        ]
        for name in {*re.findall(r"`mlpress((?:\.[a-z_]+)+)", text)}:
            parts = name.strip(".").split(".")
            place = ROOT / "mlpress" / parts[0]
            if not (place.is_dir() or place.with_suffix(".py").is_file() or parts[0] in mp.__all__):
                missing.append(f"{page.name}: mlpress{name}")
    assert missing == []
