"""The text form of the integer level: one input per line, one neuron per line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlpress.ir.limits import MAX_CLASSES, MAX_INPUTS, MAX_LAYERS, MAX_LEVELS, MAX_NEURONS, MAX_TERMS
from mlpress.ir.net import (
    Activation,
    Argmax,
    BitRange,
    Head,
    Input,
    Interface,
    Ladder,
    Layer,
    Net,
    Neuron,
    QRelu,
    Raw,
    Scores,
    Term,
    Threshold,
)
from mlpress.ir.scan import Line, Lines, quote

_TERM = re.compile(r"([+-])x([0-9]{1,6})&0x([0-9a-f]{1,6})<<([0-9]{1,2})", re.ASCII)
_RANGE = re.compile(r"([0-9]{1,2}):([0-9]{1,2})?", re.ASCII)


def net_lines(net: Net) -> Iterator[str]:
    """Return the lines of ``net``, without the header line."""
    for feature in net.inputs:
        yield input_line(feature)
    for layer in net.layers:
        yield f"layer {len(layer.neurons)}"
        for neuron in layer.neurons:
            words = ["neuron", _activation_word(neuron.activation), str(neuron.bias), *map(_term_word, neuron.terms)]
            yield " ".join(words)
    yield " ".join(["head", *_head_words(net.head)])
    yield " ".join(["classes", *map(quote, net.classes)])


def _call(name: str, numbers: tuple[int, ...]) -> str:
    return f"{name}({','.join(map(str, numbers))})"


def input_line(feature: Input) -> str:
    """Write one input as a line."""
    line = (
        f"input {quote(feature.name)} bits {feature.bits} scale {feature.scale!r} "
        f"offset {feature.offset!r} round {feature.rounding}"
    )
    line = line if feature.levels is None else f"{line} {_call('levels', feature.levels)}"
    line = line if feature.interface == "binary" else f"{line} unary"
    return line if feature.missing is None else f"{line} missing {feature.missing!r}"


def _activation_word(activation: Activation) -> str:
    match activation:
        case QRelu(shift=shift, bits=bits):
            return _call("qrelu", (shift, bits))
        case Ladder(thresholds=thresholds):
            return _call("ladder", thresholds)
        case Raw():
            return _call("raw", ())


def _term_word(term: Term) -> str:
    return f"{'+' if term.sign > 0 else '-'}x{term.source}&0x{term.mask:x}<<{term.shift}"


def _head_words(head: Head) -> Iterator[str]:
    match head:
        case Argmax(ranges=ranges):
            yield "argmax"
            for window in ranges:
                yield f"{window.low}:{'' if window.high is None else window.high}"
        case Threshold(at=at):
            yield "threshold"
            yield str(at)
        case Scores(scale=scale, offset=offset):
            yield "scores"
            for a, b in zip(scale, offset, strict=True):
                yield f"{a!r} {b!r}"


def read_net(lines: Lines) -> Net:
    """Read the net whose lines follow; it is still to be verified."""
    inputs = read_inputs(lines)
    budget = _Budget()
    layers: list[Layer] = []
    while not layers or lines.next_is("layer"):
        line = lines.take("layer")
        if len(layers) == MAX_LAYERS:
            line.fail(f"there are more than {MAX_LAYERS} layers")
        count = line.count("the number of neurons", MAX_NEURONS)
        line.end()
        layers.append(Layer(tuple(_read_neuron(lines.take("neuron"), budget) for _ in range(count))))
    head = _read_head(lines.take("head"))
    return Net(inputs, tuple(layers), head, read_classes(lines.take("classes")))


def read_inputs(lines: Lines) -> tuple[Input, ...]:
    """Read the ``input`` lines that follow, one at least."""
    inputs: list[Input] = []
    while not inputs or lines.next_is("input"):
        line = lines.take("input")
        if len(inputs) == MAX_INPUTS:
            line.fail(f"there are more than {MAX_INPUTS} inputs")
        inputs.append(read_input(line))
    return tuple(inputs)


def read_classes(line: Line) -> tuple[int | str, ...]:
    """Read the rest of a ``classes`` line."""
    classes: list[int | str] = []
    while line.peek() is not None:
        if len(classes) == MAX_CLASSES:
            line.fail(f"there are more than {MAX_CLASSES} classes")
        classes.append(line.name_or_integer("a class"))
    return tuple(classes)


class _Budget:
    """What the neurons read so far may still hold."""

    def __init__(self) -> None:
        self.terms = MAX_TERMS
        self.thresholds = MAX_LEVELS


def read_input(line: Line) -> Input:
    """Read the rest of an ``input`` line."""
    name = line.name("the input's name")
    line.keyword("bits")
    bits = line.integer("the number of bits")
    line.keyword("scale")
    scale = line.real("the scale")
    line.keyword("offset")
    offset = line.real("the offset")
    line.keyword("round")
    floor = line.keyword("floor", "even") == "floor"
    levels = None
    if line.peek() not in (None, "unary", "missing"):
        word, numbers = line.call("levels(...)")
        if word != "levels":
            line.fail(f"{word[:40]!r} stands where levels(...) should be")
        levels = tuple(numbers)
    interface: Interface = "binary"
    if line.peek() not in (None, "missing"):
        line.keyword("unary")
        interface = "unary"
    missing = read_missing(line)
    line.end()
    return Input(name, bits, scale, offset, "floor" if floor else "even", levels, interface, missing)


def read_missing(line: Line) -> float | None:
    """Read what stands for a missing value, where the line says it."""
    if line.peek() is None:
        return None
    line.keyword("missing")
    return line.real("what stands for a missing value")


def _read_neuron(line: Line, budget: _Budget) -> Neuron:
    activation = _read_activation(line, budget)
    bias = line.integer("the bias")
    terms: list[Term] = []
    while line.peek() is not None:
        terms.append(_read_term(line))
    budget.terms -= len(terms)
    if budget.terms < 0:
        line.fail(f"the net has more than {MAX_TERMS} terms")
    return Neuron(bias, tuple(terms), activation)


def _read_activation(line: Line, budget: _Budget) -> Activation:
    word, numbers = line.call("qrelu(...), ladder(...) or raw()")
    match word, numbers:
        case "qrelu", [shift, bits]:
            return QRelu(shift, bits)
        case "ladder", [_, *_]:
            budget.thresholds -= len(numbers)
            if budget.thresholds < 0:
                line.fail(f"the net has more than {MAX_LEVELS} thresholds")
            return Ladder(tuple(numbers))
        case "raw", []:
            return Raw()
    raise line.error(
        f"{word[:40]!r} with {len(numbers)} numbers is no activation; qrelu has 2, raw 0, ladder 1 or more"
    )


def _read_term(line: Line) -> Term:
    word = line.word("a term")
    match = _TERM.fullmatch(word)
    if match is None:
        line.fail(f"{word[:40]!r} stands where a term like +x0&0xf<<2 should be")
    sign, source, mask, shift = match.groups()
    return Term(int(source), 1 if sign == "+" else -1, int(shift), int(mask, 16))


def _read_head(line: Line) -> Head:
    match line.keyword("argmax", "threshold", "scores"):
        case "argmax":
            ranges: list[BitRange] = []
            while line.peek() is not None:
                ranges.append(_read_range(line))
            return Argmax(tuple(ranges))
        case "threshold":
            at = line.integer("the threshold")
            line.end()
            return Threshold(at)
        case _:
            return read_scores(line)


def read_scores(line: Line) -> Scores:
    """Read the rest of a line: a scale and an offset for each score."""
    pairs: list[tuple[float, float]] = []
    while line.peek() is not None:
        pairs.append((line.real("a scale"), line.real("an offset")))
    return Scores(tuple(scale for scale, _ in pairs), tuple(offset for _, offset in pairs))


def _read_range(line: Line) -> BitRange:
    word = line.word("a bit range")
    match = _RANGE.fullmatch(word)
    if match is None:
        line.fail(f"{word[:40]!r} stands where a bit range like 2:7 or 2: should be")
    return BitRange(int(match[1]), None if match[2] is None else int(match[2]))
