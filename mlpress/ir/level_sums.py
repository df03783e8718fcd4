"""Networks behind comparators, lowered in two ways: through binary codes, or as sums of weighted level bits."""

from __future__ import annotations

from dataclasses import replace

from mlpress.ir.bit_blast import bit_blast
from mlpress.ir.circuit import Circuit
from mlpress.ir.digits import weight_terms
from mlpress.ir.net import Input, Layer, Net, Neuron, Term
from mlpress.ir.unary import unary, unary_inputs

MOST_TERMS = 4_000
"""A first layer of more level terms is lowered through binary codes alone: sharing its sums takes too long."""


def by_levels(net: Net) -> Net:
    """Return ``net`` over one input of one bit per level: the same scores wherever no level is reached above one that
    is not.

    What a neuron's terms make of a code is a function of that code; each level adds what that function changes by from
    the level before.
    """
    inputs: list[Input] = []
    first: list[int] = []
    for feature in net.inputs:
        first.append(len(inputs))
        inputs += [Input(f"{len(inputs) + k} {level}", 1, 1.0, 0.0) for k, level in enumerate(feature.reached)]

    def weighted(neuron: Neuron) -> Neuron:
        terms: list[Term] = []
        for source, feature in enumerate(net.inputs):
            own = [term for term in neuron.terms if term.source == source]
            before = 0
            for k, level in enumerate(feature.reached if own else ()):
                value = sum(term.sign * ((level & term.mask) << term.shift) for term in own)
                terms += weight_terms(value - before, first[source] + k, 1)
                before = value
        return replace(neuron, terms=tuple(terms))

    layers = (Layer(tuple(weighted(neuron) for neuron in net.layers[0].neurons)), *net.layers[1:])
    return replace(net, inputs=tuple(inputs), layers=layers)


def unary_circuit(net: Net) -> Circuit:
    """Return the exact circuit of ``net`` with unary inputs: of the two ways to lower it the one of fewer gates.

    Both give the net's answer in every row that can occur.
    """
    encoded = unary(bit_blast(net))
    if not any(feature.reached for feature in net.inputs):
        return encoded
    levels = by_levels(net)
    if sum(len(neuron.terms) for neuron in levels.layers[0].neurons) > MOST_TERMS:
        return encoded
    summed = replace(bit_blast(levels), inputs=unary_inputs(net.inputs))
    return summed if len(summed.ands) < len(encoded.ands) else encoded
