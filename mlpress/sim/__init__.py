"""Engines that run a program or an artifact, and the oracle that they are held against.

``mlpress.sim.packed`` is the packed-bit engine's module: 64 rows a word.
"""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.sim.jit import compiled
    from mlpress.sim.oracle import Oracle
    from mlpress.sim.packed import Activity, Program

__all__ = ["Activity", "Oracle", "Program", "compiled"]

__getattr__ = lazy_door(__name__, {"Activity": "packed", "Oracle": "oracle", "Program": "packed", "compiled": "jit"})
