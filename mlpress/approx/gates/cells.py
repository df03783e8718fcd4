"""The cost of every function of two signals, which is all that the gate level knows of a target.

A function is a truth table of four bits: bit ``a + 2 * b`` is its value for operands ``a`` and ``b``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mlpress.approx.gates.genome import Genome
    from mlpress.ir import Input

LEFT, RIGHT = 0b1010, 0b1100
"""The functions "a" and "b"."""
NOT, AND, OR, XOR = 0b0101, 0b1000, 0b1110, 0b0110
"""The functions "not a", "a and b", "a or b", "a xor b"."""
WIRES = (0b0000, LEFT, RIGHT, 0b1111)
"""Functions that take no gate."""
NANDS = (0b0111, 0b0001, 0b1000, 0b1110)
"""The functions "not both", "neither", "both" and "either"."""


@dataclass(frozen=True, slots=True, eq=False)
class GateCosts:
    """The cost of each of the 16 functions.

    ``area`` is int64 (16,) in steps of ``step`` of the target's first metric.  ``static_nw`` is float64 (16, 4): static
    power by the operands' state ``a + 2 * b``, zeros where a target has none.
    """

    area: NDArray[np.int64]
    static_nw: NDArray[np.float64]
    step: float

    @property
    def unit(self) -> float:
        """The cost of the cheapest gate of two inputs, in steps: the unit of prices and temperatures."""
        return float(min(self.area[table] for table in NANDS))

    def level_price(self) -> tuple[float, float]:
        """Return the price of a unary input's level while it is read: in steps, and in nW of static power."""
        return 0.0, 0.0

    def by_states(self) -> bool:
        """Return whether a gate's cost is its static power in the states that the rows give its operands.

        ``area`` is then its mean over all states, for where no rows are known.
        """
        return False

    def written(self, genome: Genome, inputs: tuple[Input, ...]) -> str:
        """Return the circuit as the target writes it, a hint to its ``measure``; '' where it has none."""
        return ""
