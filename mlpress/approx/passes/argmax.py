"""Approximate arg-max: comparisons that see a range of bits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from mlpress.approx.passes.genes import Genes
from mlpress.errors import MlpressError
from mlpress.ir import Argmax, BitRange, Net, intervals, signed_bits


@dataclass(frozen=True, slots=True)
class ArgmaxRanges:
    """Every comparison sees bits ``low`` to ``high - 1`` of the scores (``None``: from ``low`` up).

    In a search every comparison has its own range (arXiv 2312.17612).  Nets of one score have no comparison and
    are left alone.
    """

    low: int = 0
    high: int | None = None
    name: ClassVar[str] = "argmax"

    def __post_init__(self) -> None:
        if self.low < 0 or (self.high is not None and self.high <= self.low):
            raise MlpressError(f"argmax: the range {self.low}..{self.high} is empty; high must be above low")

    def __call__(self, net: Net) -> Net:
        """Return ``net`` with narrower comparisons; ranges that the net already has are narrowed further."""
        if not isinstance(net.head, Argmax):
            return net
        ranges = net.head.ranges or (BitRange(),) * (len(net.classes) - 1)
        narrowed = tuple(self._narrow(window) for window in ranges)
        exact = all(window == BitRange() for window in narrowed)
        return replace(net, head=Argmax(() if exact else narrowed))

    def _narrow(self, window: BitRange) -> BitRange:
        tops = [high for high in (window.high, self.high) if high is not None]
        high = min(tops) if tops else None
        low = max(window.low, self.low)
        return BitRange(low if high is None else min(low, high - 1), high)

    def genes(self, net: Net) -> tuple[Genes, ...]:
        """Free the lowest bit and the bit above the highest that each comparison sees (0: all)."""
        if not isinstance(net.head, Argmax):
            return ()
        widest = max(signed_bits(low, high) for low, high in intervals(net)[-1].sums)
        return (Genes("low", 0, 0, widest - 1), Genes("high", 0, 0, widest + 1))
