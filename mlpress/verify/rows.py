"""Does every engine compute the same function?  The reference interpreter says what is right.

All rows of the data, corner rows and random rows run through onnxruntime (on the oracle graph), the RTL and the
mapped netlist; one difference anywhere names engine, row, neuron and both values.  An engine agrees only where it
gave every value that it should have given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.design import FORMAT, Design
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.progress import Progress, Silent
from mlpress.verify.probes import RANDOM_ROWS, probe_rows, worth_rows

if TYPE_CHECKING:
    from mlpress.hw.printed import Technology

Program = ir.Lowered | ir.Circuit
Values = Mapping[str, NDArray[Any]]
"""What an engine gives for rows: values (rows,) by the name of a neuron or port."""

MOST_SIMULATED, LEAST_SIMULATED = 256, 4
"""Rows that Amaranth's simulator runs, however small or large the design is."""

SIMULATION_SECONDS = 3.0
"""Processor time that Amaranth's rows are meant to fill."""

SIMULATION_LIMIT = 60.0
"""Seconds after which Amaranth's simulator begins no further row."""

OPTIONAL = ("Amaranth", "Icarus Verilog")
"""Engines that are slow simulators, one check more where they come to their end."""

LATENCY = 2
"""Clocks from a row to its answer in a design with registered ports."""

OLDER_BENCH_ROWS = 256
"""The first rows of the data were the test bench in folders from before ``design.json`` had hashes."""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """What one engine said of ``rows`` rows.

    ``verdict`` is "equal" where all of them, and at least one, equal the reference interpreter in all values; else
    "different", and ``difference`` says where; or "out of time", which says nothing about the rows that were not run.
    """

    engine: str
    rows: int
    difference: str = ""
    note: str = ""
    verdict: Literal["equal", "different", "out of time"] = "equal"

    @classmethod
    def of(cls, engine: str, rows: int, difference: str = "", note: str = "") -> EngineResult:
        """The result of an engine that came to its end; where it ran no row, that is a difference."""
        difference = difference or ("" if rows else "it ran no row")
        return cls(engine, rows, difference, note, "different" if difference else "equal")

    @property
    def equal(self) -> bool:
        """All rows agreed."""
        return self.verdict == "equal"

    @property
    def optional(self) -> bool:
        """One check more by a slow simulator: a design is verified without it."""
        return self.engine in OPTIONAL

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"equal": self.equal}


def verify(
    design: Design,
    technology: Technology | None = None,
    *,
    rows: int | None = None,
    more: NDArray[np.float64] | None = None,
    lowered: Program | None = None,
    progress: Progress | None = None,
) -> list[EngineResult]:
    """Run ``design`` in every engine; one result per engine, equal or with its first difference.

    ``technology`` is that of the netlist's cells (default: the design's target).  ``rows`` is the number of random
    rows (default: two seconds' worth); ``more`` are further rows of features, float64 (rows, inputs).  ``lowered`` is
    the design's program, lowered, where the caller has it.  A design that was read from a folder is also held against
    what its other files say of it.
    """
    progress = progress or Silent()
    technology = technology or design.technology()
    program = design.program
    lowered = lowered or (program if isinstance(program, ir.Circuit) else ir.lower_net(program))
    own = ir.encode(program, design.features)
    probes = probe_rows(program, rows=worth_rows(program) if rows is None else rows, near=own)
    features = np.concatenate([design.features, probes, *([] if more is None else [more])])
    codes = ir.encode(program, features)
    progress.step(f"verify: reference interpreter on {len(codes)} rows")
    expected = _expected(program, codes)
    results = [EngineResult.of("reference interpreter", len(codes))]
    seen = {name: values for name, values in expected.items() if name.startswith("output ")}
    for name, run, wanted in (
        ("onnxruntime", lambda: _onnxruntime(design, features), _oracle_values(program, expected)),
        ("RTL", lambda: _rtl(design, lowered, codes), seen),
        ("mapped netlist", lambda: _netlist(design, lowered, technology, codes), seen),
    ):
        progress.step(f"verify: {name}")
        results.append(_checked(name, run, wanted, len(codes)))
    results.append(_amaranth(lowered, codes, seen, progress))
    if design.facts.get("format") == FORMAT:
        results += [_class_names(design, lowered), _test_bench(design, lowered, own)]
    return [*results, *_icarus(design, lowered, own, progress)]


def require_equal(
    design: Design,
    technology: Technology | None = None,
    *,
    lowered: Program | None = None,
    progress: Progress | None = None,
) -> list[EngineResult]:
    """:func:`verify` with few random rows, where a difference is an error; a check out of time is noted."""
    progress = progress or Silent()
    results = verify(design, technology, rows=RANDOM_ROWS, lowered=lowered, progress=progress)
    for result in results:
        if result.verdict == "different":
            raise MlpressError(f"{result.engine} differs from the reference interpreter: {result.difference}")
        if result.verdict == "out of time":
            progress.note(f"{result.engine} ran out of time after {result.rows} rows: {result.note}")
    return results


def _expected(program: ir.Net | ir.Circuit, codes: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """The reference interpreter's values by name; equal rows are run once."""
    distinct, back = np.unique(codes, axis=0, return_inverse=True)
    named = _circuit_values(program, distinct) if isinstance(program, ir.Circuit) else _net_values(program, distinct)
    back = back.reshape(-1)
    return {name: values[back] for name, values in named.items()}


def _circuit_values(circuit: ir.Circuit, codes: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    words = ir.interpret_circuit(circuit, codes).words
    return {f"output {name}": words[:, k] for k, name in enumerate(circuit.output_names)}


def _net_values(net: ir.Net, codes: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    trace = ir.interpret(net, codes)
    named: dict[str, NDArray[Any]] = {}
    for k, (sums, outputs) in enumerate(zip(trace.sums, trace.layers, strict=True)):
        for j in range(sums.shape[1]):
            named[f"layer {k}, neuron {j}, sum"] = sums[:, j]
            named[f"layer {k}, neuron {j}"] = outputs[:, j]
    if trace.decision is not None:
        return named | {"output y": trace.decision}
    return named | {f"output y{k}": trace.scores[:, k] for k in range(trace.scores.shape[1])}


def _oracle_values(program: ir.Net | ir.Circuit, expected: Values) -> Values:
    """What the oracle graph gives; a regression's scores are the sums of its last layer."""
    if isinstance(program, ir.Net) and isinstance(program.head, ir.Scores):
        return {name: values for name, values in expected.items() if name.startswith("layer ")}
    return expected


def _checked(engine: str, run: Callable[[], Values], expected: Values, rows: int) -> EngineResult:
    """What the engine said; where it could not run the design at all, that is a difference."""
    try:
        return _compare(engine, run(), expected, rows)
    except OutOfTimeError as error:
        return EngineResult(engine, 0, note=str(error), verdict="out of time")
    except MlpressError as error:
        return EngineResult.of(engine, rows, str(error))


def _onnxruntime(design: Design, features: NDArray[np.float64]) -> Values:
    from mlpress.codegen import graph_difference
    from mlpress.sim import Oracle

    if difference := graph_difference(design.oracle, design.program):
        raise MlpressError(f"oracle.onnx was not run: {difference}")
    found = Oracle(design.oracle).run(features)
    named: dict[str, NDArray[Any]] = {}
    for k, layer in enumerate(design.program.layers if isinstance(design.program, ir.Net) else ()):
        for j in range(len(layer.neurons)):
            named[f"layer {k}, neuron {j}, sum"] = found[f"sum_{k}"][:, j]
            named[f"layer {k}, neuron {j}"] = found[f"out_{k}"][:, j]
    named |= {f"output y{k}": word for k, word in enumerate(found["words"].T)} if "words" in found else {}
    return named | ({"output y": found["decision"]} if "decision" in found else {})


def _rtl(design: Design, lowered: Program, codes: NDArray[np.int64]) -> Values:
    from mlpress.sim import Rtl

    engine = Rtl(design.verilog)
    return _clocked(design, lowered, codes, engine.run, engine.gates.inputs, engine.gates.outputs)


def _netlist(design: Design, lowered: Program, technology: Technology, codes: NDArray[np.int64]) -> Values:
    from mlpress.hw import printed

    netlist = printed.parse_netlist(design.netlist, "top")
    engine = printed.PackedNetlist(netlist, technology)
    return _clocked(design, lowered, codes, engine.run, engine.inputs, netlist.outputs)


class _Port(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def width(self) -> int: ...


def _clocked(
    design: Design,
    lowered: Program,
    codes: NDArray[np.int64],
    run: Callable[[dict[str, NDArray[np.int64]]], Values],
    inputs: Sequence[_Port],
    outputs: Sequence[_Port],
) -> Values:
    """What the circuit ``run`` answers to each row, after its latency; scores as signed numbers."""
    registered = design.facts["options"]["registered"]
    _check_ports(lowered, inputs, outputs, clocking=("clk", "rst") if registered else ())
    latency = LATENCY if registered else 0
    rows = np.concatenate([codes, np.repeat(codes[-1:], latency, axis=0)])
    found = run(port_values(rows, [port.name for port in inputs]))
    named = {}
    for port in outputs:
        values = found[port.name][latency:]
        if not design.program.classes:
            values = values - ((values >> (port.width - 1)) << port.width)
        named[f"output {port.name}"] = values
    return named


def _check_ports(lowered: Program, inputs: Iterable[_Port], outputs: Iterable[_Port], clocking: Sequence[str]) -> None:
    """Raise where a port is missing, too many, or of another width; ``clocking`` ports may be there or not."""
    from mlpress.codegen import bits_of

    bits = bits_of(lowered)
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


def port_values(codes: NDArray[np.int64], ports: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """What stands at each data ``port`` for input codes (rows, inputs): ``x<k>`` is column k, ``rst`` is off."""
    idle = np.zeros(len(codes), np.int64)
    return {port: codes[:, int(port[1:])] if port.startswith("x") else idle for port in ports}


def _amaranth(lowered: Program, codes: NDArray[np.int64], expected: Values, progress: Progress) -> EngineResult:
    """Amaranth's simulator, which takes its time: rows spread evenly, corners and all.

    A net runs in the readable style, which shares no lowering with the RTL that is synthesised.
    """
    from mlpress.codegen import simulate

    rows = min(len(codes), _worth_simulating(lowered))
    progress.step(f"verify: Amaranth's simulator on {rows} rows")
    chosen = np.unique(np.linspace(0, len(codes) - 1, rows).astype(np.int64))
    style, note = ("flat", "the gates") if isinstance(lowered, ir.Circuit) else ("modules", "a module per neuron")
    answers = simulate(lowered, codes[chosen], style, timeout_s=SIMULATION_LIMIT)
    done = min((len(values) for values in answers.values()), default=0)
    found = {f"output {port}": values[:done] for port, values in answers.items()}
    result = _compare("Amaranth", found, {name: values[chosen[:done]] for name, values in expected.items()}, done, note)
    if done == len(chosen) or (done and not result.equal):
        return result
    note = f"{done} of {len(chosen)} rows, which are equal, in {SIMULATION_LIMIT:g} s"
    return EngineResult("Amaranth", done, note=note, verdict="out of time")


def _worth_simulating(lowered: Program) -> int:
    """Rows by size.  Measured: 35 us a row and term of a net; 20 ms a row of 1,053 and-gates, growing by 2.5 powers."""
    if isinstance(lowered, ir.Circuit):
        seconds = 0.02 * (max(1, len(lowered.ands)) / 1053) ** 2.5
    else:
        seconds = 35e-6 * max(1, sum(len(neuron.terms) for layer in lowered.net.layers for neuron in layer.neurons))
    return int(np.clip(SIMULATION_SECONDS / seconds, LEAST_SIMULATED, MOST_SIMULATED))


def _class_names(design: Design, lowered: Program) -> EngineResult:
    """Are the classes those that ``design.json`` and the comment in ``top.v`` name, in that order?"""
    from mlpress.codegen import header

    classes, level = list(design.program.classes), "circuit" if isinstance(lowered, ir.Circuit) else "net"
    facts = design.facts.get(level)
    named = facts.get("classes") if isinstance(facts, dict) else None
    difference = "" if named == classes else f"program.mlp has {_listed(classes)}, design.json {_listed(named)}"
    ports = [
        line for line in header(lowered, design.facts["options"].get("style", "flat")).splitlines() if _answer(line)
    ]
    if not difference and ports != [line for line in design.verilog.splitlines() if _answer(line)]:
        difference = "the comment in top.v gives the answers other meanings than program.mlp"
    note = "names and order in program.mlp, design.json and top.v" if classes else "scores in program.mlp and top.v"
    return EngineResult.of("classes", len(classes) or 1, difference, note)


def _answer(line: str) -> bool:
    return line.startswith("//   y")


def _listed(classes: Any) -> str:
    return ", ".join(map(str, classes))[:100] if isinstance(classes, list) and classes else "none"


def _test_bench(design: Design, lowered: Program, codes: NDArray[np.int64]) -> EngineResult:
    """Is ``top_tb.v`` the test bench that the program makes?"""
    from mlpress.codegen import testbench

    registered = design.facts["options"]["registered"]
    benches = [testbench(lowered, codes, registered=registered)]
    if not design.hashed:
        benches.append(testbench(lowered, codes[:OLDER_BENCH_ROWS], registered=registered, most=OLDER_BENCH_ROWS))
    rows = next((bench.rows for bench in benches if bench.text == design.testbench), None)
    difference = "" if rows else "top_tb.v is not the test bench of this program and these rows"
    return EngineResult.of("test bench", rows or benches[0].rows, difference, "top_tb.v, written again")


def _icarus(design: Design, lowered: Program, codes: NDArray[np.int64], progress: Progress) -> list[EngineResult]:
    """A test bench in Icarus Verilog, where that is installed; it is made from the program, not read."""
    from mlpress.codegen import testbench
    from mlpress.sim import icarus, run_icarus

    if not icarus():
        progress.note("Icarus Verilog is not installed: the test bench was not run (one check less)")
        return []
    bench = testbench(lowered, codes, registered=design.facts["options"]["registered"])
    progress.step(f"verify: test bench of {bench.rows} rows in Icarus Verilog")
    name, note = "Icarus Verilog", "the test bench"
    try:
        said = run_icarus(design.verilog, bench.text)
    except OutOfTimeError as error:
        return [EngineResult(name, 0, note=str(error), verdict="out of time")]
    except MlpressError as error:
        return [EngineResult.of(name, bench.rows, str(error), note)]
    difference = "" if said == [bench.verdict] else " ".join(said)[-300:] or "it printed nothing"
    return [EngineResult.of(name, bench.rows, difference, note)]


def _compare(engine: str, found: Values, expected: Values, rows: int, note: str = "") -> EngineResult:
    """All values of all rows, no more and no fewer, against the reference interpreter's."""
    for name in {**expected, **found}:
        if name not in found or name not in expected:
            what = "is missing" if name not in found else "is one too many"
            return EngineResult.of(engine, rows, f"{name} {what}", note)
        values = found[name]
        if values.shape != (rows,):
            return EngineResult.of(engine, rows, f"{name} has {len(values)} values for {rows} rows", note)
        wrong = np.flatnonzero(values != expected[name])
        if len(wrong):
            row = int(wrong[0])
            difference = f"row {row}, {name}: {int(values[row])} instead of {int(expected[name][row])}"
            return EngineResult.of(engine, rows, difference, note)
    return EngineResult.of(engine, rows, note=note)
