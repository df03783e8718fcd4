"""Designs for neural-graphics clusters: one tile per metric, the field, and where its tables are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlpress.report.facts import DesignFacts
from mlpress.report.figures import counted, figure, words
from mlpress.report.pictures import curves
from mlpress.report.plain import Plain
from mlpress.report.reading import Json, Number, number, read
from mlpress.report.vega import Spec


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """One level of a grid encoding, and its place."""

    unit: Json = None
    level: Json = None
    resolution: Number | None = None
    entries: Number | None = None
    index: Json = None
    bits: Number | None = None
    bytes: Number | None = None
    placement: Json = None
    engines: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """A kernel."""

    levels: tuple[LevelFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """What the cycle models say of a kernel: shares of cycles by cause, the roofline, energy by part, a frame."""

    mode: Json = None
    bound: Json = None
    analytic: Number | None = None
    stalls: Mapping[str, Json] = field(default_factory=dict)
    roofline: Mapping[str, Json] = field(default_factory=dict)
    energy_nj: Mapping[str, Json] = field(default_factory=dict)
    frame: Mapping[str, Json] = field(default_factory=dict)
    least_sram_mm2: Number | None = None
    scaling: tuple[Size, ...] = ()


@dataclass(frozen=True, slots=True)
class Size:
    """What a number of processors would take: cycles per sample, and how much faster than one, or than the GPU."""

    processors: Number | None = None
    cycles: Number | None = None
    speedup: Number | None = None
    speedup_over_gpu: Number | None = None
    here: bool | None = None


@dataclass(frozen=True, slots=True)
class NgpcFacts:
    """The facts of a design for a cluster; ``field`` is what the program is made of."""

    field: Mapping[str, Json] = field(default_factory=dict)
    kernel: KernelFacts | None = None
    timing: Timing | None = None


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """A cluster: engines of each of its processors."""

    processors: Number | None = None
    engines: Number | None = None


@dataclass(frozen=True, slots=True)
class Ngpc(Plain):
    """What is shown of designs for neural-graphics clusters."""

    program: str = "a field"
    templates: Mapping[str, str] = field(
        default_factory=lambda: {"cost": "ngpc_cost.html", "built": "ngpc_kernel.html", "trust": "trust_how.html"}
    )

    def read(self, found: Mapping[str, Any]) -> NgpcFacts:
        """Read the field, the kernel and its timing."""
        return read(NgpcFacts, found)

    def read_target(self, found: Mapping[str, Any]) -> ClusterFacts:
        """Read what a list of targets says of a cluster."""
        return read(ClusterFacts, found)

    def curves(self, facts: DesignFacts) -> Sequence[tuple[str, str, Spec]]:
        """Return the speed-up against the number of processors, and the roofline."""
        own: NgpcFacts = facts.own
        return [] if own.timing is None else [*_scaling(own.timing), *_roofline(own.timing)]

    def columns(self, own: ClusterFacts) -> tuple[str, str]:
        """Return the engines of a processor."""
        return f"{counted(own.engines, 'engine')} each" if own.engines else words(None), ""


def _scaling(timing: Timing) -> list[tuple[str, str, Spec]]:
    over_gpu = any(size.speedup_over_gpu is not None for size in timing.scaling)
    rows = []
    for size in timing.scaling:
        speedup = size.speedup_over_gpu if over_gpu else size.speedup
        said = f"{counted(size.processors, 'processor')}: {figure(speedup)} times as fast"
        rows.append({"x": size.processors, "y": speedup, "here": size.here is True, "tip": said, "said": said})
    drawn = curves(rows, "processors", "speed-up")
    than = "the GPU alone, for frames of this application" if over_gpu else "one processor"
    said = f"How much faster than {than}, by the analytic model; the large point is this cluster."
    return [] if drawn is None else [("Speed-up", said, drawn)]


def _roofline(timing: Timing) -> list[tuple[str, str, Spec]]:
    known = {name: number(timing.roofline.get(name)) or 0.0 for name in _ROOFLINE}
    if min(known.values()) <= 0:
        return []
    here, reached, roof, slope = known.values()
    ridge = here * roof / slope
    low, high = min(here, ridge) / 8, max(here, ridge) * 8
    line = {"curve": "roof", "marked": False, "colour": "var(--quiet)"}
    rows: list[dict[str, Any]] = [
        line | {"x": low, "y": slope * low / here},
        line | {"x": ridge, "y": roof},
        line | {"x": high, "y": roof},
    ]
    said = f"reaches {figure(reached)} of at most {figure(min(slope, roof))} TOPS at {figure(here)} operations per byte"
    rows.append(
        {"curve": "here", "x": here, "y": reached, "here": True, "tip": said, "said": said, "label": "this design"}
    )
    drawn = curves(rows, "operations per byte through the L2", "TOPS")
    return [] if drawn is None else [("Roofline", f"The design {said}.", drawn)]


_ROOFLINE = ("operations_per_byte", "reached_tops", "roof_tops", "slope_tops")

KIND = Ngpc()
