"""Printed circuits: Verilog, mapped to the printed cells of a technology."""

from __future__ import annotations

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
from mlpress.targets.line import LineSession
from mlpress.targets.verilog_engines import (
    MOST_FOR_A_MOMENT,
    Amaranth,
    CircuitEngine,
    Circuitry,
    Equality,
    check_bench,
    check_class_names,
    run_bench,
)
from mlpress.verify import EngineResult, Side, port_values
from mlpress.yosys import read_gates, read_sources

if TYPE_CHECKING:
    from mlpress.approx import CostModel, Layout
    from mlpress.approx.gates import GateCosts

VERILOG, BENCH, NETLIST = "top.v", "top_tb.v", "netlist.v"

START_S, TERM_S, LONG_S = 5.0, 0.007, 30.0
"""Processor time of a build at the default effort: seconds at any size, and for each term of the net (from one size
of `benchmarks/scale.py` so far, 64-32-10: 41 s at 5,234 terms); and from how many seconds on a user is told.
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
    ``with_adc`` counts the input converters among what a search's designs cost.
    """

    name: str = "egfet"
    liberty: Path | None = None
    effort: str = "default"
    rate_hz: float = 5.0
    style: str = "flat"
    registered: bool = False
    with_adc: bool = False

    kind: ClassVar[str] = "printed"
    level: ClassVar[Literal["real", "integer"]] = "integer"
    metrics: ClassVar[tuple[Metric, ...]] = (Metric("area", "cm2"), Metric("power", "mW"))
    files: ClassVar[tuple[str, ...]] = (VERILOG, BENCH, NETLIST)

    def cells(self) -> printed.Technology:
        """Return the technology, or the cells of the user's own liberty file."""
        return printed.load_technology(self.name) if self.liberty is None else printed.read_liberty(self.liberty)

    def check(self) -> None:
        """Raise :class:`MlpressError` for an unknown technology, effort or style, or an impossible rate."""
        self.cells()
        printed.check_effort(self.effort)
        printed.check_rate(self.rate_hz)
        codegen.check_style(self.style)

    def facts(self) -> dict[str, Any]:
        """Return the options as plain JSON values; of a liberty file the name alone."""
        return {
            "liberty": None if self.liberty is None else self.liberty.name,
            "effort": self.effort,
            "rate_hz": self.rate_hz,
            "style": self.style,
            "registered": self.registered,
            "with_adc": self.with_adc,
        }

    def validate(self, program: Any) -> None:
        """Raise where the program is no integer net or circuit."""
        ir.check_program(program, f"target {self.name}")
        ir.verify(program)

    def build(self, program: Program, rows: Rows, progress: Progress, hint: str | None = None) -> PrintedArtifact:
        """Describe the program in Verilog, audit that, and map it to the cells."""
        technology = self.cells()
        if (expected := expected_seconds(program)) > LONG_S:
            progress.note(f"this is a large network: about {expected:.0f} s of processor time at the default effort")
        progress.step("plan the arithmetic")
        lowered = ir.to_hardware(program)
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
            {VERILOG: verilog, BENCH: bench.text, NETLIST: synthesis.verilog},
            {"plan": _plan_facts(lowered), "audit": audit.to_json(), "synthesis": synthesis.to_json()},
        )

    def restore(self, program: Program, files: Mapping[str, str | bytes], facts: Mapping[str, Any]) -> PrintedArtifact:
        """Return the artifact of a design folder; its test bench is made anew wherever one is run."""
        lowered = ir.to_hardware(program)
        texts = {name: file_text(files, name) for name in (VERILOG, BENCH, NETLIST)}
        return PrintedArtifact(program, lowered, texts[NETLIST], self.cells(), texts, facts)

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
        self, artifact: PrintedArtifact, rows: Rows, facts: Mapping[str, Any], hashed: bool, progress: Progress
    ) -> Sequence[EngineResult]:
        """Check the names of the classes and the test bench, and run that in Icarus Verilog where it is installed."""
        verilog, bench = file_text(artifact.files, VERILOG), file_text(artifact.files, BENCH)
        found = []
        if facts:
            found = [
                check_class_names(artifact.lowered, verilog, self.style, facts),
                check_bench(artifact.lowered, bench, rows.codes, self.registered, hashed),
            ]
        return [*found, *run_bench(artifact.lowered, verilog, rows.codes, self.registered, progress)]

    def estimate(self, artifact: PrintedArtifact, rows: Rows) -> Cost:
        """Return area, and power at the nominal supply, of the mapped netlist on these rows."""
        vectors = port_values(rows.codes, [port.name for port in artifact.packed.inputs])
        found = printed.estimate(
            artifact.packed,
            artifact.technology,
            vectors,
            self.rate_hz,
            converters=feeds(artifact.program.inputs),
        )
        rule = "docs/estimates.md"
        return Cost(
            {"area": found.area_cm2, "power": found.nominal.total_mw},
            {"area": f"the sum of the cells ({rule})", "power": f"states and toggles of the rows ({rule})"},
            {"estimate": found.to_json()},
        )

    def measure(self, program: Program, codes: NDArray[np.int64], hint: str | None = None, quick: bool = False) -> Cost:
        """Return area and power, at the nominal supply, of the program on rows of input ``codes``.

        ``hint`` is a netlist of the same circuit in cells of its own; ``quick`` takes it as it is.
        """
        technology = self.cells()
        own = None if hint is None else printed.parse_netlist(hint, "top")
        if own is None or not quick:
            verilog = codegen.to_verilog(ir.to_hardware(program))
            own = printed.synthesise(verilog, "top", technology, effort=self.effort, own=own).netlist
        packed = printed.PackedNetlist(own, technology)
        vectors = port_values(codes, [port.name for port in packed.inputs])
        found = printed.estimate(packed, technology, vectors, self.rate_hz, converters=feeds(program.inputs))
        area, power, beside = found.area_cm2, found.nominal.total_mw, dict[str, float]()
        if found.adc is not None:
            beside = {"adc_cm2": found.adc.area_cm2, "adc_mw": found.adc.power_mw}
            area, power = area + found.adc.area_cm2 * self.with_adc, power + found.adc.power_mw * self.with_adc
        return Cost({"area": area, "power": power}, facts={"beside": beside})

    def minimising(self, metric: str) -> Printed:
        """Return the target as it is: nothing of it depends on what is minimised."""
        return self

    def within(self, most: Mapping[str, float]) -> Printed:
        """Return the target as it is: nothing of it depends on limits."""
        return self

    def cost_model(self, layout: Layout) -> CostModel:
        """Return the prices of a net's parts in the technology's cells."""
        from mlpress.targets.printed_prices import printed_cost_model

        return printed_cost_model(layout, self.cells(), with_adc=self.with_adc)

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

    def claims(self, artifact: PrintedArtifact) -> Sequence[Claim]:
        """Return that circuit, Verilog and mapped netlist are one function of all inputs."""
        program = artifact.program
        circuit = ir.to_circuit(program)
        clock, reset = ({"clk": 0}, {"rst": 0}) if self.registered else ({}, {})
        rtl = cache(lambda: read_gates({VERILOG: file_text(artifact.files, VERILOG)}, "top"))

        def netlist() -> Side:
            return printed.NetlistMachine(printed.link(artifact.netlist, artifact.technology))

        quick = len(circuit.ands) <= MOST_FOR_A_MOMENT
        return (
            Equality(("circuit", VERILOG), lambda: (circuit, rtl()), clock | reset, quick),
            Equality((VERILOG, NETLIST), lambda: (rtl(), netlist()), clock, quick),
        )

    def devices(self, artifact: PrintedArtifact) -> Mapping[str, Callable[[NDArray[np.int64]], Trial]]:
        """Return the simulation of the Verilog."""
        rtl = self._rtl(artifact)
        return {"rtl": lambda codes: Trial(rtl.run(codes), Cost({}))}

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
    return START_S + TERM_S * program.terms


def feeds(inputs: Sequence[ir.Input]) -> list[printed.Feed]:
    """Return the converter in front of each port ``x0, x1, ...``."""
    converters = (printed.Converter(bits=feature.bits, levels=feature.levels) for feature in inputs)
    return [printed.Feed(ir.port_name(k), converter) for k, converter in enumerate(converters)]


def power_limit(sources: Sequence[str], max_power: float | None) -> float | None:
    """Return the tightest of ``max_power`` (mW) and what the named printed power sources give, or ``None``."""
    known = {source.name: source.limit_mw for source in printed.POWER_SOURCES}
    for name in sources:
        if name not in known:
            raise MlpressError(f"no power source {name!r}; there are {', '.join(known)}")
    limits = [known[name] for name in sources] + ([] if max_power is None else [max_power])
    return min(limits, default=None)


def estimate_verilog(
    files: Sequence[Path],
    target: Printed = Printed(),
    *,
    top: str | None = None,
    mapped: bool = False,
    vectors: Path | None = None,
    with_adc: bool = False,
    progress: Progress | None = None,
) -> printed.Estimate:
    """Estimate any Verilog: ours or not, RTL or (``mapped``) a netlist of the technology's own cells.

    ``with_adc`` counts a flash converter for each input port, or for each column of ``vectors`` that names bits of a
    port, as far as the netlist reads them.
    """
    progress = progress or Silent()
    technology = target.cells()
    notes: tuple[str, ...] = ()
    if mapped:
        progress.step("read the netlist")
        if len(files) != 1:
            raise MlpressError("--mapped takes one netlist file; join the files first")
        netlist = printed.read_netlist(files[0], top)
    else:
        progress.step(f"synthesise ({target.effort})")
        synthesis = printed.synthesise(read_sources(*files), top, technology, effort=target.effort)
        netlist, notes = synthesis.netlist, synthesis.notes
    rows = None if vectors is None else printed.read_vectors(vectors, netlist)
    features = () if rows is None else rows.features
    converters = printed.full_converters(netlist, technology, features) if with_adc else []
    progress.step("estimate area, timing and power")
    ports = None if rows is None else rows.ports
    found = printed.estimate(netlist, technology, ports, target.rate_hz, converters=converters)
    return replace(found, notes=(*notes, *found.notes))
