"""What scikit-learn's steps before a network do to a row, as affine maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.progress import counted

Floats = NDArray[np.float64]
SUPPORTED = (
    "a fitted MLPClassifier, MLPRegressor or linear model, or a Pipeline of affine steps that ends in one "
    "(StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, PCA, IncrementalPCA, TruncatedSVD, FastICA, random "
    "projections, feature selection, SimpleImputer, OneHotEncoder and OrdinalEncoder of whole numbers, a "
    "ColumnTransformer or FeatureUnion of these), or a GridSearchCV "
    "over such"
)


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """``gain @ x + shift``, or ``gain * x + shift`` where ``gain`` is a vector.

    ``gain`` is float64 (outputs, inputs) or (inputs,); ``shift`` float64 (outputs,).  ``missing`` float64 (inputs,), if
    any, is what an input that is missing is taken for, NaN where none may be.
    """

    gain: Floats
    shift: Floats
    missing: Floats | None = None

    @property
    def elementwise(self) -> bool:
        """Whether every output is one input, scaled and shifted."""
        return self.gain.ndim == 1

    @property
    def width(self) -> int:
        """Number of inputs."""
        return int(self.gain.shape[-1])

    def matrix(self) -> Floats:
        """Return the gain as float64 (outputs, inputs)."""
        return np.diag(self.gain) if self.elementwise else self.gain

    def then(self, other: Affine) -> Affine:
        """Return the map that does this one first and ``other`` on its outputs."""
        if self.elementwise or not other.elementwise:
            gain = self.gain * other.gain if self.elementwise else other.gain @ self.gain
        else:
            gain = other.gain[:, None] * self.gain
        moved = other.gain * self.shift if other.elementwise else other.gain @ self.shift
        return Affine(gain, moved + other.shift, self.missing_before(other))

    def missing_before(self, other: Affine) -> Floats | None:
        """Return what missing inputs are taken for where ``other`` follows.

        Those that ``other`` replaces are outputs that read one input alone; the first that replaces a value counts.
        """
        if other.missing is None:
            return self.missing
        found = np.full(self.width, np.nan) if self.missing is None else self.missing.copy()
        for j in np.flatnonzero(~np.isnan(other.missing)).tolist():
            read = [j] if self.elementwise else np.flatnonzero(self.gain[j]).tolist()
            if len(read) == 1 and np.isnan(found[read[0]]):
                gain = self.gain[j] if self.elementwise else self.gain[j, read[0]]
                found[read[0]] = (other.missing[j] - self.shift[j]) / gain
        return found


def steps_of(estimator: Any) -> list[Any]:
    """Return the steps of pipelines within pipelines and of searches' best estimators, those that do nothing left
    out."""
    from sklearn.pipeline import Pipeline

    if isinstance(estimator, Pipeline):
        found = [inner for _, step in estimator.steps for inner in steps_of(step)]
        return found or [None]
    if hasattr(estimator, "best_estimator_"):
        return steps_of(estimator.best_estimator_)
    return [] if isinstance(estimator, str) and estimator == "passthrough" else [estimator]


def identity(width: int) -> Affine:
    """Return the map that changes nothing."""
    return Affine(np.ones(width), np.zeros(width))


def affine(step: Any, width: int) -> Affine:
    """Return what a fitted transformer ``step`` does to rows of ``width`` values; a scaler's clip is not in it.

    Raises :class:`MlpressError` where the step is not affine, not known, not fitted, or takes rows of another width.
    """
    from sklearn.pipeline import FeatureUnion, Pipeline

    match step:
        case str() | None:  # within a Pipeline, ColumnTransformer or FeatureUnion
            return _named(step, width)
        case Pipeline():
            return composed([inner for _, inner in step.steps], width)
        case FeatureUnion():
            refuse_weights(step)
            return _beside([composed([inner], width) for _, inner in step.transformer_list])
    check_width(step, width)
    found = _scaler(step, width) or _projection(step, width) or _selection(step, width) or _columns_apart(step, width)
    if found is None:
        raise MlpressError(_refusal(step))
    return found


def features_of(step: Any) -> int:
    """Return how many values a step was fitted to; raises :class:`MlpressError` where it was not."""
    if not hasattr(step, "n_features_in_"):
        known = hasattr(step, "fit")
        raise MlpressError(f"this {_name(step)} is not fitted; call fit() first" if known else _refusal(step))
    return int(step.n_features_in_)


def check_width(step: Any, width: int) -> None:
    """Raise :class:`MlpressError` where ``step`` was not fitted to rows of ``width`` values."""
    if features_of(step) != width:
        raise MlpressError(
            f"{_name(step)} takes {counted(features_of(step), 'value')}, but {width} reach it; fit all as one"
        )


def clip_range(step: Any) -> tuple[float, float] | None:
    """Return the range that a scaler cuts its outputs to, or ``None``."""
    if not getattr(step, "clip", False):
        return None
    low, high = getattr(step, "feature_range", (-1.0, 1.0))  # MaxAbsScaler's is fixed
    return float(low), float(high)


def _name(step: Any) -> str:
    return type(step).__name__


def _refusal(step: Any) -> str:
    return f"{_name(step)} before the MLP is not supported; supported: {SUPPORTED}"


def _named(step: str | None, width: int) -> Affine:
    if step in ("passthrough", None):
        return identity(width)
    if step == "drop":
        return Affine(np.zeros((0, width)), np.zeros(0))
    raise MlpressError(_refusal(step))


def _scaler(step: Any, width: int) -> Affine | None:
    from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

    match step:
        case MinMaxScaler():
            return Affine(_row(step.scale_, 1.0, width), _row(step.min_, 0.0, width))
        case StandardScaler():
            centre = step.mean_ if step.with_mean else None
        case RobustScaler():
            centre = step.center_ if step.with_centering else None
        case MaxAbsScaler():
            centre = None
        case FunctionTransformer(func=None):
            return identity(width)
        case _:
            return None
    gain = 1.0 / _row(step.scale_, 1.0, width)
    return Affine(gain, -_row(centre, 0.0, width) * gain)


def _row(values: Any, default: float, width: int) -> Floats:
    return np.full(width, default) if values is None else np.asarray(values, np.float64)


def _projection(step: Any, width: int) -> Affine | None:
    """Return matrices that scikit-learn calls components: ``(x - mean) @ components.T``, whitened or not."""
    from sklearn.decomposition import PCA, FastICA, IncrementalPCA, TruncatedSVD
    from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

    centred = isinstance(step, PCA | IncrementalPCA | FastICA)
    if not centred and not isinstance(step, TruncatedSVD | GaussianRandomProjection | SparseRandomProjection):
        return None
    components = step.components_
    gain = np.asarray(components.toarray() if hasattr(components, "toarray") else components, np.float64)
    mean = _row(getattr(step, "mean_", None) if centred else None, 0.0, width)
    if isinstance(step, PCA | IncrementalPCA) and step.whiten:
        deviation = np.sqrt(step.explained_variance_)
        least = np.finfo(deviation.dtype).eps  # where scikit-learn bounds it from below
        gain = gain / np.maximum(deviation, least).astype(np.float64)[:, None]
    return Affine(gain, -(gain @ mean))


def _selection(step: Any, width: int) -> Affine | None:
    """Return the columns that are kept; an imputer keeps those that had a value, and says what stands for missing
    ones.
    """
    from sklearn.feature_selection import SelectorMixin
    from sklearn.impute import SimpleImputer

    if isinstance(step, SelectorMixin):
        return _picked(np.flatnonzero(step.get_support()), width)
    if isinstance(step, SimpleImputer):
        marker = isinstance(step.missing_values, float) and np.isnan(step.missing_values)
        if not marker or step.add_indicator:
            raise MlpressError("a SimpleImputer that replaces other values than NaN, or marks them, is not supported")
        values = np.asarray(step.statistics_, np.float64)
        return replace(_picked(np.flatnonzero(~np.isnan(values)), width), missing=values)
    return None


def _picked(columns: NDArray[np.integer], width: int) -> Affine:
    if np.array_equal(columns, np.arange(width)):
        return identity(width)
    gain = np.zeros((len(columns), width))
    gain[np.arange(len(columns)), columns] = 1.0
    return Affine(gain, np.zeros(len(columns)))


def _columns_apart(step: Any, width: int) -> Affine | None:
    from sklearn.compose import ColumnTransformer

    if not isinstance(step, ColumnTransformer):
        return None
    refuse_weights(step)
    picked = [(inner, _picked(columns_of(columns, step, width), width)) for _, inner, columns in step.transformers_]
    return _beside([some.then(composed([inner], len(some.shift))) for inner, some in picked if len(some.shift)])


def refuse_weights(step: Any) -> None:
    """Raise :class:`MlpressError` where a union of steps weighs them."""
    if step.transformer_weights is not None:
        raise MlpressError(f"{_name(step)} with transformer_weights is not supported; scale within its steps")


def _beside(parts: Sequence[Affine]) -> Affine:
    """Return the map to the outputs of all ``parts``, one after another."""
    missing: Floats | None = None
    for told in (part.missing for part in parts if part.missing is not None):
        missing = told if missing is None else missing
        if np.any(~np.isnan(told) & ~np.isnan(missing) & (told != missing)):
            raise MlpressError("SimpleImputers that take one missing value for two values are not supported; use one")
        missing = np.where(np.isnan(missing), told, missing)
    gain = np.concatenate([part.matrix() for part in parts])
    return Affine(gain, np.concatenate([part.shift for part in parts]), missing)


def columns_of(columns: Any, step: Any, width: int) -> NDArray[np.integer]:
    """Return indices of a ColumnTransformer's columns: numbers, names, a slice of either, or a mask."""
    names = [str(name) for name in getattr(step, "feature_names_in_", ())]
    match columns:
        case str():
            return np.array([names.index(columns)])
        case slice(start=str() | None as start, stop=str() | None as stop) if start or stop:
            last = width if stop is None else names.index(stop) + 1  # a named end is within
            return np.arange(0 if start is None else names.index(start), last, columns.step)
        case slice() | int():
            return np.atleast_1d(np.arange(width)[columns])
    listed = [names.index(column) if isinstance(column, str) else column for column in columns]
    return np.arange(width)[listed] if listed else np.arange(0)


def composed(steps: Sequence[Any], width: int) -> Affine:
    """Return what the steps do one after another, none of which may clip."""
    whole = identity(width)
    for step in steps:
        if clip_range(step) is not None:
            raise MlpressError(f"{_name(step)} that clips is supported as a step of the outermost Pipeline only")
        whole = whole.then(affine(step, len(whole.shift)))
    return whole
