"""Neural-graphics clusters: kernels of fields, run by the functional simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.codegen import ngpc
from mlpress.errors import MlpressError
from mlpress.hw.ngpc import MODES, Cluster, Mode, read_cluster
from mlpress.metrics import Metric
from mlpress.progress import Progress
from mlpress.sim.ngpc import Simulator
from mlpress.targets.base import Claim, Cost, Engine, Rows, Trial, Values
from mlpress.targets.ngpc_costs import METRICS, NO_APPLICATION, Frames, kernel_cost
from mlpress.verify import EngineResult

if TYPE_CHECKING:
    from mlpress.approx import CostModel, Layout
    from mlpress.approx.gates import GateCosts

BUILD_S = 1.0
"""Seconds of both models per kernel."""

PRECISIONS = ("given", "float32", "float16")
TABLE_FORMATS = ("given", "int8", "fit8")
POLICIES = ("auto", "sram")


@dataclass(frozen=True, eq=False)
class NgpcArtifact:
    """A kernel as files; ``image`` is that of the program, for comparison: what runs is read from the files."""

    program: ir.Field
    image: ngpc.Image
    files: Mapping[str, str | bytes]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KernelEngine:
    """The functional simulator on the files of an artifact."""

    files: Mapping[str, str | bytes]
    name: str = "kernel simulator"
    rows: int | None = None
    optional: bool = False
    note: str = ""

    def run(self, codes: NDArray[Any]) -> Values:
        """Return ``output y<k>``, float32 (rows,) each, for float32 samples (rows, inputs)."""
        found = Simulator.read(self.files).run(codes)
        return {f"output y{k}": column for k, column in enumerate(found.T)}


@dataclass(frozen=True, slots=True)
class NeuralGraphics:
    """A cluster ``ngpc:N`` of N neural fields processors.

    ``processors`` stands for N where it is another than the name's.  ``precision`` is that of the field as ``given``,
    or another.  ``tables`` are as ``given``, ``int8``, or ``fit8``: int8 where a level does not fit otherwise.
    ``placement`` ``sram`` refuses tables that would be cached.  ``batch`` samples run through a processor at a time.

    ``mode`` is that of the cycle models (``docs/ngpc-cycles.md``): ``physical`` or ``paper``.  ``application`` names
    the one whose frames (order and number of samples, time on the GPU) it is held against.
    """

    name: str = "ngpc:8"
    processors: int | None = None
    precision: str = "given"
    tables: str = "given"
    placement: str = "auto"
    batch: int = 1024
    mode: str = "physical"
    application: str = NO_APPLICATION

    kind: ClassVar[str] = "ngpc"
    level: ClassVar[Literal["real", "integer"]] = "real"
    metrics: ClassVar[tuple[Metric, ...]] = METRICS
    files: ClassVar[tuple[str, ...]] = (ngpc.KERNEL, ngpc.TABLES)

    def cluster(self) -> Cluster:
        """Return the cluster."""
        named = read_cluster(self.name)
        return named if self.processors is None else replace(named, processors=self.processors)

    def check(self) -> None:
        """Raise :class:`MlpressError` for a cluster or an option that there is not."""
        self.cluster().check()
        for what, value, known in (
            ("precision", self.precision, PRECISIONS),
            ("tables", self.tables, TABLE_FORMATS),
            ("placement", self.placement, POLICIES),
            ("mode", self.mode, MODES),
        ):
            if value not in known:
                raise MlpressError(f"{what} is {value[:40]!r}; it must be one of {', '.join(known)}")
        if not 1 <= self.batch <= ngpc.MOST_BATCH:
            raise MlpressError(f"batch is {self.batch}; it must be within 1..{ngpc.MOST_BATCH}")
        Frames(self.application).check()

    def facts(self) -> dict[str, Any]:
        """Return the options as plain JSON values."""
        return {
            "processors": self.processors,
            "precision": self.precision,
            "tables": self.tables,
            "placement": self.placement,
            "batch": self.batch,
            "mode": self.mode,
            "application": self.application,
        }

    def describe(self) -> dict[str, Any]:
        """Return the cluster's title, its processors, and what each has."""
        cluster = self.cluster()
        return {
            "title": f"{cluster.processors} neural fields processors",
            "processors": cluster.processors,
            "engines": cluster.engines,
            "sram_bytes": cluster.sram_bytes,
            "tile": [cluster.mac_inputs, cluster.mac_outputs],
        }

    def validate(self, program: Any) -> None:
        """Raise where the program is no field."""
        if not isinstance(program, ir.Field):
            raise MlpressError(f"target {self.name} takes fields: encodings with networks; see mlpress.frontend.fields")
        ir.verify(program)
        dimensions = sorted({grid.dimensions for grid in program.grids()})
        if len(dimensions) > 1:
            raise MlpressError(f"the cycle models take grids of one number of coordinates; these have {dimensions}")

    def formatted(self, program: ir.Field) -> ir.Field:
        """Return the field in the number formats that the options ask for."""
        self.validate(program)
        if self.precision == "float32" and program.precision == "float16":
            raise MlpressError("the field is float16 already; precision=float32 would bring nothing back")
        if self.precision == "float16":
            program = ir.with_halves(program)
        if self.tables == "given":
            return program
        cluster = self.cluster()

        def bits(grid: ir.Grid, level: int) -> int | None:
            return 8 if self.tables == "int8" or ngpc.placed(grid, cluster)[level].how == "cache" else None

        return ir.with_integers(program, bits)

    def build(self, program: ir.Field, rows: Rows, progress: Progress, hint: str | None = None) -> NgpcArtifact:
        """Compile the field to a kernel."""
        progress.step("place tables and schedule tiles")
        image = self._image(program)
        return NgpcArtifact(program, image, ngpc.image_files(image), {"kernel": kernel_facts(image.kernel)})

    def restore(self, program: ir.Field, files: Mapping[str, str | bytes], facts: Mapping[str, Any]) -> NgpcArtifact:
        """Return the artifact of a design folder; its kernel is checked before the simulator takes it."""
        return NgpcArtifact(program, self._image(program), files, facts)

    def engines(self, artifact: NgpcArtifact) -> Sequence[Engine]:
        """Return the functional simulator."""
        return (KernelEngine(artifact.files),)

    def inspect(
        self,
        artifact: NgpcArtifact,
        rows: Rows,
        facts: Mapping[str, Any],
        hashed: bool,
        until: float,
        progress: Progress,
    ) -> Sequence[EngineResult]:
        """Hold the kernel's text against the one that the program gives."""
        if not facts:
            return ()
        wanted = ngpc.kernel_text(artifact.image.kernel)
        same = artifact.files.get(ngpc.KERNEL) == wanted
        difference = "" if same else f"{ngpc.KERNEL} is not the kernel of this program"
        return (EngineResult.of("kernel text", wanted.count("\n"), difference, "lines, compiled again"),)

    def estimate(self, artifact: NgpcArtifact, rows: Rows) -> Cost:
        """Return cycles, time and energy per sample by the cycle models, published area and power, bytes by place."""
        return self._cost(artifact.image)

    def claims(self, artifact: NgpcArtifact) -> Sequence[Claim]:
        """Return nothing: fields compute in floating point, which no prover here takes."""
        return ()

    def devices(self, artifact: NgpcArtifact) -> Mapping[str, Callable[[NDArray[Any]], Trial]]:
        """Return the simulated cluster."""

        def simulated(samples: NDArray[Any]) -> Trial:
            cost = self._cost(ngpc.read_image(artifact.files), len(samples))
            return Trial(KernelEngine(artifact.files).run(samples), cost)

        return {"ngpc": simulated}

    def _image(self, program: ir.Field) -> ngpc.Image:
        policy = cast(ngpc.Policy, self.placement)
        return ngpc.lower_field(program, self.cluster(), policy=policy, batch=self.batch)

    def _cost(self, image: ngpc.Image, rows: int | None = None, *, quick: bool = False) -> Cost:
        return kernel_cost(image, cast(Mode, self.mode), Frames(self.application), rows, quick=quick)

    def minimising(self, metric: str) -> NeuralGraphics:
        """Return the target itself: no option depends on what is minimised."""
        return self

    def within(self, most: Mapping[str, float]) -> NeuralGraphics:
        """Return the target itself: no option depends on limits."""
        return self

    def cost_model(self, layout: Layout) -> CostModel | None:
        """Return nothing: fields are no integer networks."""
        return None

    def gate_costs(self, metric: str) -> GateCosts | None:
        """Return nothing: fields have no gates."""
        return None

    def measure(self, program: ir.Field, codes: NDArray[Any], hint: str | None = None, quick: bool = False) -> Cost:
        """Return what a field costs; ``quick`` by the analytic model alone, over fewer addresses."""
        return self._cost(self._image(program), quick=quick)

    def shipped(self, program: ir.Field) -> NeuralGraphics:
        """Return the target itself."""
        return self

    def expected_s(self, program: ir.Field) -> float:
        """Return what the event model takes for a kernel of any size."""
        return BUILD_S


def kernel_facts(kernel: ngpc.Kernel) -> dict[str, Any]:
    """Return what the report says of a kernel: the placement of every level, and the schedule, as JSON values."""
    levels = [
        {
            "unit": unit.name,
            "level": k,
            "resolution": level.resolution,
            "entries": level.entries,
            "index": level.index,
            "bits": level.bits,
            "placement": level.placement.how,
            "turn": level.placement.turn,
            "engines": list(level.placement.engines),
            "bytes": level.placement.size,
        }
        for unit in kernel.grids()
        for k, level in enumerate(unit.levels)
    ]
    return {
        "precision": kernel.precision,
        "levels": levels,
        "lanes": [unit.lanes for unit in kernel.grids()],
        "turns": [unit.turns for unit in kernel.grids()],
        "tiles": sum(isinstance(command, ngpc.Mac) for command in kernel.program),
        "buffered": int(np.sum([buffer.width for buffer in kernel.buffers])),
        "commands": len(kernel.program),
    }
