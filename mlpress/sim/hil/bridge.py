"""A board in Python: speaks the framed protocol for anything that answers a row of codes, such as an RTL simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.sim.hil.frames import (
    HELLO,
    REFUSED,
    REPLY,
    ROW,
    VERSION,
    Answer,
    Hello,
    Message,
    Shape,
    Splitter,
    encode,
    most_bytes,
    pack_answer,
    pack_hello,
)

DAMAGED, UNKNOWN, WRONG_LENGTH = b"\x01", b"\x02", b"\x03"


class Reply(NamedTuple):
    """What a row's codes give: the class (None of a regression), its scores, and cycles."""

    found: int | None
    scores: tuple[int, ...]
    cycles: int


@dataclass(frozen=True, slots=True)
class Bridge:
    """The other end of a line: ``reply`` answers codes int64 (inputs,) of a model of this ``shape``."""

    shape: Shape
    reply: Callable[[NDArray[np.int64]], Reply]
    hz: int = 0
    boot: int = 1

    def run(self, receive: Callable[[], bytes], send: Callable[[bytes], None]) -> None:
        """Answer until ``receive`` returns ``b""``."""
        splitter = Splitter(most_bytes(self.shape))
        send(encode(Message(HELLO | REPLY, 0, self._hello())))
        while data := receive():
            splitter.feed(data)
            while (found := splitter.next())[0]:
                send(encode(self._answer(found[1])))

    def _hello(self) -> bytes:
        return pack_hello(Hello(VERSION, self.boot, self.shape, self.hz))

    def _answer(self, message: Message | None) -> Message:
        if message is None:
            return Message(REFUSED, 0, DAMAGED)
        kind, sequence, payload = message
        if kind == HELLO and not payload:
            return Message(HELLO | REPLY, sequence, self._hello())
        if kind == ROW and len(payload) == self.shape.inputs * self.shape.code_bytes:
            codes = np.frombuffer(payload, f"<u{self.shape.code_bytes}").astype(np.int64)
            answer = Answer(self.boot, *self.reply(codes))
            return Message(ROW | REPLY, sequence, pack_answer(answer, self.shape))
        return Message(REFUSED, sequence, WRONG_LENGTH if kind in {HELLO, ROW} else UNKNOWN)
