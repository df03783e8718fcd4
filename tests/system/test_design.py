"""The design folder: whole or absent, and safe to read whoever wrote it."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlpress import Dataset, Design, MlpressError
from mlpress.files import write_file, write_folder
from mlpress.ir import Argmax, Input, Layer, Net, Neuron, QRelu, Raw, weight_terms
from mlpress.pipeline.compile import Options, build_design


@pytest.fixture(scope="module")
def design() -> Design:
    inputs = (Input("a", 3, 8.0, 0.0), Input("b", 3, 8.0, 0.0))
    hidden = Layer((Neuron(2, (*weight_terms(5, 0, 3), *weight_terms(-3, 1, 3)), QRelu(1, 4)),))
    scores = Layer((Neuron(0, weight_terms(3, 0, 4), Raw()), Neuron(11, (), Raw())))
    rows = np.random.default_rng(0).uniform(0, 1, (50, 2))
    net = Net(inputs, (hidden, scores), Argmax(), ("no", "yes"))
    return build_design(net, rows, np.zeros(50, np.int64), Options.of(effort="fast"))


@pytest.fixture
def folder(design: Design, tmp_path: Path) -> Path:
    return design.save(tmp_path / "design")


def test_a_saved_design_comes_back(design: Design, folder: Path) -> None:
    again = Design.load(folder)
    assert again.program == design.program
    assert again.facts == json.loads(json.dumps(design.facts))
    for name in ("top.v", "netlist.v", "top_tb.v"):
        assert again.text(name) == design.text(name)
    assert again.oracle == design.oracle
    np.testing.assert_array_equal(again.features, design.features)


def test_saving_again_replaces_the_folder(design: Design, folder: Path) -> None:
    (folder / "old.txt").write_text("left over")
    design.save(folder)
    assert not (folder / "old.txt").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["design"]


def bomb() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("features.npy", bytes(257 * 2**20))
    return data.getvalue()


def pickled() -> bytes:
    data = io.BytesIO()
    np.savez(data, features=np.array([[print]], dtype=object), labels=np.zeros(1))
    return data.getvalue()


def wrong_shape() -> bytes:
    data = io.BytesIO()
    np.savez(data, features=np.zeros((4, 3)), labels=np.zeros(4))
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("design.json", b"{", "not valid JSON"),
        ("design.json", b"[" * 100_000, "not valid JSON"),
        ("design.json", b"{}", "format"),
        ("design.json", b'{"format": "mlpress design 1"}', "target"),
        ("design.json", b'{"format": "mlpress design 1", "target": "egfet", "options": {"registered": 1}}', "options"),
        ("program.mlp", b"mlpress net 2\n", "program|version|net"),
        ("program.mlp", b"\xff\xfe", "UTF-8"),
        ("top.v", b"\xff\xfe", "UTF-8"),
        ("rows.npz", b"PK", "rows"),
        ("rows.npz", bomb(), "256 MiB"),
        ("rows.npz", pickled(), "rows"),
        ("rows.npz", wrong_shape(), "2 features"),
    ],
)
def test_damaged_files_are_one_line(folder: Path, name: str, content: bytes, says: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(MlpressError, match=says) as caught:
        Design.load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["program.mlp", "top.v", "netlist.v", "oracle.onnx", "rows.npz"])
def test_missing_files_are_one_line(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(MlpressError, match=name):
        Design.load(folder)


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_folder(tmp_path / "new", {"good": "text", "bad": 3}, marker="good")  # type: ignore[dict-item]
    assert list(tmp_path.iterdir()) == []


def test_foreign_folders_are_left_alone(design: Design, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(MlpressError, match="holds other files"):
        design.save(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.txt"
    write_file(target, "one")
    write_file(target, b"two")
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]
    with pytest.raises(MlpressError, match="cannot write"):
        write_file(target / "below", "three")


def test_a_liberty_design_asks_for_its_liberty(design: Design) -> None:
    changed = design.with_facts(design.facts | {"options": design.facts["options"] | {"liberty": "mine.lib"}})
    with pytest.raises(MlpressError, match=r"mine\.lib.*--liberty"):
        _ = replace(changed, built=None).target


def test_dataset_is_at_the_door() -> None:
    assert len(Dataset.bundled("iris")) == 150
