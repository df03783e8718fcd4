"""How labels and columns of data meet a model's classes and inputs, and what is said about it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from support.told import NAMES, classifier, data, rows

from mlpress import Dataset, MlpressError, load
from mlpress.codegen import onnx_model
from mlpress.frontend import with_features
from mlpress.ir import interpret_model

COUNTED = ("x[0]", "x[1]", "x[2]")


@pytest.mark.parametrize(
    ("labels", "classes", "pairs", "note", "warned"),
    [
        ((0, 1, 2), (0, 1, 2), [[0, 0], [1, 1], [2, 2]], "labels are matched by name: 0, 1, 2", False),
        (("2", "0", "1"), (0, 1, 2), [[0, 0], [1, 1], [2, 2]], "labels are matched by name: 0, 1, 2", False),
        (("b", "a", "c"), ("c", "b", "a"), [["a", "a"], ["b", "b"], ["c", "c"]], "by name: a, b, c", False),
        ((1, 2, 3), (0, 1, 2), [[1, 0], [2, 1], [3, 2]], "in their order: 1 is 0, 2 is 1, 3 is 2", False),
        ((0, 1, 7), (0, 1, 2), [[0, 0], [1, 1], [7, 2]], "in their order: 0 is 0, 1 is 1, 7 is 2", True),
        ((10, 20, 30), (0, 1, 2), [[10, 0], [20, 1], [30, 2]], "in their order: 10 is 0, 20 is 1, 30 is 2", False),
        (("z", "x", "y"), (0, 1, 2), [["x", 0], ["y", 1], ["z", 2]], "in their order: x is 0, y is 1, z is 2", False),
        ((5, "a", 4), (0, 1, 2), [[4, 0], [5, 1], ["a", 2]], "in their order: 4 is 0, 5 is 1, a is 2", False),
    ],
)
def test_every_mapping_of_labels_is_said(labels, classes, pairs, note, warned) -> None:
    found = data(labels).match(classifier(classes=classes))
    assert found.to_json()["labels"]["pairs"] == pairs
    assert found.notes()[0].endswith(note)
    assert bool(found.warnings()) == warned


def test_gaps_in_the_labels_are_a_warning() -> None:
    assert data((0, 1, 7)).match(classifier()).warnings() == [
        "the labels 0, 1, 7 have gaps where the model counts 0, 1, 2; taken in their order "
        "(0 is 0, 1 is 1, 7 is 2); give the data the model's own numbers if that is wrong"
    ]


def test_long_lists_and_odd_names_stay_on_one_short_line() -> None:
    labels = [f"class\n{'long' * 30} {k:02}" for k in range(40)]
    many = Dataset.from_arrays(np.eye(40), labels, [f"column {k}" for k in range(40)])
    model = classifier()
    layer = type(model.layers[0])(np.ones((40, 40)), np.zeros(40), model.layers[1].activation)
    wide = type(model)(many.names, np.ones(40), np.zeros(40), (layer,), model.head, tuple(range(40)))
    for note in many.match(wide).notes():
        assert "\n" not in note
        assert len(note) < 1000
        assert "and 28 more" in note


@pytest.mark.parametrize(
    ("ours", "theirs", "note"),
    [
        (NAMES, NAMES, "columns are matched by name, in the data's order: length, width, height"),
        (("height", "width", "length"), NAMES, "by name, and put in the model's order: length, width, height"),
        (NAMES, COUNTED, "columns are taken in the data's order: length, width, height (--features names the order"),
        (None, NAMES, "columns are taken as they come, 3 without names"),
    ],
)
def test_the_order_of_columns_is_said(ours, theirs, note) -> None:
    found = data(names=ours).match(classifier(theirs))
    assert note in found.notes()[1]
    assert found.warnings() == []


def test_columns_that_no_input_takes_are_said() -> None:
    features, labels = rows()
    wide = Dataset.from_arrays(np.column_stack([labels, features]), labels, ("id", *NAMES))
    assert wide.match(classifier()).notes()[1].endswith("length, width, height; not used: id")


def test_names_on_both_sides_without_one_in_common_are_a_warning() -> None:
    assert data(names=("p", "q", "r")).match(classifier()).warnings() == [
        "the model's inputs are length, width, height but the data's columns p, q, r: no name is the same, so they are "
        "taken in that order; say the model's order in the data's names with --features"
    ]


def saved(path: Path, entries: dict[str, str], inputs: tuple[str, ...] = COUNTED) -> Path:
    proto = onnx_model(classifier(inputs))
    onnx.helper.set_model_props(proto, entries)
    onnx.save(proto, path)
    return path


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("feature_names", json.dumps(NAMES)),
        ("feature_names", "length, width,height"),
        ("feature_order", "length,width,height"),
        ("columns", json.dumps(NAMES)),
    ],
)
def test_shuffled_columns_are_put_in_the_order_of_the_models_metadata(tmp_path: Path, key: str, text: str) -> None:
    model = load(saved(tmp_path / "model.onnx", {"author": "nobody", key: text}))
    assert model.inputs == NAMES
    features, labels = rows()
    shuffled = Dataset.from_arrays(features[:, [2, 0, 1]], labels, ("height", "length", "width"))
    fitted = shuffled.for_model(model)
    assert fitted.features.tolist() == features.tolist()
    assert (interpret_model(model, fitted.features)[1] == labels).all()


@pytest.mark.parametrize(
    "text", ["", "a,b", "a,b,b", "[1, 2, 3]", '{"a": 1}', "[" * 5000, json.dumps(["a", "b", "\u0007"]), "9" * 5000]
)
def test_metadata_that_names_no_features_is_passed_over(tmp_path: Path, text: str) -> None:
    plain = load(saved(tmp_path / "plain.onnx", {})).inputs
    assert load(saved(tmp_path / "model.onnx", {"feature_names": text})).inputs == plain


def test_features_name_the_models_order() -> None:
    features, labels = rows()
    shuffled = Dataset.from_arrays(features[:, [2, 0, 1]], labels, ("Height", "length", "width (mm)"))
    model, warnings = with_features(classifier(COUNTED), ["length", "width_mm", "Height"], shuffled.names)
    assert warnings == []
    assert shuffled.for_model(model).features.tolist() == features.tolist()


def test_features_that_differ_from_the_model_files_are_a_warning() -> None:
    model, warnings = with_features(classifier(), ["height", "width", "length"], NAMES)
    assert model.inputs == ("height", "width", "length")
    assert warnings == [
        "the model file names its inputs length, width, height, --features says height, width, length: "
        "--features is followed"
    ]
    assert with_features(classifier(), list(NAMES), NAMES)[1] == []


@pytest.mark.parametrize(
    ("features", "names", "message"),
    [
        (["a", "b"], NAMES, "--features names 2 different columns but the model has 3 inputs"),
        (["a", "a", "b"], NAMES, "--features names 2 different columns but the model has 3 inputs"),
        (["length", "width", "depth"], NAMES, "'depth' is none of the data's columns ['length', 'width', 'height']"),
        (["length", "width", "height"], COUNTED, "the data's have no names; give the file a header"),
    ],
)
def test_features_that_cannot_be_followed(features, names, message) -> None:
    with pytest.raises(MlpressError) as caught:
        with_features(classifier(COUNTED), features, names)
    assert message in str(caught.value)


def test_a_folder_is_no_data_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wine").mkdir()
    assert Dataset.read("wine").features.shape == (178, 13)
    with pytest.raises(MlpressError, match="wine is a folder; give the path of a CSV file in it"):
        Dataset.read("./wine")


def test_a_file_wins_over_a_bundled_set_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wine").write_text("a,b,y\n1,2,0\n3,4,1\n")
    found = Dataset.read("wine")
    assert found.names == ("a", "b")
    assert found.remarks == (
        "wine is a file here as well as one of scikit-learn's sets: the file is read (./wine says so)",
    )
    assert Dataset.read("./wine").remarks == ()
    with pytest.raises(MlpressError, match="iris is scikit-learn's set, whose labels are known; leave --label out"):
        Dataset.read("iris", label="kind")


def first_column(tmp_path: Path, header: bool, labels: tuple[int | str, ...] = (1, 2, 3)) -> Path:
    """A CSV file with its labels first and real values in whole numbers last."""
    features, classes = rows(90)
    lines = [
        f"{labels[k]},{a:.3f},{b:.3f},{500 + 7 * n}"
        for n, (k, (a, b, _)) in enumerate(zip(classes, features, strict=True))
    ]
    path = tmp_path / "first.csv"
    path.write_text("\n".join((["kind,length,width,height"] if header else []) + lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (True, "column 'kind' has 3 values and may hold the labels: --label kind"),
        (False, "column 1 has 3 values and may hold the labels: --label 1"),
    ],
)
def test_labels_in_the_first_column_are_named(tmp_path: Path, header: bool, said: str) -> None:
    path = first_column(tmp_path, header)
    with pytest.raises(MlpressError) as caught:
        Dataset.from_csv(path).match(classifier(COUNTED))
    assert "the data has 90 classes; " in str(caught.value)
    assert str(caught.value).endswith(said)
    right = Dataset.from_csv(path, label=said.rsplit(" ", 1)[1])
    assert len(right) == 90
    assert right.classes == (1, 2, 3)
    assert right.match(classifier(right.names)).to_json()["labels"]["pairs"] == [[1, 0], [2, 1], [3, 2]]


def test_real_numbers_in_the_last_column_are_no_labels(tmp_path: Path) -> None:
    path = tmp_path / "real.csv"
    path.write_text("kind,a,b,c\n" + "".join(f"{k % 3},{k / 7},{k / 5},{k / 3 + 0.1}\n" for k in range(40)))
    with pytest.raises(MlpressError, match=r"labels are real numbers; column 'kind' has 3 values .*: --label kind"):
        Dataset.from_csv(path).match(classifier(COUNTED))


@pytest.mark.parametrize(("header", "label"), [(True, "kind"), (False, "1")])
def test_text_in_the_first_column_may_be_the_label(tmp_path: Path, header: bool, label: str) -> None:
    path = first_column(tmp_path, header, ("red", "green", "blue"))
    with pytest.raises(MlpressError, match=f"if that column holds the labels: --label {label}$"):
        Dataset.from_csv(path)
    found = Dataset.from_csv(path, label=label)
    assert len(found) == 90
    assert found.classes == ("blue", "green", "red")


def test_a_label_by_number_needs_no_header(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("3,0.5,1\n1,0.25,2\n")
    found = Dataset.from_csv(path, label="1")  # "1" is in the first line too, as a value
    assert found.classes == (1, 3)
    assert found.features.tolist() == [[0.5, 1.0], [0.25, 2.0]]
    with pytest.raises(MlpressError, match=r"no column is called '4'; the first line has .*, and a column's number is"):
        Dataset.from_csv(path, label="4")
    path.write_text("0,1,2\n7,8,1\n9,8,0\n")
    assert Dataset.from_csv(path, label="1").features.tolist() == [[7.0, 1.0], [9.0, 0.0]]
