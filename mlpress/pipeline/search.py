"""From a model to a front of cheaper designs: the searches, and the choice of a design.

The integer level looks for networks of approximate arithmetic (:func:`mlpress.approx.search`); the gate level goes on
from their circuits and from others (:func:`mlpress.approx.gates.evolve`).  Their result is a
:class:`mlpress.pipeline.result.SearchResult`, which chooses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, cast

from mlpress import interrupts, ir
from mlpress.design import FACTS, LARGEST_FILE
from mlpress.errors import MlpressError
from mlpress.metrics import find_metric
from mlpress.pipeline import suspicions
from mlpress.pipeline import task as tasks
from mlpress.pipeline.compile import Options
from mlpress.pipeline.field_search import FieldSearch, field_key, search_field
from mlpress.pipeline.measuring import measured_fronts
from mlpress.pipeline.preparation import Prepared, prepare
from mlpress.pipeline.result import SearchResult
from mlpress.pipeline.search_key import sampled, search_key
from mlpress.pipeline.settings import (
    Level,
    RunOptions,
    Settings,
    check_numbers,
    limits_of,
    search_target,
    settled,
    usual,
)
from mlpress.pipeline.task import Task, Unwatched, WholeTime
from mlpress.progress import Silent, recorded
from mlpress.targets import DEFAULT_TARGET, Interfaced, RealTarget

if TYPE_CHECKING:
    from mlpress.approx import Budget, Clock, IntegerFront, gates
    from mlpress.frontend import Dataset


def search(
    model: ir.Model | ir.Field,
    data: Dataset,
    *,
    target: str = DEFAULT_TARGET,
    seconds: float | None = None,
    generations: int | None = None,
    rounds: int | None = None,
    level: Level = "both",
    start_tree: bool = False,
    max_loss: float | None = None,
    most: Mapping[str, float] | None = None,
    minimise: str | None = None,
    power_weight: float = 0.0,
    seed: int = 0,
    offset_sigma: float = 0.0,
    run: RunOptions = RunOptions(),  # noqa: B008 - immutable
    test: Dataset | None = None,
    features: Sequence[str] | None = None,
    progress: tasks.Watcher | None = None,
    **options: Any,
) -> SearchResult | FieldSearch:
    """Search for designs that are cheaper than ``model`` itself and lose little, on the rows of ``data``.

    Of a field, losses are dB of PSNR: ``max_loss=1.0`` is the default of targets of the real level.

    ``seconds`` are for all work until the chosen design (default: 120 where no numbers are given); ``generations`` of
    networks and ``rounds`` of gates, in their place, make it repeatable.  ``max_loss`` is the share of accuracy that
    may be lost and ``most`` the limits by metric: the search spends its time within them, and
    :meth:`SearchResult.chosen` keeps them.  ``minimise`` names the metric that ranks.  ``options`` are those of the
    target and of :class:`mlpress.pipeline.compile.Quantisation`.  Raises :class:`MlpressError` for bad options.
    """
    from mlpress.approx import Budget

    check_numbers(
        {"seconds": seconds, "max_loss": max_loss, "power_weight": power_weight, "offset_sigma": offset_sigma}
        | dict(most or {}),
        {"generations": generations, "rounds": rounds, "seed": seed},
    )
    chosen = Options.of(target, **options)
    limits = limits_of(max_loss, most or {}, chosen.target.level)
    settings = Settings(level, start_tree, limits, minimise, power_weight, seed, offset_sigma)
    numbers = {"integer": [generations], "gates": [rounds], "both": [generations, rounds]}[settings.level]
    first = generations if settings.level != "gates" or generations is not None else rounds
    budget = Budget(120.0 if seconds is None and not any(numbers) else seconds, first)
    return search_model(
        model,
        data,
        budget,
        usual(chosen, options),
        settings,
        rounds=rounds,
        run=run,
        test=test,
        features=features,
        progress=progress,
    )


def search_model(
    model: ir.Model | ir.Field,
    dataset: Dataset,
    budget: Budget,
    options: Options = Options.of(),  # noqa: B008 - immutable
    settings: Settings = Settings(),  # noqa: B008 - immutable
    *,
    rounds: int | None = None,
    run: RunOptions = RunOptions(),  # noqa: B008 - immutable
    test: Dataset | None = None,
    features: Sequence[str] | None = None,
    source: Mapping[str, Any] | None = None,
    began: float | None = None,
    progress: tasks.Watcher | None = None,
) -> SearchResult | FieldSearch:
    """Search from ``model`` on the rows of ``dataset``; the real costs of the front's members are found.

    ``budget``'s seconds are for all work from the moment ``began`` (of :func:`mlpress.approx.now`; default: now) to the
    chosen design, and the last of them are kept for the end.  Of the time for searching the integer level gets
    :data:`mlpress.pipeline.task.INTEGER_SHARE` where both levels are searched; the budget's generations are the integer
    level's, and ``rounds`` the gate level's: a level with such a number has no limit of time, and its result follows
    from the arguments alone.  ``test`` rows only state accuracies and warn; ``features`` names the columns in the order
    that the model expects.
    """
    from mlpress.approx import now

    began = now() if began is None else began
    options.target.check()
    if isinstance(model, ir.Field):
        if features is not None:
            raise MlpressError("a field has no names of features; leave them out")
        return search_field(
            *(model, dataset, budget, options, settings),
            rounds=rounds,
            run=run,
            test=test,
            source=source,
            began=began,
            progress=progress,
        )
    settled(options, settings)
    if options.target.level == "real":
        raise MlpressError(f"target {options.target.name} takes fields (mlpress.frontend.fields), not classifiers")
    if isinstance(model.head, ir.ScoresHead):
        raise MlpressError("the search needs a classifier; compile a regression as it is")
    watch: tasks.Watcher = Unwatched() if progress is None else progress
    watch.step("quantise")
    prepared = prepare(model, dataset, options.quantisation, test=test, features=features, source=source)
    return search_prepared(prepared, budget, options, settings, rounds=rounds, run=run, began=began, progress=watch)


def search_prepared(
    prepared: Prepared,
    budget: Budget,
    options: Options,
    settings: Settings,
    *,
    rounds: int | None = None,
    run: RunOptions = RunOptions(),  # noqa: B008 - immutable
    began: float | None = None,
    progress: tasks.Watcher | None = None,
) -> SearchResult:
    """Search from a model that is quantised already: :func:`search_model` after its first step."""
    from mlpress import approx

    options, settings, metrics = settled(options, settings)
    heard: tasks.Watcher = Unwatched() if progress is None else progress
    watch, warnings = recorded(heard)
    prepared.say(watch)
    net, every = prepared.quantised.net, prepared.rows
    rows = sampled(every, settings.seed, watch)
    key = search_key(net, rows, options, settings)
    costs = search_target(options).gate_costs(metrics[0].name)
    level = _searched_level(settings, net, options, watch, gates=costs is not None)
    if level != "gates":
        check_model(options, net, metrics[0].name)
    if rounds is not None and rounds < 1:
        raise MlpressError(f"a search cannot have {rounds} rounds; give 1 or more")
    fixed = {"integer": [budget.generations], "gates": [rounds], "both": [budget.generations, rounds]}[level]
    clock = approx.Clock(approx.now() if began is None else began, None if all(fixed) else budget.seconds)
    clock = clock.paused(_compiling_s(watch, gates=costs is not None))
    task = Task(
        net,
        rows,
        ir.interpret_model(prepared.model, rows.features)[1],
        options,
        metrics,
        replace(settings, level=level),
        key,
        run,
        clock,
        cast("tasks.Watcher", WholeTime(watch, clock)) if clock.timed else watch,
    )
    interrupts.defer(task.told)
    if level != "gates" and task.held_rows < suspicions.FEW_ROWS <= len(rows):
        watch.warn(suspicions.few_rows(task.held_rows, "validation"))
    validation_rows, retrained, optimism = len(rows), None, 0.0
    integer = None if level == "gates" else task.integer_front(budget)
    evolved = None
    if level != "integer" and (integer is None or integer.stopped != "interrupted"):
        try:
            retrained = task.retrained()
            optimism = task.optimism(retrained)
            evolved = task.gate_front(replace(budget, generations=rounds), integer, optimism, poor=task.poor(retrained))
        except KeyboardInterrupt:
            if integer is None:
                raise
            integer = replace(integer, stopped="interrupted")
    if evolved is None:
        assert integer is not None  # one level at least was searched
        validation_rows = task.held_rows
    front, merged = measured_fronts(task, integer, evolved, optimism)
    return SearchResult(
        front=front,
        integer=integer if evolved is not None else None,
        merged=merged,
        trees=() if costs is None else _trees(task, costs),
        prepared=prepared,
        rows=rows,
        validation_rows=validation_rows,
        retrained=None if retrained is None else retrained.held_out,
        search=_search_facts(front) | {"key": key},
        options=options,
        limits=settings.limits or limits_of(None, {}),
        clock=clock,
        warnings=warnings,
        progress=heard,
    )


def _searched_level(settings: Settings, net: ir.Net, options: Options, watch: tasks.Watcher, *, gates: bool) -> Level:
    """Return what is searched: no networks where levels are chosen or off, and no ``gates`` where a target has none.

    Raises :class:`MlpressError` for networks alone there, and for offsets where nothing is read by comparators.
    """
    level, target = settings.level, options.target
    if settings.offset_sigma:
        inputs = target.receives(net.inputs) if isinstance(target, Interfaced) else net.inputs
        if any(feature.interface == "binary" for feature in inputs):
            raise MlpressError("offsets are those of comparators; take --interface unary, or leave --offset-sigma out")
    if level == "both" and not gates:
        level = "integer"
    if level == "gates" or not (options.quantisation.levels or settings.offset_sigma):
        return level
    if level == "integer":
        raise MlpressError("networks are searched on even levels without offsets; take --level gates for others")
    watch.note("gates are searched, not networks: their search knows neither chosen levels nor offsets")
    return "gates"


def check_model(options: Options, net: ir.Net, metric: str) -> None:
    """Raise :class:`MlpressError` where the target has no cost model of networks for the metric of this name."""
    from mlpress.approx import Layout

    target = search_target(options)
    model = target.cost_model(Layout.of(net))
    if model is None:
        raise MlpressError(f"networks for {target.name} cannot be searched for; compile the model as it is")
    model.ranked(metric)


def finished(
    folder: Path,
    model: ir.Model | ir.Field,
    dataset: Dataset,
    options: Options,
    settings: Settings,
    features: Sequence[str] | None = None,
) -> dict[str, Any] | None:
    """Return the facts of the design in ``folder`` where this very search ended with it, else ``None``."""
    try:
        if (folder / FACTS).stat().st_size > LARGEST_FILE:
            return None
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        searched = facts["search"]
        owner, stopped = searched["key"], searched["stopped"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if isinstance(model, ir.Field):
        if not isinstance(options.target, RealTarget):
            return None
        key = field_key(options.target.formatted(model), dataset.for_model(model), options, settings)
    else:
        prepared = prepare(model, dataset, options.quantisation, features=features)
        key = search_key(prepared.quantised.net, sampled(prepared.rows, settings.seed, Silent()), options, settings)
    if owner != key:
        raise MlpressError(
            f"{folder} is what a search with other data, options or model found; name another folder with --output, or "
            "leave out --resume to replace it"
        )
    return cast("dict[str, Any]", facts) if stopped != "interrupted" else None


def column_of(options: Options, minimise: str | None) -> str:
    """Return the column, in the files of a front, of the metric that ranks."""
    metrics = search_target(options).metrics
    metric = metrics[0] if minimise is None else find_metric(metrics, minimise, f"target {options.target.name}")
    return metric.key


COMPILES_S = 5.0
"""Where the kernels are not loaded after so many seconds, they are being compiled."""


def _compiling_s(watch: tasks.Watcher, *, gates: bool) -> float:
    """Load the kernels of both searches; return the seconds that this took where they had to be compiled, else 0."""
    from mlpress import approx

    watch.step("load the search's kernels")
    slow = Timer(COMPILES_S, watch.note, ["compiling the search's kernels, once per installation: some minutes"])
    slow.daemon = True
    slow.start()
    try:
        took = approx.load_kernels(gates=gates)
    finally:
        slow.cancel()
    if not took:
        return 0.0
    watch.note(f"the search's kernels took {took:.0f} s to compile, once per installation; no budget counts it")
    return took


def _trees(task: Task, costs: gates.GateCosts) -> Sequence[gates.TreePoint]:
    """Return decision trees to compare the design with, as far as time allows."""
    from mlpress.approx import gates, now

    task.progress.step("fit decision trees, to compare the design with")
    clock: Clock = task.clock
    until = now() + max(clock.left_s() - clock.chosen_s, 0.0)
    seed, sigma = task.settings.seed, task.settings.offset_sigma
    return gates.tree_points(
        task.inputs, task.net.classes, task.coded, costs, seed=seed, until=until, offset_sigma=sigma
    )


def _search_facts(front: IntegerFront | gates.CircuitFront) -> dict[str, Any]:
    from mlpress.approx import IntegerFront

    if isinstance(front, IntegerFront):
        done = {"level": "integer", "generations": front.generations, "tried": front.tried}
    else:
        done = {"level": "gates", "rounds": front.rounds, "moves": front.moves}
    return {"seed": front.seed, **done, "stopped": front.stopped, "metric": front.metric.key}
