"""Approximate inputs: fewer levels, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from mlpress.approx.integer.genome_layout import all_levels
from mlpress.approx.passes.genes import Genes
from mlpress.errors import MlpressError
from mlpress.ir import Input, Net, code_values


def without_unread_levels(net: Net) -> Net:
    """Return the same function of ``net``'s features with those levels alone that change a bit which is read."""
    read = _read_bits(net)
    return replace(net, inputs=tuple(_needed(feature, bits) for feature, bits in zip(net.inputs, read, strict=True)))


def _read_bits(net: Net) -> list[int]:
    """Return the bits of each input that some neuron on the way to the head sees, as masks."""
    wanted = [1] * len(net.layers[-1].neurons)
    for k in reversed(range(len(net.layers))):
        sources = len(net.layers[k - 1].neurons) if k else len(net.inputs)
        read = [0] * sources
        for neuron, asked in zip(net.layers[k].neurons, wanted, strict=True):
            for term in neuron.terms if asked else ():
                read[term.source] |= term.mask
        wanted = read
    return wanted


def _needed(feature: Input, read: int) -> Input:
    levels, before = [], 0
    for level in code_values(feature):
        if level & read != before:
            before = level & read
            levels.append(level)
    return feature if len(levels) == len(code_values(feature)) - 1 else replace(feature, levels=tuple(levels))


@dataclass(frozen=True, slots=True)
class Inputs:
    """Inputs of at most ``bits`` leading bits, without those named in ``drop``.

    Widths of the ports stay; levels of the converter go.  In a search single levels can be pruned from inputs of up to
    5 bits (a flash converter has one comparator per level: arXiv 2411.08674), and leading bits kept of wider ones.
    """

    bits: int | None = None
    drop: Sequence[str] = ()
    name: ClassVar[str] = "inputs"

    def __post_init__(self) -> None:
        if self.bits is not None and self.bits < 1:
            raise MlpressError(f"inputs: bits is {self.bits}; it must be 1 or more")

    def __call__(self, net: Net) -> Net:
        """Return ``net`` with pruned input codes."""
        unknown = sorted(set(self.drop) - {feature.name for feature in net.inputs})
        if unknown:
            raise MlpressError(f"inputs: there is no input {unknown[0]!r} to drop; see the model's feature names")
        return replace(net, inputs=tuple(self._prune(feature) for feature in net.inputs))

    def _prune(self, feature: Input) -> Input:
        if feature.name in self.drop:
            return replace(feature, levels=())
        if self.bits is None or self.bits >= feature.bits:
            return feature
        step = 1 << (feature.bits - self.bits)
        kept = tuple(level for level in code_values(feature) if level and level % step == 0)
        return replace(feature, levels=kept)

    def genes(self, net: Net) -> tuple[Genes, ...]:
        """Free the kept levels of every input."""
        bits = [feature.bits for feature in net.inputs]
        return (Genes("levels", 0, 0, np.array([all_levels(width) for width in bits], np.int64)),)
