"""Networks and rows for the C generator, and the check that all engines give the interpreter's values.

``python -m support.mcu_nets N``, in ``tests``, checks N networks on the host and on all emulated cores.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from support.nets import random_codes, random_features, random_net

from mlpress.codegen import c
from mlpress.errors import MlpressError
from mlpress.hw import mcu
from mlpress.ir import (
    Argmax,
    Input,
    Interval,
    Ladder,
    Layer,
    Net,
    Neuron,
    QRelu,
    Raw,
    Scores,
    Threshold,
    encode,
    interpret,
    intervals,
    verify,
    weight_terms,
)
from mlpress.sim import mcu as sim

SHAPES: tuple[tuple[str, str, bool], ...] = (
    ("auto", "cycles", False),
    ("looped", "flash", False),
    ("unrolled", "cycles", False),
    ("looped", "cycles", True),
    ("dsp", "cycles", False),
    ("sliced", "cycles", False),
    ("looped", "flash", True),
    ("dsp", "flash", True),
    ("coded", "flash", False),
    ("listed", "flash", False),
    ("listed", "cycles", False),
)


class Case(NamedTuple):
    """A source with the rows that it is tried on, and what it must answer."""

    source: c.CSource
    features: NDArray[np.float32]
    feature_codes: NDArray[np.int64]
    codes: NDArray[np.int64]
    classes: NDArray[np.int64] | None
    scores: NDArray[np.int64]


def dense_net(rng: np.random.Generator, index: int) -> Net:
    """A net of full matrices, one activation per layer: weights of 1 to 9 bits, binary, odd or one-sided ones too."""
    bits = int(rng.choice([1, 2, 4, 8, 10]))
    features = tuple(
        Input(f"f{k}", bits, float(rng.choice([2.0**bits, rng.uniform(-4, 9)])), float(rng.choice([0, rng.normal()])))
        for k in range(int(rng.integers(1, 40)))
    )
    layers: list[Layer] = []
    widths = [bits] * len(features)
    depth = int(rng.integers(1, 4))
    for k in range(depth):
        last = k == depth - 1
        count = int(rng.integers(1, 25))
        head = rng.choice(["argmax", "threshold", "scores"]) if last else ""
        if last:
            count = 1 if head == "threshold" else max(2, count % 13)
        top = int(rng.choice([1, 3, 7, 100, 300]))
        weights = rng.integers(-top, top + 1, (count, len(widths)))
        match int(rng.integers(5)):
            case 0:
                weights = np.where(weights >= 0, 1, -1)
            case 1:
                weights = np.abs(weights)
            case 2:
                weights *= 3
            case _:
                weights[:, : len(widths) // 3] = 0
        biases = rng.integers(-9 * top, 9 * top + 1, count)
        neurons = [
            Neuron(int(b), tuple(t for s, w in enumerate(row) for t in weight_terms(int(w), s, widths[s])), Raw())
            for row, b in zip(weights, biases, strict=True)
        ]
        if not last:
            probe = Net(features, (*layers, Layer(tuple(neurons))), Argmax(), ())
            sums = intervals(probe)[-1].sums
            neurons = _activated(rng, neurons, sums)
            widths = [_bits(neuron) for neuron in neurons]
        layers.append(Layer(tuple(neurons)))
    match head:
        case "argmax":
            net = Net(features, tuple(layers), Argmax(), tuple(range(count)))
        case "threshold":
            probe = Net(features, tuple(layers), Argmax(), ())
            low, high = intervals(probe)[-1].sums[0]
            net = Net(features, tuple(layers), Threshold(int(rng.integers(low - 1, high + 2))), ("no", "yes"))
        case _:
            net = Net(features, tuple(layers), Scores((1.0,) * count, (0.0,) * count), ())
    verify(net)
    return net


def _activated(rng: np.random.Generator, neurons: Sequence[Neuron], sums: Sequence[Interval]) -> list[Neuron]:
    high = max(1, *(total.high for total in sums))
    low = min(total.low for total in sums)
    if rng.random() < 0.6:
        bits = int(rng.choice([1, 2, 4, 8, 9]))
        one = QRelu(max(0, high.bit_length() - bits - int(rng.integers(-1, 2))), bits)
        return [Neuron(neuron.bias, neuron.terms, one) for neuron in neurons]
    count = int(rng.choice([1, 3, 9]))
    made = []
    for neuron in neurons:
        steps = sorted(int(t) for t in rng.integers(low - 2, high + 3, count))
        made.append(Neuron(neuron.bias, neuron.terms, Ladder(tuple(steps))))
    return made


def _bits(neuron: Neuron) -> int:
    match neuron.activation:
        case QRelu(bits=bits):
            return bits
        case Ladder(thresholds=thresholds):
            return len(thresholds).bit_length()
        case _:
            raise AssertionError


def nets(seed: int, count: int) -> Iterator[Net]:
    """Yield ``count`` random nets, every other one of full matrices."""
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        yield dense_net(rng, index) if index % 2 else random_net(rng, neurons=10, inputs=8, input_bits=8)


def case(net: Net, core: mcu.Core, index: int, rows: int) -> Case:
    """Return the source of ``net`` in one of the shapes, and its rows."""
    rng = np.random.default_rng((99, index))
    shape, minimise, skip = SHAPES[index // 2 % len(SHAPES)]
    small = sum(len(neuron.terms) for layer in net.layers for neuron in layer.neurons) < 300
    if shape == "sliced" and not small:
        shape = "looped"
    options = c.COptions(f"n{index}", shape, minimise, skip)  # type: ignore[arg-type]
    source = c.generate(net, core, options)
    codes = random_codes(rng, net, rows)
    features = random_features(rng, net, rows).astype(np.float32)
    trace = interpret(net, codes)
    wanted = encode(net, features.astype(np.float64))
    return Case(source, features, wanted, codes, trace.decision, trace.scores)


def check_emulated(cases: Sequence[Case], core: mcu.Core, compiler: str | None = None) -> None:
    """Hold the emulated ``core`` against the interpreter, bit for bit."""
    firmware = sim.build([one.source for one in cases], core, "Os", compiler)  # type: ignore[arg-type]
    for one in cases:
        emulator = sim.Emulator(firmware, one.source.name)
        found = emulator.run(one.codes, counted=1)
        if one.classes is not None:
            np.testing.assert_array_equal(found.predictions, one.classes, one.source.name)
        if one.source.score_type is not None:
            np.testing.assert_array_equal(found.scores, one.scores, one.source.name)
        codes, _ = emulator.quantize(one.features[:4])
        np.testing.assert_array_equal(codes, one.feature_codes[:4], one.source.name)


def check_host(cases: Sequence[Case]) -> None:
    """Hold the C on this computer, with its sanitizers, against the interpreter, bit for bit."""
    with sim.HostProgram([one.source for one in cases]) as program:
        for index, one in enumerate(cases):
            codes, classes, scores = program.run(index, one.codes, one.features)
            np.testing.assert_array_equal(codes, one.feature_codes, one.source.name)
            if one.classes is not None:
                np.testing.assert_array_equal(classes, one.classes, one.source.name)
            if one.source.score_type is not None:
                np.testing.assert_array_equal(scores, one.scores, one.source.name)


def main(count: int, batch: int = 25) -> None:
    """Check ``count`` networks on the host and on every emulated core, in batches of one compilation."""
    for name in ("cortex-m0plus", "cortex-m4f", "rv32imc", "rv32ec"):
        core = mcu.read_core(name)
        for first in range(0, count, batch):
            chosen = list(nets(4, count))[first : first + batch]
            made = [case(net, core, first + index, 8) for index, net in enumerate(chosen)]
            check_emulated(made, core)
            check_host(made)
        print(f"{name}: {count} networks agree bit for bit, emulated and on the host with sanitizers", flush=True)
    if sim.missing():
        print(f"atmega328p: NOT checked: {sim.missing()} is not installed")
        return
    checked = check_avr(count)
    print(
        f"atmega328p: {checked} of {count} networks agree bit for bit in simavr; the others need more than its memory"
    )


def check_avr(count: int, seed: int = 4) -> int:
    """Hold simavr's ATmega328P against the interpreter; return how many networks fit it and were checked."""
    core = mcu.read_core("atmega328p")
    checked = 0
    for index, net in enumerate(nets(seed, count)):
        one = case(net, core, index, 8)
        if one.source.facts.flash > 20_000 or one.source.inputs * 2 > 256:
            continue
        try:
            found = sim.run_avr(one.source, core, one.codes)
        except MlpressError as error:
            if any(word in str(error) for word in ("will not fit", "overflowed", "truncated", "is too large")):
                continue
            raise
        checked += 1
        if one.classes is not None:
            np.testing.assert_array_equal(found.predictions, one.classes, one.source.name)
        if one.source.score_type is not None:
            np.testing.assert_array_equal(found.scores, one.scores, one.source.name)
    return checked


if __name__ == "__main__":
    main(int(sys.argv[1]))
