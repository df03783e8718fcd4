"""The arithmetic of encoding engines and of the MLP engine over blocks of samples, one row per value.

Every product and every sum is rounded to float32 by itself: nothing here may be fused or reordered.  Loops over
samples are innermost, so that they run as vector instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.ir import PRIMES, WAVE, Singles
from mlpress.jit import compiled, inner

Uints = NDArray[np.uint32]

CHUNK, WIDE = 128, 256
"""Samples at a time in an encoding and in a product, for the first cache's sake."""

DENSE, TILED, HASH = 0, 1, 2
_W0, _W1, _W2, _W3, _W4 = (np.float32(value) for value in WAVE)
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@inner
def _axis(
    x: Singles, scale: np.float32, factor: np.uint32, lower: Singles, upper: Singles, low: Uints, high: Uints
) -> None:
    """Write both weights of an axis and both parts of an index, for the vertices below and above each sample."""
    for s in range(x.shape[0]):
        place = x[s] * scale + _HALF
        base = np.floor(place)
        above = place - base
        upper[s] = above
        lower[s] = _ONE - above
        part = np.uint32(np.uint32(np.int32(base)) * factor)
        low[s] = part
        high[s] = np.uint32(part + factor)


@inner
def _times(a: Singles, b: Singles, out: Singles) -> None:
    for s in range(out.shape[0]):
        out[s] = a[s] * b[s]


@inner
def _join(a: Uints, b: Uints, hashed: bool, out: Uints) -> None:
    if hashed:
        for s in range(out.shape[0]):
            out[s] = a[s] ^ b[s]
    else:
        for s in range(out.shape[0]):
            out[s] = np.uint32(a[s] + b[s])


@inner
def _reduce(indices: Uints, entries: int, index: int) -> None:
    """Bring every index below ``entries``."""
    size = np.uint32(entries)
    if entries & (entries - 1) == 0:
        mask = np.uint32(entries - 1)
        for s in range(indices.shape[0]):
            indices[s] &= mask
    elif index == DENSE:
        for s in range(indices.shape[0]):
            if indices[s] >= size:
                indices[s] = np.uint32(indices[s] % size)
    else:
        for s in range(indices.shape[0]):
            indices[s] = np.uint32(indices[s] % size)


@inner
def _look_up(weights: Singles, indices: Uints, table: NDArray[Any], feature: int, first: bool, out: Singles) -> None:
    """Add one corner's weighted values to ``out``; ``first`` begins with them."""
    if first:
        for s in range(out.shape[0]):
            out[s] = weights[s] * np.float32(table[indices[s], feature])
    else:
        for s in range(out.shape[0]):
            out[s] += weights[s] * np.float32(table[indices[s], feature])


@inner
def _corners(
    x: Singles,
    scale: np.float32,
    stride: Uints,
    index: int,
    entries: int,
    weights: Singles,
    indices: Uints,
    sides: Singles,
    parts: Uints,
) -> None:
    """Write the weight and the entry of every corner of samples ``x`` (dimensions, samples), a row per corner."""
    dimensions, n, hashed = x.shape[0], x.shape[1], index == HASH
    _axis(x[0], scale, stride[0], weights[0, :n], weights[1, :n], indices[0, :n], indices[1, :n])
    for axis in range(1, dimensions):
        _axis(x[axis], scale, stride[axis], sides[0, :n], sides[1, :n], parts[0, :n], parts[1, :n])
        known = 1 << axis
        for corner in range(known):
            _times(weights[corner, :n], sides[1, :n], weights[corner + known, :n])
            _times(weights[corner, :n], sides[0, :n], weights[corner, :n])
            _join(indices[corner, :n], parts[1, :n], hashed, indices[corner + known, :n])
            _join(indices[corner, :n], parts[0, :n], hashed, indices[corner, :n])
    for corner in range(1 << dimensions):
        _reduce(indices[corner, :n], entries, index)


@compiled
def level_entries(x: Singles, scale: np.float32, stride: Uints, index: int, entries: int, out: Uints) -> None:
    """Write the entries that :func:`grid_level` looks up to ``out`` (corners, samples): for cycle models."""
    corners, count = out.shape
    weights, indices = np.empty((corners, CHUNK), np.float32), np.empty((corners, CHUNK), np.uint32)
    sides, parts = np.empty((2, CHUNK), np.float32), np.empty((2, CHUNK), np.uint32)
    for at in range(0, count, CHUNK):
        end = min(at + CHUNK, count)
        _corners(x[:, at:end], scale, stride, index, entries, weights, indices, sides, parts)
        out[:, at:end] = indices[:, : end - at]


def strides(hashed: bool, resolution: int, dimensions: int) -> Uints:
    """Return what an axis' coordinate is multiplied by: primes of a hash, else powers of the resolution, mod 2**32."""
    powers = [resolution**axis % (1 << 32) for axis in range(dimensions)]
    return np.array(PRIMES[:dimensions] if hashed else powers, np.uint32)


@compiled
def grid_level(
    x: Singles,
    count: int,
    scale: np.float32,
    stride: Uints,
    index: int,
    table: NDArray[Any],
    step: np.float32,
    out: Singles,
) -> None:
    """Encode ``count`` samples ``x`` (dimensions, samples) at one level into ``out`` (features, samples).

    ``stride`` is uint32 (dimensions,): primes of a hash, else powers of the resolution.  A ``step`` above 0 multiplies
    the sums of an integer table.  Bit d of a corner's number is set where it lies above the sample in axis d.
    """
    features = table.shape[1]
    corners = 1 << x.shape[0]
    weights, indices = np.empty((corners, CHUNK), np.float32), np.empty((corners, CHUNK), np.uint32)
    sides, parts = np.empty((2, CHUNK), np.float32), np.empty((2, CHUNK), np.uint32)
    for at in range(0, count, CHUNK):
        end = min(at + CHUNK, count)
        n = end - at
        _corners(x[:, at:end], scale, stride, index, table.shape[0], weights, indices, sides, parts)
        for corner in range(corners):
            for feature in range(features):
                place = out[feature, at:end]
                _look_up(weights[corner, :n], indices[corner, :n], table, feature, corner == 0, place)
        if step > 0:
            for feature in range(features):
                for s in range(at, end):
                    out[feature, s] *= step


@inner
def _two_by_four(
    a: Singles, b: Singles, x: tuple[Singles, ...], v: tuple[np.float32, ...], w: tuple[np.float32, ...]
) -> None:
    """Add four products, one after the other, to each of two rows of sums."""
    x0, x1, x2, x3 = x
    v0, v1, v2, v3 = v
    w0, w1, w2, w3 = w
    for s in range(a.shape[0]):
        one, other = a[s] + v0 * x0[s], b[s] + w0 * x0[s]
        one, other = one + v1 * x1[s], other + w1 * x1[s]
        one, other = one + v2 * x2[s], other + w2 * x2[s]
        a[s], b[s] = one + v3 * x3[s], other + w3 * x3[s]


@inner
def _one_by_one(a: Singles, x: Singles, w: np.float32) -> None:
    for s in range(a.shape[0]):
        a[s] += w * x[s]


@compiled
def mac(x: Singles, tile: Singles, first: bool, sums: Singles, count: int) -> None:
    """Add ``tile`` (inputs, outputs) times ``x`` (inputs, samples) to ``sums`` (outputs, samples), input by input.

    ``first`` begins the sums with the first product: with -0.0, the only number to which adding any other gives that.
    """
    inputs, outputs = x.shape[0], sums.shape[0]
    fours = inputs - inputs % 4
    for at in range(0, count, WIDE):
        end = min(at + WIDE, count)
        if first:
            sums[:, at:end] = np.float32(-0.0)
        for j in range(0, outputs, 2):
            a = sums[j, at:end]
            if j + 1 == outputs:
                for k in range(inputs):
                    _one_by_one(a, x[k, at:end], tile[k, j])
                continue
            b = sums[j + 1, at:end]
            for k in range(0, fours, 4):
                rows = (x[k, at:end], x[k + 1, at:end], x[k + 2, at:end], x[k + 3, at:end])
                v = (tile[k, j], tile[k + 1, j], tile[k + 2, j], tile[k + 3, j])
                w = (tile[k, j + 1], tile[k + 1, j + 1], tile[k + 2, j + 1], tile[k + 3, j + 1])
                _two_by_four(a, b, rows, v, w)
            for k in range(fours, inputs):
                _one_by_one(a, x[k, at:end], tile[k, j])
                _one_by_one(b, x[k, at:end], tile[k, j + 1])


@compiled
def store(sums: Singles, relu: bool, out: Singles, count: int) -> None:
    """Copy ``sums`` (outputs, samples) to ``out``, through a ReLU where ``relu``: what is not above 0 becomes 0."""
    for j in range(out.shape[0]):
        source, target = sums[j, :count], out[j, :count]
        if relu:
            for s in range(count):
                value = source[s]
                target[s] = value if value > _ZERO else _ZERO
        else:
            target[:] = source


@compiled
def round_half(values: Singles, count: int) -> None:
    """Round ``values``, float32 (rows, samples), to the nearest half-precision values in place, ties to even."""
    for j in range(values.shape[0]):
        row = values[j]
        bits = row.view(np.uint32)
        for s in range(count):
            word = bits[s]
            size = word & np.uint32(0x7FFFFFFF)
            sign = word & np.uint32(0x80000000)
            # 13 bits of the fraction fall away; float32's own rounding does it at the fixed step below 2**-14.
            rounded = (size + np.uint32(0xFFF) + ((size >> np.uint32(13)) & np.uint32(1))) & np.uint32(0xFFFFE000)
            if size < np.uint32(0x38800000):
                magnitude = row[s] if row[s] > _ZERO else -row[s]
                row[s] = (magnitude + _HALF) - _HALF
                bits[s] |= sign
            elif rounded < np.uint32(0x47800000):
                bits[s] = sign | np.uint32(rounded)
            elif size <= np.uint32(0x7F800000):
                bits[s] = sign | np.uint32(0x7F800000)


@compiled
def waves(x: Singles, octaves: int, out: Singles, count: int) -> None:
    """Write sine and cosine of every octave of every coordinate ``x`` (dimensions, samples) to ``out``."""
    row = 0
    for axis in range(x.shape[0]):
        for octave in range(octaves):
            factor = np.float32(2.0 ** (octave - 1))
            for quarter in range(2):
                for s in range(count):
                    turns = x[axis, s] * factor
                    if quarter:
                        turns = turns + np.float32(0.25)
                    h = (turns - np.floor(turns)) - _HALF
                    v = max(min(h, _HALF - h), -_HALF - h)
                    square = v * v
                    total = square * _W4 + _W3
                    total = total * square + _W2
                    total = total * square + _W1
                    total = total * square + _W0
                    out[row, s] = total * v
                row += 1


@compiled
def harmonics(x: Singles, out: Singles, count: int) -> None:
    """Write the first ``out`` rows of the 16 spherical harmonics of ``x`` (3, samples); ``docs/ir.md`` has them."""
    values = np.empty(16, np.float32)
    two, three, five = np.float32(2), np.float32(3), np.float32(5)
    for s in range(count):
        a, b, c = x[0, s] * two - _ONE, x[1, s] * two - _ONE, x[2, s] * two - _ONE
        aa, bb, cc = a * a, b * b, c * c
        ab, ac, bc = a * b, a * c, b * c
        down = cc * -five + _ONE
        values[0] = a * _ZERO + np.float32(0.28209479177387814)
        values[1] = b * np.float32(-0.48860251190291987)
        values[2] = c * np.float32(0.48860251190291987)
        values[3] = a * np.float32(-0.48860251190291987)
        values[4] = ab * np.float32(1.0925484305920792)
        values[5] = bc * np.float32(-1.0925484305920792)
        values[6] = cc * np.float32(0.94617469575755997) - np.float32(0.31539156525251999)
        values[7] = ac * np.float32(-1.0925484305920792)
        values[8] = (aa - bb) * np.float32(0.54627421529603959)
        values[9] = b * (aa * -three + bb) * np.float32(0.59004358992664352)
        values[10] = ab * c * np.float32(2.8906114426405538)
        values[11] = b * down * np.float32(0.45704579946446572)
        values[12] = c * (cc * five - three) * np.float32(0.3731763325901154)
        values[13] = a * down * np.float32(0.45704579946446572)
        values[14] = c * (aa - bb) * np.float32(1.4453057213202769)
        values[15] = a * (bb * three - aa) * np.float32(0.59004358992664352)
        for j in range(out.shape[0]):
            out[j, s] = values[j]
