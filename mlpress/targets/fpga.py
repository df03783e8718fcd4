"""FPGAs: Verilog, mapped to look-up tables, placed and routed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from mlpress import codegen, ir
from mlpress.errors import MlpressError
from mlpress.hw import fpga
from mlpress.metrics import Metric
from mlpress.progress import Progress
from mlpress.targets.base import Claim, Cost, Engine, Program, Rows, Trial, file_text
from mlpress.targets.verilog_engines import (
    MOST_FOR_A_MOMENT,
    Amaranth,
    CircuitEngine,
    Circuitry,
    Equality,
    check_bench,
    check_class_names,
    expected_gates,
    run_bench,
)
from mlpress.verify import EngineResult
from mlpress.yosys import Gates, read_gates

if TYPE_CHECKING:
    from mlpress.approx import CostModel, Layout
    from mlpress.approx.gates import GateCosts

VERILOG, BENCH, NETLIST = "top.v", "top_tb.v", "netlist.json"

MOST_STAGES = 14
"""Stages of a pipeline that can still be proven (:data:`mlpress.verify.unrolled.MOST_CLOCKS`)."""

CLOCKING = {"clk": 0, "rst": 0}
"""What stands at the clock and the reset in a proof."""


GATES_PER_S, ROUTE_S = 750.0, 8.0
"""And-gates per second that synthesis, placement and routing take, beyond their start: guesses."""


@dataclass(frozen=True, eq=False)
class FpgaArtifact:
    """A circuit in Verilog and as a mapped netlist; ``lowered`` is its program, ready for hardware."""

    program: Program
    lowered: ir.Lowered | ir.Circuit
    device: fpga.Device
    files: Mapping[str, str | bytes]
    facts: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 1

    @cached_property
    def gates(self) -> Gates:
        """The mapped netlist as gates, by the cells' functions."""
        return fpga.read_netlist(file_text(self.files, NETLIST))

    @cached_property
    def routed(self) -> fpga.Routed:
        """The netlist, placed and routed."""
        return fpga.route(file_text(self.files, NETLIST), self.device, seed=self.seed)


@dataclass(frozen=True, slots=True)
class Fpga:
    """A device, and how a circuit is made for it.

    ``stages`` of logic stand between flip-flops, and flip-flops stand at all ports.  ``place`` places and routes, by
    nextpnr from ``seed``: without it, neither clock nor bitstream is known.
    """

    name: str = "ecp5-25k"
    stages: int = 1
    place: bool = True
    seed: int = 1

    kind: ClassVar[str] = "fpga"
    level: ClassVar[Literal["real", "integer"]] = "integer"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("luts", ""),
        Metric("flip_flops", ""),
        Metric("block_rams", ""),
        Metric("latency", "ns"),
    )

    @property
    def files(self) -> tuple[str, ...]:
        """The names of an artifact's files; a bitstream where the design is placed."""
        return (VERILOG, BENCH, NETLIST, *((self.device().family.bitstream,) if self.place else ()))

    def device(self) -> fpga.Device:
        """Return the device."""
        return fpga.read_device(self.name)

    def check(self) -> None:
        """Raise for an impossible number of stages or seed, and where nextpnr is asked for and not installed."""
        device = self.device()
        if not 1 <= self.stages <= MOST_STAGES:
            raise MlpressError(f"a pipeline has 1 to {MOST_STAGES} stages, not {self.stages}")
        if not 0 <= self.seed < 1 << 31:
            raise MlpressError(f"the seed is {self.seed}; nextpnr takes 0 to {(1 << 31) - 1}")
        if self.place and (lacks := fpga.router_lacks(device)):
            raise MlpressError(f"{lacks}, or map it to look-up tables alone with -O place=false")

    def facts(self) -> dict[str, Any]:
        """Return the options as plain JSON values."""
        return {"stages": self.stages, "place": self.place, "seed": self.seed}

    def describe(self) -> dict[str, Any]:
        """Return the device's title, what it has, and where the counts are from."""
        device = self.device()
        return {
            "title": device.title,
            "luts": device.luts,
            "flip_flops": device.flip_flops,
            "block_rams": device.block_rams,
            "pins": device.pins,
            "source": device.source,
        }

    def validate(self, program: Any) -> None:
        """Raise where the program is no integer net or circuit, has unary inputs, or more bits than the device pins."""
        ir.check_program(program, f"target {self.name}")
        ir.verify(program)
        if any(feature.interface == "unary" for feature in program.inputs):
            raise MlpressError(f"the circuit's inputs are unary, it reads comparators; target {self.name} has none")
        device, lowered = self.device(), ir.to_hardware(program)
        bits = ir.bits_of(lowered)
        pins = len(CLOCKING) + sum(width for _, width in bits.inputs)
        pins += sum(len(word) for word, _ in bits.outputs.values())
        if self.place and pins > device.pins:
            raise MlpressError(
                f"the circuit has {pins} pins, {device.name} has {device.pins}; take fewer --input-bits, fewer "
                f"features, or -O place=false (look-up tables alone)"
            )

    def build(self, program: Program, rows: Rows, progress: Progress, hint: str | None = None) -> FpgaArtifact:
        """Describe the program in Verilog, audit that, map it to look-up tables, and place and route them."""
        device = self.device()
        progress.step("plan the arithmetic")
        lowered = ir.to_hardware(program)
        progress.step("describe it in Verilog")
        verilog = self._verilog(lowered)
        bench = codegen.testbench(lowered, rows.codes, registered=True, stages=self.stages)
        progress.step("audit the Verilog")
        audit = codegen.audit(verilog, lowered, registered=True)
        progress.step(f"synthesise for {device.family.name}")
        files: dict[str, str | bytes] = {VERILOG: verilog, BENCH: bench.text}
        files[NETLIST] = fpga.synthesise(verilog, device)
        artifact = FpgaArtifact(program, lowered, device, files, {"audit": audit.to_json()}, self.seed)
        if self.place:
            progress.step(f"place and route for {device.name}")
            files[device.family.bitstream] = artifact.routed.bitstream
        return artifact

    def restore(self, program: Program, files: Mapping[str, str | bytes], facts: Mapping[str, Any]) -> FpgaArtifact:
        """Return the artifact of a design folder; it is placed and routed again where that is asked for."""
        known = {name: files[name] for name in self.files if name in files}
        return FpgaArtifact(program, ir.to_hardware(program), self.device(), known, facts, self.seed)

    def engines(self, artifact: FpgaArtifact) -> Sequence[Engine]:
        """Return the RTL, the mapped netlist and Amaranth's simulator."""

        def netlist() -> Circuitry:
            from mlpress.sim import Rtl

            engine = Rtl(artifact.gates)
            return engine.run, engine.gates.inputs, engine.gates.outputs

        mapped = CircuitEngine("mapped netlist", artifact.lowered, cache(netlist), True, stages=self.stages)
        return (self._rtl(artifact), mapped, Amaranth(artifact.lowered))

    def inspect(
        self,
        artifact: FpgaArtifact,
        rows: Rows,
        facts: Mapping[str, Any],
        hashed: bool,
        until: float,
        progress: Progress,
    ) -> Sequence[EngineResult]:
        """Check the names of the classes, the test bench and the bitstream; run the bench where Icarus is installed."""
        verilog, bench = file_text(artifact.files, VERILOG), file_text(artifact.files, BENCH)
        found = []
        if facts:
            found = [
                check_class_names(artifact.program, artifact.lowered, verilog, "flat", facts),
                check_bench(artifact.lowered, bench, rows.codes, True, hashed, self.stages),
            ]
            if self.place:
                progress.step("verify: place and route again")
                name = artifact.device.family.bitstream
                same = artifact.files.get(name) == artifact.routed.bitstream
                difference = "" if same else f"{name} is not the one that nextpnr makes of {NETLIST} here"
                found.append(EngineResult.of("bitstream", 1, difference, "made again"))
        return [*found, *run_bench(artifact.lowered, verilog, rows.codes, True, until, progress, self.stages)]

    def estimate(self, artifact: FpgaArtifact, rows: Rows) -> Cost:
        """Return look-up tables, flip-flops and block RAMs, and the latency where the design is placed."""
        cost = self._mapped(file_text(artifact.files, NETLIST))
        if not self.place:
            return cost
        routed = artifact.routed
        values, how = dict(cost.values), dict(cost.how)
        own = cost.facts["fpga"] | {"logic_cells": routed.logic_cells, "tool": routed.tool}
        values["block_rams"] = routed.block_rams
        if routed.fmax_mhz:
            clocks = self.stages + 1
            own |= {"fmax_mhz": routed.fmax_mhz, "clocks": clocks}
            values["latency"] = 1000 * clocks / routed.fmax_mhz
            how["latency"] = f"{clocks} clocks at the highest rate, {routed.fmax_mhz:.1f} MHz after routing"
        return Cost(values, how, {"fpga": own})

    def measure(self, program: Program, codes: NDArray[np.int64], hint: str | None = None, quick: bool = False) -> Cost:
        """Return look-up tables and flip-flops of the program, mapped; nothing is placed.

        ``quick`` counts gates instead, and gives look-up tables alone.
        """
        if quick:
            from mlpress.targets.fpga_prices import GATE_LUTS

            gates = len(ir.to_circuit(program).ands)
            return Cost({"luts": GATE_LUTS * gates}, {"luts": f"{gates} gates, {GATE_LUTS} tables each (docs/fpga.md)"})
        return self._mapped(fpga.synthesise(self._verilog(ir.to_hardware(program)), self.device()))

    def minimising(self, metric: str) -> Fpga:
        """Return the target as it is: nothing of it depends on what is minimised."""
        return self

    def within(self, most: Mapping[str, float]) -> Fpga:
        """Return the target as it is: nothing of it depends on limits."""
        return self

    def cost_model(self, layout: Layout) -> CostModel:
        """Return how many look-up tables a net's parts take."""
        from mlpress.targets.fpga_prices import lut_model

        return lut_model(layout)

    def gate_costs(self, metric: str) -> GateCosts | None:
        """Return how many look-up tables gates take; nothing for other metrics."""
        from mlpress.targets.fpga_prices import lut_costs

        return lut_costs() if metric == "luts" else None

    def shipped(self, program: Program) -> Fpga:
        """Return the target as it is."""
        return self

    def expected_s(self, program: Program) -> float:
        """Return how long synthesis, placement and routing take: seconds, a guess from the size."""
        return ROUTE_S + expected_gates(program) / GATES_PER_S

    def claims(self, artifact: FpgaArtifact) -> Sequence[Claim]:
        """Return that circuit, Verilog and mapped netlist are one function of all inputs."""
        circuit = ir.to_circuit(ir.program_of(artifact.lowered))
        quick = len(circuit.ands) <= MOST_FOR_A_MOMENT
        rtl = cache(lambda: read_gates({VERILOG: file_text(artifact.files, VERILOG)}, "top"))
        return (
            Equality(("circuit", VERILOG), lambda: (circuit, rtl()), CLOCKING, quick),
            Equality((VERILOG, NETLIST), lambda: (rtl(), artifact.gates), CLOCKING, quick),
        )

    def devices(self, artifact: FpgaArtifact) -> Mapping[str, Callable[[NDArray[np.int64]], Trial]]:
        """Return the simulation of the Verilog."""
        rtl = self._rtl(artifact)
        return {"rtl": lambda codes: Trial(rtl.run(codes), Cost({}))}

    def _rtl(self, artifact: FpgaArtifact) -> CircuitEngine:
        def load() -> Circuitry:
            from mlpress.sim import Rtl

            engine = Rtl(file_text(artifact.files, VERILOG))
            return engine.run, engine.gates.inputs, engine.gates.outputs

        return CircuitEngine("RTL", artifact.lowered, cache(load), True, stages=self.stages)

    def _verilog(self, lowered: ir.Lowered | ir.Circuit) -> str:
        return codegen.to_verilog(lowered, registered=True, stages=self.stages)

    def _mapped(self, netlist: str) -> Cost:
        device, used = self.device(), fpga.resources(netlist)
        how = f"cells after synthesis for {device.family.name}; the device has "
        own = {"device": device.title, "stages": self.stages, "power": "not known"}
        return Cost(
            {"luts": used.luts, "flip_flops": used.flip_flops},
            {"luts": f"{how}{device.luts}", "flip_flops": f"{how}{device.flip_flops}"},
            {"fpga": own},
        )
