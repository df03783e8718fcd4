"""Verilog as single-bit gates: what Yosys elaborates, without any logic optimisation by ABC."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.yosys.child import run_yosys
from mlpress.yosys.designware import PARTS, models_of
from mlpress.yosys.drivers import FLATTEN, check_drivers, net_name
from mlpress.yosys.line import NOT, Line
from mlpress.yosys.untrusted import check_sources, choose_top, instantiated, modules

AND, OR, XOR, XNOR, NAND, NOR, COPY = 0b1000, 0b1110, 0b0110, 0b1001, 0b0111, 0b0001, 0b1010
"""Truth tables: bit ``a + 2 * b`` is the output for operands ``a`` and ``b``."""
DELAY = 16
"""The operation of a flip-flop: the left operand one clock earlier."""

_TABLES = {
    "$_AND_": AND, "$_OR_": OR, "$_XOR_": XOR, "$_XNOR_": XNOR, "$_NAND_": NAND, "$_NOR_": NOR,
    "$_ANDNOT_": 0b0010, "$_ORNOT_": 0b1011, "$_NOT_": NOT, "$_BUF_": COPY,
}  # fmt: skip

_ELABORATE = f"""
{FLATTEN}
tee -q -o check.txt check
opt_expr
opt_clean
memory
wreduce
peepopt
opt_clean
alumacc
opt
techmap -map ripple.v -map +/techmap.v
opt -fast
setattr -unset init w:*
dfflegalize -cell $_DFF_P_ x -cell $_DFF_PP0_ x
techmap
delete t:$print t:$check t:$assert t:$assume t:$cover t:$live t:$fair
opt -fast -nodffe -nosdff
opt_clean -purge
setattr -unset src w:* t:$_*_ %u t:$_DLATCH* %d
write_json gates.json
"""
_RIPPLE = """
(* techmap_celltype = "$lcu" *)
module ripple_carry (P, G, CI, CO);
  parameter WIDTH = 2;
  (* force_downto *) input [WIDTH-1:0] P, G;
  input CI;
  (* force_downto *) output [WIDTH-1:0] CO;
  assign CO = G | (P & {CO, CI});
endmodule
"""
"""Carries ripple: the smallest adder, where Yosys's own choice is a Brent-Kung tree."""

_PART_NOTE = "{0} is in none of the files: mlpress's own model of that DesignWare part's documented function was taken"


_ELABORATE_PLAIN = """
hierarchy -check -top {top}
tee -q -o check.txt check
simplemap
write_json gates.json
"""
"""The same for a module of single-bit operators and no clock.  Nothing is optimised: that would take as long as all the
rest, for the same and-gates."""

PART_TEXT = 400_000
"""Characters from which on Verilog that comes in parts is elaborated part by part."""


KEPT = 2
"""Sources whose gates are kept: a design is synthesised, verified and proven from one reading."""

_KNOWN: dict[Any, Gates] = {}


@dataclass(frozen=True, slots=True)
class Bus:
    """A port of ``width`` bits; ``left`` and ``right`` are its declared range, or None for a scalar."""

    name: str
    width: int
    left: int | None
    right: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Gates:
    """A flat module of two-input gates and flip-flops.

    Signal 0 is the constant 0; then come the bits of ``inputs`` (least significant first, port by port), the
    ``flip_flops`` outputs, and the gates in an order in which operands come first.  Gate ``k`` is truth
    table ``operation[k]`` (uint8) of signals ``left[k]`` and ``right[k]`` (int32).  ``result`` (int32) holds
    the signals of the bits of ``outputs``.  Flip-flop ``f`` stores ``data[f]`` at a rising edge of
    ``clock[f]`` and is 0 while ``clear[f]`` is 1 (all int32 (flip_flops,)).  ``notes`` say what a user should
    know of how the sources were read, ``cuts`` the gates at which a further part of the source begins, where it came in
    parts.
    """

    name: str
    inputs: tuple[Bus, ...]
    outputs: tuple[Bus, ...]
    operation: NDArray[np.uint8]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    result: NDArray[np.int32]
    data: NDArray[np.int32]
    clock: NDArray[np.int32]
    clear: NDArray[np.int32]
    notes: tuple[str, ...] = ()
    cuts: tuple[int, ...] = ()

    @property
    def input_bits(self) -> int:
        """Bits of all input ports."""
        return sum(bus.width for bus in self.inputs)

    @property
    def flip_flops(self) -> int:
        """Stored bits."""
        return len(self.data)


def read_gates(
    sources: Mapping[str, str],
    top: str | None = None,
    *,
    timeout_s: float = 120.0,
    memory_mb: int = 4096,
) -> Gates:
    """Elaborate Verilog ``sources`` (file name -> text) into gates.

    DesignWare parts that the sources instantiate and do not declare are those of :mod:`mlpress.yosys.designware`.
    Raises :class:`MlpressError` in one line for syntax errors, a missing top or module, latches, nets with two
    drivers, nets that are read and have none, tri-state drivers, combinational loops, and for sources that reach
    outside of themselves.
    """
    key = tuple((label.endswith(".sv"), text) for label, text in sources.items()), top
    if key not in _KNOWN:
        found = _read(sources, top, timeout_s, memory_mb)
        while len(_KNOWN) >= KEPT:
            del _KNOWN[next(iter(_KNOWN))]
        _KNOWN[key] = found
    return _KNOWN[key]


def _read(sources: Mapping[str, str], top: str | None, timeout_s: float, memory_mb: int) -> Gates:
    """Read as :func:`read_gates` does, anew."""
    check_sources(sources)
    name, parts = top or "", None if top is None else _parts(sources, top)
    if parts is None:
        name = choose_top(sources, top)
        models = models_of(instantiated(sources, PARTS) - set(modules(sources)))
        sources = {**sources, **{f"DesignWare/{part}": text for part, text in models.items()}}
        found = _elaborated(sources, name, _ELABORATE, timeout_s, memory_mb)
        return replace(found, notes=tuple(_PART_NOTE.format(part.removesuffix(".v")) for part in models))
    gates = {}
    for part, text in parts.items():
        if part != name:
            gates[part] = _elaborated({f"{part}.v": text}, part, _ELABORATE_PLAIN, timeout_s, memory_mb)
    stubs = "".join(_stub(part) for part in gates.values())
    return _elaborated({f"{name}.v": stubs + parts[name]}, name, _ELABORATE, timeout_s, memory_mb, gates)


def _parts(sources: Mapping[str, str], top: str) -> dict[str, str] | None:
    """Return the text of each module of a large source that is a ``top`` of parts (``top_part0``, ...); None for
    others.
    """
    text = next(iter(sources.values()))
    if len(sources) != 1 or len(text) < PART_TEXT or "`" in text:
        return None
    found: dict[str, str] = {}
    for module in re.split(r"(?<=\bendmodule\b)", re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)):
        head = re.match(r"\s*module\s+(\w+)", module)
        if head is not None and head[1] not in found and module.endswith("endmodule"):
            found[head[1]] = module
        elif module.strip():
            return None
    plain = re.compile(rf"{re.escape(top)}_part\d+")
    others = [name for name in found if name != top]
    if top not in found or not others or not all(plain.fullmatch(name) for name in others):
        return None
    clocked = any(re.search(r"\b(always|reg|initial|module\s+\w+\s*#)\b", found[name]) for name in others)
    return None if clocked else found


def _stub(part: Gates) -> str:
    """Write a part's ports as a black box."""
    sides = [("input", bus) for bus in part.inputs] + [("output", bus) for bus in part.outputs]
    spans = {bus.name: "" if bus.left is None else f"[{bus.left}:{bus.right}] " for _, bus in sides}
    ports = "".join(f"  {side} {spans[bus.name]}{bus.name};\n" for side, bus in sides)
    return f"(* blackbox *) module {part.name}({', '.join(spans)});\n{ports}endmodule\n"


def _elaborated(
    sources: Mapping[str, str],
    name: str,
    commands: str,
    timeout_s: float,
    memory_mb: int,
    parts: Mapping[str, Gates] | None = None,
) -> Gates:
    """Return the gates of module ``name`` after Yosys's ``commands``; ``parts`` are those of its instances."""
    files = {f"source_{k}.v": text for k, text in enumerate(sources.values())}
    reads = "\n".join(
        f"read_verilog -nodpi{' -sv' if label.endswith('.sv') else ''} {file}"
        for label, file in zip(sources, files, strict=True)
    )
    spelled = _spelled(name)
    script = f"{reads}\n{commands.format(top=spelled)}"
    limits: dict[str, Any] = {"timeout_s": timeout_s, "memory_mb": memory_mb}
    try:
        run = run_yosys(script, {**files, "ripple.v": _RIPPLE}, ["gates.json", "check.txt"], **limits)
        check_drivers(sources, reads, files, spelled, run.outputs["check.txt"], **limits)
        found = _Reader(name, json.loads(run.outputs["gates.json"])["modules"][name], parts or {}).gates()
    except MlpressError as error:
        raise type(error)(_with_names(str(error), sources)) from None
    return found


def _spelled(name: str) -> str:
    if any(character.isspace() or character in ";#\"'" for character in name):
        raise MlpressError(f"the module name {name!r} has characters that no netlist tool takes; rename it")
    return name


def _with_names(message: str, sources: Mapping[str, str]) -> str:
    for k, label in enumerate(sources):
        message = message.replace(f"source_{k}.v", label)
    if "is not part of the design" in message:
        message = message.rstrip(".") + "; add the file that has it (or --mapped where it is a cell of the technology)"
    return message


class _Reader(Line):
    """Yosys's JSON netlist of one module, sorted into a straight line."""

    def __init__(self, name: str, module: Mapping[str, Any], parts: Mapping[str, Gates]) -> None:
        super().__init__()
        self.name = name
        self.parts = parts
        self.instances: list[Mapping[str, Any]] = []
        self.cuts: list[int] = []
        self.module = module
        self.flip_flops: list[Mapping[str, Any]] = []
        self.driver: dict[int | str, Mapping[str, Any]] = {}

    def gates(self) -> Gates:
        inputs, outputs = self._ports()
        self._cells()
        self.base = 1 + sum(bus.width for bus, _ in inputs) + len(self.flip_flops)
        signal = 1
        for _, bits in inputs:
            for bit in bits:
                self.signal[bit] = signal
                signal += 1
        for cell in self.flip_flops:
            self.signal[cell["connections"]["Q"][0]] = signal
            signal += 1
        self._add_parts()
        result = [self.value(bit) for _, bits in outputs for bit in bits]
        pins = [
            [self.value(cell["connections"].get(pin, ["0"])[0]) for pin in ("D", "C", "R")] for cell in self.flip_flops
        ]
        data, clock, clear = np.array(pins, np.int32).reshape(len(pins), 3).T
        return Gates(
            name=self.name,
            inputs=tuple(bus for bus, _ in inputs),
            outputs=tuple(bus for bus, _ in outputs),
            operation=np.array(self.operation, np.uint8),
            left=np.array(self.left, np.int32),
            right=np.array(self.right, np.int32),
            result=np.array(result, np.int32),
            data=data,
            clock=clock,
            clear=clear,
            cuts=tuple(self.cuts),
        )

    def _ports(self) -> tuple[list[tuple[Bus, list[Any]]], list[tuple[Bus, list[Any]]]]:
        sides: dict[str, list[tuple[Bus, list[Any]]]] = {"input": [], "output": []}
        for name, port in self.module["ports"].items():
            if port["direction"] not in sides:
                raise MlpressError(f"port {name!r} is {port['direction']}; mlpress takes inputs and outputs only")
            low, width = port.get("offset", 0), len(port["bits"])
            span = (low, low + width - 1) if port.get("upto") else (low + width - 1, low)
            bus = Bus(name, width, *(span if width > 1 or low else (None, None)))
            sides[port["direction"]].append((bus, port["bits"]))
        return sides["input"], sides["output"]

    def _cells(self) -> None:
        for cell in self.module["cells"].values():
            kind, wires = cell["type"], cell["connections"]
            if kind in _TABLES or kind == "$_MUX_":
                self.driver[wires["Y"][0]] = cell
            elif kind in ("$_DFF_P_", "$_DFF_PP0_"):
                self.flip_flops.append(cell)
            elif kind in self.parts:
                self.instances.append(cell)
            else:
                raise MlpressError(self._refusal(kind, cell))

    def _add_parts(self) -> None:
        """Put the gates of all parts in the line, those first whose inputs are known."""
        waiting = self.instances
        made = {bit for cell in waiting for bus in self.parts[cell["type"]].outputs for bit in _bits(cell, bus)}
        while waiting:
            held = []
            for cell in waiting:
                part = self.parts[cell["type"]]
                bits = [bit for bus in part.inputs for bit in _bits(cell, bus)]
                if any(bit in made and bit not in self.signal for bit in bits):
                    held.append(cell)
                    continue
                signals = [0, *map(self.value, bits)]
                start = self.base + len(self.operation)
                signals += range(start, start + len(part.operation))
                self.operation += part.operation.tolist()
                self.left += [signals[signal] for signal in part.left.tolist()]
                self.right += [signals[signal] for signal in part.right.tolist()]
                self.cuts.append(len(self.operation))
                ends = [bit for bus in part.outputs for bit in _bits(cell, bus)]
                for bit, signal in zip(ends, part.result.tolist(), strict=True):
                    self.signal[bit] = signals[signal]
            if len(held) == len(waiting):
                raise MlpressError(f"there is a combinational loop through the parts of {self.name}")
            waiting = held

    def _refusal(self, kind: str, cell: Mapping[str, Any]) -> str:
        wires = cell["connections"]
        net = net_name(self.module, wires.get("Q", wires.get("Y", [""]))[0])
        where = f"{self.name}.{net}" if net else self.name
        if "LATCH" in kind or kind == "$_SR_":
            return f"{where} is a latch; give it a value in every branch, or clock it"
        if "TBUF" in kind:
            return f"{where} has a tri-state driver; mlpress takes two-valued logic only"
        if "DFF" in kind:
            return f"{where} is a flip-flop with both set and reset, which mlpress does not take"
        return f"{self.name} has a cell {kind!r} that is a black box; add the file that describes it"

    def operands(self, net: int | str, readers: Sequence[int | str]) -> list[int | str]:
        """Return the nets that the cell of a net reads."""
        cell = self.driver.get(net) if isinstance(net, int) else None
        if cell is None:
            raise MlpressError(self._undriven(net, readers))
        return [cell["connections"][pin][0] for pin in ("A", "B", "S") if pin in cell["connections"]]

    def made(self, net: int | str, operands: list[int]) -> int:
        """Return the signal of the gates of a net's cell."""
        kind = self.driver[net]["type"]
        if kind == "$_MUX_":
            low, high, select = operands
            return self.gate(OR, self.gate(AND, select, high), self.gate(0b0010, low, select))
        return self.gate(_TABLES[kind], operands[0], operands[-1])

    def place_of(self, net: int | str) -> str:
        """Return the name of a net in its module."""
        return f"{self.name}.{net_name(self.module, net)}"

    def _undriven(self, net: int | str, readers: Sequence[int | str]) -> str:
        name = net_name(self.module, net if net != "z" else readers[-2] if len(readers) > 1 else net)
        where = f"{self.name}.{name}" if name else self.name
        if net == "z":
            return f"{where} is driven to z (high impedance); mlpress takes two-valued logic only"
        return f"nothing drives {where}, which is an output or is read by one; drive it"


def _bits(cell: Mapping[str, Any], bus: Bus) -> list[Any]:
    """Return what stands at an instance's port; ports that are not connected are 0."""
    bits = list(cell["connections"].get(bus.name, []))
    return bits + ["0"] * (bus.width - len(bits))
