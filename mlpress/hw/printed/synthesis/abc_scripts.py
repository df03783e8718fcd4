"""ABC's scripts at each effort of synthesis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.technology import cm2
from mlpress.hw.printed.synthesis.blocks import block_aiger, blocks_of, ends_text, merged, renamed
from mlpress.hw.printed.synthesis.mapping import Library
from mlpress.yosys import AndInverterGraph, run_abc

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


def _deep(options: str) -> str:
    """Draw among synthesis scripts with a fixed seed, a fixed number of times, and keep the smallest graph."""
    return f"strash\n{_RESUB}\n&get -n\n&deepsyn {options}\n&put\n{_MAP}"


_FAST = ("strash\ndch\namap",)
_DEFAULT = (*_FAST, f"strash\n{_RESUB}\n{_MAP}")
_BLOCKS = ("strash\ndrw\ndrf\namap",)
_DEEP = (_deep("-I 1 -J 2"), _deep("-t -I 1 -J 2"))
_THOROUGH = (*_DEFAULT, f"strash\n{_RESUB}\n{_DONT_CARES}\n{_RESUB}\n{_MAP}", *_DEEP)

MOST_DEEP_NODES = 1500
"""And-gates of the largest graph that ``&deepsyn`` is run on: seven to thirteen seconds there, and its time grows
faster than the graph (over a minute at 2,300)."""

CHECK_S = 20
"""Seconds that ABC's equivalence check of the chosen result may take."""

_CHECKS = (
    f"strash\nwrite_aiger mapped.aig\n&cec -x -T {CHECK_S} in.aig mapped.aig",
    f"cec -n -T {CHECK_S} in.aig",
)
"""Equivalence checks, the quicker one first; what it leaves undecided goes to the other.

On blocks of 45,000 and-gates the first takes 1.1 s, ``&cec`` without ``-x`` 5 to 6 s, and the second 3.4 s.
"""

EFFORTS: Mapping[str, tuple[str, ...]] = {"fast": _FAST, "default": _DEFAULT, "thorough": _THOROUGH}
"""ABC scripts of each effort; the smallest result counts, so that a higher effort is never worse.

No step has a limit in wall-clock time: equal inputs give equal results.  ABC's ``rewire`` is not among them: it made
a smaller circuit of another function.
"""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapped network as BLIF text, the script that made it, and what to say of it."""

    blif: str
    script: str
    log: str
    notes: tuple[str, ...]


def run_blocks(
    effort: str,
    graph: AndInverterGraph,
    outputs: Sequence[int],
    ends: Sequence[int],
    library: Library,
    *,
    timeout_s: float,
    memory_mb: int,
    told: Callable[[int, int], None],
) -> Mapped:
    """Map a large ``graph`` in blocks that end at ``ends`` (counts of and-gates).

    Each block is mapped as :func:`run_effort` does, unless ``effort`` is thorough with one quick script: structural
    choices (``dch``) take ten times as long on blocks of 45,000 and-gates, for the same area within .1 %.
    ``told`` hears how many blocks of how many are mapped.
    """
    deadline = monotonic() + timeout_s
    scripts = EFFORTS[effort] if effort == "thorough" else _BLOCKS
    first = 1 + graph.inputs
    texts, notes = list[str](), list[str]()
    blocks = blocks_of(graph, ends, outputs)
    for k, block in enumerate(blocks):
        aiger = block_aiger(graph, block)
        left = max(0.1, deadline - monotonic())
        mapped = run_effort(scripts, aiger, library, timeout_s=left, memory_mb=memory_mb)
        texts.append(renamed(mapped.blif, block, k, first))
        notes += [f"block {k + 1}: {note}" for note in mapped.notes]
        told(k + 1, len(blocks))
    notes.append(f"the circuit is large: it was mapped in {len(blocks)} blocks, each apart")
    script = f"read_genlib cells.genlib\nread_aiger in.aig\n{scripts[-1]}\nwrite_blif out.blif"
    blif = merged("".join([*texts, ends_text(outputs, first)]), library.inverters())
    return Mapped(blif, script, f"blocks: {cm2(library.area(blif)):.4f} cm2", tuple(notes))


def run_effort(scripts: Sequence[str], aiger: bytes, library: Library, *, timeout_s: float, memory_mb: int) -> Mapped:
    """Map ``aiger`` to ``library`` with each of ``scripts``, and keep the smallest that ``cec`` calls equal.

    The scripts share ``timeout_s``; what did not end in time is left out, which the notes say.
    """
    files: dict[str, str | bytes] = {"cells.genlib": library.genlib(), "in.aig": aiger}
    deadline = monotonic() + timeout_s
    found: list[tuple[float, Mapped]] = []
    log: list[str] = []
    notes: list[str] = []
    last = ""
    if _and_gates(aiger) > MOST_DEEP_NODES and set(_DEEP) & set(scripts):
        scripts = tuple(steps for steps in scripts if steps not in _DEEP)
        notes.append(f"&deepsyn was left out: it takes too long on over {MOST_DEEP_NODES:,} and-gates")
    for k, steps in enumerate(scripts):
        script = f"read_genlib cells.genlib\nread_aiger in.aig\n{steps}\nwrite_blif out.blif"
        left = deadline - monotonic()
        run = run_abc(script, files, ["out.blif"], timeout_s=max(0.1, left), memory_mb=memory_mb)
        if not run.finished or "out.blif" not in run.outputs:
            last = (run.log.strip().splitlines() or ["it said nothing"])[-1][:200]
            notes.append(f"script {k + 1} of {len(scripts)} did not end in time or memory and was left out")
            continue
        blif = run.outputs["out.blif"].decode()
        area = library.area(blif)
        log.append(f"script {k + 1}: {cm2(area):.4f} cm2")
        found.append((area, Mapped(blif, script, "", ())))
    if not found:
        raise MlpressError(f"ABC mapped nothing ({last}); allow more time or memory, or a lower effort")
    for _, mapped in sorted(found, key=lambda one: one[0]):
        left = deadline - monotonic()
        verdict = _checked(files, mapped.blif, timeout_s=min(max(0.1, left), 2.0 * CHECK_S), memory_mb=memory_mb)
        if verdict is False:
            notes.append("a smaller result of ABC is not the same function and was left out; please report this")
            continue
        log.append(
            "equal to the Verilog's gates for all inputs" if verdict else "not proven equal: the check did not end"
        )
        return replace(mapped, log="\n".join(log), notes=tuple(notes))
    raise MlpressError("no result of ABC is the same function; please report this as a bug of mlpress")


def _and_gates(aiger: bytes) -> int:
    return int(aiger.split(maxsplit=6)[5])


def _checked(files: Mapping[str, str | bytes], blif: str, *, timeout_s: float, memory_mb: int) -> bool | None:
    """Return whether the mapped network is the function of ``in.aig``; None where no check came to an end."""
    deadline = monotonic() + timeout_s
    for check in _CHECKS:
        script = f"read_genlib cells.genlib\nread_blif mapped.blif\n{check}"
        left = max(0.1, deadline - monotonic())
        run = run_abc(script, {**files, "mapped.blif": blif}, [], timeout_s=left, memory_mb=memory_mb)
        if "Networks are equivalent" in run.log:
            return True
        if "Networks are NOT EQUIVALENT" in run.log:
            return False
    return None
