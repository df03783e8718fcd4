"""Microcontrollers: C99, run on this computer and on an emulated core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.codegen import c
from mlpress.errors import MlpressError
from mlpress.hw import mcu
from mlpress.metrics import Metric
from mlpress.progress import Progress
from mlpress.sim import hil
from mlpress.sim import mcu as sim
from mlpress.targets.base import Claim, Cost, Engine, Program, Rows, Session, Trial, file_text
from mlpress.targets.c_engines import EmulatedCore, Firmware, HostC, SystemMachine, check_codes, spread_first
from mlpress.targets.line import LineSession
from mlpress.targets.trim import trimmed
from mlpress.verify import EngineResult

if TYPE_CHECKING:
    from mlpress.approx import CostModel, Layout

OPTIMISE = {"flash": "Os", "cycles": "O2"}
"""The compiler's level by goal."""

MEASURED_ROWS = 16
"""Rows that a search measures each design of its front on: the time of generated code hardly depends on them."""

BUILD_S = 1.0
"""Seconds of a compiler and an emulator per program."""

COUNTED, COUNTED_IN_A_RUN = 500_000, 4_000_000
"""Cycles that are counted one by one, for an estimate and for a run: about a million take a second."""


FIT_ROWS = 16
"""Rows that say what a design takes of a part."""


@dataclass(frozen=True, eq=False)
class McuArtifact:
    """C code; ``firmware`` runs it and is always made of ``source``, which is generated from the program."""

    program: Program
    source: c.CSource
    firmware: Firmware
    files: Mapping[str, str | bytes]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Microcontroller:
    """A processor core, and how C is written for it.

    ``shape`` of the code is one of :data:`mlpress.codegen.c.SHAPES`; ``auto`` takes what reaches the ``goal``, least
    ``flash`` or fewest ``cycles``.  ``skip_zeros``, ``scores``, ``accumulators`` and ``most_cycles`` are those of
    :class:`mlpress.codegen.c.COptions`.  ``prefix`` begins all C names, and names the files; ``package`` is one of
    :data:`mlpress.codegen.c.PACKAGES`.
    """

    name: str = "cortex-m0plus"
    shape: str = "auto"
    goal: str = "flash"
    skip_zeros: bool = False
    scores: bool = True
    accumulators: int = 0
    most_cycles: int = 0
    prefix: str = "model"
    package: str = "none"

    kind: ClassVar[str] = "mcu"
    level: ClassVar[Literal["real", "integer"]] = "integer"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("flash", "B"),
        Metric("cycles", ""),
        Metric("stack", "B"),
        Metric("ram", "B"),
    )

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files of an artifact."""
        return c.package_names(c.identifier(self.prefix), self.package)

    def core(self) -> mcu.Core:
        """Return the core."""
        return mcu.read_core(self.name)

    def check(self) -> None:
        """Raise :class:`MlpressError` for an unknown core, shape or goal, or an impossible number of accumulators."""
        self.core()
        self._options()
        c.package_names(self.prefix, self.package)

    def facts(self) -> dict[str, Any]:
        """Return the options as plain JSON values."""
        return {
            "shape": self.shape,
            "goal": self.goal,
            "skip_zeros": self.skip_zeros,
            "scores": self.scores,
            "accumulators": self.accumulators,
            "most_cycles": self.most_cycles,
            "prefix": self.prefix,
            "package": self.package,
        }

    def describe(self) -> dict[str, Any]:
        """Return the core's title, the width of its registers, its multiplier, and the parts that have it."""
        core = self.core()
        parts = [part.name for part in mcu.parts().values() if part.core == self.name]
        return {"title": core.title, "bits": core.word, "multiplier": core.multiplier, "parts": parts}

    def validate(self, program: Any) -> None:
        """Raise where the program is no integer net or circuit."""
        ir.check_program(program, f"target {self.name}")
        ir.verify(program)

    def build(self, program: Program, rows: Rows, progress: Progress, hint: str | None = None) -> McuArtifact:
        """Write the program as C, and compile it where there is a compiler."""
        progress.step("write C")
        source = self._source(program)
        firmware = Firmware(program, source, self.core(), OPTIMISE[self.goal])
        facts: dict[str, Any] = {
            "shape": source.shape,
            "layers": list(source.facts.layers),
            "weight_bytes": source.facts.weight_bytes,
            "table_bytes": source.facts.table_bytes,
            "layer_cycles": list(source.facts.layer_cycles),
        }
        if not sim.emulation_lacks(firmware.core):
            progress.step(f"compile for {self.name}")
            sizes = firmware.sizes
            facts |= {"flash_bytes": sizes.flash, "ram_bytes": sizes.ram, "compiler": firmware.compiler}
        return McuArtifact(program, source, firmware, c.package_files(source, self.package), {"code": facts})

    def restore(self, program: Program, files: Mapping[str, str | bytes], facts: Mapping[str, Any]) -> McuArtifact:
        """Return the artifact of a design folder, whose C is only ever compared: what runs is generated again."""
        source = self._source(program)
        firmware = Firmware(program, source, self.core(), OPTIMISE[self.goal])
        return McuArtifact(program, source, firmware, {name: file_text(files, name) for name in self.files}, facts)

    def engines(self, artifact: McuArtifact) -> Sequence[Engine]:
        """Return the C on this computer and on the emulated core, as far as their tools are installed."""
        firmware, found = artifact.firmware, list[Engine]()
        if not sim.host_lacks():
            found.append(HostC(firmware))
        if not sim.emulation_lacks(firmware.core):
            found.append(EmulatedCore(firmware))
            if not sim.qemu_lacks(firmware.core):
                found.append(SystemMachine(firmware))
        return tuple(found)

    def inspect(
        self,
        artifact: McuArtifact,
        rows: Rows,
        facts: Mapping[str, Any],
        hashed: bool,
        until: float,
        progress: Progress,
    ) -> Sequence[EngineResult]:
        """Check the folder's C against the program's, the names of the classes, and the codes of ``_quantize``."""
        found = []
        if facts:
            found = [
                _check_text(artifact, c.package_files(artifact.source, self.package)),
                _check_classes(artifact, facts),
            ]
        if lacks := sim.host_lacks():
            progress.note(f"{lacks}: the C was not run on this computer (one check less)")
        else:
            progress.step(f"verify: input codes of {len(rows.features)} rows in C")
            found.append(check_codes(artifact.firmware, rows))
        if lacks := sim.emulation_lacks(artifact.firmware.core):
            progress.note(f"{lacks}: the C was not run on an emulated core (one check less)")
        return found

    def estimate(self, artifact: McuArtifact, rows: Rows) -> Cost:
        """Return flash, mean cycles, stack and RAM, measured where a compiler and an emulator are installed.

        Without them flash and cycles are the cost model's, and the stack is not known.  ``facts`` has the spread of
        the cycles and the parts that the code fits.
        """
        cost = self._measured(artifact, rows.codes, COUNTED)[1]
        return replace(cost, facts={**cost.facts, **_spent(artifact, cost)})

    def minimising(self, metric: str) -> Microcontroller:
        """Return the target whose code is made for this metric, where there is such code."""
        return replace(self, goal=metric) if metric in OPTIMISE else self

    def within(self, most: Mapping[str, float]) -> Microcontroller:
        """Return the target whose code is chosen among the shapes that keep to the limit of cycles, if there is one."""
        return replace(self, most_cycles=max(1, int(most["cycles"]))) if "cycles" in most else self

    def cost_model(self, layout: Layout) -> CostModel:
        """Return what the terms, and the words of packed weights, of a net take in flash and cycles."""
        from mlpress.targets.mcu_prices import mcu_cost_model

        return mcu_cost_model(layout, self.core(), self.goal, self.shape)

    def gate_costs(self, metric: str) -> None:
        """Return nothing: a processor has no gates to search."""

    def measure(self, program: Program, codes: NDArray[np.int64], hint: str | None = None, quick: bool = False) -> Cost:
        """Return flash, cycles, stack and RAM of the program's code on up to :data:`MEASURED_ROWS` of the ``codes``.

        ``quick`` gives the generator's own estimates.
        """
        source = self._source(program)
        artifact = McuArtifact(program, source, Firmware(program, source, self.core(), OPTIMISE[self.goal]), {})
        return self._measured(artifact, codes[: 0 if quick else MEASURED_ROWS], COUNTED // 10)[1]

    def shipped(self, program: Program) -> Microcontroller:
        """Return the target as it is."""
        return self

    def expected_s(self, program: Program) -> float:
        """Return what a compiler and an emulator take for a program of any size."""
        return BUILD_S

    def claims(self, artifact: McuArtifact) -> Sequence[Claim]:
        """Return nothing: no claim about machine code can be proven here."""
        return ()

    def devices(self, artifact: McuArtifact) -> Mapping[str, Callable[[NDArray[np.int64]], Trial]]:
        """Return the emulated core and this computer."""

        def emulated(codes: NDArray[np.int64]) -> Trial:
            if lacks := sim.emulation_lacks(artifact.firmware.core):
                raise MlpressError(f"no emulated {self.name}: {lacks}")
            values, cost = self._measured(artifact, codes, COUNTED_IN_A_RUN)
            return Trial(values, replace(cost, facts=cost.facts["mcu"]))

        def host(codes: NDArray[np.int64]) -> Trial:
            if lacks := sim.host_lacks():
                raise MlpressError(f"the C cannot run on this computer: {lacks}")
            return Trial(HostC(artifact.firmware).run(codes), Cost({}))

        return {"emulated": emulated, "host": host}

    def parts(self, artifact: McuArtifact, rows: Rows) -> Sequence[dict[str, Any]]:
        """Return the parts with this core, the cheapest first: what each has, what the code takes, whether it fits."""
        cost = self.estimate(artifact, Rows(rows.features[:FIT_ROWS], rows.codes[:FIT_ROWS], rows.labels[:FIT_ROWS]))
        flash, ram = int(cost.values["flash"]), int(cost.values["ram"] + cost.values.get("stack", 0))
        return [
            {
                "part": part.name,
                "core": self.name,
                "fits": part.flash >= flash and part.ram >= ram,
                "flash": part.flash,
                "flash_needed": flash,
                "ram": part.ram,
                "ram_needed": ram,
                "stack_known": "stack" in cost.values,
                "cycles": cost.values["cycles"],
                "microseconds": cost.values["cycles"] / part.megahertz,
                "nanojoules": part.nanojoules(cost.values["cycles"]),
                "dollars": part.dollars,
                "sources": {"part": part.source, "price": part.dollars_source, **cost.how},
            }
            for part in mcu.parts().values()
            if part.core == self.name
        ]

    def lines(self, artifact: McuArtifact) -> Mapping[str, Callable[[str, Progress], Session]]:
        """Return a board on a serial port, and an emulated one on a pseudo-terminal."""
        firmware = artifact.firmware
        part = self._rated()
        nanojoules = None if part is None else part.milliwatt_per_megahertz
        how = {"energy": f"cycles at the active power of {part.name}: {part.source}"} if part else {}

        def serial(argument: str, progress: Progress) -> Session:
            path, baud = hil.parse_port(argument)
            told = how | {"cycles": "the board's own counter"}
            return LineSession.on(lambda: hil.SerialLine(path, baud), firmware, progress, nanojoules, told)

        def pty(argument: str, progress: Progress) -> Session:
            if lacks := sim.emulation_lacks(firmware.core):
                raise MlpressError(f"no emulated {self.name}: {lacks}")
            board = sim.build_board(
                firmware.source, self.firmware(artifact, "framed"), firmware.core, firmware.optimise
            )
            megahertz = next(one.megahertz for one in mcu.parts().values() if one.core == self.name)

            def run(receive: Callable[[], bytes], send: Callable[[bytes], None]) -> None:
                sim.EmulatedBoard(board, sim.Wires(receive, send), round(1e6 * megahertz)).run()

            device = hil.PtyDevice(run)
            told = how | {"cycles": f"blocks of the unicorn emulator, by the table of {firmware.core.cycles_source}"}
            return LineSession.on(device.open_line, firmware, progress, nanojoules, told, device)

        return {"pty": pty, "serial:": serial}

    def firmware(self, artifact: McuArtifact, protocol: str) -> Mapping[str, str]:
        """Return the files of a firmware; a board adds the functions of ``board.h``."""
        return c.firmware_files(artifact.program, artifact.source, protocol)

    def _rated(self) -> mcu.Part | None:
        """Return the cheapest part with this core whose active power is known."""
        known = (part for part in mcu.parts().values() if part.core == self.name and part.milliwatt_per_megahertz)
        return next(known, None)

    def _measured(
        self, artifact: McuArtifact, codes: NDArray[np.int64], budget: int
    ) -> tuple[Mapping[str, NDArray[Any]], Cost]:
        """Return the values for ``codes``, if they ran, and the cost; about ``budget`` cycles are counted."""
        firmware, model = artifact.firmware, artifact.source.facts
        guess = "the cost model's estimate (docs/mcu.md)"
        ram = "generated code has constant data only"
        if sim.emulation_lacks(firmware.core) or not len(codes):
            known = {"flash": model.flash, "cycles": model.cycles, "ram": 0}
            return {}, Cost(known, {"flash": guess, "cycles": guess, "ram": ram}, {"mcu": self._fitting(known)})
        counted = int(np.clip(budget // max(1, model.cycles), 1, len(codes)))
        order = spread_first(len(codes), counted)
        done = firmware.emulate(codes[order], counted)
        back = np.argsort(order)
        values = {name: column[back] for name, column in firmware.values(done, codes[order]).items()}
        cycles = done.cycles[:counted]
        sizes, linked = firmware.sizes, f"linked image of one prediction; {firmware.compiler}"
        found = {"flash": sizes.flash, "cycles": float(cycles.mean()), "stack": done.stack, "ram": sizes.ram}
        how = {"flash": linked, "cycles": done.how, "stack": f"painted, deepest of {len(codes)} rows", "ram": linked}
        span = {"min": int(cycles.min()), "mean": found["cycles"], "max": int(cycles.max()), "rows": counted}
        return values, Cost(found, how, {"mcu": self._fitting(found) | {"cycles": span}})

    def _fitting(self, known: Mapping[str, float]) -> dict[str, Any]:
        """Return the parts whose flash and RAM hold the code and its stack, the cheapest first."""
        needs = int(known["ram"] + known.get("stack", 0))
        return {"parts": [part.name for part in mcu.fitting(self.name, int(known["flash"]), needs)]}

    def _options(self) -> c.COptions:
        if self.goal not in OPTIMISE:
            raise MlpressError(f"goal is {self.goal[:200]!r}; it must be one of {', '.join(OPTIMISE)}")
        return c.COptions(
            self.prefix,
            shape=cast(Any, self.shape),
            minimise=cast(Any, self.goal),
            skip_zeros=self.skip_zeros,
            scores=self.scores,
            accumulators=self.accumulators,
            most_cycles=self.most_cycles,
        )

    def _source(self, program: Program) -> c.CSource:
        small = trimmed(program) if isinstance(program, ir.Net) else program
        return c.generate(small, self.core(), self._options())


def _spent(artifact: McuArtifact, cost: Cost) -> dict[str, Any]:
    """Return where flash and cycles go: tables and code, and the layers by the generator's own estimates."""
    known, flash = artifact.source.facts, cost.values["flash"]
    tables = [("weights", known.weight_bytes), ("biases and thresholds", known.table_bytes)]
    parts: list[dict[str, Any]] = [{"of": ["tables", name], "flash_b": size} for name, size in tables if size]
    parts.append({"of": ["code", "everything else"], "flash_b": max(0.0, flash - sum(size for _, size in tables))})
    whole = sum(known.layer_cycles)
    for k, cycles in enumerate(known.layer_cycles):
        parts.append({"of": ["layers", f"layer {k}"], "cycles": cost.values["cycles"] * cycles / max(whole, 1)})
    how = "tables are the generated arrays; cycles are shared out by the generator's estimates per layer"
    return {"spent": {"how": how, "parts": parts}}


def _check_text(artifact: McuArtifact, wanted: Mapping[str, str]) -> EngineResult:
    """Check that the C of the folder is that of the program, which is what runs."""
    names = [name for name, text in wanted.items() if artifact.files.get(name) != text]
    lines = sum(text.count("\n") for text in wanted.values())
    difference = f"{' and '.join(names)}: not the code of this program" if names else ""
    return EngineResult.of("C text", lines, difference, "lines, written again")


def _check_classes(artifact: McuArtifact, facts: Mapping[str, Any]) -> EngineResult:
    """Check that the classes are those that ``design.json`` names, in that order."""
    program = artifact.program
    known = facts.get(program.level)
    named = known.get("classes") if isinstance(known, Mapping) else None
    same = named == list(program.classes)
    difference = "" if same else "program.mlp and design.json name other classes, or in another order"
    return EngineResult.of(
        "classes", len(program.classes) or 1, difference, "names and order in program.mlp and design.json"
    )
