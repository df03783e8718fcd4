"""Compiled kernels that work wherever mlpress is installed.

Kernels that Python calls keep their machine code on disk (:func:`compiled`); what only they call is compiled into
them (:func:`inner`).
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def compiled(kernel: F) -> F:
    """Compile ``kernel`` with numba at its first call; the machine code is kept on disk where a place is writable."""
    from numba import njit

    _forget_old_code(Path(kernel.__code__.co_filename).parent)
    try:
        dispatcher = njit(kernel, cache=True, nogil=True)
    except RuntimeError:  # numba found no writable cache folder
        return cast(F, njit(kernel, nogil=True))
    _lock_cache(dispatcher)
    return cast(F, dispatcher)


def inner(kernel: F) -> F:
    """Compile ``kernel`` to be called from other kernels only."""
    from numba import njit

    return cast(F, njit(kernel, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True))


def inlined(kernel: F) -> F:
    """Compile ``kernel`` as a part of every kernel that calls it: arrays are many words each, which a call copies."""
    from numba import njit

    return cast(F, njit(kernel, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True))


def _lock_cache(dispatcher: Any) -> None:
    """Let one process at a time read or write the machine code that is kept of a kernel.

    numba numbers the files of a kernel's machine code, one per types of arguments, in an index that is written before
    them.  Two processes that compile at the same moment for different types take the same number: one then runs code
    that was compiled for the types of the other, on memory that is laid out in another way.  A numba whose cache is
    made otherwise is left as it is.
    """
    file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if file is None:
        return
    folder, save, load = Path(dispatcher._cache.cache_path), file.save, file.load

    def save_alone(key: Any, data: Any) -> None:
        with _alone(folder):
            save(key, data)

    def load_alone(key: Any) -> Any:
        with _alone(folder):
            return load(key)

    file.save, file.load = save_alone, load_alone


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process is here for this folder of machine code; where it cannot be locked, go on."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "kernels.lock").open("ab")
    except OSError:
        yield
        return
    with file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file ends the lock


@cache
def _forget_old_code(package: Path) -> None:
    """Remove kept machine code where any source file of ``package`` changed.

    numba looks at the file of a kernel only, not at those of the kernels that it calls.
    """
    kept = package / "__pycache__"
    stamp = kept / "kernels.sha256"
    digest = sha256(b"".join(path.read_bytes() for path in sorted(package.glob("*.py")))).hexdigest()
    with suppress(OSError):
        if stamp.is_file() and stamp.read_text() == digest:
            return
        with _alone(kept):
            for file in kept.glob("*.nb[ci]"):
                file.unlink(missing_ok=True)
            stamp.write_text(digest)
