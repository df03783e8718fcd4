"""A target in a page: the program as text, run by the reference interpreter; ``docs/new-target.md`` shows this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from mlpress import ir
from mlpress.approx import CostModel, Layout
from mlpress.errors import MlpressError
from mlpress.targets import Claim, Cost, Engine, Metric, Rows, file_text

FILE = "terms.txt"


@dataclass(frozen=True)
class Listing:
    program: ir.Net
    files: Mapping[str, str | bytes]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reader:
    text: str
    name: str = "listing"
    rows: int | None = None
    optional: bool = False
    note: str = ""

    def run(self, codes: Any) -> dict[str, Any]:
        return {"output y": ir.interpret(ir.from_text(self.text), codes).decision}


@dataclass(frozen=True)
class Lookup:
    name: str = "lookup"
    term_price: float = 1.0

    kind: ClassVar[str] = "lookup"
    level: ClassVar[Literal["real", "integer"]] = "integer"
    metrics: ClassVar[tuple[Metric, ...]] = (Metric("price", "EUR"),)
    files: ClassVar[tuple[str, ...]] = (FILE,)

    def check(self) -> None:
        if self.term_price <= 0:
            raise MlpressError(f"a term costs {self.term_price:g} EUR; give a price above 0")

    def facts(self) -> dict[str, Any]:
        return {"term_price": self.term_price}

    def describe(self) -> dict[str, Any]:
        return {"title": "terms, written out"}

    def validate(self, program: Any) -> None:
        if not (isinstance(program, ir.Net) and isinstance(program.head, ir.Argmax)):
            raise MlpressError(f"target {self.name} takes networks that choose a class")

    def build(self, program: Any, rows: Rows, progress: Any, hint: str | None = None) -> Listing:
        progress.step("write the terms")
        return Listing(
            program, {FILE: ir.to_text(program)}, {"lookup": {"lines": len(ir.to_text(program).split("\n"))}}
        )

    def restore(self, program: Any, files: Mapping[str, str | bytes], facts: Mapping[str, Any]) -> Listing:
        return Listing(program, files, facts)

    def engines(self, artifact: Listing) -> Sequence[Engine]:
        return (Reader(file_text(artifact.files, FILE)),)

    def inspect(
        self, artifact: Listing, rows: Rows, facts: Any, hashed: bool, until: float, progress: Any
    ) -> tuple[()]:
        return ()

    def estimate(self, artifact: Listing, rows: Rows) -> Cost:
        return self.measure(artifact.program, rows.codes)

    def claims(self, artifact: Listing) -> Sequence[Claim]:
        return ()

    def minimising(self, metric: str) -> Lookup:
        return self

    def within(self, most: Any) -> Lookup:
        return self

    def cost_model(self, layout: Layout) -> CostModel:
        return CostModel.of(layout, [{"price": {"term": self.term_price}}], {"price": 4 * self.term_price})

    def gate_costs(self, metric: str) -> None:
        return None

    def measure(self, program: ir.Net, codes: Any, hint: str | None = None, quick: bool = False) -> Cost:
        terms = sum(len(neuron.terms) for layer in program.layers for neuron in layer.neurons)
        return Cost({"price": terms * self.term_price}, {"price": "every term at its price"})

    def shipped(self, program: ir.Net) -> Lookup:
        return self

    def expected_s(self, program: ir.Net) -> float:
        return 0.0
