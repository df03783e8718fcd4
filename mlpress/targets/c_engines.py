"""Engines and checks of any target whose artifact is C."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.codegen import c
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.hw import mcu
from mlpress.sim import mcu as sim
from mlpress.targets.base import Program, Rows, Values
from mlpress.verify import EngineResult

EMULATED_CYCLES, LEAST_EMULATED, MOST_EMULATED = 5_000_000, 16, 1_000
"""Cycles by the cost model that an emulated core's rows in a verification may take, and the bounds of their number."""


@dataclass(frozen=True, eq=False)
class Firmware:
    """Generated C and what it is compiled to, once each, when it is first asked for."""

    program: Program
    source: c.CSource
    core: mcu.Core
    optimise: str

    @cached_property
    def image(self) -> sim.Firmware:
        """The linked image for the core."""
        return sim.build(self.source, self.core, self.optimise)

    @cached_property
    def sizes(self) -> sim.Sizes:
        """Flash and RAM of one prediction's linked image."""
        if self.core.isa == "avr":
            return sim.avr_sizes(self.source, self.core, self.optimise)
        return self.image.sizes

    @property
    def compiler(self) -> str:
        """The compiler and its level."""
        return f"avr-gcc -{self.optimise}" if self.core.isa == "avr" else self.image.compiler

    @cached_property
    def host(self) -> sim.HostProgram:
        """The program for this computer."""
        return sim.HostProgram([self.source])

    def emulate(self, codes: NDArray[np.int64], counted: int) -> sim.Run:
        """Run ``codes`` (rows, inputs) on the emulated core; count cycles of the first ``counted`` rows at least."""
        if self.core.isa == "avr":
            return sim.run_avr(self.source, self.core, codes, self.optimise)
        return sim.Emulator(self.image).run(codes, counted)

    def values(self, run: sim.Run, codes: NDArray[np.int64]) -> Values:
        """Return the values of a run of ``codes`` by port."""
        return self.named(codes, run.predictions, run.scores)

    def named(
        self, codes: NDArray[np.int64], classes: NDArray[np.int64] | None, scores: NDArray[np.int64] | None
    ) -> Values:
        """Return what was computed for ``codes`` by port.

        The scores of a classifier are no port: raises :class:`MlpressError` where they are not the interpreter's.
        """
        if classes is None:
            return {} if scores is None else {f"output y{k}": column for k, column in enumerate(scores.T)}
        if scores is not None and isinstance(self.program, ir.Net):
            wanted = ir.interpret(self.program, codes).scores
            wrong = np.argwhere(scores != wanted)
            if len(wrong):
                row, k = map(int, wrong[0])
                raise MlpressError(f"row {row}, score {k}: {int(scores[row, k])} instead of {int(wanted[row, k])}")
        return {"output y": classes}


@dataclass(frozen=True, slots=True)
class HostC:
    """The C on this computer."""

    firmware: Firmware
    name: str = "C on this computer"
    rows: int | None = None
    optional: bool = False

    @property
    def note(self) -> str:
        """The compiler."""
        return self.firmware.host.compiler

    def run(self, codes: NDArray[np.int64]) -> Values:
        """Return the answers."""
        _, classes, scores = self.firmware.host.run(0, codes)
        return self.firmware.named(codes, classes, scores)


@dataclass(frozen=True, slots=True)
class EmulatedCore:
    """The C on the emulated core."""

    firmware: Firmware
    optional: bool = False

    @property
    def name(self) -> str:
        """The core."""
        return f"emulated {self.firmware.core.name}"

    @property
    def rows(self) -> int:
        """Rows that are worth their time."""
        most = EMULATED_CYCLES // max(1, self.firmware.source.facts.cycles)
        return int(np.clip(most, LEAST_EMULATED, MOST_EMULATED))

    @property
    def note(self) -> str:
        """The compiler."""
        return f"{self.firmware.compiler}, {'simavr' if self.firmware.core.isa == 'avr' else 'unicorn'}"

    def run(self, codes: NDArray[np.int64]) -> Values:
        """Return the answers."""
        return self.firmware.values(self.firmware.emulate(codes, 0), codes)


@dataclass(frozen=True, slots=True)
class SystemMachine:
    """The C in a system machine of QEMU, where that is installed."""

    firmware: Firmware
    rows: int | None = 16
    optional: bool = True

    @property
    def name(self) -> str:
        """The machine."""
        return f"QEMU {self.firmware.core.qemu['machine']}"

    @property
    def note(self) -> str:
        """The compiler."""
        return f"{self.firmware.compiler}, semihosting"

    def run(self, codes: NDArray[np.int64]) -> Values:
        """Return the answers."""
        firmware = self.firmware
        return firmware.values(sim.run_qemu(firmware.source, firmware.core, codes, firmware.optimise), codes)


def check_codes(firmware: Firmware, rows: Rows) -> EngineResult:
    """Check that ``_quantize`` makes the same codes of the rows' features, as float32, as the program does."""
    name = "input codes in C"
    with np.errstate(over="ignore"):
        narrow = rows.features.astype(np.float32)
    fit = np.isfinite(narrow).all(axis=1)
    narrow, given = narrow[fit], rows.codes[fit]
    try:
        codes, _, _ = firmware.host.run(0, given, narrow)
    except OutOfTimeError as error:
        return EngineResult(name, 0, note=str(error), verdict="out of time")
    except MlpressError as error:
        return EngineResult.of(name, len(narrow), str(error))
    wanted = ir.encode(firmware.program, narrow.astype(np.float64))
    wrong = np.argwhere(codes != wanted)
    difference = ""
    if len(wrong):
        row, k = map(int, wrong[0])
        difference = f"row {row}, input {k}: {int(codes[row, k])} instead of {int(wanted[row, k])}"
    return EngineResult.of(name, len(narrow), difference, "float32 features of the data")


def spread_first(rows: int, first: int) -> NDArray[np.int64]:
    """Return all indices of ``rows`` rows, (rows,): first ``first`` of them spread evenly, then the others."""
    chosen = np.linspace(0, rows - 1, first).astype(np.int64)
    return np.concatenate([chosen, np.setdiff1d(np.arange(rows), chosen)])
