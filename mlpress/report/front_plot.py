"""The picture of a front: accuracy against area."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlpress.errors import MlpressError

if TYPE_CHECKING:
    from mlpress.approx import Front, MergedFront
    from mlpress.approx.gates import CircuitFront


@dataclass(frozen=True, slots=True)
class Point:
    """A published design to show beside ours: its label, accuracy (a share) and area in cm2."""

    label: str
    accuracy: float
    area_cm2: float


def read_points(path: str | Path) -> tuple[Point, ...]:
    """Read published designs from a CSV file with the columns ``label``, ``accuracy`` (a share) and ``area_cm2``.

    Raises :class:`MlpressError` with the line that is wrong.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MlpressError(f"cannot read {path}: {error}; give a CSV file") from error
    reader, points = csv.DictReader(StringIO(text)), list[Point]()
    if missing := {"label", "accuracy", "area_cm2"} - set(reader.fieldnames or ()):
        raise MlpressError(f"{path} has no column {min(missing)!r}; its columns must be label, accuracy and area_cm2")
    for row in reader:
        try:
            point = Point(row["label"], float(row["accuracy"]), float(row["area_cm2"]))
        except (TypeError, ValueError) as error:
            raise MlpressError(f"{path}:{reader.line_num}: {error}; accuracy and area_cm2 are numbers") from error
        if not (0 <= point.accuracy <= 1 and 0 < point.area_cm2 < math.inf):
            raise MlpressError(f"{path}:{reader.line_num}: accuracy is a share of 1 and area_cm2 is above 0")
        points.append(point)
    return tuple(points)


def draw(
    front: Front | CircuitFront | MergedFront, kind: Literal["png", "svg"], published: Sequence[Point] = ()
) -> bytes:
    """Draw validation accuracy against area on a logarithmic scale as a picture file; equal fronts give equal bytes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "mlpress", "svg.fonttype": "path"}):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        floor = min((c.area_cm2 for c in front.designs if c.area_cm2 > 0), default=1e-3) / 2
        areas = [max(c.area_cm2, floor) for c in front.designs]
        axes.plot(areas, [c.fit_accuracy for c in front.designs], color="0.75", lw=1, label="fitting rows")
        axes.plot(areas, [c.validation_accuracy for c in front.designs], "o", ms=4, label="validation rows")
        axes.axhline(front.reference, color="0.4", lw=1, ls="--", label="model, validation rows")
        for point in published:
            axes.plot([point.area_cm2], [point.accuracy], "x", ms=7, label=point.label.replace("$", r"\$"))
        axes.set(xscale="log", xlabel="area in cm²", ylabel="accuracy")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        data = BytesIO()
        metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
        figure.savefig(data, format=kind, dpi=150, metadata=metadata)
    return data.getvalue()
