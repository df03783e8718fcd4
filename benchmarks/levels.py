"""What levels give: 15 even ones, and more or fewer that are chosen from the training rows, on five splits.

Of every way to choose levels and every set, the scikit-learn tree that is chosen by held-out folds within each of the
areas that ``system.py`` allows, comparators counted: its mean test accuracy, and the paired mean difference to the tree
on 15 even levels with its standard error.  These take a minute or so per set and split.  Searches on such levels are
``system.py --levels N --cuts RULE --keep FILE``; ``--searched FILE`` is the same table of the designs in such a file.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from support import TOPOLOGIES, arguments, show
from system import ALLOWED, prepared, read, tree_rows

from mlpress.pipeline.compile import Options

WAYS = (
    (0, ""),
    (31, "uniform"),
    (63, "uniform"),
    (15, "quantiles"),
    (31, "quantiles"),
    (7, "information"),
    (15, "information"),
    (31, "information"),
    (63, "information"),
    (63, "mdl"),
)
"""Levels of an input at most, and the rule that chooses them; 0 are 15 even ones."""


class Point(NamedTuple):
    """Test accuracy and area of what is chosen within ``allowed`` cm2 on a split."""

    dataset: str
    split: int
    levels: int
    cuts: str
    allowed: float
    accuracy: float
    area_cm2: float


def tree_points(folder: Path, name: str, split: int, levels: int, cuts: str) -> list[Point]:
    """The trees of one split."""
    ready, test = prepared(folder, name, split, split, levels, cuts)
    build = Options.of("egfet", effort="fast", interface="unary")
    found = tree_rows(ready, test, ALLOWED["area"][name], split, build, "area")
    return [Point(name, split, levels, cuts, most, tree.accuracy, tree.area_cm2) for most, tree in found.items()]


def searched_points(path: Path) -> list[Point]:
    """The designs of a file of ``system.py``."""
    return [
        Point(row.dataset, row.split, row.levels, row.cuts, row.allowed, row.test_accuracy, row.area_cm2)
        for row in read(path)
        if row.minimise == "area"
    ]


def table(points: Sequence[Point]) -> list[dict[str, Any]]:
    """A row for every set, area and way."""
    groups: dict[tuple[str, float, int, str], dict[int, Point]] = {}
    for each in points:
        groups.setdefault((each.dataset, each.allowed, each.levels, each.cuts), {})[each.split] = each
    lines = []
    for (name, allowed, levels, cuts), found in groups.items():
        even = groups.get((name, allowed, 0, ""), {})
        gains = [found[split].accuracy - even[split].accuracy for split in found if split in even]
        lines.append(
            {
                "dataset": name,
                "allowed_cm2": allowed,
                "levels": f"{levels} by {cuts}" if levels else "15 even",
                "splits": len(found),
                "accuracy": statistics.mean(each.accuracy for each in found.values()),
                "area_cm2": statistics.mean(each.area_cm2 for each in found.values()),
                "gain": statistics.mean(gains) if gains else None,
                "error": statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else None,
            }
        )
    return lines


def main() -> None:
    """Trees on all levels, or what searches found, and the table."""
    parser = arguments(str(__doc__).splitlines()[0], TOPOLOGIES)
    parser.add_argument("--splits", type=int, nargs="*", default=[0, 1, 2, 3, 4], help="seeds of the splits")
    parser.add_argument("--searched", type=Path, metavar="FILE", help="no trees: the designs that system.py kept here")
    options = parser.parse_args()
    if options.searched is not None:
        points = searched_points(options.searched)
    else:
        points = [
            point
            for name in options.only
            for levels, cuts in WAYS
            for split in options.splits
            for point in tree_points(options.data, name, split, levels, cuts)
        ]
    show("Levels", table(points), options.json)


if __name__ == "__main__":
    main()
