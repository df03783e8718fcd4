"""A technology's cells in ABC's formats, and netlists from what ABC mapped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.boolean import Constant, Expression, Gate, Not, Signal, truth_table
from mlpress.hw.printed.cells.technology import Cell, Technology
from mlpress.hw.printed.netlist.netlist import ONE, OPEN, ZERO, CellKind, Netlist, Port
from mlpress.yosys import Bus, Gates

MOST_INPUTS = 6
"""Inputs of a cell that ABC's mappers take."""

_WIRES = ("GATE zero 0 y=CONST0;", "GATE one 0 y=CONST1;", "GATE wire 0 y=a; PIN a NONINV 1 999 1 0 1 0")


@dataclass(frozen=True, slots=True)
class Register:
    """A flip-flop cell and its pins: it stores ``data`` at a rising clock, or a falling one where ``falling``.

    ``clear`` is the pin that clears it, active high or (``clear_low``) low.
    """

    cell: str
    data: str
    clock: str
    falling: bool
    clear: str | None
    clear_low: bool
    output: str


class Library:
    """The cells of ``technology`` that synthesis may use, under short names: gates ``c0, c1, ...`` and their pins."""

    def __init__(self, technology: Technology) -> None:
        usable = [cell for cell in technology.cells.values() if not cell.dont_use]
        gates = [cell for cell in usable if cell.flip_flop is None and len(cell.outputs) == 1]
        self.cells = [cell for cell in gates if 0 < len(cell.inputs) <= MOST_INPUTS]
        tables = {truth_table(_function(cell), cell.inputs) for cell in self.cells}
        if not {0b01} & tables or not {0b0111, 0b0001} & tables:
            raise MlpressError(
                f"{technology.name} has no inverter, or neither NAND nor NOR; nothing can be mapped to it"
            )
        stored = sorted((cell for cell in usable if cell.flip_flop), key=lambda cell: (cell.area_um2, cell.name))
        self.registers = [register for cell in stored if (register := _register(cell))]
        self.title = technology.name

    def genlib(self) -> str:
        """Write the gates in ABC's format; areas in 1e-4 of their own unit, for ABC prints two decimals."""
        lines = list(_WIRES)
        for k, cell in enumerate(self.cells):
            names = {pin: f"p{i}" for i, pin in enumerate(cell.inputs)}
            formula = _formula(_function(cell), names)
            lines.append(f"GATE c{k} {cell.area_um2 / 1e4:.6f} y={formula}; PIN * UNKNOWN 1 999 1 0 1 0")
        return "\n".join(lines) + "\n"

    def inverters(self) -> frozenset[str]:
        """Return the gates that invert, by their short names."""
        tables = {f"c{k}": truth_table(_function(cell), cell.inputs) for k, cell in enumerate(self.cells)}
        return frozenset(
            name for name, table in tables.items() if table == 1 and len(self.cells[int(name[1:])].inputs) == 1
        )

    def area(self, blif: str) -> float:
        """Return the um2 of the gates in a mapped network that ABC wrote."""
        return sum(self.cells[int(index)].area_um2 for index in re.findall(r"(?m)^\.gate c(\d+) ", blif))

    def register(self, *, clear: bool) -> Register:
        """Return the smallest flip-flop, with a clear where that is wanted."""
        for register in self.registers:
            if register.clear is not None or not clear:
                return register
        what = "a flip-flop with an asynchronous clear" if clear else "a flip-flop"
        raise MlpressError(f"{self.title} has no {what} that synthesis may use; describe the circuit without it")


def _function(cell: Cell) -> Expression:
    return next(iter(cell.outputs.values()))


def _formula(expression: Expression, names: Mapping[str, str]) -> str:
    match expression:
        case Signal(name):
            return names[name]
        case Constant(value):
            return f"CONST{value}"
        case Not(of):
            return f"!({_formula(of, names)})"
        case Gate(kind, left, right):
            a, b = _formula(left, names), _formula(right, names)
            return {"and": f"({a}*{b})", "or": f"({a}+{b})", "xor": f"({a}*!{b}+!{a}*{b})"}[kind]


def _register(cell: Cell) -> Register | None:
    """Return a flip-flop of the simple kind (data, clock, at most a clear; an output with the stored bit), or None."""
    stored = cell.flip_flop
    if stored is None or stored.preset is not None:
        return None
    output = next((pin for pin, function in cell.outputs.items() if function == Signal(stored.state)), None)
    if output is None:
        return None
    clock, clear = _pin(stored.clock), None if stored.clear is None else _pin(stored.clear)
    if not isinstance(stored.next_state, Signal) or clock is None or (stored.clear is not None and clear is None):
        return None
    pins = {stored.next_state.name, clock[0]} | ({clear[0]} if clear else set())
    if pins != set(cell.inputs):
        return None
    name, low = clear or (None, False)
    return Register(cell.name, stored.next_state.name, *clock, name, low, output)


def _pin(expression: Expression) -> tuple[str, bool] | None:
    """Return the pin and whether it is inverted."""
    match expression:
        case Signal(name):
            return name, False
        case Not(Signal(name)):
            return name, True
    return None


def read_blif(text: str) -> list[tuple[str, dict[str, str]]]:
    """Return gate name and pin -> net of every ``.gate`` line of a mapped BLIF file."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        match line.split():
            case [".gate", gate, *pins]:
                found.append((gate, dict(pin.split("=", 1) for pin in pins)))
            case [".names" | ".latch" | ".subckt", *_]:
                raise MlpressError(f"ABC left {line.strip()[:80]!r} unmapped; the library may lack a cell")
    return found


def assemble(gates: Gates, registers: Sequence[Register], library: Library, text: str) -> Netlist:
    """Build the netlist of ABC's mapped BLIF ``text``, with the ports and flip-flops of ``gates`` put back.

    The mapped network's inputs ``i..`` are the input bits and the flip-flops' outputs; its outputs ``o..`` are the
    output bits, then data, clock and clear of each flip-flop.
    """
    return _Assembly(gates, registers, library, read_blif(text)).netlist()


class _Assembly:
    def __init__(
        self, gates: Gates, registers: Sequence[Register], library: Library, mapped: list[tuple[str, dict[str, str]]]
    ) -> None:
        self.gates = gates
        self.registers = registers
        self.library = library
        self.nets = ["1'b0", "1'b1"]
        self.number: dict[str, int] = {}
        self.alias = {pins["y"]: pins.get("a", gate) for gate, pins in mapped if gate in ("wire", "zero", "one")}
        self.mapped = [(gate, pins) for gate, pins in mapped if gate not in ("wire", "zero", "one")]

    def netlist(self) -> Netlist:
        inputs = self._inputs()
        rows: list[tuple[str, tuple[str, ...], list[int], str]] = []
        for k, (gate, pins) in enumerate(self.mapped):
            cell = self.library.cells[int(gate[1:])]
            wires = [self._net(pins[f"p{i}"]) for i in range(len(cell.inputs))] + [self._net(pins["y"])]
            rows.append((cell.name, (*cell.inputs, next(iter(cell.outputs))), wires, f"g{k}"))
        outputs = self._outputs()
        at = sum(bus.width for bus in self.gates.outputs)
        for k, register in enumerate(self.registers):
            wires = [self._net(f"o{at + j}") for j in (0, 1)] + [self._net(f"i{self.gates.input_bits + k}")]
            names = [register.data, register.clock, register.output]
            if register.clear is not None:
                names.append(register.clear)
                wires.append(self._net(f"o{at + 2}"))
            at += 3
            rows.append((register.cell, tuple(names), wires, f"r{k}"))
        kinds = list(dict.fromkeys((name, pins) for name, pins, _, _ in rows))
        index = {kind: k for k, kind in enumerate(kinds)}
        widest = max((len(pins) for _, pins in kinds), default=0)
        return Netlist(
            name=self.gates.name,
            ports=(*inputs, *outputs),
            nets=tuple(self.nets),
            kinds=tuple(CellKind(name, pins) for name, pins in kinds),
            kind=np.array([index[name, pins] for name, pins, _, _ in rows], np.int32),
            pins=np.array([wires + [OPEN] * (widest - len(wires)) for _, _, wires, _ in rows], np.int32).reshape(
                len(rows), widest
            ),
            names=tuple(name for *_, name in rows),
        )

    def _inputs(self) -> list[Port]:
        ports, bit = [], 0
        for bus in self.gates.inputs:
            nets = []
            for k in range(bus.width):
                nets.append(self._new(f"i{bit}", _bit_name(bus, k)))
                bit += 1
            ports.append(Port(bus.name, "input", tuple(nets), bus.left, bus.right))
        return ports

    def _outputs(self) -> list[Port]:
        ports, bit = [], 0
        for bus in self.gates.outputs:
            nets = tuple(self._net(f"o{bit + k}") for k in range(bus.width))
            bit += bus.width
            ports.append(Port(bus.name, "output", nets, bus.left, bus.right))
        return ports

    def _net(self, name: str) -> int:
        while name in self.alias:
            name = self.alias[name]
        match name:
            case "zero":
                return ZERO
            case "one":
                return ONE
        return self.number[name] if name in self.number else self._new(name, f"n{len(self.nets)}")

    def _new(self, name: str, shown: str) -> int:
        self.number[name] = len(self.nets)
        self.nets.append(shown)
        return self.number[name]


def _bit_name(bus: Bus, k: int) -> str:
    return bus.name if bus.left is None else f"{bus.name}[{k + min(bus.left, bus.right or 0)}]"
