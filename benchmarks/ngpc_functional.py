"""The functional simulator of neural-graphics clusters: is it onnxruntime's function, bit for bit, and how fast is it?

Every application with every encoding at its published size, in every number format, on samples drawn evenly.  Speeds
are samples per second of processor time of one core: of the simulator with one worker, of the reference interpreter
(plain NumPy, all samples at once), and of onnxruntime on one thread.  The simulator's run with a worker per core counts
for ``different`` alone, as what else a machine does would change its time on the wall.
"""

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support import show

from mlpress import ir
from mlpress.codegen import ngpc, onnx_field
from mlpress.frontend import fields
from mlpress.hw.ngpc import read_cluster
from mlpress.sim import Oracle
from mlpress.sim.ngpc import Simulator

FORMATS = ("float32", "float16", "int8", "float16 int8")
SAMPLES = 100_000
SIZES = {"gia": 1920, "nvr": 1024}
"""The larger side of GIA's picture, full HD, and NVR's scale."""


def formatted(field: ir.Field, formats: str) -> ir.Field:
    field = ir.with_halves(field) if "float16" in formats else field
    return ir.with_integers(field, lambda grid, level: 8) if "int8" in formats else field


def timed(run: Callable[[], NDArray[np.float32]]) -> tuple[NDArray[np.float32], float]:
    began = time.process_time()
    found = run()
    return found, time.process_time() - began


def row(name: Any, encoding: Any, formats: str, samples: int) -> dict[str, Any]:
    field = formatted(fields.application(name, encoding, size=SIZES.get(name, 1024), spread=1.0), formats)
    rows = np.random.default_rng(0).random((samples, len(field.inputs)), np.float32)
    image = ngpc.lower_field(field, read_cluster("ngpc:64"))
    one, all_cores = Simulator(image, workers=1), Simulator(image)
    one.run(rows[:100])
    found, simulator_s = timed(lambda: one.run(rows))
    also = all_cores.run(rows)
    expected, numpy_s = timed(lambda: ir.interpret_field(field, rows))
    oracle = Oracle(onnx_field(field))
    theirs, onnx_s = timed(lambda: oracle.run(rows)["values"])
    bits = [np.ascontiguousarray(values).view(np.uint32) for values in (found, also, expected, theirs)]
    how = [level.placement.how for unit in image.kernel.grids() for level in unit.levels]
    return {
        "application": name,
        "encoding": encoding,
        "format": formats,
        "samples": samples,
        "different": int(sum((one != bits[3]).any(axis=1).sum() for one in bits[:3])),
        "levels": ", ".join(f"{how.count(kind)} {kind}" for kind in ("fit", "split", "cache") if kind in how),
        "simulator_k_s": round(samples / simulator_s / 1e3),
        "numpy_k_s": round(samples / numpy_s / 1e3),
        "onnxruntime_k_s": round(samples / onnx_s / 1e3),
        "over_numpy": round(numpy_s / simulator_s, 1),
        "over_onnxruntime": round(onnx_s / simulator_s, 1),
    }


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object per row, no table")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--only", nargs="*", default=list(fields.APPLICATIONS), choices=list(fields.APPLICATIONS))
    parser.add_argument("--formats", nargs="*", default=list(FORMATS), choices=list(FORMATS))
    given = parser.parse_args()
    rows = [
        row(name, encoding, formats, given.samples)
        for name in given.only
        for encoding in fields.ENCODINGS
        for formats in given.formats
    ]
    show(f"functional simulator, {os.cpu_count()} cores", rows, given.json)
    if any(one["different"] for one in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    run()
