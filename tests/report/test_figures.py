"""Values as a person reads them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from mlpress.report.figures import figure, join, label, percent, span, words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.01234, "0.0123"),
        (4.2149, "4.21"),
        (9.999, "10.0"),
        (75.16, "75.2"),
        (999.7, "1,000"),
        (2776032.4, "2,776,032"),
        (812, "812"),
        (12345678, "12,345,678"),
        (1.23e8, "1.23e+08"),
        (1.23e-5, "1.23e-05"),
        (0.0, "0"),
        (-4.2149, "-4.21"),
        (math.nan, "nan"),
        (None, "–"),
        ("n/a", "n/a"),
        (True, "yes"),
    ],
)
def test_figure(value: Any, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.89474, "89.5\N{NO-BREAK SPACE}%"), (1, "100.0\N{NO-BREAK SPACE}%"), (None, "–")]
)
def test_percent(value: Any, text: str) -> None:
    assert percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "–"),
        ([], "–"),
        (False, "no"),
        (20240101, "20240101"),
        (0.5, "0.5"),
        ("a\tb\x1bc", "a b\N{REPLACEMENT CHARACTER}c"),
        ({"x0": 4, "y": [1, 2]}, "x0 4, y (1, 2)"),
        ([[[[[[1]]]]]], "((((…))))"),
    ],
)
def test_words(value: Any, text: str) -> None:
    assert words(value) == text


def test_short_forms() -> None:
    assert span([13, 12, 13]) == "12 to 13"
    assert span([9]) == "9"
    assert span([]) == "–"
    assert join(["a"]) == "a"
    assert join(["a", "b", "c"]) == "a, b and c"
    assert label("rate_hz") == "rate hz"
