"""Number formats of fields: half precision throughout, tables of small integers.  Both change the function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir.field import Encode, Field, FieldNode, Grid, GridLevel, Network, Product


def with_halves(field: Field) -> Field:
    """Return ``field`` in float16: tables and weights rounded to half precision, and so every value that it gives.

    Tables of integers stay.  Raises :class:`MlpressError` where a value is beyond half precision.
    """
    nodes = [
        replace(
            node, layers=tuple(Product(_half(layer.weight).astype(np.float32), layer.relu) for layer in node.layers)
        )
        if isinstance(node, Network)
        else node
        for node in field.nodes
    ]
    return _with_levels(replace(field, nodes=tuple(nodes), precision="float16"), _half_level)


def with_integers(field: Field, bits: Callable[[Grid, int], int | None]) -> Field:
    """Return ``field`` with tables of integers: ``bits(grid, level)`` per value, 2 to 8, or None to leave the level.

    A level's step is its largest magnitude over the largest integer; values are rounded to the nearest, ties to even.
    """
    nodes: list[FieldNode] = []
    for node in field.nodes:
        if isinstance(node, Encode) and isinstance(node.encoding, Grid):
            grid = node.encoding
            wanted = [bits(grid, k) for k in range(len(grid.levels))]
            levels = [
                level if count is None else integer_level(level, count)
                for level, count in zip(grid.levels, wanted, strict=True)
            ]
            nodes.append(replace(node, encoding=replace(grid, levels=tuple(levels))))
        else:
            nodes.append(node)
    return replace(field, nodes=tuple(nodes))


def integer_level(level: GridLevel, bits: int) -> GridLevel:
    """Return ``level`` with a table of integers of ``bits`` bits; one that has no more bits stays as it is."""
    if level.bits <= bits:
        return level
    most = (1 << bits - 1) - 1
    real = level.table.astype(np.float32) * np.float32(level.step)
    step = float(np.float32(np.abs(real).max() / np.float32(most))) or 1.0
    table = np.clip(np.rint(real / np.float32(step)), -most, most).astype(np.int8)
    return replace(level, table=table, bits=bits, step=step)


def _with_levels(field: Field, change: Callable[[GridLevel], GridLevel]) -> Field:
    nodes = [
        replace(node, encoding=replace(node.encoding, levels=tuple(map(change, node.encoding.levels))))
        if isinstance(node, Encode) and isinstance(node.encoding, Grid)
        else node
        for node in field.nodes
    ]
    return replace(field, nodes=tuple(nodes))


def _half_level(level: GridLevel) -> GridLevel:
    return level if level.bits != 32 else replace(level, table=_half(level.table), bits=16)


def _half(values: NDArray[np.float32]) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    if not np.isfinite(halves).all():
        raise MlpressError(f"a value is {float(np.abs(values).max()):g}, beyond float16; keep the field in float32")
    return halves
