"""Gate-level evolution: the circuit is the genome, judged on rows."""

from mlpress.approx.gates.cells import LEFT, NANDS, RIGHT, WIRES, GateCosts
from mlpress.approx.gates.evolution import EvolutionProgress, Round, evolve
from mlpress.approx.gates.front import CircuitDesign, CircuitFront
from mlpress.approx.gates.genome import FIRST_INPUT, Genome
from mlpress.approx.gates.offsets import offset_bits
from mlpress.approx.gates.polish import polished
from mlpress.approx.gates.problem import MARGIN, GateSearchOptions, prices_for
from mlpress.approx.gates.rows import Rows
from mlpress.approx.gates.starts import AS_GOOD, FixedStart, Start, Trained, Tree
from mlpress.approx.gates.trees import (
    FINE_LEAVES,
    Retrained,
    TreePoint,
    against_trees,
    nearest_tree,
    retrained_accuracy,
    tree_designs,
    tree_points,
)

__all__ = [
    "AS_GOOD",
    "FINE_LEAVES",
    "FIRST_INPUT",
    "LEFT",
    "MARGIN",
    "NANDS",
    "RIGHT",
    "WIRES",
    "CircuitDesign",
    "CircuitFront",
    "EvolutionProgress",
    "FixedStart",
    "GateCosts",
    "GateSearchOptions",
    "Genome",
    "Retrained",
    "Round",
    "Rows",
    "Start",
    "Trained",
    "Tree",
    "TreePoint",
    "against_trees",
    "evolve",
    "nearest_tree",
    "offset_bits",
    "polished",
    "prices_for",
    "retrained_accuracy",
    "tree_designs",
    "tree_points",
]
