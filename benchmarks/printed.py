"""The printed benchmark: test accuracy, area and power of what the searches find, beside the literature.

Every data set is searched with several seeds; the design is chosen by accuracy on validation rows that are part of
the training rows, synthesised, and only then run on the test rows, as the mapped netlist.  Results are
kept as JSON lines in ``benchmarks/results/printed.json``, one a data set, level, area allowed and seed.
"""

import json
import shlex
import statistics
from dataclasses import asdict, dataclass
from operator import itemgetter
from time import perf_counter
from typing import Any

from printed_gates import from_networks, from_trees
from printed_integer import Found, Spent, integer
from support import ROOT, accuracy, arguments, coded, cost, show

from mlpress import Dataset, hw

RESULTS = ROOT / "benchmarks" / "results" / "printed.json"

LEVELS = {"integer": integer, "gates": from_networks, "trees": from_trees}
"""How each level finds its designs: (training rows, data set, seed, budget, technology, synthesis effort) -> found."""

SOURCES = [*(source.name for source in hw.POWER_SOURCES), "none"]
"""Printed power sources, the weakest first."""

PUBLISHED = {
    "breast_cancer": {
        "ICCAD'23": (0.946, 3.15),
        "DATE'24": (0.917, 0.033),
        "HGQ2": (0.927, 0.032),
        "tree": (0.951, 0.009),
    },
    "cardio": {"ICCAD'23": (0.862, 7.87), "DATE'24": (0.884, 1.41), "HGQ2": (0.890, 1.84), "tree": (0.900, 0.082)},
    "pendigits": {"ICCAD'23": (0.891, 16.4), "DATE'24": (0.898, 13.6), "HGQ2": (0.903, 14.8), "tree": (0.918, 0.66)},
    "whitewine": {"ICCAD'23": (0.526, 6.27), "DATE'24": (0.502, 0.200), "HGQ2": (0.526, 0.039), "tree": (0.525, 0.121)},
    "vertebral": {"HGQ2": (0.806, 2.98)},
}
"""Test accuracy and cm2: the RTL of arXiv 2312.17612 (ICCAD'23) and arXiv 2402.02930 (DATE'24), networks of HGQ2 and
da4ml, and scikit-learn's decision trees, all mapped to the same EGFET cells at 1.0 V by Yosys and ABC."""


@dataclass(frozen=True)
class Result:
    """One line of the results."""

    dataset: str
    level: str
    most_cm2: float
    seed: int
    test_accuracy: float
    validation_accuracy: float
    area_cm2: float
    power_mw: float
    nominal_v: float
    least_power_mw: float
    least_v: float
    power_sources: tuple[str, ...]
    start: str
    proof: str
    proof_s: float
    seconds: float
    flow: str
    command: str


def run(options: Any, name: str, seed: int, technology: hw.Technology) -> list[Result]:
    """Search, choose, synthesise, prove; then the test rows, once."""
    train, test = coded(options.data, name)
    since = perf_counter()
    budget = Spent(options.seconds, options.generations, options.rounds)
    designs = LEVELS[options.level](train, name, seed, budget, technology, options.effort)
    seconds = perf_counter() - since
    return [judged(options, name, seed, technology, found, train, test, seconds) for found in designs]


def judged(
    options: Any,
    name: str,
    seed: int,
    technology: hw.Technology,
    found: Found,
    train: Dataset,
    test: Dataset,
    seconds: float,
) -> Result:
    """The mapped netlist of a chosen design on the test rows, its cost, and the proof that it is the circuit."""
    spent = cost(found.netlist, technology, train)
    proof, proof_s = proved(found, technology)
    return Result(
        name,
        options.level,
        found.most_cm2,
        seed,
        accuracy(found.netlist, technology, test),
        found.validation_accuracy,
        spent.area_cm2,
        spent.nominal.total_mw,
        spent.nominal_voltage,
        spent.voltages[0].total_mw,
        spent.voltages[0].voltage,
        tuple(source.name for source in hw.sources_for(spent.voltages[0].total_mw)),
        found.start,
        proof,
        proof_s,
        round(seconds, 1),
        f"yosys + abc, effort {options.effort}, egfet 1.0 V",
        command(options, name, seed, found),
    )


def proved(found: Found, technology: hw.Technology) -> tuple[str, float]:
    """Whether circuit, Verilog and mapped netlist are one function of all inputs, and the seconds that it took."""
    pairs = ((found.circuit, found.verilog), (found.verilog, found.netlist))
    verdicts = [hw.prove_equal(one, other, technology=technology) for one, other in pairs]
    proven = all(isinstance(verdict, hw.Proven) for verdict in verdicts)
    said = "proven" if proven else " and ".join(type(verdict).__name__.lower() for verdict in verdicts)
    return said, round(sum(verdict.seconds for verdict in verdicts), 2)


def command(options: Any, name: str, seed: int, found: Found) -> str:
    """What finds this design again: by generations and rounds, since time differs by machine."""
    ends = ["--generations", str(found.generations), *(["--rounds", str(found.rounds)] if found.rounds else [])]
    effort = [] if options.effort == "default" else ["--effort", options.effort]
    words = ["--level", options.level, "--only", name, "--seeds", str(seed), *ends, *effort]
    return shlex.join(["python", "benchmarks/printed.py", *words])


def keep(results: list[Result]) -> None:
    """Put the results in the file, in place of older ones of the same data set, level and seed."""
    new = [asdict(result) for result in results]
    search = itemgetter("dataset", "level", "seed")
    again = {search(line) for line in new}
    old = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.is_file() else []
    lines = [*new, *(line for line in old if search(line) not in again)]
    RESULTS.parent.mkdir(exist_ok=True)
    order = itemgetter("dataset", "level", "most_cm2", "seed")
    RESULTS.write_text("".join(json.dumps(line) + "\n" for line in sorted(lines, key=order)))


def summary(name: str, results: list[Result]) -> dict[str, Any]:
    """Mean and spread over the seeds, and the literature."""
    shares = [result.test_accuracy for result in results]
    row: dict[str, Any] = {
        "dataset": name,
        "most_cm2": results[0].most_cm2,
        "accuracy": statistics.mean(shares),
        "spread": max(shares) - min(shares),
        "area_cm2": statistics.mean(result.area_cm2 for result in results),
        "power_mw": statistics.mean(result.power_mw for result in results),
        f"mw_at_{results[0].least_v:g}_v": statistics.mean(result.least_power_mw for result in results),
        "weakest_source": max((weakest(result) for result in results), key=SOURCES.index),
        "seconds": statistics.mean(result.seconds for result in results),
    }
    for other in ("ICCAD'23", "DATE'24", "HGQ2", "tree"):
        point = PUBLISHED[name].get(other)
        row[other] = "-" if point is None else f"{point[0]:.3f} @ {point[1]:g}"
    return row


def tables(results: list[Result]) -> list[dict[str, Any]]:
    """A row for each data set and area."""
    groups: dict[tuple[str, float], list[Result]] = {}
    for result in results:
        groups.setdefault((result.dataset, result.most_cm2), []).append(result)
    return [summary(name, group) for (name, _), group in groups.items()]


def weakest(result: Result) -> str:
    """The weakest power source that feeds the design at the lowest voltage."""
    return result.power_sources[0] if result.power_sources else "none"


def main() -> None:
    """Search, keep the results, print the table."""
    parser = arguments(str(__doc__).splitlines()[0])
    parser.add_argument("--level", default="integer", choices=list(LEVELS), help="which search")
    parser.add_argument("--seconds", type=float, default=60.0, help="of search, a data set and seed")
    parser.add_argument("--generations", type=int, help="of search, in place of seconds: the same on every machine")
    parser.add_argument("--rounds", type=int, help="of gates, in place of seconds: the same on every machine")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="search seeds")
    parser.add_argument("--effort", default="default", help="synthesis effort")
    parser.add_argument("--dry", action="store_true", help="do not write the results file")
    options = parser.parse_args()
    technology = hw.load_technology("egfet")
    every: list[Result] = []
    for name in options.only:
        for seed in options.seeds:
            every += run(options, name, seed, technology)
            if not options.dry:
                keep(every)
    if options.json:
        show("", [asdict(result) for result in every], True)
    else:
        show(f"Printed classifiers, {options.level} level", tables(every), False)


if __name__ == "__main__":
    main()
