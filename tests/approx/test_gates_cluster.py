"""Gate-level evolution on a cluster of real processes, one of which dies."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support import egfet

from mlpress import ir
from mlpress.approx import Budget
from mlpress.approx.gates import CircuitFront, GateSearchOptions, Rows, Tree, evolve
from mlpress.approx.gates.evolution import Round, Unwatched

INPUTS = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0) for k in range(4))
EFFORT = GateSearchOptions(prices=(2.0, 1.0, 0.5), visits=4000, draws=(16, 16, 8), folds=2, augmentations=("rows",))


def run(**options: Any) -> CircuitFront:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 8, (240, 4))
    rows = Rows(codes, np.clip((codes[:, 0] + codes[:, 1] - codes[:, 2] + rng.integers(0, 3, 240)) // 4, 0, 2))
    start = Tree(INPUTS, (0, 1, 2), 20)
    budget = Budget(generations=2)
    return evolve(
        INPUTS, (0, 1, 2), rows, [start], egfet.gate_costs(), egfet.METRICS, budget, effort=EFFORT, seed=3, **options
    )


@pytest.mark.long  # that of the integer level runs every time
def test_a_cluster_that_loses_a_worker_finds_the_same() -> None:
    distributed = pytest.importorskip("distributed", reason="the extra mlpress[cluster] is not installed")
    events: list[str] = []

    def kill() -> None:
        os.kill(victim, signal.SIGKILL)
        events.append("killed")

    class Deadly(Unwatched):
        def round(self, done: Round) -> None:
            events.append(str(done.number))
            if done.number == 1:
                threading.Timer(0.05, kill).start()

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        assert len(set(pids.values()) | {os.getpid()}) == 3
        victim = next(iter(pids.values()))
        found = run(cluster=cluster.scheduler_address, progress=Deadly())
        after = client.run(os.getpid)
    assert events == ["1", "killed", "2"]
    assert victim not in after.values()
    alone = run(workers=1)
    assert replace(found, elapsed_s=0.0).to_json() == replace(alone, elapsed_s=0.0).to_json()
