"""How the columns and class labels of data meet a model's inputs and classes: the rule of ``docs/data.md``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir import Model
from mlpress.progress import counted

Ints = NDArray[np.int64]
Name = int | str
SHOWN = 12
"""Names that one line lists before it says how many more there are."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The data's columns in the order in which the model takes them.

    ``model`` are the inputs' names, ``data`` the names of the columns that they take, ``places`` the columns' indices
    and ``unused`` the columns that no input takes.  ``by`` says how they met: by name, or by their position.
    """

    by: Literal["name", "position"]
    model: tuple[str, ...]
    data: tuple[str, ...]
    places: tuple[int, ...]
    unused: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What the inputs are called from now on: as in the model, or as in the data where the model only counts."""
        return self.data if are_counted(self.model) and not are_counted(self.data) else self.model

    @property
    def doubtful(self) -> bool:
        """Whether both sides name the columns, with no name in common, so that only their order could be used."""
        return (
            self.by == "position" and len(self.model) > 1 and not are_counted(self.model) and not are_counted(self.data)
        )

    def note(self) -> str:
        """Return one line on the order."""
        if self.by == "position":
            return f"columns are {self.taken}"
        left = f"; not used: {listed(self.unused)}" if self.unused else ""
        moved = list(self.places) != sorted(self.places)
        how = "and put in the model's order" if moved else "in the data's order"
        return f"columns are matched by name, {how}: {listed(self.data)}{left}"

    @property
    def taken(self) -> str:
        """In which order columns without matching names are taken."""
        if are_counted(self.data):
            return f"taken as they come, {len(self.data)} without names"
        return f"taken in the data's order: {listed(self.data)} (--features names the order that the model expects)"

    def warnings(self) -> list[str]:
        """Return what is suspicious about it."""
        if not self.doubtful:
            return []
        return [
            f"the model's inputs are {listed(self.model)} but the data's columns {listed(self.data)}: no name is the "
            "same, so they are taken in that order; say the model's order in the data's names with --features"
        ]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"by": self.by, "model": list(self.model), "data": list(self.data), "unused": list(self.unused)}


@dataclass(frozen=True, slots=True)
class Labels:
    """The class of the model that each label of the data is.

    ``pairs`` are (label in the data, class in the model), ``places`` the classes' indices by the index of the label,
    ``classes`` what the model's classes are called from now on.  ``by`` says how they met: by name, or in order.
    """

    by: Literal["name", "order"]
    pairs: tuple[tuple[Name, Name], ...]
    places: tuple[int, ...]
    classes: tuple[Name, ...]

    @property
    def renamed(self) -> bool:
        """Whether any label is called otherwise in the model."""
        return any(str(label) != str(name) for label, name in self.pairs)

    def note(self) -> str:
        """Return one line on the mapping."""
        if not self.renamed:
            return f"labels are matched by name: {listed([label for label, _ in self.pairs])}"
        return f"labels are matched to the model's counted classes in their order: {paired(self.pairs)}"

    def warnings(self) -> list[str]:
        """Return what is suspicious about it: numbers with gaps, some of them the model's own."""
        numbers = [label for label, _ in self.pairs if isinstance(label, int)]
        if not self.renamed or len(numbers) < len(self.pairs):
            return []
        numbered = [name for _, name in self.pairs]
        shared = set(numbers) & set(numbered)
        if not shared or max(numbers) - min(numbers) == len(numbers) - 1:
            return []
        return [
            f"the labels {listed(numbers)} have gaps where the model counts {listed(numbered)}; "
            f"taken in their order ({paired(self.pairs)}); give the data the model's own numbers if that is wrong"
        ]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"by": self.by, "pairs": [list(pair) for pair in self.pairs]}


@dataclass(frozen=True, slots=True)
class Match:
    """How data meet a model; ``labels`` is ``None`` for a regression."""

    columns: Columns
    labels: Labels | None

    def notes(self) -> list[str]:
        """Return one line each on labels and columns."""
        return [*([self.labels.note()] if self.labels else []), self.columns.note()]

    def warnings(self) -> list[str]:
        """Return what is suspicious, one line each."""
        return [*(self.labels.warnings() if self.labels else []), *self.columns.warnings()]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"labels": None if self.labels is None else self.labels.to_json(), "columns": self.columns.to_json()}


def match_columns(wanted: tuple[str, ...], names: tuple[str, ...]) -> Columns:
    """Match the data's columns ``names`` with a model's inputs ``wanted``.

    By name where every input's name is among the data's, spelt alike or as an exporter changes it; by position where
    there are as many, and one side only counts them or no name is the same.  Raises :class:`MlpressError` otherwise.
    """
    numbered = are_counted(wanted) or are_counted(names)
    places = _by_name(wanted, names, exactly=numbered)
    by: Literal["name", "position"] = "name"
    if places is None:
        if len(wanted) != len(names):
            raise MlpressError(
                f"the model has {counted(len(wanted), 'input')} but the data has {counted(len(names), 'feature')}"
            )
        known = {plain(name) for name in names}
        missing = [name for name in wanted if plain(name) not in known]
        if not numbered and len(missing) < len(wanted):
            raise MlpressError(f"the model's input {missing[0]!r} is none of the data's features {list(names)[:10]}")
        by, places = "position", tuple(range(len(names)))
    elif numbered and places == tuple(range(len(names))):
        by = "position"  # both only count
    taken = set(places)
    unused = tuple(name for place, name in enumerate(names) if place not in taken)
    return Columns(by, wanted, tuple(names[place] for place in places), places, unused)


def match_labels(ours: tuple[Name, ...], theirs: tuple[Name, ...]) -> Labels:
    """Match the data's labels ``ours`` with the model's classes ``theirs``, by name or in order.

    Raises :class:`MlpressError` where neither fits.
    """
    index = {str(name): position for position, name in enumerate(theirs)}
    if all(str(name) in index for name in ours):
        places = tuple(index[str(name)] for name in ours)
        return Labels("name", tuple(zip(ours, (theirs[p] for p in places), strict=True)), places, theirs)
    if theirs == tuple(range(len(theirs))) and len(ours) == len(theirs):
        return Labels("order", tuple(zip(ours, theirs, strict=True)), tuple(range(len(ours))), ours)
    strange = next(name for name in ours if str(name) not in index)
    raise MlpressError(
        f"label {strange!r} is none of the model's {len(theirs)} classes {list(theirs)[:10]}; "
        f"the data has {counted(len(ours), 'class', 'classes')}"
    )


def with_features(model: Model, features: Sequence[str], names: tuple[str, ...]) -> tuple[Model, list[str]]:
    """Return ``model`` with its inputs called ``features``, which are among the data's columns ``names``; and warnings.

    Raises :class:`MlpressError` where there are too many or too few, or where one is no column of the data.
    """
    wanted = tuple(features)
    if len(wanted) != len(model.inputs) or len(set(wanted)) != len(wanted):
        raise MlpressError(
            f"--features names {counted(len(set(wanted)), 'different column')} but the model has "
            f"{counted(len(model.inputs), 'input')}; "
            "name each once, in the model's order"
        )
    if are_counted(names) and not set(wanted) <= set(names):
        raise MlpressError("--features names columns but the data's have no names; give the file a header")
    if _by_name(wanted, names, exactly=False) is None:
        known = {plain(name) for name in names}
        strange = next((name for name in wanted if plain(name) not in known), wanted[0])
        raise MlpressError(f"--features: {strange!r} is none of the data's columns {list(names)[:20]}")
    own, said = [plain(name) for name in model.inputs], [plain(name) for name in wanted]
    warnings = []
    if not are_counted(model.inputs) and len(own) > 1 and own != said:
        warnings.append(
            f"the model file names its inputs {listed(model.inputs)}, --features says {listed(wanted)}: "
            "--features is followed"
        )
    return replace(model, inputs=wanted), warnings


def are_counted(names: Sequence[str]) -> bool:
    """Return whether the names only number one tensor's columns: ``x[0], x[1], ...``."""
    stem = names[0].removesuffix("[0]")
    return tuple(names) == tuple(f"{stem}[{index}]" for index in range(len(names)))


def plain(name: str) -> str:
    """Return a feature's name as exporters may have changed it: letters and digits only, in lower case."""
    return "".join(c for c in name.lower() if c.isalnum())


def listed(names: Sequence[Name], most: int = SHOWN) -> str:
    """Return names on one line, at most ``most`` of them, each without control characters and no longer than 40."""
    return _some([_shown(name) for name in names], most)


def paired(pairs: Sequence[tuple[Name, Name]], most: int = SHOWN) -> str:
    """Return pairs on one line, as ``a is 0, b is 1``."""
    return _some([f"{_shown(label)} is {_shown(name)}" for label, name in pairs], most)


def _some(texts: Sequence[str], most: int) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def _shown(name: Name) -> str:
    text = "".join(c if c.isprintable() else "?" for c in str(name))
    return text if len(text) <= 40 else text[:39] + "\N{HORIZONTAL ELLIPSIS}"


def _by_name(wanted: tuple[str, ...], names: tuple[str, ...], *, exactly: bool) -> tuple[int, ...] | None:
    """Return the place of each wanted name, by one spelling of all names at which they are all different."""
    for simplify in (str,) if exactly else (str, plain):
        found = {simplify(name): column for column, name in enumerate(names)}
        keys = [simplify(name) for name in wanted]
        if len(found) == len(names) and len(set(keys)) == len(keys) and all(key in found for key in keys):
            return tuple(found[key] for key in keys)
    return None
