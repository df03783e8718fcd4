"""The measured cost of the designs of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from mlpress import ir
from mlpress.pipeline.compile import Options
from mlpress.pipeline.settings import search_target
from mlpress.pipeline.task import Task
from mlpress.progress import counted
from mlpress.targets import Cost

if TYPE_CHECKING:
    from mlpress.approx import Candidate, IntegerFront, MergedDesign, MergedFront, gates
    from mlpress.frontend import Dataset


def measured(
    program: ir.Net | ir.Circuit, rows: Dataset, options: Options, hint: str | None = None, *, quick: bool = False
) -> Cost:
    """Return the measured cost of a program on its rows; ``quick`` takes the ``hint`` of a search as it is."""
    return search_target(options).measure(program, ir.encode(program, rows.features), hint or None, quick)


def _with_cost(design: Candidate | gates.CircuitDesign, cost: Cost | None) -> Candidate | gates.CircuitDesign:
    """Return a design with its measured cost, where that is known."""
    if cost is None:
        return replace(design, measured=None)
    return replace(design, measured=dict(cost.values), beside=dict(cost.facts.get("beside", {})))


def measured_fronts(
    task: Task, integer: IntegerFront | None, evolved: gates.CircuitFront | None, optimism: float
) -> tuple[IntegerFront | gates.CircuitFront, MergedFront | None]:
    """Return the last level's front, and that of both where both were searched, measured as far as time allows."""
    from mlpress import approx

    fronts = [front for front in (integer, evolved) if front is not None]
    reference = fronts[-1].reference
    designs = [each for front in fronts for each in approx.designs_of(front, reference, task.held_rows, optimism)]
    if len(fronts) > 1:
        designs = approx.unbeaten(designs, task.metrics[0].name, approx.COST_SLACK)
    wanted = reference - (0.0 if task.settings.limits is None else task.settings.limits.max_loss or 0.0)
    designs.sort(key=lambda each: abs(each.validation_accuracy - wanted))
    task.progress.step(f"measure the front ({counted(len(designs), 'design')})")
    costs = _costs(task, designs, integer)
    found = [replace(each, source=_with_cost(each.source, costs[id(each)])) for each in designs]
    whole = {(str(each.level), each.number): each.source for each in found}
    level = "integer" if evolved is None else "gates"
    front = fronts[-1]
    sources = tuple(whole.get((level, k), design) for k, design in enumerate(front.designs))
    front = replace(front, designs=cast("Any", sources))
    if len(fronts) == 1:
        return front, None
    return front, approx.merge(found, reference, task.metrics)


def _costs(task: Task, designs: Sequence[MergedDesign], integer: IntegerFront | None) -> dict[int, Cost | None]:
    """Return the cost of each design, by identity; where time runs out, that of a circuit's hint, or none."""
    from mlpress.approx import now

    known: dict[ir.Net, Cost] = {}
    expected_s = search_target(task.options).expected_s
    costs: dict[int, Cost | None] = {}
    slowest = 0.0
    left = 0
    for each in designs:
        since = now()
        left_s = task.clock.left_s() - task.clock.chosen_s
        net = None if integer is None or each.level != "integer" else integer.net(cast("Any", each.source))
        program = cast("gates.CircuitDesign", each.source).circuit if net is None else net
        quick = left_s < max(1.5 * slowest, expected_s(program))
        left += quick
        if net is not None:
            if net not in known and not quick:
                known[net] = measured(net, task.rows, task.options)
            costs[id(each)] = known.get(net)
        else:
            source = cast("gates.CircuitDesign", each.source)
            costs[id(each)] = measured(source.circuit, task.rows, task.options, source.hint, quick=quick)
        slowest = max(slowest, 0.0 if quick else now() - since)
    if left:
        task.progress.note(
            f"{left} of the front's {len(designs)} designs were not measured, for want of time: circuits have "
            "the cost of their own gates, networks the cost model's"
        )
    return costs
