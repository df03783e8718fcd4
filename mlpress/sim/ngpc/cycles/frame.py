"""Frames: a cluster beside a GPU against the GPU alone, with and without fused kernels; bounds, area, power, energy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlpress.hw.ngpc import Application, Machine, fused, gpu
from mlpress.sim.ngpc.cycles.analytic import pace
from mlpress.sim.ngpc.cycles.layers import preload_bytes
from mlpress.sim.ngpc.cycles.trace import Trace
from mlpress.sim.ngpc.cycles.workload import Workload


@dataclass(frozen=True, slots=True)
class Frame:
    """The time of a frame, in seconds.

    ``gpu`` is the GPU alone, ``gpu_fused`` with the remaining kernels fused; ``rest`` are those kernels, fused, beside
    the cluster, and ``cluster`` is encoding and networks on it.  The two overlap, batch by batch, so that ``seconds``
    is the longer one.  ``switch`` is the time in which a new scene's tables come; it is not part of the frame.
    ``bytes_per_second`` is what the cluster moves through the L2 while it works.
    """

    gpu: float
    gpu_fused: float
    rest: float
    cluster: float
    switch: float
    bytes_per_second: float
    paces: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """Time of the frame with the cluster."""
        return max(self.rest, self.cluster)

    @property
    def speedup(self) -> float:
        """How much faster than the GPU alone."""
        return self.gpu / self.seconds

    @property
    def speedup_over_fused(self) -> float:
        """How much faster than the GPU with fused kernels."""
        return self.gpu_fused / self.seconds

    @property
    def bound(self) -> str:
        """Whether the ``cluster`` or the ``rest`` sets the pace."""
        return "rest" if self.rest >= self.cluster else "cluster"


def frame(
    application: Application, work: Workload, machine: Machine, costs: Trace, pixels: int, share: float | None = None
) -> Frame:
    """Return a frame of ``pixels``; the GPU's time and the samples grow with them.

    ``share`` of the GPU's time is encoding and networks, the application's own if not given.
    """
    part = application.share if share is None else share
    factor = pixels / application.pixels
    gpu_s = application.frame_ms * 1e-3 * factor
    rest = gpu_s * (1 - part) / fused()
    found = pace(work, machine, costs)
    samples = application.samples * factor
    cycles = samples * found.step / (costs.placing.lanes * machine.processors)
    cluster = machine.seconds(cycles)
    moved = work.input_bytes + work.output_bytes + costs.lines_per_sample * machine.line_bytes
    near, far = preload_bytes(work, machine)
    switch = max(near * machine.processors / machine.l2_bandwidth, far / machine.dram_bandwidth)
    rate = samples * moved / max(cluster, rest)
    return Frame(gpu_s, gpu_s * part + rest, rest, cluster, switch, rate, found._asdict())


@dataclass(frozen=True, slots=True)
class Amdahl:
    """The largest speed-up over the GPU alone: of encoding and networks only, and with fused kernels beside."""

    unfused: float
    fused: float


def amdahl(share: float) -> Amdahl:
    """Return the limits where ``share`` of the GPU's time is encoding and networks."""
    return Amdahl(1 / (1 - share), fused() / (1 - share))


@dataclass(frozen=True, slots=True)
class Roofline:
    """Operations per second (two per product) that a cluster could do at most, and does; ``bytes`` through the L2.

    ``slope`` is what the L2's bandwidth allows at the work's operations per byte, ``roof`` what the arrays allow.
    """

    operations_per_byte: float
    roof: float
    slope: float
    reached: float


def roofline(work: Workload, machine: Machine, costs: Trace) -> Roofline:
    """Return a work's place under the roofline of a machine."""
    moved = work.input_bytes + work.output_bytes + costs.lines_per_sample * machine.line_bytes
    intensity = 2 * work.multiplications / moved
    products = machine.mac_inputs * machine.mac_outputs * machine.arrays * machine.processors
    if machine.streamed:
        products *= max(1, len(work.layers))
    rate = machine.processors * machine.clock_hz * costs.placing.lanes / pace(work, machine, costs).step
    return Roofline(
        intensity, 2 * products * machine.clock_hz, intensity * machine.l2_bandwidth, 2 * work.multiplications * rate
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """Area and power of a cluster, absolute and as a share of the GPU's die and board power."""

    area_mm2: float
    area_share: float
    power_w: float
    power_share: float


def cost(machine: Machine) -> Cost:
    """Return what a machine costs beside the RTX 3090."""
    beside = gpu()
    area, power = machine.area_mm2, machine.power_w
    return Cost(area, area / beside.die_mm2, power, power / beside.power_w)


CELL_UM2 = 0.027
"""Area of a bit of the densest SRAM in 7 nm, um2 (J. Chang et al., "A 7nm 256Mb SRAM", ISSCC 2017)."""


def least_sram_mm2(machine: Machine) -> float:
    """Return the area of the bit cells of the grid SRAMs in 7 nm alone: no decoder, no sense amplifier, no logic."""
    return machine.processors * machine.engines * machine.sram_bytes * 8 * CELL_UM2 * 1e-6


PRODUCT_PJ = 1.5
"""Energy of a float16 product and its sum in 45 nm, pJ (M. Horowitz, ISSCC 2014: 1.1 and 0.4)."""


def products_w(machine: Machine) -> float:
    """Return the power of all multiply-accumulate units at work, in 45 nm: no memory, no control."""
    units = machine.processors * machine.arrays * machine.mac_inputs * machine.mac_outputs
    return units * machine.clock_hz * PRODUCT_PJ * 1e-12
