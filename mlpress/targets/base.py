"""The protocol of a target: everything that mlpress must know of a kind of hardware to compile to it.

A target is a frozen dataclass whose fields are its options.  ``mlpress/targets/table.py`` maps names to factories.
``docs/new-target.md`` adds one in a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.errors import MlpressError
from mlpress.metrics import Metric
from mlpress.progress import Progress

if TYPE_CHECKING:
    from mlpress.approx import CostModel, Layout
    from mlpress.approx.gates import GateCosts
    from mlpress.sim import Wave
    from mlpress.verify import EngineResult, Verdict

Program = ir.Net | ir.Circuit
"""What a target of the integer level compiles; one of the real level compiles :class:`mlpress.ir.Field`."""

Values = Mapping[str, NDArray[Any]]
"""What an engine gives for rows: values (rows,) by neuron (``layer 0, neuron 1``) or port (``output y``)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an artifact costs.

    ``values`` by metric name, in the metric's unit; ``how`` says by metric name how each was found; ``facts`` are the
    target's own JSON facts (per voltage, per layer, ...), which only its report tiles read.
    """

    values: Mapping[str, float]
    how: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Cost({dict(self.values)})"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of data for a program: ``features`` float64 (rows, inputs), ``codes`` int64 (rows, inputs), ``labels``
    (rows,).  A field takes float32 samples for ``codes``, and has ``labels`` (rows, outputs)."""

    features: NDArray[np.float64]
    codes: NDArray[Any]
    labels: NDArray[Any]


class Artifact(Protocol):
    """What a target built from a program.

    ``files`` are written into the design folder by name; ``facts`` are JSON facts on how it was made.  A target's own
    artifact type may hold more (a parsed netlist, a linked firmware), so that nothing is read twice.
    """

    @property
    def program(self) -> Any: ...  # noqa: D102
    @property
    def files(self) -> Mapping[str, str | bytes]: ...  # noqa: D102
    @property
    def facts(self) -> Mapping[str, Any]: ...  # noqa: D102


class Engine(Protocol):
    """Runs an artifact on input codes.

    ``rows`` is how many rows it takes at most (None: all); an ``optional`` engine is a slow one, a check more where it
    comes to its end, and may say in ``expected_s`` about how many seconds that takes; ``note`` says what a reader
    should know of it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def rows(self) -> int | None: ...  # noqa: D102
    @property
    def optional(self) -> bool: ...  # noqa: D102
    @property
    def note(self) -> str: ...  # noqa: D102
    def run(self, codes: NDArray[Any]) -> Values:
        """Return the values for ``codes`` int64 (rows, inputs): every ``output <port>``, each (rows,).

        Engines of fields take float32 samples, and give float32 values.

        Fewer rows mean that time ended before all were run; :class:`~mlpress.errors.OutOfTimeError` that none was.
        """
        ...


class Claim(Protocol):
    """A statement about all inputs that can be proven: ``top.v = netlist.v``.

    ``sides`` names what is held against each other, ``quick`` says whether it is worth a try of a few seconds.
    """

    @property
    def sides(self) -> tuple[str, str]: ...  # noqa: D102
    @property
    def quick(self) -> bool: ...  # noqa: D102
    def prove(self, timeout_s: float) -> Verdict:
        """Prove or refute it, or run out of time."""
        ...


class Target(Protocol):
    """A kind of hardware, with its options: a frozen dataclass.

    ``kind`` names the kind, ``level`` the programs that it takes (``integer``: nets and circuits), ``metrics`` what a
    design costs, of which the first one ranks, ``files`` the names of the files of an artifact: plain names, or
    relative paths with ``/``.
    """

    kind: ClassVar[str]
    level: ClassVar[Literal["real", "integer"]]
    metrics: ClassVar[tuple[Metric, ...]]

    @property
    def name(self) -> str:
        """What a user types: ``egfet``."""
        ...

    @property
    def files(self) -> tuple[str, ...]: ...  # noqa: D102

    def check(self) -> None:
        """Raise a one-line :class:`MlpressError` where the options make no sense, before any work."""
        ...

    def facts(self) -> dict[str, Any]:
        """Return the options as plain JSON values, by field; ``read_target`` takes them back."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what a list of targets says of this one: a ``title``, and more by kind."""
        ...

    def validate(self, program: Any) -> None:
        """Raise a one-line :class:`MlpressError` where this target cannot take ``program``."""
        ...

    def build(self, program: Any, rows: Rows, progress: Progress, hint: str | None = None) -> Artifact:
        """Make the artifact; ``hint`` is what a search already wrote of the same program for this target."""
        ...

    def restore(self, program: Any, files: Mapping[str, str | bytes], facts: Mapping[str, Any]) -> Artifact:
        """Return the artifact of a design folder; nothing in it is run as it came."""
        ...

    def engines(self, artifact: Any) -> Sequence[Engine]:
        """Return what can run the artifact here, beside the oracle."""
        ...

    def inspect(
        self, artifact: Any, rows: Rows, facts: Mapping[str, Any], hashed: bool, until: float, progress: Progress
    ) -> Sequence[EngineResult]:
        """Check what no engine's values show: names, generated tests.

        ``facts`` are those of the design folder where there is one, ``hashed`` whether it keeps its files' hashes.
        What is optional ends by the moment ``until`` (of :func:`time.monotonic`).
        """
        ...

    def estimate(self, artifact: Any, rows: Rows) -> Cost:
        """Return what the artifact costs on these rows."""
        ...

    def claims(self, artifact: Any) -> Sequence[Claim]:
        """Return what can be proven for all inputs; () if nothing."""
        ...


@runtime_checkable
class RealTarget(Target, Protocol):
    """A target of the real level: it takes fields, in the number formats that its options ask for."""

    def formatted(self, program: ir.Field) -> ir.Field:
        """Return ``program`` in the number formats that it will be built in: the function that is shipped."""
        ...


@runtime_checkable
class SearchTarget(Target, Protocol):
    """A target whose designs can be searched for."""

    def minimising(self, metric: str) -> SearchTarget:
        """Return the target with the options that make designs small in the metric of this name."""
        ...

    def within(self, most: Mapping[str, float]) -> SearchTarget:
        """Return the target with the options that keep designs within the limits by metric."""
        ...

    def cost_model(self, layout: Layout) -> CostModel | None:
        """Return what nets of this layout cost, for the integer level; ``None`` where that cannot search for it."""
        ...

    def gate_costs(self, metric: str) -> GateCosts | None:
        """Return what gates cost in the metric of this name; ``None`` where the gate level cannot search for it."""
        ...

    def measure(self, program: Any, codes: NDArray[Any], hint: str | None = None, quick: bool = False) -> Cost:
        """Return what ``program`` costs on rows of input ``codes``; ``quick`` takes the ``hint`` as it is.

        ``facts["beside"]`` may have further figures by the column that they get in a front's table.
        """
        ...

    def shipped(self, program: Any) -> SearchTarget:
        """Return the target with the options that the chosen design of a search is worth."""
        ...

    def expected_s(self, program: Any) -> float:
        """Return how long it takes to measure or build a design: seconds, a guess from its size."""
        ...


@runtime_checkable
class Interfaced(Protocol):
    """A target whose circuits can receive codes in several ways (:attr:`mlpress.ir.Input.interface`)."""

    def searched(self) -> Any:
        """Return the target with the interface that a search takes unless it is told one."""
        ...

    def receives(self, inputs: tuple[ir.Input, ...]) -> tuple[ir.Input, ...]:
        """Return ``inputs`` as the circuits receive them."""
        ...


@runtime_checkable
class VerilogTarget(Target, Protocol):
    """A target that says what Verilog of anybody costs."""

    def verilog_cost(
        self,
        files: Sequence[Path],
        *,
        top: str | None = None,
        mapped: bool = False,
        vectors: Path | None = None,
        progress: Progress | None = None,
    ) -> Cost:
        """Return what RTL, or a netlist of the target's own cells (``mapped``), costs on rows of input ``vectors``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What a device did on rows: the ``values`` that it gave, and what was measured while it ran."""

    values: Values
    cost: Cost


@runtime_checkable
class RunTarget(Target, Protocol):
    """A target whose designs can be run on devices."""

    def devices(self, artifact: Any) -> Mapping[str, Callable[[NDArray[Any]], Trial]]:
        """Return what runs input codes, int64 (rows, inputs), or samples, by the name that a user types."""
        ...


@runtime_checkable
class WaveTarget(RunTarget, Protocol):
    """A target whose designs show waveforms on some of their devices."""

    def waves(self, artifact: Any, device: str, codes: NDArray[Any]) -> tuple[Sequence[Wave], int]:
        """Return every signal on rows of input codes, and the microseconds per row.

        Raises :class:`MlpressError` where the device shows none.
        """
        ...


@runtime_checkable
class PartsTarget(Target, Protocol):
    """A target whose designs run on parts that one can buy."""

    def parts(self, artifact: Any, rows: Rows) -> Sequence[Mapping[str, Any]]:
        """Return every part, the cheapest first, with what it has, what the artifact takes, and whether it ``fits``."""
        ...


class Reading(NamedTuple):
    """What a device on a line answered to one row.

    ``values`` by port (``output y``), ``scores`` of a classifier where it gives them; processor ``cycles`` that the
    prediction took; how often the row was ``sent``, and ``seconds`` from its first sending to the answer.
    """

    values: Mapping[str, int]
    scores: tuple[int, ...]
    cycles: int
    sent: int
    seconds: float


class Session(Protocol):
    """A device on a line, open: rows go to it one by one.

    ``hz`` is its processor's cycles per second, 0 where they are not known; ``nanojoules`` what a cycle takes, None
    where no figure with a source is known; ``how`` says by metric name how a reading's figures are found, and
    ``faults`` counts what went wrong on the line, by kind.
    """

    @property
    def hz(self) -> int: ...  # noqa: D102
    @property
    def nanojoules(self) -> float | None: ...  # noqa: D102
    @property
    def how(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def faults(self) -> Mapping[str, int]: ...  # noqa: D102
    def ask(self, codes: NDArray[np.int64]) -> Reading:
        """Return the answer to a row of input codes, int64 (inputs,), however often that has to be asked for."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


@runtime_checkable
class LineTarget(Target, Protocol):
    """A target whose designs answer row by row on devices on a line."""

    def lines(self, artifact: Any) -> Mapping[str, Callable[[str, Progress], Session]]:
        """Return what opens a session, by the name that a user types.

        A name that ends in a colon takes what follows it: ``serial:`` opens ``/dev/ttyACM0`` for
        ``serial:/dev/ttyACM0``.  The progress hears of a board that was lost or restarted.
        """
        ...


@runtime_checkable
class FirmwareTarget(Target, Protocol):
    """A target whose designs become a firmware for a board."""

    def firmware(self, artifact: Any, protocol: str) -> Mapping[str, str]:
        """Return the files of a firmware that speaks ``protocol``, text by name."""
        ...


def file_text(files: Mapping[str, str | bytes], name: str) -> str:
    """Return a text file of an artifact; raise where it is missing or no UTF-8 text."""
    content = files.get(name)
    if content is None:
        raise MlpressError(f"the design has no {name}; compile the model again")
    if isinstance(content, str):
        return content
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise MlpressError(f"{name} is not UTF-8 text; compile the model again") from error
