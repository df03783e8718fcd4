"""From a field to a front of cheaper ones: the search of targets of the real level, and the choice of a design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpress import interrupts, ir
from mlpress.design import Design
from mlpress.errors import MlpressError
from mlpress.metrics import Metric
from mlpress.npz import npz_bytes
from mlpress.pipeline.compile import Options, build_design
from mlpress.pipeline.fields import fit_facts
from mlpress.pipeline.points import point
from mlpress.pipeline.settings import RunOptions, Settings, limits_of, search_target, settled
from mlpress.progress import Progress, Silent, recorded
from mlpress.targets import RealTarget

if TYPE_CHECKING:
    from mlpress.approx import Budget, FieldDesign, FieldFront, Limits
    from mlpress.frontend import Dataset

MOST_ROWS = 1 << 14
"""Samples that are searched with, drawn with the search's seed where there are more."""

START, START_TABLES = "front_start.mlp", "front_start.npz"
"""The field that the genes of the front change, in the design folder."""

END_SHARE = 0.15
"""Share of the time that is kept for measuring the front and building the chosen design."""


@dataclass(frozen=True, slots=True, eq=False)
class FieldSearch:
    """A searched front of fields; every member becomes a verified :class:`Design` when it is asked for.

    ``given`` is the field as it came and ``start`` in the target's number formats, from which the search started.
    """

    front: FieldFront
    given: ir.Field
    start: ir.Field
    rows: Dataset
    test: Dataset | None
    options: Options
    limits: Limits
    key: str
    source: Mapping[str, Any]
    warnings: Sequence[str]
    progress: Progress

    integer: None = None
    merged: None = None

    @property
    def metric(self) -> Metric:
        """The metric that ranks designs."""
        return self.front.metric

    def program(self, judged: FieldDesign) -> ir.Field:
        """Return the field of one member of the front."""
        from mlpress.approx import FieldSpace

        return FieldSpace.of(self.start).decode(np.array(judged.genes, np.int64))

    def chosen(self) -> Design:
        """Return the design that the search was asked for: :meth:`smallest` within its limits."""
        return self.smallest(max_loss=self.limits.max_loss, most=self.limits.most)

    def smallest(self, *, max_loss: float | None = 1.0, most: Mapping[str, float] | None = None) -> Design:
        """Return the cheapest design that loses ``max_loss`` dB at most on held-out rows, and is within ``most``.

        ``max_loss=None`` takes the one of the highest PSNR within the limits.  Raises :class:`MlpressError` where there
        is none.
        """
        if max_loss is None:
            return self.design(self.front.most_accurate(most=most))
        return self.design(self.front.smallest(max_loss=max_loss, most=most))

    def design(self, judged: FieldDesign) -> Design:
        """Return one member of the front, built and verified."""
        program, rows = self.program(judged), self.rows
        design = build_design(program, rows.features, rows.labels, self.options, progress=self.progress)
        accuracy = fit_facts(self.given, program, rows) | {
            "reference": self.front.reference,
            "validation": judged.validation_accuracy,
            "test": None if self.test is None else fit_facts(self.given, program, self.test),
        }
        front = self.front
        facts = {
            "source": dict(self.source) | {"rows": len(rows)},
            "accuracy": accuracy,
            "front": [
                point(k, one, front.metrics, chosen=one is judged) | {"tables": one.tables, "layers": one.layers}
                for k, one in enumerate(front.designs)
            ],
            "landmarks": [{"name": "field as given", "kind": "model", "accuracy": front.reference}],
            "search": {
                "key": self.key,
                "seed": front.seed,
                "level": "real",
                "generations": front.generations,
                "tried": front.tried,
                "stopped": front.stopped,
                "metric": front.metric.key,
                "tables": judged.tables,
                "layers": judged.layers,
            },
            "warnings": list(self.warnings),
        }
        extra: dict[str, str | bytes] = {"front.json": front.to_json(), START: ir.to_text(self.start)}
        extra[START_TABLES] = npz_bytes(ir.field_tables(self.start))
        return replace(design.with_facts(design.facts | facts), extra=extra)


def search_field(
    field: ir.Field,
    samples: Dataset,
    budget: Budget,
    options: Options,
    settings: Settings,
    *,
    rounds: int | None = None,
    run: RunOptions = RunOptions(),  # noqa: B008 - immutable
    test: Dataset | None = None,
    source: Mapping[str, Any] | None = None,
    began: float | None = None,
    progress: Progress | None = None,
) -> FieldSearch:
    """Search from ``field`` for fields that cost less; losses are dB of PSNR on the wanted values of ``samples``.

    Raises :class:`MlpressError` for settings that fields do not have, and for samples without wanted values.
    """
    from mlpress.approx import now, search_fields

    began = now() if began is None else began
    target = options.target
    if not isinstance(target, RealTarget):
        raise MlpressError(f"target {target.name} takes no field; `mlpress targets` lists those of kind ngpc")
    _check(settings, rounds, run)
    options, settings, metrics = settled(options, settings)
    heard, warnings = recorded(progress or Silent())
    heard.step("number formats")
    start = target.formatted(field)
    rows = samples.for_model(field)
    fit = fit_facts(field, start, rows)
    if fit["quantised"] is None or fit["float"] is None:
        raise MlpressError("the samples want what the field gives: no loss can be measured; give wanted values as y")
    taken = np.arange(len(rows))
    if len(rows) > MOST_ROWS:
        taken = np.sort(np.random.default_rng(settings.seed).choice(len(rows), MOST_ROWS, replace=False))
        heard.note(f"searching with {MOST_ROWS} of {len(rows)} samples")
    codes = rows.features[taken]
    priced = search_target(options)
    limits = settings.limits or limits_of(None, {}, target.level)
    key = field_key(start, rows, options, settings)
    kept = run.files().get("integer")
    heard.step("search tables, levels and weights")
    interrupts.defer()
    front = search_fields(
        start,
        codes,
        np.asarray(rows.labels, np.float64)[taken],
        lambda program: priced.measure(program, codes, quick=True).values,
        lambda program: priced.measure(program, codes).values,
        metrics,
        budget,
        limits=limits,
        seed=settings.seed,
        until=np.inf if budget.generations or budget.seconds is None else began + (1 - END_SHARE) * budget.seconds,
        key=key,
        checkpoint=kept,
        resume=run.resume and kept is not None and kept.is_file(),
        progress=heard,
    )
    held = None if test is None else test.for_model(field)
    return FieldSearch(
        front, field, start, rows, held, options, limits, key, dict(source or {}), warnings, progress or Silent()
    )


def field_key(start: ir.Field, rows: Dataset, options: Options, settings: Settings) -> str:
    """Return a digest of all that decides the result of a field's search, but for its budget.

    ``start`` is the field in the target's number formats.
    """
    options, settings, metrics = settled(options, settings)
    target = search_target(options)
    digest = sha256(repr((ir.to_text(start), target.name, target.facts(), metrics, settings)).encode())
    tables = [level.table for grid in start.grids() for level in grid.levels]
    weights = [layer.weight for node in start.nodes if isinstance(node, ir.Network) for layer in node.layers]
    for array in (*tables, *weights, rows.features, rows.labels):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _check(settings: Settings, rounds: int | None, run: RunOptions) -> None:
    """Raise for what only searches of classifiers have."""
    odd = {
        "level": settings.level != "both",
        "start": settings.start_tree,
        "power_weight": bool(settings.power_weight),
        "offset_sigma": bool(settings.offset_sigma),
        "rounds": rounds is not None,
        "cluster": run.cluster is not None,
    }
    for name, given in odd.items():
        if given:
            raise MlpressError(f"the search of a field has no option {name}; leave it out")
