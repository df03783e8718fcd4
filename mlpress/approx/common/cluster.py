"""Tasks on the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from mlpress.errors import MlpressError

CONNECT_S = 20

P = TypeVar("P")
T = TypeVar("T")
R = TypeVar("R")


class Cluster:
    """The workers of the scheduler at ``address``; a context manager.

    Tasks of a worker that dies go to another one, and since a task's result follows from the problem and the item
    alone, it is the same.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise MlpressError("a cluster needs Dask: install mlpress[cluster]") from error
        try:
            self._client: Any = Client(address, timeout=CONNECT_S, set_as_default=False)
        except Exception as error:  # what Dask raises for addresses shares no narrower base class
            raise MlpressError(f"no Dask scheduler answers at {address}; start one with `dask scheduler`") from error

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def width(self) -> int:
        """Threads of the workers that are there now."""
        threads: int = max(sum(self._client.nthreads().values()), 1)
        return threads

    def map(self, work: Callable[[P, T], R], problem: P, items: Sequence[T]) -> list[R]:
        """Return ``work(problem, item)`` for every item, each on one of the workers, in the order of the items."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        # Scattered data would be lost with the workers that hold it; a task's own arguments are not.
        tasks = [self._client.submit(work, problem, item, pure=False) for item in items]
        try:
            found: list[R] = self._client.gather(tasks)
        except (CancelledError, OSError, TimeoutError) as error:
            raise MlpressError("the cluster's scheduler is gone; start it again, then resume the search") from error
        except KilledWorker as error:
            raise MlpressError(
                f"the cluster lost several workers over one task ({error}); look at their memory, then resume"
            ) from error
        return found
