"""What ``mlpress search`` finds for a microcontroller: flash, cycles and test accuracy of the designs of a front.

The models are the fixed ones of ``--data`` (``<name>.onnx`` and ``<name>.npz`` with Xtrain, ytrain, Xtest, ytest).  The
search sees training rows only; test rows judge its designs afterwards.  Flash and cycles are those of the emulated core
and the Zig wheel's clang.  Seconds are processor time of all threads.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from support import show

import mlpress as mp
from mlpress.approx import timed_by
from mlpress.pipeline.accuracy import accuracy


def rows(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Search, and return a row for the model as it is and one for each design of the front."""
    arrays = np.load(options.data / f"{options.model}.npz", allow_pickle=False)
    train = mp.Dataset.from_arrays(arrays["Xtrain"], arrays["ytrain"])
    test = mp.Dataset.from_arrays(arrays["Xtest"], arrays["ytest"])
    limits = dict(text.split("=") for text in options.max)
    own = {name: _value(text) for name, text in (one.split("=") for one in options.option)}
    bits = {"input_bits": options.input_bits, "weight_bits": 5, "activation_bits": options.activation_bits}
    with timed_by(time.process_time):
        found = mp.search(
            mp.load(options.data / f"{options.model}.onnx"),
            train,
            target=options.target,
            seconds=options.seconds,
            max_loss=options.max_loss,
            most={name: float(value) for name, value in limits.items()},
            minimise=options.minimise,
            seed=options.seed,
            **bits,
            **own,
        )
    exact = mp.quantise(mp.load(options.data / f"{options.model}.onnx"), train, input_bits=8, weight_bits=8).net
    table: list[dict[str, Any]] = [{"design": "8 bits", "test": accuracy(exact, test)}]
    for k, design in enumerate(found.front.designs):
        program = found.program(design)
        table.append(
            {
                "design": str(k),
                **{metric.key: design.cost.get(metric.name) for metric in found.front.metrics},
                **{f"model_{name}": value for name, value in design.model.items()},
                "validation": design.validation_accuracy,
                "test": accuracy(program, test),
            }
        )
    return table


def _value(text: str) -> Any:
    """Return the word as what it is written like: a truth value, an integer, or itself."""
    return {"true": True, "false": False}[text] if text in {"true", "false"} else int(text) if text.isdigit() else text


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the fixed models")
    parser.add_argument("--model", default="digits", help="cancer, digits or iris")
    parser.add_argument("--target", default="cortex-m0plus", help="core")
    parser.add_argument("--minimise", default="flash", help="metric that ranks")
    parser.add_argument("--max", action="append", default=[], help="limit: cycles=5000")
    parser.add_argument("-O", dest="option", action="append", default=[], help="option of the target: shape=looped")
    parser.add_argument("--max-loss", type=float, default=0.01, help="share of accuracy")
    parser.add_argument("--seconds", type=float, default=120.0, help="processor seconds")
    parser.add_argument("--input-bits", type=int, default=4, help="bits of an input's code")
    parser.add_argument("--activation-bits", type=int, default=4, help="bits of a hidden output")
    parser.add_argument("--seed", type=int, default=0, help="seed")
    parser.add_argument("--json", action="store_true", help="one object per row")
    options = parser.parse_args()
    if not (options.data / f"{options.model}.npz").is_file():
        print(f"no {options.model}.npz in {options.data}; name the folder of the models with --data", file=sys.stderr)
        raise SystemExit(2)
    show(f"Searched for {options.target}: {options.model}, least {options.minimise}", rows(options), options.json)


if __name__ == "__main__":
    main()
