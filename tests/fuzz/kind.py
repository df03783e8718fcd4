"""A kind of untrusted input: where its cases come from, and what reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random


@dataclass(frozen=True)
class Kind:
    """``seeds`` are sound cases; ``mutate`` changes one, or joins it with another; ``read`` takes one, in a folder.

    ``read`` raises MlpressError for what it refuses, and nothing else.  ``share`` is its part of a run's cases.
    """

    name: str
    seeds: Callable[[], Sequence[bytes]]
    mutate: Callable[[Random, bytes, bytes], bytes]
    read: Callable[[bytes, Path], None]
    share: int = 1
