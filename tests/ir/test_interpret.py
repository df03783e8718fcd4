import numpy as np
import pytest

from mlpress.errors import MlpressError
from mlpress.ir import (
    Argmax,
    ArgmaxHead,
    BitRange,
    Clip,
    Dense,
    HardSigmoid,
    Input,
    Ladder,
    Layer,
    LeakyRelu,
    Linear,
    Model,
    Net,
    Neuron,
    QRelu,
    Quantiser,
    Raw,
    RealActivation,
    Relu,
    Scores,
    ScoresHead,
    Sigmoid,
    Tanh,
    Term,
    Threshold,
    ThresholdHead,
    encode,
    interpret,
    interpret_model,
    score_values,
)


def _net(*features: Input) -> Net:
    neuron = Neuron(0, (Term(0, 1, 0, 1),), Raw())
    return Net(features, (Layer((neuron, neuron)),), Argmax(), (0, 1))


def _chooser(scores: int, ranges: tuple[BitRange, ...] = ()) -> Net:
    """A net whose scores are its inputs minus 8."""
    layer = Layer(tuple(Neuron(-8, (Term(k, 1, 0, 15),), Raw()) for k in range(scores)))
    inputs = tuple(Input(f"f{k}", 4, 1.0, 0.0) for k in range(scores))
    return Net(inputs, (layer,), Argmax(ranges), tuple(range(scores)))


def test_encoding_rounds_and_saturates() -> None:
    net = _net(Input("floor", 4, 2.0, 0.5), Input("even", 4, 1.0, 0.0, "even"))
    features = [[-9.0, 0.5], [0.2, 1.5], [0.25, 2.5], [1.0, 2.51], [7.5, 15.4], [1e308, 1e308]]
    assert encode(net, np.array(features)).tolist() == [[0, 0], [0, 2], [1, 2], [2, 3], [15, 15], [15, 15]]


def test_encoding_keeps_the_level_that_is_reached() -> None:
    net = _net(Input("pruned", 4, 1.0, 0.0, levels=(3, 4, 9)), Input("gone", 4, 1.0, 0.0, levels=()))
    features = np.array([[x, x] for x in (0.0, 2.9, 3.0, 4.0, 8.5, 9.0, 99.0)])
    assert encode(net, features).tolist() == [[0, 0], [0, 0], [3, 0], [4, 0], [4, 0], [9, 0], [9, 0]]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([[1.0, 2.0]], r"features have shape \(1, 2\); expected \(rows, 1\)"),
        ([[1.0], [float("nan")]], "row 1, feature 'a': nan is not a finite number; drop or fill the row"),
        ([[float("-inf")]], "row 0, feature 'a': -inf is not a finite number"),
    ],
)
def test_features_that_are_refused(features: list[list[float]], message: str) -> None:
    with pytest.raises(MlpressError, match=message):
        encode(_net(Input("a", 4, 1.0, 0.0)), np.array(features))


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.array([[1.0]]), "codes are float64"),
        (np.array([1]), r"codes are int64 \(1,\); expected integers \(rows, 1\)"),
        (np.array([[1], [16]]), "row 1, input 'a': code 16 is not one that its 4-bit converter gives; encode"),
        (np.array([[-1]]), "code -1 is not one"),
        (np.array([[4]]), "code 4 is not one"),
    ],
)
def test_codes_that_are_refused(codes: np.ndarray, message: str) -> None:
    with pytest.raises(MlpressError, match=message):
        interpret(_net(Input("a", 4, 1.0, 0.0, levels=(1, 5))), codes)


def test_a_neuron_by_hand() -> None:
    hidden = (
        Neuron(-5, (Term(0, 1, 2, 0b1010), Term(1, -1, 0, 0b0111)), QRelu(1, 3)),
        Neuron(1, (Term(1, 1, 0, 15),), Ladder((0, 4, 4, 16))),
        Neuron(7, (), QRelu(0, 2)),
    )
    last = Neuron(-1, tuple(Term(k, 1, 0, 1) for k in range(3)), Raw())
    net = Net(
        (Input("a", 4, 1.0, 0.0), Input("b", 4, 1.0, 0.0)), (Layer(hidden), Layer((last,))), Threshold(2), ("n", "y")
    )
    trace = interpret(net, np.array([[15, 9], [2, 15], [0, 0], [3, 3]]))
    assert trace.sums[0].tolist() == [[34, 10, 7], [-4, 16, 7], [-5, 1, 7], [0, 4, 7]]
    assert trace.layers[0].tolist() == [[7, 3, 3], [0, 4, 3], [0, 1, 3], [0, 3, 3]]
    assert trace.scores.tolist() == [[2], [0], [1], [1]]
    assert trace.decision is not None
    assert trace.decision.tolist() == [1, 0, 0, 0]


def test_no_rows() -> None:
    trace = interpret(_net(Input("a", 4, 1.0, 0.0)), np.zeros((0, 1), np.int64))
    assert trace.scores.shape == (0, 2)
    assert trace.decision is not None
    assert trace.decision.shape == (0,)


@pytest.mark.parametrize("count", range(2, 10))
def test_an_exact_tournament_is_argmax_with_ties_to_the_lowest(count: int) -> None:
    codes = np.random.default_rng(count).integers(0, 4, (300, count))
    decision = interpret(_chooser(count), codes).decision
    assert decision is not None
    assert decision.tolist() == np.argmax(codes, axis=1).tolist()


def test_comparisons_see_their_bits_only() -> None:
    def winner(window: BitRange, left: int, right: int) -> int:
        decision = interpret(_chooser(2, (window,)), np.array([[left + 8, right + 8]])).decision
        assert decision is not None
        return int(decision[0])

    assert winner(BitRange(), 2, 3) == 1
    assert winner(BitRange(1), 2, 3) == 0  # both are 1 above bit 0
    assert winner(BitRange(1), -1, 1) == 1  # -1 against 0
    assert winner(BitRange(0, 2), 1, 2) == 0  # binary 01 is 1, binary 10 is -2
    assert winner(BitRange(0, 2), 3, 4) == 1  # binary 11 is -1, binary 00 is 0
    assert winner(BitRange(1, 3), 4, 3) == 1  # binary 10 is -2, binary 01 is 1
    assert winner(BitRange(2, 64), -8, 7) == 1


def test_ranges_belong_to_comparisons_in_the_order_played() -> None:
    blind = BitRange(63)  # sees the sign only
    net = _chooser(5, (BitRange(), blind, BitRange(), BitRange()))
    decision = interpret(net, np.array([[8, 9, 8, 15, 10], [8, 8, 8, 8, 8], [0, 1, 1, 9, 9]])).decision
    assert decision is not None
    assert decision.tolist() == [4, 0, 3]  # row 0: 2 beats 3 unseen, 1 beats 2, and the odd 4 wins the final


def test_regression_has_values_and_no_decision() -> None:
    layer = Layer((Neuron(-3, (Term(0, 1, 0, 15),), Raw()), Neuron(2, (), Raw())))
    net = Net((Input("a", 4, 1.0, 0.0),), (layer,), Scores((0.5, -1.0), (1.0, 0.25)), ())
    trace = interpret(net, np.array([[0], [5]]))
    assert trace.decision is None
    assert score_values(net, trace.scores).tolist() == [[-0.5, -1.75], [2.0, -1.75]]
    with pytest.raises(MlpressError, match="this net classifies"):
        score_values(_chooser(2), trace.scores)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (Linear(), [-3.0, -0.5, 0.0, 2.0]),
        (Relu(), [0.0, 0.0, 0.0, 2.0]),
        (Clip(-1.0, 1.5), [-1.0, -0.5, 0.0, 1.5]),
        (LeakyRelu(0.25), [-0.75, -0.125, 0.0, 2.0]),
        (HardSigmoid(0.25, 0.5), [0.0, 0.375, 0.5, 1.0]),
        (Sigmoid(), [1 / (1 + np.exp(3.0)), 1 / (1 + np.exp(0.5)), 0.5, 1 / (1 + np.exp(-2.0))]),
        (Tanh(), [np.tanh(-3.0), np.tanh(-0.5), 0.0, np.tanh(2.0)]),
    ],
)
def test_real_activations(activation: RealActivation, expected: list[float]) -> None:
    first = Dense(np.eye(1), np.zeros(1), activation)
    last = Dense(np.eye(1), np.zeros(1), Linear())
    model = Model(("a",), np.ones(1), np.zeros(1), (first, last), ScoresHead(), ())
    outputs, decision = interpret_model(model, np.array([[-3.0], [-0.5], [0.0], [2.0]]))
    assert decision is None
    assert outputs[:, 0].tolist() == expected


def test_model_scales_then_clips_then_quantises() -> None:
    identity = Dense(np.eye(1), np.zeros(1), Linear(), quantiser=Quantiser(1.0, 0, -1, 1))
    model = Model(
        *(("a",), np.array([2.0]), np.array([1.0]), (identity,), ThresholdHead(0.25), (0, 1)),
        clip=Clip(-1.0, 2.6),
        quantiser=Quantiser(0.5, 1, -8, 5),
    )
    outputs, decision = interpret_model(model, np.array([[9.0], [-9.0], [-0.4], [-0.375]]))
    # scaled 19, -17, 0.2, 0.25; clipped 2.6, -1, .., ..; codes 5 (saturated), -1, 1 (0.4 to 0), 1 (0.5 to even 0)
    assert outputs[:, 0].tolist() == [1.0, -1.0, 0.0, 0.0]
    assert decision is not None
    assert decision.tolist() == [1, 0, 0, 0]


def test_model_argmax_ties_go_to_the_lowest() -> None:
    layer = Dense(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), np.zeros(3), Linear())
    model = Model(("a", "b"), np.ones(2), np.zeros(2), (layer,), ArgmaxHead(), ("x", "y", "z"))
    _, decision = interpret_model(model, np.array([[1.0, 1.0], [0.0, 1.0], [2.0, 1.0]]))
    assert decision is not None
    assert decision.tolist() == [0, 1, 0]
