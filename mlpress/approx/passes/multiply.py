"""Approximate multiplication: weights of a few signed powers of two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from mlpress.approx.passes.genes import Genes
from mlpress.errors import MlpressError
from mlpress.ir import Layer, Net, Neuron, Term, output_bits, signed_digits


@dataclass(frozen=True, slots=True)
class Multiply:
    """Weights as the nearest sum of at most ``terms`` signed powers of two.

    One term is the power-of-two weight of arXiv 2402.02930; none prunes the connection; as many as the
    weight's canonical-signed-digit form has are exact.  Connections with partial masks are no plain
    multiplication: they keep their ``terms`` largest terms.  In a search, weights go up to ``2**shifts``
    (``None``: the largest power of two in the net).
    """

    terms: int = 1
    shifts: int | None = None
    name: ClassVar[str] = "multiply"

    def __post_init__(self) -> None:
        if self.terms < 0:
            raise MlpressError(f"multiply: terms is {self.terms}; it must be 0 or more")
        if self.shifts is not None and not 0 <= self.shifts <= 24:
            raise MlpressError(f"multiply: shifts is {self.shifts}; it must be within 0..24")

    def __call__(self, net: Net) -> Net:
        """Return ``net`` with every weight rounded."""
        widths = [feature.bits for feature in net.inputs]
        layers = []
        for layer in net.layers:
            layers.append(Layer(tuple(self._round(neuron, widths) for neuron in layer.neurons)))
            widths = [output_bits(neuron.activation) or 0 for neuron in layer.neurons]
        return replace(net, layers=tuple(layers))

    def _round(self, neuron: Neuron, widths: list[int]) -> Neuron:
        by_source: dict[int, list[Term]] = {}
        for term in neuron.terms:
            by_source.setdefault(term.source, []).append(term)
        terms: list[Term] = []
        for source, found in sorted(by_source.items()):
            full = (1 << widths[source]) - 1
            if all(term.mask == full for term in found):
                weight = sum(term.sign << term.shift for term in found)
                terms += [
                    Term(source, 1 if s > 0 else -1, shift, full) for s, shift in nearest_digits(weight, self.terms)
                ]
            else:
                terms += sorted(found, key=lambda term: -(term.mask << term.shift))[: self.terms]
        return replace(neuron, terms=tuple(terms))

    def genes(self, net: Net) -> tuple[Genes, ...]:
        """Free sign and shift of every term, zero for none."""
        largest = [max((t.shift for n in layer.neurons for t in n.terms), default=0) for layer in net.layers]
        reach = [(self.shifts if self.shifts is not None else shift) + 1 for shift in largest]
        return tuple(Genes("weight", k, -high, high) for k, high in enumerate(reach))


def nearest_digits(weight: int, terms: int) -> list[tuple[int, int]]:
    """Return the at most ``terms`` (sign, exponent) digits whose sum is nearest to ``weight``; ties go towards zero.

    The canonical-signed-digit form where that is short enough; else the better of the two ways to take the largest
    digit, the power of two below ``weight`` or the one above, and the same again for what is left.
    """
    exact = signed_digits(weight)
    if len(exact) <= terms:
        return exact
    if terms == 0:
        return []
    sign, below = (1 if weight > 0 else -1), abs(weight).bit_length() - 1
    found = []
    for exponent in (below, below + 1):
        rest = weight - (sign << exponent)
        found.append([*nearest_digits(rest, terms - 1), (sign, exponent)])
    return min(found, key=lambda digits: (abs(weight - _value(digits)), abs(_value(digits))))


def _value(digits: list[tuple[int, int]]) -> int:
    return sum(sign << exponent for sign, exponent in digits)
