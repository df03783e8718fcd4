"""Neighbours of rows, and the teacher that labels them."""

from __future__ import annotations

import numpy as np
import pytest

from mlpress.approx.common.teacher import AUGMENTATIONS, Augmentation, augment_rows
from mlpress.errors import MlpressError
from mlpress.ir import Input

INPUTS = (Input("a", 4, 1.0, 0.0), Input("b", 6, 1.0, 0.0), Input("c", 1, 1.0, 0.0))
TOP = np.array([15, 63, 1])


def drawn(rows: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(rows)
    codes = rng.integers(0, TOP + 1, (rows, 3))
    return codes, truth(codes) ^ 2 * (rng.random(rows) < noise)


def truth(codes: np.ndarray) -> np.ndarray:
    return (codes[:, 0] > 7).astype(np.int64) * 2  # class 1 has no row


@pytest.mark.parametrize("augmentation", ["moved", "mixed"])
@pytest.mark.parametrize(("rows", "copies"), [(60, 16), (400, 5), (1001, 1)])
def test_rows_come_first_and_are_a_third(rows: int, copies: int, augmentation: Augmentation) -> None:
    codes, labels = drawn(rows)
    found, said = augment_rows(codes, labels, INPUTS, augmentation, 3, most=2000)
    times = (copies + 1) // 2
    assert found.shape == ((times + copies) * rows, 3)
    assert np.array_equal(found[: times * rows], np.repeat(codes, times, axis=0))
    assert np.array_equal(said[: times * rows], np.repeat(labels, times))
    assert len(said) == len(found)
    assert np.all((found >= 0) & (found <= TOP))


def test_moved_codes_are_one_off_and_mixed_ones_another_rows() -> None:
    codes, labels = drawn(100)
    near = augment_rows(codes, labels, INPUTS, "moved", 3)[0][800:]
    step = np.abs(near - np.repeat(codes, 16, axis=0))
    assert step.max() == 1
    assert 0.4 < np.mean(step[:, 1]) < 0.6
    near = augment_rows(codes, labels, INPUTS, "mixed", 3)[0][800:]
    for column in range(3):
        assert set(near[:, column]) <= set(codes[:, column])
    changed = np.mean(near != np.repeat(codes, 16, axis=0), axis=0)
    assert np.all(changed < 0.6)
    assert changed[1] > 0.3


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("augmentation", ["moved", "mixed"])
def test_the_teacher_knows_better_than_noisy_labels(augmentation: Augmentation, quick: bool) -> None:
    codes, labels = drawn(300, noise=0.1)
    found, said = augment_rows(codes, labels, INPUTS, augmentation, 3, quick=quick)
    near, said = found[8 * 300 :], said[8 * 300 :]
    assert set(said.tolist()) == {0, 2}
    assert np.mean(said == truth(near)) > np.mean(labels == truth(codes)) + 0.02


@pytest.mark.parametrize("augmentation", ["moved", "mixed"])
def test_the_same_seed_gives_the_same_neighbours(augmentation: Augmentation) -> None:
    codes, labels = drawn(60)
    one, other, another = (augment_rows(codes, labels, INPUTS, augmentation, seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one[0], another[0])


def test_where_there_is_nothing_to_teach() -> None:
    codes, labels = drawn(60)
    assert augment_rows(codes, labels, INPUTS, "rows", 3)[0] is codes
    for augmentation in AUGMENTATIONS:
        assert augment_rows(codes, labels, INPUTS, augmentation, 3, most=59)[0] is codes
        assert augment_rows(codes, labels * 0, INPUTS, augmentation, 3)[0] is codes
        two = np.array([0, 1])
        assert len(augment_rows(codes[:2], two, INPUTS, augmentation, 3)[0]) in (2, 48)
    with pytest.raises(MlpressError, match=r"no augmentation 'none'; there are rows, moved, mixed"):
        augment_rows(codes, labels, INPUTS, "none", 3)  # type: ignore[arg-type]
