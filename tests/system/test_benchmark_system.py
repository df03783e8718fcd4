"""The benchmark of whole systems: its plan, its table and its lines; searches are not run here."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in SCRIPTS:  # tests have a package ``support`` of their own
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("system")
    for name in SCRIPTS:
        sys.modules.pop(name, None)


def row(system: Any, split: int, ours: float, tree: float) -> Any:
    command = (
        f"benchmarks/system.py --sets cardio --splits {split} --seconds 40 --level gates --effort default "
        "--minimise area"
    )
    return system.Row(
        dataset="cardio",
        split=split,
        seed=split,
        minimise="area",
        allowed_cm2=0.03,
        allowed_mw=None,
        test_accuracy=ours,
        area_cm2=0.029,
        gates_cm2=0.02,
        comparators=9,
        power_mw=0.5,
        start="tree",
        validation_accuracy=0.9,
        tree_accuracy=tree,
        tree_area_cm2=0.03,
        tree_power_mw=0.4,
        verified=True,
        proven=True,
        budget_s=40.0,
        rounds=5,
        command=command,
    )


def test_the_table_keeps_the_literatures_split_apart_and_has_standard_errors(system: Any) -> None:
    found = [row(system, 0, 0.91, 0.90), row(system, 1, 0.93, 0.90), row(system, system.SPLIT, 0.92, 0.91)]
    others, literature = system.table(found)
    assert (others["splits"], others["runs"], literature["runs"]) == ("others", 2, 1)
    assert others["gain"] == pytest.approx(0.02) and others["error"] == pytest.approx(0.01)
    assert literature["error"] is None


def test_every_search_has_its_seed(system: Any) -> None:
    plan = system.plan(["cardio", "vertebral"], [system.SPLIT, 3], 2)
    split = system.SPLIT
    assert plan == [
        ("cardio", split, 0),
        ("vertebral", split, 0),
        ("cardio", split, 1),
        ("vertebral", split, 1),
        ("cardio", 3, 3),
        ("vertebral", 3, 3),
    ]


def test_lines_that_are_kept_are_read_again(
    system: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, rows = tmp_path / "kept.jsonl", [row(system, 0, 0.91, 0.90), replace(row(system, 1, 0.93, 0.9), proven=None)]
    kept.write_text("".join(json.dumps(asdict(each)) + "\n" for each in rows))
    assert system.read(kept) == rows
    words = ["system", "--sets", "cardio", "--splits", "0", "1", "--seconds", "40", "--json", "--keep", str(kept)]
    monkeypatch.setattr(sys, "argv", words)
    system.main()
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["split"] for each in said] == [0, 1]
    asked = {"dataset", "split", "seed", "allowed_cm2", "test_accuracy", "area_cm2", "gates_cm2", "comparators"}
    assert asked | {"power_mw", "tree_accuracy", "tree_area_cm2", "command"} <= set(said[0])
    words[words.index("40")] = "50"
    with pytest.raises(SystemExit):
        system.main()
    assert "holds rows of `benchmarks/system.py --sets cardio --splits 0 --seconds 40" in capsys.readouterr().err


def test_levels_are_compared_split_by_split(system: Any) -> None:
    levels = importlib.import_module("levels")
    point = levels.Point("cardio", 0, 0, "", 0.03, 0.90, 0.02)
    more = [point, point._replace(split=1, accuracy=0.92)]
    more += [each._replace(levels=7, cuts="mdl", accuracy=each.accuracy + 0.01 * (1 + each.split)) for each in more]
    even, chosen = levels.table(more)
    assert (even["levels"], chosen["levels"], chosen["splits"]) == ("15 even", "7 by mdl", 2)
    assert even["gain"] == 0.0 and chosen["gain"] == pytest.approx(0.015) and chosen["error"] == pytest.approx(0.005)
