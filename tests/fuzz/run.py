"""Run seeded mutations of everything that mlpress reads, and keep what fails as files.

``python tests/fuzz/run.py --seconds 600 --workers 2 --out FOLDER`` prints a line per kind: cases, refusals, failures,
the longest case in seconds, and the peak of memory.  Exit code 1 where anything failed.  A file that it wrote runs
again with ``--again FILE``; in ``tests/fuzz/found/`` it becomes a test.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz import arguments, checkpoints, data_files, folders, hardware_files, low_bits, onnx_files
from fuzz.kind import Kind

from mlpress.errors import MlpressError

KINDS = {
    kind.name: kind
    for kind in (
        onnx_files.KIND,
        low_bits.KIND,
        data_files.CSV_KIND,
        data_files.NPZ_KIND,
        hardware_files.NETLIST_KIND,
        hardware_files.LIBERTY_KIND,
        hardware_files.PROGRAM_KIND,
        hardware_files.LINE_KIND,
        checkpoints.KIND,
        folders.KIND,
        arguments.KIND,
    )
}
MOST_S, MOST_BYTES = 10.0, 2 << 30
POOL = 64
"""Mutated cases that are kept to be mutated further: what was read, and what was refused in other words."""


class TooLongError(BaseException):
    """A case took longer than :data:`MOST_S` seconds."""


@dataclass
class Tally:
    """What a run saw of one kind."""

    cases: int = 0
    refused: int = 0
    failures: dict[str, bytes] = field(default_factory=dict)
    longest_s: float = 0.0
    peak_mb: float = 0.0

    def add(self, other: Tally) -> None:
        """Take in what another worker saw."""
        self.cases += other.cases
        self.refused += other.refused
        self.failures |= other.failures
        self.longest_s = max(self.longest_s, other.longest_s)
        self.peak_mb = max(self.peak_mb, other.peak_mb)


@contextlib.contextmanager
def _alarm() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def attempt(kind: Kind, case: bytes, folder: Path) -> tuple[str, str]:
    """Read one case; return what it was refused with, and how it failed, both "" where it was read."""
    try:
        with warnings.catch_warnings(), _alarm():
            warnings.simplefilter("ignore")
            kind.read(case, folder)
    except MlpressError as error:
        text = str(error)
        return (text, "") if "\n" not in text else ("", f"a message of several lines: {text!r:.200}")
    except TooLongError:
        return "", f"over {MOST_S:g} s"
    except Exception:  # whatever it is, it is what this looks for
        return "", "".join(traceback.format_exc(limit=-3))
    return "", ""


def campaign(kind: Kind, seed: str, folder: Path, *, cases: int | None = None, seconds: float = 0.0) -> Tally:
    """Read mutated cases of one kind: so many, or for so many seconds."""
    rng, tally, since = Random(seed), Tally(), time.monotonic()
    seeds = list(kind.seeds())
    pool: list[bytes] = []
    known: set[str] = set()
    while tally.cases < cases if cases is not None else time.monotonic() - since < seconds:
        base = rng.choice(pool) if pool and rng.random() < 0.4 else rng.choice(seeds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # two members of one name are meant
            try:
                case = kind.mutate(rng, base, rng.choice(seeds))
            except Exception:  # a case that was mutated before may be no file any more
                case = kind.mutate(rng, rng.choice(seeds), rng.choice(seeds))
        began = time.process_time()
        refusal, failure = attempt(kind, case, folder)
        tally.longest_s = max(tally.longest_s, time.process_time() - began)
        tally.cases += 1
        tally.refused += bool(refusal)
        if failure:
            where = failure.strip().splitlines()[-3:]
            tally.failures.setdefault(f"{kind.name}: {' | '.join(line.strip() for line in where)}", case)
        words = "".join(c for c in refusal[-60:] if c.isalpha())
        if words not in known and len(case) < 1 << 16:
            known.add(words)
            pool.append(case)
            if len(pool) > POOL:
                del pool[rng.randrange(POOL)]
    tally.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return tally


def _worker(name: str, seed: str, seconds: float) -> Tally:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES + (6 << 30), resource.RLIM_INFINITY))  # libraries map much
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder, contextlib.redirect_stderr(io.StringIO()):
        return campaign(KINDS[name], seed, Path(folder), seconds=seconds)


def _table(tallies: dict[str, Tally]) -> None:
    print(f"{'kind':12}{'cases':>9}{'refused':>9}{'failures':>10}{'longest s':>11}{'peak MB':>9}")
    for name, tally in tallies.items():
        print(
            f"{name:12}{tally.cases:9,}{tally.refused:9,}{len(tally.failures):10}{tally.longest_s:11.2f}"
            f"{tally.peak_mb:9.0f}"
        )


def _again(file: Path) -> int:
    kind = KINDS[file.name.partition("-")[0]]
    with tempfile.TemporaryDirectory() as folder:
        refusal, failure = attempt(kind, file.read_bytes(), Path(folder))
    print(failure or refusal or "read")
    return bool(failure)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all kinds side by side, each for its share of the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "mlpress-fuzz")
    parser.add_argument("--again", type=Path)
    options = parser.parse_args(arguments)
    if options.again:
        return _again(options.again)
    chosen = options.kind or list(KINDS)
    shares = sum(KINDS[name].share for name in chosen)
    tasks = [
        (name, f"{options.seed} {worker} {name}", options.seconds * KINDS[name].share / shares)
        for name in chosen
        for worker in range(options.workers)
    ]
    tallies = {name: Tally() for name in chosen}
    with multiprocessing.get_context("spawn").Pool(options.workers, maxtasksperchild=1) as pool:
        for (name, _, _), tally in zip(tasks, pool.starmap(_worker, tasks, chunksize=1), strict=True):
            tallies[name].add(tally)
    _table({**tallies, "together": _sum(tallies)})
    options.out.mkdir(parents=True, exist_ok=True)
    for name, tally in tallies.items():
        for failure, case in tally.failures.items():
            file = options.out / f"{name}-{hashlib.sha256(case).hexdigest()[:12]}.case"
            file.write_bytes(case)
            print(f"\n{file}\n  {failure}")
    return int(any(tally.failures or tally.longest_s > MOST_S for tally in tallies.values()))


def _sum(tallies: dict[str, Tally]) -> Tally:
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    return whole


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
