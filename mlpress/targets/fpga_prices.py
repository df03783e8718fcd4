"""What programs cost in look-up tables before they are synthesised, for searches."""

from __future__ import annotations

import numpy as np

from mlpress.approx import CostModel, Layout
from mlpress.approx.gates import LEFT, RIGHT, WIRES, GateCosts

FLOOR_LUTS = 4.0
"""Look-up tables below which costs are spread evenly along a front, and above by their logarithm."""

STEPS = 1000
"""Steps of a cost in one look-up table."""

LUTS = {
    "full": 1.48,
    "majority": 0.38,
    "parity": 1.21,
    "half": 0.43,
    "and2": 0.15,
    "xor2": 0.46,
    "relu": 0.05,
    "saturate": 0.13,
    "overflow": 0.23,
    "compare": 0.84,
    "select": 0.63,
    "name": 0.15,
}
"""Look-up tables that remain of each part after synthesis.

Fitted by least squares of the relative error to 32 nets of four data sets (2 and 4 hidden neurons, weights of 1 to 6
sizes), synthesised for the ECP5 (some have constant answers, and no table), and drawn to the proportions of printed
gates where few nets have a part: Spearman's rank correlation .987, on those nets themselves.
"""

GATE_LUTS = 0.11
"""Look-up tables per gate of two inputs that is no parity.

Fitted to the gate-level circuits of 26 of the same nets: Spearman's rank correlation .995, on those nets themselves.
Most gates share a table with others.
"""

XOR_LUTS = 3 * GATE_LUTS
"""Look-up tables per parity, which was three gates in those circuits."""

_NOTS = (15 ^ LEFT, 15 ^ RIGHT)
_XORS = (0b0110, 0b1001)


def lut_model(layout: Layout) -> CostModel:
    """Return the cost model in look-up tables of four inputs, ``luts``."""
    return CostModel.of(layout, [{"luts": LUTS}], {"luts": FLOOR_LUTS})


def lut_costs() -> GateCosts:
    """Return the share of a look-up table that each function of two signals takes; an inverter is part of its readers.

    There is no static power per gate.
    """
    share = {table: XOR_LUTS if table in _XORS else GATE_LUTS for table in range(16)}
    share |= dict.fromkeys((*WIRES, *_NOTS), 0.0)
    area = np.array([round(STEPS * share[table]) for table in range(16)], np.int64)
    return GateCosts(area, np.zeros((16, 4)), 1 / STEPS)
