"""Fits what NGPC's paper does not say: each application's share of a frame and its samples per pixel.

Seven unknowns: four shares, and the samples per pixel of NeRF, NSDF and NVR (GIA looks up one per pixel).  They are
fitted to the published end-to-end speed-ups at four sizes, the largest speed-up, the mean share, three plateaus and
four frame rates, at 1 GHz with a sample per cycle per processor.  Agreement with these is by construction.  Of what
fits equally well, the shares that differ least are taken.  The result, rounded, is in
``mlpress/hw/ngpc/applications.json``, labelled ``fitted``; this prints both.  Takes about 20 s.
"""

import argparse
from typing import Any

import numpy as np
from scipy.optimize import differential_evolution
from support import show

from mlpress.hw.ngpc import applications, fused, machine

SPEEDUPS = {8: 12.0, 16: 20.0, 32: 33.0, 64: 39.0}
LARGEST, SHARE = 58.0, 0.7237
PLATEAUS = {0: (32, 64), 1: (16, 32), 2: (8, 16), 3: (0, 64)}
"""Sizes between which the speed-up of NeRF, NSDF, NVR and GIA stops to grow; of GIA nothing is published."""

RATES = {0: (4, 30.0), 1: (16, 120.0), 2: (16, 120.0), 3: (16, 120.0)}
"""Times the pixels of 1920 x 1080, and frames per second that are reached: NeRF 4k30, the others 8k120."""

BOUNDS = [(0.3, 0.85)] * 4 + [(5.0, 400.0), (1.0, 60.0), (0.3, 20.0)]


def series(unknown: Any) -> tuple[Any, Any]:
    """Return the speed-up per processor and the largest speed-up of each application."""
    seconds = np.array([one.frame_ms * 1e-3 for one in applications()])
    pixels = np.array([one.pixels for one in applications()])
    samples = np.append(unknown[4:], 1.0) * pixels
    return seconds * machine("ngpc:1", "paper").clock_hz / samples, fused() / (1 - unknown[:4])


def misfit(unknown: Any) -> float:
    """Return the largest relative error, what is missing to plateaus and frame rates, and a little for spread."""
    slope, limit = series(unknown)
    errors = [abs(np.minimum(slope * n, limit).mean() / want - 1) for n, want in SPEEDUPS.items()]
    errors += [abs(unknown[:4].mean() / SHARE - 1)]
    missing = 5 * abs(limit.max() / LARGEST - 1)
    reached = np.minimum(slope * 64, limit)
    for number, (low, high) in PLATEAUS.items():
        at = limit[number] / slope[number]
        missing += max(0.0, low - at) / high + max(0.0, at - high) / high
    for number, (times, rate) in RATES.items():
        needed = rate * times * applications()[number].frame_ms * 1e-3
        missing += max(0.0, 1 - reached[number] / needed)
    return float(max(errors) + 0.05 * np.mean(errors) + 2 * missing + 0.02 * np.std(unknown[:4]))


def tables() -> None:
    """Print the fit beside the figures in use."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object per row, no table")
    options = parser.parse_args()
    found = differential_evolution(misfit, BOUNDS, seed=0, maxiter=600, tol=1e-10, popsize=20).x
    samples = np.append(found[4:], 1.0)
    rows = [
        {
            "application": one.title,
            "share": round(float(share), 3),
            "share in use": one.share,
            "samples per pixel": round(float(count), 3),
            "in use": one.samples_per_pixel,
        }
        for one, share, count in zip(applications(), found[:4], samples, strict=True)
    ]
    show("fitted to published results", rows, options.json)


if __name__ == "__main__":
    tables()
