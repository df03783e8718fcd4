"""Serial lines: of a port, and with noise of our own."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

import numpy as np

from mlpress.errors import MlpressError

EXTRA = "pip install 'mlpress[hil]'"
BAUD = 115_200
FASTEST = 20_000_000

SLICE_S = 0.005
"""Seconds that one read of a port waits; a deadline may be missed by so much."""

CHUNK = 4096
WRITE_S = 5.0


class LineError(MlpressError):
    """The line is gone: unplugged, closed, or never there.  It may come back."""


class Line(Protocol):
    """A serial line that is open."""

    def read(self, seconds: float) -> bytes:
        """Return what has come, at most 4096 bytes; ``b""`` where nothing comes within ``seconds``."""

    def write(self, data: bytes) -> None:
        """Send ``data``."""

    def close(self) -> None:
        """Close the line."""


def parse_port(text: str) -> tuple[str, int]:
    """Return path and baud rate of ``/dev/ttyACM0`` or ``/dev/ttyACM0@9600``."""
    path, at, rate = text.rpartition("@")
    if not at:
        path, rate = text, str(BAUD)
    if not path:
        raise MlpressError("name the port: serial:/dev/ttyACM0, or serial:/dev/ttyACM0@9600 with its baud rate")
    if not (rate.isascii() and rate.isdigit() and 0 < int(rate[:9]) <= FASTEST and len(rate) < 9):
        raise MlpressError(f"the baud rate of {path[:200]} is {rate[:50]!r}; give a whole number up to {FASTEST}")
    return path, int(rate)


class SerialLine:
    """A port, through pyserial."""

    def __init__(self, path: str, baud: int = BAUD) -> None:
        """Open it; raise :class:`LineError` where that cannot be."""
        try:
            import serial
        except ImportError:
            raise MlpressError(f"the serial port needs pyserial: {EXTRA}") from None
        self._path, self._lost = path[:200], (serial.SerialException, OSError)
        try:
            self._port: Any = serial.Serial(path, baud, timeout=SLICE_S, write_timeout=WRITE_S, exclusive=True)
        except (*self._lost, ValueError) as error:
            raise LineError(f"cannot open {self._path}: {_said(error)}") from None

    def read(self, seconds: float) -> bytes:
        """Return what has come; raise :class:`LineError` where the port is gone."""
        until = monotonic() + seconds
        try:
            while True:
                data: bytes = self._port.read(1)
                if data:
                    return data + bytes(self._port.read(min(self._port.in_waiting, CHUNK - 1)))
                if monotonic() >= until:
                    return b""
        except (*self._lost, TypeError) as error:
            raise LineError(f"{self._path} is gone: {_said(error)}") from None

    def write(self, data: bytes) -> None:
        """Send ``data``; raise :class:`LineError` where the port is gone or takes nothing."""
        try:
            self._port.write(data)
        except self._lost as error:
            raise LineError(f"{self._path} is gone: {_said(error)}") from None

    def close(self) -> None:
        """Close the port."""
        self._port.close()


def _said(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).splitlines()[0][:200]


@dataclass(slots=True)
class NoisyLine:
    """A line that changes each byte, either way, with probability ``corrupt``, and loses it with ``drop``; seeded.

    ``changed`` and ``dropped`` count the bytes so far.
    """

    inner: Line
    corrupt: float = 0.01
    drop: float = 0.001
    seed: int = 0
    changed: int = 0
    dropped: int = 0
    _sent: np.random.Generator = field(init=False)
    _got: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._sent, self._got = (np.random.default_rng((self.seed, way)) for way in (0, 1))

    def read(self, seconds: float) -> bytes:
        """Return what is left of what has come."""
        until = monotonic() + seconds
        while True:
            data = self.inner.read(until - monotonic())
            left = self._noise(data, self._got)
            if left or not data:
                return left

    def write(self, data: bytes) -> None:
        """Send what is left of ``data``."""
        self.inner.write(self._noise(data, self._sent))

    def close(self) -> None:
        """Close the line."""
        self.inner.close()

    def _noise(self, data: bytes, rng: np.random.Generator) -> bytes:
        values = np.frombuffer(data, np.uint8)
        kept = rng.random(len(values)) >= self.drop
        hit = rng.random(len(values)) < self.corrupt
        self.changed += int(hit[kept].sum())
        self.dropped += int((~kept).sum())
        return (values ^ np.where(hit, rng.integers(1, 256, len(values)), 0).astype(np.uint8))[kept].tobytes()
