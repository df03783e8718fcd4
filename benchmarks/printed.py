"""The printed benchmark: test accuracy, area and power of what the searches find, beside the literature.

Every data set is searched with several seeds; the design is chosen by accuracy on validation rows that are part of
the training rows, synthesised, and only then run on the test rows, as the mapped netlist.  Results are
kept as JSON lines in ``benchmarks/results/printed.json``, one a data set, level, area allowed and seed.

Decision trees are fitted, chosen and synthesised in the same run, each within the same area.  Other rivals are
constants, each with the flow and the date that it is from; ``--published DIR`` measures designs in their place:

    DIR/<rival>/<set>/*.v           RTL, synthesised with ``--effort``; or only netlist.v, of the technology's cells
    DIR/<rival>/<set>/vectors.csv   rows for its inputs, as ``mlpress estimate --vectors`` reads them; may be missing
    DIR/<rival>/<set>/labels.csv    the right class number of each row, one per line; may be missing

with ``iccad23``, ``date24``, ``hgq2`` or any other name as rival.  ``--rivals`` searches nothing and shows these alone;
``--kept`` searches nothing and shows the results that the file keeps beside them.
"""

import json
import shlex
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path
from time import perf_counter
from typing import Any

import printed_gates
import printed_integer
from printed_gates import from_networks, from_trees
from printed_integer import Found, Spent, integer
from published import Design, flow_of, nearest, published
from support import RATE_HZ, ROOT, accuracy, arguments, coded, cost, dataset, show
from trees import tree_netlists

from mlpress import Dataset, MlpressError, verify
from mlpress.hw import printed

RESULTS = ROOT / "benchmarks" / "results" / "printed.json"

LEVELS = {"integer": integer, "gates": from_networks, "trees": from_trees}
"""How each level finds its designs: (training rows, data set, seed, budget, technology, synthesis effort) -> found."""

SOURCES = [*(source.name for source in printed.POWER_SOURCES), "none"]
"""Printed power sources, the weakest first."""


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


def run(options: Any, name: str, seed: int, technology: printed.Technology) -> list[Result]:
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
    technology: printed.Technology,
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
        tuple(source.name for source in printed.sources_for(spent.voltages[0].total_mw)),
        found.start,
        proof,
        proof_s,
        round(seconds, 1),
        flow_of(options.effort),
        command(options, name, seed, found),
    )


def proved(found: Found, technology: printed.Technology) -> tuple[str, float]:
    """Whether circuit, Verilog and mapped netlist are one function of all inputs, and the seconds that it took."""
    netlist = printed.NetlistMachine(printed.link(found.netlist, technology))
    pairs = ((found.circuit, found.verilog), (found.verilog, netlist))
    verdicts = [verify.prove_equal(one, other) for one, other in pairs]
    proven = all(isinstance(verdict, verify.Proven) for verdict in verdicts)
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
    lines = [*new, *(asdict(line) for line in kept() if search(asdict(line)) not in again)]
    RESULTS.parent.mkdir(exist_ok=True)
    order = itemgetter("dataset", "level", "most_cm2", "seed")
    RESULTS.write_text("".join(json.dumps(line) + "\n" for line in sorted(lines, key=order)))


def kept() -> list[Result]:
    """The results in the file."""
    lines = RESULTS.read_text().splitlines() if RESULTS.is_file() else []
    return [Result(**json.loads(line)) for line in lines]


def summary(name: str, results: list[Result], others: Sequence[Design]) -> dict[str, Any]:
    """Mean and spread over the seeds, and each rival's design of the nearest accuracy on the same set."""
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
    for rival in dict.fromkeys(design.rival for design in others):
        theirs = [design for design in others if (design.rival, design.dataset) == (rival, name)]
        row[rival] = str(nearest(theirs, row["accuracy"])) if theirs else "-"
    return row


def tables(results: list[Result], options: Any, others: Sequence[Design]) -> list[dict[str, Any]]:
    """A row for each data set and area."""
    groups: dict[tuple[str, float], list[Result]] = {}
    for result in results:
        groups.setdefault((result.dataset, result.most_cm2), []).append(result)
    trees = {name: trees_within(options, name, [most for one, most in groups if one == name]) for name, _ in groups}
    return [summary(name, group, others) | {"tree": str(trees[name][most])} for (name, most), group in groups.items()]


def trees_within(options: Any, name: str, areas: Sequence[float]) -> dict[float, Design]:
    """The decision tree chosen within each of ``areas``, in cm2."""
    train, test = coded(options.data, name)
    technology = printed.load_technology("egfet")

    def design(netlist: printed.Netlist) -> Design:
        spent = cost(netlist, technology, train)
        share = accuracy(netlist, technology, test)
        return Design(name, "tree", share, spent.area_cm2, spent.nominal.total_mw, f"{flow_of(options.effort)}, now")

    found = tree_netlists(train, areas, 0, technology, options.effort)
    return {most: design(netlist) for most, netlist in found.items()}


def rivals(options: Any, others: Sequence[Design]) -> list[dict[str, Any]]:
    """A row for every design of somebody else: trees within the areas of both levels, then the others."""
    rows = []
    for name in options.only:
        areas = sorted({printed_integer.MOST_CM2[name], *printed_gates.MOST_CM2[name]})
        trees = trees_within(options, name, areas).items()
        rows += [asdict(tree) | {"rival": f"tree within {most:g}"} for most, tree in trees]
        rows += [asdict(design) for design in others if design.dataset == name]
    return rows


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
    parser.add_argument("--published", type=Path, metavar="DIR", help="designs of others to measure")
    parser.add_argument("--rivals", action="store_true", help="no search: what others reach")
    parser.add_argument("--kept", action="store_true", help="no search: the results that are kept")
    parser.add_argument("--dry", action="store_true", help="do not write the results file")
    options = parser.parse_args()
    for name in options.only:
        dataset(options.data, name)  # asks for a file that is missing before anything takes time
    technology = printed.load_technology("egfet")
    try:
        others = published(options.only, options.effort, technology, RATE_HZ, options.published)
    except MlpressError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    if options.rivals:
        show("What others reach", rivals(options, others), options.json)
        return
    every: list[Result] = []
    if options.kept:
        every = [result for result in kept() if result.level == options.level and result.dataset in options.only]
    for name in [] if options.kept else options.only:
        for seed in options.seeds:
            every += run(options, name, seed, technology)
            if not options.dry:
                keep(every)
    if options.json:
        show("", [asdict(result) for result in every], True)
        return
    show(f"Printed classifiers, {options.level} level", tables(every, options, others), False)
    for flow in dict.fromkeys(result.flow for result in every):
        print(f"ours: {flow}")
    print(f"tree: {flow_of(options.effort)}, now")
    for flow in dict.fromkeys(design.flow for design in others):
        print(f"{', '.join(dict.fromkeys(design.rival for design in others if design.flow == flow))}: {flow}")


if __name__ == "__main__":
    main()
