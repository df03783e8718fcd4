"""Archives: one circuit a size, none that a smaller one beats, and those off the convex hull too."""

from __future__ import annotations

from math import log

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlpress.approx.gates.archive import BIN, Member, with_members
from mlpress.approx.gates.genome import Genome

GENOME = Genome(1, np.zeros(0, np.uint8), np.zeros((0, 2), np.int32), np.array([2], np.int32))


def member(cost: float, wrong: int) -> Member:
    return Member(GENOME, cost, wrong, 0, 0)


MEMBERS = st.lists(st.builds(member, st.integers(0, 5000).map(float), st.integers(0, 60)), max_size=60)


@given(MEMBERS, MEMBERS)
def test_members_are_the_best_of_their_size_and_beat_all_smaller_ones(old: list[Member], new: list[Member]) -> None:
    kept = with_members(old, new)
    every = [*old, *new]
    assert [each.cost for each in kept] == sorted(each.cost for each in kept)
    assert [each.wrong for each in kept] == sorted({each.wrong for each in kept}, reverse=True)
    assert len({each.bin for each in kept}) == len(kept)
    assert all(any(each is other for other in every) for each in kept)
    for each in every:  # nobody is lost to a worse one: whoever took the place is as good, and hardly larger
        assert any(
            other.wrong <= each.wrong and log(max(other.cost, 1)) < log(max(each.cost, 1)) + BIN * 1.001
            for other in kept
        )


@given(MEMBERS, MEMBERS)
def test_nothing_is_gained_by_adding_twice(old: list[Member], new: list[Member]) -> None:
    kept = with_members(old, new)
    assert with_members(kept, new) == kept
    assert with_members(kept, ()) == kept


def test_a_circuit_off_the_convex_hull_stays() -> None:
    """At no price of a row is the middle one the best."""
    corner, middle, other = member(1000.0, 50), member(2000.0, 48), member(3000.0, 10)
    for row in np.geomspace(1, 1e5, 50):
        energies = [each.cost + row * each.wrong for each in (corner, middle, other)]
        assert energies[1] > min(energies)
    assert with_members([corner, other], [middle]) == (corner, middle, other)
    assert with_members([corner, middle, other], [member(1900.0, 48)]) == (corner, member(1900.0, 48), other)
