"""A search of a field ends with its front so far when interrupted, and goes on to the front of an uninterrupted one."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from support.fields import one_grid, samples
from typer.testing import CliRunner

from mlpress import ir
from mlpress.approx.fields import checkpoint
from mlpress.cli import app
from mlpress.codegen import onnx_field
from mlpress.errors import MlpressError

GENERATIONS = 4


def search(folder: Path, name: str, *more: str) -> Any:
    words = ["search", folder / "field.onnx", "--data", folder / "samples.npz", "--target", "ngpc:8", "--max-loss", "3"]
    words += ["--generations", GENERATIONS, "--minimise", "sram", "-o", folder / name, "--quiet", *more]
    return CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "200"})


def front(folder: Path) -> Any:
    found = json.loads((folder / "front.json").read_text())
    return {name: value for name, value in found.items() if name != "elapsed_s"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A field, its samples, and ``whole``: what a search finds that nothing interrupts."""
    found = tmp_path_factory.mktemp("search")
    field = one_grid("hash", 2, levels=3, widths=(8,))
    onnx.save(onnx_field(field), found / "field.onnx")
    x = samples(field, 200)
    noise = np.random.default_rng(5).normal(0, 0.02, (len(x), 1))
    np.savez(found / "samples.npz", X=x.astype(np.float64), y=ir.interpret_field(field, x) + noise)
    made = search(found, "whole")
    assert made.exit_code == 0, made.output
    return found


def interrupted(folder: Path, name: str, patch: pytest.MonkeyPatch) -> Path:
    """Search until the second generation is kept; return the checkpoint."""
    keep = checkpoint.save

    def save(path: Path, key: str, state: checkpoint.FieldState) -> None:
        keep(path, key, state)
        if state.generation == 2:
            raise KeyboardInterrupt

    with patch.context() as patched:
        patched.setattr(checkpoint, "save", save)
        made = search(folder, name)
    assert made.exit_code == 0, made.output
    assert json.loads((folder / name / "design.json").read_text())["search"]["stopped"] == "interrupted"
    return folder / f"{name}.checkpoint.npz"


def test_an_interrupted_search_ends_with_its_front_and_resumes_to_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = interrupted(folder, "cut", monkeypatch)
    assert kept.is_file()
    assert front(folder / "cut") != front(folder / "whole")
    resumed = search(folder, "cut", "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert front(folder / "cut") == front(folder / "whole")
    assert not kept.exists()
    before = (folder / "cut" / "design.json").read_bytes()
    assert search(folder, "cut", "--resume").exit_code == 0  # it is done: nothing is written again
    assert (folder / "cut" / "design.json").read_bytes() == before


def test_states_of_other_searches_and_damaged_ones_are_refused_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = interrupted(folder, "other", monkeypatch)
    good = kept.read_bytes()
    cases = (
        (good, ("--seed", "1"), "belongs to a search with other data, options or model"),
        (good[: len(good) // 2], (), "is no checkpoint of this version"),
    )
    for data, more, says in cases:
        kept.write_bytes(data)
        wrong = search(folder, "other", "--resume", *more)
        assert isinstance(wrong.exception, MlpressError)
        assert says in str(wrong.exception)
        assert "\n" not in str(wrong.exception)
    shutil.rmtree(folder / "other")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("genomes", np.full((2, 5), 99)),
        ("genomes", np.zeros((0, 5), np.int64)),
        ("tried", np.zeros((2, 4), np.int64)),
        ("objectives", np.full((2, 2), np.nan)),
    ],
)
def test_states_with_other_arrays_are_damaged(name: str, value: np.ndarray, tmp_path: Path) -> None:
    from mlpress.approx import FieldSpace
    from mlpress.approx.integer.nsga import Population, Rates

    space = FieldSpace.of(one_grid("hash", 2, levels=3, widths=(8,)))
    assert space.size == 5
    arrays = {
        "genomes": np.zeros((2, 5), np.int64),
        "objectives": np.zeros((2, 2)),
        "tried": np.zeros((2, 5), np.int64),
    }
    arrays[name] = value
    population = Population(arrays["genomes"], arrays["objectives"])
    checkpoint.save(tmp_path / "a.npz", "k", checkpoint.FieldState(population, Rates(), 2, 0, 1.0, arrays["tried"]))
    with pytest.raises(MlpressError, match="is no checkpoint of this version"):
        checkpoint.load(tmp_path / "a.npz", "k", space)
