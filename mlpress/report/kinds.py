"""The table of what each kind of target adds to a report: one row and one module per kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mlpress import ir
    from mlpress.report.facts import DesignFacts
    from mlpress.report.headline import Tile
    from mlpress.report.schematic import Drawing
    from mlpress.report.vega import Spec

KINDS = {
    "printed": "mlpress.report.printed",
    "mcu": "mlpress.report.mcu",
    "ngpc": "mlpress.report.ngpc",
    "fpga": "mlpress.report.fpga",
}
"""The module of each kind that has more to say than its metrics; all others are :mod:`mlpress.report.plain`."""

OLDEST = "printed"
"""The kind of design folders that name none: there was no other."""


class Kind(Protocol):
    """What a kind adds to a report."""

    program: str
    """What a design is, where its layers are not known: ``a classifier``."""

    templates: Mapping[str, str]
    """Templates by place in the page: ``cost``, ``built`` and ``trust``; a place may be missing."""

    def read(self, found: Mapping[str, Any]) -> Any:
        """Read the kind's own facts from those of a design."""
        ...

    def read_target(self, found: Mapping[str, Any]) -> Any:
        """Read the kind's own facts from those of a target."""
        ...

    def made_of(self, target: str) -> str:
        """Return what a design is made of or for: ``in egfet cells``, ``for cortex-m0plus``."""
        ...

    def described(self, target: str) -> str:
        """Return the same in a sentence on a program: ``as a circuit of egfet cells``."""
        ...

    def tiles(self, facts: DesignFacts) -> Sequence[Tile]:
        """Return the headline of what the design costs."""
        ...

    def lead(self, facts: DesignFacts) -> Sequence[Tile]:
        """Return the two figures of what the design costs in all that a reader wants first."""
        ...

    def schematics(
        self, facts: DesignFacts, files: Mapping[str, str | bytes], program: ir.Shipped | None
    ) -> Sequence[Drawing]:
        """Return drawings of the gates, where the design is made of some."""
        ...

    def curves(self, facts: DesignFacts) -> Sequence[tuple[str, str, Spec]]:
        """Return further pictures: title, a sentence, and specification."""
        ...

    def made(self, own: Any) -> Mapping[str, Any]:
        """Return what the report lists of how the artifact was made."""
        ...

    def context(self, facts: DesignFacts) -> Mapping[str, Any]:
        """Return what the kind's templates are rendered with."""
        ...

    def columns(self, own: Any) -> tuple[str, str]:
        """Return two cells of the list of targets: supply or registers; cells or parts."""
        ...


def kind_of(name: Any) -> Kind:
    """Return the row of the kind called ``name``; that of the oldest where there is no name."""
    module = KINDS.get(OLDEST if name is None else str(name), "mlpress.report.plain")
    found: Kind = import_module(module).KIND
    return found
