"""Islands on the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlpress.approx.evolve import Island, Problem, advance
from mlpress.errors import MlpressError

CONNECT_S = 20


class Cluster:
    """Advances every island on a worker of the scheduler at ``address``; a context manager.

    A worker that dies costs what it was doing: the scheduler gives its islands to another one, and since an island's
    next generation follows from its last one alone, the result is the same.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise MlpressError("a cluster needs Dask: install mlpress[cluster]") from error
        try:
            self._client: Any = Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise MlpressError(f"no Dask scheduler answers at {address}; start one with `dask scheduler`") from error

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def advance(self, problem: Problem, islands: Sequence[Island]) -> list[Island]:
        """Every island one generation later."""
        from distributed import KilledWorker

        tasks = [self._client.submit(advance, problem, island, 1, pure=False) for island in islands]
        try:
            found: list[Island] = self._client.gather(tasks)
        except KilledWorker as error:
            raise MlpressError(
                f"the cluster lost several workers over one island ({error}); look at their memory, then resume"
            ) from error
        return found
