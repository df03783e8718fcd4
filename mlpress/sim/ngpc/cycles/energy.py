"""Energy per sample of what a cluster moves and multiplies, in 45 nm, for mode ``physical``.

Figures are those of M. Horowitz, "Computing's energy problem", ISSCC 2014, in pJ: 64 bits from 1 MB of SRAM, 64 bits
from DRAM (1300 to 2600), products and sums.  Interpolation, control, wires and clock are not counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlpress.hw.ngpc import Machine
from mlpress.sim.ngpc.cycles.trace import Trace
from mlpress.sim.ngpc.cycles.workload import Workload

SRAM_PJ, DRAM_PJ = 100.0 / 64, 1300.0 / 64
"""Per bit."""

PRODUCT_PJ = {"float16": 1.1, "float32": 3.7}
SUM_PJ = {"float16": 0.4, "float32": 0.9}
SHIFT_PJ = 0.03
"""A product with a power of two: the exponent's 8 bits are added."""


def energy_pj(work: Workload, machine: Machine, costs: Trace, precision: str, shifts: int = 0) -> Mapping[str, float]:
    """Return pJ per sample by part; ``shifts`` of the work's products are with powers of two.

    ``tables``: look-ups in grid SRAM, each corner an entry.  ``l2`` and ``memory``: lines that these fetch, samples and
    results; the L2's bits count as those of 1 MB, which is too few.  ``networks``: products and sums.
    """
    line = 8 * machine.line_bytes
    moved = 8 * (work.input_bytes + work.output_bytes)
    products = work.multiplications - shifts
    return {
        "tables": SRAM_PJ * work.corners * sum(level.entry_bits for level in work.levels),
        "l2": SRAM_PJ * (line * costs.lines_per_sample + moved),
        "memory": DRAM_PJ * line * costs.far_per_sample,
        "networks": PRODUCT_PJ[precision] * products + SHIFT_PJ * shifts + SUM_PJ[precision] * work.multiplications,
    }
