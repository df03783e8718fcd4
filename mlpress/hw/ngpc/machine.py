"""Machines that encode and run small networks beside a memory: NGPC-N, NeuRex; and the processor that they stand by."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from mlpress.errors import MlpressError
from mlpress.hw.ngpc.figures import Figure, figures, read_table

Mode = Literal["paper", "physical"]
MODES: tuple[Mode, ...] = ("paper", "physical")
MOST_PROCESSORS = 256


@dataclass(frozen=True, slots=True)
class Machine:
    """A cluster of ``processors``, each of ``engines`` encoding engines before ``arrays`` of multiply-accumulate units.

    An engine looks up all corners of a sample at one level, from ``sram_bytes`` in ``banks`` of ``ports`` reads per
    cycle each; an ``ideal`` SRAM holds every table and answers each look-up in one cycle.  Up to ``queue`` samples are
    under way between the issue of their positions and their last look-up.  The MLP side takes ``batch`` samples at a
    time from one of two buffers: with ``streamed`` layers all layers work at once, a sample per cycle per tile of the
    widest layer; else one tile after the other, each ``fill_cycles`` to fill and drain and ``load_cycles`` to load,
    the latter hidden behind the tile before where that takes as long.  Bytes are those of powers of ten where they
    are rates (bytes per second), and latencies are cycles of ``clock_hz``.
    """

    name: str
    mode: Mode
    processors: int
    clock_hz: float
    engines: int
    sram_bytes: int
    banks: int
    ports: int
    ideal: bool
    queue: int
    mac_inputs: int
    mac_outputs: int
    arrays: int
    batch: int
    streamed: bool
    fill_cycles: int
    load_cycles: int
    line_bytes: int
    l2_bytes: int
    l2_ways: int
    l2_latency: int
    dram_latency: int
    l2_bandwidth: float
    dram_bandwidth: float
    value_bytes: int
    area_mm2: float
    power_w: float

    def check(self) -> None:
        """Raise :class:`MlpressError` where a number is out of its bounds."""
        if not 1 <= self.processors <= MOST_PROCESSORS:
            raise MlpressError(
                f"{self.name[:40]}: {self.processors} processors; the models take 1 to {MOST_PROCESSORS} of them"
            )
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool | str) or field.name in {"fill_cycles", "load_cycles"}:
                continue
            if value <= 0:
                raise MlpressError(f"{self.name[:40]}: {field.name} is {value:g}; it must be above 0")

    def seconds(self, cycles: float) -> float:
        """Return the time of ``cycles``."""
        return cycles / self.clock_hz


@dataclass(frozen=True, slots=True)
class Gpu:
    """The graphics processor that a cluster stands beside: die, power, memory."""

    name: str
    die_mm2: float
    power_w: float
    l2_bytes: int
    dram_bandwidth: float


def _values(table: dict[str, list[Any]]) -> dict[str, Any]:
    return {figure.name: figure.value for figure in figures(table)}


def gpu() -> Gpu:
    """Return the RTX 3090."""
    return Gpu("rtx3090", **_values(read_table("machines.json")["rtx3090"]))


def machine_names() -> tuple[str, ...]:
    """Return the names of the families: ``ngpc`` takes a number of processors, as in ``ngpc:8``."""
    return tuple(read_table("machines.json")["machines"])


def machine_figures(name: str, mode: Mode) -> tuple[Figure, ...]:
    """Return every figure of a machine in a mode, with its label and source."""
    family = name.partition(":")[0]
    tables = read_table("machines.json")["machines"]
    if family not in tables:
        raise MlpressError(f"no machine {family[:40]!r}; there are {', '.join(tables)}")
    if mode not in MODES:
        raise MlpressError(f"no mode {str(mode)[:40]!r}; there are {', '.join(MODES)}")
    return figures({**tables[family]["both"], **tables[family][mode]})


def machine(name: str, mode: Mode, **changes: Any) -> Machine:
    """Return ``ngpc:N`` or ``neurex-server`` in a mode; ``changes`` are other values of fields, for sweeps.

    Area and power are those of all processors.  Raises :class:`MlpressError` for names and numbers that are not there.
    """
    family, colon, count = name.partition(":")
    values = {figure.name: figure.value for figure in machine_figures(name, mode)}
    processors = values.pop("processors", None)
    if processors is None:
        if not (colon and count.isascii() and count.isdigit() and len(count) <= 4):
            raise MlpressError(f"no machine {name[:40]!r}; write {family}:N, N the number of processors")
        processors = int(count)
    elif colon:
        raise MlpressError(f"{family} has one size; leave out {name[len(family) :][:40]!r}")
    area, power = values.pop("area_mm2"), values.pop("power_w")
    made = Machine(name, mode, processors, area_mm2=area * processors, power_w=power * processors, **values)
    made = replace(made, **changes)
    made.check()
    return made
