"""The reference interpreter of fields: what a field means, in float32, one rounding per operator as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir.field import Encoding, Field, Frequency, Grid, GridLevel, Network, Precision, Singles, Span, Spherical
from mlpress.ir.field_math import PRIMES, WAVE, harmonics


def check_samples(field: Field, samples: NDArray[Any]) -> Singles:
    """Return ``samples`` as float32 (rows, inputs); raise where the shape is wrong or a value is not within 0..1."""
    table = np.asarray(samples)
    if table.ndim != 2 or table.shape[1] != len(field.inputs) or table.dtype.kind not in "fiu":
        raise MlpressError(
            f"samples are {table.dtype} {table.shape}; expected numbers of shape (rows, {len(field.inputs)})"
        )
    bad = np.argwhere(~((table >= 0) & (table <= 1)))
    if len(bad):
        row, column = (int(index) for index in bad[0])
        value = float(table[row, column])
        raise MlpressError(
            f"row {row}, input {field.inputs[column]!r}: {value} is not within 0..1; scale the coordinates"
        )
    return np.ascontiguousarray(table, np.float32)


def interpret_field(field: Field, samples: NDArray[Any]) -> Singles:
    """Run a verified ``field`` on ``samples`` (rows, inputs) within 0..1; return float32 (rows, outputs)."""
    values: list[Singles] = [check_samples(field, samples)]
    with np.errstate(over="ignore", invalid="ignore"):
        for node in field.nodes:
            source = _joined(values, node.source)
            if isinstance(node, Network):
                values.append(_network(node, source, field.precision))
            else:
                values.append(_rounded(encoded(node.encoding, source), field.precision))
    return _joined(values, field.results)


def _joined(values: Sequence[Singles], spans: Sequence[Span]) -> Singles:
    return np.concatenate([values[span.value][:, span.start : span.stop] for span in spans], axis=1)


def _rounded(values: Singles, precision: Precision) -> Singles:
    """Return the nearest half-precision values, ties to even, where ``precision`` asks for them."""
    return values.astype(np.float16).astype(np.float32) if precision == "float16" else values


def encoded(encoding: Encoding, source: Singles) -> Singles:
    """Return what ``encoding`` gives for float32 ``source`` (rows, dimensions), before any rounding to float16."""
    match encoding:
        case Grid():
            return np.concatenate([_level(level, source) for level in encoding.levels], axis=1)
        case Spherical():
            columns = harmonics(*source.T)[: encoding.width]
            return np.stack(columns, axis=1)
        case Frequency():
            return np.stack([wave for axis in source.T for wave in _waves(axis, encoding.octaves)], axis=1)


def _level(level: GridLevel, source: Singles) -> Singles:
    """Look up the corners of each sample's cell and interpolate: float32 (rows, features)."""
    dimensions = source.shape[1]
    place = source * np.float32(level.scale) + np.float32(0.5)
    base = np.floor(place)
    upper = place - base
    lower = np.float32(1) - upper
    vertex = base.astype(np.int64)
    terms = []
    for corner in range(1 << dimensions):
        high = [corner >> axis & 1 for axis in range(dimensions)]
        weight = (upper if high[0] else lower)[:, 0]
        for axis in range(1, dimensions):
            weight = weight * (upper if high[axis] else lower)[:, axis]
        entry = _index(level, [vertex[:, axis] + high[axis] for axis in range(dimensions)])
        terms.append(weight[:, None] * level.table[entry].astype(np.float32))
    total: Singles = terms[0]
    for term in terms[1:]:
        total = total + term
    return total if level.bits >= 16 else total * np.float32(level.step)


def _index(level: GridLevel, vertex: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the entry of a vertex: its hash or its index, modulo the number of entries."""
    index = np.zeros_like(vertex[0])
    for axis, coordinate in enumerate(vertex):
        if level.hashed:
            index = index ^ (coordinate * PRIMES[axis] & 0xFFFFFFFF)
        else:
            index = index + coordinate * level.resolution**axis
    return index % level.entries


def _waves(axis: Singles, octaves: int) -> list[Singles]:
    """Return sine and cosine of each octave in turn; ``turns`` counts whole turns, which fall away."""
    found = []
    for octave in range(octaves):
        turns = axis * np.float32(2.0 ** (octave - 1))
        for shifted in (turns, turns + np.float32(0.25)):
            half = (shifted - np.floor(shifted)) - np.float32(0.5)
            v = np.maximum(np.minimum(half, np.float32(0.5) - half), np.float32(-0.5) - half)
            square = v * v
            total = square * np.float32(WAVE[-1]) + np.float32(WAVE[-2])
            for coefficient in WAVE[-3::-1]:
                total = total * square + np.float32(coefficient)
            found.append(total * v)
    return found


def _network(network: Network, source: Singles, precision: Precision) -> Singles:
    """Return the last layer's values; each sum starts with the first product and adds one product at a time."""
    for layer in network.layers:
        weight = np.ascontiguousarray(layer.weight.T)
        total = source[:, 0:1] * weight[0]
        for k in range(1, len(weight)):
            total = total + source[:, k : k + 1] * weight[k]
        if layer.relu:
            total = np.where(total > 0, total, np.float32(0))
        source = _rounded(total, precision)
    return source
