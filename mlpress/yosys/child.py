"""Yosys and ABC from the ``pyosys`` wheel, always in a child process of their own.

Any error ends a Yosys process, so it never runs in ours: a child with limits on time and memory works in a
private folder and hands back the files that were asked for.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlpress.children import Limits, run_child, scratch
from mlpress.errors import MlpressError, OutOfTimeError

_CHILD = "import sys; from pyosys import libyosys as ys; ys.run_pass('script ' + sys.argv[1], ys.Design())"


@dataclass(frozen=True, slots=True)
class YosysRun:
    """What a run left: its log and the text of each output file, by name."""

    log: str
    outputs: Mapping[str, str]


def run_yosys(
    script: str,
    files: Mapping[str, str | bytes],
    outputs: Sequence[str] = (),
    *,
    timeout_s: float = 300.0,
    memory_mb: int = 4096,
) -> YosysRun:
    """Run a Yosys ``script`` (one command per line) in a private folder that holds ``files`` (name -> content).

    Returns the log and the contents of ``outputs``.  Raises :class:`MlpressError` with Yosys's own error line where
    it fails or asks for more than ``memory_mb`` MiB, and :class:`OutOfTimeError` where it takes over ``timeout_s`` s.
    """
    with scratch("yosys", {**files, "script.ys": script + "\n"}) as folder:
        command = [sys.executable, "-c", _CHILD, "script.ys"]
        done = run_child(command, folder, Limits(timeout_s, memory_mb), _libraries())
        if done.status is None:
            raise OutOfTimeError(
                f"Yosys did not end within {timeout_s:g} s; allow more time, a lower effort, or a smaller design"
            )
        if done.status != 0:
            raise MlpressError(f"Yosys failed: {_error_line(done.log, done.status)}")
        return YosysRun(done.log, {output: _output(folder / output, done.log) for output in outputs})


@dataclass(frozen=True, slots=True)
class AbcRun:
    """What a run left: its log, the output files that it wrote, by name, and whether it came to its end."""

    log: str
    outputs: Mapping[str, bytes]
    finished: bool


def run_abc(
    script: str,
    files: Mapping[str, str | bytes],
    outputs: Sequence[str],
    *,
    timeout_s: float = 300.0,
    memory_mb: int = 4096,
) -> AbcRun:
    """Run an ABC ``script`` (one command per line) in a private folder that holds ``files`` (name -> content).

    A run that outlives ``timeout_s`` seconds, asks for more than ``memory_mb`` MiB, or fails is not ``finished``; the
    outputs that it wrote until then are kept.
    """
    spec = importlib.util.find_spec("pyosys")
    if spec is None or spec.origin is None:
        raise MlpressError("pyosys is not installed; it brings Yosys and ABC: pip install pyosys")
    program = str(Path(spec.origin).parent / "yosys-abc")
    with scratch("abc", {**files, "script.abc": script + "\necho finished\n"}) as folder:
        done = run_child([program, "-q", "source -x script.abc"], folder, Limits(timeout_s, memory_mb))
        written = {output: (folder / output).read_bytes() for output in outputs if (folder / output).is_file()}
        return AbcRun(done.log, written, done.status == 0 and done.log.rstrip().endswith("finished"))


def _libraries() -> dict[str, str]:
    """Return the folders that a Python child looks for modules in."""
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _error_line(log: str, status: int) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for line in reversed(lines):
        if "ERROR:" in line:
            place, message = line.split("ERROR:", 1)
            return f"{place.strip()} {message.strip()}".strip()[:300]
    if status < 0:
        return f"killed by signal {-status} (out of memory?)"
    return (lines[-1] if lines else f"exit code {status}")[:300]


def _output(path: Path, log: str) -> str:
    if not path.is_file():
        raise MlpressError(f"Yosys wrote no {path.name}: {_error_line(log, 0)}")
    return path.read_text("utf-8", "surrogateescape")
