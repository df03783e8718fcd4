"""NSGA-II over the genes of a field: loss of PSNR against the metric that ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlpress import interrupts
from mlpress.approx.common.clock import now
from mlpress.approx.common.front import VALIDATION, Figures, unbeaten
from mlpress.approx.common.limits import Limits
from mlpress.approx.fields import checkpoint as checkpoints
from mlpress.approx.fields.checkpoint import FieldState
from mlpress.approx.fields.evaluate import FieldJudge
from mlpress.approx.fields.front import FieldDesign, FieldFront
from mlpress.approx.fields.space import PRUNED, FieldSpace, Ints
from mlpress.approx.integer.nsga import Population, Search, restored
from mlpress.approx.integer.search import Budget
from mlpress.errors import MlpressError
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
    key: str = "",
    checkpoint: Path | None = None,
    resume: bool = False,
    progress: Progress,
) -> FieldFront:
    """Search around ``field`` on ``samples`` (rows, inputs) with ``wanted`` values (rows, outputs).

    ``price`` says quickly what a field costs, ``measure`` really: the front's members are measured.  A quarter of the
    rows is held out.  The search ends after the budget's generations, or at ``until`` of :func:`now`; with a number of
    generations and no time, what it finds follows from the arguments alone.

    With ``checkpoint`` the state is kept in that file after every generation, bound to the search by its ``key``;
    ``resume`` goes on from it.  An interrupt after the first generation ends the search with its front so far.
    """
    began, space = now(), FieldSpace.of(field)
    judge = FieldJudge(space, samples, wanted)
    order = np.random.default_rng((seed, 1)).permutation(len(judge.samples))
    held = max(1, int(VALIDATION * len(order)))
    fit, kept = np.sort(order[held:]), np.sort(order[:held])
    given = np.zeros(space.size, np.int64)
    reference = {"fit": judge.psnr(given, fit), "held": judge.psnr(given, kept)}
    judged = _Judged(space, judge, fit, kept, price)
    name = metrics[0].name
    floor = max(judged(given).cost[name] * 1e-3, 1e-12)
    engine = Search(space, (seed,), _starts(space, seed), floor)
    engine, before = _begun(engine, space, key, checkpoint, resume)
    furthest = inf if limits.max_loss is None else max(FAR * limits.max_loss, 1.0)
    tried = {genome.tobytes() for genome in before.tried} | set(judged.known)
    state, stopped = before, "generations"
    try:
        with interrupts.allowed():
            while budget.generations is None or engine.generation <= budget.generations:
                interrupts.check()
                if now() > until - before.elapsed_s:
                    stopped = "time"
                    break
                genomes = engine.ask()
                found = [judged(genome) for genome in genomes]
                objectives = np.array([(reference["fit"] - one.fit_accuracy, one.cost[name]) for one in found])
                engine.tell(genomes, objectives, most_error=furthest)
                tried |= {genome.tobytes() for genome in genomes}
                state = _state(engine, state, before.elapsed_s + now() - began, tried)
                if checkpoint is not None:
                    checkpoints.save(checkpoint, key, state)
                if budget.timed and state.same >= budget.patience:
                    stopped = "patience"
                    break
                if state.generation % 10 == 0:
                    progress.note(f"generation {state.generation}: {len(tried)} fields tried")
    except KeyboardInterrupt:
        if not state.generation:
            raise
        stopped = "interrupted"
    last = [given, *state.population.front().genomes]
    designs = {one.genes: one for one in map(judged, last)}
    progress.step(f"measure the front ({len(designs)} fields)")
    measured = [replace(one, measured=measure(space.decode(np.array(one.genes)))) for one in designs.values()]
    return FieldFront(
        designs=tuple(unbeaten(measured, name)),
        reference=reference["held"],
        metrics=tuple(metrics),
        seed=seed,
        generations=max(state.generation - 1, 0),
        tried=len(state.tried),
        elapsed_s=before.elapsed_s + now() - began,
        stopped=stopped,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """Judges fields on the rows ``fit`` and ``kept``, each once."""

    space: FieldSpace
    judge: FieldJudge
    fit: Ints
    kept: Ints
    price: Price
    known: dict[bytes, FieldDesign] = dataclass_field(default_factory=dict)

    def __call__(self, genome: Ints) -> FieldDesign:
        """Return the field of a genome with its ratios and its price."""
        key = genome.tobytes()
        if key not in self.known:
            values = self.judge.values(genome)
            shares = self.judge.ratio(values[self.fit], self.fit), self.judge.ratio(values[self.kept], self.kept)
            found, words = self.price(self.space.decode(genome)), self.space.words(genome)
            self.known[key] = FieldDesign(tuple(genome.tolist()), *shares, found, *words)
        return self.known[key]


def _begun(
    engine: Search, space: FieldSpace, key: str, checkpoint: Path | None, resume: bool
) -> tuple[Search, FieldState]:
    """Return the engine and the state that a search begins with: nothing, or what the checkpoint holds."""
    if not resume:
        nothing = np.zeros((0, space.size), np.int64)
        return engine, FieldState(Population.empty(space.size), engine.rates, 0, 0, 0.0, nothing)
    if checkpoint is None:
        raise MlpressError("there is no checkpoint to resume from; name the file that the search wrote")
    before = checkpoints.load(checkpoint, key, space)
    return restored(engine, before.population, before.generation, before.rates), before


def _state(engine: Search, before: FieldState, elapsed_s: float, tried: set[bytes]) -> FieldState:
    """Return the state after a generation."""
    fronts = [population.front().genomes.tobytes() for population in (engine.population, before.population)]
    genomes = np.frombuffer(b"".join(sorted(tried)), np.int64).reshape(-1, engine.space.size)
    same = before.same + 1 if fronts[0] == fronts[1] else 0
    return FieldState(engine.population, engine.rates, engine.generation, same, elapsed_s, genomes)


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
