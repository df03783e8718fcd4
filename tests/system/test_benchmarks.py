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
