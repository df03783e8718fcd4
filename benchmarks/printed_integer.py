"""The integer level of the printed benchmark: the search alone, from a net trained on the data set's topology.

That net is trained on the rows that the search fits to: nothing has seen the rows that the search holds back, by which
the design is chosen.
"""

from dataclasses import dataclass

import numpy as np
from support import TOPOLOGIES

from mlpress import Dataset, approx, codegen, ir
from mlpress.hw import printed
from mlpress.targets import Printed

MOST_CM2 = {"breast_cancer": 0.02, "cardio": 0.45, "pendigits": 8.0, "whitewine": 0.35, "vertebral": 0.5}
"""What a design may cost: the most accurate one within is chosen."""


@dataclass(frozen=True)
class Found:
    """A chosen design of at most ``most_cm2``: its netlist, and the Verilog and the circuit that this must equal.

    ``start`` is what it came from; ``generations`` and ``rounds`` are what it takes to find it again.
    """

    most_cm2: float
    netlist: printed.Netlist
    verilog: str
    circuit: ir.Circuit
    start: str
    validation_accuracy: float
    generations: int
    rounds: int = 0


@dataclass(frozen=True)
class Spent:
    """What a search may take: seconds, or in their place generations of networks and rounds of gates; on ``workers``
    threads, all cores where that is not given."""

    seconds: float
    generations: int | None = None
    rounds: int | None = None
    workers: int | None = None


def integer(
    train: Dataset, name: str, seed: int, budget: Spent, technology: printed.Technology, effort: str
) -> list[Found]:
    """Search and choose the most accurate design on the validation rows."""
    hidden = TOPOLOGIES[name][1:-1]
    inputs = tuple(ir.Input(feature, 4, 1.0, 0.0) for feature in train.names)
    shape = approx.dense(inputs, hidden, train.classes)
    codes, labels = train.features.astype(np.int64), train.labels.astype(np.int64)
    fit, _ = approx.split_rows(labels, approx.VALIDATION, seed)
    start = approx.train(codes[fit], labels[fit], shape, approx.Training(hidden, seed=seed))
    target = Printed(technology.name)
    front = approx.search(
        start,
        train.features,
        labels,
        target.cost_model,
        target.metrics,
        approx.Budget(None if budget.generations else budget.seconds, budget.generations),
        limits=approx.Limits(most={"area": MOST_CM2[name]}),
        seed=seed,
        workers=budget.workers,
    )
    return [chosen(front, MOST_CM2[name], technology, effort)]


def chosen(front: approx.IntegerFront, most: float, technology: printed.Technology, effort: str) -> Found:
    """Of the designs that are within ``most`` cm2 once synthesised, the one that ranks highest."""
    for design in sorted(front.designs, key=lambda design: (-design.ranking, design.model["area"])):
        if design.model["area"] > approx.COST_SLACK * most:
            continue
        text = codegen.to_verilog(ir.lower_net(front.net(design)))
        synthesis = printed.synthesise(text, "top", technology, effort=effort)
        if synthesis.area_um2 * 1e-8 <= most:
            circuit, accuracy = ir.bit_blast(front.net(design)), design.validation_accuracy
            return Found(most, synthesis.netlist, text, circuit, "trained network", accuracy, front.generations)
    raise SystemExit(f"no design is within {most} cm2")
