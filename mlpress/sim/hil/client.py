"""The host's side of the framed protocol: rows to a board and answers back, each row exactly once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from time import monotonic, sleep
from typing import NamedTuple

from mlpress.errors import MlpressError
from mlpress.sim.hil.frames import (
    HELLO,
    REASONS,
    REFUSED,
    REPLY,
    ROW,
    Answer,
    Hello,
    Message,
    Shape,
    Splitter,
    encode,
    most_bytes,
    parse_answer,
    parse_hello,
)
from mlpress.sim.hil.line import Line, LineError

PATIENCE_S = 15.0
"""Seconds without a sound answer after which a board is given up; many boards take 2 to start."""

HELLO_S = 0.5
SHORTEST_S, LONGEST_S = 0.01, 4.0
"""Bounds of the time that a row's answer is waited for."""

REOPEN_S = 0.2


@dataclass(slots=True)
class Faults:
    """What went wrong on a line so far.

    ``damaged`` frames arrived here, ``refused`` ones there; ``silent`` requests had no answer in time; ``sent_again``
    counts rows sent again; a board made ``restarts``, and the line was ``reopened``.
    """

    damaged: int = 0
    refused: int = 0
    silent: int = 0
    sent_again: int = 0
    restarts: int = 0
    reopened: int = 0


class Asked(NamedTuple):
    """An answer, how often its row was sent, and the seconds from its first sending to the answer."""

    answer: Answer
    sent: int
    seconds: float


class _Event(Enum):
    DAMAGED = auto()
    SILENT = auto()


class Client:
    """A board on a line that is opened by ``open_line``, again where it is lost.

    One row is under way at a time, so that a board needs memory for one frame.  The time that an answer is waited for
    follows the line: mean plus four mean deviations of answers to rows that were sent once (RFC 6298, with the
    smoothing of V. Jacobson, 1988), doubled after each silence.
    """

    def __init__(
        self,
        open_line: Callable[[], Line],
        shape: Shape,
        *,
        patience_s: float = PATIENCE_S,
        told: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Prepare to talk about a model of this ``shape``; ``told`` hears of a lost or restarted board."""
        self._open, self._shape, self._patience, self._told = open_line, shape, patience_s, told
        self._line: Line | None = None
        self._splitter = Splitter(most_bytes(shape))
        self._sequence = 0
        self._hello: Hello | None = None
        self._mean_s, self._deviation_s, self._wait_s = 0.0, 0.0, 1.0
        self._refusal = ""
        self.faults = Faults()

    @property
    def hz(self) -> int:
        """Processor cycles per second of the board, 0 where they are not known."""
        return 0 if self._hello is None else self._hello.hz

    def close(self) -> None:
        """Close the line."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def connect(self) -> Hello:
        """Open the line, and return what the board says of itself.

        Raises :class:`MlpressError` where no board answers, or one with another model.
        """
        if self._line is None:
            self._line = self._open()
        self._hello = self._greet(monotonic() + self._patience)
        return self._hello

    def ask(self, row: bytes) -> Asked:
        """Send a row of input codes until its answer is there, and return it; raise where the patience ends."""
        began, sent = monotonic(), 0
        until = began + self._patience
        if self._hello is None:
            self.connect()
        self._sequence = self._sequence % 0xFFFF + 1
        frame = encode(Message(ROW, self._sequence, row))
        while True:
            sent += 1
            self.faults.sent_again += sent > 1
            try:
                at = self._write(frame)
                found = self._wait(at + self._wait_s, until)
            except LineError as error:
                self._lost(error, until)
                continue
            match found:
                case Answer() as answer:
                    if sent == 1:
                        self._learn(monotonic() - at)
                    return Asked(answer, sent, monotonic() - began)
                case Hello() as hello:
                    self._restarted(hello)
                case _Event.SILENT:
                    self.faults.silent += 1
                    self._wait_s = min(2 * self._wait_s, LONGEST_S)
            if monotonic() > until:
                raise self._given_up()

    def _write(self, frame: bytes) -> float:
        if self._line is None:
            raise LineError("the line is closed")
        self._line.write(frame)
        return monotonic()

    def _wait(self, deadline: float, until: float) -> Answer | Hello | _Event:
        """Return the answer to the row under way, a hello of another boot, or what else calls for sending again."""
        deadline = min(deadline, until)
        while True:
            message = self._next(deadline)
            if isinstance(message, _Event):
                return message
            if monotonic() > until:
                raise self._given_up()
            if message.type == HELLO | REPLY:
                with suppress(MlpressError):
                    hello = parse_hello(message.payload)
                    if self._hello is None or hello.boot != self._hello.boot or hello.shape != self._hello.shape:
                        return hello
            elif message.type == REFUSED:
                self.faults.refused += 1
                self._refusal = REASONS.get(message.payload[0] if message.payload else 0, "something")
                return _Event.DAMAGED
            elif message.type == ROW | REPLY and message.sequence == self._sequence:
                answer = parse_answer(message.payload, self._shape)
                if answer is None:
                    return _Event.DAMAGED
                if self._hello is not None and answer.boot != self._hello.boot:
                    return self._greet(until)  # its hello was lost
                return answer

    def _next(self, deadline: float) -> Message | _Event:
        """Return the next sound message; what has come by the deadline is read, however late this process is."""
        late = False
        while True:
            there, message = self._splitter.next()
            if there and message is None:
                self.faults.damaged += 1
                return _Event.DAMAGED
            if message is not None:
                return message
            if late:
                return _Event.SILENT
            if self._line is None:
                raise LineError("the line is closed")
            left = deadline - monotonic()
            late = left <= 0
            self._splitter.feed(self._line.read(max(left, 0.0)))

    def _greet(self, until: float) -> Hello:
        """Return the board's hello, opening the line where it is not open."""
        frame = encode(Message(HELLO, 0, b""))
        wait_s = HELLO_S
        while True:
            try:
                if self._line is None:
                    self._line = self._open()
                deadline = min(self._write(frame) + wait_s, until)
                while not isinstance(message := self._next(deadline), _Event):
                    if message.type == HELLO | REPLY:
                        return self._checked(parse_hello(message.payload))
                    if monotonic() > until:
                        raise self._given_up()
                if message is _Event.SILENT:
                    wait_s = min(2 * wait_s, LONGEST_S)
            except LineError as error:
                self._lost(error, until, reopen=False)
            if monotonic() > until:
                raise self._given_up()

    def _checked(self, hello: Hello) -> Hello:
        if hello.shape.model != self._shape.model:
            raise MlpressError(
                f"the board runs model {hello.shape.model.hex()}, not {self._shape.model.hex()}; "
                "write this design's firmware to it (mlpress firmware)"
            )
        if hello.shape != self._shape:
            raise MlpressError(f"the board's firmware is of other options ({hello.shape}); make its firmware again")
        return hello

    def _restarted(self, hello: Hello) -> None:
        self._hello = self._checked(hello)
        self.faults.restarts += 1
        self._told(f"the board restarted (boot {hello.boot}); the row under way is sent again")

    def _lost(self, error: LineError, until: float, reopen: bool = True) -> None:
        """Close the line; open it again where ``reopen``, and else wait a little."""
        if monotonic() > until:
            raise error
        self.close()
        self._splitter = Splitter(most_bytes(self._shape))
        if not reopen:
            sleep(REOPEN_S)
            return
        self._told(f"{error}; trying to open it again")
        hello = self._greet(until)
        self.faults.reopened += 1
        if self._hello is None or hello.boot != self._hello.boot:
            self._restarted(hello)

    def _learn(self, seconds: float) -> None:
        if not self._mean_s:
            self._mean_s, self._deviation_s = seconds, seconds / 2
        else:
            self._deviation_s += (abs(seconds - self._mean_s) - self._deviation_s) / 4
            self._mean_s += (seconds - self._mean_s) / 8
        self._wait_s = min(max(self._mean_s + 4 * self._deviation_s, SHORTEST_S), LONGEST_S)

    def _given_up(self) -> MlpressError:
        refused = f"; it refused {self._refusal}" if self._refusal else ""
        return MlpressError(
            f"the board has not answered for {self._patience:g} s{refused}; check port, baud rate and firmware"
        )
