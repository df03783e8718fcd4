"""The examples of fields and the benchmark of the cycle models run, thinned."""

import importlib
import re
import sys
from itertools import islice
from pathlib import Path
from types import ModuleType

import matplotlib.image
import pytest

ROOT = Path(__file__).parents[2]


def script(monkeypatch: pytest.MonkeyPatch, folder: str, name: str) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / folder))
    for one in ("support", name):  # tests have a package ``support`` of their own
        monkeypatch.delitem(sys.modules, one, raising=False)
    module = importlib.import_module(name)
    monkeypatch.delitem(sys.modules, "support", raising=False)
    return module


def test_the_picture_is_rendered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = script(monkeypatch, "examples", "field")
    monkeypatch.setattr(example, "FOLDER", tmp_path / "field")
    example.main(steps=20, shrink=20)
    lines = capsys.readouterr().out.splitlines()
    ratios = [float(re.findall(r"PSNR ([0-9.]+) dB", line)[0]) for line in lines[:3]]
    assert len(lines) == 4
    assert all(15 < ratio < 60 for ratio in ratios)
    assert all("times the GPU's pace" in line for line in lines[:3])
    assert matplotlib.image.imread(tmp_path / "field" / "picture.png").shape == (21, 4 * 32, 4)


def test_searched_tables_save_energy_at_less_than_a_decibel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = script(monkeypatch, "examples", "field_search")
    monkeypatch.setattr(importlib.import_module("field"), "FOLDER", tmp_path / "field")
    monkeypatch.setattr(example, "FOLDER", tmp_path / "field")
    monkeypatch.setattr(example, "METRICS", ("sram",))
    example.main(steps=20, shrink=20, generations=1)
    given, searched, saved = capsys.readouterr().out.splitlines()
    one, other = (float(re.findall(r"PSNR ([0-9.]+) dB", line)[0]) for line in (given, searched))
    assert one - other < 1.1
    assert float(re.findall(r"([0-9.]+)% less sram", saved)[0]) > 40
    assert (tmp_path / "field-search-sram" / "front.csv").is_file()


def test_the_benchmark_of_the_cycle_models(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = script(monkeypatch, "benchmarks", "ngpc")
    monkeypatch.setattr(bench, "SAMPLES", 1024)
    every = list(bench.cycles.configurations())
    monkeypatch.setattr(bench.cycles, "configurations", lambda: islice(every, 0, None, 60))
    bench.costs.cache_clear()
    try:
        sweep = bench.sweep_rows()
        assert len(sweep) == -(-len(every) // 60)
        assert all(abs(row["analytic"] / row["event"] - 1) < 0.05 for row in sweep)
        rows = [*bench.speed_rows(), *bench.kernel_rows(), *bench.hardware_rows(), *bench.other_rows(0.05, len(sweep))]
        fitted = {row["what"]: row for row in rows if row["how"] == "fitted"}
        for size, published in bench.PUBLISHED.items():
            assert float(fitted[f"end-to-end, hashgrid, N={size}"]["paper"]) == pytest.approx(published, rel=0.05)
        assert all(row["why"] for row in rows if row["how"] in {"no", "missing"})
        assert len(bench.size_rows()) == 3 * 4 * 2
        assert len(bench.stall_rows()) == 12 * 2
        assert {row["label"] for row in bench.figure_rows()} == {"published", "reviewed", "fitted", "assumed"}
        (random,) = bench.random_rows(3)
        assert random["configurations"] == 3
    finally:
        bench.costs.cache_clear()
