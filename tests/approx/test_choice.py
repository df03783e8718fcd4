"""Which design of a front is chosen."""

from __future__ import annotations

import pytest

from mlpress.approx import Candidate
from mlpress.approx.common.choice import most_accurate, smallest
from mlpress.errors import MlpressError


def candidate(fit: float, validation: float, area: float) -> Candidate:
    return Candidate((), fit, validation, area, 3 * area)


SMALL, LUCKY, GOOD, LARGE = FRONT = (
    candidate(0.80, 0.79, 0.1),
    candidate(0.84, 0.93, 0.2),
    candidate(0.90, 0.91, 0.3),
    candidate(0.90, 0.91, 0.4),
)


def test_all_rows_rank_designs_and_area_breaks_ties() -> None:
    assert GOOD.ranking == pytest.approx(0.25 * 0.91 + 0.75 * 0.90)
    assert most_accurate(FRONT, None, None) is GOOD
    assert most_accurate(FRONT, 0.25, None) is LUCKY
    assert most_accurate(FRONT, None, 0.5) is SMALL


def test_the_smallest_within_a_loss_on_validation_rows() -> None:
    assert smallest(FRONT, 0.92, 0.02, None, None) is LUCKY
    assert smallest(FRONT, 0.92, 0.20, None, None) is SMALL
    with pytest.raises(MlpressError, match=r"no design is within 0.01 of the accuracy 0.9800: the best has 0.9300"):
        smallest(FRONT, 0.98, 0.01, None, None)
    with pytest.raises(MlpressError, match=r"no design is within 0.05 cm2 and 2 mW"):
        smallest(FRONT, 0.92, 0.02, 0.05, 2.0)
