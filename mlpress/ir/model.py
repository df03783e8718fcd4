"""The real level: dense layers over real numbers, as a trainer wrote them.

A model that was quantised by its trainer also holds its integers: a :class:`Quantiser` wherever real values
pass through integers, and :class:`Integers` behind each weight matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

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
    """``x`` where it is positive, else ``alpha * x``; it falls below 0 where ``alpha`` is negative."""

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


@dataclass(frozen=True, slots=True)
class Curve:
    """A function by its name in :data:`mlpress.ir.curves.CURVES`, such as ``elu`` or ``gelu``, with its parameters."""

    name: str
    parameters: tuple[float, ...] = ()


RealActivation = Linear | Relu | Clip | LeakyRelu | Sigmoid | HardSigmoid | Tanh | Curve
Activations = RealActivation | tuple[RealActivation, ...]
"""One activation for all neurons of a layer, or one per neuron."""

Rounding = Literal["even", "half_even", "half_up", "half_down", "up", "down", "floor", "ceil"]
"""How a quantiser rounds; ``up`` and ``down`` are away from and towards 0, as ``half_up`` and ``half_down`` are for
halves.  ``even`` rounds before the zero point is added, the others after."""


@dataclass(frozen=True, slots=True)
class Quantiser:
    """Real values through integers, as ONNX ``QuantizeLinear`` then ``DequantizeLinear`` define it.

    ``q = clip(round(x / scale) + zero, low, high)``, rounding half to even, or for another :data:`Rounding`
    ``clip(round(x / scale + zero), low, high)``; the value that passes on is ``(q - zero) * scale``.
    """

    scale: float
    zero: int
    low: int
    high: int
    rounding: Rounding = "even"

    @property
    def step(self) -> float:
        """The real value of one step of the code."""
        return self.scale

    @property
    def base(self) -> float:
        """The real value of the lowest code."""
        return (self.low - self.zero) * self.scale

    @property
    def top(self) -> int:
        """The largest code, counted from the lowest."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Staircase:
    """Real values through a few levels: ``base + step * (number of bounds that x reaches)``.

    ``x`` reaches a bound where ``x >= bound``; bounds never decrease.  The sign, bipolar quantisers and tables of
    thresholds are staircases.
    """

    bounds: tuple[float, ...]
    step: float
    base: float

    @property
    def top(self) -> int:
        """The largest code: all bounds are reached."""
        return len(self.bounds)


Coder = Quantiser | Staircase
"""What turns real values into the integers that stand for them."""

Coders = Coder | tuple[Coder | None, ...] | None
"""One coder for all values, one per value, or none."""


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


def coders(held: Coders, count: int) -> tuple[Coder | None, ...]:
    """Return the coder of each of ``count`` values."""
    return held if isinstance(held, tuple) else (held,) * count


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """``activation(weight @ x + bias)``, then the ``quantiser`` where there is one.

    ``weight`` is float64 (outputs, inputs), ``bias`` float64 (outputs,).  ``integers`` holds what a quantised
    model has in their place; ``weight`` and ``bias`` are then those integers' real values.  A tuple of activations
    or of quantisers holds one per neuron.
    """

    weight: Floats
    bias: Floats
    activation: Activations
    integers: Integers | None = None
    quantiser: Coders = None

    @property
    def activations(self) -> tuple[RealActivation, ...]:
        """The activation of each neuron."""
        held = self.activation
        return held if isinstance(held, tuple) else (held,) * len(self.bias)

    @property
    def quantisers(self) -> tuple[Coder | None, ...]:
        """The coder of each neuron, ``None`` where its values stay real."""
        return coders(self.quantiser, len(self.bias))

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
    ``classes`` names the classes and is empty for regression.  A tuple of quantisers holds one per input.
    ``missing`` is empty, or says of each input what a missing value (NaN) is taken for, ``None`` where none may be.
    """

    inputs: tuple[str, ...]
    scale: Floats
    offset: Floats
    layers: tuple[Dense, ...]
    head: RealHead
    classes: tuple[int | str, ...]
    clip: Clip | None = None
    quantiser: Coders = None
    missing: tuple[float | None, ...] = ()

    @property
    def quantisers(self) -> tuple[Coder | None, ...]:
        """The coder of each input, ``None`` where its values stay real."""
        return coders(self.quantiser, len(self.inputs))

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
            and self.missing == other.missing
        )
