"""The text form of the real level: one input per line, one neuron's bias and weights per line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np

from mlpress.ir.curves import CURVES
from mlpress.ir.limits import MAX_INPUTS, MAX_LAYERS, MAX_NEURONS, MAX_THRESHOLDS, MAX_WEIGHTS
from mlpress.ir.model import (
    Activations,
    ArgmaxHead,
    Clip,
    Coder,
    Coders,
    Curve,
    Dense,
    Floats,
    HardSigmoid,
    Integers,
    LeakyRelu,
    Linear,
    Model,
    Quantiser,
    RealActivation,
    RealHead,
    Relu,
    Rounding,
    ScoresHead,
    Sigmoid,
    Staircase,
    Tanh,
    ThresholdHead,
)
from mlpress.ir.scan import Line, Lines, quote
from mlpress.ir.text_net import read_classes, read_missing

_PLAIN: dict[str, RealActivation] = {"linear": Linear(), "relu": Relu(), "sigmoid": Sigmoid(), "tanh": Tanh()}
_SHAPED = ("clip", "leakyrelu", "hardsigmoid", *CURVES)
_ROUNDINGS: dict[str, Rounding] = {name: name for name in get_args(Rounding)}


def model_lines(model: Model) -> Iterator[str]:
    """Return the lines of ``model``, without the header line."""
    missing = model.missing or (None,) * len(model.inputs)
    for name, scale, offset, value in zip(
        model.inputs, model.scale.tolist(), model.offset.tolist(), missing, strict=True
    ):
        line = f"input {quote(name)} scale {scale!r} offset {offset!r}"
        yield line if value is None else f"{line} missing {value!r}"
    if model.clip is not None:
        yield _activation_words(model.clip)
    yield from _quantiser_lines(model.quantiser)
    for layer in model.layers:
        yield from _dense_lines(layer)
    yield f"head {_head_words(model.head)}"
    yield " ".join(["classes", *map(quote, model.classes)])


def _quantiser_lines(held: Coders) -> Iterator[str]:
    """Yield one line where one coder is for all values, else one per value."""
    if isinstance(held, tuple):
        for coder in held:
            yield f"each {_coder_words(coder)}"
    elif held is not None:
        yield _coder_words(held)


def _coder_words(coder: Coder | None) -> str:
    match coder:
        case None:
            return "real"
        case Staircase(bounds=bounds, step=step, base=base):
            return " ".join(["staircase", repr(step), repr(base), *map(repr, bounds)])
        case Quantiser(scale=scale, zero=zero, low=low, high=high, rounding=rounding):
            words = f"quantiser {scale!r} {zero} {low} {high}"
            return words if rounding == "even" else f"{words} {rounding}"


def _dense_lines(layer: Dense) -> Iterator[str]:
    one = layer.activation
    yield f"layer {len(layer.bias)} {'each' if isinstance(one, tuple) else _activation_words(one)}"
    for activation in one if isinstance(one, tuple) else ():
        yield f"activation {_activation_words(activation)}"
    for bias, weights in zip(layer.bias.tolist(), layer.weight.tolist(), strict=True):
        yield " ".join(["neuron", *map(repr, [bias, *weights])])
    if layer.integers is not None:
        yield from _integer_lines(layer.integers)
    yield from _quantiser_lines(layer.quantiser)


def _integer_lines(held: Integers) -> Iterator[str]:
    for row, (scale, weights) in enumerate(zip(held.weight_scale.tolist(), held.weight.tolist(), strict=True)):
        yield " ".join(["integers", repr(scale), *map(str, weights)])
        if held.bias is not None and held.bias_scale is not None:
            yield f"integerbias {float(held.bias_scale[row])!r} {int(held.bias[row])}"


def _activation_words(activation: RealActivation) -> str:
    match activation:
        case Clip(low=low, high=high):
            return f"clip {low!r} {high!r}"
        case LeakyRelu(alpha=alpha):
            return f"leakyrelu {alpha!r}"
        case HardSigmoid(alpha=alpha, beta=beta):
            return f"hardsigmoid {alpha!r} {beta!r}"
        case Curve(name=name, parameters=parameters):
            return " ".join([name, *map(repr, parameters)])
        case Linear() | Relu() | Sigmoid() | Tanh():
            return type(activation).__name__.lower()


def _head_words(head: RealHead) -> str:
    match head:
        case ArgmaxHead():
            return "argmax"
        case ThresholdHead(at=at):
            return f"threshold {at!r}"
        case ScoresHead():
            return "scores"


def read_model(lines: Lines) -> Model:
    """Read the model whose lines follow; it is still to be verified."""
    names: list[str] = []
    scale: list[float] = []
    offset: list[float] = []
    missing: list[float | None] = []
    while not names or lines.next_is("input"):
        line = lines.take("input")
        if len(names) == MAX_INPUTS:
            line.fail(f"there are more than {MAX_INPUTS} inputs")
        names.append(line.name("the input's name"))
        line.keyword("scale")
        scale.append(line.real("the scale"))
        line.keyword("offset")
        offset.append(line.real("the offset"))
        missing.append(read_missing(line))
        line.end()
    clip = _read_clip(lines.take("clip")) if lines.next_is("clip") else None
    quantiser = _read_quantisers(lines, len(names))
    layers: list[Dense] = []
    width, budget = len(names), MAX_WEIGHTS
    while not layers or lines.next_is("layer"):
        line = lines.take("layer")
        if len(layers) == MAX_LAYERS:
            line.fail(f"there are more than {MAX_LAYERS} layers")
        count = line.count("the number of neurons", MAX_NEURONS)
        budget -= count * width
        if budget < 0:
            line.fail(f"the model has more than {MAX_WEIGHTS} weights")
        layers.append(_read_dense(lines, line, count, width))
        width = count
    head = _read_head(lines.take("head"))
    classes = read_classes(lines.take("classes"))
    told = tuple(missing) if any(value is not None for value in missing) else ()
    return Model(tuple(names), np.array(scale), np.array(offset), tuple(layers), head, classes, clip, quantiser, told)


def _read_quantisers(lines: Lines, count: int) -> Coders:
    if lines.next_is("each"):
        return tuple(_read_coder(_after(lines.take("each"))) for _ in range(count))
    for word in ("quantiser", "staircase"):
        if lines.next_is(word):
            return _read_coder((lines.take(word), word))
    return None


def _after(line: Line) -> tuple[Line, str]:
    return line, line.keyword("quantiser", "staircase", "real")


def _read_coder(at: tuple[Line, str]) -> Coder | None:
    line, word = at
    coder: Coder | None = None
    match word:
        case "staircase":
            step, base = line.real("the step"), line.real("the base")
            bounds = [line.real("a bound")]
            while line.peek() is not None and len(bounds) < MAX_THRESHOLDS:
                bounds.append(line.real("a bound"))
            coder = Staircase(tuple(bounds), step, base)
        case "quantiser":
            scale = line.real("the scale")
            zero, low, high = (line.integer(what) for what in ("the zero point", "the lowest code", "the highest code"))
            rounding: Rounding = "even"
            if line.peek() is not None:
                rounding = _ROUNDINGS[line.keyword(*_ROUNDINGS)]
            coder = Quantiser(scale, zero, low, high, rounding)
    line.end()
    return coder


def _read_dense(lines: Lines, line: Line, count: int, width: int) -> Dense:
    first = line.keyword(*_PLAIN, *_SHAPED, "each")
    activation: Activations
    if first == "each":
        line.end()
        taken = [lines.take("activation") for _ in range(count)]
        activation = tuple(_read_activation(one, one.keyword(*_PLAIN, *_SHAPED)) for one in taken)
    else:
        activation = _read_activation(line, first)
    rows = np.array([_read_reals(lines.take("neuron"), 1 + width) for _ in range(count)])
    integers = _read_integers(lines, count, width) if lines.next_is("integers") else None
    return Dense(rows[:, 1:].copy(), rows[:, 0].copy(), activation, integers, _read_quantisers(lines, count))


def _read_reals(line: Line, count: int) -> Floats:
    values = [line.real("the bias or a weight") for _ in range(count)]
    line.end()
    return np.array(values)


def _read_integers(lines: Lines, count: int, width: int) -> Integers:
    weights, weight_scale = np.zeros((count, width), np.int64), np.zeros(count)
    bias, bias_scale = np.zeros(count, np.int64), np.zeros(count)
    biased = False
    for row in range(count):
        line = lines.take("integers")
        weight_scale[row] = line.real("the weights' scale")
        weights[row] = [_read_code(line, "a weight") for _ in range(width)]
        line.end()
        biased = lines.next_is("integerbias") if row == 0 else biased
        if biased:
            line = lines.take("integerbias")
            bias_scale[row] = line.real("the bias's scale")
            bias[row] = _read_code(line, "the bias")
            line.end()
    return Integers(weights, weight_scale, bias if biased else None, bias_scale if biased else None)


def _read_code(line: Line, what: str) -> int:
    value = line.integer(what)
    if abs(value) > 1 << 62:
        line.fail(f"{what} is {value}, too large for an integer code")
    return value


def _read_activation(line: Line, word: str) -> RealActivation:
    activation: RealActivation
    match word:
        case "clip":
            return _read_clip(line)
        case "leakyrelu":
            activation = LeakyRelu(line.real("alpha"))
        case "hardsigmoid":
            activation = HardSigmoid(line.real("alpha"), line.real("beta"))
        case name if name in CURVES:
            activation = Curve(name, tuple(line.real(parameter) for parameter in CURVES[name].parameters))
        case _:
            activation = _PLAIN[word]
    line.end()
    return activation


def _read_clip(line: Line) -> Clip:
    clip = Clip(line.real("the low end"), line.real("the high end"))
    line.end()
    return clip


def _read_head(line: Line) -> RealHead:
    word = line.keyword("argmax", "threshold", "scores")
    head: RealHead
    match word:
        case "argmax":
            head = ArgmaxHead()
        case "threshold":
            head = ThresholdHead(line.real("the threshold"))
        case _:
            head = ScoresHead()
    line.end()
    return head
