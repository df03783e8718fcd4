"""The picture of a front: accuracy against cost."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlpress.errors import MlpressError

if TYPE_CHECKING:
    from mlpress.approx import Front
    from mlpress.metrics import Metric


@dataclass(frozen=True, slots=True)
class Point:
    """A published design to show beside ours: its label, accuracy (a share) and cost in the metric that ranks."""

    label: str
    accuracy: float
    cost: float


def read_points(path: str | Path, column: str) -> tuple[Point, ...]:
    """Read published designs from a CSV file with the columns ``label``, ``accuracy`` (a share) and ``column``, a cost.

    Raises :class:`MlpressError` with the line that is wrong.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MlpressError(f"cannot read {path}: {error}; give a CSV file") from error
    reader, points = csv.DictReader(StringIO(text)), list[Point]()
    if missing := {"label", "accuracy", column} - set(reader.fieldnames or ()):
        raise MlpressError(f"{path} has no column {min(missing)!r}; its columns must be label, accuracy and {column}")
    for row in reader:
        try:
            point = Point(row["label"], float(row["accuracy"]), float(row[column]))
        except (TypeError, ValueError) as error:
            raise MlpressError(f"{path}:{reader.line_num}: {error}; accuracy and {column} are numbers") from error
        if not (0 <= point.accuracy <= 1 and 0 < point.cost < math.inf):
            raise MlpressError(f"{path}:{reader.line_num}: accuracy is a share of 1 and {column} is above 0")
        points.append(point)
    return tuple(points)


def axis_label(metric: Metric) -> str:
    """Return what stands at the axis of a metric: its name and its unit."""
    return f"{metric.name} in {metric.unit.replace('2', '²')}" if metric.unit else metric.name


def draw(front: Front[Any], kind: Literal["png", "svg"], published: Sequence[Point] = ()) -> bytes:
    """Return a picture of validation accuracy against cost on a logarithmic scale; equal fronts give equal bytes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "mlpress", "svg.fonttype": "path"}):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        costs = [front.price(c) for c in front.designs]
        floor = min((cost for cost in costs if cost > 0), default=1e-3) / 2
        costs = [max(cost, floor) for cost in costs]
        axes.plot(costs, [c.fit_accuracy for c in front.designs], color="0.75", lw=1, label="fitting rows")
        axes.plot(costs, [c.validation_accuracy for c in front.designs], "o", ms=4, label="validation rows")
        axes.axhline(front.reference, color="0.4", lw=1, ls="--", label="model, validation rows")
        for point in published:
            axes.plot([point.cost], [point.accuracy], "x", ms=7, label=point.label.replace("$", r"\$"))
        axes.set(xscale="log", xlabel=axis_label(front.metric), ylabel=front.quality)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        data = BytesIO()
        metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
        figure.savefig(data, format=kind, dpi=150, metadata=metadata)
    return data.getvalue()
