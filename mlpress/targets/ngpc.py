"""Neural-graphics clusters: kernels of fields, run by the functional simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray

from mlpress import ir
from mlpress.codegen import ngpc
from mlpress.errors import MlpressError
from mlpress.hw.ngpc import Cluster, read_cluster
from mlpress.metrics import Metric
from mlpress.progress import Progress
from mlpress.sim.ngpc import Simulator
from mlpress.targets.base import Claim, Cost, Engine, Rows, Trial, Values
from mlpress.verify import EngineResult

PRECISIONS = ("given", "float32", "float16")
TABLE_FORMATS = ("given", "int8", "fit8")
POLICIES = ("auto", "sram")
IDEAL = "a count, not a simulation: one look-up per corner and cycle in every engine, one tile per cycle"


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
    """

    name: str = "ngpc:8"
    processors: int | None = None
    precision: str = "given"
    tables: str = "given"
    placement: str = "auto"
    batch: int = 1024

    kind: ClassVar[str] = "ngpc"
    level: ClassVar[Literal["real", "integer"]] = "real"
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("cycles", "", "cycles per sample"),
        Metric("sram", "B", "grid SRAM per processor"),
        Metric("cached", "B", "tables behind the L2"),
        Metric("weights", "B", "weights per processor"),
    )
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
        ):
            if value not in known:
                raise MlpressError(f"{what} is {value[:40]!r}; it must be one of {', '.join(known)}")
        if not 1 <= self.batch <= ngpc.MOST_BATCH:
            raise MlpressError(f"batch is {self.batch}; it must be within 1..{ngpc.MOST_BATCH}")

    def facts(self) -> dict[str, Any]:
        """Return the options as plain JSON values."""
        return {
            "processors": self.processors,
            "precision": self.precision,
            "tables": self.tables,
            "placement": self.placement,
            "batch": self.batch,
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
        self, artifact: NgpcArtifact, rows: Rows, facts: Mapping[str, Any], hashed: bool, progress: Progress
    ) -> Sequence[EngineResult]:
        """Hold the kernel's text against the one that the program gives."""
        if not facts:
            return ()
        wanted = ngpc.kernel_text(artifact.image.kernel)
        same = artifact.files.get(ngpc.KERNEL) == wanted
        difference = "" if same else f"{ngpc.KERNEL} is not the kernel of this program"
        return (EngineResult.of("kernel text", wanted.count("\n"), difference, "lines, compiled again"),)

    def estimate(self, artifact: NgpcArtifact, rows: Rows) -> Cost:
        """Return an ideal count of cycles per sample of the whole cluster, and bytes by place."""
        return self._cost(artifact.image.kernel)

    def claims(self, artifact: NgpcArtifact) -> Sequence[Claim]:
        """Return nothing: fields compute in floating point, which no prover here takes."""
        return ()

    def devices(self, artifact: NgpcArtifact) -> Mapping[str, Callable[[NDArray[Any]], Trial]]:
        """Return the simulated cluster."""

        def simulated(samples: NDArray[Any]) -> Trial:
            cost = self._cost(ngpc.read_image(artifact.files).kernel)
            return Trial(KernelEngine(artifact.files).run(samples), cost)

        return {"ngpc": simulated}

    def _image(self, program: ir.Field) -> ngpc.Image:
        policy = cast(ngpc.Policy, self.placement)
        return ngpc.lower_field(program, self.cluster(), policy=policy, batch=self.batch)

    def _cost(self, kernel: ngpc.Kernel) -> Cost:
        levels = [(unit, level) for unit in kernel.grids() for level in unit.levels]
        encoding = sum(unit.turns / unit.lanes for unit in kernel.grids())
        tiles = sum(isinstance(command, ngpc.Mac) for command in kernel.program)
        sram = sum(level.placement.resident * len(level.placement.engines) * unit.lanes for unit, level in levels)
        cached = sum(level.placement.size for _, level in levels if level.placement.how == "cache")
        size = 2 if kernel.precision == "float16" else 4
        weights = sum(weights.inputs * weights.outputs for weights in kernel.weights) * size
        values = {
            "cycles": max(encoding, float(tiles)) / kernel.cluster.processors,
            "sram": sram,
            "cached": cached,
            "weights": weights,
        }
        placed = "stated per level in kernel.txt"
        how = {"cycles": IDEAL, "sram": placed, "cached": placed, "weights": "inputs times outputs of every layer"}
        return Cost(values, how)


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
