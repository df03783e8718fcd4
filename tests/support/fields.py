"""Fields small enough for tests: the applications with every encoding at a fraction of its size, in every format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.frontend import fields

SHAPES = {
    "hashgrid": ("hash", 16, 2, 16, 1.3819, 1 << 10),
    "densegrid": ("dense", 8, 2, 4, 1.405, 1 << 19),
    "lowres": ("tiled", 2, 8, 12, 1.3, 1 << 19),
}
FORMATS = ("float32", "float16", "int8", "float16 int8")


def shape(encoding: str, dimensions: int) -> ir.GridShape:
    """Return an encoding's shape with small tables; the tiled one has levels of more vertices than entries."""
    kind, levels, features, base, growth, entries = SHAPES[encoding]
    return ir.GridShape(kind, dimensions, levels, features, base, growth, entries)


def small(name: Any, encoding: Any, seed: int = 0) -> ir.Field:
    """Return an application's field with small tables of values within -1..1."""
    return fields.application(name, encoding, shape=shape(encoding, 2 if name == "gia" else 3), spread=1.0, seed=seed)


def formatted(field: ir.Field, formats: str) -> ir.Field:
    """Return ``field`` in one of :data:`FORMATS`; integers have 8 bits in odd levels, else 5."""
    if "float16" in formats:
        field = ir.with_halves(field)
    return ir.with_integers(field, lambda grid, level: 8 if level % 2 else 5) if "int8" in formats else field


def one_grid(kind: Any, dimensions: int, levels: int = 3, features: int = 2, **options: Any) -> ir.Field:
    """Return a field of one grid and one small network; ``widths`` are those of its hidden layers."""
    widths: Sequence[int] = options.pop("widths", (8,))
    made = ir.GridShape(kind, dimensions, levels, features, options.pop("base", 5), 1.5, options.pop("entries", 128))
    rng = np.random.default_rng(3)
    return fields.field_of(fields.grid_of(made, rng, 1.0), widths, ("value",), rng=rng)


def samples(field: ir.Field, rows: int = 500, seed: int = 1) -> NDArray[np.float32]:
    """Return samples drawn from the domain, with its corners, edges and centre."""
    rng, inputs = np.random.default_rng(seed), len(field.inputs)
    drawn = rng.random((rows, inputs), np.float32)
    ends = rng.integers(0, 3, (40, inputs)).astype(np.float32) / 2
    return np.concatenate([np.zeros((1, inputs), np.float32), np.ones((1, inputs), np.float32), ends, drawn])


def bits(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return the bits of float32 values, none of which may be NaN."""
    assert values.dtype == np.float32
    assert not np.isnan(values).any()
    return np.ascontiguousarray(values).view(np.uint32)
