import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.nets import random_codes, random_net

from mlpress.ir import (
    Argmax,
    Input,
    Interval,
    Ladder,
    Layer,
    Net,
    Neuron,
    QRelu,
    Raw,
    Term,
    bit_weights,
    bits_interval,
    code_values,
    interpret,
    intervals,
    signed_bits,
    unsigned_bits,
    weight_terms,
)

TERMS = st.builds(Term, st.just(0), st.sampled_from([-1, 1]), st.integers(0, 4), st.integers(1, 63))


def _sum(terms: list[Term], x: int) -> int:
    return sum(term.sign * ((x & term.mask) << term.shift) for term in terms)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(TERMS, max_size=6), st.integers(0, 63), st.integers(0, 63))
def test_one_source_is_exact_over_any_range(terms: list[Term], one: int, other: int) -> None:
    low, high = sorted((one, other))
    values = [_sum(terms, x) for x in range(low, high + 1)]
    assert bits_interval(bit_weights(terms), Interval(low, high)) == (min(values), max(values))


@pytest.mark.parametrize("seed", range(40))
def test_first_layer_is_exact(seed: int) -> None:
    """Every end of a first-layer interval is reached by some row, and none lies outside."""
    net = random_net(np.random.default_rng(seed), inputs=3, input_bits=3)
    rows = np.array(list(itertools.product(*map(code_values, net.inputs))))
    sums = interpret(net, rows).sums[0]
    assert [tuple(interval) for interval in intervals(net)[0].sums] == list(
        zip(sums.min(axis=0).tolist(), sums.max(axis=0).tolist(), strict=True)
    )


@pytest.mark.parametrize("seed", range(60))
def test_no_value_leaves_its_interval(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(rng)
    trace = interpret(net, random_codes(rng, net, 64))
    for found, sums, outputs in zip(intervals(net), trace.sums, trace.layers, strict=True):
        for bounds, values in ((found.sums, sums), (found.outputs, outputs)):
            low, high = np.array(bounds).T
            assert (values >= low).all()
            assert (values <= high).all()


def test_terms_of_one_source_are_not_taken_as_independent() -> None:
    neuron = Neuron(-3, weight_terms(7, 0, 4), Raw())  # 8x - x: at most 105, and never below 0
    net = Net((Input("a", 4, 1.0, 0.0),), (Layer((neuron, neuron)),), Argmax(), (0, 1))
    assert intervals(net)[0].sums[0] == (-3, 102)


def test_kept_levels_are_the_only_codes() -> None:
    neuron = Neuron(0, (Term(0, 1, 0, 0b0111),), Raw())
    net = Net((Input("a", 4, 1.0, 0.0, levels=(4, 8)),), (Layer((neuron, neuron)),), Argmax(), (0, 1))
    assert intervals(net)[0].sums[0] == (0, 4)


def test_a_hidden_output_that_never_falls_to_zero_narrows_what_follows() -> None:
    hidden = Neuron(9, (Term(0, 1, 0, 3),), QRelu(0, 4))  # 9 .. 12
    step = Neuron(0, (Term(0, 1, 0, 3),), Ladder((-1, 2, 2)))  # 1 .. 3
    last = Neuron(0, (Term(0, 1, 0, 0b1100), Term(1, -1, 0, 3)), Raw())
    net = Net((Input("a", 2, 1.0, 0.0),), (Layer((hidden, step)), Layer((last, last))), Argmax(), (0, 1))
    first, second = intervals(net)
    assert first.outputs == ((9, 12), (1, 3))
    assert second.sums[0] == (8 - 3, 12 - 1)


def test_widths() -> None:
    assert [unsigned_bits(high) for high in (0, 1, 2, 255, 256)] == [1, 1, 2, 8, 9]
    assert [signed_bits(*ends) for ends in ((0, 0), (-1, 0), (-2, 1), (-3, 0), (0, 4), (-128, 127), (-129, 0))] == [
        *(1, 1, 2, 3, 4, 8, 9)
    ]
