"""Facts are read once, as frozen types; bad ones give one line when the folder is loaded."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from support.design_facts import design_facts
from support.reports import render, summary_table
from support.told import classifier, data

import mlpress as mp
from mlpress.errors import MlpressError
from mlpress.report import read_design, read_estimate, read_run
from mlpress.report.facts import Net, Shares
from mlpress.report.printed import Estimate, PrintedFacts, Supply


def test_facts_have_types() -> None:
    facts = read_design(design_facts())
    assert isinstance(facts.net, Net) and facts.net.topology == "21-3-3" and facts.net.shared_sums == 2
    assert [layer.terms for layer in facts.net.layers] == [183, 30]
    assert facts.accuracy is not None and facts.accuracy.given == 0.9045
    assert facts.accuracy.test == Shares(171, 0.9006, 0.8947)
    own = facts.own
    assert isinstance(own, PrintedFacts) and own.estimate is not None and own.estimate.cells == 1631
    assert own.estimate.nominal == own.estimate.voltages[2]
    assert [point.chosen for point in facts.front] == [None, None, True, None, None]
    with pytest.raises(dataclasses.FrozenInstanceError):
        facts.target = "other"  # type: ignore[misc]


def test_shared_sums_are_those_of_the_plan() -> None:
    facts = design_facts()
    del facts["net"]["shared_sums"]
    net = read_design(facts | {"plan": {"shared_sums": 7}}).net
    assert net is not None and net.shared_sums == 7


@pytest.mark.parametrize("value", ["many", True, [], {}, float("nan"), float("inf"), 10**400])
def test_what_is_no_finite_number_is_left_out(value: Any) -> None:
    found = read_estimate({"area_cm2": value, "voltages": [{"total_mw": value, "voltage": 1.0}]})
    assert found == Estimate(voltages=(Supply(voltage=1.0),))


def test_an_integer_stays_one() -> None:
    assert isinstance(read_estimate({"cells": 3}).cells, int)
    assert isinstance(read_estimate({"cells": 3.0}).cells, float)


def test_a_kind_reads_its_own_facts() -> None:
    facts = design_facts()
    assert read_design(facts | {"kind": "printed"}) == dataclasses.replace(read_design(facts), kind="printed")
    assert read_design(facts | {"kind": "mcu", "code": {"shape": "looped"}}).own.code == {"shape": "looped"}
    for unknown in ("another", ["printed"], {}, 3):
        assert read_design(facts | {"kind": unknown}).own is None


def test_an_unknown_kind_shows_metrics_and_nothing_of_cells() -> None:
    cost = {"values": {"price": 12.5}, "units": {"price": "EUR"}, "how": {"price": "by hand"}}
    facts = design_facts() | {"kind": "another", "cost": cost}
    page = render(facts).replace("\N{NO-BREAK SPACE}", " ")
    assert "12.5 EUR" in page and "by hand" in page and "for egfet" in page
    assert "5.63" not in page and "NAND2X1" not in page
    summary_table(facts)


def test_own_facts_are_not_read_from_json() -> None:
    assert read_design({"own": {"estimate": 5}, "kind": "another"}).own is None


def test_a_run_has_spans() -> None:
    run = read_run(
        {"rows": 7, "cycles": {"min": 3, "mean": 4.0, "max": 5, "rows": 6}, "parts": ["a"], "how": {"a": "b"}}
    )
    assert {name: (span.low, span.high, span.rows) for name, span in run.spans.items()} == {"cycles": (3, 5, 6)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = mp.compile(classifier(), data(count=40), effort="fast", input_bits=2, weight_bits=3)
    return made.save(tmp_path_factory.mktemp("facts") / "made")


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("estimate", 5, "the design's 'estimate' is int, it must be an object; compile the model again"),
        ("net", {"layers": [3]}, "the design's 'layers[0]' is int, it must be an object; compile the model again"),
        ("warnings", "x", "the design's 'warnings' is str, it must be a list; compile the model again"),
    ],
)
def test_bad_facts_are_an_error_when_the_folder_is_loaded(folder: Path, part: str, value: Any, message: str) -> None:
    good = (folder / "design.json").read_text()
    try:
        (folder / "design.json").write_text(json.dumps(json.loads(good) | {part: value}))
        with pytest.raises(MlpressError) as caught:
            mp.Design.load(folder)
    finally:
        (folder / "design.json").write_text(good)
    assert str(caught.value) == message
    assert mp.Design.load(folder).described.net is not None


def test_a_folder_of_an_older_version_loads(folder: Path) -> None:
    good = (folder / "design.json").read_text()
    facts = json.loads(good)
    for name in ("kind", "cost", "sha256", "warnings", "plan"):
        facts.pop(name, None)
    try:
        (folder / "design.json").write_text(json.dumps(facts))
        old = mp.Design.load(folder)
    finally:
        (folder / "design.json").write_text(good)
    assert isinstance(old.described.own, PrintedFacts)
    assert "in egfet cells" in str(summary_table(old.facts).title)
