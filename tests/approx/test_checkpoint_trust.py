"""Checkpoints under a valid key may have been changed by anybody: what no search writes is one line."""

from __future__ import annotations

from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.checkpoints import changed, gate_kept, gate_problem, integer_kept, integer_problem

from mlpress.approx.gates import checkpoint as gate_checkpoint
from mlpress.approx.gates.problem import GateProblem
from mlpress.approx.integer import checkpoint as integer_checkpoint
from mlpress.approx.integer.islands import Problem
from mlpress.errors import MlpressError


@pytest.fixture(scope="module")
def problem() -> Problem:
    return integer_problem()


@pytest.fixture(scope="module")
def evolution() -> GateProblem:
    return gate_problem()


def refused(load: Any, path: Path, problem: Any) -> None:
    with pytest.raises(MlpressError, match="is no checkpoint of this version") as caught:
        load(path, problem)
    assert "\n" not in str(caught.value)


def test_what_was_saved_is_read(problem: Problem, evolution: GateProblem, tmp_path: Path) -> None:
    state = integer_checkpoint.load(integer_kept(tmp_path / "i.npz", problem), problem)
    assert (state.generation, state.tried, len(state.islands)) == (2, 32, 2)
    archives = gate_checkpoint.load(gate_kept(tmp_path / "g.npz", evolution), evolution).archives
    assert [(len(one.members), one.moves) for one in archives] == [(1, 100)] * 3


FACTS: dict[str, dict[str, Any]] = {
    "negative generations": {"generations": [-1, 2]},
    "generations of others": {"generations": [3, 3]},
    "half generations": {"generations": [2.5, 2.5]},
    "bools": {"generations": [True, True]},
    "no volumes": {"volumes": []},
    "NaN volumes": {"volumes": [nan, 0.1]},
    "NaN seconds": {"elapsed_s": nan},
    "seconds of text": {"elapsed_s": "1"},
    "infinite candidates": {"tried": inf},
    "rates of text": {"credit": ["0.5", [0.5] * 4]},
    "NaN rates": {"credit": [[nan] * 4, [0.5] * 4]},
    "rates above 1": {"credit": [[9.0] * 4, [0.5] * 4]},
}


@pytest.mark.parametrize("how", FACTS)
def test_facts_that_no_integer_search_writes(problem: Problem, tmp_path: Path, how: str) -> None:
    path = integer_kept(tmp_path / "kept.npz", problem)
    changed(path, {}, FACTS[how])
    refused(integer_checkpoint.load, path, problem)


def test_arrays_that_no_integer_search_writes(problem: Problem, tmp_path: Path) -> None:
    genes = problem.space.low
    low = np.tile(genes, (3, 1))
    none = np.zeros((0, len(genes)), np.int64)
    for arrays in (
        {"objectives0": np.full((3, 2), nan)},
        {"objectives1": np.full((3, 2), -1.0)},
        {"objectives0": np.full((3, 2), inf)},
        {"objectives0": np.full((3, 2), 0.5 + 0j)},
        {"genomes0": low + 0j},
        {"genomes0": low.astype(np.float64)},
        {"genomes0": none, "objectives0": np.zeros((0, 2))},
        {"start0": none},
        {"start1": np.array(0)},
        {"start1": low[:, 1:]},
        {"start1": low.astype(bool)},
    ):
        path = integer_kept(tmp_path / "kept.npz", problem)
        changed(path, arrays, {})
        refused(integer_checkpoint.load, path, problem)


def test_what_no_evolution_writes(evolution: GateProblem, tmp_path: Path) -> None:
    member = [1.0, 7, 3, 0]

    def members(*one: Any) -> dict[str, Any]:
        return {"members": [[[*one]], [member], [member]]}

    facts: list[dict[str, Any]] = [
        {"moves": [-1, 0, 0]},
        {"moves": [inf, 0, 0]},
        {"energies": [nan]},
        {"energies": 3},
        {"elapsed_s": -1.0},
        {"members": [[], [member], [member]]},
        {"members": [3, [member], [member]]},
        members(nan, 7, 3, 0),
        members(1.0, -7, 3, 0),
        members(1.0, inf, 3, 0),
        members(1.0, 7, 3, 1),
        members(1.0, 7, 3),
    ]
    for one in facts:
        path = gate_kept(tmp_path / "kept.npz", evolution)
        changed(path, {}, one)
        refused(gate_checkpoint.load, path, evolution)
    for array in (np.array([2, 3], np.int32), np.array([2 + 0j]), np.array(2, np.int32), np.zeros(0, np.int32)):
        path = gate_kept(tmp_path / "kept.npz", evolution)
        changed(path, {"outputs 0 0": array}, {})
        refused(gate_checkpoint.load, path, evolution)
