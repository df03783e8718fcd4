"""Branches become one chain of layers: what only one branch changes, the other carries through.

Two flows share their first layers as long as these are the same objects.  From then on a layer of one stands beside
the layer of the other; the shorter branch gets layers of identity neurons, which hand their values (or codes) on
unchanged.  Dense layers at the end of a branch that are still open wait, so that codes are carried, not sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.grids import LARGEST_CODE, common_unit, one_or_each
from mlpress.frontend.symbolic import (
    MAX_WEIGHTS,
    Floats,
    Flow,
    Ints,
    as_activation,
    check_own_layer,
    identity_layer,
)
from mlpress.frontend.tensors import short
from mlpress.ir import Activations, Coder, Coders, Dense, Integers, Linear, RealActivation, coders

T = TypeVar("T", bound=np.generic)


class _Open(NamedTuple):
    """The affine end of a branch: ``weight @ values + bias``, with the integers behind it where they are known."""

    weight: Floats
    bias: Floats
    integers: Integers | None


class OpenEnd(NamedTuple):
    """A branch up to its last activation or coder, and its open end."""

    closed: Flow
    end: _Open


def added(first: Flow, second: Flow, sign: float = 1.0) -> Flow:
    """Return ``first + sign * second``, element by element."""
    _check_rows(first, second)
    if second.width == 1 or first.width == 1:
        first, second = _widened(first, second), _widened(second, first)
    if first.shape != second.shape:
        raise MlpressError(f"rows of shape {first.shape} and {second.shape} cannot be added")
    if sign != 1.0:
        second = second.affine(np.full(second.width, sign), np.zeros(second.width))
    merged, ends = _merged([first, second])
    weight = ends[0].weight + ends[1].weight
    integers = _sum_of_integers(ends[0].integers, ends[1].integers)
    return _opened(merged, _Open(weight, ends[0].bias + ends[1].bias, integers), first.shape)


def _check_rows(first: Flow, second: Flow) -> None:
    """Raise where one of two inputs has a single row for all rows of the other."""
    for flow, other in ((first, second), (second, first)):
        single = flow.bare and (flow.lone or flow.batch == 1) and not other.lone and other.batch != 1
        if single and set(flow.names).isdisjoint(other.names):
            stray = short(flow.names[0].partition("[")[0])
            raise MlpressError(
                f"the graph's input {stray} has one row for all rows: a constant that the exporter left as an input; "
                "export the model again with its value inside"
            )


def _widened(flow: Flow, other: Flow) -> Flow:
    if flow.width == other.width:
        return replace(flow, shape=other.shape)
    return flow.picked(np.zeros(other.width, np.int64), other.shape)


def joined(flows: Sequence[Flow]) -> Flow:
    """Return the values of all ``flows`` side by side."""
    merged, ends = _merged(flows)
    weight, bias = np.concatenate([end.weight for end in ends]), np.concatenate([end.bias for end in ends])
    held = [end.integers for end in ends]
    known = [one for one in held if one is not None]
    integers = _stacked(known) if len(known) == len(held) else None
    return _opened(merged, _Open(weight, bias, integers), (len(bias),))


def open_end(flow: Flow) -> OpenEnd:
    """Return a flow up to its last activation or coder, and the affine end that is still open."""
    last = flow.open_layer
    count = flow.width
    ones = np.ones(count)
    if last is not None:
        width = last.weight.shape[1]
        closed = replace(
            flow, layers=flow.layers[:-1], shape=(width,), gain=np.ones(width), shift=np.zeros(width), transposed=False
        )
        return OpenEnd(closed, _Open(last.weight, last.bias, last.integers))
    check_own_layer(count)
    size = np.where(flow.gain == 0.0, 1.0, np.abs(flow.gain))
    integers = Integers(np.diag(np.sign(flow.gain).astype(np.int64)), size)
    closed = replace(flow, shape=(count,), gain=ones, shift=0.0 * ones)
    return OpenEnd(closed, _Open(np.diag(flow.gain), flow.shift, integers))


def _merged(flows: Sequence[Flow]) -> tuple[Flow, list[_Open]]:
    """Return one closed flow that holds the values of all, and each one's open end over it."""
    if any(flow.final for flow in flows):
        raise MlpressError(
            "probabilities are joined or added: these are several networks; export one of them, or the scores alone"
        )
    if len({flow.transposed for flow in flows}) > 1:
        raise MlpressError("the batch is not the same axis of both; that is not supported")
    flows = _scaled_once(flows)
    merged, ends = open_end(flows[0])
    found = [ends]
    for flow in flows[1:]:
        other = open_end(flow)
        merged, other_closed, place = _on_same_inputs(merged, other)
        found = [_expanded(end, place.first, merged.width) for end in found] if not merged.layers else found
        merged, (left, right) = _beside(merged, other_closed)
        found = [_over(end, left, merged.width) for end in found]
        found.append(_over(_expanded(other.end, place.second, other_closed.width), right, merged.width))
    return replace(merged, transposed=flows[0].transposed, batch=flows[0].batch), found


def _scaled_once(flows: Sequence[Flow]) -> Sequence[Flow]:
    """Return the flows; where two scale a feature in two ways, all that is only scaled is scaled in its first layer."""
    known: dict[str, set[tuple[float, float]]] = {}
    for flow in flows:
        for name, gain, shift in zip(flow.names, flow.scale.tolist(), flow.offset.tolist(), strict=True):
            known.setdefault(name, set()).add((gain, shift))
    if all(len(scalings) == 1 for scalings in known.values()) and len({flow.clip for flow in flows}) == 1:
        return flows
    return [flow if flow.quantiser is not None else _unscaled(_unclipped(flow)) for flow in flows]


def _unclipped(flow: Flow) -> Flow:
    """Return the flow with the clip of its features as a layer of its own."""
    if flow.clip is None:
        return flow
    check_own_layer(len(flow.names))
    clipped = replace(identity_layer(len(flow.names)), activation=as_activation(flow.clip))
    return replace(flow, clip=None, layers=(clipped, *flow.layers))


def _unscaled(flow: Flow) -> Flow:
    """Return the flow with its features as they come in, and their scaling in what follows."""
    scale, offset, ones = flow.scale, flow.offset, np.ones(len(flow.names))
    plain = replace(flow, scale=ones, offset=0.0 * ones)
    if not flow.layers:
        return replace(plain, gain=flow.gain * scale, shift=flow.gain * offset + flow.shift)
    first = flow.layers[0]
    moved = Dense(first.weight * scale, first.bias + first.weight @ offset, first.activation, None, first.quantiser)
    return replace(plain, layers=(moved, *flow.layers[1:]))


class _Places(NamedTuple):
    """Where the inputs of two flows are among those of both together."""

    first: Ints
    second: Ints


def _on_same_inputs(first: Flow, other: OpenEnd) -> tuple[Flow, Flow, _Places]:
    """Return both flows over the inputs of both; a flow without layers then holds all of these inputs."""
    second = other.closed
    names = tuple(dict.fromkeys((*first.names, *second.names)))
    index = {name: place for place, name in enumerate(names)}
    places = _Places(*(np.array([index[name] for name in flow.names]) for flow in (first, second)))
    known: dict[str, tuple[float, float, Coder | None]] = {}
    for flow in (first, second):
        held = coders(flow.quantiser, len(flow.names))
        for name, entry in zip(
            flow.names, zip(flow.scale.tolist(), flow.offset.tolist(), held, strict=True), strict=True
        ):
            if known.setdefault(name, entry) != entry:
                raise MlpressError(
                    f"input {name!r} is read with two scalings or quantisers; scale it once, before the branches"
                )
    if first.clip != second.clip:
        raise MlpressError("the inputs of two branches are clipped differently; clip them once, before the branches")
    scale, offset = (np.array([known[name][part] for name in names]) for part in (0, 1))
    quantiser = one_or_each([known[name][2] for name in names])
    if any(dict(first.missing).get(name, value) != value for name, value in second.missing):
        raise MlpressError("a missing value is replaced by two values in two branches; replace it once, before them")
    missing = tuple(sorted({*first.missing, *second.missing}))
    first, second = (replace(flow, missing=missing) for flow in (first, second))
    return (
        _with_inputs(first, names, places.first, scale, offset, quantiser),
        _with_inputs(second, names, places.second, scale, offset, quantiser),
        _Places(*(_outputs(flow, place) for flow, place in zip((first, second), places, strict=True))),
    )


def _outputs(flow: Flow, place: Ints) -> Ints:
    return np.arange(flow.width) if flow.layers else place


def _with_inputs(
    flow: Flow, names: tuple[str, ...], place: Ints, scale: Floats, offset: Floats, quantiser: Coders
) -> Flow:
    if flow.names == names:
        return flow
    made = replace(flow, names=names, scale=scale, offset=offset, quantiser=quantiser)
    if not flow.layers:
        return replace(made, shape=(len(names),), gain=np.ones(len(names)), shift=np.zeros(len(names)))
    return replace(made, layers=(_spread(flow.layers[0], place, len(names)), *flow.layers[1:]))


def _spread(layer: Dense, place: Ints, width: int) -> Dense:
    """Return the layer over ``width`` values, of which its own are those at ``place``."""
    held = layer.integers
    integers = None if held is None else replace(held, weight=_columns(held.weight, place, width))
    return replace(layer, weight=_columns(layer.weight, place, width), integers=integers)


def _columns(matrix: NDArray[T], place: Ints, width: int) -> NDArray[T]:
    made = np.zeros((len(matrix), width), matrix.dtype)
    made[:, place] = matrix
    return made


def _expanded(end: _Open, place: Ints, width: int) -> _Open:
    return _over(end, place, width)


def _over(end: _Open, place: Ints, width: int) -> _Open:
    held = end.integers
    integers = None if held is None else replace(held, weight=_columns(held.weight, place, width))
    return _Open(_columns(end.weight, place, width), end.bias, integers)


def _beside(first: Flow, second: Flow) -> tuple[Flow, tuple[Ints, Ints]]:
    """Return one flow with the values of both, and where each one's values are in it."""
    shared = 0
    for a, b in zip(first.layers, second.layers, strict=False):
        if a is not b and a != b:
            break
        shared += 1
    width = len(first.layers[shared - 1].bias) if shared else len(first.names)
    held = first.layers[shared - 1].quantisers if shared else coders(first.quantiser, width)
    tails = (first.layers[shared:], second.layers[shared:])
    if not tails[0] and not tails[1]:
        same = np.arange(width)
        return first, (same, same)
    layers: list[Dense] = list(first.layers[:shared])
    kept: list[Sequence[Coder | None]] = [held, held]
    for step in range(max(map(len, tails))):
        parts = [
            tail[step] if step < len(tail) else _carrying(before) for tail, before in zip(tails, kept, strict=True)
        ]
        layers.append(_together(parts[0], parts[1], apart=step > 0))
        kept = [part.quantisers for part in parts]
    left, right = len(kept[0]), len(kept[1])
    merged = replace(
        first, layers=tuple(layers), shape=(left + right,), gain=np.ones(left + right), shift=np.zeros(left + right)
    )
    return merged, (np.arange(left), np.arange(left, left + right))


def _carrying(held: Sequence[Coder | None]) -> Dense:
    """Return a layer that hands on every value, with its coder."""
    return replace(identity_layer(len(held)), quantiser=one_or_each(held))


def _together(first: Dense, second: Dense, apart: bool) -> Dense:
    """Return the neurons of both layers; those of the second read the values after the first's where ``apart``."""
    if apart:
        width = first.weight.shape[1] + second.weight.shape[1]
        places = np.split(np.arange(width), [first.weight.shape[1]])
        first, second = (_spread(layer, place, width) for layer, place in zip((first, second), places, strict=True))
    if (len(first.bias) + len(second.bias)) * first.weight.shape[1] > MAX_WEIGHTS:
        raise MlpressError(f"the branches together have a layer of more than {MAX_WEIGHTS} weights")
    held = (first.integers, second.integers)
    known = [one for one in held if one is not None]
    activations = (*first.activations, *second.activations)
    return Dense(
        np.concatenate([first.weight, second.weight]),
        np.concatenate([first.bias, second.bias]),
        _one_activation(activations),
        _stacked(known, (first.bias, second.bias)) if len(known) == 2 else None,
        one_or_each((*first.quantisers, *second.quantisers)),
    )


def _one_activation(held: tuple[RealActivation, ...]) -> Activations:
    return held[0] if all(one == held[0] for one in held) else held


def _stacked(held: Sequence[Integers], biases: Sequence[Floats] | None = None) -> Integers:
    """Return the integers of all; those of the biases are kept where all have them, or none but zeros."""
    weight = np.concatenate([one.weight for one in held])
    scale = np.concatenate([one.weight_scale for one in held])
    if biases is None or all(one.bias is None for one in held):
        return Integers(weight, scale)
    codes, sizes = [], []
    for one, bias in zip(held, biases, strict=True):
        if one.bias is None and bias.any():
            return Integers(weight, scale)
        codes.append(np.zeros(len(bias), np.int64) if one.bias is None else one.bias)
        sizes.append(one.weight_scale if one.bias_scale is None else one.bias_scale)
    return Integers(weight, scale, np.concatenate(codes), np.concatenate(sizes))


def _sum_of_integers(first: Integers | None, second: Integers | None) -> Integers | None:
    """Return the integers of a sum of two layers over the same values, each row's two scales brought to one."""
    if first is None or second is None:
        return None
    rows, scales = [], []
    pairs = zip(first.weight, second.weight, first.weight_scale.tolist(), second.weight_scale.tolist(), strict=True)
    for a, b, left, right in pairs:
        unit = common_unit([Fraction(left), Fraction(right)])
        factors = [int(Fraction(scale) / unit) for scale in (left, right)]
        reach = [factor * int(np.abs(row).max(initial=0)) for factor, row in zip(factors, (a, b), strict=True)]
        if sum(reach) >= LARGEST_CODE or float(unit) == 0.0:
            return None
        rows.append(a * factors[0] + b * factors[1])
        scales.append(float(unit))
    return Integers(np.array(rows), np.array(scales))


def _opened(merged: Flow, end: _Open, shape: tuple[int, ...]) -> Flow:
    """Return the merged flow with its open end: an affine change of each value where it is one, else a layer."""
    count = len(end.bias)
    diagonal = end.weight.shape == (count, count) and not (end.weight - np.diag(np.diag(end.weight))).any()
    if diagonal and merged.layers:
        return replace(merged, shape=shape, gain=np.diag(end.weight).copy(), shift=end.bias)
    if diagonal and not merged.layers and not merged.quantiser and merged.clip is None:
        return replace(merged, shape=shape).affine(np.diag(end.weight).copy(), end.bias)
    layer = Dense(end.weight, end.bias, Linear(), end.integers)
    ones = np.ones(count)
    return replace(merged, shape=shape, layers=(*merged.layers, layer), gain=ones, shift=0.0 * ones)
