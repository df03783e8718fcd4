"""A small quantisation-aware trainer: integer nets straight from training rows, in seconds.

Weights are signed powers of two, or whole numbers of a few bits, and hidden outputs truncated, saturated integers on
the way forward; on the way back both are taken for the identity (the straight-through estimator: Y. Bengio et al.,
arXiv 1308.3432), as in the training of power-of-two weights of D. Miyashita et al., arXiv 1603.01025.  All values
are on grids of powers of two, so the trained net is an integer net without any rounding left.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, QRelu, Raw, Term, weight_terms

LEAK = 0.1
"""The slope that the way back sees where a hidden output is cut off: keeps neurons from dying."""

GAP = 4.0
"""By how much the largest score of a net that teaches stands above the second one, on average."""

MOST_SCALED_BITS = 4

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Training:
    """A training: ``hidden`` neurons per layer; weights of ``shifts + 1`` sizes; hidden outputs of ``bits`` bits.

    ``whole`` above 0 takes evenly spaced weights of so many bits, sign included, instead of powers of two: 2 stands for
    -1, 0 and 1 times a unit of each layer (as F. Li et al., arXiv 1605.04711, have them).
    ``scaled`` gives each neuron a unit of its own instead of a power of two, for networks of few bits: ``whole`` and
    ``bits`` are 1 to 4 (1: -1 and 1), ``shifts`` says nothing, and hidden outputs are ladders, into whose thresholds
    units and biases go.
    ``epochs`` passes over the rows in batches, the first 60 % of them (40 % where ``scaled``) with real weights;
    ``rate`` is Adam's step at the start, falling along a cosine to nothing; ``sparsity`` is the weight of the L1 norm
    in the loss; ``warm`` starts from the net's own weights instead of random ones.  ``taught`` is the share of the
    net's own scores in what a classifier of several scores is trained to give, beside the labels (distillation: G.
    Hinton et al., arXiv 1503.02531).
    """

    hidden: tuple[int, ...]
    seed: int = 0
    shifts: int = 6
    bits: int = 6
    epochs: int = 60
    batch: int = 64
    rate: float = 0.03
    sparsity: float = 0.0
    warm: bool = False
    whole: int = 0
    taught: float = 0.0
    scaled: bool = False

    def check(self) -> None:
        """Raise :class:`MlpressError` for ``scaled`` units of bits that are not 1 to 4."""
        for name, bits in (("whole", self.whole), ("bits", self.bits)):
            if self.scaled and not 1 <= bits <= MOST_SCALED_BITS:
                raise MlpressError(f"{name} is {bits}; a network of scaled units has 1 to {MOST_SCALED_BITS} bits")

    @property
    def reach(self) -> int:
        """The exponent of the largest weights above the smallest one's."""
        return self.whole - 1 if self.whole else self.shifts


class StartShape(NamedTuple):
    """What a start is trained to: a share of the net's neurons, the largest shift of a weight, and :class:`Training`'s
    ``whole``, ``sparsity`` (``None``: as the trainings take turns) and ``taught``.
    """

    share: float = 1.0
    shifts: int = 6
    whole: int = 0
    sparsity: float | None = None
    taught: float = 0.0


class Trainer:
    """Inputs less their means, weights (outputs, inputs), biases (outputs,), and the grids: exponents of each layer's
    smallest weight (``floor``), of its sums' unit (``unit``) and of its outputs' unit (``step``).
    """

    real_share: ClassVar[float] = 0.6
    """Share of the epochs that have real weights."""

    def __init__(self, codes: Ints, labels: Ints, net: Net, how: Training) -> None:
        self.rng = np.random.default_rng(how.seed)
        self.how = how
        x = codes / float(1 << max(feature.bits for feature in net.inputs))
        self.mean = x.mean(axis=0)
        self.x = x - self.mean
        scores = len(net.layers[-1].neurons)
        self.wanted = _wanted(codes, labels, net, how.taught)
        sizes = (x.shape[1], *how.hidden, scores)
        self.weights = [self.rng.normal(0, (2 / n) ** 0.5, (m, n)) for n, m in pairwise(sizes)]
        self.biases = [np.full(m, 0.1) if k < len(how.hidden) else np.zeros(m) for k, m in enumerate(sizes[1:])]
        if how.warm:
            self.take_over(net)
        self.floor = [0] * len(self.weights)
        self.unit = [0] * len(self.weights)
        self.step = [0] * len(self.weights)

    def take_over(self, net: Net) -> None:
        """Start from the weights of ``net``, each neuron scaled to a largest weight of 1 and the scores to 4."""
        unit = np.full(self.x.shape[1], 1.0 / (1 << max(feature.bits for feature in net.inputs)))
        for k, layer in enumerate(net.layers):
            whole = weights_of(layer, len(unit)) / unit
            largest = np.maximum(np.abs(whole).max(axis=1), 1e-9)
            scale = 4.0 / largest.max() if k == len(net.layers) - 1 else 1.0 / largest
            scale = np.broadcast_to(scale, len(layer.neurons))
            self.weights[k] = whole * scale[:, None]
            self.biases[k] = np.array([neuron.bias for neuron in layer.neurons]) * scale
            shifts = [n.activation.shift if isinstance(n.activation, QRelu) else 0 for n in layer.neurons]
            unit = scale * 2.0 ** np.array(shifts)
        self.biases[0] = self.biases[0] + self.weights[0] @ self.mean

    def run(self, *, quantised: bool, epochs: int) -> None:
        """Train by Adam (arXiv 1412.6980) on the cross entropy."""
        parameters = [*self.weights, *self.biases]
        mean = [np.zeros_like(p) for p in parameters]
        square = [np.zeros_like(p) for p in parameters]
        batches = max(len(self.x) // self.how.batch, 1)
        total, step = epochs * batches, 0
        for _ in range(epochs):
            order = self.rng.permutation(len(self.x))
            for part in np.array_split(order, batches):
                step += 1
                rate = self.how.rate * 0.5 * (1 + np.cos(np.pi * step / total)) * (0.5 if quantised else 1.0)
                for k, gradient in enumerate(self.gradients(part, quantised)):
                    mean[k] += 0.1 * (gradient - mean[k])
                    square[k] += 0.001 * (gradient * gradient - square[k])
                    size = np.sqrt(square[k] / (1 - 0.999**step)) + 1e-8
                    parameters[k] -= rate * (mean[k] / (1 - 0.9**step)) / size

    def gradients(self, rows: Ints, quantised: bool) -> list[Reals]:
        """Return the gradients of the loss on these rows: weights', then biases'."""
        weights = [self.quantised(k) if quantised else w for k, w in enumerate(self.weights)]
        values: list[Reals] = [self.x[rows]]
        passed: list[Reals] = []
        for k, weight in enumerate(weights):
            total = values[-1] @ weight.T + self.biases[k]
            if k == len(weights) - 1:
                values.append(total)
            elif quantised:
                value, slope = self.passed_on(k, total)
                passed.append(slope)
                values.append(value)
            else:
                passed.append(np.where(total > 0, 1.0, LEAK))
                values.append(np.maximum(total, 0))
        back = _probability_errors(values[-1], self.wanted[rows])
        of_weights, of_biases = [], []
        for k in reversed(range(len(weights))):
            of_weights.append(back.T @ values[k] + self.how.sparsity * np.sign(self.weights[k]))
            of_biases.append(back.sum(axis=0))
            if k:
                back = (back @ weights[k]) * passed[k - 1]
        return of_weights[::-1] + of_biases[::-1]

    def passed_on(self, k: int, total: Reals) -> tuple[Reals, Reals]:
        """Return the hidden outputs of layer ``k`` (rows, outputs), and the slopes that the way back sees."""
        step = 2.0 ** self.step[k]
        top = step * ((1 << self.how.bits) - 1)
        slope = np.where((total > 0) & (total < top + step), 1.0, LEAK)
        return np.clip(np.floor(total / step) * step, 0, top), slope

    def quantised(self, k: int) -> Reals:
        """Return the layer's weights on their grid: even, or signed powers of two, zero below the least one's edge."""
        if self.how.whole:
            unit, most = 2.0 ** self.floor[k], (1 << self.how.reach) - 1
            even: Reals = np.clip(np.round(self.weights[k] / unit), -most, most) * unit
            return even
        size = np.abs(self.weights[k])
        exponent = np.round(np.log2(np.maximum(size, 1e-30)))
        kept = exponent >= self.floor[k]
        top = self.floor[k] + self.how.shifts
        result: Reals = np.where(kept, np.sign(self.weights[k]) * 2.0 ** np.minimum(exponent, top), 0.0)
        return result

    def calibrate(self, step: int) -> None:
        """Choose the grids from what real training found; ``step`` is the exponent of the inputs' unit."""
        value = self.x
        for k, weight in enumerate(self.weights):
            largest = max(float(np.quantile(np.abs(weight), 0.99)), 1e-3)
            self.floor[k] = int(np.ceil(np.log2(largest))) - self.how.reach
            self.unit[k] = self.floor[k] + step
            value = np.maximum(value @ weight.T + self.biases[k], 0)
            reach = max(float(np.quantile(value, 0.995)), 1e-3)
            step = max(int(np.ceil(np.log2(reach))) - self.how.bits, self.unit[k])
            self.step[k] = step

    def layers(self, widths: list[int], at: int) -> tuple[Layer, ...]:
        """Return the integer layers, for inputs of these widths and a head that decides at ``at``."""
        layers = []
        for k in range(len(self.weights)):
            weight = self.quantised(k)
            moved = self.biases[k] - weight @ self.mean if k == 0 else self.biases[k]
            bias = np.round(moved / 2.0 ** self.unit[k]).astype(np.int64)
            last = k == len(self.weights) - 1
            units = np.round(weight / 2.0 ** self.floor[k]).astype(np.int64)
            neurons = []
            for row, b in zip(units.tolist(), bias.tolist(), strict=True):
                terms = tuple(term for i, w in enumerate(row) for term in weight_terms(w, i, widths[i]))
                activation = Raw() if last else QRelu(self.step[k] - self.unit[k], self.how.bits)
                neurons.append(Neuron(b + at if last else b, terms, activation))
            layers.append(Layer(tuple(neurons)))
            widths = [self.how.bits] * len(neurons)
        return tuple(layers)


def _wanted(codes: Ints, labels: Ints, net: Net, taught: float) -> Reals:
    """Return the probabilities (rows, scores) to train to: those of the labels, ``taught`` of them the net's own.

    The net's scores are scaled so that the largest is :data:`GAP` above the second one on average.
    """
    scores = len(net.layers[-1].neurons)
    if scores == 1:
        return labels[:, None].astype(np.float64)
    sure: Reals = np.eye(scores)[labels]
    if not taught:
        return sure
    said = codes.astype(np.float64)
    for layer in net.layers:
        said = said @ weights_of(layer, said.shape[1]).T + np.array([neuron.bias for neuron in layer.neurons])
        kept = [neuron.activation for neuron in layer.neurons if isinstance(neuron.activation, QRelu)]
        if kept:
            top = np.array([(1 << one.bits) - 1 for one in kept])
            said = np.clip(np.floor(said / 2.0 ** np.array([one.shift for one in kept])), 0, top)
    second, first = np.sort(said, axis=1)[:, -2:].T
    return taught * _softmax(said * (GAP / max(float((first - second).mean()), 1e-9))) + (1 - taught) * sure


def _softmax(scores: Reals) -> Reals:
    """Return the probabilities of scores (rows, scores)."""
    back: Reals = np.exp(scores - scores.max(axis=1, keepdims=True))
    back /= back.sum(axis=1, keepdims=True)
    return back


def _probability_errors(scores: Reals, wanted: Reals) -> Reals:
    """Return the gradient of the mean cross entropy by the scores (rows, scores): softmax, or logistic of one."""
    if scores.shape[1] == 1:
        probability = 1 / (1 + np.exp(-np.clip(scores, -30, 30)))
        return (probability - wanted) / len(wanted)
    return (_softmax(scores) - wanted) / len(wanted)


def weights_of(layer: Layer, sources: int) -> Reals:
    """Return each source's weight in each neuron's sum, float64 (neurons, sources), as if all masks were full."""
    weights = np.zeros((len(layer.neurons), sources))
    for j, neuron in enumerate(layer.neurons):
        for term in neuron.terms:
            weights[j, term.source] += term.sign << term.shift
    return weights


def dense(inputs: tuple[Input, ...], hidden: tuple[int, ...], classes: tuple[int | str, ...], bits: int = 6) -> Net:
    """Return an untrained net of this shape, to train or search in: outputs of ``bits`` bits, weights up to 64."""
    layers, widths = [], [feature.bits for feature in inputs]
    for k, count in enumerate((*hidden, len(classes))):
        terms = tuple(Term(i, 1, 6, (1 << width) - 1) for i, width in enumerate(widths))
        activation = QRelu(6, bits) if k < len(hidden) else Raw()
        layers.append(Layer((Neuron(0, terms, activation),) * count))
        widths = [bits] * count
    return Net(inputs, tuple(layers), Argmax(), classes)
