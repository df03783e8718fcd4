"""Machines that encode and run small networks beside a memory: NGPC-N, NeuRex; and the processor that they stand by."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from mlpress.errors import MlpressError
from mlpress.hw.ngpc.figures import Figure, figures, read_table

Mode = Literal["paper", "physical"]
MODES: tuple[Mode, ...] = ("paper", "physical")
CLUSTER_MOST = {
    "processors": 256,
    "engines": 1024,
    "sram_bytes": 1 << 30,
    "mac_inputs": 1024,
    "mac_outputs": 1024,
}
"""The largest numbers of a cluster."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a kernel is compiled for: ``processors``, each of ``engines`` encoding engines before one MLP engine.

    An encoding engine has ``sram_bytes`` of grid SRAM; the MLP engine multiplies a tile of ``mac_inputs`` by
    ``mac_outputs`` weights.
    """

    name: str
    processors: int
    engines: int
    sram_bytes: int
    mac_inputs: int
    mac_outputs: int

    def check(self) -> None:
        """Raise :class:`MlpressError` where a number is out of its bounds."""
        for what, most in CLUSTER_MOST.items():
            value = getattr(self, what)
            if not 1 <= value <= most:
                raise MlpressError(f"cluster {self.name[:40]}: {what} is {value}; it must be within 1..{most}")


@dataclass(frozen=True, slots=True)
class Machine(Cluster):
    """A cluster with all that its time follows from, in one ``mode``.

    An engine looks up all corners of a sample at one level, in ``banks`` of ``ports`` reads per cycle each; an
    ``ideal`` SRAM holds every table and answers each look-up in one cycle.  Up to ``queue`` samples are under way
    between the issue of their positions and their last look-up.  The MLP side has ``arrays`` MLP engines and takes
    ``batch`` samples at a time from one of two buffers: with ``streamed`` layers all layers work at once, a sample per
    cycle per tile of the widest layer; else one tile after the other, each ``fill_cycles`` to fill and drain and
    ``load_cycles`` to load, the latter hidden behind the tile before where that takes as long.  Bytes are those of
    powers of ten where they are rates (bytes per second), and latencies are cycles of ``clock_hz``.  ``area_mm2`` and
    ``power_w`` are those of all processors.
    """

    mode: Mode
    clock_hz: float
    banks: int
    ports: int
    ideal: bool
    queue: int
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
        Cluster.check(self)
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


def _size(name: str, fixed: int | None) -> int:
    """Return the number of processors that a name asks for; a family of one size has a ``fixed`` number."""
    family, colon, count = name.partition(":")
    if fixed is not None:
        if colon:
            raise MlpressError(f"{family} has one size; leave out {name[len(family) :][:40]!r}")
        return fixed
    if not (colon and count.isascii() and count.isdigit() and len(count) <= 4):
        raise MlpressError(f"no machine {name[:40]!r}; write {family}:N, N the number of processors")
    return int(count)


def machine(name: str, mode: Mode, **changes: Any) -> Machine:
    """Return ``ngpc:N`` or ``neurex-server`` in a mode; ``changes`` are other values of fields, for sweeps.

    Area and power are those of all processors.  Raises :class:`MlpressError` for names and numbers that are not there.
    """
    values = {figure.name: figure.value for figure in machine_figures(name, mode)}
    processors = _size(name, values.pop("processors", None))
    area, power = values.pop("area_mm2"), values.pop("power_w")
    made = Machine(
        name=name,
        mode=mode,
        processors=processors,
        area_mm2=area * processors,
        power_w=power * processors,
        **values,
    )
    made = replace(made, **changes)
    made.check()
    return made


def read_cluster(name: str, **changes: Any) -> Cluster:
    """Return the cluster of ``ngpc:N`` or ``neurex-server`` as published; ``changes`` are other values of fields.

    Raises :class:`MlpressError` for names and numbers that are not there.
    """
    values = {figure.name: figure.value for figure in machine_figures(name, MODES[0])}
    values["processors"] = _size(name, values.get("processors"))
    made = replace(Cluster(name, **{what: values[what] for what in CLUSTER_MOST}), **changes)
    made.check()
    return made
