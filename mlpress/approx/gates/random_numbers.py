"""Random numbers of compiled kernels; ``seed``, uint64 (1,), is the state, which every call moves on."""

from __future__ import annotations

import numpy as np

from mlpress.approx.gates.state import Scalar, Words
from mlpress.jit import inner


@inner
def random_word(seed: Words) -> Scalar:
    """Return 64 random bits of SplitMix64 (Steele et al., "Fast splittable pseudorandom number generators", 2014)."""
    seed[0] += np.uint64(0x9E3779B97F4A7C15)
    z = seed[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@inner
def random_below(seed: Words, bound: int) -> Scalar:
    """Return a random integer within 0 .. bound - 1."""
    return np.int64(((random_word(seed) >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@inner
def random_unit(seed: Words) -> float:
    """Return a random number strictly between 0 and 1."""
    return (np.float64(random_word(seed) >> np.uint64(12)) + 0.5) / 4503599627370496.0


@inner
def gumbel(seed: Words) -> Scalar:
    """Return standard Gumbel noise."""
    return -np.log(-np.log(random_unit(seed)))
