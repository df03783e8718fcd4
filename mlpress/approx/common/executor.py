"""Executors of a search's tasks: this process, in turn or on threads, or a cluster."""

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
    """Run the same work on items, in any order; a task's result follows from problem and item alone."""

    @property
    def width(self) -> int:
        """The number of items that run at a time."""
        ...

    def map(self, work: Callable[[P, T], R], problem: P, items: Sequence[T]) -> list[R]:
        """Return ``work(problem, item)`` for every item, in the order of the items."""
        ...


@dataclass(frozen=True, slots=True)
class Threads:
    """Run tasks on so many threads of this process; with one, in turn."""

    threads: int

    @property
    def width(self) -> int:
        """The number of threads."""
        return self.threads

    def map(self, work: Callable[[P, T], R], problem: P, items: Sequence[T]) -> list[R]:
        """Run as :class:`Executor` says; an interrupt waits for the tasks that run and drops the others."""
        if self.threads == 1:
            return [work(problem, item) for item in items]
        pool = ThreadPoolExecutor(self.threads)
        try:
            return list(pool.map(partial(work, problem), items))
        finally:
            pool.shutdown(cancel_futures=True)


def executor(threads: int, cluster: str | None) -> AbstractContextManager[Executor]:
    """Return the Dask scheduler at the address ``cluster``, or threads here where there is none."""
    if cluster is None:
        return nullcontext(Threads(threads))
    from mlpress.approx.common.cluster import Cluster

    return Cluster(cluster)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))
