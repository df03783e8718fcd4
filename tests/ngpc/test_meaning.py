"""The reference interpreter of fields against the formulas that it stands for, in float64, and a look-up by hand."""

import math

import numpy as np
import pytest
from scipy.special import sph_harm_y
from support.fields import samples, small

from mlpress import ir
from mlpress.errors import MlpressError


def alone(encoding: ir.Encoding, inputs: int) -> ir.Field:
    names = tuple("abcd"[:inputs])
    outputs = tuple(f"o{k}" for k in range(encoding.width))
    encode = ir.Encode((ir.Span(0, 0, inputs),), encoding)
    field = ir.Field(names, (encode,), outputs, (ir.Span(1, 0, encoding.width),))
    ir.verify(field)
    return field


def test_frequencies_are_sines_and_cosines() -> None:
    field = alone(ir.Frequency(2, 5), 2)
    rows = samples(field)
    found = ir.interpret_field(field, rows)
    exact = rows.astype(np.float64)
    for axis in range(2):
        for octave in range(5):
            turn = 2.0**octave * math.pi * exact[:, axis]
            at = 2 * (5 * axis + octave)
            np.testing.assert_allclose(found[:, at], np.sin(turn), atol=4e-6)
            np.testing.assert_allclose(found[:, at + 1], np.cos(turn), atol=4e-6)


def test_spherical_harmonics_are_those_of_scipy_up_to_sign_and_order() -> None:
    field = alone(ir.Spherical(4), 3)
    rng = np.random.default_rng(0)
    away = rng.normal(size=(400, 3))
    away /= np.linalg.norm(away, axis=1)[:, None]
    found = ir.interpret_field(field, ((away + 1) / 2).astype(np.float32))
    polar, azimuth = np.arccos(away[:, 2]), np.arctan2(away[:, 1], away[:, 0])
    for band in range(4):
        for order in range(-band, band + 1):
            value = sph_harm_y(band, abs(order), polar, azimuth)
            real = value.real if order >= 0 else value.imag
            real = real * (1 if order == 0 else math.sqrt(2))
            column = found[:, band * band + band + order]
            sign = np.sign(np.dot(column, real))
            np.testing.assert_allclose(column, sign * real, atol=3e-6)


def test_one_sample_of_a_hashed_level_by_hand() -> None:
    table = np.random.default_rng(0).random((16, 1), np.float32)
    field = alone(ir.Grid(2, (ir.GridLevel(9.0, 10, True, 32, 1.0, table),)), 2)
    x, y = 0.3, 0.7  # places 0.3 * 9 + 0.5 = 3.2 and 6.8
    corners = {(3, 6): 0.8 * 0.2, (4, 6): 0.2 * 0.2, (3, 7): 0.8 * 0.8, (4, 7): 0.2 * 0.8}
    expected = sum(
        weight * float(table[((a * 1) ^ (b * 2654435761 % (1 << 32))) % 16, 0]) for (a, b), weight in corners.items()
    )
    found = ir.interpret_field(field, np.array([[x, y]], np.float32))
    assert found[0, 0] == pytest.approx(expected, abs=1e-6)


def test_one_sample_of_a_dense_level_of_integers_by_hand() -> None:
    table = np.arange(16, dtype=np.int8)[:, None] - 7
    field = alone(ir.Grid(2, (ir.GridLevel(3.0, 4, False, 5, 0.25, table),)), 2)
    found = ir.interpret_field(field, np.array([[0.5, 0.5], [1.0, 1.0]], np.float32))  # places 2, 2 and 3.5, 3.5
    assert found[0, 0] == 0.25 * (2 + 2 * 4 - 7)
    wrapped = [table[(3 + a + (3 + b) * 4) % 16, 0] for b in (0, 1) for a in (0, 1)]
    assert found[1, 0] == 0.25 * np.mean(wrapped)


def test_a_layer_adds_its_products_from_left_to_right() -> None:
    weight = np.array([[1e8, 1.0, -1e8, 1.0]], np.float32)
    network = ir.Network((ir.Span(0, 0, 4),), (ir.Product(weight, False),))
    field = ir.Field(("a", "b", "c", "d"), (network,), ("sum",), (ir.Span(1, 0, 1),))
    found = ir.interpret_field(field, np.ones((1, 4), np.float32))
    assert found[0, 0] == 1.0  # 1e8 + 1 is 1e8 in float32; exactly the sum is 2


def test_half_precision_is_rounded_after_encodings_and_layers() -> None:
    field = ir.with_halves(small("nsdf", "densegrid"))
    found = ir.interpret_field(field, samples(field))
    np.testing.assert_array_equal(found, found.astype(np.float16).astype(np.float32))
    assert {level.table.dtype for level in field.grids()[0].levels} == {np.dtype(np.float16)}


def test_integers_are_the_nearest_steps() -> None:
    level = small("gia", "hashgrid").grids()[0].levels[3]
    eight = ir.integer_level(level, 8)
    assert eight.step == float(np.float32(np.abs(level.table).max() / np.float32(127)))
    error = np.abs(eight.table * eight.step - level.table)
    assert 0 < error.max() <= eight.step * 0.5001
    assert ir.integer_level(eight, 8) is eight
    assert np.abs(ir.integer_level(eight, 3).table).max() == 3


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (np.full((2, 2), 1.5), "row 0, input 'x': 1.5 is not within 0..1"),
        (np.array([[0.0, np.nan]]), "row 0, input 'y': nan is not within 0..1"),
        (np.zeros((2, 3)), "(2, 3); expected numbers of shape (rows, 2)"),
    ],
)
def test_samples_that_do_not_fit_are_refused(rows: np.ndarray, says: str) -> None:
    with pytest.raises(MlpressError) as raised:
        ir.interpret_field(small("gia", "densegrid"), rows)
    assert says in str(raised.value)
