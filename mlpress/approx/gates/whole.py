"""The cost of a circuit with the comparators that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.gates.cells import GateCosts
from mlpress.approx.gates.genome import FIRST_INPUT, Genome
from mlpress.ir import Input


def input_costs(inputs: Sequence[Input], costs: GateCosts, power: float = 0.0) -> NDArray[np.int64]:
    """Return the cost of each input bit while it is read, in steps, int64 (input bits,): a level has a price.

    ``power`` is the weight of static power, steps per nW.
    """
    steps, static_nw = costs.level_price()
    price = round(steps + power * static_nw)
    prices = [price if feature.interface == "unary" else 0 for feature in inputs for _ in range(feature.width)]
    return np.array(prices, np.int64)


def pruned(genome: Genome, inputs: Sequence[Input]) -> tuple[Genome, tuple[Input, ...]]:
    """Return the same circuit and its inputs without the levels of unary inputs that nothing reads.

    One stays where none is read: a circuit has an input bit.
    """
    kept = genome.read()
    binary = [feature.interface == "binary" for feature in inputs for _ in range(feature.width)]
    kept |= np.array(binary, np.bool_)
    if not kept.any():
        kept[0] = True
    left, place = list[Input](), 0
    for feature in inputs:
        if feature.interface == "unary":
            own = kept[place : place + feature.width].tolist()
            levels = tuple(level for level, stays in zip(feature.reached, own, strict=True) if stays)
            left.append(replace(feature, levels=levels))
        else:
            left.append(feature)
        place += feature.width
    stays = np.concatenate([np.ones(FIRST_INPUT, np.bool_), kept, np.ones(len(genome), np.bool_)])
    moved = (np.cumsum(stays) - 1).astype(np.int32)
    return (
        Genome(int(kept.sum()), genome.table, moved[genome.operands].reshape(-1, 2), moved[genome.outputs]),
        tuple(left),
    )


def whole_area(genome: Genome, inputs: Sequence[Input], costs: GateCosts) -> int:
    """Return the cost, in steps, of the gates and of the levels that are read."""
    return genome.area(costs) + int(input_costs(inputs, costs)[genome.read()].sum())
