"""The gate level on other splits of the rows: what it and scikit-learn's decision trees reach in the same area.

The literature's split has few test rows: on one split a circuit may be lucky or unlucky by more than what sets two
methods apart.  Here training and test rows are drawn again for every split, and both methods choose their design in
the same way, by held-out folds of the training rows, within the same area; where no tree is so small, it is the
smallest tree.  Test rows are read once a design.  ``gain`` is the mean difference in test accuracy, ``error`` its
standard error over the splits, which share rows, so that it is a little too small.
"""

import statistics
from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import Any

import numpy as np
from printed_gates import MOST_CM2, from_trees, most_accurate
from printed_integer import Spent
from support import SPLIT, accuracy, arguments, coded, cost, show

from mlpress import Dataset, hw, ir
from mlpress.approx import gates

LEAVES = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384)
"""Sizes of trees."""


@dataclass(frozen=True)
class Point:
    """A design's accuracy on test rows, and its area."""

    accuracy: float
    area_cm2: float


@dataclass(frozen=True)
class Pair:
    """What both methods reach on a split within ``most_cm2``."""

    most_cm2: float
    ours: Point
    tree: Point
    seconds: float


def pairs(options: Any, name: str, split: int, technology: hw.Technology) -> list[Pair]:
    """One split of a data set."""
    train, test = coded(options.data, name, split)
    since = perf_counter()
    found = from_trees(train, name, split, Spent(options.seconds, None, None), technology, "default")
    seconds = perf_counter() - since
    trees = tree_netlists(train, name, split, technology)

    def point(netlist: hw.Netlist) -> Point:
        return Point(accuracy(netlist, technology, test), cost(netlist, technology, train).area_cm2)

    return [Pair(ours.most_cm2, point(ours.netlist), point(trees[ours.most_cm2]), seconds) for ours in found]


def tree_netlists(train: Dataset, name: str, seed: int, technology: hw.Technology) -> dict[float, hw.Netlist]:
    """The most accurate tree within each area; where none is so small, the smallest one, which is larger."""
    inputs = tuple(ir.Input(feature, 4, 1.0, 0.0) for feature in train.names)
    rows = gates.Rows(train.features.astype(np.int64), train.labels.astype(np.int64))
    costs = gates.cell_costs(technology)
    points = gates.tree_points(inputs, train.classes, rows, costs, seed=seed, sizes=LEAVES)
    least = [min(points, key=lambda point: point.model_cm2)]
    found = {}
    for most in MOST_CM2[name]:
        best = most_accurate(points, most, technology, "default") or most_accurate(least, inf, technology, "default")
        assert best is not None  # any design is within an infinite area
        found[most] = best[2]
    return found


def summary(name: str, found: list[Pair]) -> dict[str, Any]:
    """Means over the splits.  ``most_cm2`` is what ours may cost."""
    gains = [pair.ours.accuracy - pair.tree.accuracy for pair in found]
    return {
        "dataset": name,
        "most_cm2": found[0].most_cm2,
        "splits": len(found),
        "ours": statistics.mean(pair.ours.accuracy for pair in found),
        "ours_cm2": statistics.mean(pair.ours.area_cm2 for pair in found),
        "tree": statistics.mean(pair.tree.accuracy for pair in found),
        "tree_cm2": statistics.mean(pair.tree.area_cm2 for pair in found),
        "gain": statistics.mean(gains),
        "error": statistics.stdev(gains) / len(gains) ** 0.5,
        "seconds": statistics.mean(pair.seconds for pair in found),
    }


def main() -> None:
    """Both methods on every split, and the table."""
    parser = arguments(str(__doc__).splitlines()[0])
    parser.add_argument("--splits", type=int, default=5, help="how many, 2 or more")
    parser.add_argument("--seconds", type=float, default=60.0, help="of search, a data set and split")
    options = parser.parse_args()
    if options.splits < 2:
        parser.error("--splits: a standard error needs 2 or more")
    technology = hw.load_technology("egfet")
    seeds = [seed for seed in range(options.splits + 1) if seed != SPLIT][: options.splits]
    rows = []
    for name in options.only:
        groups: dict[float, list[Pair]] = {}
        for seed in seeds:
            for pair in pairs(options, name, seed, technology):
                groups.setdefault(pair.most_cm2, []).append(pair)
        rows += [summary(name, found) for found in groups.values() if len(found) > 1]
    show("Gates and trees in equal area, other splits", rows, options.json)


if __name__ == "__main__":
    main()
