"""The tables of the command line: 80 columns, no markup and no control character from a name."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType
from support.design_facts import design_facts
from support.reports import estimate_table, summary_table, targets_table, verification_table

TARGETS = [
    {
        "name": "egfet",
        "title": "printed electrolyte-gated transistors",
        "nominal": 1.0,
        "voltages": [0.6, 1.0],
        "cells": 13,
    },
    {"name": "cnt-tft", "title": "printed carbon nanotubes", "nominal": 3.0, "voltages": [1.5, 3.0], "cells": 9},
]


def printed(table: RenderableType, width: int = 80) -> str:
    screen = StringIO()
    Console(file=screen, width=width, highlight=False, force_terminal=True, color_system=None).print(table)
    return screen.getvalue().replace("\N{NO-BREAK SPACE}", " ")


def tables(facts: dict[str, Any]) -> list[RenderableType]:
    estimate = facts.get("estimate") or {}
    results = facts.get("verification") or []
    return [summary_table(facts), estimate_table(estimate), verification_table(results)]


def test_80_columns() -> None:
    for table in [*tables(design_facts()), targets_table(TARGETS)]:
        text = printed(table)
        assert max(cell_len(line) for line in text.splitlines()) <= 80
        assert "…" not in text


def test_summary_says_the_headline() -> None:
    text = printed(summary_table(design_facts()), 200)
    assert text.splitlines()[0].strip() == "model.onnx 21-3-3 in egfet cells"
    for words in (
        "89.5 %",
        "5.63 cm²",
        "6.72 mW",
        "at 1 V, the nominal supply",
        "13.9 ms",
        "zinergy",
        "equal",
    ):
        assert words in text


def test_estimate_has_a_row_a_voltage() -> None:
    lines = [line.split() for line in printed(estimate_table(design_facts()["estimate"]), 120).splitlines()]
    assert ["area", "5.63", "cm²", "1,631", "cells,", "as", "a", "square", "2.4", "cm", "per", "side"] in lines
    found = [line for line in lines if line[1:2] == ["V"]]
    assert found[0] == ["0.6", "V", "2.16", "2.05", "0.110", "23.4", "0.432", "yes", "blue-spark"]
    assert found[-1] == ["2", "V", "31.5", "24.4", "7.10", "8.20", "6.30", "yes", "none"]
    assert len(found) == 5


def test_nothing_can_feed_it() -> None:
    facts = design_facts()
    for row in facts["estimate"]["voltages"]:
        row["power_sources"] = []
    lines = [line.split() for line in printed(estimate_table(facts["estimate"]), 120).splitlines()]
    assert [line[-1] for line in lines if line[1:2] == ["V"]] == 5 * ["none"]
    assert "it draws more than any printed source gives at 1 V" in printed(summary_table(facts), 200)


def test_a_difference_is_named() -> None:
    results = design_facts()["verification"]
    results[1] |= {"equal": False, "difference": "row 3, neuron y: 0 against 2"}
    lines = printed(verification_table(results), 120).splitlines()
    assert [line.split()[-2:] for line in lines if "onnxruntime" in line] == [["700", "yes"]]
    assert next(line for line in lines if "RTL" in line).split() == [
        *["RTL", "(Amaranth)", "700", "no"],
        *["row", "3,", "neuron", "y:", "0", "against", "2"],
    ]


def test_targets() -> None:
    text = printed(targets_table(TARGETS), 200)
    assert "0.6, 1 V (usually 1 V)" in text
    assert "cnt-tft" in text


@pytest.mark.parametrize("name", ["[red]x[/red]", "[/]", "\x1b[2Jx", "\x1b]0;x\x07"])
def test_names_are_neither_markup_nor_terminal_commands(name: str) -> None:
    facts = design_facts()
    facts["source"]["model"] = name
    facts["verification"][0] |= {"engine": name, "note": name}
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    for table in (summary_table(facts), verification_table(facts["verification"])):
        text = printed(table, 200)
        assert shown in text
        assert "\x1b" not in text
        assert "\x07" not in text


def test_missing_parts() -> None:
    for table in tables({}):
        printed(table)
    assert "not checked" in printed(summary_table({}))
