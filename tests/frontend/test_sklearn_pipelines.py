"""Pipelines of affine steps, read directly: the model scores every row as the estimator does."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import NMF, PCA, FastICA, IncrementalPCA, KernelPCA, TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

from mlpress import Dataset, quantise
from mlpress.errors import MlpressError
from mlpress.frontend import from_sklearn
from mlpress.ir import Clip, Model, interpret_model

RNG = np.random.default_rng(11)
X = RNG.normal(size=(150, 6)) @ RNG.normal(size=(6, 6)) * [1, 3, 0.2, 10, 1, 2] + [0, 5, 1, 400, -2, 0]
SCORE = X[:, 0] - X[:, 1] + 0.1 * (X[:, 3] - 400)
Y = np.digitize(SCORE, np.quantile(SCORE, [0.35, 0.7]))
WIDE = np.concatenate([X, X + RNG.normal(size=X.shape), 2 * X])


def mlp(**options: Any) -> MLPClassifier:
    return MLPClassifier((5,), **{"max_iter": 60, "learning_rate_init": 0.05, "random_state": 0} | options)


def fit(estimator: Any, y: Any = Y, x: Any = X) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(x, y)


def check(estimator: Any, x: Any = WIDE) -> Model:
    """Compare scores and classes of every row."""
    model = from_sklearn(estimator)
    scores, found = interpret_model(model, np.asarray(x, np.float64))
    if found is None:
        np.testing.assert_allclose(scores.reshape(len(x), -1), estimator.predict(x).reshape(len(x), -1), rtol=1e-8)
        return model
    wanted = estimator.predict_proba(x)
    if scores.shape[1] == 1:
        odds = 1 / (1 + np.exp(-scores[:, 0]))
        np.testing.assert_allclose(odds, wanted[:, 1], rtol=1e-7, atol=1e-12)
    else:
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
        odds = exponentials / exponentials.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(odds, wanted, rtol=1e-7, atol=1e-12)
    assert [model.classes[index] for index in found] == estimator.predict(x).tolist()
    assert len(set(found.tolist())) == len(model.classes)
    return model


STEPS = [
    [StandardScaler(), PCA(2)],
    [PCA(3)],
    [StandardScaler(), PCA(3, whiten=True)],
    [PCA(2), StandardScaler()],
    [StandardScaler(), IncrementalPCA(3, whiten=True)],
    [MinMaxScaler(), TruncatedSVD(3, random_state=0)],
    [StandardScaler(), FastICA(4, random_state=0)],
    [StandardScaler(), GaussianRandomProjection(4, random_state=0)],
    [StandardScaler(), SparseRandomProjection(4, random_state=0)],
    [StandardScaler(), SelectKBest(k=3)],
    [SelectKBest(k=4), StandardScaler(), PCA(3)],
    [VarianceThreshold(2.0), StandardScaler()],
    [VarianceThreshold(), RobustScaler()],
    [SimpleImputer(), MaxAbsScaler()],
    [FunctionTransformer(), StandardScaler()],
    [MinMaxScaler(clip=True), StandardScaler(), PCA(3)],
    [MaxAbsScaler(clip=True)],
    [MaxAbsScaler(clip=True), PCA(3)],
    [make_pipeline(StandardScaler(), "passthrough", PCA(4)), make_pipeline(PCA(3), StandardScaler())],
    [StandardScaler(), FeatureUnion([("pca", PCA(2)), ("all", "passthrough"), ("none", "drop")])],
    [ColumnTransformer([("a", StandardScaler(), [3, 1]), ("b", PCA(1), slice(0, 3))], remainder="passthrough")],
    [ColumnTransformer([("a", "passthrough", [True, False] * 3), ("b", "drop", [1])]), StandardScaler()],
    [ColumnTransformer([("a", make_pipeline(StandardScaler(), PCA(2)), [0, 1, 2, -1]), ("b", RobustScaler(), [])])],
]


@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: "-".join(type(step).__name__ for step in steps))
def test_affine_steps_are_folded_into_the_first_layer(steps: list[Any]) -> None:
    model = check(fit(make_pipeline(*steps, mlp())))
    assert len(model.inputs) == 6
    assert [layer.weight.shape[1] for layer in model.layers] == [6, 5]


@pytest.mark.parametrize("activation", ["identity", "tanh", "logistic"])
def test_two_classes_text_labels_and_other_activations(activation: str) -> None:
    names = np.array(["no", "yes"])[(Y > 0).astype(int)]
    assert check(fit(make_pipeline(StandardScaler(), PCA(3), mlp(activation=activation)), names)).classes == (
        "no",
        "yes",
    )


@pytest.mark.parametrize("targets", [X[:, 0] * 0.1, X[:, :2]])
def test_regressors(targets: Any) -> None:
    check(
        fit(
            make_pipeline(StandardScaler(), PCA(4), MLPRegressor(hidden_layer_sizes=(4,), max_iter=30, random_state=0)),
            targets,
        )
    )


def test_a_column_that_is_not_selected_has_zero_weights() -> None:
    estimator = fit(make_pipeline(StandardScaler(), SelectKBest(k=2), mlp()))
    weight = from_sklearn(estimator).layers[0].weight
    assert (weight.any(axis=0) == estimator[1].get_support()).all()
    assert weight.any(axis=0).sum() == 2


def test_scalers_before_a_projection_stay_scalers() -> None:
    scaled, projected = StandardScaler(), PCA(2)
    model = from_sklearn(fit(make_pipeline(MinMaxScaler(clip=True), scaled, projected, mlp())))
    assert model.clip == Clip(0.0, 1.0)
    np.testing.assert_allclose(model.scale, 1 / np.ptp(X, axis=0), rtol=1e-12)


@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
def test_searches_give_their_best_estimator(search: Any) -> None:
    grid = {"pca__n_components": [2, 3]}
    options = {"cv": 2} | ({"n_iter": 2, "random_state": 0} if search is RandomizedSearchCV else {})
    pipeline = Pipeline([("scale", StandardScaler()), ("pca", PCA()), ("mlp", mlp())])
    check(fit(search(pipeline, grid, **options)))
    check(fit(make_pipeline(StandardScaler(), search(mlp(), {"alpha": [1e-4, 1e-2]}, **options))))
    for estimator in (search(pipeline, grid, **options), fit(search(pipeline, grid, refit=False, **options))):
        with pytest.raises(MlpressError, match=f"this {search.__name__} has no best estimator; fit it with refit=True"):
            from_sklearn(estimator)


def test_columns_by_name_are_those_by_number() -> None:
    """As a data frame's columns would be, which no dependency offers."""
    parts = [("one", StandardScaler(), [3, 1]), ("two", MinMaxScaler(), slice(4, 6)), ("three", "passthrough", [0])]
    estimator = fit(make_pipeline(ColumnTransformer(parts), mlp()))
    numbered = check(estimator)
    chosen = estimator[0]
    chosen.feature_names_in_ = np.array(list("abcdef"), dtype=object)
    named = [["d", "b"], slice("e", None), "a"]
    chosen.transformers_ = [(*kept[:2], columns) for kept, columns in zip(chosen.transformers_[:3], named, strict=True)]
    model = from_sklearn(estimator)
    assert model.inputs == tuple("abcdef")
    assert model.layers == numbered.layers


def test_the_quantised_net_of_a_folded_pipeline_classifies() -> None:
    estimator = fit(make_pipeline(StandardScaler(), PCA(4), mlp(max_iter=300)))
    data = Dataset.from_arrays(X, Y)
    report = quantise(from_sklearn(estimator), data, input_bits=8).report
    assert report.model_score == estimator.score(X, Y)
    assert report.agreement > 0.97


def moved(*steps: Any) -> Pipeline:
    """Steps that were fitted apart, to rows of different widths."""
    return Pipeline([(str(k), step) for k, step in enumerate(steps)])


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (make_pipeline(Normalizer(), mlp()), "Normalizer before the MLP is not supported; supported: a fitted MLP"),
        (make_pipeline(StandardScaler(), PolynomialFeatures(), mlp()), "PolynomialFeatures before the MLP"),
        (make_pipeline(PowerTransformer(), mlp()), "PowerTransformer before the MLP"),
        (make_pipeline(QuantileTransformer(n_quantiles=20), mlp()), "QuantileTransformer before the MLP"),
        (make_pipeline(KernelPCA(2), mlp()), "KernelPCA before the MLP"),
        (make_pipeline(MinMaxScaler(), NMF(2), mlp()), "NMF before the MLP"),
        (make_pipeline(FunctionTransformer(np.abs), mlp()), "FunctionTransformer before the MLP"),
        (make_pipeline(SimpleImputer(missing_values=0.0), mlp()), "a SimpleImputer that replaces other values than"),
        (make_pipeline(PCA(3), MinMaxScaler(clip=True), mlp()), "MinMaxScaler that clips after other steps than"),
        (
            make_pipeline(FeatureUnion([("a", MinMaxScaler(clip=True))]), mlp()),
            "MinMaxScaler that clips is supported as a step of the outermost Pipeline only",
        ),
        (
            make_pipeline(FeatureUnion([("a", PCA(2))], transformer_weights={"a": 2.0}), mlp()),
            "FeatureUnion with transformer_weights is not supported",
        ),
        (make_pipeline(ColumnTransformer([("a", Normalizer(), [0, 1])]), mlp()), "Normalizer before the MLP"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_other_steps_are_refused_in_one_line(estimator: Any, message: str) -> None:
    with pytest.raises(MlpressError) as caught:
        from_sklearn(fit(estimator))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (make_pipeline(StandardScaler(), PCA(2), mlp()), "this MLPClassifier is not fitted; call fit() first"),
        (moved(StandardScaler().fit(X), PCA(2), fit(mlp())), "this PCA is not fitted; call fit() first"),
        (moved(PCA(2).fit(X), fit(mlp())), "MLPClassifier takes 6 values, but 2 reach it; fit all as one"),
        (moved(StandardScaler().fit(X), PCA(2).fit(X[:, :4]), fit(mlp())), "PCA takes 4 values, but 6 reach it"),
        (moved("passthrough"), "NoneType is not supported"),
        (moved(StandardScaler().fit(X)), "StandardScaler is not supported"),
        (moved(object(), fit(mlp())), "object before the MLP is not supported"),
        (None, "NoneType is not supported"),
        (MLPClassifier, "ABCMeta is not supported"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_what_does_not_fit_together_is_refused_in_one_line(estimator: Any, message: str) -> None:
    with pytest.raises(MlpressError) as caught:
        from_sklearn(estimator)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
