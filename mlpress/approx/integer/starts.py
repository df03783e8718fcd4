"""Starts of a search: the net itself, its roundings to powers of two, and nets trained anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.common.clock import now
from mlpress.approx.integer.genome_layout import Ints
from mlpress.approx.integer.space import Space
from mlpress.approx.integer.train import train
from mlpress.approx.integer.training import StartShape, Training, weights_of
from mlpress.ir import Argmax, Layer, Net, Neuron, QRelu, Term, Threshold, output_bits

ROUNDINGS = 4

ROW_VISITS = 200_000
"""A training sees about this many rows: a few rows often, many rows a few times."""

MOST_WORK = 4e9
"""Rows seen times weights, over all trainings: large nets are trained fewer times, and twice at least."""


def start_genomes(
    space: Space,
    codes: Ints,
    labels: Ints,
    seed: int,
    trainings: int,
    until: float = inf,
    *,
    shapes: Sequence[StartShape] = (),
) -> Ints:
    """Return genomes, int64 (members, genes): the space's own start, :data:`ROUNDINGS`, and nets of ``trainings``.

    ``shapes`` are those of the trainings, in turn.

    ``codes`` (rows, inputs) and ``labels`` (rows,) are the rows to train on.  A net with a ladder is not trained
    anew, and none is after the moment ``until`` (of :func:`mlpress.approx.now`), but for the first.
    """
    rng = np.random.default_rng((seed, 1))
    net = space.layout.net
    genomes = [space.start()]
    genomes += [space.genome(rounded(net, rng)) for _ in range(ROUNDINGS)]
    hidden = [neuron.activation for layer in net.layers[:-1] for neuron in layer.neurons]
    if isinstance(net.head, Argmax | Threshold) and all(isinstance(activation, QRelu) for activation in hidden):
        for k, how in enumerate(_trainings(net, len(codes), seed, trainings, shapes)):
            if not k or now() < until:
                genomes.append(space.genome(train(codes, labels, net, how)))
    kept = sorted({genome.tobytes(): k for k, genome in reversed(list(enumerate(genomes)))}.values())
    return np.stack([genomes[k] for k in kept])


def _trainings(net: Net, rows: int, seed: int, count: int, shapes: Sequence[StartShape]) -> Iterator[Training]:
    """Yield trainings that differ in their start, sparsity, width and rate."""
    sizes = [len(layer.neurons) for layer in net.layers[:-1]]
    bits = max(
        (output_bits(neuron.activation) or 1 for layer in net.layers[:-1] for neuron in layer.neurons), default=1
    )
    shifts = max((term.shift for layer in net.layers for neuron in layer.neurons for term in neuron.terms), default=6)
    epochs = min(max(ROW_VISITS // rows, 20), 100)
    weights = sum(len(neuron.terms) for layer in net.layers for neuron in layer.neurons)
    affordable = int(MOST_WORK / max(epochs * rows * weights, 1))
    for k in range(min(count, max(affordable, 2))):
        fewer = (k // 4) % 3 if k % 4 == 3 else 0
        shape = shapes[k % len(shapes)] if shapes else StartShape()
        yield Training(
            hidden=tuple(max(ceil(shape.share * size) - fewer, 1) for size in sizes),
            seed=seed * 1000 + k,
            shifts=min(shifts, shape.shifts),
            bits=bits if shape.whole else max(bits - k % 3, 1),
            epochs=epochs,
            rate=0.01 if shape.whole else (0.03, 0.03, 0.1, 0.01)[k % 4],
            sparsity=(0.0, 1e-3, 3e-3)[k // 2 % 3] if shape.sparsity is None else shape.sparsity,
            warm=k % 3 == 0 and not fewer and shape.share == 1.0,
            whole=shape.whole,
            taught=shape.taught,
        )


def rounded(net: Net, rng: np.random.Generator) -> Net:
    """Round weights to one power of two each, after each hidden neuron was stretched by up to sqrt(2).

    Which way the weights of a neuron fall depends on their common scale, so different stretches give
    different nets; what reads a stretched neuron is shrunk.
    """
    layers = []
    before = np.ones(len(net.inputs))
    widths = [feature.bits for feature in net.inputs]
    for k, layer in enumerate(net.layers):
        last = k == len(net.layers) - 1
        stretch = 2.0 ** rng.uniform(-0.5, 0.5, 1 if last else len(layer.neurons))
        weights = weights_of(layer, len(before)) * stretch[:, None] / before
        factors = np.broadcast_to(stretch, len(layer.neurons))
        neurons = zip(layer.neurons, weights, factors.tolist(), strict=True)
        layers.append(Layer(tuple(_powers(neuron, row, factor, widths) for neuron, row, factor in neurons)))
        before, widths = factors, [output_bits(neuron.activation) or 0 for neuron in layer.neurons]
    return replace(net, layers=tuple(layers))


def _powers(neuron: Neuron, weights: NDArray[np.float64], stretch: float, widths: list[int]) -> Neuron:
    """Return ``neuron`` with these weights rounded to powers of two; those below a half are left out."""
    terms = tuple(
        Term(i, 1 if weight > 0 else -1, max(round(np.log2(abs(weight))), 0), (1 << widths[i]) - 1)
        for i, weight in enumerate(weights.tolist())
        if abs(weight) >= 0.5
    )
    return replace(neuron, bias=round(neuron.bias * stretch), terms=terms)
