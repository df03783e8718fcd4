"""Both firmwares, on this computer with sanitizers and on emulated cores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.boards import Model, chosen, documented_board, host_program, messages, row_frames, talk
from support.mcu_nets import dense_net

from mlpress import ir
from mlpress.codegen import c
from mlpress.errors import MlpressError
from mlpress.sim import hil
from mlpress.sim import mcu as sim
from mlpress.sim.hil.frames import parse_answer, parse_hello


def wide() -> ir.Net:
    """A dense net whose codes have 10 bits: two bytes on the line."""
    made = (dense_net(np.random.default_rng((3, k)), k) for k in range(100))
    return next(net for net in made if net.inputs[0].bits == 10 and isinstance(net.head, ir.Argmax))


CIRCUIT = ir.Circuit(
    tuple(ir.Input(name, 2, 4.0, 0.0) for name in "ab"),
    np.array([(2, 7), (3, 6), (11, 13), (4, 8)], np.int32),
    ((15, 16),),
    (0, 1, 2, 3),
)
"""Whether the low bits differ, and whether the high ones are both set."""

NETS = {
    "scores": lambda: chosen(4, 0),
    "threshold": lambda: chosen(4, 3),
    "wide codes": wide,
    "circuit": lambda: CIRCUIT,
}


@pytest.mark.parametrize("name", NETS)
def test_framed_rows_on_this_computer(name: str, tmp_path: Path) -> None:
    model = Model(NETS[name](), 40)
    program = host_program({**model.files("framed"), "board.c": documented_board()}, tmp_path)
    odd = [hil.Message(0x30, 5, b""), hil.Message(2, 6, b"short"), hil.Message(1, 7, b"more")]
    sent = row_frames(model.codes, model.shape) + b"noise\0" + b"".join(map(hil.encode, odd))
    greeting, *rest = messages(talk(program, sent + hil.encode(hil.Message(1, 8, b""))))
    assert greeting is not None
    hello = parse_hello(greeting.payload)
    assert (greeting.sequence, hello.version, hello.boot, hello.shape) == (0, 1, 1, model.shape)
    rows, others = rest[:40], rest[40:]
    assert [row.sequence for row in rows if row] == list(range(1, 41))
    assert others == [
        hil.Message(0xFF, 0, b"\x01"),
        hil.Message(0xFF, 5, b"\x02"),
        hil.Message(0xFF, 6, b"\x03"),
        hil.Message(0xFF, 7, b"\x03"),
        hil.Message(0x81, 8, greeting.payload),
    ]
    found = [parse_answer(row.payload, model.shape) for row in rows if row]
    model.check([one for one in found if one])


def test_a_classifier_without_scores(tmp_path: Path) -> None:
    model = Model(chosen(4, 2), 20, scores=False)
    assert model.shape.scores == 0
    program = host_program({**model.files("framed"), "board.c": documented_board()}, tmp_path)
    found = messages(talk(program, row_frames(model.codes, model.shape)))[1:]
    model.check([parse_answer(one.payload, model.shape) for one in found if one])  # type: ignore[misc]


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4f", "rv32imc", "rv32ec"])
def test_the_board_counts_the_cycles_of_the_prediction(core: str) -> None:
    model = Model(chosen(4, 3), 6, core)
    heard: list[bytes] = []
    lines = [row_frames(model.codes, model.shape), b""]
    sim.EmulatedBoard(model.firmware("framed"), sim.Wires(lambda: lines.pop(0), heard.append)).run()
    answers = [parse_answer(one.payload, model.shape) for one in messages(b"".join(heard))[1:] if one]
    model.check([one for one in answers if one])
    alone = sim.Emulator(sim.build(model.source, model.core)).run(model.codes, counted=6)
    assert [one.cycles for one in answers if one] == alone.cycles.tolist()


def commands(model: Model, row: int, size: int = 31) -> list[str]:
    """What the runner sends for a row: at most 31 bytes per command."""
    data = model.bytes(row)
    parts = [data[at : at + size].hex() for at in range(0, len(data), size)]
    return [f"db load {len(data)}", *(f"db {part}" for part in parts), "infer 3 2"]


def replies(heard: bytes) -> list[list[str]]:
    """Lines of each reply, without its ``m-ready``."""
    text = heard.decode("ascii")
    assert text.endswith("m-ready\r\n")
    return [part.split("\r\n")[:-1] for part in text.split("m-ready\r\n")[:-1]]


@pytest.mark.parametrize("index", [0, 3, 9], ids=["regression", "one score", "argmax"])
def test_a_session_of_the_runner_on_the_emulated_board(index: int) -> None:
    """The runner's session: name, profile, then rows, of which each result decides as the network does."""
    model = Model(chosen(4, index), 8)
    script = ["name", "profile", "timestamp", *(word for row in range(8) for word in commands(model, row)), "results"]
    heard: list[bytes] = []
    sent = [f"{word}%".encode() for word in script]
    lines = [*sent, b""]
    board = sim.EmulatedBoard(model.firmware("mlperf"), sim.Wires(lambda: lines.pop(0), heard.append))
    board.run()
    greeting, name, profile, timestamp, *rest = replies(b"".join(heard))
    assert greeting == ["m-timestamp-mode-performance", "m-init-done"]
    assert (name, profile) == (["m-name-dut-[pressed]"], ["m-profile-[mlpress firmware 1]", "m-model-[pressed]"])
    assert timestamp == ["m-lap-us-0"]
    assert len(rest) + 3 == len(script)
    size = len(model.bytes(0))
    cycles = sim.Emulator(sim.build(model.source, model.core)).run(model.codes, counted=8).cycles
    results: list[list[float]] = []
    for word, said in zip(script[3:], rest, strict=True):
        match word.split():
            case ["db", "load", _]:
                assert said == [f"m-[Expecting {size} bytes]"]
            case ["db", _]:
                assert said in ([], ["m-load-done"])
            case ["infer", *_]:
                *lines_, result = said
                assert [one for one in lines_ if "lap" not in one] == [
                    *("m-warmup-start-2", "m-warmup-done", "m-infer-start-3", "m-infer-done"),
                ]
                start, end = (int(one.removeprefix("m-lap-us-")) for one in lines_ if "lap" in one)
                assert end - start == 3 * cycles[len(results)]  # at 1 MHz
                assert result.startswith("m-results-[")
                results.append([float(one) for one in result[11:-1].split(",")])
    assert rest[-1] == [result]
    if model.classes is None:
        assert results == [list(map(float, scores)) for scores in model.scores]
    else:
        assert [int(np.argmax(one)) for one in results] == model.classes.tolist()


def test_the_runner_protocol_refuses_in_one_line(tmp_path: Path) -> None:
    model = Model(chosen(4, 3), 1)
    program = host_program({**model.files("mlperf"), "board.c": documented_board()}, tmp_path)
    data, size = model.bytes(0).hex(), len(model.bytes(0))
    told = {
        "infer 1 0": "e-[load a row first]",
        "results": "e-[load a row first]",
        "db 00": "e-[db load comes first]",
        "db load 3": f"e-[a row of this model has {size} bytes]",
        "db load": f"e-[a row of this model has {size} bytes]",
        f"db load {size}": f"m-[Expecting {size} bytes]",
        "db 0": "e-[db takes pairs of hexadecimal digits]",
        "db 0g": "e-[db takes pairs of hexadecimal digits]",
        f"\r\n db  load  {size} ".strip(" "): f"e-[unknown command:  db  load  {size}]",
        f"db load {size}  ": f"m-[Expecting {size} bytes]",
        "x" * 200: "e-[the command is too long]",
        "": "e-[unknown command: ]",
        f"db {data[:62]}": "m-load-done" if size <= 31 else "",
        "db print 2 1": f"m-buffer-{data[2:4]}-{data[4:6]}",
        "infer 0": "e-[infer takes iterations of 1 to 65535, and warm-ups of 0 to 65535]",
        "infer 99999": "e-[infer takes iterations of 1 to 65535, and warm-ups of 0 to 65535]",
        "infer x": "e-[infer takes iterations of 1 to 65535, and warm-ups of 0 to 65535]",
        "names": "e-[unknown command: names]",
    }
    said = replies(talk(program, "".join(f"{word}%" for word in told).encode()))[1:]
    assert [one[0] if one else "" for one in said] == list(told.values())
    assert talk(program, b"\xff\x80\x00name%").endswith(b"m-name-dut-[pressed]\r\nm-ready\r\n")


def test_models_that_no_firmware_takes() -> None:
    net = chosen(4, 3)
    source = Model(net, 1).source
    with pytest.raises(MlpressError, match="no protocol 'x'; there are framed, mlperf"):
        c.firmware_files(net, source, "x")
    with pytest.raises(MlpressError, match="have 33000 bytes; a firmware takes at most 32768"):
        c.firmware_files(net, replace(source, inputs=33_000), "framed")
