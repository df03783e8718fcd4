"""The audit of emitted Verilog: its syntax tree, read by pyverilog, is compared with the plan that it was made from.

The audit knows nothing of how the text was made: it counts ports, operators, adders and comparators in the text
and compares them with what the lowered net asks for.  What it can't see is whether the wires run right; that is
the business of ``mlpress verify``.

pyverilog reads some 100,000 characters per second.  Where the text is longer than :data:`LIMIT`, the top module and
a sample of the others are audited, and the report says how many.
"""

from __future__ import annotations

import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from mlpress.codegen.verilog.flat import parts_of, vectors_of
from mlpress.codegen.verilog.readable import adders
from mlpress.codegen.verilog.rtl import Program
from mlpress.errors import MlpressError
from mlpress.ir import Bits, Lowered, Tournament, bits_of
from mlpress.progress import counted

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


LIMIT = 2_500_000
"""Characters of Verilog that are audited, at least, and at most where no single module is longer."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What stands in the Verilog: ports (name -> bits), operators by kind over all audited modules, flip-flop bits,
    and for each value of the plan what it is built of (full and half adders, or ``+``/``-`` operators).

    ``audited`` of the ``modules`` were read, and ``characters`` of ``all_characters``.
    """

    style: str
    modules: int
    ports: dict[str, int]
    operators: dict[str, int]
    comparators: int
    registers: int
    adders: dict[str, dict[str, int]]
    audited: int = 1
    characters: int = 0
    all_characters: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def audit(verilog: str, program: Program, *, name: str = "top", registered: bool = False) -> AuditReport:
    """Hold ``verilog`` against ``program``; raise :class:`MlpressError` at the first thing that does not match."""
    texts = _modules(verilog)
    if name not in texts:
        raise MlpressError(f"audit: the Verilog has no module {name!r}")
    bits = bits_of(program)
    flat = all(module == name or module.startswith(f"{name}_part") for module in texts)
    chosen = _sample(texts, name)
    modules = {module.name: module for key in chosen for module in parse(texts[key])}
    top = modules[name]
    ports = _ports(top)
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
    if flat:
        _check_flat(modules, list(texts), name, bits)
    built, comparators = dict[str, dict[str, int]](), 0
    if isinstance(program, Lowered):
        built = _flat_adders(bits) if flat else _module_adders(modules, set(texts), program)
        comparators = _comparators(program) if flat else operators[">"]
    return AuditReport(
        "flat" if flat else "modules",
        len(texts),
        ports,
        dict(sorted(operators.items())),
        comparators,
        sum(_width(node) for node in found if _kind(node) == "Reg"),
        built,
        len(chosen),
        sum(len(texts[key]) for key in chosen),
        sum(map(len, texts.values())),
    )


def _modules(verilog: str) -> dict[str, str]:
    """Return the text of each module, without comments; raises where something stands between them."""
    found: dict[str, str] = {}
    plain = _plain(verilog)
    for part in re.split(r"(?<=\bendmodule\b)", plain):
        if not part.strip():
            continue
        head = re.match(r"\s*module\s+(\w+)", part)
        if head is None or not part.endswith("endmodule") or head[1] in found:
            raise MlpressError(f"audit: pyverilog cannot parse the Verilog: {part.strip()[:60]!r} is no module")
        found[head[1]] = part
    return found


def _sample(texts: Mapping[str, str], top: str) -> list[str]:
    """Return the top module and all others or, where they are too long, as many as :data:`LIMIT` allows, evenly
    chosen."""
    others = [name for name in texts if name != top]
    room, longest = LIMIT - len(texts[top]), max((len(texts[name]) for name in others), default=0)
    if sum(len(texts[name]) for name in others) <= room:
        return [*others, top]
    count = max(1, room // longest)
    return [*(others[k * len(others) // count] for k in range(count)), top]


def parse(verilog: str) -> list[Any]:
    """Parse the module definitions of plain Verilog with pyverilog; raise :class:`MlpressError` where it is not."""
    try:
        tree = _parser().parse(_plain(verilog))
    except Exception as error:  # pyverilog raises bare exceptions of several kinds
        raise MlpressError(f"audit: pyverilog cannot parse the Verilog: {error}") from error
    return [node for node in tree.description.definitions if _kind(node) == "ModuleDef"]


@cache
def _parser() -> Any:
    """Return pyverilog's parser, without its preprocessor (an external program); its tables take a second to make."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyverilog's own source has escapes that newer Pythons warn of
        from pyverilog.vparser.parser import VerilogParser

    with tempfile.TemporaryDirectory(prefix="mlpress-ply-") as folder:
        return VerilogParser(outputdir=folder, debug=False)


def _plain(verilog: str) -> str:
    """Return the text without comments."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", verilog, flags=re.DOTALL)


def _operators(nodes: list[Any]) -> Counter[str]:
    """Count operators by symbol (by pyverilog's name, where ours is silent); inversions are free and not counted."""
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
    """Check that there is no latch, undefined constant, unwanted clock or signal that is driven twice."""
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


def _check_flat(modules: Mapping[str, Any], names: Sequence[str], top: str, bits: Bits) -> None:
    """Check the parts that the plan is cut into, and in each the sum of all operators and the width of every vector."""
    parts = parts_of(bits)
    cut = {f"{top}_part{k}": part for k, part in enumerate(parts)} if len(parts) > 1 else {top: parts[0]}
    if {*names} != {*cut, top}:
        raise MlpressError(f"audit: the Verilog has {len(names)} modules, the plan {len({*cut, top})}")
    vectors = vectors_of(bits)
    for name, module in modules.items():
        part = cut.get(name, range(0))
        kinds = Counter(bits.gates[g].kind for g in part)
        operators = _operators(list(_nodes(module)))
        expected = {
            "^": kinds["xor"] + 2 * kinds["xor3"] + kinds["maj"],
            "&": kinds["and"] + 2 * kinds["maj"],
            "|": kinds["maj"],
            "?:": kinds["mux"],
        }
        for symbol, count in expected.items():
            if operators[symbol] != count:
                raise MlpressError(f"audit: {name} has {operators[symbol]} operators {symbol}, the plan {count}")
        if extra := [symbol for symbol in operators if symbol not in expected]:
            raise MlpressError(f"audit: operators {' '.join(extra)} in a flat module")
        declared = {node.name: _width(node) for node in _nodes(module) if _kind(node) == "Wire"}
        for vector in sorted({vectors.names[g] for g in part}):
            if declared.get(vector) != vectors.sizes[vector]:
                raise MlpressError(
                    f"audit: {vector} is {counted(declared.get(vector, 0), 'bit')} wide, the plan asks for "
                    f"{vectors.sizes[vector]}"
                )
        assigned = [node for node in _nodes(module) if _kind(node) == "Lvalue"]
        if part and len(assigned) < len(part):
            raise MlpressError(f"audit: {name} assigns {counted(len(assigned), 'bit')}, the plan {len(part)}")


def _flat_adders(bits: Bits) -> dict[str, dict[str, int]]:
    """Return the full and half adders of each value."""
    built: dict[str, dict[str, int]] = {}
    for (owner, kind), count in sorted(Counter((gate.owner, gate.kind) for gate in bits.gates).items()):
        built.setdefault(owner, {})[kind] = count
    return {owner: _as_adders(counts) for owner, counts in built.items()}


def _as_adders(counts: dict[str, int]) -> dict[str, int]:
    full = max(counts.get("xor3", 0), counts.get("maj", 0))
    return {"full_adders": full, "half_adders": counts.get("xor", 0), "muxes": counts.get("mux", 0)}


def _module_adders(modules: dict[str, Any], names: set[str], lowered: Lowered) -> dict[str, dict[str, int]]:
    """Count the ``+`` and ``-`` operators of each sum's module, against its operands."""
    built = {}
    for value in lowered.plan.sums:
        unit = modules.get(f"{value.name}_unit")
        if unit is None and f"{value.name}_unit" in names:
            continue  # not in the sample
        # a sum without an operator leaves no module
        count = 0 if unit is None else sum(_kind(node) in ("Plus", "Minus") for node in _nodes(unit))
        if count != adders(value):
            raise MlpressError(f"audit: {value.name} has {count} adders, the plan {adders(value)}")
        built[value.name] = {"adders": count}
    return built


def _comparators(lowered: Lowered) -> int:
    head = lowered.plan.head
    return len(head.candidates) - 1 if isinstance(head, Tournament) else 0
