"""scikit-learn estimators to :class:`mlpress.ir.Model`, without a file in between."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.data import class_name, generated_names
from mlpress.ir import (
    ArgmaxHead,
    Clip,
    Dense,
    Linear,
    Model,
    RealActivation,
    RealHead,
    Relu,
    ScoresHead,
    Sigmoid,
    Tanh,
    ThresholdHead,
    verify,
)

Floats = NDArray[np.float64]
_SUPPORTED = (
    "a fitted MLPClassifier or MLPRegressor, or a Pipeline of StandardScaler, MinMaxScaler, MaxAbsScaler or "
    "RobustScaler steps that ends in one"
)
_ACTIVATIONS: dict[str, RealActivation] = {"identity": Linear(), "logistic": Sigmoid(), "tanh": Tanh(), "relu": Relu()}


def from_sklearn(estimator: Any) -> Model:
    """The model that a fitted scikit-learn ``estimator`` predicts with.

    Takes an ``MLPClassifier`` or ``MLPRegressor``, alone or last in a ``Pipeline`` after scalers (``StandardScaler``,
    ``MinMaxScaler``, ``MaxAbsScaler``, ``RobustScaler``).  Features are named as the estimator was fitted, else
    ``x[0], x[1], ...``.

    Raises :class:`MlpressError` for anything else, and for an estimator that is not fitted.
    """
    from sklearn.pipeline import Pipeline

    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else [estimator]
    *scalers, mlp = [step for step in steps if step is not None and step != "passthrough"] or [None]
    head, classes = _head(mlp)
    names = _names(mlp.n_features_in_, steps)
    scale, offset, clip = _scaling(scalers, len(names))
    model = Model(names, scale, offset, _layers(mlp), head, classes, clip)
    verify(model)
    return model


def _head(mlp: Any) -> tuple[RealHead, tuple[int | str, ...]]:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if not isinstance(mlp, MLPClassifier | MLPRegressor):
        raise MlpressError(f"{type(mlp).__name__} is not supported; supported: {_SUPPORTED}")
    if not hasattr(mlp, "coefs_"):
        raise MlpressError(f"this {type(mlp).__name__} is not fitted; call fit() first")
    if isinstance(mlp, MLPRegressor):
        if mlp.out_activation_ != "identity":
            raise MlpressError(f"an MLPRegressor with loss={mlp.loss!r} is not supported; use loss='squared_error'")
        return ScoresHead(), ()
    if mlp.out_activation_ == "softmax":
        return ArgmaxHead(), _classes(mlp)
    if mlp.n_outputs_ != 1:
        raise MlpressError(f"a multi-label MLPClassifier with {mlp.n_outputs_} labels is not supported; fit one class")
    return ThresholdHead(), _classes(mlp)


def _classes(mlp: Any) -> tuple[int | str, ...]:
    return tuple(class_name(label) for label in mlp.classes_.tolist())


def _names(count: int, steps: list[Any]) -> tuple[str, ...]:
    named = next((step for step in steps if hasattr(step, "feature_names_in_")), None)
    return generated_names(count) if named is None else tuple(str(name) for name in named.feature_names_in_)


def _scaling(scalers: list[Any], width: int) -> tuple[Floats, Floats, Clip | None]:
    """The scalers one after another as ``x * scale + offset``, and the last one's clip."""
    scale, offset, clip = np.ones(width), np.zeros(width), None
    for scaler in scalers:
        if clip is not None:
            raise MlpressError("a scaler follows a MinMaxScaler that clips; put the clipping one last")
        gain, shift = _scaler(scaler, width)
        scale, offset = scale * gain, offset * gain + shift
        if getattr(scaler, "clip", False):
            clip = Clip(*(float(bound) for bound in scaler.feature_range))
    return scale, offset, clip


def _scaler(scaler: Any, width: int) -> tuple[Floats, Floats]:
    """One scaler as gain and shift, each float64 (width,)."""
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

    if not isinstance(scaler, MaxAbsScaler | MinMaxScaler | RobustScaler | StandardScaler):
        raise MlpressError(f"{type(scaler).__name__} before the MLP is not supported; supported: {_SUPPORTED}")
    if not hasattr(scaler, "n_features_in_"):
        raise MlpressError(f"this {type(scaler).__name__} is not fitted; call fit() first")
    if isinstance(scaler, MinMaxScaler):
        return _row(scaler.scale_, 1.0, width), _row(scaler.min_, 0.0, width)
    gain = 1.0 / _row(scaler.scale_, 1.0, width)
    centre = getattr(scaler, "mean_", None) if isinstance(scaler, StandardScaler) else getattr(scaler, "center_", None)
    if isinstance(scaler, StandardScaler) and not scaler.with_mean:
        centre = None
    return gain, -_row(centre, 0.0, width) * gain


def _row(values: Any, default: float, width: int) -> Floats:
    return np.full(width, default) if values is None else np.asarray(values, np.float64)


def _layers(mlp: Any) -> tuple[Dense, ...]:
    """The dense layers; two with no activation between them are one."""
    hidden = _ACTIVATIONS[mlp.activation]
    layers: list[Dense] = []
    for coefficients, intercepts in zip(mlp.coefs_, mlp.intercepts_, strict=True):
        weight = np.asarray(coefficients, np.float64).T.copy()
        bias = np.asarray(intercepts, np.float64)
        if layers and hidden == Linear():
            before = layers.pop()
            weight, bias = weight @ before.weight, weight @ before.bias + bias
        layers.append(Dense(weight, bias, hidden))
    last = layers[-1]
    layers[-1] = Dense(last.weight, last.bias, Linear())
    return tuple(layers)
