"""A printed circuit that reads comparators: what everything from sensors to class costs, and what its copies reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlpress.report.figures import counted, figure, join, percent, unit, words
from mlpress.report.headline import Tile
from mlpress.report.reading import Json, Number


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of a system costs; of comparators, their ``count`` too."""

    count: Number | None = None
    area_cm2: Number | None = None
    power_mw: Number | None = None


@dataclass(frozen=True, slots=True)
class System:
    """What gates and comparators cost together, and what no figure is known of."""

    gates: Part = Part()
    comparators: Part = Part()
    total: Part = Part()
    at_volts: Number | None = None
    power_sources: tuple[Json, ...] = ()
    missing: Json = None

    @property
    def volts(self) -> str:
        """The voltage of the powers, with its unit."""
        return unit(words(self.at_volts), "V")

    def split(self, gates: Number | None, comparators: Number | None, symbol: str) -> str:
        """Return of what parts a figure of the total is: those of gates and comparators, and what is missing."""
        own, read = unit(figure(gates), symbol), counted(self.comparators.count, "comparator")
        missing = f"; without {words(self.missing)}" if self.missing else ""
        if comparators is None:
            return f"{own} of gates; {read}{missing}"
        return f"{own} of gates and {unit(figure(comparators), symbol)} of {read}{missing}"


@dataclass(frozen=True, slots=True)
class CopiesAt:
    """The accuracy of printed copies at one sigma of their comparators' offsets, a share of full scale."""

    offset_sigma: Number | None = None
    mean: Number | None = None
    fifth: Number | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """The accuracy of copies of a circuit against sigma."""

    name: Json = None
    curve: tuple[CopiesAt, ...] = ()


@dataclass(frozen=True, slots=True)
class Copies:
    """How accurate printed copies are: accuracies and rates as shares of 1; ``others`` are curves to compare with."""

    offset_sigma: Number | None = None
    defect_rate: Number | None = None
    copies: Number | None = None
    drawn: Number | None = None
    mean: Number | None = None
    fifth: Number | None = None
    enough: Number | None = None
    share: Number | None = None
    curve: tuple[CopiesAt, ...] = ()
    others: tuple[Curve, ...] = ()


def system_tiles(system: System, delay: Sequence[Tile]) -> list[Tile]:
    """Return the headline of a circuit that reads comparators: everything from sensors to class counts.

    ``delay`` is the tile of the critical path, where there is one.
    """
    gates, comparators, total = system.gates, system.comparators, system.total
    return [
        Tile(
            "area, sensor to class",
            unit(figure(total.area_cm2), "cm²"),
            system.split(gates.area_cm2, comparators.area_cm2, "cm²"),
        ),
        Tile(
            "power, sensor to class",
            unit(figure(total.power_mw), "mW"),
            f"at {system.volts}: {system.split(gates.power_mw, comparators.power_mw, 'mW')}",
        ),
        *delay,
        *_source(system),
    ]


def _source(system: System) -> list[Tile]:
    if system.comparators.power_mw is None:
        return []
    fit = [words(name) for name in system.power_sources]
    if not fit:
        note = f"no printed source is known to feed circuit and comparators at {system.volts}"
        return [Tile("power source", "none", note, "bad")]
    also = f"; so can {join(fit[1:])}" if fit[1:] else ""
    return [Tile("power source", fit[0], f"can feed circuit and comparators at {system.volts}{also}")]


def copies_tiles(found: Copies | None) -> list[Tile]:
    """Return the tile of what printed copies reach, whose comparators are off and whose cells may be stuck."""
    if found is None or found.mean is None:
        return []
    causes = [f"comparators off by {percent(found.offset_sigma)} of full scale (sigma)"]
    causes += [f"{percent(found.defect_rate)} of cells stuck"] if found.defect_rate else []
    reach = "" if found.share is None else f"; {percent(found.share)} of them have {percent(found.enough)} or more"
    note = (
        f"mean of {counted(found.copies, 'copy', 'copies')} with {join(causes)}; 5th percentile "
        f"{percent(found.fifth)}{reach}; as drawn {percent(found.drawn)}"
    )
    return [Tile("printed copies", percent(found.mean), note)]


def offset_rows(found: Copies | None) -> list[list[str]]:
    """Return the table of accuracy against offsets: a head of sigmas, and a row per circuit of mean and 5th percentile.

    It is empty where there is no curve.
    """
    if found is None or not found.curve:
        return []
    head = ["comparators off by (sigma)", *(percent(each.offset_sigma) for each in found.curve)]
    circuits = [Curve("this design", found.curve), *found.others]
    return [
        head,
        *([words(each.name), *(f"{percent(at.mean)} ({percent(at.fifth)})" for at in each.curve)] for each in circuits),
    ]
