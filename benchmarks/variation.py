"""Printed copies: what a search through the comparators' offsets saves of the accuracy that copies lose.

Per set and split there are two searches of equal time, sensor to class: one as always, one with ``--offset-sigma``.
The first design is the most accurate one, on held-out folds, within the set's area; the second one the most accurate
through offsets within a fifth more than the area of the first.  Both are then drawn ``--copies`` times at that sigma,
and judged on real-valued test rows.  ``lost`` is a design's accuracy as drawn less the 5th percentile of its copies;
``behind`` the first design's accuracy as drawn less that percentile.  The tree is the one of ``system.py`` for the
first area.  ``--keep FILE`` appends every row, and what stands there is not run again; ``--show FILE`` is its table.
"""

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from processor import processor_budgets
from support import TOPOLOGIES, arguments, show
from system import accuracy, prepared

from mlpress import Dataset, approx, ir
from mlpress.pipeline import search as searching
from mlpress.pipeline.compile import Options
from mlpress.pipeline.preparation import Prepared
from mlpress.pipeline.settings import RunOptions, Settings, limits_of
from mlpress.pipeline.variation import offset_curve

ALLOWED = {"cardio": 0.03, "vertebral": 0.05, "whitewine": 0.10}
"""What gates and comparators of the first design may cost, cm2."""

MORE = 1.2
"""The second design may have this times the area of the first."""


@dataclass(frozen=True)
class Copies:
    """A circuit on the test rows: as drawn, and the mean and 5th percentile of its copies; cm2 in all."""

    drawn: float
    mean: float
    fifth: float
    area_cm2: float


@dataclass(frozen=True)
class Row:
    """A split's two designs: ``plain`` and ``held``, which was searched for through offsets."""

    dataset: str
    split: int
    sigma: float
    copies: int
    budget_s: float
    plain: Copies
    held: Copies

    @property
    def search(self) -> tuple[str, int, float, float]:
        """What names the searches: a file holds their row once."""
        return self.dataset, self.split, self.sigma, self.budget_s


def best(ready: Prepared, seed: int, options: Any, most: float, sigma: float) -> tuple[ir.Circuit, float]:
    """The most accurate circuit that a search finds within ``most`` cm2, and its area."""
    build = Options.of("egfet", effort="default", interface="unary")
    settings = Settings("gates", limits=limits_of(None, {"area": most}), seed=seed, minimise="area", offset_sigma=sigma)
    with processor_budgets():
        budget = approx.Budget(options.seconds)
        found = searching.search_prepared(ready, budget, build, settings, run=RunOptions(workers=1))
    judged = found.within({"area": most})[0]
    return ir.to_unary(found.program(judged)), judged.cost["area"]


def copies_of(circuit: ir.Circuit, area: float, test: Dataset, options: Any) -> Copies:
    """Draw copies of a circuit."""
    labels = test.labels.astype(np.int64)
    curve = (0.0, options.sigma)
    _, found = offset_curve(circuit, test.features, labels, copies=options.copies, curve=curve)
    return Copies(accuracy(circuit, test), found["mean"], found["fifth"], area)


def row_of(name: str, split: int, options: Any) -> Row:
    """Both searches of a split."""
    ready, test = prepared(options.data, name, split, split)
    circuit, area = best(ready, split, options, ALLOWED[name], 0.0)
    plain = copies_of(circuit, area, test, options)
    circuit, area = best(ready, split, options, MORE * area, options.sigma)
    held = copies_of(circuit, area, test, options)
    return Row(name, split, options.sigma, options.copies, options.seconds, plain, held)


def read(path: Path) -> list[Row]:
    """The rows of a file."""
    lines = path.read_text().splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines]
    return [Row(**(row | {kind: Copies(**row[kind]) for kind in ("plain", "held")})) for row in found]


def table(found: list[Row]) -> list[dict[str, Any]]:
    """Means over the splits of every set, and of all sets."""
    lines = []
    for name in [*dict.fromkeys(row.dataset for row in found), "all"]:
        rows = [row for row in found if name in (row.dataset, "all")]

        def mean(kind: str, part: str, rows: list[Row] = rows) -> float:
            return statistics.mean(getattr(getattr(row, kind), part) for row in rows)

        line: dict[str, Any] = {"dataset": name, "splits": len(rows)}
        for kind in ("plain", "held"):
            line |= {f"{kind}_{part}": mean(kind, part) for part in ("drawn", "fifth", "area_cm2")}
        lost = {kind: line[f"{kind}_drawn"] - line[f"{kind}_fifth"] for kind in ("plain", "held")}
        line |= {f"{kind}_lost": lost[kind] for kind in lost} | {
            "held_behind": line["plain_drawn"] - line["held_fifth"]
        }
        gains = [row.held.fifth - row.plain.fifth for row in rows]
        error = statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else float("nan")
        ratio = statistics.mean(row.held.area_cm2 / row.plain.area_cm2 for row in rows)
        lines.append(line | {"fifth_gain": statistics.mean(gains), "error": error, "area_ratio": ratio})
    return lines


def main() -> None:
    """Print the table."""
    parser = arguments(str(__doc__).splitlines()[0], sorted(set(TOPOLOGIES) & set(ALLOWED)))
    parser.add_argument("--splits", nargs="*", type=int, default=[0, 1, 2, 3, 4], help="seeds of the splits")
    parser.add_argument("--seconds", type=float, default=60.0, help="of one processor, a search")
    parser.add_argument("--sigma", type=float, default=0.02, help="of the offsets, in shares of full scale")
    parser.add_argument("--copies", type=int, default=200, help="printed copies")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="hold every row here; what it has is not run again")
    parser.add_argument("--show", type=Path, metavar="FILE", help="no search: the table of these lines")
    options = parser.parse_args()
    if options.show:
        show("Printed copies", table(read(options.show)), options.json)
        return
    found = read(options.keep) if options.keep else []
    known = {row.search for row in found}
    for name in options.only:
        for split in options.splits:
            if (name, split, options.sigma, options.seconds) in known:
                continue
            found.append(row_of(name, split, options))
            if options.keep:
                with options.keep.open("a") as file:
                    file.write(json.dumps(asdict(found[-1])) + "\n")
    show("Printed copies", [asdict(row) for row in found] if options.json else table(found), options.json)


if __name__ == "__main__":
    main()
