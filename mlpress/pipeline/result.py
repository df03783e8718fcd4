"""The result of a search, and the design that is chosen of it.

The rule (``docs/search.md`` has it in full): losses count from the given model's accuracy on the rows of the search,
designs are chosen by their accuracy on rows held out of them, and test rows only check the choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpress import ir
from mlpress.design import Design
from mlpress.metrics import Metric
from mlpress.pipeline import suspicions
from mlpress.pipeline.accuracy import accuracy, with_intervals
from mlpress.pipeline.compile import Options, build_design
from mlpress.pipeline.measuring import measured
from mlpress.pipeline.points import landmarks, published_facts, search_points
from mlpress.pipeline.preparation import Prepared
from mlpress.pipeline.settings import search_target
from mlpress.progress import Progress, recorded

if TYPE_CHECKING:
    from mlpress.approx import (
        Candidate,
        Clock,
        FieldFront,
        IntegerFront,
        Limits,
        Loss,
        MergedDesign,
        MergedFront,
        gates,
    )
    from mlpress.frontend import Dataset
    from mlpress.pipeline.field_search import FieldSearch
    from mlpress.report import Point

    Judged = Candidate | gates.CircuitDesign | MergedDesign

OVERTIME, OVERTIME_S = 0.1, 5.0
"""How much longer than its budget a search may take: a tenth of it, or 5 seconds."""

WRITE_S = 4.0
"""What follows verification, seconds: with 100,000 rows its figures, pictures and report took so long."""

THOROUGH_END_S = 40.0
"""With less time for the end of a search, the chosen design is synthesised as the front is."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """A searched front over a model's rows; every member becomes a verified :class:`Design` when it is asked for.

    ``front`` is that of the last level searched, ``integer`` that of the integer level where it was another, and
    ``merged`` the front of both then.  ``trees`` are decision trees to compare with; ``prepared`` holds the model, its
    quantised net and all rows.  ``rows`` are those that were searched with, and validation accuracies were counted on
    ``validation_rows`` of them; ``retrained`` are accuracies of networks of the model's shape on unseen rows, where
    these were trained.  ``search`` are the facts of the search, ``limits`` those that it was given.  ``warnings`` were
    given during it; ``progress`` hears of those about a single design.  ``clock`` says what time is left.
    """

    front: IntegerFront | gates.CircuitFront
    integer: IntegerFront | None
    merged: MergedFront | None
    trees: Sequence[gates.TreePoint]
    prepared: Prepared
    rows: Dataset
    validation_rows: int
    retrained: float | None
    search: Mapping[str, Any]
    options: Options
    limits: Limits
    clock: Clock
    warnings: Sequence[str]
    progress: Progress

    @property
    def exact(self) -> ir.Net:
        """The quantised net, before any search."""
        return self.prepared.quantised.net

    @property
    def dataset(self) -> Dataset:
        """All rows that the search was given."""
        return self.prepared.rows

    @property
    def test(self) -> Dataset | None:
        """Rows that only state accuracies and warn."""
        return self.prepared.tests

    @property
    def reference(self) -> float:
        """The accuracy that losses count from."""
        return (self.merged or self.front).reference

    @property
    def metric(self) -> Metric:
        """The metric that ranks designs."""
        return self.front.metric

    def price(self, judged: Judged) -> float:
        """Return the cost of a design in the metric that ranks."""
        return judged.cost[self.metric.name]

    def chosen(self) -> Design:
        """Return the design that the search was asked for: :meth:`smallest` within its limits."""
        return self.smallest(max_loss=self.limits.max_loss, most=self.limits.most)

    def smallest(self, *, max_loss: float | None = 0.01, most: Mapping[str, float] | None = None) -> Design:
        """Return the cheapest design within ``max_loss`` of the reference, on rows held out of it, and within ``most``.

        ``max_loss=None`` takes the most accurate one within the limits, which are by metric name.  Where the search
        found none, that is the most accurate one within them, or without limits the exact circuit itself.  A loss that
        may be larger than allowed is a warning.
        """
        designs: Sequence[Judged] = (self.merged or self.front).designs
        (self.merged or self.front).within(most or {})  # raises where there is none
        within = self.within(most)
        enough = [
            each for each in within if max_loss is not None and each.validation_accuracy >= self.reference - max_loss
        ]
        if enough:
            best = min(enough, key=lambda each: (self.price(each), -each.validation_accuracy))
        elif not most and max_loss is not None and self._in_time(self.exact):
            self.progress.note(self._why_exact(designs, max_loss))
            return self._exact(max_loss)
        else:
            best = self._in_time_for(within)
        return self.design(best, max_loss)

    def within(self, most: Mapping[str, float] | None = None) -> list[Judged]:
        """Return the designs within ``most``, by metric name, the highest-ranking first; of equals the cheapest."""
        from mlpress.approx import allows

        designs: Sequence[Judged] = (self.merged or self.front).designs
        found = [each for each in designs if allows(most or {}, each.cost)]
        return sorted(found, key=lambda each: (-each.ranking, self.price(each)))

    def program(self, judged: Judged) -> ir.Net | ir.Circuit:
        """Return the network or circuit of one member of a front."""
        from mlpress.approx import Candidate, IntegerFront, MergedDesign

        source = judged.source if isinstance(judged, MergedDesign) else judged
        if not isinstance(source, Candidate):
            return source.circuit
        front = self.front if isinstance(self.front, IntegerFront) else self.integer
        assert front is not None  # a candidate comes from an integer front
        return front.net(source)

    def _in_time_for(self, designs: Sequence[Judged]) -> Judged:
        """Return the first of ``designs`` that there is time to build, or the one that is built soonest.

        A budget may be :data:`OVERTIME` longer, so that there is time for something where it has run out.
        """
        left_s = max(self.clock.left_s(), OVERTIME_S, OVERTIME * (self.clock.seconds or 0.0))
        expected = [search_target(self.options).expected_s(self.program(each)) for each in designs]
        first = next((k for k, seconds in enumerate(expected) if seconds <= left_s), int(np.argmin(expected)))
        return designs[first]

    def _in_time(self, program: ir.Net | ir.Circuit) -> bool:
        """Return whether there is time to build a program."""
        return self.clock.left_s() >= search_target(self.options).expected_s(program)

    def _why_exact(self, designs: Sequence[Judged], max_loss: float) -> str:
        best = max(each.validation_accuracy for each in designs)
        anew = self.retrained
        known = f"; networks trained anew reach {anew:.1%} on rows that they have not seen" if anew is not None else ""
        return (
            f"the exact network is taken: no smaller design is within {max_loss:.1%} of the model's "
            f"{self.reference:.1%} (the best has {best:.1%} on rows held out of it{known}); if the model was trained "
            "on these rows, its own accuracy is biased upwards, and a larger --max-loss is fair"
        )

    def design(self, judged: Judged, max_loss: float | None = None) -> Design:
        """Build and verify one member of a front."""
        from mlpress.approx import Candidate, MergedDesign

        candidate, program = judged.source if isinstance(judged, MergedDesign) else judged, self.program(judged)
        if isinstance(candidate, Candidate):
            return self._built(program, judged, max_loss, None, from_level="integer", genes=list(candidate.genes))
        facts = {"from_level": "gates", "start": candidate.start, "lesson": candidate.augmentation}
        return self._built(program, judged, max_loss, candidate.hint, **facts)

    def _exact(self, max_loss: float | None) -> Design:
        return self._built(self.exact, None, max_loss, None)

    def _built(
        self,
        program: ir.Net | ir.Circuit,
        chosen: Judged | None,
        max_loss: float | None,
        hint: str | None,
        **searched: Any,
    ) -> Design:
        rows, (progress, warnings) = self.rows, recorded(self.progress)
        accuracies = self._accuracy_facts(program, chosen, max_loss, progress)
        for text in suspicions.of_test(accuracies):
            progress.warn(text)
        design = build_design(
            program,
            rows.features,
            rows.labels,
            self._shipped(program),
            hint=hint or None,
            optional_until=monotonic() + self.clock.left_s() - WRITE_S,
            progress=progress,
        )
        facts: dict[str, Any] = {
            "source": dict(self.prepared.source),
            "accuracy": accuracies,
            "front": search_points(self, chosen),
            "landmarks": landmarks(self),
            "search": dict(self.search) | searched,
            **({"tree": self._tree(accuracies["validation"])} if self.trees else {}),
            "warnings": [*self.warnings, *warnings],
        }
        made = design.with_facts(design.facts | facts)
        return replace(made, kept=self.prepared.kept(), extra=kept_fronts(self))

    def judging_rows(self, design: Judged) -> int:
        """Return the rows that state a design's validation accuracy."""
        from mlpress.approx import Candidate, MergedDesign

        source = design.source if isinstance(design, MergedDesign) else design
        return self._held_rows if isinstance(source, Candidate) else source.validation_rows or len(self.rows)

    @property
    def _held_rows(self) -> int:
        """Rows that the integer level keeps out to judge its designs."""
        from mlpress.approx import VALIDATION, split_rows

        return len(split_rows(self.rows.labels.astype(np.int64), VALIDATION, self.front.seed)[1])

    def _shipped(self, program: ir.Net | ir.Circuit) -> Options:
        """Return the options of the chosen design; where time is short, it is synthesised as the front is."""
        if self.clock.left_s() < self.clock.chosen_s or (self.clock.end_s and self.clock.end_s < THOROUGH_END_S):
            return self.options
        return shipped(program, self.options)

    def _accuracy_facts(
        self, program: ir.Net | ir.Circuit, chosen: Judged | None, max_loss: float | None, progress: Progress
    ) -> dict[str, Any]:
        """Return what the report says of accuracy; warn where more may be lost than was allowed."""
        from mlpress.approx import estimated_loss, paired_loss

        rows, model = self.dataset, self.prepared.model
        judging = self.validation_rows if chosen is None else self.judging_rows(chosen)
        found = self.prepared.accuracy(program) | {
            "reference": self.reference,
            "retrained": self.retrained,
            "validation_rows": judging,
        }
        if chosen is None:
            right = _right(program, rows)
            found["validation"] = float(np.mean(right))
            loss = paired_loss(_decided(model, rows) == rows.labels, right)
        else:
            found["validation"] = chosen.validation_accuracy
            loss = estimated_loss(self.reference, chosen.validation_accuracy, judging)
        found["loss"] = {"allowed": max_loss, "validation": loss.to_json()}
        check_loss(loss, max_loss, "rows held out of the search", progress)
        if self.test is not None:
            loss = paired_loss(_decided(model, self.test) == self.test.labels, _right(program, self.test))
            found["loss"]["test"] = loss.to_json()
            check_loss(loss, max_loss, "test rows", progress)
        return with_intervals(found, {"validation": judging})

    def _tree(self, enough: float) -> dict[str, Any]:
        """Return the decision tree to compare the design with, synthesised where there is time."""
        from mlpress.approx import gates

        tree = gates.nearest_tree(self.trees, enough)
        quick = self.clock.left_s() < 0.25 * self.clock.chosen_s
        cost = measured(tree.circuit, self.rows, self.options, tree.hint, quick=quick)
        facts: dict[str, Any] = {
            "leaves": tree.leaves,
            "fit": tree.fit_accuracy,
            "validation": tree.validation_accuracy,
            **{metric.key: cost.values.get(metric.name) for metric in self.front.metrics},
        }
        rows = {"fit": len(self.rows), "validation": len(self.rows)}
        if self.test is not None:
            facts["test"], rows["test"] = accuracy(tree.circuit, self.test), len(self.test)
        return with_intervals(facts, rows)


def check_loss(loss: Loss, max_loss: float | None, where: str, progress: Progress) -> None:
    """Warn where more may be lost than was allowed."""
    if max_loss is None or loss.high <= max_loss:
        return
    what = "loses" if loss.mean > max_loss else "may lose"
    progress.warn(
        f"on {where} the design {what} more than the {max_loss:.1%} that was allowed: {loss}; "
        "search longer, allow a higher cost, or give more rows"
    )


def _decided(model: ir.Model, rows: Dataset) -> Any:
    """Return the classes that the given model gives to the rows, int64 (rows,)."""
    return ir.interpret_model(model, rows.features)[1]


def shipped(program: ir.Net | ir.Circuit, options: Options) -> Options:
    """Return the options of the chosen design."""
    return replace(options, target=search_target(options).shipped(program))


def _right(program: ir.Net | ir.Circuit, rows: Dataset) -> Any:
    """Return which rows a program decides rightly, bool (rows,)."""
    codes = ir.encode(program, rows.features)
    return ir.run(program, codes).decision == rows.labels


def front_files(
    front: IntegerFront | gates.CircuitFront | MergedFront | FieldFront,
    name: str = "front",
    published: Sequence[Point] = (),
) -> dict[str, str | bytes]:
    """Return a front as a table and as pictures, which show the ``published`` designs too."""
    from mlpress.report import draw

    return {
        f"{name}.csv": front.to_csv(),
        f"{name}.png": draw(front, "png", published),
        f"{name}.svg": draw(front, "svg", published),
    }


def with_fronts(design: Design, found: SearchResult | FieldSearch, published: Sequence[Point] = ()) -> Design:
    """Add tables and pictures of its fronts to a design; pictures and report show the ``published`` designs too."""
    extra = dict(design.extra)
    for name, front in fronts_of(found).items():
        extra |= front_files(front, name, published)
    shown = [*design.facts.get("landmarks", []), *published_facts(published, found.front.metric)]
    return replace(design, extra=extra).with_facts(design.facts | {"landmarks": shown})


def fronts_of(found: SearchResult | FieldSearch) -> dict[str, Any]:
    """Return the fronts of a search by the name of their files.

    Where both levels were searched, ``front`` is that of both, beside ``integer_front`` and ``gate_front``.
    """
    if found.merged is None or found.integer is None:
        return {"front": found.front}
    return {"front": found.merged, "integer_front": found.integer, "gate_front": found.front}


def kept_fronts(found: SearchResult | FieldSearch) -> dict[str, str | bytes]:
    """Return the files from which :mod:`mlpress.pipeline.pick` makes any member of a search's fronts again."""
    return {f"{name}.json": front.to_json() for name, front in fronts_of(found).items()}
