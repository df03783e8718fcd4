"""Netlists, Verilog and liberty files, program texts, and bytes from a serial line."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from random import Random

from fuzz.kind import Kind
from fuzz.text import mutate_bytes, mutate_text

from mlpress import ir
from mlpress.hw.printed import PackedNetlist, load_technology, parse_netlist
from mlpress.hw.printed.cells.liberty import parse_liberty
from mlpress.sim import hil
from mlpress.sim.hil.frames import Splitter, encode, most_bytes, pack_hello, parse_answer, parse_hello
from mlpress.yosys import check_circuit

SHAPE = hil.Shape(b"8 bytes!", 4, 1, 3, 3, 4)


@functools.cache
def netlists() -> Sequence[bytes]:
    from support.netlists import random_netlist

    hierarchy = (
        b"module part (a, y); input a; output y; INVX1 g (.A(a), .Y(y)); endmodule\n"
        b"module top (input [1:0] x, output [1:0] y); wire w; part p (.a(x[0]), .y(w));\n"
        b"assign y = {w, 1'b0}; endmodule\n"
    )
    return (*(random_netlist(seed, 4, 8, 3)[0].encode() for seed in range(3)), hierarchy)


def read_netlist(case: bytes, folder: Path) -> None:
    text = case.decode("utf-8", "surrogateescape")
    if len(case) % 4 == 0:
        check_circuit("case.v", text, reserved="top_tb")
        return
    netlist = parse_netlist(text)
    PackedNetlist(netlist, load_technology("egfet")).run({port.name: [0] for port in netlist.inputs})  # type: ignore[dict-item]


@functools.cache
def liberties() -> Sequence[bytes]:
    from support import tiny_liberty

    texts = [value for name, value in vars(tiny_liberty).items() if name.isupper() and isinstance(value, str)]
    whole = [text for text in texts if text.lstrip().startswith("library") and text.count("{") == text.count("}")]
    return tuple(text.encode() for text in whole) or (tiny_liberty.LIBERTY.encode(),)


def read_liberty(case: bytes, folder: Path) -> None:
    parse_liberty(case.decode("utf-8", "surrogateescape"))


@functools.cache
def programs() -> Sequence[bytes]:
    from support import small_search
    from support.fields import one_grid

    net = small_search.net()
    tiny = ir.to_text(one_grid("dense", 2, levels=1, entries=16))
    return tuple(text.encode() for text in (ir.to_text(net), ir.to_text(ir.to_circuit(net)), tiny))


def read_program(case: bytes, folder: Path) -> None:
    program = ir.from_text(case.decode("utf-8", "surrogateescape"), ())
    ir.to_text(program)


@functools.cache
def frames() -> Sequence[bytes]:
    hello = pack_hello(hil.Hello(1, 7, SHAPE, 16_000_000))
    answer = bytes(8) + b"\x01\x00\x00\x00" * 3
    messages = ((0x81, hello), (0x82, answer), (0xFF, b"\x01"), (0x02, bytes(4)))
    return tuple(encode(hil.Message(kind, 3, payload)) for kind, payload in messages)


def mutate_frames(rng: Random, data: bytes, other: bytes) -> bytes:
    """Change bytes on the line, or a message before it is coded, so that its check is right."""
    if rng.random() < 0.5:
        return mutate_bytes(rng, data + other, data)
    payload = mutate_bytes(rng, rng.choice((bytes(8), pack_hello(hil.Hello(1, 7, SHAPE, 1)), bytes(20))), other)
    return encode(hil.Message(rng.choice((1, 2, 0x81, 0x82, 0xFF)), rng.randrange(1 << 16), payload[:600]))


def read_frames(case: bytes, folder: Path) -> None:
    splitter = Splitter(most_bytes(SHAPE))
    for at in range(0, len(case), 7):
        splitter.feed(case[at : at + 7])
    there, message = splitter.next()
    while there:
        if message is not None:
            parse_answer(message.payload, SHAPE)
            parse_hello(message.payload)
        there, message = splitter.next()


NETLIST_KIND = Kind("netlist", netlists, mutate_text, read_netlist, share=3)
LIBERTY_KIND = Kind("liberty", liberties, mutate_text, read_liberty, share=2)
PROGRAM_KIND = Kind("program", programs, mutate_text, read_program, share=3)
LINE_KIND = Kind("line", frames, mutate_frames, read_frames, share=3)
