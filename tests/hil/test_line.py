"""The host's side of a line: noise, restarts, lost lines, wrong boards; every row exactly once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from time import monotonic

import numpy as np
import pytest
from support.boards import Model, chosen, emulated

from mlpress.errors import MlpressError
from mlpress.sim import hil
from mlpress.sim.hil.client import SHORTEST_S
from mlpress.sim.hil.frames import VERSION, pack_answer, pack_hello

SHAPE = hil.Shape(b"8 bytes!", 2, 1, 3, 0, 0)


def test_a_thousand_rows_through_noise_and_two_resets() -> None:
    """1 % of the bytes changed and 0.1 % dropped in either direction, and the board resets twice within a frame."""
    model = Model(chosen(4, 6), 1_000)
    notes: list[str] = []
    lines: list[hil.NoisyLine] = []
    with emulated(model.firmware("framed"), resets=(5_001, 10_003)) as device:

        def open_line() -> hil.Line:
            lines.append(hil.NoisyLine(device.open_line(), corrupt=0.01, drop=0.001, seed=1))
            return lines[-1]

        client = hil.Client(open_line, model.shape, told=notes.append)
        asked = [client.ask(model.bytes(row)) for row in range(1_000)]
        client.close()
    model.check([one.answer for one in asked])
    assert [one.answer.boot for one in asked] == sorted(one.answer.boot for one in asked)
    assert {one.answer.boot for one in asked} == {1, 2, 3}
    faults = client.faults
    assert faults.sent_again == sum(one.sent - 1 for one in asked) > 100
    assert (faults.restarts, faults.reopened) == (2, 0)
    assert [note.partition(";")[0] for note in notes] == [f"the board restarted (boot {boot})" for boot in (2, 3)]
    assert lines[0].changed > 300
    assert lines[0].dropped > 20
    assert min(faults.damaged, faults.refused, faults.silent) > 0


Reply = Callable[[hil.Message], list[hil.Message | bytes]]


class Scripted:
    """A line whose board is a function: requests to what it sends; an exception is raised at the host's next read."""

    def __init__(self, board: Reply) -> None:
        self._board, self._ready = board, deque[bytes]()
        self.closed = False

    def write(self, data: bytes) -> None:
        for part in filter(None, data.split(b"\0")):
            message = hil.decode(part)
            assert message is not None
            for one in self._board(message):
                self._ready.append(one if isinstance(one, bytes) else hil.encode(one))

    def read(self, seconds: float) -> bytes:
        if not self._ready:
            return b""
        if self._ready[0] == b"gone":
            self._ready.popleft()
            raise hil.LineError("the port is gone")
        return self._ready.popleft()

    def close(self) -> None:
        self.closed = True


def hello(boot: int = 1, shape: hil.Shape = SHAPE, version: int = VERSION) -> hil.Message:
    return hil.Message(0x81, 0, pack_hello(hil.Hello(version, boot, shape, 1000)))


def answer(request: hil.Message, boot: int = 1, found: int | None = None) -> hil.Message:
    chosen_class = request.payload[0] % 3 if found is None else found
    return hil.Message(0x82, request.sequence, pack_answer(hil.Answer(boot, chosen_class, (), 5), SHAPE))


def test_an_answer_that_comes_twice_counts_once() -> None:
    said: list[hil.Message] = []

    def board(request: hil.Message) -> list[hil.Message | bytes]:
        if request.type == 1:
            return [hello()]
        said.append(answer(request))
        return [*said[-3:], *said[-1:] * (request.sequence % 100 == 1)]

    client = hil.Client(lambda: Scripted(board), SHAPE)
    found = [client.ask(bytes([k % 256, 0])).answer.found for k in range(1_000)]
    assert len(said) == 1_000
    assert found == [k % 256 % 3 for k in range(1_000)]
    assert client.faults == hil.Faults()


def test_sequence_numbers_go_round() -> None:
    client = hil.Client(lambda: Scripted(lambda m: [hello() if m.type == 1 else answer(m)]), SHAPE)
    client._sequence = 0xFFFE
    assert [client.ask(bytes([k, 0])).answer.found for k in range(4)] == [0, 1, 2, 0]
    assert client._sequence == 3  # 65535, 1, 2, 3: 0 is for greetings


def test_impossible_answers_are_not_taken() -> None:
    tries: list[int] = []

    def board(request: hil.Message) -> list[hil.Message | bytes]:
        if request.type == 1:
            return [hello()]
        tries.append(request.sequence)
        wrong = [answer(request, found=3), hil.Message(0x82, request.sequence, b"short"), hil.Message(0xFF, 0, b"\x01")]
        return [wrong[len(tries) - 1] if len(tries) < 4 else answer(request)]

    client = hil.Client(lambda: Scripted(board), SHAPE)
    assert client.ask(bytes([1, 0])) == (hil.Answer(1, 1, (), 5), 4, pytest.approx(0, abs=1))
    assert client.faults.refused == 1


def test_a_line_that_is_lost_is_opened_again() -> None:
    notes: list[str] = []
    opened: list[Scripted] = []
    rows: list[int] = []

    def board(request: hil.Message) -> list[hil.Message | bytes]:
        if request.type == 1:
            return [hello(boot=len(opened))]
        rows.append(request.payload[0])
        return [b"gone"] if len(rows) in {3, 6} else [answer(request, boot=len(opened))]

    def open_line() -> Scripted:
        opened.append(Scripted(board))
        return opened[-1]

    client = hil.Client(open_line, SHAPE, told=notes.append)
    assert [client.ask(bytes([k, 0])).answer.found for k in range(6)] == [0, 1, 2, 0, 1, 2]
    assert rows == [0, 1, 2, 2, 3, 4, 4, 5]
    assert [one.closed for one in opened] == [True, True, False]
    assert (client.faults.reopened, client.faults.restarts) == (2, 2)
    assert notes[0] == "the port is gone; trying to open it again"


def test_a_restart_whose_greeting_is_lost_is_seen_in_the_answer() -> None:
    boots = iter([1, 1, 2, 2, 2])

    def board(request: hil.Message) -> list[hil.Message | bytes]:
        return [hello(2 if client._sequence else 1)] if request.type == 1 else [answer(request, boot=next(boots))]

    client = hil.Client(lambda: Scripted(board), SHAPE)
    asked = [client.ask(bytes([k, 0])) for k in range(4)]
    assert [(one.answer.boot, one.sent) for one in asked] == [(1, 1), (1, 1), (2, 2), (2, 1)]
    assert client.faults.restarts == 1


@pytest.mark.parametrize(
    ("greeting", "says"),
    [
        (hello(shape=replace(SHAPE, model=bytes(8))), "runs model 0000000000000000, not 3820627974657321"),
        (hello(shape=replace(SHAPE, scores=3, score_bytes=4)), "of other options"),
        (hello(version=2), "speaks version 2 of the protocol, not 1"),
        (hil.Message(0x81, 0, bytes([1, 2])), "hello has 2 bytes, not 23"),
    ],
)
def test_another_board_is_refused(greeting: hil.Message, says: str) -> None:
    with pytest.raises(MlpressError, match=says):
        hil.Client(lambda: Scripted(lambda message: [greeting]), SHAPE).connect()


def test_a_board_that_turns_into_another_one_is_refused() -> None:
    other = hello(2, replace(SHAPE, model=bytes(8)))
    client = hil.Client(lambda: Scripted(lambda m: [hello() if m.type == 1 else other]), SHAPE)
    with pytest.raises(MlpressError, match="runs model 0000000000000000"):
        client.ask(b"\0\0")


@pytest.mark.parametrize("babble", [b"", b"\x55" * 4000, hil.encode(hil.Message(0x82, 7, bytes(8))), b"\1\0"])
def test_patience_ends(babble: bytes) -> None:
    class Babbling(Scripted):
        def read(self, seconds: float) -> bytes:
            return super().read(seconds) or babble

    lines = [Babbling(lambda m: [hello()] if m.type == 1 else [hil.Message(0xFF, 0, b"\x03")])]
    client = hil.Client(lambda: lines[-1], SHAPE, patience_s=0.1)
    client.connect()
    began = monotonic()
    with pytest.raises(
        MlpressError, match=r"not answered for 0\.1 s; it refused a frame of another length; check port"
    ):
        client.ask(b"\0\0")
    assert monotonic() - began < 5
    with pytest.raises(MlpressError, match="has not answered"):
        hil.Client(lambda: Babbling(lambda m: []), SHAPE, patience_s=0.05).connect()


def test_the_wait_follows_the_line() -> None:
    client = hil.Client(lambda: Scripted(lambda m: []), SHAPE)
    for _ in range(30):
        client._learn(0.0001)
    assert client._wait_s == SHORTEST_S
    for _ in range(30):
        client._learn(0.5)
    assert 0.5 < client._wait_s < 0.7


def test_a_bridge_speaks_as_a_board() -> None:
    shape = hil.Shape(b"8 bytes!", 3, 2, 0, 2, 8)

    def reply(codes: np.ndarray) -> hil.Reply:
        return hil.Reply(None, (int(codes.sum()), -int(codes[0])), 9)

    with hil.PtyDevice(hil.Bridge(shape, reply, hz=5).run) as device:
        client = hil.Client(device.open_line, shape)
        assert client.connect() == hil.Hello(1, 1, shape, 5)
        for row in ([1, 2, 3], [65535, 0, 7]):
            found = client.ask(np.array(row, "<u2").tobytes())
            assert found.answer == hil.Answer(1, None, (sum(row), -row[0]), 9)
        client.close()


def test_a_device_that_fails_says_so() -> None:
    def fail(receive: object, send: object) -> None:
        raise ValueError("no such thing")

    with hil.PtyDevice(fail) as device:
        device._thread.join()
        with pytest.raises(MlpressError, match="the device failed: no such thing"):
            device.open_line()


def test_ports() -> None:
    assert hil.parse_port("/dev/ttyACM0") == ("/dev/ttyACM0", 115200)
    assert hil.parse_port("/dev/tty@1@9600") == ("/dev/tty@1", 9600)
    for text, says in (("", "name the port"), ("@9600", "name the port"), ("/dev/x@", "''"), ("/dev/x@1e9", "'1e9'")):
        with pytest.raises(MlpressError, match=says):
            hil.parse_port(text)
    with pytest.raises(hil.LineError, match="cannot open /dev/no-port"):
        hil.SerialLine("/dev/no-port")


def test_a_port_that_goes_away() -> None:
    here, there = os.openpty()
    line = hil.SerialLine(os.ttyname(there))
    os.close(there)
    os.close(here)
    with pytest.raises(hil.LineError, match="is gone"):
        line.read(1.0)
    line.close()


def test_noise_is_seeded() -> None:
    class Loop:
        def __init__(self) -> None:
            self.sent = b""

        def write(self, data: bytes) -> None:
            self.sent += data

        def read(self, seconds: float) -> bytes:
            return bytes(range(256)) * 16

        def close(self) -> None:
            pass

    heard = []
    for _ in range(2):
        loop = Loop()
        line = hil.NoisyLine(loop, 0.05, 0.02, seed=3)
        line.write(bytes(10_000))
        heard.append((loop.sent, line.read(1.0), line.changed, line.dropped))
    assert heard[0] == heard[1]
    sent, got, changed, dropped = heard[0]
    assert 10_000 - len(sent) + 4096 - len(got) == dropped
    assert 200 < dropped < 360
    assert 500 < changed < 900
    assert sum(byte != 0 for byte in sent) < changed
