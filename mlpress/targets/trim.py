"""Nets without neurons that do nothing: exact, and smaller where code has a loop over all neurons of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mlpress.ir import Interval, Layer, Net, Neuron, Term, input_intervals, intervals


def trimmed(net: Net) -> Net:
    """Return the same function without hidden neurons that are constant or that nothing reads.

    What a constant neuron adds goes into the biases of those that read it; a layer keeps one neuron at least.
    """
    while (smaller := _once(net)) is not net:
        net = smaller
    return net


def _once(net: Net) -> Net:
    known = intervals(net)
    layers = list(net.layers)
    ranges: Sequence[Interval] = input_intervals(net)
    changed = False
    for k, layer in enumerate(layers):
        neurons = tuple(_folded(neuron, ranges) for neuron in layer.neurons)
        changed |= neurons != layer.neurons
        layers[k] = Layer(neurons)
        ranges = known[k].outputs
    for k in range(len(layers) - 1):
        read = {term.source for neuron in layers[k + 1].neurons for term in neuron.terms}
        kept = [j for j in range(len(layers[k].neurons)) if j in read] or [0]
        if len(kept) == len(layers[k].neurons):
            continue
        changed = True
        place = {j: i for i, j in enumerate(kept)}
        layers[k] = Layer(tuple(layers[k].neurons[j] for j in kept))
        layers[k + 1] = Layer(
            tuple(
                replace(n, terms=tuple(replace(t, source=place[t.source]) for t in n.terms))
                for n in layers[k + 1].neurons
            )
        )
    return replace(net, layers=tuple(layers)) if changed else net


def _folded(neuron: Neuron, ranges: Sequence[Interval]) -> Neuron:
    """Return a neuron whose terms of constant sources are part of its bias, and those of no bits are gone."""
    bias, terms = neuron.bias, list[Term]()
    for term in neuron.terms:
        low, high = ranges[term.source]
        if low == high:
            bias += term.sign * ((low & term.mask) << term.shift)
        elif term.mask & ((1 << high.bit_length()) - 1):
            terms.append(term)
    if len(terms) == len(neuron.terms):
        return neuron
    return replace(neuron, bias=bias, terms=tuple(terms))
