"""Verilog text, run as it stands: what Yosys elaborates from it, without any optimisation by ABC, on packed bits.

Icarus Verilog, where it is installed, runs the design's own test bench as one more check by independent hands.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.children import Limits, run_child, scratch
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.sim import packed
from mlpress.yosys import Gates, check_circuit, read_gates

LIMITS = Limits(seconds=60.0, memory_mb=2048, file_mb=64, threads=1)
"""What Icarus Verilog may use."""

LEAST_S = 1.0
"""Seconds below which it is not begun."""


class Rtl:
    """A Verilog module, or ``gates`` however they came, as an engine.

    A flip-flop shows the row before; clocks and resets are inputs like any other.
    """

    def __init__(self, verilog: str | Gates, top: str = "top") -> None:
        self.gates = read_gates({f"{top}.v": verilog}, top) if isinstance(verilog, str) else verilog
        stored = self.gates.flip_flops
        self._program = packed.Program(
            self.gates.input_bits,
            np.concatenate([np.full(stored, packed.DELAY, np.uint8), self.gates.operation]),
            np.concatenate([self.gates.data, self.gates.left]),
            np.concatenate([np.zeros(stored, np.int32), self.gates.right]),
        )

    def run(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.int64]]:
        """Run unsigned integers (rows,) by input port; return outputs by port, unsigned int64 (rows,)."""
        rows = len(next(iter(columns.values())))
        bits = [np.asarray(columns[bus.name]) >> k & 1 for bus in self.gates.inputs for k in range(bus.width)]
        words = packed.pack(np.array(bits, bool).reshape(len(bits), rows))
        found = packed.unpack(packed.run(self._program, words, self.gates.result), rows)
        outputs: dict[str, NDArray[np.int64]] = {}
        at = 0
        for bus in self.gates.outputs:
            weights = 1 << np.arange(bus.width, dtype=np.int64)
            outputs[bus.name] = weights @ found[at : at + bus.width].astype(np.int64)
            at += bus.width
        return outputs


def icarus() -> bool:
    """Return whether Icarus Verilog is installed."""
    return shutil.which("iverilog") is not None and shutil.which("vvp") is not None


def run_icarus(verilog: str, testbench: str, until: float = inf) -> list[str]:
    """Run a self-checking test bench in Icarus Verilog; return the lines that it printed.

    ``verilog`` may be anybody's: it is refused where it holds more than a circuit.  Raises :class:`MlpressError` for
    that and where Icarus does not take it, and :class:`OutOfTimeError` where its time ends, at the latest at the moment
    ``until`` (of :func:`time.monotonic`).
    """
    check_circuit("top.v", verilog, reserved="top_tb")
    with scratch("icarus", {"design.v": verilog + testbench}) as folder:
        _icarus(["iverilog", "-g2001", "-o", "design", "design.v"], folder, until)
        said = _icarus(["vvp", "-n", "design"], folder, until)
    return [line for line in said.splitlines() if "$finish called at" not in line]


def _icarus(command: list[str], folder: Path, until: float) -> str:
    left = until - monotonic()
    if left < LEAST_S:
        raise OutOfTimeError("not begun: there is no time left")
    seconds = min(LIMITS.seconds, left)
    done = run_child(command, folder, replace(LIMITS, seconds=seconds))
    if done.status is None:
        raise OutOfTimeError(f"Icarus Verilog did not end within {seconds:.0f} s")
    if done.status:
        said = (done.log.strip().splitlines() or [f"{command[0]} ended with {done.status}"])[0]
        raise MlpressError(f"Icarus Verilog cannot run the test bench: {said[:300]}")
    return done.log
