"""The gate level of the printed benchmark: a short search of networks, then evolution.

``gates`` starts from the networks: the searched ones, a wider one, the exact one.  ``trees`` starts from decision trees
as well.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from printed_integer import Found, Spent
from support import OWN, TOPOLOGIES

from mlpress import Dataset, approx, codegen, ir
from mlpress.approx import gates
from mlpress.hw import printed
from mlpress.pipeline.search import starts

INTEGER_SHARE = 0.2
"""Of the time, where it is not counted in generations and rounds."""

SETS = TOPOLOGIES | OWN

MOST_CM2 = {
    "breast_cancer": (0.009,),
    "cardio": (0.037, 0.06, 0.08, 0.12),
    "pendigits": (0.5, 1.0, 1.2),
    "whitewine": (0.02, 0.035, 0.12, 0.38),
    "vertebral": (0.1,),
    "balance": (0.15, 0.5, 2.0),
    "wine": (0.03, 0.1),
    "digits": (0.4, 1.5, 4.0),
}
"""What designs may cost: the most accurate one within each is chosen."""


def from_networks(
    train: Dataset, name: str, seed: int, budget: Spent, technology: printed.Technology, effort: str
) -> list[Found]:
    """The most accurate design within each area, evolved from networks."""
    front, generations = evolved(network(train, name, seed), train, name, seed, budget, technology, trees=False)
    return within_areas(front, generations, name, technology, effort)


def from_trees(
    train: Dataset, name: str, seed: int, budget: Spent, technology: printed.Technology, effort: str
) -> list[Found]:
    """The most accurate design within each area, evolved from networks and trees."""
    front, generations = evolved(network(train, name, seed), train, name, seed, budget, technology, trees=True)
    return within_areas(front, generations, name, technology, effort)


def network(train: Dataset, name: str, seed: int) -> ir.Net:
    """The network that a search starts from: of the set's topology, trained on all training rows."""
    hidden = SETS[name][1:-1]
    inputs = tuple(ir.Input(feature, 4, 1.0, 0.0) for feature in train.names)
    shape = approx.dense(inputs, hidden, train.classes)
    codes, labels = train.features.astype(np.int64), train.labels.astype(np.int64)
    return approx.train(codes, labels, shape, approx.Training(hidden, seed=seed))


def evolved(
    net: ir.Net, train: Dataset, name: str, seed: int, budget: Spent, technology: printed.Technology, *, trees: bool
) -> tuple[gates.CircuitFront, int]:
    """Search from ``net`` and evolve: the front, and the generations that the search took."""
    codes, labels = train.features.astype(np.int64), train.labels.astype(np.int64)
    share = approx.Budget(None if budget.generations else INTEGER_SHARE * budget.seconds, budget.generations)
    searched = approx.search(net, train.features, labels, technology, share, seed=seed, workers=budget.workers)
    front = gates.evolve(
        net.inputs,
        net.classes,
        gates.Rows(codes, labels),
        starts(net, searched, trees=trees),
        technology,
        approx.Budget(None if budget.rounds else (1 - INTEGER_SHARE) * budget.seconds, budget.rounds),
        most_cm2=max(MOST_CM2[name]),
        seed=seed,
        workers=budget.workers,
    )
    return front, searched.generations


def within_areas(
    front: gates.CircuitFront, generations: int, name: str, technology: printed.Technology, effort: str
) -> list[Found]:
    """The design that ranks highest within each area that the set's designs may cost, chosen on rows held out."""
    designs = [chosen(front, generations, most, technology, effort) for most in MOST_CM2[name]]
    return [found for found in designs if found is not None]


def chosen(
    front: gates.CircuitFront, generations: int, most: float, technology: printed.Technology, effort: str
) -> Found | None:
    """Of the designs that are within ``most`` cm2 once synthesised, the one that ranks highest."""
    best = most_accurate(front.designs, most, technology, effort)
    if best is None:
        return None
    design, text, netlist = best
    start, accuracy = f"{design.start}, {design.lesson}", design.validation_accuracy
    return Found(most, netlist, text, design.circuit, start, accuracy, generations, front.rounds)


D = TypeVar("D", gates.CircuitDesign, gates.TreePoint)


def most_accurate(
    designs: Sequence[D], most: float, technology: printed.Technology, effort: str
) -> tuple[D, str, printed.Netlist] | None:
    """Of the designs within ``most`` cm2 once synthesised the most accurate on held-out rows, its Verilog and netlist.

    Of equals it is the smallest.
    """
    for design in sorted(designs, key=lambda design: (-design.validation_accuracy, design.model_cm2)):
        if design.model_cm2 > approx.AREA_SLACK * most:
            continue
        own = printed.parse_netlist(design.netlist, "top")
        text = codegen.to_verilog(design.circuit)
        synthesis = printed.synthesise(text, "top", technology, effort=effort, own=own)
        if synthesis.area_um2 * 1e-8 <= most:
            return design, text, synthesis.netlist
    return None
