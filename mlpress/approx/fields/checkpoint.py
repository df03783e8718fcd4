"""The state of a search over fields on disk: arrays and JSON, nothing that runs on load, written whole or not."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np

from mlpress.approx.common.state_file import damaged, read_state, write_state
from mlpress.approx.fields.space import FieldSpace, Ints
from mlpress.approx.integer.nsga import KINDS, Population, Rates

FORMAT = "mlpress field search 1"


@dataclass(frozen=True, slots=True, eq=False)
class FieldState:
    """A search between two generations.

    ``same`` generations have not changed the front, ``elapsed_s`` seconds were used, and ``tried`` are all genomes so
    far, int64 (fields, genes).
    """

    population: Population
    rates: Rates
    generation: int
    same: int
    elapsed_s: float
    tried: Ints


def save(path: Path, key: str, state: FieldState) -> None:
    """Write ``state`` to ``path`` in place of an older one."""
    facts = {
        "generation": state.generation,
        "same": state.same,
        "elapsed_s": state.elapsed_s,
        "credit": state.rates.credit,
    }
    arrays = {"genomes": state.population.genomes, "objectives": state.population.objectives, "tried": state.tried}
    write_state(path, FORMAT, key, facts, arrays)


def load(path: Path, key: str, space: FieldSpace) -> FieldState:
    """Read what :func:`save` wrote; raise where it is damaged or belongs to another search."""
    facts, arrays = read_state(path, FORMAT, key)
    try:
        genomes, objectives, tried = arrays["genomes"], arrays["objectives"], arrays["tried"]
        for genes in (genomes, tried):
            if genes.ndim != 2 or genes.shape[1] != space.size or not len(genes):
                raise ValueError("its genomes have another shape")
            if genes.dtype != np.int64 or np.any((genes < space.low) | (genes > space.high)):
                raise ValueError("a gene is out of its bounds")
        if objectives.shape != (len(genomes), 2) or not np.isfinite(objectives.astype(np.float64)).all():
            raise ValueError("its objectives have another shape, or are no numbers")
        credit = tuple(float(value) for value in facts["credit"])
        numbers = [float(facts[name]) for name in ("generation", "same", "elapsed_s")]
        if len(credit) != len(KINDS) or not all(isfinite(value) and value >= 0 for value in (*credit, *numbers)):
            raise ValueError("a number of it is none")
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error) from error
    generation, same, elapsed = numbers
    population = Population(genomes, objectives.astype(np.float64))
    return FieldState(population, Rates(credit), int(generation), int(same), elapsed, tried)
