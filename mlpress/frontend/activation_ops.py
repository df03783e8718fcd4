"""Operators that put each value through a function of its own."""

from __future__ import annotations

import math

import numpy as np

from mlpress.errors import MlpressError
from mlpress.frontend import qdq
from mlpress.frontend.node import Node
from mlpress.frontend.symbolic import LARGEST, Coded, Const, Flow, Value, finite
from mlpress.ir import Activations, Clip, Curve, HardSigmoid, LeakyRelu, RealActivation, Relu, Sigmoid, Staircase, Tanh

ACTIVATIONS = (
    "Relu",
    "Clip",
    "LeakyRelu",
    "PRelu",
    "Sigmoid",
    "HardSigmoid",
    "Tanh",
    "Elu",
    "Selu",
    "Celu",
    "Softplus",
    "Softsign",
    "HardSwish",
    "Swish",
    "Gelu",
    "Mish",
    "Sign",
    "Abs",
    "Erf",
)
CONTRIBUTED = ("com.microsoft.FastGelu", "com.microsoft.BiasGelu", "com.microsoft.QuickGelu")
FUSED = {"Relu", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid", "Elu", "Softplus"}
SIGN = Staircase((0.0, 5e-324), 1.0, -1.0)
"""``Sign``: one step at 0 and one above it; 5e-324 is the smallest number above 0."""


def activate(node: Node) -> Value:
    """Apply one of :data:`ACTIVATIONS` or :data:`CONTRIBUTED`."""
    value = node.input(0)
    if node.op == "Clip" and isinstance(value, Coded):
        low, high = clip_bounds(node)
        return qdq.clipped(value, low, high)
    flow = node.flow(0)
    match node.op:
        case "Sign":
            return flow.quantised(SIGN)
        case "com.microsoft.BiasGelu":
            return flow.add(node.const(1)).activation(Curve("gelu"))
        case "com.microsoft.FastGelu":
            bias = node.const_or_none(1)
            return (flow if bias is None else flow.add(bias)).activation(Curve("gelutanh"))
        case "com.microsoft.QuickGelu":
            return _silu(flow, node.real("alpha", 1.702))
        case "Swish":
            return _silu(flow, node.real("alpha", 1.0))
        case "PRelu":
            return flow.activation(_slopes(flow, node.const(1)))
        case _:
            return flow.activation(activation(node, node.op))


def _silu(flow: Flow, alpha: float) -> Flow:
    """Return ``x * sigmoid(alpha * x)``: SiLU of ``alpha * x``, over ``alpha``."""
    ones, none = np.ones(flow.width), np.zeros(flow.width)
    return flow.affine(ones * alpha, none).activation(Curve("silu")).affine(ones / alpha, none)


def activation(node: Node, name: str) -> RealActivation:
    """Return the activation called ``name``, with the node's attributes."""
    match name:
        case "Relu":
            return Relu()
        case "Clip":
            return _clip(node)
        case "LeakyRelu":
            return LeakyRelu(_finite(node.real("alpha", 0.01)))
        case "HardSigmoid":
            return HardSigmoid(_rising(node.real("alpha", 0.2)), node.real("beta", 0.5))
        case "Sigmoid":
            return Sigmoid()
        case "Tanh":
            return Tanh()
        case "Elu" | "Celu":
            return Curve(name.lower(), (_positive(node.real("alpha", 1.0)),))
        case "Selu":
            # ONNX operator specification: the defaults are those of G. Klambauer et al., 2017.
            alpha, gamma = node.real("alpha", 1.6732632423543772), node.real("gamma", 1.0507009873554805)
            return Curve("selu", (_positive(alpha), _positive(gamma)))
        case "Abs":
            return LeakyRelu(-1.0)
        case "Softplus" | "Erf" | "Softsign" | "HardSwish" | "Mish":
            return Curve(name.lower())
        case "Gelu":
            return Curve("gelutanh" if node.text("approximate", "none") == "tanh" else "gelu")
        case _:
            raise MlpressError(f"the activation {name[:20]!r} is not supported")


def fused(node: Node, flow: Flow) -> Flow:
    """Apply the activation that ``com.microsoft.FusedGemm`` names."""
    name = node.text("activation", "")
    if not name:
        return flow
    if name not in FUSED:
        raise MlpressError(f"the activation {name[:20]!r} is not supported; supported: {', '.join(sorted(FUSED))}")
    renamed = {"alpha": "activation_alpha", "beta": "activation_beta"}
    held = {plain: node.attributes[name] for plain, name in renamed.items() if name in node.attributes}
    return flow.activation(activation(Node(name, node.label, held, (), node.opset, node.tensors), name))


def _slopes(flow: Flow, slope: Const) -> Activations:
    slopes = flow.spread(slope).tolist()
    return LeakyRelu(slopes[0]) if len(set(slopes)) == 1 else tuple(LeakyRelu(value) for value in slopes)


def _finite(alpha: float) -> float:
    if not math.isfinite(alpha):
        raise MlpressError(f"its alpha is {alpha}; it must be a finite number")
    return alpha


def _positive(alpha: float) -> float:
    if not 0.0 < alpha < LARGEST:
        raise MlpressError(f"its alpha or gamma is {alpha}; supported are curves with positive ones")
    return alpha


def _rising(alpha: float) -> float:
    if not 0.0 <= alpha < LARGEST:
        raise MlpressError(f"its alpha is {alpha}; supported are activations that never fall, with alpha of 0 or more")
    return alpha


def clip_bounds(node: Node) -> tuple[float, float]:
    """Return the least and the largest value that ``Clip`` lets pass."""
    bounds = [-LARGEST, LARGEST]
    for index, name in enumerate(("min", "max")):
        bounds[index] = node.real(name, bounds[index])
        given = node.const_or_none(index + 1)
        if given is not None:
            if given.values.size != 1 or given.values.dtype == object:
                raise MlpressError(f"its {name} is not one number")
            bounds[index] = float(given.values.reshape(()))
    low, high = (min(max(bound, -LARGEST), LARGEST) for bound in bounds)
    if not low <= high:
        raise MlpressError(f"its min {low} is not below its max {high}")
    return low, high


def _clip(node: Node) -> RealActivation:
    low, high = clip_bounds(node)
    return Relu() if (low, high) == (0.0, LARGEST) else Clip(low, high)


def extreme(node: Node) -> Value:
    """Apply ``Max`` or ``Min`` of one value computed from the features and constants."""
    values = [node.input(index) for index in range(len(node.inputs))]
    constants = [value for value in values if isinstance(value, Const)]
    others = [value for value in values if not isinstance(value, Const)]
    if len(others) != 1 or not constants:
        raise MlpressError("it compares several values computed from the features; supported is one, with constants")
    larger = node.op == "Max"
    pick = np.maximum if larger else np.minimum
    if isinstance(others[0], Coded):
        if any(constant.values.size != 1 for constant in constants):
            raise MlpressError("it compares codes with a constant per value; supported is one number for all")
        bound = float(pick.reduce([finite(constant).reshape(()) for constant in constants]))
        return qdq.clipped(others[0], bound if larger else -LARGEST, LARGEST if larger else bound)
    if not isinstance(others[0], Flow):
        raise MlpressError("it compares no real values; supported is one value computed from the features")
    flow = others[0]
    bounds = pick.reduce([flow.spread(constant) for constant in constants]).tolist()
    clips = [(bound, LARGEST) if larger else (-LARGEST, bound) for bound in bounds]
    kinds: list[RealActivation] = [Relu() if clip == (0.0, LARGEST) else Clip(*clip) for clip in clips]
    return flow.activation(kinds[0] if len(set(bounds)) == 1 else tuple(kinds))
