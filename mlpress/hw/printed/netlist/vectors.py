"""Rows for a netlist's inputs, from text or NPZ files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.hw.printed.netlist.netlist import Netlist, Port
from mlpress.npz import read_npz_bytes
from mlpress.progress import counted

LARGEST_FILE = 256 * 2**20
"""Bytes of a file of vectors."""
LONGEST_FIELD = 2048
"""Digits of one value."""


_PART = re.compile(r"(?P<name>.+)\[(?P<left>\d+)(?::(?P<right>\d+))?\]")


class Feature(NamedTuple):
    """Bits ``low`` to ``low + bits - 1`` of a port that packs several features."""

    port: str
    low: int
    bits: int


class Vectors(NamedTuple):
    """Integers by input port, (rows,) each, and the ``features`` that columns of their own gave parts of ports for."""

    ports: dict[str, NDArray[Any]]
    features: tuple[Feature, ...]


def read_vectors(path: str | Path, netlist: Netlist) -> Vectors:
    """Read rows for the input ports from a CSV, white-space-separated or NPZ file.

    Text holds one row per line: unsigned integers, one port per column, named by a header line or in the order of
    the input ports; a port is one integer however wide.  Columns ``inp[3:0]``, ``inp[7:4]`` give a port that packs
    several features in parts, which must cover it (indices as declared).  A line of as many 0s and 1s as the inputs
    have bits, with or without separators, gives the bits as Verilog's ``$fmonitor`` prints them: ports in order,
    the most significant bit first.  ``#`` starts a comment.  An NPZ file holds one array a port, or one array
    ``vectors`` (rows, ports).  Clock inputs may be left out.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise MlpressError(f"{file} has over {LARGEST_FILE >> 20} MiB; give fewer rows")
        data = file.read_bytes()
    except OSError as error:
        raise MlpressError(f"cannot read {file}: {error.strerror}; give a CSV or NPZ file of input rows") from error
    try:
        return _joined(_npz(data, netlist.inputs) if data[:2] == b"PK" else _text(data, netlist.inputs), netlist.inputs)
    except MlpressError as error:
        raise MlpressError(f"{file}: {error}") from None


def _npz(data: bytes, ports: tuple[Port, ...]) -> dict[str, NDArray[Any]]:
    found = read_npz_bytes(data, LARGEST_FILE)
    if set(found) == {"vectors"} and "vectors" not in {port.name for port in ports}:
        matrix = found["vectors"]
        if matrix.ndim != 2 or matrix.shape[1] != len(ports):
            raise MlpressError(f"'vectors' has shape {matrix.shape}; the netlist has {counted(len(ports), 'input')}")
        return {port.name: column for port, column in zip(ports, matrix.T, strict=True)}
    return found


def _text(data: bytes, ports: tuple[Port, ...]) -> dict[str, NDArray[Any]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MlpressError("not UTF-8 text; give a CSV or NPZ file of input rows") from None
    lines = [
        (n, [field for field in re.split(r"[\s,;]+", line.split("#")[0]) if field])
        for n, line in enumerate(text.splitlines(), 1)
    ]
    lines = [(n, fields) for n, fields in lines if fields]
    if not lines:
        raise MlpressError("there is no row")
    header: list[str] = []
    named = {port.name: port for port in ports}
    if not all(field.lstrip("+-").isdecimal() for field in lines[0][1]):
        header = lines.pop(0)[1]
        if unknown := [name for name in header if _place(name, named) is None]:
            known = ", ".join(port.name for port in ports[:20])
            raise MlpressError(f"line 1 names {unknown[0][:40]!r}, which is no input; inputs are {known}")
        if not lines:
            raise MlpressError("there is no row after the header")
        if len(set(header)) < len(header):
            raise MlpressError("line 1 names an input twice")
    width = len(lines[0][1])
    for n, fields in lines:
        if len(fields) != width or (header and len(fields) != len(header)):
            raise MlpressError(f"line {n} has {counted(len(fields), 'column')} where {len(header) or width} should be")
    bits = sum(port.width for port in ports)
    if not header and width != len(ports) and (width == bits or (width == 1 and len(lines[0][1][0]) == bits)):
        return _bits(lines, ports, bits)
    if not header and width == 1 and len(ports) == 1 and ports[0].width > 1 and _all_bits(lines, ports[0].width):
        return _bits(lines, ports, bits)
    if not header and width != len(ports):
        there = f"{counted(len(ports), 'input')} ({counted(bits, 'bit')})"
        raise MlpressError(f"{counted(width, 'column')} for {there}; name the columns in a header line")
    columns = ([_integer(n, fields[k]) for n, fields in lines] for k in range(width))
    return dict(zip(header or named, map(_column, columns), strict=True))


def _column(values: list[int]) -> NDArray[Any]:
    """Return integers as int64 where all of them are that small, else as objects."""
    return np.array(values, object if max(values) >> 62 else np.int64)


def _place(name: str, named: Mapping[str, Port]) -> Feature | None:
    """Return the bits of a port that a column of this name gives; None where there is no such input or bit."""
    if name in named:
        return Feature(name, 0, named[name].width)
    part = _PART.fullmatch(name)
    port = named.get(part["name"]) if part else None
    if part is None or port is None or port.left is None or port.right is None:
        return None
    left, right = int(part["left"]), int(part["right"] or part["left"])
    sign = 1 if port.left >= port.right else -1
    low, high = sign * (right - port.right), sign * (left - port.right)
    return Feature(port.name, low, high - low + 1) if 0 <= low <= high < port.width else None


def _joined(columns: dict[str, NDArray[Any]], ports: tuple[Port, ...]) -> Vectors:
    """Join whole ports from columns of which some are parts of ports."""
    named = {port.name: port for port in ports}
    parts = {name: place for name in columns if name not in named and (place := _place(name, named)) is not None}
    found = {name: column for name, column in columns.items() if name not in parts}
    by_port: dict[str, dict[str, Feature]] = {}
    for name, place in parts.items():
        by_port.setdefault(place.port, {})[name] = place
    for port_name, own in by_port.items():
        port = named[port_name]
        given = np.zeros(port.width, int)
        for place in own.values():
            given[place.low : place.low + place.bits] += 1
        if port.name in found or given.max() > 1:
            raise MlpressError(f"columns give bits of {port.name!r} twice; give each bit once")
        if not given.all():
            raise MlpressError(f"no column gives bit {int(np.argmin(given))} of {port.name!r}; give all of its bits")
        found[port.name] = _packed(columns, own, port)
    return Vectors(found, tuple(parts.values()))


def _packed(columns: dict[str, NDArray[Any]], parts: dict[str, Feature], port: Port) -> NDArray[Any]:
    dtype: type = object if port.width > 62 else np.int64
    total: NDArray[Any] = np.zeros(len(columns[next(iter(parts))]), dtype)
    for name, place in parts.items():
        column = columns[name]
        if column.shape != total.shape or column.dtype.kind not in "iubO":
            raise MlpressError(f"{name!r} is not one unsigned integer per row")
        values = column.astype(object)
        if any(not 0 <= value < 1 << place.bits for value in values):
            worst = next(value for value in values if not 0 <= value < 1 << place.bits)
            raise MlpressError(f"{name!r} has the value {worst}, which does not fit into {counted(place.bits, 'bit')}")
        total += (values << place.low).astype(dtype)
    return total


def _integer(line: int, field: str) -> int:
    digits = field.removeprefix("+")
    if len(field) > LONGEST_FIELD or not (digits.isascii() and digits.isdigit()):
        raise MlpressError(f"line {line}: {field[:40]!r} is not an unsigned integer")
    return int(digits)


def _all_bits(lines: list[tuple[int, list[str]]], width: int) -> bool:
    """Return whether a single bus is given as bits: every value has exactly that many digits, all of them 0 or 1."""
    return all(len(fields[0]) == width and not set(fields[0]) - {"0", "1"} for _, fields in lines)


def _bits(lines: list[tuple[int, list[str]]], ports: tuple[Port, ...], bits: int) -> dict[str, NDArray[Any]]:
    rows = []
    for n, fields in lines:
        row = "".join(fields)
        if len(row) != bits or set(row) - {"0", "1"}:
            raise MlpressError(f"line {n} is not {bits} bits of 0 and 1")
        rows.append(row)
    result: dict[str, NDArray[Any]] = {}
    at = 0
    for port in ports:
        dtype: type = object if port.width > 62 else np.int64
        result[port.name] = np.array([int(row[at : at + port.width], 2) for row in rows], dtype)
        at += port.width
    return result
