"""Sensors between rows and a device."""

from __future__ import annotations

import numpy as np
import pytest

from mlpress.errors import MlpressError
from mlpress.sim import hil

ROWS = np.random.default_rng(0).uniform(-2, 5, (400, 3))


def test_a_converter_has_its_levels() -> None:
    found = hil.distort(ROWS, [hil.Adc(bits=3)], 0)
    low, high = ROWS.min(axis=0), ROWS.max(axis=0)
    for k in range(3):
        levels = np.linspace(low[k], high[k], 8)
        assert np.abs(found[:, k, None] - levels).min(axis=1).max() < 1e-12
        nearest = levels[np.abs(ROWS[:, k, None] - levels).argmin(axis=1)]
        np.testing.assert_allclose(found[:, k], nearest)
    clipped = hil.distort(ROWS, [hil.Adc(bits=1, low=0.0, high=3.0)], 0)
    assert set(clipped.ravel()) == {0.0, 3.0}
    constant = np.full((5, 2), 7.5)
    np.testing.assert_array_equal(hil.distort(constant, [hil.Adc()], 0), constant)


def test_noise_is_a_share_of_full_scale() -> None:
    found = hil.distort(ROWS * [1, 10, 0], [hil.Noise(0.05)], 1) - ROWS * [1, 10, 0]
    span = np.ptp(ROWS, axis=0)
    np.testing.assert_allclose(found.std(axis=0), 0.05 * span * [1, 10, 0], rtol=0.1)


def test_a_lost_sample_keeps_the_value_before() -> None:
    found = hil.distort(ROWS, [hil.Missing(0.3)], 2)
    lost = found != ROWS
    assert 0.25 < lost.mean() < 0.35
    for row, column in np.argwhere(lost):
        assert found[row, column] == (found[row - 1, column] if row else 0.0)
    assert not hil.distort(ROWS, [hil.Missing(1.0)], 2).any()


def test_same_seed_same_rows() -> None:
    sensors = [hil.Noise(0.1), hil.Missing(0.1), hil.Adc(6)]
    one, two, other = (hil.distort(ROWS, sensors, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()
    np.testing.assert_array_equal(hil.distort(ROWS, [], 1), ROWS)


def test_sensors_by_text() -> None:
    assert hil.read_sensor("adc:bits=6,high=3.3") == hil.Adc(6, None, 3.3)
    assert hil.read_sensor("noise:sigma=0.5") == hil.Noise(0.5)
    assert hil.read_sensor("missing") == hil.Missing(0.01)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("camera", "no sensor 'camera'; there are adc, noise, missing"),
        ("adc:depth=3", "sensor adc has no option 'depth'; there are bits, low, high"),
        ("adc:bits=2.5", "option bits of sensor adc is '2.5'; give a number"),
        ("adc:bits=99", "sensor adc has 99 bits; give 1 to 24"),
        ("adc:low=2,high=1", "high must be above low"),
        ("noise:sigma=nan", "give a finite number"),
        ("noise:sigma=-1", "0 or more"),
        ("missing:rate=2", "a probability"),
    ],
)
def test_wrong_sensors(text: str, says: str) -> None:
    with pytest.raises(MlpressError, match=says):
        hil.read_sensor(text)
