"""The labs: every solution passes its checks, wrong answers and the unsolved notebook don't.

``make test`` runs the first lab in this process; ``make labs`` all of them, and otter-grader on what it makes of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.lab_answers import WRONG
from support.labs import FOLDER, LABS, cells, run

MOST_SECONDS = 180
QUICK = "lab1_onnx_to_circuit"
OTTER = Path(sys.executable).with_name("otter")


def test_there_are_six_labs() -> None:
    assert [lab.partition("_")[0] for lab in LABS] == [f"lab{k}" for k in range(1, 7)]
    assert set(WRONG) == set(LABS)


@pytest.mark.parametrize("lab", LABS)
def test_every_question_has_a_solution_and_hidden_checks(lab: str) -> None:
    known = list(cells(lab))
    assert known[0].text.startswith(f"# ASSIGNMENT CONFIG\nname: {lab}")
    questions = sorted({cell.question for cell in known if cell.question})
    assert questions == sorted(WRONG[lab])
    for question in questions:
        own = [cell for cell in known if cell.question == question and cell.kind == "code"]
        solutions, checks = ([cell.text for cell in own if cell.part == part] for part in ("solution", "tests"))
        assert len(solutions) == 1
        assert "SOLUTION" in solutions[0]
        assert {check.startswith("# HIDDEN\n") for check in checks} == {False, True}
    assert not any(cell.outputs for cell in known)


@pytest.mark.parametrize("lab", [pytest.param(lab, marks=[] if lab == QUICK else pytest.mark.guides) for lab in LABS])
def test_solutions_pass_and_wrong_answers_do_not(lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    began, accepted = time.process_time(), []
    run(lab, WRONG[lab], lambda question, answer: accepted.append((question, answer)))
    assert accepted == []
    assert time.process_time() - began < MOST_SECONDS


@pytest.mark.guides
@pytest.mark.parametrize("lab", LABS)
def test_otter_passes_the_solution_and_fails_the_unsolved_notebook(lab: str, tmp_path: Path) -> None:
    otter("assign", FOLDER / f"{lab}.ipynb", tmp_path / "made", folder=tmp_path)  # fails where a solution does
    (archive,) = (tmp_path / "made" / "autograder").glob("*.zip")
    student = tmp_path / "made" / "student" / f"{lab}.ipynb"
    assert "BEGIN SOLUTION" not in student.read_text()
    assert "HIDDEN" not in student.read_text()
    otter("run", "--no-logo", "-a", archive, "-o", tmp_path, student, folder=tmp_path)
    found = {one["name"]: one for one in json.loads((tmp_path / "results.json").read_text())["tests"]}
    assert {question: found[question]["score"] for question in WRONG[lab]} == dict.fromkeys(WRONG[lab], 0)
    assert all(found[question]["max_score"] > 0 for question in WRONG[lab])


def otter(*words: object, folder: Path) -> None:
    environment = os.environ | {"JUPYTER_PLATFORM_DIRS": "1", "IPYTHONDIR": str(folder / "ipython")}
    done = subprocess.run(
        [OTTER, *map(str, words)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
