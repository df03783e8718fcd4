"""Votes of several networks of two classes are one network, and decide as onnxruntime and scikit-learn do."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from support.onnx_text import assert_same_classes, check, make, refused, rows, run, saved, weights

from mlpress.errors import MlpressError
from mlpress.frontend import from_sklearn, load
from mlpress.ir import Dense, interpret_model

ROWS = rows(3) / np.float32(3)
"""Small enough that no soft-max saturates in single precision, where a vote would be a tie."""

LINEAR = "ai.onnx.ml.LinearClassifier <classlabels_ints: ints = [0, 1], coefficients: floats = "
TWO_ROWS = (
    f"la, pa = {LINEAR}[-1.5, 0.2, -0.3, 1.5, -0.2, 0.3], intercepts: floats = [0.1, -0.1], "
    'post_transform: string = "LOGISTIC"> (x)  '
    f"lb, pb = {LINEAR}[0.4, -1.2, 0.1, -0.4, 1.2, -0.1], intercepts: floats = [-0.3, 0.3], "
    'post_transform: string = "LOGISTIC"> (x)  '
)
ONE_ROW = (
    f'la, pa = {LINEAR}[1.5, -0.2, 0.3], intercepts: floats = [-0.1], post_transform: string = "LOGISTIC"> (x)  '
    f'lb, pb = {LINEAR}[-0.4, 1.2, -0.1], intercepts: floats = [0.3], post_transform: string = "LOGISTIC"> (x)  '
)
COLUMNS = "ga = Gemm(x, wa, ba)  pa = Sigmoid(ga)  gb = Gemm(x, wb, bb)  pb = Sigmoid(gb)  "
PAIRS = (
    "ga = Gemm(x, wa, ba)  ya = Sigmoid(ga)  na = Sub(one, ya)  pa = Concat<axis=1>(na, ya)  "
    "gb = Gemm(x, wb, bb)  yb = Sigmoid(gb)  nb = Sub(one, yb)  pb = Concat<axis=1>(nb, yb)  "
)
SOFT = "ga = Gemm(x, va, ca)  pa = Softmax<axis=1>(ga)  gb = Gemm(x, vb, cb)  pb = Softmax<axis=1>(gb)  "
DEEP = (
    "ha = Gemm(x, da, ea)  ra = Relu(ha)  ga = Gemm(ra, fa)  pa = Softmax<axis=1>(ga)  "
    "gb = Gemm(x, vb, cb)  pb = Softmax<axis=1>(gb)  "
)
LABEL = "  y = ArgMax<axis=1, keepdims=0>(s)"
AS_LABEL = "int64[N] y"
HELD = {
    "wa": weights(3, 1, seed=1),
    "ba": np.zeros(1, np.float32),
    "wb": weights(3, 1, seed=3),
    "bb": np.zeros(1, np.float32),
    "va": weights(3, 2, seed=5),
    "ca": weights(2, seed=6),
    "vb": weights(3, 2, seed=7),
    "cb": weights(2, seed=8),
    "da": weights(3, 4, seed=9),
    "ea": weights(4, seed=10),
    "fa": weights(4, 2, seed=11),
    "one": np.float32(1),
    "half": np.array([0.5], np.float32),
    "third": np.array([0.3], np.float32),
    "rest": np.array([0.7], np.float32),
    "axis": np.array([1]),
    "two": np.float32(2),
    "step": np.float32(1 / 256),
    "low": np.uint8(0),
}
WEIGHTED = "  qa = Mul(pa, third)  qb = Mul(pb, rest)  s = Add(qa, qb)"
VOTES = {
    "two rows each, added": (TWO_ROWS + "s = Sum(pa, pb)" + LABEL, AS_LABEL),
    "two rows each, weighted": (TWO_ROWS + WEIGHTED + LABEL, AS_LABEL),
    "one row each, mean": (ONE_ROW + "s = Mean(pa, pb)" + LABEL, AS_LABEL),
    "pairs of sigmoids": (PAIRS + "s = Sum(pa, pb)" + LABEL, AS_LABEL),
    "pairs, the probabilities alone": (PAIRS + "y = Mean(pa, pb)", "float[N,2] y"),
    "soft-max of two": (SOFT + "s = Add(pa, pb)" + LABEL, AS_LABEL),
    "soft-max of two, weighted": (SOFT + WEIGHTED + LABEL, AS_LABEL),
    "a hidden layer in one": (DEEP + "s = Sum(pa, pb)" + LABEL, AS_LABEL),
    "a vote of unlike kinds": (
        SOFT.replace("pb = Softmax<axis=1>(gb)", "") + ONE_ROW.replace("pa", "pc") + "s = Sum(pa, pb)" + LABEL,
        AS_LABEL,
    ),
    "columns, compared": (COLUMNS + "s = Mean(pa, pb)  y = Greater(s, half)", "bool[N,1] y"),
    "columns, rounded": (COLUMNS + "s = Mean(pa, pb)  r = Round(s)  y = Cast<to=7>(r)", "int64[N,1] y"),
    "columns side by side, their mean": (
        COLUMNS + "q = Concat<axis=1>(pa, pb)  s = ReduceMean<axes=[1]>(q)  y = Greater(s, half)",
        "bool[N,1] y",
    ),
    "columns side by side, their sum": (
        COLUMNS + "q = Concat<axis=1>(pa, pb)  s = ReduceSum<keepdims=0>(q, axis)  y = Greater(s, one)",
        "bool[N] y",
    ),
    "columns of codes, their rounded mean": (
        COLUMNS + "qa = QuantizeLinear(pa, step, low)  ra = DequantizeLinear(qa, step, low)  "
        "qb = QuantizeLinear(pb, step, low)  rb = DequantizeLinear(qb, step, low)  s = Add(ra, rb)  "
        "h = Div(s, two)  q = QuantizeLinear(h, step, low)  y = DequantizeLinear(q, step, low)",
        "float[N,1] y",
    ),
    "a pair of means": (COLUMNS + "m = Mean(pa, pb)  n = Sub(one, m)  y = Concat<axis=1>(n, m)", "float[N,2] y"),
    "a scaling per class": (SOFT.partition("gb")[0] + "s = Mul(pa, ca)" + LABEL, AS_LABEL),
}


@pytest.mark.parametrize("name", VOTES)
def test_onnx_votes_are_one_network(tmp_path, name):
    body, output = VOTES[name]
    used = {key: value for key, value in HELD.items() if f"{key})" in body or f"{key}," in body}
    model = check(tmp_path, make(body, outputs=output, **used), ROWS, at=0.5)
    assert len(model.classes) == 2
    assert model.layers[-1].weight.shape[0] == 1


def test_probabilities_of_a_mean_are_compared_with_a_half(tmp_path):
    body = COLUMNS + "y = Mean(pa, pb)"
    proto = make(body, outputs="float[N,1] y", **{key: HELD[key] for key in ("wa", "ba", "wb", "bb")})
    check(tmp_path, proto, ROWS, at=0.5)


OTHERS = {
    "a lone sum without a bound": (
        "ga = Gemm(x, u, t)  pa = Sigmoid(ga)  gb = MatMul(x, u)  pb = Sigmoid(gb)  y = Add(pa, pb)",
        "the one output lies between 0 and 2, which does not say where class 1 begins; compare it with a bound",
    ),
    "three classes": (
        "ga = Gemm(x, w, b)  pa = Softmax<axis=1>(ga)  gb = Gemm(x, v, b)  pb = Softmax<axis=1>(gb)  y = Sum(pa, pb)",
        "node of output 'y' (Sum): arithmetic on softmax probabilities of 3 classes: each row is divided by a sum of "
        "its own, which no layer does; keep them last (a vote of several networks is no single network: export one of "
        "them, or train one MLP on what they decide)",
    ),
    "normalised sigmoids": (
        'ga = Gemm(x, w, b)  sa = Sigmoid(ga)  pa = ai.onnx.ml.Normalizer<norm: string = "L1">(sa)  y = Sum(pa, pa)',
        "arithmetic on normalised probabilities of 3 classes",
    ),
    "logarithms": (
        "ga = Gemm(x, w, b)  pa = LogSoftmax<axis=1>(ga)  y = Sum(pa, pa)",
        "arithmetic on log-probabilities is not supported; keep the LogSoftmax last",
    ),
    "counts of three classes": (
        "ga = Gemm(x, w, b)  la = ArgMax<axis=1>(ga)  e = Equal(la, k)  y = Cast<to=1>(e)",
        "3 classes are counted, as hard voting does; a vote of several networks is no single network then",
    ),
    "the rows' sum": (
        "ga = Gemm(x, w, b)  y = ReduceSum(ga, a)",
        "it is supported over each row's values (axis 1)",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_votes_are_refused_for_the_true_reason(tmp_path, name):
    body, reason = OTHERS[name]
    held = {"w": weights(3, 3, seed=1), "b": weights(3, seed=2), "v": weights(3, 3, seed=3)}
    held |= {"k": np.array([[0, 1, 2]]), "a": np.array([0]), "u": weights(3, 1), "t": weights(1)}
    used = {key: value for key, value in held.items() if f" {key})" in body or f" {key}," in body}
    assert reason in refused(tmp_path, make(body, outputs="float[N,3] y", **used))


X = rows(4, 240)
BINARY = (X[:, 0] + 0.4 * X[:, 1] * X[:, 2] > 0.5).astype(np.int64)
TEXT = np.array(["no", "yes"])[BINARY]


def mlp(*hidden):
    return MLPClassifier(hidden, max_iter=40, random_state=0, learning_rate_init=0.05)


def fitted(estimator, labels):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, labels)


def vote(voting, *members, **options):
    return VotingClassifier([(f"m{k}", member) for k, member in enumerate(members)], voting=voting, **options)


SCALED = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
SOFT_MEMBERS = {
    "two linear": (LogisticRegression(), LogisticRegression(C=0.01)),
    "linear and hidden": (SCALED, mlp(4, 3)),
    "every kind of probability": (
        LinearDiscriminantAnalysis(),
        SGDClassifier(loss="log_loss", random_state=0),
        SGDClassifier(loss="modified_huber", random_state=0),
    ),
}
HARD_MEMBERS = {
    "linear": (Perceptron(), RidgeClassifier(), LogisticRegression()),
    "linear and hidden": (SCALED, mlp(4, 3), Perceptron()),
    "ties": (SCALED, mlp(4)),
}
CASES = [("soft", name) for name in SOFT_MEMBERS] + [("hard", name) for name in HARD_MEMBERS]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("voting", "name"), CASES)
def test_scikit_learn_votes(voting, name, weighted):
    members = (SOFT_MEMBERS if voting == "soft" else HARD_MEMBERS)[name]
    shares = np.arange(2.0, 2.0 + len(members)) if weighted else None
    estimator = fitted(vote(voting, *members, weights=shares), TEXT)
    model = from_sklearn(estimator)
    _, found = interpret_model(model, X.astype(np.float64))
    np.testing.assert_array_equal(np.array(model.classes)[found], estimator.predict(X))
    assert len(set(found.tolist())) == 2


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("voting", "name"), [case for case in CASES if case != ("hard", "linear")])
def test_skl2onnx_votes(tmp_path, voting, name, weighted):
    members = (SOFT_MEMBERS if voting == "soft" else HARD_MEMBERS)[name]
    shares = np.arange(2.0, 2.0 + len(members)) if weighted else None
    estimator = fitted(vote(voting, *members, weights=shares, flatten_transform=False), TEXT)
    proto = to_onnx(estimator, X[:1])
    model = load(saved(tmp_path, proto))
    _, found = interpret_model(model, X.astype(np.float64))
    assert_same_classes(model, found, run(proto, X)[0])


def test_a_vote_in_a_pipeline_whose_members_scale_and_drop():
    members = [("a", SCALED), ("b", mlp(3)), ("c", "drop"), ("d", KNeighborsClassifier())]
    voting = VotingClassifier(members, voting="soft", weights=[1, 2, 5, 0])
    estimator = fitted(make_pipeline(StandardScaler(), voting), BINARY)
    model = from_sklearn(estimator)
    _, found = interpret_model(model, X.astype(np.float64))
    np.testing.assert_array_equal(found, estimator.predict(X))


@pytest.mark.parametrize("member", [mlp(3), Perceptron()], ids=["soft", "hard"])
def test_bagging(member):
    estimator = fitted(BaggingClassifier(member, n_estimators=3, random_state=0), TEXT)
    model = from_sklearn(estimator)
    _, found = interpret_model(model, X.astype(np.float64))
    np.testing.assert_array_equal(np.array(model.classes)[found], estimator.predict(X))


def test_a_vote_of_steps_is_a_small_layer_of_few_values():
    layers: tuple[Dense, ...] = from_sklearn(fitted(vote("hard", *HARD_MEMBERS["linear"]), BINARY)).layers
    assert [layer.weight.shape for layer in layers] == [(3, 4), (1, 3)]
    assert all(coder is not None and coder.top == 1 for coder in layers[0].quantisers)


@pytest.mark.parametrize(
    ("estimator", "labels", "reason"),
    [
        (
            vote("hard", Perceptron(), DecisionTreeClassifier()),
            BINARY,
            "member 'm1' of the vote: DecisionTreeClassifier",
        ),
        (vote("soft", SCALED, KNeighborsClassifier()), BINARY, "member 'm1' of the vote: KNeighborsClassifier is not"),
        (vote("hard", vote("hard", Perceptron())), BINARY, "a vote of several models is no single network"),
        (vote("soft", SCALED, mlp(3)), BINARY + (X[:, 3] > 1), "VotingClassifier is not supported for 3 classes"),
        (BaggingClassifier(Perceptron(), max_features=2), BINARY, "of parts of the features is not supported"),
        (vote("hard", Perceptron(), RidgeClassifier(), weights=[1, -1]), BINARY, "they must be 0 or more"),
    ],
    ids=["tree", "neighbours", "nested", "three", "parts", "weights"],
)
def test_estimators_that_are_refused(estimator, labels, reason):
    with pytest.raises(MlpressError, match=reason) as caught:
        from_sklearn(fitted(estimator, labels))
    assert "\n" not in str(caught.value)


def test_a_vote_that_is_not_fitted():
    with pytest.raises(MlpressError, match="this VotingClassifier is not fitted"):
        from_sklearn(vote("soft", SCALED))


REST = {
    "linear": LogisticRegression(),
    "scaled": SCALED,
    "steps": Perceptron(),
    "hidden": mlp(3),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", REST)
def test_one_class_against_the_rest(tmp_path, name, count):
    labels = np.array(["a", "b", "c"])[BINARY + (X[:, 3] > 1) * (count == 3)]
    estimator = fitted(OneVsRestClassifier(REST[name]), labels)
    model = from_sklearn(estimator)
    _, found = interpret_model(model, X.astype(np.float64))
    np.testing.assert_array_equal(np.array(model.classes)[found], estimator.predict(X))
    if name == "steps":  # its file divides scores by their sum, which may be negative
        return
    proto = to_onnx(estimator, X[:1])
    model = load(saved(tmp_path, proto))
    _, found = interpret_model(model, X.astype(np.float64))
    assert_same_classes(model, found, run(proto, X)[0])


def test_ensembles_of_pipelines_and_others_are_refused_in_a_line():
    members = [("a", SCALED), ("b", LogisticRegression())]
    with pytest.raises(MlpressError, match="StackingClassifier is not supported: a vote of several models"):
        from_sklearn(fitted(StackingClassifier(members), BINARY))


def test_both_scores_of_a_linear_model_beside_its_label(tmp_path):
    proto = to_onnx(fitted(RidgeClassifier(), TEXT), X[:1])
    model = load(saved(tmp_path, proto))
    _, found = interpret_model(model, X.astype(np.float64))
    assert_same_classes(model, found, run(proto, X)[0])


def test_a_feature_that_is_not_read_may_be_missing(tmp_path):
    rows_with_gaps = np.where(np.random.default_rng(1).random(X.shape) < 0.2, np.float32(np.nan), X)
    steps = make_pipeline(SimpleImputer(), SelectKBest(k=2), LogisticRegression())
    proto = to_onnx(steps.fit(rows_with_gaps, BINARY), X[:1])
    model = load(saved(tmp_path, proto))
    _, found = interpret_model(model, rows_with_gaps.astype(np.float64))
    assert_same_classes(model, found, run(proto, rows_with_gaps)[0])
