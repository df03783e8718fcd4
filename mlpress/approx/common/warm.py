"""Loading the compiled kernels of both searches before time is measured."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from mlpress.approx.common.clock import now
from mlpress.approx.gates.advance import Turn, advance
from mlpress.approx.gates.archive import Archive
from mlpress.approx.gates.cells import GateCosts
from mlpress.approx.gates.chain import anneal as anneal_gates
from mlpress.approx.gates.problem import GateProblem, GateSearchOptions
from mlpress.approx.gates.rows import Rows
from mlpress.approx.gates.starts import Tree
from mlpress.approx.integer.anneal_kernel import anneal as anneal_nets
from mlpress.approx.integer.annealer import Annealer
from mlpress.approx.integer.cost import CostModel
from mlpress.approx.integer.engine import Engine
from mlpress.approx.integer.kernels import count_wrong
from mlpress.approx.integer.space import Space
from mlpress.approx.integer.training import dense
from mlpress.ir import Input


def load_kernels(*, gates: bool = True) -> float:
    """Run a step of each search on a small problem; return the seconds it took where kernels were compiled, else 0.

    Without ``gates`` that of the gate level is left out.  numba compiles a kernel at its first call, once per
    installation, which takes a minute; later runs load it.
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
        Annealer(space, engine, CostModel.of(space.layout, [{"cost": {"full": 1.0}}], {"cost": 1.0})).run(
            genomes, 2, one, one, one / 10, np.zeros(1, np.int64)
        )
    kernels = [count_wrong, anneal_nets]
    if gates:
        _run_gates(inputs, classes, Rows(codes, labels))
        kernels.append(anneal_gates)
    compiled = sum(sum(kernel.stats.cache_misses.values()) for kernel in cast("list[Any]", kernels))
    return now() - since if compiled else 0.0


def _run_gates(inputs: tuple[Input, ...], classes: tuple[int, ...], rows: Rows) -> None:
    effort = GateSearchOptions(prices=(1.0,), visits=1, cycles=1, folds=2, augmentations=("rows",))
    start = Tree(inputs, classes, 4)
    costs = GateCosts(np.ones(16, np.int64), np.zeros((16, 4)), 1.0)
    advance(GateProblem(inputs, classes, rows, (start,), costs, effort, 0), Turn(Archive(0), ()))
