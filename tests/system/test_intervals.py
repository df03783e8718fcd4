"""Wilson's interval against the equation that defines it, and its edges."""

import numpy as np
import pytest

from mlpress.intervals import Z, accuracy_interval


@pytest.mark.parametrize("rows", [1, 2, 10, 93, 3298])
def test_the_bounds_solve_wilsons_equation(rows: int) -> None:
    """``(share - p)**2 = Z**2 * p * (1 - p) / rows`` at both ends."""
    for right in range(0, rows + 1, max(rows // 7, 1)):
        share = right / rows
        low, high = accuracy_interval(share, rows)
        roots = sorted(np.roots([1 + Z * Z / rows, -(2 * share + Z * Z / rows), share * share]).real)
        assert (low, high) == pytest.approx(tuple(roots), abs=1e-9)
        assert 0.0 <= low <= share <= high <= 1.0


def test_nothing_and_all_right_end_at_the_edge() -> None:
    assert accuracy_interval(0.0, 10).low == 0.0
    assert accuracy_interval(1.0, 10).high == 1.0
    assert accuracy_interval(1.0, 10).low == pytest.approx(10 / (10 + Z * Z))
    assert accuracy_interval(0.5, 0) == (0.0, 1.0)


def test_z_is_the_normal_quantile() -> None:
    from statistics import NormalDist

    assert pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-12) == Z
