"""Folders of earlier versions load and verify; changed ones are one line, or a difference, and never a traceback."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

import mlpress as mp
from mlpress import Design
from mlpress.cli import main
from mlpress.errors import MlpressError
from mlpress.report import Shown, render

FOLDERS = Path(__file__).parents[1] / "folders"
HASHED = {"printed-1": 0, "printed-2": 7}
"""Folders that earlier versions wrote, as they are: of 2026-11-21, without hashes, and of 2026-11-27."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDERS / "printed-1", tmp_path / "design"))


@pytest.mark.parametrize("name", HASHED)
def test_folders_of_earlier_versions_load_and_verify(name: str) -> None:
    design = Design.load(FOLDERS / name)
    assert design.facts["format"] == "mlpress design 1"
    assert (design.hashed, design.changed) == (HASHED[name], ())
    results = mp.verify(design, rows=16)
    assert {result.engine for result in results} >= {"reference interpreter", "onnxruntime", "RTL", "mapped netlist"}
    assert [result.engine for result in results if not result.equal] == []
    assert set(design.predict(design.features).tolist()) <= {0, 1, 2}
    assert "<html" in render([Shown(design.described)])
    assert mp.estimate(design).values["area"] > 0


KINDS = {"mcu-1": 5, "fpga-1": 6, "ngpc-1": 6, "search-1": 10}
"""Folders of the other kinds of target and of a search, with the files that have a hash: of 2026-11-28, no reports."""


@pytest.mark.parametrize("name", KINDS)
def test_folders_of_every_kind_load_and_verify(name: str) -> None:
    design = Design.load(FOLDERS / name)
    assert (design.hashed, design.changed) == (KINDS[name], ())
    results = mp.verify(design, rows=16)
    assert {result.engine for result in results} > {"reference interpreter", "onnxruntime"}
    assert [result.engine for result in results if not result.equal] == []
    assert "<html" in render([design.shown(name)])


@pytest.mark.parametrize("new", ["x9", "xa", "q2"])
def test_ports_of_other_names(new: str) -> None:
    design = Design.load(FOLDERS / "printed-1")
    netlist = design.with_file("netlist.v", re.sub(r"\bx0\b", new, design.text("netlist.v")))
    with pytest.raises(MlpressError, match=f"no input 'x0' of those bits for a converter; it has .*{new}|{new}.*x1"):
        mp.estimate(netlist)
    wrong = {result.engine: result.difference for result in mp.verify(netlist, rows=4) if not result.equal}
    assert wrong["mapped netlist"] == "input x0 is missing"


def test_an_oracle_without_its_sums() -> None:
    design = Design.load(FOLDERS / "printed-1")
    graph = onnx.ModelProto.FromString(design.oracle)
    kept = [output for output in graph.graph.output if not output.name.startswith("sum_")]
    del graph.graph.output[:]
    graph.graph.output.extend(kept)
    changed = replace(design, oracle=graph.SerializeToString())
    wrong = {result.engine: result.difference for result in mp.verify(changed, rows=4) if not result.equal}
    assert wrong["onnxruntime"] == "oracle.onnx was not run: its outputs are not those of the program's graph"


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.array(1), "with a label each"),
        (np.zeros(3), "with a label each"),
        (np.array([b"a"] * 30), "neither numbers nor names"),
        (np.zeros(30, np.complex128), "neither numbers nor names"),
        (np.zeros((30, 2)), "not one label per row"),
        (np.array(["a", "none"] * 15), r"label 'a' is none of the design's 3 classes: 0, 1, 2"),
        (np.array(["1", "\x1b[2J"] * 15), r"label '\\x1b\[2J' is none of the design's 3 classes"),
        (np.full(30, 3), r"label 3 is none of the design's 3 classes: 0\.\.2"),
        (np.full(30, -1), "label -1 is none"),
        (np.full(30, 0.5), "label 0.5 is none"),
        (np.full(30, np.nan), "label nan is none"),
    ],
)
def test_labels_that_are_none(folder: Path, labels: np.ndarray, says: str) -> None:
    features = Design.load(folder).features
    np.savez(folder / "rows.npz", features=features, labels=labels)
    with pytest.raises(MlpressError, match=says):
        Design.load(folder)


@pytest.mark.parametrize("labels", [np.array(["2", "0"] * 15), np.array([2.0, 0.0] * 15), np.array([2, 0] * 15)])
def test_labels_are_indices_however_they_are_written(folder: Path, labels: np.ndarray) -> None:
    np.savez(folder / "rows.npz", features=Design.load(folder).features, labels=labels)
    read = Design.load(folder).labels
    assert read.dtype == np.int64
    assert read.tolist() == [2, 0] * 15


def test_further_rows_have_classes_of_the_design(folder: Path) -> None:
    known = Design.load(folder)
    more = {"test_features": known.features, "test_labels": known.labels, "test_given": known.labels}
    for name in ("given", "test_labels", "test_given"):
        arrays = {"given": known.labels, **more, name: np.full(30, 9)}
        np.savez(folder / "rows.npz", features=known.features, labels=known.labels, **arrays)
        with pytest.raises(MlpressError, match="label 9 is none of the design's 3 classes"):
            Design.load(folder)


def test_control_characters_in_facts_do_not_reach_a_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = json.loads((folder / "design.json").read_text())
    facts["net"]["classes"] = ["\x1b[31mred\x07", "\x9b2J", "c"]
    (folder / "design.json").write_text(json.dumps(facts))
    assert Design.load(folder).facts["net"]["classes"] == ["\\x1b[31mred\\x07", "\\x9b2J", "c"]
    facts["target"] = "\x1b[2Jegfet" + "z" * 5000
    (folder / "design.json").write_text(json.dumps(facts))
    with pytest.raises(SystemExit) as caught:
        main(["verify", str(folder)])
    said = capsys.readouterr()
    assert caught.value.code == 2
    assert not set(said.err + said.out) & {"\x1b", "\x07", "\x9b"}
    assert said.err.count("\n") == 1
    assert len(said.err) < 1000


def test_names_of_a_model_are_text_in_a_report() -> None:
    design = Design.load(FOLDERS / "printed-1")
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"
    facts = json.loads(json.dumps(design.facts))
    facts["source"]["model"], facts["net"]["classes"] = evil, [evil, "b", "c"]
    page = render([Shown(design.with_facts(facts).described)])
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
