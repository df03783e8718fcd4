"""NSGA-II over the genes of a field: loss of PSNR against the metric that ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.common.clock import now
from mlpress.approx.common.front import VALIDATION, Figures, unbeaten
from mlpress.approx.common.limits import Limits
from mlpress.approx.fields.evaluate import FieldJudge
from mlpress.approx.fields.front import FieldDesign, FieldFront
from mlpress.approx.fields.space import PRUNED, FieldSpace, Ints
from mlpress.approx.integer.nsga import Search
from mlpress.approx.integer.search import Budget
from mlpress.ir import Field
from mlpress.metrics import Metric
from mlpress.progress import Progress

Price = Callable[[Field], Figures]
"""What a field costs by metric name."""

FAR = 3.0
"""Losses beyond this many times the limit are of no interest."""


def search_fields(
    field: Field,
    samples: NDArray[np.float64],
    wanted: NDArray[np.float64],
    price: Price,
    measure: Price,
    metrics: Sequence[Metric],
    budget: Budget,
    *,
    limits: Limits,
    seed: int = 0,
    until: float = inf,
    progress: Progress,
) -> FieldFront:
    """Search around ``field`` on ``samples`` (rows, inputs) with ``wanted`` values (rows, outputs).

    ``price`` says quickly what a field costs, ``measure`` really: the front's members are measured.  A quarter of the
    rows is held out.  The search ends after the budget's generations, or at ``until`` of :func:`now`; with a number of
    generations and no time, what it finds follows from the arguments alone.
    """
    began, space = now(), FieldSpace.of(field)
    judge = FieldJudge(space, samples, wanted)
    order = np.random.default_rng((seed, 1)).permutation(len(judge.samples))
    held = max(1, int(VALIDATION * len(order)))
    fit, kept = np.sort(order[held:]), np.sort(order[:held])
    given = np.zeros(space.size, np.int64)
    reference = {"fit": judge.psnr(given, fit), "held": judge.psnr(given, kept)}
    known: dict[bytes, FieldDesign] = {}

    def judged(genome: Ints) -> FieldDesign:
        key = genome.tobytes()
        if key not in known:
            values = judge.values(genome)
            shares = judge.ratio(values[fit], fit), judge.ratio(values[kept], kept)
            known[key] = FieldDesign(tuple(genome.tolist()), *shares, price(space.decode(genome)), *space.words(genome))
        return known[key]

    name = metrics[0].name
    floor = max(judged(given).cost[name] * 1e-3, 1e-12)
    engine = Search(space, (seed,), _starts(space, seed), floor)
    furthest = inf if limits.max_loss is None else max(FAR * limits.max_loss, 1.0)
    stopped, best, same = "generations", b"", 0
    while budget.generations is None or engine.generation <= budget.generations:
        if now() > until:
            stopped = "time"
            break
        genomes = engine.ask()
        found = [judged(genome) for genome in genomes]
        objectives = np.array([(reference["fit"] - one.fit_accuracy, one.cost[name]) for one in found])
        engine.tell(genomes, objectives, most_error=furthest)
        front = engine.population.front().genomes.tobytes()
        best, same = front, same + 1 if front == best else 0
        if budget.timed and same >= budget.patience:
            stopped = "patience"
            break
        if engine.generation % 10 == 0:
            progress.note(f"generation {engine.generation}: {len(known)} fields tried")
    last = [given, *engine.population.front().genomes]
    designs = {one.genes: one for one in map(judged, last)}
    progress.step(f"measure the front ({len(designs)} fields)")
    measured = [replace(one, measured=measure(space.decode(np.array(one.genes)))) for one in designs.values()]
    return FieldFront(
        designs=tuple(unbeaten(measured, name)),
        reference=reference["held"],
        metrics=tuple(metrics),
        seed=seed,
        generations=max(engine.generation - 1, 0),
        tried=len(known),
        elapsed_s=now() - began,
        stopped=stopped,
    )


def _starts(space: FieldSpace, seed: int) -> Ints:
    """Return the genomes that the search starts from: the same for all tables, and some at random."""
    found = [space.uniform(table, layer) for table in range(PRUNED) for layer in (0, 1)]
    random = np.random.default_rng((seed, 2))
    found += [space.clip(random.integers(space.low, space.high + 1)) for _ in range(16)]
    for gene in np.flatnonzero(space.high == PRUNED):
        one = np.zeros(space.size, np.int64)
        one[gene] = PRUNED
        found.append(space.clip(one))
    return np.unique(np.stack(found), axis=0)
