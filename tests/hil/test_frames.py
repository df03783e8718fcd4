"""Frames: the C side, the host's side and the published COBS and CRC are the same."""

from __future__ import annotations

import binascii
import random
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st
from support.boards import documented_board, host_program, messages, talk

from mlpress.errors import MlpressError
from mlpress.sim import hil
from mlpress.sim.hil.frames import Splitter, parse_answer, parse_hello

ECHO = """\
#define FRAME_MOST 1400
#include "frames.h"
int main(void)
{
    board_start();
    for (;;) {
        const uint16_t bytes = frame_receive();
        if (bytes == 0u) {
            frame[0] = 0xFFu;
            frame[1] = 0u;
            frame[2] = 0u;
        }
        frame_send((bytes == 0u) ? 3u : bytes);
    }
}
"""
SHAPE = hil.Shape(b"8 bytes!", 4, 1, 3, 3, 4)
MESSAGES = st.builds(hil.Message, st.integers(0, 254), st.integers(0, 65535), st.binary(max_size=600))


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = resources.files("mlpress.codegen.c.firmware")
    fixed = {name: folder.joinpath(name).read_text(encoding="ascii") for name in ("board.h", "frames.h")}
    return host_program({**fixed, "board.c": documented_board(), "echo.c": ECHO}, tmp_path_factory.mktemp("echo"))


def test_the_published_check_value() -> None:
    assert binascii.crc_hqx(b"123456789", 0xFFFF) == 0x29B1
    body = b"123456789"
    sums = bytes([sum(body) % 256, sum(sum(body[: k + 1]) for k in range(9)) % 256])
    assert hil.check(body) == sums + binascii.crc_hqx(body + sums, 0xFFFF).to_bytes(2, "little")


def test_c_sends_what_it_receives_coded_as_published(echo: Path) -> None:
    rng = random.Random(0)
    sizes = [*range(12), *range(240, 262), *range(500, 516), 1300]
    sent = []
    for size in sizes:
        for fill in (0, 1, 255, None):
            body = bytes(rng.randrange(256) if fill is None else fill for _ in range(size))
            sent.append(hil.Message(rng.randrange(255), rng.randrange(65536), body))
    heard = talk(echo, b"".join(map(hil.encode, sent)))
    assert messages(heard) == sent
    assert heard == b"".join(map(hil.encode, sent))
    coded = heard.split(b"\0")[1]
    assert cobs.encode(cobs.decode(coded)) == coded


@settings(max_examples=15, deadline=None)
@given(st.lists(MESSAGES, min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_c_refuses_what_the_host_refuses(echo: Path, sent: list[hil.Message], seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(b"".join(map(hil.encode, sent)))
    for at in rng.integers(0, len(data), len(data) // 60 + 1):
        data[at] = rng.integers(256)
    del data[int(rng.integers(len(data)))]
    refused = hil.Message(0xFF, 0, b"")
    wanted = [refused if one is None else one for one in messages(bytes(data) + b"\0")]
    assert messages(talk(echo, bytes(data) + b"\0")) == wanted


def test_c_drops_what_is_too_long_and_finds_the_next(echo: Path) -> None:
    good = hil.Message(2, 9, b"here")
    long = hil.encode(hil.Message(2, 1, bytes(range(1, 256)) * 8))
    assert messages(talk(echo, long + b"\x07" * 70_000 + hil.encode(good))) == [hil.Message(0xFF, 0, b"")] * 2 + [good]


@settings(deadline=None)
@given(st.lists(MESSAGES, max_size=8), st.lists(st.integers(1, 50), min_size=1))
def test_frames_come_in_any_pieces(sent: list[hil.Message], pieces: list[int]) -> None:
    splitter = Splitter(1000)
    data = b"".join(map(hil.encode, sent))
    at = index = 0
    while at < len(data):
        size = pieces[index % len(pieces)]
        splitter.feed(data[at : at + size])
        at, index = at + size, index + 1
    found = []
    while (one := splitter.next())[0]:
        found.append(one[1])
    assert found == sent


def test_a_flood_is_not_kept() -> None:
    splitter = Splitter(100)
    for _ in range(50):
        splitter.feed(b"\x55" * 100_000)
    assert len(splitter._kept) <= 100
    good = hil.Message(2, 9, b"here")
    splitter.feed(hil.encode(good))
    assert [splitter.next(), splitter.next()] == [(True, None), (True, good)]


@settings(deadline=None)
@given(st.binary(max_size=64))
def test_any_bytes_are_answered_or_refused(payload: bytes) -> None:
    hil.decode(payload)
    answer = parse_answer(payload, SHAPE)
    assert answer is None or (answer.found in {0, 1, 2} and len(answer.scores) == 3)
    try:
        hello = parse_hello(payload)
    except MlpressError as error:
        assert "firmware" in str(error)
    else:
        assert len(payload) == 23
        assert hello.version == 1
