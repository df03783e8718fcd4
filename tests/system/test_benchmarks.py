"""The benchmarks are not run in the tests, for time; but they must at least be able to begin."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support import egfet

from mlpress import MlpressError, approx, ir
from mlpress.approx.integer import search as integer_search
from mlpress.hw import printed

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py"))


def test_every_benchmark_finds_what_it_imports() -> None:
    assert {"exact", "printed", "search_speed", "gates_speed", "cost_model"} <= set(SCRIPTS)
    script = f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import {', '.join(SCRIPTS)}"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


ASK = """
import importlib, sys
names, data = sys.argv[2:], sys.argv[1]
for module in map(importlib.import_module, names):
    if hasattr(module, "main"):
        sys.argv = [module.__name__, "--data", data]
        try:
            module.main()
        except SystemExit as end:
            print(module.__name__, end.code)
"""


def test_every_benchmark_asks_for_the_data_that_it_misses(tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(FOLDER)!r}){ASK}", str(tmp_path), *SCRIPTS]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 0, ended.stderr
    codes = dict(line.split() for line in ended.stdout.splitlines())
    assert {"exact", "printed", "search_speed", "gates_speed", "cost_model"} <= set(codes)
    assert set(codes.values()) == {"2"}
    said = ended.stderr.splitlines()
    assert len(said) == len(codes)
    assert all(line.startswith("no ") and "--data" in line for line in said)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Imports a benchmark by its name."""
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in SCRIPTS:  # tests have a package ``support`` of their own
        monkeypatch.delitem(sys.modules, name, raising=False)

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load
    for name in SCRIPTS:
        sys.modules.pop(name, None)


def test_balance_is_every_weight_and_distance_once_and_its_class_the_sign(script: Any) -> None:
    rows = script("support").balance()
    assert rows.classes == ("balanced", "left", "right")
    assert np.unique(rows.features, axis=0).shape == rows.features.shape == (625, 4)
    assert (rows.features.min(), rows.features.max()) == (1, 5)
    assert np.bincount(rows.labels).tolist() == [49, 288, 288]  # as the set of UCI has them
    weight, distance = rows.features[:, [0, 2]], rows.features[:, [1, 3]]
    torque = weight * distance
    assert np.array_equal(rows.labels == 1, torque[:, 0] > torque[:, 1])
    assert np.array_equal(rows.labels == 2, torque[:, 0] < torque[:, 1])


def test_splits_measures_eight_sets_each_with_areas_allowed(script: Any) -> None:
    splits = script("splits")
    assert list(splits.SETS) == [
        *("breast_cancer", "cardio", "pendigits", "whitewine", "vertebral"),
        *("balance", "wine", "digits"),
    ]
    assert set(splits.MOST_CM2) == set(splits.SETS)
    for name in script("support").OWN:
        train, test = script("support").coded(Path("nowhere"), name, 0)
        assert len(splits.SETS[name]) == 3
        assert (train.features.shape[1], len(train.classes)) == splits.SETS[name][::2]
        assert all(codes.min() >= 0 and codes.max() <= 15 for codes in (train.features, test.features))


def test_splits_take_all_sets_by_one_seed_before_the_next_and_leave_out_the_literatures(script: Any) -> None:
    plan = script("splits").plan(["wine", "pendigits"], 44)
    assert plan[:5] == [("wine", 0), ("pendigits", 0), ("wine", 1), ("pendigits", 1), ("wine", 2)]
    assert [seed for name, seed in plan if name == "wine"] == [*range(42), 43, 44]
    assert [seed for name, seed in plan if name == "pendigits"] == [0, 1]


class Sleeper(integer_search.Unwatched):
    """A busy machine: time on the wall passes between generations, and no processor time."""

    def generation(self, done: approx.Generation) -> None:
        time.sleep(0.2)


def test_a_processor_budget_does_not_count_time_that_others_take(script: Any) -> None:
    inputs = (ir.Input("a", 2, 1.0, 0.0), ir.Input("b", 2, 1.0, 0.0))
    codes = np.array([[a, b] for a in range(4) for b in range(4)] * 4)
    net = approx.dense(inputs, (2,), (0, 1))
    effort = approx.Effort(size=8, offspring=4, steps=1)
    labels = (codes[:, 0] > codes[:, 1]).astype(np.int64)
    budget = approx.Budget(seconds=1.0, generations=12, patience=100)

    def found() -> approx.IntegerFront:
        return approx.search(
            net,
            codes.astype(np.float64),
            labels,
            egfet.price,
            egfet.METRICS,
            budget,
            effort=effort,
            trainings=1,
            workers=1,
            augmentation="rows",
            progress=Sleeper(),
        )

    found()  # compiles
    assert found().stopped == "time"
    with script("processor").processor_budgets():
        assert found().stopped == "generations"
    assert found().stopped == "time"


def test_a_processor_second_is_counted_of_this_process_and_its_children(script: Any) -> None:
    from mlpress.approx import now

    with script("processor").processor_budgets():
        since = now()
        time.sleep(0.2)
        assert now() - since < 0.15
        subprocess.run([sys.executable, "-c", "sum(range(5_000_000))"], check=True)
        assert now() - since > 0.03


def pair(splits: Any, split: int, ours: float, tree: float) -> Any:
    return splits.Pair("wine", split, 0.03, ours, 0.02, "tree", tree, 0.03, 0.9, 20.0, 21.0, 1, 1, "abc")


def test_splits_table_has_mean_differences_with_standard_errors(script: Any) -> None:
    splits = script("splits")
    found = [pair(splits, 0, 0.90, 0.80), pair(splits, 1, 0.94, 0.88), pair(splits, 2, 0.92, 0.90)]
    (row,) = splits.table(found)
    assert (row["dataset"], row["most_cm2"], row["splits"]) == ("wine", 0.03, 3)
    assert row["gain"] == pytest.approx(0.06)
    assert row["error"] == pytest.approx(0.04 / 3**0.5)
    assert "change" not in row
    earlier = [replace(one, ours=ours) for one, ours in zip(found[:2], (0.89, 0.90), strict=True)]
    (row,) = splits.table(found, earlier)
    assert row["before"] == pytest.approx(0.895)
    assert row["change"] == pytest.approx(0.025)  # of the splits that both have
    assert row["change_error"] == pytest.approx(0.015)
    (row,) = splits.table(found, [])
    assert (row["before"], row["change"], row["change_error"]) == (None, None, None)


@pytest.fixture
def run(script: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a benchmark's command: exit code, standard output, standard error."""

    def ended(name: str, *words: str) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *words])
        code = 0
        try:
            script(name).main()
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return ended


def test_splits_keeps_every_split_and_does_not_run_it_again(script: Any, run: Any, tmp_path: Path) -> None:
    splits, kept = script("splits"), tmp_path / "kept.jsonl"
    lines = [vars(replace(pair(splits, split, 0.9, 0.8), code=splits.code())) for split in (0, 1)]
    kept.write_text("".join(json.dumps(line) + "\n" for line in lines))
    words = ("--only", "wine", "--splits", "2", "--json", "--keep", str(kept))
    code, out, err = run("splits", *words, "--seconds", "20", "--against", str(kept))
    assert (code, err) == (0, "")
    row = json.loads(out)
    assert (row["splits"], row["ours"], row["change"]) == (2, 0.9, 0.0)
    assert len(kept.read_text().splitlines()) == 2
    code, _, err = run("splits", *words, "--seconds", "21")
    assert code == 2
    assert "is of another budget or commit" in err
    earlier = tmp_path / "earlier.jsonl"
    earlier.write_text("".join(json.dumps(line | {"search_s": 14.0, "code": "abc"}) + "\n" for line in lines))
    code, _, err = run("splits", *words, "--seconds", "21", "--against", str(earlier), "--equal-time")
    assert (code, err) == (0, "")  # 20 s, of which both levels have the 14 s that they took
    code, out, _ = run("splits", "--show", str(earlier), "--json")
    assert (code, json.loads(out)["ours"]) == (0, 0.9)  # of whatever commit
    code, _, err = run("splits", "--equal-time")
    assert code == 2
    assert "name the earlier run with --against" in err
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{}\n")
    code, _, err = run("splits", "--only", "wine", "--against", str(bad))
    assert code == 2
    assert f"{bad} holds no lines of --keep" in err


def test_splits_finds_pairs_of_designs_and_their_budget(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    splits = script("splits")
    small = SimpleNamespace(integer=SimpleNamespace(elapsed_s=3.0), front=SimpleNamespace(elapsed_s=4.5))
    asked, budgets = [], []

    def searched(net: ir.Net, train: Any, name: str, seed: int, budget: Any, *, trees: bool) -> Any:
        budgets.append((name, seed, budget.seconds, budget.workers, trees))
        return small

    def within(found: Any, name: str, technology: printed.Technology, effort: str) -> list[Any]:
        asked.append((found, name, effort))
        netlist = splits.tree_netlists(train, [0.1], 0, technology, "fast")[0.1]
        return [replace(chosen, netlist=netlist)]

    train, _ = script("support").coded(tmp_path, "wine", 1)
    chosen = script("printed_integer").Found(0.1, None, "", None, "tree, moved", 0.9, 3, 2)
    monkeypatch.setattr(splits, "searched", searched)
    monkeypatch.setattr(splits, "within_areas", within)
    (found,) = splits.pairs(tmp_path, "wine", 1, 7.0, printed.load_technology("egfet"))
    assert (asked, budgets) == ([(small, "wine", "default")], [("wine", 1, 7.0, 1, True)])
    assert (found.dataset, found.split, found.most_cm2, found.start) == ("wine", 1, 0.1, "tree, moved")
    assert (found.budget_s, found.generations, found.rounds) == (7.0, 3, 2)
    assert found.ours_cm2 <= 0.1
    assert found.tree > 0.5
    assert found.network > 0.5
    assert found.search_s == 7.5


@pytest.mark.long
def test_splits_start_from_the_very_network_and_choose_of_both_levels(script: Any, tmp_path: Path) -> None:
    gates, technology = script("printed_gates"), printed.load_technology("egfet")
    train, _ = script("support").coded(tmp_path, "wine", 0)
    net = gates.network(train, "wine", 0)
    codes = train.features.astype(np.int64)
    assert np.array_equal(ir.interpret_model(gates.as_model(net), codes)[1], ir.interpret(net, codes).decision)
    budget = script("printed_integer").Spent(1.0, generations=1, rounds=1, workers=1)
    found = gates.searched(net, train, "wine", 0, budget, trees=True)
    assert found.exact == net
    assert found.merged is not None
    assert {design.level for design in found.merged.designs} <= {"integer", "gates"}
    chosen = gates.within_areas(found, "wine", technology, "fast")
    assert [one.most_cm2 for one in chosen] == [0.03, 0.1]
    for one in chosen:
        (best, *_) = found.within({"area": one.most_cm2})
        assert one.validation_accuracy <= best.validation_accuracy
        assert script("support").cost(one.netlist, technology, train).area_cm2 <= one.most_cm2


def test_a_budget_leaves_the_levels_as_much_as_they_took(script: Any) -> None:
    for seconds in (4.0, 10.0, 20.0, 60.0, 400.0):
        whole = script("splits").whole_s(seconds)
        assert abs(whole - approx.Clock(0.0, whole).end_s - seconds) < 0.2


RTL = "module top(input [1:0] a, input [1:0] b, output y); assign y = a > b; endmodule\n"


def design(folder: Path, rival: str, name: str, verilog: str, file: str = "top.v") -> Path:
    place = folder / rival / name
    place.mkdir(parents=True)
    (place / file).write_text(verilog)
    return place


def test_published_designs_are_measured_in_place_of_constants(script: Any, tmp_path: Path) -> None:
    published, egfet = script("published"), printed.load_technology("egfet")
    rows = [(a, b) for a in range(4) for b in range(4)]
    place = design(tmp_path, "date24", "cardio", RTL)
    (place / "vectors.csv").write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in rows))
    (place / "labels.csv").write_text("".join(f"{int(a > b or a == b == 3)}\n" for a, b in rows))
    mapped = printed.synthesise(RTL, "top", egfet)
    design(tmp_path, "mine", "cardio", mapped.verilog, published.NETLIST)
    design(tmp_path, "iccad23", "whitewine", RTL)  # not asked for
    found = {one.rival: one for one in published.published(["cardio"], "default", egfet, 5.0, tmp_path)}
    assert set(found) == {"ICCAD'23", "DATE'24", "HGQ2", "mine"}
    assert found["DATE'24"].accuracy == 15 / 16
    assert found["DATE'24"].area_cm2 == found["mine"].area_cm2 == pytest.approx(mapped.area_um2 * 1e-8)
    assert found["DATE'24"].power_mw is not None
    assert found["DATE'24"].flow == "yosys + abc, effort default, egfet 1.0 V, now"
    assert found["mine"].flow == "its own netlist, egfet 1.0 V"
    assert (found["mine"].accuracy, str(found["mine"]).split()[0]) == (None, "?")


def test_constants_of_rivals_say_their_flow_and_date(script: Any) -> None:
    published, egfet = script("published"), printed.load_technology("egfet")
    areas = {}
    for effort in ("default", "thorough"):
        for one in published.published(["whitewine", "vertebral"], effort, egfet, 5.0):
            areas[one.rival, one.dataset, effort] = one.area_cm2
            assert "yosys" in one.flow
            assert "2026-11" in one.flow
            assert f"effort {effort}" in one.flow or one.rival == "HGQ2"
            assert ("before it used &deepsyn" in one.flow) == (effort == "thorough" and one.rival != "HGQ2")
    assert areas["DATE'24", "whitewine", "default"] == 0.161
    assert areas["DATE'24", "whitewine", "thorough"] == 0.147
    assert ("DATE'24", "vertebral", "default") not in areas


def test_a_folder_of_designs_that_has_none_or_bad_labels_is_refused(script: Any, tmp_path: Path) -> None:
    published, egfet = script("published"), printed.load_technology("egfet")
    with pytest.raises(MlpressError, match="holds no design; put Verilog in"):
        published.published(["cardio"], "fast", egfet, 5.0, tmp_path)
    place = design(tmp_path, "date24", "cardio", RTL)
    (place / "labels.csv").write_text("1\n0\n")
    with pytest.raises(MlpressError, match=r"has no vectors\.csv beside it"):
        published.published(["cardio"], "fast", egfet, 5.0, tmp_path)
    (place / "vectors.csv").write_text("a,b\n1,2\n")
    with pytest.raises(MlpressError, match="has 2 labels for 1 rows"):
        published.published(["cardio"], "fast", egfet, 5.0, tmp_path)


def test_a_rivals_design_of_the_nearest_accuracy_is_shown(script: Any) -> None:
    published = script("published")
    designs = published.published(["cardio"], "default", printed.load_technology("egfet"), 5.0)
    theirs = [one for one in designs if one.rival == "HGQ2"]
    shown = [str(published.nearest(theirs, accuracy)) for accuracy in (0.80, 0.88, 0.99)]
    assert shown == ["0.862 @ 1.19", "0.890 @ 1.84", "0.901 @ 5.49"]


def test_printed_shows_rivals_and_kept_results_without_a_search(run: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 9, (60, 6))
    lines = [",".join(map(str, [*row, int(row[0] > row[1])])) for row in rows.tolist()]
    (tmp_path / "vertebral.csv").write_text("a,b,c,d,e,f,label\n" + "\n".join(lines) + "\n")
    design(tmp_path / "designs", "mine", "vertebral", RTL)
    words = ("--rivals", "--json", "--only", "vertebral", "--data", str(tmp_path))
    code, out, err = run("printed", *words, "--published", str(tmp_path / "designs"))
    assert (code, err) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    assert [row["rival"] for row in found] == ["tree within 0.1", "tree within 0.5", "HGQ2", "mine"]
    assert all("egfet 1.0 V" in row["flow"] for row in found)
    (tmp_path / "designs" / "mine" / "vertebral" / "top.v").write_text("module top(; endmodule\n")
    code, out, err = run("printed", *words, "--published", str(tmp_path / "designs"))
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    code, out, _ = run("printed", "--kept", "--level", "trees", "--only", "vertebral", "--data", str(tmp_path))
    assert code == 0
    assert "ours: yosys + abc, effort default, egfet 1.0 V" in out
    assert "tree: yosys + abc, effort default, egfet 1.0 V, now" in out
    assert "HGQ2: an earlier script" in out
