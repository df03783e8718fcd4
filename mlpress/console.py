"""What the command line shows: one status line while it works, tables or JSON at the end, one-line errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mlpress.errors import MlpressError, one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console, RenderableType
    from rich.status import Status
    from rich.text import Text

    from mlpress.approx import Generation, gates
    from mlpress.metrics import Metric
    from mlpress.pipeline.stream import Streamed


UNWRAPPED = 10_000
"""Columns where the output is no terminal: what reads it should find a row in one line."""

SOON_S = 2.0
"""Steps that take longer show for how long they have been running."""


@dataclass(frozen=True, slots=True)
class _Running:
    """The running step and when it began, drawn anew at every refresh of the status line."""

    text: str
    since: float

    def __rich__(self) -> Text:
        from rich.text import Text

        elapsed = perf_counter() - self.since
        return Text(self.text if elapsed < SOON_S else f"{self.text} ({_duration(elapsed)})")


class Screen:
    """Progress on standard error, results on standard output.

    ``verbosity``: -1 says nothing but results and errors, 0 shows the running step, 1 adds a line a
    finished step with its seconds.  Warnings are shown at every verbosity; ``strict`` makes them errors.
    """

    def __init__(self, verbosity: int = 0, *, as_json: bool = False, strict: bool = False) -> None:
        self.verbosity = verbosity
        self.strict = strict
        self.as_json = as_json
        self._status: Status | None = None
        self._name = ""
        self._since = perf_counter()

    @property
    def _errors(self) -> Console:
        return _console(stderr=True)

    @contextmanager
    def working(self) -> Iterator[Screen]:
        """Show the running step while the block runs."""
        if self.verbosity < 0:
            yield self
            return
        with self._errors.status(_Running("starting", perf_counter())) as status:
            self._status = status
            try:
                yield self
                self._finish()
            finally:
                self._status = None

    def step(self, name: str) -> None:
        """Start a new step; with ``-v`` the one before it leaves a line with its seconds."""
        self._finish()
        self._name, self._since = name, perf_counter()
        self._update(name)

    def generation(self, done: Generation) -> None:
        """Say how far a search is when a generation has ended."""
        rate = done.tried / max(done.elapsed_s, 1e-9)
        front = _front(done.front, done.metric)
        self._update(
            f"{self._name}: generation {done.number}, {front}, hypervolume {done.hypervolume:.2f}, "
            f"{rate:,.0f}/s{_left(done.left_s)}"
        )

    def round(self, done: gates.Round) -> None:
        """Say how far an evolution is when a round has ended."""
        rate = done.moves / max(done.elapsed_s, 1e-9)
        front = _front(done.front, done.metric)
        self._update(f"{self._name}: round {done.number}, {front}, {rate / 1e6:,.1f} M moves/s{_left(done.left_s)}")

    def row(self, done: Streamed) -> None:
        """Say how far a device on a line is, and how many of its answers were right."""
        parts = [f"row {done.done:,} of {done.total:,}"]
        if done.right is not None:
            parts.append(f"accuracy {done.right / done.done:.1%}")
        if done.latency_us is not None:
            parts.append(f"{done.latency_us:,.1f} us per prediction")
        if done.energy_uj is not None:
            parts.append(f"{done.energy_uj:.3g} uJ")
        if done.sent_again:
            parts.append(f"{done.sent_again:,} sent again")
        self._update(f"{self._name}: {', '.join(parts)}")

    def note(self, text: str) -> None:
        """Print one line that stays on the screen."""
        if self.verbosity >= 0:
            self._errors.print(f"note: {one_line(text)}", markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Print a warning that stays on the screen, or end the work where this screen is strict."""
        if self.strict:
            raise MlpressError(f"{text} (a warning, made an error by --strict)")
        self._errors.print(f"warning: {one_line(text)}", markup=False, style="bold yellow", soft_wrap=True)

    def show(self, facts: Any, *tables: RenderableType) -> None:
        """Print the result: ``facts`` as JSON with ``--json``, else ``tables``."""
        if self.as_json:
            sys.stdout.write(json.dumps(facts, allow_nan=False) + "\n")
            return
        console = _console()
        for table in tables:
            console.print(table)

    def _update(self, text: str) -> None:
        if self._status:
            self._status.update(_Running(one_line(text), self._since))

    def _finish(self) -> None:
        if self._name and self.verbosity > 0:
            line = f"{self._name}: {perf_counter() - self._since:.1f} s"
            self._errors.print(line, markup=False, soft_wrap=True)
        self._name = ""


def _console(*, stderr: bool = False) -> Console:
    """Return a console that wraps at the terminal's width, and nowhere where there is no terminal."""
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = UNWRAPPED
    return console


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _front(designs: NDArray[np.float64], metric: Metric) -> str:
    """Describe a front, float64 (designs, 2) of error rate and cost, in a few words."""
    error, cost = designs[:, 0], designs[:, 1]
    low, high = (f"{value:.3f}" if value < 100 else f"{value:,.0f}" for value in (cost.min(), cost.max()))
    ends = f"{1 - error.max():.3f} @ {low} to {1 - error.min():.3f} @ {high} {metric.unit or metric.name}"
    return f"front of {len(designs)} ({ends})"


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f", {seconds:.0f} s left"
