"""Approximate accumulation: sums that leave out bits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from mlpress.approx.passes.genes import Genes
from mlpress.errors import MlpressError
from mlpress.ir import Layer, Net, Neuron, Term, intervals, output_bits


@dataclass(frozen=True, slots=True)
class Accumulate:
    """Sums without their lowest ``columns`` columns, and biases that are multiples of ``2**rounding``.

    With ``compensate`` the bias takes over the mean of the dropped bits, as if half of those bits were ones.  In a
    search every bit of every term can be left out (arXiv 2312.17612), and biases move freely.
    """

    columns: int = 0
    rounding: int = 0
    compensate: bool = True
    name: ClassVar[str] = "accumulate"

    def __post_init__(self) -> None:
        for option, value in (("columns", self.columns), ("rounding", self.rounding)):
            if not 0 <= value <= 48:
                raise MlpressError(f"accumulate: {option} is {value}; it must be within 0..48")

    def __call__(self, net: Net) -> Net:
        """Return ``net`` with truncated sums and rounded biases."""
        return replace(
            net, layers=tuple(Layer(tuple(self._truncate(n) for n in layer.neurons)) for layer in net.layers)
        )

    def _truncate(self, neuron: Neuron) -> Neuron:
        terms, dropped = [], 0
        for term in neuron.terms:
            mask = term.mask >> (cut := max(self.columns - term.shift, 0)) << cut
            dropped += term.sign * ((term.mask - mask) << term.shift)
            if mask:
                terms.append(replace(term, mask=mask))
        bias = neuron.bias + (dropped // 2 if self.compensate else 0)
        half = (1 << self.rounding) >> 1
        return replace(neuron, terms=tuple(terms), bias=(bias + half) >> self.rounding << self.rounding)

    def genes(self, net: Net) -> tuple[Genes, ...]:
        """Free the mask of every term and the bias of every neuron, up to four times the largest sum in its layer."""
        found: list[Genes] = []
        width = max(feature.bits for feature in net.inputs)
        for k, (layer, ranges) in enumerate(zip(net.layers, intervals(net), strict=True)):
            reach = max(16, *(max(abs(low), abs(high)) for low, high in ranges.sums), *_reaches(layer.neurons))
            found += [Genes("mask", k, 0, (1 << width) - 1), Genes("bias", k, -4 * reach, 4 * reach)]
            width = max(output_bits(neuron.activation) or 0 for neuron in layer.neurons)
        return tuple(found)


def _reaches(neurons: Iterable[Neuron]) -> list[int]:
    def reach(term: Term) -> int:
        return term.mask << term.shift

    return [max((reach(term) for term in neuron.terms), default=0) for neuron in neurons]
