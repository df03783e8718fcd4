"""AIGER files: circuits for other tools, and back.

Format: "The AIGER And-Inverter Graph (AIG) Format Version 20071012" (A. Biere, FMV, JKU Linz), combinational part.
The comment section holds what the format has no place for (inputs, widths, classes), in lines of our text form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from mlpress.errors import MlpressError
from mlpress.ir.ands import delta
from mlpress.ir.circuit import Circuit, Word
from mlpress.ir.limits import INPUT_BITS, MAX_ANDS, MAX_INPUTS, MAX_LEVELS, MAX_NEURONS, MAX_TEXT, MAX_WORD
from mlpress.ir.ports import input_ports
from mlpress.ir.scan import Lines
from mlpress.ir.text_circuit import frame_lines, read_frame
from mlpress.ir.verify_circuit import verify_circuit
from mlpress.progress import counted

Pairs = list[tuple[int, int]]

_HEADER = "mlpress frame 1"
_NUMBERS = re.compile(rb"[0-9]{1,10}( [0-9]{1,10})*")


def to_aiger(circuit: Circuit, form: Literal["binary", "ascii"] = "binary") -> bytes:
    """Write ``circuit`` as an AIGER file, with the names of its ports as symbols.

    Symbols are those of the emitted Verilog: input ``i0``, ... ``x0[0]``, ``x0[1]``, ..., output ``y[0]``, ...
    The format does not keep the order of a gate's two operands; they come back sorted.
    """
    inputs, gates = circuit.input_bits, circuit.ands.tolist()
    literals = [literal for word in circuit.outputs for literal in word]
    binary = form == "binary"
    lines = [f"{'aig' if binary else 'aag'} {inputs + len(gates)} {inputs} 0 {len(literals)} {len(gates)}"]
    if not binary:
        lines += [str(2 * (k + 1)) for k in range(inputs)]
    lines += map(str, literals)
    body = bytearray()
    for gate, (a, b) in enumerate(gates):
        own, high, low = 2 * (1 + inputs + gate), max(a, b), min(a, b)
        if binary:
            body += delta(own - high) + delta(high - low)
        else:
            lines.append(f"{own} {high} {low}")
    start = ("\n".join(lines) + "\n").encode()
    return start + bytes(body) + "\n".join([*_symbols(circuit), "c", _HEADER, *frame_lines(circuit), ""]).encode()


def _symbols(circuit: Circuit) -> list[str]:
    inputs = [f"{name}[{bit}]" for name, width in input_ports(circuit.inputs) for bit in range(width)]
    words = zip(circuit.ports, circuit.outputs, strict=True)
    outputs = [f"{name}[{bit}]" for name, word in words for bit in range(len(word))]
    return [f"i{k} {name}" for k, name in enumerate(inputs)] + [f"o{k} {name}" for k, name in enumerate(outputs)]


def from_aiger(data: bytes, like: Circuit | None = None) -> Circuit:
    """Read and verify a circuit, binary or ASCII.

    What its bits stand for is taken from ``like``, a circuit with as many input and output bits, or else from the
    comment that :func:`to_aiger` writes.  Raises :class:`MlpressError` naming the line or the gate.
    """
    if len(data) > MAX_TEXT:
        raise MlpressError(f"the AIGER file has {len(data)} bytes; a circuit has at most {MAX_TEXT}")
    reader = _Reader(data)
    inputs, ands, outputs = reader.binary() if reader.is_binary else reader.ascii()
    circuit = _framed(inputs, ands, outputs, like, reader.comment())
    verify_circuit(circuit)
    return circuit


def _framed(inputs: int, ands: Pairs, outputs: Sequence[int], like: Circuit | None, comment: str) -> Circuit:
    if like is not None:
        features, classes, scores = like.inputs, like.classes, like.scores
        widths = tuple(len(word) for word in like.outputs)
    elif comment.startswith(_HEADER):
        try:
            lines = Lines(comment)
            lines.take("mlpress")
            features, widths, classes, scores = read_frame(lines)
        except MlpressError as error:
            raise MlpressError(f"the AIGER file's comment: {error}") from None
    else:
        raise MlpressError("the AIGER file does not say what its bits stand for; give the circuit that it came from")
    bits = sum(feature.width for feature in features)
    if bits != inputs or sum(widths) != len(outputs):
        raise MlpressError(
            f"the AIGER file has {counted(inputs, 'input')} and {counted(len(outputs), 'output')}; its circuit has "
            f"{counted(bits, 'input bit')} "
            f"and {sum(widths)} output bits"
        )
    words: list[Word] = []
    for width in widths:
        start = sum(map(len, words))
        words.append(tuple(outputs[start : start + width]))
    return Circuit(features, np.array(ands, np.int32).reshape(-1, 2), tuple(words), classes, scores)


class _Reader:
    """The parts of a file in order; every number is checked before it is used."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.number = 0
        first = self.line()
        kind, _, rest = first.partition(b" ")
        if kind not in (b"aig", b"aag"):
            raise MlpressError("line 1: no AIGER file; it must start with 'aig' or 'aag'")
        self.is_binary = kind == b"aig"
        numbers = self.numbers(rest, "the header")
        if not 5 <= len(numbers) <= 9:
            raise self.error(f"the header has {len(numbers)} numbers; there must be 5")
        self.highest, self.inputs, latches, self.outputs, self.ands = numbers[:5]
        if latches or any(numbers[5:]):
            raise self.error("the file has latches or properties; only combinational circuits can be read")
        bounds = (
            (self.inputs, MAX_INPUTS * INPUT_BITS + MAX_LEVELS),
            (self.outputs, MAX_NEURONS * MAX_WORD),
            (self.ands, MAX_ANDS),
        )
        if any(count > most for count, most in bounds) or self.highest < self.inputs + self.ands:
            raise self.error(
                f"{self.highest} variables, {self.inputs} inputs, "
                f"{self.outputs} outputs and {self.ands} gates do not "
                f"fit together, or are more than a circuit may have"
            )

    def error(self, what: str) -> MlpressError:
        """Return the error ``what``, naming the line."""
        return MlpressError(f"line {self.number}: {what}")

    def line(self) -> bytes:
        """Take the next line."""
        self.number += 1
        if self.at >= len(self.data):
            raise self.error("the AIGER file ends early")
        stop = self.data.find(b"\n", self.at)
        stop = len(self.data) if stop < 0 else stop
        line = self.data[self.at : stop]
        self.at = stop + 1
        return line.rstrip(b"\r")

    def numbers(self, text: bytes, what: str) -> list[int]:
        """Return the integers of ``text``."""
        if not _NUMBERS.fullmatch(text):
            raise self.error(f"{text[:40]!r} stands where {what} should be")
        return list(map(int, text.split()))

    def literals(self, count: int, what: str) -> list[int]:
        """Take the ``count`` literals of the next line."""
        found = self.numbers(self.line(), what)
        if len(found) != count:
            raise self.error(f"{len(found)} numbers stand where {what} should be")
        if max(found) > 2 * self.highest + 1:
            raise self.error(f"literal {max(found)} is beyond the {self.highest} variables of the header")
        return found

    def binary(self) -> tuple[int, Pairs, list[int]]:
        """Read inputs, gates and output literals of a binary file."""
        outputs = [self.literals(1, "an output")[0] for _ in range(self.outputs)]
        ands = []
        for gate in range(self.ands):
            own = 2 * (1 + self.inputs + gate)
            high = own - self.delta(gate)
            low = high - self.delta(gate)
            if not 0 <= low <= high < own:
                raise MlpressError(f"and {gate}: it reads literals {high} and {low}; they must come before {own}")
            ands.append((low, high))
        return self.inputs, ands, outputs

    def delta(self, gate: int) -> int:
        """Take the next number of the binary part."""
        number = shift = 0
        while True:
            if self.at >= len(self.data) or shift > 28:
                raise MlpressError(f"and {gate}: the AIGER file ends early or is damaged here")
            byte = self.data[self.at]
            self.at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def ascii(self) -> tuple[int, Pairs, list[int]]:
        """Read an ASCII file, whose variables and gates may come in any order."""
        place = {0: 0}
        for k in range(self.inputs):
            self.define(place, self.literals(1, "an input")[0], 1 + k)
        outputs = [self.literals(1, "an output")[0] for _ in range(self.outputs)]
        gates: dict[int, tuple[int, int]] = {}
        for _ in range(self.ands):
            own, a, b = self.literals(3, "a gate")
            self.define(place, own, 0)
            gates[own >> 1] = (a, b)
        order = _ordered(gates)
        for k, variable in enumerate(order):
            place[variable] = 1 + self.inputs + k

        def read(literal: int) -> int:
            if literal >> 1 not in place:
                raise MlpressError(f"the AIGER file: literal {literal} is read but never defined")
            return 2 * place[literal >> 1] | literal & 1

        ands = [sorted(map(read, gates[variable])) for variable in order]
        return self.inputs, [(a, b) for a, b in ands], [read(literal) for literal in outputs]

    def define(self, place: dict[int, int], literal: int, at: int) -> None:
        """Check that a variable's literal stands on the left side, once."""
        if literal & 1 or literal >> 1 in place:
            raise self.error(f"literal {literal} cannot be defined here: it is inverted, constant or defined before")
        place[literal >> 1] = at

    def comment(self) -> str:
        """Take the text of the comment section; empty where there is none."""
        rest = b"\n" + self.data[self.at :]
        start = rest.find(b"\nc\n")
        return "" if start < 0 else rest[start + 3 :].decode(errors="replace")


def _ordered(gates: dict[int, tuple[int, int]]) -> list[int]:
    """Return the gates' variables, each after those that it reads; raise on a cycle."""
    state: dict[int, int] = {}
    order: list[int] = []
    for root in gates:
        stack = [root]
        while stack:
            variable = stack[-1]
            if state.get(variable) == 2:
                stack.pop()
                continue
            waiting = [x >> 1 for x in gates[variable] if x >> 1 in gates and state.get(x >> 1) != 2]
            if not waiting:
                state[variable] = 2
                order.append(variable)
                stack.pop()
                continue
            state[variable] = 1
            if any(state.get(x) == 1 for x in waiting):
                raise MlpressError(f"the AIGER file: the gate of variable {variable} depends on itself")
            stack += waiting
    return order
