"""Rows as printed copies read them: every comparator's threshold is off by an amount of its own, for good.

A circuit that is to be printed is evolved on rows that are seen through offsets, drawn anew for every round, and judged
on held-out rows through others, which are the same for all circuits and trees.  What comparators of a copy answer need
not be a code: a level may be reached and a lower one not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.gates.cells import GateCosts
from mlpress.approx.gates.chain import new_state
from mlpress.approx.gates.genome import Genome
from mlpress.approx.gates.rows import PackedRows, Rows, pack_bits, pack_rows, packed_order
from mlpress.errors import MlpressError
from mlpress.ir import Input, code_values, level_reach
from mlpress.sim import packed as packing

LEARNED, JUDGED = 16, 16
"""Printed copies that a round's rows are seen through, and those that held-out rows are judged through."""

ENOUGH_ROWS = 2048
"""Rows that a round learns from at least, where rows are few: each is then seen through several copies."""


def offset_bits(
    inputs: Sequence[Input], places: NDArray[np.float64], offsets: NDArray[np.float64], copy: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return what comparators answer, bool (input bits, rows), where row ``r`` is seen by copy number ``copy[r]``.

    ``places`` float64 (rows, inputs) are ``feature * scale + offset``; ``offsets`` float64 (copies, input bits) are in
    shares of full scale.
    """
    if any(feature.interface == "binary" for feature in inputs):
        raise MlpressError("offsets are those of comparators; take --interface unary")
    found = np.empty((offsets.shape[1], len(places)), np.bool_)
    bit = 0
    for k, feature in enumerate(inputs):
        for level in feature.reached:
            reach = level_reach(feature, level)
            moved = places[:, k] + offsets[copy, bit] * reach.full
            found[bit] = moved > reach.at if reach.strict else moved >= reach.at
            bit += 1
    return found


def somewhere(inputs: Sequence[Input], codes: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a place, float64 (rows, inputs), that gives each of the ``codes``: evenly up to the next kept level."""
    places = np.empty(codes.shape)
    for k, feature in enumerate(inputs):
        ends = np.array([*code_values(feature), 1 << feature.bits], np.float64)
        ends -= 0.5 * (feature.rounding == "even")
        at = np.searchsorted(code_values(feature), codes[:, k])
        places[:, k] = ends[at] + rng.random(len(codes)) * (ends[at + 1] - ends[at])
    return places


def repeated(rows: Rows) -> Rows:
    """Return ``rows`` as often, up to :data:`LEARNED` times, as makes :data:`ENOUGH_ROWS` of them."""
    return rows.take(np.tile(np.arange(len(rows)), min(LEARNED, -(-ENOUGH_ROWS // len(rows)))))


def learned_rows(inputs: Sequence[Input], classes: int, rows: Rows, sigma: float, seed: tuple[int, ...]) -> PackedRows:
    """Pack ``rows``, which have places, each seen by one of :data:`LEARNED` copies that are drawn from ``seed``."""
    bits = _seen_bits(inputs, rows, sigma, np.random.default_rng(seed))
    order = packed_order(rows)
    return pack_bits(bits[:, order], rows.labels[order], classes)


def seen_rows(inputs: Sequence[Input], rows: Rows, sigma: float, seed: tuple[int, ...]) -> Rows:
    """Return ``rows``, which have places, repeated, with the codes that copies see.

    Where a copy reaches a level and a lower one not, the code is that of as many levels as are reached.
    """
    rows = repeated(rows)
    bits = _seen_bits(inputs, rows, sigma, np.random.default_rng(seed))
    codes, bit = np.empty_like(rows.codes), 0
    for k, feature in enumerate(inputs):
        codes[:, k] = np.array(code_values(feature))[bits[bit : bit + feature.width].sum(axis=0)]
        bit += feature.width
    return Rows(codes, rows.labels, rows.places)


def _seen_bits(inputs: Sequence[Input], rows: Rows, sigma: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return what comparators answer to rows, each seen by one of :data:`LEARNED` copies: bool (input bits, rows)."""
    assert rows.places is not None  # the caller gives them
    offsets = sigma * rng.standard_normal((LEARNED, sum(feature.width for feature in inputs)))
    return offset_bits(inputs, rows.places, offsets, rng.integers(LEARNED, size=len(rows)))


def judging_rows(inputs: Sequence[Input], classes: int, rows: Rows, sigma: float, seed: int) -> PackedRows:
    """Pack ``rows``, which have places, as all of :data:`JUDGED` copies see them: those of one copy after another's."""
    assert rows.places is not None  # the caller gives them
    rng = np.random.default_rng((seed, 17))
    offsets = sigma * rng.standard_normal((JUDGED, sum(feature.width for feature in inputs)))
    copy = np.repeat(np.arange(JUDGED), len(rows))
    bits = offset_bits(inputs, np.tile(rows.places, (JUDGED, 1)), offsets, copy)
    return pack_bits(bits, np.tile(rows.labels, JUDGED), classes)


def right_shares(
    genome: Genome, inputs: tuple[Input, ...], classes: int, rows: Rows, costs: GateCosts, sigma: float, seed: int
) -> NDArray[np.float64]:
    """Return the share of the judging copies of a netlist that decide each row rightly, float64 (rows,).

    Without offsets it is 1 where the netlist decides rightly, else 0.
    """
    if sigma:
        packed, order = judging_rows(inputs, classes, rows, sigma, seed), np.arange(JUDGED * len(rows))
    else:
        packed, order = pack_rows(inputs, classes, rows), packed_order(rows)
    right = np.empty(len(order))
    right[order] = packing.unpack(new_state(genome, packed, costs, 0).right[None], len(order))[0]
    shares: NDArray[np.float64] = right.reshape(-1, len(rows)).mean(axis=0)
    return shares
