"""Yosys and ABC, in child processes; and Verilog, of ours or anybody's, as the gates that Yosys elaborates."""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.yosys.aig import AndInverterGraph
    from mlpress.yosys.child import AbcRun, YosysRun, run_abc, run_yosys
    from mlpress.yosys.gates import AND, OR, XOR, Bus, Gates, read_gates
    from mlpress.yosys.line import NOT, Line
    from mlpress.yosys.untrusted import check_circuit, check_sources, read_sources

__all__ = [
    "AND",
    "NOT",
    "OR",
    "XOR",
    "AbcRun",
    "AndInverterGraph",
    "Bus",
    "Gates",
    "Line",
    "YosysRun",
    "check_circuit",
    "check_sources",
    "read_gates",
    "read_sources",
    "run_abc",
    "run_yosys",
]

__getattr__ = lazy_door(
    __name__,
    {
        "AND": "gates",
        "NOT": "line",
        "OR": "gates",
        "XOR": "gates",
        "AbcRun": "child",
        "AndInverterGraph": "aig",
        "Bus": "gates",
        "Gates": "gates",
        "Line": "line",
        "YosysRun": "child",
        "check_circuit": "untrusted",
        "check_sources": "untrusted",
        "read_gates": "gates",
        "read_sources": "untrusted",
        "run_abc": "child",
        "run_yosys": "child",
    },
)
