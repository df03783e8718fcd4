"""What is kept of 2-bit and 8-bit networks beside da4ml, and that their Verilog is clocked and compared as ours is."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlpress import codegen, ir

ROOT = Path(__file__).parents[2]


FOLDER = ROOT / "benchmarks"
KEPT = FOLDER / "results" / "lowbit.json"


@pytest.fixture
def lowbit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("lowbit", "exact", "support"):  # tests have a package ``support`` of their own
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield import_module("lowbit")
    for name in ("lowbit", "exact", "support"):
        sys.modules.pop(name, None)


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()]


def test_every_set_takes_fewer_tables_than_da4mls_and_a_seventh_fewer_in_the_mean(lowbit: Any) -> None:
    kept = rows()
    sets = set(lowbit.TOPOLOGIES)
    assert {(row["dataset"], row["bits"]) for row in kept} == {(name, bits) for name in sets for bits in (2, 8)}
    for row in kept:
        assert row["luts_to_da4ml"] == row["luts"] / row["da4ml_luts"]
        assert row["luts"] < row["da4ml_luts"]
        assert row["mhz"] > 0 < row["da4ml_mhz"]
    for mean, _ in lowbit.ratios(kept).values():
        assert mean < 0.85
    by = {(row["dataset"], row["bits"]): row for row in kept}
    assert all(2 * by[name, 2]["luts"] < by[name, 8]["luts"] for name in sets)
    assert all(2 * by[name, 2]["egfet_cm2"] < by[name, 8]["egfet_cm2"] for name in sets)


def test_the_page_has_the_kept_figures() -> None:
    page = (ROOT / "docs" / "fpga.md").read_text(encoding="utf-8")
    lines = [
        re.split(r" *\| *", line.strip("| ")) for line in page.splitlines() if re.match(r"\| \w+ \| [28] \|", line)
    ]
    shown = {(cells[0], int(cells[1])): cells[2:] for cells in lines}
    for row in rows():
        cells = shown[row["dataset"], row["bits"]]
        assert cells[0] == f"{row['accuracy']:.3f}".lstrip("0")
        assert cells[2:4] == [str(row["luts"]), str(row["da4ml_luts"])]


def test_kept_rows_are_shown(lowbit: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["lowbit.py", "--show", str(KEPT)])
    lowbit.main()
    assert "look-up tables to da4ml's, all: geometric mean" in capsys.readouterr().out


def test_registered_verilog_answers_two_clocks_later(lowbit: Any) -> None:
    inputs = tuple(ir.Input(f"x{k}", 2, 1.0, 0.0) for k in range(2))
    scores = tuple(ir.Neuron(j, (ir.Term(j, 1, 0, 3),), ir.Raw()) for j in range(2))
    net = ir.Net(inputs, (ir.Layer(scores),), ir.Argmax(), (0, 1))
    codes = np.array([[a, b] for a in range(4) for b in range(4)])
    expected = ir.interpret(net, codes).decision
    theirs = lowbit.registered(lowbit.rtl(net, import_module("exact").naive_sums))
    for text in (theirs, codegen.to_verilog(ir.lower_net(net), registered=True)):
        lowbit.checked(text, codes, expected)
    with pytest.raises(SystemExit, match="another function"):
        lowbit.checked(theirs, codes, 1 - expected)
