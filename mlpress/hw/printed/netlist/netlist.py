"""Gate netlists: cells of a technology and the nets between them, flat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ZERO, ONE = 0, 1
"""The nets of the two constants; every netlist has them."""
OPEN = -1
"""Where a pin is not connected."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of ``len(nets)`` bits; ``nets[k]`` carries bit ``k`` (the least significant first).

    ``left`` and ``right`` are the declared range (``[3:0]``), or None for a scalar.
    """

    name: str
    direction: Literal["input", "output"]
    nets: tuple[int, ...]
    left: int | None = None
    right: int | None = None

    @property
    def width(self) -> int:
        """Bits of the port."""
        return len(self.nets)


@dataclass(frozen=True, slots=True)
class CellKind:
    """A cell's name and the pins that its instances connect."""

    name: str
    pins: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Netlist:
    """A flat netlist; nets are indices into ``nets`` (their names), 0 and 1 being the constants.

    Cell ``c`` is an instance ``names[c]`` of ``kinds[kind[c]]``; its pin ``kinds[kind[c]].pins[j]`` is on net
    ``pins[c, j]`` (int32, -1 where unconnected or where the kind has fewer pins).  ``kind`` is int32 (cells,).
    """

    name: str
    ports: tuple[Port, ...]
    nets: tuple[str, ...]
    kinds: tuple[CellKind, ...]
    kind: NDArray[np.int32]
    pins: NDArray[np.int32]
    names: tuple[str, ...]

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Input ports in declared order."""
        return tuple(port for port in self.ports if port.direction == "input")

    @property
    def outputs(self) -> tuple[Port, ...]:
        """Output ports in declared order."""
        return tuple(port for port in self.ports if port.direction == "output")

    def cells_by_type(self) -> dict[str, int]:
        """Count the cells of each name, by name."""
        counts = Counter(self.kind.tolist())
        totals: Counter[str] = Counter()
        for kind, count in counts.items():
            totals[self.kinds[kind].name] += count
        return dict(sorted(totals.items()))

    def to_verilog(self) -> str:
        """Write structural Verilog-2001: one module, one line per cell."""
        return "\n".join(_lines(self)) + "\n"


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_WORDS = """always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default
    defparam design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive
    endspecify endtable endtask event for force forever fork function generate genvar highz0 highz1 if ifnone
    incdir include initial inout input instance integer join large liblist library localparam macromodule
    medium module nand negedge nmos nor noshowcancelled not notif0 notif1 or output parameter pmos posedge
    primitive pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release
    repeat rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify specparam strong0
    strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use
    vectored wait wand weak0 weak1 while wire wor xnor xor"""
_KEYWORDS = frozenset(_WORDS.split())


def identifier(name: str) -> str:
    """Return ``name`` as Verilog writes it: escaped where it is not a plain identifier."""
    return name if _PLAIN.fullmatch(name) and name not in _KEYWORDS else f"\\{name} "


def _bits(port: Port) -> Iterator[str]:
    """Return how Verilog names each bit, the least significant first."""
    name = identifier(port.name)
    if port.left is None or port.right is None:
        yield name
        return
    step = 1 if port.left >= port.right else -1
    for k in range(port.width):
        yield f"{name}[{port.right + step * k}]"


def _lines(netlist: Netlist) -> Iterator[str]:
    spelled = {ZERO: "1'b0", ONE: "1'b1"}
    taken = {port.name for port in netlist.ports}
    assigns = []
    for port in netlist.inputs:
        spelled.update(zip(port.nets, _bits(port), strict=True))
    for port in netlist.outputs:
        for net, bit in zip(port.nets, _bits(port), strict=True):
            if net in spelled:
                assigns.append(f"  assign {bit} = {spelled[net]};")
            else:
                spelled[net] = bit
    yield f"module {identifier(netlist.name)} ({', '.join(identifier(port.name) for port in netlist.ports)});"
    for port in netlist.ports:
        span = "" if port.left is None else f"[{port.left}:{port.right}] "
        yield f"  {port.direction} {span}{identifier(port.name)};"
    for net in np.unique(netlist.pins[netlist.pins > ONE]).tolist():
        if net not in spelled:
            name = netlist.nets[net]
            while name in taken:
                name += "_"
            taken.add(name)
            spelled[net] = identifier(name)
            yield f"  wire {spelled[net]};"
    yield from assigns
    for kind, row, name in zip(netlist.kind.tolist(), netlist.pins.tolist(), netlist.names, strict=True):
        pins = netlist.kinds[kind].pins
        wires = ", ".join(f".{p}({spelled[net] if net != OPEN else ''})" for p, net in zip(pins, row, strict=False))
        yield f"  {identifier(netlist.kinds[kind].name)} {identifier(name)} ({wires});"
    yield "endmodule"
