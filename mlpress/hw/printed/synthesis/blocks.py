"""Large circuits in blocks that are mapped apart: the time that ABC takes grows faster than a circuit."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from mlpress.errors import MlpressError
from mlpress.yosys import AndInverterGraph

Driver = tuple[str, tuple[str, ...], tuple[str, ...]]
"""What makes a net: a gate, its pins (the output's last), and the nets that it reads."""


@dataclass(frozen=True, slots=True)
class Block:
    """And-gates ``nodes`` of a graph, the nodes that they read of others, and the literals that others read."""

    nodes: range
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def blocks_of(graph: AndInverterGraph, ends: Sequence[int], outputs: Sequence[int]) -> list[Block]:
    """Return the blocks that end at ``ends`` (counts of and-gates, rising; the last is all of them)."""
    first = 1 + graph.inputs
    starts = [0, *ends]
    home = [k for k, end in enumerate(ends) for _ in range(starts[k], end)]
    read: list[set[int]] = [set() for _ in ends]
    needed: list[set[int]] = [set() for _ in ends]
    for k, pair in enumerate(graph.nodes):
        for literal in pair:
            node = literal >> 1
            if node < first or home[node - first] != home[k]:
                read[home[k]].add(node)
                if node >= first:
                    needed[home[node - first]].add(2 * node)
    for literal in outputs:
        if literal >> 1 >= first:
            needed[home[(literal >> 1) - first]].add(literal)
        elif literal & 1 and literal > 1:
            read[-1].add(literal >> 1)
            needed[-1].add(literal)
    return [
        Block(range(first + starts[k], first + end), tuple(sorted(read[k])), tuple(sorted(needed[k])))
        for k, end in enumerate(ends)
    ]


def block_aiger(graph: AndInverterGraph, block: Block) -> bytes:
    """Return one block as a graph of its own."""
    own = AndInverterGraph(len(block.inputs))
    literal = {0: 0} | {node: 2 * (1 + k) for k, node in enumerate(block.inputs)}
    for node in block.nodes:
        a, b = graph.nodes[node - 1 - graph.inputs]
        literal[node] = own.both(literal[a >> 1] ^ (a & 1), literal[b >> 1] ^ (b & 1))
    return own.to_aiger([literal[end >> 1] ^ (end & 1) for end in block.outputs])


def renamed(blif: str, block: Block, index: int, first: int) -> str:
    """Return the gates of a mapped block with the names of the whole: ``i<k>`` for inputs, ``x<literal>`` between
    blocks.
    """
    names = {f"i{k}": _net(2 * node, first) for k, node in enumerate(block.inputs)}
    names |= {f"o{k}": _net(end, first) for k, end in enumerate(block.outputs)}
    lines = []
    for line in blif.replace("\\\n", " ").splitlines():
        if line.startswith((".names", ".latch", ".subckt")):
            raise MlpressError(f"ABC left {line.strip()[:80]!r} unmapped; the library may lack a cell")
        if line.startswith(".gate"):
            lines.append(re.sub(r"=(\S+)", lambda net: f"={names.get(net[1]) or f'b{index}_{net[1]}'}", line.rstrip()))
    return "\n".join(lines) + "\n"


def ends_text(outputs: Sequence[int], first: int) -> str:
    """Return the wires that lead literals to the outputs ``o<k>``."""
    nets = {0: ".gate zero", 1: ".gate one"}
    lines = [
        f"{nets.get(literal) or f'.gate wire a={_net(literal, first)}'} y=o{k}" for k, literal in enumerate(outputs)
    ]
    return "\n".join(lines) + "\n"


def merged(blif: str, inverters: Container[str]) -> str:
    """Return the gates of all blocks without what several of them made: equal gates are one, two inversions none.

    What no output ``o<k>`` reads is left out.  ``inverters`` are the gates that invert.
    """
    driver: dict[str, Driver] = {}
    once: dict[str, str] = {}
    pins_of: dict[tuple[str, ...], tuple[str, ...]] = {}
    for line in blif.splitlines():
        _, gate, *words = line.split()
        ends = [word.split("=", 1) for word in words]
        pins, nets = tuple(pin for pin, _ in ends), [once.setdefault(net, net) for _, net in ends]
        driver[nets[-1]] = once.setdefault(gate, gate), pins_of.setdefault(pins, pins), tuple(nets[:-1])
    alias: dict[str, str] = {}
    made: dict[tuple[str, ...], str] = {}
    inverted: dict[str, str] = {}
    lines: list[str] = []
    for out in _in_order(driver):
        gate, names, sources = driver[out]
        nets = [alias.get(net, net) for net in sources]
        end = out.startswith("o")
        same = nets[0] if gate == "wire" else inverted.get(nets[0]) if gate in inverters else None
        same = same or made.get((gate, *nets))
        if same is not None:
            alias[out] = same
            lines += [f".gate wire a={same} y={out}"] * end
            continue
        made[gate, *nets] = out
        if gate in inverters:
            inverted[out] = nets[0]
        read = "".join(f" {name}={net}" for name, net in zip(names, nets, strict=False))
        lines.append(f".gate {gate}{read} y={out}")
    return "\n".join(_live(lines)) + "\n"


def _in_order(driver: Mapping[str, Driver]) -> list[str]:
    """Return the nets that the outputs need, each after those that it is made of."""
    order: dict[str, None] = {}
    for root in [net for net in driver if net.startswith("o")]:
        stack = [root]
        while stack:
            net = stack[-1]
            waiting = [read for read in driver[net][2] if read in driver and read not in order]
            if net in order or not waiting:
                order[stack.pop()] = None
            else:
                stack += waiting
    return list(order)


def _live(lines: Sequence[str]) -> list[str]:
    """Return the gates that something reads, of ``lines`` in which each comes after those that it reads."""
    needed: set[str] = set()
    kept = []
    for line in reversed(lines):
        nets = [pin.split("=", 1)[1] for pin in line.split()[2:]]
        out = nets[-1]
        if out.startswith("o") or out in needed:
            needed.update(nets[:-1])
            kept.append(line)
    return kept[::-1]


def _net(literal: int, first: int) -> str:
    return f"x{literal}" if literal & 1 or literal >> 1 >= first else f"i{(literal >> 1) - 1}"
