"""The benchmarks are not run in the tests, for time; but they must at least be able to begin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.py") if "def main()" in path.read_text(encoding="utf-8"))


def test_there_are_benchmarks() -> None:
    assert {"exact.py", "printed.py", "search_speed.py", "gates_speed.py", "cost_model.py"} <= set(SCRIPTS)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_asks_for_the_data_that_it_misses(script: str, tmp_path: Path) -> None:
    """It imports what it needs, and where there are no data it says so; nothing is computed."""
    command = [sys.executable, str(FOLDER / script), "--data", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("no ")
    assert ended.stderr.count("\n") == 1
    assert "--data" in ended.stderr
    assert not list(tmp_path.iterdir())
