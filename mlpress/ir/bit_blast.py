"""The exact lowering from the integer level to the bit level, and circuits as bit programs."""

from __future__ import annotations

from mlpress.ir.bits import Lowered, lower_net
from mlpress.ir.circuit import Circuit, CircuitBuilder
from mlpress.ir.gates import Bits, Gate, GateList
from mlpress.ir.net import Net, Scores
from mlpress.ir.ports import input_ports


def bit_blast(net: Net) -> Circuit:
    """Lower a verified ``net`` to its and-inverter graph: the same decision (or scores) for every code row."""
    return circuit_of(lower_net(net))


def circuit_of(lowered: Lowered) -> Circuit:
    """Return the and-inverter graph of a lowered net's bit program."""
    net, bits = lowered.net, lowered.bits
    builder = CircuitBuilder(net.inputs)
    literals = [0, *(literal for k in range(len(net.inputs)) for literal in builder.input(k))]

    def read(literal: int) -> int:
        return literals[literal >> 1] ^ (literal & 1)

    for gate in bits.gates:
        literals.append(_build(builder, gate, read(gate.a), read(gate.b), read(gate.c)))
    outputs = [tuple(map(read, word)) for word, _ in bits.outputs.values()]
    return builder.circuit(outputs, net.classes, net.head if isinstance(net.head, Scores) else None)


def _build(builder: CircuitBuilder, gate: Gate, a: int, b: int, c: int) -> int:
    match gate.kind:
        case "and":
            return builder.both(a, b)
        case "xor":
            return builder.differ(a, b)
        case "xor3":
            return builder.differ(builder.differ(a, b), c)
        case "maj":
            return builder.majority(a, b, c)
        case "mux":
            return builder.choose(a, b, c)


def circuit_bits(circuit: Circuit) -> Bits:
    """Return a circuit as the bit program that back ends walk: constants folded, equal gates one, dead gates left
    out."""
    gates = GateList(input_ports(circuit.inputs), "g")
    literals = [0, *(literal for word in gates.input_words() for literal in word)]

    def read(literal: int) -> int:
        return literals[literal >> 1] ^ (literal & 1)

    for a, b in circuit.ands.tolist():
        literals.append(gates.and_(read(a), read(b)))
    words = zip(circuit.ports, circuit.outputs, strict=True)
    signed = circuit.scores is not None
    return gates.finish({}, {name: ([read(literal) for literal in word], signed) for name, word in words})
