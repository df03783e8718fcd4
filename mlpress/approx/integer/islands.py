"""Islands: populations that advance a generation at a time and now and then exchange members.

A generation is a pure function of the problem and the island, so it does not matter where or in what order
islands advance, nor on how many threads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.common.clock import now
from mlpress.approx.integer.annealer import Annealer
from mlpress.approx.integer.cost import CostModel
from mlpress.approx.integer.engine import Engine
from mlpress.approx.integer.genome_layout import Ints
from mlpress.approx.integer.nsga import Population, Rates, Search, restored
from mlpress.approx.integer.space import Space

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effort:
    """Options of a generation.

    An island keeps ``size`` members and anneals ``offspring`` chains of ``steps`` proposals.  Temperatures are in
    wrong rows: chains begin between ``cool`` and ``warm`` and end at a tenth of that.  Every ``interval`` generations
    ``migrants`` members go to the next island.
    """

    islands: int = 2
    size: int = 64
    offspring: int = 32
    steps: int = 2000
    warm: float = 3.0
    cool: float = 0.3
    interval: int = 5
    migrants: int = 8


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """All that an island needs to advance, plain enough to send to another computer.

    ``codes`` are the fitting rows' raw input codes (rows, inputs), ``labels`` their class indices.  Members beyond
    ``most_cost`` or ``most_error`` (a rate) are dropped as soon as enough others are within.  ``about`` is a digest of
    what else belongs to the search (its net, passes and all rows), for its ``key``.
    """

    space: Space
    cost: CostModel
    codes: Ints
    labels: Ints
    effort: Effort
    seed: int
    most_cost: float = np.inf
    most_error: float = 1.0
    about: str = ""
    key: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(repr((self.effort, self.seed, self.most_cost, self.most_error, self.about)).encode())
        space = self.space
        for array in (space.base, space.where, space.low, space.high, self.codes, self.labels, *self.cost.pricing[:2]):
            digest.update(np.ascontiguousarray(array).tobytes())
        object.__setattr__(self, "key", digest.hexdigest())

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and self.key == other.key


@dataclass(frozen=True, slots=True, eq=False)
class Island:
    """A population between two generations; ``start`` (members, genes) are its first offspring."""

    index: int
    start: Ints
    generation: int
    population: Population
    rates: Rates


def first_islands(problem: Problem, start: Ints) -> list[Island]:
    """Return islands before their first generation, which share out the start genomes (members, genes) in turn."""
    count = problem.effort.islands
    nobody = Population.empty(problem.space.size)
    return [Island(i, start[i % len(start) :: count], 0, nobody, Rates()) for i in range(count)]


def advance(problem: Problem, island: Island, workers: int, seconds: float = inf, steps: int | None = None) -> Island:
    """Return the island one generation later; after ``seconds`` it begins no more chains.

    Chains have ``steps`` proposals in place of the effort's, where it is given.
    """
    until = now() + seconds
    annealer = _annealer(problem, workers)
    effort = problem.effort
    floor = problem.cost.floor
    search = Search(problem.space, (problem.seed, island.index), island.start, floor, effort.size, effort.offspring)
    search = restored(search, island.population, island.generation, island.rates)
    rng = search.random(1)
    genomes = search.ask()
    rows = annealer.engine.rows
    cost = problem.cost.cost(problem.space.vectors(genomes))
    price = cost_prices(island.population, cost, rows, rng, floor)
    hot = effort.cool * (effort.warm / effort.cool) ** rng.random(len(genomes))
    seeds = rng.integers(0, 2**32, len(genomes))
    finds = annealer.run(genomes, steps or effort.steps, price, hot, hot / 10, seeds, until)
    objectives = np.stack([finds.wrong / rows, finds.cost], axis=1)
    search.tell(finds.vectors[:, problem.space.where], objectives, finds.origin, problem.most_error, problem.most_cost)
    return Island(island.index, island.start, search.generation, search.population, search.rates)


@lru_cache(maxsize=1)
def _annealer(problem: Problem, workers: int) -> Annealer:
    engine = Engine(problem.space.layout, problem.codes, problem.labels, workers)
    return Annealer(problem.space, engine, problem.cost)


def migrated(islands: Sequence[Island], effort: Effort, floor: float) -> list[Island]:
    """Return the islands after each sent members of its front, evenly spread, to the next one in the ring."""
    moved = []
    for island in islands:
        front = islands[island.index - 1].population.front()
        picks = np.unique(np.linspace(0, len(front) - 1, min(effort.migrants, len(front))).round().astype(np.int64))
        population = island.population.with_others(front.take(picks)).best(effort.size, floor)
        moved.append(Island(island.index, island.start, island.generation, population, island.rates))
    return moved


def merged(islands: Sequence[Island], genes: int) -> Population:
    """Return the front of all islands together."""
    population = Population.empty(genes)
    for island in islands:
        population = population.with_others(island.population)
    return population.front()


def cost_prices(population: Population, cost: Floats, rows: int, rng: np.random.Generator, floor: float) -> Floats:
    """Return how many wrong rows a unit of cost is traded for by chains that start at these costs, float64 (members,).

    The slope of the front there, up to a factor of four either way; before there is a front, all of a start's
    cost is traded for between 0.3 and 30 % of the rows.  Costs below a twentieth of ``floor`` count as that.
    """
    draw = rng.random(len(cost))
    front = population.front().objectives
    if len(front) < 4:
        return rows * 0.003 * 100.0**draw / np.maximum(cost, floor / 20)
    known, error = front[:, 1], front[:, 0]
    at = np.clip(np.searchsorted(known, cost), 2, len(known) - 2)
    above = np.minimum(at + 1, len(known) - 1)
    fall = np.maximum((error[at - 2] - error[above]) * rows, 0.5)
    slope: Floats = fall / np.maximum(known[above] - known[at - 2], floor / 20_000) * 4.0 ** (2 * draw - 1)
    return slope
