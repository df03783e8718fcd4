"""What a kernel costs on a cluster: the event model's cycles, held against the analytic model's, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlpress.codegen import ngpc
from mlpress.errors import MlpressError
from mlpress.hw.ngpc import Machine, Mode, Order, application, applications, machine_figures
from mlpress.metrics import Metric
from mlpress.sim.ngpc import cycles
from mlpress.targets.base import Cost

METRICS = (
    Metric("cycles", "", "cycles per sample"),
    Metric("time", "ns", "time per sample"),
    Metric("energy", "nJ", "energy per sample"),
    Metric("area", "mm2", "area of all processors"),
    Metric("power", "W", "power of all processors"),
    Metric("sram", "B", "grid SRAM per processor"),
    Metric("cached", "B", "tables behind the L2"),
    Metric("weights", "B", "weights per processor"),
)
NO_APPLICATION = "none"
PIXELS = 1920 * 1080
SAMPLES, QUICK = 1 << 14, 1 << 11
"""Samples whose addresses are traced; fewer where a search asks."""

SIZES = (1, 2, 4, 8, 16, 32, 64)
"""Processors whose speed is stated beside that of the cluster's own."""

LONG = 32
"""Batches per processor that are timed, so that filling and draining weigh little."""

ENERGY = {
    "paper": "published power times the time per sample",
    "physical": "counted: bits of tables, L2 and memory, products and sums at Horowitz's figures (ISSCC 2014), all "
    "in 45 nm; interpolation, control and wires are not counted",
}


@dataclass(frozen=True, slots=True)
class Frames:
    """Whose frames a field is for: an application's samples and baselines, or a picture's, one sample per pixel."""

    name: str = NO_APPLICATION

    def check(self) -> None:
        """Raise where there is no such application."""
        known = [NO_APPLICATION, *(one.name for one in applications())]
        if self.name not in known:
            raise MlpressError(f"application is {self.name[:40]!r}; it must be one of {', '.join(known)}")

    def order(self) -> tuple[Order, float]:
        """Return the order of samples, and how many of them a pixel needs."""
        if self.name == NO_APPLICATION:
            return "raster", 1.0
        own = application(self.name)
        return own.order, own.samples_per_pixel


def kernel_cost(image: ngpc.Image, mode: Mode, frames: Frames, rows: int | None = None, *, quick: bool = False) -> Cost:
    """Return what a kernel costs in a mode, by metric; where ``rows`` are given, how long these take too.

    ``quick`` takes the analytic model alone, over fewer samples.
    """
    kernel = image.kernel
    order, per_pixel = frames.order()
    work = cycles.Workload.of(kernel, order, per_pixel)
    machine = cycles.machine_of(kernel, mode)
    trace = cycles.trace(work, machine, QUICK if quick else SAMPLES)
    enough = LONG * kernel.batch
    analytic = cycles.estimate(work, machine, trace, enough)
    timing = analytic if quick else cycles.simulate(work, machine, trace, enough)
    bound = max((pace := cycles.pace(work, machine, trace)._asdict()), key=lambda part: pace[part])
    per_sample = timing.steady / machine.processors
    seconds = machine.seconds(per_sample)
    shifts = shift_products(image)
    parts = cycles.energy_pj(work, machine, trace, kernel.precision, shifts) if mode == "physical" else {}
    values = {
        "cycles": per_sample,
        "time": seconds * 1e9,
        "energy": sum(parts.values()) * 1e-3 if parts else machine.power_w * seconds * 1e9,
        "area": machine.area_mm2,
        "power": machine.power_w,
        **kernel_bytes(image, shifts),
    }
    placed = "stated per level in kernel.txt"
    model = "analytic model" if quick else "event model"
    paced = f"{model}, mode {mode}; bound by {bound}"
    known = {figure.name: figure for figure in machine_figures(kernel.cluster.name, mode)}
    how = {
        "cycles": paced,
        "time": f"cycles at {machine.clock_hz / 1e9:g} GHz, which is assumed",
        "energy": ENERGY[mode],
        "area": f"per processor, {known['area_mm2'].words}",
        "power": f"per processor, {known['power_w'].words}",
        "sram": placed,
        "cached": placed,
        "weights": "inputs times outputs of every layer; a byte each where all are powers of two",
    }
    if quick:
        return Cost(values, how)
    facts: dict[str, Any] = {
        "mode": mode,
        "bound": bound,
        "stalls": {cause: part / timing.cycles for cause, part in timing.causes.items()},
        "analytic": analytic.steady / machine.processors,
        "energy_nj": {part: pj * 1e-3 for part, pj in parts.items()},
        "roofline": _roofline(work, machine, trace),
        "frame": _frame(frames, work, machine, trace, per_sample),
        "least_sram_mm2": cycles.least_sram_mm2(machine),
        "scaling": _scaling(frames, work, machine, trace, enough),
    }
    spent = _spent(kernel, facts["energy_nj"], timing.causes, per_sample / timing.cycles)
    if rows is not None:
        whole = cycles.simulate(work, machine, trace, -(-rows // machine.processors))
        took = machine.seconds(whole.cycles)
        facts["rows"] = {"rows": rows, "cycles": whole.cycles, "ms": took * 1e3}
        how["cycles"] = f"{paced}; all {rows} rows take {whole.cycles:,.0f} cycles from first to last, in full batches"
        how["time"] = f"all rows {took * 1e3:.3g} ms; {how['time']}"
    return Cost(values, how, {"timing": facts, "spent": spent})


def _scaling(
    frames: Frames, work: cycles.Workload, machine: Machine, trace: cycles.Trace, enough: int
) -> list[dict[str, Any]]:
    """Return what numbers of processors would take, by the analytic model: cycles per sample, and how much faster.

    ``speedup`` is that over one processor; over the GPU alone where the frames are an application's.
    """
    found = list[dict[str, Any]]()
    for processors in sorted({*SIZES, machine.processors}):
        other = replace(machine, processors=processors)
        each = cycles.estimate(work, other, trace, enough).steady / processors
        found.append({"processors": processors, "cycles": each, "here": processors == machine.processors})
    for one in found:
        one["speedup"] = found[0]["cycles"] / one["cycles"]
        if frames.name != NO_APPLICATION:
            other = replace(machine, processors=one["processors"])
            one["speedup_over_gpu"] = cycles.frame(application(frames.name), work, other, trace, PIXELS).speedup
    return found


def _spent(
    kernel: ngpc.Kernel, energy: dict[str, float], causes: Mapping[str, float], per_cycle: float
) -> dict[str, Any]:
    """Return where cycles, energy and bytes of tables go, as parts by metric."""
    parts: list[dict[str, Any]] = [
        {"of": ["cycles", cause.replace("_", " ")], "cycles": part * per_cycle} for cause, part in causes.items()
    ]
    parts += [{"of": ["energy", name.replace("_", " ")], "energy_nj": part} for name, part in energy.items()]
    for unit in kernel.grids():
        for k, level in enumerate(unit.levels):
            place = level.placement
            known = "cached_b" if place.how == "cache" else "sram_b"
            size = place.size if place.how == "cache" else place.resident * len(place.engines) * unit.lanes
            parts.append({"of": [f"tables of {unit.name}", f"level {k}"], known: size})
    return {"how": "cycles by what they wait for, energy by part, bytes by level", "parts": parts}


def kernel_bytes(image: ngpc.Image, shifts: int) -> dict[str, float]:
    """Return the bytes of tables in all SRAMs of a processor, of those behind the L2, and of weights."""
    kernel = image.kernel
    levels = [(unit, level.placement) for unit in kernel.grids() for level in unit.levels]
    size = 2 if kernel.precision == "float16" else 4
    products = sum(one.inputs * one.outputs for one in kernel.weights)
    return {
        "sram": sum(place.resident * len(place.engines) * unit.lanes for unit, place in levels),
        "cached": sum(place.size for _, place in levels if place.how == "cache"),
        "weights": (products - shifts) * size + shifts,
    }


def shift_products(image: ngpc.Image) -> int:
    """Return the products per sample of layers whose weights are all powers of two, or 0."""
    found = 0
    for layer in image.kernel.weights:
        mantissa = np.frexp(image.arrays[layer.array])[0]
        found += layer.inputs * layer.outputs if bool(np.isin(np.abs(mantissa), (0.0, 0.5)).all()) else 0
    return found


def _roofline(work: cycles.Workload, machine: Machine, trace: cycles.Trace) -> dict[str, float]:
    found = cycles.roofline(work, machine, trace)
    return {
        "operations_per_byte": found.operations_per_byte,
        "reached_tops": found.reached * 1e-12,
        "roof_tops": found.roof * 1e-12,
        "slope_tops": found.slope * 1e-12,
    }


def _frame(
    frames: Frames, work: cycles.Workload, machine: Machine, trace: cycles.Trace, per_sample: float
) -> dict[str, Any]:
    """Return the time of a frame of 1920x1080 on the cluster, and beside the GPU where it is an application's."""
    samples = PIXELS * work.samples_per_pixel
    facts: dict[str, Any] = {
        "pixels": PIXELS,
        "samples_per_pixel": work.samples_per_pixel,
        "cluster_ms": machine.seconds(samples * per_sample) * 1e3,
    }
    if frames.name == NO_APPLICATION:
        return facts
    own = application(frames.name)
    found = cycles.frame(own, work, machine, trace, PIXELS)
    return facts | {
        "application": own.title,
        "frame_ms": found.seconds * 1e3,
        "gpu_ms": found.gpu * 1e3,
        "gpu_fused_ms": found.gpu_fused * 1e3,
        "rest_ms": found.rest * 1e3,
        "speedup": found.speedup,
        "speedup_over_fused": found.speedup_over_fused,
        "bound": found.bound,
        "new_scene_ms": found.switch * 1e3,
    }
