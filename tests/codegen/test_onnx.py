"""onnxruntime on the exported graph against the reference interpreter: bit for bit on integers."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from support.models import random_model
from support.nets import random_codes, random_features, random_net

from mlpress.codegen import onnx_model, onnx_net
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
    encode,
    interpret,
    interpret_model,
    score_values,
    verify,
)
from mlpress.sim import Oracle

ROWS = 64


def _check(net: Net, codes: np.ndarray, found: dict[str, np.ndarray]) -> None:
    trace = interpret(net, codes)
    for k in range(len(net.layers)):
        np.testing.assert_array_equal(found[f"sum_{k}"], trace.sums[k], strict=True)
        np.testing.assert_array_equal(found[f"out_{k}"], trace.layers[k], strict=True)
    if trace.decision is None:
        np.testing.assert_array_equal(found["values"], score_values(net, trace.scores), strict=True)
        assert "decision" not in found
    else:
        np.testing.assert_array_equal(found["decision"], trace.decision, strict=True)


@pytest.mark.parametrize("seed", range(300))
def test_random_net(seed: int) -> None:
    rng = np.random.default_rng(seed)
    net = random_net(rng)
    codes = random_codes(rng, net, ROWS)
    _check(net, codes, Oracle(onnx_net(net, "codes")).run(codes))

    features = random_features(rng, net, ROWS)
    found = Oracle(onnx_net(net)).run(features)
    np.testing.assert_array_equal(found["codes"], encode(net, features), strict=True)
    _check(net, found["codes"], found)


def test_random_nets_cover_what_they_promise() -> None:
    """The 300 seeds above hold every element, and ties decide rows."""
    nets = [random_net(np.random.default_rng(seed)) for seed in range(300)]
    assert {len(net.layers) for net in nets} == {1, 2, 3, 4}
    assert {type(net.head).__name__ for net in nets} == {"Argmax", "Threshold", "Scores"}
    assert {feature.bits for net in nets for feature in net.inputs} == set(range(1, 9))
    assert {len(layer.neurons) for net in nets for layer in net.layers} >= {1, 24}
    hidden = [[type(n.activation) for n in layer.neurons] for net in nets for layer in net.layers[:-1]]
    assert any({QRelu, Ladder} == set(kinds) for kinds in hidden)
    neurons = [neuron for net in nets for layer in net.layers for neuron in layer.neurons]
    assert any(not neuron.terms for neuron in neurons)
    assert any(len(set(neuron.terms)) < len(neuron.terms) for neuron in neurons)
    assert any(feature.levels == () for net in nets for feature in net.inputs)
    ranges = [window for net in nets if isinstance(net.head, Argmax) for window in net.head.ranges]
    assert any(window.high is None for window in ranges)
    assert any(window.high is not None for window in ranges)
    tied = 0
    for seed, net in enumerate(nets):
        if isinstance(net.head, Argmax):
            scores = interpret(net, random_codes(np.random.default_rng(seed), net, 8)).scores
            tied += bool(((scores == scores.max(axis=1, keepdims=True)).sum(axis=1) > 1).any())
    assert tied > 50


def test_extremes_of_shift_and_width() -> None:
    top = 1 << 61
    hidden = (
        Neuron(top, (Term(0, 1, 45, 0xFFFF),), QRelu(63, 24)),
        Neuron(top, (Term(0, 1, 45, 0xFFFF),), QRelu(60, 24)),
        Neuron(-top, (Term(0, -1, 45, 0xFFFF),), QRelu(0, 24)),
        Neuron(0, (Term(0, 1, 0, 0x8001),), QRelu(0, 24)),
        Neuron(-top, (Term(0, 1, 46, 0x7FFF),), Ladder((-(1 << 63), -top, -1, 0, (1 << 63) - 1))),
    )
    last = tuple(Neuron(k, tuple(Term(j, 1, 20, 1) for j in range(5)), Raw()) for k in range(4))
    net = Net(
        (Input("a", 16, 1.0, 0.0, "floor", tuple(range(1, 65536, 7))),),
        (Layer(hidden), Layer(last)),
        Argmax((BitRange(0, 64), BitRange(63), BitRange(62, 63))),
        (0, 1, 2, 3),
    )
    verify(net)
    codes = np.array([[0], [1], [8], [65535 - 65534 % 7]])
    _check(net, codes, Oracle(onnx_net(net, "codes")).run(codes))


def test_many_rows_and_none() -> None:
    rng = np.random.default_rng(5)
    net = random_net(rng, head="argmax", neurons=3, inputs=3)
    codes = random_codes(rng, net, 2500)
    oracle = Oracle(onnx_net(net, "codes"))
    _check(net, codes, oracle.run(codes))
    assert oracle.run(codes[:0])["decision"].shape == (0,)


def test_graph_is_plain_and_repeats() -> None:
    net = random_net(np.random.default_rng(3), layers=3)
    graph = onnx_net(net)
    assert {node.domain for node in graph.graph.node} == {""}
    assert [(opset.domain, opset.version) for opset in graph.opset_import] == [("", 18)]
    assert graph.SerializeToString() == onnx_net(net).SerializeToString()
    onnx.checker.check_model(graph, full_check=True)


@pytest.mark.parametrize("seed", range(80))
def test_random_model(seed: int) -> None:
    """Reals agree to rounding; a decision may differ only where rounding decides it."""
    rng = np.random.default_rng(seed)
    model = random_model(rng, quantised=False)
    features = rng.normal(size=(ROWS, len(model.inputs)))
    outputs, decision = interpret_model(model, features)
    double = Oracle(onnx_model(model)).run(features)
    np.testing.assert_allclose(double["outputs"], outputs, rtol=1e-9, atol=1e-9)
    single = Oracle(onnx_model(model, "float32")).run(features)
    np.testing.assert_allclose(single["outputs"], outputs, rtol=1e-3, atol=1e-3)
    if decision is None:
        assert "decision" not in double
    else:
        assert np.mean(double["decision"] == decision) >= 0.98
        assert double["decision"].dtype == np.int64


@pytest.mark.parametrize("seed", range(20))
def test_quantised_model(seed: int) -> None:
    """Rounding may move a value that lies on an edge to the next code, hence the share of rows."""
    rng = np.random.default_rng(seed)
    model = random_model(rng, quantised=True)
    features = rng.normal(size=(ROWS, len(model.inputs)))
    outputs, _ = interpret_model(model, features)
    found = Oracle(onnx_model(model)).run(features)["outputs"]
    assert np.mean(np.isclose(found, outputs, rtol=1e-9, atol=1e-9).all(axis=1)) >= 0.9


def test_model_scales_inputs_before_it_clips_and_quantises() -> None:
    model = replace(random_model(np.random.default_rng(1), quantised=True))
    graph = onnx_model(model)
    assert [node.op_type for node in graph.graph.node][:2] == ["Mul", "Add"]
