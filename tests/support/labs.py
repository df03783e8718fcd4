"""The instructors' notebooks of examples/labs: read, and run cell by cell in this process."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "examples" / "labs"
LABS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
Namespace = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """A cell: ``kind`` is raw, markdown or code; ``question`` and ``part`` say where it stands."""

    kind: str
    text: str
    question: str
    part: str
    outputs: int


def cells(lab: str) -> Iterator[Cell]:
    """The cells of a lab; ``part`` is solution or tests within a question, else empty."""
    question = part = ""
    for cell in json.loads((FOLDER / f"{lab}.ipynb").read_text())["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "raw":
            head, _, rest = text.partition("\n")
            match head.removeprefix("# ").split():
                case ["BEGIN", "QUESTION"]:
                    question = rest.partition("\n")[0].removeprefix("name: ")
                case ["END", "QUESTION"]:
                    question = ""
                case ["BEGIN", name]:
                    part = name.lower()
                case ["END", _]:
                    part = ""
        yield Cell(cell["cell_type"], text, question, part, len(cell.get("outputs", ())))


def stubs(notebook: Path) -> dict[str, str]:
    """What a student is given to complete, by question, from the notebook that otter makes for students."""
    found, before = {}, ""
    for cell in json.loads(notebook.read_text())["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            if text.startswith('grader.check("'):
                found[text.split('"')[1]] = before
            before = text
    return found


def unsolved(solution: str) -> str:
    """The cell that a student is given to complete, from the instructor's, by otter's rules."""
    found, inside = [], False
    for line in solution.splitlines():
        start = ASSIGNED.match(line)
        match line.strip():
            case "# BEGIN SOLUTION":
                found.append(line.replace("# BEGIN SOLUTION", "..."))
                inside = True
            case "# END SOLUTION":
                inside = False
            case text if text.endswith("# SOLUTION"):
                assert start is not None
                found.append(f"{start[0]}...")
            case _ if not inside:
                found.append(line)
    return "\n".join(found)


ASSIGNED = re.compile(r"\s*(?:[\w, ]+(?:\[[^=]*\])? = )?")
"""The part of a line that stays where ``# SOLUTION`` ends it: its indentation, and what it assigns to."""


def run(lab: str, wrong: Mapping[str, tuple[str, ...]], passed: Callable[[str, str], None]) -> None:
    """Run a lab with its solutions and checks in this process, in the folder that is current.

    What a check defines is there in that check alone, as where otter grades.  At the end of each question its ``wrong``
    answers, and the cell that students are given, are checked in a copy of what is defined there: ``passed`` hears of
    each that no check refuses.
    """
    defined: Namespace = {"__name__": "__main__"}
    known = [cell for cell in cells(lab) if cell.kind == "code"]
    for k, cell in enumerate(known):
        _execute(cell.text, lab, dict(defined) if cell.part == "tests" else defined)
        following = known[k + 1].question if k + 1 < len(known) else ""
        if cell.question and following != cell.question:
            own = [one for one in known if one.question == cell.question]
            checks = [one.text for one in own if one.part == "tests"]
            for answer in wrong[cell.question]:
                if not _refused(answer, checks, dict(defined)):
                    passed(cell.question, answer)
            given = next(unsolved(one.text) for one in own if one.part == "solution")
            with suppress(AttributeError, TypeError, ValueError, LookupError, NameError):
                if not _refused(given, checks, dict(defined)):
                    passed(cell.question, given)


def _refused(answer: str, checks: list[str], defined: Namespace) -> bool:
    _execute(answer, "a wrong answer", defined)
    try:
        for check in checks:
            _execute(check, "a check", dict(defined))
    except (AssertionError, AttributeError, TypeError, ValueError, LookupError):
        return True
    return False


def _execute(text: str, name: str, defined: Namespace) -> None:
    exec(compile(text, name, "exec"), defined)
