"""Synthesis: Verilog to a netlist of a technology's cells, by Yosys and ABC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlpress.errors import MlpressError
from mlpress.hw.printed.cells.technology import Technology, cm2
from mlpress.hw.printed.netlist.netlist import Netlist
from mlpress.hw.printed.synthesis.abc_scripts import EFFORTS, run_blocks, run_effort
from mlpress.hw.printed.synthesis.mapping import Library, Register, assemble
from mlpress.yosys import AndInverterGraph, Gates, read_gates


@dataclass(frozen=True, slots=True, eq=False)
class Synthesis:
    """A mapped circuit: the ``netlist``, its ``verilog`` text, and how it was made.

    ``cells`` counts instances by cell name; ``area_um2`` is the sum of their areas.  ``script`` holds the exact ABC
    commands of the chosen result; ``log`` is a summary, one line per step; ``notes`` say what a user should know (a
    limit that was hit, a module that mlpress added).
    """

    netlist: Netlist
    verilog: str
    cells: Mapping[str, int]
    area_um2: float
    effort: str
    script: str
    log: str
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; equal inputs make equal values."""
        return {
            "effort": self.effort,
            "area_cm2": cm2(self.area_um2),
            "cells": dict(self.cells),
            "script": self.script,
            "log": self.log.splitlines(),
            "notes": list(self.notes),
        }


def check_effort(effort: str) -> None:
    """Raise :class:`MlpressError` where no effort is called so."""
    if effort not in EFFORTS:
        raise MlpressError(f"there is no effort {effort!r}; choose one of {', '.join(EFFORTS)}")


def synthesise(
    verilog: str | Mapping[str, str],
    top: str | None,
    technology: Technology,
    *,
    effort: str = "default",
    own: Netlist | None = None,
    timeout_s: float = 3600.0,
    memory_mb: int = 4096,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> Synthesis:
    """Map Verilog (one text, or file name -> text) to the cells of ``technology``, as small as ``effort`` finds.

    ``effort`` is ``"fast"``, ``"default"`` or ``"thorough"``.  ``own`` is a netlist of the same circuit that the caller
    knows: it is the result where nothing smaller is found.  Ports keep their names and widths; ``top=None`` takes
    the only module that no other one instantiates.  Equal arguments give an equal netlist, unless a run
    is cut off at ``timeout_s`` seconds, which ``notes`` says.  A large design of parts (:data:`Gates.cuts`) is mapped
    part by part, and ``told`` hears how many of how many are done.  Raises :class:`MlpressError` for Verilog
    that is wrong or not a circuit, and where a limit leaves no result at all.
    """
    check_effort(effort)
    sources = {"verilog": verilog} if isinstance(verilog, str) else dict(verilog)
    library = Library(technology)
    gates = read_gates(sources, top, timeout_s=timeout_s, memory_mb=memory_mb)
    registers = [library.register(clear=bool(clear)) for clear in gates.clear.tolist()]
    graph, outputs, ends = _graph(gates, registers)
    limits: dict[str, Any] = {"timeout_s": timeout_s, "memory_mb": memory_mb}
    if len(ends) > 1:
        mapped = run_blocks(effort, graph, outputs, ends, library, **limits, told=told)
    else:
        mapped = run_effort(EFFORTS[effort], graph.to_aiger(outputs), library, **limits)
    netlist = assemble(gates, registers, library, mapped.blif)
    notes = (*gates.notes, *mapped.notes)
    found = _result(netlist, technology, effort, mapped.script, mapped.log, notes)
    if own is None:
        return found
    log = f"{mapped.log}\nthe caller's own netlist is smaller"
    known = _result(own, technology, effort, mapped.script, log, notes)
    return known if known.area_um2 < found.area_um2 else found


def _graph(gates: Gates, registers: list[Register]) -> tuple[AndInverterGraph, list[int], list[int]]:
    """Return the logic around the flip-flops: their outputs are inputs, and their pins are outputs.

    Returns the graph, its output literals, and the counts of and-gates at which the parts of the design end.
    """
    graph = AndInverterGraph(gates.input_bits + gates.flip_flops)
    literals, ends = graph.add_parts(gates, [2 * (1 + k) for k in range(graph.inputs)])
    outputs = [literals[signal] for signal in gates.result.tolist()]
    for register, *pins in zip(registers, gates.data.tolist(), gates.clock.tolist(), gates.clear.tolist(), strict=True):
        data, clock, clear = (literals[signal] for signal in pins)
        outputs += [data, clock ^ register.falling, clear ^ register.clear_low]
    graph.close()
    return graph, outputs, sorted({*ends[:-1], len(graph.nodes)} - {0})


def _result(
    netlist: Netlist, technology: Technology, effort: str, script: str, log: str, notes: tuple[str, ...]
) -> Synthesis:
    cells = netlist.cells_by_type()
    return Synthesis(
        netlist=netlist,
        verilog=netlist.to_verilog(),
        cells=cells,
        area_um2=sum(technology.cell(name).area_um2 * count for name, count in cells.items()),
        effort=effort,
        script=script,
        log=log,
        notes=notes,
    )
