"""The trainer's evenly spaced weights, what the net teaches, and which starts have them."""

from __future__ import annotations

import numpy as np
import pytest

from mlpress.approx import Layout, StartShape, Training, dense, train, weights_of
from mlpress.approx.integer.starts import _trainings
from mlpress.approx.integer.training import _wanted
from mlpress.hw import mcu
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, QRelu, Raw, Term, interpret
from mlpress.targets.mcu_prices import TRAININGS, mcu_cost_model

INPUTS = tuple(Input(f"x{k}", 4, 16.0, 0.0) for k in range(6))


def rows(count: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Codes (rows, 6), and which of three sums of two inputs is the largest."""
    codes = np.random.default_rng(0).integers(0, 16, (count, 6))
    return codes, (codes[:, ::2] + codes[:, 1::2]).argmax(axis=1)


@pytest.mark.parametrize("bits", [2, 3])
def test_even_weights_are_whole_numbers_of_so_many_bits(bits: int) -> None:
    codes, labels = rows()
    net = train(codes, labels, dense(INPUTS, (8,), (0, 1, 2), 4), Training((8,), bits=4, rate=0.01, whole=bits))
    weights = np.concatenate([weights_of(layer, n).ravel() for layer, n in zip(net.layers, (6, 8), strict=True)])
    most = (1 << (bits - 1)) - 1
    assert set(weights) == set(range(-most, most + 1))
    assert np.mean(interpret(net, codes).decision == labels) > 0.85


def test_sparsity_leaves_weights_out() -> None:
    codes, labels = rows()
    like = dense(INPUTS, (8,), (0, 1, 2), 4)
    counts = []
    for sparsity in (0.0, 3e-3):
        how = Training((8,), bits=4, rate=0.01, whole=2, sparsity=sparsity)
        counts.append(sum(len(n.terms) for layer in train(codes, labels, like, how).layers for n in layer.neurons))
    assert counts[1] < 0.9 * counts[0]


def test_what_is_taught_are_the_nets_own_scores_and_the_labels() -> None:
    hidden = Layer(tuple(Neuron(-8 * k, (Term(k, 1, 1, 15), Term(k + 1, 1, 0, 15)), QRelu(1, 4)) for k in range(3)))
    last = Layer(tuple(Neuron(k, (Term(k, 1, 0, 15), Term((k + 1) % 3, -1, 1, 15)), Raw()) for k in range(3)))
    net = Net(INPUTS, (hidden, last), Argmax(), (0, 1, 2))
    codes, labels = rows(50)
    scores = interpret(net, codes).scores
    assert scores is not None
    taught = _wanted(codes, labels, net, 1.0)
    np.testing.assert_allclose(taught.sum(axis=1), 1)
    np.testing.assert_array_equal(np.diff(taught, axis=1) > 0, np.diff(scores, axis=1) > 0)
    np.testing.assert_array_equal(_wanted(codes, labels, net, 0.0), np.eye(3)[labels])
    np.testing.assert_allclose(_wanted(codes, labels, net, 0.25), 0.25 * taught + 0.75 * np.eye(3)[labels])


def test_only_a_cost_model_that_asks_gets_even_weights() -> None:
    like = dense(INPUTS, (8,), (0, 1, 2), 4)
    plain = list(_trainings(like, 1000, 0, 16, ()))
    assert {(how.whole, how.taught, how.hidden[0]) for how in plain} == {(0, 0.0, 8), (0, 0.0, 7), (0, 0.0, 6)}
    assert [how.rate for how in plain[:4]] == [0.03, 0.03, 0.1, 0.01]
    assert [how.bits for how in plain[:4]] == [4, 3, 2, 4]
    assert [how.sparsity for how in plain[:6]] == [0.0, 0.0, 1e-3, 1e-3, 3e-3, 3e-3]
    asked = list(_trainings(like, 1000, 0, 2, (StartShape(0.5, 0, 2, 5e-4, 0.7), StartShape())))
    assert asked[0] == Training((4,), 0, 0, 4, 100, 64, 0.01, 5e-4, False, 2, 0.7)
    assert asked[1].whole == 0


def test_microcontrollers_ask_for_ternary_starts() -> None:
    model = mcu_cost_model(Layout.of(dense(INPUTS, (8,), (0, 1, 2), 4)), mcu.read_core("cortex-m0plus"), "flash")
    assert model.trainings == TRAININGS
    assert sum(shape.whole == 2 for shape in TRAININGS) >= 3
