"""Is the emitted Verilog the plan that it was made from?  Its syntax tree, read by pyverilog, is held against it.

The audit knows nothing of how the text was made: it counts ports, operators, adders and comparators in the text
and compares them with what the lowered net asks for.  What it can't see is whether the wires run right; that is
the business of ``mlpress verify``.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from mlpress.codegen.readable import adders
from mlpress.codegen.rtl import Program, bits_of, vector_names
from mlpress.errors import MlpressError
from mlpress.ir import Bits, Lowered, Tournament

OPERATORS = {
    "And": "&",
    "Or": "|",
    "Xor": "^",
    "Cond": "?:",
    "Plus": "+",
    "Minus": "-",
    "GreaterThan": ">",
    "GreaterEq": ">=",
    "LessThan": "<",
}


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What stands in the Verilog: ports (name -> bits), operators by kind over all modules, flip-flop bits, and for
    each value of the plan what it is built of (full and half adders, or ``+``/``-`` operators)."""

    style: str
    modules: int
    ports: dict[str, int]
    operators: dict[str, int]
    comparators: int
    registers: int
    adders: dict[str, dict[str, int]]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def audit(verilog: str, program: Program, *, name: str = "top", registered: bool = False) -> AuditReport:
    """Hold ``verilog`` against ``program``; raise :class:`MlpressError` at the first thing that does not match."""
    modules = {module.name: module for module in parse(verilog)}
    if name not in modules:
        raise MlpressError(f"audit: the Verilog has no module {name!r}")
    top = modules[name]
    ports = _ports(top)
    bits = bits_of(program)
    expected = dict(bits.inputs)
    expected |= {port: len(word) for port, (word, _) in bits.outputs.items()}
    if registered:
        expected |= {"clk": 1, "rst": 1}
    if ports != expected:
        wrong = sorted(set(ports.items()) ^ set(expected.items()))
        raise MlpressError(f"audit: ports of {name} differ from the plan's: {wrong}")
    found = [node for module in modules.values() for node in _nodes(module)]
    _check_plain(found, registered)
    operators = _operators(found)
    flat = len(modules) == 1
    if flat:
        _check_flat(top, bits, operators)
    built, comparators = dict[str, dict[str, int]](), 0
    if isinstance(program, Lowered):
        built = _flat_adders(bits) if flat else _module_adders(modules, program)
        comparators = _comparators(program) if flat else operators[">"]
    return AuditReport(
        "flat" if flat else "modules",
        len(modules),
        ports,
        dict(sorted(operators.items())),
        comparators,
        sum(_width(node) for node in found if _kind(node) == "Reg"),
        built,
    )


def parse(verilog: str) -> list[Any]:
    """The module definitions of plain Verilog, parsed by pyverilog; raises :class:`MlpressError` where it is not."""
    try:
        tree = _parser().parse(_plain(verilog))
    except Exception as error:  # pyverilog raises bare exceptions of several kinds
        raise MlpressError(f"audit: pyverilog cannot parse the Verilog: {error}") from error
    return [node for node in tree.description.definitions if _kind(node) == "ModuleDef"]


@cache
def _parser() -> Any:
    """pyverilog's parser, without its preprocessor (an external program); its tables take a second to make."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyverilog's own source has escapes that newer Pythons warn of
        from pyverilog.vparser.parser import VerilogParser

    with tempfile.TemporaryDirectory(prefix="mlpress-ply-") as folder:
        return VerilogParser(outputdir=folder, debug=False)


def _plain(verilog: str) -> str:
    """The text without comments."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", verilog, flags=re.DOTALL)


def _operators(nodes: list[Any]) -> Counter[str]:
    """Operators by symbol (by pyverilog's name, where ours is silent); inversions are free and not counted."""
    from pyverilog.vparser.ast import Operator

    kinds = [_kind(node) for node in nodes if isinstance(node, Operator)]
    return Counter(OPERATORS.get(kind, kind) for kind in kinds if kind not in ("Unot", "Ulnot"))


def _kind(node: Any) -> str:
    return type(node).__name__


def _nodes(node: Any) -> Iterator[Any]:
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(child for child in current.children() if child is not None)


def _width(node: Any) -> int:
    if node.width is None:
        return 1
    return int(node.width.msb.value) - int(node.width.lsb.value) + 1


def _ports(module: Any) -> dict[str, int]:
    listed = [port.name for port in module.portlist.ports]
    declared = {node.name: _width(node) for node in _nodes(module) if _kind(node) in ("Input", "Output")}
    if sorted(listed) != sorted(declared):
        raise MlpressError(f"audit: the port list of {module.name} and its declarations differ")
    return declared


def _check_plain(nodes: list[Any], registered: bool) -> None:
    """No latch, no undefined constant, no clock where none was asked for, no signal driven twice."""
    for node in nodes:
        match _kind(node):
            case "IntConst" if re.search(r"'[sS]?[bBoOdDhH].*[xXzZ?]", node.value):
                raise MlpressError(f"audit: undefined constant {node.value}")
            case "Always" if not registered:
                raise MlpressError("audit: a clocked or latched block in a combinational module")
            case "Always" if any(sens.type not in ("posedge", "negedge") for sens in node.sens_list.list):
                raise MlpressError("audit: a block without a clock edge: a latch")
            case "Initial" | "Inout" | "Function" | "TaskCall" | "SystemCall" if _kind(node) != "SystemCall":
                raise MlpressError(f"audit: unexpected {_kind(node).lower()} in the Verilog")
            case "SystemCall" if node.syscall not in ("signed", "unsigned"):
                raise MlpressError(f"audit: unexpected ${node.syscall} in the Verilog")


def _check_flat(top: Any, bits: Bits, operators: Counter[str]) -> None:
    """The sum of all operators, and the width of every vector."""
    kinds = Counter(gate.kind for gate in bits.gates)
    expected = {
        "^": kinds["xor"] + 2 * kinds["xor3"] + kinds["maj"],
        "&": kinds["and"] + 2 * kinds["maj"],
        "|": kinds["maj"],
        "?:": kinds["mux"],
    }
    for symbol, count in expected.items():
        if operators[symbol] != count:
            raise MlpressError(f"audit: the Verilog has {operators[symbol]} operators {symbol}, the plan {count}")
    if extra := [symbol for symbol in operators if symbol not in expected]:
        raise MlpressError(f"audit: operators {' '.join(extra)} in a flat module")
    declared = {node.name: _width(node) for node in _nodes(top) if _kind(node) == "Wire"}
    for name, count in sorted(Counter(vector_names(bits)).items()):
        if declared.get(name) != count:
            raise MlpressError(f"audit: {name} is {declared.get(name, 0)} bits wide, the plan asks for {count}")


def _flat_adders(bits: Bits) -> dict[str, dict[str, int]]:
    """The full and half adders of each value."""
    built: dict[str, dict[str, int]] = {}
    for (owner, kind), count in sorted(Counter((gate.owner, gate.kind) for gate in bits.gates).items()):
        built.setdefault(owner, {})[kind] = count
    return {owner: _as_adders(counts) for owner, counts in built.items()}


def _as_adders(counts: dict[str, int]) -> dict[str, int]:
    full = max(counts.get("xor3", 0), counts.get("maj", 0))
    return {"full_adders": full, "half_adders": counts.get("xor", 0), "muxes": counts.get("mux", 0)}


def _module_adders(modules: dict[str, Any], lowered: Lowered) -> dict[str, dict[str, int]]:
    """The ``+`` and ``-`` operators of each sum's module, against its operands."""
    built = {}
    for value in lowered.plan.sums:
        unit = modules.get(f"{value.name}_unit")  # a sum without an operator leaves no module
        count = 0 if unit is None else sum(_kind(node) in ("Plus", "Minus") for node in _nodes(unit))
        if count != adders(value):
            raise MlpressError(f"audit: {value.name} has {count} adders, the plan {adders(value)}")
        built[value.name] = {"adders": count}
    return built


def _comparators(lowered: Lowered) -> int:
    head = lowered.plan.head
    return len(head.candidates) - 1 if isinstance(head, Tournament) else 0
