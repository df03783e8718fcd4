"""Networks of 1 to 8 bits: their integers are the network's, and the network goes back to a file of its own."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from support.lowbit import DOMAIN, Graph, random_network, read, run, standard, width_of
from typer.testing import CliRunner

from mlpress.cli import app
from mlpress.codegen.oracle.program import onnx_model
from mlpress.codegen.oracle.qonnx import qonnx_net
from mlpress.errors import MlpressError
from mlpress.frontend import Dataset, exact_net, load
from mlpress.ir import (
    Curve,
    Dense,
    Ladder,
    Layer,
    LeakyRelu,
    Linear,
    Model,
    Net,
    Neuron,
    QRelu,
    Quantiser,
    Raw,
    ScoresHead,
    Staircase,
    Term,
    bit_blast,
    encode,
    from_text,
    interpret,
    interpret_model,
    to_text,
    verify,
)
from mlpress.pipeline.convert import convert


def decisions(net: Net, x: np.ndarray) -> np.ndarray:
    return interpret(net, encode(net, x.astype(np.float64))).decision


def one_layer(op: str, *constants: tuple[object, type], count: int = 3, **attributes: object) -> onnx.ModelProto:
    """Inputs of 8 bits, weights of 4 bits, then ``op``, then weights of 4 bits again."""
    rng, made = np.random.default_rng(8), Graph()

    def quant(x: str, scale: float, bits: int) -> str:
        parts = [made.constant(value, np.float32) for value in (scale, 0.0, bits)]
        return made.node("Quant", x, *parts, domain=DOMAIN, signed=1, narrow=1, rounding_mode="ROUND")

    w, v = (made.constant(rng.normal(size=shape), np.float32) for shape in ((3, 4), (4, count)))
    h = made.node("MatMul", quant("x", 0.03, 8), quant(w, 0.3, 4))
    a = made.node(op, h, *(made.constant(value, kind) for value, kind in constants), domain=DOMAIN, **attributes)
    return made.model(3, made.node("MatMul", a, quant(v, 0.2, 4)))


X = np.random.default_rng(2).normal(size=(300, 3)).astype(np.float32)


def hidden_codes(proto: onnx.ModelProto) -> tuple[np.ndarray, np.ndarray, Net]:
    """The hidden codes of the net that is read, and its layer's sums in the model's own scale."""
    net = read(proto)
    trace = interpret(net, encode(net, X.astype(np.float64)))
    return trace.layers[0], trace.sums[0], net


def test_multi_threshold_is_a_ladder():
    table = np.sort(np.random.default_rng(1).normal(size=(4, 6)), axis=1).astype(np.float32)
    proto = one_layer("MultiThreshold", (table, np.float32), out_dtype="INT4", out_scale=2.0, out_bias=-5.0)
    codes, _, net = hidden_codes(proto)
    x = np.clip(np.rint(X.astype(np.float64) / np.float32(0.03)), -127, 127) * np.float32(0.03)
    w = np.random.default_rng(8).normal(size=(3, 4)).astype(np.float32)
    w = np.clip(np.rint(w / np.float32(0.3)), -7, 7).astype(np.float64) * float(np.float32(0.3))
    expected = ((x @ w)[:, :, None] >= table).sum(axis=2)
    np.testing.assert_array_equal(codes, expected)
    assert all(isinstance(neuron.activation, Ladder) for neuron in net.layers[0].neurons)
    assert {len(neuron.activation.thresholds) for neuron in net.layers[0].neurons} == {6}


@pytest.mark.parametrize("mode", ["FLOOR", "CEIL", "ROUND", "HALF_UP", "HALF_DOWN", "UP", "DOWN"])
def test_trunc_drops_bits(mode):
    rounding = {
        "FLOOR": np.floor,
        "CEIL": np.ceil,
        "ROUND": np.rint,
        "HALF_UP": lambda v: np.sign(v) * np.floor(np.abs(v) + 0.5),
        "HALF_DOWN": lambda v: np.sign(v) * np.ceil(np.abs(v) - 0.5),
        "UP": lambda v: np.sign(v) * np.ceil(np.abs(v)),
        "DOWN": np.trunc,
    }[mode]
    scale = 0.25
    older = one_layer("Trunc", (scale, np.float32), (0.0, np.float32), (8.0, np.float32), (5.0, np.float32),
                      rounding_mode=mode)  # fmt: skip
    newer = one_layer("Trunc", (scale, np.float32), (2.0, np.float32), (8.0, np.float32), (8 * scale, np.float32),
                      (4.0, np.float32), rounding_mode=mode, signed=1, narrow=0)  # fmt: skip
    x = np.clip(np.rint(X.astype(np.float64) / np.float32(0.03)), -127, 127) * float(np.float32(0.03))
    w = np.random.default_rng(8).normal(size=(3, 4)).astype(np.float32)
    w = np.clip(np.rint(w / np.float32(0.3)), -7, 7).astype(np.float64) * float(np.float32(0.3))
    dropped = rounding(np.rint(x @ w / scale) / 8)
    codes, _, _ = hidden_codes(older)
    np.testing.assert_array_equal(codes - 16, dropped)
    codes, _, _ = hidden_codes(newer)
    np.testing.assert_array_equal(codes - 8, rounding(np.clip(np.rint(x @ w / scale + 2) / 8, -8, 7)))


def test_other_domains_and_refusals(tmp_path):
    proto = one_layer("BipolarQuant", (0.5, np.float32))
    expected = decisions(read(proto), X)
    for domain in ("onnx.brevitas", "qonnx.custom_op.general.v2"):
        renamed = onnx.ModelProto()
        renamed.CopyFrom(proto)
        for node in renamed.graph.node:
            node.domain = domain if node.domain else ""
        renamed.opset_import.append(helper.make_opsetid(domain, 1))
        np.testing.assert_array_equal(decisions(read(renamed), X), expected)
    for bad, message in (
        (("Quant", (0.5, np.float32), (0.5, np.float32), (4.0, np.float32)), "its zero point is no integer"),
        (("Quant", (0.5, np.float32), (0.0, np.float32), (2.5, np.float32)), "it has 2.5 bits"),
        (("Quant", (-0.5, np.float32), (0.0, np.float32), (4.0, np.float32)), "its scale is not positive"),
        (("FloatQuant", (0.5, np.float32)), "a quantiser to small floats has no evenly spaced codes"),
    ):
        with pytest.raises(MlpressError, match=message):
            read(one_layer(*bad, signed=1, narrow=0, rounding_mode="ROUND"))


def test_fewer_bits_are_a_far_smaller_circuit():
    def network(bits: int) -> Net:
        rng, made = np.random.default_rng(3), Graph()

        def quant(x: str, scale: float, signed: int) -> str:
            parts = [made.constant(value, np.float32) for value in (scale, 0.0, bits)]
            return made.node("Quant", x, *parts, domain=DOMAIN, signed=signed, narrow=signed, rounding_mode="ROUND")

        step = 4.0 / (1 << bits)
        w, v = (made.constant(rng.normal(size=shape), np.float32) for shape in ((6, 5), (5, 3)))
        h = made.node("Relu", made.node("MatMul", quant("x", step, 1), quant(w, step, 1)))
        return read(made.model(6, made.node("MatMul", quant(h, step * 2, 0), quant(v, step, 1))))

    small, large = (len(bit_blast(network(bits)).ands) for bits in (2, 8))
    assert small * 10 < large


def test_thresholds_a_power_of_two_apart_are_a_shift():
    made, rng = Graph(), np.random.default_rng(6)

    def quant(x: str, scale: float, bits: float, signed: int) -> str:
        parts = [made.constant(value, np.float32) for value in (scale, 0.0, bits)]
        return made.node("Quant", x, *parts, domain=DOMAIN, signed=signed, narrow=0, rounding_mode="FLOOR")

    w, v = (made.constant(rng.normal(size=shape), np.float32) for shape in ((3, 4), (4, 3)))
    h = made.node("Relu", made.node("MatMul", quant("x", 2.0**-5, 8, 1), quant(w, 2.0**-4, 6, 1)))
    net = read(made.model(3, made.node("MatMul", quant(h, 2.0**-6, 8, 0), quant(v, 2.0**-4, 6, 1))))
    assert {neuron.activation for neuron in net.layers[0].neurons} == {QRelu(3, 8)}


@pytest.mark.parametrize("seed", range(8))
def test_the_network_goes_back_to_a_file_and_comes_again(tmp_path, seed):
    path = tmp_path / "model.onnx"
    path.write_bytes(random_network(seed).SerializeToString())
    net = exact_net(load(path))
    written = tmp_path / "net.onnx"
    result = CliRunner().invoke(app, ["convert", str(path), "-o", str(written)])
    assert result.exit_code == 0, result.output
    again = exact_net(load(written))
    assert again == convert(load(path))[1]
    x = np.random.default_rng(seed).normal(size=(200, len(net.inputs))).astype(np.float32)
    np.testing.assert_array_equal(decisions(again, x), decisions(net, x))
    assert convert(load(written))[1] == again


def test_a_real_model_is_converted_on_its_rows(tmp_path):
    rng = np.random.default_rng(0)
    hidden = Dense(rng.normal(size=(5, 3)), rng.normal(size=5), LeakyRelu(0.25))
    last = Dense(rng.normal(size=(2, 5)), np.zeros(2), Linear())
    model = Model(("a", "b", "c"), np.ones(3), np.zeros(3), (hidden, last), ScoresHead(), ())
    data = Dataset.from_arrays(X, interpret_model(model, X.astype(np.float64))[0], task="regression")
    _, net = convert(model, data, input_bits=6)
    assert net.scores is not None
    with pytest.raises(MlpressError, match="no integers stand for its inputs, so the model is not quantised whole"):
        convert(model)


def test_what_no_file_holds_is_refused():
    net = read(random_network(0))
    term = next(term for neuron in net.layers[0].neurons for term in neuron.terms)
    cut = Neuron(0, (Term(term.source, 1, 0, 1),), Raw())
    wide = Net(net.inputs, (Layer((cut, cut)),), net.head, (0, 1))
    if (1 << net.inputs[term.source].bits) - 1 != 1:
        with pytest.raises(MlpressError, match="product bits are dropped; only exact weights can be written"):
            qonnx_net(wide)


def test_each_neuron_may_have_its_own(tmp_path):
    """Text form, verifier, interpreter and oracle of layers whose neurons differ."""
    rng = np.random.default_rng(5)
    kinds = (LeakyRelu(-0.5), Curve("gelu"), Curve("elu", (0.5,)), Linear(), Curve("mish"), Curve("celu", (2.0,)))
    coders = (None, Quantiser(0.25, 1, -3, 4, "half_up"), Staircase((-1.0, 0.0, 0.5), 2.0, -3.0), None,
              Quantiser(0.5, 0, 0, 7, "ceil"), Quantiser(0.125, -1, -8, 7, "down"))  # fmt: skip
    first = Dense(rng.normal(size=(6, 3)), rng.normal(size=6), kinds, None, coders)
    last = Dense(rng.normal(size=(2, 6)), rng.normal(size=2), Linear())
    inputs = (Quantiser(0.1, 0, -9, 9), None, Staircase((0.0,), 2.0, -1.0))
    model = Model(("a", "b", "c"), np.ones(3), np.zeros(3), (first, last), ScoresHead(), (), quantiser=inputs)
    verify(model)
    assert from_text(to_text(model)) == model
    x = X.astype(np.float64)
    values, _ = interpret_model(model, x)
    np.testing.assert_allclose(run(onnx_model(model), "features", x)[0], values, rtol=1e-6, atol=1e-6)


def test_the_standard_form_is_qonnxs_own(monkeypatch):
    """Against the executor of the ``qonnx`` package, where it is installed."""
    onnx_exec = pytest.importorskip("qonnx.core.onnx_exec")
    wrapper = pytest.importorskip("qonnx.core.modelwrapper")
    shapes = pytest.importorskip("qonnx.transformation.infer_shapes")
    monkeypatch.setattr(onnx, "IR_VERSION", 9)  # qonnx writes graphs of single nodes, newer than onnxruntime reads
    for seed in range(0, 40, 2):
        proto = random_network(seed)
        x = np.random.default_rng(seed).normal(size=(50, width_of(proto))).astype(np.float32)
        proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = len(x)
        whole = wrapper.ModelWrapper(proto).transform(shapes.InferShapes())
        result = onnx_exec.execute_onnx(whole, {"x": x})
        expected = run(standard(proto), "x", x.astype(np.float64))[0]
        np.testing.assert_allclose(next(iter(result.values())), expected, 1e-4, 1e-6, err_msg=str(seed))


def test_files_for_other_tools_run_in_qonnxs_own_executor(monkeypatch):
    """Where it is installed; sums of single and of double precision, and of either with scales of the other."""
    onnx_exec = pytest.importorskip("qonnx.core.onnx_exec")
    wrapper = pytest.importorskip("qonnx.core.modelwrapper")
    shapes = pytest.importorskip("qonnx.transformation.infer_shapes")
    monkeypatch.setattr(onnx, "IR_VERSION", 9)
    for seed in range(0, 60, 5):
        net = read(random_network(seed))
        proto = qonnx_net(net)
        entry = proto.graph.input[0].type.tensor_type
        x = (
            np.random.default_rng(seed)
            .normal(size=(50, len(net.inputs)))
            .astype(helper.tensor_dtype_to_np_dtype(entry.elem_type))
        )
        entry.shape.dim[0].dim_value = len(x)
        result = onnx_exec.execute_onnx(wrapper.ModelWrapper(proto).transform(shapes.InferShapes()), {"features": x})
        np.testing.assert_array_equal(next(iter(result.values())).reshape(-1), decisions(net, x), err_msg=str(seed))


def test_whole_numbers_that_single_precision_holds_are_written_in_it():
    kinds = set()
    for seed in range(0, 60, 5):
        proto = qonnx_net(read(random_network(seed)))
        held = [numpy_helper.to_array(tensor) for tensor in proto.graph.initializer]
        weights = [array for array in held if array.ndim == 2 and array.dtype != np.int64 and len(array) > 1]
        kinds |= {str(array.dtype) for array in weights}
        assert all(np.abs(array).max() <= 1 << 24 for array in weights if array.dtype == np.float32)
    assert kinds == {"float32", "float64"}


@pytest.mark.parametrize("bits", [1, 2])
def test_a_network_as_the_model_zoos_hold_it(bits):
    """Pictures flattened and scaled to -1 and 1, weights kept by output, batch normalisation, one for all scores."""
    rng, made = np.random.default_rng(bits), Graph()
    held = [rng.normal(size=shape).astype(np.float32) for shape in ((8, 16), (8, 8), (5, 8))]
    norms = [[rng.normal(size=8), rng.normal(size=8), rng.normal(size=8), rng.uniform(0.5, 9, 8)] for _ in range(2)]

    def quant(x: str) -> str:
        if bits == 1:
            return made.node("BipolarQuant", x, made.constant(1.0, np.float32), domain=DOMAIN)
        parts = [made.constant(value, np.float32) for value in (1.0, 0.0, bits)]
        return made.node("Quant", x, *parts, domain=DOMAIN, signed=1, narrow=1, rounding_mode="ROUND")

    def codes(values: np.ndarray) -> np.ndarray:
        return np.where(values >= 0, 1.0, -1.0) if bits == 1 else np.clip(np.rint(values), -1.0, 1.0)

    flat = made.node("Reshape", "x", made.constant([-1, 16], np.int64))
    twice = made.node("Mul", flat, made.constant(2.0, np.float32))
    x = quant(made.node("Sub", twice, made.constant([1.0], np.float32)))
    pictures = rng.uniform(size=(300, 1, 4, 4)).astype(np.float32)
    values = codes(2.0 * pictures.reshape(-1, 16).astype(np.float64) - 1.0)
    for weight, norm in zip(held, [*norms, None], strict=True):
        x = made.node("MatMul", x, made.node("Transpose", quant(made.constant(weight, np.float32)), perm=[1, 0]))
        values = values @ codes(weight.astype(np.float64)).T
        if norm is not None:
            x = quant(made.node("BatchNormalization", x, *(made.constant(part, np.float32) for part in norm)))
            scale, shift, mean, variance = (part.astype(np.float32).astype(np.float64) for part in norm)
            values = codes((values - mean) / np.sqrt(variance + 1e-5) * scale + shift)
    root = made.node("Pow", made.constant([2.3], np.float32), made.constant(0.5, np.float32))
    for op, other in (
        ("Sub", made.constant([0.4], np.float32)),
        ("Div", root),
        ("Mul", made.constant([0.7], np.float32)),
    ):
        x = made.node(op, x, other)
    proto = made.model(16, x)
    shape = proto.graph.input[0].type.tensor_type.shape
    shape.CopyFrom(helper.make_tensor_value_info("x", 1, [1, 1, 4, 4]).type.tensor_type.shape)
    net = read(proto)
    np.testing.assert_array_equal(decisions(net, pictures.reshape(-1, 16)), values.argmax(axis=1))
    assert len(set(values.argmax(axis=1).tolist())) > 2
