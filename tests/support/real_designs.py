"""Real designs of every kind of target, small: compiled, or found by searches of seconds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from support import quick_mlpress
from support.fields import one_grid, samples
from support.told import classifier, data

import mlpress as mp
from mlpress import ir
from mlpress.frontend import Dataset
from mlpress.targets import read_target

BITS = {"input_bits": 2, "weight_bits": 4, "activation_bits": 2}


@cache
def compiled(target: str) -> mp.Design:
    """A classifier compiled for ``target``, or a field where that is what it takes."""
    if read_target(target).level == "real":
        return mp.compile(field(), wanted(field()), target=target)
    return mp.compile(classifier(), data(), test=data(count=60), target=target, **BITS)


@cache
def searched(level: str) -> Any:
    """What a search of ``integer``, ``gates`` or ``both`` levels of a printed classifier found, or of ``fields``."""
    if level == "fields":
        return mp.search(field(), wanted(field()), target="ngpc:8", minimise="energy", generations=2, max_loss=2.0)
    with quick_mlpress.quickened():
        given = {"generations": 2, "rounds": 2, "max_loss": 0.2, "effort": "fast"}
        return mp.search(classifier(), data(), target="egfet", test=data(count=60), level=level, **given, **BITS)


@cache
def chosen(level: str) -> mp.Design:
    """The design that a search was asked for, with its fronts."""
    return searched(level).chosen()


@cache
def field() -> ir.Field:
    """A field of one grid."""
    return one_grid("hash", 2, levels=4, widths=(8, 8))


def wanted(given: ir.Field, rows: int = 400) -> Dataset:
    """Samples whose wanted values are nearly the field's own."""
    x = samples(given, rows)
    noise = np.random.default_rng(5).normal(0, 0.02, (len(x), len(given.outputs)))
    return Dataset(x.astype(np.float64), ir.interpret_field(given, x) + noise, given.inputs)


DESIGNS: dict[str, Callable[[], mp.Design]] = {
    "egfet": lambda: compiled("egfet"),
    "integer": lambda: chosen("integer"),
    "gates": lambda: chosen("gates"),
    "both": lambda: chosen("both"),
    "cortex-m0plus": lambda: compiled("cortex-m0plus"),
    "ngpc": lambda: compiled("ngpc:8"),
    "fields": lambda: chosen("fields"),
    "ecp5-25k": lambda: compiled("ecp5-25k"),
}
"""Designs by name: one compiled for each kind of target, and one of each search."""
