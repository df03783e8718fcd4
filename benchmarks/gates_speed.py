"""How many moves a second a core judges in gate-level evolution, and what comes of them.

Pendigits' training rows and the exact circuit of a trained 16-5-10 network, on one thread.  `single moves` is the
plain annealer of `single_moves.py`, compiled like ours: a move rewrites one operand of a gate and simulates the
fan-out cone.  Ours simulates a cone once a *visit* and then judges, exactly and on all rows, every way that it drew
to make the signal anew; each of those is a move.  As such moves are cheap, the second table counts: what circuit each
has after equal seconds from the same start, its gates in the same cells.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import single_moves
from support import TOPOLOGIES, arguments, coded, show

from mlpress import approx, ir
from mlpress.approx import gates
from mlpress.approx.gates import chain
from mlpress.approx.gates.genome import to_genome
from mlpress.approx.gates.rows import PackedRows, pack_rows
from mlpress.approx.gates.state import CORRECT, COST, MOVES, VISITS
from mlpress.targets import Printed

REFERENCE = 25_000
"""Moves a second and core of a first sketch of single moves, on a circuit of about 2,700 and-gates and these rows."""

REPEATS = 5
STEP_S = 0.02
"""About how long a kernel runs between two looks at the clock."""

PRICES = (16.0, 1.0, 0.125)
"""What a row is worth in our runs, in areas of the smallest gate."""

HOT, COLD = 0.5, 0.03
"""Temperatures in gates at price 1 (ours) and of the single moves, whose rows are worth a gate each."""


@dataclass(frozen=True)
class Task:
    """The circuit to begin with, and the rows."""

    circuit: ir.Circuit
    rows: PackedRows
    costs: Any
    unit: float


def task_of(options: argparse.Namespace) -> Task:
    """Pendigits as the literature splits it, and a network of signed powers of two trained on it."""
    train, _ = coded(options.data, "pendigits")
    codes, labels = train.features.astype(np.int64), train.labels.astype(np.int64)
    inputs = tuple(ir.Input(name, 4, 1.0, 0.0) for name in train.names)
    hidden = TOPOLOGIES["pendigits"][1:-1]
    net = approx.train(codes, labels, approx.dense(inputs, hidden, train.classes), approx.Training(hidden, seed=0))
    costs = Printed().gate_costs("area")
    rows = pack_rows(inputs, len(train.classes), gates.Rows(codes, labels))
    return Task(ir.bit_blast(net), rows, costs, float(min(costs.area[table] for table in (0b0111, 0b0001))))


def timed(kernel: Callable[[int, float], None], seconds: float, batch: int, heat: Callable[[float], float]) -> float:
    """Run ``kernel(count, temperature)`` for ``seconds`` of processor time; the seconds that it took.

    The temperature follows the share of the time that is over.
    """
    began = process_time()
    while (spent := process_time() - began) < seconds:
        since = process_time()
        kernel(batch, heat(spent / seconds))
        batch = max(1, int(batch * min(2.0, STEP_S / max(process_time() - since, 1e-6))))
    return spent


def single(task: Task, seconds: float, seed: int, hot: float = HOT) -> tuple[single_moves.Graph, float]:
    """The graph that single moves come to, and the seconds that they took."""
    graph = single_moves.new_graph(task.circuit, task.rows, seed)
    return graph, timed(
        lambda count, t: single_moves.moves(graph, count, t), seconds, 100, lambda share: hot * (COLD / hot) ** share
    )


def ours(task: Task, seconds: float, seed: int, price: float) -> tuple[Any, float]:
    """The state that our chain comes to, and the seconds that it took."""
    effort = gates.GateSearchOptions()
    state = chain.new_state(to_genome(task.circuit, task.costs), task.rows, task.costs, seed)
    draws = np.array(effort.draws, np.int64)
    scratch = chain.new_scratch(task.rows.words, effort.draws[0])
    hot, cold = HOT * price**0.5 * task.unit, COLD * task.unit

    def visits(count: int, temperature: float) -> None:
        chain.anneal(state, count, price * task.unit, temperature, temperature, draws, scratch)

    return state, timed(visits, seconds, 10, lambda share: hot * (cold / hot) ** share)


def speed(task: Task, seconds: float) -> list[dict[str, Any]]:
    """Moves a second near the start: medians of interleaved runs, each from the start."""
    done: dict[str, list[float]] = {"single moves": [], "ours": [], "visits": []}
    for repeat in range(REPEATS):
        graph, spent = single(task, seconds, repeat)
        done["single moves"].append(graph.counts[single_moves.TRIED] / spent)
        state, spent = ours(task, seconds, repeat, PRICES[0])
        done["ours"].append(state.counts[MOVES] / spent)
        done["visits"].append(state.counts[VISITS] / spent)
    direct, judged, visits = (median(done[name]) for name in ("single moves", "ours", "visits"))
    return [
        {
            "engine": engine,
            "cones_per_s": round(cones),
            "moves_per_s": round(moved),
            "to_single_moves": moved / direct,
            "to_25000": moved / REFERENCE,
        }
        for engine, cones, moved in (("single moves", direct, direct), ("mlpress", visits, judged))
    ]


def reached(task: Task, seconds: float) -> list[dict[str, Any]]:
    """What circuits the engines have after equal processor seconds."""

    def row(name: str, spent: float, tried: int, area: float, correct: int) -> dict[str, Any]:
        accuracy = correct / task.rows.rows
        return {"engine": name, "cpu_s": spent, "moves": tried, "area_cm2": area * 1e-8, "training_accuracy": accuracy}

    start = chain.new_state(to_genome(task.circuit, task.costs), task.rows, task.costs, 0)
    found = [row("the start", 0.0, 0, start.counts[COST], start.counts[CORRECT])]
    graph, spent = single(task, seconds, 0)
    circuit = single_moves.to_circuit(graph, task.circuit.inputs, task.circuit.classes)
    ir.verify(circuit)
    genome = to_genome(circuit, task.costs)
    again = chain.new_state(genome, task.rows, task.costs, 0)
    assert again.counts[CORRECT] == graph.counts[single_moves.CORRECT]
    tried = int(graph.counts[single_moves.TRIED])
    found.append(row("single moves", spent, tried, genome.area(task.costs), again.counts[CORRECT]))
    for price in PRICES:
        state, spent = ours(task, seconds, 0, price)
        again = chain.new_state(chain.genome_of(state), task.rows, task.costs, 0)
        assert again.counts[CORRECT] == state.counts[CORRECT]
        name = f"mlpress, price {price:g}"
        found.append(row(name, spent, int(state.counts[MOVES]), state.counts[COST], state.counts[CORRECT]))
    return found


def main() -> None:
    """Print both tables."""
    parser = arguments(str(__doc__).splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="processor seconds of each run of the second table")
    options = parser.parse_args()
    task = task_of(options)
    single(task, STEP_S, 0)  # compile
    ours(task, STEP_S, 0, PRICES[0])
    about = f"{len(task.circuit.ands):,} and-gates, {task.rows.rows:,} rows, one thread"
    show(f"Moves a second: {about}", speed(task, min(1.0, options.seconds)), options.json)
    show(f"After equal processor time: {about}", reached(task, options.seconds), options.json)


if __name__ == "__main__":
    main()
