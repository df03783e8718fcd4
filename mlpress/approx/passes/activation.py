"""Approximate activation: fewer output bits, or a ladder of fewer thresholds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

from mlpress.approx.passes.genes import Genes
from mlpress.errors import MlpressError
from mlpress.ir import Activation as AnyActivation
from mlpress.ir import Ladder, Layer, Net, QRelu, Term, intervals, output_bits


@dataclass(frozen=True, slots=True)
class Activation:
    """Hidden outputs of at most ``bits`` bits, the low ones dropped; ladders of at most ``levels`` steps.

    A ladder (any monotone activation as thresholds) keeps its output range: the thresholds that stay
    are evenly spread over the old ones, and each step climbs as far as those it replaces.  ``None`` leaves the
    widths as they are.  In a search the shift and the width (so the saturation) of every qReLU and every
    threshold of every ladder are free.
    """

    bits: int | None = None
    levels: int | None = None
    name: ClassVar[str] = "activation"

    def __post_init__(self) -> None:
        for option, value in (("bits", self.bits), ("levels", self.levels)):
            if value is not None and value < 1:
                raise MlpressError(f"activation: {option} is {value}; it must be 1 or more")

    def __call__(self, net: Net) -> Net:
        """Return ``net`` with narrower hidden outputs."""
        layers: list[Layer] = []
        dropped: list[int] = []
        for layer in net.layers:
            neurons = [replace(n, terms=_scaled(n.terms, dropped)) if dropped else n for n in layer.neurons]
            dropped = [self._dropped(neuron.activation) for neuron in neurons]
            layers.append(Layer(tuple(replace(n, activation=self._narrow(n.activation)) for n in neurons)))
        return replace(net, layers=tuple(layers))

    def _dropped(self, activation: AnyActivation) -> int:
        if isinstance(activation, QRelu) and self.bits is not None:
            return max(activation.bits - self.bits, 0)
        return 0

    def _narrow(self, activation: AnyActivation) -> AnyActivation:
        drop = self._dropped(activation)
        match activation:
            case QRelu(shift=shift, bits=bits):
                return QRelu(shift + drop, bits - drop)
            case Ladder(thresholds=thresholds) if self.levels is not None and self.levels < len(thresholds):
                return Ladder(_spread(thresholds, self.levels))
        return activation

    def genes(self, net: Net) -> tuple[Genes, ...]:
        """Free shift and bits of every qReLU, and every threshold of every ladder."""
        found: list[Genes] = []
        for k, (layer, ranges) in enumerate(zip(net.layers[:-1], intervals(net), strict=False)):
            kinds = [neuron.activation for neuron in layer.neurons]
            shifts = [activation.shift for activation in kinds if isinstance(activation, QRelu)]
            if shifts:
                width = max(output_bits(activation) or 1 for activation in kinds)
                found += [Genes("shift", k, 0, max(shifts) + width), Genes("bits", k, 1, width)]
            else:
                low = min(interval.low for interval in ranges.sums)
                high = max(interval.high for interval in ranges.sums)
                found.append(Genes("steps", k, low, high + 1))
        return tuple(found)


def _scaled(terms: tuple[Term, ...], dropped: list[int]) -> tuple[Term, ...]:
    """Return the same products of sources that lost their lowest bits."""
    return tuple(
        Term(t.source, t.sign, t.shift + dropped[t.source], t.mask >> dropped[t.source])
        for t in terms
        if t.mask >> dropped[t.source]
    )


def _spread(thresholds: tuple[int, ...], levels: int) -> tuple[int, ...]:
    """Return ``levels`` of the ``thresholds``, each repeated as often as its group of neighbours has members."""
    edges = [i * len(thresholds) // levels for i in range(levels + 1)]
    return tuple(t for a, b in pairwise(edges) for t in [thresholds[(a + b) // 2]] * (b - a))
