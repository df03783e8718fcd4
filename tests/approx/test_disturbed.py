"""Disturbed copies of few rows, and the teacher that labels them."""

from __future__ import annotations

import numpy as np
import pytest

from mlpress.approx.disturbed import with_copies
from mlpress.errors import MlpressError
from mlpress.ir import Input

INPUTS = (Input("a", 4, 1.0, 0.0), Input("b", 6, 1.0, 0.0), Input("c", 1, 1.0, 0.0))
TOP = np.array([15, 63, 1])


def drawn(rows: int) -> tuple[np.ndarray, np.ndarray]:
    codes = np.random.default_rng(rows).integers(0, TOP + 1, (rows, 3))
    return codes, (codes[:, 0] > 7).astype(np.int64) * 2  # class 1 has no row


@pytest.mark.parametrize(("rows", "times"), [(60, 7), (400, 5), (1001, 1)])
def test_few_rows_are_copied_and_many_are_not(rows: int, times: int) -> None:
    codes, labels = drawn(rows)
    found, taught = with_copies(codes, labels, INPUTS, 0.1, 3)
    assert found.shape == (times * rows, 3)
    assert np.array_equal(found[:rows], codes)
    assert np.array_equal(taught[:rows], labels)
    assert len(taught) == len(found)
    assert np.all((found >= 0) & (found <= TOP))


def test_copies_move_by_a_share_of_the_range_and_the_teacher_knows_better_than_their_rows() -> None:
    codes, labels = drawn(200)
    found, taught = with_copies(codes, labels, INPUTS, 0.1, 3)
    copies, before = found[200:], np.tile(codes, (6, 1))
    assert np.array_equal(copies[:, 2], before[:, 2])  # a tenth of a bit rounds to nothing
    assert 0.5 < np.mean(np.abs(copies - before)[:, 0]) < 2.0
    assert 3.0 < np.mean(np.abs(copies - before)[:, 1]) < 6.0
    truth = (copies[:, 0] > 7) * 2
    assert set(taught.tolist()) == {0, 2}
    assert np.mean(taught[200:] == truth) > np.mean(np.tile(labels, 6) == truth)
    assert np.mean(taught[200:] == truth) > 0.95


def test_the_same_seed_gives_the_same_copies_and_no_noise_none() -> None:
    codes, labels = drawn(60)
    one, other, another = (with_copies(codes, labels, INPUTS, 0.1, seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one[0], another[0])
    assert with_copies(codes, labels, INPUTS, 0.0, 3)[0] is codes
    assert with_copies(codes, labels * 0, INPUTS, 0.1, 3)[0] is codes
    with pytest.raises(MlpressError, match=r"the noise is -1; it must be 0 or more"):
        with_copies(codes, labels, INPUTS, -1, 3)
