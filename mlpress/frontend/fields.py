"""Builders of neural fields: grids as instant-ngp lays them out, and the four applications with its networks.

Configurations are those that instant-ngp shipped in November 2022, which "Hardware Acceleration of Neural Graphics"
(ISCA'23) evaluates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np

from mlpress.codegen import onnx_field
from mlpress.errors import MlpressError
from mlpress.files import write_file
from mlpress.ir import (
    Encode,
    Field,
    FieldNode,
    Frequency,
    Grid,
    GridLevel,
    GridShape,
    Network,
    Product,
    Span,
    Spherical,
    verify,
)

Application = Literal["nerf", "nsdf", "nvr", "gia"]
EncodingName = Literal["hashgrid", "densegrid", "lowres"]
APPLICATIONS: tuple[Application, ...] = ("nerf", "nsdf", "nvr", "gia")
ENCODINGS: tuple[EncodingName, ...] = ("hashgrid", "densegrid", "lowres")


def grid_of(shape: GridShape, rng: np.random.Generator, spread: float = 1e-4) -> Grid:
    """Return a grid of this shape with values drawn evenly from ``-spread .. spread``."""
    if not (1 <= shape.levels <= 64 and shape.base >= 1 and shape.growth >= 1 and 1 <= shape.entries <= 1 << 24):
        raise MlpressError(f"{shape} makes no grid: levels 1..64, base and growth 1 or more, entries 1..{1 << 24}")
    levels = []
    for one in map(shape.level, range(shape.levels)):
        table = rng.uniform(-spread, spread, (one.entries, shape.features)).astype(np.float32)
        levels.append(GridLevel(one.scale, one.resolution, one.hashed, 32, 1.0, table))
    return Grid(shape.dimensions, tuple(levels))


def grid_shape(
    encoding: EncodingName, dimensions: int, *, growth: float | None = None, entries: int | None = None
) -> GridShape:
    """Return the published configuration of an encoding; ``growth`` and ``entries`` are those of a hash grid."""
    match encoding:
        case "hashgrid":
            return GridShape("hash", dimensions, 16, 2, 16, growth or 1.3819, entries or 1 << 19)
        case "densegrid":
            return GridShape("dense", dimensions, 8, 2, 16, 1.405)
        case "lowres":
            return GridShape("tiled", dimensions, 2, 8, 128, 1.0)
    raise MlpressError(f"no encoding {encoding!r}; there are {', '.join(ENCODINGS)}")


def layers(widths: Sequence[int], rng: np.random.Generator) -> tuple[Product, ...]:
    """Return layers of these widths, inputs first, with ReLU on all but the last; He's initial weights (2015)."""
    found = []
    for k, (inputs, outputs) in enumerate(pairwise(widths)):
        bound = math.sqrt(6 / inputs)
        weight = rng.uniform(-bound, bound, (outputs, inputs)).astype(np.float32)
        found.append(Product(weight, k < len(widths) - 2))
    return tuple(found)


def field_of(
    encoding: Grid | Frequency,
    widths: Sequence[int],
    outputs: Sequence[str],
    *,
    inputs: Sequence[str] | None = None,
    rng: np.random.Generator,
) -> Field:
    """Return one encoding and one network over it, whose hidden layers have ``widths`` neurons."""
    names = tuple(inputs or ("x", "y", "z", "t")[: encoding.dimensions])
    encode = Encode((Span(0, 0, encoding.dimensions),), encoding)
    network = Network((Span(1, 0, encode.width),), layers([encode.width, *widths, len(outputs)], rng))
    field = Field(names, (encode, network), tuple(outputs), (Span(2, 0, len(outputs)),))
    verify(field)
    return field


def application(
    name: Application,
    encoding: EncodingName,
    *,
    seed: int = 0,
    shape: GridShape | None = None,
    size: int = 1024,
    spread: float = 1e-4,
) -> Field:
    """Return an application's field, not yet trained: its encoding (or ``shape``) and its networks.

    ``size`` is the larger side of GIA's picture, or NVR's scale, from which the growth of a hash grid follows.
    """
    rng = np.random.default_rng(seed)
    dimensions = 2 if name == "gia" else 3
    growth = {"gia": (size / 2 / 16) ** (1 / 15), "nvr": (size / 16) ** (1 / 15)}.get(name)
    shape = shape or grid_shape(encoding, dimensions, growth=growth, entries=1 << (24 if name == "gia" else 19))
    grid = grid_of(shape, rng, spread)
    match name:
        case "nerf":
            return _nerf(grid, rng)
        case "nsdf":
            return field_of(grid, (64, 64), ("distance",), rng=rng)
        case "nvr":
            return field_of(grid, (64, 64), ("red", "green", "blue", "density"), rng=rng)
        case "gia":
            return field_of(grid, (64, 64), ("red", "green", "blue"), rng=rng)
    raise MlpressError(f"no application {name!r}; there are {', '.join(APPLICATIONS)}")


def _nerf(grid: Grid, rng: np.random.Generator) -> Field:
    """Return a density network of 16 outputs, the first being the density, and a colour network behind it."""
    direction = Spherical(4)
    nodes: tuple[FieldNode, ...] = (
        Encode((Span(0, 0, 3),), grid),
        Network((Span(1, 0, grid.width),), layers([grid.width, 64, 16], rng)),
        Encode((Span(0, 3, 6),), direction),
        Network((Span(2, 0, 16), Span(3, 0, 16)), layers([32, 64, 64, 3], rng)),
    )
    inputs, outputs = ("x", "y", "z", "dx", "dy", "dz"), ("red", "green", "blue", "density")
    field = Field(inputs, nodes, outputs, (Span(4, 0, 3), Span(2, 0, 1)))
    verify(field)
    return field


def save(field: Field, path: str | PathLike[str]) -> None:
    """Write ``field`` as an ONNX file, which onnxruntime runs and ``mlpress compile`` reads."""
    verify(field)
    write_file(Path(path), onnx_field(field).SerializeToString())
