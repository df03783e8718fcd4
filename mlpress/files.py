"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
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
        fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            for name, content in files.items():
                (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                (fresh / name).write_bytes(content.encode() if isinstance(content, str) else content)
            fresh.chmod(0o755)
            if folder.exists():
                old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.old."))
                folder.replace(old)
                try:
                    fresh.replace(folder)
                except OSError:  # another process made the folder meanwhile, or the disk is gone
                    if not folder.exists():
                        old.replace(folder)
                    raise
                finally:
                    shutil.rmtree(old, ignore_errors=True)
            else:
                fresh.replace(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise MlpressError(f"cannot write {folder}: {error.strerror}; choose another place with -o") from error


def check_replaceable(folder: Path, *, marker: str) -> None:
    """Raise where ``folder`` exists and is neither empty nor an older design folder (it holds no ``marker``)."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise MlpressError(f"{folder} is a file; -o wants a folder that is new, empty, or an earlier design")
    if any(folder.iterdir()) and not (folder / marker).is_file():
        raise MlpressError(
            f"{folder} holds other files and no {marker}; -o wants a folder that is new, empty, or an earlier design"
        )
