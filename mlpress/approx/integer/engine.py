"""The population engine: exact counts of the rows that each candidate gets wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.integer.genome_layout import NO_HEAD, Ints, Layout
from mlpress.approx.integer.kernels import count_wrong, find_lanes
from mlpress.errors import MlpressError
from mlpress.ir import check_codes

CHUNK = 16
"""Members per call of the kernel."""


class Engine:
    """Counts wrongly classified rows of whole populations, on ``workers`` threads (``None``: all cores).

    Equal to :func:`mlpress.ir.interpret` for every vector of the ``layout``.  ``codes`` is integer (rows, inputs),
    before any pruning of levels; ``labels`` is the class index of each row.
    """

    def __init__(self, layout: Layout, codes: NDArray[np.integer], labels: Ints, workers: int | None = None) -> None:
        if layout.tables.head[0] == NO_HEAD:
            raise MlpressError("this net gives scores, not classes; the search needs a classifier")
        table = check_codes(layout.encoder(), codes)
        if len(labels) != len(table) or not len(labels):
            raise MlpressError(f"{len(labels)} labels for {len(table)} rows; the search needs a label for every row")
        if labels.min() < 0 or labels.max() >= len(layout.net.classes):
            raise MlpressError(f"labels reach from {labels.min()} to {labels.max()}; they must be class indices")
        order = np.argsort(labels, kind="stable")
        self.layout = layout
        self.rows = len(table)
        self.workers = workers or os.cpu_count() or 1
        self.codes = np.ascontiguousarray(table[order].T)
        self.labels = labels[order]
        self.segments = _segments(self.labels)
        self._lanes: dict[int, NDArray[np.signedinteger]] = {}

    def planes(self, bits: int) -> NDArray[np.signedinteger]:
        """Return the input codes (inputs, rows) in lanes of 16, 32 or 64 bits."""
        if bits not in self._lanes:
            self._lanes[bits] = self.codes.astype(f"int{bits}")
        return self._lanes[bits]

    def lanes(self, vectors: Ints) -> Ints:
        """Return the bits of the lanes that each vector needs, int64 (members,)."""
        lanes = np.empty(len(vectors), np.int64)
        find_lanes(vectors, self.layout.tables.layers, self.layout.tables.inputs, lanes)
        return lanes

    def wrong(self, vectors: Ints) -> Ints:
        """Count the wrong rows of each of the vectors (members, layout.size), int64 (members,)."""
        wrong, tables = np.zeros(len(vectors), np.int64), self.layout.tables
        lanes = self.lanes(vectors)
        needed = [int(bits) for bits in np.unique(lanes)]
        for bits in needed:
            self.planes(bits)

        def run(start: int) -> None:
            part = slice(start, start + CHUNK)
            for bits in needed:
                count_wrong(vectors[part], *tables, self.segments, self._lanes[bits], lanes[part], wrong[part])

        spread(run, range(0, len(vectors), CHUNK), self.workers)
        return wrong


def spread(task: Callable[[int], None], items: range, workers: int) -> None:
    """Run ``task`` on every item on ``workers`` threads; tasks release the GIL and write apart from each other."""
    if workers == 1 or len(items) < 2:
        for item in items:
            task(item)
        return
    pool = ThreadPoolExecutor(workers)
    try:
        for _ in pool.map(task, items):
            pass
    finally:  # an interrupt waits for the tasks that run and drops the others
        pool.shutdown(cancel_futures=True)


def _segments(labels: Ints) -> Ints:
    """Return runs of equal labels as (first row, row after the last, label), int64 (runs, 3)."""
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    return np.stack([starts, np.append(starts[1:], len(labels)), labels[starts]], axis=1).astype(np.int64)
