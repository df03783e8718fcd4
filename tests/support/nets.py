"""Random valid nets and rows for them: every engine is tested on these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mlpress.ir import (
    Activation,
    Argmax,
    BitRange,
    Head,
    Input,
    Ladder,
    Layer,
    Net,
    Neuron,
    QRelu,
    Raw,
    Scores,
    Term,
    Threshold,
    code_values,
    intervals,
    output_bits,
    verify,
)

Rng = np.random.Generator


def random_net(
    rng: Rng,
    *,
    layers: int | None = None,
    neurons: int = 24,
    inputs: int = 12,
    input_bits: int = 8,
    head: str | None = None,
    ranges: bool = True,
    levels: bool = True,
) -> Net:
    """A valid net of 1 to 4 layers (or ``layers``), each 1 to ``neurons`` wide, drawn from ``rng``.

    It has masked, pruned and repeated terms, neurons without terms, both hidden activations mixed in a layer,
    and, with many small or equal biases and twin neurons, ties in the argmax.  ``head`` is "argmax",
    "threshold", "scores" or drawn; ``ranges`` allows inexact comparisons, ``levels`` pruned converters.
    """
    depth = layers or int(rng.integers(1, 5))
    kind = head or str(rng.choice(["argmax", "argmax", "argmax", "threshold", "scores"]))
    features = tuple(_random_input(rng, k, input_bits, levels) for k in range(int(rng.integers(1, inputs + 1))))
    widths = [feature.bits for feature in features]
    built: list[Layer] = []
    for k in range(depth):
        last = k == depth - 1
        count = _scores(rng, kind, neurons) if last else int(rng.integers(1, neurons + 1))
        layer = Layer(tuple(_random_neuron(rng, widths) for _ in range(count)))
        if last:
            built.append(_with_twins(rng, layer))
        else:
            built.append(_with_activations(rng, features, built, layer))
            widths = [output_bits(neuron.activation) or 0 for neuron in built[-1].neurons]
    net = Net(features, tuple(built), *_random_head(rng, kind, features, built, ranges))
    verify(net)
    return net


def random_codes(rng: Rng, net: Net, rows: int) -> NDArray[np.int64]:
    """Codes (rows, inputs) that the inputs can give; the first rows are all lowest, all highest, and corners."""
    columns = []
    for feature in net.inputs:
        values = np.array(code_values(feature), np.int64)
        column = rng.choice(values, rows)
        corners = rng.choice(values[[0, -1]], rows)
        column[: rows // 4] = corners[: rows // 4]
        column[:2] = values[[0, -1]][: len(column[:2])]
        columns.append(column)
    return np.stack(columns, axis=1)


def random_features(rng: Rng, net: Net, rows: int) -> NDArray[np.float64]:
    """Real features (rows, inputs): spread over and beyond each input's range, many exactly on a rounding edge."""
    codes = rng.integers(-2, [(1 << feature.bits) + 2 for feature in net.inputs], (rows, len(net.inputs)))
    wanted = codes + rng.choice([0.0, 0.5, 0.25, 1e-12, -1e-12], codes.shape)
    scale = np.array([feature.scale for feature in net.inputs])
    offset = np.array([feature.offset for feature in net.inputs])
    return (wanted - offset) / scale


def _random_input(rng: Rng, index: int, most: int, levels: bool) -> Input:
    bits = int(rng.integers(1, most + 1))
    kept: tuple[int, ...] | None = None
    if levels and rng.random() < 0.25:
        chosen = rng.random((1 << bits) - 1) < rng.choice([0.0, 0.2, 0.7])
        kept = tuple(int(level) for level in np.flatnonzero(chosen) + 1)
    scale = float(rng.choice([1.0, float(2**bits), float(rng.uniform(-3, 3)), float(rng.uniform(0.001, 100))]))
    offset = float(rng.choice([0.0, 0.5, float(rng.uniform(-4, 4))]))
    return Input(f"feature {index}", bits, scale, offset, "floor" if rng.random() < 0.5 else "even", kept)


def _random_neuron(rng: Rng, widths: Sequence[int]) -> Neuron:
    count = int(rng.choice([0, 1, 2, 3, 5, 9, 2 * len(widths)]))
    shifts = int(rng.choice([1, 3, 7]))
    terms = []
    for _ in range(count):
        source = int(rng.integers(len(widths)))
        full = (1 << widths[source]) - 1
        mask = full if rng.random() < 0.6 else int(rng.integers(1, full + 1))
        terms.append(Term(source, 1 if rng.random() < 0.5 else -1, int(rng.integers(shifts)), mask))
    spread = int(rng.choice([1, 4, 64, 1000]))
    return Neuron(int(rng.integers(-spread, spread + 1)), tuple(terms), Raw())


def _with_activations(rng: Rng, features: tuple[Input, ...], before: list[Layer], layer: Layer) -> Layer:
    """``layer`` with activations that fit the sums: some saturate, some truncate, some never move."""
    probe = Net(features, (*before, layer), Argmax(), ())
    mixed = rng.random() < 0.3
    kind = rng.random()
    neurons = []
    for neuron, total in zip(layer.neurons, intervals(probe)[-1].sums, strict=True):
        ladder = (rng.random() if mixed else kind) < 0.4
        activation = _random_ladder(rng, *total) if ladder else _random_qrelu(rng, total.high)
        neurons.append(Neuron(neuron.bias, neuron.terms, activation))
    return Layer(tuple(neurons))


def _random_ladder(rng: Rng, low: int, high: int) -> Activation:
    count = int(rng.choice([1, 1, 2, 3, 7, 12]))
    thresholds = rng.integers(low - 2, high + 4, count)
    if rng.random() < 0.3:
        thresholds[rng.integers(count) :] = thresholds[-1]
    return Ladder(tuple(sorted(int(threshold) for threshold in thresholds)))


def _random_qrelu(rng: Rng, high: int) -> Activation:
    size = max(1, high.bit_length())
    bits = int(rng.integers(1, min(size, 8) + 2))
    shift = max(0, size - bits + int(rng.integers(-2, 2)))
    return QRelu(shift, bits)


def _scores(rng: Rng, kind: str, most: int) -> int:
    match kind:
        case "argmax":
            return int(rng.integers(2, max(2, min(most, 11)) + 1))
        case "threshold":
            return 1
        case _:
            return int(rng.integers(1, min(most, 4) + 1))


def _with_twins(rng: Rng, layer: Layer) -> Layer:
    """``layer`` where, most of the time, half of the scores copy an earlier one: they always tie."""
    neurons = list(layer.neurons)
    if rng.random() < 0.85:
        for k in range(1, len(neurons)):
            if rng.random() < 0.5:
                neurons[k] = neurons[int(rng.integers(k))]
    return Layer(tuple(neurons))


def _random_head(
    rng: Rng, kind: str, features: tuple[Input, ...], layers: list[Layer], ranges: bool
) -> tuple[Head, tuple[int | str, ...]]:
    probe = Net(features, tuple(layers), Argmax(), ())
    sums = intervals(probe)[-1].sums
    match kind:
        case "argmax":
            count = len(sums)
            names: tuple[int | str, ...] = (
                tuple(range(count)) if rng.random() < 0.5 else tuple(f"c{k}" for k in range(count))
            )
            if not ranges or rng.random() < 0.6:
                return Argmax(), names
            size = max(abs(end) for total in sums for end in total).bit_length() + 1
            return Argmax(tuple(_random_range(rng, size) for _ in range(count - 1))), names
        case "threshold":
            low, high = sums[0]
            return Threshold(int(rng.integers(low - 1, high + 2))), ("no", "yes")
        case _:
            scale = tuple(float(value) for value in rng.uniform(-2, 2, len(sums)))
            offset = tuple(float(value) for value in rng.uniform(-9, 9, len(sums)))
            return Scores(scale, offset), ()


def _random_range(rng: Rng, size: int) -> BitRange:
    low = int(rng.integers(0, max(1, size // 2) + 1))
    return BitRange(low) if rng.random() < 0.4 else BitRange(low, low + int(rng.integers(1, size + 2)))
