"""Files in: ONNX models, scikit-learn estimators and data sets, and the step from real numbers to integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door

if TYPE_CHECKING:
    from mlpress.frontend.data import BUNDLED, Dataset
    from mlpress.frontend.estimators import from_sklearn
    from mlpress.frontend.matching import Match, listed, paired, with_features
    from mlpress.frontend.onnx_reader import load
    from mlpress.frontend.quantisation import Quantised, Report, quantise

__all__ = [
    "BUNDLED",
    "Dataset",
    "Match",
    "Quantised",
    "Report",
    "from_sklearn",
    "listed",
    "load",
    "paired",
    "quantise",
    "with_features",
]

__getattr__ = lazy_door(
    __name__,
    {
        "BUNDLED": "data",
        "Dataset": "data",
        "Match": "matching",
        "Quantised": "quantisation",
        "Report": "quantisation",
        "from_sklearn": "estimators",
        "listed": "matching",
        "load": "onnx_reader",
        "paired": "matching",
        "quantise": "quantisation",
        "with_features": "matching",
    },
)
