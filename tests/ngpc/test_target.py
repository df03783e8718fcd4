"""Clusters as targets: from a file through compile, the folder, verify and run, in Python and on the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from support.fields import samples, small
from typer.testing import CliRunner

import mlpress as mp
from mlpress import ir
from mlpress.cli import app
from mlpress.codegen import ngpc, onnx_field
from mlpress.errors import MlpressError
from mlpress.frontend import Dataset, fields
from mlpress.targets import read_target


@pytest.fixture(scope="module")
def field() -> ir.Field:
    return small("gia", "hashgrid")


@pytest.fixture(scope="module")
def design(field: ir.Field) -> mp.Design:
    return mp.compile(field, target="ngpc:8")


def run(*words: Any) -> Any:
    return CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "200"})


def test_a_field_becomes_a_verified_kernel(design: mp.Design, field: ir.Field) -> None:
    assert design.program == field
    assert {row["engine"]: row["verdict"] for row in design.facts["verification"]} == {
        "reference interpreter": "equal",
        "onnxruntime": "equal",
        "kernel simulator": "equal",
    }
    tiles = 3 * (1024 + 64) / 1024  # three layers of one tile each, filled and drained once per batch
    assert design.cost["cycles"] == pytest.approx((tiles + 64 / 1024) / 8, rel=1e-6)  # and weights that load first
    assert design.cost["time"] == design.cost["cycles"]  # 1 GHz
    assert (design.cost["area"], design.cost["power"]) == pytest.approx((8 * 3.5505, 8 * 1.204))
    assert design.facts["timing"]["mode"] == "physical"
    assert design.facts["timing"]["bound"] == "networks"
    assert design.facts["timing"]["analytic"] == pytest.approx(design.cost["cycles"], rel=0.05)
    assert sum(design.facts["timing"]["stalls"].values()) == pytest.approx(1)
    assert sum(design.facts["timing"]["energy_nj"].values()) == pytest.approx(design.cost["energy"])
    assert design.cost["sram"] == sum(level.table.nbytes for level in field.grids()[0].levels)
    assert design.cost["cached"] == 0
    assert design.facts["accuracy"]["agreement"] is None
    assert design.facts["field"]["networks"] == ["32-64-64-3"]
    assert [level["placement"] for level in design.facts["kernel"]["levels"]] == ["fit"] * 16
    rows = samples(field)
    np.testing.assert_array_equal(design.predict(rows), ir.interpret_field(field, rows))


def test_number_formats_are_options_and_change_the_function(field: ir.Field) -> None:
    rows = samples(field).astype(np.float64)
    found = mp.compile(
        field,
        Dataset(rows, ir.interpret_field(field, rows), field.inputs),
        target="ngpc:64",
        precision="float16",
        tables="int8",
    )
    assert found.program == ir.with_integers(ir.with_halves(field), lambda grid, level: 8)
    assert found.facts["accuracy"]["metric"] == "psnr"
    assert 25 < found.facts["accuracy"]["agreement"] == found.facts["accuracy"]["quantised"] < 90
    assert found.cost["sram"] * 4 == sum(level.table.nbytes for level in field.grids()[0].levels)
    assert found.cost["cycles"] * 64 == pytest.approx(3.25, rel=0.01)


def test_integers_only_where_a_level_does_not_fit() -> None:
    big = fields.application("nsdf", "hashgrid", shape=ir.GridShape("hash", 3, 16, 2, 16, 1.3819, 1 << 18), spread=1.0)
    (grid,) = read_target("ngpc:8", {"tables": "fit8"}).formatted(big).grids()  # type: ignore[attr-defined]
    assert [level.bits for level in grid.levels] == [
        32 if level.table.shape[0] <= 1 << 17 else 8 for level in grid.levels
    ]
    assert {level.bits for level in grid.levels} == {8, 32}
    assert {one.how for one in ngpc.placed(grid, read_target("ngpc:8").cluster())} == {"fit"}  # type: ignore[attr-defined]


def test_a_folder_comes_back_and_changes_are_seen(design: mp.Design, tmp_path: Path) -> None:
    folder = design.save(tmp_path / "made")
    again = mp.Design.load(folder)
    assert again.program == design.program
    assert again.files == design.files
    assert [result.verdict for result in mp.verify(again, rows=50)] == ["equal"] * 4
    image = ngpc.read_image(design.files)
    tables = {**image.arrays, "t3": image.arrays["t3"] + np.float32(1)}
    wrong = mp.verify(
        design.with_file(ngpc.TABLES, ngpc.image_files(ngpc.Image(image.kernel, tables))[ngpc.TABLES]), rows=50
    )
    assert "output y0" in next(one for one in wrong if one.engine == "kernel simulator").difference
    text = str(design.files[ngpc.KERNEL]).replace("store relu b3", "store linear b3")
    wrong = mp.verify(again.with_file(ngpc.KERNEL, text), rows=50)
    assert {one.engine for one in wrong if one.verdict == "different"} == {"kernel simulator", "kernel text"}
    (folder / ngpc.TABLES).write_bytes(b"no arrays")
    wrong = mp.verify(mp.Design.load(folder), rows=50)
    assert (
        "not an NPZ file, or a damaged one" in next(one for one in wrong if one.engine == "kernel simulator").difference
    )
    (folder / "program.npz").unlink()
    with pytest.raises(MlpressError, match=r"with the SHA-256 .*program.npz"):
        mp.Design.load(folder)


def test_the_command_line(field: ir.Field, tmp_path: Path) -> None:
    build = tmp_path / "build"
    onnx.save(onnx_field(field), tmp_path / "field.onnx")
    rows = samples(field, 64)
    np.savez(tmp_path / "samples.npz", X=rows)
    np.savez(tmp_path / "wanted.npz", X=rows, y=ir.interpret_field(field, rows) + 0.01)
    made = run("compile", tmp_path / "field.onnx", "--target", "ngpc:64", "-o", build, "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["cost"]["values"]["cycles"] * 64 == pytest.approx(3.25, rel=0.01)
    page = (build / "report.html").read_text()
    assert "Where its tables are" in page and "A field for ngpc:64" in page and "Where its cycles go" in page
    found = run("run", build, "--device", "ngpc", "--data", tmp_path / "samples.npz", "--json")
    assert found.exit_code == 0, found.output
    took = json.loads(found.stdout)["timing"]["rows"]
    assert took["rows"] == len(rows) and took["ms"] == pytest.approx(took["cycles"] * 1e-6)
    assert json.loads(found.stdout) | {"metric": "psnr", "accuracy": None, "different": 0} == json.loads(found.stdout)
    found = json.loads(run("run", build, "--device", "ngpc", "--data", tmp_path / "wanted.npz", "--json").stdout)
    span = float(np.ptp(np.load(tmp_path / "wanted.npz")["y"]))
    assert found["accuracy"] == pytest.approx(20 * np.log10(span / 0.01), abs=1e-3)
    shown = run("run", build, "--device", "ngpc", "--data", tmp_path / "wanted.npz")
    assert f"{found['accuracy']:.3g} dB" in shown.stdout.replace("\N{NO-BREAK SPACE}", " ")
    assert run("verify", build, "--data", tmp_path / "samples.npz").exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--target", "egfet"], "it is a field, of the real level; name a target that takes fields, such as ngpc:8"),
        (["--target", "ngpc:9"], "no target 'ngpc:9'"),
        (["--target", "ngpc:8", "-O", "precision=float8"], "precision is 'float8'"),
        (["--target", "ngpc:8", "-O", "processors=300"], "processors is 300"),
        (["--target", "ngpc:8", "-O", "batch=0"], "batch is 0"),
        (["--target", "ngpc:8", "-O", "mode=mixed"], "mode is 'mixed'; it must be one of paper, physical"),
        (["--target", "ngpc:8", "-O", "application=mesh"], "application is 'mesh'; it must be one of none, nerf"),
        (["--target", "ngpc:8", "-O", "cells=1"], "has no option 'cells'"),
        (["--target", "ngpc:8", "--approx", "multiply:terms=2"], "a field is compiled as it is"),
        (["--target", "ngpc:8", "--data", "far.npz"], "is not within 0..1"),
        (["--target", "ngpc:8", "--data", "wide.npz"], "expected numbers of shape (rows, 2)"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(
    words: list[str], says: str, field: ir.Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    onnx.save(onnx_field(field), "field.onnx")
    np.savez("far.npz", X=np.full((2, 2), 1.5))
    np.savez("wide.npz", X=np.zeros((2, 5)))
    found = run("compile", "field.onnx", *words)
    assert isinstance(found.exception, MlpressError)
    assert says in str(found.exception)
    assert not Path("build").exists()


def test_modes_are_two_machines_and_an_application_has_baselines(field: ir.Field, design: mp.Design) -> None:
    paper = mp.compile(field, target="ngpc:8", mode="paper", application="gia")
    assert paper.cost["cycles"] == 1 / 8  # a sample per cycle and processor
    assert paper.cost["energy"] == pytest.approx(paper.cost["power"] * paper.cost["time"])
    assert "published power" in paper.facts["cost"]["how"]["energy"]
    assert "counted" in design.facts["cost"]["how"]["energy"]
    for name in ("area", "power"):
        assert "published: " in design.facts["cost"]["how"][name]
        assert "; uncertainty: " in design.facts["cost"]["how"][name]
    frame = paper.facts["timing"]["frame"]
    assert frame["gpu_ms"] == pytest.approx(2.12)
    assert frame["speedup"] == pytest.approx(frame["gpu_ms"] / frame["frame_ms"])
    assert frame["speedup_over_fused"] == pytest.approx(frame["gpu_fused_ms"] / frame["frame_ms"])
    assert "gpu_ms" not in design.facts["timing"]["frame"]
    assert mp.compile(field, target="ngpc:8", application="nerf").facts["timing"]["frame"]["samples_per_pixel"] == 229


def test_a_classifier_is_no_field(tmp_path: Path) -> None:
    from support.told import classifier, data

    with pytest.raises(MlpressError, match="takes fields"):
        mp.compile(classifier(), data(), target="ngpc:8")
    with pytest.raises(MlpressError, match="give some with --data"):
        mp.compile(classifier(), target="cortex-m4f")
    with pytest.raises(MlpressError, match="takes no field"):
        mp.compile(small("gia", "lowres"), target="egfet")
