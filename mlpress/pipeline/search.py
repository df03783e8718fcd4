"""From a model to a front of smaller designs: the searches, and the real cost of the front.

The integer level looks for networks of approximate arithmetic (:func:`mlpress.approx.search`); the gate level goes on
from their circuits and from others (:func:`mlpress.approx.gates.evolve`).  What they find is a
:class:`mlpress.pipeline.found.Found`, which chooses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np

from mlpress import interrupts, ir
from mlpress.design import FACTS, LARGEST_FILE
from mlpress.errors import MlpressError
from mlpress.files import write_file
from mlpress.pipeline import suspicions
from mlpress.pipeline.compile import Options
from mlpress.pipeline.found import Found, measured, product_bits, search_target, shipped, with_fronts
from mlpress.pipeline.preparation import Prepared, prepare
from mlpress.progress import Progress, Silent, counted, recorded
from mlpress.targets import Interfaced

__all__ = [
    "Found",
    "Settings",
    "Where",
    "finished",
    "power_limit",
    "search",
    "search_key",
    "search_prepared",
    "shipped",
    "starts",
    "usual",
    "with_fronts",
]

if TYPE_CHECKING:
    from mlpress.approx import (
        Budget,
        Clock,
        Front,
        Generation,
        Limits,
        Measured,
        MergedDesign,
        MergedFront,
        SearchProgress,
        gates,
    )
    from mlpress.frontend import Dataset
    from mlpress.hw.printed import Technology

    class Watcher(SearchProgress, gates.EvolutionProgress, Protocol):
        """What both searches call."""


Level = Literal["integer", "gates", "both"]

INTEGER_SHARE = 0.4
"""The integer level's share of the time where both are searched."""

POLISH_SHARE = 0.25
"""Of the gate level's time, what goes into circuits of searched networks, judged as these are."""

POLISHED = 6
"""So many networks of the integer level's front are evolved so."""

TREE_LEAVES = (16, 64, 256)
"""The trees that an evolution may start from."""

MOST_ROWS = 16_000
"""A search reads at most so many rows, of each class its share: every move is judged on all of them."""

MOST_BITS = 3_000
"""No circuit is evolved from a network whose products have more bits: a move of it takes too long."""

PREPARING_S = (0.6, 4e-4)
"""Seconds that an archive's teacher takes, and that per row: measured on cardio and pendigits."""

HURRIED = 0.2
"""Where teachers would take more of the gate level's time, they are quick, folds have one archive each, and starts are
few."""

HURRIED_BITS = 1_000
""":data:`MOST_BITS` of a search with such a budget."""

STATE = "mlpress integer state 1"


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

    def begun(self) -> bool:
        """Whether there is any checkpoint."""
        return any(path.is_file() for path in self.files().values())

    def forget(self) -> None:
        """Remove the files."""
        for path in self.files().values():
            path.unlink(missing_ok=True)


class _WholeTime:
    """Hands on what the searches say, with the time that is left of the whole command."""

    def __init__(self, watch: Watcher, clock: Clock) -> None:
        self._watch, self._clock = watch, clock
        self.step, self.note, self.warn = watch.step, watch.note, watch.warn

    def generation(self, done: Generation) -> None:
        self._watch.generation(replace(done, left_s=max(self._clock.left_s(), 0.0)))

    def round(self, done: gates.Round) -> None:
        self._watch.round(replace(done, left_s=max(self._clock.left_s(), 0.0)))


class _Unwatched(Silent):
    def generation(self, done: Generation) -> None:
        """Say nothing."""

    def round(self, done: gates.Round) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides what a search finds, beside model, rows, options and budget."""

    level: Level = "both"
    start_tree: bool = False
    limits: Limits | None = None
    with_adc: bool = False
    power_weight: float = 0.0
    seed: int = 0


def search(
    model: ir.Model,
    dataset: Dataset,
    budget: Budget,
    options: Options = Options.of(),  # noqa: B008 - immutable
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
    began: float | None = None,
    progress: Watcher | None = None,
) -> Found:
    """Search from ``model`` on the rows of ``dataset``; the front's members are synthesised.

    ``budget``'s seconds are for all work from the moment ``began`` (of :func:`mlpress.approx.now`; default: now) to the
    chosen design, and the last of them are kept for the end.  Of the time for searching the integer level gets
    :data:`INTEGER_SHARE` where both levels are searched; the budget's generations are the integer level's, and
    ``rounds`` the gate level's: a level that has such a number takes the time that it takes, and what it finds follows
    from the arguments alone.  ``start_tree`` lets the evolution start from decision trees as well; ``power_weight`` is
    how many um2 one nW of static power weighs there.  ``test`` rows only state accuracies and warn;
    ``features`` names the columns in the order that the model expects.
    """
    from mlpress.approx import now

    began = now() if began is None else began
    options.target.check()
    search_target(options)
    if isinstance(model.head, ir.ScoresHead):
        raise MlpressError("the search needs a classifier; compile a regression as it is")
    watch: Watcher = _Unwatched() if progress is None else progress
    watch.step("quantise")
    prepared = prepare(model, dataset, options.quantisation, test=test, features=features, source=source)
    settings = Settings(level, start_tree, limits, with_adc, power_weight, seed)
    return search_prepared(prepared, budget, options, settings, rounds=rounds, where=where, began=began, progress=watch)


def search_prepared(
    prepared: Prepared,
    budget: Budget,
    options: Options,
    settings: Settings,
    *,
    rounds: int | None = None,
    where: Where = Where(),
    began: float | None = None,
    progress: Watcher | None = None,
) -> Found:
    """Search from a model that is quantised already: :func:`search` after its first step."""
    from mlpress import approx
    from mlpress.approx import gates

    technology = search_target(options).cells()
    level, seed = settings.level, settings.seed
    fixed = {"integer": [budget.generations], "gates": [rounds], "both": [budget.generations, rounds]}[level]
    clock = approx.Clock(approx.now() if began is None else began, None if all(fixed) else budget.seconds)
    heard: Watcher = _Unwatched() if progress is None else progress
    watch, warnings = recorded(heard)
    prepared.say(watch)
    net, every = prepared.quantised.net, prepared.rows
    rows = _sampled(every, seed, watch)
    clock = clock.paused(_compiling_s(technology, watch))
    task = _Task(
        net,
        rows,
        ir.interpret_model(prepared.model, rows.features)[1],
        options,
        settings,
        where,
        clock,
        cast("Watcher", _WholeTime(watch, clock)) if clock.timed else watch,
    )
    interrupts.defer(task.told)
    if level != "gates" and task.held_rows < suspicions.FEW_ROWS <= len(rows):
        watch.warn(suspicions.few_rows(task.held_rows, "validation"))
    validation_rows = len(rows)
    retrained = None if level == "integer" else task.retrained()
    optimism = task.optimism(retrained)
    integer = None if level == "gates" else task.integer_front(budget)
    evolved = None
    if level != "integer" and (integer is None or integer.stopped != "interrupted"):
        try:
            evolved = task.gate_front(replace(budget, generations=rounds), integer, optimism)
        except KeyboardInterrupt:
            if integer is None:
                raise
            integer = replace(integer, stopped="interrupted")
    if evolved is None:
        assert integer is not None  # one level at least was searched
        validation_rows = task.held_rows
    front, merged = task.synthesised(integer, evolved, optimism)
    watch.step("fit decision trees, to hold the design against")
    coded = task.coded
    until = approx.now() + max(clock.left_s() - clock.press_s, 0.0)
    trees = gates.tree_points(
        task.inputs, net.classes, coded, gates.cell_costs(task.technology), seed=seed, until=until
    )
    return Found(
        front=front,
        integer=integer if evolved is not None else None,
        merged=merged,
        trees=trees,
        prepared=prepared,
        rows=rows,
        validation_rows=validation_rows,
        retrained=None if retrained is None else retrained.held_out,
        search=_search_facts(front) | {"key": search_key(net, rows, options, settings)},
        options=options,
        clock=clock,
        warnings=warnings,
        progress=heard,
    )


def search_key(net: ir.Net, rows: Dataset, options: Options, settings: Settings) -> str:
    """A digest of all that decides what a search finds, but for its budget."""
    technology = search_target(options).cells()
    cells = [(cell.name, cell.area_um2) for cell in technology.cells.values()]
    target = options.target.facts()
    interface = [target.get(name) for name in ("interface", "comparator_cm2", "comparator_mw")]
    digest = sha256(repr((ir.to_text(net), technology.name, cells, settings, interface)).encode())
    for array in (rows.features, rows.labels):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def finished(
    folder: Path,
    model: ir.Model,
    dataset: Dataset,
    options: Options,
    settings: Settings,
    features: Sequence[str] | None = None,
) -> dict[str, Any] | None:
    """The facts of the design in ``folder`` where this very search ended with it, else ``None``."""
    try:
        if (folder / FACTS).stat().st_size > LARGEST_FILE:
            return None
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        searched = facts["search"]
        owner, stopped = searched["key"], searched["stopped"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    prepared = prepare(model, dataset, options.quantisation, features=features)
    key = search_key(prepared.quantised.net, _sampled(prepared.rows, settings.seed, Silent()), options, settings)
    return cast("dict[str, Any]", facts) if owner == key and stopped != "interrupted" else None


def _sampled(rows: Dataset, seed: int, watch: Progress) -> Dataset:
    """At most :data:`MOST_ROWS` of the rows, of each class its share, in their order."""
    if len(rows) <= MOST_ROWS:
        return rows
    rng, kept = np.random.default_rng((seed, 6)), np.zeros(len(rows), np.bool_)
    for label in np.unique(rows.labels):
        of_class = np.flatnonzero(rows.labels == label)
        kept[rng.permutation(of_class)[: max(round(MOST_ROWS * len(of_class) / len(rows)), 1)]] = True
    watch.note(f"the search reads {int(kept.sum())} of the {len(rows)} rows, the same share of each class")
    return rows.take(np.flatnonzero(kept))


def _compiling_s(technology: Technology, watch: Watcher) -> float:
    """Load the kernels of both searches; the seconds that this took where they had to be compiled first, else 0."""
    from mlpress import approx

    watch.step("load the search's kernels")
    took = approx.load_kernels(technology)
    if not took:
        return 0.0
    watch.note(f"the search's kernels took {took:.0f} s to compile, once per installation; no budget counts it")
    return took


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What both levels have in common; ``decided`` is what the given model says of the rows."""

    net: ir.Net
    rows: Dataset
    decided: Any
    options: Options
    settings: Settings
    where: Where
    clock: Clock
    progress: Watcher

    def told(self) -> None:
        """Tell the watcher that an interrupt is kept until there is a design."""
        self.progress.note("interrupted: finishing with what there is; once more ends at once")

    @property
    def technology(self) -> Technology:
        cells: Technology = search_target(self.options).cells()
        return cells

    @property
    def inputs(self) -> tuple[ir.Input, ...]:
        """The inputs as the target's circuits receive them."""
        target = self.options.target
        return target.receives(self.net.inputs) if isinstance(target, Interfaced) else self.net.inputs

    @property
    def unary(self) -> bool:
        """Whether circuits read comparators, which then count, and which a tree's tests are."""
        return any(feature.interface == "unary" for feature in self.inputs)

    @property
    def hurried(self) -> bool:
        """Whether there is no time for half of the archives, nor for good teachers."""
        from mlpress.approx import cores, gates

        if self.clock.seconds is None:
            return False
        usual = gates.GateEffort()
        fixed, per_row = PREPARING_S
        archives = len(usual.lessons) * (usual.folds + 1) / (self.where.workers or cores())
        share = 1.0 if self.settings.level == "gates" else 1 - INTEGER_SHARE
        seconds = share * (self.clock.seconds - self.clock.end_s)
        return archives * (fixed + per_row * len(self.rows)) > HURRIED * seconds

    @property
    def most_bits(self) -> int:
        """No circuit is evolved from a network whose products have more."""
        return HURRIED_BITS if self.hurried else MOST_BITS

    @property
    def labels(self) -> Any:
        return self.rows.labels.astype(np.int64)

    @property
    def coded(self) -> gates.Rows:
        from mlpress.approx import gates

        return gates.Rows(ir.encode(self.net, self.rows.features), self.labels)

    @property
    def reference(self) -> float:
        """The given model's accuracy on the rows."""
        return float(np.mean(self.decided == self.rows.labels))

    @property
    def held_rows(self) -> int:
        """Rows that the integer level holds out."""
        from mlpress import approx

        return len(approx.split_rows(self.labels, approx.VALIDATION, self.settings.seed)[1])

    def _budget(self, budget: Budget, share: float) -> Budget:
        """A level's own budget: its number of generations where there is one, else a share of the time left."""
        if budget.generations is not None or budget.seconds is None:
            return replace(budget, seconds=None)
        return replace(budget, seconds=max(share * (self.clock.left_s() - self.clock.end_s), 0.0))

    def integer_front(self, budget: Budget) -> Front:
        """The integer level's front; one that ended before an interrupt is read back."""
        from mlpress import approx

        files = self.where.files()
        key = search_key(self.net, self.rows, self.options, self.settings)
        if self.where.resume and files and files["front"].is_file():
            front = _read_front(files["front"], key)
            if budget.generations is None or front.generations >= budget.generations:
                return front
        resume = self.where.resume and bool(files) and files["integer"].is_file()
        front = approx.search(
            self.net,
            self.rows.features,
            self.labels,
            self.technology,
            self._budget(budget, INTEGER_SHARE if self.settings.level == "both" else 1.0),
            limits=self.settings.limits or approx.Limits(),
            with_adc=self.settings.with_adc or (self.unary and self.technology.comparator is not None),
            seed=self.settings.seed,
            workers=self.where.workers,
            decided=self.decided,
            checkpoint=files.get("integer"),
            resume=resume,
            cluster=self.where.cluster,
            progress=self.progress,
        )
        if files and front.stopped != "interrupted":
            write_file(files["front"], json.dumps({"format": STATE, "key": key, "front": front.to_json()}) + "\n")
        return front

    def retrained(self) -> gates.Retrained | None:
        """What networks of the model's shape reach, trained anew on folds; ``None`` for a large one."""
        from mlpress.approx import gates

        if product_bits(self.net) > self.most_bits:
            return None
        self.progress.step("train networks of the model's own shape, to hold the model against")
        with interrupts.allowed():
            alike = replace(_alike(self.net), tries=1) if self.hurried else _alike(self.net)
            judged = 1 if self.hurried else 4
            anew = gates.retrained_accuracy(alike, self.coded, self.decided, judged=judged, seed=self.settings.seed)
        if anew.fit < self.reference - gates.AS_GOOD:
            self.progress.note(
                f"networks of this shape trained anew reach {anew.fit:.1%} of their own rows where the model has "
                f"{self.reference:.1%}: circuits are judged from the model itself, which may have seen the rows"
            )
        return anew

    def optimism(self, anew: gates.Retrained | None) -> float:
        """What the model's accuracy on the rows has too much of, by networks ``anew``; 0 where they tell nothing."""
        from mlpress.approx import gates

        if anew is None or anew.fit < self.reference - gates.AS_GOOD:
            return 0.0
        return max(anew.given - anew.held_out, 0.0)

    def gate_front(self, budget: Budget, integer: Front | None, optimism: float) -> gates.CircuitFront:
        """The gate level's front."""
        from mlpress.approx import gates, now

        gate_file = self.where.files().get("gates")
        rows, net = self.coded, self.net
        most = None if self.settings.limits is None else self.settings.limits.max_area
        begin = starts(
            net,
            integer,
            trees=self.settings.start_tree or self.unary,
            few=self.hurried,
            inputs=self.inputs,
            note=self.progress.note,
        )
        room = max((len(start.made.ands) for start in begin if isinstance(start, gates.Given)), default=0)
        if most is not None:
            smallest = float(gates.cell_costs(self.technology).area[[0b0111, 0b0001, 0b1000, 0b1110]].min())
            room = min(room, int(gates.MARGIN * most * 1e8 / smallest))
        effort = gates.GateEffort(prices=gates.prices_for(len(rows), room), power=self.settings.power_weight)
        if self.hurried:
            effort = replace(effort, lessons=effort.lessons[:1], quick_teacher=True)
        since = now()
        more = [] if integer is None else self._polished(integer, effort, budget, optimism)
        took = now() - since
        evolved = gates.evolve(
            self.inputs,
            net.classes,
            rows,
            begin,
            self.technology,
            self._budget(budget, 1.0),
            reference=self.reference,
            most_cm2=most,
            effort=effort,
            seed=self.settings.seed,
            workers=self.where.workers,
            checkpoint=gate_file,
            resume=self.where.resume and gate_file is not None and gate_file.is_file(),
            cluster=self.where.cluster,
            progress=self.progress,
        )
        if self.unary:
            points = gates.tree_points(
                self.inputs,
                net.classes,
                rows,
                gates.cell_costs(self.technology),
                seed=self.settings.seed,
                sizes=gates.FINE_LEAVES,
            )
            more += gates.tree_designs(points)
        return replace(evolved.joined(more), elapsed_s=evolved.elapsed_s + took)

    def _polished(
        self, integer: Front, effort: gates.GateEffort, budget: Budget, optimism: float
    ) -> list[gates.CircuitDesign]:
        """Circuits of the integer level's networks, evolved on the rows that these learned from."""
        from mlpress import approx
        from mlpress.approx import gates

        known = approx.unbeaten(approx.designs_of(integer, self.reference, self.held_rows, optimism))
        nets = [(each.number, integer.net(integer.designs[each.number])) for each in reversed(known)]
        like = [(k, net) for k, net in nets if net.inputs == self.net.inputs and product_bits(net) <= self.most_bits]
        if not like:
            return []
        picks = sorted({round(i * (len(like) - 1) / (POLISHED - 1)) for i in range(POLISHED)})
        fit, held = approx.split_rows(self.labels, approx.VALIDATION, self.settings.seed)
        share = POLISH_SHARE * (self.clock.left_s() - self.clock.end_s) if budget.timed else inf
        began = approx.now()
        chosen: list[gates.Given] = []
        for k, net in (like[i] for i in picks):  # the most accurate first
            if chosen and approx.now() > began + 0.25 * share:
                break
            chosen.append(gates.Given(f"searched design {k}", _fed(net, self.inputs)))
        self.progress.step(f"evolve the circuits of {counted(len(chosen), 'searched network')}")
        with interrupts.allowed():
            return gates.polished(
                self.coded.take(fit),
                self.coded.take(held),
                chosen,
                self.technology,
                effort,
                moved=self.reference - integer.reference,
                optimism=optimism,
                seed=self.settings.seed,
                until=began + share,
            )

    def synthesised(
        self, integer: Front | None, evolved: gates.CircuitFront | None, optimism: float
    ) -> tuple[Front | gates.CircuitFront, MergedFront | None]:
        """The last level's front, and that of both where both were searched, with real costs as far as time allows."""
        from mlpress import approx

        fronts = [front for front in (integer, evolved) if front is not None]
        reference = fronts[-1].reference
        designs = [each for front in fronts for each in approx.designs_of(front, reference, self.held_rows, optimism)]
        if len(fronts) > 1:
            designs = approx.unbeaten(designs, approx.AREA_SLACK)
        wanted = reference - (0.0 if self.settings.limits is None else self.settings.limits.max_loss or 0.0)
        designs.sort(key=lambda each: abs(each.validation_accuracy - wanted))
        self.progress.step(f"synthesise the front ({counted(len(designs), 'design')})")
        costs = self._costs(designs, integer)
        found = [replace(each, source=replace(each.source, measured=costs[id(each)])) for each in designs]
        whole = {(str(each.level), each.number): each.source for each in found}
        level = "integer" if evolved is None else "gates"
        front = fronts[-1]
        sources = tuple(whole.get((level, k), design) for k, design in enumerate(front.designs))
        front = replace(front, designs=cast("Any", sources))
        if len(fronts) == 1:
            return front, None
        return front, approx.merge(found, reference)

    def _costs(self, designs: Sequence[MergedDesign], integer: Front | None) -> dict[int, Measured | None]:
        """The cost of each design, by identity; where time runs out, that of a circuit's own cells, or none."""
        from mlpress.approx import now

        known: dict[ir.Net, Measured] = {}
        costs: dict[int, Measured | None] = {}
        slowest = 0.0
        left = 0
        for each in designs:
            since = now()
            quick = self.clock.left_s() - self.clock.press_s < 1.5 * slowest
            left += quick
            if each.level == "integer":
                assert integer is not None  # the design is of its front
                net = integer.net(cast("Any", each.source))
                if net not in known and not quick:
                    known[net] = measured(net, self.rows, self.options)
                costs[id(each)] = known.get(net)
            else:
                source = cast("gates.CircuitDesign", each.source)
                costs[id(each)] = measured(source.circuit, self.rows, self.options, source.netlist, quick=quick)
            slowest = max(slowest, 0.0 if quick else now() - since)
        if left:
            self.progress.note(
                f"{left} of the front's {len(designs)} designs were not synthesised, for want of time: circuits have "
                "the area of their own cells, networks the cost model's"
            )
        return costs


def _read_front(path: Path, key: str) -> Front:
    """The integer level's front, of the search with this key."""
    from mlpress.approx import Front

    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        form, owner, text = facts["format"], facts["key"], facts["front"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MlpressError(f"{path} is no state of this version ({error}); start the search anew") from error
    if form != STATE or not isinstance(text, str):
        raise MlpressError(f"{path} is no state of this version (its format is {form!r}); start the search anew")
    if owner != key:
        raise MlpressError(
            f"{path} belongs to a search with other data, options or model; resume with the same ones, or start anew"
        )
    return Front.from_json(text)


def _alike(net: ir.Net, inputs: tuple[ir.Input, ...] = ()) -> gates.Trained:
    from mlpress.approx import gates

    hidden = tuple(len(layer.neurons) for layer in net.layers[:-1])
    return gates.Trained(net, hidden, interface=(inputs or net.inputs)[0].interface)


def _fed(net: ir.Net, inputs: tuple[ir.Input, ...]) -> ir.Circuit:
    """The net's exact circuit, receiving codes as ``inputs`` do."""
    return ir.unary_circuit(net) if any(feature.interface == "unary" for feature in inputs) else ir.bit_blast(net)


def starts(
    net: ir.Net,
    integer: Front | None,
    *,
    trees: bool,
    few: bool = False,
    inputs: tuple[ir.Input, ...] = (),
    note: Callable[[str], None] = lambda _: None,
) -> list[gates.Start]:
    """What an evolution starts from: the exact net, trees, up to three designs of the integer level, a wider net.

    The best starts for small circuits come early, so that a short run meets them.  ``few`` is for a run that has no
    time for all: one searched design, two trees, no wider net, and each training is done once; where searched networks
    are evolved before it, a tree comes first.

    Circuits are left out where they would be too large (:data:`MOST_BITS`), which ``note`` is told; where nothing else
    is left, there are trees in any case.  All receive codes as ``inputs`` do (default: those of the net).
    """
    from mlpress.approx import gates

    inputs = inputs or net.inputs
    alike = replace(_alike(net, inputs), tries=1) if few else _alike(net, inputs)
    most = HURRIED_BITS if few else MOST_BITS
    small = product_bits(net) <= most
    stand_in = gates.Tree(inputs, net.classes, TREE_LEAVES[-1])
    found: list[gates.Start] = [gates.Given("the exact network", _fed(net, inputs), alike)] if small else []
    fitted = [gates.Tree(inputs, net.classes, leaves) for leaves in TREE_LEAVES[: 2 if few else None]]
    if trees:
        found.insert(0 if few and integer is not None else len(found), fitted[0])
    if integer is not None:
        nets = [(k, integer.net(design)) for k, design in enumerate(integer.designs)]
        like = [(k, each) for k, each in nets if each.inputs == net.inputs and product_bits(each) <= most]
        quarters = (2,) if few else (1, 2, 3)
        for i in sorted({len(like) * k // 4 for k in quarters}) if like else []:  # no pruned converters
            k, searched = like[i]
            found.append(gates.Given(f"searched design {k}", _fed(searched, inputs), alike if small else stand_in))
    if small and not few:
        found.append(replace(_alike(net, inputs), hidden=tuple(2 * neurons for neurons in alike.hidden)))
    found += fitted[1:] if trees else [] if found else fitted
    if not small:
        note(
            f"the network's products have {product_bits(net)} bits: too many to evolve its circuit gate by gate, which "
            f"starts from {', '.join(start.name for start in found)}"
        )
    return found


def _search_facts(front: Front | gates.CircuitFront) -> dict[str, Any]:
    from mlpress.approx import Front

    if isinstance(front, Front):
        done = {"level": "integer", "generations": front.generations, "tried": front.tried}
    else:
        done = {"level": "gates", "rounds": front.rounds, "moves": front.moves}
    return {"seed": front.seed, **done, "stopped": front.stopped}


def usual(options: Options) -> Options:
    """Return the options with the interface that a search takes unless it is told one."""
    target, few = options.target, (1 << options.quantisation.input_bits) - 1 <= ir.UNARY_LEVELS
    return replace(options, target=target.searched()) if few and isinstance(target, Interfaced) else options


def power_limit(sources: Sequence[str], max_power: float | None) -> float | None:
    """The tightest of ``max_power`` (mW) and what the named printed power sources give."""
    from mlpress.hw.printed import POWER_SOURCES

    known = {source.name: source.limit_mw for source in POWER_SOURCES}
    for name in sources:
        if name not in known:
            raise MlpressError(f"no power source {name!r}; there are {', '.join(known)}")
    limits = [known[name] for name in sources] + ([] if max_power is None else [max_power])
    return min(limits, default=None)
