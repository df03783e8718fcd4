"""The problem of an evolution, and its options.

Every fold of the rows has archives of its own, which never see its held-out rows; so the accuracy of their circuits
there estimates that of circuits of similar area, evolved on all rows in the same way, on unseen rows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from mlpress.approx.common.teacher import Augmentation, check_augmentation
from mlpress.approx.gates.archive import Member
from mlpress.approx.gates.cells import GateCosts
from mlpress.approx.gates.rows import Rows, held_out_folds
from mlpress.approx.gates.starts import Start
from mlpress.approx.gates.whole import whole_area
from mlpress.errors import MlpressError
from mlpress.ir import Input

WORTH = 0.02
"""The share of the rows that the largest circuit is traded for at the highest price."""

MOST_PRICE = 512.0

MARGIN = 1.5
"""Cycles leave from circuits up to so many times the area that is allowed: good ones come down from larger ones."""


@dataclass(frozen=True, slots=True)
class GateSearchOptions:
    """Options of a round.

    ``prices`` of a row, highest first, are in areas of the technology's smallest gate of two inputs.  An annealing at a
    price makes ``visits`` visits, and the fewer the more its circuit exceeds ``gates`` gates, since a visit to a large
    circuit takes longer: down to an eighth.  It draws ``draws``: signals, pairs, and nested pairs.  A round has
    ``cycles`` cycles, each up to ``swing`` prices up from where a circuit is the best one, and then down.  Rows are
    split into ``folds``; each fold has one archive per augmentation of ``augmentations``.  ``power`` is the weight of
    static power, um2 per nW.  ``quick_teacher`` is for searches of seconds.  With ``offset_sigma``, a share of full
    scale, rows are seen through comparators that are off by so much (:mod:`mlpress.approx.gates.offsets`).
    """

    prices: tuple[float, ...] = tuple(16.0 * 2 ** (-k / 2) for k in range(17))
    visits: int = 1000
    gates: int = 400
    draws: tuple[int, int, int] = (32, 32, 16)
    cycles: int = 4
    swing: int = 10
    folds: int = 4
    augmentations: tuple[Augmentation, ...] = ("moved", "mixed")
    power: float = 0.0
    quick_teacher: bool = False
    offset_sigma: float = 0.0

    def __post_init__(self) -> None:
        if self.folds < 2 or min(self.visits, self.cycles) < 1 or not self.augmentations:
            raise MlpressError("gate-level evolution needs 2 folds, 1 visit, 1 cycle and 1 augmentation or more")
        if not self.prices or min(self.prices) <= 0 or list(self.prices) != sorted(self.prices, reverse=True):
            raise MlpressError("gate-level evolution needs prices above 0, the highest first")
        for augmentation in self.augmentations:
            check_augmentation(augmentation)
        if not 0 <= self.offset_sigma <= 1:
            raise MlpressError(f"the offsets' sigma is {self.offset_sigma:g}; it is a share of full scale, 0 to 1")
        if not self.power >= 0:
            raise MlpressError(f"the weight of power is {self.power:g}; it must be 0 or more")


def prices_for(rows: int, gates: float) -> tuple[float, ...]:
    """Return the default prices, and higher ones where ``gates`` gates decide few ``rows``.

    At the highest price a circuit of so many gates is traded for :data:`WORTH` of the rows, so that one that needs them
    (the circuit of an arithmetic network, say) keeps its accuracy, at least on the way down.
    """
    usual = GateSearchOptions().prices
    wanted = min(gates / (WORTH * rows), MOST_PRICE)
    more = max(ceil(2 * log2(wanted / usual[0])), 0) if wanted > 0 else 0
    return (*(usual[0] * 2 ** (k / 2) for k in range(more, 0, -1)), *usual)


@dataclass(frozen=True, slots=True, eq=False)
class GateProblem:
    """All that a round of an archive needs, plain enough to send to another computer.

    Cycles leave from circuits of no more than about ``most_cost`` (:data:`MARGIN`), where that is given.
    """

    inputs: tuple[Input, ...]
    classes: tuple[int | str, ...]
    rows: Rows
    starts: tuple[Start, ...]
    costs: GateCosts
    effort: GateSearchOptions
    seed: int
    most_cost: float | None = None
    key: str = field(init=False)

    def __post_init__(self) -> None:
        facts = (
            self.inputs,
            self.classes,
            [start.key for start in self.starts],
            self.effort,
            self.seed,
            self.most_cost,
        )
        digest = hashlib.sha256(repr(facts).encode())
        places = () if self.rows.places is None else (self.rows.places,)
        for array in (self.rows.codes, self.rows.labels, self.costs.area, self.costs.static_nw, *places):
            digest.update(np.ascontiguousarray(array).tobytes())
        object.__setattr__(self, "key", digest.hexdigest())

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GateProblem) and self.key == other.key

    def area(self, member: Member) -> int:
        """Return the cost, in steps, of a circuit's gates and of the levels that it reads."""
        if self.costs.by_states():
            return round(member.cost)
        return whole_area(member.genome, self.inputs, self.costs)

    @property
    def unit(self) -> float:
        """The cost of the cheapest gate of two inputs, in steps: the unit of prices and temperatures."""
        return self.costs.unit

    @property
    def archives(self) -> int:
        """The number of archives: one per fold and one of all rows, per augmentation."""
        return (self.effort.folds + 1) * len(self.effort.augmentations)

    def fold(self, archive: int) -> int:
        """Return the fold held out of an archive; ``effort.folds`` where it learns from all rows."""
        return archive % (self.effort.folds + 1)

    def may_enter(self, other: int, archive: int) -> bool:
        """Return whether ``archive`` may take in circuits of ``other``, which saw none of the rows held out of it."""
        return self.fold(archive) in (self.fold(other), self.effort.folds)

    def augmentation(self, archive: int) -> Augmentation:
        """Return how the archive's rows are augmented."""
        return self.effort.augmentations[archive // (self.effort.folds + 1)]

    def held_out(self, archive: int) -> NDArray[np.bool_]:
        """Return which rows (rows,) the archive does not learn from."""
        if self.fold(archive) == self.effort.folds:
            return np.zeros(len(self.rows), np.bool_)
        held: NDArray[np.bool_] = held_out_folds(self.rows.labels, self.effort.folds, self.seed)[self.fold(archive)]
        return held
