"""Printed copies of one netlist, each with faults of its own: what every copy answers to every row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.boolean import Constant, Expression, Gate, Not, Signal
from mlpress.hw.printed.netlist.linked import Linked
from mlpress.hw.printed.netlist.netlist import ONE, OPEN

Words = NDArray[np.uint64]

_FULL = np.uint64(0xFFFFFFFFFFFFFFFF)

SOUND, STUCK_AT_0, STUCK_AT_1 = 0, 1, 2
"""What may be the matter with a cell: all of its outputs stand still."""


def run_copies(
    linked: Linked, bits: Mapping[str, NDArray[np.bool_]], faults: NDArray[np.int8] | None = None
) -> dict[str, NDArray[np.int64]]:
    """Return the outputs of every copy by port, int64 (copies, rows), for its own input ``bits``.

    ``bits`` are bool (copies, rows) by input port of one bit; ``faults`` int8 (copies, cells) are :data:`SOUND`,
    :data:`STUCK_AT_0` or :data:`STUCK_AT_1` (default: all sound).  Raises :class:`MlpressError` for a netlist with
    registers or with wider inputs.
    """
    netlist = linked.netlist
    if any(member.cell.flip_flop for member in linked.members):
        raise MlpressError("copies are compared without registers; build the design without --registered")
    wide = [port.name for port in netlist.inputs if port.width != 1]
    if wide:
        raise MlpressError(f"input {wide[0]} is no comparator's; build the design with --interface unary")
    copies, rows = next(iter(bits.values())).shape
    words = -(-rows // 64)
    nets: dict[int, Words] = {0: np.zeros((copies, words), np.uint64), ONE: np.full((copies, words), _FULL)}
    for port in netlist.inputs:
        nets[port.nets[0]] = _packed(bits[port.name], words)
    place = {cell: (member, row) for member in linked.members for row, cell in enumerate(member.cells.tolist())}
    for cell in linked.order.tolist():
        member, row = place[cell]
        values = {pin: nets[net] for pin, net in zip(member.cell.inputs, member.inputs[row].tolist(), strict=True)}
        for function, net in zip(member.cell.outputs.values(), member.outputs[row].tolist(), strict=True):
            if net == OPEN:
                continue
            value = _value(function, values)
            if faults is not None:
                state = faults[:, cell, None]
                value = np.where(state == STUCK_AT_0, np.uint64(0), np.where(state == STUCK_AT_1, _FULL, value))
            nets[net] = value
    found = {}
    for port in netlist.outputs:
        total = np.zeros((copies, rows), np.int64)
        for k, net in enumerate(port.nets):
            total |= _unpacked(nets[net], rows).astype(np.int64) << k
        found[port.name] = total
    return found


def _value(expression: Expression, values: Mapping[str, Words]) -> Words:
    match expression:
        case Signal(name):
            return values[name]
        case Constant(value):
            return np.full_like(next(iter(values.values())), _FULL if value else 0)
        case Not(of):
            return ~_value(of, values)
        case Gate(kind, left, right):
            a, b = _value(left, values), _value(right, values)
            return a & b if kind == "and" else a | b if kind == "or" else a ^ b


def _packed(bits: NDArray[np.bool_], words: int) -> Words:
    """Bits (copies, rows), 64 a word."""
    wide = np.zeros((len(bits), 64 * words), np.bool_)
    wide[:, : bits.shape[1]] = bits
    return np.packbits(wide, axis=1, bitorder="little").view(np.uint64)


def _unpacked(words: Words, rows: int) -> NDArray[np.uint8]:
    return np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=1, bitorder="little")[:, :rows]
