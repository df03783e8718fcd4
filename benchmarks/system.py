"""Sensor to class: what a design costs with everything that stands between a sensor's voltage and the class.

Circuits read comparators (``--interface unary``), and areas and powers count gates and comparators together.  Each row
is the most accurate design of one search within an area, chosen on held-out folds of the training rows, beside the
scikit-learn tree behind the same comparators that is chosen in the same way within the same area (where none is so
small, the smallest).  Test rows are real values, and are read once per design.

On the literature's split (``42``) there are ``--seeds`` searches; other splits, 0 and up, have one each, whose seed is
the split's number.  Budgets are seconds of one processor.  ``--keep FILE`` appends every row as a JSON line, and what
stands there is not run again; ``--show FILE`` is the table of such lines alone.
"""

import json
import statistics
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from printed_gates import as_model, network
from processor import processor_budgets
from support import SPLIT, TOPOLOGIES, arguments, coded, dataset, protocol, show

from mlpress import Dataset, approx, ir
from mlpress.approx import gates
from mlpress.frontend import Quantised
from mlpress.frontend.quantisation import Report
from mlpress.hw import printed
from mlpress.pipeline import search as searching
from mlpress.pipeline.compile import Options, build_design
from mlpress.pipeline.measuring import measured
from mlpress.pipeline.preparation import Prepared
from mlpress.pipeline.settings import RunOptions, Settings, limits_of
from mlpress.targets import Cost
from mlpress.targets.printed_gates import cell_costs
from mlpress.verify import prove

ALLOWED_CM2 = {
    "breast_cancer": (0.008, 0.012, 0.03),
    "cardio": (0.02, 0.03, 0.06, 0.12),
    "whitewine": (0.02, 0.10, 0.20, 0.40),
    "vertebral": (0.02, 0.05, 0.10),
    "pendigits": (0.20, 0.40, 0.70),
}
"""What gates and comparators together may cost."""

LEAVES = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256)
"""Sizes of the trees that are compared with."""


@dataclass(frozen=True)
class Row:
    """A design and the tree beside it: test accuracies, cm2 and mW in all, and what of it are gates and comparators."""

    dataset: str
    split: int
    seed: int
    allowed_cm2: float
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


def prepared(folder: Path, name: str, split: int, seed: int) -> tuple[Prepared, Dataset]:
    """The set's network, trained on the training rows, with inputs that read real values; and the test rows."""
    train, test, scaler = protocol(folder, name, split)
    net = network(coded(folder, name, split)[0], name, seed)
    scale, offset = 16 * scaler.scale_, 16 * scaler.min_
    inputs = tuple(
        replace(feature, scale=float(scale[k]), offset=float(offset[k])) for k, feature in enumerate(net.inputs)
    )
    model = replace(as_model(net), scale=scale, offset=offset - 0.5)
    net = replace(net, inputs=inputs)
    share = float(np.mean(ir.interpret(net, ir.encode(net, train.features)).decision == train.labels))
    report = Report("accuracy", share, share, 1.0, (), len(train), True)
    return Prepared(model, Quantised(net, report), train, None, {}, (), ()), test


def accuracy(circuit: ir.Circuit, rows: Dataset) -> float:
    """Share of the rows, real values, that a circuit decides rightly."""
    decided = ir.interpret_circuit(circuit, ir.encode(circuit, rows.features)).decision
    return float(np.mean(decided == rows.labels))


def tree_rows(
    ready: Prepared, test: Dataset, areas: tuple[float, ...], seed: int, options: Options
) -> dict[float, tuple[float, float, float]]:
    """Test accuracy, cm2 and mW of the tree that is chosen within each area."""
    net, train = ready.quantised.net, ready.rows
    rows = gates.Rows(ir.encode(net, train.features), train.labels.astype(np.int64))
    costs = cell_costs(printed.load_technology("egfet"))
    points = gates.tree_points(ir.unary_inputs(net.inputs), net.classes, rows, costs, seed=seed, sizes=LEAVES)
    known: dict[int, Cost] = {}

    def measure(point: gates.TreePoint) -> Cost:
        if point.leaves not in known:
            known[point.leaves] = measured(point.circuit, train, options, point.hint)
        return known[point.leaves]

    found = {}
    for most in areas:
        small = [point for point in points if point.model_cost <= approx.COST_SLACK * most]
        ordered = sorted(small, key=lambda point: (-point.validation_accuracy, point.model_cost))
        fit = next((point for point in ordered if measure(point).values["area"] <= most), None)
        point = fit or min(points, key=lambda point: point.model_cost)
        cost = measure(point)
        found[most] = accuracy(point.circuit, test), cost.values["area"], cost.values["power"]
    return found


def rows_of(folder: Path, name: str, split: int, seed: int, options: Any) -> list[Row]:
    """One search, and its designs within each area."""
    areas = ALLOWED_CM2[name]
    build = Options.of("egfet", effort=options.effort, interface="unary")
    with processor_budgets():
        ready, test = prepared(folder, name, split, seed)
        limits = limits_of(None, {"area": max(areas)})
        settings = Settings(options.level, limits=limits, seed=seed)
        budget = approx.Budget(options.seconds)
        found = searching.search_prepared(ready, budget, build, settings, run=RunOptions(workers=1))
    trees = tree_rows(ready, test, areas, seed, build)
    rows = []
    for most in areas:
        within = found.within({"area": most})
        if not within:
            continue
        judged = within[0]
        source, program = getattr(judged, "source", judged), found.program(judged)
        hint = getattr(source, "hint", None)
        design = build_design(program, ready.rows.features, ready.rows.labels, build, hint=hint)
        system = design.facts["system"]
        circuit = ir.to_unary(program)
        proofs = [proof.verdict for proof in prove(design)] if options.prove else None
        rows.append(
            Row(
                name,
                split,
                seed,
                most,
                accuracy(circuit, test),
                system["total"]["area_cm2"],
                system["gates"]["area_cm2"],
                system["comparators"]["count"],
                system["total"]["power_mw"],
                getattr(source, "start", "integer level"),
                judged.validation_accuracy,
                *trees[most],
                all(result["equal"] for result in design.facts["verification"]),
                None if proofs is None else all(verdict == "proven" for verdict in proofs),
                options.seconds,
                getattr(found.front, "rounds", 0),
                f"benchmarks/system.py --only {name} --seconds {options.seconds:g} --level {options.level} "
                f"--effort {options.effort}" + " --prove" * options.prove,
            )
        )
    return rows


def table(found: list[Row]) -> list[dict[str, Any]]:
    """Means over the splits, or over the seeds of the literature's split, of every set and area."""
    groups: dict[tuple[str, str, float], list[Row]] = {}
    for row in found:
        kind = "literature's" if row.split == SPLIT else "others"
        groups.setdefault((row.dataset, kind, row.allowed_cm2), []).append(row)
    lines = []
    for (name, kind, allowed), rows in groups.items():
        gains = [row.test_accuracy - row.tree_accuracy for row in rows]
        lines.append(
            {
                "dataset": name,
                "splits": kind,
                "allowed_cm2": allowed,
                "runs": len(rows),
                "test_accuracy": statistics.mean(row.test_accuracy for row in rows),
                "area_cm2": statistics.mean(row.area_cm2 for row in rows),
                "comparators": statistics.mean(row.comparators for row in rows),
                "power_mw": statistics.mean(row.power_mw for row in rows),
                "tree_accuracy": statistics.mean(row.tree_accuracy for row in rows),
                "tree_area_cm2": statistics.mean(row.tree_area_cm2 for row in rows),
                "gain": statistics.mean(gains),
                "error": statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else None,
            }
        )
    return lines


def read(path: Path) -> list[Row]:
    """The lines of a file that ``--keep`` wrote."""
    try:
        return [Row(**json.loads(line)) for line in path.read_text().splitlines()]
    except (OSError, ValueError, TypeError) as error:
        print(f"{path} holds no lines of --keep ({error}); name another file", file=sys.stderr)
        raise SystemExit(2) from None


def plan(names: list[str], splits: list[int], seeds: int) -> list[tuple[str, int, int]]:
    """Set, split and seed of every search: all sets by one split, then by the next."""
    order = [(split, seed) for split in splits for seed in (range(seeds) if split == SPLIT else (split,))]
    return [(name, split, seed) for split, seed in order for name in names]


def main() -> None:
    """All searches, and the table."""
    parser = arguments(str(__doc__).splitlines()[0], TOPOLOGIES)
    parser.add_argument("--splits", type=int, nargs="*", default=[SPLIT, 0, 1, 2, 3, 4], help="seeds of the splits")
    parser.add_argument("--seeds", type=int, default=3, help="searches on the literature's split")
    parser.add_argument("--seconds", type=float, default=240.0, help="of one processor, a search")
    parser.add_argument("--level", default="gates", choices=["gates", "both"], help="what is searched")
    parser.add_argument("--effort", default="default", help="of synthesis")
    parser.add_argument("--prove", action="store_true", help="prove every design")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="hold every row here; what it has is not run again")
    parser.add_argument("--show", type=Path, metavar="FILE", help="no search: the table of these lines")
    options = parser.parse_args()
    if options.show is not None:
        show("Sensor to class", table(read(options.show)), options.json)
        return
    found = read(options.keep) if options.keep is not None and options.keep.is_file() else []
    done = {(row.dataset, row.split, row.seed) for row in found}
    tasks = [task for task in plan(options.only, options.splits, options.seeds) if task not in done]
    for name in dict.fromkeys(name for name, _, _ in tasks):
        dataset(options.data, name)  # asks for a file that is missing before anything takes time
    for name, split, seed in tasks:
        new = rows_of(options.data, name, split, seed, options)
        found += new
        if options.keep is not None:
            with options.keep.open("a") as file:
                file.writelines(json.dumps(asdict(row)) + "\n" for row in new)
    if options.json:
        for row in found:
            sys.stdout.write(json.dumps(asdict(row)) + "\n")
        return
    show("Sensor to class", table(found), as_json=False)


if __name__ == "__main__":
    main()
