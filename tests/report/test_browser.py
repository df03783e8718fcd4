"""Reports in a real browser, Debian's chromium: nothing fails, everything can be clicked, and nothing else runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import shown
from support.design_facts import design_facts

from mlpress import report

CHROMIUM = shutil.which("chromium") or ""
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed: apt-get install chromium")

ATTACK = "\"><img src=x onerror=\"document.title='HACKED'\"><script>document.title='HACKED'</script>{{7*7}}'"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Opened:
    """A page that was opened: what its console said, and what it asked the network for."""

    def __init__(self, browser: Any, folder: Path, designs: Sequence[report.Shown], **options: Any) -> None:
        path = folder / f"{'-'.join(one.folder for one in designs)[:40]}.html"
        path.write_text(report.render(designs), encoding="utf-8")
        assert path.stat().st_size < 5_000_000
        self.page = browser.new_page(**({"viewport": {"width": 1280, "height": 900}} | options))
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def drawn(self) -> int:
        """Draw every picture that is in sight, and return how many there are."""
        count = 0
        for box in self.page.query_selector_all("[data-spec]"):
            if box.is_visible():
                box.scroll_into_view_if_needed()
                self.page.wait_for_function("box => 'drawn' in box.dataset", arg=box)
                count += 1
        return count

    def close(self) -> None:
        """Close the page, which has said nothing and asked for nothing."""
        self.page.close()
        assert self.said == []
        assert len(self.asked) == 1, self.asked


@pytest.mark.parametrize("kind", ["printed", "searched", "mcu", "ngpc"])
def test_every_kind_opens_without_a_word(browser: Any, tmp_path: Path, kind: str) -> None:
    opened = Opened(browser, tmp_path, [getattr(shown, kind)()])
    timing = opened.page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert opened.drawn() >= {"printed": 5, "searched": 3, "mcu": 1, "ngpc": 2}[kind]
    assert timing > 0
    opened.close()


def test_points_are_clicked_and_chosen_by_keys(browser: Any, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, [shown.printed()])
    opened.drawn()
    page = opened.page
    marks = page.query_selector_all("[data-front] .mark-symbol.role-mark.points path")
    assert len(marks) == 5 + 3  # the front, the exact network, a tree, a published design
    panel = "[data-point]:not([hidden])"
    assert "design 2, this one" in page.inner_text(panel)
    marks[4].click()
    assert "design 4" in page.inner_text(panel)
    assert "mlpress pick exact --design 4 -o other" in page.inner_text(panel)
    for said in ("fitting rows", "90.0 %", "validation, 90 rows", "70.0 to 90.0 %", "test rows", "80.0 %", "5.63"):
        assert said in page.inner_text(panel).replace("\N{NO-BREAK SPACE}", " ")
    page.focus("[data-front]")
    page.keyboard.press("ArrowLeft")
    assert "design 3" in page.inner_text(panel)
    page.click("[data-step='1']")
    assert "design 4" in page.inner_text(panel)
    page.click("text=power in mW")
    opened.drawn()
    page.query_selector_all("#front-pane1 .points path")[0].click()
    assert "design 0" in page.inner_text(panel)
    opened.close()


@pytest.mark.parametrize("kind", ["printed", "searched"])
def test_the_schematic_has_the_gates_of_the_netlist(browser: Any, tmp_path: Path, kind: str) -> None:
    opened = Opened(browser, tmp_path, [getattr(shown, kind)()])
    opened.drawn()
    assert len(opened.page.query_selector_all("#schematic .mark-path.role-mark.gates path")) == shown.GATES
    opened.close()


def test_files_are_searched(browser: Any, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, [shown.printed()])
    opened.page.fill("[data-search=file0]", "module")
    assert opened.page.inner_text("#files output") == "1 of 2"
    opened.page.press("[data-search=file0]", "Enter")
    assert opened.page.inner_text("#files output") == "2 of 2"
    assert "endmodule" in opened.page.inner_text("#file0 .here")
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(browser: Any, tmp_path: Path, scheme: str) -> None:
    for designs in ([shown.printed()], [shown.mcu()], [shown.ngpc()], [shown.printed(), shown.searched()]):
        opened = Opened(browser, tmp_path, designs, viewport={"width": 360, "height": 740}, color_scheme=scheme)
        opened.drawn()
        assert opened.page.evaluate("document.documentElement.scrollWidth") == 360
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
    opened = Opened(browser, tmp_path, [report.Shown(report.read_design(facts), program, files, ATTACK)])
    opened.drawn()
    opened.page.hover("[data-spec=network] .neurons path >> nth=0")
    assert "onerror" in opened.page.inner_text("#vg-tooltip-element")
    assert "HACKED" not in opened.page.title().replace(ATTACK, "")
    assert opened.page.query_selector_all("img, iframe, object") == []
    opened.close()
