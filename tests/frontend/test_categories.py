"""Columns of whole numbers that name categories: one-hot and ordinal encoders, read from estimators and from files."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler
from support.onnx_text import make, saved

from mlpress.errors import MlpressError
from mlpress.frontend import Dataset, from_sklearn, load, quantise
from mlpress.ir import Staircase, encode, interpret, interpret_model

RNG = np.random.default_rng(4)
COUNT = 200
X = np.stack(
    [RNG.integers(0, 4, COUNT), RNG.choice([-2, 5, 9], COUNT), RNG.normal(size=COUNT), RNG.integers(1, 6, COUNT)], 1
).astype(np.float32)
Y = ((X[:, 0] > 1) ^ (X[:, 1] > 4) ^ (X[:, 3] == 3)).astype(int) + (X[:, 2] > 0.8)


def one_hot(**options: Any) -> OneHotEncoder:
    return OneHotEncoder(sparse_output=False, **options)


def fit(step: Any, x: np.ndarray = X) -> Any:
    mlp = MLPClassifier((6,), max_iter=200, learning_rate_init=0.03, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make_pipeline(*(step if isinstance(step, tuple) else (step,)), mlp).fit(x, Y)


def columns(*parts: Any, **options: Any) -> ColumnTransformer:
    return ColumnTransformer([(str(k), *part) for k, part in enumerate(parts)], **options)


STEPS = {
    "one-hot beside a scaler": columns(
        (one_hot(handle_unknown="ignore"), [0, 1]), (StandardScaler(), [2]), (OrdinalEncoder(), [3])
    ),
    "first dropped": columns((one_hot(drop="first"), [3, 0]), remainder="passthrough"),
    "ordinal, then scaled": (columns((OrdinalEncoder(), [1, 3]), remainder="passthrough"), MinMaxScaler()),
    "a union": columns(
        (FeatureUnion([("a", one_hot()), ("b", OrdinalEncoder())]), [1]), (SimpleImputer(), [2]), (one_hot(), [0])
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_an_estimator_with_encoders_is_read(name: str) -> None:
    estimator = fit(STEPS[name])
    model = from_sklearn(estimator)
    assert model.inputs == tuple(f"x[{k}]" for k in range(4))
    scores, found = interpret_model(model, X.astype(np.float64))
    odds = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(odds, estimator.predict_proba(X), rtol=1e-5, atol=1e-8)
    assert found is not None
    made = quantise(model, Dataset.from_arrays(X, estimator.predict(X)), input_bits=8)
    assert not made.report.remark
    assert made.report.agreement > 0.95
    decided = interpret(made.net, encode(made.net, X.astype(np.float64))).decision
    assert decided is not None
    assert np.mean(decided == found) > 0.95


@pytest.mark.parametrize("name", ["one-hot beside a scaler", "first dropped"])
def test_its_file_is_read_as_the_same_function(tmp_path: Path, name: str) -> None:
    estimator = fit(STEPS[name])
    path = tmp_path / "model.onnx"
    path.write_bytes(to_onnx(estimator, X[:1], options={"zipmap": False}).SerializeToString())
    model = load(path)
    scores, _ = interpret_model(model, X.astype(np.float64))
    odds = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(odds, estimator.predict_proba(X), rtol=1e-4, atol=1e-6)


def test_an_unknown_category_is_none_of_the_known() -> None:
    estimator = fit(columns((one_hot(handle_unknown="ignore"), [0, 1, 3])))
    strange = np.array([[7, 5, 0, 2], [1, 7, 0, 0], [-1, -3, 0, 9]], np.float32)
    scores, _ = interpret_model(from_sklearn(estimator), strange.astype(np.float64))
    odds = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(odds, estimator.predict_proba(strange), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("value", [-7, 100])
def test_an_unknown_category_has_the_value_that_it_is_given(tmp_path: Path, value: int) -> None:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=value)
    estimator = fit(columns((encoder, [0, 1, 3])))
    strange = np.array([[7, 5, 0, 2], [1, 7, 0, 0], [-1, -3, 0, 9], [2, 1, 0, 1]], np.float32)
    wanted = estimator.predict_proba(strange)
    path = tmp_path / "model.onnx"
    path.write_bytes(to_onnx(estimator, X[:1], options={"zipmap": False}).SerializeToString())
    for model in (from_sklearn(estimator), load(path)):
        scores, _ = interpret_model(model, strange.astype(np.float64))
        odds = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(odds, wanted, rtol=1e-4, atol=1e-6)


def test_a_column_of_one_category_says_nothing() -> None:
    estimator = fit(columns((OrdinalEncoder(), [0, 1])))
    same = np.where(np.arange(4) == 1, np.float32(1), X)
    estimator = estimator.fit(same, Y)
    scores, _ = interpret_model(from_sklearn(estimator), same.astype(np.float64))
    odds = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(odds, estimator.predict_proba(same), rtol=1e-4, atol=1e-6)


def test_a_category_costs_its_two_bounds_and_neighbours_share_one() -> None:
    model = from_sklearn(fit(columns((one_hot(), [0]))))
    coders = [coder for coder in model.layers[0].quantisers if isinstance(coder, Staircase)]
    assert sorted(coder.bounds for coder in coders) == [(-0.5,), (0.5,), (1.5,), (2.5,), (3.5,)]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ((StandardScaler(), one_hot(handle_unknown="ignore")), "OneHotEncoder of what steps before it computed"),
        (columns((one_hot(min_frequency=40), [0])), "OneHotEncoder that joins infrequent categories"),
        (columns((OrdinalEncoder(max_categories=2), [0])), "OrdinalEncoder that joins infrequent categories"),
        (columns((one_hot(), [0]), (MinMaxScaler(clip=True), [2])), "MinMaxScaler that clips beside encoders"),
        (columns((one_hot(handle_unknown="ignore"), [2])), "a column's categories are no whole numbers"),
        (columns((one_hot(), [0]), transformer_weights={"0": 2.0}), "ColumnTransformer with transformer_weights"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_other_encoders_are_refused_in_one_line(step: Any, message: str) -> None:
    with pytest.raises(MlpressError) as caught:
        from_sklearn(fit(step))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('e = ai.onnx.ml.OneHotEncoder<cats_strings=["a", "b"]>(x)', "its categories are texts"),
        ("i = Cast<to=7>(x)  e = Cast<to=1>(i)", "casting features to INT64 rounds them"),
        ("r = Relu(x)  e = ai.onnx.ml.OneHotEncoder<cats_int64s=[1, 2]>(r)", "it encodes values that steps before it"),
        (
            "e = ai.onnx.ml.LabelEncoder<keys_floats=[1.0, 2.0, 3.0], values_floats=[0.0, 5.0, 6.0]>(x)",
            "it gives categories no evenly rising numbers",
        ),
    ],
)
def test_other_graphs_are_refused_in_one_line(tmp_path: Path, body: str, message: str) -> None:
    proto = make(f"{body}  f = Flatten(e)  y = MatMul(f, w)", w=np.ones((2, 3), np.float32), inputs="float[N,1] x")
    with pytest.raises(MlpressError, match=message):
        load(saved(tmp_path, proto))
