"""From a field to a design: the steps of a target of the real level, and how well the shipped function fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from mlpress import ir
from mlpress.errors import MlpressError
from mlpress.progress import Progress
from mlpress.targets import RealTarget

if TYPE_CHECKING:
    from mlpress.design import Design
    from mlpress.frontend import Dataset
    from mlpress.pipeline.compile import Options


def compile_field(
    field: ir.Field,
    samples: Dataset | None,
    options: Options,
    *,
    test: Dataset | None = None,
    source: Mapping[str, Any] | None = None,
    progress: Progress,
) -> Design:
    """Compile ``field`` in the number formats of the target; without ``samples``, they are drawn.

    Raises :class:`MlpressError` where the field or the samples do not fit, and where any engine disagrees with the
    reference interpreter.
    """
    from mlpress.frontend import drawn_samples
    from mlpress.pipeline.compile import build_design

    target = options.target
    if not isinstance(target, RealTarget):
        raise MlpressError(f"target {target.name} takes no field; `mlpress targets` lists those of kind ngpc")
    progress.step("number formats")
    program = target.formatted(field)
    rows = drawn_samples(field) if samples is None else samples.for_model(field)
    accuracy = fit_facts(field, program, rows)
    accuracy["test"] = None if test is None else fit_facts(field, program, test.for_model(field))
    design = build_design(program, rows.features, rows.labels, options, progress=progress)
    facts = {"source": {**(source or {}), "rows": len(rows), "drawn": samples is None}, "accuracy": accuracy}
    return design.with_facts(design.facts | facts)


def psnr(wanted: ArrayLike, found: ArrayLike) -> float | None:
    """Return the peak signal-to-noise ratio in dB, or None where both are equal.

    The peak is the span of the ``wanted`` values, at least 1e-12: 1 for a picture that has black and white.
    """
    one, other = np.asarray(wanted, np.float64), np.asarray(found, np.float64)
    noise = float(np.mean((one.reshape(len(one), -1) - other.reshape(len(other), -1)) ** 2))
    peak = max(float(one.max() - one.min()), 1e-12)
    return None if noise == 0 else float(10 * np.log10(peak**2 / noise))


def fit_facts(field: ir.Field, program: ir.Field, rows: Dataset) -> dict[str, Any]:
    """Return how well the given ``field`` and the shipped ``program`` fit ``rows``, and how close they are."""
    given = ir.interpret_field(field, rows.features)
    shipped = given if program == field else ir.interpret_field(program, rows.features)
    return {
        "metric": "psnr",
        "rows": len(rows),
        "float": psnr(rows.labels, given),
        "quantised": psnr(rows.labels, shipped),
        "agreement": psnr(given, shipped),
    }
