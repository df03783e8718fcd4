"""The neural-graphics cluster NGPC-N: published results against the cycle models', in both modes.

``paper`` has an ideal SRAM and what had to be fitted; ``physical`` has banks, ports, misses, fill and load.  Every row
of the published results is there: with ``given`` it went into the models, with ``fitted`` a figure was fitted to it,
``derived`` follows from those; what can't be reproduced says why.  More tables: the figures with their sources, speed
against size, where cycles go, rooflines and Amdahl's limits, and the sweep on which the two models check each other.
"""

import argparse
import time
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from support import show

from mlpress.hw.ngpc import (
    MODES,
    Figure,
    Machine,
    Mode,
    application,
    application_figures,
    applications,
    encoding_figures,
    encodings,
    fused,
    gpu,
    machine,
    machine_figures,
)
from mlpress.sim.ngpc import cycles

FHD = 1920 * 1080
SIZES = (8, 16, 32, 64)
PUBLISHED = dict(zip(SIZES, (12, 20, 33, 39), strict=True))
"""Mean end-to-end speed-ups with the hash grid."""

SHARES = {"hashgrid": None, "densegrid": 0.60, "lowres": 0.5996}
"""Published shares of encoding and networks; of the hash grid each application has its own, fitted."""

SAMPLES = 1 << 15


@cache
def costs(name: str, encoding: str, mode: Mode) -> tuple[cycles.Workload, cycles.Trace]:
    """Return an application's work with its trace; the trace is the same for any number of processors."""
    work = cycles.workload(application(name), encodings(name)[encoding], f"{name}/{encoding}")
    return work, cycles.trace(work, machine("ngpc:1", mode), SAMPLES)


def frame(name: str, encoding: str, mode: Mode, processors: int, pixels: int = FHD) -> cycles.Frame:
    """Return a frame on NGPC-N."""
    work, trace = costs(name, encoding, mode)
    return cycles.frame(application(name), work, machine(f"ngpc:{processors}", mode), trace, pixels, SHARES[encoding])


def mean_speedup(encoding: str, mode: Mode, processors: int) -> float:
    """Return the mean of the four applications' speed-ups over the GPU alone."""
    return sum(frame(one.name, encoding, mode, processors).speedup for one in applications()) / 4


def row(what: str, published: Any, paper: Any, physical: Any, how: str, why: str = "") -> dict[str, Any]:
    """Return a row of the table."""
    return {"what": what, "published": published, "paper": paper, "physical": physical, "how": how, "why": why}


def text(value: float) -> str:
    """Return three digits."""
    return f"{value:.3g}"


def both(function: Any) -> tuple[str, str]:
    """Return a figure in the two modes."""
    paper, physical = (function(mode) for mode in MODES)
    return text(paper), text(physical)


def speed_rows() -> list[dict[str, Any]]:
    """Return rows of end-to-end speed-ups, plateaus and frame rates."""
    rows = []
    slow = (
        "physical: layers one at a time, bank conflicts, misses; its samples per pixel are those fitted to paper's pace"
    )
    for size, want in PUBLISHED.items():
        rows.append(
            row(
                f"end-to-end, hashgrid, N={size}",
                f"{want}x",
                *both(lambda mode, n=size: mean_speedup("hashgrid", mode, n)),
                "fitted",
                slow if size == SIZES[0] else "as above",
            )
        )
    best = both(lambda mode: max(frame(one.name, "hashgrid", mode, 64).speedup for one in applications()))
    rows.append(row("end-to-end, up to", "58x", *best, "fitted", "as above"))
    for name, want in (("nerf", 64), ("nsdf", 32), ("nvr", 16), ("gia", None)):
        found = (plateau(name, "paper"), plateau(name, "physical"))
        rows.append(
            row(
                f"plateau of {application(name).title}",
                want or "-",
                *found,
                "fitted" if want else "derived",
                "as above",
            )
        )
    for name, picture, times, rate in (
        ("nerf", "4k", 4, 30),
        ("nsdf", "8k", 16, 120),
        ("nvr", "8k", 16, 120),
        ("gia", "8k", 16, 120),
    ):
        found = both(lambda mode, name=name, times=times: 1 / frame(name, "hashgrid", mode, 64, times * FHD).seconds)
        title = f"{application(name).title}, frames/s at {picture}, N=64"
        rows.append(row(title, f">= {rate}", *found, "fitted", "as above"))
    return rows


def plateau(name: str, mode: Mode) -> Any:
    """Return the least power of two of processors from which on the rest of the frame sets the pace."""
    return next((n for n in (1, 2, 4, 8, 16, 32, 64, 128, 256) if _at_rest(name, mode, n)), "> 256")


def _at_rest(name: str, mode: Mode, processors: int) -> bool:
    return frame(name, "hashgrid", mode, processors).bound == "rest"


KERNELS = """if 246x and 1232x held at N=64 and grew with N, encoding and networks would take 0.4024/30.8 + 0.3212/154
 of the frame at N=8, 66x less than 100 %: the fused rest would then set the pace at 36x from N=8 on, where 12x is
 published"""
BANDWIDTH = """at the pace that the speed-ups need, NeRF takes 64 samples per ns of 20 bytes (float16: 6 values in, 4
 out); 231 GB/s would be a fifth of them, as if layers ran one at a time, which the other applications exclude"""


def kernel_rows() -> list[dict[str, Any]]:
    """Return rows of kernels' speed-ups, bandwidth, and shares."""

    def kernel(mode: Mode, part: float, which: tuple[str, ...]) -> float:
        found = []
        for one in applications():
            work, trace = costs(one.name, "hashgrid", mode)
            pace = cycles.pace(work, machine("ngpc:64", mode), trace)._asdict()
            cycle = max(pace[key] for key in which) / trace.placing.lanes
            found.append(part * one.frame_ms * 1e-3 * machine("ngpc:64", mode).clock_hz * 64 / (one.samples * cycle))
        return sum(found) / len(found)

    def moved(mode: Mode) -> str:
        rates = [frame(one.name, "hashgrid", mode, 64).bytes_per_second / 1e9 for one in applications()]
        return f"{min(rates):.0f} to {max(rates):.0f}"

    encode = ("issue", "banks", "latency", "bandwidth")
    mean = sum(one.share for one in applications()) / 4
    why = " ".join(KERNELS.split())
    return [
        row("encoding + networks of a frame, hashgrid", "72.37 %", f"{mean:.2%}", f"{mean:.2%}", "fitted"),
        row("encoding + networks, densegrid", "60.0 %", "60.0 %", "60.0 %", "given", "taken for all applications"),
        row("encoding + networks, low-res", "59.96 %", "59.96 %", "59.96 %", "given", "taken for all applications"),
        row("encoding / networks, hashgrid (r)", "40.24 / 32.12 %", "-", "-", "given", "for the next two rows"),
        row("encoding at N=64 (r)", "246x", *both(lambda mode: kernel(mode, 0.4024, encode)), "no", why),
        row("networks at N=64 (r)", "1232x", *both(lambda mode: kernel(mode, 0.3212, ("networks",))), "no", why),
        row("remaining kernels, fused", "9.94x", f"{fused()}x", f"{fused()}x", "given"),
        row(
            "L2/DRAM bandwidth, GB/s (r)",
            "69 to 231",
            moved("paper"),
            moved("physical"),
            "no",
            " ".join(BANDWIDTH.split()),
        ),
        row("231 GB/s of the memory's bandwidth", "24 %", f"{231e9 / gpu().dram_bandwidth:.1%}", "-", "given"),
        row(
            "kernel calls of a NeRF frame",
            59,
            "-",
            "-",
            "no",
            "launches are no part of the models: the GPU's frame times, which hold them, are given",
        ),
        *(
            row(f"{one.title}, ms per frame on the GPU (r)", one.frame_ms, one.frame_ms, one.frame_ms, "given")
            for one in applications()
        ),
    ]


def hardware_rows() -> list[dict[str, Any]]:
    """Return rows of area, power and the engines."""
    rows = []
    for size, area, power in ((8, 4.52, 2.75), (64, 36.18, 22.06)):
        found = machine(f"ngpc:{size}", "paper")
        cost, least = cycles.cost(found), cycles.least_sram_mm2(found)
        rows.append(
            row(
                f"area over the GPU's die, N={size}",
                f"{area} %",
                f"{cost.area_share:.2%}",
                f"> {least / gpu().die_mm2:.2%}",
                "derived",
                f"0.565 % per processor, linear; physical: bit cells of the SRAMs in 7 nm alone take {least:.0f} mm2, "
                f"all that is published {cost.area_mm2:.0f} mm2. Scaled from 45 nm; the error is not published",
            )
        )
        rows.append(
            row(
                f"power over the GPU's, N={size}",
                f"{power} %",
                f"{cost.power_share:.2%}",
                f"{cycles.products_w(found):.0f} W in 45 nm",
                "derived",
                f"0.344 % per processor; {cost.power_w:.1f} W if of the board's 350 W, which is assumed. Physical: the "
                "products alone, all units at work, in 45 nm; from there to 7 nm the authors scale",
            )
        )
    work, trace = costs("nerf", "hashgrid", "physical")
    hashed = [number for number, level in enumerate(work.levels) if level.index == "hash"]
    mean = float(trace.cycles[:, hashed].mean())
    rows.append(row("cycles per look-up of hashed levels, 8 banks", "1.63", 1, text(mean), "derived", BANKS))
    lanes = {name: cycles.placing(costs("nerf", name, "paper")[0], machine("ngpc:1", "paper")) for name in SHARES}
    found = ", ".join(f"{placed.turns}/{placed.lanes}" for placed in lanes.values())
    rows.append(row("passes / samples side by side, L=16, 8, 2", "1/1, 1/2, 1/8", found, "-", "derived"))
    return rows


BANKS = "an own earlier measurement, no published one; entry modulo 8, corners that share an entry read once"


def other_rows(worst: float, count: int) -> list[dict[str, Any]]:
    """Return rows of NeuRex and other machines."""
    rows = [
        row(
            "emulator against Timeloop",
            "within 7 %",
            f"within {worst:.1%}",
            f"within {worst:.1%}",
            "no",
            f"Timeloop was not run; ours are the analytic and the event model over {count} configurations",
        )
    ]
    work = cycles.workload(application("nerf"), encodings("nerf")["hashgrid"])
    rates = []
    for mode in MODES:
        found = machine("neurex-server", mode)
        trace = cycles.trace(work, found, SAMPLES)
        rates.append(found.clock_hz * trace.placing.lanes / cycles.pace(work, found, trace).step)
    asks = application("nerf").samples_per_pixel * 800 * 800
    rows.append(
        row(
            "NeuRex, frames/s",
            19.72,
            f"{text(rates[0] / asks)} at 800x800 and {asks / 1e6:.0f} M samples",
            f"{text(rates[1] / asks)}, same",
            "missing",
            "samples per frame, scene and picture of the 19.72 frames/s are not at hand, and decide it: they would be "
            f"{rates[0] / 19.72e6:.1f} M ({rates[0] / 19.72 / 640000:.0f} per pixel at 800x800) at the pace of its "
            "published units, which is no check. Its hashing by subgrids is not modelled in physical mode",
        )
    )
    beside = machine("neurex-server", "paper")
    rows.append(row("NeuRex, mm2", 21.37, beside.area_mm2, beside.area_mm2, "given"))
    rows.append(row("NeuRex, W", 6.1, beside.power_w, beside.power_w, "given"))
    for name, rate in (("MetaVRain", 110), ("ICARUS", 0.017)):
        rows.append(row(f"{name}, frames/s", rate, "-", "-", "no", "no grid encoding: not of this family of machines"))
    return rows


def figure_row(of: str, one: Figure) -> dict[str, Any]:
    """Return one figure's columns."""
    about = {"label": one.label, "source": one.source, "uncertainty": one.uncertainty or "-"}
    return {"of": of, "figure": one.name, "value": str(one.value), **about}


def figure_rows() -> list[dict[str, Any]]:
    """Return every figure with its label, source and uncertainty."""
    rows = []
    for name in ("ngpc", "neurex-server"):
        for mode in MODES:
            of = f"{name}, {mode}"
            rows += [figure_row(of, one) for one in machine_figures(name, mode)]
    rows += [
        figure_row(app.name, one)
        for app in applications()
        for one in (*application_figures(app.name), *encoding_figures(app.name))
    ]
    return rows


def size_rows() -> list[dict[str, Any]]:
    """Return speed-ups against the number of processors."""
    rows = []
    for encoding, given in SHARES.items():
        for one in applications():
            for mode in MODES:
                frames = {size: frame(one.name, encoding, mode, size) for size in (1, *SIZES, 256)}
                share = given or one.share
                limit = cycles.amdahl(share)
                rows.append(
                    {"application": one.name, "encoding": encoding, "mode": mode}
                    | {f"N={size}": round(found.speedup, 2) for size, found in frames.items()}
                    | {"over fused, N=64": round(frames[64].speedup_over_fused, 2)}
                    | {"limit": round(limit.fused, 1), "unfused": round(limit.unfused, 2)}
                    | {"bound at 64": frames[64].bound, "new scene, ms": round(frames[64].switch * 1e3, 3)}
                    | {"mJ at 64": round(frames[64].seconds * machine("ngpc:64", mode).power_w * 1e3, 2)}
                )
    return rows


def stall_rows() -> list[dict[str, Any]]:
    """Return where the event model's cycles go, and the place under the roofline, on NGPC-16."""
    rows = []
    for name, _ in cycles.works():
        app, encoding = name.split("/")
        for mode in MODES:
            work, trace = costs(app, encoding, mode)
            found = machine("ngpc:16", mode)
            timing = cycles.simulate(work, found, trace, 8192)
            roof = cycles.roofline(work, found, trace)
            rows.append(
                {"work": name, "mode": mode, "cycles per sample": round(timing.steady, 2)}
                | {cause: f"{part / timing.cycles:.0%}" for cause, part in timing.causes.items()}
                | {"ops/byte": round(roof.operations_per_byte, 1)}
                | {"Tops/s": round(roof.reached / 1e12, 1), "roof": round(roof.roof / 1e12, 1)}
                | {"slope": round(roof.slope / 1e12, 1)}
            )
    return rows


def sweep_rows() -> list[dict[str, Any]]:
    """Return both models' cycles on every configuration of the sweep."""
    rows = []
    for one in cycles.configurations():
        found = cycles.compare(one)
        rows.append(
            {"configuration": one.name, "machine": one.machine.name, "mode": one.machine.mode}
            | {"event": round(found.event.cycles), "analytic": round(found.analytic.cycles)}
            | {"difference": f"{found.difference:+.2%}", "bound": found.event.bound}
        )
    return rows


def random_rows(count: int = 400, seed: int = 1) -> list[dict[str, Any]]:
    """Return how far the models differ on machines drawn at random."""
    found = [abs(cycles.compare(one).difference) for one in cycles.random_configurations(count, seed)]
    shares = {f"within {limit:.0%}": f"{sum(one < limit for one in found) / count:.1%}" for limit in (0.05, 0.1)}
    return [
        {"configurations": count, **shares, "median": f"{sorted(found)[count // 2]:.2%}", "worst": f"{max(found):.1%}"}
    ]


def pace_rows() -> list[dict[str, Any]]:
    """Return the event model's simulated cycles per second of processor time, compiled before."""
    rows = []
    for name, mode, size in product(("nerf", "nsdf", "nvr", "gia"), MODES, (8, 64, 128, 256)):
        found: Machine = machine(f"ngpc:{size}", mode)
        work, trace = costs(name, "hashgrid", mode)
        cycles.simulate(work, found, trace, 1024)
        began = time.process_time()
        timing = cycles.simulate(work, found, trace, 1 << 14)
        took = time.process_time() - began
        rows.append(
            {"application": name, "mode": mode, "processors": size, "cycles": round(timing.cycles)}
            | {"million cycles/s": round(timing.cycles / took / 1e6, 2)}
            | {"million processor cycles/s": round(size * timing.cycles / took / 1e6, 1)}
        )
    return rows


def draw(file: Path) -> None:
    """Draw the mean speed-up over the GPU against the number of processors, both modes and what is published."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "ngpc"
    sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256]
    picture = Figure(figsize=(7, 3.2), layout="constrained")
    for axes, mode in zip(picture.subplots(1, 2, sharey=True), MODES, strict=True):
        for one in applications():
            axes.loglog(sizes, [frame(one.name, "hashgrid", mode, n).speedup for n in sizes], label=one.title, base=2)
        axes.loglog(sizes, [mean_speedup("hashgrid", mode, n) for n in sizes], "k--", label="mean", base=2)
        axes.plot(list(PUBLISHED), list(PUBLISHED.values()), "ko", label="published mean")
        axes.set(title=mode, xlabel="processors", xticks=sizes, xticklabels=map(str, sizes))
        axes.set_yticks([0.25, 1, 4, 16, 64], ["1/4", "1", "4", "16", "64"])
        axes.grid(alpha=0.3)
        axes.minorticks_off()
    picture.axes[0].set_ylabel("speed-up over the GPU")
    picture.axes[1].legend(fontsize=7)
    picture.savefig(file, metadata={"Date": None})


def tables() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object per row, no table")
    parser.add_argument("--figures", action="store_true", help="every figure with its label and source, nothing else")
    parser.add_argument("--pace", action="store_true", help="the speed of the event model, nothing else")
    parser.add_argument("--draw", type=Path, metavar="SVG", help="draw speed-up against size, nothing else")
    options = parser.parse_args()
    if options.draw:
        draw(options.draw)
        return
    if options.pace:
        show("speed of the event model", pace_rows(), options.json)
        return
    if options.figures:
        show("figures and their sources", figure_rows(), options.json)
        return
    sweep = sweep_rows()
    worst = max(abs(one["analytic"] / one["event"] - 1) for one in sweep)
    rows = [*speed_rows(), *kernel_rows(), *hardware_rows(), *other_rows(worst, len(sweep))]
    show("published against ours", rows, options.json)
    fitted = [one for one in figure_rows() if one["label"] == "fitted"]
    show("fitted", fitted, options.json)
    show("speed-up over the GPU alone", size_rows(), options.json)
    show("where cycles go, N=16", stall_rows(), options.json)
    show(f"analytic and event model, worst {worst:.2%}", sweep, options.json)
    show("analytic and event model on machines drawn at random", random_rows(), options.json)
    show("speed of the event model", pace_rows(), options.json)


if __name__ == "__main__":
    tables()
