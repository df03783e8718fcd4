"""Simulators of neural-graphics clusters: :class:`Simulator` runs a kernel, :mod:`mlpress.sim.ngpc.cycles` times it."""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.sim.ngpc.functional import Simulator

__all__ = ["Simulator"]

__getattr__ = lazy_door(__name__, {"Simulator": "functional"})
