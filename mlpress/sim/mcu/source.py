"""What the tools here need to know of a generated source and of a core; both are plain values of other packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Written(Protocol):
    """Files of C."""

    @property
    def files(self) -> Mapping[str, str]:
        """Text by file name."""


class Source(Written, Protocol):
    """A generated C source: see :class:`mlpress.codegen.c.CSource`."""

    @property
    def name(self) -> str:
        """The prefix of its functions."""

    @property
    def code_type(self) -> str:
        """C type of an input code."""

    @property
    def score_type(self) -> str | None:
        """C type of a score, ``None`` where there are none."""

    @property
    def inputs(self) -> int:
        """Number of input codes."""

    @property
    def scores(self) -> int:
        """Number of scores."""

    @property
    def decides(self) -> bool:
        """Whether there is a ``_predict``."""


class Machine(Protocol):
    """A core: see :class:`mlpress.hw.mcu.Core`."""

    @property
    def name(self) -> str:
        """The core's name."""

    @property
    def isa(self) -> str:
        """``thumb``, ``riscv`` or ``avr``."""

    @property
    def counting(self) -> str:
        """Which table counts its cycles."""

    @property
    def cycles_source(self) -> str:
        """Where that table is from."""

    @property
    def zig(self) -> tuple[str, ...]:
        """Flags of ``zig cc``."""

    @property
    def gcc(self) -> tuple[str, ...]:
        """A cross gcc and its flags."""

    @property
    def unicorn(self) -> str:
        """What the emulator emulates; empty where it cannot."""


def functions(source: Source) -> list[str]:
    """Return the names of the public functions."""
    names = [f"{source.name}_quantize"]
    if source.decides:
        names.append(f"{source.name}_predict")
    if source.score_type is not None:
        names.append(f"{source.name}_scores")
    return names
