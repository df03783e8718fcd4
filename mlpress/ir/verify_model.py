"""The rules of the real level."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from mlpress.ir.checks import check_classes, check_count, check_float, check_inputs, check_int, fail
from mlpress.ir.curves import CURVES
from mlpress.ir.limits import MAX_CLASSES, MAX_LAYERS, MAX_NEURONS, MAX_THRESHOLDS, MAX_WEIGHTS
from mlpress.ir.model import (
    ArgmaxHead,
    Clip,
    Coder,
    Coders,
    Curve,
    Dense,
    HardSigmoid,
    LeakyRelu,
    Linear,
    Model,
    Quantiser,
    RealActivation,
    RealHead,
    Relu,
    Rounding,
    ScoresHead,
    Sigmoid,
    Staircase,
    Tanh,
    ThresholdHead,
)
from mlpress.progress import counted

CODE_LIMIT = 1 << 32  # a quantiser's integers stay within it in magnitude: ONNX has at most 32-bit ones
INTEGER_LIMIT = 1 << 53  # of a layer's integers: float64 holds them all
ROUNDING = 1e-3  # real weights may differ from their integers' by half-precision rounding (2**-11), no more


def verify_model(model: Model) -> None:
    """Raise :class:`MlpressError` at the first rule of the real level that ``model`` breaks."""
    check_inputs(model.inputs)
    width = len(model.inputs)
    _check_floats(model.scale, (width,), "inputs", "scale")
    _check_floats(model.offset, (width,), "inputs", "offset")
    if model.clip is not None:
        _check_activation(model.clip, "inputs")
    _check_quantisers(model.quantiser, width, "inputs", "inputs")
    if model.missing and len(model.missing) != width:
        fail("inputs", f"missing has {counted(len(model.missing), 'value')}; it must have none, or one per input")
    for name, value in zip(model.inputs, model.missing, strict=False):
        if value is not None:
            check_float(value, f"input {name!r}", "what stands for a missing value")
    check_count(len(model.layers), 1, MAX_LAYERS, "layers", "layers")
    check_count(sum(np.size(layer.weight) for layer in model.layers), 1, MAX_WEIGHTS, "layers", "weights")
    for k, layer in enumerate(model.layers):
        where = f"layer {k}"
        _check_dense(layer, width, where)
        width = len(layer.bias)
    curved = [one for one in model.layers[-1].activations if not isinstance(one, Linear)]
    if curved:
        name = type(curved[0]).__name__
        fail(f"layer {len(model.layers) - 1}", f"the last layer's activation is {name}; it must be Linear")
    _check_head(model.head, width, model.classes)


def _check_floats(array: Any, shape: tuple[int, ...], where: str, what: str) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != np.float64 or array.shape != shape:
        fail(where, f"{what} is {_describe(array)}; it must be float64 {shape}")
    if not np.isfinite(array).all():
        fail(where, f"{what} holds a value that is not finite")


def _check_ints(array: Any, shape: tuple[int, ...], where: str, what: str) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != np.int64 or array.shape != shape:
        fail(where, f"{what} is {_describe(array)}; it must be int64 {shape}")
    if array.size and not -INTEGER_LIMIT <= int(array.min()) <= int(array.max()) <= INTEGER_LIMIT:
        fail(where, f"{what} holds a value beyond 2**53 in magnitude")


def _describe(array: Any) -> str:
    return f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__


def _check_dense(layer: Dense, width: int, where: str) -> None:
    outputs = len(layer.bias) if isinstance(layer.bias, np.ndarray) and layer.bias.ndim == 1 else 0
    check_count(outputs, 1, MAX_NEURONS, where, "neurons")
    _check_floats(layer.weight, (outputs, width), where, "weight")
    _check_floats(layer.bias, (outputs,), where, "bias")
    if isinstance(layer.activation, tuple) and len(layer.activation) != outputs:
        fail(where, f"{counted(len(layer.activation), 'activation')} for {counted(outputs, 'neuron')}; each has one")
    for activation in layer.activation if isinstance(layer.activation, tuple) else (layer.activation,):
        _check_activation(activation, where)
    _check_quantisers(layer.quantiser, outputs, where, "neurons")
    _check_integers(layer, where)


def _check_integers(layer: Dense, where: str) -> None:
    held = layer.integers
    if held is None:
        return
    outputs = (len(layer.bias),)
    _check_ints(held.weight, layer.weight.shape, where, "the integer weight")
    _check_scale(held.weight_scale, outputs, where, "the weight scale")
    _check_agreement(layer.weight, held.weight * held.weight_scale[:, None], where, "weight")
    if held.bias is None or held.bias_scale is None:
        if held.bias is not None or held.bias_scale is not None:
            fail(where, "an integer bias and its scale go together; one of them is missing")
        return
    _check_ints(held.bias, outputs, where, "the integer bias")
    _check_scale(held.bias_scale, outputs, where, "the bias scale")
    _check_agreement(layer.bias, held.bias * held.bias_scale, where, "bias")


def _check_scale(array: Any, shape: tuple[int, ...], where: str, what: str) -> None:
    _check_floats(array, shape, where, what)
    if not (array > 0).all():
        fail(where, f"{what} holds a value that is not positive")


def _check_agreement(real: NDArray[np.float64], product: NDArray[np.float64], where: str, what: str) -> None:
    with np.errstate(over="ignore"):
        if not np.allclose(real, product, rtol=ROUNDING, atol=0.0):
            fail(where, f"the real {what} is not its integers times their scale")


def _check_quantisers(held: Coders, count: int, where: str, what: str) -> None:
    if not isinstance(held, tuple):
        _check_quantiser(held, where)
        return
    if len(held) != count:
        fail(where, f"{counted(len(held), 'quantiser')} for {count} {what}; each has one")
    for quantiser in held:
        _check_quantiser(quantiser, where)


def _check_quantiser(quantiser: Coder | None, where: str) -> None:
    match quantiser:
        case Quantiser(scale=scale, zero=zero, low=low, high=high, rounding=rounding):
            check_float(scale, where, "the quantiser's scale")
            if scale <= 0:
                fail(where, f"the quantiser's scale is {scale}; it must be positive")
            check_int(low, -CODE_LIMIT, CODE_LIMIT, where, "the quantiser's low")
            check_int(high, low + 1, CODE_LIMIT, where, "the quantiser's high")
            check_int(zero, -CODE_LIMIT, CODE_LIMIT, where, "the quantiser's zero")
            if rounding not in get_args(Rounding):
                fail(
                    where,
                    f"the quantiser's rounding is {rounding!r}; it must be one of {', '.join(get_args(Rounding))}",
                )
        case Staircase(bounds=bounds, step=step, base=base):
            check_count(len(bounds), 1, MAX_THRESHOLDS, where, "bounds of a staircase")
            for value in (*bounds, step, base):
                check_float(value, where, "a bound, step or base of a staircase")
            for lower, upper in pairwise(bounds):
                if lower > upper:
                    fail(where, f"bound {upper} follows {lower}; bounds must not decrease")
            if step == 0.0:
                fail(where, "the staircase's step is 0")
        case None:
            pass


def _check_activation(activation: RealActivation, where: str) -> None:
    match activation:
        case Clip(low=low, high=high):
            check_float(low, where, "the clip's low")
            check_float(high, where, "the clip's high")
            if low > high:
                fail(where, f"the clip's low {low} is above its high {high}")
        case LeakyRelu(alpha=alpha):
            check_float(alpha, where, "alpha")
        case Curve(name=name, parameters=parameters):
            if name not in CURVES:
                fail(where, f"the curve is {name!r}; it must be one of {', '.join(CURVES)}")
            if len(parameters) != len(CURVES[name].parameters):
                fail(
                    where, f"{counted(len(parameters), 'parameter')} for {name}; it has {len(CURVES[name].parameters)}"
                )
            for value in parameters:
                check_float(value, where, f"a parameter of {name}")
                if value <= 0.0:
                    fail(where, f"a parameter of {name} is {value}; it must be positive")
        case HardSigmoid(alpha=alpha, beta=beta):
            check_float(alpha, where, "alpha")
            check_float(beta, where, "beta")
        case Linear() | Relu() | Sigmoid() | Tanh():
            pass


def _check_head(head: RealHead, outputs: int, classes: tuple[int | str, ...]) -> None:
    match head:
        case ArgmaxHead():
            check_count(outputs, 2, MAX_CLASSES, "head", "outputs under an argmax")
            check_classes(classes, outputs)
        case ThresholdHead(at=at):
            if outputs != 1:
                fail("head", f"{counted(outputs, 'output')} under a threshold; there must be 1")
            check_float(at, "head", "the threshold")
            check_classes(classes, 2)
        case ScoresHead():
            check_classes(classes, 0)
