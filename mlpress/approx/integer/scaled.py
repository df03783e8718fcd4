"""The trainer of ``Training(scaled=True)``: weights and hidden outputs of 1 to 4 bits, a scale for each neuron.

A weight of one bit is -1 or 1, one of w bits a whole number from ``1 - 2**(w - 1)`` to ``2**(w - 1) - 1``; on the way
back both roundings are taken for the identity (the straight-through estimator: Y. Bengio et al., arXiv 1308.3432).
Scales and biases go into the thresholds of ladders, so that the trained net has small integers alone.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlpress.approx.integer.training import LEAK, Ints, Reals, Trainer, Training
from mlpress.ir import Ladder, Layer, Net, Neuron, Raw, weight_terms

TERNARY_SCALE = 1.4
"""Scale of weights of two bits per mean size: those below .7 of it are 0 (F. Li et al., arXiv 1605.04711)."""

REACH = 0.97
"""Quantile of the sizes of a neuron's weights that is the largest whole number, from three bits on."""


class ScaledTrainer(Trainer):
    """``scales`` (outputs, 1) by layer are what a weight of 1 is worth, ``steps`` what a hidden output of 1 is."""

    real_share: ClassVar[float] = 0.4

    def __init__(self, codes: Ints, labels: Ints, net: Net, how: Training) -> None:
        super().__init__(codes, labels, net, how)
        self.largest = max(1, (1 << how.reach) - 1)
        self.binary = how.whole == 1
        self.top = (1 << how.bits) - 1
        self.bits = how.bits
        self.scales: list[Reals] = []
        self.steps: list[float] = []

    def calibrate(self, step: int) -> None:
        """Choose the scales from what real training found; ``step`` is the exponent of the inputs' unit."""
        value: Reals = self.x
        self.units = [2.0**step]
        for k, weight in enumerate(self.weights):
            size = np.abs(weight)
            scale = size.mean(axis=1, keepdims=True) * (1.0 if self.binary else TERNARY_SCALE)
            if self.largest > 1:
                scale = np.quantile(size, REACH, axis=1, keepdims=True) / self.largest
            last = k == len(self.weights) - 1
            self.scales.append(np.maximum(np.full_like(scale, scale.mean()) if last else scale, 1e-6))
            value = np.maximum(value @ weight.T + self.biases[k], 0)
            self.steps.append(max(float(np.quantile(value, 0.99)), 1e-3) / self.top)
            self.units.append(self.steps[-1])

    def whole(self, k: int) -> Reals:
        """Return the layer's weights as whole numbers."""
        ratio = self.weights[k] / self.scales[k]
        if self.binary:
            return np.where(ratio >= 0, 1.0, -1.0)
        return np.clip(np.round(ratio), -self.largest, self.largest)

    def quantised(self, k: int) -> Reals:
        """Return the layer's weights as whole numbers times their scales."""
        return self.whole(k) * self.scales[k]

    def passed_on(self, k: int, total: Reals) -> tuple[Reals, Reals]:
        """Return the hidden outputs of layer ``k`` (rows, outputs), and the slopes that the way back sees."""
        step = self.steps[k]
        inside = (total > -0.5 * step) & (total < (self.top + 0.5) * step)
        return step * np.clip(np.floor(total / step + 0.5), 0, self.top), np.where(inside, 1.0, LEAK)

    def layers(self, widths: list[int], at: int) -> tuple[Layer, ...]:
        """Return the integer layers, for inputs of these widths and a head that decides at ``at``."""
        layers = []
        for k in range(len(self.weights)):
            weight, last = self.whole(k), k == len(self.weights) - 1
            bias = self.biases[k] - (self.scales[k] * weight) @ self.mean if k == 0 else self.biases[k]
            unit = self.scales[k][:, 0] * self.units[k]
            neurons = []
            for row, b, u in zip(weight.astype(int).tolist(), bias.tolist(), unit.tolist(), strict=True):
                terms = tuple(term for i, w in enumerate(row) for term in weight_terms(w, i, widths[i]))
                if last:
                    neurons.append(Neuron(round(b / u) + at, terms, Raw()))
                    continue
                reached = [int(np.ceil(((level - 0.5) * self.steps[k] - b) / u)) for level in range(1, self.top + 1)]
                neurons.append(Neuron(0, terms, Ladder(tuple(reached))))
            layers.append(Layer(tuple(neurons)))
            widths = [self.bits] * len(neurons)
        return tuple(layers)
