"""Compile trained MLP classifiers to the smallest hardware that meets an accuracy limit, and prove it equal.

>>> import mlpress as mp
>>> model = mp.load("model.onnx")
>>> design = mp.compile(model, mp.Dataset.from_csv("train.csv"), target="egfet")
>>> design.save("build")
"""

from typing import TYPE_CHECKING

from mlpress._lazy import lazy_door
from mlpress.errors import MlpressError

if TYPE_CHECKING:
    from mlpress.design import Design
    from mlpress.frontend import Dataset, from_sklearn, load, quantise
    from mlpress.pipeline.compile import compile  # noqa: A004 - the verb of the trade
    from mlpress.pipeline.estimate import estimate
    from mlpress.pipeline.pick import pick
    from mlpress.pipeline.run import run
    from mlpress.pipeline.search import search
    from mlpress.targets import read_target, targets
    from mlpress.verify import prove, verify

__version__ = "0.1.0"

__getattr__ = lazy_door(
    __name__,
    {
        "Dataset": "frontend",
        "Design": "design",
        "compile": "pipeline.compile",
        "estimate": "pipeline.estimate",
        "from_sklearn": "frontend",
        "load": "frontend",
        "pick": "pipeline.pick",
        "prove": "verify",
        "quantise": "frontend",
        "read_target": "targets",
        "run": "pipeline.run",
        "search": "pipeline.search",
        "targets": "targets",
        "verify": "verify",
    },
)

__all__ = [
    "Dataset",
    "Design",
    "MlpressError",
    "__version__",
    "compile",
    "estimate",
    "from_sklearn",
    "load",
    "pick",
    "prove",
    "quantise",
    "read_target",
    "run",
    "search",
    "targets",
    "verify",
]
