"""The end of a model: from probabilities and labels to a head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend import votes
from mlpress.frontend.node import Node, kind
from mlpress.frontend.symbolic import Aside, Coded, Const, Flow, Label, Named, Value
from mlpress.frontend.tensors import short
from mlpress.ir import (
    ArgmaxHead,
    Dense,
    HardSigmoid,
    LeakyRelu,
    Linear,
    Model,
    RealHead,
    ScoresHead,
    Sigmoid,
    Staircase,
    Tanh,
    ThresholdHead,
    coders,
)
from mlpress.progress import counted

Task = Literal["auto", "classification", "regression"]
Classes = tuple[int | str, ...]


def arg_max(node: Node) -> Label:
    """Apply ``ArgMax`` to each row's scores."""
    value = node.input(0)
    flow = value.flow if isinstance(value, Coded) else node.flow(0)
    axis = node.integer("axis", 0)
    if len(flow.shape) != 1 or axis not in ({0, -2} if flow.transposed else {1, -1}):
        raise MlpressError(f"axis {axis} is not that of the classes; supported is an arg-max over each row's values")
    if node.integer("select_last_index", 0):
        raise MlpressError("select_last_index=1 is not supported; a tie goes to the first index")
    if flow.width < 2:
        raise MlpressError("an arg-max over one value is always 0; compare it with a threshold instead")
    return Label(flow, 0.5 if flow.final == "pair" else None, tuple(range(flow.width)))


def normalizer(flow: Flow, norm: str) -> Flow:
    """Return probabilities divided by a ``norm`` of each row, which moves no arg-max: ``L1``, ``L2`` or ``MAX``."""
    sigmoids = bool(flow.layers) and isinstance(flow.layers[-1].activation, Sigmoid) and not flow.pending
    if not flow.final and not (sigmoids and flow.width > 1):
        raise MlpressError(
            "normalising rows is supported for probabilities only, after a soft-max or sigmoids: elsewhere the scale "
            "depends on each row's own values, which no layer of fixed weights does"
        )
    if flow.final == "vote" and norm == "MAX":
        raise MlpressError("it divides votes by the largest, which may be negative; normalise by L1, or leave it out")
    if flow.final in ("", "sigmoids"):
        return replace(flow, final="normalised")
    plain = flow.final in ("pair", "softmax") and norm == "L1"
    return flow if plain else replace(flow, altered=True)


def zip_map(node: Node) -> Named:
    """Apply ``ZipMap``: probabilities with the classes' names."""
    flow = node.flow(0)
    return Named(
        flow, _names(node.texts("classlabels_strings") or node.integers("classlabels_int64s") or [], flow.width)
    )


def named_label(names: Const, label: Value) -> Label:
    """Look up the class in a list of names."""
    if not isinstance(label, Label):
        raise MlpressError(f"it looks up what is {kind(label)}; supported is looking up the class's name")
    if label.classes != tuple(range(len(label.classes))):
        raise MlpressError("the class is looked up twice; that is not supported")
    return replace(label, classes=_names(names.values.reshape(-1).tolist(), len(label.classes)))


def label_encoder(node: Node) -> Label:
    """Apply ``LabelEncoder``: the class's name exchanged for another."""
    label = node.input(0)
    if not isinstance(label, Label):
        raise MlpressError(f"it encodes what is {kind(label)}; supported is naming the class")
    keys = node.integers("keys_int64s") or node.texts("keys_strings") or []
    values: Sequence[int | str] = node.integers("values_int64s") or node.texts("values_strings") or []
    table: dict[int | str, int | str] = dict(zip(keys, values, strict=False))
    if len(keys) != len(values) or any(name not in table for name in label.classes):
        raise MlpressError("it does not name every class; supported are int64 or text keys and values for all of them")
    return replace(label, classes=_names([table[name] for name in label.classes], len(label.classes)))


def aside(node: Node) -> Aside:
    """Return a part of the probabilities, such as one column or the largest; only the model's caller can want it."""
    flow = node.flow(0)
    if not flow.layers:
        raise MlpressError("the largest feature of a row is no value of a layer; only scores are supported there")
    return Aside(flow)


def column(flow: Flow, places: NDArray[np.int64]) -> Value:
    """Return some of the probabilities: of two classes, either one decides as both do."""
    two = flow.final == "pair" or (flow.width == 2 and flow.final in ("softmax", "log")) or votes.is_pair(flow)
    return Aside(flow, int(places[0])) if two and len(places) == 1 else Aside(flow)


def _names(values: Sequence[int | float | str], count: int) -> Classes:
    if len(values) != count:
        raise MlpressError(f"it names {counted(len(values), 'class', 'classes')} but the model tells {count} apart")
    if any(isinstance(value, float) for value in values):
        raise MlpressError("class names are real numbers; supported are integers and text")
    return tuple(value if isinstance(value, str) else int(value) for value in values)


def finished(outputs: Sequence[Value], task: Task, producer: str) -> Model:
    """Return the model with these outputs.  All of them must come from the same scores; a label decides first."""
    ranked = sorted(outputs, key=_rank)
    models = [_model(value, task, producer) for value in ranked]
    if any(isinstance(one, Label) and model.head != models[0].head for one, model in zip(ranked, models, strict=True)):
        raise MlpressError("two outputs are classes, told apart by two bounds on one score; keep one of them")
    for model in models[1:]:
        if model.layers != models[0].layers and not _is_part(model, models[0]):
            raise MlpressError(
                "the outputs do not all come from the same scores; keep one of them, for instance with "
                "onnx.utils.extract_model(file, new_file, [input], [output])"
            )
    if isinstance(ranked[0], Aside) and ranked[0].column is None:
        raise MlpressError("the outputs are parts of the probabilities only; export all of them, or the label")
    return models[0]


def _is_part(model: Model, whole: Model) -> bool:
    """Return whether the scores of ``model`` are some of those of ``whole``."""
    if model.layers[:-1] != whole.layers[:-1] or model.inputs != whole.inputs:
        return False
    rows, among = (
        [(*row, bias) for row, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)]
        for layer in (model.layers[-1], whole.layers[-1])
    )
    return set(rows) <= set(among)


def _rank(value: Value) -> int:
    match value:
        case Label():
            return 0
        case Named():
            return 1
        case Aside():
            return 3
        case _:
            return 2


def _model(value: Value, task: Task, producer: str) -> Model:
    match value:
        case Label(scores=flow, at=at, classes=classes):
            if task == "regression":
                raise MlpressError("the model's output is a class; it cannot be read as a regression")
            return _classifier(flow, at, classes)
        case Named(scores=flow, classes=classes):
            return _classifier(flow, 0.5 if flow.final == "pair" else None, classes)
        case Aside(scores=flow, column=column) if column is not None:
            return _classifier(flow, 0.5 if flow.final == "pair" else None, (0, 1) if column else (1, 0))
        case Aside(scores=flow) | Coded(flow=flow) | (Flow() as flow):
            return _from_scores(flow, task, producer)
        case other:
            raise MlpressError(f"an output is {kind(other)}; it must be computed from the features")


def _from_scores(flow: Flow, task: Task, producer: str) -> Model:
    if flow.final:
        if task == "regression":
            raise MlpressError("the model's outputs are probabilities; it cannot be read as a regression")
        at = 0.5 if flow.final == "pair" else None
        return _classifier(flow, at, tuple(range(flow.width)))
    if not flow.layers:
        raise MlpressError("the model has no dense layer (Gemm or MatMul); it is not an MLP")
    activation = flow.layers[-1].activation
    # skl2onnx writes a label output for every classifier, so a model of it without one is a regressor.
    linear = isinstance(activation, Linear)
    if task == "regression" or (task == "auto" and producer == "skl2onnx" and linear):
        return _assembled(flow, ScoresHead(), ())
    if flow.width == 1:
        share, reach = votes.is_share(flow), votes.lone_reach(flow)
        if not share and not reach.low < 0.0 < reach.high:
            raise MlpressError(
                f"the one output lies between {reach.low:g} and {reach.high:g}, which does not say where class 1 "
                "begins; compare it with a bound, or read it as a regression"
            )
        return _classifier(flow, 0.5 if share else 0.0, (0, 1))
    held = coders(flow.coder, flow.width)
    if all(isinstance(one, Staircase) and (one.top, one.step, one.base) == (1, 1.0, 0.0) for one in held):
        raise MlpressError(f"{flow.width} comparisons without an ArgMax may be independent labels; decide one class")
    if isinstance(activation, Sigmoid) and task == "auto":
        raise MlpressError(
            f"{flow.width} sigmoid outputs without an ArgMax may be independent labels; "
            "add an ArgMax or a Softmax, or read the model as a classification"
        )
    return _classifier(flow, None, tuple(range(flow.width)))


def _classifier(flow: Flow, at: float | None, classes: Classes) -> Model:
    """Return the head on ``flow``: a last activation that always rises changes no class and is dropped."""
    if not flow.layers:
        raise MlpressError("the class is found without a dense layer (Gemm or MatMul); this is not an MLP")
    if at is None and flow.width == 1:
        raise MlpressError("one score cannot be told apart by an arg-max; compare it with a threshold")
    if at is None and (one := votes.decided(flow)) is not None:
        flow, at = one
    last = flow.layers[-1]
    if not flow.pending and last.quantiser is None:
        bound = _before(last, at)
        if bound is not None:
            return _assembled(_linear(flow), _head(at, bound), classes)
    return _assembled(flow, _head(at, at or 0.0), classes)


def _head(at: float | None, bound: float) -> RealHead:
    return ArgmaxHead() if at is None else ThresholdHead(bound)


def _before(layer: Dense, at: float | None) -> float | None:
    """Return the bound before the activation that means ``at`` after it; ``None`` where the activation has to stay."""
    if at is None:
        rises = isinstance(layer.activation, Sigmoid | Tanh) or (
            isinstance(layer.activation, LeakyRelu) and layer.activation.alpha > 0
        )
        return 0.0 if rises else None
    match layer.activation:
        case Sigmoid() if 0.0 < at < 1.0:
            return math.log(at / (1.0 - at))
        case Tanh() if -1.0 < at < 1.0:
            return math.atanh(at)
        case HardSigmoid(alpha=alpha, beta=beta) if alpha > 0.0 and 0.0 < at < 1.0:
            return (at - beta) / alpha
        case _:
            return None


def _linear(flow: Flow) -> Flow:
    return replace(flow, layers=(*flow.layers[:-1], replace(flow.layers[-1], activation=Linear())))


def _assembled(flow: Flow, head: RealHead, classes: Classes) -> Model:
    """Return the model, with an element-wise last layer where something still waits or the last activation is not
    linear.
    """
    if flow.pending or not isinstance(flow.layers[-1].activation, Linear):
        unpaired = replace(flow, shape=(len(flow.gain),)) if flow.final == "pair" else flow
        flow = unpaired.settled()
    return Model(
        inputs=flow.names,
        scale=flow.scale,
        offset=flow.offset,
        layers=flow.layers,
        head=head,
        classes=classes,
        clip=flow.clip,
        quantiser=flow.quantiser,
        missing=tuple(map(dict(flow.missing).get, flow.names)) if flow.missing else (),
    )


def checked_name(name: str) -> str:
    """Return a graph input's name, fit to name features."""
    if (
        not isinstance(name, str)
        or not name
        or any(ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 for c in name)
    ):
        raise MlpressError(f"the input's name {short(name)} is empty or holds control characters; rename it")
    return name[:200]
