"""scikit-learn estimators read directly: the model decides as the estimator predicts."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, RobustScaler, StandardScaler

from mlpress.errors import MlpressError
from mlpress.frontend import from_sklearn
from mlpress.ir import ArgmaxHead, Clip, Linear, Relu, ScoresHead, Sigmoid, Tanh, ThresholdHead, interpret_model

X = np.random.default_rng(5).normal(size=(120, 4), scale=3.0) + 1.0
CODES = np.digitize(X[:, 0] - X[:, 1], [-3, 3])
SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    MinMaxScaler(),
    MinMaxScaler((0, 0.9), clip=True),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False),
    RobustScaler(with_scaling=False),
]


def fit(*steps, y=CODES, x=X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return (make_pipeline(*steps) if len(steps) > 1 else steps[0]).fit(x, y)


def mlp(**options):
    return MLPClassifier((6,), max_iter=150, learning_rate_init=0.05, random_state=0, **options)


def check(estimator, x=X):
    model = from_sklearn(estimator)
    values, found = interpret_model(model, x)
    if found is None:
        np.testing.assert_allclose(values.reshape(len(x), -1), estimator.predict(x).reshape(len(x), -1), rtol=1e-9)
    else:
        assert [model.classes[index] for index in found] == estimator.predict(x).tolist()
        assert len(set(found.tolist())) == len(model.classes)
    return model


@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
def test_pipelines(scaler):
    model = check(fit(scaler, mlp()), np.concatenate([X, 3 * X]))
    assert model.head == ArgmaxHead()
    assert model.inputs == ("x[0]", "x[1]", "x[2]", "x[3]")
    assert model.clip == (Clip(0.0, 0.9) if getattr(scaler, "clip", False) else None)


def test_scalers_in_a_row():
    check(fit(StandardScaler(), MinMaxScaler(), "passthrough", mlp()))
    check(fit(MinMaxScaler((0, 0.9), clip=True), StandardScaler(), mlp()), np.concatenate([X, 3 * X]))


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("relu", [Relu(), Linear()]),
        ("tanh", [Tanh(), Linear()]),
        ("logistic", [Sigmoid(), Linear()]),
        ("identity", [Linear()]),
    ],
)
def test_activations(activation, expected):
    model = check(fit(StandardScaler(), mlp(activation=activation)))
    assert [layer.activation for layer in model.layers] == expected


@pytest.mark.parametrize("labels", [CODES > 0, np.array(["no", "yes"])[(CODES > 0).astype(int)], (CODES > 0) * 2.0])
def test_two_classes_are_a_threshold(labels):
    model = check(fit(StandardScaler(), mlp(), y=labels))
    assert model.head == ThresholdHead(0.0)
    assert model.classes == tuple({False: 0, True: 1}.get(name, name) for name in np.unique(labels).tolist())


def test_text_labels():
    assert check(fit(mlp(), y=np.array(["plum", "pear", "fig"])[CODES])).classes == ("fig", "pear", "plum")


@pytest.mark.parametrize("targets", [X[:, 0] * X[:, 1], X[:, :2]])
def test_regressors(targets):
    model = check(
        fit(StandardScaler(), MLPRegressor(hidden_layer_sizes=(5, 3), max_iter=30, random_state=1), y=targets)
    )
    assert model.head == ScoresHead()
    assert model.classes == ()
    assert len(model.layers) == 3


def test_feature_names_are_kept():
    estimator = fit(StandardScaler(), mlp())
    estimator.steps[0][1].feature_names_in_ = np.array(["a", "b", "c", "d"], dtype=object)
    assert from_sklearn(estimator).inputs == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            LogisticRegression(),
            "this LogisticRegression is not fitted; call fit() first",
        ),
        (
            make_pipeline(StandardScaler(), LogisticRegression()),
            "this LogisticRegression is not fitted; call fit() first",
        ),
        (MLPClassifier(), "this MLPClassifier is not fitted; call fit() first"),
        (make_pipeline(StandardScaler(), MLPRegressor()), "this MLPRegressor is not fitted; call fit() first"),
        (fit(Normalizer(), mlp()), "Normalizer before the MLP is not supported; supported: a fitted MLPClassifier"),
        (
            Pipeline([("scaler", StandardScaler()), ("mlp", fit(mlp()))]),
            "this StandardScaler is not fitted; call fit() first",
        ),
        (
            fit(mlp(), y=np.stack([CODES > 0, CODES > 1], axis=1)),
            "a multi-label MLPClassifier with 2 labels is not supported; fit one class",
        ),
        (
            fit(MLPRegressor(loss="poisson", hidden_layer_sizes=(3,), max_iter=10), y=np.abs(X[:, 0])),
            "an MLPRegressor with loss='poisson' is not supported; use loss='squared_error'",
        ),
        ("model.onnx", "str is not supported"),
    ],
)
def test_anything_else_is_refused(estimator, message):
    with pytest.raises(MlpressError) as caught:
        from_sklearn(estimator)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
