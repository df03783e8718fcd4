"""A short run of every kind of mutated input; ``make fuzz`` runs for longer.  What failed once stays a case here."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.run import KINDS, MOST_S, attempt, campaign

FOUND = sorted((Path(__file__).parent / "found").glob("*.case"))
CASES = {"onnx": 700, "csv": 700, "npz": 500, "netlist": 200, "liberty": 250, "program": 400, "line": 2000}
CASES |= {"checkpoint": 300, "folder": 60, "lowbit": 60, "arguments": 60}


@pytest.mark.parametrize("name", KINDS)
def test_mutated_files_are_refused_in_one_line_or_read(name: str, tmp_path: Path) -> None:
    tally = campaign(KINDS[name], f"tests {name}", tmp_path, cases=CASES[name])
    assert tally.failures == {}
    assert tally.cases == CASES[name]
    assert 0 < tally.refused < tally.cases
    assert tally.longest_s < MOST_S


@pytest.mark.parametrize("file", FOUND, ids=lambda file: file.stem)
def test_what_failed_once(file: Path, tmp_path: Path) -> None:
    assert attempt(KINDS[file.name.partition("-")[0]], file.read_bytes(), tmp_path)[1] == ""
