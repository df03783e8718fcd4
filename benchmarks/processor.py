"""Budgets of searches in processor seconds, so that whatever else a machine does changes nothing."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mlpress import approx


def processor_s() -> float:
    """Processor time of this process and of its children that have ended, seconds."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@contextmanager
def processor_budgets() -> Iterator[None]:
    """Within, a search counts processor time in place of the time on the wall.

    Libraries are kept to one thread, so that a second of a search with one worker is a second of one core.
    """
    from threadpoolctl import threadpool_limits

    with approx.timed_by(processor_s), threadpool_limits(1):
        yield
