"""One function everywhere: reference interpreter, onnxruntime on the file, simulator on the kernel, bit for bit."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from support.fields import FORMATS, bits, formatted, one_grid, samples, small

from mlpress import ir
from mlpress.codegen import ngpc, onnx_field
from mlpress.frontend import fields, load_field
from mlpress.hw.ngpc import Cluster, read_cluster
from mlpress.sim import Oracle
from mlpress.sim.ngpc import Simulator


def check(
    field: ir.Field, folder: Path, cluster: Cluster | None = None, batch: int = 128, distinct: int = 50
) -> ir.Field:
    """Take ``field`` through a file and hold all three engines against each other; return what was read."""
    onnx.save(onnx_field(field), folder / "field.onnx")
    read = load_field(folder / "field.onnx")
    assert read == field
    rows = samples(field)
    expected = bits(ir.interpret_field(field, rows))
    oracle = Oracle((folder / "field.onnx").read_bytes()).run(rows)["values"]
    np.testing.assert_array_equal(bits(oracle), expected)
    image = ngpc.lower_field(read, cluster or read_cluster("ngpc:8"), batch=batch)
    found = Simulator.read(ngpc.image_files(image), workers=2).run(rows)
    np.testing.assert_array_equal(bits(found), expected)
    assert len(np.unique(expected)) >= distinct
    return read


@pytest.mark.parametrize("encoding", fields.ENCODINGS)
@pytest.mark.parametrize("name", fields.APPLICATIONS)
def test_every_application_with_every_encoding_in_every_format(name: Any, encoding: Any, tmp_path: Path) -> None:
    field = small(name, encoding)
    for formats in FORMATS:
        read = check(formatted(field, formats), tmp_path)
        assert read.precision == formats.split()[0].replace("int8", "float32")
        assert {level.bits for level in read.grids()[0].levels} == (
            {8, 5} if "int8" in formats else {16 if formats == "float16" else 32}
        )


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["hash", "dense", "tiled"])
def test_every_kind_of_grid_in_one_to_four_dimensions(kind: Any, dimensions: int, tmp_path: Path) -> None:
    levels = check(one_grid(kind, dimensions), tmp_path).grids()[0].levels
    vertices = [level.resolution**dimensions for level in levels]
    entries = [level.entries for level in levels]
    if kind == "hash" and dimensions > 2:
        assert any(level.hashed for level in levels)
    if kind == "dense":
        assert all(have >= need for have, need in zip(entries, vertices, strict=True))
    if kind == "tiled":
        assert entries[-1] == 5**dimensions < vertices[-1]


def test_tables_of_sizes_that_are_no_powers_of_two(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    level = ir.GridLevel(30.5, 32, True, 32, 1.0, rng.random((1000, 3), np.float32))
    check(fields.field_of(ir.Grid(3, (level,)), (8,), ("value",), rng=rng), tmp_path)


def test_networks_wider_than_a_tile_and_grids_of_more_levels_than_engines(tmp_path: Path) -> None:
    check(one_grid("hash", 2, widths=(130, 65)), tmp_path)
    check(one_grid("hash", 2, levels=20), tmp_path)
    check(
        one_grid("hash", 3, levels=6),
        tmp_path,
        read_cluster("ngpc:1", engines=4, sram_bytes=600, mac_inputs=7, mac_outputs=5),
    )


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_spherical_harmonics_alone(degree: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    encode = ir.Encode((ir.Span(0, 0, 3),), ir.Spherical(degree))
    width = degree**2
    network = ir.Network((ir.Span(1, 0, width),), fields.layers([width, 8, 2], rng))
    found = ir.Field(("a", "b", "c"), (encode, network), ("u", "v"), (ir.Span(2, 0, 2),))
    distinct = 2 if degree == 1 else 50  # band 0 is a constant
    check(found, tmp_path, distinct=distinct)
    check(ir.with_halves(found), tmp_path, distinct=distinct)


def test_frequencies_and_columns_that_are_cut_and_joined(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    waves = ir.Encode((ir.Span(0, 1, 2), ir.Span(0, 0, 1)), ir.Frequency(2, 6))
    network = ir.Network((ir.Span(1, 3, 9), ir.Span(1, 0, 2)), fields.layers([8, 8, 5], rng))
    results = (ir.Span(2, 4, 5), ir.Span(1, 7, 8), ir.Span(2, 0, 2))
    field = ir.Field(("a", "b"), (waves, network), ("p", "q", "r", "s"), results)
    check(field, tmp_path)
    check(ir.with_halves(field), tmp_path)


@pytest.mark.parametrize("formats", FORMATS)
def test_an_optimised_session_of_onnxruntime_gives_the_same_bits(formats: str) -> None:
    field = formatted(small("nerf", "lowres"), formats)
    session = onnxruntime.InferenceSession(onnx_field(field).SerializeToString(), providers=["CPUExecutionProvider"])
    rows = samples(field)
    found = session.run(None, {"features": rows})[0]
    np.testing.assert_array_equal(bits(found), bits(ir.interpret_field(field, rows)))


def test_values_beyond_half_precision_are_infinite_in_every_engine() -> None:
    rng = np.random.default_rng(0)
    encode = ir.Encode((ir.Span(0, 0, 1),), ir.Frequency(1, 2))
    layers = (
        ir.Product(np.full((2, 4), 60000, np.float32), True),
        ir.Product(rng.uniform(0, 1, (1, 2)).astype(np.float16).astype(np.float32), False),
    )
    field = ir.Field(("a",), (encode, ir.Network((ir.Span(1, 0, 4),), layers)), ("b",), (ir.Span(2, 0, 1),), "float16")
    rows = samples(field)
    expected = ir.interpret_field(field, rows)
    assert np.isinf(expected).any()
    assert np.isfinite(expected).any()
    np.testing.assert_array_equal(bits(Oracle(onnx_field(field)).run(rows)["values"]), bits(expected))
    image = ngpc.lower_field(field, read_cluster("ngpc:8"))
    np.testing.assert_array_equal(bits(Simulator(image).run(rows)), bits(expected))


def test_rounding_to_half_precision_is_numpys_for_every_kind_of_value() -> None:
    from mlpress.sim.ngpc.kernels import round_half

    rng = np.random.default_rng(0)
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)].astype(np.float32)
    between = np.nextafter(halves, np.float32(np.inf)), np.nextafter(halves, np.float32(-np.inf))
    middles = (halves[1:] + halves[:-1]) / 2
    words = rng.integers(0, 1 << 32, 50_000, np.uint32).view(np.float32)
    rows = np.concatenate([halves, *between, middles, words[~np.isnan(words)]]).astype(np.float32)[None]
    with np.errstate(over="ignore"):
        expected = rows.astype(np.float16).astype(np.float32)
    round_half(rows, rows.shape[1])
    np.testing.assert_array_equal(bits(rows), bits(expected))


def test_neither_workers_nor_batches_change_a_bit() -> None:
    field = small("nvr", "hashgrid")
    rows = samples(field)
    found = [
        Simulator(ngpc.lower_field(field, read_cluster("ngpc:8"), batch=batch), workers=workers).run(rows)
        for batch, workers in ((1, 1), (37, 3), (4096, 2))
    ]
    np.testing.assert_array_equal(bits(found[0]), bits(found[1]))
    np.testing.assert_array_equal(bits(found[0]), bits(found[2]))
