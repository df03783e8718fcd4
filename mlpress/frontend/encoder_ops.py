"""Columns of whole numbers that name categories: one 0 or 1 per category, or the category's place.

A category is told by two bounds half a unit beside it, so that a column of whole numbers is read exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mlpress.errors import MlpressError
from mlpress.frontend.grids import one_or_each
from mlpress.frontend.node import Node, kind
from mlpress.frontend.symbolic import FLOAT, LARGEST, Const, Floats, Flow, reached
from mlpress.ir import Staircase

HALF = 0.5
MOST_CATEGORIES = 1 << 12


def one_hot_encoder(node: Node) -> Flow:
    """Apply ``ai.onnx.ml.OneHotEncoder`` to columns of whole numbers: 0 for all of an unknown category."""
    flow = _column_flow(node)
    found = node.integers("cats_int64s")
    if not found:
        raise MlpressError("its categories are texts; supported are columns of whole numbers")
    if len(flow.shape) != 1:
        raise MlpressError(f"it encodes rows of shape {flow.shape}; supported are (batch, columns)")
    return replace(one_hot(flow, [found] * flow.width), shape=(flow.width, len(found)))


def label_encoder(node: Node) -> Flow:
    """Apply ``ai.onnx.ml.LabelEncoder`` to a column of numbers, where each key has a number."""
    flow = _column_flow(node)
    keys = node.reals("keys_floats") or node.integers("keys_int64s") or []
    values = node.reals("values_floats") or node.integers("values_int64s") or []
    if not keys or len(keys) != len(values):
        raise MlpressError("it encodes features by texts, or in part; supported are numbers for numbers")
    order = np.argsort(keys)
    known, wanted = np.array(keys, np.float64)[order].tolist(), np.array(values, np.float64)[order].tolist()
    unknown = node.real("default_float", 0.0) if node.has("default_float") else None
    unknown = float(node.integer("default_int64", 0)) if node.has("default_int64") else unknown
    return replace(ordinal(flow, [known] * flow.width, wanted, unknown), shape=flow.shape)


def _column_flow(node: Node) -> Flow:
    match node.input(0):
        case Flow() as flow if flow.bare and not flow.transposed:
            return flow
        case Flow():
            raise MlpressError("it encodes values that steps before it computed; supported are columns of the data")
        case other:
            raise MlpressError(f"it encodes what is {kind(other)}; supported are columns of the data")


def one_hot(flow: Flow, categories: Sequence[Sequence[float]]) -> Flow:
    """Return one value per category of each column, 1 where the column has it; ``categories`` by column, whole numbers.

    Raises :class:`MlpressError` for categories that are no whole numbers.
    """
    columns, bounds = list[int](), list[float]()
    weight = dict[tuple[int, int], float]()
    made = 0
    for column, known in enumerate(categories):
        numbers = _whole(known)
        edges = sorted({number + side * HALF for number in numbers for side in (-1, 1)})
        place = {edge: len(bounds) + k for k, edge in enumerate(edges)}
        columns += [column] * len(edges)
        bounds += edges
        for number in numbers:
            weight[place[number - HALF], made] = 1.0
            weight[place[number + HALF], made] = -1.0
            made += 1
    matrix = np.zeros((len(bounds), made))
    for (row, output), value in weight.items():
        matrix[row, output] = value
    places = np.array(columns)
    return reached(flow.picked(places, (len(places),)), np.array(bounds), strict=False).dense(_whole_constant(matrix))


def ordinal(
    flow: Flow,
    categories: Sequence[Sequence[float]],
    values: Sequence[float] | None = None,
    unknown: float | None = None,
) -> Flow:
    """Return the place of each column's category among ``categories`` (ascending, by column), or its of ``values``.

    Any other number gives ``unknown``; where that is ``None``, one between two categories is taken for the nearer one,
    and one beyond all for the last.
    """
    if unknown is not None:
        return _ordinal_or(flow, categories, values, unknown)
    ladders = []
    for known in categories:
        numbers = np.array(known, np.float64)
        wanted = _wanted(len(numbers), values)
        if len(numbers) == 1:
            ladders.append(Staircase((LARGEST,), 1.0, float(wanted[0])))
            continue
        steps = np.unique(np.diff(wanted))
        if not len(numbers) or len(numbers) > MOST_CATEGORIES or len(steps) != 1 or not steps[0] > 0:
            raise MlpressError("it gives categories no evenly rising numbers; encode them as 0, 1, 2, ... in order")
        bounds = (numbers[1:] + numbers[:-1]) / 2
        ladders.append(Staircase(tuple(bounds.tolist()), float(steps[0]), float(wanted[0])))
    every = np.arange(flow.width)
    own = flow.dense(Const(np.eye(flow.width), FLOAT)) if flow.bare else flow.picked(every, (flow.width,))
    return own.quantised(one_or_each(ladders))


def _wanted(count: int, values: Sequence[float] | None) -> Floats:
    return np.arange(count, dtype=np.float64) if values is None else np.array(values, np.float64)


def _ordinal_or(
    flow: Flow, categories: Sequence[Sequence[float]], values: Sequence[float] | None, unknown: float
) -> Flow:
    """Return the value of each column's category, or ``unknown``: a sum over one value per category."""
    if not np.isfinite(unknown):
        raise MlpressError(f"it gives unknown categories {unknown}; supported is a number")
    weight = np.zeros((sum(map(len, categories)), flow.width))
    row = 0
    for column, known in enumerate(categories):
        wanted = _wanted(len(known), values)
        weight[row : row + len(known), column] = wanted - unknown
        row += len(known)
    total = one_hot(flow, categories).dense(Const(weight, FLOAT))
    return total.affine(np.ones(total.width), np.full(total.width, unknown))


def _whole(known: Sequence[float]) -> list[float]:
    numbers = [float(number) for number in known]
    if not numbers or len(numbers) > MOST_CATEGORIES or any(number != np.floor(number) for number in numbers):
        raise MlpressError("a column's categories are no whole numbers; give each one a number")
    return numbers


def _whole_constant(matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Const:
    return Const(matrix, FLOAT, matrix.astype(np.int64), np.ones(matrix.shape))
