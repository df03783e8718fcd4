"""Rows to a device on a line, one by one: at a rate, watched, logged, and ended by an interrupt with what there is."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlpress import interrupts
from mlpress.errors import MlpressError
from mlpress.targets import Cost, Reading, Session, Trial

COLUMNS = ("row", "label", "answer", "right", "cycles", "latency_us", "energy_uj", "round_trip_ms", "sent")


@dataclass(frozen=True, slots=True)
class Streaming:
    """How rows go to a device: ``rate_hz`` rows per second (None: as fast as it answers), ``log`` a CSV file."""

    rate_hz: float | None = None
    log: Path | None = None

    def __post_init__(self) -> None:
        if self.rate_hz is not None and not 0 < self.rate_hz <= 1e6:
            raise MlpressError(f"the rate is {self.rate_hz:g} rows per second; give more than 0, up to a million")


class LogColumns(NamedTuple):
    """Columns of a log beside readings: names of the ``classes`` (none of a regression) and ``labels`` (rows, n)."""

    classes: tuple[str, ...]
    labels: NDArray[Any]


class Streamed(NamedTuple):
    """The state of a stream after a row: of ``total`` rows ``done``, so many ``right`` (None of a regression).

    Means so far: ``latency_us`` of a prediction and ``energy_uj``, None where they are not known.
    """

    done: int
    total: int
    right: int | None
    latency_us: float | None
    energy_uj: float | None
    sent_again: int


def stream(
    opens: Callable[[], Session],
    codes: NDArray[np.int64],
    columns: LogColumns,
    streaming: Streaming,
    watch: Callable[[Streamed], None] | None = None,
) -> Trial:
    """Send ``codes`` int64 (rows, inputs) row by row to the session that ``opens`` opens; return what it answered.

    An interrupt ends it: the values then are those of the rows before, and the facts say ``interrupted``.  The log has
    a line for each answered row in any case.
    """
    readings: list[Reading] = []
    interrupted = False
    with _log(streaming.log) as log, closing(opens()) as session:
        interrupts.defer()
        state = _State(session, columns, len(codes))
        began = monotonic()
        try:
            for index, row in enumerate(codes):
                with interrupts.allowed():
                    if streaming.rate_hz:
                        sleep(max(0.0, began + index / streaming.rate_hz - monotonic()))
                    reading = session.ask(row)
                readings.append(reading)
                line, so_far = state.add(reading)
                log(line)
                if watch is not None:
                    watch(so_far)
        except KeyboardInterrupt:
            if not readings:
                raise
            interrupted = True
        return _trial(readings, session, interrupted)


@contextmanager
def _log(path: Path | None) -> Iterator[Callable[[Sequence[Any]], None]]:
    """Yield what writes a line of the log, at once and whole."""
    if path is None:
        yield lambda line: None
        return
    try:
        with path.open("w", encoding="utf-8", newline="", buffering=1) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            yield writer.writerow
    except OSError as error:
        raise MlpressError(f"cannot write the log {path}: {error.strerror}; choose another with --log") from error


class _State:
    """Sums over the rows so far."""

    def __init__(self, session: Session, columns: LogColumns, total: int) -> None:
        self._session, self._columns, self._total = session, columns, total
        self._done = self._right = self._cycles = 0

    def add(self, reading: Reading) -> tuple[list[Any], Streamed]:
        """Take the next row's reading; return its line of the log, and the state of the stream."""
        session, (classes, labels) = self._session, self._columns
        label = labels[self._done]
        if classes:
            found = reading.values["output y"]
            right: int | str = int(found == label[0])
            self._right += int(right)
            words = [classes[int(label[0])], classes[found]]
        else:
            right = ""
            words = [" ".join(map(str, label)), " ".join(map(str, reading.values.values()))]
        self._done += 1
        self._cycles += reading.cycles
        microseconds, energy = _latency(reading.cycles, session), _energy(reading.cycles, session)
        line = [
            *(self._done - 1, *words, right, reading.cycles),
            *("" if value is None else f"{value:.6g}" for value in (microseconds, energy)),
            *(f"{1e3 * reading.seconds:.3f}", reading.sent),
        ]
        mean = self._cycles / self._done
        means = _latency(mean, session), _energy(mean, session)
        again = session.faults.get("sent_again", 0)
        return line, Streamed(self._done, self._total, self._right if classes else None, *means, again)


def _latency(cycles: float, session: Session) -> float | None:
    """Return the latency in microseconds."""
    return 1e6 * cycles / session.hz if session.hz else None


def _energy(cycles: float, session: Session) -> float | None:
    """Return the energy in microjoules."""
    return None if session.nanojoules is None else 1e-3 * cycles * session.nanojoules


def _trial(readings: Sequence[Reading], session: Session, interrupted: bool) -> Trial:
    values: dict[str, NDArray[Any]] = {
        port: np.array([reading.values[port] for reading in readings], np.int64) for port in readings[0].values
    }
    if readings[0].scores:
        values["scores"] = np.array([reading.scores for reading in readings], np.int64)
    facts: dict[str, Any] = {"faults": dict(session.faults), "interrupted": interrupted}
    costs: dict[str, float] = {}
    if session.hz:
        cycles = np.array([reading.cycles for reading in readings], np.float64)
        costs["cycles"] = float(cycles.mean())
        facts |= {"hz": session.hz, "cycles": _span(cycles), "latency_us": _span(1e6 * cycles / session.hz)}
        if session.nanojoules is not None:
            facts["energy_uj"] = _span(1e-3 * cycles * session.nanojoules)
    facts["round_trip_ms"] = _span(np.array([1e3 * reading.seconds for reading in readings]))
    return Trial(values, Cost(costs, dict(session.how), facts))


def _span(values: NDArray[np.float64]) -> Mapping[str, float]:
    return {
        "min": float(values.min()),
        "mean": float(values.mean()),
        "max": float(values.max()),
        "rows": len(values),
    }
