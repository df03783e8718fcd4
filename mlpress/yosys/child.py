"""Yosys and ABC from the ``pyosys`` wheel, always in a child process of their own.

Any error ends a Yosys process, so it never runs in ours: a child with limits on time and memory works in a
private folder and hands back the files that were asked for.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlpress.errors import MlpressError

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
    """Run a Yosys ``script`` (commands, one a line) in a private folder that holds ``files`` (name -> content).

    Returns the log and the contents of ``outputs``.  Raises :class:`MlpressError` with Yosys's own error line where
    it fails, and where it outlives ``timeout_s`` seconds or asks for more than ``memory_mb`` MiB.
    """
    with tempfile.TemporaryDirectory(prefix="mlpress-yosys-") as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
        (folder / "script.ys").write_text(script + "\n")
        status, log = _run([sys.executable, "-c", _CHILD, "script.ys"], folder, timeout_s, memory_mb)
        if status is None:
            raise MlpressError(
                f"Yosys did not end within {timeout_s:g} s; allow more time, a lower effort, or a smaller design"
            )
        if status != 0:
            raise MlpressError(f"Yosys failed: {_error_line(log, status)}")
        return YosysRun(log, {output: _output(folder / output, log) for output in outputs})


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
    """Run an ABC ``script`` (commands, one a line) in a private folder that holds ``files`` (name -> content).

    A run that outlives ``timeout_s`` seconds, asks for more than ``memory_mb`` MiB, or fails is not ``finished``; the
    outputs that it wrote until then are kept.
    """
    spec = importlib.util.find_spec("pyosys")
    if spec is None or spec.origin is None:
        raise MlpressError("pyosys is not installed; it brings Yosys and ABC: pip install pyosys")
    program = str(Path(spec.origin).parent / "yosys-abc")
    with tempfile.TemporaryDirectory(prefix="mlpress-abc-") as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
        (folder / "script.abc").write_text(script + "\necho finished\n")
        status, log = _run([program, "-q", "source -x script.abc"], folder, timeout_s, memory_mb)
        written = {output: (folder / output).read_bytes() for output in outputs if (folder / output).is_file()}
        return AbcRun(log, written, status == 0 and log.rstrip().endswith("finished"))


def _run(command: list[str], folder: Path, timeout_s: float, memory_mb: int) -> tuple[int | None, str]:
    """Exit status (None: out of time) and log.  The shell sets the limit: no Python runs between fork and exec."""
    limited = ["sh", "-c", f"ulimit -v {memory_mb << 10}; exec {shlex.join(command)}"]
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    log_path = folder / "run.log"
    with log_path.open("wb") as log_file:
        child = subprocess.Popen(
            limited,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        status: int | None = None
        try:
            status = child.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            _end(child)
    return status, log_path.read_text(errors="replace")


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the child's process group (ABC runs in it)."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


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
    return path.read_text()
