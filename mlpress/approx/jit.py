"""How the kernels are compiled.

Kernels that Python calls keep their machine code on disk (:func:`mlpress.sim.compiled`); what they call is compiled
into them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

from numba import njit

# What kernels take, named for the reader; numba infers and checks the types.
Ints: TypeAlias = Any  # array of int64
Reals: TypeAlias = Any  # array of float64
Lanes: TypeAlias = Any  # array of int16, int32 or int64: each has machine code of its own
Layers: TypeAlias = Any  # records of :data:`mlpress.approx.layout.LAYER`, or one of them

F = TypeVar("F", bound=Callable[..., Any])


def inner(kernel: F) -> F:
    """``kernel``, to be called from other kernels only."""
    return cast(F, njit(kernel, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True))
