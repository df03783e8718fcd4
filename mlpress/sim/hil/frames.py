"""Frames of the protocol of ``docs/hil.md``: bytes on the line to messages and back, whatever noise there is."""

from __future__ import annotations

import binascii
import struct
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from mlpress.errors import MlpressError

VERSION = 1
HELLO, ROW, REPLY, REFUSED = 0x01, 0x02, 0x80, 0xFF
REASONS = {1: "a damaged frame", 2: "a type that it does not know", 3: "a frame of another length"}

HEAD, CHECK = struct.Struct("<BH"), struct.Struct("<BBH")
GREETING, ANSWER = struct.Struct("<BH8sHBHHBI"), struct.Struct("<HHI")
NO_CLASS = 0xFFFF


class Message(NamedTuple):
    """A frame's content: its ``type``, the ``sequence`` number 0 to 65535 of a request and its reply, the payload."""

    type: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Shape:
    """What is sent of a model: its hash (8 bytes), and how many inputs, classes and scores of how many bytes.

    ``classes`` is 0 for a regression, ``scores`` 0 where the board sends none.
    """

    model: bytes
    inputs: int
    code_bytes: int
    classes: int
    scores: int
    score_bytes: int


class Hello(NamedTuple):
    """What a board says of itself: protocol version, boot number, model, processor cycles per second (0: unknown)."""

    version: int
    boot: int
    shape: Shape
    hz: int


class Answer(NamedTuple):
    """A board's answer to a row: its boot number, the class (None of a regression), scores, and processor cycles."""

    boot: int
    found: int | None
    scores: tuple[int, ...]
    cycles: int


def check(body: bytes) -> bytes:
    """Return the 4 check bytes of ``body``: two sums modulo 256, then the CRC of all before it, low byte first.

    The sums are those of J. G. Fletcher, "An Arithmetic Checksum for Serial Transmissions" (1982), taken modulo 256;
    the CRC is CRC-16/IBM-3740 (polynomial 0x1021, start 0xFFFF, no reflection, no final XOR).
    """
    count = len(body)
    sums = bytes((sum(body) & 0xFF, sum((count - k) * byte for k, byte in enumerate(body)) & 0xFF))
    return sums + binascii.crc_hqx(body + sums, 0xFFFF).to_bytes(2, "little")


def encode(message: Message) -> bytes:
    """Return the bytes of a frame, with a zero at either end."""
    from cobs import cobs

    body = HEAD.pack(message.type, message.sequence) + message.payload
    return b"\0" + bytes(cobs.encode(body + check(body))) + b"\0"


def decode(frame: bytes) -> Message | None:
    """Return the message of the bytes between two zeros; ``None`` where they are damaged."""
    from cobs import cobs

    try:
        whole = bytes(cobs.decode(frame))
    except cobs.DecodeError:
        return None
    body, tail = whole[: -CHECK.size], whole[-CHECK.size :]
    if len(body) < HEAD.size or check(body) != tail:
        return None
    kind, sequence = HEAD.unpack_from(body)
    return Message(kind, sequence, body[HEAD.size :])


class Splitter:
    """Cuts a stream of bytes into frames, of each of which it never keeps more than ``most`` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept = bytearray()
        self._long = False
        self._ready: deque[Message | None] = deque()

    def feed(self, data: bytes) -> None:
        """Take bytes of the line."""
        *whole, rest = data.split(b"\0")
        for part in whole:
            self._add(part)
            if self._long:
                self._ready.append(None)
            elif self._kept:
                self._ready.append(decode(bytes(self._kept)))
            self._kept.clear()
            self._long = False
        self._add(rest)

    def next(self) -> tuple[bool, Message | None]:
        """Return whether a frame is there, and its message, ``None`` of a damaged one."""
        return (True, self._ready.popleft()) if self._ready else (False, None)

    def _add(self, part: bytes) -> None:
        self._long = self._long or len(self._kept) + len(part) > self._most
        if not self._long:
            self._kept += part


def most_bytes(shape: Shape) -> int:
    """Return how many bytes a sound frame about a model has at most, coded."""
    payload = max(shape.inputs * shape.code_bytes, ANSWER.size + shape.scores * shape.score_bytes, GREETING.size)
    body = HEAD.size + payload + CHECK.size
    return body + body // 254 + 1


def pack_hello(hello: Hello) -> bytes:
    """Return the payload of a hello."""
    s = hello.shape
    return GREETING.pack(
        hello.version, hello.boot, s.model, s.inputs, s.code_bytes, s.classes, s.scores, s.score_bytes, hello.hz
    )


def parse_hello(payload: bytes) -> Hello:
    """Return the hello of a payload; raise :class:`MlpressError` where it is none of this version."""
    if not payload or payload[0] != VERSION:
        spoken = payload[0] if payload else "none"
        raise MlpressError(f"the board speaks version {spoken} of the protocol, not {VERSION}; make its firmware again")
    if len(payload) != GREETING.size:
        raise MlpressError(f"the board's hello has {len(payload)} bytes, not {GREETING.size}; make its firmware again")
    version, boot, *shape, hz = GREETING.unpack(payload)
    return Hello(version, boot, Shape(*shape), hz)


def pack_answer(answer: Answer, shape: Shape) -> bytes:
    """Return the payload of an answer."""
    found = NO_CLASS if answer.found is None else answer.found
    scores = b"".join(score.to_bytes(shape.score_bytes, "little", signed=True) for score in answer.scores)
    return ANSWER.pack(answer.boot, found, answer.cycles & 0xFFFFFFFF) + scores


def parse_answer(payload: bytes, shape: Shape) -> Answer | None:
    """Return the answer of a payload; ``None`` where a model of this shape cannot have given it."""
    size = shape.score_bytes
    if len(payload) != ANSWER.size + shape.scores * size:
        return None
    boot, found, cycles = ANSWER.unpack_from(payload)
    if found >= shape.classes if shape.classes else found != NO_CLASS:
        return None
    starts = range(ANSWER.size, len(payload), size or 1)
    scores = tuple(int.from_bytes(payload[at : at + size], "little", signed=True) for at in starts)
    return Answer(boot, found if shape.classes else None, scores, cycles)
