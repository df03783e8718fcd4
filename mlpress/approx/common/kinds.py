"""Types of kernels' arguments, named for the reader; numba infers and checks the types."""

from __future__ import annotations

from typing import Any, TypeAlias

Ints: TypeAlias = Any  # array of int64
Reals: TypeAlias = Any  # array of float64
Lanes: TypeAlias = Any  # array of int16, int32 or int64: each has machine code of its own
Layers: TypeAlias = Any  # records of :data:`mlpress.approx.integer.genome_layout.LAYER`, or one of them
