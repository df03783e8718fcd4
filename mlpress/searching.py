"""From a model to a front of smaller designs: the searches, the real cost of the front, and the design that is chosen.

The integer level looks for networks of approximate arithmetic (:func:`mlpress.approx.search`); the gate level goes on
from their circuits and from others (:func:`mlpress.approx.gates.evolve`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from mlpress import interrupts, ir, suspicions
from mlpress.accuracy import accuracy, with_intervals
from mlpress.compiler import Options, check_options, press
from mlpress.design import Design, cells_of
from mlpress.errors import MlpressError
from mlpress.files import write_file
from mlpress.intervals import accuracy_interval
from mlpress.preparation import Prepared, prepare
from mlpress.progress import Progress, Silent, counted, recorded
from mlpress.verification import port_values

if TYPE_CHECKING:
    from mlpress.approx import Budget, Candidate, Front, Limits, Measured, Point, SearchProgress, gates
    from mlpress.frontend import Dataset
    from mlpress.hw import Netlist, Technology

    class Watcher(SearchProgress, gates.EvolutionProgress, Protocol):
        """Who watches both searches."""


Level = Literal["integer", "gates", "both"]

INTEGER_SHARE = 0.4
"""The integer level's share of the time where both are searched."""

MOST_THOROUGH_NODES = 600
"""And-gates of the largest chosen design that is synthesised thoroughly: some 20 seconds of one core."""

TREE_LEAVES = (16, 64, 256)
"""The trees that an evolution may start from."""


@dataclass(frozen=True, slots=True)
class Where:
    """How a search runs, which changes nothing in what it finds: threads, a Dask scheduler's address, the files that
    checkpoints are kept in (``<checkpoint>.npz`` and others beside it), and whether to go on from them."""

    workers: int | None = None
    cluster: str | None = None
    checkpoint: Path | None = None
    resume: bool = False

    def files(self) -> dict[str, Path]:
        """The checkpoint of each level, and the front that the integer level ended with."""
        if self.checkpoint is None:
            return {}
        kinds = {"integer": ".npz", "gates": ".gates.npz", "front": ".front.json"}
        return {kind: self.checkpoint.with_name(self.checkpoint.name + end) for kind, end in kinds.items()}

    def forget(self) -> None:
        """Remove the files."""
        for path in self.files().values():
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A searched front over a model's rows; every member becomes a verified :class:`Design` when it is asked for.

    ``front`` is that of the last level searched, ``integer`` that of the integer level where it was another.
    ``trees`` are what decision trees would cost; ``prepared`` holds the model, its quantised net and the rows.
    ``warnings`` were given during the search; ``progress`` hears of those that a single design gives reason for.
    """

    front: Front | gates.CircuitFront
    integer: Front | None
    trees: Sequence[gates.TreePoint]
    prepared: Prepared
    options: Options
    warnings: Sequence[str]
    progress: Progress

    @property
    def exact(self) -> ir.Net:
        """The quantised net, before any search."""
        return self.prepared.quantised.net

    @property
    def dataset(self) -> Dataset:
        """The rows that the search had."""
        return self.prepared.rows

    def smallest(
        self, *, max_loss: float = 0.01, max_area: float | None = None, max_power: float | None = None
    ) -> Design:
        """The smallest design of all levels within ``max_loss`` of its level's reference, on validation rows.

        Where the search found none, that is the exact circuit itself, as long as no limit forbids it.
        """
        limits: dict[str, Any] = {"max_loss": max_loss, "max_area": max_area, "max_power": max_power}
        found: list[Candidate | gates.CircuitDesign] = []
        with suppress(MlpressError):  # a front without such a design
            found.append(self.front.smallest(**limits))
        if self.integer is not None:
            with suppress(MlpressError):
                found.append(self._real(self.integer, self.integer.smallest(**limits)))
        if found:
            return self.design(min(found, key=lambda design: design.area_cm2))
        if max_area is not None or max_power is not None:
            return self.design(self.front.smallest(**limits))  # which says what is wrong
        return self._pressed(self.exact, None, {"validation": self.front.reference})

    def _real(self, front: Front, design: Candidate) -> Candidate:
        """The design with its real cost."""
        technology = cells_of(self.options.target, self.options.liberty)
        return replace(design, measured=measured(front.net(design), self.dataset, technology, self.options))

    def design(self, candidate: Candidate | gates.CircuitDesign) -> Design:
        """The pressed and verified circuit of one member of the front."""
        from mlpress.approx import Candidate, Front

        accuracy = {"validation": candidate.validation_accuracy}
        if isinstance(candidate, Candidate):
            front = self.front if isinstance(self.front, Front) else self.integer
            assert front is not None  # a candidate comes from an integer front
            return self._pressed(front.net(candidate), candidate, accuracy, genes=list(candidate.genes))
        facts = {"start": candidate.start, "lesson": candidate.lesson}
        return self._pressed(candidate.circuit, candidate, accuracy, candidate.netlist, **facts)

    def _pressed(
        self,
        program: ir.Net | ir.Circuit,
        chosen: Candidate | gates.CircuitDesign | None,
        judged: dict[str, Any],
        netlist: str | None = None,
        **searched: Any,
    ) -> Design:
        rows, (progress, warnings) = self.dataset, recorded(self.progress)
        held = self._validation_rows(program if chosen is None else chosen)
        facts = self.prepared.accuracy(program) | judged | {"reference": self.front.reference, "validation_rows": held}
        accuracies = with_intervals(facts, {"validation": held})
        for text in suspicions.of_test(accuracies):
            progress.warn(text)
        design = press(
            program, rows.features, rows.labels, shipped(program, self.options), netlist=netlist, progress=progress
        )
        facts = {
            "source": dict(self.prepared.source),
            "accuracy": accuracies,
            "front": [self._point(design) | {"chosen": design is chosen} for design in self.front.designs],
            "search": _search_facts(self.front) | searched,
            "tree": self._tree(accuracies["validation"]),
            "warnings": [*self.warnings, *warnings],
        }
        return design.with_facts(design.facts | facts)

    def _validation_rows(self, design: Candidate | gates.CircuitDesign | ir.Net | ir.Circuit) -> int:
        """How many rows its validation accuracy was counted on: held-out ones, or all, each held out in one fold."""
        from mlpress.approx import Candidate, Front

        integer = isinstance(design, Candidate) or (isinstance(design, ir.Net) and isinstance(self.front, Front))
        return held_out(self.dataset, self.front.seed) if integer else len(self.dataset)

    def _point(self, design: Candidate | gates.CircuitDesign) -> dict[str, Any]:
        rows, share = self._validation_rows(design), design.validation_accuracy
        interval = list(accuracy_interval(share, rows))
        return {"area_cm2": design.area_cm2, "accuracy": share, "rows": rows, "interval": interval}

    def _tree(self, enough: float) -> dict[str, Any]:
        """The decision tree that a user would hold the design against, synthesised."""
        from mlpress.approx import gates

        tree = gates.nearest_tree(self.trees, enough)
        cost = circuit_cost(tree.circuit, tree.netlist, self.dataset, self.options)
        facts: dict[str, Any] = {
            "leaves": tree.leaves,
            "fit": tree.fit_accuracy,
            "validation": tree.validation_accuracy,
            "area_cm2": cost.area_cm2,
            "power_mw": cost.power_mw,
        }
        counted = {"fit": len(self.dataset), "validation": len(self.dataset)}
        if self.prepared.tests is not None:
            facts["test"] = accuracy(tree.circuit, self.prepared.tests)
            counted["test"] = len(self.prepared.tests)
        return with_intervals(facts, counted)


def search(
    model: ir.Model,
    dataset: Dataset,
    budget: Budget,
    options: Options = Options(),  # noqa: B008 - immutable
    *,
    level: Level = "both",
    rounds: int | None = None,
    start_tree: bool = False,
    limits: Limits | None = None,
    with_adc: bool = False,
    power_weight: float = 0.0,
    seed: int = 0,
    where: Where = Where(),
    test: Dataset | None = None,
    features: Sequence[str] | None = None,
    source: Mapping[str, Any] | None = None,
    progress: Watcher | None = None,
) -> Found:
    """Search from ``model`` on the rows of ``dataset``; the front's members are synthesised.

    Of ``budget``'s seconds the integer level gets :data:`INTEGER_SHARE` where both levels are searched; its generations
    are the integer level's, and ``rounds`` the gate level's.  ``start_tree`` lets the evolution start from decision
    trees as well; ``power_weight`` is how many um2 one nW of static power weighs there.  ``test`` rows only state
    accuracies; ``features`` names the columns in the order that the model expects.
    """
    from mlpress.approx import gates

    effort = gates.GateEffort(power=power_weight)
    check_options(options)
    if where.resume and not any(path.is_file() for path in where.files().values()):
        raise MlpressError(f"there is no checkpoint {where.checkpoint}.* to resume from; leave --resume out")
    if isinstance(model.head, ir.ScoresHead):
        raise MlpressError("the search needs a classifier; compile a regression as it is")
    heard, warnings = recorded(progress or Silent())
    heard.step("quantise")
    prepared = prepare(model, dataset, options, test=test, features=features, source=source)
    prepared.say(heard)
    net, rows = prepared.quantised.net, prepared.rows
    if level != "gates" and (held := held_out(rows, seed)) < suspicions.FEW_ROWS <= len(rows):
        heard.warn(suspicions.few_rows(held, "validation"))
    task = _Task(net, rows, options, limits, with_adc, seed, where, progress)
    interrupts.defer(task.told)
    share = {"integer": 1.0, "gates": 0.0, "both": INTEGER_SHARE}[level]
    integer = None if level == "gates" else task.integer(_part(budget, share, budget.generations))
    front: Front | gates.CircuitFront
    if level == "integer":
        assert integer is not None
        front, integer = task.measured(integer), None
    else:
        allowed = _part(budget, 1.0 - share, rounds)
        front = task.gates(allowed, integer, effort, start_tree=start_tree)
    task.step("fit decision trees, to hold the design against")
    coded = gates.Rows(ir.encode(net, rows.features), rows.labels.astype(np.int64))
    trees = gates.tree_points(net.inputs, net.classes, coded, gates.cell_costs(task.technology), seed=seed)
    return Found(front, integer, trees, prepared, options, warnings, progress or Silent())


def held_out(rows: Dataset, seed: int) -> int:
    """How many rows the integer level keeps out to judge its designs."""
    from mlpress.approx import VALIDATION, split_rows

    return len(split_rows(rows.labels.astype(np.int64), VALIDATION, seed)[1])


def _part(budget: Budget, share: float, generations: int | None) -> Budget:
    """A level's own budget: its number of generations where one is given, else its share of the time."""
    timed = None if budget.seconds is None or generations is not None else share * budget.seconds
    return replace(budget, seconds=timed, generations=generations)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What both levels have in common."""

    net: ir.Net
    rows: Dataset
    options: Options
    limits: Limits | None
    with_adc: bool
    seed: int
    where: Where
    progress: Watcher | None

    @property
    def technology(self) -> Technology:
        return cells_of(self.options.target, self.options.liberty)

    def integer(self, budget: Budget) -> Front:
        """The integer level's front; one that ended before an interrupt is read back."""
        from mlpress import approx

        files = self.where.files()
        if self.where.resume and files and files["front"].is_file():
            return approx.Front.from_json(files["front"].read_text())
        front = approx.search(
            self.net,
            self.rows.features,
            self.rows.labels.astype(np.int64),
            self.technology,
            budget,
            limits=self.limits or approx.Limits(),
            with_adc=self.with_adc,
            seed=self.seed,
            workers=self.where.workers,
            checkpoint=files.get("integer"),
            resume=self.where.resume,
            cluster=self.where.cluster,
            progress=self.progress,
        )
        if files and front.stopped != "interrupted":
            write_file(files["front"], front.to_json())
        return front

    def measured(self, front: Front) -> Front:
        """With real costs."""
        self.step(f"synthesise the front ({counted(len(front.designs), 'design')})")
        return front.measure(lambda net: measured(net, self.rows, self.technology, self.options))

    def _evolved(
        self, budget: Budget, integer: Front | None, effort: gates.GateEffort, *, start_tree: bool
    ) -> gates.CircuitFront:
        from mlpress.approx import gates

        files = self.where.files()
        gate_file = files.get("gates")
        net, rows = self.net, gates.Rows(ir.encode(self.net, self.rows.features), self.rows.labels.astype(np.int64))
        self.step("train networks of the model's own size, to hold the designs against")
        hidden = tuple(len(layer.neurons) for layer in net.layers[:-1])
        with interrupts.allowed():
            fair = gates.network_accuracy(rows, hidden, max(feature.bits for feature in net.inputs), seed=self.seed)
        return gates.evolve(
            net.inputs,
            net.classes,
            rows,
            starts(net, integer, trees=start_tree),
            self.technology,
            budget,
            reference=min(fair, accuracy(net, self.rows)),
            most_cm2=None if self.limits is None else self.limits.max_area,
            effort=effort,
            seed=self.seed,
            workers=self.where.workers,
            checkpoint=gate_file,
            resume=self.where.resume and gate_file is not None and (integer is None or gate_file.is_file()),
            cluster=self.where.cluster,
            progress=self.progress,
        )

    def gates(
        self, budget: Budget, integer: Front | None, effort: gates.GateEffort, *, start_tree: bool
    ) -> Front | gates.CircuitFront:
        """The gate level's front, or the integer level's own where that was interrupted."""
        if integer is not None and integer.stopped == "interrupted":
            return self.measured(integer)
        try:
            front = self._evolved(budget, integer, effort, start_tree=start_tree)
        except KeyboardInterrupt:
            if integer is None:
                raise
            return self.measured(replace(integer, stopped="interrupted"))
        self.step(f"synthesise the front ({counted(len(front.designs), 'design')})")
        return front.measure(lambda circuit, netlist: circuit_cost(circuit, netlist, self.rows, self.options))

    def step(self, name: str) -> None:
        """Tell the watcher that a new step starts."""
        if self.progress is not None:
            self.progress.step(name)

    def told(self) -> None:
        """Tell the watcher that an interrupt is kept until there is a design."""
        if self.progress is not None:
            self.progress.note("interrupted: finishing with what there is; once more ends at once")


def shipped(program: ir.Net | ir.Circuit, options: Options) -> Options:
    """The options of the chosen design: ``default`` effort becomes ``thorough`` where its circuit is small enough."""
    circuit = program if isinstance(program, ir.Circuit) else ir.bit_blast(program)
    thorough = options.effort == "default" and len(circuit.ands) <= MOST_THOROUGH_NODES
    return replace(options, effort="thorough") if thorough else options


def starts(net: ir.Net, integer: Front | None, *, trees: bool) -> list[gates.Start]:
    """What an evolution starts from: trees, up to three designs of the integer level, a wider net, the exact one.

    The order is that of their size, so that a short run tries what is cheap to try.
    """
    from mlpress.approx import gates

    hidden = tuple(len(layer.neurons) for layer in net.layers[:-1])
    alike = gates.Trained(net, hidden)
    found: list[gates.Start] = []
    if trees:
        found += [gates.Tree(net.inputs, net.classes, leaves) for leaves in TREE_LEAVES]
    if integer is not None:
        nets = [(k, integer.net(design)) for k, design in enumerate(integer.designs)]
        like = [(k, searched) for k, searched in nets if searched.inputs == net.inputs]  # no pruned converters
        for i in sorted({len(like) // 4, len(like) // 2, 3 * len(like) // 4}) if like else []:
            k, searched = like[i]
            found.append(gates.Given(f"searched design {k}", ir.bit_blast(searched), alike))
    wider = gates.Trained(net, tuple(2 * neurons for neurons in hidden))
    return [*found, wider, gates.Given("the exact network", ir.bit_blast(net), alike)]


def measured(net: ir.Net, rows: Dataset, technology: Technology, options: Options) -> Measured:
    """Real area (cm2) and power (mW at the nominal voltage) of a net on its rows."""
    from mlpress import codegen, hw

    found = hw.synthesise(codegen.verilog(ir.lower_net(net)), "top", technology, effort=options.effort).netlist
    return _cost(found, ir.encode(net, rows.features), technology, options)


def circuit_cost(circuit: ir.Circuit, netlist: str, rows: Dataset, options: Options) -> Measured:
    """The same of a circuit, whose gates in cells of their own are ``netlist``."""
    from mlpress import codegen, hw

    technology = cells_of(options.target, options.liberty)
    own = hw.parse_netlist(netlist, "top")
    text = codegen.verilog(circuit)
    found = hw.synthesise(text, "top", technology, effort=options.effort, own=own).netlist
    return _cost(found, ir.encode(circuit, rows.features), technology, options)


def _cost(netlist: Netlist, codes: Any, technology: Technology, options: Options) -> Measured:
    from mlpress import hw
    from mlpress.approx import Measured

    ports = [port.name for port in hw.PackedNetlist(netlist, technology).inputs]
    cost = hw.estimate(netlist, technology, port_values(codes, ports), options.rate_hz)
    return Measured(cost.area_cm2, cost.nominal.total_mw)


def _search_facts(front: Front | gates.CircuitFront) -> dict[str, Any]:
    from mlpress.approx import Front

    if isinstance(front, Front):
        done = {"level": "integer", "generations": front.generations, "tried": front.tried}
    else:
        done = {"level": "gates", "rounds": front.rounds, "moves": front.moves}
    return {"seed": front.seed, **done, "stopped": front.stopped}


def power_limit(sources: Sequence[str], max_power: float | None) -> float | None:
    """The tightest of ``max_power`` (mW) and what the named printed power sources give."""
    from mlpress.hw import POWER_SOURCES

    known = {source.name: source.limit_mw for source in POWER_SOURCES}
    for name in sources:
        if name not in known:
            raise MlpressError(f"no power source {name!r}; there are {', '.join(known)}")
    limits = [known[name] for name in sources] + ([] if max_power is None else [max_power])
    return min(limits, default=None)


def front_files(
    front: Front | gates.CircuitFront, name: str = "front", published: Sequence[Point] = ()
) -> dict[str, str | bytes]:
    """The files of a front beside its chosen design; its pictures show the ``published`` designs too."""
    from mlpress.approx import draw

    return {
        f"{name}.json": front.to_json(),
        f"{name}.csv": front.to_csv(),
        f"{name}.png": draw(front, "png", published),
        f"{name}.svg": draw(front, "svg", published),
    }


def with_fronts(design: Design, found: Found, published: Sequence[Point] = ()) -> Design:
    """The design with the files of its fronts in its folder; their pictures show the ``published`` designs too."""
    extra = front_files(found.front, published=published)
    if found.integer is not None:
        extra |= front_files(found.integer, "integer_front", published)
    return replace(design, extra=extra)
