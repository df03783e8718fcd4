"""Files of pipelines whose steps pick, join and fill columns: the file and the estimator are read as one function."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from support.onnx_text import saved

from mlpress.frontend import from_sklearn, load
from mlpress.ir import interpret_model

RNG = np.random.default_rng(9)
X = (RNG.normal(size=(120, 5)) * [1, 3, 0.1, 2, 1] + [0, 1, 5, 0, -2]).astype(np.float32)
Y = np.digitize(X[:, 0] + X[:, 1] / 3, [-0.5, 1.2])
HOLES = np.where(RNG.random(X.shape) < 0.1, np.nan, X).astype(np.float32)

STEPS: dict[str, tuple[Any, ...]] = {
    "SelectKBest": (StandardScaler(), SelectKBest(k=3)),
    "VarianceThreshold": (VarianceThreshold(0.5), StandardScaler()),
    "FeatureUnion": (FeatureUnion([("pca", PCA(2)), ("all", StandardScaler())]),),
    "ColumnTransformer": (
        ColumnTransformer([("a", MinMaxScaler(), [4, 0]), ("b", StandardScaler(), [1, 2])], remainder="passthrough"),
    ),
    "SimpleImputer": (SimpleImputer(strategy="median"), StandardScaler()),
    "SimpleImputer within": (
        ColumnTransformer([("a", make_pipeline(SimpleImputer(), StandardScaler()), [0, 1, 2]),
                           ("b", SimpleImputer(strategy="constant", fill_value=1.5), [3, 4])]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_a_file_is_read_as_its_estimator(tmp_path: Path, name: str) -> None:
    x = HOLES if "Imputer" in name else X
    mlp = MLPClassifier((4,), max_iter=60, learning_rate_init=0.05, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator = make_pipeline(*STEPS[name], mlp).fit(x, Y)
    model = load(saved(tmp_path, to_onnx(estimator, x[:1], options={"zipmap": False})))
    direct = from_sklearn(estimator)
    assert len(model.inputs) == len(direct.inputs) == 5
    assert any(value is not None for value in model.missing) == ("Imputer" in name)
    for one in (model, direct):
        scores, _ = interpret_model(one, x.astype(np.float64))
        odds = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(odds, estimator.predict_proba(x), rtol=2e-4, atol=1e-6)
