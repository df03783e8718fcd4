"""A pseudo-terminal with a device of our own at its other end: what opens it sees a serial port."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from mlpress.errors import MlpressError
from mlpress.sim.hil.line import CHUNK, SerialLine


class PtyDevice:
    """A device in a thread of its own, whose port is ``path``; ``close`` or the end of a ``with`` statement ends it."""

    def __init__(self, run: Callable[[Callable[[], bytes], Callable[[bytes], None]], None]) -> None:
        """Open a pseudo-terminal, and call ``run`` with a function that waits for bytes, and one that sends some.

        The first returns ``b""`` when the device is to end.
        """
        try:
            import tty
        except ImportError:
            raise MlpressError("this system has no pseudo-terminals; use serial: or emulated") from None
        self._here, self._there = os.openpty()
        tty.setraw(self._there)
        self.path = os.ttyname(self._there)
        self._ended, self._end = os.pipe()
        os.set_blocking(self._here, False)
        self.failed: Exception | None = None
        self._thread = Thread(target=self._guarded, args=(run,), daemon=True)
        self._thread.start()

    def __enter__(self) -> PtyDevice:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open_line(self) -> SerialLine:
        """Return the port, opened; raise what ended the device, if something did."""
        if self.failed is not None:
            raise MlpressError(f"the device failed: {self.failed}") from self.failed
        return SerialLine(self.path)

    def close(self) -> None:
        """End the device."""
        if self._end < 0:
            return
        os.close(self._end)
        self._end = -1
        self._thread.join(timeout=10)
        for handle in (self._here, self._there, self._ended):
            os.close(handle)

    def _guarded(self, run: Callable[[Callable[[], bytes], Callable[[bytes], None]], None]) -> None:
        try:
            run(self._receive, self._send)
        except Exception as error:
            self.failed = error

    def _receive(self) -> bytes:
        while True:
            ready, _, _ = select.select([self._here, self._ended], [], [])
            if self._ended in ready:
                return b""
            with suppress(BlockingIOError):
                return os.read(self._here, CHUNK)

    def _send(self, data: bytes) -> None:
        while data:
            ended, _, _ = select.select([self._ended], [self._here], [])
            if ended:
                return
            with suppress(BlockingIOError):
                data = data[os.write(self._here, data) :]
