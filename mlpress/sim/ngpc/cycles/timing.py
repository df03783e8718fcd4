"""What both models answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CAUSES = ("issue", "banks", "latency", "bandwidth", "networks", "ends")
"""Where cycles go: a position per cycle and turn; bank conflicts; waiting for lines that are under way; for memory that
is busy; for a free batch buffer, so for the networks; and filling and draining the whole."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Cycles from the first position to the last result of ``samples`` samples on each of ``processors``.

    ``steady`` is the number of cycles per sample and processor between filling and draining, ``causes`` the cycles by
    :data:`CAUSES`; they add up to ``cycles``.  ``near_bytes`` and ``far_bytes`` went through the L2 and through memory.
    """

    cycles: float
    steady: float
    samples: int
    processors: int
    causes: Mapping[str, float]
    near_bytes: float
    far_bytes: float

    @property
    def bound(self) -> str:
        """The cause of most cycles, but for filling and draining."""
        return max(CAUSES[:-1], key=lambda cause: self.causes[cause])
