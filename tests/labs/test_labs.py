"""The labs: every solution passes its checks, wrong answers and the unsolved notebook don't.

``make test`` runs the first lab in this process; ``make labs`` all of them, and otter-grader on what it makes of them.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from support.lab_answers import WRONG
from support.labs import FOLDER, LABS, cells, run, stubs, unsolved

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
    began, accepted = processor_s(), []
    run(lab, WRONG[lab], lambda question, answer: accepted.append((question, answer)))
    assert accepted == []
    assert processor_s() - began < MOST_SECONDS


@pytest.mark.guides
@pytest.mark.parametrize("lab", LABS)
def test_otter_grades_the_solution(lab: str, tmp_path: Path) -> None:
    otter("assign", "--no-run-tests", FOLDER / f"{lab}.ipynb", tmp_path / "made", folder=tmp_path)
    (archive,) = (tmp_path / "made" / "autograder").glob("*.zip")
    student = tmp_path / "made" / "student" / f"{lab}.ipynb"
    assert "BEGIN SOLUTION" not in student.read_text()
    assert "HIDDEN" not in student.read_text()
    solutions = {cell.question: cell.text for cell in cells(lab) if cell.part == "solution" and cell.kind == "code"}
    assert stubs(student) == {question: unsolved(text) for question, text in solutions.items()}
    solved = grades(archive, tmp_path / "made" / "autograder" / f"{lab}.ipynb", tmp_path)
    assert set(WRONG[lab]) <= set(solved)
    assert all(score == most > 0 for question, (score, most) in solved.items() if question in WRONG[lab])
    if lab == QUICK:
        given = grades(archive, student, tmp_path)
        assert {question: given[question][0] for question in WRONG[lab]} == dict.fromkeys(WRONG[lab], 0)


def grades(archive: Path, notebook: Path, folder: Path) -> dict[str, tuple[float, float]]:
    """The score of each question as otter grades a notebook, and the most that it can be."""
    otter("run", "--no-logo", "-a", archive, "-o", folder, notebook, folder=folder)
    found = json.loads((folder / "results.json").read_text())["tests"]
    return {one["name"]: (one["score"], one["max_score"]) for one in found if "score" in one}  # and what it says in all


def processor_s() -> float:
    """User seconds of this process and of its children that have ended."""
    return sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def otter(*words: object, folder: Path) -> None:
    environment = os.environ | {"JUPYTER_PLATFORM_DIRS": "1", "IPYTHONDIR": str(folder / "ipython")}
    done = subprocess.run(
        [OTTER, *map(str, words)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
