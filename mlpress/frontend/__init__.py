"""Files in: ONNX models, scikit-learn estimators and data sets, and the step from real numbers to integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.frontend.cuts import CUT_RULES, check_cuts, with_cuts
    from mlpress.frontend.data import BUNDLED, Dataset
    from mlpress.frontend.estimators import from_sklearn
    from mlpress.frontend.field_reader import load_field
    from mlpress.frontend.matching import Match, listed, paired, with_features
    from mlpress.frontend.onnx_reader import load
    from mlpress.frontend.quantisation import Quantised, Report, exact_net, quantise
    from mlpress.frontend.samples import drawn_samples, read_rows, read_samples

__all__ = [
    "BUNDLED",
    "CUT_RULES",
    "Dataset",
    "Match",
    "Quantised",
    "Report",
    "check_cuts",
    "drawn_samples",
    "exact_net",
    "from_sklearn",
    "listed",
    "load",
    "load_field",
    "paired",
    "quantise",
    "read_rows",
    "read_samples",
    "with_cuts",
    "with_features",
]

__getattr__ = lazy_door(
    __name__,
    {
        "BUNDLED": "data",
        "CUT_RULES": "cuts",
        "Dataset": "data",
        "Match": "matching",
        "Quantised": "quantisation",
        "Report": "quantisation",
        "check_cuts": "cuts",
        "drawn_samples": "samples",
        "exact_net": "quantisation",
        "from_sklearn": "estimators",
        "listed": "matching",
        "load": "onnx_reader",
        "load_field": "field_reader",
        "read_rows": "samples",
        "read_samples": "samples",
        "paired": "matching",
        "quantise": "quantisation",
        "with_cuts": "cuts",
        "with_features": "matching",
    },
)
