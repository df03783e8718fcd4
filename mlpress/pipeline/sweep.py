"""A sweep: one model, compiled for several targets at several widths, as one table and one picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from mlpress import ir
from mlpress.errors import MlpressError
from mlpress.pipeline.compile import Options, compile_model
from mlpress.progress import Progress, Silent

if TYPE_CHECKING:
    from mlpress.design import Design
    from mlpress.frontend import Dataset

MOST_DESIGNS = 200
"""Combinations of one sweep."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What is combined: names of targets, and bits of inputs, weights and hidden outputs."""

    targets: tuple[str, ...]
    input_bits: tuple[int, ...] = (4,)
    weight_bits: tuple[int, ...] = (8,)
    activation_bits: tuple[int, ...] = (8,)

    def combinations(self) -> list[tuple[str, dict[str, int]]]:
        """Return every target with every choice of widths; raise where they are too many."""
        found = [
            (target, {"input_bits": i, "weight_bits": w, "activation_bits": a})
            for target, i, w, a in product(self.targets, self.input_bits, self.weight_bits, self.activation_bits)
        ]
        if not 1 <= len(found) <= MOST_DESIGNS:
            raise MlpressError(f"the sweep has {len(found)} combinations; give 1 to {MOST_DESIGNS}")
        if len({(target, *bits.values()) for target, bits in found}) < len(found):
            raise MlpressError("the sweep names a target or a width twice; name each once")
        return found


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep's designs: one row of the table each, with the same columns."""

    rows: tuple[Mapping[str, Any], ...]

    def __repr__(self) -> str:
        return f"Swept({len(self.rows)} designs)"

    def _repr_html_(self) -> str:
        from mlpress.notebook import table_html

        return table_html(repr(self), self.rows)

    def to_csv(self) -> str:
        """Return the table: a header, and one line per design."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()


def sweep(
    model: ir.Model,
    data: Dataset,
    grid: Grid,
    *,
    test: Dataset | None = None,
    features: Sequence[str] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Swept:
    """Compile ``model`` for every combination of ``grid``, and return what each design reaches and costs.

    Accuracies are on ``test`` rows, where there are some, else on those of ``data``.  ``options`` are those of all the
    targets.  A combination that a target refuses has a row with the reason in ``refused``.  Raises
    :class:`MlpressError` for a grid that is empty or too large, and where every combination was refused.
    """
    progress, rows = progress or Silent(), list[dict[str, Any]]()
    combinations = grid.combinations()
    for k, (target, bits) in enumerate(combinations):
        given = Options.of(target, **bits, **options)
        shown = ", ".join(f"{bits[name]} {name.replace('_', ' ')}" for name in bits)
        progress.step(f"{k + 1} of {len(combinations)}: {target}, {shown}")
        row: dict[str, Any] = {"target": target, **bits}
        try:
            design = compile_model(model, data, given, test=test, features=features, progress=_Quiet())
        except MlpressError as error:
            rows.append(row | {"refused": str(error)})
            continue
        rows.append(row | _row(design))
    if all("refused" in row for row in rows):
        raise MlpressError(f"every combination was refused; the first: {rows[0]['refused']}")
    columns = list(dict.fromkeys(column for row in rows for column in row if column != "refused"))
    columns += ["refused"] if any("refused" in row for row in rows) else []
    return Swept(tuple({column: row.get(column) for column in columns} for row in rows))


def _row(design: Design) -> dict[str, Any]:
    accuracy = design.facts["accuracy"]
    shown = accuracy.get("test") or accuracy
    bounds = (shown.get("intervals") or {}).get("quantised") or (None, None)
    units = {metric.name: metric.key for metric in design.target.metrics}
    return {
        "accuracy": shown["quantised"],
        "accuracy_low": bounds[0],
        "accuracy_high": bounds[1],
        "model_accuracy": shown["float"],
        "rows": shown["rows"],
        **{units[name]: value for name, value in design.cost.items()},
    }


class _Quiet:
    """Progress that says nothing: notes and warnings would come once per combination."""

    def step(self, name: str) -> None:
        """Say nothing: the step is the combination."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Say nothing."""
