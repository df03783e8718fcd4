"""Mapped netlists on the packed-bit engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.boolean import Constant, Expression, Gate, Not, Signal, truth_table
from mlpress.hw.printed.cells.technology import Cell, Floats, Technology
from mlpress.hw.printed.netlist.linked import Linked, Members, link
from mlpress.hw.printed.netlist.netlist import ONE, OPEN, ZERO, Netlist, Port
from mlpress.progress import counted
from mlpress.sim import packed

Rows = Mapping[str, NDArray[Any]] | NDArray[Any]
"""One integer a row for every data input: by port name, or (rows, ports) in port order."""


@dataclass(frozen=True, slots=True, eq=False)
class NetActivity:
    """Of every net: the share of rows in which it is 1, and its changes per row; float64 (nets,)."""

    rows: int
    one: Floats
    toggles: Floats


class PackedNetlist:
    """A netlist compiled for the packed-bit engine.

    Row ``t`` is clock cycle ``t``: combinational outputs belong to their row, a register shows what it was
    given the row before (0 in the first one).  Clock ports are no data inputs.
    """

    def __init__(self, netlist: Netlist | Linked, technology: Technology | None = None) -> None:
        if isinstance(netlist, Netlist):
            if technology is None:
                raise TypeError("PackedNetlist needs the technology of the netlist's cells")
            netlist = link(netlist, technology)
        self.linked = netlist
        self.inputs: tuple[Port, ...] = tuple(
            port for port in self.linked.netlist.inputs if not self.linked.clocks.issuperset(port.nets)
        )
        self.program, self._signal = _compile(self.linked, self.inputs)

    def run(self, rows: Rows) -> dict[str, NDArray[Any]]:
        """Return outputs by port name: unsigned integers (rows,), int64, or Python integers where a port has over 63
        bits.
        """
        words, count = self.pack(rows)
        ports = self.linked.netlist.outputs
        nets = np.array([net for port in ports for net in port.nets], np.int64)
        bits = packed.unpack(packed.run(self.program, words, self._signal[nets]), count)
        results: dict[str, NDArray[Any]] = {}
        at = 0
        for port in ports:
            dtype: type = np.int64 if port.width < 64 else object
            value: NDArray[Any] = np.zeros(count, dtype)
            for k, bit in enumerate(bits[at : at + port.width]):
                value += bit.astype(dtype) * (1 << k)
            results[port.name] = value
            at += port.width
        return results

    def activity(self, rows: Rows) -> NetActivity:
        """Return signal probabilities and toggle rates of all nets; a clock net is 1 half the time and changes twice a
        row.
        """
        words, count = self.pack(rows)
        seen = packed.activity(self.program, words, count)
        one = seen.ones[self._signal] / count
        toggles = seen.toggles[self._signal] / max(1, count - 1)
        one[ONE], toggles[ONE] = 1.0, 0.0
        clocks = sorted(self.linked.clocks)
        one[clocks], toggles[clocks] = 0.5, 2.0
        return NetActivity(count, one, toggles)

    def pack(self, rows: Rows) -> tuple[packed.Words, int]:
        """Return packed input bits, uint64 (input bits, words), and the number of rows."""
        columns = self._columns(rows)
        counts = {len(column) for column in columns}
        if len(counts) > 1:
            raise MlpressError(f"the input columns have different lengths: {sorted(counts)}")
        count = counts.pop() if counts else 1
        if not count:
            raise MlpressError("there is no row to simulate; give at least one")
        bits = [_bits(port, column) for port, column in zip(self.inputs, columns, strict=True)]
        return packed.pack(np.concatenate([np.zeros((0, count), bool), *bits])), count

    def _columns(self, rows: Rows) -> Sequence[NDArray[Any]]:
        names = [port.name for port in self.inputs]
        if isinstance(rows, Mapping):
            if unknown := [name for name in rows if name not in names]:
                raise MlpressError(f"the netlist has no data input {unknown[0]!r}; its inputs are {', '.join(names)}")
            if missing := [name for name in names if name not in rows]:
                raise MlpressError(f"no values for input {missing[0]!r}")
            return [np.atleast_1d(np.asarray(rows[name])) for name in names]
        if rows.ndim != 2 or rows.shape[1] != len(names):
            raise MlpressError(f"the netlist has {len(names)} data inputs; the rows have shape {rows.shape}")
        return list(rows.T)


def _bits(port: Port, column: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the bits of a column, whose values must fit the port: bool (width, rows), the least significant first."""
    exact = column.dtype.kind != "O" or all(isinstance(value, int) for value in column.flat)
    if column.ndim != 1 or column.dtype.kind not in "iuOb" or not exact:
        raise MlpressError(f"values for input {port.name!r} must be a list of integers, not {column.dtype}")
    for value in (int(column.min()), int(column.max())):
        if not 0 <= value < 1 << port.width:
            raise MlpressError(f"{value} does not fit the {counted(port.width, 'bit')} of input {port.name!r}")
    size = -(-port.width // 8)
    if column.dtype.kind == "O":
        data = np.frombuffer(b"".join(int(value).to_bytes(size, "little") for value in column), np.uint8)
    else:
        data = np.zeros((len(column), max(8, size)), np.uint8)
        data[:, :8] = column.astype("<u8").view(np.uint8).reshape(len(column), 8)
    return np.unpackbits(data.reshape(len(column), -1), axis=1, bitorder="little")[:, : port.width].T.astype(bool)


def _compile(linked: Linked, inputs: tuple[Port, ...]) -> tuple[packed.Program, NDArray[np.int64]]:
    """Compile to the straight-line program; return it and the signal that carries each net."""
    netlist = linked.netlist
    line = _Line(sum(port.width for port in inputs))
    signal = np.zeros(len(netlist.nets), np.int64)
    signal[[net for port in inputs for net in port.nets]] = np.arange(1, line.inputs + 1)
    signal[ONE] = line.gate(packed.NOT, ZERO, ZERO)
    owner: list[tuple[Members, int]] = [(linked.members[0], 0)] * len(netlist.names) if linked.members else []
    for member in linked.members:
        for row, cell in enumerate(member.cells.tolist()):
            owner[cell] = member, row
    tables = {member.cell.name: _tables(member.cell) for member in linked.members}
    late: list[tuple[int, Expression, dict[str, int], Members, int]] = []
    for cell in linked.order.tolist():
        member, row = owner[cell]
        facts = member.cell
        if table := tables[facts.name]:
            operands = signal[member.inputs[row]].tolist()
            for code, net in zip(table, member.outputs[row].tolist(), strict=True):
                if net != OPEN:
                    signal[net] = line.gate(code, operands[0], operands[-1])
            continue
        values = dict(zip(facts.inputs, signal[member.inputs[row]].tolist(), strict=True))
        if stored := facts.flip_flop:
            held = ZERO if linked.feedback else line.expression(stored.next_state, values)
            q = delay = line.gate(packed.DELAY, held, ZERO)
            if stored.clear is not None:
                q = line.gate(0b0010, q, line.expression(stored.clear, values))  # q and not clear
            if stored.preset is not None:
                q = line.gate(packed.OR, q, line.expression(stored.preset, values))
            states = {stored.state: q, stored.inverse: line.gate(packed.NOT, q, ZERO)}
            values |= states
            if linked.feedback:
                late.append((delay, stored.next_state, states, member, row))
        for function, net in zip(facts.outputs.values(), member.outputs[row].tolist(), strict=True):
            if net != OPEN:
                signal[net] = line.expression(function, values)
    for delay, next_state, states, member, row in late:
        values = dict(zip(member.cell.inputs, signal[member.inputs[row]].tolist(), strict=True))
        line.store(delay, line.expression(next_state, values | states))
    return line.program(), signal


def _tables(cell: Cell) -> tuple[int, ...]:
    """Return the truth table of each output where the cell is one gate of the engine, else nothing."""
    if cell.flip_flop or not 1 <= len(cell.inputs) <= 2:
        return ()
    tables = [truth_table(function, cell.inputs) for function in cell.outputs.values()]
    if len(cell.inputs) == 1:  # read the one input twice
        return tuple(0b0101 * (table & 1) | 0b1010 * (table >> 1) for table in tables)
    return tuple(tables)


class _Line:
    """Gates as they are added."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.gates: list[tuple[int, int, int]] = []

    def gate(self, operation: int, left: int, right: int) -> int:
        self.gates.append((operation, left, right))
        return self.inputs + len(self.gates)

    def store(self, delay: int, held: int) -> None:
        """Let a delay, made with another operand, hold the signal ``held``."""
        self.gates[delay - self.inputs - 1] = packed.DELAY, held, ZERO

    def expression(self, expression: Expression, values: Mapping[str, int]) -> int:
        """Return the signal of an expression; complements of operands go into the tables of their readers."""
        match expression:
            case Signal(name):
                return values[name]
            case Constant(value):
                return self.gate(packed.NOT, ZERO, ZERO) if value else ZERO
            case Not(of):
                inner, flipped = self.operand(of, values)
                return inner if flipped else self.gate(packed.NOT, inner, ZERO)
            case Gate(kind, left, right):
                a, flip_a = self.operand(left, values)
                b, flip_b = self.operand(right, values)
                table = {"and": packed.AND, "or": packed.OR, "xor": packed.XOR}[kind]
                seen = [table >> ((i & 1 ^ flip_a) | (i >> 1 ^ flip_b) << 1) & 1 for i in range(4)]
                return self.gate(sum(bit << i for i, bit in enumerate(seen)), a, b)

    def operand(self, expression: Expression, values: Mapping[str, int]) -> tuple[int, int]:
        """Return a signal, and whether the operand is its complement."""
        if isinstance(expression, Not):
            inner, flipped = self.operand(expression.of, values)
            return inner, 1 - flipped
        return self.expression(expression, values), 0

    def program(self) -> packed.Program:
        gates = np.array(self.gates, np.int64).reshape(-1, 3)
        return packed.Program(
            self.inputs, gates[:, 0].astype(np.uint8), gates[:, 1].astype(np.int32), gates[:, 2].astype(np.int32)
        )
