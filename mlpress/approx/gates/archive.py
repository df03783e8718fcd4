"""MAP-Elites archives of circuits: in every bin of size, the circuit that decides most rows rightly.

A MAP-Elites archive keeps the best solution of every bin of a feature, here the logarithm of cost (J.-B. Mouret, J.
Clune, "Illuminating search spaces by mapping elites", arXiv 1504.04909, 2015).  The best circuits at all prices of a
row lie on the convex hull of cost and wrong rows; bins keep circuits off the hull too, where it has long edges.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, inf, log

from mlpress.approx.gates.genome import Genome

BIN = 0.04
"""The width of a bin: circuits whose costs differ by less than about this share share one."""


@dataclass(frozen=True, slots=True)
class Member:
    """A circuit: its cost (um2; power weighs in where it has a weight), and the number of its start.

    It decides ``wrong`` of the rows that the archive learns from wrongly (neighbours of the true rows count), and
    ``held`` of the true rows that are held out.
    """

    genome: Genome
    cost: float
    wrong: int
    held: int
    start: int

    @property
    def bin(self) -> int:
        """The number of its bin."""
        return floor(log(max(self.cost, 1.0)) / BIN)


@dataclass(frozen=True, slots=True)
class Archive:
    """A MAP-Elites archive after ``rounds`` rounds, in which ``moves`` were judged.

    Members are in order of cost; each decides more rows rightly than those that cost less, and is alone in its bin.
    ``energy`` is the sum over all prices of the least cost of a member and its wrong rows, um2.
    """

    index: int
    rounds: int = 0
    moves: int = 0
    members: tuple[Member, ...] = ()
    energy: float = inf


def with_members(members: Iterable[Member], more: Iterable[Member]) -> tuple[Member, ...]:
    """Return the members of both that belong in an archive; of equals the earlier."""
    bins: dict[int, Member] = {}
    for member in (*members, *more):
        kept = bins.get(member.bin)
        if kept is None or (member.wrong, member.cost) < (kept.wrong, kept.cost):
            bins[member.bin] = member
    found: list[Member] = []
    for size in sorted(bins):
        if not found or bins[size].wrong < found[-1].wrong:
            found.append(bins[size])
    return tuple(found)
