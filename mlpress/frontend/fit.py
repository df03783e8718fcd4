"""A small trainer of fields: Adam on tables and weights, on one core, in minutes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir import PRIMES, Encode, Field, FieldNode, Grid, GridLevel, Network, Singles, Span, encoded, verify

Sampler = Callable[[np.random.Generator, int], tuple[NDArray[np.floating], NDArray[np.floating]]]
"""Draws so many samples: coordinates (rows, inputs) within 0..1, and the values (rows, outputs) wanted there."""

Uints = NDArray[np.uint32]


class _Corners(NamedTuple):
    weights: Singles
    indices: Uints


class _Parameter:
    """Values with their gradient and Adam's two means."""

    def __init__(self, values: Singles) -> None:
        self.values = np.array(values, np.float32)
        self.slope, self.mean, self.square = (np.zeros_like(self.values) for _ in range(3))

    def step(self, rate: float, count: int) -> None:
        from mlpress.frontend.fit_kernels import adam

        values, slope, mean, square = (one.reshape(-1) for one in (self.values, self.slope, self.mean, self.square))
        adam(values, slope, mean, square, rate, 1 - 0.9**count, 1 - 0.99**count)


def fit(
    field: Field,
    draw: Sampler,
    *,
    steps: int = 1000,
    batch: int = 1 << 13,
    rate: float = 1e-2,
    seed: int = 0,
    report: Callable[[int, float], None] | None = None,
) -> Field:
    """Return ``field``, float32, with tables and weights fitted to the samples of ``draw`` by least squares.

    Each of ``steps`` draws ``batch`` samples; ``rate`` falls to zero along a cosine.  ``report`` hears the number of
    every hundredth step and its mean squared error.  Same field, samples and seed: same result.
    """
    from threadpoolctl import threadpool_limits

    if field.precision != "float32" or any(level.bits != 32 for grid in field.grids() for level in grid.levels):
        raise MlpressError("a field is trained in float32; change its formats afterwards")
    if steps < 1 or batch < 1:
        raise MlpressError(f"{steps} steps of {batch} samples; both must be at least 1")
    rng, made = np.random.default_rng(seed), _Trainer(field)
    with threadpool_limits(1):  # how many threads add up must not change what they find
        for step in range(steps):
            coordinates, wanted = draw(rng, batch)
            error = made.step(
                np.asarray(coordinates, np.float32),
                np.asarray(wanted, np.float32),
                rate * (1 + math.cos(math.pi * step / steps)) / 2,
            )
            if report is not None and step % 100 == 0:
                report(step, error)
    fitted = made.field()
    verify(fitted)
    return fitted


class _Trainer:
    def __init__(self, field: Field) -> None:
        self.start, self.count = field, 0
        self.tables = {
            k: [_Parameter(level.table) for level in node.encoding.levels]
            for k, node in enumerate(field.nodes)
            if isinstance(node, Encode) and isinstance(node.encoding, Grid)
        }
        self.weights = {
            k: [_Parameter(layer.weight) for layer in node.layers]
            for k, node in enumerate(field.nodes)
            if isinstance(node, Network)
        }

    def step(self, samples: Singles, wanted: Singles, rate: float) -> float:
        """Take one step of Adam; return the mean squared error before it."""
        values, corners, hidden = [samples], dict[int, list[_Corners]](), dict[int, list[Singles]]()
        for k, node in enumerate(self.start.nodes):
            source = _joined(values, node.source)
            if isinstance(node, Network):
                hidden[k] = self._forward(k, node, source)
                values.append(hidden[k][-1])
            elif isinstance(node.encoding, Grid):
                corners[k] = [_corners(level, source) for level in node.encoding.levels]
                values.append(self._gathered(k, node.encoding, corners[k]))
            else:
                values.append(encoded(node.encoding, source))
        found = _joined(values, self.start.results)
        error = found - wanted.reshape(found.shape)
        slopes = [np.zeros_like(value) for value in values]
        _spread(slopes, self.start.results, error * np.float32(2 / error.size))
        for k in reversed(range(len(self.start.nodes))):
            node = self.start.nodes[k]
            if isinstance(node, Network):
                _spread(slopes, node.source, self._backward(k, node, hidden[k], slopes[k + 1]))
            elif k in corners:
                self._scattered(k, corners[k], slopes[k + 1])
        self.count += 1
        for parameter in (one for group in (self.tables, self.weights) for found in group.values() for one in found):
            parameter.step(rate, self.count)
        return float(np.mean(error**2))

    def _forward(self, k: int, node: Network, source: Singles) -> list[Singles]:
        """Return what comes into each layer, and the last one's values."""
        found = [source]
        for layer, weight in zip(node.layers, self.weights[k], strict=True):
            value = found[-1] @ weight.values.T
            found.append(np.maximum(value, 0) if layer.relu else value)
        return found

    def _backward(self, k: int, node: Network, values: list[Singles], slope: Singles) -> Singles:
        for j in reversed(range(len(node.layers))):
            if node.layers[j].relu:
                slope = np.where(values[j + 1] > 0, slope, np.float32(0))
            self.weights[k][j].slope += slope.T @ values[j]
            slope = slope @ self.weights[k][j].values
        return slope

    def _gathered(self, k: int, grid: Grid, corners: list[_Corners]) -> Singles:
        from mlpress.frontend.fit_kernels import gather

        columns = []
        for table, one in zip(self.tables[k], corners, strict=True):
            out = np.empty((len(one.weights), table.values.shape[1]), np.float32)
            gather(table.values, one.weights, one.indices, out)
            columns.append(out)
        return np.concatenate(columns, axis=1)

    def _scattered(self, k: int, corners: list[_Corners], slope: Singles) -> None:
        from mlpress.frontend.fit_kernels import scatter

        start = 0
        for table, one in zip(self.tables[k], corners, strict=True):
            stop = start + table.values.shape[1]
            scatter(np.ascontiguousarray(slope[:, start:stop]), one.weights, one.indices, table.slope)
            start = stop

    def field(self) -> Field:
        """Return the field with the values that were learned."""
        nodes: list[FieldNode] = []
        for k, node in enumerate(self.start.nodes):
            if isinstance(node, Network):
                layers = zip(node.layers, self.weights[k], strict=True)
                nodes.append(replace(node, layers=tuple(replace(layer, weight=one.values) for layer, one in layers)))
            elif isinstance(node.encoding, Grid):
                levels = zip(node.encoding.levels, self.tables[k], strict=True)
                made = tuple(replace(level, table=one.values) for level, one in levels)
                nodes.append(replace(node, encoding=replace(node.encoding, levels=made)))
            else:
                nodes.append(node)
        return replace(self.start, nodes=tuple(nodes))


def _joined(values: list[Singles], spans: tuple[Span, ...]) -> Singles:
    found = [values[span.value][:, span.start : span.stop] for span in spans]
    return np.ascontiguousarray(found[0] if len(found) == 1 else np.concatenate(found, axis=1))


def _spread(slopes: list[Singles], spans: tuple[Span, ...], slope: Singles) -> None:
    """Add the gradient of joined columns to those of the values that they came from."""
    start = 0
    for span in spans:
        slopes[span.value][:, span.start : span.stop] += slope[:, start : start + span.width]
        start += span.width


def _corners(level: GridLevel, source: Singles) -> _Corners:
    from mlpress.frontend.fit_kernels import corners

    dimensions = source.shape[1]
    shape = (len(source), 1 << dimensions)
    found = _Corners(np.empty(shape, np.float32), np.empty(shape, np.uint32))
    powers = [level.resolution**axis for axis in range(dimensions)]
    stride = np.array(PRIMES[:dimensions] if level.hashed else powers, np.uint32)
    corners(source, level.scale, stride, level.hashed, found.weights, found.indices, level.entries)
    return found


def picture_samples(picture: NDArray[np.floating]) -> Sampler:
    """Return a sampler of the pixels of ``picture`` (height, width, channels), values within 0..1."""
    height, width, channels = picture.shape
    colours, places = picture.reshape(-1, channels), pixel_places(height, width)

    def draw(rng: np.random.Generator, count: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        chosen = rng.integers(0, height * width, count)
        return places[chosen], colours[chosen]

    return draw


def pixel_places(height: int, width: int) -> NDArray[np.float32]:
    """Return the centres of all pixels in raster order, float32 (height * width, 2): across, then down."""
    down, across = np.mgrid[0:height, 0:width].reshape(2, -1)
    return np.stack([(across + 0.5) / width, (down + 0.5) / height], axis=1).astype(np.float32)


def torus_samples(ring: float = 0.25, tube: float = 0.1) -> Sampler:
    """Return a sampler of the signed distance to a torus in the unit cube, half of it near its surface."""

    def draw(rng: np.random.Generator, count: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        free = rng.random((count - count // 2, 3))
        turn, roll = rng.uniform(0, 2 * math.pi, (2, count // 2))
        away = tube + rng.normal(0, 0.02, count // 2)
        flat = ring + away * np.cos(roll)
        near = np.stack([flat * np.cos(turn), flat * np.sin(turn), away * np.sin(roll)], axis=1) + 0.5
        places = np.clip(np.concatenate([free, near]), 0, 1).astype(np.float32)
        return places, torus_distance(places, ring, tube)

    return draw


def torus_distance(places: NDArray[np.floating], ring: float = 0.25, tube: float = 0.1) -> NDArray[np.float64]:
    """Return the signed distance (rows, 1) of ``places`` (rows, 3) to a torus in the middle of the unit cube."""
    x, y, z = (np.asarray(places, np.float64) - 0.5).T
    distance: NDArray[np.float64] = np.hypot(np.hypot(x, y) - ring, z) - tube
    return distance[:, None]
