"""The trainer: its gradients against differences, and that it learns the same thing twice."""

import numpy as np
import pytest
from support.fields import small

from mlpress import ir
from mlpress.errors import MlpressError
from mlpress.frontend import fields
from mlpress.frontend.fit import _Trainer, fit, picture_samples, pixel_places, torus_distance, torus_samples


def test_gradients_are_those_of_differences() -> None:
    field = small("nerf", "densegrid", seed=4)
    rng = np.random.default_rng(0)
    rows = rng.random((64, 6), np.float32)
    wanted = rng.random((64, 4), np.float32)

    def loss(changed: ir.Field) -> float:
        return float(np.mean((ir.interpret_field(changed, rows).astype(np.float64) - wanted) ** 2))

    made = _Trainer(field)
    groups = [one for group in (made.tables, made.weights) for found in group.values() for one in found]
    slopes = []
    for one in groups:
        one.step = lambda rate, count, one=one: slopes.append(one.slope.copy())  # type: ignore[method-assign]
    made.step(rows, wanted, 0.0)
    for one, slope in zip(groups, slopes, strict=True):
        at = np.unravel_index(np.argmax(np.abs(slope)), slope.shape)
        kept, step = one.values[at], np.float32(1e-3)
        one.values[at] = kept + step
        above = loss(made.field())
        one.values[at] = kept - step
        below = loss(made.field())
        one.values[at] = kept
        assert slope[at] == pytest.approx((above - below) / (2 * step), rel=0.05, abs=2e-5)


def test_a_picture_is_learned_and_learned_again_the_same() -> None:
    down, across = np.mgrid[0:24, 0:32] / 32
    picture = np.stack([across, down, np.sin(9 * across) / 2 + 0.5], axis=2)
    start = fields.application("gia", "hashgrid", size=32, shape=ir.GridShape("hash", 2, 4, 2, 4, 1.6, 1 << 10))
    heard: list[float] = []
    found = fit(start, picture_samples(picture), steps=150, batch=512, report=lambda step, error: heard.append(error))
    error = np.mean((ir.interpret_field(found, pixel_places(24, 32)) - picture.reshape(-1, 3)) ** 2)
    assert error < 5e-4 < heard[0] / 20
    assert fit(start, picture_samples(picture), steps=150, batch=512) == found


def test_a_distance_is_learned() -> None:
    start = fields.application("nsdf", "hashgrid", shape=ir.GridShape("hash", 3, 4, 2, 4, 1.6, 1 << 12))
    found = fit(start, torus_samples(), steps=120, batch=2048)
    places = np.random.default_rng(9).random((500, 3), np.float32)
    distance = torus_distance(places)
    assert np.abs(ir.interpret_field(found, places) - distance).mean() < 0.01 < np.abs(distance).mean() / 5
    assert torus_distance(np.array([[0.5 + 0.25 + 0.1, 0.5, 0.5]]))[0, 0] == pytest.approx(0)


def test_only_fields_of_float32_are_trained() -> None:
    with pytest.raises(MlpressError, match="trained in float32"):
        fit(ir.with_halves(small("gia", "lowres")), torus_samples())
    with pytest.raises(MlpressError, match="0 steps"):
        fit(small("gia", "lowres"), torus_samples(), steps=0)
