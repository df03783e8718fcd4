"""What ABC is told to do at each effort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import monotonic

from mlpress.errors import MlpressError
from mlpress.hw.mapping import Library
from mlpress.yosys import run_abc

_RESUB = """balance -l
resub -K 6 -l
rewrite -l
resub -K 6 -N 2 -l
refactor -l
resub -K 8 -l
balance -l
resub -K 8 -N 2 -l
rewrite -l
rewrite -z -l
balance -l
refactor -z -l
rewrite -z -l
balance -l"""

_MAP = "dch -f\namap\nmfs3 -a -I 4 -O 3"
"""Map for area over structural choices, then resynthesise the mapped gates within small windows."""

_DONT_CARES = """&get -n
&if -a -K 2
&mfs -d -W 50 -L 100 -D 0 -M 1000 -C 500
&st
&put"""
"""Rewrite two-input nodes within the don't-cares of their windows."""

_FAST = ("strash\ndch\namap",)
_DEFAULT = (*_FAST, f"strash\n{_RESUB}\n{_MAP}")
_THOROUGH = (
    *_DEFAULT,
    f"strash\n{_RESUB}\n{_RESUB}\n{_RESUB}\n{_MAP}",
    f"strash\n{_RESUB}\n{_DONT_CARES}\n{_RESUB}\n{_MAP}",
    f"strash\n{_DONT_CARES}\n{_RESUB}\n{_DONT_CARES}\n{_RESUB}\n{_MAP}",
)

EFFORTS: Mapping[str, tuple[str, ...]] = {"fast": _FAST, "default": _DEFAULT, "thorough": _THOROUGH}
"""ABC scripts of each effort; the smallest result counts, so that a higher effort is never worse.

No step has a limit in wall-clock time: equal inputs give equal results.
"""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapped network as BLIF text, the script that made it, and what to say of it."""

    blif: str
    script: str
    log: str
    notes: tuple[str, ...]


def run_effort(effort: str, aiger: bytes, library: Library, *, timeout_s: float, memory_mb: int) -> Mapped:
    """Map ``aiger`` to ``library`` with each script of ``effort``, and keep the smallest.

    The scripts share ``timeout_s``; what did not end in time is left out, which the notes say.
    """
    files: dict[str, str | bytes] = {"cells.genlib": library.genlib(), "in.aig": aiger}
    deadline = monotonic() + timeout_s
    best: tuple[float, Mapped] | None = None
    log: list[str] = []
    notes: list[str] = []
    last = ""
    for k, steps in enumerate(EFFORTS[effort]):
        script = f"read_genlib cells.genlib\nread_aiger in.aig\n{steps}\nwrite_blif out.blif"
        left = deadline - monotonic()
        run = run_abc(script, files, ["out.blif"], timeout_s=max(0.1, left), memory_mb=memory_mb)
        if not run.finished or "out.blif" not in run.outputs:
            last = (run.log.strip().splitlines() or ["it said nothing"])[-1][:200]
            notes.append(f"script {k + 1} of {len(EFFORTS[effort])} did not end in time or memory and was left out")
            continue
        blif = run.outputs["out.blif"].decode()
        area = library.area(blif)
        log.append(f"script {k + 1}: {area * 1e-8:.4f} cm2")
        if best is None or area < best[0]:
            best = area, Mapped(blif, script, "", ())
    if best is None:
        raise MlpressError(f"ABC mapped nothing ({last}); allow more time or memory, or a lower effort")
    return replace(best[1], log="\n".join(log), notes=tuple(notes))
