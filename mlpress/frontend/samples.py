"""Samples of fields: coordinates, with or without the values that are wanted there."""

from __future__ import annotations

from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.data import Dataset
from mlpress.ir import Circuit, Field, Net, check_samples, interpret_field
from mlpress.npz import MOST_BYTES, read_npz_bytes

COORDINATES = ("X", "x", "features", "samples", "coordinates")
"""Names of the array of coordinates in an NPZ file that has no wanted values."""

DRAWN = 4096
"""Samples that are drawn where none were given."""


def drawn_samples(field: Field, seed: int = 0) -> Dataset:
    """Return :data:`DRAWN` samples drawn evenly from the field's domain; what it gives there is what is wanted."""
    features = np.random.default_rng(seed).random((DRAWN, len(field.inputs)), np.float32)
    return Dataset(features.astype(np.float64), interpret_field(field, features).astype(np.float64), field.inputs)


def read_samples(path: str | PathLike[str], field: Field, label: str | None = None) -> Dataset:
    """Return the samples of a CSV or NPZ file, matched to ``field``.

    An NPZ file may hold coordinates alone, as one of :data:`COORDINATES`; the wanted values are then the field's own.
    Raises :class:`MlpressError` for files as :meth:`Dataset.read` does, and for coordinates that are not within 0..1.
    """
    file = Path(path)
    found = _coordinates(file, field) if file.suffix.lower() == ".npz" and label is None else None
    found = found or Dataset.read(path, label, "regression")
    matched = found.for_model(field)
    try:
        check_samples(field, matched.features)
    except MlpressError as error:
        raise MlpressError(f"{file}: {error}") from None
    return matched


def read_rows(path: str | PathLike[str], program: Net | Circuit | Field, label: str | None = None) -> Dataset:
    """Return the rows of a file, matched to a program of any level."""
    if isinstance(program, Field):
        return read_samples(path, program, label)
    return Dataset.read(path, label, model=program).for_model(program)


def _coordinates(file: Path, field: Field) -> Dataset | None:
    """Return the coordinates of an NPZ file that holds no wanted values."""
    if not file.is_file() or file.stat().st_size > MOST_BYTES:
        return None
    arrays: dict[str, NDArray[Any]] = {}
    with suppress(MlpressError):  # what is wrong with the file is for Dataset to say
        arrays = read_npz_bytes(file.read_bytes())
    names = [name for name in COORDINATES if name in arrays]
    if len(arrays) != 1 or not names:
        return None
    try:
        features = check_samples(field, arrays[names[0]])
    except MlpressError as error:
        raise MlpressError(f"{file}: {error}") from None
    return Dataset(features.astype(np.float64), interpret_field(field, features).astype(np.float64), field.inputs)
