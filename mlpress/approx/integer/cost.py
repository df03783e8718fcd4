"""The cost of candidates before anything is built: a net's parts, at the prices of a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.integer.engine import CHUNK, spread
from mlpress.approx.integer.genome_layout import Ints, Layout
from mlpress.approx.integer.heap import COMPARATOR, PARTS
from mlpress.approx.integer.net_cost import ALL_PARTS, Pricing, count_parts
from mlpress.approx.integer.training import StartShape
from mlpress.errors import MlpressError

Floats = NDArray[np.float64]
Prices = Mapping[str, float]

GRAINS = 2_000_000
"""Steps of a cost in each ``floor``: finer differences are noise in an estimate."""


@dataclass(frozen=True, slots=True, eq=False)
class CostModel:
    """Counts a net's parts and prices them.

    ``pricing.prices`` are by metric in the order of ``metrics``, of which the first one ranks.  ``floors`` (metrics,)
    is the cost below which differences are absolute: above it designs are spread by the logarithm of their cost.
    Where a net costs less with fewer neurons or smaller weights, ``trainings`` are the shapes of the nets that a search
    trains, in turn.
    """

    layout: Layout
    metrics: tuple[str, ...]
    pricing: Pricing
    floors: tuple[float, ...]
    trainings: tuple[StartShape, ...] = ()

    @classmethod
    def of(
        cls,
        layout: Layout,
        ways: Sequence[Mapping[str, Prices]],
        floors: Mapping[str, float],
        *,
        trainings: tuple[StartShape, ...] = (),
    ) -> CostModel:
        """Return the model of nets that can be built in these ``ways``.

        Each way has, by metric, a price for some of :data:`~mlpress.approx.integer.net_cost.ALL_PARTS`; a net is built
        in the cheapest way.  ``floors`` are by metric; their order is that of the metrics.
        """
        prices = np.zeros((len(floors), len(ways), len(ALL_PARTS)))
        for k, way in enumerate(ways):
            for m, metric in enumerate(floors):
                for part, price in way.get(metric, {}).items():
                    if part not in ALL_PARTS:
                        raise MlpressError(f"a net has no part {part!r}; there are {', '.join(ALL_PARTS)}")
                    prices[m, k, ALL_PARTS.index(part)] = price
        most = np.full(len(floors), np.inf)
        return cls(layout, tuple(floors), _pricing(prices, most), tuple(floors.values()), trainings)

    @property
    def floor(self) -> float:
        """The floor of the metric that ranks."""
        return self.floors[0]

    @property
    def grain(self) -> float:
        """The smallest difference of costs that is not noise."""
        return self.floor / GRAINS

    def ranked(self, metric: str) -> CostModel:
        """Return the model whose costs are in this metric; raise where it has no prices."""
        if metric not in self.metrics:
            raise MlpressError(
                f"designs cannot be searched for by {metric}; its cost model knows {', '.join(self.metrics)}"
            )
        order = sorted(range(len(self.metrics)), key=lambda k: self.metrics[k] != metric)
        return replace(
            self,
            metrics=tuple(self.metrics[k] for k in order),
            pricing=_pricing(self.pricing.prices[order], self.pricing.most[order]),
            floors=tuple(self.floors[k] for k in order),
        )

    def limited(self, most: Mapping[str, float], slack: float = 1.0) -> tuple[CostModel, float]:
        """Return the model with limits by metric, and the most that its own metric may be; both times ``slack``.

        A metric whose prices are in proportion to those of the one that ranks limits that one; what is beyond the limit
        of another makes a net dearer.
        """
        own, limits = np.inf, np.full(len(self.metrics), np.inf)
        prices = self.pricing.prices
        for metric, value in most.items():
            if metric not in self.metrics:
                continue  # known of built designs only
            k = self.metrics.index(metric)
            used = prices[0] > 0
            ratio = prices[k][used] / prices[0][used]
            if not np.any(prices[k][~used]) and np.allclose(ratio, ratio[:1], rtol=1e-9):
                own = min(own, value / float(ratio[0]))
            else:
                limits[k] = slack * value
        return replace(self, pricing=_pricing(prices, limits)), slack * own

    def parts(self, vectors: Ints, workers: int = 1) -> Ints:
        """Return how many of each part, int64 (members, parts), the vectors (members, layout.size) have."""
        parts = np.zeros((len(vectors), len(ALL_PARTS)), np.int64)

        def run(start: int) -> None:
            part = slice(start, start + CHUNK)
            count_parts(vectors[part], *self.layout.tables, self.pricing, parts[part])

        spread(run, range(0, len(vectors), CHUNK), workers)
        return parts

    def values(self, vectors: Ints, workers: int = 1) -> Floats:
        """Return the cost in every metric, float64 (members, metrics), each member built in its cheapest way."""
        by_way, dearer = self._by_way(vectors, workers)
        way = (by_way[0] * dearer).argmin(axis=0)
        values: Floats = by_way[:, way, np.arange(len(vectors))].T
        return values

    def cost(self, vectors: Ints, workers: int = 1) -> Floats:
        """Return the cost that a search minimises, float64 (members,)."""
        by_way, dearer = self._by_way(vectors, workers)
        cost: Floats = (by_way[0] * dearer).min(axis=0)
        return cost

    def _by_way(self, vectors: Ints, workers: int) -> tuple[Floats, Floats]:
        """Return costs (metrics, ways, members), and the factors (ways, members) of what is beyond limits."""
        parts, prices = self.parts(vectors, workers), self.pricing.prices
        if not self.pricing.program:
            parts, prices = parts[:, : len(PARTS)], prices[:, :, : len(PARTS)]
        by_way = np.array([[parts @ price for price in ways] for ways in prices])
        beyond = np.maximum(by_way / self.pricing.most[:, None, None], 1.0)
        dearer: Floats = (beyond[1:] ** 2).prod(axis=0)
        return by_way, dearer


def _pricing(prices: Floats, most: Floats) -> Pricing:
    priced = np.any(prices != 0, axis=(0, 1))
    return Pricing(
        np.ascontiguousarray(prices),
        most,
        bool(priced[: len(PARTS)].any()),
        bool(priced[len(PARTS) :].any()),
        bool(np.any(prices[:, :, COMPARATOR : len(PARTS)])),
    )
