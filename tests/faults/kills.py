"""Searches of both levels, killed at random moments and resumed: the front is that of an undisturbed search.

``python tests/faults/kills.py --kills 100`` prints per level how many kills there were, in how many searches, at which
generations, and how many of the resumed searches found the same front.  Exit code 1 where one did not.

Searches are forked from one process, in which kernels are loaded.  It has no second thread: OpenMP's do not outlive a
fork, and a search would wait for them for ever.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import egfet, small_search

from mlpress import ir
from mlpress.approx import Budget
from mlpress.approx.gates import GateSearchOptions, Rows, Tree, evolve

GENERATIONS, ROUNDS = 6, 4
INPUTS = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0) for k in range(4))
EFFORT = GateSearchOptions(prices=(2.0, 1.0), visits=150, draws=(8, 8, 4), folds=2, augmentations=("rows",))

Search = Callable[[Path | None, bool], str]
"""Searches with a checkpoint, resumed or not, and returns what was found as text."""


def integer(checkpoint: Path | None, resume: bool) -> str:
    """Return the integer level's front, without its seconds."""
    found = small_search.find(GENERATIONS, checkpoint=checkpoint, resume=resume, workers=1)
    return repr((found.designs, found.generations, found.tried))


def gates(checkpoint: Path | None, resume: bool) -> str:
    """Return the gate level's front, without its seconds."""
    codes = np.random.default_rng(0).integers(0, 8, (240, 4))
    rows = Rows(codes, (codes[:, 0] + codes[:, 1] > codes[:, 2] + 3).astype(np.int64))
    start, budget = Tree(INPUTS, (0, 1), 20), Budget(generations=ROUNDS)
    options = {"effort": EFFORT, "seed": 3, "workers": 1, "checkpoint": checkpoint, "resume": resume}
    front = evolve(INPUTS, (0, 1), rows, [start], egfet.gate_costs(), egfet.METRICS, budget, **options)  # type: ignore[arg-type]
    return front.to_csv()


LEVELS: dict[str, Search] = {"integer": integer, "gates": gates}


@dataclass
class Told:
    """What a level's searches did: kills, searches that came to their end, and how many found the undisturbed front."""

    kills: int = 0
    ended: int = 0
    same: int = 0
    resumed: list[int] = field(default_factory=list)


def killed(level: str, kills: int, seed: int, folder: Path) -> Told:
    """Kill searches of a level so often, each at a random moment of its time, and resume them until they end."""
    search, rng, told = LEVELS[level], Random(seed), Told()
    wanted = search(None, False)  # it makes the kernels ready, too
    since = time.monotonic()
    os.waitpid(_forked(search, folder / "whole.npz", folder / "whole"), 0)
    whole_s = time.monotonic() - since
    while told.kills < kills:
        kept, result = folder / f"{told.ended}.npz", folder / "result"
        result.unlink(missing_ok=True)
        resumes = 0
        while not result.exists():
            child = _forked(search, kept, result)
            time.sleep(rng.uniform(0.0, whole_s))
            if told.kills < kills and not result.exists():
                os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            if os.WIFSIGNALED(status):
                told.kills += 1
                resumes += kept.exists()
            elif status:
                raise SystemExit(f"a resumed search of level {level} ended with {status}")
        told.ended += 1
        told.same += result.read_text() == wanted
        told.resumed.append(resumes)
    return told


def _forked(search: Search, kept: Path, result: Path) -> int:
    """Start a search in a process of its own; it writes ``result`` at its end."""
    child = os.fork()
    if child:
        return child
    try:
        text = search(kept, kept.exists())
        fresh = result.with_suffix(".fresh")
        fresh.write_text(text)
        fresh.replace(result)
        os._exit(0)
    except BaseException as error:  # the parent reads the code alone
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill both levels' searches, half of the kills each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--level", nargs="*", default=list(LEVELS), choices=list(LEVELS))
    options = parser.parse_args(arguments)
    wrong = 0
    for level in options.level:
        with tempfile.TemporaryDirectory() as name:
            told = killed(level, -(-options.kills // len(options.level)), options.seed, Path(name))
        print(
            f"{level}: {told.kills} kills in {told.ended} searches, {sum(told.resumed)} of them with a checkpoint to "
            f"resume from; {told.same} of {told.ended} fronts are the undisturbed one"
        )
        wrong += told.ended - told.same
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
