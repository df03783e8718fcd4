"""The state of a search on disk: arrays and JSON, nothing that runs on load, written whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlpress.approx.common.state_file import damaged, read_state, write_state
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
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error) from error


def _state(facts: dict[str, object], arrays: dict[str, np.ndarray], problem: Problem) -> State:
    islands = []
    generations, credit = _numbers(facts["generations"]), facts["credit"]
    if not isinstance(credit, list) or not len(generations) == len(credit) == problem.effort.islands:
        raise ValueError("it has another number of islands")
    for i, (generation, rates) in enumerate(zip(generations, credit, strict=True)):
        start, genomes, objectives = (arrays[f"{name}{i}"] for name in ("start", "genomes", "objectives"))
        if genomes.shape[1:] != (problem.space.size,) or objectives.shape != (len(genomes), 2):
            raise ValueError(f"the arrays of island {i} have other shapes")
        if not all(_within(problem.space, genes) for genes in (start, genomes)):
            raise ValueError(f"island {i} has genes out of their bounds")
        population = Population(genomes.astype(np.int64), objectives.astype(np.float64))
        shares = tuple(_numbers(rates))
        if len(shares) != len(KINDS):
            raise ValueError(f"island {i} has {len(shares)} rates")
        islands.append(Island(i, start.astype(np.int64), int(generation), population, Rates(shares)))
    (elapsed,), (tried,) = _numbers([facts["elapsed_s"]]), _numbers([facts["tried"]])
    return State(tuple(islands), elapsed, int(tried), tuple(_numbers(facts["volumes"])))


def _within(space: Space, genomes: np.ndarray) -> bool:
    return genomes.ndim == 2 and bool(np.all((genomes >= space.low) & (genomes <= space.high)))


def _numbers(values: object) -> Sequence[float]:
    if not isinstance(values, list):
        raise ValueError(f"{values!r} is no list")
    return [float(value) for value in values]
