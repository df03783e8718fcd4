"""Reports of real designs of every kind of target in a real browser: one compile of each, and each kind of search.

``make test`` opens a compiled one with hostile names; ``make long`` opens all.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from support import real_designs
from support.browser import ATTACK, CHROMIUM, PHONE, WHY_NOT, Opened
from support.real_designs import DESIGNS
from support.told import classifier, rows
from typer.testing import CliRunner

import mlpress as mp
from mlpress.cli import app
from mlpress.codegen import onnx_model
from mlpress.hw.printed import parse_netlist

pytestmark = pytest.mark.skipif(not CHROMIUM, reason=WHY_NOT)

LEAST = {"egfet": 4, "integer": 5, "gates": 4, "both": 4, "cortex-m0plus": 3, "ngpc": 2, "fields": 3, "ecp5-25k": 2}
"""Pictures that a report has at least."""


ON_TOP = """mark => {
    const { x, y, width, height } = mark.getBoundingClientRect();
    const found = document.elementFromPoint(x + width / 2, y + height / 2);
    return found === mark ? null : found.getAttribute("aria-label");
}"""
"""What covers a point of the front: what it is called, null where nothing does."""


@pytest.mark.long
@pytest.mark.parametrize("name", DESIGNS)
def test_the_report_of_a_real_design(browser: Any, tmp_path: Path, name: str) -> None:
    design = DESIGNS[name]()
    folder = design.save(tmp_path / "build")
    opened = Opened(browser, folder / "report.html")
    assert opened.drawn() >= LEAST[name]
    netlist = design.files.get("netlist.v") if design.facts["kind"] == "printed" else None
    if isinstance(netlist, str):
        assert opened.gates() == len(parse_netlist(netlist, "top").names) > 0
    if design.facts.get("front"):
        points_are_chosen(opened, design)
    if design.facts["kind"] != "ngpc":
        (first, *_) = opened.page.query_selector_all("[data-search]")
        first.fill("e")
        assert opened.page.inner_text("#files output").startswith("1 of ")
    opened.close()
    for scheme in ("light", "dark"):
        opened = Opened(browser, folder / "report.html", viewport=PHONE, color_scheme=scheme)
        opened.drawn()
        assert opened.width() == PHONE["width"]
        opened.page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
        opened.close()
    assert (tmp_path / "light.png").read_bytes() != (tmp_path / "dark.png").read_bytes()


def points_are_chosen(opened: Opened, design: mp.Design) -> None:
    """Click every point that is drawn: the panel shows that design; the arrow keys go through all of them."""
    front, panels = design.facts["front"], set()
    metric = next(iter(design.cost))
    chosen = next(one for one in front if one["chosen"])
    assert f"design {chosen['design']}, this one" in opened.panel()
    key = next(key for key in front[0] if key.partition("_")[0] == metric)
    drawn = {"this design" if one["chosen"] else str(one["design"]): one for one in front if one[key] > 1e-9}
    marks = opened.points()
    assert drawn.keys() <= marks.keys()
    for name, one in drawn.items():
        marks[name].scroll_into_view_if_needed()
        on_top = marks[name].evaluate(ON_TOP)
        if on_top is not None:  # another design of the front stands there
            assert on_top.startswith(("design ", "this design"))
            continue
        marks[name].click()
        said = opened.panel()
        assert f"design {one['design']}" in said.splitlines()[0]
        assert f"mlpress pick build --design {one['design']} -o other" in said
        assert metric in said and "validation" in said and "fitting rows" in said
        panels.add(said)
    assert len(panels) > 1
    opened.page.focus("[data-front]")
    for _ in front:
        opened.page.keyboard.press("ArrowLeft")
    for one in front:
        assert f"design {one['design']}" in opened.panel()
        opened.page.keyboard.press("ArrowRight")


TARGETS = ["egfet", "cnt-tft", "cortex-m0plus", "cortex-m4f", "cortex-m33", "rv32imc", "rv32ec", "atmega328p"]
TARGETS += ["ecp5-25k", "ice40-up5k", "ngpc:8", "ngpc:16", "ngpc:32", "ngpc:64"]


@pytest.mark.long
def test_no_target_is_left_out() -> None:
    assert [one["name"] for one in mp.targets()] == TARGETS


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_a_report(browser: Any, tmp_path: Path, target: str) -> None:
    design = real_designs.compiled(target)
    opened = Opened(browser, design.save(tmp_path / "build") / "report.html")
    assert opened.drawn() > 0
    assert "equal" in opened.page.inner_text(".lead")
    opened.close()


@pytest.mark.long
def test_designs_of_all_kinds_side_by_side(browser: Any, tmp_path: Path) -> None:
    folders = [DESIGNS[name]().save(tmp_path / name) for name in ("egfet", "both", "cortex-m0plus", "ecp5-25k")]
    page = tmp_path / "all.html"
    done = CliRunner().invoke(app, ["report", *map(str, folders), "-o", str(page)])
    assert done.exit_code == 0, done.output
    for options in ({}, {"viewport": PHONE}):
        opened = Opened(browser, page, **options)
        assert opened.drawn() > 8
        assert opened.page.inner_text("#compared thead").split() == [folder.name for folder in folders]
        assert opened.page.query_selector_all("#d0-schematic .gates path") != []
        assert opened.page.query_selector_all("#d1-front .points path") != []
        if options:
            assert opened.width() == PHONE["width"]
        opened.close()


def test_hostile_files_run_nothing(browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File names, doc strings, features and classes are markup, from the model file to the page."""
    monkeypatch.chdir(tmp_path)
    named = ATTACK.replace("/", "\N{DIVISION SLASH}")  # what a file may be called
    model = onnx_model(classifier())
    for one in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        one.doc_string = ATTACK
    model.producer_name = model.graph.name = model.domain = ATTACK
    for node in model.graph.node:
        node.name = f"{ATTACK} {node.name}"
    names = [ATTACK, "x", f"<b>{named}"]
    model.metadata_props.add(key="feature_names", value=json.dumps(names))
    onnx.save(model, f"{named}.onnx")
    features, labels = rows()
    with Path(f"{named}.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*names, f"{ATTACK} label"])
        table.writerows([*row, f"{ATTACK} {label}"] for row, label in zip(features.tolist(), labels, strict=True))
    words = ["compile", f"{named}.onnx", "--data", f"{named}.csv", "--test", f"{named}.csv", "-o", named]
    done = CliRunner().invoke(app, [*words, "--input-bits", "2", "--weight-bits", "4", "--activation-bits", "2"])
    assert done.exit_code == 0, done.output
    design = mp.Design.load(named)
    assert [ATTACK in str(name) for name in design.program.classes] == [True] * 3
    assert ATTACK in design.program.inputs[0].name
    opened = Opened(browser, tmp_path / named / "report.html")
    assert opened.drawn() >= LEAST["egfet"]
    opened.page.hover("[data-spec=network] .neurons path >> nth=0")
    assert "onerror" in opened.page.inner_text("#vg-tooltip-element")
    assert "onerror" in opened.page.inner_text("#made")
    assert opened.page.title() == f"{named}.onnx – mlpress"
    assert opened.page.query_selector_all("img, iframe, object, embed") == []
    opened.close()
    assert np.mean(design.predict(features) == [f"{ATTACK} {label}" for label in labels]) > 0.5
