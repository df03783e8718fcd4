"""scikit-learn estimators to :class:`mlpress.ir.Model`, without a file in between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from mlpress.errors import MlpressError
from mlpress.frontend.data import class_name, generated_names
from mlpress.frontend.encoder_steps import encoded, has_encoder
from mlpress.frontend.estimator_votes import is_vote, voted
from mlpress.frontend.feature_inputs import with_all_inputs
from mlpress.frontend.steps import (
    SUPPORTED,
    Affine,
    Floats,
    affine,
    check_width,
    clip_range,
    features_of,
    identity,
    steps_of,
)
from mlpress.frontend.symbolic import FLOAT, Const
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
from mlpress.progress import counted

_ACTIVATIONS: dict[str, RealActivation] = {"identity": Linear(), "logistic": Sigmoid(), "tanh": Tanh(), "relu": Relu()}


def from_sklearn(estimator: Any) -> Model:
    """Return the model that a fitted scikit-learn ``estimator`` predicts with.

    Takes an ``MLPClassifier`` or ``MLPRegressor``, or a linear model (logistic regression, perceptron, SGD, ridge,
    linear SVC, discriminant analysis: a network without a hidden layer), alone or last in a ``Pipeline`` of affine
    steps (scalers, ``PCA``, ``TruncatedSVD``, feature selection: :data:`mlpress.frontend.steps.SUPPORTED`), or a
    search over such (``GridSearchCV``), whose best estimator is taken, or a vote of such on two classes
    (``VotingClassifier``, ``BaggingClassifier``).  Scalers before all else scale the features, all
    other steps are folded into the first layer; a feature that is not selected has zero weights.  Features are named
    as the estimator was fitted, else ``x[0], x[1], ...``.

    Raises :class:`MlpressError` for anything else, and for an estimator that is not fitted.
    """
    *steps, mlp = steps_of(estimator)
    if is_vote(mlp):
        names = _names([*steps, mlp])
        model = voted(mlp, lambda member: _of_steps([*steps, *steps_of(member)], names))
        model = with_all_inputs(model, names)
        verify(model)
        return model
    return _of_steps([*steps, mlp], None)


def _of_steps(found: list[Any], names: tuple[str, ...] | None) -> Model:
    """Return the model of steps and the network that they end in; ``names`` where the first step has none."""
    *steps, mlp = found
    head, classes = _head(mlp)
    names = names or _names(found)
    if any(has_encoder(step) for step in steps):
        return _behind_encoders(steps, mlp, head, classes, names)
    scaling = _scaling(steps, len(names))
    check_width(mlp, len((scaling.mixed or identity(len(names))).shift))
    layers = _layers(mlp, scaling.mixed)
    model = Model(names, scaling.scale, scaling.offset, layers, head, classes, scaling.clip, None, scaling.missing)
    verify(model)
    return model


def _behind_encoders(
    steps: list[Any], mlp: Any, head: RealHead, classes: tuple[int | str, ...], names: tuple[str, ...]
) -> Model:
    """Return the model of steps that encode categories, each of whose columns then becomes several values."""
    flow = encoded(steps, names)
    check_width(mlp, flow.width)
    first, *others = _layers(mlp, None)
    flow = flow.dense(Const(np.ascontiguousarray(first.weight.T), FLOAT)).add(Const(first.bias, FLOAT))
    layers = (*flow.layers[:-1], replace(flow.layers[-1], activation=first.activation), *others)
    missing = tuple(map(dict(flow.missing).get, flow.names)) if flow.missing else ()
    model = Model(flow.names, flow.scale, flow.offset, layers, head, classes, flow.clip, flow.quantiser, missing)
    model = with_all_inputs(model, names)
    verify(model)
    return model


def _head(mlp: Any) -> tuple[RealHead, tuple[int | str, ...]]:
    from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if isinstance(mlp, GridSearchCV | RandomizedSearchCV):
        raise MlpressError(f"this {type(mlp).__name__} has no best estimator; fit it with refit=True")
    if _is_linear(mlp):
        return _linear_head(mlp)
    if not isinstance(mlp, MLPClassifier | MLPRegressor):
        raise MlpressError(_refusal(mlp))
    if not hasattr(mlp, "coefs_"):
        raise MlpressError(f"this {type(mlp).__name__} is not fitted; call fit() first")
    if isinstance(mlp, MLPRegressor):
        if mlp.out_activation_ != "identity":
            raise MlpressError(f"an MLPRegressor with loss={mlp.loss!r} is not supported; use loss='squared_error'")
        return ScoresHead(), ()
    if mlp.out_activation_ == "softmax":
        return ArgmaxHead(), _classes(mlp)
    if mlp.n_outputs_ != 1:
        raise MlpressError(
            f"a multi-label MLPClassifier with {counted(mlp.n_outputs_, 'label')} is not supported; fit one class"
        )
    return ThresholdHead(), _classes(mlp)


def _refusal(estimator: Any) -> str:
    """Return why an estimator is not read: the true reason where it is known."""
    from sklearn.base import BaseEstimator
    from sklearn.tree import BaseDecisionTree

    name = type(estimator).__name__
    held = getattr(estimator, "estimators_", ())
    members = list(held.ravel() if isinstance(held, np.ndarray) else held)
    if isinstance(estimator, BaseDecisionTree) or any(isinstance(one, BaseDecisionTree) for one in members):
        reason = "decision trees are no network of layers; train an MLP, or search with --start tree"
        return f"{name} is not supported: {reason}"
    if members and all(isinstance(one, BaseEstimator) for one in members):
        return f"{name} is not supported: a vote of several models is no single network; give one of them"
    return f"{name} is not supported; supported: {SUPPORTED}"


def _is_linear(estimator: Any) -> bool:
    """Return whether the class or the value of ``estimator`` follows from ``coef_`` and ``intercept_`` alone."""
    from sklearn import linear_model as linear
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.svm import LinearSVC, LinearSVR

    classifiers = ("LogisticRegression", "SGDClassifier", "Perceptron", "RidgeClassifier", "RidgeClassifierCV")
    regressors = (
        *("LinearRegression", "Ridge", "RidgeCV", "ElasticNet", "ElasticNetCV", "LassoCV", "SGDRegressor"),
        *("HuberRegressor", "BayesianRidge", "ARDRegression", "TheilSenRegressor", "OrthogonalMatchingPursuit"),
        *("OrthogonalMatchingPursuitCV", "Lars", "QuantileRegressor"),
    )
    known = tuple(getattr(linear, name) for name in (*classifiers, *regressors))
    return isinstance(estimator, (*known, LinearDiscriminantAnalysis, LinearSVC, LinearSVR))


def _linear_head(estimator: Any) -> tuple[RealHead, tuple[int | str, ...]]:
    if not hasattr(estimator, "coef_"):
        raise MlpressError(f"this {type(estimator).__name__} is not fitted; call fit() first")
    if not hasattr(estimator, "classes_"):
        return ScoresHead(), ()
    if np.ndim(estimator.classes_) != 1 or isinstance(estimator.classes_, list):
        raise MlpressError(f"a {type(estimator).__name__} of several labels is not supported; fit one class")
    return (ThresholdHead() if len(estimator.classes_) == 2 else ArgmaxHead()), _classes(estimator)


def _classes(mlp: Any) -> tuple[int | str, ...]:
    return tuple(class_name(label) for label in mlp.classes_.tolist())


def _names(steps: list[Any]) -> tuple[str, ...]:
    """Return the names of the features that the first step was fitted to."""
    width, named = features_of(steps[0]), getattr(steps[0], "feature_names_in_", None)
    return generated_names(width) if named is None else tuple(str(name) for name in named)


class _Scaling(NamedTuple):
    """The steps as ``x * scale + offset``, then ``clip``, then ``mixed``; the last two where they are needed.

    ``missing`` is :class:`Model`'s: float32, as features are.
    """

    scale: Floats
    offset: Floats
    clip: Clip | None
    mixed: Affine | None
    missing: tuple[float | None, ...]


def _scaling(steps: list[Any], width: int) -> _Scaling:
    scaled, mixed, clip = identity(width), None, None
    for step in steps:
        this = affine(step, len((mixed or scaled).shift))
        if mixed is not None or clip is not None or not this.elementwise:
            mixed = this if mixed is None else mixed.then(this)
        else:
            scaled = scaled.then(this)
        if (bounds := clip_range(step)) is not None:
            if mixed is not None:
                name = type(step).__name__
                raise MlpressError(f"{name} that clips after other steps than scalers is not supported; put it first")
            clip = Clip(*bounds)
    told = scaled.missing if mixed is None else scaled.missing_before(mixed)
    missing = () if told is None else tuple(None if np.isnan(value) else float(np.float32(value)) for value in told)
    return _Scaling(scaled.gain, scaled.shift, clip, mixed, missing)


def _layers(mlp: Any, mixed: Affine | None) -> tuple[Dense, ...]:
    """Return the dense layers, the first one after what ``mixed`` does; two with no activation between them are one."""
    linear = _is_linear(mlp)
    hidden = Linear() if linear else _ACTIVATIONS[mlp.activation]
    layers: list[Dense] = []
    matrices = [np.atleast_2d(mlp.coef_).T] if linear else mlp.coefs_
    starts = [np.broadcast_to(mlp.intercept_, matrices[0].shape[1:]).copy()] if linear else mlp.intercepts_
    for coefficients, intercepts in zip(matrices, starts, strict=True):
        weight = np.asarray(coefficients, np.float64).T.copy()
        bias = np.asarray(intercepts, np.float64)
        if not layers and mixed is not None:
            folded = mixed.then(Affine(weight, bias))
            weight, bias = folded.matrix(), folded.shift
        if layers and hidden == Linear():
            before = layers.pop()
            weight, bias = weight @ before.weight, weight @ before.bias + bias
        layers.append(Dense(weight, bias, hidden))
    last = layers[-1]
    layers[-1] = Dense(last.weight, last.bias, Linear())
    return tuple(layers)
