"""Any member of a front becomes the design from what the folder holds; reports are written anew; waveforms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import real_designs
from support.told import classifier
from typer.testing import CliRunner

import mlpress as mp
from mlpress import ir
from mlpress.cli import app
from mlpress.errors import MlpressError
from mlpress.report import read_design


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search whose front has an integer level alone, which takes a moment."""
    return real_designs.chosen("integer").save(tmp_path_factory.mktemp("searched") / "build")


def test_the_points_of_a_front_have_all_their_figures(searched: Path) -> None:
    design = mp.Design.load(searched)
    front = json.loads((searched / "front.json").read_text())
    points = design.facts["front"]
    assert [one["design"] for one in points] == list(range(len(front["designs"])))
    assert sum(one["chosen"] for one in points) == 1
    for one in points:
        assert {"fit", "accuracy", "test", "area_cm2", "power_mw", "rows", "interval"} <= one.keys()
    kinds = [one["kind"] for one in design.facts["landmarks"]]
    assert kinds[:2] == ["model", "exact"]
    chosen = next(one for one in points if one["chosen"])
    assert chosen["test"] == pytest.approx(design.facts["accuracy"]["test"]["quantised"])
    spent = design.facts["spent"]["parts"]
    assert sum(part["area_cm2"] for part in spent) == pytest.approx(design.cost["area"])


def test_any_member_is_picked(searched: Path, tmp_path: Path) -> None:
    design = mp.Design.load(searched)
    other = next(one["design"] for one in design.facts["front"] if not one["chosen"])
    result = run("pick", searched, "--design", other, "-o", tmp_path / "other", "--json")
    assert result.exit_code == 0, result.output
    picked = mp.Design.load(tmp_path / "other")
    point = design.facts["front"][other]
    assert [one["design"] for one in picked.facts["front"] if one["chosen"]] == [other]
    assert picked.program != design.program
    assert picked.facts["accuracy"]["test"]["quantised"] == pytest.approx(point["test"])
    rows = picked.features, picked.labels
    right = np.mean(ir.answers(picked.program, ir.encode(picked.program, rows[0])) == rows[1])
    assert picked.facts["accuracy"]["quantised"] == pytest.approx(right)
    assert picked.facts["accuracy"]["float"] == pytest.approx(design.facts["accuracy"]["float"])
    assert picked.facts["options"] == design.facts["options"]
    assert all(row["equal"] for row in picked.facts["verification"])
    assert picked.facts["command"].startswith("mlpress pick build --design")
    back = mp.pick(tmp_path / "other", next(one["design"] for one in design.facts["front"] if one["chosen"]))
    assert back.program == design.program
    assert back.cost["area"] == pytest.approx(design.cost["area"])


@pytest.mark.parametrize(
    ("number", "message"), [(99, "the front has no design 99; there are 0 to"), (-1, "the front has no design -1")]
)
def test_a_design_that_is_not_there(searched: Path, number: int, message: str) -> None:
    with pytest.raises(MlpressError) as caught:
        mp.pick(searched, number)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", '{"format": "mlpress front 3"}', '{"format": "nothing"}'])
def test_a_front_that_is_none(searched: Path, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "build"
    folder.mkdir()
    for file in searched.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "front.json").write_text(text)
    with pytest.raises(MlpressError):
        mp.pick(folder, 0)
    (folder / "front.json").unlink()
    with pytest.raises(MlpressError, match="no result of a search"):
        mp.pick(folder, 0)


def test_reports_are_written_anew_and_side_by_side(searched: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.html", tmp_path / "two.html"
    assert run("report", searched, "-o", one).exit_code == 0
    assert one.read_text() == (searched / "report.html").read_text()
    assert run("report", searched, searched, "-o", two).exit_code == 0
    page = two.read_text()
    assert "2 designs side by side" in page and 'id="d1-accuracy"' in page
    assert run("report", tmp_path, "-o", one).exit_code != 0


def test_mistakes_are_counted(searched: Path) -> None:
    design = mp.Design.load(searched)
    accuracy = read_design(design.facts).accuracy
    assert accuracy is not None and design.kept is not None
    matrix = np.array(accuracy.confusion)
    decided = ir.answers(design.program, ir.encode(design.program, design.features))
    assert matrix.sum() == len(design.labels)
    assert np.trace(matrix) == int(np.sum(decided == design.labels))
    assert accuracy.missed is not None
    only_model = (design.kept.given == design.labels) & (decided != design.labels)
    assert accuracy.missed.count == int(only_model.sum())
    assert [row.row for row in accuracy.missed.rows] == np.flatnonzero(only_model)[:20].tolist()


def test_waveforms_hold_the_rows(searched: Path, tmp_path: Path) -> None:
    design = mp.Design.load(searched)
    path = tmp_path / "out.vcd"
    result = run("run", searched, "--device", "rtl", "--vcd", path)
    assert result.exit_code == 0, result.output
    header, _, body = path.read_text().partition("$enddefinitions $end")
    assert "$scope module top $end" in header and "$scope module neurons $end" in header
    names = {line.split()[4]: line.split()[3] for line in header.splitlines() if line.startswith("$var")}
    values, answers, mark = {}, {}, names["y"]
    now = 0
    for line in body.split("\n"):
        if line.startswith("#"):
            answers[now] = values.get(mark, 0)
            now = int(line[1:])
        elif line.startswith("b"):
            values[line.split()[1]] = int(line[1:].split()[0], 2)
        elif line and line[0] in "01":
            values[line[1:]] = int(line[0])
    answers[now] = values[mark]
    decided = ir.answers(design.program, ir.encode(design.program, design.features)).tolist()
    shown, current = [], 0
    for row in range(len(decided)):
        current = answers.get(row * 200_000, current)
        shown.append(current)
    assert shown == decided
    refused = run("run", searched, "--device", "rtl-pty", "--vcd", path)
    assert refused.exit_code != 0


def test_values_show_themselves_in_a_notebook(searched: Path) -> None:
    design = mp.Design.load(searched)
    hostile = "<script>alert(1)</script>"
    program: Any = design.program
    from dataclasses import replace

    named = replace(program, inputs=tuple(replace(one, name=hostile) for one in program.inputs))
    front = mp_front(searched)
    shown = [design, program, ir.to_circuit(named), front, classifier()]
    for value in shown:
        html = value._repr_html_()
        assert html.startswith("<p><b>") and "<table>" in html and "<script>" not in html
        assert len(repr(value)) < 200
    assert "&lt;script&gt;" in shown[2]._repr_html_()


def mp_front(folder: Path) -> Any:
    from mlpress.approx import IntegerFront

    return IntegerFront.from_json((folder / "front.json").read_text())
