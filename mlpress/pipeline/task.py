"""The work of a search: the integer level, the gate level, and networks trained anew to compare with."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from mlpress import interrupts, ir
from mlpress.errors import MlpressError
from mlpress.files import write_file
from mlpress.metrics import Metric
from mlpress.pipeline.compile import Options
from mlpress.pipeline.settings import RunOptions, Settings, search_target
from mlpress.pipeline.starts import HURRIED_BITS, MOST_BITS, exact_circuit, starts, trained_anew
from mlpress.progress import Silent, counted
from mlpress.targets import Interfaced

if TYPE_CHECKING:
    from mlpress.approx import (
        Budget,
        Clock,
        Generation,
        IntegerFront,
        SearchProgress,
        gates,
    )
    from mlpress.frontend import Dataset

    class Watcher(SearchProgress, gates.EvolutionProgress, Protocol):
        """What both searches call."""


INTEGER_SHARE = 0.4
"""The integer level's share of the time where both are searched."""

POLISH_SHARE = 0.25
"""The share of the gate level's time for circuits of searched networks, judged as these are."""

TREE_SHARE = 0.15
"""The share of the gate level's time for decision trees that are designs themselves."""

POLISHED = 6
"""The number of networks of the integer level's front whose circuits are evolved so."""

PREPARING_S = (0.6, 4e-4)
"""Seconds that an archive's teacher takes, and that per row: measured on cardio and pendigits."""

HURRIED = 0.2
"""Where teachers would take more of the gate level's time, they are quick, and starts are few."""

QUICK = 0.25
"""A quick teacher's part of the usual one's time; where even these would take more, folds have one archive each."""

LEAST_S = 0.1
"""Seconds of a level for which nothing is left: its first round runs in any case."""

STATE = "mlpress integer state 2"


class WholeTime:
    """Progress that passes on what the searches say, with the time left of the whole command."""

    def __init__(self, watch: Watcher, clock: Clock) -> None:
        self._watch, self._clock = watch, clock
        self.step, self.note, self.warn = watch.step, watch.note, watch.warn

    def generation(self, done: Generation) -> None:
        """Pass on a generation."""
        self._watch.generation(replace(done, left_s=max(self._clock.left_s(), 0.0)))

    def round(self, done: gates.Round) -> None:
        """Pass on a round."""
        self._watch.round(replace(done, left_s=max(self._clock.left_s(), 0.0)))


class Unwatched(Silent):
    """Progress that says nothing."""

    def generation(self, done: Generation) -> None:
        """Say nothing."""

    def round(self, done: gates.Round) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A search's rows, target, settings and progress, which both levels share.

    ``decided`` are the classes that the given model gives to the rows; of ``metrics`` the first one ranks; ``key`` is
    the search's own (:func:`mlpress.pipeline.search_key.search_key`).
    """

    net: ir.Net
    rows: Dataset
    decided: Any
    options: Options
    metrics: tuple[Metric, ...]
    settings: Settings
    key: str
    run: RunOptions
    clock: Clock
    progress: Watcher

    def told(self) -> None:
        """Tell the watcher that an interrupt is kept until there is a design."""
        self.progress.note("interrupted: finishing with what there is; once more ends at once")

    @property
    def gate_costs(self) -> gates.GateCosts:
        """The costs of gates."""
        costs = search_target(self.options).gate_costs(self.metrics[0].name)
        assert costs is not None  # else there is no gate level
        return costs

    @property
    def inputs(self) -> tuple[ir.Input, ...]:
        """The inputs as the target's circuits receive them."""
        target = self.options.target
        return target.receives(self.net.inputs) if isinstance(target, Interfaced) else self.net.inputs

    @property
    def unary(self) -> bool:
        """Whether circuits read comparators, which then count, and which a tree's tests are."""
        return any(feature.interface == "unary" for feature in self.inputs)

    @property
    def hurried(self) -> bool:
        """Whether there is no time for good teachers, nor for many starts."""
        return self._taught_long(1.0)

    def _taught_long(self, part: float) -> bool:
        """Return whether teachers that need this ``part`` of the usual time take more than their share."""
        from mlpress.approx import cores, gates

        if self.clock.seconds is None:
            return False
        usual = gates.GateSearchOptions()
        fixed, per_row = PREPARING_S
        archives = len(usual.augmentations) * (usual.folds + 1) / (self.run.workers or cores())
        share = 1.0 if self.settings.level == "gates" else 1 - INTEGER_SHARE
        seconds = share * (self.clock.seconds - self.clock.end_s)
        return part * archives * (fixed + per_row * len(self.rows)) > HURRIED * seconds

    @property
    def most_bits(self) -> int:
        """No circuit is evolved from a network whose products have more."""
        return HURRIED_BITS if self.hurried else MOST_BITS

    @property
    def labels(self) -> Any:
        """Class indices, int64 (rows,)."""
        return self.rows.labels.astype(np.int64)

    @property
    def coded(self) -> gates.Rows:
        """The rows as input codes and class indices."""
        from mlpress.approx import gates

        codes, places = ir.encode(self.net, self.rows.features), None
        if self.settings.offset_sigma:
            scale, offset = (
                np.array([getattr(each, part) for each in self.net.inputs]) for part in ("scale", "offset")
            )
            places = self.rows.features * scale + offset
        return gates.Rows(codes, self.labels, places)

    @property
    def reference(self) -> float:
        """The given model's accuracy on the rows."""
        return float(np.mean(self.decided == self.rows.labels))

    @property
    def held_rows(self) -> int:
        """Rows that the integer level holds out."""
        from mlpress import approx

        return len(approx.split_rows(self.labels, approx.VALIDATION, self.settings.seed)[1])

    def _budget(self, budget: Budget, share: float) -> Budget:
        """Return a level's own budget: its number of generations where there is one, else a share of the time left."""
        if budget.generations is not None or budget.seconds is None:
            return replace(budget, seconds=None)
        return replace(budget, seconds=max(share * (self.clock.left_s() - self.clock.end_s), LEAST_S))

    def integer_front(self, budget: Budget) -> IntegerFront:
        """Search the integer level; return its front, read back where it ended before an interrupt."""
        from mlpress import approx

        files = self.run.files()
        if self.run.resume and files and files["front"].is_file():
            front = read_front(files["front"], self.key)
            if budget.generations is None or front.generations >= budget.generations:
                return front
        resume = self.run.resume and bool(files) and files["integer"].is_file()
        front = approx.search(
            self.net,
            self.rows.features,
            self.labels,
            cast("Any", search_target(self.options).cost_model),
            self.metrics,
            self._budget(budget, INTEGER_SHARE if self.settings.level == "both" else 1.0),
            limits=self.settings.limits or approx.Limits(),
            seed=self.settings.seed,
            workers=self.run.workers,
            decided=self.decided,
            checkpoint=files.get("integer"),
            resume=resume,
            cluster=self.run.cluster,
            progress=self.progress,
        )
        if files and front.stopped != "interrupted":
            write_file(files["front"], json.dumps({"format": STATE, "key": self.key, "front": front.to_json()}) + "\n")
        return front

    def retrained(self) -> gates.Retrained | None:
        """Return the accuracies of networks of the model's shape, trained anew on folds; ``None`` for a large one."""
        from mlpress.approx import gates

        if self.net.product_bits > self.most_bits:
            return None
        self.progress.step("train networks of the model's own shape, to compare the model with")
        with interrupts.allowed():
            like = replace(trained_anew(self.net), tries=1) if self.hurried else trained_anew(self.net)
            judged = 1 if self.hurried else 4
            anew = gates.retrained_accuracy(like, self.coded, self.decided, judged=judged, seed=self.settings.seed)
        if anew.fit < self.reference - gates.AS_GOOD:
            self.progress.note(
                f"networks of this shape trained anew reach {anew.fit:.1%} of their own rows where the model has "
                f"{self.reference:.1%}: circuits are judged from the model itself, which may have seen the rows"
            )
        if self.poor(anew):
            self.progress.note(
                f"networks of this shape trained anew reach {anew.fit:.1%} of their own rows where the model has "
                f"{self.reference:.1%}: circuits start from such networks"
            )
        return anew

    def optimism(self, anew: gates.Retrained | None) -> float:
        """Return the bias of the model's accuracy on the rows, by networks ``anew``; 0 where they fail."""
        from mlpress.approx import gates

        if anew is None or anew.fit < self.reference - gates.AS_GOOD:
            return 0.0
        return max(anew.given - anew.held_out, 0.0)

    def poor(self, anew: gates.Retrained | None) -> bool:
        """Return whether networks ``anew`` are far better than the model, on rows that they have seen."""
        from mlpress.approx import gates

        return anew is not None and anew.fit > self.reference + gates.AS_GOOD

    def gate_front(
        self, budget: Budget, integer: IntegerFront | None, optimism: float, *, poor: bool = False
    ) -> gates.CircuitFront:
        """Evolve circuits; return the gate level's front.  ``poor`` is as in :func:`mlpress.pipeline.starts.starts`."""
        from mlpress.approx import gates, now

        gate_file = self.run.files().get("gates")
        rows, net = self.coded, self.net
        most = None if self.settings.limits is None else self.settings.limits.most.get(self.metrics[0].name)
        costs = self.gate_costs
        trees, note = self.settings.start_tree or self.unary, self.progress.note
        begin = starts(net, integer, trees=trees, few=self.hurried, poor=poor, inputs=self.inputs, note=note)
        room = max((len(start.circuit.ands) for start in begin if isinstance(start, gates.FixedStart)), default=0)
        if most is not None:
            room = min(room, int(gates.MARGIN * most / costs.step / costs.unit))
        prices, sigma = gates.prices_for(len(rows), room), self.settings.offset_sigma
        effort = gates.GateSearchOptions(prices=prices, power=self.settings.power_weight, offset_sigma=sigma)
        if self.hurried:
            effort = replace(effort, quick_teacher=True)
            if self._taught_long(QUICK):
                effort = replace(effort, augmentations=effort.augmentations[:1])
        since = now()
        fitted = self._tree_designs(costs, sigma, budget) if self.unary else []
        more = [] if integer is None else self._polished(integer, costs, effort, budget, optimism)
        took = now() - since
        evolved = gates.evolve(
            self.inputs,
            net.classes,
            rows,
            begin,
            costs,
            self.metrics,
            self._budget(budget, 1.0),
            reference=self.reference,
            most_cost=most,
            effort=effort,
            seed=self.settings.seed,
            workers=self.run.workers,
            checkpoint=gate_file,
            resume=self.run.resume and gate_file is not None and gate_file.is_file(),
            cluster=self.run.cluster,
            progress=self.progress,
        )
        if self.unary:
            better = gates.against_trees([*evolved.designs, *more], fitted, self.metrics[0].name)
            evolved, more = replace(evolved, designs=tuple(better)), fitted
        return replace(evolved.joined(more), elapsed_s=evolved.elapsed_s + took)

    def _tree_designs(self, costs: gates.GateCosts, sigma: float, budget: Budget) -> list[gates.CircuitDesign]:
        """Return trees of many sizes as designs, the small ones first, as far as their share of the time goes."""
        from mlpress.approx import gates, now

        until = now() + TREE_SHARE * (self.clock.left_s() - self.clock.end_s) if budget.timed else inf
        self.progress.step("fit trees, which circuits must beat")
        points = gates.tree_points(
            *(self.inputs, self.net.classes, self.coded, costs),
            seed=self.settings.seed,
            sizes=gates.FINE_LEAVES,
            until=until,
            offset_sigma=sigma,
        )
        return gates.tree_designs(points, costs, self.metrics[0].name)

    def _polished(
        self,
        integer: IntegerFront,
        costs: gates.GateCosts,
        effort: gates.GateSearchOptions,
        budget: Budget,
        optimism: float,
    ) -> list[gates.CircuitDesign]:
        """Evolve circuits of the integer level's networks on the rows that these learned from."""
        from mlpress import approx
        from mlpress.approx import gates

        known = approx.unbeaten(
            approx.designs_of(integer, self.reference, self.held_rows, optimism), self.metrics[0].name
        )
        nets = [(each.number, integer.net(integer.designs[each.number])) for each in reversed(known)]
        like = [(k, net) for k, net in nets if net.inputs == self.net.inputs and net.product_bits <= self.most_bits]
        if not like:
            return []
        picks = sorted({round(i * (len(like) - 1) / (POLISHED - 1)) for i in range(POLISHED)})
        fit, held = approx.split_rows(self.labels, approx.VALIDATION, self.settings.seed)
        share = POLISH_SHARE * (self.clock.left_s() - self.clock.end_s) if budget.timed else inf
        began = approx.now()
        chosen: list[gates.FixedStart] = []
        for k, net in (like[i] for i in picks):  # the most accurate first
            if chosen and approx.now() > began + 0.25 * share:
                break
            chosen.append(gates.FixedStart(f"searched design {k}", exact_circuit(net, self.inputs)))
        self.progress.step(f"evolve the circuits of {counted(len(chosen), 'searched network')}")
        with interrupts.allowed():
            found = gates.polished(
                self.coded.take(fit),
                self.coded.take(held),
                chosen,
                costs,
                self.metrics[0].name,
                effort,
                moved=self.reference - integer.reference,
                optimism=optimism,
                seed=self.settings.seed,
                until=began + share,
            )
        return [replace(each, held_right=self._among_all(each, held)) for each in found]

    def _among_all(self, design: gates.CircuitDesign, held: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what ``design`` decides rightly of the rows ``held``, among all rows."""
        right = np.full(len(self.rows), np.nan)
        right[held] = design.held_right
        return right


def read_front(path: Path, key: str) -> IntegerFront:
    """Return the integer level's front of the search with this key; raise where the file is another's."""
    from mlpress.approx import IntegerFront

    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        form, owner, text = facts["format"], facts["key"], facts["front"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MlpressError(f"{path} is no state of this version ({error}); start the search anew") from error
    if form != STATE or not isinstance(text, str):
        raise MlpressError(f"{path} is no state of this version (its format is {form!r}); start the search anew")
    if owner != key:
        raise MlpressError(
            f"{path} belongs to a search with other data, options or model; resume with the same ones, or start anew"
        )
    return IntegerFront.from_json(text)
