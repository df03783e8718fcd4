"""Designs for neural-graphics clusters: one tile per metric, the field, and where its tables are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlpress.report.figures import counted, words
from mlpress.report.plain import Plain
from mlpress.report.reading import Json, Number, read


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


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """One field of a search's front."""

    psnr_db: Number | None = None
    cost: Number | None = None
    tables: Json = None
    layers: Json = None
    chosen: bool | None = None


@dataclass(frozen=True, slots=True)
class NgpcFacts:
    """The facts of a design for a cluster; ``field`` is what the program is made of."""

    field: Mapping[str, Json] = field(default_factory=dict)
    kernel: KernelFacts | None = None
    timing: Timing | None = None
    front: tuple[FrontPoint, ...] = ()


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
        """Read the field, the kernel, its timing, and the front of a search."""
        return read(NgpcFacts, found)

    def read_target(self, found: Mapping[str, Any]) -> ClusterFacts:
        """Read what a list of targets says of a cluster."""
        return read(ClusterFacts, found)

    def columns(self, own: ClusterFacts) -> tuple[str, str]:
        """Return the engines of a processor."""
        return f"{counted(own.engines, 'engine')} each" if own.engines else words(None), ""


KIND = Ngpc()
