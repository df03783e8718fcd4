"""Integer layers as matrices: how quantised networks are built, calibrated and run before they become a net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir import (
    Activation,
    Argmax,
    Head,
    Input,
    Ladder,
    Layer,
    Net,
    Neuron,
    QRelu,
    Raw,
    Scores,
    Threshold,
    output_bits,
    verify,
    weight_terms,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LIMIT = 1 << 61  # of a sum: within it int64 arithmetic is exact, and so is a difference of two sums


@dataclass(frozen=True, slots=True, eq=False)
class IntegerLayer:
    """``activations[i](weight[i] @ u + bias[i])`` for the codes ``u`` of the layer before.

    ``weight`` is int64 (outputs, inputs), ``bias`` int64 (outputs,); there is one activation an output.
    """

    weight: Ints
    bias: Ints
    activations: tuple[Activation, ...]

    def sums(self, codes: Ints) -> Ints:
        """Return the sums before the activation, int64 (rows, outputs), for ``codes`` int64 (rows, inputs)."""
        return product(codes, self.weight) + self.bias

    def outputs(self, sums: Ints) -> Ints:
        """Return the codes after the activation, int64 (rows, outputs)."""
        columns = [_activated(activation, sums[:, j]) for j, activation in enumerate(self.activations)]
        return np.stack(columns, axis=1)


def product(codes: Ints, weight: Ints) -> Ints:
    """Return ``codes @ weight.T``, exactly; in floating point, which is many times faster, where no sum can round."""
    largest = int(codes.max(initial=0)) * int(np.abs(weight).sum(axis=1).max(initial=0))
    kind = np.float64 if largest < 1 << 53 else np.int64
    return np.asarray(codes.astype(kind) @ weight.T.astype(kind), np.int64)


def _activated(activation: Activation, sums: Ints) -> Ints:
    match activation:
        case QRelu(shift=shift, bits=bits):
            return np.asarray(np.clip(sums >> shift, 0, (1 << bits) - 1), np.int64)
        case Ladder(thresholds=thresholds):
            return np.searchsorted(np.array(thresholds, np.int64), sums, side="right").astype(np.int64)
        case Raw():
            return sums


def input_codes(inputs: Sequence[Input], features: Floats) -> Ints:
    """Return the codes of ``features`` (rows, inputs) as :class:`mlpress.ir.Input` defines them, int64; no kept
    levels."""
    scale, offset = (np.array([getattr(feature, part) for feature in inputs]) for part in ("scale", "offset"))
    top = np.array([(1 << feature.bits) - 1 for feature in inputs])
    scaled = features * scale + offset
    rounded = np.where([feature.rounding == "floor" for feature in inputs], np.floor(scaled), np.rint(scaled))
    codes: Ints = np.clip(rounded, 0, top).astype(np.int64)
    return codes


def forward(layers: Sequence[IntegerLayer], codes: Ints) -> tuple[list[Ints], list[Ints]]:
    """Return the sums and the outputs of every layer, each int64 (rows, outputs)."""
    sums, outputs = [], [codes]
    for layer in layers:
        sums.append(layer.sums(outputs[-1]))
        outputs.append(layer.outputs(sums[-1]))
    return sums, outputs[1:]


def decisions(head: Head, scores: Ints) -> Ints | None:
    """Return the class index of each row of ``scores`` (rows, scores), int64 (rows,); ``None`` for :class:`Scores`."""
    match head:
        case Argmax():
            return np.asarray(np.argmax(scores, axis=1), np.int64)
        case Threshold(at=at):
            return np.asarray(scores[:, 0] >= at, np.int64)
        case Scores():
            return None


def check_sums(weights: Sequence[Sequence[int]], biases: Sequence[int], top: Sequence[int]) -> None:
    """Raise where a sum over codes ``0 .. top[i]`` of each source may pass :data:`LIMIT` in magnitude."""
    for row, constant in zip(weights, biases, strict=True):
        if sum(abs(w) * most for w, most in zip(row, top, strict=True)) + abs(constant) > LIMIT:
            raise MlpressError("a sum may pass 2**61; use fewer weight, input or activation bits")


def as_net(
    inputs: tuple[Input, ...], layers: Sequence[IntegerLayer], head: Head, classes: tuple[int | str, ...]
) -> Net:
    """Return the verified net of these layers, every weight as its canonical-signed-digit terms."""
    bits = [feature.bits for feature in inputs]
    made = []
    for layer in layers:
        rows = zip(layer.weight.tolist(), layer.bias.tolist(), layer.activations, strict=True)
        made.append(Layer(tuple(_neuron(row, bias, activation, bits) for row, bias, activation in rows)))
        bits = [output_bits(activation) or 0 for activation in layer.activations]
    net = Net(inputs, tuple(made), head, classes)
    verify(net)
    return net


def _neuron(weights: list[int], bias: int, activation: Activation, bits: list[int]) -> Neuron:
    terms = (weight_terms(weight, source, bits[source]) for source, weight in enumerate(weights))
    return Neuron(bias, tuple(term for group in terms for term in group), activation)
