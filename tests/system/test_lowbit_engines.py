"""1,000 random QCDQ and QONNX networks of 1 to 8 bits: every engine gives what the exporter means, bit for bit.

``make test`` takes 20 of them, and of these the smallest in Verilog and in C.
"""

from __future__ import annotations

import pytest
from support.lowbit_engines import (
    case,
    check,
    check_c,
    check_circuit,
    check_codes,
    check_single_precision,
    check_verilog,
)

COUNT, EACH = 1000, 40


@pytest.mark.parametrize("seed", [*range(18), 81, 373])  # the last two: scales per channel on both sides of the scores
def test_codes_and_classes_are_the_exporters(seed: int) -> None:
    one = case(seed, 60)
    codes = check_codes(one)
    if seed % 2:
        assert check_single_precision(one) == 0
    if seed in (3, 15):
        assert check_circuit(one, codes) > 500


def test_the_smallest_in_c_and_in_verilog() -> None:
    cases = [case(seed, 40) for seed in (1, 7, 11)]
    coded = [(one, check_codes(one)) for one in cases]
    assert check_c(coded) == len(coded)
    for one, codes in coded[:1]:
        check_verilog(one, codes, netlists=True)


@pytest.mark.parametrize(
    "first",
    [pytest.param(k, marks=pytest.mark.long if k < 5 * EACH else pytest.mark.campaign) for k in range(0, COUNT, EACH)],
)
def test_a_thousand_in_every_engine(first: int) -> None:
    counts = check(range(first, first + EACH), rows=60, verilog=8, netlists=40)
    assert counts["exporter"] == counts["interpreter"] == counts["onnxruntime"] == counts["packed bits"] == EACH
    assert counts["C"] >= EACH - 2
    assert counts["RTL"] >= 3
    assert counts["rows that single precision rounds otherwise"] <= 1
