"""Gates as a structurally hashed and-inverter graph, in the binary AIGER format that ABC reads.

Biere, Heljanko, Wieringa: "AIGER 1.9 and beyond", FMV report 11/2, JKU Linz 2011.
"""

from __future__ import annotations

from collections.abc import Iterable

from mlpress.ir import HashedAnds, delta
from mlpress.yosys import Gates


class AndInverterGraph(HashedAnds):
    """Literals are ``2 * node + complement``; node 0 is the constant 0, nodes 1 .. ``inputs`` are inputs."""

    def __init__(self, inputs: int) -> None:
        super().__init__(1 + inputs)
        self.inputs = inputs

    def differ(self, a: int, b: int) -> int:
        """Return the literal of ``a xor b``."""
        return self.both(self.both(a, b) ^ 1, self.both(a ^ 1, b ^ 1) ^ 1)

    def gate(self, table: int, a: int, b: int) -> int:
        """Return the literal of a two-input truth table (bit ``a + 2 * b`` is the value)."""
        match table:
            case 0b0110:
                return self.differ(a, b)
            case 0b1001:
                return self.differ(a, b) ^ 1
        minterms = [self.both(a ^ 1 ^ (k & 1), b ^ 1 ^ (k >> 1)) for k in range(4) if table >> k & 1]
        if len(minterms) == 3:
            k = next(k for k in range(4) if not table >> k & 1)
            return self.both(a ^ 1 ^ (k & 1), b ^ 1 ^ (k >> 1)) ^ 1
        literal = 0
        for minterm in minterms:
            literal = self.both(literal ^ 1, minterm ^ 1) ^ 1
        return literal

    def add(self, gates: Gates, inputs: list[int]) -> list[int]:
        """Add ``gates`` over the literals of its input bits and flip-flops; return the literal of each of its
        signals."""
        return self.add_parts(gates, inputs)[0]

    def add_parts(self, gates: Gates, inputs: list[int]) -> tuple[list[int], list[int]]:
        """Add gates as :meth:`add` does; return how many and-gates there are at each of the gates' cuts, too."""
        literals, ends = [0, *inputs], list[int]()
        cuts = set(gates.cuts)
        tables = zip(gates.operation.tolist(), gates.left.tolist(), gates.right.tolist(), strict=True)
        for k, (table, a, b) in enumerate(tables, 1):
            literals.append(self.gate(table, literals[a], literals[b]))
            if k in cuts:
                ends.append(len(self.nodes))
        return literals, ends

    def cone(self, literals: Iterable[int]) -> tuple[list[int], list[int]]:
        """Return the input nodes and the and-gates that ``literals`` depend on, each in rising order."""
        first = self.first
        needed = bytearray(first + len(self.nodes))
        for literal in literals:
            needed[literal >> 1] = 1
        for k in range(len(self.nodes) - 1, -1, -1):
            if needed[first + k]:
                for literal in self.nodes[k]:
                    needed[literal >> 1] = 1
        found = [node for node in range(1, len(needed)) if needed[node]]
        return [node for node in found if node < first], [node for node in found if node >= first]

    def to_aiger(self, outputs: Iterable[int]) -> bytes:
        """Write the graph with these output literals; what no output needs is dropped.

        Inputs and outputs are named ``i0, i1, ...`` and ``o0, o1, ...`` in the symbol table.
        """
        outputs = list(outputs)
        first = self.first
        gates = self.cone(outputs)[1]
        number = {node: node for node in range(first)}
        body = bytearray()
        for count, node in enumerate(gates):
            a, b = (2 * number[literal >> 1] + (literal & 1) for literal in self.nodes[node - first])
            body += delta(2 * (first + count) - max(a, b)) + delta(abs(a - b))
            number[node] = first + count
        count = len(gates)
        lines = [f"aig {self.inputs + count} {self.inputs} 0 {len(outputs)} {count}"]
        lines += [str(2 * number[literal >> 1] + (literal & 1)) for literal in outputs]
        symbols = [f"i{k} i{k}" for k in range(self.inputs)] + [f"o{k} o{k}" for k in range(len(outputs))]
        return ("\n".join(lines) + "\n").encode() + bytes(body) + ("\n".join(symbols) + "\n").encode()
