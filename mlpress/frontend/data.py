"""Data sets: features with labels, from files, arrays and scikit-learn's bundled sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpress.errors import MlpressError
from mlpress.frontend.matching import Labels, Match, listed, match_columns, match_labels
from mlpress.ir import Field, Input, Model, ScoresHead, Shipped, filled
from mlpress.progress import counted

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Task = Literal["auto", "classification", "regression"]
BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "wine")
MAX_CLASSES = 1000  # more different labels than this are targets of a regression


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Rows of real features with a label each.

    ``features`` is float64 (rows, features).  ``labels`` is the class index, int64 (rows,), with ``classes`` in
    sorted order; or, for regression, the targets, float64 (rows,) or (rows, targets), with no ``classes``.
    All values are finite, but that features may be missing (NaN) where ``missing`` is true, for a model that says what
    stands for them; rows matched to it have none.  The arrays are read-only copies.  ``last_label`` says that the label
    is a file's last column because nobody named another; ``remarks`` are what was suspicious in reading, one line each.
    """

    features: Floats
    labels: Ints | Floats
    names: tuple[str, ...]
    classes: tuple[int | str, ...] = field(default=())
    last_label: bool = False
    remarks: tuple[str, ...] = ()
    missing: bool = False

    def __repr__(self) -> str:
        answers = counted(len(self.classes), "class", "classes") if self.classes else "regression"
        return f"Dataset({counted(len(self.features), 'row')}, {counted(len(self.names), 'feature')}, {answers})"

    def __post_init__(self) -> None:
        features = np.array(self.features, np.float64)
        labels = np.array(self.labels, np.int64 if self.classes else np.float64)
        if features.ndim != 2 or not features.size:
            raise MlpressError(f"features have shape {features.shape}; they must be (rows, features), neither empty")
        if labels.ndim not in ({1} if self.classes else {1, 2}) or len(labels) != len(features):
            raise MlpressError(
                f"labels have shape {labels.shape} for {counted(len(features), 'row')}; there must be one per row"
            )
        if len(self.names) != features.shape[1] or len(set(self.names)) != len(self.names):
            raise MlpressError(
                f"{counted(len(self.names), 'name')} for {counted(features.shape[1], 'feature')}; each needs one of "
                f"its own"
            )
        bad = np.argwhere(np.isinf(features) if self.missing else ~np.isfinite(features))
        if len(bad):
            raise MlpressError(f"row {bad[0][0]}, feature {self.names[bad[0][1]]!r}: the value is not a finite number")
        if not np.isfinite(labels).all():
            raise MlpressError(f"row {np.argmin(np.isfinite(labels))}: the target is not a finite number")
        if self.classes and not (labels.min() >= 0 and labels.max() < len(self.classes)):
            raise MlpressError(f"a label is outside 0..{len(self.classes) - 1}, the indices of the classes")
        for name, array in (("features", features), ("labels", labels)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.features)

    @classmethod
    def from_arrays(
        cls,
        features: ArrayLike,
        labels: ArrayLike,
        names: Sequence[str] | None = None,
        classes: Sequence[int | str] | None = None,
        task: Task = "auto",
        missing: bool = False,
    ) -> Dataset:
        """Make a data set from ``features`` (rows, features) and ``labels`` (rows,): class names, or targets of a
        regression.

        With ``task="auto"`` labels that are all text or whole numbers are classes.  ``classes`` lists them where
        some have no row, or where their order is not the sorted one.  With ``missing`` features may be NaN.
        """
        try:
            table = np.array(features, np.float64)
        except (ValueError, TypeError):
            raise MlpressError("the features do not form a table of numbers (rows, features)") from None
        raw = np.asarray(labels)
        columns = table.shape[1] if table.ndim == 2 else 0
        given = tuple(str(name) for name in names) if names is not None else generated_names(columns)
        if task == "regression" or (task == "auto" and classes is None and not _are_classes(raw)):
            return cls(table, _targets(raw), given, missing=missing)
        indices, found = _indexed(raw, classes)
        return cls(table, indices, given, found, missing=missing)

    @classmethod
    def from_csv(
        cls,
        path: str | PathLike[str],
        label: str | None = None,
        task: Task = "auto",
        delimiter: str | None = None,
        missing: bool = False,
    ) -> Dataset:
        """Read a CSV file, with a header or without; the label is the column ``label``, else the last one.

        Without a header ``label`` is the number of a column, from 1.
        ``delimiter`` is found in the first line (comma, semicolon or tab) where it is not given.  Raises
        :class:`MlpressError` with the line number for a ragged line and for a cell that is empty or no number; with
        ``missing`` an empty cell and ``nan`` are missing features.
        """
        from mlpress.frontend.files import read_csv

        table, labels, names = read_csv(Path(path), label, delimiter, missing)
        found = _located(path, lambda: cls.from_arrays(table, labels, names, task=task, missing=missing))
        return replace(found, last_label=label is None)

    @classmethod
    def from_npz(
        cls,
        path: str | PathLike[str],
        features: str | None = None,
        labels: str | None = None,
        task: Task = "auto",
        missing: bool = False,
    ) -> Dataset:
        """Read the arrays ``features`` and ``labels`` of an NPZ file.

        Where no names are given, one of the usual pairs must be there: ``X``/``y``, ``x``/``y``,
        ``features``/``labels``, ``data``/``target``, ``X_train``/``y_train``, ``Xtrain``/``ytrain``.  An array
        ``names`` names the features.
        """
        from mlpress.frontend.files import read_npz

        table, values, names = read_npz(Path(path), features, labels)
        return _located(path, lambda: cls.from_arrays(table, values, names, task=task, missing=missing))

    @classmethod
    def bundled(cls, name: str) -> Dataset:
        """Load one of scikit-learn's data sets: :data:`BUNDLED`."""
        if name not in BUNDLED:
            raise MlpressError(f"no bundled data set {name!r}; there are {', '.join(BUNDLED)}")
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{name}")()
        names = tuple(str(feature) for feature in bunch.feature_names)
        if name == "diabetes":
            return cls(bunch.data, bunch.target, names)
        return cls(bunch.data, bunch.target, names, tuple(class_name(label) for label in bunch.target_names.tolist()))

    @classmethod
    def read(
        cls,
        source: str | PathLike[str],
        label: str | None = None,
        task: Task = "auto",
        model: Model | Shipped | None = None,
    ) -> Dataset:
        """Read a ``.npz`` file, a CSV file, or where no file has that name, a bundled set.

        Features may be missing where ``model`` says what stands for one.
        """
        missing = model is not None and any(value is not None for value in _missing(model))
        name, path = str(source), Path(source)
        if name in BUNDLED and not path.is_file():
            if label is not None:
                raise MlpressError(f"{name} is scikit-learn's set, whose labels are known; leave --label out")
            return cls.bundled(name)
        found = (
            cls.from_npz(path, labels=label, task=task, missing=missing)
            if path.suffix.lower() == ".npz"
            else cls.from_csv(path, label, task, missing=missing)
        )
        if name not in BUNDLED:
            return found
        remark = f"{name} is a file here as well as one of scikit-learn's sets: the file is read (./{name} says so)"
        return replace(found, remarks=(*found.remarks, remark))

    def take(self, rows: NDArray[Any]) -> Dataset:
        """Return the rows with these indices (or where this mask holds), in that order; the classes stay the same."""
        return replace(self, features=self.features[rows], labels=self.labels[rows])

    def split(self, test_size: float = 0.3, seed: int = 42, stratify: bool = False) -> tuple[Dataset, Dataset]:
        """Return training and test rows, as scikit-learn's ``train_test_split(..., random_state=seed)`` draws them."""
        from sklearn.model_selection import train_test_split

        try:
            train, test = train_test_split(
                np.arange(len(self)),
                test_size=test_size,
                random_state=seed,
                stratify=self.labels if stratify and self.classes else None,
            )
        except ValueError as error:
            raise MlpressError(
                f"{counted(len(self), 'row')} cannot be split so: {' '.join(str(error).split())}"
            ) from None
        return self.take(train), self.take(test)

    def match(self, model: Model | Shipped) -> Match:
        """Return how the columns and labels meet ``model``'s inputs and classes, by the rule of ``docs/data.md``.

        Raises :class:`MlpressError` where they do not fit.
        """
        inputs = tuple(one if isinstance(one, str) else one.name for one in model.inputs)
        columns = match_columns(inputs, self.names)
        return Match(columns, None if _score_count(model) is not None else self._labels(model.classes))

    def for_model(self, model: Model | Shipped) -> Dataset:
        """Return the same rows with the features and class indices of ``model``, which may be an integer net or a
        circuit too.

        Columns and labels meet the model's as :meth:`match` says.  Where the model only counts its features or
        classes, the data's names are kept.  :func:`quantise` gives them to its net; further data sets are best
        matched with that, since a class may be missing from their rows.

        Raises :class:`MlpressError` where they do not fit, and where a feature is missing that may not be.
        """
        found = self.match(model)
        features, names = self.features[:, found.columns.places], found.columns.names
        if self.missing:
            features = filled(features, _missing(model))
        if found.labels is None:
            return Dataset(features, self._targets(_score_count(model) or 0), names)
        labels = np.array(found.labels.places, np.int64)[np.asarray(self.labels, np.int64)]
        return Dataset(features, labels, names, found.labels.classes)

    def likely_label(self, classes: int) -> str:
        """Return which column may hold the labels of ``classes`` classes in place of a file's last one; empty where
        none may.

        Only where nobody named a label: the first column with no more different values than classes, all whole
        numbers, and two at least.
        """
        if not self.last_label:
            return ""
        for place in range(self.features.shape[1]):
            values = np.unique(self.features[:, place])
            if 2 <= len(values) <= classes and (values == np.floor(values)).all():
                unnamed = self.names == generated_names(len(self.names))
                called = f"column {place + 1}" if unnamed else f"column {listed([self.names[place]])!r}"
                named = str(place + 1) if unnamed else listed([self.names[place]])
                return f"{called} has {counted(len(values), 'value')} and may hold the labels: --label {named}"
        return ""

    def _labels(self, classes: tuple[int | str, ...]) -> Labels:
        try:
            if not self.classes:
                raise MlpressError("the model tells classes apart but the data's labels are real numbers")
            return match_labels(self.classes, classes)
        except MlpressError as error:
            likely = self.likely_label(len(classes))
            raise MlpressError(f"{error}; {likely}" if likely else str(error)) from None

    def _targets(self, outputs: int) -> Floats:
        if any(isinstance(name, str) for name in self.classes):
            raise MlpressError("the model is a regression but the data's labels are class names")
        targets = (
            np.array(self.classes, np.float64)[self.labels] if self.classes else np.asarray(self.labels, np.float64)
        )
        if targets.reshape(len(targets), -1).shape[1] != outputs:
            raise MlpressError(
                f"the model has {counted(outputs, 'output')} but the data has targets of shape {targets.shape}"
            )
        return targets


def _missing(model: Model | Shipped) -> tuple[float | None, ...]:
    """Return what stands for a missing feature, by input; ``None`` where none may be missing."""
    if isinstance(model, Model):
        return model.missing
    return tuple(one.missing for one in model.inputs if isinstance(one, Input))


def min_max(features: Floats, low: float = 0.0, high: float = 1.0) -> tuple[Floats, Floats]:
    """Return scale and offset, float64 (features,), that bring each column of ``features`` to ``low .. high``.

    They are those of scikit-learn's ``MinMaxScaler((low, high))``.
    """
    from sklearn.preprocessing import MinMaxScaler

    scaler = MinMaxScaler((low, high)).fit(features)
    return scaler.scale_, scaler.min_


def unit_inputs(names: Sequence[str], scale: Floats, offset: Floats, bits: int) -> tuple[Input, ...]:
    """Return input codes ``floor(2**bits * (x * scale + offset))``: the unit interval cut into ``2**bits`` equal steps.

    With ``bits=4`` and ``min_max(train, 0, 0.9)`` this is the input code of the published printed classifiers
    ("Bespoke Approximation of Multiplication-Accumulation and Activation Targeting Printed Multilayer Perceptrons",
    ICCAD 2023, arXiv 2312.17612).
    """
    steps = float(1 << bits)
    return tuple(
        Input(name, bits, float(gain) * steps, float(shift) * steps)
        for name, gain, shift in zip(names, scale, offset, strict=True)
    )


def generated_names(count: int) -> tuple[str, ...]:
    """Return names for features that have none: ``x[0], x[1], ...``."""
    return tuple(f"x[{index}]" for index in range(count))


def class_name(label: object) -> int | str:
    """Return a class label as an int where it is a whole number, else as text."""
    if isinstance(label, bool | int | np.integer):
        return int(label)
    if isinstance(label, float) and label.is_integer():
        return int(label)
    text = str(label).strip()
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 and text == str(int(text)) else text


def _are_classes(labels: NDArray[Any]) -> bool:
    if labels.ndim != 1 or labels.dtype.kind not in "fiub":
        return labels.ndim == 1
    with np.errstate(invalid="ignore"):
        whole = bool((labels == np.floor(labels)).all())
    return whole and len(np.unique(labels)) <= MAX_CLASSES


def _targets(labels: NDArray[Any]) -> Floats:
    try:
        return labels.astype(np.float64)
    except (ValueError, TypeError):
        raise MlpressError("the labels are text; a regression needs numbers") from None


def _indexed(labels: NDArray[Any], classes: Sequence[int | str] | None) -> tuple[Ints, tuple[int | str, ...]]:
    """Return class indices and the classes, numbers before text, in sorted order where ``classes`` does not say."""
    if labels.ndim != 1:
        raise MlpressError(f"labels have shape {labels.shape}; there must be one class per row")
    values, where = np.unique(labels.astype(str) if labels.dtype == object else labels, return_inverse=True)
    names = [class_name(value) for value in values.tolist()]
    if any(isinstance(value, float) and not value.is_integer() for value in values.tolist()):
        raise MlpressError("the labels are real numbers; classes must be whole numbers or text")
    if len(values) > MAX_CLASSES:
        raise MlpressError(f"{len(values)} different labels; more than {MAX_CLASSES} classes are not supported")
    ordered = tuple(classes) if classes is not None else tuple(sorted(set(names), key=_order))
    index = {name: position for position, name in enumerate(ordered)}
    unknown = [name for name in names if name not in index]
    if unknown:
        raise MlpressError(f"label {unknown[0]!r} is none of the classes {list(ordered)[:10]}")
    return np.array([index[name] for name in names], np.int64)[where.reshape(-1)], ordered


def _order(name: int | str) -> tuple[bool, int, str]:
    return (True, 0, name) if isinstance(name, str) else (False, name, "")


def _located(path: str | PathLike[str], make: Any) -> Dataset:
    try:
        dataset: Dataset = make()
    except MlpressError as error:
        raise MlpressError(f"{path}: {error}") from None
    return dataset


def _score_count(model: Model | Shipped) -> int | None:
    """Return how many scores a regression or a field gives; ``None`` for a classifier."""
    if isinstance(model, Field):
        return len(model.ports)
    if isinstance(model, Model):
        return len(model.layers[-1].bias) if isinstance(model.head, ScoresHead) else None
    return None if model.scores is None else len(model.ports)
