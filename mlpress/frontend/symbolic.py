"""The values that the ONNX reader follows through a graph.

A :class:`Flow` is what has become of the features so far: their scaling, the dense layers, and what still
waits to be folded into the next layer.  Every method returns a new flow.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir import Clip, Dense, Integers, Linear, Quantiser, RealActivation, Relu
from mlpress.progress import counted

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LARGEST = sys.float_info.max
MAX_WEIGHTS = 1 << 23  # ir.Model allows no more


@dataclass(frozen=True, slots=True)
class Const:
    """A known tensor: float64, int64 or str objects, with its ONNX element type.

    ``codes`` and ``scales``, of the same shape, are there after a ``DequantizeLinear``: values = codes * scales.
    """

    values: NDArray[Any]
    elem_type: int
    codes: Ints | None = None
    scales: Floats | None = None


@dataclass(frozen=True, slots=True)
class Dims:
    """A tensor of sizes, ``None`` standing for the batch: what ``Shape`` gives and shape arithmetic keeps."""

    sizes: tuple[int | None, ...]
    scalar: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """The class: ``at`` is the threshold of a single output, ``None`` for an arg-max; ``classes`` its names."""

    scores: Flow
    at: float | None
    classes: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """Probabilities with the classes' names (``ZipMap``)."""

    scores: Flow
    classes: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Aside:
    """Something computed from the scores that no class depends on, such as one column of the probabilities."""

    scores: Flow


@dataclass(frozen=True, slots=True)
class Coded:
    """The integers of a quantised flow, before they are dequantised; ``flow`` holds their real values."""

    flow: Flow
    quantiser: Quantiser


Final = Literal["", "softmax", "pair", "normalised"]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Features on their way: ``x * scale + offset``, ``clip``, ``quantiser``, ``layers``, then ``* gain + shift``.

    ``shape`` is that of one row and ``batch`` the number of rows where the model fixes it.  ``final`` says that
    these are probabilities: after a soft-max, the pair ``(1 - p, p)`` of one sigmoid, or normalised sigmoids.
    ``transposed``: the batch is the last axis.
    """

    names: tuple[str, ...]
    shape: tuple[int, ...]
    batch: int | None
    scale: Floats
    offset: Floats
    gain: Floats
    shift: Floats
    clip: Clip | None = None
    quantiser: Quantiser | None = None
    layers: tuple[Dense, ...] = ()
    final: Final = ""
    transposed: bool = False

    @property
    def width(self) -> int:
        """Elements of one row."""
        return math.prod(self.shape)

    @property
    def pending(self) -> bool:
        """Whether a scaling waits for the next layer."""
        return bool((self.gain != 1.0).any() or (self.shift != 0.0).any())

    @property
    def open_layer(self) -> Dense | None:
        """The last layer while anything affine can still be folded into it."""
        if self.layers and isinstance(self.layers[-1].activation, Linear) and self.layers[-1].quantiser is None:
            return self.layers[-1]
        return None

    @property
    def bare(self) -> bool:
        """Whether nothing but a scaling has happened to the features."""
        return not self.layers and self.quantiser is None and self.clip is None

    def affine(self, gain: Floats, shift: Floats) -> Flow:
        """Multiply each element by ``gain`` and add ``shift``; both float64 (width,)."""
        if self.final:
            raise MlpressError("arithmetic on probabilities is not supported; keep the soft-max or sigmoid last")
        if self.bare:
            return replace(self, scale=self.scale * gain, offset=self.offset * gain + shift)
        last = self.open_layer
        if last is None:
            return replace(self, gain=self.gain * gain, shift=self.shift * gain + shift)
        integers = None if last.integers is None else _scaled(last.integers, gain, shift)
        folded = Dense(last.weight * gain[:, None], last.bias * gain + shift, Linear(), integers)
        return replace(self, layers=(*self.layers[:-1], folded))

    def dense(self, weight: Const) -> Flow:
        """Multiply by a constant: ``x @ weight``, with ``weight`` (inputs, outputs)."""
        matrix = finite(weight)
        if matrix.ndim != 2 or matrix.shape[0] != self.width or matrix.shape[1] < 1:
            raise MlpressError(f"the weights have shape {matrix.shape} but a row has {counted(self.width, 'value')}")
        rows = matrix.T
        real = np.ascontiguousarray(rows * self.gain)
        bias = np.asarray(rows @ self.shift, np.float64)
        last = self.open_layer
        base = self.layers
        if last is not None:  # two dense layers with nothing between them are one
            if rows.shape[0] * last.weight.shape[1] > MAX_WEIGHTS:
                raise MlpressError(f"composing two dense layers gives more than {MAX_WEIGHTS} weights")
            real, bias, base = rows @ last.weight, np.asarray(rows @ last.bias, np.float64), base[:-1]
        integers = None if last is not None else self._integers(weight)
        ones = np.ones(matrix.shape[1])
        layer = Dense(real, bias, Linear(), integers)
        return replace(self, shape=(matrix.shape[1],), gain=ones, shift=0.0 * ones, layers=(*base, layer))

    def _integers(self, weight: Const) -> Integers | None:
        if weight.codes is None or weight.scales is None or self.shift.any() or (self.gain != self.gain[0]).any():
            return None
        scales = weight.scales[0]
        if (weight.scales != scales).any() or self.gain[0] <= 0:
            return None
        return Integers(np.ascontiguousarray(weight.codes.T), scales * self.gain[0])

    def add(self, constant: Const) -> Flow:
        """Add a constant to each element; the integers of a dequantised bias are kept."""
        shift = self.spread(constant)
        last = self.open_layer
        moved = self.affine(np.ones(self.width), shift)
        fresh = last is not None and last.integers is not None and not last.bias.any()
        if last is None or not fresh or last.integers is None or constant.codes is None or constant.scales is None:
            return moved
        codes, scales = (self.spread_array(part) for part in (constant.codes, constant.scales))
        integers = replace(last.integers, bias=codes, bias_scale=scales)
        return replace(moved, layers=(*moved.layers[:-1], replace(moved.layers[-1], integers=integers)))

    def activation(self, activation: RealActivation) -> Flow:
        """Put each element through a monotone activation."""
        if self.final:
            raise MlpressError("an activation on probabilities is not supported; keep the soft-max or sigmoid last")
        limits = _limits(activation)
        if not self.layers and not self.pending and self.quantiser is None and limits is not None:
            return replace(self, clip=_clipped(self.clip, limits))
        if self.open_layer is not None:
            return self._with_last(activation=activation)
        if not self.pending and self.layers and self.layers[-1].quantiser is None and limits is not None:
            before = _limits(self.layers[-1].activation)
            if before is not None:
                return self._with_last(activation=_as_activation(_clipped(before, limits)))
        return self.settled()._with_last(activation=activation)

    def quantised(self, quantiser: Quantiser) -> Flow:
        """Put each element through the integers of ``quantiser``."""
        if self.final:
            return self  # the class is decided on the scores that the probabilities come from
        if self.pending:
            return self.settled()._with_last(quantiser=quantiser)
        if not self.layers and self.quantiser is None:
            return replace(self, quantiser=quantiser)
        if self.layers and self.layers[-1].quantiser is None:
            return self._with_last(quantiser=quantiser)
        last = self.layers[-1].quantiser if self.layers else self.quantiser
        return self if last == quantiser else self.settled()._with_last(quantiser=quantiser)

    def settled(self) -> Flow:
        """Return the same values with the waiting scaling made an element-wise layer of its own."""
        if self.width**2 > MAX_WEIGHTS:
            raise MlpressError(f"{counted(self.width, 'value')} need a layer of their own here; that is too many")
        sign = np.where(self.gain < 0, -1, 1).astype(np.int64)
        size = np.where(self.gain == 0, 1.0, np.abs(self.gain))
        codes = np.diag(np.where(self.gain == 0, 0, sign))
        layer = Dense(np.diag(self.gain), self.shift, Linear(), Integers(codes, size))
        ones = np.ones(self.width)
        return replace(self, gain=ones, shift=0.0 * ones, layers=(*self.layers, layer))

    def _with_last(self, **changes: Any) -> Flow:
        return replace(self, layers=(*self.layers[:-1], replace(self.layers[-1], **changes)))

    def spread(self, constant: Const) -> Floats:
        """Broadcast a constant to one row, float64 (width,)."""
        return np.asarray(self.spread_array(finite(constant)), np.float64)

    def spread_array(self, values: NDArray[Any]) -> NDArray[Any]:
        """Broadcast ``values`` to one row and flatten them; refuse what would differ between rows or add an axis."""
        target = (*self.shape, 1) if self.transposed else (1, *self.shape)
        try:
            return np.broadcast_to(values, target).reshape(self.width)
        except ValueError:
            raise MlpressError(f"a constant of shape {values.shape} does not fit rows of shape {self.shape}") from None


Value = Const | Dims | Flow | Coded | Label | Named | Aside


def feature_flow(names: tuple[str, ...], shape: tuple[int, ...], batch: int | None) -> Flow:
    """Return the flow of the features as they come in."""
    ones = np.ones(len(names))
    return Flow(names, shape, batch, ones, 0.0 * ones, ones, 0.0 * ones)


def finite(constant: Const) -> Floats:
    """Return the constant's values as float64; raise where one is not finite."""
    if constant.values.dtype == object:
        raise MlpressError("a text constant stands where numbers are expected")
    values = np.asarray(constant.values, np.float64)
    if not np.isfinite(values).all():
        raise MlpressError("a constant holds a value that is not finite; train or export the model again")
    return values


def _scaled(integers: Integers, gain: Floats, shift: Floats) -> Integers | None:
    if (gain <= 0).any():
        return None
    scale = integers.weight_scale * gain
    if shift.any() or integers.bias_scale is None:
        return Integers(integers.weight, scale)
    return Integers(integers.weight, scale, integers.bias, integers.bias_scale * gain)


def _limits(activation: RealActivation) -> Clip | None:
    match activation:
        case Relu():
            return Clip(0.0, LARGEST)
        case Clip():
            return activation
        case _:
            return None


def _clipped(first: Clip | None, then: Clip) -> Clip:
    """Return the one clip that does what both do."""
    if first is None:
        return then
    low, high = (min(max(bound, then.low), then.high) for bound in (first.low, first.high))
    return Clip(low, high)


def _as_activation(clip: Clip) -> RealActivation:
    return Relu() if clip == Clip(0.0, LARGEST) else clip
