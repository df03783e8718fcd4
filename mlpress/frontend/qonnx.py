"""QONNX operators (domain ``qonnx.custom_op.general`` and its other names): quantisers of any number of bits.

Meaning: the operators' documentation in the QONNX project (``Quant``, ``BipolarQuant``, ``Trunc``) and, of
``MultiThreshold``, in FINN's.  A signed quantiser of 1 bit gives -1 and 1 there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.grids import one_or_each
from mlpress.frontend.node import Node, kind
from mlpress.frontend.symbolic import Const, Flow, Value, finite
from mlpress.ir import Coder, Quantiser, Rounding, Staircase
from mlpress.ir import rounded as rounded_values

OPERATORS = ("qonnx.Quant", "qonnx.IntQuant", "qonnx.BipolarQuant", "qonnx.Trunc", "qonnx.MultiThreshold")
MOST_BITS = 32
_ROUNDINGS: dict[str, Rounding] = {
    "ROUND": "half_even",
    "HALF_EVEN": "half_even",
    "HALF_UP": "half_up",
    "HALF_DOWN": "half_down",
    "UP": "up",
    "DOWN": "down",
    "FLOOR": "floor",
    "CEIL": "ceil",
}
Floats = NDArray[np.float64]


def apply_qonnx(node: Node) -> Value:
    """Apply one of :data:`OPERATORS`."""
    match node.op.removeprefix("qonnx."):
        case "Quant" | "IntQuant":
            return _quant(node)
        case "BipolarQuant":
            return _bipolar(node)
        case "Trunc":
            return _trunc(node)
        case _:
            return _multi_threshold(node)


def _quant(node: Node) -> Value:
    bits = _bits(node, 3)
    signed, narrow = bool(node.integer("signed", 1)), bool(node.integer("narrow", 0))
    rounding = _rounding(node, "ROUND")
    if bits == 1 and signed:
        return _one_bit(node)
    low, high = _range(bits, signed, narrow)
    if low >= high:
        raise MlpressError(f"{bits} bits, signed={int(signed)}, narrow={int(narrow)} leave a single code")
    match node.input(0):
        case Flow() as flow:
            scale, zero = _positive(flow.spread(node.const(1))), _whole(flow.spread(node.const(2)))
            made = [_quantiser(size, start, low, high, rounding) for size, start in zip(scale, zero, strict=True)]
            return flow.quantised(one_or_each(made))
        case Const() as constant:
            real = finite(constant)
            step, start = (np.broadcast_to(finite(node.const(index)), real.shape) for index in (1, 2))
            single = _positive(step).astype(np.float32)
            places = (real.astype(np.float32) / single + start.astype(np.float32)).astype(np.float64)
            codes = rounded_values(np.clip(places, low, high), rounding).astype(np.int64) - _whole(start)
            return Const(codes * step, constant.elem_type, codes, step)
        case other:
            raise MlpressError(f"it quantises what is {kind(other)}; supported are features, scores and constants")


def _quantiser(scale: float, zero: float, low: int, high: int, rounding: Rounding) -> Quantiser:
    even = rounding == "half_even" and int(zero) % 2 == 0  # then rounding before or after the zero point is the same
    return Quantiser(float(scale), int(zero), low, high, "even" if even else rounding)


def _bipolar(node: Node) -> Value:
    return _two_valued(node, node.input(0), np.zeros(()), np.zeros(()))


def _one_bit(node: Node) -> Value:
    """Apply a signed ``Quant`` of one bit: -1 or 1, by the sign of ``x / scale + zero``."""
    zero = finite(node.const(2))
    return _two_valued(node, node.input(0), zero, -zero * finite(node.const(1)))


def _two_valued(node: Node, value: Value, zero: Floats, bound: Floats) -> Value:
    """Return ``(1 - zero) * scale`` where ``value`` reaches ``bound``, else ``(-1 - zero) * scale``."""
    match value:
        case Flow() as flow:
            scale = _positive(flow.spread(node.const(1)))
            starts, bounds = (np.broadcast_to(flow.spread(Const(part, 1)), scale.shape) for part in (zero, bound))
            made = [
                Staircase((float(at),), 2.0 * float(size), float((-1.0 - start) * size))
                for size, start, at in zip(scale, starts, bounds, strict=True)
            ]
            return flow.quantised(one_or_each(made))
        case Const() as constant:
            real = finite(constant)
            scale = _positive(np.broadcast_to(finite(node.const(1)), real.shape))
            codes = np.where(real >= bound, 1, -1) - _whole(np.broadcast_to(zero, real.shape))
            return Const(codes * scale, constant.elem_type, codes.astype(np.int64), scale)
        case other:
            raise MlpressError(f"it quantises what is {kind(other)}; supported are features, scores and constants")


def _trunc(node: Node) -> Value:
    """Apply ``Trunc``: the lowest bits of a quantised value dropped.

    Version 1 has inputs x, scale, zero point, bits before and after, and keeps the scale; version 2 has the scale
    after it too, before the bits, and clips.
    """
    flow = node.flow(0)
    newer = len(node.inputs) > 5
    scale, zero = _one(node, 1), _one(node, 2)
    before, after = _bits(node, 3), _bits(node, 5 if newer else 4)
    if zero != int(zero) or not scale > 0.0:
        raise MlpressError("its zero point is no integer, or its scale not positive")
    drop = round(math.log2(_one(node, 4) / scale)) if newer else before - after
    if not 0 <= drop < MOST_BITS:
        raise MlpressError(f"it drops {drop} bits; 0 to {MOST_BITS - 1} are supported")
    step = _one(node, 4) if newer else scale
    signed, narrow = bool(node.integer("signed", 1)), bool(node.integer("narrow", 0))
    low, high = _range(after, signed, narrow) if newer else (-(1 << (after - 1)), (1 << after) - 1)
    if high - low >= 1 << 16:
        raise MlpressError(f"{after} bits are left; at most 16 are supported")
    rounding = _rounding(node, "FLOOR")
    bounds = [_first(code, drop, rounding) for code in range(low + 1, high + 1)]
    base = (low - zero / 2.0**drop if newer else low - zero) * step
    return flow.quantised(Staircase(tuple((bound - zero) * scale for bound in bounds), step, base))


def _first(code: int, drop: int, rounding: Rounding) -> float:
    """Return from which value on ``round(value) / 2**drop`` rounds to ``code``, half rounded to even at first."""
    unit = 1 << drop
    halves = {"half_even": unit, "half_up": unit, "half_down": unit}.get(rounding, 0)
    if drop == 0:
        first = code
    elif halves:
        middle = code * unit - unit // 2
        up = code % 2 == 0 if rounding == "half_even" else (code > 0) == (rounding == "half_up")
        first = middle if up else middle + 1
    else:
        away = rounding == "ceil" or (rounding == "up" and code > 0) or (rounding == "down" and code <= 0)
        first = (code - 1) * unit + 1 if away else code * unit
    exact = first - 0.5
    return exact if first % 2 == 0 else float(np.nextafter(exact, np.inf))


def _multi_threshold(node: Node) -> Value:
    """Apply ``MultiThreshold``: the number of thresholds (channels or 1, thresholds) that each element reaches."""
    flow, table = node.flow(0), finite(node.const(1))
    if table.ndim != 2 or len(flow.shape) != 1 or len(table) not in {1, flow.width} or not table.size:
        raise MlpressError(f"its thresholds have shape {table.shape}; rows have {flow.shape}")
    step, base = node.real("out_scale", 1.0), node.real("out_bias", 0.0)
    if step == 0.0:
        raise MlpressError("its out_scale is 0")
    made: list[Coder] = [Staircase(tuple(sorted(map(float, row))), step, base) for row in table]
    return flow.quantised(one_or_each(made if len(made) == flow.width else made * flow.width))


def _range(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    if signed:
        return -(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1 - narrow


def _bits(node: Node, index: int) -> int:
    bits = _one(node, index)
    if bits != int(bits) or not 1 <= bits <= MOST_BITS:
        raise MlpressError(f"it has {bits} bits; whole numbers from 1 to {MOST_BITS} are supported")
    return int(bits)


def _one(node: Node, index: int) -> float:
    value = finite(node.const(index))
    if value.size != 1:
        raise MlpressError(f"its input {index} is not one number")
    return float(value.reshape(()))


def _rounding(node: Node, default: str) -> Rounding:
    mode = node.text("rounding_mode", default).upper()
    if mode not in _ROUNDINGS:
        raise MlpressError(f"its rounding mode is {mode[:20]!r}; supported: {', '.join(_ROUNDINGS)}")
    return _ROUNDINGS[mode]


def _positive(scale: Floats) -> Floats:
    if not (scale > 0).all():
        raise MlpressError("its scale is not positive")
    return scale


def _whole(zero: Floats) -> NDArray[np.int64]:
    if (zero != np.rint(zero)).any():
        raise MlpressError("its zero point is no integer")
    return zero.astype(np.int64)
