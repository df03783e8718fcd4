"""Quantisation: near the model, within the bits it was given, and run by the fast code as the interpreter runs it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from mlpress.errors import MlpressError
from mlpress.frontend import Dataset, Report, from_sklearn, quantise
from mlpress.frontend.calibrate import Bits, calibrated
from mlpress.frontend.integer import as_net, decisions, forward, input_codes, product
from mlpress.ir import (
    Argmax,
    ArgmaxHead,
    Clip,
    Dense,
    HardSigmoid,
    Ladder,
    LeakyRelu,
    Linear,
    Model,
    QRelu,
    Raw,
    Relu,
    Scores,
    ScoresHead,
    Sigmoid,
    Tanh,
    Threshold,
    ThresholdHead,
    encode,
    interpret,
    interpret_model,
    score_values,
    verify,
)

ACTIVATIONS = [
    Linear(),
    Relu(),
    Clip(0.0, 6.0),
    Clip(-1.0, 1.0),
    Clip(0.5, 0.5),
    LeakyRelu(0.1),
    LeakyRelu(0.0),
    Sigmoid(),
    HardSigmoid(0.2, 0.5),
    HardSigmoid(0.0, 0.5),
    Tanh(),
]


def fit(estimator, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return from_sklearn(estimator.fit(data.features, data.labels))


def classifier(data, scaler=None, hidden=(6,), **options):
    mlp = MLPClassifier(hidden, max_iter=300, learning_rate_init=0.01, random_state=0, **options)
    return fit(make_pipeline(scaler or StandardScaler(), mlp), data)


def weight_matrix(layer, width):
    """The integer weights that a layer's terms add up to, with every mask full."""
    found = np.zeros((len(layer.neurons), width), np.int64)
    for j, neuron in enumerate(layer.neurons):
        for term in neuron.terms:
            found[j, term.source] += term.sign << term.shift
    return found


def score(net, data):
    trace = interpret(net, encode(net, data.features))
    return float(np.mean(trace.decision == data.labels))


@st.composite
def models(draw):
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    widths = [draw(st.integers(1, 5)) for _ in range(draw(st.integers(2, 4)))]
    head = draw(st.sampled_from([ArgmaxHead(), ThresholdHead(0.25), ScoresHead()]))
    widths[-1] = {ArgmaxHead(): max(2, widths[-1]), ThresholdHead(0.25): 1}.get(head, widths[-1])
    sparse = draw(st.booleans())
    size = draw(st.sampled_from([1e-3, 1.0, 300.0]))
    layers = []
    for before, after in pairwise(widths):
        weight = rng.normal(size=(after, before)) * size * (rng.random((after, before)) < (0.4 if sparse else 1.0))
        layers.append(Dense(weight, rng.normal(size=after) * size, draw(st.sampled_from(ACTIVATIONS))))
    layers[-1] = replace(layers[-1], activation=Linear())
    classes = {ArgmaxHead(): tuple(range(widths[-1])), ThresholdHead(0.25): (0, 1)}.get(head, ())
    names = tuple(f"f{i}" for i in range(widths[0]))
    clip = draw(st.sampled_from([None, Clip(0.0, 1.0)]))
    scale = rng.choice([-2.0, 0.0, 0.5, 1.0], widths[0])
    model = Model(names, scale, rng.normal(size=widths[0]), tuple(layers), head, classes, clip)
    rows = draw(st.sampled_from([1, 2, 40]))
    features = rng.normal(size=(rows, widths[0])) * rng.choice([0.0, 1e-3, 1.0, 50.0], widths[0])
    targets = rng.normal(size=(rows, widths[-1])) if not classes else rng.integers(0, len(classes), rows)
    return model, Dataset(features, targets, names, classes)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(models(), st.integers(1, 6), st.integers(2, 9), st.integers(1, 8), st.integers(1, 4))
def test_any_model_gives_a_net_that_the_fast_code_runs(case, inputs, weights, activations, ladder):
    model, data = case
    verify(model)
    bits = Bits(inputs, weights, activations, ladder, 0.99)
    codes_in, layers, head = calibrated(model, data.features, bits, "auto")
    net = as_net(codes_in, layers, head, model.classes)
    wild = np.concatenate([data.features, data.features * 3 + 1])
    codes = input_codes(net.inputs, wild)
    np.testing.assert_array_equal(codes, encode(net, wild))
    trace = interpret(net, codes)
    sums, outputs = forward(layers, codes)
    for k in range(len(layers)):
        np.testing.assert_array_equal(sums[k], trace.sums[k])
        np.testing.assert_array_equal(outputs[k], trace.layers[k])
    decided = decisions(head, outputs[-1])
    assert (decided is None) == (trace.decision is None)
    assert decided is None or (decided == trace.decision).all()
    assert {feature.bits for feature in net.inputs} == {inputs}
    width = len(net.inputs)
    for layer in net.layers:
        assert np.abs(weight_matrix(layer, width)).max(initial=0) < 1 << (weights - 1)
        width = len(layer.neurons)
        for neuron in layer.neurons:
            match neuron.activation:
                case QRelu(bits=used):
                    assert used <= activations
                case Ladder(thresholds=thresholds):
                    assert len(thresholds) == (1 << ladder) - 1
                case Raw():
                    assert layer is net.layers[-1]


def test_products_beyond_double_precision_are_exact():
    codes = np.array([[(1 << 20) - 1, 3]], np.int64)
    weight = np.array([[(1 << 40) + 1, 1]], np.int64)
    assert product(codes, weight).tolist() == [[((1 << 20) - 1) * ((1 << 40) + 1) + 3]]


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler((0, 0.9))], ids=repr)
def test_accuracy_stays(name, activation, scaler):
    train, test = Dataset.bundled(name).split()
    model = classifier(train, scaler, (16,) if name == "digits" else (6,), activation=activation)
    result = quantise(model, train)
    assert result.report.metric == "accuracy"
    assert result.report.net_score >= result.report.model_score - 0.02
    assert result.report.agreement >= 0.97
    _, decided = interpret_model(model, test.features)
    assert score(result.net, test) > np.mean(decided == test.labels) - 0.02


def test_report_is_what_the_interpreter_says():
    train, _ = Dataset.bundled("wine").split()
    model = classifier(train)
    result = quantise(model, train, input_bits=2, weight_bits=4, activation_bits=3, quantile=0.8)
    trace = interpret(result.net, encode(result.net, train.features))
    _, decided = interpret_model(model, train.features)
    [activation] = {neuron.activation for neuron in result.net.layers[0].neurons}
    saturated = float(np.mean(trace.sums[0] >> activation.shift > 7))
    assert result.report == Report(
        metric="accuracy",
        model_score=float(np.mean(decided == train.labels)),
        net_score=float(np.mean(trace.decision == train.labels)),
        agreement=float(np.mean(trace.decision == decided)),
        saturation=(saturated,),
        rows=len(train),
        exact=False,
    )
    assert activation.bits == 3
    assert 0.0 < saturated <= 0.2


def test_rows_saturate_no_more_than_the_quantile_allows():
    train, _ = Dataset.bundled("breast_cancer").split()
    model = classifier(train, hidden=(8, 5))
    shifts = []
    for quantile in (1.0, 0.95, 0.7):
        net = quantise(model, train, activation_bits=4, quantile=quantile).net
        trace = interpret(net, encode(net, train.features))
        for layer, sums in zip(net.layers[:-1], trace.sums, strict=False):
            shift = layer.neurons[0].activation.shift
            share = np.mean(sums >> shift > 15, axis=0)
            assert (share <= 1.0 - quantile + 1e-12).all()
        shifts.append([layer.neurons[0].activation.shift for layer in net.layers[:-1]])
    assert shifts[0] > shifts[-1]


def test_inputs_of_the_literatures_protocol_are_exact():
    train, test = Dataset.bundled("wine").split(0.3, seed=42)
    scaler = MinMaxScaler((0, 0.9))
    net = quantise(classifier(train, scaler), train).net
    for data in (train, test):
        expected = np.clip(np.floor(16 * scaler.transform(data.features)), 0, 15)
        np.testing.assert_array_equal(encode(net, data.features), expected)


def test_input_ranges():
    rng = np.random.default_rng(0)
    features = np.stack([rng.uniform(5, 9, 100), rng.uniform(0, 1, 100), np.full(100, 3.0)], axis=1)
    data = Dataset.from_arrays(features, (features[:, 0] > 7).astype(int), ["wide", "unit", "constant"])
    layer = Dense(np.ones((1, 3)), np.array([-11.0]), Linear())
    model = Model(("wide", "unit", "constant"), np.ones(3), np.zeros(3), (layer,), ThresholdHead(), (0, 1))
    net = quantise(model, data).net
    codes = encode(net, features)
    assert codes.min(axis=0).tolist() == [0, 0, 0]
    assert codes.max(axis=0).tolist() == [15, 15, 0]
    assert all(term.source != 2 for neuron in net.layers[0].neurons for term in neuron.terms)
    unit = quantise(model, data, input_range="unit").net
    np.testing.assert_array_equal(encode(unit, features)[:, 1], np.floor(16 * features[:, 1]))
    assert encode(unit, features)[:, 0].min() == 15
    only_unit = Dataset.from_arrays(features[:, 1:2], data.labels, ["unit"])
    small = Model(
        ("unit",), np.ones(1), np.zeros(1), (Dense(np.ones((1, 1)), -np.ones(1), Linear()),), ThresholdHead(), (0, 1)
    )
    assert quantise(small, only_unit).net.inputs[0].scale == 16.0
    assert quantise(small, only_unit, input_range="data").net.inputs[0].scale != 16.0


def test_clipped_features_use_only_the_range_inside():
    features = np.linspace(-3, 3, 200)[:, None]
    data = Dataset.from_arrays(features, (features[:, 0] > 0.5).astype(int), ["f"])
    layer = Dense(np.ones((1, 1)), np.array([-0.5]), Linear())
    model = Model(("f",), np.ones(1), np.zeros(1), (layer,), ThresholdHead(), (0, 1), Clip(0.0, 1.0))
    result = quantise(model, data)
    np.testing.assert_array_equal(encode(result.net, features)[:, 0], np.clip(np.floor(16 * features[:, 0]), 0, 15))
    assert result.report.agreement > 0.99


@pytest.mark.parametrize("activation", [Relu(), Linear(), Clip(0.0, 1.0), Clip(-0.5, 0.75), HardSigmoid(0.25, 0.5)])
@pytest.mark.parametrize("bits", [4, 8])
def test_codes_stand_for_the_models_values(activation, bits):
    """The code of a single neuron is a rising affine function of its activation, to half a step."""
    features = np.linspace(-3, 3, 401)[:, None]
    layers = (Dense(np.ones((1, 1)), np.zeros(1), activation), Dense(np.ones((1, 1)), np.zeros(1), Linear()))
    model = Model(("f",), np.ones(1), np.zeros(1), layers, ScoresHead(), ())
    values, _ = interpret_model(model, features)
    data = Dataset(features, values[:, 0], ("f",))
    net = quantise(model, data, input_bits=12, weight_bits=12, activation_bits=bits, quantile=1.0).net
    trace = interpret(net, encode(net, features))
    [neuron] = net.layers[0].neurons
    assert isinstance(neuron.activation, QRelu)
    assert trace.layers[0].min() == 0
    step = np.ptp(values) / (1 << bits)
    assert trace.layers[0].max() >= 0.5 * (1 << bits)
    np.testing.assert_allclose(score_values(net, trace.scores), values, atol=1.1 * step)
    if not isinstance(activation, Relu | Linear):
        assert trace.layers[0].max() == (1 << neuron.activation.bits) - 1


@pytest.mark.parametrize("activation", [Sigmoid(), Tanh(), LeakyRelu(0.1)])
def test_other_activations_become_ladders(activation):
    features = np.linspace(-3, 3, 601)[:, None]
    layers = (Dense(np.array([[1.0], [-2.0]]), np.zeros(2), activation), Dense(np.ones((1, 2)), np.zeros(1), Linear()))
    model = Model(("f",), np.ones(1), np.zeros(1), layers, ScoresHead(), ())
    values, _ = interpret_model(model, features)
    data = Dataset(features, values[:, 0], ("f",))
    net = quantise(model, data, input_bits=12, weight_bits=12, ladder_bits=5, quantile=1.0).net
    trace = interpret(net, encode(net, features))
    assert [trace.layers[0].min(), trace.layers[0].max()] == [0, 31]
    assert all(len(neuron.activation.thresholds) == 31 for neuron in net.layers[0].neurons)
    steps = [np.ptp(values_of(layers[0], features)[:, j]) / 31 for j in range(2)]
    np.testing.assert_allclose(score_values(net, trace.scores), values, atol=0.6 * sum(steps) + 0.02)


def values_of(layer, x):
    values, _ = interpret_model(Model(("f",), np.ones(1), np.zeros(1), (layer, identity(2)), ScoresHead(), ()), x)
    return values


def identity(width):
    return Dense(np.eye(width), np.zeros(width), Linear())


def test_two_classes_by_a_threshold():
    train, test = Dataset.bundled("breast_cancer").split()
    model = classifier(train)
    result = quantise(model, train)
    assert result.net.head == Threshold(0)
    assert result.net.classes == ("malignant", "benign")
    assert result.net.inputs[0].name == "mean radius"
    moved = replace(model, head=ThresholdHead(1.5))
    _, decided = interpret_model(moved, test.features)
    net = quantise(moved, train).net
    assert np.mean(interpret(net, encode(net, test.features)).decision == decided) > 0.96


def test_regression():
    train, test = Dataset.bundled("diabetes").split()
    mlp = MLPRegressor(hidden_layer_sizes=(8,), max_iter=2000, learning_rate_init=0.05, random_state=0)
    model = fit(make_pipeline(StandardScaler(), mlp), train)
    result = quantise(model, train, input_bits=6)
    assert result.report.metric == "r2"
    assert isinstance(result.net.head, Scores)
    assert result.net.classes == ()
    assert result.report.agreement > 0.98
    assert result.report.net_score > result.report.model_score - 0.02
    values, _ = interpret_model(model, test.features)
    found = score_values(result.net, interpret(result.net, encode(result.net, test.features)).scores)
    assert np.corrcoef(values[:, 0], found[:, 0])[0, 1] > 0.98


def test_labels_and_names_come_from_the_data():
    data = Dataset.bundled("iris")
    model = fit(make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=300, random_state=0)), data)
    assert model.classes == (0, 1, 2)
    net = quantise(model, data).net
    assert net.classes == ("setosa", "versicolor", "virginica")
    assert net.head == Argmax()
    assert [feature.name for feature in net.inputs] == list(data.names)


def test_rows_without_some_classes_are_matched_with_the_net():
    features = np.stack([np.arange(60.0), np.ones(60)], axis=1)
    labels = np.repeat([1, 2, 4], 20)
    data = Dataset.from_arrays(features, labels, ["a", "b"])
    model = classifier(Dataset.from_arrays(features, np.repeat([0, 1, 2], 20)))
    assert model.classes == (0, 1, 2)
    net = quantise(model, data).net
    assert net.classes == (1, 2, 4)
    part = Dataset.from_arrays(features[:40], labels[:40], ["a", "b"])  # by the model's own numbers it would fit too
    assert part.for_model(net).labels.tolist() == data.for_model(net).labels.tolist()[:40]
    assert part.for_model(net).classes == (1, 2, 4)
    with pytest.raises(MlpressError, match="label 3 is none of the model's 3 classes"):
        Dataset.from_arrays(features, np.repeat([1, 3], 30), ["a", "b"]).for_model(net)


def test_targets_are_matched_with_the_net():
    data = Dataset.from_arrays(np.linspace(0, 1, 9)[:, None], np.linspace(0, 2, 9), ["a"])
    model = Model(
        ("a",), np.ones(1), np.zeros(1), (Dense(np.full((1, 1), 2.0), np.zeros(1), Linear()),), ScoresHead(), ()
    )
    net = quantise(model, data).net
    assert data.for_model(net).labels.tolist() == data.labels.tolist()


def test_the_same_call_gives_the_same_net():
    train, _ = Dataset.bundled("wine").split()
    model = classifier(train)
    assert quantise(model, train) == quantise(model, train)


def test_more_bits_come_nearer():
    train, _ = Dataset.bundled("digits").split()
    model = classifier(train, hidden=(12,))
    agreements = [
        quantise(model, train, input_bits=bits, weight_bits=weights, activation_bits=weights).report.agreement
        for bits, weights in ((2, 3), (4, 6), (8, 10))
    ]
    assert agreements == sorted(agreements)
    assert agreements[0] < 0.95
    assert agreements[-1] > 0.998


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_bits": 0}, "input_bits is 0; it must be 1 to 16"),
        ({"input_bits": 17}, "input_bits is 17; it must be 1 to 16"),
        ({"weight_bits": 1}, "weight_bits is 1; it must be 2 to 16"),
        ({"activation_bits": 0}, "activation_bits is 0; it must be 1 to 16"),
        ({"ladder_bits": 9}, "ladder_bits is 9; it must be 1 to 8"),
        ({"quantile": 0.5}, "quantile is 0.5; it must be above 0.5 and at most 1"),
        ({"quantile": 1.5}, "quantile is 1.5; it must be above 0.5 and at most 1"),
        ({"input_range": "full"}, "input_range is 'full'; it must be auto, unit or data"),
    ],
)
def test_options_out_of_range(options, message):
    data = Dataset.bundled("iris")
    model = Model(
        data.names, np.ones(4), np.zeros(4), (Dense(np.eye(3, 4), np.zeros(3), Linear()),), ArgmaxHead(), (0, 1, 2)
    )
    with pytest.raises(MlpressError) as caught:
        quantise(model, data, **options)
    assert str(caught.value) == message


def test_data_that_does_not_fit():
    data = Dataset.bundled("iris")
    model = Model(("a", "b"), np.ones(2), np.zeros(2), (Dense(np.eye(2), np.zeros(2), Linear()),), ArgmaxHead(), (0, 1))
    with pytest.raises(MlpressError, match="the model has 2 inputs but the data has 4 features"):
        quantise(model, data)
