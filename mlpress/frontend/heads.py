"""Operators that decide: labels, comparisons, and linear models whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlpress.errors import MlpressError
from mlpress.frontend import encoder_ops, products, tail, votes
from mlpress.frontend.node import Node, kind
from mlpress.frontend.symbolic import FLOAT, Aside, Const, Flow, Label, Value, as_values, finite, reached
from mlpress.ir import Sigmoid
from mlpress.progress import counted

OPERATORS = (
    "ArgMax",
    "TopK",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "Equal",
    "Where",
    "Round",
    "Not",
    "ReduceMax",
    "LpNormalization",
    "ai.onnx.ml.Normalizer",
    "ai.onnx.ml.ZipMap",
    "ai.onnx.ml.LabelEncoder",
    "ai.onnx.ml.LinearClassifier",
    "ai.onnx.ml.LinearRegressor",
)
_COMPARISONS = {"Greater": "Less", "GreaterOrEqual": "LessOrEqual", "Less": "Greater", "LessOrEqual": "GreaterOrEqual"}
"""Each comparison, and what it is with its two sides exchanged."""


def apply_head(node: Node) -> Value | tuple[Value, ...]:
    """Apply one of :data:`OPERATORS`."""
    match node.op:
        case "ArgMax":
            return tail.arg_max(node)
        case "TopK":
            return _top(node)
        case op if op in _COMPARISONS:
            return _comparison(node)
        case "Equal":
            return _equal(node)
        case "Where":
            return _where(node)
        case "Round":
            return _round(node)
        case "Not":
            return _not(node.input(0))
        case "ReduceMax":
            return tail.aside(node)
        case "ai.onnx.ml.Normalizer":
            return tail.normalizer(node.flow(0), node.text("norm", "MAX"))
        case "LpNormalization":
            return tail.normalizer(node.flow(0), f"L{node.integer('p', 2)}")
        case "ai.onnx.ml.ZipMap":
            return tail.zip_map(node)
        case "ai.onnx.ml.LabelEncoder":
            return tail.label_encoder(node) if isinstance(node.input(0), Label) else encoder_ops.label_encoder(node)
        case "ai.onnx.ml.LinearClassifier":
            return _linear_classifier(node)
        case _:
            return _linear_regressor(node)


def _top(node: Node) -> tuple[Value, ...]:
    """Apply ``TopK`` with k = 1: the largest score and its index, the lowest where several tie."""
    flow = node.flow(0)
    count = finite(node.const(1)) if len(node.inputs) > 1 else np.array(node.integer("k", 0))
    axis = node.integer("axis", -1)
    if count.size != 1 or int(count.reshape(())) != 1 or not node.integer("largest", 1):
        raise MlpressError("only the largest value is supported: k must be 1, and largest 1")
    if len(flow.shape) != 1 or axis not in {1, -1} or flow.transposed or flow.width < 2:
        raise MlpressError(f"axis {axis} is not that of the classes; supported is the largest of each row's values")
    return Aside(flow), Label(flow, 0.5 if flow.final == "pair" else None, tuple(range(flow.width)))


def _comparison(node: Node) -> Value:
    op, left, right = node.op, _compared(node.input(0)), _compared(node.input(1))
    if isinstance(left, Const) and isinstance(right, Flow):
        op, left, right = _COMPARISONS[op], right, left
    if not isinstance(left, Flow) or not isinstance(right, Const) or left.final:
        raise MlpressError("comparing is supported for scores with constants")
    if left.width == 1 and finite(right).size == 1:
        return _label(left, op, float(finite(right).reshape(())))
    above = reached(left, left.spread(right), strict=op in ("Greater", "LessOrEqual"))
    if op in ("Greater", "GreaterOrEqual"):
        return above
    return above.affine(-np.ones(left.width), np.ones(left.width))


def _compared(value: Value) -> Value:
    """Return one of two probabilities as a value; the comparison of anything else is as it is."""
    return votes.real(value) if isinstance(value, Aside) and value.column is not None else value


def _equal(node: Node) -> Flow:
    """Apply ``Equal`` to one of two classes and a list of classes: 1 where it is that one, as hard voting counts."""
    label, named = node.input(0), node.input(1)
    if not isinstance(label, Label) or not isinstance(named, Const):
        raise MlpressError(f"it compares what is {kind(label)} with what is {kind(named)}; supported is the class")
    if len(label.classes) != 2:
        raise MlpressError(
            f"{len(label.classes)} classes are counted, as hard voting does; a vote of several networks is no single "
            "network then: export one of them, or train one MLP on what they decide"
        )
    second = as_values(replace(label, classes=(0, 1)))
    names = named.values.reshape(-1).tolist()
    weight = np.array([[(name == label.classes[1]) - float(name == label.classes[0]) for name in names]])
    return second.dense(Const(weight, FLOAT)).add(Const(np.array([float(n == label.classes[0]) for n in names]), FLOAT))


def _label(flow: Flow, op: str, at: float) -> Label:
    """Return the class that a comparison of one score decides: 1 where it holds."""
    below = float(np.nextafter(at, -np.inf))
    bound = at if op in ("Greater", "LessOrEqual") else below
    return Label(flow, bound, (0, 1) if op.startswith("Greater") else (1, 0))


def _where(node: Node) -> Value:
    condition, yes, no = (node.input(index) for index in range(3))
    if not isinstance(condition, Label) or not isinstance(yes, Const) or not isinstance(no, Const):
        if isinstance(condition, Flow) and isinstance(yes, Const) and isinstance(no, Const):
            low, high = condition.spread(no), condition.spread(yes)
            return condition.affine(high - low, low)
        if isinstance(yes, Flow) and isinstance(no, Flow):
            return products.chosen(node.flow(0), yes, no)
        raise MlpressError("it chooses between values computed from the features; supported is choosing constants")
    if condition.at is None or set(condition.classes) != {0, 1} or yes.values.size != 1 or no.values.size != 1:
        raise MlpressError("supported is choosing one of two constants by one comparison")
    names = {1: yes.values.reshape(-1).tolist()[0], 0: no.values.reshape(-1).tolist()[0]}
    picked = [names[name] for name in condition.classes if isinstance(name, int)]
    if any(isinstance(name, float) and name != int(name) for name in picked):
        raise MlpressError(f"the two constants are {picked}; supported are whole numbers and text, as names of classes")
    return replace(condition, classes=tuple(name if isinstance(name, str) else int(name) for name in picked))


def _round(node: Node) -> Value:
    """Apply ``Round`` to one probability: class 1 above a half, which itself rounds to 0."""
    flow = node.flow(0)
    if not votes.is_share(flow) or flow.final or flow.coder is not None:
        raise MlpressError("rounding is supported for one probability: the sigmoid of one score, or a mean of such")
    return Label(flow, 0.5, (0, 1))


def _not(value: Value) -> Value:
    match value:
        case Label(classes=(0, 1) | (1, 0)) as label:
            return replace(label, classes=label.classes[::-1])
        case Flow() as flow:
            return flow.affine(-np.ones(flow.width), np.ones(flow.width))
        case other:
            raise MlpressError(f"it inverts what is {kind(other)}; supported is the result of a comparison")


def _coefficients(node: Node, outputs: int, width: int) -> tuple[Const, Const]:
    held = node.reals("coefficients") or []
    start = node.reals("intercepts") or [0.0] * outputs
    if len(held) != outputs * width or len(start) != outputs:
        raise MlpressError(
            f"{counted(len(held), 'coefficient')} and {counted(len(start), 'intercept')}; "
            f"{counted(outputs, 'output')} of {counted(width, 'value')} need {outputs * width} and {outputs}"
        )
    return Const(np.array(held).reshape(outputs, width).T.copy(), FLOAT), Const(np.array(start), FLOAT)


def _linear_classifier(node: Node) -> tuple[Value, ...]:
    """Apply ``LinearClassifier``: the label, and the scores or what its post_transform makes of them."""
    flow, after = node.flow(0), node.text("post_transform", "NONE")
    names: list[int] | list[str] = node.integers("classlabels_ints") or node.texts("classlabels_strings") or []
    if len(names) < 2:
        raise MlpressError(f"{counted(len(names), 'class is', 'classes are')} named; there must be at least 2")
    outputs = len(node.reals("coefficients") or []) // flow.width
    weight, start = _coefficients(node, outputs, flow.width)
    scores = flow.dense(weight).add(start)
    if after not in ("NONE", "SOFTMAX", "LOGISTIC"):
        raise MlpressError(f"its post_transform is {after[:20]!r}; supported: NONE, SOFTMAX, LOGISTIC")
    if outputs == 1 and len(names) == 2:
        label = Label(scores, 0.0, tuple(names))
        chance = scores.activation(Sigmoid()) if after == "LOGISTIC" else scores
        return label, replace(chance, final="pair", shape=(2,)) if after == "LOGISTIC" else Aside(scores)
    if outputs != len(names):
        raise MlpressError(f"{counted(outputs, 'row')} of coefficients for {len(names)} classes")
    label = Label(scores, None, tuple(names))
    match after:
        case "SOFTMAX":
            return label, replace(scores, final="softmax")
        case "LOGISTIC":
            return label, replace(scores.activation(Sigmoid()), final="sigmoids")
        case _:
            return label, scores


def _linear_regressor(node: Node) -> Flow:
    flow, outputs = node.flow(0), node.integer("targets", 1)
    if node.text("post_transform", "NONE") != "NONE":
        raise MlpressError("its post_transform must be NONE")
    weight, start = _coefficients(node, outputs, flow.width)
    return flow.dense(weight).add(start)
