"""Designs for microcontrollers: one tile per metric, and what the C holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlpress.report.facts import DesignFacts
from mlpress.report.figures import words
from mlpress.report.plain import Plain
from mlpress.report.reading import Json, Number, items, number, read


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

    def context(self, facts: DesignFacts) -> Mapping[str, Any]:
        """Return what the code holds, and its place in memory."""
        own: McuFacts = facts.own
        values = facts.cost.values
        memory = [("flash", "code and tables", values.get("flash")), ("RAM", "static data", values.get("ram"))]
        memory.append(("RAM", "stack, the deepest seen", values.get("stack")))
        cycles = [number(value) for value in items(own.code.get("layer_cycles"), "layer_cycles")]
        most = max((value for value in cycles if value is not None), default=0) or 1
        layers = [(k, value, min(max(value / most, 0.0), 1.0)) for k, value in enumerate(cycles) if value is not None]
        code = {name: value for name, value in own.code.items() if name != "layer_cycles"}
        return {"own": own, "code": code, "memory": memory, "layers": layers}

    def columns(self, own: CoreFacts) -> tuple[str, str]:
        """Return the registers, and the parts."""
        registers = f"{words(own.bits)} bits" if own.bits else ""
        return registers + (", no multiplier" if own.multiplier is False else ""), words(list(own.parts))


KIND = Mcu()
