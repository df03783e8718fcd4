"""The schematic of a mapped netlist: gates, comparators and wires, in layers from the inputs to the class."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlpress import ir
from mlpress.errors import MlpressError
from mlpress.report.figures import counted
from mlpress.report.vega import Spec, spec

MOST_GATES = 320
"""Gates of one drawing; a larger circuit has one drawing per bit of its answer."""

MOST_TEXT, MOST_BITS = 4_000_000, 8
"""Characters of the largest netlist that is read, and bits of its answer that have a drawing of their own."""

OUTPUTS = frozenset({"Y", "Z", "ZN", "Q", "QN", "O", "X"})
"""What output pins are called, in the libraries that we know of."""

CONSTANTS = {0: "0", 1: "1"}
"""The nets of constants."""

ACROSS, DOWN = 74, 25
"""Pixels between layers, and between gates of a layer."""

_BUBBLE = "M17,0A3,3 0 1,1 11,0A3,3 0 1,1 17,0"
_AND, _OR = "M-13,-11L0,-11A11,11 0 0,1 0,11L-13,11Z", "M-13,-11Q-6,0 -13,11Q4,11 11,0Q4,-11 -13,-11Z"
_XOR, _NOT = f"{_OR}M-17,-11Q-10,0 -17,11", "M-10,-8L11,0L-10,8Z"
SHAPES = {
    "XNOR": _XOR + _BUBBLE,
    "XOR": _XOR,
    "NAND": _AND + _BUBBLE,
    "NOR": _OR + _BUBBLE,
    "AND": _AND,
    "OR": _OR,
    "INV": _NOT + _BUBBLE,
    "BUF": _NOT,
}
"""Outlines of gates around the origin, by what a cell's name begins with."""

BOX, PIN, COMPARATOR = "M-15,-11L15,-11L15,11L-15,11Z", "M-5,-5L5,-5L5,5L-5,5Z", "M-10,-9L10,0L-10,9Z"


@dataclass(frozen=True, slots=True)
class Drawing:
    """One drawing of a schematic: its title, its specification, its number of gates, and what it leaves out."""

    title: str
    spec: Spec
    gates: int
    left_out: str


@dataclass(frozen=True, slots=True)
class _Gates:
    """A netlist by cell: kind, instance name, input nets, output nets; and its ports by net."""

    kinds: list[str]
    names: list[str]
    reads: list[list[int]]
    drives: list[list[int]]
    inputs: dict[int, str]
    outputs: dict[int, str]


def schematics(netlist: str, inputs: Sequence[ir.Input], critical: frozenset[str] = frozenset()) -> list[Drawing]:
    """Return the drawings of a mapped netlist in Verilog, none where it cannot be read.

    ``inputs`` name the ports; ``critical`` are the names of the instances on the critical path.
    """
    if len(netlist) > MOST_TEXT:
        return []
    try:
        gates = _read(netlist)
    except MlpressError:
        return []
    if gates is None:
        return []
    names = _port_names(inputs)
    driver = {net: cell for cell, nets in enumerate(gates.drives) for net in nets}
    whole = list(range(len(gates.kinds)))
    if len(whole) <= MOST_GATES:
        return [_draw("", gates, whole, driver, gates.outputs, names, critical)]
    drawings = []
    for net, name in list(gates.outputs.items())[:MOST_BITS]:
        cells = _cone(net, gates, driver)
        drawings.append(_draw(name, gates, cells, driver, {net: name}, names, critical))
    return drawings


def _read(text: str) -> _Gates | None:
    from mlpress.hw.printed import parse_netlist

    netlist = parse_netlist(text, "top")
    kinds, reads, drives = [], [], []
    for kind, row in zip(netlist.kind.tolist(), netlist.pins.tolist(), strict=True):
        cell = netlist.kinds[kind]
        pins = list(zip(cell.pins, row, strict=False))
        kinds.append(cell.name)
        reads.append([net for pin, net in pins if pin not in OUTPUTS and net >= 0])
        drives.append([net for pin, net in pins if pin in OUTPUTS and net >= 0])
        if not drives[-1]:
            return None
    ports = {"input": dict[int, str](), "output": dict[int, str]()}
    for port in netlist.ports:
        for k, net in enumerate(port.nets):
            ports[port.direction].setdefault(net, port.name if port.width == 1 else f"{port.name}[{k}]")
    return _Gates(kinds, list(netlist.names), reads, drives, ports["input"], ports["output"])


def _port_names(inputs: Sequence[ir.Input]) -> Mapping[str, tuple[str, bool]]:
    """Return by port bit what a person calls it, and whether it is a comparator."""
    found: dict[str, tuple[str, bool]] = {}
    for k, feature in enumerate(inputs):
        name = feature.name or ir.port_name(k)
        for level in range(1, 1 << min(feature.bits, 10)):
            shown = f"{name} ≥ {_value(feature, level):.4g}" if feature.scale else f"{name} ≥ code {level}"
            found[ir.level_port(k, level)] = shown, True
        for bit in range(feature.bits):
            found[f"{ir.port_name(k)}[{bit}]" if feature.bits > 1 else ir.port_name(k)] = f"{name} bit {bit}", False
    return found


def _value(feature: ir.Input, level: int) -> float:
    """Return the value of a feature from which on its code reaches a level."""
    return (level - feature.offset - (0.5 if feature.rounding == "even" else 0.0)) / feature.scale


def _cone(net: int, gates: _Gates, driver: Mapping[int, int]) -> list[int]:
    """Return the cells that a net depends on, those nearest to it where there are too many."""
    waiting, found = [driver[net]] if net in driver else [], dict[int, None]()
    while waiting and len(found) < MOST_GATES:
        cell = waiting.pop(0)
        if cell not in found:
            found[cell] = None
            waiting += [driver[read] for read in gates.reads[cell] if read in driver and driver[read] not in found]
    return sorted(found)


def _draw(
    title: str,
    gates: _Gates,
    cells: list[int],
    driver: Mapping[int, int],
    outputs: Mapping[int, str],
    names: Mapping[str, tuple[str, bool]],
    critical: frozenset[str],
) -> Drawing:
    inside = {cell: k for k, cell in enumerate(cells)}
    ports: dict[int, int] = {}
    links: list[tuple[int, int, int, int]] = []  # from node, to node, which pin of how many
    for cell, node in inside.items():
        reads = gates.reads[cell]
        for pin, net in enumerate(reads):
            source = driver.get(net)
            own = inside.get(source) if source is not None else None
            start = ports.setdefault(net, len(cells) + len(ports)) if own is None else own
            links.append((start, node, pin, len(reads)))
    ends = {len(cells) + len(ports) + k: net for k, net in enumerate(outputs)}
    for node, net in ends.items():
        source = driver.get(net)
        begin = ports.get(net) if source is None else inside.get(source)
        if begin is not None:
            links.append((begin, node, 0, 1))
    places, ways = _layout(len(cells) + len(ports) + len(ends), links)
    hot = {inside[cell] for cell in cells if gates.names[cell] in critical}
    cut = 0
    shown_ports = []
    for net, node in ports.items():
        raw = gates.inputs.get(net, CONSTANTS.get(net, ""))
        name, comparator = names.get(raw, (raw or "…", False))
        cut += not raw
        shown_ports.append(_port(node, places[node], name, COMPARATOR if comparator else PIN, left=True))
    shown_ports += [_port(node, places[node], outputs[net], PIN, left=False) for node, net in ends.items()]
    data = {
        "wires": [
            {"from": a, "to": b, "path": ways[k], "critical": a in hot and b in hot}
            for k, (a, b, _, _) in enumerate(links)
        ],
        "gates": [_gate(node, places[node], gates, cell, node in hot) for cell, node in inside.items()],
        "ports": shown_ports,
    }
    drawn = spec("schematic", data)
    drawn["width"] = round(max((x for x, _ in places.values()), default=0) + 60)
    drawn["height"] = round(max((y for _, y in places.values()), default=0) + 20)
    cone = f"Of its cone the {counted(len(cells), 'gate')} nearest to it." if cut else ""
    return Drawing(title, drawn, len(cells), cone)


def _gate(node: int, place: tuple[float, float], gates: _Gates, cell: int, hot: bool) -> dict[str, Any]:
    kind = gates.kinds[cell]
    shape = next((path for start, path in SHAPES.items() if kind.startswith(start)), None)
    return {
        "id": node,
        "x": place[0],
        "y": place[1],
        "path": BOX if shape is None else shape,
        "short": kind[:7] if shape is None else "",
        "textx": 0,
        "critical": hot,
        "tip": f"{kind} {gates.names[cell]}{', on the critical path' if hot else ''}",
        "said": kind,
    }


def _port(node: int, place: tuple[float, float], name: str, path: str, *, left: bool) -> dict[str, Any]:
    return {
        "id": node,
        "x": place[0],
        "y": place[1],
        "path": path,
        "name": name,
        "align": "right" if left else "left",
        "shift": -15 if left else 10,
        "tip": name,
        "said": name,
    }


def _layout(
    nodes: int, links: Sequence[tuple[int, int, int, int]]
) -> tuple[dict[int, tuple[float, float]], dict[int, str]]:
    """Return the place of every node, and the path of every link, laid out by Sugiyama's method."""
    from fast_sugiyama import from_edges

    pairs = sorted({(a, b) for a, b, _, _ in links})
    index = {node: k for k, node in enumerate(dict.fromkeys(node for pair in pairs for node in pair))}
    back = {k: node for node, k in index.items()}
    places: dict[int, tuple[float, float]] = {}
    bends: dict[tuple[int, int], list[tuple[float, float]]] = {}
    top = 16.0
    found = from_edges([(index[a], index[b]) for a, b in pairs], vertex_spacing=1, dummy_vertices=True, dummy_size=0.2)
    for positions, _, _, edges in found if pairs else ():
        ranks = {y: k for k, y in enumerate(sorted({round(y, 3) for _, (_, y) in positions}, reverse=True))}
        low = min(x for _, (x, _) in positions)
        at = {k: (160.0 + ACROSS * ranks[round(y, 3)], top + DOWN * (x - low)) for k, (x, y) in positions}
        places |= {back[k]: place for k, place in at.items() if k in back}
        after: dict[int, list[int]] = {}
        for a, b in edges or ():
            after.setdefault(a, []).append(b)
        for a in [k for k in at if k in back]:
            for step in after.get(a, []):
                way, here = list[tuple[float, float]](), step
                while here not in back:
                    way.append(at[here])
                    here = after[here][0]
                bends[back[a], back[here]] = way
        top = max(y for _, y in at.values()) + 2 * DOWN
    for node in range(nodes):  # what reads nothing and is read by nothing
        if node not in places:
            places[node] = (160.0, top)
            top += DOWN
    return places, {
        k: _path(places, bends.get((a, b), []), a, b, pin, pins) for k, (a, b, pin, pins) in enumerate(links)
    }


def _path(
    places: Mapping[int, tuple[float, float]],
    bends: Sequence[tuple[float, float]],
    start: int,
    end: int,
    pin: int,
    pins: int,
) -> str:
    """Return a smooth path from the right of one node to a pin at the left of another."""
    (x, y), (x1, y1) = places[start], places[end]
    slot = 0.0 if pins < 2 else -6 + 12 * pin / (pins - 1)
    points = [(x + 14, y), *bends, (x1 - 11, y1 + slot)]
    path = f"M{points[0][0]:.0f},{points[0][1]:.1f}"
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        middle = (ax + bx) / 2
        path += f"C{middle:.0f},{ay:.1f} {middle:.0f},{by:.1f} {bx:.0f},{by:.1f}"
    return path
