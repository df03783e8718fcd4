"""The time of a whole command, and the part that is kept for its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf

END_SHARE = 0.25
"""The share of the time that is kept for the end: synthesis of the front, the chosen design's files and its checks."""

END_S = (6.0, 60.0)
"""Least and most seconds kept for the end."""

CHOSEN_SHARE = 0.6
"""The chosen design's share of the time kept for the end."""

_read: Callable[[], float] = time.monotonic


def now() -> float:
    """Return the time in seconds that all budgets read: :func:`time.monotonic`, or as :func:`timed_by` says.

    Nothing else in the searches asks for the time.
    """
    return _read()


@contextmanager
def timed_by(read: Callable[[], float]) -> Iterator[None]:
    """Let the searches of this process count the seconds of ``read`` within, on all its threads."""
    global _read  # noqa: PLW0603 - one process, one time
    before, _read = _read, read
    try:
        yield
    finally:
        _read = before


@dataclass(frozen=True, slots=True)
class Clock:
    """A command that ``began`` at this moment (of :func:`now`) and has ``seconds``, or no limit."""

    began: float
    seconds: float | None = None

    @property
    def timed(self) -> bool:
        """Whether there is a limit."""
        return self.seconds is not None

    def left_s(self) -> float:
        """Return the seconds until the command should end; infinite without a limit."""
        return inf if self.seconds is None else self.began + self.seconds - now()

    @property
    def end_s(self) -> float:
        """Seconds kept for the end: no more than half of all."""
        if self.seconds is None:
            return 0.0
        return min(max(END_SHARE * self.seconds, END_S[0]), END_S[1], 0.5 * self.seconds)

    @property
    def chosen_s(self) -> float:
        """Seconds of the end that the chosen design's files and checks get."""
        return CHOSEN_SHARE * self.end_s

    def paused(self, seconds: float) -> Clock:
        """Return the clock with ``seconds`` that do not count."""
        return replace(self, began=self.began + seconds)
