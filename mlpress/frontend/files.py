"""CSV and NPZ files to arrays, with errors that name the line."""

from __future__ import annotations

import csv
import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError, one_line
from mlpress.npz import Npz, open_npz
from mlpress.progress import counted

MAX_CSV = 1 << 30  # bytes
MAX_NPZ = 1 << 31  # bytes of its arrays
_PAIRS = (
    ("X", "y"),
    ("x", "y"),
    ("features", "labels"),
    ("data", "target"),
    ("X_train", "y_train"),
    ("Xtrain", "ytrain"),
)

Row = tuple[int, list[str]]


def read_csv(
    path: Path, label: str | None, delimiter: str | None, missing: bool = False
) -> tuple[NDArray[np.float64], NDArray[Any], tuple[str, ...] | None]:
    """Return features, labels and the features' names (``None`` without a header) in a CSV file.

    With ``missing`` an empty cell and one that says ``nan`` are NaN.
    """
    if path.is_dir():
        raise MlpressError(f"{path} is a folder; give the path of a CSV file in it")
    if not path.is_file():
        raise MlpressError(f"{path}: no such file; give the path of a CSV file")
    if path.stat().st_size > MAX_CSV:
        raise MlpressError(f"{path}: {path.stat().st_size} bytes; a CSV file may have at most {MAX_CSV}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            first_line = handle.readline(1 << 20)
            handle.seek(0)
            reader = csv.reader(handle, delimiter=delimiter or _delimiter(first_line), skipinitialspace=True)
            rows = ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
            return _table(path, rows, label, _number_or_none if missing else _number)
    except UnicodeDecodeError:
        raise MlpressError(f"{path}: not UTF-8 text; save the CSV file as UTF-8") from None
    except (csv.Error, TypeError) as error:
        raise MlpressError(f"{path}: not a CSV file that can be read: {error}") from None


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _table(
    path: Path, rows: Iterator[Row], label: str | None, number: Callable[[str], float]
) -> tuple[NDArray[np.float64], NDArray[Any], tuple[str, ...] | None]:
    first = next(rows, None)
    if first is None:
        raise MlpressError(f"{path}: the file is empty; rows of features with a label are expected")
    width = len(first[1])
    if width < 2:
        raise MlpressError(f"{path}: line {first[0]} has one column; features and a label are expected")
    names = [cell.strip() for cell in first[1]]
    column, named = _label_column(path, names, label)
    header = named or not all(_is_number(cell) for k, cell in enumerate(names) if k != column)
    features, labels = array("d"), list[str]()
    lines = list[int]()
    for line, row in rows if header else _chain(first, rows):
        if len(row) != width:
            raise MlpressError(f"{path}: line {line} has {counted(len(row), 'column')}; line {first[0]} has {width}")
        cells = [*row[:column], *row[column + 1 :]]
        try:
            features.extend(map(number, cells))
        except ValueError:
            likely = "" if lines or label is not None else _likely_label(names, row, column)
            _refuse(path, line, cells, names if header else None, column, likely, number)
        if not row[column].strip():
            raise MlpressError(f"{path}: line {line}: the label is empty; fill it or drop the row")
        labels.append(row[column].strip())
        lines.append(line)
    if not lines:
        raise MlpressError(f"{path}: there is a header but no row below it")
    table = np.frombuffer(features, np.float64).reshape(len(lines), width - 1)
    if not header and len(lines) > 1 and not _is_number(labels[0]) and all(map(_is_number, labels[1:])):
        header, table, labels, lines = True, table[1:], labels[1:], lines[1:]  # columns called 0, 1, ..., target
    kept = names[:column] + names[column + 1 :]
    return table, _labels(path, labels, lines), _checked_names(path, kept) if header else None


def _checked_names(path: Path, names: list[str]) -> tuple[str, ...]:
    if "" in names:
        raise MlpressError(
            f"{path}: column {names.index('') + 1} has no name; name it, or drop it if it counts the rows"
        )
    if len(set(names)) != len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise MlpressError(f"{path}: two columns are called {twice[:40]!r}; rename one")
    return tuple(names)


def _chain(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows


def _label_column(path: Path, names: Sequence[str], label: str | None) -> tuple[int, bool]:
    """Return the label's column, and whether ``label`` is its name in the first line, which then is a header."""
    if label is None:
        return len(names) - 1, False
    if label in names and not _is_first_row(names):
        return names.index(label), True
    if label.isascii() and label.isdigit() and 1 <= int(label[:9]) <= len(names):
        return int(label[:9]) - 1, False
    raise MlpressError(
        f"{path}: no column is called {label!r}; the first line has {list(names)[:20]}, "
        f"and a column's number is 1 to {len(names)}"
    )


def _likely_label(names: Sequence[str], row: Sequence[str], label: int) -> str:
    """Return how to say that the first column of text in a row is the label, where it may be."""
    for place, cell in enumerate(row):
        if place != label and not _is_number(cell) and any(c.isalpha() for c in cell):
            header = any(not _is_number(name) for k, name in enumerate(names) if k != place)
            called = names[place] if header else str(place + 1)
            return f"; if that column holds the labels: --label {one_line(called[:40])}"
    return ""


def _is_first_row(cells: Sequence[str]) -> bool:
    """Return whether a file's first line holds no names: numbers alone, and not 0, 1, 2, ... or 1, 2, 3, ..."""
    if not all(_is_number(cell) for cell in cells):
        return False
    return not any(list(cells) == [str(first + k) for k in range(len(cells))] for first in (0, 1))


def _number(cell: str) -> float:
    value = float(cell)
    if not math.isfinite(value) or "_" in cell:
        raise ValueError
    return value


def _number_or_none(cell: str) -> float:
    return math.nan if cell.strip().lower() in ("", "nan") else _number(cell)


def _is_number(cell: str) -> bool:
    """Return whether a cell is a number or a missing one, and so no column's name."""
    if not cell.strip():
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _refuse(
    path: Path,
    line: int,
    cells: list[str],
    names: list[str] | None,
    label: int,
    likely: str,
    number: Callable[[str], float],
) -> None:
    """Raise the error for the first cell of a line that is no number; ``likely`` says that it may be the label."""
    for position, cell in enumerate(cells):
        column = position + (position >= label)
        where = f"{path}: line {line}, column {column + 1 if names is None else repr(names[column])}"
        if not cell.strip() and number is _number:
            raise MlpressError(f"{where}: the cell is empty; fill it or drop the row")
        try:
            number(cell)
        except ValueError:
            raise MlpressError(f"{where}: {cell[:40]!r} is not a finite number{likely}") from None


def _labels(path: Path, labels: list[str], lines: list[int]) -> NDArray[Any]:
    """Return labels as numbers where all of them are, else as text."""
    try:
        values = np.array([float(label) for label in labels], np.float64)
    except ValueError:
        return np.array(labels, object)
    if not np.isfinite(values).all():
        line = lines[int(np.argmin(np.isfinite(values)))]
        raise MlpressError(f"{path}: line {line}: the label is not a finite number; fill it or drop the row")
    return values


def read_npz(
    path: Path, features: str | None, labels: str | None
) -> tuple[NDArray[Any], NDArray[Any], tuple[str, ...] | None]:
    """Return features, labels and the features' names (``None`` without any) in an NPZ file.  Nothing is unpickled."""
    if not path.is_file():
        raise MlpressError(f"{path}: no such file; give the path of an NPZ file")
    try:
        with open_npz(path, MAX_NPZ) as file:
            return _arrays(file, features, labels)
    except MlpressError as error:
        raise MlpressError(f"{path}: {error}") from None


def _arrays(
    file: Npz, features: str | None, labels: str | None
) -> tuple[NDArray[Any], NDArray[Any], tuple[str, ...] | None]:
    """Return features, labels and names; types and shapes are compared before anything is unpacked."""
    first, second = _pair(set(file.names), features, labels)
    shape, dtype = file.header(first)
    if dtype.kind not in "fiub":
        raise MlpressError(f"array {first!r} holds {dtype}, not numbers")
    if len(shape) != 2 or 0 in shape:
        raise MlpressError(f"features have shape {shape}; they must be (rows, features), neither empty")
    found, kind = file.header(second)
    if kind.kind not in "fiubUS":
        raise MlpressError(f"array {second!r} holds {kind}, not numbers or text")
    if found[:1] != shape[:1]:
        raise MlpressError(f"labels have shape {found} for {counted(shape[0], 'row')}; there must be one per row")
    names = _texts(file, "names") if "names" in file.names else None
    if names is not None and names.size != shape[1]:
        raise MlpressError(f"{counted(names.size, 'name')} for {counted(shape[1], 'feature')}; give one for each")
    table, values = file.array(first), _texts(file, second)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    return table, values, None if names is None else tuple(str(name) for name in names.reshape(-1).tolist())


def _texts(file: Npz, name: str) -> NDArray[Any]:
    """Return an array, with bytes read as the text that they are."""
    array = file.array(name)
    if array.dtype.kind != "S":
        return array
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError:
        raise MlpressError(f"array {name!r} holds bytes that are no UTF-8 text; save numbers or text") from None


def _pair(members: set[str], features: str | None, labels: str | None) -> tuple[str, str]:
    for first, second in _PAIRS:
        pair = (features or first, labels or second)
        if set(pair) <= members:
            return pair
    found = ", ".join(one_line(name[:40]) for name in sorted(members)[:20]) or "none"
    raise MlpressError(f"the arrays are {found}; name the features (such as X) and the labels (such as y)")
