"""Rows through a noisy serial line to the emulated board: what is lost, and how long it takes.

The board is an emulated Cortex-M0+ that runs the generated firmware of a 30-3-2 network, behind a pseudo-terminal;
rows are those of scikit-learn's breast cancer set, again and again.  Bytes are changed and dropped in both directions,
seeded, and the board resets twice in the middle of a frame.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import MinMaxScaler
from support import show

from mlpress import Dataset, from_sklearn, ir
from mlpress.codegen import c
from mlpress.frontend import quantise
from mlpress.hw import mcu
from mlpress.sim import hil
from mlpress.sim import mcu as sim
from mlpress.targets.line import c_shape

CORE, OPTIMISE = "cortex-m0plus", "O2"
LINES = {"quiet": (0.0, 0.0, 0), "noisy": (0.01, 0.001, 2)}
"""Share of bytes changed, share dropped, resets."""


@cache
def data() -> tuple[np.ndarray, np.ndarray]:
    """Features in 0 .. 1 and labels."""
    features, labels = load_breast_cancer(return_X_y=True)
    return MinMaxScaler().fit_transform(features), labels


@cache
def network() -> ir.Net:
    """The network, 30-3-2, with 4-bit inputs and weights."""
    features, labels = data()
    estimator = MLPClassifier((3,), alpha=1e-1, max_iter=1000, random_state=0, solver="lbfgs").fit(features, labels)
    rows = Dataset.from_arrays(features, labels)
    return quantise(from_sklearn(estimator), rows, input_bits=4, weight_bits=4, activation_bits=4).net


def row(line: str, count: int, seed: int) -> dict[str, Any]:
    """Send ``count`` rows over a line; count what was answered wrongly, and what it took."""
    net, core = network(), mcu.read_core(CORE)
    corrupt, drop, resets = LINES[line]
    source = c.generate(net, core, c.COptions("cancer", "looped"))
    image = sim.build_board(source, c.firmware_files(net, source, "framed"), core, OPTIMISE)
    shape = c_shape(net, source)
    features, _ = data()
    codes = ir.encode(net, features[np.random.default_rng(seed).integers(0, len(features), count)])
    wanted = ir.interpret(net, codes)
    frame = shape.inputs + 10
    at = [(k + 1) * count * frame // (resets + 1) + frame // 2 for k in range(resets)]
    boards: list[sim.EmulatedBoard] = []
    noisy: list[hil.NoisyLine] = []

    def run(receive: Callable[[], bytes], send: Callable[[bytes], None]) -> None:
        boards.append(sim.EmulatedBoard(image, sim.Wires(receive, send), 48_000_000, at))
        boards[0].run()

    with hil.PtyDevice(run) as device:

        def open_line() -> hil.Line:
            noisy.append(hil.NoisyLine(device.open_line(), corrupt, drop, seed))
            return noisy[-1]

        client = hil.Client(open_line, shape)
        client.connect()
        wall, cpu = time.perf_counter(), time.process_time()
        asked = [client.ask(one.astype(np.uint8).tobytes()) for one in codes]
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        client.close()
    assert wanted.decision is not None
    answers = [one.answer for one in asked]
    wrong = sum(
        one.found != right or one.scores != tuple(map(int, scores))
        for one, right, scores in zip(answers, wanted.decision, wanted.scores, strict=True)
    )
    return {
        "line": line,
        "rows": len(answers),
        "wrong": wrong,
        "changed": sum(one.changed for one in noisy),
        "dropped": sum(one.dropped for one in noisy),
        "restarts": client.faults.restarts,
        "sent_again": client.faults.sent_again,
        "damaged": client.faults.damaged,
        "refused": client.faults.refused,
        "silent": client.faults.silent,
        "cycles": round(float(np.mean([one.cycles for one in answers])), 1),
        "seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
    }


def sizes() -> Iterable[dict[str, Any]]:
    """Bytes of both firmwares beyond those of the model alone, on each core, with -Os."""
    for name in ("cortex-m0plus", "cortex-m4f", "rv32imc", "rv32ec"):
        core = mcu.read_core(name)
        net = network()
        source = c.generate(net, core, c.COptions("cancer", "looped", minimise="flash"))
        alone = sim.build(source, core).sizes
        for protocol in c.PROTOCOLS:
            found = sim.build_board(source, c.firmware_files(net, source, protocol), core).sizes
            yield {"core": name, "protocol": protocol, "model": alone.flash, "flash": found.flash, "ram": found.ram}


def measure() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a row, no table")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sizes", action="store_true", help="the bytes of the firmwares, no rows")
    given = parser.parse_args()
    found = sizes() if given.sizes else (row(line, given.rows, given.seed) for line in LINES)
    rows = list(found)
    show("Rows through a serial line to the emulated board", rows, given.json)
    sys.exit(any(one.get("wrong") for one in rows))


if __name__ == "__main__":
    measure()
