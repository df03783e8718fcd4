"""A search that takes a moment; as a script, one that another process can interrupt.

``python small_search.py CHECKPOINT GENERATIONS FRONT`` says the number of each generation as it ends.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mlpress import approx
from mlpress.ir import Input, Net
from mlpress.targets import Printed

EFFORT = approx.Effort(islands=2, size=16, offspring=8, steps=100, interval=2, migrants=3)


class Watch:
    """Calls ``each`` with the number of each generation that ends."""

    def __init__(self, each: Callable[[int], None]) -> None:
        self.each = each

    def step(self, name: str) -> None:
        pass

    def generation(self, done: approx.Generation) -> None:
        self.each(done.number)


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Features float64 (240, 5) and labels int64 (240,)."""
    rng = np.random.default_rng(7)
    features = rng.integers(0, 16, (240, 5)).astype(np.float64)
    scores = features @ rng.normal(size=(5, 3)) + rng.normal(0, 1, (240, 3))
    return features, np.argmax(scores - np.median(scores, axis=0), axis=1)


def net() -> Net:
    return approx.dense(tuple(Input(f"x{k}", 4, 1.0, 0.0) for k in range(5)), (3,), (0, 1, 2), 4)


def find(generations: int, each: Callable[[int], None] = lambda _: None, **options: Any) -> approx.IntegerFront:
    """The front after so many generations."""
    features, labels = rows()
    options = {"effort": EFFORT, "seed": 3, "trainings": 2} | options
    budget = approx.Budget(generations=generations)
    target, watch = Printed(), Watch(each)
    return approx.search(net(), features, labels, target.cost_model, target.metrics, budget, progress=watch, **options)


def same(one: approx.IntegerFront, other: approx.IntegerFront) -> bool:
    """Whether two searches found the same, however long it took."""
    return (one.designs, one.generations, one.tried) == (other.designs, other.generations, other.tried)


if __name__ == "__main__":
    found = find(int(sys.argv[2]), lambda number: print(number, flush=True), checkpoint=Path(sys.argv[1]), workers=2)
    Path(sys.argv[3]).write_text(found.to_json())
