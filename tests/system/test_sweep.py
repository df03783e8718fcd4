"""A sweep compiles a model for targets and widths, and gives one table and one picture."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import onnx
import pytest
from support.pages import Page
from support.told import classifier, data, rows
from typer.testing import CliRunner

import mlpress as mp
from mlpress import targets
from mlpress.cli import app
from mlpress.codegen import onnx_model
from mlpress.errors import MlpressError
from mlpress.pipeline.sweep import Grid, sweep


@pytest.fixture(autouse=True)
def lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(targets.TARGETS, "lookup", targets.Row("support.fake_target", "Lookup"))


def test_every_combination_has_the_row_of_its_own_compile() -> None:
    found = sweep(classifier(), data(), Grid(("lookup",), (2, 3), (4, 6)))
    assert [(row["input_bits"], row["weight_bits"]) for row in found.rows] == [(2, 4), (2, 6), (3, 4), (3, 6)]
    for row in found.rows:
        bits = {name: row[name] for name in ("input_bits", "weight_bits", "activation_bits")}
        design = mp.compile(classifier(), data(), target="lookup", **bits)
        assert row["accuracy"] == design.accuracy and row["price_eur"] == design.cost["price"]
    assert list(csv.DictReader(io.StringIO(found.to_csv())))[3]["weight_bits"] == "6"
    assert "<table>" in found._repr_html_() and repr(found) == "Swept(4 designs)"


def test_the_command_writes_a_table_and_a_page(tmp_path: Path) -> None:
    onnx.save(onnx_model(classifier()), tmp_path / "model.onnx")
    features, labels = rows()
    lines = [f"{a:.6f},{b:.6f},{c:.6f},{k}" for (a, b, c), k in zip(features, labels, strict=True)]
    (tmp_path / "rows.csv").write_text("\n".join(["length,width,height,label", *lines]) + "\n")
    words = ["sweep", tmp_path / "model.onnx", "--data", tmp_path / "rows.csv", "--target", "lookup"]
    words += ["--input-bits", "2,3", "--weight-bits", "4,6", "-o", tmp_path / "out", "--json"]
    result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exit_code == 0, result.output
    designs = json.loads(result.stdout)["designs"]
    assert len(designs) == 4
    page = Page((tmp_path / "out" / "sweep.html").read_text())
    assert list(page.sections) == ["picture", "table"]
    drawn = json.loads(page.scripts[0][1])["sweep-0"]
    points = next(one["values"] for one in drawn["data"] if one["name"] == "points_rows")
    assert [(point["x"], point["y"]) for point in points] == [(row["price_eur"], row["accuracy"]) for row in designs]
    assert (tmp_path / "out" / "sweep.csv").read_text().count("\n") == 5


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (Grid(()), "the sweep has 0 combinations; give 1 to 200"),
        (Grid(("lookup", "lookup")), "the sweep names a target or a width twice; name each once"),
        (Grid(("lookup",), (99,)), "every combination was refused; the first: "),
    ],
)
def test_sweeps_that_are_none(grid: Grid, message: str) -> None:
    with pytest.raises(MlpressError) as caught:
        sweep(classifier(), data(), grid)
    assert str(caught.value).startswith(message)


def test_widths_are_whole_numbers() -> None:
    result: Any = CliRunner().invoke(app, ["sweep", "x.onnx", "--data", "y.csv", "--input-bits", "2,x"])
    assert isinstance(result.exception, MlpressError)
    assert str(result.exception) == "--input-bits '2,x' is no list of whole numbers; write 2,3,4"
