"""The measure of quality: what ``mlpress search`` and scikit-learn's trees reach in the same area, on five splits.

The literature's split has few test rows: on one split a circuit may be lucky or unlucky by more than what sets two
methods apart.  Here training and test rows are drawn again for every split, and both methods choose their design in
the same way, by held-out folds of the training rows, within the same area; where no tree is so small, it is the
smallest tree.  Test rows are read once a design.  Beside the five UCI sets there are three that need no file: one that
is arithmetic by nature, one of few rows, one of many features.  ``gain`` is the mean difference in test accuracy,
``error`` its standard error over the splits, which share rows, so that it is a little too small.  ``network`` is the
accuracy of the network that the search starts from, at no limit of area.

The search is that of ``mlpress search --start tree``: of its front the design that ranks highest within an area.
Searches have one worker and a budget of processor seconds; ``search_s`` is what both levels took of it.
``--keep FILE`` holds every split's designs as JSON lines, and what stands there is not run again; ``--show FILE`` is
the table of such lines alone.  ``--against FILE`` compares with the lines of an earlier run, split by split:
``before``, and the mean ``change`` since with its standard error ``change_error``.  With ``--equal-time`` both levels
of each search get what the earlier ones took.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from printed_gates import MOST_CM2, SETS, network, searched, within_areas
from printed_integer import Spent
from processor import processor_budgets
from support import ROOT, SPLIT, accuracy, arguments, coded, cost, dataset, show
from trees import tree_netlists

from mlpress import approx, ir
from mlpress.hw import printed

FEWER = {"pendigits": 2}
"""The most splits of a set whose searches take long."""


@dataclass(frozen=True)
class Pair:
    """What both methods reach on a split within ``most_cm2``: test accuracies, and areas in cm2.

    ``budget_s`` was asked for and ``search_s`` taken, in processor seconds; ``code`` is the commit of the package.
    """

    dataset: str
    split: int
    most_cm2: float
    ours: float
    ours_cm2: float
    start: str
    tree: float
    tree_cm2: float
    network: float
    budget_s: float
    search_s: float
    generations: int
    rounds: int
    code: str


@cache
def code() -> str:
    """The last commit that changed the package, with a plus where it has changed since."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    return git("log", "-1", "--format=%h", "--", "mlpress") + "+" * bool(git("status", "--porcelain", "--", "mlpress"))


def pairs(folder: Path, name: str, split: int, seconds: float, technology: printed.Technology) -> list[Pair]:
    """One split of a data set."""
    train, test = coded(folder, name, split)
    with processor_budgets():
        net = network(train, name, split)
        result = searched(net, train, name, split, Spent(seconds, workers=1), trees=True)
    assert result.integer is not None  # both levels were searched
    spent = result.integer.elapsed_s + result.front.elapsed_s
    decided = ir.interpret(net, test.features.astype(np.int64)).decision
    trees = tree_netlists(train, MOST_CM2[name], split, technology, "default")
    found = []
    for ours in within_areas(result, name, technology, "default"):
        tree = trees[ours.most_cm2]
        found.append(
            Pair(
                name,
                split,
                ours.most_cm2,
                accuracy(ours.netlist, technology, test),
                cost(ours.netlist, technology, train).area_cm2,
                ours.start,
                accuracy(tree, technology, test),
                cost(tree, technology, train).area_cm2,
                float(np.mean(decided == test.labels)),
                seconds,
                round(spent, 1),
                ours.generations,
                ours.rounds,
                code(),
            )
        )
    return found


def error(values: Sequence[float]) -> float:
    """The standard error of their mean."""
    return statistics.stdev(values) / len(values) ** 0.5


def summary(found: Sequence[Pair], earlier: Sequence[Pair] | None = None) -> dict[str, Any]:
    """Means over the splits of a set and area.  ``most_cm2`` is what ours may cost."""
    gains = [pair.ours - pair.tree for pair in found]
    row: dict[str, Any] = {
        "dataset": found[0].dataset,
        "most_cm2": found[0].most_cm2,
        "splits": len(found),
        "ours": statistics.mean(pair.ours for pair in found),
        "ours_cm2": statistics.mean(pair.ours_cm2 for pair in found),
        "tree": statistics.mean(pair.tree for pair in found),
        "tree_cm2": statistics.mean(pair.tree_cm2 for pair in found),
        "gain": statistics.mean(gains),
        "error": error(gains),
        "network": statistics.mean(pair.network for pair in found),
        "search_s": statistics.mean(pair.search_s for pair in found),
    }
    if earlier is None:
        return row
    before = {pair.split: pair.ours for pair in earlier if group(pair) == group(found[0])}
    changes = [pair.ours - before[pair.split] for pair in found if pair.split in before]
    known = len(changes) > 1
    return row | {
        "before": statistics.mean(before.values()) if before else None,
        "change": statistics.mean(changes) if known else None,
        "change_error": error(changes) if known else None,
    }


def group(pair: Pair) -> tuple[str, float]:
    """What the splits of a row have in common."""
    return pair.dataset, pair.most_cm2


def read(path: Path) -> list[Pair]:
    """The lines of a file that ``--keep`` wrote."""
    try:
        return [Pair(**json.loads(line)) for line in path.read_text().splitlines()]
    except (OSError, ValueError, TypeError) as error:
        print(f"{path} holds no lines of --keep ({error}); name another file", file=sys.stderr)
        raise SystemExit(2) from None


def table(found: Sequence[Pair], earlier: Sequence[Pair] | None = None) -> list[dict[str, Any]]:
    """A row for every set and area that has two splits or more."""
    groups: dict[tuple[str, float], list[Pair]] = {}
    for pair in found:
        groups.setdefault(group(pair), []).append(pair)
    return [summary(pairs, earlier) for pairs in groups.values() if len(pairs) > 1]


def plan(names: Sequence[str], splits: int) -> list[tuple[str, int]]:
    """Which sets are split by which seeds: all sets by one, then by the next, never by the literature's."""
    seeds = [seed for seed in range(splits + 1) if seed != SPLIT][:splits]
    return [(name, seed) for k, seed in enumerate(seeds) for name in names if k < FEWER.get(name, splits)]


def whole_s(searched: float) -> float:
    """The budget of a command whose levels have ``searched`` seconds, beside what is kept for its end."""
    low, high = searched, 5 * searched + 100
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (middle, high) if middle - approx.Clock(0.0, middle).end_s < searched else (low, middle)
    return round(high, 1)


def run(options: Any, earlier: Sequence[Pair]) -> list[Pair]:
    """Both methods on every split that is not kept."""
    took = {(pair.dataset, pair.split): whole_s(pair.search_s) for pair in earlier}

    def budget(name: str, split: int) -> float:
        return float(took.get((name, split), options.seconds) if options.equal_time else options.seconds)

    found = read(options.keep) if options.keep is not None and options.keep.is_file() else []
    for pair in found:
        if (pair.budget_s, pair.code) != (budget(pair.dataset, pair.split), code()):
            print(f"--keep: {options.keep} is of another budget or commit; name another file", file=sys.stderr)
            raise SystemExit(2)
    done = {(pair.dataset, pair.split) for pair in found}
    tasks = [task for task in plan(options.only, options.splits) if task not in done]
    for name in dict.fromkeys(name for name, _ in tasks):
        dataset(options.data, name)  # asks for a file that is missing before anything takes time
    technology = printed.load_technology("egfet")
    if tasks:
        approx.load_kernels()
    for name, split in tasks:
        new = pairs(options.data, name, split, budget(name, split), technology)
        found += new
        if options.keep is not None:
            with options.keep.open("a") as file:
                file.writelines(json.dumps(asdict(pair)) + "\n" for pair in new)
    return found


def main() -> None:
    """Both methods on every split, and the table."""
    parser = arguments(str(__doc__).splitlines()[0], SETS)
    parser.add_argument("--splits", type=int, default=5, help="how many, 2 or more; of pendigits no more than 2")
    parser.add_argument("--seconds", type=float, default=60.0, help="of one processor, a search")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="hold every split here; what it has is not run again")
    parser.add_argument("--show", type=Path, metavar="FILE", help="no search: the table of these lines")
    parser.add_argument("--against", type=Path, metavar="FILE", help="lines of an earlier run to compare with")
    parser.add_argument("--equal-time", action="store_true", help="as long as the same search took in --against")
    options = parser.parse_args()
    if options.splits < 2:
        parser.error("--splits: a standard error needs 2 or more")
    if options.equal_time and options.against is None:
        parser.error("--equal-time: name the earlier run with --against")
    earlier = None if options.against is None else read(options.against)
    found = run(options, earlier or []) if options.show is None else read(options.show)
    show("Gates and trees in equal area, other splits", table(found, earlier), options.json)


if __name__ == "__main__":
    main()
