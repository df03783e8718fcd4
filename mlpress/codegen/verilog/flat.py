"""The flat style: the bit program as it stands, one ``assign`` for each gate, as Verilog text.

Every value's gates stand in vectors named after it.  A program of many gates is cut into modules at the borders of
its values, so that every tool (and every audit) can take it module by module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlpress.ir import Bits, Gate

WHOLE_GATES, PART_GATES = 4000, 3000
"""Gates of a program that is one module, and gates of a module of a larger one, but for those of a single value with
more."""

LINE_TERMS = 8
"""Bits of a concatenation on one line."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Where each gate's bit stands: vector ``names[k]``, bit ``places[k]``; ``sizes`` are the vectors' widths."""

    names: list[str]
    places: list[int]
    sizes: dict[str, int]


def vectors_of(bits: Bits) -> Vectors:
    """Return the vectors ``<value>_<kind>_<depth>``.

    Gates of one depth do not read each other, so no vector depends on itself: event-driven simulators stay fast.
    """
    sizes: dict[str, int] = {}
    names, places = [], []
    for gate, depth in zip(bits.gates, bits.depths(), strict=True):
        name = f"{gate.owner}_{gate.kind}_{depth}"
        places.append(sizes.get(name, 0))
        sizes[name] = places[-1] + 1
        names.append(name)
    return Vectors(names, places, sizes)


def parts_of(bits: Bits) -> list[range]:
    """Return the gates of each module: one range where they fit, else ranges that end where a value ends."""
    if len(bits.gates) <= WHOLE_GATES:
        return [range(len(bits.gates))]
    ends = [k for k in range(1, len(bits.gates)) if bits.gates[k].owner != bits.gates[k - 1].owner]
    parts, start, last = list[range](), 0, 0
    for end in [*ends, len(bits.gates)]:
        if end - start > PART_GATES and last > start:
            parts.append(range(start, last))
            start = last
        last = end
    return [*parts, range(start, len(bits.gates))]


def stages_of(bits: Bits, stages: int) -> list[int]:
    """Return the stage, 0 .. ``stages - 1``, of each gate in a pipeline: equal shares of the longest chain of gates."""
    depths = bits.depths()
    deepest = max(depths, default=1)
    return [(depth - 1) * stages // deepest for depth in depths]


def flat_text(bits: Bits, name: str, registered: bool, stages: int = 1) -> str:
    """Write the modules of ``bits``, the top one last, with flip-flops at all ports where ``registered``.

    A pipeline of several ``stages`` has flip-flops between them, too.
    """
    return _Writer(bits, name, registered, stages).text()


class _Writer:
    def __init__(self, bits: Bits, name: str, registered: bool, stages: int) -> None:
        self.bits = bits
        self.name = name
        self.registered = registered
        self.last = stages - 1
        self.first = bits.first_gate
        self.vectors = vectors_of(bits)
        self.stages = stages_of(bits, stages)
        self.made = dict(zip(self.vectors.names, self.stages, strict=True))
        held = "_held" if registered else ""
        self.ports = {f"{port}{held}": width for port, width in bits.inputs}
        self.nodes = ["1'b0"]
        for port, width in self.ports.items():
            self.nodes += [_bit(port, k, width) for k in range(width)]
        sizes = self.vectors.sizes
        self.nodes += [
            _bit(vector, k, sizes[vector]) for vector, k in zip(self.vectors.names, self.vectors.places, strict=True)
        ]
        self.homes = [port for port, width in self.ports.items() for _ in range(width)]
        self.delays = self._delays()

    def text(self) -> str:
        parts = parts_of(self.bits)
        modules, calls = list[str](), list[str]()
        wires: Iterable[str] = self.vectors.sizes
        if len(parts) > 1:
            needed = self._needed(parts)
            for k, part in enumerate(parts):
                ports = self._read(part), [v for v in dict.fromkeys(self.vectors.names[g] for g in part) if v in needed]
                modules.append(self._part(f"{self.name}_part{k}", part, *ports))
                connected = ", ".join(f".{v}({v})" for side in ports for v in side)
                calls.append(f"  {self.name}_part{k} part{k}({connected});\n")
            wires = needed
        else:
            calls = self._assigns(parts[0])
        return "\n".join([*modules, self._top(wires, calls)])

    def _top(self, wires: Iterable[str], body: Sequence[str]) -> str:
        after = "_next" if self.registered else ""
        inputs, outputs = dict(self.bits.inputs), {port: len(word) for port, (word, _) in self.bits.outputs.items()}
        clocking = ["clk", "rst"] if self.registered else []
        lines = [f"module {self.name}({', '.join([*clocking, *inputs, *outputs])});\n"]
        lines += [f"  input {port};\n" for port in clocking]
        lines += [f"  input {_range(width)}{port};\n" for port, width in inputs.items()]
        lines += [f"  output {_range(width)}{port};\n" for port, width in outputs.items()]
        if self.registered:
            lines += [f"  reg {_range(width)}{port}_held;\n" for port, width in inputs.items()]
            lines += [f"  reg {_range(width)}{port};\n" for port, width in outputs.items()]
            lines += [f"  reg {_range(self._width(later))}{later};\n" for later in self.delays]
            lines += [f"  wire {_range(width)}{port}_next;\n" for port, width in outputs.items()]
        lines += [f"  wire {_range(self.vectors.sizes[vector])}{vector};\n" for vector in wires]
        lines += body
        lines += [
            f"  assign {port}{after} = {self._word(word, self.last)};\n"
            for port, (word, _) in self.bits.outputs.items()
        ]
        if self.registered:
            moves = {f"{port}_held": (port, width) for port, width in inputs.items()}
            moves |= {later: (earlier, self._width(later)) for later, earlier in self.delays.items()}
            moves |= {port: (f"{port}_next", width) for port, width in outputs.items()}
            lines += ["  always @(posedge clk or posedge rst)\n    if (rst) begin\n"]
            lines += [f"      {target} <= {width}'d0;\n" for target, (_, width) in moves.items()]
            lines += ["    end else begin\n"]
            lines += [f"      {target} <= {source};\n" for target, (source, _) in moves.items()]
            lines += ["    end\n"]
        if wires is self.vectors.sizes:
            lines += self._named()
        return "".join([*lines, "endmodule\n"])

    def _named(self) -> list[str]:
        """Return the values' own words, for the reader."""
        taken = {*self.ports, *self.bits.outputs, *(f"{port}_next" for port in self.bits.outputs), *self.vectors.sizes}
        named = {name: word for name, word in self.bits.words.items() if name not in taken}
        lines = [f"  wire {_range(max(1, len(word)))}{name};\n" for name, word in named.items()]
        return lines + [f"  assign {name} = {self._word(word)};\n" for name, word in named.items()]

    def _part(self, name: str, part: range, inputs: Sequence[str], outputs: Sequence[str]) -> str:
        inside = [v for v in dict.fromkeys(self.vectors.names[g] for g in part) if v not in set(outputs)]
        lines = [f"module {name}({', '.join([*inputs, *outputs])});\n"]
        lines += [f"  input {_range(self._width(vector))}{vector};\n" for vector in inputs]
        lines += [f"  output {_range(self._width(vector))}{vector};\n" for vector in outputs]
        lines += [f"  wire {_range(self._width(vector))}{vector};\n" for vector in [*outputs, *inside]]
        return "".join([*lines, *self._assigns(part), "endmodule\n"])

    def _assigns(self, part: range) -> list[str]:
        first, gates = self.first, self.bits.gates
        return [f"  assign {self.nodes[first + g]} = {self._expression(gates[g], self.stages[g])};\n" for g in part]

    def _home(self, node: int) -> str:
        """Return the port or vector that a node stands in."""
        return self.homes[node - 1] if node < self.first else self.vectors.names[node - self.first]

    def _seen(self, node: int, stage: int | None) -> str:
        """Return where a gate of ``stage`` reads the node's port or vector: behind a register per stage between."""
        home = self._home(node)
        return home if stage is None or stage == self.made.get(home, 0) else f"{home}_at{stage}"

    def _delays(self) -> dict[str, str]:
        """Return the registers between stages: each one's name, and whose it takes over, the earliest first."""
        reads = [
            (literal >> 1, stage)
            for gate, stage in zip(self.bits.gates, self.stages, strict=True)
            for literal in gate[1:4]
        ]
        reads += [(literal >> 1, self.last) for word, _ in self.bits.outputs.values() for literal in word]
        latest: dict[str, int] = {}
        for node, stage in reads:
            if node:
                home = self._home(node)
                latest[home] = max(latest.get(home, 0), stage)
        found = {}
        for home, stage in latest.items():
            earlier = home
            for k in range(self.made.get(home, 0) + 1, stage + 1):
                found[f"{home}_at{k}"] = earlier
                earlier = f"{home}_at{k}"
        return found

    def _width(self, vector: str) -> int:
        while vector in self.delays:
            vector = self.delays[vector]
        return self.ports[vector] if vector in self.ports else self.vectors.sizes[vector]

    def _read(self, part: range) -> list[str]:
        """Return what the gates of ``part`` read of others: ports and vectors, in the order of reading."""
        start = self.first + part.start
        found: dict[str, None] = {}
        for g in part:
            for literal in self.bits.gates[g][1:4]:
                node = literal >> 1
                if node and (node < start or self._seen(node, self.stages[g]) in self.delays):
                    found[self._seen(node, self.stages[g])] = None
        return list(found)

    def _needed(self, parts: Sequence[range]) -> dict[str, None]:
        """Return the vectors that the top module has: those that other parts or the outputs read."""
        first = self.first
        ends = [literal >> 1 for word, _ in self.bits.outputs.values() for literal in word]
        found = {self.vectors.names[node - first]: None for node in ends if node >= first}
        for part in parts:
            found |= {name: None for name in self._read(part) if name in self.vectors.sizes}
        return found | {name: None for name in self.delays.values() if name in self.vectors.sizes}

    def _expression(self, gate: Gate, stage: int) -> str:
        a, b, c = (self._literal(literal, stage) for literal in gate[1:4])
        match gate.kind:
            case "and":
                return f"{a} & {b}"
            case "xor":
                return f"{a} ^ {b}"
            case "xor3":
                return f"{a} ^ {b} ^ {c}"
            case "maj":
                return f"({a} & {b}) | ({c} & ({a} ^ {b}))"
            case "mux":
                return f"{a} ? {b} : {c}"

    def _literal(self, literal: int, stage: int | None) -> str:
        if literal < 2:
            return f"1'b{literal}"
        home, name = self._home(literal >> 1), self.nodes[literal >> 1]
        name = self._seen(literal >> 1, stage) + name.removeprefix(home)
        return f"~{name}" if literal & 1 else name

    def _word(self, word: Sequence[int], stage: int | None = None) -> str:
        """Return a concatenation, the highest bit first, as ``stage`` reads it (None: as it is made)."""
        bits = [self._literal(literal, stage) for literal in reversed(word)] or ["1'b0"]
        rows = [", ".join(bits[k : k + LINE_TERMS]) for k in range(0, len(bits), LINE_TERMS)]
        return f"{{{(',' + chr(10) + '    ').join(rows)}}}" if len(bits) > 1 else bits[0]


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _bit(vector: str, k: int, width: int) -> str:
    return f"{vector}[{k}]" if width > 1 else vector
