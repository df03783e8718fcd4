"""Training of networks with weights and hidden outputs of 1 to 4 bits."""

from __future__ import annotations

import numpy as np
import pytest

from mlpress import approx, ir
from mlpress.errors import MlpressError


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Codes int64 (400, 4) and classes: where the first sum is larger than the second, in three steps."""
    codes = np.random.default_rng(0).integers(0, 8, (400, 4))
    return codes, np.digitize(codes[:, 0] + codes[:, 1] - codes[:, 2] - codes[:, 3], [-3, 4])


def shape(classes: int = 3) -> ir.Net:
    inputs = tuple(ir.Input(f"x{k}", 3, 1.0, 0.0) for k in range(4))
    return approx.dense(inputs, (4,), tuple(range(classes)), 2)


def whole_weights(net: ir.Net) -> set[int]:
    sources, found = len(net.inputs), set[int]()
    for layer in net.layers:
        found |= set(approx.weights_of(layer, sources).astype(int).reshape(-1).tolist())
        sources = len(layer.neurons)
    return found


@pytest.mark.parametrize(("weight_bits", "bits", "least"), [(1, 1, 0.6), (2, 2, 0.8), (3, 4, 0.82), (4, 3, 0.82)])
def test_weights_and_outputs_have_so_many_bits_and_decide_rightly(weight_bits: int, bits: int, least: float) -> None:
    codes, labels = rows()
    how = approx.Training((4,), whole=weight_bits, bits=bits, epochs=30, rate=0.02, scaled=True)
    net = approx.train(codes, labels, shape(), how)
    ir.verify(net)
    largest = max(1, (1 << (weight_bits - 1)) - 1)
    found = whole_weights(net)
    assert found <= set(range(-largest, largest + 1))
    assert (0 in found) == (weight_bits > 1)
    for neuron in net.layers[0].neurons:
        assert isinstance(neuron.activation, ir.Ladder)
        assert len(neuron.activation.thresholds) == (1 << bits) - 1
    assert np.mean(ir.interpret(net, codes).decision == labels) > least
    assert approx.train(codes, labels, shape(), how) == net


def test_one_score_is_decided_at_the_heads_threshold() -> None:
    codes, labels = rows()
    plain = shape(2)
    one = ir.Net(plain.inputs, (plain.layers[0], ir.Layer(plain.layers[1].neurons[:1])), ir.Threshold(5), plain.classes)
    net = approx.train(
        codes,
        (labels > 1).astype(np.int64),
        one,
        approx.Training((4,), whole=2, bits=2, epochs=30, rate=0.02, scaled=True),
    )
    assert np.mean(ir.interpret(net, codes).decision == (labels > 1)) > 0.8


@pytest.mark.parametrize(("bits", "says"), [({"whole": 0}, "whole is 0"), ({"whole": 2, "bits": 5}, "bits is 5")])
def test_other_bits_are_refused(bits: dict[str, int], says: str) -> None:
    codes, labels = rows()
    with pytest.raises(MlpressError, match=says):
        approx.train(codes, labels, shape(), approx.Training((4,), **{"bits": 2} | bits, scaled=True))
