"""The key of a search: a digest of all that decides its result."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from mlpress import ir
from mlpress.pipeline.compile import Options
from mlpress.pipeline.settings import Settings, search_target, settled
from mlpress.progress import Progress

if TYPE_CHECKING:
    from mlpress.frontend import Dataset

MOST_ROWS = 16_000
"""A search reads at most so many rows, of each class its share: every move is judged on all of them."""


def search_key(net: ir.Net, rows: Dataset, options: Options, settings: Settings) -> str:
    """Return a digest of all that decides the result of a search, but for its budget."""
    from mlpress.approx import Layout

    options, settings, metrics = settled(options, settings)
    target = search_target(options)
    model, costs = target.cost_model(Layout.of(net)), target.gate_costs(metrics[0].name)
    digest = sha256(repr((ir.to_text(net), target.name, target.facts(), metrics, settings)).encode())
    arrays = [rows.features, rows.labels]
    arrays += [] if model is None else [model.pricing.prices]
    arrays += [] if costs is None else [costs.area, costs.static_nw, np.array(costs.level_price())]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def sampled(rows: Dataset, seed: int, watch: Progress) -> Dataset:
    """Return at most :data:`MOST_ROWS` of the rows, of each class its share, in their order."""
    if len(rows) <= MOST_ROWS:
        return rows
    rng, kept = np.random.default_rng((seed, 6)), np.zeros(len(rows), np.bool_)
    for label in np.unique(rows.labels):
        of_class = np.flatnonzero(rows.labels == label)
        kept[rng.permutation(of_class)[: max(round(MOST_ROWS * len(of_class) / len(rows)), 1)]] = True
    watch.note(f"the search reads {int(kept.sum())} of the {len(rows)} rows, the same share of each class")
    return rows.take(np.flatnonzero(kept))
