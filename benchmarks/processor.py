"""Budgets of searches in processor seconds, so that whatever else a machine does changes nothing."""

import importlib
import pkgutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from unittest.mock import patch


def approx_modules() -> list[ModuleType]:
    """All modules of ``mlpress.approx``, those too that are otherwise loaded when they are asked for."""
    import mlpress.approx

    found = pkgutil.walk_packages(mlpress.approx.__path__, "mlpress.approx.")
    return [importlib.import_module(module.name) for module in found]


@contextmanager
def processor_budgets() -> Iterator[None]:
    """Within, a search counts the processor time of this process in place of the time on the wall.

    The budgets of ``mlpress.approx`` read ``time.monotonic``; its modules are given ``time.process_time`` in its
    place.  Libraries are kept to one thread, so that a second of a search with one worker is a second of one core.
    """
    from threadpoolctl import threadpool_limits

    readers = [module for module in approx_modules() if getattr(module, "monotonic", None) is time.monotonic]
    if not readers:
        raise RuntimeError("no module of mlpress.approx reads time.monotonic; what do its budgets read?")
    with ExitStack() as stack:
        for module in readers:
            stack.enter_context(patch.object(module, "monotonic", time.process_time))
        stack.enter_context(threadpool_limits(1))
        yield
