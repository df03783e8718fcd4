"""The command line within the test's own process: starting Python and loading its libraries takes seconds."""

from __future__ import annotations

import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from mlpress.cli import main


def mlpress(*words: object, cwd: Path = Path()) -> CompletedProcess[str]:
    """Run a command in the folder ``cwd`` as a process would, without a terminal; return its exit code and texts."""
    said, told = StringIO(), StringIO()
    arguments, code = [*map(str, words)], 0
    with chdir(cwd), redirect_stdout(said), redirect_stderr(told):
        try:
            main(arguments)
        except SystemExit as ended:
            code = _code(ended.code)
    return CompletedProcess(["mlpress", *arguments], code, said.getvalue(), told.getvalue())


def _code(given: Any) -> int:
    if isinstance(given, str):
        sys.stderr.write(given)
        return 1
    return int(given or 0)
