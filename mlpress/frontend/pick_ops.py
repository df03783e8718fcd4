"""Operators that pick some values of a row: columns of features, of scores, of names."""

from __future__ import annotations

import numpy as np

from mlpress.errors import MlpressError
from mlpress.frontend import fold, tail
from mlpress.frontend.node import Node, kind
from mlpress.frontend.symbolic import Const, Dims, Flow, Ints, Label, Value
from mlpress.frontend.tensors import short
from mlpress.progress import counted

OPERATORS = ("Gather", "GatherND", "Slice", "Split", "ai.onnx.ml.ArrayFeatureExtractor")


def pick(node: Node) -> Value | tuple[Value, ...]:
    """Apply one of :data:`OPERATORS`."""
    if node.op == "Slice":
        return _slice(node)
    if node.op == "Split":
        return _split(node)
    match node.input(0), node.input(1):
        case Const() as names, Label() as label:
            return tail.named_label(names, label)
        case Flow() as flow, Const() as index:
            return _columns(flow, *_gathered(node, flow, index))
        case ((Const() | Dims()) as value, index) if node.op == "Gather":
            return fold.gather(node, value, index)
        case value, index:
            raise MlpressError(f"it picks from what is {kind(value)} by what is {kind(index)}; that is not supported")


def _gathered(node: Node, flow: Flow, index: Const) -> tuple[Ints, tuple[int, ...]]:
    """Return which values of a row are picked, and the shape of a row after that."""
    values = index.values
    if values.dtype != np.int64 or values.size > 1 << 14 or not values.size:
        raise MlpressError("its indices are no short constant list of integers")
    rank = 1 + len(flow.shape)
    match node.op:
        case "Gather":
            axis = node.integer("axis", 0)
        case "GatherND":
            if node.integer("batch_dims", 0) or values.ndim != 2 or values.shape[1] != 1:
                raise MlpressError("picking is supported along one axis only")
            axis, values = 0, values[:, 0]
        case _:
            axis, values = -1, values.reshape(-1)
    axis += rank if axis < 0 else 0
    if (
        len(flow.shape) == 2 and flow.shape[0] == 1 and axis == 2 and values.ndim == 1
    ):  # as a OneHotEncoder's values are
        return _places(values, flow.width), (1, len(values))
    if len(flow.shape) != 1 or axis != (0 if flow.transposed else 1) or values.ndim > 1:
        raise MlpressError("picking is supported among the values of a row; the batch must stay as it is")
    places = _places(values, flow.width)
    return places, (len(places),) if values.ndim else ()


def _places(values: Ints, width: int) -> Ints:
    places = np.where(values < 0, values + width, values).reshape(-1)
    if places.min() < 0 or places.max() >= width:
        raise MlpressError(f"index {short(str(values.reshape(-1)[:8].tolist()))} is out of range")
    return places


def _columns(flow: Flow, places: Ints, shape: tuple[int, ...]) -> Value:
    if flow.final:
        return tail.column(flow, places)
    return flow.picked(places, shape)


def _slice(node: Node) -> Value:
    value = node.input(0)
    if isinstance(value, Dims):
        return fold.slice_sizes(node, value)
    if not isinstance(value, Flow):
        raise MlpressError(f"its input 0 is {kind(value)}; that is not supported")
    flow = value
    starts, ends, axes, steps = _ranges(node)
    grid = np.arange(flow.width).reshape(flow.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = axis + 1 + len(flow.shape) if axis < 0 else axis
        place = place if flow.transposed else place - 1
        if not 0 <= place < len(flow.shape) or step == 0:
            if step == 1 and start == 0 and end >= (1 << 31) - 1:
                continue  # the whole batch
            raise MlpressError("slicing is supported among the values of a row; the batch must stay as it is")
        picked = np.arange(flow.shape[place])[start:end:step]
        grid = np.take(grid, picked, axis=place)
    if not grid.size:
        raise MlpressError("it leaves no value of a row")
    places = grid.reshape(-1)
    return tail.column(flow, places) if flow.final else flow.picked(places, tuple(map(int, grid.shape)))


def _ranges(node: Node) -> tuple[list[int], list[int], list[int], list[int]]:
    if node.has("starts"):
        starts, ends = node.integers("starts") or [], node.integers("ends") or []
        axes, steps = node.integers("axes"), None
    else:
        starts, ends = fold.ints(node.input(1)), fold.ints(node.input(2))
        axes, steps = (None if node.optional(place) is None else fold.ints(node.input(place)) for place in (3, 4))
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise MlpressError("its starts, ends, axes and steps are of different lengths")
    return starts, ends, axes, steps


def _split(node: Node) -> tuple[Value, ...]:
    """Apply ``Split``: the values of a row in parts of given sizes, or of even ones, of which the last is smaller."""
    flow, axis = node.flow(0), node.integer("axis", 0)
    axis += 1 + len(flow.shape) if axis < 0 else 0
    if len(flow.shape) != 1 or axis != (0 if flow.transposed else 1):
        raise MlpressError("splitting is supported among the values of a row; the batch must stay as it is")
    given = node.optional(1)
    sizes = node.integers("split") if given is None else fold.ints(given)
    if sizes is None:
        size = -(-flow.width // node.outputs)
        sizes = [size] * (node.outputs - 1) + [flow.width - size * (node.outputs - 1)]
    if sum(sizes) != flow.width or min(sizes) < 1 or len(sizes) != node.outputs:
        raise MlpressError(
            f"its parts are {short(str(sizes))} of a row of {counted(flow.width, 'value')}, for "
            f"{counted(node.outputs, 'output')}"
        )
    parts = np.split(np.arange(flow.width), np.cumsum(sizes)[:-1])
    return tuple(_columns(flow, places, (len(places),)) for places in parts)
