"""Does every engine compute the same function?  The reference interpreter says what is right.

All rows of the data, corner rows and random rows run through onnxruntime (on the oracle graph), the RTL and the
mapped netlist; one difference anywhere names engine, row, neuron and both values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.design import Design
from mlpress.errors import MlpressError
from mlpress.progress import Progress, Silent

if TYPE_CHECKING:
    from mlpress.hw import Technology

Values = Mapping[str, NDArray[Any]]
"""What an engine gives for rows: values (rows,) by the name of a neuron or port."""

RANDOM_ROWS = 256
"""Rows drawn at random beside the data and the corners."""

SIMULATED_ROWS = 256
"""Rows that Amaranth's simulator runs."""

LATENCY = 2
"""Clocks from a row to its answer in a design with registered ports."""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """What one engine said: ``difference`` is empty where all ``rows`` equal the reference interpreter."""

    engine: str
    rows: int
    difference: str = ""
    note: str = ""

    @property
    def equal(self) -> bool:
        """All rows agreed."""
        return not self.difference

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"equal": self.equal}


def verify(
    design: Design,
    technology: Technology | None = None,
    *,
    progress: Progress | None = None,
) -> list[EngineResult]:
    """Run ``design`` in every engine; one result an engine, equal or with its first difference.

    ``technology`` is that of the netlist's cells (default: the design's target).
    """
    progress = progress or Silent()
    technology = technology or design.technology()
    features = np.concatenate([design.features, probe_rows(design.program)])
    codes = ir.encode(design.program, features)
    progress.step(f"verify: reference interpreter on {len(codes)} rows")
    expected = _expected(design.program, codes)
    results = [EngineResult("reference interpreter", len(codes))]
    for name, run in _engines(design, technology, features, codes).items():
        progress.step(f"verify: {name}")
        results.append(_compare(name, run(), expected, len(codes)))
    progress.step(f"verify: Amaranth's simulator on {SIMULATED_ROWS} rows")
    return [*results, _amaranth(design.program, codes, expected), *_icarus(design, progress)]


def require_equal(
    design: Design, technology: Technology | None = None, *, progress: Progress | None = None
) -> list[EngineResult]:
    """:func:`verify`, where a difference is an error."""
    results = verify(design, technology, progress=progress)
    for result in results:
        if not result.equal:
            raise MlpressError(f"{result.engine} differs from the reference interpreter: {result.difference}")
    return results


def probe_rows(program: ir.Net | ir.Circuit, seed: int = 0) -> NDArray[np.float64]:
    """Corner rows (all low, all high, each input alone at either end) and random ones, as features (rows, inputs)."""
    top = np.array([(1 << feature.bits) - 1 for feature in program.inputs], np.float64)
    alone = np.eye(len(top))
    random = np.random.default_rng(seed).uniform(-1.0, top + 2.0, (RANDOM_ROWS, len(top)))
    places = np.concatenate([np.zeros((1, len(top))), top[None, :], alone * top, top - alone * top, random])
    scale = np.array([feature.scale for feature in program.inputs])
    offset = np.array([feature.offset for feature in program.inputs])
    # Half a code above the edge, so that a code that truncates gives the place itself.
    half = np.array([0.5 if feature.rounding == "floor" else 0.0 for feature in program.inputs])
    return np.where(scale == 0, 0.0, (places + half - offset) / np.where(scale == 0, 1.0, scale))


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


def _engines(
    design: Design, technology: Technology, features: NDArray[np.float64], codes: NDArray[np.int64]
) -> dict[str, Callable[[], Values]]:
    return {
        "onnxruntime": lambda: _onnxruntime(design, features),
        "RTL": lambda: _rtl(design, codes),
        "mapped netlist": lambda: _netlist(design, technology, codes),
    }


def _onnxruntime(design: Design, features: NDArray[np.float64]) -> Values:
    from mlpress.sim import Oracle

    found = Oracle(design.oracle).run(features)
    named: dict[str, NDArray[Any]] = {}
    for k, layer in enumerate(design.program.layers if isinstance(design.program, ir.Net) else ()):
        for j in range(len(layer.neurons)):
            named[f"layer {k}, neuron {j}, sum"] = found[f"sum_{k}"][:, j]
            named[f"layer {k}, neuron {j}"] = found[f"out_{k}"][:, j]
    named |= {f"output y{k}": word for k, word in enumerate(found["words"].T)} if "words" in found else {}
    return named | ({"output y": found["decision"]} if "decision" in found else {})


def _rtl(design: Design, codes: NDArray[np.int64]) -> Values:
    from mlpress.sim import Rtl

    engine = Rtl(design.verilog)
    return _clocked(design, codes, engine.run, engine.gates.inputs, engine.gates.outputs)


def _netlist(design: Design, technology: Technology, codes: NDArray[np.int64]) -> Values:
    from mlpress import hw

    netlist = hw.parse_netlist(design.netlist, "top")
    engine = hw.PackedNetlist(netlist, technology)
    return _clocked(design, codes, engine.run, engine.inputs, netlist.outputs)


class _Port(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def width(self) -> int: ...


def _clocked(
    design: Design,
    codes: NDArray[np.int64],
    run: Callable[[dict[str, NDArray[np.int64]]], Values],
    inputs: Sequence[_Port],
    outputs: Sequence[_Port],
) -> Values:
    """What the circuit ``run`` answers to each row, after its latency; scores as signed numbers."""
    latency = LATENCY if design.facts["options"]["registered"] else 0
    rows = np.concatenate([codes, np.repeat(codes[-1:], latency, axis=0)])
    found = run(port_values(rows, [port.name for port in inputs]))
    named = {}
    for port in outputs:
        values = found[port.name][latency:]
        if not design.program.classes:
            values = values - ((values >> (port.width - 1)) << port.width)
        named[f"output {port.name}"] = values
    return named


def port_values(codes: NDArray[np.int64], ports: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """What stands at each data ``port`` for input codes (rows, inputs): ``x<k>`` is column k, ``rst`` is off."""
    idle = np.zeros(len(codes), np.int64)
    return {port: codes[:, int(port[1:])] if port.startswith("x") else idle for port in ports}


def _amaranth(program: ir.Net | ir.Circuit, codes: NDArray[np.int64], expected: Values) -> EngineResult:
    """Amaranth's simulator, which takes its time: rows spread evenly, corners and all.

    A net runs in the readable style, which shares no lowering with the RTL that is synthesised.
    """
    from mlpress.codegen import simulate

    chosen = np.unique(np.linspace(0, len(codes) - 1, SIMULATED_ROWS).astype(np.int64))
    if isinstance(program, ir.Circuit):
        found, note = simulate(program, codes[chosen]), "the gates"
    else:
        found, note = simulate(ir.lower_net(program), codes[chosen], "modules"), "a module a neuron"
    wanted = {f"output {port}": expected[f"output {port}"][chosen] for port in found}
    return _compare(
        "Amaranth",
        {f"output {port}": values for port, values in found.items()},
        wanted,
        len(chosen),
        note,
    )


def _icarus(design: Design, progress: Progress) -> list[EngineResult]:
    """The test bench in Icarus Verilog, where that is installed."""
    from mlpress.sim import icarus, run_icarus

    if not icarus():
        progress.note("Icarus Verilog is not installed: the test bench was not run (one check less)")
        return []
    progress.step("verify: test bench in Icarus Verilog")
    said = run_icarus(design.verilog, design.testbench)
    rows = design.testbench.count("    rows[")
    passed = said.splitlines()[-1:] == [f"PASS: {rows} rows"]
    return [EngineResult("Icarus Verilog", rows, "" if passed else said[-300:], "the test bench")]


def _compare(engine: str, found: Values, expected: Values, rows: int, note: str = "") -> EngineResult:
    for name, values in found.items():
        wrong = np.flatnonzero(values != expected[name])
        if len(wrong):
            row = int(wrong[0])
            return EngineResult(
                engine, rows, f"row {row}, {name}: {int(values[row])} instead of {int(expected[name][row])}", note
            )
    return EngineResult(engine, rows, note=note)
