"""Settings that decide the result of a search, and options of how it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from mlpress import ir
from mlpress.errors import MlpressError
from mlpress.metrics import Metric, find_metric, ranked
from mlpress.pipeline.compile import Options
from mlpress.targets import Interfaced, SearchTarget

if TYPE_CHECKING:
    from mlpress.approx import Limits

Level = Literal["integer", "gates", "both"]

MOST_SEED = 2**32 - 1
"""The largest seed that scikit-learn takes."""

MAX_LOSS = {"integer": 0.01, "real": 1.0}
"""What may be lost where no limit is given at all, by level: a share of accuracy; dB of PSNR."""


def limits_of(max_loss: float | None, most: Mapping[str, float], level: str = "integer") -> Limits:
    """Return these limits; where there is none, the :data:`MAX_LOSS` of the target's level is."""
    from mlpress.approx import Limits

    if max_loss is not None and max_loss > 1 and level == "integer":
        raise MlpressError(f"max_loss is {max_loss:g}; it is a share of accuracy, 0 to 1")
    return Limits(MAX_LOSS[level] if max_loss is None and not most else max_loss, most)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a search runs, which does not change its result: threads, a Dask scheduler's address, the files that
    checkpoints are kept in (``<checkpoint>.npz`` and others beside it), and whether to go on from them."""

    workers: int | None = None
    cluster: str | None = None
    checkpoint: Path | None = None
    resume: bool = False

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise MlpressError(f"a search cannot have {self.workers} workers; give 1 or more")

    def files(self) -> dict[str, Path]:
        """Return the checkpoint of each level, and the file of the front that the integer level ended with."""
        if self.checkpoint is None:
            return {}
        kinds = {"integer": ".npz", "gates": ".gates.npz", "front": ".front.json"}
        return {kind: self.checkpoint.with_name(self.checkpoint.name + end) for kind, end in kinds.items()}

    def begun(self) -> bool:
        """Return whether there is any checkpoint."""
        return any(path.is_file() for path in self.files().values())

    def forget(self) -> None:
        """Remove the files."""
        for path in self.files().values():
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings that decide the result of a search, beside model, rows, options and budget.

    ``minimise`` is the name or key of the target's metric that ranks designs (default: its first); ``start_tree`` lets
    the gate level start from decision trees as well; ``power_weight`` is how much a nanowatt of static power counts
    there, in steps of the gates' cost.  With ``offset_sigma``, a share of full scale, rows are seen through comparators
    that are off by so much.
    """

    level: Level = "both"
    start_tree: bool = False
    limits: Limits | None = None
    minimise: str | None = None
    power_weight: float = 0.0
    seed: int = 0
    offset_sigma: float = 0.0

    def __post_init__(self) -> None:
        if self.level not in get_args(Level):
            raise MlpressError(f"level is {self.level!r}; it must be one of {', '.join(get_args(Level))}")
        if not 0 <= self.seed <= MOST_SEED:
            raise MlpressError(f"the seed is {self.seed}; give 0 to {MOST_SEED}")


def check_numbers(reals: Mapping[str, Any], wholes: Mapping[str, Any]) -> None:
    """Raise :class:`MlpressError` for an option that is no number, or no whole number; ``None`` stands for none."""
    for options, kinds, words in ((reals, (int, float), "a number"), (wholes, (int,), "a whole number")):
        for name, value in options.items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, kinds)):
                raise MlpressError(f"{name} is {value!r}; it must be {words}")


def search_target(options: Options) -> SearchTarget:
    """Return the target of a search; raise where it cannot be searched."""
    if not isinstance(options.target, SearchTarget):
        raise MlpressError(f"designs for {options.target.name} cannot be searched for; compile the model as it is")
    return options.target


def usual(options: Options, given: Mapping[str, Any]) -> Options:
    """Return the options with the interface that a search takes unless the ``given`` ones name one.

    It stays where inputs have more levels than unary ones may have.
    """
    target, levels = options.target, options.quantisation.read_levels
    if "interface" in given or levels > ir.UNARY_LEVELS or not isinstance(target, Interfaced):
        return options
    return replace(options, target=target.searched())


def settled(options: Options, settings: Settings) -> tuple[Options, Settings, tuple[Metric, ...]]:
    """Return the options of the target that minimises what is asked for within limits, the settings with limits by
    metric name, and the metrics, that which ranks first.

    Raises :class:`MlpressError` for a metric that the target does not have, and for a level that cannot be searched.
    """
    target = search_target(options)
    metrics, owner = target.metrics, f"target {target.name}"
    if settings.minimise is not None:
        metrics = ranked(metrics, find_metric(metrics, settings.minimise, owner).name)
        target = target.minimising(metrics[0].name)
    if settings.limits is not None:
        limits = settings.limits.named(metrics, owner)
        settings, target = replace(settings, limits=limits), target.within(limits.most)
    if settings.level == "gates" and target.gate_costs(metrics[0].name) is None:
        raise MlpressError(f"{owner} has no gates to search; search networks with --level integer")
    return replace(options, target=target), settings, metrics
