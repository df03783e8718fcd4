"""Sensor to class: what a design costs with everything that stands between a sensor's voltage and the class.

Circuits read comparators (``--interface unary``), and areas and powers count gates and comparators together.  One
search per set and split, no larger than the largest area of the set; its front is read at every allowed area.  A row
is the design that ranks highest within an area, chosen on held-out folds of the training rows, beside the scikit-learn
tree behind the same comparators that is chosen in the same way within the same area (where none is so small, the
smallest).  Test rows are real values, and are read once per design.  With ``--minimise power`` searches minimise the
power of gates and comparators, and rows are the designs within allowed powers.

On the literature's split (``42``) there are ``--seeds`` searches; other splits, 0 and up, have one each, whose seed is
the split's number.  Budgets are seconds of one processor.  ``--keep FILE`` appends the rows of every search as JSON
lines, and what stands there is not run again; ``--show FILE`` is the table of such lines alone.
"""

import json
import statistics
import sys
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from printed_gates import as_model
from processor import processor_budgets
from support import SPLIT, TOPOLOGIES, arguments, dataset, protocol, show

from mlpress import Dataset, approx, ir
from mlpress.approx import gates
from mlpress.design import Design
from mlpress.frontend import CUT_RULES, Quantised, with_cuts
from mlpress.frontend.quantisation import Report
from mlpress.pipeline import search as searching
from mlpress.pipeline.compile import FINE_BITS, Options, build_design
from mlpress.pipeline.measuring import measured
from mlpress.pipeline.preparation import Prepared
from mlpress.pipeline.result import SearchResult
from mlpress.pipeline.settings import RunOptions, Settings, limits_of, search_target
from mlpress.targets import Cost
from mlpress.verify import prove

ALLOWED = {
    "area": {
        "breast_cancer": (0.008, 0.012, 0.03),
        "cardio": (0.02, 0.03, 0.06, 0.12),
        "whitewine": (0.02, 0.10, 0.20, 0.40),
        "vertebral": (0.02, 0.05, 0.10),
        "pendigits": (0.20, 0.40, 0.70),
    },
    "power": {
        "breast_cancer": (0.1, 0.2),
        "cardio": (0.2, 0.35, 0.6),
        "whitewine": (0.35, 1.0, 3.0),
        "vertebral": (0.1, 0.35, 0.6),
        "pendigits": (1.5, 3.0, 6.0),
    },
}
"""What gates and comparators together may cost, cm2 or mW at 1 V: 0.1 mW is the printed harvester's, 3 mW the Blue
Spark battery's."""


@dataclass(frozen=True)
class Row:
    """A design and the tree beside it: test accuracies, cm2 and mW in all, and what of it are gates and comparators.

    Of ``allowed_cm2`` and ``allowed_mw`` one is given: the limit of what was minimised.
    """

    dataset: str
    split: int
    seed: int
    minimise: str
    allowed_cm2: float | None
    allowed_mw: float | None
    test_accuracy: float
    area_cm2: float
    gates_cm2: float
    comparators: int
    power_mw: float
    start: str
    validation_accuracy: float
    tree_accuracy: float
    tree_area_cm2: float
    tree_power_mw: float
    verified: bool
    proven: bool | None
    budget_s: float
    rounds: int
    command: str
    levels: int = 0
    cuts: str = ""

    @property
    def search(self) -> tuple[str, int, int, str, int, str]:
        """What names the search: a file holds its rows once."""
        return self.dataset, self.split, self.seed, self.minimise, self.levels, self.cuts

    @property
    def allowed(self) -> float:
        """The limit of what was minimised."""
        found = self.allowed_cm2 if self.allowed_mw is None else self.allowed_mw
        assert found is not None  # one of them is
        return found


@dataclass(frozen=True)
class TreeRow:
    """The tree that is chosen within a limit: test accuracy, cm2 and mW."""

    accuracy: float
    area_cm2: float
    power_mw: float


def prepared(
    folder: Path, name: str, split: int, seed: int, levels: int = 0, cuts: str = ""
) -> tuple[Prepared, Dataset]:
    """The set's network, trained on the training rows, with inputs that read real values; and the test rows.

    With ``levels`` these are so many that ``cuts`` chooses on the training rows, in place of 15 even ones.
    """
    train, test, scaler = protocol(folder, name, split)
    bits = FINE_BITS if levels else 4
    scale, offset = (1 << bits) * scaler.scale_, (1 << bits) * scaler.min_
    even = tuple(ir.Input(each, bits, float(scale[k]), float(offset[k])) for k, each in enumerate(train.names))
    hidden = TOPOLOGIES[name][1:-1]
    shape = approx.dense(even, hidden, train.classes)
    labels = train.labels.astype(np.int64)
    if levels:
        shape = with_cuts(shape, ir.encode(shape, train.features), labels, levels, cuts)
    net = approx.train(ir.encode(shape, train.features), labels, shape, approx.Training(hidden, seed=seed))
    model = replace(as_model(net), scale=scale, offset=offset - 0.5)
    share = float(np.mean(ir.interpret(net, ir.encode(net, train.features)).decision == train.labels))
    report = Report("accuracy", share, share, 1.0, (), len(train), True)
    return Prepared(model, Quantised(net, report), train, None, {}, (), ()), test


def accuracy(circuit: ir.Circuit, rows: Dataset) -> float:
    """Share of the rows, real values, that a circuit decides rightly."""
    decided = ir.interpret_circuit(circuit, ir.encode(circuit, rows.features)).decision
    return float(np.mean(decided == rows.labels))


def tree_rows(
    ready: Prepared, test: Dataset, limits: tuple[float, ...], seed: int, options: Options, metric: str
) -> dict[float, TreeRow]:
    """The tree that is chosen within each limit of the metric, on the comparators that the search reads."""
    net, train = ready.quantised.net, ready.rows
    rows = gates.Rows(ir.encode(net, train.features), train.labels.astype(np.int64))
    costs = search_target(options).gate_costs(metric)
    assert costs is not None  # of printed gates
    points = gates.tree_points(
        ir.unary_inputs(net.inputs), net.classes, rows, costs, seed=seed, sizes=gates.FINE_LEAVES
    )
    known: dict[int, Cost] = {}

    def measure(point: gates.TreePoint) -> Cost:
        if point.leaves not in known:
            known[point.leaves] = measured(point.circuit, train, options, point.hint)
        return known[point.leaves]

    found = {}
    for most in limits:
        small = [point for point in points if point.model_cost <= approx.COST_SLACK * most]
        ordered = sorted(small, key=lambda point: (-point.validation_accuracy, point.model_cost))
        fit = next((point for point in ordered if measure(point).values[metric] <= most), None)
        point = fit or min(points, key=lambda point: point.model_cost)
        cost = measure(point).values
        found[most] = TreeRow(accuracy(point.circuit, test), cost["area"], cost["power"])
    return found


def searched(ready: Prepared, seed: int, build: Options, options: Any, most: float) -> SearchResult:
    """What ``mlpress search`` finds within ``most`` of what is minimised, in so much time of one processor."""
    limits = limits_of(None, {options.minimise: most})
    settings = Settings(options.level, limits=limits, seed=seed, minimise=options.minimise)
    with processor_budgets():
        budget = approx.Budget(options.seconds)
        return searching.search_prepared(ready, budget, build, settings, run=RunOptions(workers=1))


def rows_of(folder: Path, name: str, split: int, seed: int, options: Any) -> list[Row]:
    """One search, and its designs within each limit."""
    metric = options.minimise
    limits = ALLOWED[metric][name]
    build = Options.of("egfet", effort=options.effort, interface="unary")
    ready, test = prepared(folder, name, split, seed, options.levels, options.cuts)
    found = searched(ready, seed, build, options, max(limits))
    trees = tree_rows(ready, test, limits, seed, build, metric)
    built: dict[int, tuple[Design, list[str]]] = {}
    rows = []
    for most in limits:
        within = found.within({metric: most})
        if not within:
            continue
        judged = within[0]
        source, program = getattr(judged, "source", judged), found.program(judged)
        if id(judged) not in built:
            hint = getattr(source, "hint", None)
            design = build_design(program, ready.rows.features, ready.rows.labels, build, hint=hint)
            built[id(judged)] = design, [proof.verdict for proof in prove(design)] if options.prove else []
        design, proofs = built[id(judged)]
        system, tree = design.facts["system"], trees[most]
        rows.append(
            Row(
                dataset=name,
                split=split,
                seed=seed,
                minimise=metric,
                allowed_cm2=most if metric == "area" else None,
                allowed_mw=most if metric == "power" else None,
                test_accuracy=accuracy(ir.to_unary(program), test),
                area_cm2=system["total"]["area_cm2"],
                gates_cm2=system["gates"]["area_cm2"],
                comparators=system["comparators"]["count"],
                power_mw=system["total"]["power_mw"],
                start=getattr(source, "start", "integer level"),
                validation_accuracy=judged.validation_accuracy,
                tree_accuracy=tree.accuracy,
                tree_area_cm2=tree.area_cm2,
                tree_power_mw=tree.power_mw,
                verified=all(result["equal"] for result in design.facts["verification"]),
                proven=all(verdict == "proven" for verdict in proofs) if proofs else None,
                budget_s=options.seconds,
                rounds=getattr(found.front, "rounds", 0),
                command=command(name, split, options),
                levels=options.levels,
                cuts=options.cuts,
            )
        )
    return rows


def command(name: str, split: int, options: Any) -> str:
    """The command that makes the rows of a search again, beside ``--data``."""
    words = [f"benchmarks/system.py --sets {name} --splits {split} --seconds {options.seconds:g}"]
    words += [f"--level {options.level} --effort {options.effort} --minimise {options.minimise}"]
    words += [f"--levels {options.levels} --cuts {options.cuts}"] if options.levels else []
    return " ".join(words) + (" --prove" if options.prove else "")


def table(found: list[Row]) -> list[dict[str, Any]]:
    """Means over the splits, or over the seeds of the literature's split, of every set and limit."""
    groups: dict[tuple[str, str, str, str, float], list[Row]] = {}
    for row in found:
        kind = "literature's" if row.split == SPLIT else "others"
        levels = f"{row.levels} by {row.cuts}" if row.levels else "15 even"
        groups.setdefault((row.dataset, kind, levels, row.minimise, row.allowed), []).append(row)
    lines = []
    for (name, kind, levels, minimise, allowed), rows in groups.items():
        gains = [row.test_accuracy - row.tree_accuracy for row in rows]
        mean = partial(_mean, rows)
        lines.append(
            {
                "dataset": name,
                "splits": kind,
                "levels": levels,
                "allowed": f"{allowed:g} {'cm2' if minimise == 'area' else 'mW'}",
                "runs": len(rows),
                "test_accuracy": mean("test_accuracy"),
                "area_cm2": mean("area_cm2"),
                "comparators": mean("comparators"),
                "power_mw": mean("power_mw"),
                "tree_accuracy": mean("tree_accuracy"),
                "tree_area_cm2": mean("tree_area_cm2"),
                "tree_power_mw": mean("tree_power_mw"),
                "gain": statistics.mean(gains),
                "error": statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else None,
            }
        )
    return lines


def _mean(rows: list[Row], column: str) -> float:
    return float(statistics.mean(getattr(row, column) for row in rows))


def read(path: Path) -> list[Row]:
    """The lines of a file that ``--keep`` wrote."""
    try:
        return [Row(**json.loads(line)) for line in path.read_text().splitlines()]
    except (OSError, ValueError, TypeError) as error:
        print(f"{path} holds no lines of --keep ({error}); name another file", file=sys.stderr)
        raise SystemExit(2) from None


def kept(options: Any) -> list[Row]:
    """The rows that stand in ``--keep``; ends where they are of another command for the same search."""
    if options.keep is None or not options.keep.is_file():
        return []
    found = read(options.keep)
    for row in found:
        same = (row.minimise, row.levels, row.cuts) == (options.minimise, options.levels, options.cuts)
        if same and row.command != command(row.dataset, row.split, options):
            print(f"--keep: {options.keep} holds rows of `{row.command}`; name another file", file=sys.stderr)
            raise SystemExit(2)
    return found


def plan(names: list[str], splits: list[int], seeds: int) -> list[tuple[str, int, int]]:
    """Set, split and seed of every search: all sets by one split, then by the next."""
    order = [(split, seed) for split in splits for seed in (range(seeds) if split == SPLIT else (split,))]
    return [(name, split, seed) for split, seed in order for name in names]


def main() -> None:
    """All searches, and the table."""
    parser = arguments(str(__doc__).splitlines()[0], TOPOLOGIES)
    parser.add_argument("--splits", type=int, nargs="*", default=[0, 1, 2, 3, 4, SPLIT], help="seeds of the splits")
    parser.add_argument("--seeds", type=int, default=3, help="searches on the literature's split, 42")
    parser.add_argument("--seconds", type=float, default=240.0, help="of one processor, a search")
    parser.add_argument(
        "--minimise", default="area", choices=list(ALLOWED), help="the metric that ranks and is limited"
    )
    parser.add_argument("--levels", type=int, default=0, help="an input, chosen by --cuts in place of 15 even ones")
    parser.add_argument("--cuts", default="", choices=["", *CUT_RULES], help="how --levels are chosen")
    parser.add_argument("--level", default="gates", choices=["gates", "both"], help="what is searched")
    parser.add_argument("--effort", default="default", help="of synthesis")
    parser.add_argument("--prove", action="store_true", help="prove every design")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="hold every row here; what it has is not run again")
    parser.add_argument("--show", type=Path, metavar="FILE", help="no search: the table of these lines")
    options = parser.parse_args()
    if bool(options.levels) != bool(options.cuts):
        parser.error("--levels and --cuts go together")
    if options.show is not None:
        show("Sensor to class", table(read(options.show)), options.json)
        return
    found = kept(options)
    done = {row.search for row in found}
    kind = (options.minimise, options.levels, options.cuts)
    tasks = [task for task in plan(options.only, options.splits, options.seeds) if (*task, *kind) not in done]
    for name in dict.fromkeys(name for name, _, _ in tasks):
        dataset(options.data, name)  # asks for a file that is missing before anything takes time
    for name, split, seed in tasks:
        new = rows_of(options.data, name, split, seed, options)
        found += new
        if options.keep is not None:
            with options.keep.open("a") as file:
                file.write("".join(json.dumps(asdict(row)) + "\n" for row in new))
    if options.json:
        for row in found:
            sys.stdout.write(json.dumps(asdict(row)) + "\n")
        return
    show("Sensor to class", table(found), as_json=False)


if __name__ == "__main__":
    main()
