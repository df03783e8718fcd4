"""Operators that only rearrange: they keep every value and move it, or refuse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend import branches, fold, qdq, votes
from mlpress.frontend.node import Node, kind
from mlpress.frontend.symbolic import Aside, Coded, Const, Dims, Flow, Label, Named, Value
from mlpress.frontend.tensors import FLOATS, type_name

LAYOUT = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Dropout", "Cast", "Concat", "Shape")


def layout(node: Node) -> Value:
    """Apply one of the operators of :data:`LAYOUT`."""
    if node.op == "Concat":
        return _concat(node)
    match node.input(0):
        case Label() as label:
            return _on_label(node, label)
        case Aside() | Named() as value:
            return value
        case Coded() as coded if node.op == "Cast":
            return qdq.recast(coded, node.integer("to", 0))
        case Coded(flow, quantiser):
            return Coded(_on_flow(node, flow), quantiser)
        case Flow() as flow:
            return _shape(node, flow) if node.op == "Shape" else _on_flow(node, flow)
        case Const() as constant:
            return _on_const(node, constant)
        case Dims() as dims:
            return _on_dims(node, dims)


def _on_flow(node: Node, flow: Flow) -> Flow:
    match node.op:
        case "Identity":
            return flow
        case "Dropout":
            return _dropout(node, flow)
        case "Cast":
            target = node.integer("to", 0)
            if target not in FLOATS and node.readers != {"ai.onnx.ml.OneHotEncoder"}:
                raise MlpressError(f"casting features to {type_name(target)} rounds them; only floats are supported")
            return flow
        case "Transpose":
            permutation = node.integers("perm") or [1, 0]
            if len(flow.shape) != 1 or permutation != [1, 0]:
                raise MlpressError("transposing is supported for (batch, values) only")
            return replace(flow, transposed=not flow.transposed)
    if flow.transposed:
        raise MlpressError("the batch is not the first axis here; that is not supported")
    match node.op:
        case "Flatten":
            if _axis(node.integer("axis", 1), 1 + len(flow.shape)) != 1:
                raise MlpressError("flattening is supported from axis 1 on, so that each row stays a row")
            return replace(flow, shape=(flow.width,))
        case "Reshape":
            return replace(flow, shape=_row_shape(flow, fold.sizes(node.input(1)), not node.integer("allowzero", 0)))
        case "Squeeze":
            return replace(flow, shape=_squeezed(flow, fold.axes(node)))
        case "Unsqueeze":
            return replace(flow, shape=_unsqueezed(flow, fold.axes(node) or []))
        case _:
            raise MlpressError("it is not supported on features")


def _axis(axis: int, rank: int) -> int:
    return axis + rank if axis < 0 else axis


def _row_shape(flow: Flow, target: Sequence[int | None], copy_zero: bool) -> tuple[int, ...]:
    """Return the shape of a row after ``Reshape``, where the first axis must stay the batch."""
    mixed = MlpressError(
        f"the target shape {_shown(target)} mixes rows of shape {flow.shape}; keep the batch as the first axis"
    )
    if list(target) == [-1] and flow.width == 1:
        return ()
    if not target:
        raise mixed
    old = (flow.batch, *flow.shape)
    rest = [old[i] if size == 0 and copy_zero and i < len(old) else size for i, size in enumerate(target)][1:]
    known = math.prod(size for size in rest if size is not None and size != -1)
    if rest.count(-1) == 1 and known > 0 and target[0] != -1:
        rest = [flow.width // known if size == -1 else size for size in rest]
    sizes = [size for size in rest if size is not None and size >= 0]
    same_rows = target[0] in {-1, None} or (target[0] == 0 and copy_zero) or target[0] == flow.batch
    if len(sizes) != len(rest) or math.prod(sizes) != flow.width or not same_rows:
        raise mixed
    return tuple(sizes)


def _shown(target: Sequence[int | None]) -> str:
    return "(" + ", ".join("batch" if size is None else str(size) for size in target[:8]) + ")"


def _squeezed(flow: Flow, axes: list[int] | None) -> tuple[int, ...]:
    if axes is None:
        return tuple(size for size in flow.shape if size != 1)
    gone = {_axis(axis, 1 + len(flow.shape)) for axis in axes}
    if not all(1 <= axis <= len(flow.shape) and flow.shape[axis - 1] == 1 for axis in gone):
        raise MlpressError(f"axes {axes} of rows of shape {flow.shape} cannot be squeezed away; they must have size 1")
    return tuple(size for axis, size in enumerate(flow.shape, 1) if axis not in gone)


def _unsqueezed(flow: Flow, axes: list[int]) -> tuple[int, ...]:
    rank = 1 + len(flow.shape) + len(axes)
    shape = list(flow.shape)
    for axis in sorted(_axis(axis, rank) for axis in axes):
        if not 1 <= axis <= len(shape) + 1:
            raise MlpressError(
                f"axes {axes} do not fit rows of shape {flow.shape}: an axis before the batch stacks several networks, "
                "as an ensemble does; export one of them"
            )
        shape.insert(axis - 1, 1)
    return tuple(shape)


def _dropout(node: Node, flow: Flow) -> Flow:
    mode = node.const_or_none(2)
    if mode is not None and mode.values.any():
        raise MlpressError("it is in training mode; export the model in inference mode (eval)")
    return flow


def _concat(node: Node) -> Value:
    given = [value for value in node.inputs if value is not None]
    values = [votes.real(value) if isinstance(value, Aside) and value.column is not None else value for value in given]
    flows = [value for value in values if isinstance(value, Flow)]
    if not flows:
        return fold.concat(values)
    if len(flows) != len(values):
        raise MlpressError("joining features with anything else is not supported")
    if flows[0].transposed or _axis(node.integer("axis", -1), 1 + len(flows[0].shape)) == 0:
        raise MlpressError("joining is supported for (batch, values) along the values")
    rank = 1 + len(flows[0].shape)
    if rank == 3 and _axis(node.integer("axis", -1), 3) == 2 and all(flow.shape[:-1] == (1,) for flow in flows):
        wide = [replace(flow, shape=flow.shape[1:]) for flow in flows]
        made = wide[0] if len(wide) == 1 else _joined(wide)
        return replace(made, shape=(1, made.width))
    if rank != 2 or _axis(node.integer("axis", -1), rank) != 1 or any(len(flow.shape) != 1 for flow in flows):
        raise MlpressError("joining is supported for (batch, values) along the values")
    if len(flows) == 1:
        return flows[0]
    return _pair(flows) or _joined(flows)


def _pair(flows: list[Flow]) -> Flow | None:
    """Return ``(1 - p, p)``, as exporters write the two probabilities of one sigmoid."""
    if len(flows) != 2 or any(flow.width != 1 or not flow.layers for flow in flows):
        return None
    no, yes = flows
    if no.layers != yes.layers:
        return votes.complementary(no, yes)
    if yes.pending or no.gain[0] != -1.0 or no.shift[0] != 1.0:
        return None
    return replace(yes, shape=(2,), final="pair")


def _joined(flows: list[Flow]) -> Flow:
    """Join several inputs side by side."""
    first = flows[0]
    names = tuple(name for flow in flows for name in flow.names)
    plain = all(flow.bare and not flow.transposed and flow.batch == first.batch for flow in flows)
    if not plain or len(set(names)) != len(names):
        return branches.joined(flows)
    scale, offset = (np.concatenate([getattr(flow, part) for flow in flows]) for part in ("scale", "offset"))
    ones = np.ones(len(names))
    missing = tuple(sorted({told for flow in flows for told in flow.missing}))
    return Flow(names, (len(names),), first.batch, scale, offset, ones, 0.0 * ones, missing=missing)


def _shape(node: Node, flow: Flow) -> Dims:
    if flow.transposed:
        raise MlpressError("the batch is not the first axis here; that is not supported")
    sizes = (flow.batch, *flow.shape)
    return Dims(sizes[node.integer("start", 0) : node.integer("end", len(sizes))])


def _on_label(node: Node, label: Label) -> Label:
    if node.op != "Cast":
        return label
    target = type_name(node.integer("to", 0))
    if target == "STRING":
        return replace(label, classes=tuple(str(name) for name in label.classes))
    if any(isinstance(name, str) for name in label.classes):
        raise MlpressError(f"casting class names to {target} is not supported")
    return label


def _on_const(node: Node, constant: Const) -> Const | Dims:
    match node.op:
        case "Identity" | "Dropout":
            return constant
        case "Cast":
            return fold.cast(node, constant)
        case "Shape":
            return Const(np.array(constant.values.shape, np.int64), fold.INT64)
        case "Transpose":
            permutation = node.integers("perm")
            return fold.rearranged(constant, lambda array: array.transpose(permutation))
        case "Flatten":
            axis = _axis(node.integer("axis", 1), constant.values.ndim)
            rows = math.prod(constant.values.shape[:axis])
            return fold.rearranged(constant, lambda array: array.reshape(rows, -1))
        case "Reshape":
            return fold.reshape(constant, fold.sizes(node.input(1)), not node.integer("allowzero", 0))
        case "Squeeze":
            axes = fold.axes(node)
            return fold.rearranged(constant, lambda array: np.squeeze(array, None if axes is None else tuple(axes)))
        case _:
            wanted = tuple(fold.axes(node) or [])
            return fold.rearranged(constant, lambda array: _expanded(array, wanted))


def _expanded(array: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    return np.expand_dims(array, axes)


def _on_dims(node: Node, dims: Dims) -> Dims:
    match node.op:
        case "Identity" | "Cast" | "Reshape":
            return dims
        case "Unsqueeze" if dims.scalar:
            return replace(dims, scalar=False)
        case "Squeeze" if len(dims.sizes) == 1:
            return replace(dims, scalar=True)
        case _:
            raise MlpressError(f"its input 0 is {kind(dims)}; that is not supported")
