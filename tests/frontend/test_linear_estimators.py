"""Linear estimators are networks without a hidden layer, and decide as scikit-learn does."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    HuberRegressor,
    Lars,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    OrthogonalMatchingPursuit,
    Perceptron,
    QuantileRegressor,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
    TheilSenRegressor,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from mlpress.errors import MlpressError
from mlpress.frontend import from_sklearn
from mlpress.ir import interpret_model

X, Y = load_iris(return_X_y=True)
KINDS = [
    LogisticRegression(),
    Perceptron(random_state=0),
    SGDClassifier(loss="hinge", random_state=0),
    RidgeClassifier(),
    RidgeClassifierCV(),
    LinearSVC(random_state=0),
    LinearDiscriminantAnalysis(),
]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("estimator", KINDS, ids=lambda one: type(one).__name__)
def test_classifiers(estimator, classes):
    kept = classes > Y
    fitted = make_pipeline(StandardScaler(), PCA(3), estimator).fit(X[kept], Y[kept])
    model = from_sklearn(fitted)
    _, found = interpret_model(model, X[kept])
    assert len(model.layers) == 1
    np.testing.assert_array_equal(np.array(model.classes)[found], fitted.predict(X[kept]))


REGRESSORS = [
    LinearRegression(),
    RidgeCV(),
    LassoCV(cv=2),
    BayesianRidge(),
    ARDRegression(),
    HuberRegressor(),
    Lars(),
    OrthogonalMatchingPursuit(),
    QuantileRegressor(alpha=0.01),
    TheilSenRegressor(max_subpopulation=20, random_state=0),
]


@pytest.mark.parametrize("estimator", REGRESSORS, ids=lambda one: type(one).__name__)
def test_regressors(estimator):
    fitted = estimator.fit(X[:, :3], X[:, 3])
    values, _ = interpret_model(from_sklearn(fitted), X[:, :3])
    np.testing.assert_allclose(values[:, 0], fitted.predict(X[:, :3]))


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (VotingClassifier([("a", Perceptron()), ("b", RidgeClassifier())]), "a vote of several models is no"),
        (BaggingClassifier(Perceptron(), n_estimators=2), "a vote of several models is no single network"),
        (RandomForestClassifier(2), "decision trees are no network of layers"),
        (DecisionTreeClassifier(), "decision trees are no network of layers"),
        (GaussianNB(), "supported: a fitted MLPClassifier"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_others_are_refused_for_the_true_reason(estimator, reason):
    with pytest.raises(MlpressError, match=f"{type(estimator).__name__} is not supported.* {reason}"):
        from_sklearn(estimator.fit(X, Y))


def test_one_that_is_not_fitted():
    with pytest.raises(MlpressError, match="this Perceptron is not fitted"):
        from_sklearn(make_pipeline(StandardScaler().fit(X), Perceptron()))
