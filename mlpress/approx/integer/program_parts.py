"""The parts of a net as a program: terms, and the products of loops over matrices of packed weights."""

from __future__ import annotations

from mlpress.approx.common.kinds import Ints, Layers
from mlpress.approx.integer.genome_layout import QRELU
from mlpress.approx.integer.heap import bit_length
from mlpress.jit import inner

PROGRAM_PARTS = (
    "net",  # one
    "input",  # a source that a layer reads: a load
    "term",  # a product that is left
    "masked",  # a term of which some bits are left out
    "shift",  # one of the different shifts of a neuron's terms
    "output",  # a neuron that is read, or a score
    "layer",  # a layer
    "word",  # a word of packed weights' sums, two neurons in one where 16 bits hold them, times a source
    "pass",  # four words at a time, times a source
    "weight_bit",  # a bit of the table of weights, of as many bits each as the layer's widest, a power of two
    "odd",  # what keeps a layer from being a matrix: a masked term, a neuron with an activation of its own
)
"""Parts of a net as a program.  Neurons that are constant or that nothing reads are no part of it."""

NET, INPUT, TERM, MASKED, SHIFT, OUTPUT, LAYER, WORD, PASS, WEIGHT_BIT, ODD = range(len(PROGRAM_PARTS))

WORDS_AT_A_TIME = 4


@inner
def program_parts(vector: Ints, layers: Layers, scratch: Ints, parts: Ints) -> None:
    """Count a net, after ``net_cost.read_net``, into ``parts`` (:data:`PROGRAM_PARTS`,)."""
    parts[NET] += 1
    last = len(layers) - 1
    for k in range(last + 1):
        layer = layers[k]
        live = model = 0
        lowest, highest = 1 << 62, -(1 << 62)
        first, end = layer.sources, 0
        least, largest, fine = 0, 0, 63
        for j in range(layer.neurons):
            if k < last and not scratch.wanted[k + 1, j]:
                continue
            n = layer.first + j
            if live == 0:
                model = j
            elif k < last and not same_activation(vector, layer, model, j):
                parts[ODD] += 1
            live += 1
            lowest, highest = min(lowest, scratch.states[n, 1]), max(highest, scratch.states[n, 2])
            at, shifts = j * layer.sources * layer.slots, 0
            for i in range(layer.sources):
                weight = 0
                for _ in range(layer.slots):
                    code, seen = vector[layer.weight + at], vector[layer.mask + at] & scratch.masks[k, i]
                    at += 1
                    if code == 0 or scratch.masks[k, i] <= 0 or seen == 0:
                        continue
                    shift = abs(code) - 1
                    parts[TERM] += 1
                    if seen != scratch.masks[k, i]:
                        parts[MASKED] += 1
                        parts[ODD] += 1
                    if shift:
                        shifts |= 1 << shift
                    fine = min(fine, shift)
                    weight += (1 << shift) if code > 0 else -(1 << shift)
                    first, end = min(first, i), max(end, i + 1)
                least, largest = min(least, weight), max(largest, weight)
            while shifts:
                parts[SHIFT] += shifts & 1
                shifts >>= 1
        parts[OUTPUT] += live
        parts[LAYER] += 1
        for i in range(layer.sources):
            parts[INPUT] += scratch.wanted[k, i] != 0
        span = max(end - first, 0)
        if not live or not span:
            continue
        lanes = 2 if highest - min(lowest, 0) < 1 << 16 and live > 1 else 1
        words = (live + lanes - 1) // lanes
        bits = 1
        while bits < bit_length((largest - least) >> fine):
            bits *= 2
        parts[WORD] += span * words
        parts[PASS] += span * ((words + WORDS_AT_A_TIME - 1) // WORDS_AT_A_TIME)
        parts[WEIGHT_BIT] += span * words * lanes * bits


@inner
def same_activation(vector: Ints, layer: Layers, one: int, other: int) -> bool:
    """Return whether a loop can treat two neurons of a layer alike: ladders, or clips by the same shift and width."""
    if vector[layer.kind + one] != vector[layer.kind + other]:
        return False
    if vector[layer.kind + one] != QRELU:
        return True
    same_shift: bool = vector[layer.shift + one] == vector[layer.shift + other]
    same_bits: bool = vector[layer.bits + one] == vector[layer.bits + other]
    return same_shift and same_bits
