"""The rules of fields."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mlpress.ir.checks import check_count, check_float, check_inputs, check_int, fail
from mlpress.ir.field import Encode, Field, Frequency, Grid, GridLevel, Network, Precision, Span, Spherical
from mlpress.ir.limits import (
    MAX_DIMENSIONS,
    MAX_ENTRIES,
    MAX_FEATURES_PER_LEVEL,
    MAX_GRID_LEVELS,
    MAX_LAYERS,
    MAX_NEURONS,
    MAX_NODES,
    MAX_OCTAVES,
    MAX_RESOLUTION,
    MAX_TABLE_VALUES,
    MAX_WAVES,
    MAX_WEIGHTS,
)

INDEX_LIMIT = 1 << 31
"""A grid that is not hashed has fewer vertices: its indices are the same in 32-bit and 64-bit arithmetic."""


def verify_field(field: Field) -> None:
    """Raise :class:`MlpressError` at the first rule of fields that ``field`` breaks."""
    check_inputs(field.inputs)
    if field.precision not in {"float32", "float16"}:
        fail("field", f"precision is {field.precision!r}; it must be float32 or float16")
    check_count(len(field.nodes), 1, MAX_NODES, "nodes", "nodes")
    widths = [len(field.inputs)]
    values = weights = 0
    for k, node in enumerate(field.nodes):
        where = f"node {k}"
        width = _check_spans(node.source, widths, where)
        if isinstance(node, Encode):
            values += _check_encoding(node, width, field.precision, where)
        else:
            weights += _check_network(node, width, field.precision, where)
        widths.append(node.width)
    check_count(values, 0, MAX_TABLE_VALUES, "nodes", "values in tables")
    check_count(weights, 0, MAX_WEIGHTS, "nodes", "weights")
    width = _check_spans(field.results, widths, "results")
    check_inputs(field.outputs)
    if width != len(field.outputs):
        fail("results", f"{width} columns for {len(field.outputs)} outputs; there must be one for each")


def _check_spans(spans: Sequence[Span], widths: Sequence[int], where: str) -> int:
    check_count(len(spans), 1, MAX_NEURONS, where, "spans")
    for span in spans:
        check_int(span.value, 0, len(widths) - 1, where, "a span's value")
        check_int(span.start, 0, widths[span.value] - 1, where, "a span's start")
        check_int(span.stop, span.start + 1, widths[span.value], where, "a span's stop")
    width = sum(span.width for span in spans)
    check_count(width, 1, MAX_NEURONS, where, "columns")
    return width


def _check_encoding(node: Encode, width: int, precision: Precision, where: str) -> int:
    """Check an encoding of ``width`` columns and return how many values its tables hold."""
    encoding = node.encoding
    check_int(encoding.dimensions, 1, MAX_WAVES, where, "dimensions")
    if encoding.dimensions != width:
        fail(where, f"the encoding takes {encoding.dimensions} columns and is given {width}")
    if any(span.value for span in node.source):
        fail(where, "an encoding must take columns of the inputs, which are within 0..1")
    match encoding:
        case Spherical(degree=degree):
            check_int(degree, 1, 4, where, "the degree")
        case Frequency(octaves=octaves):
            check_int(octaves, 1, MAX_OCTAVES, where, "octaves")
        case Grid(levels=levels):
            check_int(encoding.dimensions, 1, MAX_DIMENSIONS, where, "dimensions of a grid")
            check_count(len(levels), 1, MAX_GRID_LEVELS, where, "levels")
            for k, level in enumerate(levels):
                _check_level(level, encoding.dimensions, precision, f"{where}, level {k}")
                if level.features != levels[0].features:
                    fail(f"{where}, level {k}", f"{level.features} features per entry; level 0 has another number")
            return sum(level.table.size for level in levels)
    return 0


def _check_level(level: GridLevel, dimensions: int, precision: Precision, where: str) -> None:
    table = level.table
    if not isinstance(table, np.ndarray) or table.ndim != 2:
        fail(where, "the table is no array (entries, features)")
    check_int(level.entries, 1, MAX_ENTRIES, where, "entries")
    check_int(level.features, 1, MAX_FEATURES_PER_LEVEL, where, "features per entry")
    check_single(level.scale, where, "the scale")
    check_int(level.resolution, 1, MAX_RESOLUTION, where, "the resolution")
    if level.scale < 0 or math.ceil(level.scale) + 1 != level.resolution:
        fail(where, f"the resolution is {level.resolution}; it must be the scale {level.scale}, rounded up, plus 1")
    vertices = level.resolution**dimensions
    if type(level.hashed) is not bool or (level.hashed and level.entries >= vertices):
        fail(where, f"a table of {level.entries} entries for {vertices} vertices needs no hash")
    if not level.hashed and vertices >= INDEX_LIMIT:
        fail(where, f"{vertices} vertices; without a hash there must be fewer than 2**31")
    _check_values(level, precision, where)


def _check_values(level: GridLevel, precision: Precision, where: str) -> None:
    table, bits = level.table, level.bits
    check_single(level.step, where, "the step")
    if table.dtype == np.int8:
        check_int(bits, 2, 8, where, "bits")
        if level.step <= 0:
            fail(where, f"the step is {level.step}; it must be positive")
        most = (1 << bits - 1) - 1
        if table.min() < -most or table.max() > most:
            fail(where, f"a value is not within {-most}..{most}, the integers of {bits} bits")
        return
    wanted = np.float16 if precision == "float16" else np.float32
    if table.dtype != wanted or bits != table.dtype.itemsize * 8 or level.step != 1.0:
        fail(where, f"{table.dtype} of {bits} bits, step {level.step}; a {precision} field has {precision} or int8")
    if not np.isfinite(table).all():
        fail(where, "the table holds a value that is not finite")


def check_single(value: Any, where: str, what: str) -> None:
    """``value`` must be a finite float that float32 holds exactly."""
    check_float(value, where, what)
    with np.errstate(over="ignore"):
        if float(np.float32(value)) != value:
            fail(where, f"{what} is {value!r}; it must be a float32 value")


def _check_network(node: Network, width: int, precision: Precision, where: str) -> int:
    """Check a network of ``width`` inputs and return its number of weights."""
    check_count(len(node.layers), 1, MAX_LAYERS, where, "layers")
    for k, layer in enumerate(node.layers):
        place, weight = f"{where}, layer {k}", layer.weight
        if not isinstance(weight, np.ndarray) or weight.dtype != np.float32 or weight.ndim != 2:
            fail(place, "weight is no float32 array (outputs, inputs)")
        check_count(len(weight), 1, MAX_NEURONS, place, "outputs")
        if weight.shape[1] != width:
            fail(place, f"weight has {weight.shape[1]} inputs; {width} columns come in")
        if not np.isfinite(weight).all():
            fail(place, "weight holds a value that is not finite")
        if precision == "float16" and not np.array_equal(_halves(weight), weight):
            fail(place, "weight holds a value that float16 does not")
        if type(layer.relu) is not bool:
            fail(place, f"relu is {layer.relu!r}; it must be True or False")
        width = len(weight)
    return sum(layer.weight.size for layer in node.layers)


def _halves(weight: Any) -> Any:
    with np.errstate(over="ignore"):
        return weight.astype(np.float16).astype(np.float32)
