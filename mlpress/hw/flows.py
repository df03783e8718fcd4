"""What ABC is told to do at each effort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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

EFFORTS: Mapping[str, str] = {
    "fast": f"strash\n{_RESUB}\ndch -f\namap",
    "default": f"strash\n{_RESUB}\ndch -f\namap",
    "thorough": f"strash\n{_RESUB}\ndch -f\namap",
}


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapped network as BLIF text, the script that made it, and what to say of it."""

    blif: str
    script: str
    log: str
    notes: tuple[str, ...]


def run_effort(effort: str, aiger: bytes, library: Library, *, timeout_s: float, memory_mb: int, seed: int) -> Mapped:
    """Map ``aiger`` to ``library`` with the scripts of ``effort``."""
    script = f"read_genlib cells.genlib\nread_aiger in.aig\n{EFFORTS[effort]}\nwrite_blif out.blif"
    files: dict[str, str | bytes] = {"cells.genlib": library.genlib(), "in.aig": aiger}
    run = run_abc(script, files, ["out.blif"], timeout_s=timeout_s, memory_mb=memory_mb)
    if not run.finished or "out.blif" not in run.outputs:
        raise MlpressError(f"ABC mapped nothing: {run.log.strip().splitlines()[-1][:200]}")
    return Mapped(run.outputs["out.blif"].decode(), script, "", ())
