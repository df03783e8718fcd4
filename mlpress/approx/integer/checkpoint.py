"""The state of a search on disk: arrays and JSON, nothing that runs on load, written whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlpress.approx.common.state_file import count, damaged, listed, quantity, read_state, write_state
from mlpress.approx.integer.islands import Island, Problem
from mlpress.approx.integer.nsga import KINDS, Population, Rates
from mlpress.approx.integer.space import Space

FORMAT = "mlpress search 1"


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A search between two generations.

    ``elapsed_s`` seconds and ``tried`` candidates so far; ``volumes``, the hypervolume after each generation.
    """

    islands: tuple[Island, ...]
    elapsed_s: float
    tried: int
    volumes: tuple[float, ...]

    @property
    def generation(self) -> int:
        """Generations done."""
        return len(self.volumes)


def save(path: Path, problem: Problem, state: State) -> None:
    """Write ``state`` to ``path`` in place of an older one."""
    facts = {
        "elapsed_s": state.elapsed_s,
        "tried": state.tried,
        "volumes": state.volumes,
        "generations": [island.generation for island in state.islands],
        "credit": [island.rates.credit for island in state.islands],
    }
    arrays: dict[str, np.ndarray] = {}
    for island in state.islands:
        arrays[f"start{island.index}"] = island.start
        arrays[f"genomes{island.index}"] = island.population.genomes
        arrays[f"objectives{island.index}"] = island.population.objectives
    write_state(path, FORMAT, problem.key, facts, arrays)


def load(path: Path, problem: Problem) -> State:
    """Read what :func:`save` wrote; raise where it is damaged or belongs to another search."""
    facts, arrays = read_state(path, FORMAT, problem.key)
    try:
        return _state(facts, arrays, problem)
    except (ValueError, KeyError) as error:
        raise damaged(path, error) from error


def _state(facts: dict[str, object], arrays: dict[str, np.ndarray], problem: Problem) -> State:
    volumes = tuple(quantity(volume, "a hypervolume") for volume in listed(facts["volumes"], "hypervolumes"))
    generations, credit = listed(facts["generations"], "generations"), listed(facts["credit"], "rates")
    if not len(generations) == len(credit) == problem.effort.islands:
        raise ValueError("it has another number of islands")
    if any(count(done, "a generation") != len(volumes) for done in generations):
        raise ValueError(f"its islands are not at generation {len(volumes)}, to which it has hypervolumes")
    islands = tuple(_island(i, len(volumes), rates, arrays, problem) for i, rates in enumerate(credit))
    return State(islands, quantity(facts["elapsed_s"], "seconds"), count(facts["tried"], "candidates"), volumes)


def _island(i: int, generation: int, rates: object, arrays: dict[str, np.ndarray], problem: Problem) -> Island:
    start, genomes, objectives = (arrays[f"{name}{i}"] for name in ("start", "genomes", "objectives"))
    if genomes.shape[1:] != (problem.space.size,) or objectives.shape != (len(genomes), 2):
        raise ValueError(f"the arrays of island {i} have other shapes")
    if not all(_within(problem.space, genes) for genes in (start, genomes)):
        raise ValueError(f"island {i} has genes out of their bounds")
    if not len(start) or (generation and not len(genomes)):
        raise ValueError(f"island {i} has no start or no members")
    if objectives.dtype != np.float64 or not np.all((objectives >= 0) & np.isfinite(objectives)):
        raise ValueError(f"island {i} has objectives that are no quantities")
    shares = tuple(quantity(rate, "a rate") for rate in listed(rates, "rates"))
    if len(shares) != len(KINDS) or max(shares) > 1:
        raise ValueError(f"island {i} has rates that are none")
    return Island(i, start, generation, Population(genomes, objectives), Rates(shares))


def _within(space: Space, genomes: np.ndarray) -> bool:
    """Return whether the genomes are int64 (members, genes), each gene within its bounds."""
    whole = genomes.dtype == np.int64 and genomes.ndim == 2 and genomes.shape[1] == space.size
    return whole and bool(np.all((genomes >= space.low) & (genomes <= space.high)))
