"""Approximation: passes that change the function to save area, cost models, and the searches over both levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.approx.choice import VALIDATION, Measured
    from mlpress.approx.clock import Clock
    from mlpress.approx.cost import CostModel
    from mlpress.approx.engine import Engine
    from mlpress.approx.evolve import Effort
    from mlpress.approx.front import Candidate, Front
    from mlpress.approx.heap import PARTS
    from mlpress.approx.integer_search import AREA_SLACK, Budget, Generation, Limits, SearchProgress, search, split_rows
    from mlpress.approx.layout import Layout
    from mlpress.approx.loss import Loss, estimated_loss, paired_loss
    from mlpress.approx.merged import MergedDesign, MergedFront, designs_of, merge, unbeaten
    from mlpress.approx.nsga import Population, Search, hypervolume
    from mlpress.approx.passes import (
        PASSES,
        Accumulate,
        Activation,
        ApproximatePass,
        ArgmaxRanges,
        Genes,
        Inputs,
        Multiply,
        read_pass,
    )
    from mlpress.approx.plot import Point, draw, read_points
    from mlpress.approx.space import DEFAULT_PASSES, Space, apply
    from mlpress.approx.training import Training, dense, train
    from mlpress.approx.warm import load_kernels

_HOMES = {
    "clock": ["Clock"],
    "cost": ["CostModel"],
    "engine": ["Engine"],
    "evolve": ["Effort"],
    "choice": ["VALIDATION", "Measured"],
    "front": ["Candidate", "Front"],
    "heap": ["PARTS"],
    "layout": ["Layout"],
    "loss": ["Loss", "estimated_loss", "paired_loss"],
    "merged": ["MergedDesign", "MergedFront", "designs_of", "merge", "unbeaten"],
    "nsga": ["Population", "Search", "hypervolume"],
    "passes": [
        "PASSES",
        "Accumulate",
        "Activation",
        "ApproximatePass",
        "ArgmaxRanges",
        "Genes",
        "Inputs",
        "Multiply",
        "read_pass",
    ],
    "plot": ["Point", "draw", "read_points"],
    "integer_search": ["AREA_SLACK", "Budget", "Generation", "Limits", "SearchProgress", "search", "split_rows"],
    "space": ["DEFAULT_PASSES", "Space", "apply"],
    "training": ["Training", "dense", "train"],
    "warm": ["load_kernels"],
}

__all__ = [
    "AREA_SLACK",
    "DEFAULT_PASSES",
    "PARTS",
    "PASSES",
    "VALIDATION",
    "Accumulate",
    "Activation",
    "ApproximatePass",
    "ArgmaxRanges",
    "Budget",
    "Candidate",
    "Clock",
    "CostModel",
    "Effort",
    "Engine",
    "Front",
    "Generation",
    "Genes",
    "Inputs",
    "Layout",
    "Limits",
    "Loss",
    "Measured",
    "MergedDesign",
    "MergedFront",
    "Multiply",
    "Point",
    "Population",
    "Search",
    "SearchProgress",
    "Space",
    "Training",
    "apply",
    "dense",
    "designs_of",
    "draw",
    "estimated_loss",
    "hypervolume",
    "load_kernels",
    "merge",
    "paired_loss",
    "read_pass",
    "read_points",
    "search",
    "split_rows",
    "train",
    "unbeaten",
]

__getattr__ = lazy_door(__name__, {name: home for home, names in _HOMES.items() for name in names})
