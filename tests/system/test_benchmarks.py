"""The benchmarks are not run in the tests, for time; but they must at least be able to begin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py"))


def test_every_benchmark_finds_what_it_imports() -> None:
    assert {"exact", "printed", "search_speed", "gates_speed", "cost_model"} <= set(SCRIPTS)
    script = f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import {', '.join(SCRIPTS)}"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_benchmark_asks_for_the_data_that_it_misses(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "exact.py"), "--data", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("no ")
    assert ended.stderr.count("\n") == 1
    assert "--data" in ended.stderr
    assert not list(tmp_path.iterdir())
