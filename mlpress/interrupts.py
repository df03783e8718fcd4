"""Ctrl-C, SIGTERM and SIGHUP: the first one ends the work with what is there, a second one ends it at once.

The command line installs the handlers (:func:`handled`).  Until :func:`defer` is called, an interrupt raises
:class:`Interrupted` wherever the main thread is.  From then on, something is there that is worth finishing: interrupts
are kept, and raised only in what is :func:`allowed` to be cut short.  Without handlers, all of this does nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

SAME_S = 0.5
"""Signals within so many seconds of the first are the same request: ``timeout`` and terminals send several."""

SHOW_CURSOR = b"\x1b[?25h"
"""ECMA-48 private mode 25, set: a status line hides the cursor."""


class Interrupted(KeyboardInterrupt):
    """The process was asked to end."""


class Ended(BaseException):
    """The process ends: nothing on the way catches this, but everything cleans up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def code(self) -> int:
        """The exit code that shells give a process that a signal ended."""
        return 128 + self.number


@dataclass(slots=True)
class _State:
    """What has come in: the first signal's number and time, how many there were, and who is told.

    ``deferred``: interrupts are kept, not raised.  ``terminals``: file descriptors that a hang-up makes useless.
    """

    number: int | None = None
    since: float = 0.0
    count: int = 0
    deferred: bool = False
    terminals: tuple[int, ...] = ()
    told: Callable[[], None] | None = None


_state = _State()


@contextmanager
def handled() -> Iterator[None]:
    """Handle the signals while the block runs; those that the process was started to ignore stay ignored."""
    global _state  # noqa: PLW0603 - signals belong to the process
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _state = _State(terminals=tuple(fd for fd in (1, 2) if os.isatty(fd)))
    before = {number: signal.getsignal(number) for number in SIGNALS}
    mine = [number for number in SIGNALS if before[number] not in (signal.SIG_IGN, None)]
    try:
        for number in mine:
            signal.signal(number, _receive)
        yield
    finally:
        for number in mine:
            signal.signal(number, before[number])
        _state = _State()


def received() -> int | None:
    """Return the number of the first signal that came in, or ``None``."""
    return _state.number


def check() -> None:
    """Raise :class:`Interrupted` where an interrupt has come in that may be raised here.

    Libraries swallow what a handler raises (scikit-learn's training of networks does), and threads never see it;
    so loops ask.
    """
    if _state.number is not None and not _state.deferred:
        raise Interrupted


def defer(told: Callable[[], None] | None = None) -> None:
    """Keep interrupts from now on, but for what is :func:`allowed`; ``told`` is called when one is kept."""
    _state.deferred, _state.told = True, told


@contextmanager
def allowed() -> Iterator[None]:
    """Let interrupts raise :class:`Interrupted` within the block, at its start the one that was kept."""
    state = _state
    before, state.deferred = state.deferred, False
    try:
        check()
        yield
        check()
    finally:
        state.deferred = before


def end() -> NoReturn:
    """Raise :class:`Ended` for the signal that came in (for SIGINT where Python's own handler raised)."""
    raise Ended(_state.number or signal.SIGINT) from None


def _receive(number: int, frame: FrameType | None) -> None:
    state = _state
    if number == signal.SIGHUP:
        _leave_terminals(state.terminals)
    if state.number is None:
        state.number, state.since, state.count = number, monotonic(), 1
        if not state.deferred:
            raise Interrupted
        if state.told is not None:
            with suppress(RuntimeError):  # the signal came while the same stream was written to
                state.told()
    elif monotonic() - state.since > SAME_S:
        state.count += 1
        if state.count == 2:
            raise Ended(state.number)
        if 2 in state.terminals:
            os.write(2, SHOW_CURSOR)
        os._exit(128 + state.number)


def _leave_terminals(terminals: tuple[int, ...]) -> None:
    """Send what would be written to a terminal that is gone nowhere, since writing to it is an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for fd in terminals:
        os.dup2(nowhere, fd)
    os.close(nowhere)
