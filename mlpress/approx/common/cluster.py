"""Tasks on the workers of a Dask cluster."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from mlpress.errors import MlpressError

CONNECT_S = 20

_ADDRESS = re.compile(r"(?:(?:tcp|tls|ws|wss|ucx)://)?(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})", re.ASCII)
"""``tcp://host:port``: others make Dask start workers of its own, or wait for ever."""

P = TypeVar("P")
T = TypeVar("T")
R = TypeVar("R")


def _ask(address: str) -> None:
    """Ask a scheduler who it is; raise where it does not say so in time.

    A client by itself waits for ever where a port is open and nobody answers.
    """
    from distributed import Security
    from distributed.core import rpc

    async def asked() -> None:
        async with rpc(address, connection_args=Security().get_connection_args("client")) as scheduler:
            await asyncio.wait_for(scheduler.identity(), CONNECT_S)

    with ThreadPoolExecutor(1) as pool:  # this thread may have an event loop of its own, as in a notebook
        pool.submit(asyncio.run, asked()).result()


class Cluster:
    """The workers of the scheduler at ``address``; a context manager.

    Tasks of a worker that dies go to another one, and since a task's result follows from the problem and the item
    alone, it is the same.
    """

    def __init__(self, address: str) -> None:
        found = _ADDRESS.fullmatch(address)
        if found is None or not 0 < int(found[1]) < 1 << 16:
            raise MlpressError(f"no Dask scheduler answers at {address!r}: that is no address; write tcp://host:port")
        try:
            from distributed import Client
        except ImportError as error:
            raise MlpressError("a cluster needs Dask: install mlpress[cluster]") from error
        try:
            _ask(address)
            self._client: Any = Client(address, timeout=CONNECT_S, set_as_default=False)
        except Exception as error:  # what Dask raises for addresses shares no narrower base class
            raise MlpressError(f"no Dask scheduler answers at {address!r}; start one with `dask scheduler`") from error

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
