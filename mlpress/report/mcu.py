"""Designs for microcontrollers: one tile per metric, and what the C holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlpress.report.figures import words
from mlpress.report.plain import Plain
from mlpress.report.reading import Json, Number, read


@dataclass(frozen=True, slots=True)
class McuFacts:
    """The facts of a design for a microcontroller; ``code`` is what its C holds."""

    code: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CoreFacts:
    """A core: bits of a register, whether it multiplies, and the parts that have it."""

    bits: Number | None = None
    multiplier: bool | None = None
    parts: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Mcu(Plain):
    """What is shown of designs for microcontrollers."""

    templates: Mapping[str, str] = field(default_factory=lambda: {"built": "mcu_code.html", "trust": "trust_how.html"})

    def read(self, found: Mapping[str, Any]) -> McuFacts:
        """Read what the C holds."""
        return read(McuFacts, found)

    def read_target(self, found: Mapping[str, Any]) -> CoreFacts:
        """Read what a list of targets says of a core."""
        return read(CoreFacts, found)

    def columns(self, own: CoreFacts) -> tuple[str, str]:
        """Return the registers, and the parts."""
        registers = f"{words(own.bits)} bits" if own.bits else ""
        return registers + (", no multiplier" if own.multiplier is False else ""), words(list(own.parts))


KIND = Mcu()
