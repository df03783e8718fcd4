"""The genes that an approximate pass frees for a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.integer.genome_layout import Field
from mlpress.ir import Net


@dataclass(frozen=True, slots=True, eq=False)
class Genes:
    """One integer gene per element of a ``field`` (see :mod:`mlpress.approx.integer.genome_layout`) of one ``layer``.

    Values lie within ``low .. high``, which broadcast to the field's shape.  Fields of the head and of the
    inputs belong to no layer: theirs is 0.
    """

    field: Field
    layer: int
    low: int | NDArray[np.int64]
    high: int | NDArray[np.int64]


class ApproximatePass(Protocol):
    """A pass that changes the function: alone it applies its options, in a search it frees its genes."""

    name: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __call__(self, net: Net) -> Net:
        """Return ``net`` with the options applied."""

    def genes(self, net: Net) -> tuple[Genes, ...]:
        """Return the genes that a search may change in ``net``, which this pass has been applied to."""
