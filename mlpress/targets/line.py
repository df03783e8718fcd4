"""Sessions with devices on a serial line: boards, emulated ones, and simulated circuits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.codegen import c
from mlpress.errors import MlpressError
from mlpress.progress import Progress
from mlpress.sim import hil
from mlpress.targets.base import Program, Reading, Values
from mlpress.targets.c_engines import Firmware


@dataclass(frozen=True)
class LineSession:
    """A session with what is on a line; ``device`` is one of our own at its other end, which ends with it."""

    client: hil.Client
    shape: hil.Shape
    how: Mapping[str, str]
    nanojoules: float | None = None
    device: hil.PtyDevice | None = None

    @classmethod
    def on(
        cls,
        open_line: Callable[[], hil.Line],
        firmware: Firmware,
        progress: Progress,
        nanojoules: float | None,
        how: Mapping[str, str],
        device: hil.PtyDevice | None = None,
    ) -> LineSession:
        """Return a session with the board on a line, which must run this ``firmware``."""
        shape = c_shape(firmware.program, firmware.source)
        return cls._connected(open_line, shape, progress, how, nanojoules, device)

    @classmethod
    def simulated(
        cls, program: Program, run: Callable[[NDArray[np.int64]], Values], progress: Progress, how: Mapping[str, str]
    ) -> LineSession:
        """Return a session with a circuit that ``run`` simulates, which answers at the other end of a line."""
        shape = circuit_shape(program)

        def reply(codes: NDArray[np.int64]) -> hil.Reply:
            values = run(codes[None, :])
            if shape.classes:
                return hil.Reply(int(values["output y"][0]), (), 0)
            return hil.Reply(None, tuple(int(values[f"output y{k}"][0]) for k in range(len(values))), 0)

        device = hil.PtyDevice(hil.Bridge(shape, reply).run)
        return cls._connected(device.open_line, shape, progress, how, None, device)

    @classmethod
    def _connected(
        cls,
        open_line: Callable[[], hil.Line],
        shape: hil.Shape,
        progress: Progress,
        how: Mapping[str, str],
        nanojoules: float | None,
        device: hil.PtyDevice | None,
    ) -> LineSession:
        made = cls(hil.Client(open_line, shape, told=progress.note), shape, how, nanojoules, device)
        try:
            made.client.connect()
        except BaseException:
            made.close()
            raise
        return made

    @property
    def hz(self) -> int:
        """Processor cycles per second, 0 where they are not known."""
        return self.client.hz

    @property
    def faults(self) -> Mapping[str, int]:
        """What went wrong on the line so far."""
        return asdict(self.client.faults)

    @cached_property
    def _kind(self) -> Any:
        return np.dtype(f"<u{self.shape.code_bytes}")

    def ask(self, codes: NDArray[np.int64]) -> Reading:
        """Return the answer to a row of input codes."""
        try:
            answer, sent, seconds = self.client.ask(codes.astype(self._kind).tobytes())
        except MlpressError:
            if self.device is not None and self.device.failed is not None:
                raise MlpressError(f"the device failed: {self.device.failed}") from self.device.failed
            raise
        if answer.found is not None:
            return Reading({"output y": answer.found}, answer.scores, answer.cycles, sent, seconds)
        values = {f"output y{k}": score for k, score in enumerate(answer.scores)}
        return Reading(values, (), answer.cycles, sent, seconds)

    def close(self) -> None:
        """Close the line."""
        self.client.close()
        if self.device is not None:
            self.device.close()


def c_shape(program: Program, source: c.CSource) -> hil.Shape:
    """Return what a firmware of ``source`` sends."""
    size = c.row_bytes(source) // source.inputs
    scores = source.scores if source.score_type else 0
    width = int(str(source.score_type).strip("int_")) // 8 if scores else 0
    return hil.Shape(
        c.model_hash(program), source.inputs, size, len(program.classes) if source.decides else 0, scores, width
    )


def circuit_shape(program: Program) -> hil.Shape:
    """Return what a simulated circuit sends: its classes, or the scores of a regression as 8 bytes each."""
    widest = max(feature.bits for feature in program.inputs)
    size = next(size for size in (1, 2, 4) if widest <= 8 * size)
    classes = len(program.classes)
    outputs = len(program.layers[-1].neurons) if isinstance(program, ir.Net) else len(program.outputs)
    scores = 0 if classes else outputs
    return hil.Shape(c.model_hash(program), len(program.inputs), size, classes, scores, 8 if scores else 0)
