"""From a model to a design: one list of steps, read from top to bottom."""

from __future__ import annotations

import gc
import hashlib
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlpress import __version__, ir
from mlpress.codegen import oracle_graph
from mlpress.design import FORMAT, Design
from mlpress.errors import MlpressError
from mlpress.pipeline import suspicions
from mlpress.pipeline.fields import compile_field
from mlpress.pipeline.preparation import prepare
from mlpress.progress import Progress, Silent, recorded
from mlpress.targets import DEFAULT_TARGET, Interfaced, Rows, Target, read_target, target_options
from mlpress.verify import require_equal

Task = Literal["auto", "classification", "regression"]

if TYPE_CHECKING:
    from mlpress.approx import ApproximatePass
    from mlpress.frontend import Dataset

TOOLS = ("amaranth", "numpy", "onnx", "onnxruntime", "pyosys", "pyverilog", "scikit-learn")

FINE_BITS = 8
"""Bits of the grid on which levels are chosen: a step is a fifth of the offset that printed comparators have (2 %)."""

BETWEEN_COLLECTIONS = 1_000_000
"""Objects made between two searches for cycles, while a design is built."""


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How a model over real numbers becomes integers: bits of each input's code, weight and hidden output.

    With ``levels`` an input is read by at most so many comparators, whose thresholds lie where the rule ``cuts`` puts
    them on the training rows, on a grid of :data:`FINE_BITS` bits or of ``input_bits`` where these are more.
    """

    input_bits: int = 4
    weight_bits: int = 8
    activation_bits: int = 8
    levels: int = 0
    cuts: str = "information"

    @property
    def code_bits(self) -> int:
        """Bits of each input's code."""
        return max(self.input_bits, FINE_BITS) if self.levels else self.input_bits

    @property
    def read_levels(self) -> int:
        """Levels of an input that comparators read."""
        return self.levels or (1 << self.input_bits) - 1

    def facts(self) -> dict[str, Any]:
        """Return the options as plain JSON values, those of levels where there are some."""
        known = asdict(self)
        return known if self.levels else {name: known[name] for name in known if name not in {"levels", "cuts"}}


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a user: the target with its own, and how the model is quantised."""

    target: Target
    quantisation: Quantisation = Quantisation()

    @classmethod
    def of(cls, target: str = DEFAULT_TARGET, **options: Any) -> Options:
        """Read the target called ``target``; ``options`` are its fields and those of :class:`Quantisation`."""
        bits = {field.name for field in fields(Quantisation)}
        own = {name: value for name, value in options.items() if name not in bits}
        try:
            found = read_target(target, own)
        except MlpressError as error:
            if not set(own) - set(target_options(target)):
                raise
            raise MlpressError(f"{error}; of every target {', '.join(sorted(bits))}") from None
        given = {name: options[name] for name in bits & set(options)}
        wrong = {name: value for name, value in given.items() if name != "cuts" and type(value) is not int}
        if wrong:
            name, value = next(iter(wrong.items()))
            raise MlpressError(f"option {name!r} is {value!r}; it must be a whole number")
        if given.get("levels") or given.get("cuts", "information") != "information":
            from mlpress.frontend import check_cuts

            check_cuts(given.get("levels", 0), given.get("cuts", "information"))
            if not isinstance(found, Interfaced):
                raise MlpressError(
                    f"target {found.name} reads no comparators whose levels can be chosen: leave them out"
                )
        return cls(found, Quantisation(**given))

    def facts(self) -> dict[str, Any]:
        """Return all options as plain JSON values; a target of the real level quantises nothing."""
        bits = self.quantisation.facts() if self.target.level == "integer" else {}
        return {"target": self.target.name, **self.target.facts(), **bits}


def compile(  # noqa: A001 - the verb of the trade
    model: ir.Model | ir.Field,
    dataset: Dataset | None = None,
    *,
    target: str = DEFAULT_TARGET,
    passes: Sequence[ApproximatePass] = (),
    test: Dataset | None = None,
    features: Sequence[str] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Design:
    """Compile ``model`` exactly: quantise it on ``dataset`` and build the integer network for ``target``.

    A field is compiled as it is for a target of the real level; its samples may be left out.

    ``passes`` approximate the integer network first, in turn.  ``options`` are those of :meth:`Options.of`; ``test``
    rows only state an accuracy; ``features`` names the columns in the order that the model expects.  Raises
    :class:`MlpressError` for bad options, and where any engine disagrees with the reference interpreter.
    """
    return compile_model(
        model, dataset, Options.of(target, **options), passes=passes, test=test, features=features, progress=progress
    )


def compile_model(
    model: ir.Model | ir.Field,
    dataset: Dataset | None,
    options: Options,
    *,
    passes: Sequence[ApproximatePass] = (),
    test: Dataset | None = None,
    features: Sequence[str] | None = None,
    source: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> Design:
    """Compile as :func:`compile` does, the options in one piece; ``source`` says where the model came from."""
    progress, warnings = recorded(progress or Silent())
    options.target.check()
    if isinstance(model, ir.Field):
        if passes or features is not None:
            raise MlpressError("a field is compiled as it is: leave approximations and names of features out")
        design = compile_field(model, dataset, options, test=test, source=source, progress=progress)
        return design.with_facts(design.facts | {"warnings": warnings})
    if options.target.level == "real":
        raise MlpressError(f"target {options.target.name} takes fields (mlpress.frontend.fields), not classifiers")
    if dataset is None:
        raise MlpressError("a classifier is quantised on rows; give some with --data")
    progress.step("quantise")
    prepared = prepare(model, dataset, options.quantisation, test=test, features=features, source=source)
    net, rows = prepared.quantised.net, prepared.rows
    if passes:
        from mlpress.approx import apply

        progress.step("approximate")
        net = apply(net, passes)
    prepared.say(progress)
    accuracy = prepared.accuracy(net)
    for text in suspicions.of_loss(accuracy, approximated=bool(passes)) + suspicions.of_test(accuracy):
        progress.warn(text)
    design = build_design(net, rows.features, rows.labels, options, progress=progress)
    facts: dict[str, Any] = {
        "source": dict(prepared.source),
        "accuracy": accuracy,
        "passes": [{"name": step.name, "options": asdict(step)} for step in passes],
        "warnings": warnings,
    }
    return replace(design.with_facts(design.facts | facts), kept=prepared.kept())


def with_proofs(design: Design, progress: Progress | None = None) -> Design:
    """Add to the facts of a design what can be proven of it for all inputs within a moment."""
    from mlpress.verify import check_proofs

    proofs = check_proofs(design, timeout_s=None, different=False, progress=progress)
    return design.with_facts(design.facts | {"proofs": [proof.to_json() for proof in proofs]})


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for cycles after every :data:`BETWEEN_COLLECTIONS` objects within, not every 700.

    Gates and cells are millions of small objects without a cycle: looking through them took half of the time to read a
    netlist of 135,000 cells.
    """
    before = gc.get_threshold()
    gc.set_threshold(BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@_rare_collections()
def build_design(
    program: ir.Shipped,
    features: Any,
    labels: Any,
    options: Options,
    *,
    hint: str | None = None,
    optional_until: float = inf,
    progress: Progress | None = None,
) -> Design:
    """Build an integer network, a circuit or a field for the target; verify and estimate what was built.

    ``hint`` is what a search already wrote of this program for this target.  Optional engines that would not end by
    the moment ``optional_until`` (of :func:`time.monotonic`) do not begin.
    """
    progress = progress or Silent()
    target = options.target
    target.validate(program)
    values = np.asarray(features, np.float64)
    rows = Rows(values, ir.engine_rows(program, values), np.asarray(labels))
    artifact = target.build(program, rows, progress, hint)
    design = Design(
        program=program,
        facts={"target": target.name, "options": options.facts(), **artifact.facts},
        files=artifact.files,
        oracle=oracle_graph(program),
        features=values,
        labels=rows.labels,
        built=(target, artifact),
    )
    progress.step("verify in every engine")
    results = require_equal(design, optional_until=optional_until, progress=progress)
    progress.step("estimate the cost")
    cost = target.estimate(artifact, rows)
    return design.with_facts(
        {
            "format": FORMAT,
            "mlpress": __version__,
            "target": target.name,
            "kind": target.kind,
            "options": options.facts(),
            program.level: ir.structure(program),
            **artifact.facts,
            "cost": {
                "values": dict(cost.values),
                "units": {metric.name: metric.unit for metric in target.metrics},
                "how": dict(cost.how),
            },
            **cost.facts,
            "verification": [result.to_json() for result in results],
            "tools": {tool: _version(tool) for tool in TOOLS},
        }
    )


def read_inputs(
    target: Target, model: Path, data: str | None, test: str | None, label: str | None, task: Task
) -> tuple[ir.Model | ir.Field, Dataset | None, Dataset | None]:
    """Read the model of the target's level, its rows and its test rows, where there are any."""
    from mlpress.frontend import Dataset, load, load_field, read_samples

    if target.level == "real":
        field = load_field(model)
        rows, tests = (None if one is None else read_samples(one, field, label) for one in (data, test))
        return field, rows, tests
    network = load(model, task)
    found, held = (None if one is None else Dataset.read(one, label, task, network) for one in (data, test))
    return network, found, held


def source_facts(model: Path, data: str | None, test: str | None = None) -> dict[str, Any]:
    """Return where a model and its rows came from: names and hashes, no paths."""
    facts = {"model": model.name, "model_sha256": hashlib.sha256(model.read_bytes()).hexdigest()}
    for name, given in (("data", data), ("test", test)):
        if given is not None:
            facts[name] = Path(given).name
            if Path(given).is_file():
                facts[f"{name}_sha256"] = hashlib.sha256(Path(given).read_bytes()).hexdigest()
    return facts


def command_facts(arguments: Sequence[str], date: datetime) -> dict[str, str]:
    """Return the command as it was typed, of paths the last part alone, and when it was run, in UTC to the second."""
    typed = [Path(word).name if "/" in word and "://" not in word else word for word in arguments]
    return {"command": shlex.join(["mlpress", *typed]), "date": date.astimezone(UTC).isoformat(timespec="seconds")}


def _version(tool: str) -> str | None:
    try:
        return version(tool)
    except PackageNotFoundError:
        return None
