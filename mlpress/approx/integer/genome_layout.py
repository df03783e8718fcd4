"""A net as one plain integer vector, which genomes index and which the engine and the cost model read.

A vector holds, layer by layer, these fields: ``weight`` and ``mask`` of every connection's term slots, ``kind`` (0
:class:`QRelu`, 1 :class:`Ladder`, 2 :class:`Raw`), ``bias``, ``shift`` and ``bits`` of every neuron, and ``steps``, the
thresholds of ladders.  Then come ``low`` and ``high`` of every comparison of an argmax, and ``levels`` of every input.

``weight`` is 0 for no term and ``sign * (shift + 1)`` for ``sign * ((x & mask) << shift)``, so that a step of one
doubles or halves the term.  ``levels`` is a bit map of the kept levels (bit ``q - 1`` for level ``q``) for inputs
of up to 5 bits, and the number of leading bits kept for wider ones.  ``high`` 0 stands for "everything".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
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
    Term,
    Threshold,
)

Ints = NDArray[np.int64]
Field = Literal["weight", "mask", "kind", "bias", "shift", "bits", "steps", "low", "high", "levels"]

FLASH_BITS = 5
"""Inputs up to this width keep single levels; wider ones keep leading bits."""

NEVER = 1 << 48
"""A ladder threshold that no sum reaches: fills up neurons with fewer thresholds than their layer's most."""

QRELU, LADDER, RAW = 0, 1, 2
NO_HEAD, ARGMAX, THRESHOLD = 0, 1, 2


LAYER = np.dtype(
    [
        (name, np.int64)
        for name in (
            "sources",
            "neurons",
            "slots",
            "first",
            "width",
            "step_count",
            "weight",
            "mask",
            "kind",
            "bias",
            "shift",
            "bits",
            "steps",
        )
    ]
)
"""A layer: its counts; the index of its ``first`` neuron among those of all layers; the largest ``width`` of its
outputs; where its fields start.
"""


class Tables(NamedTuple):
    """Tables of a layout for the kernels.

    ``layers`` is a record array of :data:`LAYER`; ``head`` is int64 (5,): its kind, where ``low``, ``high`` and
    ``levels`` start, and the threshold; ``inputs`` holds the bits of each input, int64 (inputs,).
    """

    layers: NDArray[Any]
    head: Ints
    inputs: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The shape that all nets of one search share, and the positions of their fields.

    ``net`` gives what no vector holds: names, input codes, the head's kind and the classes.
    """

    net: Net
    tables: Tables
    size: int

    @classmethod
    def of(cls, net: Net, slots: int = 1) -> Layout:
        """Return the smallest layout that holds ``net`` with at least ``slots`` term slots per connection."""
        rows: list[tuple[int, ...]] = []
        position, sources, first = 0, len(net.inputs), 0
        for layer in net.layers:
            count = len(layer.neurons)
            slots_here = max(slots, *(_slots_of(neuron) for neuron in layer.neurons))
            steps = max(_step_count(neuron.activation) for neuron in layer.neurons)
            width = max(_width(neuron.activation) for neuron in layer.neurons)
            connections = count * sources * slots_here
            starts = [position]
            for size in (connections, connections, count, count, count, count, count * steps):
                starts.append(starts[-1] + size)
            rows.append((sources, count, slots_here, first, width, steps, *starts[:-1]))
            position, sources, first = starts[-1], count, first + count
        comparisons = sources - 1 if isinstance(net.head, Argmax) else 0
        at = net.head.at if isinstance(net.head, Threshold) else 0
        levels = position + 2 * comparisons
        head = np.array([_head_kind(net.head), position, position + comparisons, levels, at], np.int64)
        inputs = np.array([feature.bits for feature in net.inputs], np.int64)
        return cls(net, Tables(np.array(rows, LAYER), head, inputs), levels + len(net.inputs))

    def encoder(self) -> Net:
        """``net`` with all input levels, which encodes features for the engine."""
        return replace(self.net, inputs=tuple(replace(feature, levels=None) for feature in self.net.inputs))

    def field(self, name: Field, layer: int = 0) -> Ints:
        """Return the positions of a field: (neurons, sources, slots) for ``weight`` and ``mask``, (neurons,) or
        (neurons, steps) for the others of a layer, (comparisons,) for the head's, (inputs,) for ``levels``.
        """
        t, head = self.tables.layers[layer], self.tables.head
        match name:
            case "weight" | "mask":
                shape: tuple[int, ...] = (t["neurons"], t["sources"], t["slots"])
                start = t[name]
            case "steps":
                shape, start = (t["neurons"], t["step_count"]), t["steps"]
            case "low" | "high":
                shape, start = (head[2] - head[1],), head[1 if name == "low" else 2]
            case "levels":
                shape, start = (len(self.tables.inputs),), head[3]
            case _:
                shape, start = (t["neurons"],), t[name]
        positions: Ints = int(start) + np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
        return positions

    def pack(self, net: Net) -> Ints:
        """Pack ``net`` into a vector, int64 (size,).

        Missing hidden neurons become dead ones; raise where ``net`` has more of anything than the layout.
        """
        vector = np.zeros(self.size, np.int64)
        for k in range(len(self.net.layers)):
            self._pack_layer(vector, k, net.layers[k] if k < len(net.layers) else Layer(()))
        _check_fit(self, net)
        if isinstance(net.head, Argmax):
            ranges = net.head.ranges or (BitRange(),) * (len(net.classes) - 1)
            vector[self.field("low")] = [window.low for window in ranges]
            vector[self.field("high")] = [window.high or 0 for window in ranges]
        vector[self.field("levels")] = [_levels_code(feature) for feature in net.inputs]
        return vector

    def _pack_layer(self, vector: Ints, k: int, layer: Layer) -> None:
        weight, mask, bias = (self.field(name, k) for name in ("weight", "mask", "bias"))
        kind, shift, bits, steps = (self.field(name, k) for name in ("kind", "shift", "bits", "steps"))
        width = self.tables.layers["width"][k - 1] if k else self.tables.inputs.max()
        vector[mask] = (1 << int(width)) - 1
        vector[kind] = RAW if k == len(self.net.layers) - 1 else QRELU
        vector[bits] = self.tables.layers["width"][k]
        if len(layer.neurons) > len(weight):
            raise MlpressError(f"layer {k} has {len(layer.neurons)} neurons; the search space holds {len(weight)}")
        for j, neuron in enumerate(layer.neurons):
            vector[bias[j]] = neuron.bias
            used = np.zeros(weight.shape[1], np.int64)
            for term in neuron.terms:
                slot = used[term.source]
                if slot == weight.shape[2]:
                    raise MlpressError(
                        f"layer {k}, neuron {j}: more than {slot} terms on source {term.source}; "
                        "allow more with the multiply pass"
                    )
                vector[weight[j, term.source, slot]] = term.sign * (term.shift + 1)
                vector[mask[j, term.source, slot]] = term.mask
                used[term.source] += 1
            match neuron.activation:
                case QRelu():
                    vector[shift[j]], vector[bits[j]] = neuron.activation.shift, neuron.activation.bits
                case Ladder(thresholds=thresholds):
                    vector[kind[j]] = LADDER
                    vector[steps[j]] = (*thresholds, *(NEVER,) * (steps.shape[1] - len(thresholds)))
                case Raw():
                    pass

    def unpack(self, vector: Ints) -> Net:
        """Return the net that a vector, int64 (size,), stands for: every use of a vector agrees with it."""
        widths = self.tables.inputs.tolist()
        layers = []
        for k in range(len(self.net.layers)):
            weight, mask = (vector[self.field(name, k)].tolist() for name in ("weight", "mask"))
            kind, bias, shift, bits, steps = (
                vector[self.field(name, k)].tolist() for name in ("kind", "bias", "shift", "bits", "steps")
            )
            neurons = []
            for j in range(len(bias)):
                terms = tuple(
                    Term(source, 1 if code > 0 else -1, abs(code) - 1, seen)
                    for source, (codes, masks) in enumerate(zip(weight[j], mask[j], strict=True))
                    for code, wanted in zip(codes, masks, strict=True)
                    if code and (seen := wanted & ((1 << widths[source]) - 1))
                )
                activation: Activation
                match kind[j]:
                    case 0:
                        activation = QRelu(shift[j], bits[j])
                    case 1:
                        activation = Ladder(_thresholds(steps[j]))
                    case _:
                        activation = Raw()
                neurons.append(Neuron(bias[j], terms, activation))
            layers.append(Layer(tuple(neurons)))
            widths = [_width(neuron.activation) for neuron in neurons]
        return Net(self._inputs(vector), tuple(layers), self._head(vector), self.net.classes)

    def _inputs(self, vector: Ints) -> tuple[Input, ...]:
        codes = vector[self.field("levels")].tolist()
        return tuple(
            replace(f, levels=decode_levels(code, f.bits)) for f, code in zip(self.net.inputs, codes, strict=True)
        )

    def _head(self, vector: Ints) -> Head:
        if not isinstance(self.net.head, Argmax):
            return self.net.head
        lows, highs = vector[self.field("low")].tolist(), vector[self.field("high")].tolist()
        ranges = tuple(
            BitRange(low, max(high, low + 1) if high else None) for low, high in zip(lows, highs, strict=True)
        )
        return Argmax(() if all(window == BitRange() for window in ranges) else ranges)


def _thresholds(steps: list[int]) -> tuple[int, ...]:
    return tuple(sorted(step for step in steps if step != NEVER)) or (NEVER,)


def decode_levels(code: int, bits: int) -> tuple[int, ...] | None:
    """Return the kept levels that the ``levels`` field ``code`` of a ``bits``-bit input means; ``None`` for all."""
    if code == all_levels(bits):
        return None
    if bits <= FLASH_BITS:
        return tuple(level for level in range(1, 1 << bits) if code >> (level - 1) & 1)
    step = 1 << (bits - code)
    return tuple(range(step, 1 << bits, step))


def all_levels(bits: int) -> int:
    """Return the ``levels`` field of a ``bits``-bit input that keeps everything."""
    return (1 << ((1 << bits) - 1)) - 1 if bits <= FLASH_BITS else bits


def _levels_code(feature: Input) -> int:
    if feature.levels is None:
        return all_levels(feature.bits)
    if feature.bits <= FLASH_BITS:
        return sum(1 << (level - 1) for level in feature.levels)
    for code in range(feature.bits):
        if decode_levels(code, feature.bits) == feature.levels:
            return code
    raise MlpressError(
        f"input {feature.name!r}: its kept levels are not leading bits; the search prunes single levels "
        f"of inputs up to {FLASH_BITS} bits only"
    )


def _slots_of(neuron: Neuron) -> int:
    counts = np.bincount([term.source for term in neuron.terms]) if neuron.terms else np.zeros(1, np.int64)
    return int(counts.max())


def _step_count(activation: Activation) -> int:
    return len(activation.thresholds) if isinstance(activation, Ladder) else 0


def _width(activation: Activation) -> int:
    match activation:
        case QRelu(bits=bits):
            return bits
        case Ladder(thresholds=thresholds):
            return len(thresholds).bit_length()
        case Raw():
            return 0


def _head_kind(head: Head) -> int:
    match head:
        case Argmax():
            return ARGMAX
        case Threshold():
            return THRESHOLD
        case _:
            return NO_HEAD


def _check_fit(layout: Layout, net: Net) -> None:
    same: Sequence[tuple[str, object, object]] = (
        ("inputs", [(f.name, f.bits) for f in net.inputs], [(f.name, f.bits) for f in layout.net.inputs]),
        ("layers", len(net.layers), len(layout.net.layers)),
        ("classes", net.classes, layout.net.classes),
        ("a head", type(net.head), type(layout.net.head)),
    )
    for what, got, wanted in same:
        if got != wanted:
            raise MlpressError(f"the nets of one search must share {what}: got {got}, the search space has {wanted}")
