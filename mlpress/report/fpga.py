"""Designs for FPGAs: one tile per metric, the clock, and what the device is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlpress.report.facts import DesignFacts
from mlpress.report.figures import counted, figure, unit, words
from mlpress.report.headline import Tile, cost_tiles
from mlpress.report.plain import Plain
from mlpress.report.reading import Json, Number, read


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """What a design takes of a device: its highest clock, and clocks from a row to its answer."""

    device: Json = None
    stages: Number | None = None
    fmax_mhz: Number | None = None
    clocks: Number | None = None
    logic_cells: Number | None = None
    power: Json = None
    tool: Json = None


@dataclass(frozen=True, slots=True)
class FpgaFacts:
    """The facts of a design for an FPGA."""

    fpga: DeviceUse = field(default_factory=DeviceUse)


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a list of targets says of a device."""

    luts: Number | None = None
    pins: Number | None = None


@dataclass(frozen=True, slots=True)
class Fpga(Plain):
    """What is shown of designs for FPGAs."""

    templates: Mapping[str, str] = field(default_factory=lambda: {"built": "fpga_use.html", "trust": "trust_how.html"})

    def read(self, found: Mapping[str, Any]) -> FpgaFacts:
        """Read what the design takes of the device."""
        return read(FpgaFacts, found)

    def read_target(self, found: Mapping[str, Any]) -> DeviceFacts:
        """Read what a list of targets says of a device."""
        return read(DeviceFacts, found)

    def tiles(self, facts: DesignFacts) -> Sequence[Tile]:
        """Return one tile per metric; the clock, where the design is placed; and that its power is not known."""
        own: DeviceUse = facts.own.fpga
        found = cost_tiles(facts.cost)
        if own.fmax_mhz is not None:
            stages = f"{counted(own.stages, 'stage')} of logic" if own.stages else ""
            found.append(Tile("clock", unit(figure(own.fmax_mhz), "MHz"), f"the highest, after routing; {stages}"))
        if own.power is not None:
            found.append(Tile("power", words(own.power), "these tools state none"))
        return found

    def columns(self, own: DeviceFacts) -> tuple[str, str]:
        """Return the pins and the look-up tables."""
        pins = counted(own.pins, "pin") if own.pins else ""
        return pins, f"{figure(own.luts)} LUT4" if own.luts else ""


KIND = Fpga()
