"""ONNX models from their text form, and what onnxruntime says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper, parser

from mlpress.errors import MlpressError
from mlpress.frontend import load
from mlpress.ir import Model, ThresholdHead, interpret_model

SEED = 20240611


def make(
    body: str,
    inputs: str = "float[N,3] x",
    outputs: str = "float[N,2] y",
    *,
    opset: int = 17,
    ml: int = 3,
    producer: str = "",
    **constants: NDArray[Any],
) -> onnx.ModelProto:
    """The model with this graph body; ``constants`` become its initialisers (``__`` in a name stands for a dot)."""
    header = f'<ir_version: 8, opset_import: ["" : {opset}, "ai.onnx.ml" : {ml}], producer_name: "{producer}">'
    proto = parser.parse_model(f"{header} g ({inputs}) => ({outputs}) {{ {body} }}")
    for name, value in constants.items():
        proto.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name.replace("__", ".")))
    return proto


def weights(*shape: int, seed: int = 0, dtype: Any = np.float32) -> NDArray[Any]:
    """Normal random weights."""
    return np.random.default_rng([SEED, seed, *shape]).normal(size=shape).astype(dtype)


def rows(width: int = 3, count: int = 200, dtype: Any = np.float32) -> NDArray[Any]:
    """Normal random features (count, width), wide enough to reach every class."""
    return np.random.default_rng([SEED, width, count]).normal(size=(count, width), scale=3.0).astype(dtype)


def run(proto: onnx.ModelProto, *features: NDArray[Any]) -> list[Any]:
    """The outputs of ``proto`` for all rows.

    Graph optimisations are off: they fuse quantised layers into integer kernels whose rounding, and on some
    processors saturation, differ from the operators' specification.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    entries = session.get_inputs()
    batch = entries[0].shape[0]
    step = batch if isinstance(batch, int) else len(features[0])
    parts = []
    for start in range(0, len(features[0]), step):
        feed = {entry.name: part[start : start + step] for entry, part in zip(entries, features, strict=True)}
        parts.append(session.run(None, feed))
    return [_joined([part[index] for part in parts]) for index in range(len(parts[0]))]


def _joined(parts: list[Any]) -> Any:
    return [row for part in parts for row in part] if isinstance(parts[0], list) else np.concatenate(parts)


def saved(folder: Path, proto: onnx.ModelProto) -> Path:
    """The file that ``proto`` was written to."""
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def refused(folder: Path, proto: onnx.ModelProto) -> str:
    """The error of loading ``proto`` without the file's name; it must be one line that starts with that."""
    path = saved(folder, proto)
    with pytest.raises(MlpressError) as caught:
        load(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{path}: ")
    return text.removeprefix(f"{path}: ")


def check(folder: Path, proto: onnx.ModelProto, x: NDArray[Any], at: float = 0.0, tolerance: float = 1e-4) -> Model:
    """The loaded model, after its classes (or values) on the rows ``x`` are compared with onnxruntime's.

    ``at`` is the bound above which a single real output of the file means class 1.
    """
    model = load(saved(folder, proto))
    values, found = interpret_model(model, x.reshape(len(x), -1).astype(np.float64))
    first = run(proto, x)[0]
    if found is None:
        np.testing.assert_allclose(values, first.reshape(values.shape), rtol=tolerance, atol=tolerance)
        return model
    assert_same_classes(model, found, first, at)
    assert len(set(found.tolist())) > 1, "the rows should reach more than one class"
    return model


def assert_same_classes(model: Model, found: NDArray[np.int64], first: Any, at: float = 0.0) -> None:
    """Compare class indices with the first output of the file: labels, probabilities or scores."""
    values = np.asarray(first)
    if values.dtype.kind in "OUSib":
        names = [model.classes[index] for index in found]
        expected = values.reshape(-1).tolist()
        assert [str(int(n) if isinstance(n, bool) else n) for n in expected] == [str(name) for name in names]
    elif isinstance(model.head, ThresholdHead) and values.size == len(found):
        np.testing.assert_array_equal(found, (values.reshape(-1) > at).astype(np.int64))
    else:
        np.testing.assert_array_equal(found, values.argmax(axis=1))
