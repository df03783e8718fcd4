"""Another member of a search's front as the design, made again from what the design folder holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlpress import ir
from mlpress.design import Design, read_file
from mlpress.errors import MlpressError
from mlpress.intervals import score
from mlpress.npz import read_npz_bytes
from mlpress.pipeline.accuracy import with_intervals
from mlpress.pipeline.compile import Options, Quantisation, build_design
from mlpress.pipeline.field_search import START, START_TABLES
from mlpress.pipeline.fields import psnr
from mlpress.pipeline.mistakes import decided_facts
from mlpress.progress import Progress, Silent

if TYPE_CHECKING:
    from mlpress.approx import IntegerFront
    from mlpress.approx.gates import CircuitDesign

FRONT = "front.json"


class Member(NamedTuple):
    """A member of a front: its program, what a search wrote of it already, and facts of how it came about."""

    program: ir.Shipped
    hint: str | None
    searched: Mapping[str, Any]


def pick(folder: str | Path, number: int, *, progress: Progress | None = None, **options: Any) -> Design:
    """Return design ``number`` of the front in a design folder that a search wrote, built and verified.

    ``options`` are those of :meth:`mlpress.design.Design.load`.  Raises :class:`MlpressError` where the folder has no
    front, or no such design.
    """
    progress, path = progress or Silent(), Path(folder)
    design = Design.load(path, **options)
    progress.step("read the front")
    texts = {
        name: read_file(path / name)
        for name in (FRONT, "integer_front.json", "gate_front.json", START, START_TABLES)
        if (path / name).is_file()
    }
    if FRONT not in texts:
        raise MlpressError(f"{path} has no {FRONT}: it is no result of a search; there is nothing to pick from")
    member = _member(texts, number)
    if len(member.program.inputs) != len(design.program.inputs):
        raise MlpressError(f"{path / FRONT} is the front of another design; search again")
    target = Options(design.target, _quantisation(design.facts.get("options") or {}))
    built = build_design(
        member.program, design.features, design.labels, target, hint=member.hint or None, progress=progress
    )
    return _described(design, built, member, number, texts)


def _quantisation(options: Mapping[str, Any]) -> Quantisation:
    """Return the widths that the model was quantised with, as the folder has them."""
    usual = Quantisation()
    known = {one.name: options.get(one.name) for one in fields(Quantisation)}
    given: dict[str, Any] = {name: value for name, value in known.items() if type(value) is type(getattr(usual, name))}
    return replace(usual, **given)


def _member(texts: Mapping[str, bytes], number: int) -> Member:
    """Return the member of the front; raise where there is none, or the files are none of a front."""
    from mlpress.approx import IntegerFront, read_field_front, read_merged_front
    from mlpress.approx.gates import CircuitFront

    front = texts[FRONT].decode("utf-8", "replace")
    form = _form(front)
    if form.startswith("mlpress merged front"):
        members = read_merged_front(front)
        level, own = _one(members, number)
        name = {"integer": "integer_front.json", "gates": "gate_front.json"}[level]
        if name not in texts:
            raise MlpressError(f"the design folder lacks {name}; search again")
        front, number, form = texts[name].decode("utf-8", "replace"), own, _form(texts[name].decode("utf-8", "replace"))
    if form.startswith("mlpress circuits"):
        return _of_circuit(_one(CircuitFront.from_json(front).designs, number))
    if form.startswith("mlpress front"):
        return _of_net(IntegerFront.from_json(front), number)
    if form.startswith("mlpress field front") and START in texts:
        tables = read_npz_bytes(texts[START_TABLES]).values() if START_TABLES in texts else ()
        start = ir.from_text(texts[START].decode("utf-8", "replace"), tables)
        if not isinstance(start, ir.Field):
            raise MlpressError(f"{START} is no field; search again")
        front_of_fields = read_field_front(front)
        found = _one(front_of_fields.designs, number)
        return Member(_field(start, found.genes), None, {"tables": found.tables, "layers": found.layers})
    raise MlpressError(f"{FRONT} is of no form that this version reads; search again")


def _form(text: str) -> str:
    try:
        return str(json.loads(text)["format"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MlpressError(f"{FRONT} is no front of a search ({error}); search again") from error


def _one(designs: Any, number: int) -> Any:
    if not 0 <= number < len(designs):
        raise MlpressError(f"the front has no design {number}; there are 0 to {len(designs) - 1}")
    return designs[number]


def _of_circuit(design: CircuitDesign) -> Member:
    facts = {"from_level": "gates", "start": design.start, "lesson": design.augmentation}
    return Member(design.circuit, design.hint, facts)


def _of_net(front: IntegerFront, number: int) -> Member:
    candidate = _one(front.designs, number)
    return Member(front.net(candidate), None, {"from_level": "integer", "genes": list(candidate.genes)})


def _field(start: ir.Field, genes: Any) -> ir.Field:
    from mlpress.approx import FieldSpace

    return FieldSpace.of(start).decode(np.array(genes, np.int64))


def _described(design: Design, built: Design, member: Member, number: int, texts: Mapping[str, bytes]) -> Design:
    """Return the built design with the facts of the search, and of its own accuracy."""
    old = design.facts
    points = [dict(point) for point in old.get("front") or [] if isinstance(point, dict)]
    mine: dict[str, Any] = {}
    for point in points:
        point["chosen"] = point.get("design") == number
        mine = point if point["chosen"] else mine
    search = {key: value for key, value in (old.get("search") or {}).items() if key not in _OF_THE_CHOSEN}
    facts = {
        "source": old.get("source", {}),
        "accuracy": _accuracy(design, built, mine),
        "front": points,
        "landmarks": old.get("landmarks", []),
        "search": search | dict(member.searched) | {"picked": number},
        "warnings": [],
        **({"tree": old["tree"]} if "tree" in old else {}),
    }
    return replace(built.with_facts(built.facts | facts), kept=design.kept, extra=dict(texts))


_OF_THE_CHOSEN = frozenset({"from_level", "genes", "start", "lesson", "tables", "layers", "picked", "stopped_at"})


def _accuracy(design: Design, built: Design, point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the accuracies of the picked design; what is the given model's stays as it was."""
    old, program, kept = design.facts.get("accuracy") or {}, built.program, design.kept
    facts = {key: value for key, value in old.items() if key in _OF_THE_MODEL}
    facts |= {"validation": point.get("accuracy"), "validation_rows": point.get("rows")}
    if isinstance(program, ir.Field):
        found = ir.interpret_field(program, design.features.astype(np.float32))
        return facts | {"quantised": psnr(design.labels, found), "test": None}
    decided = ir.answers(program, ir.encode(program, design.features))
    shares = {"quantised": score(design.labels, decided)}
    rows = {"quantised": len(design.labels)}
    given = None if kept is None else kept.given
    if given is not None:
        shares |= {"float": score(design.labels, given), "agreement": score(given, decided)}
        rows |= dict.fromkeys(("float", "agreement"), len(design.labels))
    if point.get("rows") and point.get("accuracy") is not None:
        shares["validation"], rows["validation"] = point["accuracy"], int(point["rows"])
    facts |= with_intervals(shares, rows)
    facts |= decided_facts(design.features, design.labels, decided, given, len(program.classes))
    facts["test"] = None
    if kept is not None and kept.test_features is not None and kept.test_labels is not None:
        facts["test"] = _on_test(program, kept.test_features, kept.test_labels, kept.test_given)
    return facts


_OF_THE_MODEL = frozenset({"metric", "rows", "float", "reference", "retrained", "majority", "kept_integers"})


def _on_test(program: ir.Program, features: Any, labels: Any, given: Any) -> dict[str, Any]:
    decided = ir.answers(program, ir.encode(program, features))
    shares = {"quantised": score(labels, decided), "float": score(labels, given), "agreement": score(given, decided)}
    facts = {"rows": len(labels), **with_intervals(shares, dict.fromkeys(shares, len(labels)))}
    return facts | decided_facts(features, labels, decided, given, len(program.classes))
