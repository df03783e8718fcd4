"""Sums in terms of shared sub-sums are the same sums, and cost less."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpress import ir
from mlpress.ir import share as sharing
from mlpress.ir.digits import digit_count, signed_digit_forms
from mlpress.ir.share import Operand, Shared, Source, share

ROW = st.dictionaries(st.integers(0, 4), st.integers(-300, 300).filter(bool), max_size=5)
ROWS = st.lists(st.tuples(ROW, st.integers(-(1 << 12), 1 << 12)), min_size=1, max_size=5)
HIGHS = (15, 1, 7, 255, 12)
MASKS = (-1, 1, 0b101, 0b11110000, 0b1100)


def made(rows: list[tuple[dict[int, int], int]], *, move: bool) -> tuple[Shared, list[tuple[dict[Source, int], int]]]:
    sources = [Source(k, mask, high & mask) for k, (mask, high) in enumerate(zip(MASKS, HIGHS, strict=True))]
    given_rows = [({sources[s]: weight for s, weight in row.items()}, constant) for row, constant in rows]
    return share(given_rows, [0] * len(rows), 5, move=move), given_rows


def total(values: dict[int, int], operands: tuple[Operand, ...], constant: int) -> int:
    return constant + sum(o.sign * ((values[o.value] & o.mask) << o.shift) for o in operands)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(ROWS, st.booleans(), st.integers(0, 1 << 20))
def test_shared_sums_are_the_sums(rows: list[tuple[dict[int, int], int]], move: bool, seed: int) -> None:
    found, given_rows = made(rows, move=move)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        codes = {k: int(rng.integers(0, high + 1)) for k, high in enumerate(HIGHS)}
        values = dict(codes)
        for k, (operands, constant) in enumerate(found.pairs):
            values[found.first + k] = total(values, operands, constant)
            assert values[found.first + k] >= 0
        plain = [
            constant + sum(weight * (codes[source.value] & source.mask) for source, weight in row.items())
            for row, constant in given_rows
        ]
        sums = [total(values, *row) for row in found.rows]
        assert sums == [total(codes, *form) for form in found.forms]
        apart = {score - found_sum for score, found_sum in zip(plain, sums, strict=True)}
        assert apart == {0} if not move else len(apart) == 1


def test_the_search_always_finds_the_same() -> None:
    rows = [({0: 93, 1: -45, 3: 110}, 7), ({0: 31, 1: 45, 3: -55}, -90), ({0: -62, 3: 11, 4: 77}, 0)]
    assert made(rows, move=True)[0] == made(rows, move=True)[0]


def test_sums_beyond_the_search_are_left_alone() -> None:
    """The search computes in int64."""
    huge = 1 << 60
    for row in (({0: huge}, 0), ({0: 3}, -huge)):
        found, _ = made([row, row], move=True)
        assert found.pairs == ()
        assert found.rows == found.forms
        assert found.rows[0][1] == row[1]


@pytest.mark.parametrize("shape", [(21, 3, 3), (16, 5, 10), (6, 3, 3), (9, 4, 2)], ids=str)
def test_a_search_pays(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the greedy start, and that against sums on their own."""
    net = dense_net(*shape)
    searched = ir.nand_count(ir.lower_net(net).bits)

    def cost(limit: str, value: int) -> float:
        with monkeypatch.context() as patch:
            patch.setattr(sharing, limit, value)
            ir.lower_net.cache_clear()
            return ir.nand_count(ir.lower_net(net).bits)

    greedy, plain = cost("STEPS", 0), cost("SAFE", 0)
    ir.lower_net.cache_clear()
    assert searched < greedy < plain


def test_sums_of_two_classes_have_names_of_their_own() -> None:
    plan = ir.lower_net(dense_net(5, 3, 2)).plan
    names = [value.name for value in plan.sums]
    assert len(set(names)) == len(names)


def test_a_class_that_always_wins_needs_no_sum() -> None:
    net = dense_net(4, 3)
    scores = net.layers[-1].neurons
    sure = replace(net, layers=(ir.Layer((scores[0], replace(scores[1], bias=1 << 30), scores[2])),))
    lowered = ir.lower_net(sure)
    assert all(not value.operands for value in lowered.plan.sums)
    assert np.array_equal(ir.interpret_circuit(ir.bit_blast(sure), np.array([[0] * 4, [15] * 4])).decision, [1, 1])


def test_wide_layers_are_searched_in_blocks() -> None:
    """More sources than one search holds."""
    net = dense_net(150, 3)
    circuit = ir.bit_blast(net)
    codes = np.random.default_rng(1).integers(0, 16, (40, 150))
    expected = ir.interpret(net, codes).decision
    assert np.array_equal(ir.interpret_circuit(circuit, codes).decision, expected)
    assert len(set(expected.tolist())) > 1


@settings(derandomize=True, deadline=None)
@given(st.integers(-(1 << 40), 1 << 40), st.integers(1, 12))
def test_digit_forms_are_the_value_and_as_short(value: int, most: int) -> None:
    forms = signed_digit_forms(value, most)
    assert 1 <= len(forms) <= most
    assert len(set(forms)) == len(forms)
    assert forms[0] == tuple(ir.signed_digits(value))
    for form in forms:
        assert sum(sign << exponent for sign, exponent in form) == value
        assert len(form) == digit_count(value)


def test_there_are_forms_to_choose_from() -> None:
    assert set(signed_digit_forms(3, 12)) == {((-1, 0), (1, 2)), ((1, 0), (1, 1))}
    assert len(signed_digit_forms(0b1010101011, 12)) > 3


def dense_net(inputs: int, *layers: int) -> ir.Net:
    """A net with full 8-bit weights, 4-bit inputs and 6-bit hidden outputs."""
    rng = np.random.default_rng(7)
    built, sources, bits = [], inputs, 4
    for width in layers:
        weights = rng.integers(-127, 128, (width, sources)).tolist()
        neurons = (
            ir.Neuron(
                int(rng.integers(-900, 900)),
                tuple(term for k, weight in enumerate(row) for term in ir.weight_terms(weight, k, bits)),
                ir.QRelu(6, 6),
            )
            for row in weights
        )
        built.append(ir.Layer(tuple(neurons)))
        sources, bits = width, 6
    built[-1] = ir.Layer(tuple(replace(neuron, activation=ir.Raw()) for neuron in built[-1].neurons))
    features = tuple(ir.Input(f"f{k}", 4, 1.0, 0.0) for k in range(inputs))
    net = ir.Net(features, tuple(built), ir.Argmax(), tuple(range(layers[-1])))
    ir.verify(net)
    return net
