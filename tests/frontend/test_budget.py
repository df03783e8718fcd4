"""Small files must not ask for large work: what following a graph may take is counted while it is followed."""

import re
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, helper, numpy_helper
from support.bounded import bounded

from mlpress.frontend import load

Constants = dict[str, np.ndarray]


def written(path: Path, nodes: list[NodeProto], constants: Constants, width: int) -> Path:
    tensors = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in constants.items()]
    features = helper.make_tensor_value_info("x", 1, ["N", width])
    scores = helper.make_tensor_value_info(nodes[-1].output[0], 1, None)
    graph = helper.make_graph(nodes, "g", [features], [scores], tensors)
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]).SerializeToString())
    return path


def column(rows: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(rows, 1))


def row(width: int) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(1, width)) / width


def broadcasts() -> tuple[list[NodeProto], Constants, int]:
    chain = [helper.make_node("Add", ["a", "b"], ["c0"])]
    chain += [helper.make_node("Add", [f"c{k}", "b"], [f"c{k + 1}"]) for k in range(300)]
    return [*chain, helper.make_node("MatMul", ["x", "c300"], ["y"])], {"a": column(2048), "b": row(4096)}, 2048


def tanhs() -> tuple[list[NodeProto], Constants, int]:
    nodes = []
    for k in range(200):
        nodes.append(helper.make_node("Mul", [f"t{k - 1}" if k else "x", "s"], [f"m{k}"]))
        nodes.append(helper.make_node("Tanh", [f"m{k}"], [f"t{k}"]))
    return nodes, {"s": row(2896)[0]}, 2896


def branches() -> tuple[list[NodeProto], Constants, int]:
    nodes = []
    for k in range(300):
        nodes += [helper.make_node("Mul", ["x", "s"], [f"m{k}"]), helper.make_node("Tanh", [f"m{k}"], [f"t{k}"])]
    return [*nodes, helper.make_node("Concat", [f"t{k}" for k in range(300)], ["y"])], {"s": row(2896)[0]}, 2896


def dense(relu: bool) -> tuple[list[NodeProto], Constants, int]:
    nodes = [helper.make_node("Mul", ["a", "b"], ["w"])]
    for k in range(400):
        nodes.append(helper.make_node("MatMul", [f"t{k - 1}" if k else "x", "w"], [f"m{k}"]))
        nodes.append(helper.make_node("Relu" if relu else "Identity", [f"m{k}"], [f"t{k}"]))
    return nodes, {"a": column(2048), "b": row(2048)}, 2048


CASES = {
    "broadcasts of constants": (broadcasts(), "more arithmetic|more than 400 MiB"),
    "a chain of Mul and Tanh": (tanhs(), "16773632 weights; a model has at most 8388608"),
    "branches that settle": (branches(), "more than 400 MiB"),
    "dense layers": (dense(relu=False), "more arithmetic on its constants"),
    "ReLU-dense layers": (dense(relu=True), "12582912 weights; a model has at most 8388608"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_small_file_takes_no_large_memory(name: str, tmp_path: Path) -> None:
    graph, message = CASES[name]
    path = written(tmp_path / "m.onnx", *graph)
    assert path.stat().st_size < 70_000
    taken = bounded(lambda: load(path))
    assert taken.refusal.startswith(f"{path}: node of output ")
    assert re.search(message, taken.refusal)
    assert taken.mebibytes < 600
    assert taken.seconds < 10


def test_the_largest_products_of_layers_are_composed(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Mul", ["a", "b"], ["w"]),
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("MatMul", ["h", "w"], ["g"]),
        helper.make_node("MatMul", ["g", "v"], ["y"]),
    ]
    constants = {"a": column(1024), "b": row(1024), "v": np.ones((1024, 2))}
    model = load(written(tmp_path / "m.onnx", nodes, constants, 1024))
    assert [layer.weight.shape for layer in model.layers] == [(2, 1024)]


def test_values_that_nothing_reads_any_more_do_not_count(tmp_path: Path) -> None:
    nodes = [helper.make_node("Add", [f"c{k}", "b"], [f"c{k + 1}"]) for k in range(60)]
    nodes.append(helper.make_node("MatMul", ["x", "c60"], ["y"]))
    taken = bounded(lambda: load(written(tmp_path / "m.onnx", nodes, {"c0": column(1024), "b": row(1024)}, 1024)))
    assert taken.refusal == ""
    assert taken.mebibytes < 100
