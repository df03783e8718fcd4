"""Engines that run a program or an artifact, and the oracle that they are held against."""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.sim.oracle import Oracle

__all__ = ["Oracle"]

__getattr__ = lazy_door(__name__, {"Oracle": "oracle"})
