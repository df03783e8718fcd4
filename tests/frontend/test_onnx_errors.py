"""Damaged and hostile ONNX files: each gives one line, and nothing outside the model's folder is read."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from support.onnx_text import make, refused, weights

from mlpress.errors import MlpressError
from mlpress.frontend import load

W = weights(3, 4)
LAYERS = {"w": W, "b": weights(4), "v": weights(4, 2), "c": weights(2)}


def plain() -> onnx.ModelProto:
    return make("h = Gemm(x, w, b)  a = Relu(h)  y = Gemm(a, v, c)", **LAYERS)


def test_tensors_that_do_not_hold_their_shape(tmp_path):
    proto = plain()
    proto.graph.initializer[0].raw_data = proto.graph.initializer[0].raw_data[:-4]
    assert refused(tmp_path, proto) == "tensor 'w' holds 44 bytes; its shape and type need 48"
    proto.graph.initializer[0].ClearField("raw_data")
    message = "tensor 'w' does not hold what its shape and type need; export the model again"
    assert refused(tmp_path, proto) == message


def test_tensors_of_absurd_shapes(tmp_path):
    proto = plain()
    proto.graph.initializer[0].dims[:] = [1 << 40, 1 << 40]
    assert "tensor 'w' has shape '(1099511627776, 1099511627776)'; at most" in refused(tmp_path, proto)
    proto.graph.initializer[0].dims[:] = [-1, 4]
    assert "tensor 'w' has shape '(-1, 4)'; at most 8388608 elements are read" in refused(tmp_path, proto)


def test_tensors_of_other_types(tmp_path):
    proto = plain()
    proto.graph.initializer[0].data_type = TensorProto.COMPLEX64
    assert refused(tmp_path, proto) == "tensor 'w' has type COMPLEX64; floats, integers and text are read"
    proto.graph.initializer[0].data_type = 999
    assert refused(tmp_path, proto) == "tensor 'w' has type 999; floats, integers and text are read"


def test_sparse_initialisers(tmp_path):
    proto = plain()
    values = helper.make_tensor("s", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    proto.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [3, 4]))
    assert refused(tmp_path, proto) == "it has sparse initialisers; export the model with dense ones"


def test_nodes_out_of_order(tmp_path):
    proto = plain()
    nodes = list(proto.graph.node)[::-1]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    assert refused(tmp_path, proto) == "node of output 'y' (Gemm): its input 'a' is not computed before it"


def test_long_and_hostile_names_stay_one_short_line(tmp_path):
    proto = make("[bad] y = Cos(x)")
    proto.graph.node[0].name = "evil\n\x1b[31m" + "a" * 10_000
    text = refused(tmp_path, proto)
    assert text.startswith("node 'evil\\n\\x1b[31maaaa")
    assert len(text) < 700


def test_recursive_functions(tmp_path):
    text = """<ir_version: 8, opset_import: ["" : 17, "local" : 1]>
    g (float[N,3] x) => (float[N,2] y) { y = local.f(x) }
    <opset_import: ["" : 17, "local" : 1], domain: "local"> f (x) => (y) { y = local.f(x) }"""
    assert refused(tmp_path, onnx.parser.parse_model(text)) == "local function 'f' calls itself, or too deeply"


def test_functions_that_grow_without_end(tmp_path):
    bodies = "".join(
        f'<opset_import: ["" : 17, "local" : 1], domain: "local"> f{i} (x) => (y) '
        f"{{ a = local.f{i + 1}(x)  y = local.f{i + 1}(a) }}"
        for i in range(25)
    )
    last = '<opset_import: ["" : 17], domain: "local"> f25 (x) => (y) { y = Relu(x) }'
    head = (
        '<ir_version: 8, opset_import: ["" : 17, "local" : 1]> g (float[N,3] x) => (float[N,2] y) { y = local.f0(x) }'
    )
    text = refused(tmp_path, onnx.parser.parse_model(head + bodies + last))
    assert text == "33554432 nodes with its functions written out; a model for mlpress has at most 2000"


def test_functions_that_cannot_be_written_out(tmp_path):
    text = """<ir_version: 8, opset_import: ["" : 17, "local" : 1]> g (float[N,3] x) => (float[N,2] y) { y = Relu(x) }
    <opset_import: ["" : 17, "local" : 1], domain: "local"> f (x) => (y) { y = local.f(x) }"""
    message = "its local functions cannot be written out; export the model without them"
    assert refused(tmp_path, onnx.parser.parse_model(text)) == message


def test_text_that_is_not_utf8(tmp_path):
    data = external("AAAA").SerializeToString().replace(b"AAAA", b"A\xff\xffA")
    with pytest.raises(MlpressError) as caught:
        (tmp_path / "model.onnx").write_bytes(data)
        load(tmp_path / "model.onnx")
    assert "is stored in 'A\ufffd\ufffdA'; external data must lie in the model's own folder" in str(caught.value)
    data = (
        make("y = MatMul(BBBB, w)", inputs="float[N,3] BBBB", w=W).SerializeToString().replace(b"BBBB", b"B\xff\xffB")
    )
    with pytest.raises(MlpressError, match=r"the input's name .* is empty or holds control characters; rename it"):
        (tmp_path / "model.onnx").write_bytes(data)
        load(tmp_path / "model.onnx")


def external(location: str, **entries: str) -> onnx.ModelProto:
    proto = plain()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return proto


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../weights.bin", "a/../../weights.bin", "", "..\\weights.bin", "a\0b"]
)
def test_external_data_outside_the_folder(tmp_path, location):
    (tmp_path / "inner").mkdir()
    (tmp_path / "weights.bin").write_bytes(W.tobytes())
    text = refused(tmp_path / "inner", external(location))
    assert text.startswith("tensor 'w' is stored in ")
    assert text.endswith("; external data must lie in the model's own folder")


def test_external_data_through_links(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "weights.bin").write_bytes(W.tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    (folder / "out").symlink_to(tmp_path)
    (folder / "loop.bin").symlink_to("loop.bin")
    for location in ("link.bin", "out/weights.bin"):
        assert refused(folder, external(location)) == (
            f"tensor 'w' is stored in '{location}', a link that leads out of the model's folder"
        )
    assert "which is not beside the model" in refused(folder, external("loop.bin"))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({}, "tensor 'w' is stored in 'gone.bin', which is not beside the model; copy it there"),
        ({"location": "."}, "tensor 'w' is stored in '.', which is not beside the model; copy it there"),
        (
            {"location": "weights.bin", "length": "12"},
            "tensor 'w' has 12 bytes of external data; its shape and type need 48",
        ),
        (
            {"location": "weights.bin", "length": "-1"},
            "tensor 'w': the external data's length is '-1'; it must be a count of bytes",
        ),
        (
            {"location": "weights.bin", "offset": "1e3"},
            "tensor 'w': the external data's offset is '1e3'; it must be a count of bytes",
        ),
        (
            {"location": "weights.bin", "offset": "4"},
            "tensor 'w': 'weights.bin' ends before the tensor does; export the model again",
        ),
    ],
)
def test_external_data_that_does_not_fit(tmp_path, entries, message):
    (tmp_path / "weights.bin").write_bytes(W.tobytes())
    entries = {"location": "gone.bin", **entries}
    assert refused(tmp_path, external(**entries)) == message


def test_files_that_are_no_models(tmp_path):
    path = tmp_path / "model.onnx"
    with pytest.raises(MlpressError, match="no such file; give the path of an ONNX model"):
        load(path)
    with pytest.raises(MlpressError, match="no such file"):
        load(tmp_path)
    for content in (b"\xff" * 100, b"PK\x03\x04 a zip file", b"weights = 3\n"):
        path.write_bytes(content)
        with pytest.raises(MlpressError, match="not an ONNX model"):
            load(path)
    path.write_bytes(b"")
    with pytest.raises(
        MlpressError, match="not an ONNX model, or one without outputs; export one from your trainer first"
    ):
        load(path)
    with path.open("wb") as handle:
        handle.truncate((1 << 26) + 1)
    with pytest.raises(MlpressError, match="67108865 bytes; an ONNX model for mlpress has at most 67108864"):
        load(path)


SEED_FILES = [
    plain().SerializeToString(),
    make(
        "s = Shape(x)  f = Flatten(x)  h = Gemm(f, w, b)  a = Clip(h, lo, hi)  z = Gemm(a, v, c)  p = Softmax(z)  "
        "k = ArgMax<axis=1>(p)  y = Gather(n, k)",
        outputs="int64[N,1] y",
        lo=np.float32(0),
        hi=np.float32(1),
        n=np.array([4, 5]),
        **LAYERS,
    ).SerializeToString(),
]


@settings(
    derandomize=True, max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(SEED_FILES), st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=6)
)
def test_damaged_files_give_a_model_or_one_line(tmp_path, content, changes):
    data = bytearray(content)
    for place, byte in changes:
        data[place % len(data)] = byte
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    try:
        load(path)
    except MlpressError as error:
        assert "\n" not in str(error)
