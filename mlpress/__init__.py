"""mlpress: trained MLP classifiers pressed into the cheapest hardware that still classifies.

>>> import mlpress as mp
>>> model = mp.load("model.onnx")
>>> design = mp.compile(model, mp.Dataset.from_csv("train.csv"), target="egfet")
>>> design.save("build")
"""

from mlpress._lazy import lazy_door
from mlpress.errors import MlpressError

__version__ = "0.1.0"

__getattr__ = lazy_door(
    __name__,
    {
        "Dataset": "frontend",
        "Design": "design",
        "compile": "pipeline.compile",
        "estimate": "hw.printed",
        "from_sklearn": "frontend",
        "load": "frontend",
        "prove": "verify",
        "quantise": "frontend",
        "search": "pipeline.search",
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
    "prove",
    "quantise",
    "search",
    "verify",
]
