"""Flash input converters, which turn analogue features into codes, and their cost.

A flash converter compares its input with every level that it can tell apart and encodes the comparators'
answers.  The model is that of the printed-classifier literature: a 4-bit converter is 16 comparators and 28
two-input ORs, 0.1706 cm2 and 1.296 mW in EGFET at 1 V; the resistor ladder is ignored.  Where a circuit reads the
comparators themselves (unary inputs), there is no encoder, and one comparator for each port that is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.technology import Technology, cm2
from mlpress.hw.printed.netlist.linked import Linked

OR_CELL = "OR2X1"
MOST_BITS = 8
"""Wider converters are not built as flash."""


@dataclass(frozen=True, slots=True)
class Converter:
    """A flash converter of ``bits`` bits; ``levels`` are the codes it keeps (None: all of 1 .. 2**bits - 1).

    ``read`` are the code bits that are encoded (bit ``k`` of it for code bit ``k``; None: all of them).  One that is
    not ``encoded`` is a single comparator, whose answer is the port's only bit.
    """

    bits: int
    levels: tuple[int, ...] | None = None
    read: int | None = None
    encoded: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MOST_BITS:
            raise MlpressError(f"a flash converter has 1 to {MOST_BITS} bits, not {self.bits}")
        kept = self.levels or ()
        if any(not 0 < level < 1 << self.bits for level in kept) or list(kept) != sorted(set(kept)):
            raise MlpressError(
                f"the levels of a {self.bits}-bit converter must increase within 1..{(1 << self.bits) - 1}"
            )

    @property
    def comparators(self) -> int:
        """Number of comparators: one per kept level, and one for code 0 in the literature's full converter."""
        if not self.encoded:
            return int(self.read != 0)
        full = (1 << self.bits) - 1
        return full + 1 if self.levels is None or len(self.levels) == full else len(self.levels)

    @property
    def or_gates(self) -> int:
        """Two-input ORs of the encoder: each code bit that is read joins the kept levels that have it set."""
        if not self.encoded:
            return 0
        return sum(max(0, sum(level >> k & 1 for level in self._kept) - 1) for k in self.code_bits)

    def reading(self, mask: int) -> Converter:
        """Return the converter that is left where only the code bits of ``mask`` are read.

        A level is kept where any of these bits changes from the level before.
        """
        if not self.encoded:
            return replace(self, read=mask & 1)
        kept, before = [], 0
        for level in self._kept:
            if (level ^ before) & mask:
                kept.append(level)
            before = level
        read = mask & (1 << self.bits) - 1
        full = len(kept) == (1 << self.bits) - 1
        return replace(self, levels=None if full else tuple(kept), read=None if read == (1 << self.bits) - 1 else read)

    @property
    def _kept(self) -> Sequence[int]:
        return range(1, 1 << self.bits) if self.levels is None else self.levels

    @property
    def code_bits(self) -> list[int]:
        """The code bits that are read."""
        return [k for k in range(self.bits) if self.read is None or self.read >> k & 1]


@dataclass(frozen=True, slots=True)
class Feed:
    """A ``converter`` whose code is bits ``low`` to ``low + converter.bits - 1`` of the input ``port``."""

    port: str
    converter: Converter
    low: int = 0


@dataclass(frozen=True, slots=True)
class AdcCost:
    """All input converters of a classifier together, at ``volts``: the nominal supply, or where none is known at that,
    the lowest that comparators are known for.

    ``features`` is the number of codes that the circuit has ports for; ``converters`` that of the codes it reads, of
    which it reads ``bits`` bits.  Where it reads comparators (``encoded`` is false), both count comparators.
    """

    converters: int
    comparators: int
    or_gates: int
    area_cm2: float
    power_mw: float
    features: int
    bits: int
    volts: float
    encoded: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "converters": self.converters,
            "comparators": self.comparators,
            "or_gates": self.or_gates,
            "area_cm2": self.area_cm2,
            "power_mw": self.power_mw,
            "at_volts": self.volts,
            "features": self.features,
            "bits": self.bits,
            "counted": f"what the netlist reads: {self.bits} bits of {self.converters} of {self.features} features"
            if self.encoded
            else f"what the netlist reads: {self.comparators} of {self.features} levels",
        }


def adc_cost(converters: Iterable[Converter], technology: Technology) -> AdcCost | None:
    """Return the cost of the ``converters``, or None where ``technology`` has no figures of a comparator, or no OR for
    encoders.

    A converter of which no bit is read, or that keeps no level, is not built.
    """
    comparator, cell = technology.comparator, technology.cells.get(OR_CELL)
    if comparator is None:
        return None
    offered = list(converters)
    known = comparator.static_nw
    volts = technology.nominal if technology.nominal in known else min(known)
    found = [converter for converter in offered if converter.comparators]
    comparators, gates = sum(c.comparators for c in found), sum(c.or_gates for c in found)
    encoder = (
        (0.0, 0.0) if cell is None or volts not in cell.corners else (cell.area_um2, cell.corners[volts].static_nw)
    )
    if gates and not encoder[0]:
        return None
    return AdcCost(
        converters=len(found),
        comparators=comparators,
        or_gates=gates,
        area_cm2=cm2(comparators * comparator.area_um2 + gates * encoder[0]),
        power_mw=(comparators * comparator.static_nw[volts] + gates * encoder[1]) * 1e-6,
        features=len(offered),
        bits=sum(len(converter.code_bits) for converter in found),
        volts=volts,
        encoded=all(converter.encoded for converter in offered),
    )


def converters_read(linked: Linked, feeds: Iterable[Feed]) -> list[Converter]:
    """Return the converters of ``feeds``, each with what an output of the netlist depends on, structurally."""
    live = linked.live_nets()
    ports = {port.name: port for port in linked.netlist.inputs}
    found = []
    for feed in feeds:
        if feed.port not in ports or ports[feed.port].width < feed.low + feed.converter.bits:
            there = ", ".join(list(ports)[:20])
            raise MlpressError(f"the netlist has no input {feed.port!r} of those bits for a converter; it has {there}")
        nets = ports[feed.port].nets[feed.low : feed.low + feed.converter.bits]
        found.append(feed.converter.reading(sum(1 << k for k, net in enumerate(nets) if net in live)))
    return found
