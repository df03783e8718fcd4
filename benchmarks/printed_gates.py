"""The gate level of the printed benchmark: a short search of networks, then evolution from those, from a wider network,
from the exact one, and from decision trees."""

import numpy as np
from printed_integer import Found
from support import TOPOLOGIES

from mlpress import Dataset, approx, codegen, hw, ir
from mlpress.approx import gates
from mlpress.searching import starts

INTEGER_SHARE = 0.2


def evolved(
    train: Dataset, name: str, seed: int, seconds: float, technology: hw.Technology, *, trees: bool
) -> gates.CircuitFront:
    """The front of a search of ``seconds``."""
    hidden = TOPOLOGIES[name][1:-1]
    inputs = tuple(ir.Input(feature, 4, 1.0, 0.0) for feature in train.names)
    codes, labels = train.features.astype(np.int64), train.labels.astype(np.int64)
    net = approx.train(codes, labels, approx.dense(inputs, hidden, train.classes), approx.Training(hidden, seed=seed))
    share = approx.Budget(seconds=INTEGER_SHARE * seconds)
    front = approx.search(net, train.features, labels, technology, share, seed=seed)
    return gates.evolve(
        inputs,
        train.classes,
        gates.Rows(codes, labels),
        starts(net, front, trees=trees),
        technology,
        approx.Budget(seconds=(1 - INTEGER_SHARE) * seconds),
        seed=seed,
    )


def chosen(front: gates.CircuitFront, most: float, technology: hw.Technology, effort: str) -> Found:
    """Of the designs that are within ``most`` cm2 once synthesised, the one with the best validation accuracy."""
    for design in sorted(front.designs, key=lambda design: (-design.validation_accuracy, design.model_cm2)):
        if design.model_cm2 > approx.AREA_SLACK * most:
            continue
        own = hw.parse_netlist(design.netlist, "top")
        synthesis = hw.synthesise(codegen.verilog(design.circuit), "top", technology, effort=effort, own=own)
        if synthesis.area_um2 * 1e-8 <= most:
            return Found(synthesis.netlist, design.validation_accuracy)
    raise SystemExit(f"no design is within {most} cm2")
