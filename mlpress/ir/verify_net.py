"""The rules of the integer level."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mlpress.ir.checks import check_classes, check_count, check_float, check_inputs, check_int, fail
from mlpress.ir.interval import output_bits
from mlpress.ir.limits import (
    ACTIVATION_BITS,
    INPUT_BITS,
    INT64_HIGH,
    INT64_LOW,
    MAX_CLASSES,
    MAX_LAYERS,
    MAX_LEVELS,
    MAX_NEURONS,
    MAX_SHIFT,
    MAX_TERMS,
    MAX_THRESHOLDS,
    SUM_LIMIT,
)
from mlpress.ir.net import Activation, Argmax, BitRange, Head, Input, Ladder, Net, Neuron, QRelu, Raw, Scores, Threshold
from mlpress.progress import counted


def verify_net(net: Net) -> None:
    """Raise :class:`MlpressError` at the first rule of the integer level that ``net`` breaks."""
    check_inputs([feature.name for feature in net.inputs])
    for index, feature in enumerate(net.inputs):
        check_input(feature, f"input {index}")
        if feature.interface != "binary":
            fail(f"input {index}", "its interface is unary; only a circuit's input can be, a network reads whole codes")
    check_count(sum(len(feature.levels or ()) for feature in net.inputs), 0, MAX_LEVELS, "inputs", "kept levels")

    check_count(len(net.layers), 1, MAX_LAYERS, "layers", "layers")
    neurons = [neuron for layer in net.layers for neuron in layer.neurons]
    check_count(net.terms, 0, MAX_TERMS, "layers", "terms")
    check_count(sum(_threshold_count(neuron) for neuron in neurons), 0, MAX_LEVELS, "layers", "thresholds")

    widths: Sequence[int] = [feature.bits for feature in net.inputs]
    for k, layer in enumerate(net.layers):
        last = k == len(net.layers) - 1
        check_count(len(layer.neurons), 1, MAX_NEURONS, f"layer {k}", "neurons")
        for j, neuron in enumerate(layer.neurons):
            where = f"layer {k}, neuron {j}"
            _check_sum(neuron, widths, where)
            _check_activation(neuron.activation, last, where)
        widths = [output_bits(neuron.activation) or 0 for neuron in layer.neurons]
    _check_head(net.head, len(net.layers[-1].neurons), net.classes)


def _threshold_count(neuron: Neuron) -> int:
    return len(neuron.activation.thresholds) if isinstance(neuron.activation, Ladder) else 0


def check_input(feature: Input, where: str) -> None:
    """Check the rules of one input, ``where`` being its place."""
    check_int(feature.bits, 1, INPUT_BITS, where, "bits")
    check_float(feature.scale, where, "scale")
    check_float(feature.offset, where, "offset")
    if feature.rounding not in ("floor", "even"):
        fail(where, f"rounding is {feature.rounding!r}; it must be 'floor' or 'even'")
    if feature.interface not in ("binary", "unary"):
        fail(where, f"the interface is {feature.interface!r}; it must be 'binary' or 'unary'")
    if feature.missing is not None:
        check_float(feature.missing, where, "what stands for a missing value")
    if feature.levels is None:
        return
    for level in feature.levels:
        check_int(level, 1, (1 << feature.bits) - 1, where, "a kept level")
    for low, high in pairwise(feature.levels):
        if low >= high:
            fail(where, f"kept level {high} follows {low}; levels must increase")


def _check_sum(neuron: Neuron, widths: Sequence[int], where: str) -> None:
    check_int(neuron.bias, INT64_LOW, INT64_HIGH, where, "bias")
    reach = abs(neuron.bias)
    for i, term in enumerate(neuron.terms):
        here = f"{where}, term {i}"
        check_int(term.source, 0, len(widths) - 1, here, "source")
        if type(term.sign) is not int or term.sign not in (-1, 1):
            fail(here, f"sign is {term.sign!r}; it must be -1 or 1")
        check_int(term.shift, 0, MAX_SHIFT, here, "shift")
        check_int(term.mask, 1, (1 << widths[term.source]) - 1, here, f"mask over the {widths[term.source]}-bit source")
        reach += term.mask << term.shift
    if reach >= SUM_LIMIT:
        fail(where, f"the bias and the terms reach {reach} in magnitude; they must stay below 2**62")


def _check_activation(activation: Activation, last: bool, where: str) -> None:
    if isinstance(activation, Raw) != last:
        rule = "the last layer must be Raw" if last else "only the last layer may be Raw"
        fail(where, f"the activation is {type(activation).__name__}; {rule}")
    match activation:
        case QRelu(shift=shift, bits=bits):
            check_int(shift, 0, MAX_SHIFT, where, "the activation's shift")
            check_int(bits, 1, ACTIVATION_BITS, where, "the activation's bits")
        case Ladder(thresholds=thresholds):
            check_count(len(thresholds), 1, MAX_THRESHOLDS, where, "thresholds")
            for threshold in thresholds:
                check_int(threshold, INT64_LOW, INT64_HIGH, where, "a threshold")
            for low, high in pairwise(thresholds):
                if low > high:
                    fail(where, f"threshold {high} follows {low}; thresholds must not decrease")
        case Raw():
            pass


def _check_head(head: Head, scores: int, classes: Sequence[int | str]) -> None:
    match head:
        case Argmax(ranges=ranges):
            check_count(scores, 2, MAX_CLASSES, "head", "scores under an argmax")
            check_classes(classes, scores)
            if ranges and len(ranges) != scores - 1:
                fail(
                    "head",
                    f"{counted(len(ranges), 'bit range')}; {counted(scores, 'score')} need {scores - 1} comparisons, "
                    f"or none stated",
                )
            for i, window in enumerate(ranges):
                _check_range(window, f"head, comparison {i}")
        case Threshold(at=at):
            if scores != 1:
                fail("head", f"{counted(scores, 'score')} under a threshold; there must be 1")
            check_int(at, INT64_LOW, INT64_HIGH, "head", "the threshold")
            check_classes(classes, 2)
        case Scores(scale=scale, offset=offset):
            if not len(scale) == len(offset) == scores:
                fail(
                    "head",
                    f"{counted(scores, 'score')}, {counted(len(scale), 'scale')} and "
                    f"{counted(len(offset), 'offset')}; the three must agree",
                )
            for value in (*scale, *offset):
                check_float(value, "head", "a scale or offset")
            check_classes(classes, 0)


def _check_range(window: BitRange, where: str) -> None:
    check_int(window.low, 0, MAX_SHIFT, where, "low")
    if window.high is not None:
        check_int(window.high, window.low + 1, MAX_SHIFT + 1, where, "high")
