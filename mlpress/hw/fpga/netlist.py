"""Mapped netlists of FPGAs, in Yosys's JSON, read as two-input gates by the cells' functions.

Cells: a look-up table of four inputs, whose parameter is its truth table (input A or I0 is the lowest bit of the row);
a carry of the iCE40, the majority of its three inputs; a flip-flop with a rising clock and an asynchronous clear.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mlpress.errors import MlpressError
from mlpress.yosys import AND, NOT, OR, XOR, Bus, Gates, Line

LARGEST = 256 << 20
"""Characters of the largest netlist that is read."""

_ANDNOT = 0b0010


class _Cell(NamedTuple):
    """What is known of a kind of cell: its inputs, its output, and the parameter with a table or ''."""

    inputs: tuple[str, ...]
    output: str
    table: str


_LOGIC = {
    "LUT4": _Cell(("A", "B", "C", "D"), "Z", "INIT"),
    "SB_LUT4": _Cell(("I0", "I1", "I2", "I3"), "O", "LUT_INIT"),
    "SB_CARRY": _Cell(("I0", "I1", "CI"), "CO", ""),
}
_MAJORITY = 0b11101000
_REGISTERS = {"TRELLIS_FF": ("CLK", "DI", "LSR", "Q"), "SB_DFFR": ("C", "D", "R", "Q"), "SB_DFF": ("C", "D", "", "Q")}
_SETTINGS = {
    "CEMUX": "1",
    "CLKMUX": "CLK",
    "GSR": "DISABLED",
    "LSRMUX": "LSR",
    "REGSET": "RESET",
    "SRMODE": "ASYNC",
    "LSRONMUX": "LSRMUX",
}
"""The only values of a flip-flop's parameters that are known here."""


_TABLES = {"LUT4": 1, "SB_LUT4": 1, "CCU2C": 2}
"""Look-up tables in a cell; the ECP5's two bits of an adder are both tables of a slice."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a mapped netlist takes: look-up tables and flip-flops."""

    luts: int
    flip_flops: int


def resources(netlist: str) -> Resources:
    """Count the look-up tables and flip-flops of a netlist; an iCE40's carry is in the cell of a look-up table."""
    kinds = [cell["type"] for cell in _module(netlist)["cells"].values()]
    return Resources(sum(_TABLES.get(kind, 0) for kind in kinds), sum(kind in _REGISTERS for kind in kinds))


def read_netlist(netlist: str) -> Gates:
    """Return the gates and flip-flops of a netlist in Yosys's JSON.

    Raises :class:`MlpressError` for text that is none, for cells or settings that are not known here, and for
    combinational loops and nets without a driver.
    """
    module = _module(netlist)
    try:
        return _Reader(module).gates()
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise MlpressError(f"netlist.json is no mapped netlist: {str(error)[:200]}; compile the model again") from error


def _module(netlist: str) -> Mapping[str, Any]:
    try:
        if len(netlist) > LARGEST:
            raise ValueError(f"it has over {LARGEST >> 20} MiB")
        module = json.loads(netlist)["modules"]["top"]
        if not all(isinstance(module[key], dict) for key in ("ports", "cells")):
            raise ValueError("its top module has no ports or no cells")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MlpressError(f"netlist.json is no netlist: {str(error)[:200]}; compile the model again") from error
    found: Mapping[str, Any] = module
    return found


class _Reader(Line):
    def __init__(self, module: Mapping[str, Any]) -> None:
        super().__init__()
        self.module = module
        self.driver: dict[int | str, Mapping[str, Any]] = {}
        self.registers: list[tuple[int, Any, Any, Any]] = []

    def gates(self) -> Gates:
        sides: dict[str, list[tuple[Bus, list[Any]]]] = {"input": [], "output": []}
        for name, port in self.module["ports"].items():
            width = len(port["bits"])
            bus = Bus(name, width, *((width - 1, 0) if width > 1 else (None, None)))
            sides[port["direction"]].append((bus, port["bits"]))
        driven: list[int] = [bit for _, bits in sides["input"] for bit in bits]
        for cell in self.module["cells"].values():
            driven.append(self._place(cell))
        if len(set(driven)) < len(driven):
            raise MlpressError("netlist.json has a net with two drivers; compile the model again")
        inputs = [bit for _, bits in sides["input"] for bit in bits]
        self.base = 1 + len(inputs) + len(self.registers)
        self.signal |= {bit: 1 + k for k, bit in enumerate([*inputs, *(register[0] for register in self.registers)])}
        result = [self.value(bit) for _, bits in sides["output"] for bit in bits]
        pins = np.array([[self.value(bit) for bit in pins] for _, *pins in self.registers], np.int32)
        data, clock, clear = pins.reshape(len(self.registers), 3).T
        return Gates(
            name="top",
            inputs=tuple(bus for bus, _ in sides["input"]),
            outputs=tuple(bus for bus, _ in sides["output"]),
            operation=np.array(self.operation, np.uint8),
            left=np.array(self.left, np.int32),
            right=np.array(self.right, np.int32),
            result=np.array(result, np.int32),
            data=data,
            clock=clock,
            clear=clear,
        )

    def _place(self, cell: Mapping[str, Any]) -> int:
        """Note a cell; return the net that it drives."""
        kind, pins, settings = cell["type"], cell["connections"], cell["parameters"]
        if kind in _LOGIC:
            net = int(pins[_LOGIC[kind].output][0])
            self.driver[net] = cell
            return net
        if kind not in _REGISTERS:
            raise MlpressError(f"netlist.json has a cell {str(kind)[:80]!r}, which mlpress does not know")
        for name, value in settings.items():
            if _SETTINGS.get(name, "?") != str(value).strip():
                raise MlpressError(f"netlist.json has a flip-flop with {str(name)[:80]}={str(value)[:80]!r}")
        clock, data, clear, output = _REGISTERS[kind]
        stored, clocked, cleared = (pins[pin][0] if pin in pins else "0" for pin in (data, clock, clear))
        self.registers.append((int(pins[output][0]), stored, clocked, cleared))
        return self.registers[-1][0]

    def operands(self, net: int | str, readers: Sequence[int | str]) -> list[int | str]:
        """Return the nets that the cell of a net reads."""
        cell = self.driver.get(net) if isinstance(net, int) else None
        if cell is None:
            raise MlpressError(f"nothing drives net {str(net)[:40]} of netlist.json; compile the model again")
        return [cell["connections"].get(pin, ["0"])[0] for pin in _LOGIC[cell["type"]].inputs]

    def made(self, net: int | str, operands: list[int]) -> int:
        """Return the signal of the gates of a net's cell."""
        return self._table(_table_of(self.driver[net]), operands)

    def place_of(self, net: int | str) -> str:
        """Return no net's name: a folder's netlist is not for people to mend."""
        return "netlist.json; compile the model again"

    def _table(self, table: int, inputs: list[int]) -> int:
        """Return the signal of a truth table over ``inputs``, the first one lowest, by Shannon's expansion."""
        rows = 1 << len(inputs)
        if table == 0:
            return 0
        if table == (1 << rows) - 1:
            return self.value("1")
        *rest, last = inputs
        low, high = table & ((1 << rows // 2) - 1), table >> rows // 2
        if low == high:
            return self._table(low, rest)
        if not rest:
            return last if table == 0b10 else self.gate(NOT, last, last)
        if low == high ^ ((1 << rows // 2) - 1):
            return self.gate(XOR, self._table(low, rest), last)
        zero = self.gate(_ANDNOT, self._table(low, rest), last)
        one = self.gate(AND, self._table(high, rest), last)
        return self.gate(OR, zero, one)


def _table_of(cell: Mapping[str, Any]) -> int:
    known = _LOGIC[cell["type"]]
    if not known.table:
        return _MAJORITY
    table = int(cell["parameters"][known.table], 2)
    if not 0 <= table < 1 << 16:
        raise ValueError("a look-up table has 16 rows")
    return table
