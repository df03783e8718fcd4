"""Builders of neural fields: grids as instant-ngp lays them out, and the four applications with its networks.

Configurations are those that instant-ngp shipped in November 2022, which "Hardware Acceleration of Neural Graphics"
(ISCA'23) evaluates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np

from mlpress.codegen import onnx_field
from mlpress.errors import MlpressError
from mlpress.files import write_file
from mlpress.ir import Encode, Field, FieldNode, Frequency, Grid, GridLevel, Network, Product, Span, Spherical, verify

Kind = Literal["hash", "dense", "tiled"]
Application = Literal["nerf", "nsdf", "nvr", "gia"]
EncodingName = Literal["hashgrid", "densegrid", "lowres"]
APPLICATIONS: tuple[Application, ...] = ("nerf", "nsdf", "nvr", "gia")
ENCODINGS: tuple[EncodingName, ...] = ("hashgrid", "densegrid", "lowres")


@dataclass(frozen=True, slots=True)
class GridShape:
    """A grid encoding without its values.

    ``levels`` resolutions from ``base`` on, each ``growth`` times the one before; ``features`` per entry.  A ``hash``
    grid has ``2**log2_entries`` entries per level at most, a ``tiled`` one ``base**dimensions``, a ``dense`` one an
    entry per vertex.
    """

    kind: Kind
    dimensions: int
    levels: int
    features: int
    base: int
    growth: float
    log2_entries: int = 19

    def grid(self, rng: np.random.Generator, spread: float = 1e-4) -> Grid:
        """Return the grid with values drawn evenly from ``-spread .. spread``."""
        if not (1 <= self.levels <= 64 and self.base >= 1 and self.growth >= 1 and 0 <= self.log2_entries <= 24):
            raise MlpressError(f"{self} makes no grid: levels 1..64, base and growth 1 or more, log2_entries 0..24")
        return Grid(self.dimensions, tuple(self._level(k, rng, spread) for k in range(self.levels)))

    def _level(self, level: int, rng: np.random.Generator, spread: float) -> GridLevel:
        """Lay out one level: ``scale = 2**(level * log2(growth)) * base - 1`` in float32."""
        grown = np.exp2(np.float32(level) * np.log2(np.float32(self.growth))) * np.float32(self.base)
        scale = float(np.float32(grown - np.float32(1)))
        resolution = math.ceil(scale) + 1
        vertices = resolution**self.dimensions
        entries = -(-vertices // 8) * 8
        if self.kind == "hash":
            entries = min(entries, 1 << self.log2_entries)
        elif self.kind == "tiled":
            entries = min(entries, self.base**self.dimensions)
        table = rng.uniform(-spread, spread, (entries, self.features)).astype(np.float32)
        return GridLevel(scale, resolution, self.kind == "hash" and entries < vertices, 32, 1.0, table)


def grid_shape(
    encoding: EncodingName, dimensions: int, *, growth: float | None = None, log2_entries: int | None = None
) -> GridShape:
    """Return the published configuration of an encoding; ``growth`` and ``log2_entries`` are those of a hash grid."""
    match encoding:
        case "hashgrid":
            return GridShape("hash", dimensions, 16, 2, 16, growth or 1.3819, log2_entries or 19)
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
    shape = shape or grid_shape(encoding, dimensions, growth=growth, log2_entries=24 if name == "gia" else 19)
    grid = shape.grid(rng, spread)
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
