"""Processor time and memory of a whole compile, step by step, against the size of the network.

Networks are trained: `64-32-10` on scikit-learn's digits, the others on synthetic rows (a mixture of Gaussians, three
centres per class).  Every size runs in a process of its own; seconds are user time of it and of its children.
"""

import argparse
import json
import resource
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from support import show

import mlpress
from mlpress import Dataset
from mlpress.ir import Model

SIZES = ("16-5-10", "32-16-10", "64-32-10", "784-32-10")
ROWS, SPREAD, EPOCHS = 1500, 2.0, 60


def rows_of(size: str) -> Dataset:
    """Rows for a network of this size."""
    if size == "64-32-10":
        digits = load_digits()
        return Dataset.from_arrays(digits.data, digits.target)
    inputs, _, classes = map(int, size.split("-"))
    rng = np.random.default_rng(0)
    centres, chosen = rng.normal(size=(3 * classes, inputs)), rng.integers(0, 3 * classes, ROWS)
    return Dataset.from_arrays(centres[chosen] + rng.normal(size=(ROWS, inputs)) * SPREAD, chosen % classes)


def classifier_of(size: str) -> tuple[Model, Dataset, Dataset]:
    """A trained network of this size, its training rows and its test rows."""
    train, test = rows_of(size).split(test_size=0.3, seed=0)
    hidden = int(size.split("-")[1])
    model = make_pipeline(MinMaxScaler((0, 0.9)), MLPClassifier((hidden,), alpha=1e-3, max_iter=EPOCHS, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(train.features, train.labels)
    return mlpress.from_sklearn(model), train, test


def seconds() -> float:
    """User time of this process and its children."""
    return sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


class Clock:
    """A progress that keeps what each step took."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.current: tuple[str, float] | None = None

    def step(self, name: str) -> None:
        """End the step before."""
        now = seconds()
        if self.current is not None:
            key = self.current[0].split()[0].rstrip(":")
            self.spent[key] = self.spent.get(key, 0.0) + now - self.current[1]
        self.current = name, now

    def note(self, text: str) -> None:
        """Nothing to keep."""

    def warn(self, text: str) -> None:
        """Nothing to keep."""


def measure(size: str) -> dict[str, Any]:
    """One row of the table."""
    model, train, test = classifier_of(size)
    clock, start = Clock(), seconds()
    design = mlpress.compile(model, train, test=test, progress=clock)
    clock.step("end")
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "network": size,
        "terms": design.facts["net"]["terms"],
        "verilog_MB": len(design.text("top.v")) / 1e6,
        "audited": design.facts["audit"]["characters"] / design.facts["audit"]["all_characters"],
        "area_cm2": design.facts["synthesis"]["area_cm2"],
        **{f"{step}_s": spent for step, spent in clock.spent.items()},
        "total_s": seconds() - start,
        "peak_MB": max(peaks) / 1024,
        "equal": all(result["equal"] for result in design.facts["verification"]),
        "out_of_time": [r["engine"] for r in design.facts["verification"] if r["verdict"] == "out of time"],
    }


def table() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a row, no table")
    parser.add_argument("--only", nargs="*", default=list(SIZES), help="sizes: inputs-hidden-classes")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        sys.stdout.write(json.dumps(measure(options.only[0])) + "\n")
        return
    rows = []
    for size in options.only:
        command = [sys.executable, __file__, "--here", "--only", size]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows.append(json.loads(done.stdout))
    show("Processor seconds by step, and peak memory", rows, options.json)


if __name__ == "__main__":
    table()
