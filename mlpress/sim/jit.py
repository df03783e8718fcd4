"""Compiled kernels that work wherever mlpress is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def compiled(kernel: F) -> F:
    """``kernel`` compiled by numba at its first call; the machine code is kept on disk where a place is writable."""
    from numba import njit

    try:
        return cast(F, njit(kernel, cache=True, nogil=True))
    except RuntimeError:  # numba found no writable cache folder
        return cast(F, njit(kernel, nogil=True))
