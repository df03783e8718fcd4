"""Circuits as plain ONNX graphs: all gates of one level are one ``And``."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

import numpy as np
import onnx

from mlpress.codegen.oracle.graph import Graph, onnx_type
from mlpress.codegen.oracle.program import input_codes
from mlpress.ir import Circuit


def onnx_circuit(circuit: Circuit, start: Literal["features", "codes"] = "features") -> onnx.ModelProto:
    """Write the graph of a verified ``circuit``.

    Input: ``features`` float64 (rows, inputs), or ``codes`` int64 (rows, inputs) where ``start`` says so.  Outputs,
    int64: ``codes`` (only from features), and ``decision`` (rows,), or for a regression ``words`` (rows, scores).
    """
    graph = Graph()
    codes = input_codes(graph, circuit.inputs, start)
    signals, column = _input_bits(graph, circuit, codes), {k: k for k in range(1 + circuit.input_bits)}
    first, ands = 1 + circuit.input_bits, circuit.ands.tolist()
    for gates in _levels(circuit):
        sides = [_literals(graph, signals, [ands[gate][side] for gate in gates], column) for side in (0, 1)]
        column.update({first + gate: len(column) + k for k, gate in enumerate(gates)})
        signals = graph.node("Concat", signals, graph.node("And", *sides), axis=1)
    words = [_word(graph, signals, word, column, signed=circuit.scores is not None) for word in circuit.outputs]
    if circuit.scores is None:
        graph.output(graph.node("Squeeze", words[0], graph.constant([1], np.int64), name="decision"), np.int64)
    else:
        graph.output(graph.node("Concat", *words, name="words", axis=1), np.int64, len(words))
    return graph.model("mlpress_circuit", {"mlpress": "circuit"})


def _levels(circuit: Circuit) -> list[list[int]]:
    """Return the gates of each level: those that read only inputs, those that read those, and so on."""
    level = [0] * circuit.variables
    found: defaultdict[int, list[int]] = defaultdict(list)
    for gate, (a, b) in enumerate(circuit.ands.tolist()):
        depth = 1 + max(level[a >> 1], level[b >> 1])
        level[1 + circuit.input_bits + gate] = depth
        found[depth].append(gate)
    return [found[depth] for depth in sorted(found)]


def _input_bits(graph: Graph, circuit: Circuit, codes: str) -> str:
    """Return bool (rows, 1 + input bits): the constant 0 and every bit that comes in."""
    inputs = list(enumerate(circuit.inputs))
    binary = [(k, bit) for k, feature in inputs if feature.interface == "binary" for bit in range(feature.bits)]
    unary = [(k, level) for k, feature in inputs if feature.interface == "unary" for level in feature.reached]
    bits = _code_bits(graph, codes, binary)
    if not unary:
        return bits
    chosen = graph.node("Gather", codes, graph.constant([k for k, _ in unary], np.int64), axis=1)
    levels = graph.constant([[level for _, level in unary]], np.int64)
    bits = graph.node("Concat", bits, graph.node("GreaterOrEqual", chosen, levels), axis=1)
    place = {where: 1 + j for j, where in enumerate([*binary, *unary])}
    order = [(k, x) for k, f in inputs for x in (f.reached if f.interface == "unary" else range(f.bits))]
    return graph.node("Gather", bits, graph.constant([0, *(place[where] for where in order)], np.int64), axis=1)


def _code_bits(graph: Graph, codes: str, places: list[tuple[int, int]]) -> str:
    """Return bool (rows, 1 + places): the constant 0 and these bits (input, bit) of codes."""
    numbers = graph.node("Cast", codes, to=onnx_type(np.uint64))
    chosen = graph.node("Gather", numbers, graph.constant([0, *(k for k, _ in places)], np.int64), axis=1)
    shifts = graph.constant([[0, *(bit for _, bit in places)]], np.uint64)
    kept = graph.constant([[0, *(1 for _ in places)]], np.uint64)
    bits = graph.node("BitwiseAnd", graph.node("BitShift", chosen, shifts, direction="RIGHT"), kept)
    return graph.node("Cast", bits, to=onnx_type(np.bool_))


def _literals(graph: Graph, signals: str, literals: list[int], column: dict[int, int]) -> str:
    chosen = graph.node(
        "Gather", signals, graph.constant([column[literal >> 1] for literal in literals], np.int64), axis=1
    )
    return graph.node("Xor", chosen, graph.constant([[literal & 1 == 1 for literal in literals]], np.bool_))


def _word(graph: Graph, signals: str, word: tuple[int, ...], column: dict[int, int], *, signed: bool) -> str:
    """Return the integer (rows, 1) whose bits, the least significant first, are the literals of ``word``."""
    bits = graph.node("Cast", _literals(graph, signals, list(word), column), to=onnx_type(np.int64))
    weights = [1 << k for k in range(len(word))]
    if signed:
        weights[-1] = -weights[-1]
    return graph.node("MatMul", bits, graph.constant([[weight] for weight in weights], np.int64))
