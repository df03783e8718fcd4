"""Kernels as text: where tables go, what comes back, and what is refused before anything runs."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.fields import one_grid, samples, small

from mlpress import ir
from mlpress.codegen import ngpc
from mlpress.errors import MlpressError
from mlpress.frontend import fields
from mlpress.hw.ngpc import Cluster, read_cluster
from mlpress.npz import npz_bytes, read_npz_bytes
from mlpress.sim.ngpc import Simulator

CLUSTER = read_cluster("ngpc:2", engines=8, sram_bytes=1000)


def level(entries: int, bits: int = 32) -> ir.GridLevel:
    kind: Any = {32: np.float32, 8: np.int8}[bits]
    return ir.GridLevel(99.0, 100, True, bits, 1.0, np.ones((entries, 1), kind))


def grid(*entries: int, bits: int = 32) -> ir.Field:
    made = ir.Grid(2, tuple(level(one, bits) for one in entries))
    return fields.field_of(made, (4,), ("value",), rng=np.random.default_rng(0))


def placed(field: ir.Field, cluster: Cluster = CLUSTER) -> tuple[ngpc.GridUnit, list[tuple[str, tuple[int, ...]]]]:
    (unit,) = ngpc.lower_field(field, cluster).kernel.grids()
    return unit, [(one.placement.how, one.placement.engines) for one in unit.levels]


def test_small_tables_fit_and_idle_engines_take_further_samples() -> None:
    unit, found = placed(grid(250, 250, 10))
    assert found == [("fit", (0,)), ("fit", (1,)), ("fit", (2,))]
    assert (unit.lanes, unit.stride, unit.turns) == (2, 3, 1)
    assert [one.placement.size for one in unit.levels] == [1000, 1000, 40]


def test_a_table_that_does_not_fit_is_split_over_idle_engines_and_else_cached() -> None:
    unit, found = placed(grid(250, 700, 10, 2000))  # 1, 3, 1 and 8 engines' worth
    assert found == [("fit", (0,)), ("split", (1, 2, 3)), ("fit", (4,)), ("cache", (5,))]
    assert (unit.lanes, unit.stride) == (1, 6)
    assert unit.levels[1].placement.resident == -(-2800 // 3)
    assert unit.levels[3].placement.resident == 1000


def test_integers_take_fewer_bytes() -> None:
    assert placed(grid(1000, bits=8))[1] == [("fit", (0,))]
    assert placed(grid(1000))[1] == [("split", (0, 1, 2, 3))]
    field = ir.with_integers(grid(1000), lambda grid, level: 3)
    (unit,) = ngpc.lower_field(field, CLUSTER).kernel.grids()
    assert unit.levels[0].placement.size == 375


def test_more_levels_than_engines_take_turns_and_share_the_srams() -> None:
    unit, found = placed(grid(*[100] * 8, 100, 200, 151))
    assert (unit.lanes, unit.turns) == (1, 2)
    assert [one.placement.turn for one in unit.levels] == [0] * 8 + [1] * 3
    assert found[8:] == [("fit", (0,)), ("cache", (1,)), ("cache", (2,))]
    assert unit.levels[9].placement.resident == 600


def test_what_would_be_cached_can_be_refused_in_one_line() -> None:
    with pytest.raises(MlpressError, match=r"^node 0, level 1: its table has 36000 bytes, and no engine .*tables=int8"):
        ngpc.lower_field(grid(10, 9000), CLUSTER, policy="sram")
    assert ngpc.lower_field(grid(10, 700), CLUSTER, policy="sram")


def test_the_published_hash_grid_of_float16_does_not_fit_and_int8_does() -> None:
    table = np.zeros((1 << 19, 2), np.float16)
    levels = tuple(ir.GridLevel(2047.0, 2048, True, 16, 1.0, table) for _ in range(16))
    cluster = read_cluster("ngpc:8")
    assert {one.how for one in ngpc.placed(ir.Grid(3, levels), cluster)} == {"cache"}
    eight = tuple(replace(one, bits=8, table=table.astype(np.int8)) for one in levels)
    assert {one.how for one in ngpc.placed(ir.Grid(3, eight), cluster)} == {"fit"}


@pytest.mark.parametrize("name", fields.APPLICATIONS)
def test_text_comes_back(name: Any) -> None:
    image = ngpc.lower_field(ir.with_halves(small(name, "hashgrid")), read_cluster("ngpc:64"))
    text = ngpc.kernel_text(image.kernel)
    assert ngpc.read_kernel(text) == image.kernel
    files = ngpc.image_files(image)
    assert files == ngpc.image_files(image)
    again = ngpc.read_image(files)
    assert again.kernel == image.kernel
    assert all(np.array_equal(again.arrays[key], array) for key, array in image.arrays.items())


def test_the_kernel_of_the_docs_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "ngpc.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    assert ngpc.kernel_text(ngpc.read_kernel(example)) == example
    rng = np.random.default_rng(0)
    grid = fields.grid_of(ir.GridShape("hash", 2, 3, 2, 16, 4.0, 1 << 16), rng)
    field = fields.field_of(grid, (64,), ("r", "g", "b"), rng=rng)
    assert ngpc.kernel_text(ngpc.lower_field(field, read_cluster("ngpc:8")).kernel) == example


def test_a_layer_is_cut_into_tiles_in_the_order_of_their_use() -> None:
    image = ngpc.lower_field(one_grid("dense", 1, widths=(70,)), read_cluster("ngpc:1", mac_inputs=4, mac_outputs=32))
    program = [ngpc.command_words(command) for command in image.kernel.program]
    assert program[2:6] == [
        "mac w0 0 b1[0:4] 32 first",
        "mac w0 1 b1[4:6] 32 more",
        "store relu b2[0:32]",
        "mac w0 2 b1[0:4] 32 first",
    ]
    assert program[8:10] == ["mac w0 4 b1[0:4] 6 first", "mac w0 5 b1[4:6] 6 more"]
    assert image.arrays["m0"].shape == (6, 4, 32)


TEXT_ERRORS = [
    ("cluster", "cluster x", "line 2"),
    (r"batch \d+", "batch 0", "batch: 0 is not within"),
    (r"engines 0 size", "engines 99 size", "its engines are"),
    (r"lanes \d+", "lanes 9", "9 lanes"),
    (r"resident \d+", "resident 99999999", "bytes in each engine"),
    (r"size \d+", "size 7", "its size is 7"),
    (r"scale \S+", "scale 1.1", "scale is 1.1"),
    (r"resolution 5", "resolution 6", "resolution is 6"),
    (r"index dense", "index hash", "index hash"),
    (r"entries 32", "entries 40", "(40, 2)"),
    (r"table t0", "table t9", "t9 is missing"),
    (r"step 1.0", "step 0.5", "step 1.0"),
    (r"array m0", "array m9", "m9 is missing"),
    (r"load e0 0\n", "", "every table"),
    (r"load w0\n", "load w0\nload w0\n", "every table"),
    (r"read b0\[0:2\]", "read b0[0:1]", "read comes once"),
    (r"read b0\[0:2\]\n", "", "must begin with read"),
    (r"encode e0 b0\[0:2\]", "encode e0 b1[0:2]", "nothing was written"),
    (r"encode e0 b0\[0:2\] b1\[0:6\]", "encode e0 b0[0:2] b1[0:5]", "gives 6"),
    (r"mac w0 0 b1\[0:6\]", "mac w0 0 b1[0:7]", "there is no b1[0:7]"),
    (r"mac w0 0 b1\[0:6\]", "mac w0 0 b1[0:5]", "takes 6 columns"),
    (r"mac w0 0", "mac w0 1", "tile: 1 is not within"),
    (r" 8 first", " 9 first", "8 outputs"),
    (r" 8 first", " 8 more", "sums begin once"),
    (r"store relu b2\[0:8\]", "store relu b2[0:4]", "4 columns for 8 sums"),
    (r"write b3\[0:1\]", "write b2[0:3]", "write comes once"),
    (r"write b3\[0:1\]", "write b3[0:1]\nwrite b3[0:1]", "write comes once"),
    (r"\nend", "\nend\nend", "should end"),
    (r"b3\[0:1\]\nend", "b3[0:99999999]\nend", "columns of a buffer should be"),
    (r"weights w0", "weights e0", "two have the same name"),
    (r"buffer b1 6", "buffer b1 99999", "99999 is not within"),
]


@pytest.mark.parametrize(("old", "new", "says"), TEXT_ERRORS)
def test_a_kernel_that_breaks_a_rule_is_refused_in_one_line(old: str, new: str, says: str) -> None:
    files = ngpc.image_files(ngpc.lower_field(one_grid("dense", 2), read_cluster("ngpc:8")))
    text = str(files[ngpc.KERNEL])
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    with pytest.raises(MlpressError) as raised:
        ngpc.read_image({**files, ngpc.KERNEL: changed})
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_encoding_reads_nothing_but_inputs_and_copies_of_them() -> None:
    image = ngpc.lower_field(one_grid("dense", 2), read_cluster("ngpc:8"))
    text = ngpc.kernel_text(image.kernel)
    twice = text.replace("write b3[0:1]", "copy b2[0:2] b0[0:2]\nencode e0 b0[0:2] b1[0:6]\nwrite b3[0:1]")
    with pytest.raises(MlpressError, match="inputs or copies"):
        ngpc.check_image(ngpc.Image(ngpc.read_kernel(twice), image.arrays))


def test_arrays_that_do_not_fit_are_refused() -> None:
    image = ngpc.lower_field(one_grid("dense", 2), read_cluster("ngpc:8"))
    for array in (image.arrays["t0"][:-1], image.arrays["t0"].astype(np.float64), np.array("text")):
        with pytest.raises(MlpressError, match="t0"):
            ngpc.check_image(ngpc.Image(image.kernel, {**image.arrays, "t0": array}))
    damaged = npz_bytes(image.arrays)[:-200]
    with pytest.raises(MlpressError, match="damaged"):
        ngpc.read_image({ngpc.KERNEL: ngpc.kernel_text(image.kernel), ngpc.TABLES: damaged})


def test_arrays_are_read_without_objects() -> None:
    from io import BytesIO

    data = BytesIO()
    np.savez(data, t0=np.array([{}], object))
    with pytest.raises(MlpressError, match="objects"):
        read_npz_bytes(data.getvalue())


def test_samples_beyond_the_domain_never_reach_a_table() -> None:
    simulator = Simulator(ngpc.lower_field(one_grid("hash", 2), read_cluster("ngpc:8")))
    for bad in (-1e-9, 1.0000001, np.nan, np.inf):
        with pytest.raises(MlpressError, match=r"within 0\.\.1"):
            simulator.run(np.array([[0.5, bad]], np.float32))
    with pytest.raises(MlpressError, match=r"\(rows, 2\)"):
        simulator.run(np.zeros((3, 3), np.float32))
    assert simulator.run(np.zeros((0, 2), np.float32)).shape == (0, 1)
    assert simulator.run(samples(one_grid("hash", 2), 7)).shape == (49, 1)


@pytest.mark.parametrize("name", ["ngpc", "ngpc:", "ngpc:0", "ngpc:257", "ngpc:x", "gpu:8", "ngpc:-1"])
def test_clusters_that_there_are_not(name: str) -> None:
    with pytest.raises(MlpressError):
        read_cluster(name)


@pytest.mark.parametrize("processors", [1, 256])
def test_one_and_many_processors_change_no_result(processors: int) -> None:
    field = one_grid("tiled", 3)
    rows = samples(field)
    found = Simulator(ngpc.lower_field(field, read_cluster(f"ngpc:{processors}"))).run(rows)
    np.testing.assert_array_equal(found, ir.interpret_field(field, rows))
