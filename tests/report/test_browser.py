"""Reports in a real browser, Debian's chromium: nothing fails, everything can be clicked, and nothing else runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import shown
from support.browser import ATTACK, CHROMIUM, PHONE, WHY_NOT, Opened
from support.design_facts import design_facts

from mlpress import report

pytestmark = pytest.mark.skipif(not CHROMIUM, reason=WHY_NOT)


@pytest.mark.parametrize("kind", ["printed", "searched", "mcu", "ngpc"])
def test_every_kind_opens_without_a_word(browser: Any, tmp_path: Path, kind: str) -> None:
    opened = Opened.of(browser, tmp_path, [getattr(shown, kind)()])
    timing = opened.page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert opened.drawn() >= {"printed": 5, "searched": 3, "mcu": 1, "ngpc": 2}[kind]
    assert timing > 0
    opened.close()


def test_points_are_clicked_and_chosen_by_keys(browser: Any, tmp_path: Path) -> None:
    opened = Opened.of(browser, tmp_path, [shown.printed()])
    opened.drawn()
    page = opened.page
    marks = opened.points()
    others = {"exact network", "tree of 8 leaves", "published one"}
    assert set(marks) == {"0", "1", "this design", "3", "4"} | others
    assert "design 2, this one" in opened.panel()
    marks["1"].click()  # a tree is at the same place
    assert "design 1" in opened.panel()
    marks["4"].click()
    assert "design 4" in opened.panel()
    assert "mlpress pick exact --design 4 -o other" in opened.panel()
    for said in ("fitting rows", "90.0 %", "validation, 90 rows", "70.0 to 90.0 %", "test rows", "80.0 %", "5.63"):
        assert said in opened.panel()
    page.focus("[data-front]")
    page.keyboard.press("ArrowLeft")
    assert "design 3" in opened.panel()
    page.click("[data-step='1']")
    assert "design 4" in opened.panel()
    page.click("text=power in mW")
    opened.drawn()
    opened.points()["0"].click()
    assert "design 0" in opened.panel()
    opened.close()


@pytest.mark.parametrize("kind", ["printed", "searched"])
def test_the_schematic_has_the_gates_of_the_netlist(browser: Any, tmp_path: Path, kind: str) -> None:
    opened = Opened.of(browser, tmp_path, [getattr(shown, kind)()])
    opened.drawn()
    assert opened.gates() == shown.GATES
    opened.close()


def test_files_are_searched(browser: Any, tmp_path: Path) -> None:
    opened = Opened.of(browser, tmp_path, [shown.printed()])
    opened.page.fill("[data-search=file0]", "module")
    assert opened.page.inner_text("#files output") == "1 of 2"
    opened.page.press("[data-search=file0]", "Enter")
    assert opened.page.inner_text("#files output") == "2 of 2"
    assert "endmodule" in opened.page.inner_text("#file0 .here")
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(browser: Any, tmp_path: Path, scheme: str) -> None:
    for designs in ([shown.printed()], [shown.mcu()], [shown.ngpc()], [shown.printed(), shown.searched()]):
        opened = Opened.of(browser, tmp_path, designs, viewport=PHONE, color_scheme=scheme)
        opened.drawn()
        assert opened.width() == 360
        opened.page.screenshot(path=tmp_path / f"{designs[0].folder}-{scheme}.png", full_page=True)
        opened.close()
    assert len(list(tmp_path.glob(f"*-{scheme}.png"))) == 3  # the last one is of the first folder too


def test_hostile_names_run_nothing(browser: Any, tmp_path: Path) -> None:
    facts = json.loads(json.dumps(design_facts()).replace("normal", "@@").replace("model.onnx", "@@"))
    facts |= {"landmarks": shown.landmarks(), "spent": shown.spent(), "front": facts["front"]}
    facts["landmarks"][1]["name"] = facts["spent"]["parts"][0]["of"][1] = "@@"
    facts["source"]["columns"] = {"by": "name", "data": ["@@"], "model": ["@@"]}
    facts["accuracy"] |= {"confusion": [[9, 1, 1], [1, 9, 1], [1, 1, 9]], "missed": shown.missed()}
    facts = json.loads(json.dumps(facts).replace("@@", json.dumps(ATTACK)[1:-1]))
    plain = shown.printed()
    program: Any = plain.program
    inputs = tuple(replace(one, name=ATTACK) for one in program.inputs)
    program = replace(program, inputs=inputs, classes=(ATTACK, *program.classes[1:]))
    files = {"top.v": f"// {ATTACK}\n</code></pre>{ATTACK}\n", "netlist.v": shown.NETLIST}
    opened = Opened.of(browser, tmp_path, [report.Shown(report.read_design(facts), program, files, ATTACK)])
    opened.drawn()
    opened.page.hover("[data-spec=network] .neurons path >> nth=0")
    assert "onerror" in opened.page.inner_text("#vg-tooltip-element")
    assert "HACKED" not in opened.page.title().replace(ATTACK, "")
    assert opened.page.query_selector_all("img, iframe, object") == []
    opened.close()
