"""Annealing chains over a search space, many at a time, and the nets that they visit."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.common.clock import now
from mlpress.approx.integer.anneal_kernel import Bins, Schedule, anneal
from mlpress.approx.integer.cost import CostModel
from mlpress.approx.integer.engine import Engine, spread
from mlpress.approx.integer.genome_layout import FLASH_BITS, Ints
from mlpress.approx.integer.kernels import BLOCK
from mlpress.approx.integer.moves import BIAS, BITS, FIELDS, HIGH, LEVELS, LOW, MASK, SHIFT, STEPS, WEIGHT, Genes
from mlpress.approx.integer.space import Space

Floats = NDArray[np.float64]

EARLY = 8
"""One row of so many, of each class, is judged first."""

FEW_ROWS = 2048
"""Data sets of fewer rows are judged in one go."""

BINS = 128
"""Error levels at which a chain remembers its cheapest net."""


class Finds(NamedTuple):
    """Nets that chains visited: vectors, int64 (nets, size); wrong rows, int64 (nets,); cost, float64 (nets,);
    ``origin``, int64 (nets,), the chain that visited it.
    """

    vectors: Ints
    wrong: Ints
    cost: Floats
    origin: Ints


class Annealer:
    """Runs :func:`mlpress.approx.integer.anneal_kernel.anneal` on the rows of an ``engine`` within a ``space``.

    Costs are those of the ``cost`` model.
    """

    def __init__(self, space: Space, engine: Engine, cost: CostModel) -> None:
        self.space, self.engine, self.cost = space, engine, cost
        order, self._rows = _staged(engine.labels)
        self._codes = engine.codes[:, order]
        self._lanes: dict[int, NDArray[np.signedinteger]] = {}
        self._genes = gene_tables(space)

    def run(
        self,
        genomes: Ints,
        steps: int,
        price: Floats,
        hot: Floats,
        cold: Floats,
        seeds: Ints,
        until: float = inf,
    ) -> Finds:
        """Anneal each of the genomes (members, genes) for ``steps`` proposals; return the nets to keep.

        ``price`` (rows per unit of cost), ``hot`` and ``cold`` (temperatures in rows) and ``seeds`` are (members,).
        Chains but for the first that would begin after the moment ``until`` (of :func:`mlpress.approx.now`) are left
        out.
        """
        vectors = self.space.vectors(genomes)
        lanes = self.engine.lanes(vectors)
        for bits in np.unique(lanes):
            if bits not in self._lanes:
                self._lanes[int(bits)] = np.ascontiguousarray(self._codes.astype(f"int{bits}"))
        size = vectors.shape[1]
        finds: list[Finds | None] = [None] * len(vectors)
        width = max(1, self.engine.rows // BINS)

        def run_one(i: int) -> None:
            if i and now() > until:
                return
            cost, wrong = np.full(BINS, np.inf), np.zeros(BINS, np.int64)
            found = np.zeros((BINS, size), np.int64)
            schedule = Schedule(steps, float(price[i]), float(hot[i]), float(cold[i]))
            tables = self.space.layout.tables
            codes = self._lanes[int(lanes[i])]
            anneal(
                vectors[i],
                *tables,
                self._genes,
                self._rows,
                codes,
                self.cost.pricing,
                schedule,
                int(seeds[i]),
                Bins(width, cost, wrong, found),
            )
            kept = np.isfinite(cost)
            kept[1:] &= cost[1:] < np.minimum.accumulate(cost)[:-1]  # more errors must save cost
            finds[i] = Finds(found[kept], wrong[kept], cost[kept], np.full(int(kept.sum()), i))

        spread(run_one, range(len(vectors)), self.engine.workers)
        done = [each for each in finds if each is not None]
        return Finds(*(np.concatenate(arrays) for arrays in zip(*done, strict=True)))


def gene_tables(space: Space) -> Genes:
    """Return the tables of the genes of ``space`` that moves read."""
    layout = space.layout
    tables, inputs = layout.tables, len(layout.tables.inputs)
    total = int(tables.layers["neurons"].sum())
    field = np.full(layout.size, -1, np.int64)
    place = np.zeros((layout.size, 4), np.int64)
    place[:, 0] = np.arange(layout.size)
    owner = np.where(space.groups < total, space.groups + inputs, -1)
    for k in range(len(tables.layers)):
        for code in (WEIGHT, MASK, BIAS, SHIFT, BITS, STEPS):
            positions = layout.field(FIELDS[code], k).ravel()
            field[positions], place[positions, 1] = code, k
            place[positions, 2] = np.arange(len(positions))
    for code in (LOW, HIGH, LEVELS):
        field[layout.field(FIELDS[code])] = code
    owner[layout.field("levels")] = np.arange(inputs)
    place[layout.field("levels"), 3] = tables.inputs <= FLASH_BITS
    free = np.full(layout.size, -1, np.int64)
    free[space.where] = np.arange(space.size)
    fields = field[space.where]
    order = np.argsort(fields, kind="stable").astype(np.int64)
    starts = np.searchsorted(fields[order], np.arange(len(FIELDS) + 1)).astype(np.int64)
    return Genes(space.low, space.high, free, place[space.where], order, starts, owner)


def _staged(labels: Ints) -> tuple[Ints, tuple[Ints, int]]:
    """Return an order of the rows; its blocks of one label (first row, end, label), and how many are early."""
    every = np.arange(len(labels))
    seen = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        seen[rows] = np.arange(len(rows)) % EARLY != 0 if len(labels) >= FEW_ROWS else 0
    order = np.lexsort((every, labels, seen))
    blocks: list[tuple[int, int, int]] = []
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1) | np.diff(seen[order], prepend=-1))
    for a, b in zip(starts, [*starts[1:], len(labels)], strict=True):
        blocks += [(int(c), int(min(c + BLOCK, b)), int(labels[order][a])) for c in range(a, b, BLOCK)]
    early = sum(seen[order][a] == 0 for a, _, _ in blocks)
    return order, (np.array(blocks, np.int64), int(early))
