"""The HTML report: nothing escapes into markup, every part may be missing, nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.design_facts import design_facts
from support.pages import Page
from support.reports import render

from mlpress import report
from mlpress.errors import MlpressError
from mlpress.report.vega import library

ATTACKS = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</style></section><b>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;i&gt;",
    "a\x00b\ud800c",
]
SECTIONS = {
    "net": "what",
    "accuracy": "accuracy",
    "front": "front",
    "verification": "proof",
    "audit": "audit",
    "estimate": "path",
}


def replaced(value: Any, text: str) -> Any:
    """The facts with every string, and every key of a free table, replaced."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        return [replaced(entry, text) for entry in value]
    if isinstance(value, dict):
        return {key: replaced(entry, text) for key, entry in value.items()}
    return value


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside ``value``."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*at, key)
        yield from paths(entry, (*at, key))


def changed(path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> dict[str, Any]:
    """New facts, with ``change(container, key)`` done at ``path``."""
    facts = design_facts()
    if path[0] != "front":
        del facts["front"]  # drawing it takes longest
    inside: Any = facts
    for key in path[:-1]:
        inside = inside[key]
    change(inside, path[-1])
    return facts


@pytest.mark.parametrize("attack", ATTACKS)
def test_strings_never_become_markup(attack: str) -> None:
    facts = replaced(design_facts(), attack)
    facts["synthesis"]["cells"] = {attack: 3}
    facts["audit"] = {attack: attack, "adders": {attack: {attack: attack}}}
    facts["estimate"]["cells_by_type"] = {attack: 3}
    facts["options"] = {attack: attack}
    for row in facts["estimate"]["voltages"]:
        row["power_sources"] = [attack]
    harmless = json.loads(json.dumps(facts).replace(json.dumps(attack)[1:-1], "harmless"))
    page, twin = Page(render(facts)), Page(render(harmless))
    assert page.shape == twin.shape
    assert [sorted(attributes) for _, attributes in page.tags] == [sorted(attributes) for _, attributes in twin.tags]
    assert "49" not in page.sections["made"]
    shown = re.sub("[\x00\ud800]", "\N{REPLACEMENT CHARACTER}", attack)
    for section in ("what", "cost", "proof", "audit", "made"):
        assert shown in page.sections[section]
    render(facts).encode()


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_any_class_names(classes: list[str]) -> None:
    plain = Page(render(design_facts() | {"front": None}))
    facts = design_facts() | {"front": None}
    facts["net"]["classes"] = classes
    html = render(facts)
    html.encode()
    page = Page(html)
    assert page.shape == plain.shape
    for name in classes:
        if name.isalnum():
            assert name in page.sections["what"]


def test_nothing_is_loaded_and_only_our_scripts_run() -> None:
    html = render(design_facts())
    page = Page(html)
    assert {"link", "img", "iframe", "object", "form"}.isdisjoint(page.shape)
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in html[: html.index("</style>")]
    policy = next(str(attributes["content"]) for _, attributes in page.tags if "http-equiv" in attributes)
    data, *code = page.scripts
    assert data[0] == {"type": "application/json", "id": "specs"}
    assert [attributes for attributes, _ in code] == [{}, {}]
    allowed = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for _, text in code]
    assert (
        policy
        == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed[0]}' 'sha256-{allowed[1]}'"
    )
    assert code[0][1] == library()


def test_without_pictures_there_is_no_chart_library() -> None:
    html = render(design_facts() | {"front": None})
    assert len(Page(html).scripts) == 2
    assert len(html) < 200_000


def test_every_section_is_there_and_says_its_figures() -> None:
    page = Page(render(design_facts()))
    assert list(page.sections) == ["front", "what", "accuracy", "cost", "path", "proof", "audit", "made", "trust"]
    text = page.text.replace("\N{NO-BREAK SPACE}", " ")
    for figure in (
        "89.5 %",
        "5.63 cm²",
        "1,631 cells",
        "6.72 mW",
        "13.9 ms",
        "zinergy",
        "NAND2X1",
        "812",
        "4f" * 32,
    ):
        assert figure in text
    assert "onnxruntime, RTL (Amaranth) and mapped netlist agree" in text
    assert "12 to 13 bits" in page.sections["what"]
    assert "normal, suspect, pathologic" in page.sections["what"]


@pytest.mark.parametrize("value", [None, "gone"])
@pytest.mark.parametrize("part", [*SECTIONS, "synthesis", "source", "options"])
def test_a_missing_part_takes_only_its_section(part: str, value: str | None) -> None:
    facts = design_facts()
    if value is None:
        facts[part] = None
    else:
        del facts[part]
    whole = set(Page(render(design_facts())).sections)
    assert set(Page(render(facts)).sections) == whole - {SECTIONS.get(part)}


def test_the_contents_name_every_section() -> None:
    page = Page(render(design_facts()))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert links == [f"#{name}" for name in page.sections]


def test_no_costs_no_section() -> None:
    page = Page(render({**design_facts(), "estimate": None, "synthesis": None}))
    assert "cost" not in page.sections


def test_no_facts_at_all() -> None:
    page = Page(render({}))
    assert list(page.sections) == ["made", "trust"]
    assert "not checked" in page.text


@pytest.mark.parametrize("path", list(paths(design_facts())), ids=lambda path: ".".join(map(str, path)))
def test_any_one_value_may_be_missing_or_null(path: tuple[Any, ...]) -> None:
    Page(render(changed(path, lambda inside, key: inside.pop(key))))
    if not isinstance(path[-1], int):
        Page(render(changed(path, lambda inside, key: inside.__setitem__(key, None))))


@pytest.mark.parametrize("number", [math.nan, math.inf, -1.0, 0, 10**400, 1e308, "many", True, []])
def test_odd_numbers_do_not_break_the_page(number: Any) -> None:
    facts = design_facts()
    for row in facts["estimate"]["voltages"]:
        row.update(dict.fromkeys(("total_mw", "static_mw", "critical_path_ms", "energy_mj"), number))
    facts["estimate"] |= {"area_cm2": number, "rate_hz": number}
    facts["front"][0]["area_cm2"] = number
    facts["estimate"]["cells_by_type"]["NAND2X1"] = number
    page = Page(render(facts))
    widths = [attributes["style"] for tag, attributes in page.tags if tag == "i" and "style" in attributes]
    assert len(widths) == 7 + 2 * 5
    for width in widths:
        share = re.fullmatch(r"width:(\d+\.\d\d)%", str(width))
        assert share and 0 <= float(share[1]) <= 100


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("estimate", 5, "the design's 'estimate' is int, it must be an object; compile the model again"),
        ("net", [1], "the design's 'net' is list, it must be an object; compile the model again"),
        ("verification", {}, "the design's 'verification' is dict, it must be a list; compile the model again"),
        ("verification", [3], "the design's 'verification[0]' is int, it must be an object; compile the model again"),
        ("front", "x", "the design's 'front' is str, it must be a list; compile the model again"),
    ],
)
def test_a_part_of_another_kind(part: str, value: Any, message: str) -> None:
    with pytest.raises(MlpressError) as caught:
        render(design_facts() | {part: value})
    assert str(caught.value) == message


def test_a_difference_is_not_hidden() -> None:
    facts = design_facts()
    facts["verification"][2] |= {"equal": False, "difference": "row 7, neuron y: 1 against 2"}
    page = Page(render(facts))
    assert "DIFFERENT" in page.text
    assert "row 7, neuron y: 1 against 2" in page.sections["proof"]
    assert "bit for bit" not in page.text


@pytest.mark.parametrize("results", [[], [{"engine": "RTL", "rows": 0, "equal": True}]])
def test_no_rows_no_claim(results: list[dict[str, Any]]) -> None:
    page = Page(render(design_facts() | {"verification": results}))
    assert "not checked" in page.text
    assert "agree" not in page.text.split("What it is")[0]


def test_too_slow_at_every_voltage() -> None:
    facts = design_facts()
    for row in facts["estimate"]["voltages"]:
        row["meets_rate"] = False
    page = Page(render(facts))
    assert "no supply voltage is fast enough for 5\N{NO-BREAK SPACE}Hz" in page.text
    assert not [tag for tag, attributes in page.tags if attributes.get("class") == "best"]


def points_of(html: str, name: str = "front-0") -> list[dict[str, Any]]:
    specs = json.loads(Page(html).scripts[0][1])
    return [row for one in specs[name]["data"] if one["name"] == "points_rows" for row in one["values"]]


def test_the_front_has_a_point_and_a_panel_per_design() -> None:
    facts = design_facts()
    html = render(facts)
    rows = points_of(html)
    assert [(row["x"], row["y"]) for row in rows] == [(one["area_cm2"], one["accuracy"]) for one in facts["front"]]
    assert [row["chosen"] for row in rows] == [False, False, True, False, False]
    panels = [attributes for tag, attributes in Page(html).tags if tag == "article"]
    assert [one["data-point"] for one in panels] == ["0", "1", "2", "3", "4"]
    assert [k for k, one in enumerate(panels) if "hidden" not in one] == [2]
    assert "mlpress pick build --design 2 -o other" in html
    there = report.Shown(report.read_design(facts), folder="my designs; rm x")
    assert "mlpress pick 'my designs; rm x' --design 2 -o other" in Page(report.render([there])).text
    assert render(copy.deepcopy(facts)) == html
    assert "front-0" not in render(facts | {"front": [{"area_cm2": "?", "accuracy": None}]})


def test_colours_can_be_read_in_light_and_dark() -> None:
    """WCAG 2.1, success criterion 1.4.3: a contrast of at least 4.5 to 1 for text."""
    style = (resources.files("mlpress.report") / "templates" / "report.css").read_text()
    light, dark = (dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in re.findall(r":root \{[^}]*\}", style)[:2])
    assert light.keys() == dark.keys()
    for palette in (light, dark):
        for ink in ("ink", "quiet", "accent", "good", "bad"):
            for paper in ("page", "card"):
                assert contrast(palette[ink], palette[paper]) >= 4.5, (ink, paper, palette)


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_regression_states_r2_and_no_class() -> None:
    facts = design_facts() | {"front": None}
    facts["accuracy"] |= {"metric": "r2", "float": 0.912, "quantised": 0.9, "agreement": 0.98, "test": None}
    facts["net"]["classes"] = []
    page = Page(render(facts))
    assert "R²" in page.text
    assert "0.912" in page.sections["accuracy"]
    assert "%" not in page.sections["accuracy"].split("Values cut off")[0]
    assert "scores" in page.sections["what"]
    assert "class" not in page.sections["what"]
