"""Where the tasks of a search run: here, in turn or on threads, or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

P = TypeVar("P")
T = TypeVar("T")
R = TypeVar("R")


class Executor(Protocol):
    """Does the same work on items, in whatever order; a task's result follows from problem and item alone."""

    @property
    def width(self) -> int:
        """Items that it works on at a time."""
        ...

    def map(self, work: Callable[[P, T], R], problem: P, items: Sequence[T]) -> list[R]:
        """``work(problem, item)`` for every item; results in the order of the items."""
        ...


@dataclass(frozen=True, slots=True)
class Threads:
    """Tasks on so many threads of this process; with one, in turn."""

    threads: int

    @property
    def width(self) -> int:
        """Its threads."""
        return self.threads

    def map(self, work: Callable[[P, T], R], problem: P, items: Sequence[T]) -> list[R]:
        """See :class:`Executor`; an interrupt waits for the tasks that run and drops the others."""
        if self.threads == 1:
            return [work(problem, item) for item in items]
        pool = ThreadPoolExecutor(self.threads)
        try:
            return list(pool.map(partial(work, problem), items))
        finally:
            pool.shutdown(cancel_futures=True)


def executor(threads: int, cluster: str | None) -> AbstractContextManager[Executor]:
    """The Dask scheduler at the address ``cluster``, or threads here where there is none."""
    if cluster is None:
        return nullcontext(Threads(threads))
    from mlpress.approx.common.cluster import Cluster

    return Cluster(cluster)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))
