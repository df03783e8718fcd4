"""Engines, checks and claims of any target whose artifact is Verilog."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.progress import Progress, counted
from mlpress.targets.base import Values
from mlpress.verify import EngineResult, Side, Verdict, port_values, prove_equal

if TYPE_CHECKING:
    from mlpress.codegen import TestBench
    from mlpress.sim import Wave

Lowered = ir.Lowered | ir.Circuit

GATES_PER_BIT = 7.5
"""And-gates per bit of a net's products: 1,000 of 134 bits, 16,000 of 2,120."""

MOST_SIMULATED, LEAST_SIMULATED = 256, 4
"""Rows that Amaranth's simulator runs, however small or large the design is."""

SIMULATION_SECONDS = 3.0
"""Processor time that Amaranth's rows are meant to fill."""

SIMULATION_LIMIT = 60.0
"""Seconds after which Amaranth's simulator begins no further row."""

MOST_TERMS = 20_000
"""Amaranth does not begin with larger nets: one of 41,322 terms has no row within :data:`SIMULATION_LIMIT`."""

OLDER_BENCH_ROWS = 256
"""The first rows of the data were the test bench in folders from before ``design.json`` had hashes."""

MOST_FOR_A_MOMENT = 30_000
"""And-gates of a circuit that is worth a quick proof; with four times as many, reading it in takes longer than that."""


class Port(Protocol):
    """A port of a circuit."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102


Circuitry = tuple[Callable[[dict[str, NDArray[np.int64]]], Values], Sequence[Port], Sequence[Port]]
"""A circuit that runs columns by input port, its input ports and its output ports."""


@dataclass(frozen=True, slots=True)
class CircuitEngine:
    """A circuit with the ports of ``lowered``; ``load`` makes it ready to run.

    A ``registered`` one has flip-flops at its ports, and ``stages`` of logic between them.
    """

    name: str
    lowered: Lowered
    load: Callable[[], Circuitry]
    registered: bool
    rows: int | None = None
    optional: bool = False
    note: str = ""
    stages: int = 1

    def run(self, codes: NDArray[np.int64]) -> Values:
        """Return what the circuit answers to each row, after its latency; scores as signed numbers."""
        run, inputs, outputs = self.load()
        _check_ports(self.lowered, inputs, outputs, clocking=("clk", "rst") if self.registered else ())
        latency = self.stages + 1 if self.registered else 0
        rows = np.concatenate([codes, np.repeat(codes[-1:], latency, axis=0)])
        found = run(port_values(rows, [port.name for port in inputs], self.lowered.inputs))
        signed = self.lowered.scores is not None
        named = {}
        for port in outputs:
            values = found[port.name][latency:]
            if signed:
                values = values - ((values >> (port.width - 1)) << port.width)
            named[f"output {port.name}"] = values
        return named


def _check_ports(lowered: Lowered, inputs: Iterable[Port], outputs: Iterable[Port], clocking: Sequence[str]) -> None:
    """Raise where a port is missing, too many, or of another width; ``clocking`` ports may be there or not."""
    bits = ir.bits_of(lowered)
    wanted = {"output": {port: len(word) for port, (word, _) in bits.outputs.items()}, "input": dict(bits.inputs)}
    for direction, ports in (("output", outputs), ("input", inputs)):
        found = {port.name: port.width for port in ports if direction == "output" or port.name not in clocking}
        for name in {**wanted[direction], **found}:
            has, needs = found.get(name), wanted[direction].get(name)
            if has is None:
                raise MlpressError(f"{direction} {name} is missing")
            if has != needs:
                raise MlpressError(
                    f"{direction} {name} is one port too many"
                    if needs is None
                    else f"{direction} {name} has {has} bits instead of {needs}"
                )


def expected_gates(program: ir.Net | ir.Circuit) -> float:
    """Return about how many and-gates a program has, found at no cost."""
    return len(program.ands) if isinstance(program, ir.Circuit) else GATES_PER_BIT * program.product_bits


@dataclass(frozen=True, slots=True)
class Amaranth:
    """Amaranth's simulator.  A net runs in the readable style, which shares no lowering with what is synthesised."""

    lowered: Lowered
    name: str = "Amaranth"
    optional: bool = True

    @property
    def rows(self) -> int:
        """Rows that are worth their time.

        Measured: 35 us per row and term of a net; 20 ms per row of 1,053 and-gates, growing by 2.5 powers.
        """
        match self.lowered:
            case ir.Circuit(ands=ands):
                seconds = 0.02 * (max(1, len(ands)) / 1053) ** 2.5
            case ir.Lowered(net=net):
                seconds = 35e-6 * max(1, net.terms)
        return int(np.clip(SIMULATION_SECONDS / seconds, LEAST_SIMULATED, MOST_SIMULATED))

    @property
    def expected_s(self) -> float:
        """Seconds of processor time: the first row of 1,043 and-gates took .5 s, of 16,705 45 s; then as ``rows``."""
        match self.lowered:
            case ir.Circuit(ands=ands):
                return 0.5 * float((max(1, len(ands)) / 1043) ** 1.65) + 3 * SIMULATION_SECONDS
            case ir.Lowered(net=net):
                return SIMULATION_LIMIT * net.terms / MOST_TERMS + SIMULATION_SECONDS

    @property
    def note(self) -> str:
        """What is simulated."""
        return "a module per neuron" if self._style() == "modules" else "the gates"

    def _style(self) -> str:
        from mlpress.codegen import styles_of

        return styles_of(self.lowered)[-1]

    def run(self, codes: NDArray[np.int64]) -> Values:
        """Return the answers of as many rows as there was time for."""
        from mlpress.codegen import simulate

        match self.lowered:
            case ir.Lowered(net=net) if net.terms > MOST_TERMS:
                raise OutOfTimeError(f"not begun: its first row of a net of {net.terms} terms takes over a minute")
        answers = simulate(self.lowered, codes, self._style(), timeout_s=SIMULATION_LIMIT)
        return {f"output {port}": values for port, values in answers.items()}


@dataclass(frozen=True, slots=True)
class Equality:
    """Two circuits are one function of all inputs that can occur; ``load`` reads both, ``held`` ports stand still."""

    sides: tuple[str, str]
    load: Callable[[], tuple[Side, Side]]
    held: Mapping[str, int]
    quick: bool = True
    implied: Sequence[tuple[str, str]] = ()

    def prove(self, timeout_s: float) -> Verdict:
        """Prove it, refute it, or run out of time."""
        one, other = self.load()
        return prove_equal(one, other, held=self.held, implied=self.implied, timeout_s=timeout_s)


def circuit_waves(engine: CircuitEngine, program: ir.Program, codes: NDArray[np.int64]) -> list[Wave]:
    """Return the signals of a circuit on rows of ``codes``: inputs, neurons as the interpreter has them, and outputs.

    Inputs are the ports of the Verilog; outputs show the answer to the same row, whatever the latency.
    """
    from mlpress.sim import Wave

    _, inputs, outputs = engine.load()
    columns = port_values(codes, [port.name for port in inputs], engine.lowered.inputs)
    found = [Wave("top", port.name, port.width, columns[port.name]) for port in inputs if port.name in columns]
    answers = engine.run(codes)
    found += [Wave("top", port.name, port.width, answers[f"output {port.name}"]) for port in outputs]
    if isinstance(program, ir.Net):
        for name, values in ir.named_values(program, codes).items():
            if not name.startswith("output "):
                width = max(1, int(np.abs(values).max(initial=0)).bit_length() + 1)
                found.append(Wave("neurons", name.replace(", ", "."), width, values))
    return found


def check_class_names(
    program: ir.Program, lowered: Lowered, verilog: str, style: str, facts: Mapping[str, Any]
) -> EngineResult:
    """Check that the classes are those that ``design.json`` and the comment in ``top.v`` name, in that order.

    ``facts`` describe the ``program``, the comment describes what it is ``lowered`` to.
    """
    from mlpress.codegen import header

    classes = list(lowered.classes)
    known = facts.get(program.level)
    named = known.get("classes") if isinstance(known, Mapping) else None
    difference = "" if named == classes else f"program.mlp has {_listed(classes)}, design.json {_listed(named)}"
    ports = [line for line in header(lowered, style).splitlines() if _answer(line)]
    if not difference and ports != [line for line in verilog.splitlines() if _answer(line)]:
        difference = "the comment in top.v gives the answers other meanings than program.mlp"
    note = "names and order in program.mlp, design.json and top.v" if classes else "scores in program.mlp and top.v"
    return EngineResult.of("classes", len(classes) or 1, difference, note)


def _answer(line: str) -> bool:
    return line.startswith("//   y")


def _listed(classes: Any) -> str:
    return ", ".join(map(str, classes))[:100] if isinstance(classes, list) and classes else "none"


def check_bench(
    lowered: Lowered, text: str, codes: NDArray[np.int64], registered: bool, hashed: bool, stages: int = 1
) -> EngineResult:
    """Check that ``top_tb.v`` is the test bench that the program makes."""
    from mlpress.codegen import testbench

    benches = [testbench(lowered, codes, registered=registered, stages=stages)]
    if not hashed:
        benches.append(testbench(lowered, codes[:OLDER_BENCH_ROWS], registered=registered, most=OLDER_BENCH_ROWS))
    rows = next((bench.rows for bench in benches if bench.text == text), None)
    difference = "" if rows else "top_tb.v is not the test bench of this program and these rows"
    return EngineResult.of("test bench", rows or benches[0].rows, difference, "top_tb.v, written again")


def run_bench(
    lowered: Lowered,
    verilog: str,
    codes: NDArray[np.int64],
    registered: bool,
    until: float,
    progress: Progress,
    stages: int = 1,
    features: NDArray[np.float64] | None = None,
) -> list[EngineResult]:
    """Run test benches in Icarus Verilog, where that is installed; they are made from the program, not read.

    With ``features``, whose ``codes`` these are, there is a second one: their real values through the front end.
    They end by the moment ``until`` (of :func:`time.monotonic`).
    """
    from mlpress.codegen import front_end, testbench
    from mlpress.sim import icarus

    if not icarus():
        progress.note("Icarus Verilog is not installed: the test bench was not run (one check less)")
        return []
    bench = testbench(lowered, codes, registered=registered, stages=stages)
    found = [_in_icarus("Icarus Verilog", "the test bench", verilog, bench, until, progress)]
    if features is not None and any(feature.interface == "unary" for feature in lowered.inputs):
        bench = testbench(lowered, codes, registered=registered, stages=stages, features=features)
        bench = replace(bench, text=f"{bench.text}{front_end(lowered)}")
        found.append(
            _in_icarus("Icarus Verilog, from sensors", "real values, front_end.v", verilog, bench, until, progress)
        )
    return found


def _in_icarus(name: str, note: str, verilog: str, bench: TestBench, until: float, progress: Progress) -> EngineResult:
    """Run one test bench."""
    from mlpress.sim import run_icarus

    progress.step(f"verify: test bench of {counted(bench.rows, 'row')} in {name}")
    try:
        said = run_icarus(verilog, bench.text, until)
    except OutOfTimeError as error:
        return EngineResult(name, 0, note=str(error), verdict="out of time", optional=True)
    except MlpressError as error:
        return EngineResult.of(name, bench.rows, str(error), note, optional=True)
    difference = "" if said == [bench.verdict] else " ".join(said)[-300:] or "it printed nothing"
    return EngineResult.of(name, bench.rows, difference, note, optional=True)
