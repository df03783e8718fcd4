"""Gate-level evolution: from starts and rows to a front of circuits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mlpress import interrupts
from mlpress.approx.common.clock import now
from mlpress.approx.common.executor import cores, executor
from mlpress.approx.gates import checkpoint as checkpoints
from mlpress.approx.gates.advance import advance, right_rows, turns, wrong_rows
from mlpress.approx.gates.archive import Archive, Member
from mlpress.approx.gates.cells import GateCosts
from mlpress.approx.gates.checkpoint import GateState
from mlpress.approx.gates.front import CircuitDesign, CircuitFront
from mlpress.approx.gates.offsets import JUDGED
from mlpress.approx.gates.problem import GateProblem, GateSearchOptions
from mlpress.approx.gates.rows import PackedRows, Rows, check_rows, pack_rows
from mlpress.approx.gates.starts import Start
from mlpress.approx.gates.whole import pruned
from mlpress.approx.integer.search import Budget
from mlpress.errors import MlpressError
from mlpress.ir import Input
from mlpress.metrics import Metric
from mlpress.progress import Progress, Silent

STAGNATION = 1e-3
"""An evolution stops early where all energy fell by less than this share over ``patience`` rounds."""

ENDS = 0.02
"""No round is begun where less than this share of the time is left."""

LIKE = 0.25
"""Standard deviation, in the logarithm of area, of the weights that circuits have in each other's accuracy."""


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """The state of an evolution after a round.

    ``front`` is float64 (designs, 2): error rate on held-out rows and cost by the gates' own prices, in ``metric``.
    """

    number: int
    moves: int
    elapsed_s: float
    front: NDArray[np.float64]
    left_s: float | None
    metric: Metric


class EvolutionProgress(Progress, Protocol):
    """Progress that hears of an evolution's rounds."""

    def round(self, done: Round) -> None:
        """Hear of a round of all archives that ended."""


class Unwatched(Silent):
    """Progress that says nothing."""

    def round(self, done: Round) -> None:
        """Say nothing."""


def evolve(
    inputs: tuple[Input, ...],
    classes: tuple[int | str, ...],
    rows: Rows,
    starts: Sequence[Start],
    costs: GateCosts,
    metrics: Sequence[Metric],
    budget: Budget,
    *,
    reference: float | None = None,
    most_cost: float | None = None,
    effort: GateSearchOptions = GateSearchOptions(),  # noqa: B008 - immutable
    seed: int = 0,
    workers: int | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    cluster: str | None = None,
    progress: EvolutionProgress | None = None,
) -> CircuitFront:
    """Evolve classifiers of ``inputs`` into ``classes`` that decide ``rows`` as they say, from each of ``starts``.

    Designs are judged on rows that they have not seen: the accuracy of a design evolved on all rows is estimated by
    that of circuits of about its cost, evolved on all folds but one each.  ``reference`` is the accuracy that losses
    count from (default: the best of the front).  ``costs`` are in the first of ``metrics``. With ``most_cost`` the time
    is spent on designs of no more cost, and larger ones are passed through only.  A budget's generations are rounds of
    all archives; with seconds alone the last round ends early, and so do those before where they would take more than
    their share. ``checkpoint``, ``resume``, ``workers`` and ``cluster`` are as in :func:`mlpress.approx.search`; so is
    Ctrl-C.

    Equal arguments give an equal front, whatever ``workers`` and ``cluster`` are.
    """
    watch = progress or Unwatched()
    began = now()
    check_rows(inputs, len(classes), rows)
    if not starts:
        raise MlpressError("the evolution needs a circuit to start from; give one or more")
    problem = GateProblem(inputs, classes, rows, tuple(starts), costs, effort, seed, most_cost)
    if not resume:
        state = GateState(tuple(Archive(k) for k in range(problem.archives)))
    elif checkpoint is None:
        raise MlpressError("there is no checkpoint to resume from; name the file that the evolution wrote")
    else:
        state = checkpoints.load(checkpoint, problem)
        began -= state.elapsed_s
    watch.step("evolve gates")
    state, stopped = _run(problem, state, budget, began, workers, checkpoint, cluster, watch, metrics[0])
    packed = pack_rows(inputs, len(classes), rows)
    name = metrics[0].name
    found = _best(problem, state.archives)
    rights = _held_rights(problem, state.archives, found)
    designs = tuple(_design(problem, name, best, packed, right) for best, right in zip(found, rights, strict=True))
    best = max(design.validation_accuracy for design in designs)
    return CircuitFront(
        designs=designs,
        reference=best if reference is None else reference,
        metrics=tuple(metrics),
        seed=seed,
        rounds=state.rounds,
        moves=state.moves,
        elapsed_s=state.elapsed_s,
        stopped=stopped,
    )


def _run(
    problem: GateProblem,
    state: GateState,
    budget: Budget,
    began: float,
    workers: int | None,
    checkpoint: Path | None,
    cluster: str | None,
    watch: EvolutionProgress,
    metric: Metric,
) -> tuple[GateState, str]:
    """Run rounds until the budget ends; return the last state and why it is the last."""
    try:
        with interrupts.allowed(), executor(workers or cores(), cluster) as workplace:
            while (stopped := _ended(problem, state, budget, now() - began)) is None:
                interrupts.check()
                seconds = _turn_s(problem, state, budget, now() - began, workplace.width)
                archives = tuple(workplace.map(advance, problem, turns(problem, state.archives, seconds)))
                elapsed = now() - began
                energies = (*state.energies, sum(archive.energy for archive in archives))
                state = GateState(archives, elapsed, energies)
                if checkpoint is not None:
                    checkpoints.save(checkpoint, problem, state)
                watch.round(_report(problem, state, budget, metric))
    except KeyboardInterrupt:
        if not state.rounds:
            raise
        stopped = "interrupted"
    return state, stopped


def _turn_s(problem: GateProblem, state: GateState, budget: Budget, elapsed: float, width: int) -> float:
    """Return the seconds of each archive in the next round, where only time ends the evolution.

    Rounds with a start left to sweep down from share the time that is left with the cycles after them.
    """
    if not budget.timed or budget.seconds is None:
        return inf
    waiting = max(len(problem.starts) - state.rounds, 0)
    turns_each = -(-problem.archives // width)  # archives that each worker takes one after another
    return max(budget.seconds - elapsed, 0.0) / (1 + waiting) / turns_each


def _ended(problem: GateProblem, state: GateState, budget: Budget, elapsed: float) -> str | None:
    """Return why the evolution is over, or ``None``."""
    if budget.generations is not None and state.rounds >= budget.generations:
        return "generations"
    if budget.seconds is not None and state.rounds and elapsed >= (1 - ENDS) * budget.seconds:
        return "time"
    if state.rounds > max(budget.patience, len(problem.starts)):
        before, now = state.energies[-1 - budget.patience], state.energies[-1]
        if before - now < STAGNATION * before:
            return "stagnation"
    return None


def _report(problem: GateProblem, state: GateState, budget: Budget, metric: Metric) -> Round:
    rows, left = len(problem.rows), budget.left_s(state.elapsed_s, state.rounds)
    front = np.array([(best.wrong / rows, best.area * problem.costs.step) for best in _best(problem, state.archives)])
    return Round(state.rounds, state.moves, state.elapsed_s, front, left, metric)


class _Best(NamedTuple):
    """A circuit that no other one beats: its cost in steps, the mean wrong rows of similar ones, and its place."""

    area: int
    wrong: float
    archive: int
    member: Member


def _best(problem: GateProblem, archives: Sequence[Archive]) -> list[_Best]:
    """Return the members of archives of all rows where no other is as small and as accurate; small first."""
    folds, copies = problem.effort.folds, JUDGED if problem.effort.offset_sigma else 1
    found = []
    for first in range(0, problem.archives, folds + 1):
        whole = archives[first + folds]
        area, wrong = _areas(problem, whole), np.zeros(len(whole.members))
        for archive in archives[first : first + folds]:
            held = np.array([member.held for member in archive.members]) / copies
            wrong += near_area(area, _areas(problem, archive), held)
        for member, size, mean in zip(whole.members, area.tolist(), wrong.tolist(), strict=True):
            found.append(_Best(size, mean, whole.index, member))
    best: list[_Best] = []
    for each in sorted(found, key=lambda each: each[:3]):
        if not best or each.wrong < best[-1].wrong:
            best.append(each)
    return best


def _areas(problem: GateProblem, archive: Archive) -> NDArray[np.int64]:
    return np.array([problem.area(member) for member in archive.members])


def near_area(area: NDArray[np.int64], known: NDArray[np.int64], wrong: NDArray[Any]) -> NDArray[np.float64]:
    """Return the wrong rows to expect at each ``area``, where areas ``known`` have ``wrong``: float64 (area,).

    A circuit's accuracy on few rows is mostly chance, and the best of many would be the luckiest; so this is local
    linear regression on the logarithm of area, not beyond the known areas (W. S. Cleveland, "Robust locally weighted
    regression", 1979, with Gaussian weights and no robust step).
    """
    mean: NDArray[np.float64] = np.maximum(near_weights(area, known) @ wrong, 0.0)
    return mean


def near_weights(area: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what each of the circuits of areas ``known`` weighs in the regression at each ``area``: (area, known)."""
    at = np.log(np.maximum(known, 1.0))
    wanted = np.clip(np.log(np.maximum(area, 1.0)), at.min(), at.max())
    away = at - wanted[:, None]
    far = (away / LIKE) ** 2
    weight = np.exp(0.5 * (far.min(axis=1, keepdims=True) - far))
    one, first = weight.sum(axis=1), (weight * away).sum(axis=1)
    second = (weight * away**2).sum(axis=1) + 1e-6 * LIKE**2 * one  # keeps equal areas from dividing by nothing
    share: NDArray[np.float64] = second[:, None] * weight - first[:, None] * (weight * away)
    share /= (one * second - first**2)[:, None]
    return share


def _held_rights(
    problem: GateProblem, archives: Sequence[Archive], found: Sequence[_Best]
) -> list[NDArray[np.float64]]:
    """Return, for each circuit, how many of the circuits of its area decide each row rightly that is held out of them.

    Those are shares, float64 (rows,), weighed as in :func:`near_area`.
    """
    folds, rights = problem.effort.folds, [np.zeros(len(problem.rows)) for _ in found]
    for index in range(problem.archives):
        first, held = index - problem.fold(index), problem.held_out(index)
        mine = [k for k, each in enumerate(found) if each.archive == first + folds]
        if index == first + folds or not mine:
            continue
        unseen, members = problem.rows.take(held), archives[index].members
        right = np.array([right_rows(problem, member.genome, unseen) for member in members])
        weights = near_weights(np.array([found[k].area for k in mine]), _areas(problem, archives[index]))
        for k, share in zip(mine, weights @ right, strict=True):
            rights[k][held] = share
    return rights


def _design(
    problem: GateProblem, metric: str, best: _Best, packed: PackedRows, right: NDArray[np.float64]
) -> CircuitDesign:
    genome, rows = best.member.genome, problem.rows
    left, inputs = pruned(genome, problem.inputs)
    return CircuitDesign(
        circuit=left.to_circuit(inputs, problem.classes),
        hint=problem.costs.written(left, inputs),
        start=problem.starts[best.member.start].name,
        augmentation=problem.augmentation(best.archive),
        fit_accuracy=1 - wrong_rows(problem, genome, packed) / len(rows),
        validation_accuracy=1 - best.wrong / len(rows),
        model={metric: best.area * problem.costs.step},
        held_right=right,
    )
