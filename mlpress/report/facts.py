"""The facts that a report reads of any design; :mod:`mlpress.report.kinds` has what each kind adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from mlpress.report.reading import KEY, Json, Number, items, mapping, number, read


@dataclass(frozen=True, slots=True)
class Source:
    """Where the model and its rows came from; ``more`` is whatever else is known of it."""

    model: Json = None
    labels: Mapping[str, Json] = field(default_factory=dict)
    columns: Mapping[str, Json] = field(default_factory=dict)
    more: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a network."""

    neurons: Number | None = None
    terms: Number | None = None
    adders: Number | None = None
    sum_bits: tuple[Json, ...] = ()
    output_bits: tuple[Json, ...] = ()
    activation: Json = None


@dataclass(frozen=True, slots=True)
class Net:
    """An integer network."""

    topology: Json = None
    classes: tuple[Json, ...] = ()
    head: Json = None
    layers: tuple[Layer, ...] = ()
    shared_sums: Number | None = None


@dataclass(frozen=True, slots=True)
class Circuit:
    """A circuit of gates."""

    inputs: Number | None = None
    input_bits: Number | None = None
    classes: tuple[Json, ...] = ()
    and_gates: Number | None = None
    depth: Number | None = None


@dataclass(frozen=True, slots=True)
class MissedRow:
    """A row that the given model gets right and the design does not: its number, class, decision and features."""

    row: Number | None = None
    label: Number | None = None
    decided: Number | None = None
    values: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Missed:
    """How many rows the design gets wrong and the given model right, and the first of them."""

    count: Number | None = None
    rows: tuple[MissedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Shares:
    """Accuracies on ``rows`` rows, shares of 1 or coefficients of determination.

    ``intervals`` are 95 % intervals of those that are shares, by their names in JSON.  ``confusion`` has, by true
    class, how many rows got each class.
    """

    rows: Number | None = None
    given: Number | None = field(default=None, metadata={KEY: "float"})
    quantised: Number | None = None
    agreement: Number | None = None
    exact: Number | None = None
    intervals: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    confusion: tuple[Json, ...] = ()
    missed: Missed | None = None


@dataclass(frozen=True, slots=True)
class Accuracy(Shares):
    """Accuracies on the rows that the design was made from, and on others."""

    metric: Json = None
    saturation: tuple[Json, ...] = ()
    kept_integers: bool | None = None
    validation: Number | None = None
    validation_rows: Number | None = None
    reference: Number | None = None
    test: Shares | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a design costs by metric: value, unit, and how it was found."""

    values: Mapping[str, Json] = field(default_factory=dict)
    units: Mapping[str, Json] = field(default_factory=dict)
    how: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """One design of a front: its number, its accuracies, and its ``costs`` by the key of a metric."""

    design: Number | None = None
    level: Json = None
    fit: Number | None = None
    accuracy: Number | None = None
    test: Number | None = None
    rows: Number | None = None
    interval: tuple[Json, ...] = ()
    chosen: bool | None = None
    costs: Mapping[str, Number] = field(default_factory=dict, metadata={KEY: None})


@dataclass(frozen=True, slots=True)
class Landmark:
    """What a front is held against: its ``kind`` is model, exact, tree or published."""

    name: Json = None
    kind: Json = None
    fit: Number | None = None
    accuracy: Number | None = None
    note: Json = None
    costs: Mapping[str, Number] = field(default_factory=dict, metadata={KEY: None})


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a design, by its place ``of`` the whole, and its ``costs`` by the key of a metric."""

    of: tuple[Json, ...] = ()
    count: Number | None = None
    costs: Mapping[str, Number] = field(default_factory=dict, metadata={KEY: None})


@dataclass(frozen=True, slots=True)
class Spent:
    """Where the costs of a design go, and how that was found."""

    how: Json = None
    parts: tuple[Part, ...] = field(default=(), metadata={KEY: None})


@dataclass(frozen=True, slots=True)
class Check:
    """What one engine said of a design."""

    engine: Json = None
    rows: Number | None = None
    equal: bool | None = None
    difference: Json = None
    note: Json = None
    verdict: Json = None

    @property
    def late(self) -> bool:
        """Whether it ran out of time, which says nothing of the design."""
        return bool(self.verdict == "out of time")


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of one claim about all inputs."""

    claim: Json = None
    verdict: Json = None
    seconds: Number | None = None
    difference: Json = None


@dataclass(frozen=True, slots=True)
class Files:
    """Whether a folder's files are those that were written."""

    hashed: Number | None = None
    changed: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """What was measured row by row, on ``rows`` rows."""

    low: Number | None = field(default=None, metadata={KEY: "min"})
    high: Number | None = field(default=None, metadata={KEY: "max"})
    rows: Number | None = None


@dataclass(frozen=True, slots=True)
class Run(Cost):
    """What a design did on a device.  ``spans`` are what was measured row by row."""

    target: Json = None
    device: Json = None
    rows: Number | None = None
    metric: Json = None
    accuracy: Number | None = None
    interval: tuple[Json, ...] = ()
    different: Number | None = None
    spans: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """One target that there is; ``own`` is what its kind adds."""

    name: Json = None
    kind: Json = None
    title: Json = None
    own: Any = field(default=None, metadata={KEY: None})


@dataclass(frozen=True, slots=True)
class DesignFacts:
    """The facts of a design.

    ``own`` are those of its kind, read by the kind.  A part that is missing is ``None`` or empty.
    """

    mlpress: Json = None
    command: Json = None
    date: Json = None
    kind: Json = None
    target: Json = None
    source: Source = Source()
    net: Net | None = None
    circuit: Circuit | None = None
    accuracy: Accuracy | None = None
    cost: Cost = Cost()
    verification: tuple[Check, ...] = ()
    proofs: tuple[Proof, ...] = ()
    front: tuple[FrontPoint, ...] = field(default=(), metadata={KEY: None})
    landmarks: tuple[Landmark, ...] = field(default=(), metadata={KEY: None})
    spent: Spent | None = field(default=None, metadata={KEY: None})
    warnings: tuple[Json, ...] = ()
    options: Mapping[str, Json] = field(default_factory=dict)
    search: Mapping[str, Json] = field(default_factory=dict)
    tools: Mapping[str, Json] = field(default_factory=dict)
    own: Any = field(default=None, metadata={KEY: None})


def read_design(found: Mapping[str, Any]) -> DesignFacts:
    """Read the content of a ``design.json``; raise :class:`MlpressError` where a part is not of the kind it must be."""
    from mlpress.report.kinds import kind_of

    plan, net = mapping(found.get("plan"), "plan"), mapping(found.get("net"), "net")
    source = mapping(found.get("source"), "source")
    more = {name: value for name, value in source.items() if name not in {"labels", "columns"}}
    parts = {name: mapping(found.get(name), name) or None for name in ("circuit", "accuracy")}
    parts |= {"net": {**net, **plan} if net else None, "source": {**source, "more": more}}
    facts = replace(
        read(DesignFacts, {**found, **parts}),
        front=_priced(FrontPoint, found.get("front"), "front"),
        landmarks=_priced(Landmark, found.get("landmarks"), "landmarks"),
        spent=_spent(mapping(found.get("spent"), "spent")),
    )
    return replace(facts, own=kind_of(facts.kind).read(found))


Priced = TypeVar("Priced", FrontPoint, Landmark, Part)


def _priced(kind: type[Priced], found: Any, name: str) -> tuple[Priced, ...]:
    """Read a list of JSON objects whose further numbers are costs."""
    own, priced = {one.name for one in fields(kind)}, []
    for k, row in enumerate(items(found, name)):
        costs = {str(key): value for key, value in mapping(row, f"{name}[{k}]").items() if key not in own}
        numbers = {key: known for key, value in costs.items() if (known := number(value)) is not None}
        priced.append(replace(read(kind, row, f"{name}[{k}]"), costs=numbers))
    return tuple(priced)


def _spent(found: Mapping[str, Any]) -> Spent | None:
    if not found:
        return None
    return replace(read(Spent, found, "spent"), parts=_priced(Part, found.get("parts"), "parts"))


def read_run(found: Mapping[str, Any]) -> Run:
    """Read what ``mlpress run`` returned."""
    spans = {
        name: value
        for name, value in found.items()
        if isinstance(value, Mapping) and {"min", "max", "rows"} <= set(value)
    }
    return read(Run, {**found, "spans": spans})


def read_checks(found: Any) -> tuple[Check, ...]:
    """Read what engines said of a design."""
    return tuple(read(Check, row, f"verification[{k}]") for k, row in enumerate(items(found, "verification")))


def read_proofs(found: Any) -> tuple[Proof, ...]:
    """Read what became of claims."""
    return tuple(read(Proof, row, f"proofs[{k}]") for k, row in enumerate(items(found, "proofs")))


def read_files(found: Any) -> Files:
    """Read whether a folder's files are those that were written."""
    return read(Files, found, "files")


def read_targets(found: Any) -> tuple[TargetFacts, ...]:
    """Read a list of targets."""
    from mlpress.report.kinds import kind_of

    targets = []
    for k, row in enumerate(items(found, "targets")):
        facts = read(TargetFacts, row, f"targets[{k}]")
        targets.append(replace(facts, own=kind_of(facts.kind).read_target(row)))
    return tuple(targets)
