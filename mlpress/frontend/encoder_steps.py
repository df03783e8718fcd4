"""scikit-learn's steps with encoders of categories among them, by the values that the ONNX reader follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mlpress.errors import MlpressError
from mlpress.frontend import branches, encoder_ops
from mlpress.frontend.steps import affine, check_width, clip_range, columns_of, refuse_weights
from mlpress.frontend.symbolic import FLOAT, Const, Flow, feature_flow


def has_encoder(step: Any) -> bool:
    """Return whether ``step`` is a OneHotEncoder or OrdinalEncoder, or has one among its own steps."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    match step:
        case OneHotEncoder() | OrdinalEncoder():
            return True
        case Pipeline():
            return any(has_encoder(inner) for _, inner in step.steps)
        case FeatureUnion():
            return any(has_encoder(inner) for _, inner in step.transformer_list)
        case ColumnTransformer():
            return any(has_encoder(inner) for _, inner, _ in getattr(step, "transformers_", ()))
        case _:
            return False


def encoded(steps: Sequence[Any], names: tuple[str, ...]) -> Flow:
    """Return what the fitted ``steps`` make of features called ``names``.

    Raises :class:`MlpressError` for steps that are not affine and no encoders of whole numbers, and for encoders of
    what other steps computed.
    """
    flow = feature_flow(names, (len(names),), None)
    for step in steps:
        flow = _through(step, flow)
    return flow


def _through(step: Any, flow: Flow) -> Flow:
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    match step:
        case Pipeline():
            for _, inner in step.steps:
                flow = _through(inner, flow)
            return flow
        case FeatureUnion() if has_encoder(step):
            refuse_weights(step)
            return _side_by_side([_through(inner, flow) for _, inner in step.transformer_list if inner != "drop"])
        case ColumnTransformer() if has_encoder(step):
            refuse_weights(step)
            check_width(step, flow.width)
            picked = [(inner, columns_of(columns, step, flow.width)) for _, inner, columns in step.transformers_]
            kept = [(inner, places) for inner, places in picked if inner != "drop" and len(places)]
            return _side_by_side(
                [_through(inner, flow.picked(places.astype(np.int64), (len(places),))) for inner, places in kept]
            )
        case OneHotEncoder():
            return _one_hot(step, flow)
        case OrdinalEncoder():
            _check_columns(step, flow)
            unknown = step.unknown_value if step.handle_unknown == "use_encoded_value" else None
            return encoder_ops.ordinal(flow, [_numbers(step, known) for known in step.categories_], unknown=unknown)
    if clip_range(step) is not None:
        raise MlpressError(f"{type(step).__name__} that clips beside encoders of categories is not supported")
    return _affine(step, flow)


def _affine(step: Any, flow: Flow) -> Flow:
    found = affine(step, flow.width)
    if found.missing is not None and flow.bare:
        told = dict(flow.missing)
        values = (found.missing - flow.offset) / flow.scale
        for name, value in zip(flow.names, values.tolist(), strict=True):
            if np.isfinite(value):
                told.setdefault(name, float(np.float32(value)))
        flow = replace(flow, missing=tuple(sorted(told.items())))
    if found.elementwise:
        return flow.affine(found.gain, found.shift)
    return flow.dense(Const(np.ascontiguousarray(found.gain.T), FLOAT)).add(Const(found.shift, FLOAT))


def _side_by_side(flows: Sequence[Flow]) -> Flow:
    return flows[0] if len(flows) == 1 else branches.joined(flows)


def _check_columns(step: Any, flow: Flow) -> None:
    check_width(step, flow.width)
    if getattr(step, "_infrequent_enabled", False):
        raise MlpressError(
            f"{type(step).__name__} that joins infrequent categories is not supported; leave these options out"
        )
    if not flow.bare or flow.pending or (flow.scale != 1.0).any() or flow.offset.any():
        raise MlpressError(f"{type(step).__name__} of what steps before it computed is not supported; put it first")


def _numbers(step: Any, known: Any) -> list[float]:
    if np.asarray(known).dtype.kind not in "iufb":
        raise MlpressError(f"{type(step).__name__} of texts is not supported; supported are columns of whole numbers")
    if np.isnan(np.asarray(known, np.float64)).any():
        raise MlpressError(f"{type(step).__name__} has a category for missing values; fill them in before it")
    return [float(value) for value in known]


def _one_hot(step: Any, flow: Flow) -> Flow:
    _check_columns(step, flow)
    known = [_numbers(step, each) for each in step.categories_]
    flow = encoder_ops.one_hot(flow, known)
    if step.drop_idx_ is None:
        return flow
    first = np.cumsum([0, *map(len, known)])
    gone = {int(first[k] + place) for k, place in enumerate(step.drop_idx_) if place is not None}
    places = np.array([place for place in range(flow.width) if place not in gone])
    return flow.picked(places, (len(places),))
