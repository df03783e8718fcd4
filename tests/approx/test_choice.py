"""Which design of a front is chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import egfet

from mlpress.approx import Candidate, Front
from mlpress.errors import MlpressError


def candidate(fit: float, validation: float, area: float) -> Candidate:
    return Candidate((), fit, validation, {"area": area, "power": 3 * area})


SMALL, LUCKY, GOOD, LARGE = DESIGNS = (
    candidate(0.80, 0.79, 0.1),
    candidate(0.84, 0.93, 0.2),
    candidate(0.90, 0.91, 0.3),
    candidate(0.90, 0.91, 0.4),
)


FRONT = Front(DESIGNS, 0.92, egfet.METRICS)


def test_all_rows_rank_designs_and_area_breaks_ties() -> None:
    assert GOOD.ranking == pytest.approx(0.25 * 0.91 + 0.75 * 0.90)
    assert FRONT.most_accurate() is GOOD
    assert FRONT.most_accurate(most={"area": 0.25}) is LUCKY
    assert FRONT.most_accurate(most={"power": 0.5}) is SMALL


def test_the_smallest_within_a_loss_on_validation_rows() -> None:
    assert FRONT.smallest(max_loss=0.02) is LUCKY
    assert FRONT.smallest(max_loss=0.20) is SMALL
    with pytest.raises(MlpressError, match=r"no design is within 0.01 of the accuracy 0.9800: the best has 0.9300"):
        replace(FRONT, reference=0.98).smallest(max_loss=0.01)
    with pytest.raises(MlpressError, match=r"no design is within 0.05 cm2 and 2 mW"):
        FRONT.smallest(max_loss=0.02, most={"area": 0.05, "power": 2.0})
