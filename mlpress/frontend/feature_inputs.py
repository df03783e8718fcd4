"""A graph's inputs as features: their shape, their names, and those that nothing reads."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from onnx import TensorProto

from mlpress.errors import MlpressError
from mlpress.frontend.symbolic import Flow, feature_flow
from mlpress.frontend.tail import checked_name
from mlpress.frontend.tensors import short, type_name
from mlpress.ir import Model, coders

MAX_FEATURES = 1 << 14  # ir.Model allows no more inputs
_FEATURE_TYPES = (
    TensorProto.FLOAT,
    TensorProto.DOUBLE,
    TensorProto.FLOAT16,
    TensorProto.BFLOAT16,
    TensorProto.INT8,
    TensorProto.UINT8,
    TensorProto.INT16,
    TensorProto.UINT16,
    TensorProto.INT32,
    TensorProto.INT64,
)


def feature_input(entry: Any, graph: Any) -> Flow:
    """Read a graph input as features: (batch, ...), one row without a batch, or (batch, as wide as the first layer)."""
    what = f"input {short(entry.name)}"
    tensor = entry.type.tensor_type
    if not entry.type.HasField("tensor_type") or tensor.elem_type not in _FEATURE_TYPES:
        raise MlpressError(f"{what} has type {type_name(tensor.elem_type)}; features must be numbers")
    dims = list(tensor.shape.dim)
    if not tensor.HasField("shape") or not dims:
        raise MlpressError(f"{what} has {len(dims)} axes; features must have the shape (batch, features)")
    width = first_width(entry.name, graph)
    if len(dims) == 1 and dims[0].dim_value < 1:
        raise MlpressError(f"{what} has 1 axis of unknown size; features must have the shape (batch, features)")
    lone = len(dims) == 1 and width in (None, int(dims[0].dim_value))
    shape = tuple(int(dim.dim_value) for dim in (dims if lone else dims[1:]))
    if len(shape) == 1 and shape[0] < 1 and width is not None:
        shape = (width,)
    width = math.prod(shape)
    if any(size < 1 for size in shape) or width > MAX_FEATURES:
        raise MlpressError(
            f"{what} has rows of shape {shape}; every axis but the batch must be fixed, "
            f"with at most {MAX_FEATURES} features"
        )
    if lone:
        return replace(feature_flow(_names(entry.name, width), shape, None), lone=True)
    batch = int(dims[0].dim_value) if dims[0].HasField("dim_value") and dims[0].dim_value > 0 else None
    return feature_flow(_names(entry.name, width), shape, batch)


def _names(text: str, width: int) -> tuple[str, ...]:
    name = checked_name(text)
    return (name,) if width == 1 else tuple(f"{name}[{index}]" for index in range(width))


_PASSED = {"Cast", "Identity", "QuantizeLinear", "DequantizeLinear", "Clip", "Quant", "IntQuant", "BipolarQuant"}
"""Operators behind which a row is as wide as before."""


def first_width(name: str, graph: Any) -> int | None:
    """Return how many values the first layer behind input ``name`` takes; ``None`` where that is not plain to see."""
    held = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    waiting, seen = [name], {name}
    while waiting:
        current = waiting.pop()
        for node in graph.node:
            if current not in node.input[:2]:
                continue
            found = _taken(node, held)
            if found is not None:
                return found
            if node.op_type in _PASSED and node.output and node.output[0] not in seen:
                seen.add(node.output[0])
                waiting.append(node.output[0])
    return None


def _taken(node: Any, held: dict[str, tuple[int, ...]]) -> int | None:
    """Return the width of the rows that ``node`` takes, by its constants."""
    shapes = [held[other] for other in node.input if other in held]
    lists = {attribute.name: attribute for attribute in node.attribute}
    match node.op_type:
        case "MatMul" if shapes and len(shapes[0]) == 2 and node.input[1] in held:
            return shapes[0][0]
        case "Gemm" if len(node.input) > 1 and len(held.get(node.input[1], ())) == 2:
            transposed = "transB" in lists and lists["transB"].i
            return held[node.input[1]][1 if transposed else 0]
        case "BatchNormalization" if shapes and shapes[0]:
            return shapes[0][0]
        case "Scaler" if "offset" in lists and len(lists["offset"].floats) > 1:
            return len(lists["offset"].floats)
        case "Imputer" if "imputed_value_floats" in lists and len(lists["imputed_value_floats"].floats) > 1:
            return len(lists["imputed_value_floats"].floats)
        case "LinearClassifier" | "LinearRegressor" if "coefficients" in lists and "intercepts" in lists:
            count = len(lists["intercepts"].floats)
            return len(lists["coefficients"].floats) // count if count else None
        case _:
            return None


def with_all_inputs(model: Model, names: tuple[str, ...]) -> Model:
    """Return ``model`` with the features ``names`` as its inputs, in that order; weights of those not read are 0."""
    if model.inputs == names or not set(model.inputs) <= set(names):
        return model
    place = np.array([names.index(name) for name in model.inputs])
    width = len(names)
    scale, offset = np.ones(width), np.zeros(width)
    scale[place], offset[place] = model.scale, model.offset
    held = coders(model.quantiser, len(model.inputs))
    quantiser = model.quantiser
    if isinstance(quantiser, tuple):
        spread = [held[0]] * width
        for where, coder in zip(place.tolist(), held, strict=True):
            spread[where] = coder
        quantiser = tuple(spread)
    first = model.layers[0]
    weight = np.zeros((len(first.bias), width))
    weight[:, place] = first.weight
    integers = first.integers
    if integers is not None:
        codes = np.zeros(weight.shape, np.int64)
        codes[:, place] = integers.weight
        integers = replace(integers, weight=codes)
    layers = (replace(first, weight=weight, integers=integers), *model.layers[1:])
    told = dict(zip(model.inputs, model.missing, strict=False))
    missing = tuple(told.get(name, 0.0) for name in names) if told else ()  # what is not read may be missing
    return replace(model, inputs=names, scale=scale, offset=offset, layers=layers, quantiser=quantiser, missing=missing)
