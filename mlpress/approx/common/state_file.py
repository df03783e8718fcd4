"""The file format of checkpoints: plain facts and arrays, without objects, bound to one search by its key."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.files import write_file

LARGEST = 1 << 30
"""No checkpoint is read beyond this many bytes, packed or unpacked."""

_BROKEN = (zipfile.BadZipFile, zlib.error)

Arrays = Mapping[str, NDArray[Any]]


def write_state(path: Path, form: str, key: str, facts: Mapping[str, Any], arrays: Arrays) -> None:
    """Write a checkpoint in place of an older one, whole or not at all."""
    head = {"format": form, "key": key, **facts}
    data = BytesIO()
    np.savez(data, allow_pickle=False, facts=np.array(json.dumps(head)), **arrays)
    write_file(path, data.getvalue())


def read_state(path: Path, form: str, key: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what :func:`write_state` wrote; raise where it is damaged or belongs to another search."""
    try:
        if path.stat().st_size > LARGEST:
            raise MlpressError(f"{path} is larger than {LARGEST >> 20} MiB: no checkpoint; start the search anew")
        data = path.read_bytes()
    except OSError as error:
        raise MlpressError(f"cannot read the checkpoint {path}: {error.strerror}; start the search anew") from error
    try:
        with ZipFile(BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > LARGEST:
                raise damaged(path, f"it unpacks to more than {LARGEST >> 20} MiB")
        with np.load(BytesIO(data), allow_pickle=False) as archive:
            facts = json.loads(str(archive["facts"]))
            arrays = {name: archive[name] for name in archive.files}
        found, owner = facts["format"], facts["key"]
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, OSError, *_BROKEN) as error:
        raise damaged(path, error) from error
    if found == form and owner != key:
        raise MlpressError(
            f"{path} belongs to a search with other data, options or model; resume with the same ones, or start anew"
        )
    if found != form:
        raise damaged(path, f"its format is {found!r}")
    return facts, arrays


def damaged(path: Path, what: object) -> MlpressError:
    """Return the error for a file that is no checkpoint."""
    return MlpressError(f"{path} is no checkpoint of this version ({what}); start the search anew")
