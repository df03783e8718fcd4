"""The real level: dense layers over real numbers, as a trainer wrote them.

A model that was quantised by its trainer also holds its integers: a :class:`Quantiser` wherever real values
pass through integers, and :class:`Integers` behind each weight matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.notebook import table_html

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Linear:
    """``x``."""


@dataclass(frozen=True, slots=True)
class Relu:
    """``max(x, 0)``."""


@dataclass(frozen=True, slots=True)
class Clip:
    """``min(max(x, low), high)``."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LeakyRelu:
    """``x`` where it is positive, else ``alpha * x``."""

    alpha: float


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """``1 / (1 + exp(-x))``."""


@dataclass(frozen=True, slots=True)
class HardSigmoid:
    """``min(max(alpha * x + beta, 0), 1)``."""

    alpha: float
    beta: float


@dataclass(frozen=True, slots=True)
class Tanh:
    """``tanh(x)``."""


RealActivation = Linear | Relu | Clip | LeakyRelu | Sigmoid | HardSigmoid | Tanh


@dataclass(frozen=True, slots=True)
class Quantiser:
    """Real values through integers, as ONNX ``QuantizeLinear`` then ``DequantizeLinear`` define it.

    ``q = clip(round(x / scale) + zero, low, high)``, rounding half to even; the value that passes on is
    ``(q - zero) * scale``.
    """

    scale: float
    zero: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, eq=False)
class Integers:
    """The integers that a quantised model holds in place of a layer's real weights and biases.

    ``weight`` is int64 (outputs, inputs), its zero point already subtracted; the real weight of output ``i`` is
    ``weight[i] * weight_scale[i]``.  ``bias`` is int64 (outputs,) and the real bias ``bias * bias_scale``; both
    are ``None`` where the bias is real.  Scales are float64 (outputs,).
    """

    weight: Ints
    weight_scale: Floats
    bias: Ints | None = None
    bias_scale: Floats | None = None

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, Integers)
            and np.array_equal(self.weight, other.weight)
            and np.array_equal(self.weight_scale, other.weight_scale)
            and _same(self.bias, other.bias)
            and _same(self.bias_scale, other.bias_scale)
        )


def _same(a: NDArray[Any] | None, b: NDArray[Any] | None) -> bool:
    if a is None or b is None:
        return a is b
    return np.array_equal(a, b)


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """``activation(weight @ x + bias)``, then the ``quantiser`` where there is one.

    ``weight`` is float64 (outputs, inputs), ``bias`` float64 (outputs,).  ``integers`` holds what a quantised
    model has in their place; ``weight`` and ``bias`` are then those integers' real values.
    """

    weight: Floats
    bias: Floats
    activation: RealActivation
    integers: Integers | None = None
    quantiser: Quantiser | None = None

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, Dense)
            and np.array_equal(self.weight, other.weight)
            and np.array_equal(self.bias, other.bias)
            and self.activation == other.activation
            and self.integers == other.integers
            and self.quantiser == other.quantiser
        )


@dataclass(frozen=True, slots=True)
class ArgmaxHead:
    """Class = index of the largest output; a tie goes to the lowest index."""


@dataclass(frozen=True, slots=True)
class ThresholdHead:
    """Two classes from one output (a logit): class 1 where it is greater than ``at``."""

    at: float = 0.0


@dataclass(frozen=True, slots=True)
class ScoresHead:
    """Regression: the outputs themselves."""


RealHead = ArgmaxHead | ThresholdHead | ScoresHead


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Inputs scaled as ``x * scale + offset``, then ``clip`` and ``quantiser`` if any, then dense layers, then a head.

    ``inputs`` names the features; ``scale`` and ``offset`` are float64 (features,).  The last layer's
    activation is :class:`Linear` (a final sigmoid or softmax changes no class and is folded into the head).
    ``classes`` names the classes and is empty for regression.
    """

    inputs: tuple[str, ...]
    scale: Floats
    offset: Floats
    layers: tuple[Dense, ...]
    head: RealHead
    classes: tuple[int | str, ...]
    clip: Clip | None = None
    quantiser: Quantiser | None = None

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash

    def __repr__(self) -> str:
        sizes = (len(self.inputs), *(len(layer.weight) for layer in self.layers))
        return f"Model({'-'.join(map(str, sizes))})"

    def _repr_html_(self) -> str:
        rows = [
            {
                "layer": k,
                "inputs": layer.weight.shape[1],
                "neurons": len(layer.weight),
                "activation": repr(layer.activation),
            }
            for k, layer in enumerate(self.layers)
        ]
        return table_html(f"{self!r}, classes {', '.join(map(str, self.classes)) or 'none'}", rows)

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, Model)
            and self.inputs == other.inputs
            and np.array_equal(self.scale, other.scale)
            and np.array_equal(self.offset, other.offset)
            and self.layers == other.layers
            and self.head == other.head
            and self.classes == other.classes
            and self.clip == other.clip
            and self.quantiser == other.quantiser
        )
