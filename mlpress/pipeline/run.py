"""A design on a device: its answers to rows of data, and their cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from mlpress import ir
from mlpress.errors import MlpressError
from mlpress.files import write_file
from mlpress.intervals import accuracy_interval, score
from mlpress.pipeline.fields import psnr
from mlpress.pipeline.stream import LogColumns, Streamed, Streaming, stream
from mlpress.progress import Progress, Silent
from mlpress.sim import hil, vcd_text
from mlpress.targets import LineTarget, RunTarget, Session, Trial, WaveTarget

if TYPE_CHECKING:
    from mlpress.design import Design
    from mlpress.frontend import Dataset


def run(
    design: Design,
    device: str,
    dataset: Dataset | None = None,
    *,
    streaming: Streaming | None = None,
    sensors: Sequence[hil.Sensor] = (),
    seed: int = 0,
    progress: Progress | None = None,
    watch: Callable[[Streamed], None] | None = None,
    vcd: Path | None = None,
) -> dict[str, Any]:
    """Run ``design`` on a ``device`` of its target; without a ``dataset``, on the rows that it was made from.

    ``sensors`` distort the features first, with ``seed``.  A device on a line answers row by row: ``streaming`` says
    how fast rows go and where their log is, and ``watch`` hears of each.  An interrupt then ends the run with the rows
    that were answered.  ``vcd`` is a file for the waveforms, of devices that show some.

    Returns plain JSON values: ``device``, ``rows``, ``metric``, ``accuracy`` with its 95 % ``interval`` (a regression
    has none; a field has its PSNR in dB, or None where all values are the wanted ones), ``different`` (rows whose
    answer is not the reference interpreter's), ``values`` by metric of the target with ``how`` each was found and its
    ``units``, and further figures of the target; of a line, its ``faults``, and whether the run was ``interrupted``.
    Raises :class:`MlpressError` for a device that the target does not have or that cannot run here, and for data that
    do not fit.
    """
    progress = progress or Silent()
    target, program = design.target, design.program
    rows = None if dataset is None else dataset.for_model(program)
    features, labels = (design.features, design.labels) if rows is None else (rows.features, rows.labels)
    whole, opens = _find(design, device)
    if not len(features):
        raise MlpressError("there is no row to run; give some with --data")
    codes = ir.engine_rows(program, hil.distort(features, sensors, seed))
    if vcd is not None:
        _write_waves(design, device, codes, vcd, progress)
    progress.step(f"run {len(codes)} rows on device {device}")
    if opens is not None:
        log = _log_columns(program, labels)
        trial = stream(lambda: opens(progress), codes, log, streaming or Streaming(), watch)
    elif streaming is not None and (streaming.log or streaming.rate_hz):
        raise MlpressError(f"device {device} runs all rows at once; a rate and a log are for devices on a line")
    else:
        assert whole is not None
        trial = whole(codes)
    answers = ir.answers_of(program, {port: trial.values[f"output {port}"] for port in program.ports})
    if trial.cost.facts.get("interrupted"):
        progress.note(f"interrupted: {len(answers)} of {len(codes)} rows were answered")
    if faults := {kind: count for kind, count in trial.cost.facts.get("faults", {}).items() if count}:
        counts = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in faults.items())
        progress.note(f"the line had faults, and every row was asked for until it was answered: {counts}")
    codes, labels = codes[: len(answers)], labels[: len(answers)]
    is_field = isinstance(program, ir.Field)
    accuracy = psnr(labels, answers) if is_field else score(labels, answers)
    wanted = ir.answers(program, codes)
    different = (answers != wanted).reshape(len(codes), -1).any(axis=1)
    if "scores" in trial.values and isinstance(program, ir.Net):
        different |= (trial.values["scores"] != ir.interpret(program, codes).scores).any(axis=1)
    classifies = answers.ndim == 1
    return {
        "device": device,
        "target": target.name,
        "rows": len(codes),
        "metric": "accuracy" if classifies else "psnr" if is_field else "r2",
        "accuracy": accuracy,
        "interval": list(accuracy_interval(accuracy, len(codes))) if classifies and accuracy is not None else None,
        "different": int(different.sum()),
        "values": dict(trial.cost.values),
        "how": dict(trial.cost.how),
        "units": {metric.name: metric.unit for metric in target.metrics if metric.name in trial.cost.values},
        **trial.cost.facts,
    }


def _write_waves(design: Design, device: str, codes: NDArray[Any], path: Path, progress: Progress) -> None:
    target = design.target
    if not isinstance(target, WaveTarget):
        raise MlpressError(f"target {target.name} shows no waveforms; leave --vcd out")
    progress.step("write waveforms")
    waves, period_us = target.waves(design.artifact, device, codes)
    write_file(path, vcd_text(waves, period_us, f"{len(codes)} rows on {device}"))


def _find(
    design: Design, device: str
) -> tuple[Callable[[NDArray[Any]], Trial] | None, Callable[[Progress], Session] | None]:
    """Return what runs all rows on the device, or what opens a session with it."""
    target = design.target
    known = target.devices(design.artifact) if isinstance(target, RunTarget) else {}
    if device in known:
        return known[device], None
    lines = target.lines(design.artifact) if isinstance(target, LineTarget) else {}
    name, colon, argument = device.partition(":")
    opens = lines.get(name + colon)
    if opens is None:
        names = [*known, *(f"{name}PORT" if name.endswith(":") else name for name in lines)]
        there = f"there are {', '.join(names)}" if names else "it has none"
        raise MlpressError(f"target {target.name} has no device {device[:200]!r}; {there}")
    return None, lambda progress: opens(argument, progress)


def _log_columns(program: ir.Shipped, labels: NDArray[Any]) -> LogColumns:
    return LogColumns(tuple(map(str, program.classes)), labels.reshape(len(labels), -1))
