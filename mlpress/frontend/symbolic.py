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
from mlpress.frontend.grids import LARGEST_CODE, Held, narrowed, one_or_each, same_grid
from mlpress.ir import (
    Activations,
    Clip,
    Coders,
    Dense,
    Integers,
    Linear,
    RealActivation,
    Relu,
    Sigmoid,
    Staircase,
    coders,
)
from mlpress.progress import counted

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LARGEST = sys.float_info.max
MAX_WEIGHTS = 1 << 23  # ir.Model allows no more
FLOAT = 1  # the element type of ONNX's float32


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
    """Something computed from the scores that no class depends on, such as the largest probability.

    ``column`` is that of two classes' probabilities whose one probability this is.
    """

    scores: Flow
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Coded:
    """The integers of a quantised flow, before they are dequantised; ``flow`` holds their real values."""

    flow: Flow
    quantiser: Coders


Final = Literal["", "softmax", "log", "pair", "sigmoids", "normalised", "vote"]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Features on their way: ``x * scale + offset``, ``clip``, ``quantiser``, ``layers``, then ``* gain + shift``.

    ``shape`` is that of one row and ``batch`` the number of rows where the model fixes it.  ``final`` says that
    these are probabilities: after a soft-max, its logarithm, the pair ``(1 - p, p)`` of one sigmoid, a sigmoid per
    class, normalised sigmoids, or weighted sums of such; ``altered`` that they were then rounded or scaled, which
    moves no class.
    ``transposed``: the batch is the last axis.  ``lone``: there is one row, without a batch axis.  ``missing`` holds
    the names of features that may be missing (NaN), with what they are taken for then.
    """

    names: tuple[str, ...]
    shape: tuple[int, ...]
    batch: int | None
    scale: Floats
    offset: Floats
    gain: Floats
    shift: Floats
    clip: Clip | None = None
    quantiser: Coders = None
    layers: tuple[Dense, ...] = ()
    final: Final = ""
    altered: bool = False
    transposed: bool = False
    lone: bool = False
    missing: tuple[tuple[str, float], ...] = ()

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
    def coder(self) -> Coders:
        """The coder of the values before the waiting scaling."""
        return self.layers[-1].quantiser if self.layers else self.quantiser

    @property
    def bare(self) -> bool:
        """Whether nothing but a scaling has happened to the features."""
        return not self.layers and self.quantiser is None and self.clip is None

    def affine(self, gain: Floats, shift: Floats) -> Flow:
        """Multiply each element by ``gain`` and add ``shift``; both float64 (width,)."""
        if self.final:
            raise MlpressError(
                "this arithmetic on probabilities is not supported; keep the soft-max or sigmoid last (a vote of "
                "several networks is no single network: export one of them)"
            )
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
        held = Held.of(matrix, weight.codes, weight.scales)
        known = held is not None and (last is None or last.integers is not None)
        integers = held.behind(self.gain, None if last is None else last.integers) if held and known else None
        ones = np.ones(matrix.shape[1])
        layer = Dense(real, bias, Linear(), integers)
        return replace(self, shape=(matrix.shape[1],), gain=ones, shift=0.0 * ones, layers=(*base, layer))

    def add(self, constant: Const) -> Flow:
        """Add a constant to each element; the integers of a dequantised bias are kept."""
        shift = self.spread(constant)
        last = self.open_layer
        moved = self.affine(np.ones(self.width), shift)
        fresh = last is not None and last.integers is not None and not last.bias.any()
        if last is None or not fresh or last.integers is None:
            return moved
        if constant.codes is not None and constant.scales is not None:
            codes, scales = (self.spread_array(part) for part in (constant.codes, constant.scales))
        elif (last.integers.weight_scale == 1.0).all() and _whole(shift):
            codes, scales = shift.astype(np.int64), last.integers.weight_scale
        else:
            return moved
        integers = replace(last.integers, bias=codes, bias_scale=scales)
        return replace(moved, layers=(*moved.layers[:-1], replace(moved.layers[-1], integers=integers)))

    def activation(self, activation: Activations) -> Flow:
        """Put each element through an activation, or through its own where there is one for each."""
        if self.final:
            raise MlpressError("an activation on probabilities is not supported; keep the soft-max or sigmoid last")
        limits = _limits(activation)
        if not self.layers and not self.pending and self.quantiser is None and limits is not None:
            return replace(self, clip=_clipped(self.clip, limits))
        if self.open_layer is not None:
            return self._with_last(activation=activation)
        if not self.pending and limits is not None and self.coder is not None:
            kept = [narrowed(coder, limits) for coder in coders(self.coder, self.width)]
            if None not in kept:
                return self._with_coder(one_or_each(kept))
        if not self.pending and self.layers and self.layers[-1].quantiser is None and limits is not None:
            before = _limits(self.layers[-1].activation)
            if before is not None:
                return self._with_last(activation=as_activation(_clipped(before, limits)))
        return self.settled()._with_last(activation=activation)

    def quantised(self, quantiser: Coders) -> Flow:
        """Put each element through the integers of ``quantiser``."""
        if self.final:
            return replace(self, altered=True)  # the class is decided on the scores that probabilities come from
        if self.pending:
            return self.settled()._with_last(quantiser=quantiser)
        if self.coder is None:
            return self._with_coder(quantiser)
        pairs = zip(coders(self.coder, self.width), coders(quantiser, self.width), strict=True)
        kept = [same_grid(held, new) for held, new in pairs]
        return self.settled()._with_last(quantiser=quantiser) if None in kept else self._with_coder(one_or_each(kept))

    def _with_coder(self, coder: Coders) -> Flow:
        return self._with_last(quantiser=coder) if self.layers else replace(self, quantiser=coder)

    def picked(self, places: NDArray[np.int64], shape: tuple[int, ...]) -> Flow:
        """Return the elements at ``places`` of a row, in rows of ``shape``."""
        if self.final:
            raise MlpressError("picking some of the probabilities is not supported here; keep the soft-max last")
        if np.array_equal(places, np.arange(self.width)):
            return replace(self, shape=shape)
        parts = {name: getattr(self, name)[places] for name in ("gain", "shift")}
        if not self.layers and len(set(places.tolist())) == len(places):
            held = self.quantiser
            return replace(
                self,
                names=tuple(self.names[place] for place in places),
                shape=shape,
                scale=self.scale[places],
                offset=self.offset[places],
                quantiser=one_or_each([held[place] for place in places]) if isinstance(held, tuple) else held,
                **parts,
            )
        chosen = np.zeros((self.width, len(places)))
        chosen[places, np.arange(len(places))] = 1.0
        return replace(self.dense(Const(chosen, FLOAT)), shape=shape)

    def settled(self) -> Flow:
        """Return the same values with the waiting scaling made an element-wise layer of its own."""
        check_own_layer(self.width)
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
        target = self.shape if self.lone else target
        try:
            return np.broadcast_to(values, target).reshape(self.width)
        except ValueError:
            raise MlpressError(f"a constant of shape {values.shape} does not fit rows of shape {self.shape}") from None


Value = Const | Dims | Flow | Coded | Label | Named | Aside


def feature_flow(names: tuple[str, ...], shape: tuple[int, ...], batch: int | None) -> Flow:
    """Return the flow of the features as they come in."""
    ones = np.ones(len(names))
    return Flow(names, shape, batch, ones, 0.0 * ones, ones, 0.0 * ones)


def reached(flow: Flow, bounds: Floats, strict: bool) -> Flow:
    """Return 1 where a value reaches its bound, or is above it where ``strict``, else 0."""
    places = np.nextafter(bounds, np.inf) if strict else bounds
    return flow.quantised(one_or_each([Staircase((float(place),), 1.0, 0.0) for place in places]))


def as_values(label: Label) -> Flow:
    """Return one of two classes as the number 0 or 1."""
    if set(label.classes) != {0, 1}:
        raise MlpressError("the class is used as a value; supported is that of a comparison with a constant, or of two")
    flow, at = label.scores, label.at
    if flow.final == "pair":
        flow = replace(flow, shape=(1,), final="")
    elif at is None:
        flow, at = _difference(replace(flow, final="")), 0.0
    flow = reached(flow, np.array([at]), strict=True)
    return flow if label.classes == (0, 1) else flow.affine(-np.ones(1), np.ones(1))


def _difference(flow: Flow) -> Flow:
    """Return by how much the second of two values is above the first, before the sigmoids if such are the last step."""
    last = flow.layers[-1] if flow.layers else None
    if last is not None and isinstance(last.activation, Sigmoid) and last.quantiser is None and not flow.pending:
        flow = flow._with_last(activation=Linear())
    return flow.dense(Const(np.array([[-1.0], [1.0]]), FLOAT))


def finite(constant: Const) -> Floats:
    """Return the constant's values as float64; raise where one is not finite."""
    if constant.values.dtype == object:
        raise MlpressError("a text constant stands where numbers are expected")
    values = np.asarray(constant.values, np.float64)
    if not np.isfinite(values).all():
        raise MlpressError("a constant holds a value that is not finite; train or export the model again")
    return values


def _whole(values: Floats) -> bool:
    """Return whether all are whole numbers that a layer's integer biases can be."""
    return bool((values == np.rint(values)).all() and (np.abs(values) < LARGEST_CODE).all())


def _scaled(integers: Integers, gain: Floats, shift: Floats) -> Integers:
    sign, size = np.sign(gain).astype(np.int64), np.where(gain == 0.0, 1.0, np.abs(gain))
    weight, scale = integers.weight * sign[:, None], integers.weight_scale * size
    if shift.any() or integers.bias is None or integers.bias_scale is None:
        return Integers(weight, scale)
    return Integers(weight, scale, integers.bias * sign, integers.bias_scale * size)


def _limits(activation: Activations) -> Clip | None:
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


def identity_layer(count: int) -> Dense:
    """Return a layer that hands on ``count`` values."""
    integers = Integers(np.eye(count, dtype=np.int64), np.ones(count))
    return Dense(np.eye(count), np.zeros(count), Linear(), integers)


def check_own_layer(count: int) -> None:
    """Raise :class:`MlpressError` where a layer of one neuron per value would be too large."""
    if count**2 > MAX_WEIGHTS:
        raise MlpressError(f"{counted(count, 'value')} need a layer of their own here; that is too many")


def as_activation(clip: Clip) -> RealActivation:
    """Return a clip as a layer's activation."""
    return Relu() if clip == Clip(0.0, LARGEST) else clip
