"""Random mapped netlists, and a naive evaluation of them to hold fast engines against."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from mlpress.hw.printed import Netlist, parse_netlist

CELLS: Mapping[str, tuple[tuple[str, ...], Callable[..., int]]] = {
    "INVX1": (("A",), lambda a: 1 - a),
    "NAND2X1": (("A1", "A2"), lambda a, b: 1 - (a & b)),
    "NOR2X1": (("A1", "A2"), lambda a, b: 1 - (a | b)),
    "AND2X1": (("A1", "A2"), lambda a, b: a & b),
    "OR2X1": (("A1", "A2"), lambda a, b: a | b),
    "XOR2X1": (("A1", "A2"), lambda a, b: a ^ b),
    "XNOR2X1": (("A1", "A2"), lambda a, b: 1 - (a ^ b)),
}
"""EGFET's combinational cells as this test sees them: input pins and function, the output being Y."""


def random_netlist(seed: int, inputs: int = 6, cells: int = 40, outputs: int = 5) -> tuple[str, Netlist]:
    """Verilog of a random circuit with a bus in, a bus out and constants among its operands; and its netlist."""
    random = np.random.default_rng(seed)
    known = [f"x[{k}]" for k in range(inputs)] + ["1'b0", "1'b1"]
    lines = []
    for cell in range(cells):
        name = str(random.choice(sorted(CELLS)))
        pins = [f".{pin}({known[random.integers(len(known))]})" for pin in CELLS[name][0]]
        lines.append(f"  {name} u{cell} ({', '.join(pins)}, .Y(n{cell}));")
        known.append(f"n{cell}")
    chosen = [f"n{cell}" for cell in random.choice(cells, outputs)]
    text = "\n".join(
        [
            "module top (x, y);",
            f"  input [{inputs - 1}:0] x;",
            f"  output [{outputs - 1}:0] y;",
            *(f"  assign y[{k}] = {net};" for k, net in enumerate(chosen)),
            *lines,
            "endmodule",
        ]
    )
    return text, parse_netlist(text)


def naive_nets(netlist: Netlist, inputs: Mapping[str, int]) -> list[int]:
    """The value of every net for one row, cell by cell in the order written (drivers first)."""
    values = [0] * len(netlist.nets)
    values[1] = 1
    for port in netlist.inputs:
        for k, net in enumerate(port.nets):
            values[net] = inputs[port.name] >> k & 1
    for kind, pins in zip(netlist.kind.tolist(), netlist.pins.tolist(), strict=True):
        names = netlist.kinds[kind].pins
        wanted, function = CELLS[netlist.kinds[kind].name]
        values[pins[names.index("Y")]] = function(*(values[pins[names.index(pin)]] for pin in wanted))
    return values


def naive_output(netlist: Netlist, values: list[int], port: str) -> int:
    """The value of an output port, given :func:`naive_nets`."""
    nets = next(found.nets for found in netlist.outputs if found.name == port)
    return sum(values[net] << k for k, net in enumerate(nets))
