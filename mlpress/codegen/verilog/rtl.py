"""Verilog from a lowered net or from a circuit.

Two styles of one function; a circuit has the first alone.  ``flat`` is the bit program as it stands, written out by
``flat.py``: every sum is a heap of full adders whose sums and carries stand in vectors named after
it.  ``modules`` is for reading: one module per neuron, written with ``+`` and ``>`` in Amaranth, whose RTLIL is
written out as Verilog by the same Yosys that synthesises.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np
from amaranth.back import rtlil
from amaranth.hdl import Cat, ClockDomain, Const, Module, Mux, Shape, Signal, Value
from amaranth.sim import Simulator, SimulatorContext
from numpy.typing import NDArray

from mlpress.codegen.verilog.flat import flat_text, vectors_of
from mlpress.codegen.verilog.readable import readable
from mlpress.errors import MlpressError
from mlpress.ir import Bits, Circuit, Gate, Input, Ladder, Lowered, QRelu, bits_of, port_columns, port_name
from mlpress.progress import counted
from mlpress.yosys import run_yosys

STYLES = ("flat", "modules")


Program = Lowered | Circuit


def to_verilog(
    program: Program, *, name: str = "top", style: str = "flat", registered: bool = False, stages: int = 1
) -> str:
    """Write ``program`` as plain Verilog-2001, with a comment that documents its ports.

    ``registered`` puts flip-flops (``clk``, asynchronous active-high ``rst``) at every input and output: the
    answer to a row is there two clock edges later.  With several ``stages``, which the flat style can have, the logic
    between is cut by flip-flops into so many, and the answer is there ``stages + 1`` clock edges later.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
        raise MlpressError(f"{name!r} is no module name; letters, digits and _ only")
    _check_style(program, style)
    if stages < 1 or (stages > 1 and not (registered and style == "flat")):
        raise MlpressError(f"{stages} stages: a pipeline has one or more, flip-flops at its ports, and the flat style")
    if style == "flat":
        return header(program, style) + flat_text(bits_of(program), name, registered, stages)
    circuit = _circuit(program, style, registered)
    ports = [*circuit.clocking, *circuit.inputs, *circuit.outputs]
    text = rtlil.convert(circuit.module, name=name, ports=ports, emit_src=False)
    return header(program, style) + _as_verilog(text, name)


def check_style(style: str) -> None:
    """Raise :class:`MlpressError` where no style is called so."""
    if style not in STYLES:
        raise MlpressError(f"unknown Verilog style {style!r}; there are {', '.join(STYLES)}")


def styles_of(program: Program) -> tuple[str, ...]:
    """Return the styles that ``program`` can be written in, the most readable last."""
    return STYLES if isinstance(program, Lowered) else STYLES[:1]


def simulate(
    program: Program, codes: NDArray[np.int64], style: str = "flat", *, timeout_s: float = math.inf
) -> dict[str, NDArray[np.int64]]:
    """Run ``codes`` (rows, inputs) in Amaranth's own simulator; return outputs by port, int64 (rows,).

    After ``timeout_s`` seconds no further row is begun: the answers are then fewer than the rows.
    """
    deadline = monotonic() + timeout_s
    _check_style(program, style)
    circuit = _circuit(program, style, registered=False)
    found: dict[str, list[int]] = {port.name: [] for port in circuit.outputs}
    columns = port_columns(program.inputs, codes)
    rows = list(zip(*(columns[port.name].tolist() for port in circuit.inputs), strict=True))

    async def drive(context: SimulatorContext) -> None:
        for row in rows:
            if monotonic() > deadline:
                return
            for port, value in zip(circuit.inputs, row, strict=True):
                context.set(port, value)
            await context.delay(1e-6)
            for port in circuit.outputs:
                found[port.name].append(context.get(port))

    simulator = Simulator(circuit.module)
    simulator.add_testbench(drive)
    simulator.run()
    return {port: np.array(values, np.int64) for port, values in found.items()}


@dataclass(frozen=True, slots=True)
class _Circuit:
    module: Module
    clocking: list[Signal]
    inputs: list[Signal]
    outputs: list[Signal]


def _check_style(program: Program, style: str) -> None:
    check_style(style)
    if style not in styles_of(program):
        raise MlpressError("a circuit of gates has no neurons to make modules of; its Verilog is flat")


def _circuit(program: Program, style: str, registered: bool) -> _Circuit:
    bits = bits_of(program)
    module = Module()
    ports = [Signal(width, name=port) for port, width in bits.inputs]
    answers = [Signal(Shape(len(word), signed), name=port) for port, (word, signed) in bits.outputs.items()]
    inside, outside = list(ports), list(answers)
    clocking: list[Signal] = []
    if registered:
        domain = ClockDomain("sync", async_reset=True)
        module.domains.sync = domain
        clocking = [domain.clk, domain.rst]
        inside = [Signal(port.shape(), name=f"{port.name}_held") for port in ports]
        outside = [Signal(answer.shape(), name=f"{answer.name}_next") for answer in answers]
        for source, held in zip([*ports, *outside], [*inside, *answers], strict=True):
            module.d.sync += held.eq(source)
    if style == "modules" and isinstance(program, Lowered):
        readable(module, program.plan, inside, outside)
    else:
        _flat(module, bits, inside, outside)
    return _Circuit(module, clocking, ports, answers)


def _flat(module: Module, bits: Bits, inputs: Sequence[Signal], outputs: Sequence[Signal]) -> None:
    made = vectors_of(bits)
    vectors = {name: Signal(size, name=name) for name, size in made.sizes.items()}
    places: dict[str, list[Value]] = {name: [] for name in vectors}
    nodes: list[Value] = [Const(0, 1), *(port[k] for port in inputs for k in range(len(port)))]

    def read(literal: int) -> Value:
        return ~nodes[literal >> 1] if literal & 1 else nodes[literal >> 1]

    for gate, name in zip(bits.gates, made.names, strict=True):
        nodes.append(vectors[name][len(places[name])])
        places[name].append(_expression(gate, read(gate.a), read(gate.b), read(gate.c)))
    for name, place in places.items():
        module.d.comb += vectors[name].eq(Cat(*place))
    for output, (word, _) in zip(outputs, bits.outputs.values(), strict=True):
        module.d.comb += output.eq(Cat(*(read(literal) for literal in word)))


def _expression(gate: Gate, a: Value, b: Value, c: Value) -> Value:
    match gate.kind:
        case "and":
            return a & b
        case "xor":
            return a ^ b
        case "xor3":
            return a ^ b ^ c
        case "maj":
            return (a & b) | (c & (a ^ b))
        case "mux":
            return Mux(a, b, c)


def _as_verilog(text: str, name: str) -> str:
    """Convert RTLIL to Verilog, with the ports in the order of the contract and modules named after what they hold."""
    text = re.sub(r"(?m)^(\s+wire .*?(?:input|output) )(\d+)", lambda m: f"{m[1]}{int(m[2]) + 1}", text)
    text = re.sub(rf"\\{name}\.(\w+)", r"\\\1", text)
    script = "read_rtlil in.il\nproc\nclean\nwrite_verilog -noattr out.v"
    written = run_yosys(script, {"in.il": text}, ["out.v"]).outputs["out.v"]
    return "\n".join(line.rstrip() for line in written.splitlines() if not line.startswith("/* Generated")) + "\n"


def header(program: Program, style: str) -> str:
    """Write the comment on top: what the module holds, and what each port means."""
    title, layers = _described(program, style)
    unary = any(feature.interface == "unary" for feature in program.inputs)
    lines = [title, "", f"Inputs (unsigned codes{'; x0_ge3 says whether code x0 is 3 or more' if unary else ''}):"]
    lines += [f"  {port_name(k)}: {_code(feature)}" for k, feature in enumerate(program.inputs)]
    lines += ["", "Outputs:", *_answers(program), *layers]
    return "".join(f"// {line}".rstrip() + "\n" for line in lines) + "\n"


def _described(program: Program, style: str) -> tuple[str, list[str]]:
    """Return the first line of the comment, and the lines on layers."""
    if isinstance(program, Circuit):
        return f"A circuit of {counted(len(program.ands), 'and-gate')} made by mlpress.", []
    net = program.net
    topology = "-".join(str(n) for n in (len(net.inputs), *(len(layer.neurons) for layer in net.layers)))
    lines = ["", "Layers:"]
    for k, layer in enumerate(net.layers):
        kinds = sorted({_activation(neuron.activation) for neuron in layer.neurons})
        lines.append(f"  {k}: {counted(len(layer.neurons), 'neuron')}, {'; '.join(kinds)}")
    return f"A {topology} network made by mlpress ({style}).", lines


def _code(feature: Input) -> str:
    levels = "" if feature.levels is None else f", kept levels {', '.join(map(str, feature.levels))}"
    rounding = "floor" if feature.rounding == "floor" else "round half to even"
    return (
        f"{sanitised(feature.name)}, {feature.bits} bits = "
        f"{rounding}(value * {feature.scale!r} + {feature.offset!r}), clipped{levels}"
    )


def _answers(program: Program) -> list[str]:
    if (scores := program.scores) is not None:
        return [
            f"  y{k}: signed score; real value = score * {scale!r} + {offset!r}"
            for k, (scale, offset) in enumerate(zip(scores.scale, scores.offset, strict=True))
        ]
    shown = ", ".join(f"{k} = {sanitised(str(label))}" for k, label in enumerate(program.classes[:32]))
    return [f"  y: class index; {shown}{', ...' if len(program.classes) > 32 else ''}"]


def _activation(activation: object) -> str:
    match activation:
        case QRelu(shift=shift, bits=bits):
            return f"sum >> {shift} clipped to 0 .. {(1 << bits) - 1}"
        case Ladder(thresholds=thresholds):
            return f"ladder of {len(thresholds)} thresholds"
        case _:
            return "raw sums"


def sanitised(text: str) -> str:
    """Return ``text`` with nothing left that could end a comment or a name: letters, digits, spaces and
    ``._-+()%/``."""
    return re.sub(r"[^A-Za-z0-9 ._()%+-]", "_", text)[:80]
