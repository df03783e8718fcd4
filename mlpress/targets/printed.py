"""Printed circuits: Verilog, mapped to the printed cells of a technology."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from mlpress import codegen, ir
from mlpress.errors import MlpressError
from mlpress.hw import printed
from mlpress.metrics import Metric
from mlpress.progress import Progress, Silent
from mlpress.targets.base import Claim, Cost, Engine, Program, Rows, Session, Trial, file_text
from mlpress.targets.front_end import CONVERTERS, FRONT_END, check_front_end, front_files, is_unary, system_cost
from mlpress.targets.line import LineSession
from mlpress.targets.printed_spent import spent_facts
from mlpress.targets.verilog_engines import (
    MOST_FOR_A_MOMENT,
    Amaranth,
    CircuitEngine,
    Circuitry,
    Equality,
    check_bench,
    check_class_names,
    circuit_waves,
    expected_gates,
    run_bench,
)
from mlpress.verify import EngineResult, Side, port_values
from mlpress.yosys import read_gates, read_sources

if TYPE_CHECKING:
    from mlpress.approx import CostModel, Layout
    from mlpress.approx.gates import GateCosts
    from mlpress.sim import Wave

VERILOG, BENCH, NETLIST = "top.v", "top_tb.v", "netlist.v"

INTERFACES = ("binary", "unary")

SYNTHESIS_GROWTH = 1.4
"""The power of a thousand and-gates that synthesis takes in seconds."""

START_S, TERM_S, GROWTH, LONG_S = 12.0, 9e-4, 1.22, 30.0
"""Processor time of a build at the default effort: seconds at any size, and for each term of the net to this power; and
from how many seconds on a user is told.  Fitted to the four sizes of ``benchmarks/scale.py``: 21 s at 297 terms, 17 at
1,489, 35 at 5,234 and 395 at 41,322; one on the way is within two fifths of that.
"""


MOST_THOROUGH_NODES = 600
"""And-gates of the largest chosen design that is synthesised thoroughly: some 14 seconds of one core."""


@dataclass(frozen=True, eq=False)
class PrintedArtifact:
    """A circuit in Verilog and as a mapped netlist; ``lowered`` is its program, ready for hardware."""

    program: Program
    lowered: ir.Lowered | ir.Circuit
    netlist_text: str
    technology: printed.Technology
    files: Mapping[str, str | bytes]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def netlist(self) -> printed.Netlist:
        """The mapped netlist, parsed once."""
        return printed.parse_netlist(self.netlist_text, "top")

    @cached_property
    def packed(self) -> printed.PackedNetlist:
        """The mapped netlist on the packed-bit engine."""
        return printed.PackedNetlist(self.netlist, self.technology)


@dataclass(frozen=True, slots=True)
class Printed:
    """A printed technology, or the cells of a ``liberty`` file in its place, and how a circuit is made of them.

    ``effort`` of synthesis is fast, default or thorough; ``rate_hz`` inferences a second is what power and energy are
    stated for; ``style`` of the Verilog is flat or modules; ``registered`` puts flip-flops at inputs and outputs.
    ``interface`` is how the circuit receives codes: ``binary``, from flash converters, whose cost is stated beside its
    own, or ``unary``, one bit per level, from comparators, which are part of its cost.  ``comparator_cm2`` and
    ``comparator_mw`` (at the nominal supply) are your own figures of one, in place of the technology's.
    ``with_adc`` counts flash converters among what a search's designs, and Verilog of anybody, cost.
    """

    name: str = "egfet"
    liberty: Path | None = None
    effort: str = "default"
    rate_hz: float = 5.0
    style: str = "flat"
    registered: bool = False
    interface: str = "binary"
    comparator_cm2: float | None = None
    comparator_mw: float | None = None
    with_adc: bool = False

    kind: ClassVar[str] = "printed"
    level: ClassVar[Literal["real", "integer"]] = "integer"
    metrics: ClassVar[tuple[Metric, ...]] = (Metric("area", "cm2"), Metric("power", "mW"))

    @property
    def files(self) -> tuple[str, ...]:
        """The names of an artifact's files; behind comparators, those of the front end too."""
        return (VERILOG, BENCH, NETLIST, *((CONVERTERS, FRONT_END) if self.interface == "unary" else ()))

    def cells(self) -> printed.Technology:
        """Return the technology, or the cells of the user's own liberty file; with the user's own comparator."""
        found = printed.load_technology(self.name) if self.liberty is None else printed.read_liberty(self.liberty)
        if self.comparator_cm2 is None or self.comparator_mw is None:
            return found
        power = {found.nominal: 1e6 * self.comparator_mw}
        own = printed.Comparator(1e8 * self.comparator_cm2, power, "figures of your own")
        return replace(found, comparator=own)

    def check(self) -> None:
        """Raise :class:`MlpressError` for an unknown technology, effort or style, or an impossible rate."""
        self.cells()
        printed.check_effort(self.effort)
        printed.check_rate(self.rate_hz)
        codegen.check_style(self.style)
        figures = (self.comparator_cm2, self.comparator_mw)
        if figures != (None, None) and not all(figure is not None and 0 < figure < math.inf for figure in figures):
            raise MlpressError("a comparator has both figures above 0: give comparator_cm2 and comparator_mw")
        if self.interface not in INTERFACES:
            raise MlpressError(f"no interface {self.interface!r}; there are {', '.join(INTERFACES)}")
        if self.interface == "unary" and self.style != "flat":
            raise MlpressError(f"a circuit with unary inputs is flat; style {self.style!r} needs --interface binary")

    def facts(self) -> dict[str, Any]:
        """Return the options as plain JSON values; of a liberty file the name alone."""
        return {
            "liberty": None if self.liberty is None else self.liberty.name,
            "effort": self.effort,
            "rate_hz": self.rate_hz,
            "style": self.style,
            "registered": self.registered,
            "interface": self.interface,
            "comparator_cm2": self.comparator_cm2,
            "comparator_mw": self.comparator_mw,
            "with_adc": self.with_adc,
        }

    def validate(self, program: Any) -> None:
        """Raise where the program is no integer net or circuit, or has unary inputs and the interface is binary."""
        ir.check_program(program, f"target {self.name}")
        ir.verify(program)
        if self.interface == "binary" and is_unary(program.inputs):
            raise MlpressError("the circuit's inputs are unary, it reads comparators; take --interface unary")

    def build(self, program: Program, rows: Rows, progress: Progress, hint: str | None = None) -> PrintedArtifact:
        """Describe the program in Verilog, audit that, and map it to the cells."""
        technology = self.cells()
        if (expected := expected_seconds(program)) > LONG_S:
            progress.note(f"this is a large network: about {expected:.0f} s of processor time at the default effort")
        progress.step("plan the arithmetic")
        lowered = self.lowered(program)
        progress.step("describe it in Verilog")
        verilog = codegen.to_verilog(lowered, style=self.style, registered=self.registered)
        bench = codegen.testbench(lowered, rows.codes, registered=self.registered)
        progress.step("audit the Verilog")
        audit = codegen.audit(verilog, lowered, registered=self.registered)
        progress.step(f"synthesise ({self.effort})")
        own = None if hint is None else printed.parse_netlist(hint, "top")

        def told(done: int, of: int) -> None:
            progress.step(f"synthesise ({self.effort}): {100 * done // of} %")

        synthesis = printed.synthesise(verilog, "top", technology, effort=self.effort, own=own, told=told)
        return PrintedArtifact(
            program,
            lowered,
            synthesis.verilog,
            technology,
            {VERILOG: verilog, BENCH: bench.text, NETLIST: synthesis.verilog, **self._front_files(lowered)},
            {"plan": _plan_facts(lowered), "audit": audit.to_json(), "synthesis": synthesis.to_json()},
        )

    def restore(self, program: Program, files: Mapping[str, str | bytes], facts: Mapping[str, Any]) -> PrintedArtifact:
        """Return the artifact of a design folder; its test bench is made anew wherever one is run."""
        lowered = self.lowered(program)
        texts = {name: file_text(files, name) for name in self.files}
        return PrintedArtifact(program, lowered, texts[NETLIST], self.cells(), texts, facts)

    def searched(self) -> Printed:
        """Return the target with unary inputs, where comparators have a price."""
        return self if self.cells().comparator is None or self.style != "flat" else replace(self, interface="unary")

    def receives(self, inputs: tuple[ir.Input, ...]) -> tuple[ir.Input, ...]:
        """Return the inputs with this interface."""
        return ir.unary_inputs(inputs) if self.interface == "unary" else inputs

    def lowered(self, program: Program) -> ir.Lowered | ir.Circuit:
        """Return the program ready for hardware, with the interface that was asked for."""
        return ir.to_hardware(program) if self.interface == "binary" else ir.to_unary(program)

    def _front_files(self, lowered: ir.Lowered | ir.Circuit) -> dict[str, str]:
        return front_files(lowered) if self.interface == "unary" else {}

    def engines(self, artifact: PrintedArtifact) -> Sequence[Engine]:
        """Return the RTL, the mapped netlist and Amaranth's simulator."""

        def netlist() -> Circuitry:
            return artifact.packed.run, artifact.packed.inputs, artifact.netlist.outputs

        return (
            self._rtl(artifact),
            CircuitEngine("mapped netlist", artifact.lowered, netlist, self.registered),
            Amaranth(artifact.lowered),
        )

    def inspect(
        self,
        artifact: PrintedArtifact,
        rows: Rows,
        facts: Mapping[str, Any],
        hashed: bool,
        until: float,
        progress: Progress,
    ) -> Sequence[EngineResult]:
        """Check the names of the classes and the test bench, and run that in Icarus Verilog where it is installed."""
        verilog, bench = file_text(artifact.files, VERILOG), file_text(artifact.files, BENCH)
        found = []
        if facts:
            found = [
                check_class_names(artifact.program, artifact.lowered, verilog, self.style, facts),
                check_bench(artifact.lowered, bench, rows.codes, self.registered, hashed),
            ]
        found += check_front_end(self._front_files(artifact.lowered), artifact.files, rows.features)
        return [
            *found,
            *run_bench(artifact.lowered, verilog, rows.codes, self.registered, until, progress, features=rows.features),
        ]

    def estimate(self, artifact: PrintedArtifact, rows: Rows) -> Cost:
        """Return area, and power at the nominal supply, of the mapped netlist on these rows."""
        found = self._estimated(artifact.packed, artifact.technology, artifact.lowered, rows.codes)
        system = system_cost(found, artifact.technology, artifact.lowered.inputs)
        rule = "docs/estimates.md"
        area, power = f"the sum of the cells ({rule})", f"states and toggles of the rows ({rule})"
        if system.comparators:
            area, power = f"{area} and of the comparators", f"{power}, and the comparators'"
        vectors = port_values(rows.codes, [port.name for port in artifact.packed.inputs], artifact.lowered.inputs)
        audit = artifact.facts.get("audit") or {}
        spent = spent_facts(artifact.packed, found, artifact.lowered, vectors, audit)
        facts = {"estimate": found.to_json(), **system.facts(), **spent}
        return Cost(system.values(), {"area": area, "power": power}, facts)

    def _estimated(
        self,
        packed: printed.PackedNetlist,
        technology: printed.Technology,
        lowered: ir.Lowered | ir.Circuit,
        codes: NDArray[np.int64],
    ) -> printed.Estimate:
        inputs = lowered.inputs
        vectors = port_values(codes, [port.name for port in packed.inputs], inputs)
        return printed.estimate(packed, technology, vectors, self.rate_hz, converters=feeds(inputs))

    def measure(self, program: Program, codes: NDArray[np.int64], hint: str | None = None, quick: bool = False) -> Cost:
        """Return area and power, at the nominal supply, of the program on rows of input ``codes``.

        Comparators count, as in :meth:`estimate`; the cost of flash converters is beside that, the fact ``adc``.

        ``hint`` is a netlist of the same circuit in cells of its own; ``quick`` takes it as it is.
        """
        technology = self.cells()
        own, lowered = None if hint is None else printed.parse_netlist(hint, "top"), self.lowered(program)
        if own is None or not quick:
            verilog = codegen.to_verilog(lowered)
            own = printed.synthesise(verilog, "top", technology, effort=self.effort, own=own).netlist
        found = self._estimated(printed.PackedNetlist(own, technology), technology, lowered, codes)
        system, beside = system_cost(found, technology, lowered.inputs), dict[str, float]()
        values = system.values()
        if found.adc is not None and is_unary(lowered.inputs):
            beside = {"adc_cm2": 0.0, "adc_mw": 0.0}  # nothing beside what is counted
        elif found.adc is not None:
            beside = {"adc_cm2": found.adc.area_cm2, "adc_mw": found.adc.power_mw}
            values["area"] += found.adc.area_cm2 * self.with_adc
            values["power"] += found.adc.power_mw * self.with_adc
        return Cost(values, facts={"beside": beside, **system.facts()})

    def minimising(self, metric: str) -> Printed:
        """Return the target as it is: nothing of it depends on what is minimised."""
        return self

    def within(self, most: Mapping[str, float]) -> Printed:
        """Return the target as it is: nothing of it depends on limits."""
        return self

    def cost_model(self, layout: Layout) -> CostModel:
        """Return the prices of a net's parts in the technology's cells, and of comparators where circuits read them."""
        from mlpress.targets.printed_prices import printed_cost_model

        cells = self.cells()
        read = self.interface == "unary" and cells.comparator is not None
        return printed_cost_model(layout, cells, with_adc=self.with_adc or read)

    def gate_costs(self, metric: str) -> GateCosts:
        """Return the areas, or for ``power`` the static powers, of gates, each made of the technology's own cells."""
        from mlpress.targets.printed_gates import cell_costs, power_costs

        costs = cell_costs(self.cells())
        return power_costs(costs) if metric == "power" else costs

    def shipped(self, program: Program) -> Printed:
        """Return the target for a chosen design: ``default`` effort becomes ``thorough`` where it is small enough."""
        circuit = ir.to_circuit(program)
        thorough = self.effort == "default" and len(circuit.ands) <= MOST_THOROUGH_NODES
        return replace(self, effort="thorough") if thorough else self

    def expected_s(self, program: Program) -> float:
        """Return how long synthesis takes: seconds of processor time.

        Measured: 1 s for 134 bits of products (1,000 and-gates), 50 s for 2,120 (16,000).
        """
        return float((expected_gates(program) / 1000) ** SYNTHESIS_GROWTH)

    def claims(self, artifact: PrintedArtifact) -> Sequence[Claim]:
        """Return that circuit, Verilog and mapped netlist are one function of all inputs."""
        circuit = ir.to_circuit(ir.program_of(artifact.lowered))
        implied = ir.implied(circuit.inputs)
        clock, reset = ({"clk": 0}, {"rst": 0}) if self.registered else ({}, {})
        rtl = cache(lambda: read_gates({VERILOG: file_text(artifact.files, VERILOG)}, "top"))

        def netlist() -> Side:
            return printed.NetlistMachine(printed.link(artifact.netlist, artifact.technology))

        quick = len(circuit.ands) <= MOST_FOR_A_MOMENT
        return (
            Equality(("circuit", VERILOG), lambda: (circuit, rtl()), clock | reset, quick, implied),
            Equality((VERILOG, NETLIST), lambda: (rtl(), netlist()), clock, quick, implied),
        )

    def devices(self, artifact: PrintedArtifact) -> Mapping[str, Callable[[NDArray[np.int64]], Trial]]:
        """Return the simulation of the Verilog."""
        rtl = self._rtl(artifact)
        return {"rtl": lambda codes: Trial(rtl.run(codes), Cost({}))}

    def waves(self, artifact: PrintedArtifact, device: str, codes: NDArray[np.int64]) -> tuple[Sequence[Wave], int]:
        """Return the ports of the simulated Verilog, and the neurons of a network, one row per inference."""
        if device != "rtl":
            raise MlpressError(f"device {device[:200]!r} shows no waveforms; take --device rtl")
        return circuit_waves(self._rtl(artifact), artifact.program, codes), max(1, round(1e6 / self.rate_hz))

    def _rtl(self, artifact: PrintedArtifact) -> CircuitEngine:
        def load() -> Circuitry:
            from mlpress.sim import Rtl

            engine = Rtl(file_text(artifact.files, VERILOG))
            return engine.run, engine.gates.inputs, engine.gates.outputs

        return CircuitEngine("RTL", artifact.lowered, cache(load), self.registered)

    def lines(self, artifact: PrintedArtifact) -> Mapping[str, Callable[[str, Progress], Session]]:
        """Return the simulation of the Verilog at the other end of a pseudo-terminal."""

        def simulated(argument: str, progress: Progress) -> Session:
            engine = self._rtl(artifact)
            engine.load()  # before the first row waits for it
            return LineSession.simulated(artifact.program, engine.run, progress, {})

        return {"rtl-pty": simulated}

    def verilog_cost(
        self,
        files: Sequence[Path],
        *,
        top: str | None = None,
        mapped: bool = False,
        vectors: Path | None = None,
        progress: Progress | None = None,
    ) -> Cost:
        """Return what any Verilog costs: ours or not, RTL or (``mapped``) a netlist of the technology's own cells.

        ``with_adc`` counts a flash converter for each input port, or for each column of ``vectors`` that names bits of
        a port, as far as the netlist reads them.  The fact ``estimate`` has all figures.
        """
        progress = progress or Silent()
        technology = self.cells()
        notes: tuple[str, ...] = ()
        if mapped:
            progress.step("read the netlist")
            if len(files) != 1:
                raise MlpressError("--mapped takes one netlist file; join the files first")
            netlist = printed.read_netlist(files[0], top)
        else:
            progress.step(f"synthesise ({self.effort})")
            synthesis = printed.synthesise(read_sources(*files), top, technology, effort=self.effort)
            netlist, notes = synthesis.netlist, synthesis.notes
        rows = None if vectors is None else printed.read_vectors(vectors, netlist)
        features = () if rows is None else rows.features
        converters = printed.full_converters(netlist, technology, features) if self.with_adc else []
        progress.step("estimate area, timing and power")
        ports = None if rows is None else rows.ports
        found = printed.estimate(netlist, technology, ports, self.rate_hz, converters=converters)
        facts = replace(found, notes=(*notes, *found.notes)).to_json()
        values = {"area": found.area_cm2, "power": found.nominal.total_mw}
        return Cost(values, dict.fromkeys(values, f"{found.activity} (docs/estimates.md)"), {"estimate": facts})

    def describe(self) -> dict[str, Any]:
        """Return title, voltages and number of cells of the technology."""
        technology = self.cells()
        return {
            "title": technology.title,
            "nominal": technology.nominal,
            "voltages": list(technology.voltages),
            "cells": len(technology.cells),
        }


def _plan_facts(lowered: ir.Lowered | ir.Circuit) -> dict[str, Any]:
    return {} if lowered.shared_sums is None else {"shared_sums": lowered.shared_sums}


def expected_seconds(program: Program) -> float:
    """Return how long a build will take at the default effort: seconds of processor time.  A circuit has no terms."""
    return START_S + TERM_S * float(np.power(float(program.terms), GROWTH))


def feeds(inputs: Sequence[ir.Input]) -> list[printed.Feed]:
    """Return what stands in front of each port: a flash converter, or a comparator where the input is unary."""
    found = []
    for k, feature in enumerate(inputs):
        if feature.interface == "unary":
            one = printed.Converter(1, (1,), encoded=False)
            found += [printed.Feed(port, one) for port, _ in ir.input_ports([feature], first=k)]
        else:
            found.append(printed.Feed(ir.port_name(k), printed.Converter(feature.bits, feature.levels)))
    return found


def power_limit(sources: Sequence[str], max_power: float | None) -> float | None:
    """Return the tightest of ``max_power`` (mW) and what the named printed power sources give, or ``None``."""
    known = {source.name: source.limit_mw for source in printed.POWER_SOURCES}
    for name in sources:
        if name not in known:
            raise MlpressError(f"no power source {name!r}; there are {', '.join(known)}")
    limits = [known[name] for name in sources] + ([] if max_power is None else [max_power])
    return min(limits, default=None)
