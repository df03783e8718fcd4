"""The arithmetic of encoding engines and of the MLP engine over blocks of samples, one row per value.

Every product and every sum is rounded to float32 by itself: nothing here may be fused or reordered.  Loops over
samples are innermost, so that they run as vector instructions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.ir import PRIMES, WAVE, Singles
from mlpress.jit import compiled, inner

Uints = NDArray[np.uint32]

CHUNK = 128
"""Samples at a time in an encoding, for the first cache's sake."""

DENSE, TILED, HASH = 0, 1, 2
_W0, _W1, _W2, _W3, _W4 = (np.float32(value) for value in WAVE)
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@inner
def _axis(
    x: Singles, scale: np.float32, factor: np.uint32, lower: Singles, upper: Singles, low: Uints, high: Uints
) -> None:
    """Write both weights of an axis and both parts of an index, for the vertices below and above each sample.

    Places are not negative, so that whole numbers are their floors.  Each loop writes two arrays at most: with more,
    LLVM would need too many checks for overlaps to make vector instructions of it.
    """
    for s in range(x.shape[0]):
        place = x[s] * scale + _HALF
        above = place - np.float32(np.int32(place))
        upper[s] = above
        lower[s] = _ONE - above
    for s in range(x.shape[0]):
        part = np.uint32(np.uint32(np.int32(x[s] * scale + _HALF)) * factor)
        low[s] = part
        high[s] = np.uint32(part + factor)


@inner
def _split_weights(weights: Singles, lower: Singles, upper: Singles, above: Singles) -> None:
    """Make two corners of one: ``weights`` becomes that below in a further axis, ``above`` the other."""
    for s in range(weights.shape[0]):
        one = weights[s]
        above[s] = one * upper[s]
        weights[s] = one * lower[s]


@inner
def _split_indices(indices: Uints, low: Uints, high: Uints, hashed: bool, above: Uints) -> None:
    if hashed:
        for s in range(indices.shape[0]):
            one = indices[s]
            above[s] = one ^ high[s]
            indices[s] = one ^ low[s]
    else:
        for s in range(indices.shape[0]):
            one = indices[s]
            above[s] = np.uint32(one + high[s])
            indices[s] = np.uint32(one + low[s])


@inner
def _reduce(indices: Uints, entries: int, index: int) -> None:
    """Bring every index below ``entries``; those of a dense grid rarely are not."""
    size = np.uint32(entries)
    if entries & (entries - 1) == 0:
        mask = np.uint32(entries - 1)
        for s in range(indices.shape[0]):
            indices[s] &= mask
        return
    if index == DENSE:
        most = np.uint32(0)
        for s in range(indices.shape[0]):
            most = max(most, indices[s])
        if most < size:
            return
    for s in range(indices.shape[0]):
        indices[s] = np.uint32(indices[s] % size)


@inner
def _corners(
    x: Singles,
    at: int,
    n: int,
    scale: np.float32,
    stride: Uints,
    index: int,
    entries: int,
    weights: Singles,
    indices: Uints,
    sides: Singles,
    parts: Uints,
) -> None:
    """Write weight and entry of every corner of ``n`` samples from column ``at`` of ``x``, a row per corner."""
    lower, upper, low, high = sides[0, :n], sides[1, :n], parts[0, :n], parts[1, :n]
    _axis(x[0, at : at + n], scale, stride[0], weights[0, :n], weights[1, :n], indices[0, :n], indices[1, :n])
    for axis in range(1, x.shape[0]):
        _axis(x[axis, at : at + n], scale, stride[axis], lower, upper, low, high)
        known = 1 << axis
        for corner in range(known):
            _split_weights(weights[corner, :n], lower, upper, weights[corner + known, :n])
            _split_indices(indices[corner, :n], low, high, index == HASH, indices[corner + known, :n])
    for corner in range(1 << x.shape[0]):
        _reduce(indices[corner, :n], entries, index)


@compiled
def level_entries(x: Singles, scale: np.float32, stride: Uints, index: int, entries: int, out: Uints) -> None:
    """Write the entries that :func:`grid_level` looks up to ``out`` (corners, samples): for cycle models."""
    corners, count = out.shape
    weights, indices = np.empty((corners, CHUNK), np.float32), np.empty((corners, CHUNK), np.uint32)
    sides, parts = np.empty((2, CHUNK), np.float32), np.empty((2, CHUNK), np.uint32)
    for at in range(0, count, CHUNK):
        end = min(at + CHUNK, count)
        _corners(x, at, end - at, scale, stride, index, entries, weights, indices, sides, parts)
        out[:, at:end] = indices[:, : end - at]


def strides(hashed: bool, resolution: int, dimensions: int) -> Uints:
    """Return what an axis' coordinate is multiplied by: primes of a hash, else powers of the resolution, mod 2**32."""
    powers = [resolution**axis % (1 << 32) for axis in range(dimensions)]
    return np.array(PRIMES[:dimensions] if hashed else powers, np.uint32)


class Packed(NamedTuple):
    """A table as :func:`grid_level` reads it: a few whole words per entry.

    ``words`` is (entries, words per entry) of unsigned integers, and ``values`` the same memory as float32 or int8.
    The lengths of ``per_entry`` and ``width`` are words and values per entry: numbers that are known when a kernel is
    compiled.
    """

    words: NDArray[Any]
    values: NDArray[Any]
    per_entry: tuple[int, ...]
    width: tuple[int, ...]


WIDTHS = (2, 4, 8)
"""Values per entry of a :class:`Packed` table."""


def pack(table: NDArray[Any]) -> list[Packed]:
    """Return ``table``, float32 or int8 (entries, features), in parts of 8 features at most, zeros beyond its own."""
    found = []
    for start in range(0, table.shape[1], WIDTHS[-1]):
        part = table[:, start : start + WIDTHS[-1]]
        width = next(one for one in WIDTHS if one >= part.shape[1])
        values = np.zeros((len(table), width), table.dtype)
        values[:, : part.shape[1]] = part
        size = min(8, values.itemsize * width)
        words = values.view(np.dtype(f"u{size}"))
        found.append(Packed(words, values, (0,) * words.shape[1], (0,) * width))
    return found


@inner
def _fetch(indices: Uints, table: Packed, fetched: NDArray[Any]) -> None:
    """Copy entries to ``fetched``: a loop of loads that wait for nothing, so that many are under way."""
    size = len(table.per_entry)
    for s in range(indices.shape[0]):
        entry = np.int64(indices[s])
        for word in range(size):
            fetched[s * size + word] = table.words[entry, word]


@inner
def _begin(weights: Singles, values: NDArray[Any], per: tuple[int, ...], sums: Singles) -> None:
    """Write the first corner's weighted values, sample by sample."""
    width = len(per)
    for s in range(weights.shape[0]):
        for k in range(width):
            sums[s * width + k] = weights[s] * np.float32(values[s * width + k])


@inner
def _add(weights: Singles, values: NDArray[Any], per: tuple[int, ...], sums: Singles) -> None:
    """Add a further corner's."""
    width = len(per)
    for s in range(weights.shape[0]):
        for k in range(width):
            sums[s * width + k] += weights[s] * np.float32(values[s * width + k])


@compiled
def grid_level(
    x: Singles, scale: np.float32, stride: Uints, index: int, table: Packed, step: np.float32, out: Singles
) -> None:
    """Encode samples ``x`` (dimensions, samples) at one level into ``out`` (features, samples).

    ``stride`` is uint32 (dimensions,): primes of a hash, else powers of the resolution.  A ``step`` above 0 multiplies
    the sums of an integer table.  Bit d of a corner's number is set where it lies above the sample in axis d.
    """
    corners, width = 1 << x.shape[0], len(table.width)
    weights, indices = np.empty((corners, CHUNK), np.float32), np.empty((corners, CHUNK), np.uint32)
    sides, parts = np.empty((2, CHUNK), np.float32), np.empty((2, CHUNK), np.uint32)
    sums = np.empty(CHUNK * width, np.float32)
    fetched = np.empty(CHUNK * len(table.per_entry), table.words.dtype)
    values = fetched.view(table.values.dtype)
    for at in range(0, x.shape[1], CHUNK):
        n = min(CHUNK, x.shape[1] - at)
        _corners(x, at, n, scale, stride, index, table.words.shape[0], weights, indices, sides, parts)
        for corner in range(corners):
            _fetch(indices[corner, :n], table, fetched)
            if corner == 0:
                _begin(weights[corner, :n], values, table.width, sums)
            else:
                _add(weights[corner, :n], values, table.width, sums)
        for k in range(out.shape[0]):
            row = out[k, at : at + n]
            for s in range(n):
                row[s] = sums[s * width + k]
            if step > 0:
                for s in range(n):
                    row[s] *= step


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
            kept = np.uint32(0x7F800000) if rounded >= np.uint32(0x47800000) else np.uint32(rounded)
            kept = size if size > np.uint32(0x7F800000) else kept
            small = (abs(row[s]) + _HALF) - _HALF
            row[s] = small
            whole = size >= np.uint32(0x38800000)
            bits[s] = np.uint32(sign | (kept if whole else bits[s]))


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
