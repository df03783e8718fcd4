"""The text form of the bit level: one and-gate per line."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mlpress.ir.circuit import Circuit, Word
from mlpress.ir.limits import MAX_ANDS, MAX_NEURONS, MAX_WORD
from mlpress.ir.net import Input, Scores
from mlpress.ir.scan import Line, Lines, quote
from mlpress.ir.text_net import input_line, read_classes, read_inputs, read_scores


def circuit_lines(circuit: Circuit) -> Iterator[str]:
    """Return the lines of ``circuit``, without the header line."""
    yield from map(input_line, circuit.inputs)
    yield f"ands {len(circuit.ands)}"
    for a, b in circuit.ands.tolist():
        yield f"and {a} {b}"
    for word in circuit.outputs:
        yield " ".join(["output", *map(str, word)])
    yield from meaning_lines(circuit)


def meaning_lines(circuit: Circuit) -> Iterator[str]:
    """Return the lines that say what the outputs stand for."""
    if circuit.scores is not None:
        pairs = zip(circuit.scores.scale, circuit.scores.offset, strict=True)
        yield " ".join(["scores", *(f"{scale!r} {offset!r}" for scale, offset in pairs)])
    yield " ".join(["classes", *map(quote, circuit.classes)])


def read_circuit(lines: Lines) -> Circuit:
    """Read the circuit whose lines follow; it is still to be verified."""
    inputs = read_inputs(lines)
    line = lines.take("ands")
    count = line.integer("the number of gates")
    if not 0 <= count <= MAX_ANDS:
        line.fail(f"the number of gates is {count}; it must be within 0..{MAX_ANDS}")
    line.end()
    ands = np.zeros((count, 2), np.int32)
    for k in range(count):
        line = lines.take("and")
        ands[k] = _literal(line), _literal(line)
        line.end()
    outputs: list[Word] = []
    while not outputs or lines.next_is("output"):
        line = lines.take("output")
        if len(outputs) == MAX_NEURONS:
            line.fail(f"there are more than {MAX_NEURONS} outputs")
        outputs.append(_read_word(line))
    scores, classes = read_meaning(lines)
    return Circuit(inputs, ands, tuple(outputs), classes, scores)


def read_meaning(lines: Lines) -> tuple[Scores | None, tuple[int | str, ...]]:
    """Read the lines that say what the outputs stand for."""
    scores = read_scores(lines.take("scores")) if lines.next_is("scores") else None
    return scores, read_classes(lines.take("classes"))


def _read_word(line: Line) -> Word:
    word: list[int] = []
    while line.peek() is not None:
        if len(word) == MAX_WORD:
            line.fail(f"there are more than {MAX_WORD} bits")
        word.append(_literal(line))
    return tuple(word)


def _literal(line: Line) -> int:
    literal = line.integer("a literal")
    if not 0 <= literal < 1 << 31:
        line.fail(f"a literal is {literal}; it must be within 0..{(1 << 31) - 1}")
    return literal


def frame_lines(circuit: Circuit) -> Iterator[str]:
    """Return what an AIGER file does not say of ``circuit``: inputs, widths of the outputs, and their meaning."""
    yield from map(input_line, circuit.inputs)
    yield " ".join(["widths", *(str(len(word)) for word in circuit.outputs)])
    yield from meaning_lines(circuit)


def read_frame(lines: Lines) -> tuple[tuple[Input, ...], tuple[int, ...], tuple[int | str, ...], Scores | None]:
    """Read inputs, widths, classes and scores from the lines of :func:`frame_lines`."""
    inputs = read_inputs(lines)
    line = lines.take("widths")
    widths: list[int] = []
    while line.peek() is not None:
        if len(widths) == MAX_NEURONS:
            line.fail(f"there are more than {MAX_NEURONS} outputs")
        widths.append(line.count("a width", MAX_WORD))
    scores, classes = read_meaning(lines)
    return inputs, tuple(widths), classes, scores
