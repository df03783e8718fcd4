"""Circuits of searched networks, made smaller gate by gate on the rows that the networks learned from.

Archives of folds cannot start from such a network, which has seen their held-out rows, and what they start from in its
place says little of its circuit.  So these circuits are judged as the networks are: on the rows held out of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np

from mlpress.approx.common.teacher import Lesson
from mlpress.approx.gates.advance import material_of, sweep, wrong_rows
from mlpress.approx.gates.archive import Member, with_members
from mlpress.approx.gates.cells import GateCosts
from mlpress.approx.gates.evolution import near_area
from mlpress.approx.gates.front import CircuitDesign
from mlpress.approx.gates.problem import GateEffort, GateProblem
from mlpress.approx.gates.rows import Rows, pack_rows
from mlpress.approx.gates.starts import Given
from mlpress.approx.gates.whole import pruned

LESSON: Lesson = "moved"
"""The integer level's."""


def polished(
    fit: Rows,
    held: Rows,
    starts: Sequence[Given],
    costs: GateCosts,
    metric: str,
    effort: GateEffort,
    *,
    moved: float = 0.0,
    optimism: float = 0.0,
    seed: int = 0,
    until: float = inf,
) -> list[CircuitDesign]:
    """The circuits on the way down from each of ``starts``, which have not seen the rows ``held``; small first.

    ``costs`` are in the metric of the name ``metric``.  Every start is annealed at each of the effort's prices in turn,
    on the rows ``fit``, and takes no more than its share of the time until the moment ``until`` (of
    :func:`mlpress.approx.now`).  Accuracies are what circuits of like area have on ``held``, and ``moved`` is added to
    them; ``optimism`` is theirs where the starts may have seen those rows.
    """
    circuit = starts[0].made
    problem = GateProblem(
        circuit.inputs,
        circuit.classes,
        fit,
        tuple(starts),
        costs,
        replace(effort, lessons=(LESSON,)),
        seed,
    )
    material = material_of(problem, fit, held, LESSON)
    members: tuple[Member, ...] = ()
    for k, start in enumerate(starts):
        rng = np.random.default_rng((seed, k, 8))
        members = with_members(members, sweep(problem, material, start.made, k, rng, until, len(starts) - k))
    seen = pack_rows(problem.inputs, len(problem.classes), fit)
    area = np.array([problem.area(member.genome) for member in members], np.int64)
    wrong = near_area(area, area, np.array([member.held for member in members], np.int64))
    accuracy = np.clip(1 - wrong / len(held) + moved, 0.0, 1.0).tolist()
    left = [pruned(member.genome, problem.inputs) for member in members]
    return [
        CircuitDesign(
            circuit=genome.to_circuit(inputs, problem.classes),
            hint=costs.written(genome, inputs),
            start=starts[member.start].name,
            lesson=LESSON,
            fit_accuracy=1 - wrong_rows(problem, member.genome, seen) / len(fit),
            validation_accuracy=share,
            model={metric: size * costs.step},
            validation_rows=len(held),
            optimism=optimism,
        )
        for member, (genome, inputs), size, share in zip(members, left, area.tolist(), accuracy, strict=True)
    ]
