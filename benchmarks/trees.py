"""Scikit-learn's decision trees in the same cells and the same flow."""

from collections.abc import Sequence
from math import inf

import numpy as np

from mlpress import Dataset, approx, codegen, ir
from mlpress.approx import gates
from mlpress.hw import printed
from mlpress.targets import Printed

LEAVES = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384)
"""Sizes of trees."""


def tree_netlists(
    train: Dataset, areas: Sequence[float], seed: int, technology: printed.Technology, effort: str
) -> dict[float, printed.Netlist]:
    """Within each of ``areas``, in cm2, the tree that is most accurate on held-out folds of the training rows.

    Where no tree is so small, it is the smallest one, which is larger.
    """
    inputs = tuple(ir.Input(feature, 4, 1.0, 0.0) for feature in train.names)
    rows = gates.Rows(train.features.astype(np.int64), train.labels.astype(np.int64))
    costs = Printed(technology.name).gate_costs("area")
    points = gates.tree_points(inputs, train.classes, rows, costs, seed=seed, sizes=LEAVES)
    least = [min(points, key=lambda point: point.model_cost)]
    found = {}
    for most in areas:
        best = most_accurate(points, most, technology, effort) or most_accurate(least, inf, technology, effort)
        assert best is not None  # any design is within an infinite area
        found[most] = best
    return found


def most_accurate(
    designs: Sequence[gates.TreePoint], most: float, technology: printed.Technology, effort: str
) -> printed.Netlist | None:
    """Of the designs within ``most`` cm2 once synthesised the netlist of the most accurate on held-out rows.

    Of equals it is the smallest.
    """
    for design in sorted(designs, key=lambda design: (-design.validation_accuracy, design.model_cost)):
        if design.model_cost > approx.COST_SLACK * most:
            continue
        own = printed.parse_netlist(design.hint, "top")
        synthesis = printed.synthesise(codegen.to_verilog(design.circuit), "top", technology, effort=effort, own=own)
        if synthesis.area_um2 * 1e-8 <= most:
            return synthesis.netlist
    return None
