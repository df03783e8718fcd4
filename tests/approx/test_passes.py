"""Each approximate pass alone: what it does to a net, what it frees, what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import egfet
from support.nets import random_codes, random_net

from mlpress.approx import PASSES, Accumulate, Activation, ArgmaxRanges, Inputs, Multiply, Space
from mlpress.approx.passes import without_unread_levels
from mlpress.approx.passes.multiply import nearest_digits
from mlpress.errors import MlpressError
from mlpress.hw.printed import Converter, adc_cost, load_technology
from mlpress.ir import (
    Argmax,
    BitRange,
    Input,
    Ladder,
    Layer,
    Net,
    Neuron,
    QRelu,
    Raw,
    Term,
    code_values,
    encode,
    interpret,
    verify,
    weight_terms,
)
from mlpress.verify import probe_rows


def small_net(weights: list[int], activation: QRelu | Ladder | None = None) -> Net:
    """One hidden neuron with these weights on 4-bit inputs, and two scores."""
    inputs = tuple(Input(f"x{k}", 4, 1.0, 0.0) for k in range(len(weights)))
    terms = tuple(term for k, weight in enumerate(weights) for term in weight_terms(weight, k, 4))
    scores = Layer((Neuron(0, (Term(0, 1, 0, 15),), Raw()), Neuron(7, (), Raw())))
    return Net(inputs, (Layer((Neuron(5, terms, activation or QRelu(0, 4)),)), scores), Argmax(), ("a", "b"))


@settings(derandomize=True, max_examples=200)
@given(st.integers(-300, 300), st.integers(0, 4))
def test_nearest_digits_are_nearest(weight: int, terms: int) -> None:
    digits = nearest_digits(weight, terms)
    assert len(digits) <= terms
    found = sum(sign << exponent for sign, exponent in digits)
    values = {0}
    for _ in range(terms):
        values |= {value + sign * (1 << e) for value in values for sign in (-1, 1) for e in range(10)}
    assert abs(found - weight) == min(abs(value - weight) for value in values)


def test_multiply_keeps_what_its_terms_hold() -> None:
    net = small_net([3, -8, 21])
    assert interpret(Multiply(terms=3)(net), np.arange(15).reshape(5, 3) % 16).sums[0].tolist() == (
        interpret(net, np.arange(15).reshape(5, 3) % 16).sums[0].tolist()
    )
    (rounded,) = Multiply(terms=1)(net).layers[0].neurons
    assert [(t.source, t.sign, t.shift) for t in rounded.terms] == [(0, 1, 1), (1, -1, 3), (2, 1, 4)]
    assert Multiply(terms=0)(net).layers[0].neurons[0].terms == ()


def test_multiply_keeps_the_largest_of_masked_terms() -> None:
    net = small_net([3])
    masked = (Term(0, 1, 0, 5), Term(0, -1, 2, 4), Term(0, 1, 1, 15))
    hidden = Layer((replace(net.layers[0].neurons[0], terms=masked),))
    (kept,) = Multiply(terms=2)(replace(net, layers=(hidden, net.layers[1]))).layers[0].neurons
    assert set(kept.terms) == {masked[2], masked[1]}


def test_accumulate_drops_columns_and_compensates() -> None:
    net = small_net([4, -1])
    (plain,) = Accumulate(columns=2, compensate=False)(net).layers[0].neurons
    assert plain.terms == (Term(0, 1, 2, 15), Term(1, -1, 0, 12))
    assert plain.bias == 5
    (balanced,) = Accumulate(columns=2)(net).layers[0].neurons
    assert balanced.bias == 5 + (-3) // 2
    (rounded,) = Accumulate(rounding=2)(net).layers[0].neurons
    assert rounded.bias == 4


@pytest.mark.parametrize("seed", range(20))
def test_fewer_activation_bits_are_dropped_low_bits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(rng, layers=3, neurons=5, inputs=5, head="argmax")
    codes = random_codes(rng, net, 40)
    narrow = Activation(bits=2)(net)
    verify(narrow)
    before, after = interpret(net, codes), interpret(narrow, codes)
    for j, (old, new) in enumerate(zip(net.layers[0].neurons, narrow.layers[0].neurons, strict=True)):
        if isinstance(old.activation, QRelu) and isinstance(new.activation, QRelu):
            dropped = old.activation.bits - new.activation.bits
            assert new.activation.bits <= 2
            assert np.array_equal(after.layers[0][:, j], before.layers[0][:, j] >> dropped)


def test_a_ladder_keeps_its_range_with_fewer_steps() -> None:
    net = small_net([1], Ladder(tuple(range(1, 16))))
    (neuron,) = Activation(levels=3)(net).layers[0].neurons
    assert neuron.activation == Ladder((3,) * 5 + (8,) * 5 + (13,) * 5)
    assert Activation(levels=15)(net) == net


def test_argmax_ranges_narrow_each_other() -> None:
    net = small_net([1])
    seen = ArgmaxRanges(low=1, high=6)(ArgmaxRanges(low=2)(net)).head
    assert seen == Argmax((BitRange(2, 6),))
    assert ArgmaxRanges()(net) == net


def test_inputs_prunes_levels_and_drops() -> None:
    net = small_net([1, 1])
    pruned = Inputs(bits=2, drop=("x1",))(net)
    assert pruned.inputs[0].levels == (4, 8, 12)
    assert pruned.inputs[1].levels == ()
    assert encode(pruned, np.array([[7.0, 9.0], [15.0, 15.0]])).tolist() == [[4, 0], [12, 0]]


@pytest.mark.parametrize("seed", range(30))
def test_every_pass_composes_on_any_net(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(rng, neurons=6, inputs=6, levels=False, head=str(rng.choice(["argmax", "threshold"])))
    options = [Multiply(int(rng.integers(0, 4))), Accumulate(int(rng.integers(0, 4)), int(rng.integers(0, 4)))]
    options += [Activation(int(rng.integers(1, 5)), int(rng.integers(1, 5))), ArgmaxRanges(1), Inputs(3)]
    for step in options:
        net = step(net)
        verify(net)
    space = Space.of(net, [kind() for kind in PASSES])
    codes = random_codes(rng, net, 30)
    found = interpret(replace(space.decode(space.start()), inputs=net.inputs), codes)
    assert np.array_equal(found.decision, interpret(replace(space.layout.net, inputs=net.inputs), codes).decision)


def test_a_space_refuses_what_it_cannot_hold() -> None:
    net = small_net([3, 1])
    space = Space.of(net)
    assert Space.of(net, [Inputs()]).size == 2
    with pytest.raises(MlpressError, match="two passes free the same genes; give each pass once"):
        Space.of(net, [Multiply(), Multiply()])
    with pytest.raises(MlpressError, match="the passes free no gene of this net; choose at least one approximate pass"):
        Space.of(net, [])
    with pytest.raises(MlpressError, match=r"a genome has shape \(3,\); this space has 13 genes"):
        space.decode(np.zeros(3, np.int64))
    wild = space.start()
    wild[0] = 99
    with pytest.raises(MlpressError, match=r"gene 0 is 99; it must be within -2..2"):
        space.decode(wild)
    with pytest.raises(MlpressError, match=r"layer 0 has 2 neurons; the search space holds 1"):
        twice = Layer(net.layers[0].neurons * 2)
        space.genome(replace(net, layers=(twice, net.layers[1])))
    with pytest.raises(MlpressError, match=r"the nets of one search must share classes: got \(1, 2\)"):
        space.genome(replace(net, classes=(1, 2)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Multiply(terms=-1), "multiply: terms is -1; it must be 0 or more"),
        (lambda: Multiply(shifts=99), "multiply: shifts is 99; it must be within 0..24"),
        (lambda: Accumulate(columns=-2), "accumulate: columns is -2; it must be within 0..48"),
        (lambda: Activation(bits=0), "activation: bits is 0; it must be 1 or more"),
        (lambda: ArgmaxRanges(low=3, high=3), r"argmax: the range 3..3 is empty; high must be above low"),
        (lambda: Inputs(bits=0), "inputs: bits is 0; it must be 1 or more"),
        (lambda: Inputs(drop=("y",))(small_net([1])), "inputs: there is no input 'y' to drop"),
    ],
)
def test_bad_options_are_named(make: object, message: str) -> None:
    with pytest.raises(MlpressError, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(30))
def test_levels_that_nothing_reads_go_and_nothing_changes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(rng, neurons=4, inputs=6, input_bits=4, levels=seed % 2 == 0, head="argmax")
    net = Accumulate(columns=int(rng.integers(0, 5)))(net)
    fewer = without_unread_levels(net)
    verify(fewer)
    for before, after in zip(net.inputs, fewer.inputs, strict=True):
        assert set(code_values(after)) <= set(code_values(before))
    features = probe_rows(net)
    one, other = interpret(net, encode(net, features)), interpret(fewer, encode(fewer, features))
    assert np.array_equal(one.decision, other.decision)
    assert np.array_equal(one.scores, other.scores)


def test_only_levels_that_a_read_bit_tells_apart_are_needed() -> None:
    def with_mask(mask: int) -> tuple[int, ...] | None:
        net = small_net([1, 1])
        (hidden,) = net.layers[0].neurons
        terms = tuple(replace(term, mask=mask) for term in hidden.terms if term.source == 0)
        net = replace(net, layers=(Layer((replace(hidden, terms=terms),)), net.layers[1]))
        first, second = without_unread_levels(net).inputs
        assert second.levels == ()
        return first.levels

    assert with_mask(15) is None
    assert with_mask(12) == (4, 8, 12)
    assert with_mask(8) == (8,)
    assert with_mask(1) is None  # the lowest bit changes at every level


@pytest.mark.parametrize("seed", range(20))
def test_converters_cost_in_the_model_what_they_cost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(rng, neurons=4, inputs=6, input_bits=4, levels=False, layers=1, head="argmax", ranges=False)
    technology = load_technology("egfet")
    space = Space.of(net, [Multiply(), Accumulate(), Inputs()])
    genomes = rng.integers(space.low, space.high + 1, (5, space.size))
    model = egfet.cost_model(space.layout, with_adc=True)
    vectors = space.vectors(genomes)
    found = model.cost(vectors) - egfet.cost_model(space.layout).cost(vectors)
    for genome, area in zip(genomes, found, strict=True):
        inputs = without_unread_levels(space.decode(genome)).inputs
        real = adc_cost([Converter(feature.bits, feature.levels) for feature in inputs], technology)
        assert real is not None
        assert area == pytest.approx(real.area_cm2, rel=1e-9)
