"""Loading the compiled kernels of both searches before time is measured."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from mlpress.approx.common.clock import now
from mlpress.approx.gates.advance import Turn, advance
from mlpress.approx.gates.archive import Archive
from mlpress.approx.gates.cells import cell_costs
from mlpress.approx.gates.chain import anneal as anneal_gates
from mlpress.approx.gates.problem import GateEffort, GateProblem
from mlpress.approx.gates.rows import Rows
from mlpress.approx.gates.starts import Tree
from mlpress.approx.integer.anneal_kernel import anneal as anneal_nets
from mlpress.approx.integer.annealer import Annealer
from mlpress.approx.integer.cost import CostModel
from mlpress.approx.integer.engine import Engine
from mlpress.approx.integer.kernels import count_wrong
from mlpress.approx.integer.space import Space
from mlpress.approx.integer.training import dense
from mlpress.hw.printed import Technology
from mlpress.ir import Input


def load_kernels(technology: Technology) -> float:
    """Run a step of each search on a small problem; the seconds that this took where kernels were compiled, else 0.

    numba compiles a kernel at its first call, once per installation, which takes a minute; later runs load it.
    """
    since = now()
    inputs, classes = (Input("a", 4, 1.0, 0.0), Input("b", 4, 1.0, 0.0)), (0, 1)
    codes = np.random.default_rng(0).integers(0, 16, (32, 2))
    labels = (codes[:, 0] > codes[:, 1]).astype(np.int64)
    for bits in (4, 14):  # sums that need narrow and wide lanes
        wide = tuple(Input(each.name, bits, 1.0, 0.0) for each in inputs)
        space = Space.of(dense(wide, (2,), classes))
        engine = Engine(space.layout, codes, labels, 1)
        one, genomes = np.ones(1), space.start()[None]
        engine.wrong(space.vectors(genomes))
        Annealer(space, engine, CostModel.of(space.layout, technology)).run(
            genomes, 2, one, one, one / 10, np.zeros(1, np.int64)
        )
    effort = GateEffort(prices=(1.0,), visits=1, cycles=1, folds=2, lessons=("rows",))
    start = Tree(inputs, classes, 4)
    problem = GateProblem(inputs, classes, Rows(codes, labels), (start,), cell_costs(technology), effort, 0)
    advance(problem, Turn(Archive(0), ()))
    kernels = cast("tuple[Any, ...]", (count_wrong, anneal_nets, anneal_gates))
    compiled = sum(sum(kernel.stats.cache_misses.values()) for kernel in kernels)
    return now() - since if compiled else 0.0
