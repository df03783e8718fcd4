from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlpress.errors import MlpressError
from mlpress.ir import (
    ArgmaxHead,
    Clip,
    Dense,
    HardSigmoid,
    Integers,
    LeakyRelu,
    Linear,
    Model,
    Quantiser,
    Relu,
    ScoresHead,
    ThresholdHead,
    verify,
)

INTEGERS = Integers(np.array([[2, -4]]), np.array([0.5]), np.array([8]), np.array([0.25]))
GOOD = Model(
    inputs=("a", "b"),
    scale=np.ones(2),
    offset=np.zeros(2),
    layers=(
        Dense(np.ones((2, 2)), np.zeros(2), Relu()),
        Dense(np.array([[1.0, -2.0]]), np.array([2.0]), Linear(), INTEGERS, Quantiser(0.5, 0, -8, 7)),
    ),
    head=ThresholdHead(0.5),
    classes=("n", "y"),
)


def _first(**changes: Any) -> Model:
    return replace(GOOD, layers=(replace(GOOD.layers[0], **changes), GOOD.layers[1]))


def _last(**changes: Any) -> Model:
    return replace(GOOD, layers=(GOOD.layers[0], replace(GOOD.layers[1], **changes)))


def _held(**changes: Any) -> Model:
    return _last(integers=replace(INTEGERS, **changes))


BROKEN: list[tuple[Model, str]] = [
    (replace(GOOD, inputs=("a", "a")), "input 1: the name 'a' is that of input 0 too"),
    (replace(GOOD, scale=np.ones(3)), r"inputs: scale is float64 \(3,\); it must be float64 \(2,\)"),
    (replace(GOOD, offset=np.zeros(2, np.float32)), r"inputs: offset is float32 \(2,\); it must be float64 \(2,\)"),
    (replace(GOOD, offset=[0.0, 0.0]), r"inputs: offset is list; it must be float64 \(2,\)"),
    (replace(GOOD, scale=np.array([1.0, np.nan])), "inputs: scale holds a value that is not finite"),
    (replace(GOOD, clip=Clip(2.0, 1.0)), "inputs: the clip's low 2.0 is above its high 1.0"),
    (replace(GOOD, quantiser=Quantiser(0.0, 0, 0, 1)), "inputs: the quantiser's scale is 0.0; it must be positive"),
    (replace(GOOD, quantiser=Quantiser(1.0, 0, 3, 3)), "inputs: the quantiser's high is 3; it must be within 4.."),
    (replace(GOOD, quantiser=Quantiser(1.0, 1 << 33, 0, 3)), "inputs: the quantiser's zero is 8589934592; it must be"),
    (replace(GOOD, layers=()), "layers: 0 layers; there must be 1 to 64"),
    (_first(weight=np.ones((2, 3))), r"layer 0: weight is float64 \(2, 3\); it must be float64 \(2, 2\)"),
    (_first(weight=np.full((2, 2), np.inf)), "layer 0: weight holds a value that is not finite"),
    (_first(bias=np.zeros((2, 1))), "layer 0: 0 neurons; there must be 1 to 16384"),
    (_first(weight=np.zeros((4096, 2049)), bias=np.zeros(4096)), r"layers: \d+ weights; there must be 1 to 8388608"),
    (_first(activation=Clip(0.0, float("inf"))), "layer 0: the clip's high is inf; it must be a finite float"),
    (_first(activation=LeakyRelu(1)), "layer 0: alpha is 1; it must be a finite float"),
    (_first(activation=HardSigmoid(0.2, float("nan"))), "layer 0: beta is nan; it must be a finite float"),
    (_last(activation=Relu()), "layer 1: the last layer's activation is Relu; it must be Linear"),
    (_held(weight=np.array([[2, 4]])), "layer 1: the real weight is not its integers times their scale"),
    (_held(weight=np.array([[2.0, -4.0]])), r"layer 1: the integer weight is float64 \(1, 2\); it must be int64"),
    (_held(weight=np.array([[2, 1 << 54]])), r"layer 1: the integer weight holds a value beyond 2\*\*53"),
    (_held(weight_scale=np.array([-0.5])), "layer 1: the weight scale holds a value that is not positive"),
    (_held(bias=np.array([9])), "layer 1: the real bias is not its integers times their scale"),
    (_held(bias=None), "layer 1: an integer bias and its scale go together; one of them is missing"),
    (_held(bias_scale=None), "layer 1: an integer bias and its scale go together; one of them is missing"),
    (replace(GOOD, head=ArgmaxHead()), "head: 1 outputs under an argmax; there must be 2 to 16384"),
    (replace(GOOD, head=ThresholdHead(float("nan"))), "head: the threshold is nan; it must be a finite float"),
    (replace(GOOD, head=ScoresHead()), "classes: 2 classes are named, and the head tells 0 apart"),
    (replace(GOOD, classes=("n",)), "classes: 1 class is named, and the head tells 2 apart"),
]


def test_good_model_passes() -> None:
    verify(GOOD)
    verify(_held(bias=None, bias_scale=None))


@pytest.mark.parametrize(("model", "message"), BROKEN, ids=range(len(BROKEN)))
def test_broken_rule_is_named_with_its_place(model: Model, message: str) -> None:
    with pytest.raises(MlpressError, match=f"^{message}"):
        verify(model)


def test_two_outputs_are_no_threshold() -> None:
    with pytest.raises(MlpressError, match="head: 2 outputs under a threshold; there must be 1"):
        verify(replace(GOOD, layers=(replace(GOOD.layers[0], activation=Linear()),)))
