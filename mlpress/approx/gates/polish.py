"""Circuits of searched networks, made smaller gate by gate on the rows that the networks learned from.

Archives of folds cannot start from such a network, which has seen their held-out rows, and their substitutes say little
of its circuit.  So these circuits are judged as the networks are: on the rows held out of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np

from mlpress.approx.common.teacher import Augmentation
from mlpress.approx.gates.advance import material_of, right_rows, sweep, wrong_rows
from mlpress.approx.gates.archive import Member, with_members
from mlpress.approx.gates.cells import GateCosts
from mlpress.approx.gates.evolution import near_area, near_weights
from mlpress.approx.gates.front import CircuitDesign
from mlpress.approx.gates.problem import GateProblem, GateSearchOptions
from mlpress.approx.gates.rows import Rows, pack_rows
from mlpress.approx.gates.starts import FixedStart
from mlpress.approx.gates.whole import pruned

AUGMENTATION: Augmentation = "moved"
"""The augmentation of the integer level's rows."""


def polished(
    fit: Rows,
    held: Rows,
    starts: Sequence[FixedStart],
    costs: GateCosts,
    metric: str,
    effort: GateSearchOptions,
    *,
    moved: float = 0.0,
    optimism: float = 0.0,
    seed: int = 0,
    until: float = inf,
) -> list[CircuitDesign]:
    """Anneal down from each of ``starts``, which have not seen the rows ``held``; return the circuits, small first.

    ``costs`` are in the metric of the name ``metric``.  Every start is annealed at each of the effort's prices in turn,
    on the rows ``fit``, and takes no more than its share of the time until the moment ``until`` (of
    :func:`mlpress.approx.now`).  Accuracies are those of circuits of similar area on ``held``, plus ``moved``;
    ``optimism`` is theirs where the starts may have seen those rows.
    """
    circuit = starts[0].circuit
    problem = GateProblem(
        circuit.inputs,
        circuit.classes,
        fit,
        tuple(starts),
        costs,
        replace(effort, augmentations=(AUGMENTATION,)),
        seed,
    )
    material = material_of(problem, fit, held, AUGMENTATION)
    members: tuple[Member, ...] = ()
    for k, start in enumerate(starts):
        rng = np.random.default_rng((seed, k, 8))
        members = with_members(members, sweep(problem, material, start.circuit, k, rng, until, len(starts) - k))
    seen = pack_rows(problem.inputs, len(problem.classes), fit)
    area = np.array([problem.area(member) for member in members], np.int64)
    wrong = near_area(area, area, np.array([member.held for member in members], np.int64))
    accuracy = np.clip(1 - wrong / len(held) + moved, 0.0, 1.0).tolist()
    right = np.array([right_rows(problem, member.genome, held) for member in members])
    rights = near_weights(area, area) @ right
    left = [pruned(member.genome, problem.inputs) for member in members]
    return [
        CircuitDesign(
            circuit=genome.to_circuit(inputs, problem.classes),
            hint=costs.written(genome, inputs),
            start=starts[member.start].name,
            augmentation=AUGMENTATION,
            fit_accuracy=1 - wrong_rows(problem, member.genome, seen) / len(fit),
            validation_accuracy=share,
            model={metric: size * costs.step},
            validation_rows=len(held),
            optimism=optimism,
            held_right=shares,
        )
        for member, (genome, inputs), size, share, shares in zip(
            members, left, area.tolist(), accuracy, rights, strict=True
        )
    ]
