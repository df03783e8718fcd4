"""The integer-level search: from a net and rows to a front of smaller nets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mlpress import interrupts
from mlpress.approx.common.clock import now
from mlpress.approx.common.executor import cores, executor
from mlpress.approx.common.front import VALIDATION
from mlpress.approx.common.limits import Limits
from mlpress.approx.common.teacher import Augmentation, augment_rows
from mlpress.approx.integer import checkpoint as checkpoints
from mlpress.approx.integer.checkpoint import State
from mlpress.approx.integer.cost import CostModel
from mlpress.approx.integer.engine import Engine
from mlpress.approx.integer.front import Candidate, IntegerFront
from mlpress.approx.integer.genome_layout import Ints, Layout
from mlpress.approx.integer.islands import Effort, Island, Problem, advance, first_islands, merged, migrated
from mlpress.approx.integer.nsga import Population, hypervolume
from mlpress.approx.integer.space import DEFAULT_PASSES, Space
from mlpress.approx.integer.starts import start_genomes
from mlpress.approx.passes import ApproximatePass, Inputs
from mlpress.errors import MlpressError
from mlpress.ir import Net, encode, to_text
from mlpress.metrics import Metric
from mlpress.progress import Progress, Silent, counted

COST_SLACK = 1.3
"""The search looks this far beyond a limit of cost, since the model's costs are not the measured ones."""

LOSS_SLACK = 0.03
"""And this far beyond a loss, since fitting rows are not validation rows."""

MOST_ROWS = 3_000
"""Fewer neighbours than the gate level takes: every candidate runs on every row."""

START_SHARE = 0.3
"""The share of a search's seconds that its first population may take."""

GENERATION_SHARE = 0.1
"""Where time ends a search, chains are shortened until a generation takes no more than this share of it."""

STAGNATION = 1e-3
"""A search stops early where the hypervolume grew by less than this share over ``patience`` generations."""


WORST = 50_000
"""Hypervolumes reach up to so many times the cost model's floor."""


@dataclass(frozen=True, slots=True)
class Budget:
    """When a search ends: after ``seconds``, after ``generations``, or where ``patience`` generations gain nothing.

    A search that ends by generations is the same on every machine.  One with ``seconds`` and no ``generations`` ends
    in the middle of a generation where the time is over, and keeps what it has by then.
    """

    seconds: float | None = None
    generations: int | None = None
    patience: int = 60

    def __post_init__(self) -> None:
        if self.seconds is None and self.generations is None:
            raise MlpressError("the search needs a budget: give seconds, generations, or both")
        if self.seconds is not None and not self.seconds > 0:
            raise MlpressError(f"a search cannot have {self.seconds:g} seconds; give more than 0")
        if self.generations is not None and self.generations < 1:
            raise MlpressError(f"a search cannot have {self.generations} generations; give 1 or more")

    @property
    def timed(self) -> bool:
        """Whether time alone ends it: generations may then be cut short."""
        return self.generations is None

    def left_s(self, elapsed_s: float, generations: int) -> float | None:
        """Return the seconds left after ``generations`` (1 or more) in ``elapsed_s``, as far as that is known."""
        left = [self.seconds - elapsed_s] if self.seconds is not None else []
        if self.generations is not None:
            left.append((self.generations - generations) * elapsed_s / generations)
        return max(min(left), 0.0) if left else None


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """The state of a search after a generation.

    ``front`` is float64 (designs, 2): error rate on the fitting rows and cost; ``left_s`` are the seconds left, as far
    as they are known; ``metric`` is that of the cost.
    """

    number: int
    tried: int
    elapsed_s: float
    front: NDArray[np.float64]
    hypervolume: float
    left_s: float | None
    metric: Metric


class SearchProgress(Progress, Protocol):
    """Progress that hears of a search's generations."""

    def generation(self, done: Generation) -> None:
        """Hear of a generation of all islands that ended."""


class Unwatched(Silent):
    """Progress that says nothing."""

    def generation(self, done: Generation) -> None:
        """Say nothing."""


def search(
    net: Net,
    features: NDArray[np.float64],
    labels: Ints,
    price: Callable[[Layout], CostModel],
    metrics: Sequence[Metric],
    budget: Budget,
    *,
    passes: Sequence[ApproximatePass] = DEFAULT_PASSES,
    limits: Limits = Limits(),  # noqa: B008 - immutable
    seed: int = 0,
    workers: int | None = None,
    effort: Effort = Effort(),  # noqa: B008 - immutable
    trainings: int = 16,
    validation: float = VALIDATION,
    augmentation: Augmentation = "moved",
    decided: Ints | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    cluster: str | None = None,
    progress: SearchProgress | None = None,
) -> IntegerFront:
    """Search for cheaper nets than ``net`` that classify ``features`` (rows, inputs) as ``labels`` (rows,) say.

    A share ``validation`` of the rows, the same of each class, is kept out of the search and states the accuracy by
    which designs are chosen.  Fitting rows are joined by neighbours as ``augmentation`` says (``common/teacher.py``),
    where there is room for them below :data:`MOST_ROWS`.  The first population is ``net``, its roundings, and as many
    ``trainings`` on the fitting rows.  ``price`` gives the cost model of a layout of nets, in ``metrics``, of which the
    first one ranks; where it has a price for input converters, their levels are free.  ``decided`` (rows,) are the
    class indices of the model that losses count from (default: those of ``net``).  With ``checkpoint`` the state is
    kept in that file after every generation; ``resume`` goes on from it.  ``cluster`` is the address of a Dask
    scheduler; islands advance on its workers.  Ctrl-C ends the search with the front so far.

    Equal arguments give an equal front, whatever ``workers`` and ``cluster`` are.  This function is long for its
    parameters and their description.
    """
    watch = progress or Unwatched()
    began = now()
    watch.step("prepare the search")
    space = Space.of(net, passes)
    cost = price(space.layout).ranked(metrics[0].name)
    if cost.pricing.converters and not any(isinstance(step, Inputs) for step in passes):
        passes = (*passes, Inputs())
        space = Space.of(net, passes)
        cost = price(space.layout).ranked(metrics[0].name)
    cost, most_cost = cost.limited(limits.most, COST_SLACK)
    codes = encode(space.layout.encoder(), features)
    fit, held = split_rows(labels, validation, seed)
    with nullcontext() if resume else interrupts.allowed():  # a resumed search has a front to end with
        fitted, fitted_labels = augment_rows(codes[fit], labels[fit], net.inputs, augmentation, seed, most=MOST_ROWS)
    if decided is None:
        reference = _accuracy(net, codes[held], labels[held])
    else:
        reference = float(np.mean(decided[held] == labels[held]))
    problem = Problem(
        space,
        cost,
        fitted,
        fitted_labels,
        effort,
        seed,
        most_cost=most_cost,
        most_error=1.0 if limits.max_loss is None else 1 - reference + limits.max_loss + LOSS_SLACK,
        about=_digest(net, passes, codes, labels),
    )
    if resume:
        if checkpoint is None:
            raise MlpressError("there is no checkpoint to resume from; name the file that the search wrote")
        state = checkpoints.load(checkpoint, problem)
        began -= state.elapsed_s
    else:
        watch.step(f"train {counted(trainings, 'start')}")
        until = began + START_SHARE * budget.seconds if budget.timed and budget.seconds is not None else inf
        with interrupts.allowed():
            start = start_genomes(space, fitted, fitted_labels, seed, trainings, until, shapes=cost.trainings)
        state = State(tuple(first_islands(problem, start)), 0.0, 0, ())
    watch.step("search")
    state, stopped = _run(problem, state, budget, began, workers, checkpoint, cluster, watch, metrics[0])
    watch.step("judge the front on the validation rows")
    designs = _judged(problem, merged(state.islands, space.size), codes[held], labels[held])
    return IntegerFront(
        designs=designs,
        reference=reference,
        metrics=tuple(metrics),
        start=net,
        passes=tuple(passes),
        grain=cost.grain,
        seed=seed,
        generations=state.generation,
        tried=state.tried,
        elapsed_s=state.elapsed_s,
        stopped=stopped,
    )


def _run(
    problem: Problem,
    state: State,
    budget: Budget,
    began: float,
    workers: int | None,
    checkpoint: Path | None,
    cluster: str | None,
    watch: SearchProgress,
    metric: Metric,
) -> tuple[State, str]:
    """Run generations until the budget ends; return the last state and why it is the last."""
    effort = problem.effort
    steps, took = effort.steps, 0.0
    floor = problem.cost.floor
    worst = (float(1 - np.bincount(problem.labels).max() / len(problem.labels)), WORST * floor)
    try:
        with interrupts.allowed(), executor(1, cluster) as workplace:
            while (stopped := _ended(state, budget, now() - began)) is None:
                interrupts.check()
                left, since = inf, now()
                if budget.timed and budget.seconds is not None:
                    left = (budget.seconds - since + began) / (1 if cluster else effort.islands)
                    steps = _steps(effort, steps, took, budget.seconds)
                step = partial(advance, workers=1 if cluster else workers or cores(), seconds=left, steps=steps)
                islands = workplace.map(step, problem, state.islands)
                if islands[0].generation % effort.interval == 0 and len(islands) > 1:
                    islands = migrated(islands, effort, floor)
                front = merged(islands, problem.space.size)
                volume = hypervolume(front.objectives, worst, floor)
                took = now() - since
                tried = state.tried + sum(steps * _offspring(island, effort) for island in state.islands)
                state = State(tuple(islands), now() - began, tried, (*state.volumes, volume))
                if checkpoint is not None:
                    checkpoints.save(checkpoint, problem, state)
                watch.generation(_report(state, front, volume, budget, metric))
    except KeyboardInterrupt:
        if not state.generation:
            raise
        stopped = "interrupted"
    return state, stopped


def _steps(effort: Effort, before: int, took: float, seconds: float) -> int:
    """Return the proposals of a chain in the next generation, where ``before`` took ``took`` of ``seconds`` seconds.

    The first is short, since nothing is known of its time; then one takes no more than :data:`GENERATION_SHARE`.
    """
    if not took:
        return max(effort.steps // 8, 1)
    return max(min(effort.steps, int(before * GENERATION_SHARE * seconds / took)), effort.steps // 16, 1)


def _digest(net: Net, passes: Sequence[ApproximatePass], codes: Ints, labels: Ints) -> str:
    """Return a digest of what decides a search and is not in its :class:`Problem`."""
    digest = sha256(repr((to_text(net), tuple(passes))).encode())
    for array in (codes, labels):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _offspring(island: Island, effort: Effort) -> int:
    return effort.offspring if island.generation else len(island.start)


def _ended(state: State, budget: Budget, elapsed: float) -> str | None:
    """Return why the search is over, or ``None``."""
    if budget.generations is not None and state.generation >= budget.generations:
        return "generations"
    if budget.seconds is not None and state.generation and elapsed >= budget.seconds:
        return "time"
    if state.generation > budget.patience:
        before, now = state.volumes[-1 - budget.patience], state.volumes[-1]
        if now - before < STAGNATION * abs(now):
            return "stagnation"
    return None


def _report(state: State, front: Population, volume: float, budget: Budget, metric: Metric) -> Generation:
    left = budget.left_s(state.elapsed_s, state.generation)
    return Generation(state.generation, state.tried, state.elapsed_s, front.objectives, volume, left, metric)


def split_rows(labels: Ints, share: float, seed: int) -> tuple[Ints, Ints]:
    """Return the indices of the fitting and of the held-out rows: ``share`` of each class, rounded, is held out."""
    if not 0 < share < 1:
        raise MlpressError(f"the validation share is {share:g}; it must be between 0 and 1")
    rng = np.random.default_rng((seed, 2))
    held = np.zeros(len(labels), np.bool_)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        held[rows[: round(share * len(rows))]] = True
    if held.all() or not held.any():
        raise MlpressError(f"{len(labels)} rows are too few to hold out a share of {share:g}; give more rows")
    return np.flatnonzero(~held), np.flatnonzero(held)


def _accuracy(net: Net, codes: Ints, labels: Ints) -> float:
    layout = Layout.of(net)
    wrong = Engine(layout, codes, labels).wrong(layout.pack(net)[None])
    return float(1 - wrong[0] / len(labels))


def _judged(problem: Problem, front: Population, codes: Ints, labels: Ints) -> tuple[Candidate, ...]:
    """Return the designs of a front with their accuracy on the held-out rows (rows, inputs) and their cost."""
    space, cost = problem.space, problem.cost
    vectors = space.vectors(front.genomes)
    wrong = Engine(space.layout, codes, labels).wrong(vectors)
    return tuple(
        Candidate(
            tuple(genome.tolist()), 1 - error, float(1 - w / len(labels)), dict(zip(cost.metrics, values, strict=True))
        )
        for genome, error, w, values in zip(
            front.genomes, front.objectives[:, 0].tolist(), wrong, cost.values(vectors).tolist(), strict=True
        )
    )
