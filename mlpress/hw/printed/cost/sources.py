"""Printed power sources: what can feed a circuit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PowerSource:
    """A power source that delivers up to ``limit_mw``; ``reference`` says who reports it."""

    name: str
    title: str
    limit_mw: float
    reference: str


_LITERATURE = (
    "limits as assumed by 'Printed Machine Learning Classifiers' (MICRO 2020), arXiv 2312.17612, arXiv 2402.02930 "
    "and arXiv 2411.08674"
)

POWER_SOURCES: tuple[PowerSource, ...] = (
    PowerSource("harvester", "printed energy harvester", 0.1, _LITERATURE),
    PowerSource("blue-spark", "Blue Spark printed battery", 3.0, _LITERATURE),
    PowerSource("zinergy", "Zinergy printed battery (12 to 15 mW by source)", 12.0, _LITERATURE),
    PowerSource("molex", "Molex thin-film battery", 30.0, _LITERATURE),
)
"""The sources that the printed-classifier literature assumes, the weakest first."""

LARGEST_AREA_CM2 = 20.0
"""Beyond this area a printed circuit is prohibitive for most applications (same literature)."""


def sources_for(power_mw: float) -> tuple[PowerSource, ...]:
    """Return the sources that can feed ``power_mw``, the weakest first; none where it is too much for all."""
    return tuple(source for source in POWER_SOURCES if power_mw <= source.limit_mw)
