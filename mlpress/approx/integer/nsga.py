"""NSGA-II on plain integer arrays, ask and tell (K. Deb et al., "A fast and elitist multiobjective genetic algorithm",
IEEE Trans. Evolutionary Computation 6(2), 2002; selection by DEAP).

The caller keeps the loop and may give back other genomes than those it was asked for: offspring that
local search has improved.  Objectives are (members, 2): error rate and cost, both to be small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from deap import base, tools
from numpy.typing import NDArray

from mlpress.approx.integer.genome_layout import Ints

Floats = NDArray[np.float64]


class Genomes(Protocol):
    """What is searched: genomes, int64 (genes,), within ``low .. high``.

    Gene ``g`` stands for element ``where[g]`` of something whose elements have ``groups``, taken over together.
    """

    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def where(self) -> Ints: ...  # noqa: D102
    @property
    def low(self) -> Ints: ...  # noqa: D102
    @property
    def high(self) -> Ints: ...  # noqa: D102
    @property
    def groups(self) -> Ints: ...  # noqa: D102
    def clip(self, genomes: Ints) -> Ints:
        """Return genomes (..., genes) moved into the bounds."""
        ...


class _Fitness(base.Fitness):  # type: ignore[misc]  # deap has no types
    weights = (-1.0, -1.0)


class _Member:
    """A member as DEAP's selection reads it."""

    __slots__ = ("fitness", "index")

    def __init__(self, index: int, values: tuple[float, float]) -> None:
        self.index, self.fitness = index, _Fitness(values)


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Genomes, int64 (members, genes), with their objectives, float64 (members, 2): error rate, cost."""

    genomes: Ints
    objectives: Floats

    def __len__(self) -> int:
        return len(self.genomes)

    @classmethod
    def empty(cls, genes: int) -> Population:
        """Return a population without members."""
        return cls(np.zeros((0, genes), np.int64), np.zeros((0, 2)))

    def with_others(self, others: Population) -> Population:
        """Return the members of both, each genome once."""
        genomes = np.concatenate([self.genomes, others.genomes])
        _, kept = np.unique(genomes, axis=0, return_index=True)
        kept.sort()
        return Population(genomes[kept], np.concatenate([self.objectives, others.objectives])[kept])

    def take(self, members: Sequence[int] | Ints) -> Population:
        """Return the members with these indices."""
        return Population(self.genomes[members], self.objectives[members])

    def front(self) -> Population:
        """Return the members that none beats in both objectives, cheapest first; of equals the first."""
        order = np.lexsort((self.objectives[:, 0], self.objectives[:, 1]))
        errors = self.objectives[order, 0]
        best = np.minimum.accumulate(np.concatenate([[np.inf], errors[:-1]]))
        return self.take(order[errors < best])

    def best(self, size: int, floor: float) -> Population:
        """Return NSGA-II's choice of ``size`` members; costs below ``floor`` are spread evenly."""
        if len(self) <= size:
            return self
        spread = spread_cost(self.objectives, floor)
        members = [_Member(i, (float(error), float(cost))) for i, (error, cost) in enumerate(spread)]
        return self.take([member.index for member in tools.selNSGA2(members, size, nd="log")])


def spread_cost(objectives: Floats, floor: float) -> Floats:
    """Return the objectives with the cost on a logarithmic scale above ``floor``."""
    return np.stack([objectives[:, 0], np.log1p(objectives[:, 1] / floor)], axis=1)


def hypervolume(objectives: Floats, reference: tuple[float, float], floor: float) -> float:
    """Return the area that a front (members, 2) dominates below ``reference``, costs on the logarithmic scale."""
    points = spread_cost(np.concatenate([objectives, [reference]]), floor)
    ((error_limit, cost_limit),) = points[-1:]
    volume, error = 0.0, error_limit
    for e, c in sorted(points[:-1].tolist(), key=lambda point: (point[1], point[0])):
        if e < error and c < cost_limit:
            volume += (error - e) * (cost_limit - c)
            error = e
    return float(volume)


@dataclass(frozen=True, slots=True)
class Rates:
    """How often each kind of variation is used, adapted to how often its offspring survive.

    ``credit`` holds a running success rate of each of :data:`KINDS`.
    """

    credit: tuple[float, ...] = (0.5, 0.5, 0.5, 0.5)

    def probabilities(self) -> Floats:
        """Return the probability of each kind; none falls below 5 %."""
        credit = np.array(self.credit) + 1e-3
        share: Floats = 0.05 + (1 - 0.05 * len(credit)) * credit / credit.sum()
        return share

    def learned(self, kinds: Ints, survived: NDArray[np.bool_]) -> Rates:
        """Return the rates after a generation whose offspring were of these ``kinds``."""
        credit = list(self.credit)
        for kind in range(len(credit)):
            tried = kinds == kind
            if tried.any():
                credit[kind] += 0.3 * (float(survived[tried].mean()) - credit[kind])
        return Rates(tuple(credit))


COPY, MUTATE, CROSS_NEURONS, CROSS_GENES = range(4)
KINDS = ("copy", "mutation", "crossover by neuron", "crossover by gene")


@dataclass(slots=True)
class Search:
    """One population: ``ask`` for offspring, judge them, ``tell`` the result.

    Costs below ``floor`` are spread evenly, others by their logarithm.  ``seed`` and ``generation`` alone decide every
    random choice.  The first offspring are the ``start`` genomes (members, genes).
    """

    space: Genomes
    seed: tuple[int, ...]
    start: Ints
    floor: float
    size: int = 64
    offspring: int = 32
    generation: int = 0
    population: Population = field(init=False)
    rates: Rates = field(default_factory=Rates)
    kinds: Ints = field(init=False)
    parents: Ints = field(init=False)

    def __post_init__(self) -> None:
        self.population = Population.empty(self.space.size)
        self.kinds = self.parents = np.zeros(0, np.int64)

    def ask(self) -> Ints:
        """Return genomes to judge, int64 (offspring, genes); ``parents`` then says whose child each one is."""
        if not len(self.population):
            self.kinds = np.full(len(self.start), COPY)
            self.parents = np.full(len(self.start), -1)
            return self.start
        rng = self.random()
        self.kinds = rng.choice(len(KINDS), self.offspring, p=self.rates.probabilities())
        self.parents = self._winners(rng, self.offspring)
        others = self._winners(rng, self.offspring)
        genomes = self.population.genomes
        made = [
            self._vary(rng, kind, genomes[one], genomes[other])
            for kind, one, other in zip(self.kinds.tolist(), self.parents, others, strict=True)
        ]
        return self.space.clip(np.stack(made))

    def tell(
        self,
        genomes: Ints,
        objectives: Floats,
        origin: Ints | None = None,
        most_error: float = 1.0,
        most_cost: float = np.inf,
    ) -> None:
        """Take in judged genomes (members, genes) and their objectives (members, 2).

        ``origin`` (members,) says which of the asked genomes each came from, where they are not those themselves.
        Members beyond ``most_error`` or ``most_cost`` are dropped as soon as the others fill the population.
        """
        origin = np.arange(len(genomes)) if origin is None else origin
        old = len(self.population)
        told = Population(genomes, objectives)
        pool = self.population.with_others(told)
        within = np.flatnonzero((pool.objectives[:, 0] <= most_error) & (pool.objectives[:, 1] <= most_cost))
        self.population = (pool.take(within) if len(within) >= self.size else pool).best(self.size, self.floor)
        survivors = {genome.tobytes() for genome in self.population.genomes}
        lived = np.zeros(len(self.kinds), np.bool_)
        for genome, source in zip(genomes, origin.tolist(), strict=True):
            lived[source] |= genome.tobytes() in survivors
        if old:
            self.rates = self.rates.learned(self.kinds, lived)
        self.generation += 1

    def random(self, purpose: int = 0) -> np.random.Generator:
        """Return this generation's source of random numbers."""
        return np.random.default_rng((*self.seed, self.generation, purpose))

    def _winners(self, rng: np.random.Generator, count: int) -> Ints:
        """Draw parents by binary tournament: the population is in NSGA-II's order, so the lower index wins."""
        picks = rng.integers(0, len(self.population), (count, 2))
        winners: Ints = picks.min(axis=1)
        return winners

    def _vary(self, rng: np.random.Generator, kind: int, one: Ints, other: Ints) -> Ints:
        child = one.copy()
        match kind:
            case 1:
                self._mutate(rng, child)
            case 2:
                groups = self.space.groups[self.space.where]
                taken = rng.random(int(self.space.groups.max()) + 1) < rng.uniform(0.1, 0.5)
                child[taken[groups]] = other[taken[groups]]
            case 3:
                taken = rng.random(len(child)) < rng.uniform(0.05, 0.5)
                child[taken] = other[taken]
        return child

    def _mutate(self, rng: np.random.Generator, child: Ints) -> None:
        """Move a few genes: by a power of two, or to anywhere in their bounds."""
        count = 1 + int(rng.geometric(0.3))
        genes = rng.integers(0, len(child), count)
        low, high = self.space.low[genes], self.space.high[genes]
        reach = np.maximum(high - low, 1)
        steps = np.round(2.0 ** (rng.random(count) * np.log2(reach))) * rng.choice([-1, 1], count)
        anywhere = rng.random(count) < 0.3
        child[genes] = np.where(anywhere, rng.integers(low, high + 1), child[genes] + steps.astype(np.int64))


def restored(search: Search, population: Population, generation: int, rates: Rates) -> Search:
    """Return ``search`` as it was at the end of an earlier generation."""
    again = replace(search, generation=generation, rates=rates)
    again.population = population
    return again
