"""Engines that run a program or an artifact, and the oracle that they are held against.

``mlpress.sim.packed`` is the packed-bit engine's module: 64 rows per word.
"""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.sim.oracle import Oracle
    from mlpress.sim.packed import Activity, Program
    from mlpress.sim.rtl import Rtl, icarus, run_icarus
    from mlpress.sim.waves import Wave, vcd_text

_MODULES = {
    "Activity": "packed",
    "Oracle": "oracle",
    "Program": "packed",
    "Rtl": "rtl",
    "Wave": "waves",
    "icarus": "rtl",
    "run_icarus": "rtl",
    "vcd_text": "waves",
}

__all__ = ["Activity", "Oracle", "Program", "Rtl", "Wave", "icarus", "run_icarus", "vcd_text"]

__getattr__ = lazy_door(__name__, _MODULES)
