"""Run a call within bounds of memory, and measure what it took."""

from __future__ import annotations

import resource
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time

from mlpress.errors import MlpressError

PAGE = resource.getpagesize()


@dataclass(frozen=True)
class Taken:
    """The one line of a refusal ("" for none), seconds of processor time, and the peak of MiB that arrays took."""

    refusal: str
    seconds: float
    mebibytes: float


def bounded(call: Callable[[], object], most: int = 2 << 30) -> Taken:
    """Run ``call`` with at most ``most`` bytes of address space beyond today's; only MlpressError is a refusal."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * PAGE
    resource.setrlimit(resource.RLIMIT_AS, (now + most, hard))
    tracemalloc.start(1)
    began, refusal = process_time(), ""
    try:
        call()
    except MlpressError as error:
        refusal = str(error)
    finally:
        seconds, peak = process_time() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    return Taken(refusal, seconds, peak / 2**20)
