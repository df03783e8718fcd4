"""Checkpoints of both levels' searches, made by hand in no time, and their problems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from support import egfet, small_search

from mlpress import ir
from mlpress.approx import Effort, Space
from mlpress.approx.gates import GateSearchOptions, Rows, Tree
from mlpress.approx.gates import checkpoint as gate_checkpoint
from mlpress.approx.gates.archive import Archive, Member
from mlpress.approx.gates.genome import Genome
from mlpress.approx.gates.problem import GateProblem
from mlpress.approx.integer import checkpoint as integer_checkpoint
from mlpress.approx.integer.islands import Island, Problem
from mlpress.approx.integer.nsga import Population, Rates
from mlpress.npz import npz_bytes, read_npz_bytes

SMALL = Genome(12, np.array([7], np.uint8), np.array([[2, 5]], np.int32), np.array([14], np.int32))
"""A NAND of two input bits."""
INPUTS = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0) for k in range(4))


def integer_problem() -> Problem:
    space = Space.of(small_search.net())
    features, labels = small_search.rows()
    effort = Effort(islands=2, size=16, offspring=8, steps=50)
    return Problem(space, egfet.cost_model(space.layout), features.astype(np.int64), labels, effort, 0)


def integer_kept(path: Path, problem: Problem) -> Path:
    """A checkpoint after two generations."""
    low = np.tile(problem.space.low, (3, 1))
    islands = []
    for k in range(2):
        islands.append(Island(k, low, 2, Population(low, np.full((3, 2), 0.5)), Rates()))
    integer_checkpoint.save(path, problem, integer_checkpoint.State(tuple(islands), 1.5, 32, (0.1, 0.2)))
    return path


def gate_problem() -> GateProblem:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 8, (240, 4))
    rows = Rows(codes, (codes[:, 0] + codes[:, 1] > codes[:, 2] + 3).astype(np.int64))
    effort = GateSearchOptions(prices=(2.0, 1.0), visits=100, draws=(8, 8, 4), folds=2, augmentations=("rows",))
    return GateProblem(INPUTS, (0, 1), rows, (Tree(INPUTS, (0, 1), 20),), egfet.gate_costs(), effort, 0)


def gate_kept(path: Path, problem: GateProblem) -> Path:
    """A checkpoint after one round, with the same small circuit in every archive."""
    member = Member(SMALL, 1.0, 7, 3, 0)
    archives = tuple(Archive(k, 1, 100, (member,)) for k in range(problem.archives))
    gate_checkpoint.save(path, problem, gate_checkpoint.GateState(archives, 2.5, (3.0,)))
    return path


def changed(path: Path, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
    """Write a checkpoint anew with other arrays and facts, under the same key."""
    kept: dict[str, Any] = read_npz_bytes(path.read_bytes())
    told = json.loads(str(kept["facts"])) | facts
    path.write_bytes(npz_bytes(kept | {"facts": np.array(json.dumps(told))} | arrays))
