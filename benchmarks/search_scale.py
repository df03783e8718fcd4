"""Searches of large problems: how long they take against their budget, and what they reach.

Sets are drawn by scikit-learn, and ``balance`` is arithmetic: the sign of ``w1 * d1 - w2 * d2`` of all 625 weights and
distances of 1 to 5.  ``cpu`` is the processor time of the command and its children.  ``tree`` is the smallest decision
tree that is as accurate as the design on held-out rows, or else the most accurate one.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.datasets import make_classification
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support import balance, show

from mlpress import from_sklearn
from mlpress.codegen import onnx_model


@dataclass(frozen=True)
class Size:
    """A problem: rows, features, hidden neurons, classes."""

    rows: int
    features: int
    hidden: int
    classes: int


SIZES = {
    "balance": Size(625, 4, 6, 3),
    "rows": Size(100_000, 6, 4, 3),
    "features": Size(1000, 200, 5, 3),
    "hidden": Size(2000, 10, 64, 3),
    "classes": Size(4000, 16, 10, 26),
    "inputs": Size(2000, 784, 10, 10),
}


def drawn(name: str, size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels."""
    if name == "balance":
        rows = balance()
        return rows.features.astype(np.int64), rows.labels.astype(np.int64)
    informative = min(size.features, max(4, int(np.log2(size.classes)) + 4))
    return make_classification(
        size.rows,
        size.features,
        n_informative=informative,
        n_redundant=0,
        n_classes=size.classes,
        n_clusters_per_class=1,
        class_sep=1.5,
        random_state=0,
    )


def measured(name: str, size: Size, options: Any) -> dict[str, Any]:
    """One search in a process of its own."""
    features, labels = drawn(name, size)
    model = make_pipeline(StandardScaler(), MLPClassifier((size.hidden,), max_iter=60, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(features, labels)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "model.onnx").write_bytes(onnx_model(from_sklearn(model)).SerializeToString())
        np.savez(folder / "rows.npz", features=features, labels=labels)
        limit = ["--max-area", str(options.max_area)] if options.max_area else []
        command = ["search", "model.onnx", "--data", "rows.npz", "--budget", f"{options.seconds:g}s", *limit, "--json"]
        before, since = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "mlpress", *command], cwd=folder, capture_output=True, text=True, check=False
        )
        seconds, after = perf_counter() - since, resource.getrusage(resource.RUSAGE_CHILDREN)
    facts = json.loads(done.stdout) if done.returncode == 0 else {}
    accuracy, tree = facts.get("accuracy", {}), facts.get("tree", {})
    return {
        "problem": name,
        "budget_s": options.seconds,
        "seconds": seconds,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "exit": done.returncode,
        "model": accuracy.get("reference"),
        "validation": accuracy.get("validation"),
        "area_cm2": facts.get("estimate", {}).get("area_cm2"),
        "tree": tree.get("validation"),
        "tree_cm2": tree.get("area_cm2"),
    }


def measure_all() -> None:
    """Every problem, and the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a row, no table")
    parser.add_argument("--seconds", type=float, default=60.0, help="budget of each search")
    parser.add_argument("--max-area", type=float, default=None, help="cm2 that designs may have")
    parser.add_argument("--problem", nargs="*", default=list(SIZES), choices=list(SIZES), help="problems")
    options = parser.parse_args()
    rows = [measured(name, SIZES[name], options) for name in options.problem]
    show("Searches within their budget", rows, options.json)


if __name__ == "__main__":
    measure_all()
