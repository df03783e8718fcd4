"""Compiled kernels that work wherever mlpress is installed.

Kernels that Python calls keep their machine code on disk (:func:`compiled`); what only they call is compiled into
them (:func:`inner`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
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
        return cast(F, njit(kernel, cache=True, nogil=True))
    except RuntimeError:  # numba found no writable cache folder
        return cast(F, njit(kernel, nogil=True))


def inner(kernel: F) -> F:
    """Compile ``kernel`` to be called from other kernels only."""
    from numba import njit

    return cast(F, njit(kernel, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True))


def inlined(kernel: F) -> F:
    """Compile ``kernel`` as a part of every kernel that calls it: arrays are many words each, which a call copies."""
    from numba import njit

    return cast(F, njit(kernel, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True))


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
        for file in kept.glob("*.nb[ci]"):
            file.unlink(missing_ok=True)
        kept.mkdir(exist_ok=True)
        stamp.write_text(digest)
