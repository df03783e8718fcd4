"""Approximation: passes that change the function to save area, cost models, and the searches over both levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.approx.common.clock import Clock, now, timed_by
    from mlpress.approx.common.executor import cores
    from mlpress.approx.common.front import VALIDATION, Front, unbeaten
    from mlpress.approx.common.limits import Limits, allows, limits_text
    from mlpress.approx.common.loss import Loss, estimated_loss, paired_loss
    from mlpress.approx.common.merged import MergedDesign, MergedFront, designs_of, merge, read_merged_front
    from mlpress.approx.common.warm import load_kernels
    from mlpress.approx.fields.front import FieldDesign, FieldFront, read_field_front
    from mlpress.approx.fields.search import search_fields
    from mlpress.approx.fields.space import FieldSpace
    from mlpress.approx.integer.cost import CostModel
    from mlpress.approx.integer.engine import Engine
    from mlpress.approx.integer.front import Candidate, IntegerFront
    from mlpress.approx.integer.genome_layout import Layout
    from mlpress.approx.integer.heap import PARTS
    from mlpress.approx.integer.islands import Effort
    from mlpress.approx.integer.net_cost import ALL_PARTS
    from mlpress.approx.integer.nsga import Population, Search, hypervolume
    from mlpress.approx.integer.program_parts import PROGRAM_PARTS
    from mlpress.approx.integer.search import COST_SLACK, Budget, Generation, SearchProgress, search, split_rows
    from mlpress.approx.integer.space import DEFAULT_PASSES, Space, apply
    from mlpress.approx.integer.train import train
    from mlpress.approx.integer.training import StartShape, Training, dense, weights_of
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

_HOMES = {
    "common.clock": ["Clock", "now", "timed_by"],
    "fields.front": ["FieldDesign", "FieldFront", "read_field_front"],
    "fields.search": ["search_fields"],
    "fields.space": ["FieldSpace"],
    "integer.cost": ["CostModel"],
    "integer.engine": ["Engine"],
    "integer.islands": ["Effort"],
    "common.front": ["VALIDATION", "Front", "unbeaten"],
    "common.limits": ["Limits", "allows", "limits_text"],
    "integer.front": ["Candidate", "IntegerFront"],
    "integer.net_cost": ["ALL_PARTS"],
    "integer.program_parts": ["PROGRAM_PARTS"],
    "integer.heap": ["PARTS"],
    "integer.genome_layout": ["Layout"],
    "common.loss": ["Loss", "estimated_loss", "paired_loss"],
    "common.executor": ["cores"],
    "common.merged": ["MergedDesign", "MergedFront", "designs_of", "merge", "read_merged_front"],
    "integer.nsga": ["Population", "Search", "hypervolume"],
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
    "integer.search": ["COST_SLACK", "Budget", "Generation", "SearchProgress", "search", "split_rows"],
    "integer.space": ["DEFAULT_PASSES", "Space", "apply"],
    "integer.train": ["train"],
    "integer.training": ["StartShape", "Training", "dense", "weights_of"],
    "common.warm": ["load_kernels"],
}

__all__ = [
    "ALL_PARTS",
    "COST_SLACK",
    "DEFAULT_PASSES",
    "PARTS",
    "PASSES",
    "PROGRAM_PARTS",
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
    "FieldDesign",
    "FieldFront",
    "FieldSpace",
    "Front",
    "Generation",
    "Genes",
    "Inputs",
    "IntegerFront",
    "Layout",
    "Limits",
    "Loss",
    "MergedDesign",
    "MergedFront",
    "Multiply",
    "Population",
    "Search",
    "SearchProgress",
    "Space",
    "StartShape",
    "Training",
    "allows",
    "apply",
    "cores",
    "dense",
    "designs_of",
    "estimated_loss",
    "hypervolume",
    "limits_text",
    "load_kernels",
    "merge",
    "now",
    "paired_loss",
    "read_field_front",
    "read_merged_front",
    "read_pass",
    "search",
    "search_fields",
    "split_rows",
    "timed_by",
    "train",
    "unbeaten",
    "weights_of",
]

__getattr__ = lazy_door(__name__, {name: home for home, names in _HOMES.items() for name in names})
