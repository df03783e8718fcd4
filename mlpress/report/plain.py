"""Designs of a kind that has nothing to add: one tile per metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlpress import ir
from mlpress.report.facts import DesignFacts
from mlpress.report.figures import words
from mlpress.report.headline import Tile, cost_tiles
from mlpress.report.schematic import Drawing
from mlpress.report.vega import Spec


@dataclass(frozen=True, slots=True)
class Plain:
    """What is shown of any kind: its metrics, and how each was found."""

    program: str = "a classifier"
    templates: Mapping[str, str] = field(default_factory=lambda: {"trust": "trust_how.html"})

    def read(self, found: Mapping[str, Any]) -> Any:
        """Return nothing: a plain kind has no facts of its own."""
        return None

    def read_target(self, found: Mapping[str, Any]) -> Any:
        """Return nothing: a plain kind has no facts of its own."""
        return None

    def made_of(self, target: str) -> str:
        """Return whom the design is for: ``for cortex-m0plus``."""
        return f"for {words(target)}"

    def described(self, target: str) -> str:
        """Return the same in a sentence on a program."""
        return self.made_of(target)

    def tiles(self, facts: DesignFacts) -> Sequence[Tile]:
        """Return one tile per metric."""
        return cost_tiles(facts.cost)

    def lead(self, facts: DesignFacts) -> Sequence[Tile]:
        """Return the first two metrics."""
        return cost_tiles(facts.cost)[:2]

    def schematics(
        self, facts: DesignFacts, files: Mapping[str, str | bytes], program: ir.Shipped | None
    ) -> Sequence[Drawing]:
        """Return nothing: there are no gates."""
        return ()

    def curves(self, facts: DesignFacts) -> Sequence[tuple[str, str, Spec]]:
        """Return nothing."""
        return ()

    def made(self, own: Any) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def context(self, facts: DesignFacts) -> Mapping[str, Any]:
        """Return what the templates show: ``own``."""
        return {"own": facts.own}

    def columns(self, own: Any) -> tuple[str, str]:
        """Return two empty cells."""
        return "", ""


KIND = Plain()
