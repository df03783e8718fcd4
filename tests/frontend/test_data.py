"""Data sets from files, arrays and scikit-learn, and their fit to a model."""

from __future__ import annotations

import dataclasses
import zipfile

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler
from support.nets import random_net

from mlpress.errors import MlpressError
from mlpress.frontend import BUNDLED, Dataset
from mlpress.frontend.data import class_name, min_max, unit_inputs
from mlpress.ir import ArgmaxHead, Dense, Linear, Model, ScoresHead, ThresholdHead, bit_blast


def written(tmp_path, text, name="data.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def model(inputs=("a", "b"), classes=(0, 1, 2), head=None):
    outputs = len(classes) if len(classes) != 2 else 1
    heads = {0: ScoresHead(), 2: ThresholdHead()}
    layer = Dense(np.ones((outputs or 1, len(inputs))), np.zeros(outputs or 1), Linear())
    return Model(
        inputs,
        np.ones(len(inputs)),
        np.zeros(len(inputs)),
        (layer,),
        head or heads.get(len(classes), ArgmaxHead()),
        classes,
    )


def test_csv_with_a_header(tmp_path):
    data = Dataset.from_csv(written(tmp_path, "a,b,kind\n1,2.5,x\n-3,4e2,y\n0,0,x\n"))
    assert data.names == ("a", "b")
    assert data.classes == ("x", "y")
    assert data.features.tolist() == [[1.0, 2.5], [-3.0, 400.0], [0.0, 0.0]]
    assert data.labels.tolist() == [0, 1, 0]
    assert data.labels.dtype == np.int64
    assert len(data) == 3


def test_csv_without_a_header(tmp_path):
    data = Dataset.from_csv(written(tmp_path, "1,2,7\n3,4,5\n"))
    assert data.names == ("x[0]", "x[1]")
    assert data.classes == (5, 7)
    assert data.labels.tolist() == [1, 0]
    assert Dataset.from_csv(written(tmp_path, "1,2,yes\n3,4,no\n")).classes == ("no", "yes")


def test_csv_with_numbers_as_names(tmp_path):
    data = Dataset.from_csv(written(tmp_path, "0,1,target\n5,6,1\n7,8,0\n"))
    assert data.names == ("0", "1")
    assert data.features.tolist() == [[5.0, 6.0], [7.0, 8.0]]
    assert data.labels.tolist() == [1, 0]


def test_csv_label_by_name(tmp_path):
    data = Dataset.from_csv(written(tmp_path, "kind,a,b\n1,2,3\n0,5,6\n"), label="kind")
    assert data.names == ("a", "b")
    assert data.labels.tolist() == [1, 0]


def test_csv_quotes_spaces_and_a_byte_order_mark(tmp_path):
    text = '\ufeff"width, cm", "the ""b""",label\n"1", 2 ,"a, b"\n\n3,"4","line\nbreak"\n'
    data = Dataset.from_csv(written(tmp_path, text))
    assert data.names == ("width, cm", 'the "b"')
    assert data.features.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert data.classes == ("a, b", "line\nbreak")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_delimiters(tmp_path, delimiter):
    text = delimiter.join(["a", "b", "y"]) + "\r\n" + delimiter.join(["1", "2", "0"]) + "\r\n"
    assert Dataset.from_csv(written(tmp_path, text)).names == ("a", "b")
    piped = written(tmp_path, "a|b|y\n1|2|0\n")
    assert Dataset.from_csv(piped, delimiter="|").features.tolist() == [[1.0, 2.0]]


def test_csv_targets(tmp_path):
    path = written(tmp_path, "a,y\n1,0.5\n2,1.25\n3,2\n")
    data = Dataset.from_csv(path)
    assert data.classes == ()
    assert data.labels.tolist() == [0.5, 1.25, 2.0]
    whole = written(tmp_path, "a,y\n1,3\n2,5\n")
    assert Dataset.from_csv(whole).classes == (3, 5)
    assert Dataset.from_csv(whole, task="regression").labels.tolist() == [3.0, 5.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty; rows of features with a label are expected"),
        ("\n \n", "the file is empty"),
        ("a,b,y\n", "there is a header but no row below it"),
        ("1\n2\n", "line 1 has one column; features and a label are expected"),
        ("a,b,y\n1,2,0\n1,2\n", "line 3 has 2 columns; line 1 has 3"),
        ("a,b,y\n1,2,0\n\n1,2,3,4\n", "line 4 has 4 columns; line 1 has 3"),
        ("a,b,y\n1,2,0\n1,,1\n", "line 3, column 'b': the cell is empty; fill it or drop the row"),
        ("a,b,y\n1,2,0\n1,two,1\n", "line 3, column 'b': 'two' is not a finite number"),
        ("1,2,0\n1,two,1\n", "line 2, column 2: 'two' is not a finite number"),
        ("a,b,y\nnan,2,0\n", "line 2, column 'a': 'nan' is not a finite number"),
        ("a,b,y\n1,inf,0\n", "line 2, column 'b': 'inf' is not a finite number"),
        ("a,b,y\n1,1e999,0\n", "line 2, column 'b': '1e999' is not a finite number"),
        ("a,b,y\n1_000,2,0\n", "line 2, column 'a': '1_000' is not a finite number"),
        ("a,b,y\n1,2,\n", "line 2: the label is empty; fill it or drop the row"),
        ("a,b,y\n1,2,0\n1,2,nan\n", "line 3: the label is not a finite number; fill it or drop the row"),
        (",a,y\n0,2,0\n", "column 1 has no name; name it, or drop it if it counts the rows"),
        ("a,a,y\n1,2,0\n", "two columns are called 'a'; rename one"),
        ('a,b,y\n"1\n",2,0\n1,x,0\n', "line 4, column 'b': 'x' is not a finite number"),
        (b"a,b,y\n1,2,\xff\n", "not UTF-8 text; save the CSV file as UTF-8"),
        (
            "a,b,y\n1,2," + "z" * 200_000 + "\n",
            "not a CSV file that can be read: field larger than field limit (131072)",
        ),
    ],
)
def test_csv_errors_name_the_line(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(MlpressError) as caught:
        Dataset.from_csv(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_csv_other_errors(tmp_path):
    with pytest.raises(MlpressError, match="no such file; give the path of a CSV file"):
        Dataset.from_csv(tmp_path / "gone.csv")
    path = written(tmp_path, "a,b,y\n1,2,0\n")
    with pytest.raises(MlpressError, match=r"no column is called 'z'; the first line has \['a', 'b', 'y'\]"):
        Dataset.from_csv(path, label="z")
    with pytest.raises(MlpressError, match="not a CSV file that can be read"):
        Dataset.from_csv(path, delimiter="||")
    many = written(tmp_path, "a,y\n" + "".join(f"{i},{i}\n" for i in range(1200)))
    assert Dataset.from_csv(many).classes == ()
    with pytest.raises(MlpressError, match="1200 different labels; more than 1000 classes are not supported"):
        Dataset.from_csv(many, task="classification")
    real = written(tmp_path, "a,y\n1,0.5\n2,1\n")
    with pytest.raises(MlpressError, match="the labels are real numbers; classes must be whole numbers or text"):
        Dataset.from_csv(real, task="classification")
    text = written(tmp_path, "a,y\n1,p\n2,q\n")
    with pytest.raises(MlpressError, match="the labels are text; a regression needs numbers"):
        Dataset.from_csv(text, task="regression")


@pytest.mark.parametrize("names", [("X", "y"), ("features", "labels"), ("data", "target"), ("Xtrain", "ytrain")])
def test_npz(tmp_path, names):
    path = tmp_path / "data.npz"
    np.savez(path, **{names[0]: np.arange(6.0).reshape(3, 2), names[1]: np.array([4, 2, 4]), "other": np.zeros(9)})
    data = Dataset.from_npz(path)
    assert data.classes == (2, 4)
    assert data.labels.tolist() == [1, 0, 1]
    assert data.names == ("x[0]", "x[1]")


def test_npz_with_names_and_other_arrays(tmp_path):
    path = tmp_path / "data.npz"
    arrays = {"Xtest": np.eye(2, dtype=np.float32), "ref": np.array([["b"], ["a"]]), "names": np.array(["p", "q"])}
    np.savez_compressed(path, **arrays)
    data = Dataset.from_npz(path, features="Xtest", labels="ref")
    assert data.names == ("p", "q")
    assert data.classes == ("a", "b")
    assert data.labels.tolist() == [1, 0]


def test_npz_errors(tmp_path):
    path = tmp_path / "data.npz"

    def message(**options):
        with pytest.raises(MlpressError) as caught:
            Dataset.from_npz(path, **options)
        return str(caught.value).removeprefix(f"{path}: ")

    assert message() == "no such file; give the path of an NPZ file"
    path.write_bytes(b"PK not a zip file")
    assert message() == "not an NPZ file, or a damaged one; write it with numpy.savez"
    np.savez(path, a=np.eye(2), b=np.arange(2))
    assert message() == "the arrays are a, b; name the features (such as X) and the labels (such as y)"
    np.savez(path, X=np.array([{"a": 1}, None], object), y=np.arange(2))
    assert message() == "array 'X' holds Python objects; save numbers or text instead"
    np.savez(path, X=np.array([["a"], ["b"]]), y=np.arange(2))
    assert message() == "array 'X' holds <U1, not numbers"
    np.savez(path, X=np.eye(3), y=np.arange(2))
    assert message() == "labels have shape (2,) for 3 rows; there must be one per row"
    np.savez(path, X=np.array([[1.0], [np.nan]]), y=np.arange(2))
    assert message() == "row 1, feature 'x[0]': the value is not a finite number"


def test_npz_that_says_it_is_huge(tmp_path):
    path = tmp_path / "data.npz"
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 4), }"
    header += b" " * (64 - (len(header) + 11) % 64) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("X", "y"):
            archive.writestr(
                f"{name}.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64
            )
    with pytest.raises(MlpressError, match="array 'X' says it is larger than its file; the file is damaged"):
        Dataset.from_npz(path)


def test_arrays():
    data = Dataset.from_arrays([[1, 2], [3, 4]], ["yes", "no"])
    assert data.classes == ("no", "yes")
    assert Dataset.from_arrays(np.eye(3), [True, False, True]).classes == (0, 1)
    assert Dataset.from_arrays(np.eye(3), [10.0, 9.0, 10.0]).classes == (9, 10)
    assert Dataset.from_arrays(np.eye(3), [2, 10, 2], classes=[2, 5, 10]).labels.tolist() == [0, 2, 0]
    assert Dataset.from_arrays(np.eye(2), np.eye(2) / 2).labels.shape == (2, 2)
    assert Dataset.from_arrays(np.eye(3), np.array(["3", "a", "12"], object)).classes == (3, 12, "a")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": [1, 2]}, "features have shape (2,); they must be (rows, features), neither empty"),
        (
            {"features": np.zeros((0, 3)), "labels": []},
            "features have shape (0, 3); they must be (rows, features), neither empty",
        ),
        ({"features": [["a"], ["b"]]}, "the features do not form a table of numbers (rows, features)"),
        ({"features": [[1, 2], [3]]}, "the features do not form a table of numbers (rows, features)"),
        ({"features": [[1.0], [np.inf]]}, "row 1, feature 'x[0]': the value is not a finite number"),
        ({"labels": [0, 1, 1]}, "labels have shape (3,) for 2 rows; there must be one per row"),
        ({"labels": [0.5, np.nan]}, "row 1: the target is not a finite number"),
        ({"names": ["a"]}, "1 name for 2 features; each needs one of its own"),
        ({"names": ["a", "a"]}, "2 names for 2 features; each needs one of its own"),
        ({"labels": [0, 7], "classes": [0, 1]}, "label 7 is none of the classes [0, 1]"),
        ({"labels": np.eye(2), "task": "classification"}, "labels have shape (2, 2); there must be one class per row"),
    ],
)
def test_array_errors(options, message):
    given = {"features": [[1, 2], [3, 4]], "labels": [0, 1], **options}
    with pytest.raises(MlpressError) as caught:
        Dataset.from_arrays(**given)
    assert str(caught.value) == message


def test_a_data_set_cannot_be_changed():
    source = np.eye(2)
    data = Dataset.from_arrays(source, [0, 1])
    source[0, 0] = 9
    assert data.features[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        data.features[0, 0] = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.labels = None  # type: ignore[misc]
    with pytest.raises(MlpressError, match=r"a label is outside 0..1, the indices of the classes"):
        Dataset(np.eye(2), np.array([0, 2]), ("a", "b"), (0, 1))


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled(name):
    data = Dataset.bundled(name)
    assert Dataset.read(name).classes == data.classes
    assert len(data.names) == data.features.shape[1]
    assert bool(data.classes) == (name != "diabetes")


def test_bundled_iris():
    data = Dataset.bundled("iris")
    assert data.classes == ("setosa", "versicolor", "virginica")
    np.testing.assert_array_equal(data.features, load_iris().data)
    assert Dataset.bundled("digits").classes == tuple(range(10))
    with pytest.raises(
        MlpressError, match="no bundled data set 'mnist'; there are breast_cancer, diabetes, digits, iris, wine"
    ):
        Dataset.bundled("mnist")


def test_read_goes_by_the_name(tmp_path):
    np.savez(tmp_path / "data.npz", X=np.eye(2), labels=np.array([0, 1]), y=np.array([5, 6]))
    assert Dataset.read(tmp_path / "data.npz", label="labels").classes == (0, 1)
    assert Dataset.read(written(tmp_path, "a,b,y\n1,2,x\n", "data.txt"), label="y").classes == ("x",)


def test_split_is_scikit_learns():
    data = Dataset.bundled("iris")
    train, test = data.split(0.3, seed=42)
    expected = train_test_split(data.features, data.labels, test_size=0.3, random_state=42)
    for found, wanted in zip((train.features, test.features, train.labels, test.labels), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    stratified = data.split(0.2, seed=1, stratify=True)[1]
    assert np.bincount(stratified.labels).tolist() == [10, 10, 10]
    assert train.classes == test.classes == data.classes
    with pytest.raises(MlpressError, match="2 rows cannot be split so: "):
        data.take(np.array([0, 1])).split(1.5)


def test_literature_protocol():
    """Rows in file order, 30 % held out by seed 42, min-max to (0, 0.9), floor of 16 times that, 0 to 15."""
    train, test = Dataset.bundled("wine").split(0.3, seed=42)
    scaler = MinMaxScaler((0, 0.9)).fit(train.features)
    expected = np.clip(np.floor(16 * scaler.transform(test.features)), 0, 15)
    inputs = unit_inputs(train.names, *min_max(train.features, 0.0, 0.9), bits=4)
    found = [[x * one.scale + one.offset for x, one in zip(row, inputs, strict=True)] for row in test.features.tolist()]
    np.testing.assert_array_equal(np.clip(np.floor(found), 0, 15), expected)
    assert {one.bits for one in inputs} == {4}


def test_features_are_matched_by_name():
    data = Dataset.from_arrays([[1, 2, 3], [4, 5, 6]], [0, 1], ["b", "extra", "a"])
    fitted = data.for_model(model(("a", "b")))
    assert fitted.names == ("a", "b")
    assert fitted.features.tolist() == [[3.0, 1.0], [6.0, 4.0]]


def test_features_are_matched_by_an_exporters_spelling():
    data = Dataset.from_arrays([[1, 2], [4, 5]], [0, 1], ["Sepal length (cm)", "petal width"])
    assert data.for_model(model(("petal_width", "sepal_length__cm_"))).features.tolist() == [[2.0, 1.0], [5.0, 4.0]]


def test_features_are_matched_by_position():
    data = Dataset.from_arrays([[1, 2], [4, 5]], [0, 1], ["X1", "X0"])
    for names in (("x[0]", "x[1]"), ("float_input[0]", "float_input[1]"), ("p", "q")):
        fitted = data.for_model(model(names))
        assert fitted.names == (("p", "q") if names[0] == "p" else ("X1", "X0"))
        assert fitted.features.tolist() == [[1.0, 2.0], [4.0, 5.0]]
    unnamed = Dataset.from_arrays([[1, 2], [4, 5]], [0, 1])
    assert unnamed.for_model(model(("input[0]", "input[1]"))).names == ("input[0]", "input[1]")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "b", "c"), "the model has 3 inputs but the data has 2 features"),
        (("a", "z"), "the model's input 'z' is none of the data's features ['a', 'b']"),
    ],
)
def test_features_that_do_not_fit(names, message):
    data = Dataset.from_arrays([[1, 2], [4, 5]], [0, 1], ["a", "b"])
    with pytest.raises(MlpressError) as caught:
        data.for_model(model(names))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("labels", "classes", "indices", "names"),
    [
        ([0, 1, 2], (0, 1, 2), [0, 1, 2], (0, 1, 2)),
        ([1, 2, 1], (0, 1, 2), [1, 2, 1], (0, 1, 2)),  # some classes have no row
        ([3, 5, 9], (0, 1, 2), [0, 1, 2], (3, 5, 9)),  # the model only counts: sorted order
        (["x", "z", "y"], (0, 1, 2), [0, 2, 1], ("x", "y", "z")),
        ([5, 3, 9], (9, 5, 3), [1, 2, 0], (9, 5, 3)),
        ([5, 3, 9], ("9", "5", "3"), [1, 2, 0], ("9", "5", "3")),
        (["b", "a", "b"], ("a", "b", "c"), [1, 0, 1], ("a", "b", "c")),
    ],
)
def test_labels_are_matched(labels, classes, indices, names):
    fitted = Dataset.from_arrays(np.eye(3)[:, :2], labels).for_model(model(classes=classes))
    assert fitted.labels.tolist() == indices
    assert fitted.classes == names


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        (
            ["a", "b", "q"],
            ("a", "b", "c"),
            "label 'q' is none of the model's 3 classes ['a', 'b', 'c']; the data has 3 classes",
        ),
        ([1, 2, 3], (0, 1), "label 2 is none of the model's 2 classes [0, 1]; the data has 3 classes"),
        ([0.5, 1, 2], (0, 1), "the model tells classes apart but the data's labels are real numbers"),
        (["a", "b", "c"], (), "the model is a regression but the data's labels are class names"),
    ],
)
def test_labels_that_do_not_fit(labels, classes, message):
    with pytest.raises(MlpressError) as caught:
        Dataset.from_arrays(np.eye(3)[:, :2], labels).for_model(model(classes=classes))
    assert str(caught.value) == message


def test_whole_labels_become_targets():
    data = Dataset.from_arrays(np.eye(3)[:, :2], [7, 3, 7])
    assert data.for_model(model(classes=())).labels.tolist() == [7.0, 3.0, 7.0]
    with pytest.raises(MlpressError, match=r"the model has 1 output but the data has targets of shape \(3, 2\)"):
        Dataset.from_arrays(np.eye(3)[:, :2], np.eye(3)[:, :2] / 2).for_model(model(classes=()))


@pytest.mark.parametrize(
    ("label", "name"),
    [
        (3, 3),
        (3.0, 3),
        ("3", 3),
        ("-3", -3),
        ("03", "03"),
        ("3.0", "3.0"),
        (" a ", "a"),
        (True, 1),
        ("", ""),
        ("-", "-"),
    ],
)
def test_class_names(label, name):
    assert class_name(label) == name
    assert type(class_name(label)) is type(name)


@pytest.mark.parametrize("regression", [False, True])
def test_rows_fit_a_circuit_as_they_fit_the_net_that_it_was(regression: bool) -> None:
    rng = np.random.default_rng(1)
    net = random_net(rng, head="scores" if regression else "argmax")
    labels = rng.normal(size=(30, len(net.head.scale))) if regression else np.arange(30) % len(net.classes)
    classes = None if regression else net.classes
    data = Dataset.from_arrays(rng.normal(size=(30, len(net.inputs))), labels, classes=classes)
    one, other = data.for_model(net), data.for_model(bit_blast(net))
    assert one.names == other.names
    assert one.classes == other.classes
    assert one.features.tolist() == other.features.tolist()
    assert one.labels.tolist() == other.labels.tolist()
