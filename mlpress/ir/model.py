"""The real level: dense layers over real numbers, as a trainer wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


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


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """``activation(weight @ x + bias)``; ``weight`` is float64 (outputs, inputs), ``bias`` float64 (outputs,)."""

    weight: Floats
    bias: Floats
    activation: RealActivation

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, Dense)
            and np.array_equal(self.weight, other.weight)
            and np.array_equal(self.bias, other.bias)
            and self.activation == other.activation
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
    """Inputs scaled as ``x * scale + offset``, then dense layers, then a head.

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

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, Model)
            and self.inputs == other.inputs
            and np.array_equal(self.scale, other.scale)
            and np.array_equal(self.offset, other.offset)
            and self.layers == other.layers
            and self.head == other.head
            and self.classes == other.classes
        )
