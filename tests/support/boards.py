"""Firmware on this computer and on emulated boards, and models to run there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.mcu_nets import nets
from support.nets import random_codes

from mlpress import ir
from mlpress.codegen import c
from mlpress.hw import mcu
from mlpress.sim import hil
from mlpress.sim import mcu as sim
from mlpress.targets.line import c_shape

DOCS = Path(__file__).parents[2] / "docs" / "hil.md"


def documented_board() -> str:
    """The board of ``docs/hil.md``, whose line is standard input and output."""
    found = re.search(r"```c\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.S)
    assert found is not None
    return found.group(1)


def host_program(files: Mapping[str, str], folder: Path) -> Path:
    """Compile every C file on its own, warnings as errors, with the sanitizers where there is gcc or clang."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="ascii")
    compiler = sim.host_compiler("cc")
    found = len(compiler) == 1
    checks = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"] if found else ["-fsanitize=undefined"]
    sources = [str(folder / name) for name in files if name.endswith(".c")]
    words = [*compiler, "-O1", *checks, *sim.WARNINGS, *sources, "-o", str(folder / "program")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "program"


def talk(program: Path, sent: bytes) -> bytes:
    """What a program answers to bytes on its standard input."""
    done = subprocess.run([program], input=sent, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def messages(data: bytes) -> list[hil.Message | None]:
    return [hil.decode(part) for part in data.split(b"\0") if part]


def row_frames(codes: NDArray[Any], shape: hil.Shape) -> bytes:
    kind = np.dtype(f"<u{shape.code_bytes}")
    return b"".join(hil.encode(hil.Message(2, k + 1, row.astype(kind).tobytes())) for k, row in enumerate(codes))


class Model:
    """A net with its C for a core, rows, and what must be answered."""

    def __init__(self, net: ir.Net | ir.Circuit, rows: int, core: str = "cortex-m0plus", scores: bool = True) -> None:
        self.net, self.core = net, mcu.read_core(core)
        circuit = isinstance(net, ir.Circuit)
        self.source = c.generate(net, self.core, c.COptions("pressed", "auto" if circuit else "looped", scores=scores))
        self.shape = c_shape(net, self.source)
        self.codes = random_codes(np.random.default_rng(7), net, rows)
        if circuit:
            trace: Any = ir.interpret_circuit(net, self.codes)
            self.classes, self.scores = trace.decision, [()] * rows
        else:
            trace = ir.interpret(net, self.codes)
            self.classes = trace.decision
            self.scores = [tuple(map(int, row)) for row in trace.scores] if self.shape.scores else [()] * rows

    def files(self, protocol: str) -> Mapping[str, str]:
        return c.firmware_files(self.net, self.source, protocol)

    def firmware(self, protocol: str) -> sim.Firmware:
        return sim.build_board(self.source, self.files(protocol), self.core)

    def bytes(self, row: int) -> bytes:
        return bytes(self.codes[row].astype(f"<u{self.shape.code_bytes}").tobytes())

    def check(self, answers: Sequence[hil.Answer]) -> None:
        """Demand one right answer per row, in order."""
        assert [answer.scores for answer in answers] == self.scores
        found = [answer.found for answer in answers]
        assert found == ([None] * len(answers) if self.classes is None else self.classes.tolist())


def emulated(firmware: sim.Firmware, resets: Sequence[int] = ()) -> hil.PtyDevice:
    """A board on a pseudo-terminal, which resets after so many bytes."""

    def run(receive: Callable[[], bytes], send: Callable[[bytes], None]) -> None:
        sim.EmulatedBoard(firmware, sim.Wires(receive, send), resets=resets).run()

    return hil.PtyDevice(run)


def chosen(seed: int, index: int) -> ir.Net:
    """Net ``index`` of the random ones of ``seed``."""
    return list(nets(seed, index + 1))[index]
