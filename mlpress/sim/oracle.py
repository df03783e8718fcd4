"""onnxruntime as the independent oracle: it runs the exported graph and shares no code with mlpress's engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.progress import counted

BATCH = 1024  # rows a run: bounds the memory of a ladder's (rows, neurons, thresholds) table


class Oracle:
    """A graph with one input table, as ``mlpress.codegen`` writes them, run by onnxruntime on one thread.

    No graph is optimised on loading: what the file says is what runs, in the same order every time.
    """

    def __init__(self, model: bytes | Any) -> None:
        """Load an ONNX model, serialised or as a ``ModelProto``; raises :class:`MlpressError` where it cannot run."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4  # failures come back as exceptions
        data = model if isinstance(model, bytes) else model.SerializeToString()
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no narrower base class
            raise MlpressError(f"onnxruntime cannot load the graph: {_first_line(error)}") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise MlpressError(
                f"the graph has {counted(len(inputs), 'input')}; an oracle graph has one, features or codes"
            )
        self.input = str(inputs[0].name)
        self.outputs = tuple(str(output.name) for output in self._session.get_outputs())
        self._dtype = _DTYPES.get(inputs[0].type)
        if self._dtype is None:
            raise MlpressError(f"the graph's input is a {inputs[0].type}; an oracle graph takes numbers")

    def run(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run ``rows`` (rows, inputs) of features or codes, whichever the graph takes; return every output by name."""
        table = np.ascontiguousarray(rows, dtype=self._dtype)
        try:
            parts = [
                self._session.run(None, {self.input: table[start : start + BATCH]})
                for start in range(0, max(len(table), 1), BATCH)
            ]
        except Exception as error:  # onnxruntime's errors share no narrower base class
            raise MlpressError(f"onnxruntime cannot run the graph: {_first_line(error)}") from error
        return {name: np.concatenate([part[k] for part in parts]) for k, name in enumerate(self.outputs)}


_DTYPES = {"tensor(int64)": np.int64, "tensor(double)": np.float64, "tensor(float)": np.float32}


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
