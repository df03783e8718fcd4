"""The text form of fields.  A table stands in it as its SHA-256 alone: :func:`field_tables` gives the arrays."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mlpress.ir.field import (
    Encode,
    Encoding,
    Field,
    FieldNode,
    Frequency,
    Grid,
    GridLevel,
    Network,
    Product,
    Span,
    Spherical,
)
from mlpress.ir.limits import (
    MAX_FEATURES_PER_LEVEL,
    MAX_GRID_LEVELS,
    MAX_INPUTS,
    MAX_LAYERS,
    MAX_NEURONS,
    MAX_NODES,
    MAX_WEIGHTS,
)
from mlpress.ir.scan import Line, Lines, quote

_SPAN = re.compile(r"v([0-9]{1,6})\[([0-9]{1,6}):([0-9]{1,6})\]", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def table_digest(table: NDArray[Any]) -> str:
    """Return the SHA-256 of a table: of its type, its shape and its values."""
    head = f"{table.dtype.name} {' '.join(map(str, table.shape))}\n".encode()
    return hashlib.sha256(head + np.ascontiguousarray(table).tobytes()).hexdigest()


def field_tables(field: Field) -> dict[str, NDArray[Any]]:
    """Return the tables of a field by their SHA-256, to be kept beside its text."""
    return {table_digest(level.table): level.table for grid in field.grids() for level in grid.levels}


def field_lines(field: Field) -> Iterator[str]:
    """Return the lines of ``field``, without the header line."""
    yield f"precision {field.precision}"
    yield " ".join(["inputs", *map(quote, field.inputs)])
    for node in field.nodes:
        source = " ".join(map(_span_word, node.source))
        if isinstance(node, Encode):
            yield f"encode {_encoding_words(node.encoding)} from {source}"
            if isinstance(node.encoding, Grid):
                yield from map(_level_words, node.encoding.levels)
        else:
            yield f"network {len(node.layers)} from {source}"
            for layer in node.layers:
                yield f"layer {len(layer.weight)} {'relu' if layer.relu else 'linear'}"
                for row in layer.weight.tolist():
                    yield " ".join(["neuron", *map(repr, row)])
    yield " ".join(["outputs", *map(quote, field.outputs)])
    yield " ".join(["results", *map(_span_word, field.results)])


def _span_word(span: Span) -> str:
    return f"v{span.value}[{span.start}:{span.stop}]"


def _encoding_words(encoding: Encoding) -> str:
    match encoding:
        case Grid(dimensions=dimensions, levels=levels):
            return f"grid {dimensions} levels {len(levels)}"
        case Spherical(degree=degree):
            return f"spherical {degree}"
        case Frequency(dimensions=dimensions, octaves=octaves):
            return f"frequency {dimensions} octaves {octaves}"


def _level_words(level: GridLevel) -> str:
    index = "hash" if level.hashed else "index"
    return (
        f"level scale {level.scale!r} resolution {level.resolution} {index} bits {level.bits} step {level.step!r} "
        f"table {level.table.dtype.name} {level.entries} {level.features} {table_digest(level.table)}"
    )


def read_field(lines: Lines, tables: Iterable[NDArray[Any]]) -> Field:
    """Return the field whose lines follow; still to be verified.  Its tables are found among ``tables``."""
    known = {table_digest(table): table for table in tables}
    line = lines.take("precision")
    precision = cast(Any, line.keyword("float32", "float16"))
    line.end()
    inputs = _names(lines.take("inputs"))
    nodes: list[FieldNode] = []
    while not nodes or lines.next_is("encode") or lines.next_is("network"):
        line = lines.take("encode", "network")
        if len(nodes) == MAX_NODES:
            line.fail(f"there are more than {MAX_NODES} nodes")
        is_network = line.words[0] == "network"
        nodes.append(_read_network(lines, line) if is_network else _read_encode(lines, line, known))
    outputs = _names(lines.take("outputs"))
    return Field(inputs, tuple(nodes), outputs, _spans(lines.take("results")), precision)


def _names(line: Line) -> tuple[str, ...]:
    found: list[str] = []
    while line.peek() is not None:
        if len(found) == MAX_INPUTS:
            line.fail(f"there are more than {MAX_INPUTS} names")
        found.append(line.name("a name"))
    return tuple(found)


def _spans(line: Line) -> tuple[Span, ...]:
    found: list[Span] = []
    while line.peek() is not None:
        word = line.word("columns of a value")
        match = _SPAN.fullmatch(word)
        if match is None:
            line.fail(f"{word[:40]!r} stands where columns of a value should be: v0[0:3]")
        if len(found) == MAX_NEURONS:
            line.fail(f"there are more than {MAX_NEURONS} spans")
        found.append(Span(*map(int, match.groups())))
    return tuple(found)


def _read_encode(lines: Lines, line: Line, known: Mapping[str, NDArray[Any]]) -> Encode:
    match line.keyword("grid", "spherical", "frequency"):
        case "grid":
            dimensions = line.count("the number of dimensions", MAX_INPUTS)
            line.keyword("levels")
            count = line.count("the number of levels", MAX_GRID_LEVELS)
            source = _from(line)
            return Encode(
                source, Grid(dimensions, tuple(_read_level(lines.take("level"), known) for _ in range(count)))
            )
        case "spherical":
            degree = line.count("the degree", 16)
            return Encode(_from(line), Spherical(degree))
        case _:
            dimensions = line.count("the number of dimensions", MAX_INPUTS)
            line.keyword("octaves")
            octaves = line.count("the number of octaves", 64)
            return Encode(_from(line), Frequency(dimensions, octaves))


def _from(line: Line) -> tuple[Span, ...]:
    line.keyword("from")
    return _spans(line)


def _read_level(line: Line, known: Mapping[str, NDArray[Any]]) -> GridLevel:
    line.keyword("scale")
    scale = line.real("the scale")
    line.keyword("resolution")
    resolution = line.integer("the resolution")
    hashed = line.keyword("hash", "index") == "hash"
    line.keyword("bits")
    bits = line.integer("the bits of a value")
    line.keyword("step")
    step = line.real("the step")
    line.keyword("table")
    kind = line.keyword("float32", "float16", "int8")
    shape = (line.integer("the number of entries"), line.count("features per entry", MAX_FEATURES_PER_LEVEL))
    digest = line.word("the table's SHA-256")
    if not _DIGEST.fullmatch(digest):
        line.fail(f"{digest[:40]!r} stands where the table's SHA-256 should be")
    line.end()
    table = known.get(digest)
    if table is None or table.dtype.name != kind or table.shape != shape:
        line.fail(f"there is no {kind} table {shape} with the SHA-256 {digest[:12]}...")
    return GridLevel(scale, resolution, hashed, bits, step, table)


def _read_network(lines: Lines, line: Line) -> Network:
    count = line.count("the number of layers", MAX_LAYERS)
    source = _from(line)
    width, budget = sum(span.width for span in source), MAX_WEIGHTS
    layers = []
    for _ in range(count):
        line = lines.take("layer")
        outputs = line.count("the number of neurons", MAX_NEURONS)
        relu = line.keyword("relu", "linear") == "relu"
        line.end()
        budget -= outputs * max(1, width)
        if budget < 0:
            line.fail(f"the network has more than {MAX_WEIGHTS} weights")
        rows = [_reals(lines.take("neuron"), width) for _ in range(outputs)]
        layers.append(Product(np.array(rows, np.float32).reshape(outputs, width), relu))
        width = outputs
    return Network(source, tuple(layers))


def _reals(line: Line, count: int) -> list[float]:
    values = [line.real("a weight") for _ in range(count)]
    line.end()
    return values
