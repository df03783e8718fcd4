"""Ladders of circuits: one rung a price of accuracy, climbed a round at a time.

A rung keeps the circuit with the least energy found: its area in um2 and, for each wrong row, the rung's price.
High rungs hold accurate circuits, low rungs small ones.  Every fold of the rows has ladders of its own, which never
see the rows held out of it; so what a rung's circuits score there estimates how that rung's circuit, evolved on all
rows in the same way, does on rows it has not seen.  A round is a pure function of the problem and the ladder:
it does not matter where or in what order ladders climb.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.gates.cells import CellCosts
from mlpress.approx.gates.chain import anneal, genome_of, new_scratch, new_state
from mlpress.approx.gates.genome import Genome, to_genome
from mlpress.approx.gates.rows import PackedRows, Rows, held_out_folds, pack_rows
from mlpress.approx.gates.starts import Start
from mlpress.approx.gates.state import CORRECT, COST, MOVES
from mlpress.approx.teacher import Lesson, check_lesson, taught
from mlpress.errors import MlpressError
from mlpress.ir import Circuit, Input

COLD = 0.03
"""The temperature at which annealing ends, in areas of the smallest gate."""


@dataclass(frozen=True, slots=True)
class GateEffort:
    """How hard a round tries.

    ``prices``, highest first, are what a row is worth, in areas of the technology's smallest gate of two inputs; every
    rung is visited ``visits`` times a round, and the fewer the more its circuit exceeds ``gates`` gates, since a visit
    to a large circuit takes longer: down to an eighth.  A visit draws ``draws``: signals, pairs, and nested pairs.
    Rows are split into ``folds``; each fold has a ladder for every one of ``lessons``.  ``power`` is how many um2 one
    nW of static power weighs as much as.
    """

    prices: tuple[float, ...] = tuple(16.0 * 2 ** (-k / 4) for k in range(33))
    visits: int = 2000
    gates: int = 400
    draws: tuple[int, int, int] = (32, 32, 16)
    folds: int = 4
    lessons: tuple[Lesson, ...] = ("moved", "mixed")
    power: float = 0.0

    def __post_init__(self) -> None:
        if self.folds < 2 or self.visits < 1 or not self.lessons or not self.prices or min(self.prices) <= 0:
            raise MlpressError("gate-level evolution needs 2 folds, 1 visit, 1 lesson and 1 price or more, all above 0")
        for lesson in self.lessons:
            check_lesson(lesson)
        if not self.power >= 0:
            raise MlpressError(f"the weight of power is {self.power:g}; it must be 0 or more")


@dataclass(frozen=True, slots=True, eq=False)
class GateProblem:
    """What is evolved: all that a ladder needs to climb, plain enough to send to another machine."""

    inputs: tuple[Input, ...]
    classes: tuple[int | str, ...]
    rows: Rows
    starts: tuple[Start, ...]
    costs: CellCosts
    effort: GateEffort
    seed: int
    key: str = field(init=False)

    def __post_init__(self) -> None:
        facts = (self.inputs, self.classes, [start.key for start in self.starts], self.effort, self.seed)
        digest = hashlib.sha256(repr(facts).encode())
        for array in (self.rows.codes, self.rows.labels, self.costs.area, self.costs.static_nw):
            digest.update(np.ascontiguousarray(array).tobytes())
        object.__setattr__(self, "key", digest.hexdigest())

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GateProblem) and self.key == other.key

    @property
    def unit(self) -> float:
        """The area of the smallest gate of two inputs, um2: the unit of prices and temperatures."""
        return float(min(self.costs.area[table] for table in (0b0111, 0b0001, 0b1000, 0b1110)))

    @property
    def ladders(self) -> int:
        """One for every fold and one for all rows, in every lesson."""
        return (self.effort.folds + 1) * len(self.effort.lessons)

    def fold(self, ladder: int) -> int:
        """The fold held out of a ladder; ``effort.folds`` where it learns from all rows."""
        return ladder % (self.effort.folds + 1)

    def lesson(self, ladder: int) -> Lesson:
        """What the ladder learns from."""
        return self.effort.lessons[ladder // (self.effort.folds + 1)]

    def held_out(self, ladder: int) -> NDArray[np.bool_]:
        """Which rows (rows,) the ladder does not learn from."""
        if self.fold(ladder) == self.effort.folds:
            return np.zeros(len(self.rows), np.bool_)
        held: NDArray[np.bool_] = held_out_folds(self.rows.labels, self.effort.folds, self.seed)[self.fold(ladder)]
        return held


@dataclass(frozen=True, slots=True)
class Rung:
    """The best circuit of a rung: its energy in um2, and the start that it came from."""

    genome: Genome
    energy: float
    start: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """A ladder after ``rounds`` rounds; ``moves`` were judged so far."""

    index: int
    rounds: int = 0
    moves: int = 0
    rungs: tuple[Rung, ...] = ()


def climb(problem: GateProblem, ladder: Ladder) -> Ladder:
    """The ladder one round later.

    Rounds sweep down from a start, each rung beginning where the one above ended, until every start had its turn;
    after that every other round anneals each rung again, from its own circuit or a neighbouring rung's.
    """
    rng = np.random.default_rng((problem.seed, ladder.index, ladder.rounds, 5))
    material = _material(problem, ladder.index)
    tries = ladder.rounds - len(problem.starts)
    again = tries >= 0 and tries % 2 == 0
    rungs, moves = list(ladder.rungs), ladder.moves
    parent = None if again else _first(problem, material, ladder, rng)
    for k, price in enumerate(problem.effort.prices):
        if again:
            parent = ladder.rungs[_neighbour(k, len(ladder.rungs), rng)]
        assert parent is not None
        found, judged = _annealed(problem, material, parent, price, rng)
        moves += judged
        if k == len(rungs):
            rungs.append(found)
        elif found.energy < rungs[k].energy:
            rungs[k] = found
        parent = found
    return replace(ladder, rounds=ladder.rounds + 1, moves=moves, rungs=tuple(rungs))


def held_out_wrong(problem: GateProblem, ladder: Ladder) -> list[int]:
    """Wrong rows of each rung on the rows that the ladder has not seen."""
    held = _held(problem, problem.fold(ladder.index))
    return [wrong_rows(problem, rung.genome, held) for rung in ladder.rungs]


def wrong_rows(problem: GateProblem, genome: Genome, rows: PackedRows) -> int:
    """How many of ``rows`` a netlist decides wrongly."""
    return int(rows.rows - new_state(genome, rows, problem.costs, 0).counts[CORRECT])


@lru_cache(maxsize=32)
def _held(problem: GateProblem, fold: int) -> PackedRows:
    """The rows that the ladders of a fold do not see."""
    return pack_rows(problem.inputs, len(problem.classes), problem.rows.take(problem.held_out(fold)))


@dataclass(frozen=True, slots=True)
class _Material:
    """What a ladder learns from: its own rows, and those and their neighbours packed.

    ``share`` is what one of these counts, so that together they count as much as all rows of the problem: a rung
    trades as much area for as large a share of the rows in every fold.
    """

    rows: Rows
    packed: PackedRows
    share: float


@lru_cache(maxsize=32)
def _material(problem: GateProblem, ladder: int) -> _Material:
    rows = problem.rows.take(~problem.held_out(ladder))
    learned = Rows(*taught(rows.codes, rows.labels, problem.inputs, problem.lesson(ladder), problem.seed))
    packed = pack_rows(problem.inputs, len(problem.classes), learned)
    return _Material(rows, packed, len(problem.rows) / len(learned))


def _first(problem: GateProblem, material: _Material, ladder: Ladder, rng: np.random.Generator) -> Rung:
    """A start to sweep from: each in turn, then the one that most rungs came from."""
    start = ladder.rounds
    if start >= len(problem.starts):
        start = int(np.bincount([rung.start for rung in ladder.rungs]).argmax())
    part = problem.fold(ladder.index) < problem.effort.folds
    circuit: Circuit = problem.starts[start].circuit(material.rows, int(rng.integers(1 << 31)), part=part)
    return Rung(to_genome(circuit, problem.costs), np.inf, start)


def _neighbour(k: int, rungs: int, rng: np.random.Generator) -> int:
    """Half of the time ``k``, else the one above or below."""
    step = int(rng.choice([0, 0, -1, 1]))
    return min(max(k + step, 0), rungs - 1)


def _annealed(
    problem: GateProblem, material: _Material, parent: Rung, price: float, rng: np.random.Generator
) -> tuple[Rung, int]:
    """A chain from ``parent``, and the moves that it judged.

    It begins at a temperature that grows as the root of the price: a move among accurate circuits trades more rows.
    """
    effort, unit = problem.effort, problem.unit
    state = new_state(parent.genome, material.packed, problem.costs, int(rng.integers(1 << 62)), effort.power)
    visits = max(round(effort.visits * min(1.0, effort.gates / max(len(parent.genome), 1))), -(-effort.visits // 8))
    hot = unit * 0.5 * price**0.5 * 4.0 ** (rng.random() - 0.5)
    row = unit * price * material.share
    draws = np.array(effort.draws, np.int64)
    scratch = new_scratch(material.packed.words, int(draws[0]))
    anneal(state, visits, row, max(hot, unit * COLD), unit * COLD, draws, scratch)
    wrong = material.packed.rows - int(state.counts[CORRECT])
    energy = float(state.counts[COST]) + row * wrong
    return Rung(genome_of(state), energy, parent.start), int(state.counts[MOVES])
