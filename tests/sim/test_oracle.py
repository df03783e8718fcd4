import numpy as np
import pytest
from onnx import TensorProto, helper

from mlpress.errors import MlpressError
from mlpress.sim import Oracle


def _identity(kind: int, *names: str) -> bytes:
    inputs = [helper.make_tensor_value_info(name, kind, ["rows", 2]) for name in names]
    output = helper.make_tensor_value_info("y", kind, ["rows", 2])
    graph = helper.make_graph([helper.make_node("Identity", [names[0]], ["y"])], "g", inputs, [output])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()


def test_it_runs_and_names_what_it_gives() -> None:
    oracle = Oracle(_identity(TensorProto.INT64, "codes"))
    assert (oracle.input, oracle.outputs) == ("codes", ("y",))
    found = oracle.run(np.array([[1, 2], [3, 4]], np.uint8))
    assert found["y"].dtype == np.int64
    assert found["y"].tolist() == [[1, 2], [3, 4]]


def test_what_is_no_model_is_refused_in_one_line() -> None:
    with pytest.raises(MlpressError, match=r"^onnxruntime cannot load the graph: .+") as error:
        Oracle(b"not a model")
    assert "\n" not in str(error.value)


def test_wrong_number_of_columns_is_refused() -> None:
    with pytest.raises(MlpressError, match=r"^onnxruntime cannot run the graph: .+") as error:
        Oracle(_identity(TensorProto.INT64, "codes")).run(np.zeros((3, 5)))
    assert "\n" not in str(error.value)


def test_other_graphs_are_refused() -> None:
    with pytest.raises(MlpressError, match="the graph has 2 inputs; an oracle graph has one"):
        Oracle(_identity(TensorProto.INT64, "codes", "more"))
    with pytest.raises(MlpressError, match=r"the graph's input is a tensor\(string\); an oracle graph takes numbers"):
        Oracle(_identity(TensorProto.STRING, "words"))
