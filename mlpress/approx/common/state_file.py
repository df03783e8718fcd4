"""The file format of checkpoints: plain facts and arrays, without objects, bound to one search by its key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.files import write_file
from mlpress.npz import npz_bytes, read_npz_bytes

LARGEST = 1 << 30
"""No checkpoint is read beyond this many bytes, packed or unpacked."""

Arrays = Mapping[str, NDArray[Any]]


def write_state(path: Path, form: str, key: str, facts: Mapping[str, Any], arrays: Arrays) -> None:
    """Write a checkpoint in place of an older one, whole or not at all."""
    head = {"format": form, "key": key, **facts}
    write_file(path, npz_bytes({"facts": np.array(json.dumps(head)), **arrays}))


def read_state(path: Path, form: str, key: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what :func:`write_state` wrote; raise where it is damaged or belongs to another search."""
    try:
        if path.stat().st_size > LARGEST:
            raise MlpressError(f"{path} is larger than {LARGEST >> 20} MiB: no checkpoint; start the search anew")
        data = path.read_bytes()
    except OSError as error:
        raise MlpressError(f"cannot read the checkpoint {path}: {error.strerror}; start the search anew") from error
    try:
        arrays = read_npz_bytes(data, LARGEST)
        facts = json.loads(str(arrays.pop("facts")))
        found, owner = facts["format"], facts["key"]
    except (ValueError, KeyError, TypeError, RecursionError, MlpressError) as error:
        raise damaged(path, error) from error
    if found == form and owner != key:
        raise MlpressError(
            f"{path} belongs to a search with other data, options or model; resume with the same ones, or start anew"
        )
    if found != form:
        raise damaged(path, f"its format is {found!r}")
    return facts, arrays


def count(value: object, what: str) -> int:
    """Return a count of a checkpoint's facts; raise ``ValueError`` where it is none."""
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError(f"{what}: {value!r:.40} is no count")
    return value


def quantity(value: object, what: str) -> float:
    """Return a finite number, 0 or more, of a checkpoint's facts; raise ``ValueError`` where it is none."""
    if type(value) not in (int, float) or not 0 <= value < 1e300:  # type: ignore[operator]
        raise ValueError(f"{what}: {value!r:.40} is no quantity")
    return float(value)  # type: ignore[arg-type]


def listed(value: object, what: str) -> list[Any]:
    """Return a list of a checkpoint's facts; raise ``ValueError`` where it is none."""
    if not isinstance(value, list):
        raise ValueError(f"{what}: {value!r:.40} is no list")
    return value


def damaged(path: Path, what: object) -> MlpressError:
    """Return the error for a file that is no checkpoint."""
    return MlpressError(f"{path} is no checkpoint of this version ({what}); start the search anew")
