"""The design folder: one artifact that everything after ``compile`` reads.

Nothing in it is executed on load: programs are text, tables are JSON and NPZ without objects, and the
ONNX graph is run only by onnxruntime.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpress import ir
from mlpress.errors import MlpressError
from mlpress.files import write_folder
from mlpress.notebook import table_html
from mlpress.npz import npz_bytes, open_npz, read_npz_bytes
from mlpress.progress import counted
from mlpress.targets import Artifact, Rows, Target, check_options, file_text, read_target, target_files, target_options

if TYPE_CHECKING:
    from mlpress.report import DesignFacts, Shown

FORMAT = "mlpress design 1"
FACTS = "design.json"
HASHES = "sha256"
"""The key in ``design.json`` of the other files' hashes: file name -> SHA-256, in hexadecimal."""
PROGRAM_TABLES = "program.npz"
"""The tables of a field, by the SHA-256 that its text gives them."""
MOST_FILES = 64
"""Files of a design folder that have a hash."""
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LARGEST_FILE = 256 * 2**20
"""No file of a design folder is read beyond this many bytes."""


class Kept(NamedTuple):
    """Rows that a design folder keeps beside those that it was made from, so that another design can be made of them.

    ``given`` is what the given model decides on the design's own rows, class indices int64 (rows,).  ``test_features``
    float64 (rows, inputs), ``test_labels`` (rows,) and ``test_given`` are of the test rows; None where there were none.
    """

    given: NDArray[Any]
    test_features: NDArray[np.float64] | None = None
    test_labels: NDArray[Any] | None = None
    test_given: NDArray[Any] | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that there are, by name."""
        return {name: values for name, values in self._asdict().items() if values is not None}


@dataclass(frozen=True, eq=False, repr=False)
class Design:
    """A compiled classifier or field.

    ``program`` is the net, the circuit or the field; ``facts`` is the content of ``design.json`` (plain JSON values);
    ``files`` are those of the target's artifact, by name; ``oracle`` is the ONNX graph of ``program``; ``features``
    float64 (rows, inputs) and ``labels`` (rows,), of a field (rows, outputs), are the rows it was made from; ``extra``
    holds further files (name -> content) that are written and never read.  ``built`` are the target and the artifact,
    where they are at hand.  ``kept`` are further rows of a classifier, which ``mlpress pick`` judges designs by.

    Of a design that was read from a folder, ``hashed`` is the number of files whose SHA-256 ``design.json`` keeps (0 in
    folders of older versions), and ``changed`` names those that are missing or not the ones written.
    """

    program: ir.Shipped
    facts: dict[str, Any]
    files: Mapping[str, str | bytes]
    oracle: bytes
    features: NDArray[np.float64]
    labels: NDArray[Any]
    extra: Mapping[str, str | bytes] = field(default_factory=dict)
    hashed: int = 0
    changed: tuple[str, ...] = ()
    built: tuple[Target, Artifact | None] | None = None
    kept: Kept | None = None

    def __repr__(self) -> str:
        program = f"{self.program.level} of {counted(len(self.program.inputs), 'input')}"
        return f"Design({self.facts.get('target')}, {program}, {self.cost})"

    def _repr_html_(self) -> str:
        from mlpress.report import summary_rows

        return table_html(repr(self), summary_rows(self.described))

    @cached_property
    def target(self) -> Target:
        """The target, as :meth:`load` was told or as ``design.json`` says."""
        return _target(self.facts) if self.built is None else self.built[0]

    @cached_property
    def artifact(self) -> Artifact:
        """What the target built."""
        known = None if self.built is None else self.built[1]
        if known is not None and known.program is self.program:
            return known
        return self.target.restore(self.program, self.files, self.facts)

    @cached_property
    def described(self) -> DesignFacts:
        """The facts as a report reads them; raises :class:`MlpressError` where they are not what they must be."""
        from mlpress.report import read_design

        return read_design(self.facts)

    @cached_property
    def rows(self) -> Rows:
        """The rows that it was made from, with their input codes."""
        return Rows(self.features, ir.engine_rows(self.program, self.features), self.labels)

    @property
    def cost(self) -> dict[str, float]:
        """What it costs, by metric of the target."""
        known = self.facts.get("cost")
        return dict(known["values"]) if isinstance(known, Mapping) else {}

    @property
    def accuracy(self) -> float | None:
        """Accuracy on test rows where there were some, else on the rows that it was made from."""
        known = self.facts.get("accuracy") or {}
        return (known.get("test") or known).get("quantised")

    def predict(self, features: ArrayLike) -> NDArray[Any]:
        """Return the class of each row of ``features`` (rows, inputs); the scores of a regression, a field's values."""
        try:
            rows = np.asarray(features, np.float64)
        except (TypeError, ValueError):
            raise MlpressError("features are no table of numbers; give one row of numbers per prediction") from None
        return ir.predict(self.program, ir.engine_rows(self.program, rows))

    def text(self, name: str) -> str:
        """Return a text file of the artifact: ``top.v``."""
        return file_text(self.files, name)

    def shown(self, folder: str) -> Shown:
        """Return what a report shows of the design in the ``folder`` of this name."""
        from mlpress.report import Shown

        return Shown(self.described, self.program, self.files, folder)

    def with_facts(self, facts: dict[str, Any]) -> Design:
        """Return the same design with these facts."""
        return replace(self, facts=facts)

    def with_file(self, name: str, content: str | bytes) -> Design:
        """Return the same design with another file in its artifact."""
        built = None if self.built is None else (self.built[0], None)
        return replace(self, files={**self.files, name: content}, built=built)

    def files_facts(self) -> dict[str, Any]:
        """Return whether the files of the folder are those that were written, as plain JSON values."""
        verdict = "changed" if self.changed else "unchanged" if self.hashed else "no hashes"
        return {"verdict": verdict, "hashed": self.hashed, "changed": list(self.changed)}

    def save(self, folder: str | Path) -> Path:
        """Write the folder whole (or, on an error, not at all) and return its path."""
        from mlpress.report import render

        path = Path(folder)
        kept = {} if self.kept is None else self.kept.arrays()
        files: dict[str, str | bytes] = {
            "program.mlp": ir.to_text(self.program),
            **_tables(self.program),
            **self.files,
            "oracle.onnx": self.oracle,
            "rows.npz": npz_bytes({"features": self.features, "labels": self.labels, **kept}, packed=True),
            "report.html": render([self.shown(path.name)]),
            **self.extra,
        }
        facts = self.facts | {HASHES: {name: _sha256(content) for name, content in files.items()}}
        write_folder(path, {FACTS: json.dumps(facts, indent=1, allow_nan=False) + "\n", **files}, marker=FACTS)
        return path

    @classmethod
    def load(cls, folder: str | Path, **options: Any) -> Design:
        """Read a folder that :meth:`save` wrote; raise :class:`MlpressError` where it is not one.

        ``options`` of the target stand for those that ``design.json`` has: the place of a liberty file, say.
        """
        path = Path(folder)
        if not (path / FACTS).is_file():
            raise MlpressError(f"{path} is no design folder: it has no {FACTS}; make one with `mlpress compile`")
        facts = _json(read_file(path / FACTS), path / FACTS)
        own = target_files(str(facts["target"]), facts["options"])
        hashes = _hashes(facts.pop(HASHES, {}), path / FACTS, own)
        changed = tuple(name for name, digest in hashes.items() if not _holds(path / name, digest))
        try:
            return cls._parsed(path, facts, len(hashes), changed, options)
        except MlpressError as error:
            if not changed:
                raise
            raise MlpressError(f"{error}; {', '.join(changed)[:300]}: not the files that were written") from error

    @classmethod
    def _parsed(
        cls, path: Path, facts: dict[str, Any], hashed: int, changed: tuple[str, ...], options: Mapping[str, Any]
    ) -> Design:
        kept = path / PROGRAM_TABLES
        try:
            tables = read_npz_bytes(read_file(kept)).values() if kept.is_file() else ()
        except MlpressError as error:
            raise MlpressError(f"{kept}: {error}; compile the model again") from error
        program = ir.from_text(_text(path / "program.mlp"), tables)
        if isinstance(program, ir.Model):
            raise MlpressError(f"{path / 'program.mlp'} holds a model, which no target builds; compile again")
        features, labels, more = _rows(path / "rows.npz", len(program.inputs))
        labels, more = _answers(program, labels, more, path / "rows.npz")
        design = cls(
            program=program,
            facts=facts,
            files={name: _content(path / name) for name in target_files(str(facts["target"]), facts["options"])},
            oracle=read_file(path / "oracle.onnx"),
            features=features,
            labels=labels,
            hashed=hashed,
            changed=changed,
            built=(_target(facts, options), None) if options else None,
            kept=more,
        )
        _ = design.described  # what cannot be read is an error here, and not in some report later
        return design


def _tables(program: ir.Shipped) -> dict[str, bytes]:
    """Return the tables that a program's text names, as a file."""
    tables = ir.field_tables(program) if isinstance(program, ir.Field) else {}
    return {PROGRAM_TABLES: npz_bytes(tables)} if tables else {}


def _target(facts: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> Target:
    """Return the target of a design's facts; what is ``given`` stands for what they say."""
    name = str(facts["target"])
    known = {key: facts["options"][key] for key in target_options(name) if key in facts["options"]}
    missing = [key for key, value in known.items() if key == "liberty" and value is not None]
    if missing and not (given or {}).get("liberty"):
        raise MlpressError(f"the design was mapped to the cells of {known['liberty']}; give that file with --liberty")
    return read_target(name, known | dict(given or {}))


def _sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _hashes(found: Any, path: Path, own: Sequence[str]) -> dict[str, str]:
    """Return checked hashes: names of files in the folder or of the target's ``own`` files, and text to compare."""
    if not (
        isinstance(found, dict)
        and len(found) <= MOST_FILES
        and all(isinstance(digest, str) for digest in found.values())
        and all(name in own or (name and name == Path(name).name and "\0" not in name) for name in found)
    ):
        raise MlpressError(f"{path} has no proper list of {HASHES} hashes; compile the model again")
    return found


def _holds(path: Path, digest: str) -> bool:
    """Return whether the file is there with that SHA-256."""
    try:
        return _sha256(read_file(path)) == digest
    except MlpressError:
        return False


def read_file(path: Path) -> bytes:
    """Read a file of a design folder; raise :class:`MlpressError` where it is no plain file, or too large."""
    try:
        if path.exists() and not path.is_file():
            raise MlpressError(f"{path} is no plain file; compile the model again")
        if path.stat().st_size > LARGEST_FILE:
            raise MlpressError(f"{path} is larger than {LARGEST_FILE >> 20} MiB; compile the model again")
        return path.read_bytes()
    except OSError as error:
        raise MlpressError(f"cannot read {path}: {error.strerror}; compile the model again") from error


def _content(path: Path) -> str | bytes:
    """Return a file of an artifact: arrays and bitstreams as bytes, all else as text."""
    return read_file(path) if path.suffix in _BYTES else _text(path)


_BYTES = {".npz", ".bit", ".bin"}


def _text(path: Path) -> str:
    try:
        return read_file(path).decode()
    except UnicodeDecodeError as error:
        raise MlpressError(f"{path} is not UTF-8 text; compile the model again") from error


def _json(data: bytes, path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MlpressError(f"{path} is not valid JSON: {error}; compile the model again") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise MlpressError(f"{path} is not of the format {FORMAT!r}; compile the model again with this version")
    target, options = facts.get("target"), facts.get("options")
    if not (isinstance(target, str) and isinstance(options, dict)):
        raise MlpressError(f"{path} lacks its target or its options; compile the model again")
    own = {name: options[name] for name in target_options(target) if name in options}
    try:
        check_options(target, own)
    except MlpressError as error:
        raise MlpressError(f"{path} has wrong options: {error}; compile the model again") from error
    return {key: _printable(value) for key, value in facts.items()}


def _printable(value: Any) -> Any:
    """Return facts whose text cannot steer a terminal: control characters are escaped."""
    match value:
        case str():
            return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), value)
        case dict():
            return {str(_printable(key)): _printable(inner) for key, inner in value.items()}
        case list():
            return [_printable(inner) for inner in value]
        case _:
            return value


def _rows(path: Path, inputs: int) -> tuple[NDArray[np.float64], NDArray[Any], Kept | None]:
    """Return the rows of a design; what the headers say is compared with the program before anything is unpacked."""
    try:
        with open_npz(read_file(path), LARGEST_FILE) as file:
            if not {"features", "labels"} <= set(file.names):
                raise MlpressError("there are no features or no labels")
            (shape, dtype), (found, kind) = file.header("features"), file.header("labels")
            if dtype != np.float64 or len(shape) != 2 or shape[1] != inputs or found[:1] != shape[:1]:
                raise MlpressError(f"float64 rows of {inputs} features with a label each are wanted")
            if kind.kind not in "fiubU":
                raise MlpressError(f"the labels are {kind}, neither numbers nor names")
            kept = _kept({name: file.header(name) for name in Kept._fields if name in file.names}, shape)
            more = Kept(**{name: file.array(name) for name in kept}) if kept else None
            return file.array("features"), file.array("labels"), more
    except MlpressError as error:
        raise MlpressError(f"{path} does not hold rows: {error}; compile the model again") from error


def _answers(
    program: ir.Shipped, labels: NDArray[Any], more: Kept | None, path: Path
) -> tuple[NDArray[Any], Kept | None]:
    """Return labels, and those of the further rows, as the program answers: class indices, int64 (rows,), or values."""
    try:
        if isinstance(program, ir.Field) or program.scores is not None:
            return _values(labels, len(program.ports)), more
        named = {str(name): place for place, name in enumerate(program.classes)}
        kept = None
        if more is not None:
            tests = None if more.test_labels is None else _indices(more.test_labels, named)
            told = None if more.test_given is None else _indices(more.test_given, named)
            kept = Kept(_indices(more.given, named), more.test_features, tests, told)
        return _indices(labels, named), kept
    except MlpressError as error:
        raise MlpressError(f"{path}: {error}; compile the model again") from None


def _values(labels: NDArray[Any], outputs: int) -> NDArray[Any]:
    if labels.dtype.kind == "U" or labels.size != outputs * len(labels) or not np.isfinite(labels).all():
        raise MlpressError(f"the labels are no finite numbers, {outputs} per row")
    return labels


def _indices(labels: NDArray[Any], named: Mapping[str, int]) -> NDArray[np.int64]:
    """Return class indices (rows,) of indices or names; raise :class:`MlpressError` where one is none of them."""
    if labels.ndim != 1:
        raise MlpressError("there is not one label per row")
    if labels.dtype.kind == "U":
        strange = [name for name in np.unique(labels).tolist() if name not in named]
        found = labels if strange else np.array([named[name] for name in labels.tolist()], np.int64)
    else:
        strange = np.unique(labels[~np.isin(labels, np.arange(len(named)))]).tolist()
        found = labels
    if strange:
        known = ", ".join(named) if labels.dtype.kind == "U" else f"0..{len(named) - 1}"
        raise MlpressError(f"label {strange[0]!r} is none of the design's {len(named)} classes: {known:.200}")
    return found.astype(np.int64)


def _kept(headers: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]], shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names of the further rows of a folder whose features have this ``shape``; raise where they are odd."""
    if "given" not in headers:
        return ()
    wanted: dict[str, tuple[tuple[int, ...], str]] = {"given": (shape[:1], "i")}
    if "test_features" in headers:
        tests = headers["test_features"][0][:1]
        wanted |= {
            "test_features": ((*tests, shape[1]), "f"),
            "test_given": (tests, "i"),
            "test_labels": (tests, "fiubU"),
        }
    found = {name: (dims, kind.kind) for name, (dims, kind) in headers.items()}
    if found.keys() != wanted.keys() or any(
        found[name][0] != dims or found[name][1] not in kinds for name, (dims, kinds) in wanted.items()
    ):
        raise MlpressError("what the given model decides on each row, or the test rows, are not of their shape")
    return tuple(wanted)
