"""The approximate passes: each a frozen dataclass that changes a net, and that can free genes for a search."""

from mlpress.approx.passes.accumulate import Accumulate
from mlpress.approx.passes.activation import Activation
from mlpress.approx.passes.argmax import ArgmaxRanges
from mlpress.approx.passes.genes import ApproximatePass, Genes
from mlpress.approx.passes.inputs import Inputs, without_unread_levels
from mlpress.approx.passes.multiply import Multiply
from mlpress.approx.passes.text import PASSES, make_pass, read_pass

__all__ = [
    "PASSES",
    "Accumulate",
    "Activation",
    "ApproximatePass",
    "ArgmaxRanges",
    "Genes",
    "Inputs",
    "Multiply",
    "make_pass",
    "read_pass",
    "without_unread_levels",
]
