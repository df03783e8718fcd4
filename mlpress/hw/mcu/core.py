"""Cores and parts: what a processor can do and costs, as data with its sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from mlpress.errors import MlpressError


@dataclass(frozen=True, slots=True)
class Core:
    """A processor core.

    ``word`` is the width of a register in bits, ``accumulators`` the number of sums that an inner loop can hold in
    registers, ``instruction_bytes`` an average for estimates.  ``cycles`` gives the cycles of ``alu``, ``load``,
    ``store``, ``multiply``, ``multiply_add`` (one or two instructions), ``branch`` (taken), ``call`` and ``table`` (a
    load from flash), with no wait states; ``cycles_source`` says where they are from.  ``zig`` and ``gcc`` are
    compilers' flags, ``counting`` and ``unicorn`` say how the emulator counts and what it emulates.  ``qemu`` has the
    ``program`` and the ``machine`` of QEMU that runs its code, with the places of ``flash`` and ``ram`` and the
    ``size`` of RAM in hexadecimal; empty where there is none.
    """

    name: str
    title: str
    isa: str
    word: int
    multiplier: bool
    dsp: bool
    accumulators: int
    instruction_bytes: float
    cycles: Mapping[str, int]
    counting: str
    cycles_source: str
    zig: tuple[str, ...]
    gcc: tuple[str, ...]
    unicorn: str
    qemu: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A microcontroller that one can buy: ``flash`` and ``ram`` in bytes, ``megahertz`` its fastest clock.

    ``milliwatt_per_megahertz`` is the active power, ``dollars`` an indicative price in volume; ``None`` where no
    figure with a source is known.
    """

    name: str
    core: str
    megahertz: float
    flash: int
    ram: int
    milliwatt_per_megahertz: float | None
    source: str
    dollars: float | None
    dollars_source: str

    def nanojoules(self, cycles: float) -> float | None:
        """Return the energy of so many cycles (1 mW/MHz is 1 nJ per cycle), ``None`` where the power is not known."""
        return None if self.milliwatt_per_megahertz is None else cycles * self.milliwatt_per_megahertz


def _read(name: str) -> dict[str, Any]:
    text = resources.files("mlpress.hw.mcu").joinpath(name).read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


@cache
def cores() -> Mapping[str, Core]:
    """Return all cores by name."""
    found = {}
    for name, facts in _read("cores.json").items():
        facts["zig"], facts["gcc"] = tuple(facts["zig"]), tuple(facts["gcc"])
        found[name] = Core(name=name, **facts)
    return found


@cache
def parts() -> Mapping[str, Part]:
    """Return all parts by name: those with a known price, the cheapest first, then the others, the smallest first.

    The smallest has the least flash, then the least RAM.
    """
    made = [Part(name=name, **facts) for name, facts in _read("parts.json").items()]
    made.sort(key=lambda part: (part.dollars is None, part.dollars or 0.0, part.flash, part.ram, part.name))
    return {part.name: part for part in made}


def read_core(name: str) -> Core:
    """Return the core of this name; raise :class:`MlpressError` where there is none."""
    try:
        return cores()[name]
    except KeyError:
        raise MlpressError(f"no core {name!r}; there are {', '.join(cores())}") from None


def fitting(core: str, flash: int, ram: int) -> list[Part]:
    """Return the parts with this core, and at least so many bytes of flash and RAM, the cheapest first."""
    return [part for part in parts().values() if part.core == core and part.flash >= flash and part.ram >= ram]
