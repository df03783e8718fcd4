"""The addresses that samples look up: positions in the order of an application, and the entries of their corners."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.hw.ngpc import Order
from mlpress.ir import Singles
from mlpress.sim.ngpc import kernels
from mlpress.sim.ngpc.cycles.workload import Level

Uints = NDArray[np.uint32]

WIDTH, HEIGHT = 1920, 1080
STEP = float(np.sqrt(3.0) / 1024.0)
"""Distance of neighbouring samples on a ray in the unit cube (instant-ngp's ``MIN_CONE_STEPSIZE``)."""


def _directions(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Return unit directions (pixels, 3) of a camera 1.6 before the unit cube's centre, 40 degrees wide."""
    x = (pixels % WIDTH + 0.5) / WIDTH - 0.5
    y = ((pixels // WIDTH) % HEIGHT + 0.5) / WIDTH - 0.5 * HEIGHT / WIDTH
    half = np.tan(np.radians(20.0))
    rays = np.stack([2 * half * x, 2 * half * y, np.ones_like(x)], axis=1)
    unit: NDArray[np.float64] = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    return unit


def positions(order: Order, dimensions: int, count: int, samples_per_pixel: float, seed: int = 0) -> Singles:
    """Return ``count`` positions within 0..1, float32 (count, dimensions), as an application asks for them.

    ``rays``: instant-ngp's NeRF marches all rays at once, a step of every ray of a row after the other; here the rays
    of a part of the picture's middle row go through ``samples_per_pixel`` steps.  ``sphere``: sphere tracing of a ball,
    step by step.  ``volume``: one to few samples at random depths per pixel.  ``raster``: the picture's pixels in order
    (in three and more dimensions, row after row of a plane that moves slowly).
    """
    generator = np.random.default_rng(seed)
    per = max(1, round(samples_per_pixel))
    if dimensions != 3 or order == "raster":
        return _raster(dimensions, count)
    pixels = -(-count // per)
    start = HEIGHT // 2 * WIDTH + max(0, (WIDTH - pixels) // 2)
    ray = _directions(start + np.arange(pixels))
    eye = np.array([0.5, 0.5, -1.1])
    match order:
        case "rays":
            depth = np.tile(1.3 + STEP * np.arange(per)[:, None], (1, pixels))
        case "sphere":
            depth = _traced(eye, ray, per)
        case _:
            depth = 1.1 + generator.random((per, pixels))
    points = eye + depth[:, :, None] * ray[None]
    flat = points.reshape(-1, 3)[:count]
    return np.clip(flat, 0.0, np.nextafter(np.float32(1), np.float32(0))).astype(np.float32)


def _traced(eye: NDArray[np.float64], ray: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """Return the depths of ``steps`` steps towards a ball of radius 0.35 in the cube's middle."""
    depth = np.full(len(ray), 1.1)
    found = []
    for _ in range(steps):
        found.append(depth)
        distance = np.linalg.norm(eye + depth[:, None] * ray - 0.5, axis=1) - 0.35
        depth = depth + np.maximum(distance, 0.0)
    return np.array(found)


def _raster(dimensions: int, count: int) -> Singles:
    number = np.arange(count)
    if dimensions == 1:
        return ((number + 0.5) / max(count, WIDTH)).astype(np.float32)[:, None]
    plane = number + HEIGHT // 2 * WIDTH
    columns = [(plane % WIDTH + 0.5) / WIDTH, (plane // WIDTH % HEIGHT + 0.5) / HEIGHT]
    columns += [0.37 + 0.2 * number / count for _ in range(2, dimensions)]
    return np.stack(columns, axis=1).astype(np.float32)


def entries(level: Level, x: Singles) -> Uints:
    """Return the entries of the corners of ``x`` (samples, dimensions) at a level, uint32 (samples, corners).

    They are those of the functional simulator's own engines.
    """
    out = np.empty((1 << x.shape[1], len(x)), np.uint32)
    hashed = level.index == "hash"
    index = kernels.HASH if hashed else kernels.TILED
    stride = kernels.strides(hashed, level.resolution, x.shape[1])
    kernels.level_entries(np.ascontiguousarray(x.T), np.float32(level.scale), stride, index, level.entries, out)
    return np.ascontiguousarray(out.T)
