"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mlpress.errors import MlpressError


def write_file(path: Path, content: str | bytes) -> None:
    """Write ``content`` (text as UTF-8) to ``path`` through a temporary name beside it."""
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise MlpressError(f"cannot write {path}: {error.strerror}; choose another place with -o") from error


def write_folder(folder: Path, files: Mapping[str, str | bytes], *, marker: str) -> None:
    """Write ``files`` (relative path with ``/`` -> content) as ``folder``, replacing an older one in two renames.

    An existing folder is replaced only where it is empty or holds ``marker``: it is one of ours.
    """
    folder = folder.resolve()
    check_replaceable(folder, marker=marker)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            dir=folder.parent, prefix=f".{folder.name}.", ignore_cleanup_errors=True
        ) as made:
            fresh = Path(made) / "new"
            fresh.mkdir(mode=0o755)
            for name, content in files.items():
                (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                (fresh / name).write_bytes(content.encode() if isinstance(content, str) else content)
            _put(fresh, folder, Path(made))
    except OSError as error:
        raise MlpressError(f"cannot write {folder}: {error.strerror}; choose another place with -o") from error


TRIES = 20
"""So often a folder that another process writes at the same moment is replaced before that is an error."""


def _put(fresh: Path, folder: Path, aside: Path) -> None:
    """Rename ``fresh`` to ``folder``; what stood there moves into ``aside``, and back where that fails."""
    for k in range(TRIES):
        old = aside / f"old{k}"
        with suppress(FileNotFoundError):  # there was none, or another process moved it aside
            folder.replace(old)
        try:
            fresh.replace(folder)
        except OSError:
            if folder.exists() and k < TRIES - 1:
                continue  # another process has made it meanwhile
            if old.exists() and not folder.exists():
                old.replace(folder)
            raise
        return


def check_replaceable(folder: Path, *, marker: str) -> None:
    """Raise where ``folder`` exists and is neither empty nor an older design folder (it holds no ``marker``)."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise MlpressError(f"{folder} is a file; -o wants a folder that is new, empty, or an earlier design")
    try:
        foreign = any(folder.iterdir()) and not (folder / marker).is_file()
    except FileNotFoundError:
        return  # another process is replacing it
    if foreign and folder.exists():
        raise MlpressError(
            f"{folder} holds other files and no {marker}; -o wants a folder that is new, empty, or an earlier design"
        )
