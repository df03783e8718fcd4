"""Child processes in a private folder, with limits, that never outlive their parent.

A shell stands between parent and program.  It sets the limits, and a second shell waits for the end of a pipe whose
other end only the parent holds: however the parent ends (``kill -9`` included), the pipe ends, and that shell kills
the program with all that it started and removes the folder.  Unlike ``PR_SET_PDEATHSIG`` this does not depend on the
thread that started the child, and reaches the children's children.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mlpress.errors import MlpressError

LOG = ".log"
"""The file in the child's folder that takes its standard output and standard error."""

_SHELL = """
ulimit -c 0; ulimit -v "$1"; ulimit -f "$2"; ulimit -St "$3"; ulimit -Ht "$4"; folder=$5; shift 5
exec 3<&0
"$@" </dev/null 3<&- 2>&1 & child=$!
{ read -r _ <&3; kill -9 "$child"; rm -rf "$folder"; kill -9 0; } >/dev/null &
exec 3<&-
wait "$child"
"""
"""``read`` returns where the pipe ends.  The program does not have the pipe, only the shell that waits for it."""

_BLOCK = 512
"""Bytes in a unit of ``ulimit -f`` (POSIX)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use: wall-clock seconds, MiB of memory, MiB in any one file that it writes.

    Processor time is limited to ``threads`` times the seconds, for where nobody is left to look at the clock.
    """

    seconds: float
    memory_mb: int = 4096
    file_mb: int = 1024
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: exit ``status`` (negative: the signal that killed it; None: out of time) and its ``log``."""

    status: int | None
    log: str


@contextmanager
def scratch(tool: str, files: Mapping[str, str | bytes]) -> Iterator[Path]:
    """Make a private folder that holds ``files`` (name -> content) and is removed at the end."""
    with tempfile.TemporaryDirectory(prefix=f"mlpress-{tool}-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(
                content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
            )
        yield folder


def run_child(
    command: Sequence[str], folder: Path, limits: Limits, environment: Mapping[str, str] | None = None
) -> Ended:
    """Run ``command`` in ``folder`` (from :func:`scratch`) until it ends or exceeds its ``limits``.

    ``environment`` holds variables beside those of this process.  Raises :class:`MlpressError` where it cannot be
    started at all.
    """
    seconds = math.ceil(limits.threads * limits.seconds) + 1
    numbers = (
        _allowed(resource.RLIMIT_AS, limits.memory_mb << 10, 1 << 10),
        _allowed(resource.RLIMIT_FSIZE, limits.file_mb * (1 << 20) // _BLOCK, _BLOCK),
        _allowed(resource.RLIMIT_CPU, seconds, 1),
        _allowed(resource.RLIMIT_CPU, seconds + 2, 1),
    )
    log = folder / LOG
    read_end, write_end = os.pipe()
    try:
        with log.open("wb") as log_file:
            child = subprocess.Popen(
                ["/bin/sh", "-c", _SHELL, "mlpress", *map(str, numbers), str(folder), *command],
                cwd=folder,
                stdin=read_end,
                stdout=log_file,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"TMPDIR": str(folder)} | dict(environment or {}),
                start_new_session=True,
            )
            try:
                status = _status(child.wait(timeout=limits.seconds))
            except subprocess.TimeoutExpired:
                status = None
            finally:
                _end(child)
    except OSError as error:
        raise MlpressError(f"cannot start {Path(command[0]).name}: {error.strerror}") from error
    finally:
        os.close(read_end)
        os.close(write_end)
    return Ended(status, log.read_text(errors="replace"))


def _allowed(which: int, units: int, unit: int) -> int:
    """Return ``units`` of a resource, or what this process may itself have where that is less: none can be raised."""
    most = resource.getrlimit(which)[1]
    return units if most == resource.RLIM_INFINITY else min(units, most // unit)


def _status(status: int) -> int | None:
    """Return what the shell's exit code says of the program; None where its processor time was used up."""
    if status == 128 + signal.SIGXCPU:
        return None
    return 128 - status if 128 < status <= 128 + 64 else status


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the child's process group."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
