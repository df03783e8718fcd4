"""What reaches a screen, a pipe and a log file."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
import typer
from rich.console import Console
from support.commands import mlpress
from support.reports import estimate_tiles

from mlpress import cli, console
from mlpress.console import Screen
from mlpress.progress import counted
from mlpress.report.figures import counted as counted_fact

LONG = "a note of many words " * 12
INVERTER = "module flip(input a, output y); assign y = ~a; endmodule\n"


@pytest.mark.parametrize("command", sorted(typer.main.get_command(cli.app).commands))  # type: ignore[attr-defined]
def test_every_command_takes_the_options_of_output(command: str) -> None:
    found = typer.main.get_command(cli.app).commands[command]  # type: ignore[attr-defined]
    options = {option for parameter in found.params for option in parameter.opts}
    assert {"--verbose", "-v", "--quiet", "-q", "--json"} <= options


def test_targets_is_quiet_or_not_as_asked(tmp_path: Path) -> None:
    shown = mlpress("targets", "-v", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert mlpress("targets", "-q", cwd=tmp_path).stdout == shown.stdout


def test_piped_lines_do_not_wrap(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table

    table = Table()
    table.add_column("engine")
    table.add_row(LONG)
    screen = Screen(1)
    screen.note(LONG)
    screen.step(LONG)
    screen.step("next")
    screen.show({}, table)
    output, errors = capsys.readouterr()
    assert f"note: {LONG.strip()}" in errors.replace(LONG, LONG.strip())
    assert len(errors.splitlines()) == 2
    assert any(LONG.strip() in line for line in output.splitlines())


def test_a_terminal_wraps_tables_at_its_width(tmp_path: Path) -> None:
    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlpress", "targets"], stdout=other, cwd=tmp_path, env=os.environ | {"COLUMNS": "60"}
    )
    process.wait(timeout=60)
    os.close(other)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", os.read(main, 1 << 16).decode())
    os.close(main)
    assert "egfet" in shown
    assert max(len(line) for line in shown.splitlines()) <= 60


def test_no_note_under_quiet(tmp_path: Path) -> None:
    (tmp_path / "flip.v").write_text(INVERTER)
    loud = mlpress("estimate", "flip.v", "--effort", "fast", cwd=tmp_path)
    quiet = mlpress("estimate", "flip.v", "--effort", "fast", "-q", cwd=tmp_path)
    assert (loud.returncode, quiet.returncode) == (0, 0), quiet.stderr
    assert "note: " in loud.stdout
    assert "note: " not in quiet.stdout + quiet.stderr
    assert quiet.stderr == ""
    assert "1 cell, " in quiet.stdout
    assert "1 cells" not in loud.stdout
    assert len(max(loud.stdout.splitlines(), key=len)) > 80  # in one line each


def test_counts_have_their_noun() -> None:
    assert [counted(n, "class", "classes") for n in (0, 1, 2)] == ["0 classes", "1 class", "2 classes"]
    assert [counted(n, "cell") for n in (1, 2776)] == ["1 cell", "2,776 cells"]
    assert [counted_fact(n, "leaf", "leaves") for n in (1, 2)] == ["1 leaf", "2 leaves"]
    tiles = {tile.name: tile for tile in estimate_tiles({"area_cm2": 0.01, "cells": 1})}
    assert tiles["area"].note.startswith("1 cell, ")


def test_a_long_step_shows_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = perf_counter()

    def shown(seconds: float) -> str:
        monkeypatch.setattr(console, "perf_counter", lambda: now + seconds)
        screen = Console(file=io.StringIO(), width=100)
        screen.print(console._Running("verify [RTL]", now))
        text: Any = screen.file
        return str(text.getvalue()).strip()

    assert shown(1.0) == "verify [RTL]"
    assert shown(12.4) == "verify [RTL] (12 s)"
    assert shown(125.0) == "verify [RTL] (2 min 05 s)"


def test_the_status_line_is_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    with screen.working():
        screen.step("first")
        screen.step("second")
    screen.show({"a": 1})
    assert capsys.readouterr() == ("", "")
    Screen(as_json=True).show({"a": 1})
    assert json.loads(capsys.readouterr().out) == {"a": 1}
