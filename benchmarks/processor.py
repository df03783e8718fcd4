"""Budgets of searches in processor seconds, so that whatever else a machine does changes nothing."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch


@contextmanager
def processor_budgets() -> Iterator[None]:
    """Within, a search counts the processor time of this process in place of the time on the wall.

    The budgets of ``mlpress.approx`` read ``time.monotonic``; its modules are given ``time.process_time`` in its
    place.  Libraries are kept to one thread, so that a second of a search with one worker is a second of one core.
    """
    from threadpoolctl import threadpool_limits

    import mlpress.approx.gates.evolution
    import mlpress.approx.integer_search  # noqa: F401 - a door's modules are loaded when they are asked for

    readers = [
        module
        for name, module in sys.modules.items()
        if name.startswith("mlpress.") and getattr(module, "monotonic", None) is time.monotonic
    ]
    if not any(module.__name__.startswith("mlpress.approx") for module in readers):
        raise RuntimeError("no module of mlpress.approx reads time.monotonic; what do its budgets read?")
    with ExitStack() as stack:
        for module in readers:
            stack.enter_context(patch.object(module, "monotonic", time.process_time))
        stack.enter_context(threadpool_limits(1))
        yield
