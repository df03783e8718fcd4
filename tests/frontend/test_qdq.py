"""Quantised (QDQ) models: their integers are the network's integers, and onnxruntime says the same of every row."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from support.onnx_text import make, refused, rows, run, saved, weights

from mlpress.frontend import Dataset, load, quantise
from mlpress.ir import (
    Argmax,
    Ladder,
    LeakyRelu,
    Linear,
    Net,
    Quantiser,
    Raw,
    Relu,
    Scores,
    Sigmoid,
    Threshold,
    encode,
    interpret,
    interpret_model,
)

RANGES = {
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int4": (-8, 7),
    "uint4": (0, 15),
    "int16": (-(1 << 15), (1 << 15) - 1),
}
TYPES = {"int8": TensorProto.INT8, "uint8": TensorProto.UINT8, "int4": TensorProto.INT4, "uint4": TensorProto.UINT4}
TYPES |= {"int32": TensorProto.INT32}


@dataclass(frozen=True)
class Recipe:
    """A random QDQ model: all scales powers of two, so that single precision is exact, ties included."""

    kind: str = "int8"
    zero: int = 0
    hidden: str = "a = Identity(g)"
    width: int = 4
    outputs: int = 3
    per_channel: bool = False
    real_bias: bool = False
    quantised_scores: bool = True
    matmul: bool = False
    opset: int = 21


def integers(name: str, kind: str, values) -> onnx.TensorProto:
    values = np.asarray(values)
    return helper.make_tensor(name, TYPES[kind], values.shape, values.reshape(-1).tolist())


def quantised_model(recipe: Recipe, seed: int) -> onnx.ModelProto:
    rng = np.random.default_rng([seed, recipe.width, recipe.outputs])
    low, high = RANGES[recipe.kind]
    w_low, w_high = (-7, 7) if "4" in recipe.kind else (-127, 127)
    sums = "m = MatMul({x}, {w})  {y} = Add(m, {b})" if recipe.matmul else "{y} = Gemm({x}, {w}, {b})"
    body = [
        "xq = QuantizeLinear(x, xs, xz)  xd = DequantizeLinear(xq, xs, xz)",
        "wd = DequantizeLinear<axis=1>(w, ws)  vd = DequantizeLinear<axis=1>(v, vs)",
        "" if recipe.real_bias else "bd = DequantizeLinear<axis=0>(b, bs)  cd = DequantizeLinear<axis=0>(c, cs)",
        sums.format(x="xd", w="wd", b="bd", y="g"),
        recipe.hidden,
        "aq = QuantizeLinear(a, as, az)  ad = DequantizeLinear(aq, as, az)",
        sums.replace("m =", "n =").replace("(m,", "(n,").format(x="ad", w="vd", b="cd", y="z"),
        "yq = QuantizeLinear(z, ys, yz)  y = DequantizeLinear(yq, ys, yz)"
        if recipe.quantised_scores
        else "y = Identity(z)",
    ]
    exponents = rng.integers(-2, 2, recipe.width) if recipe.per_channel else np.zeros(1, np.int64)
    last = rng.integers(-2, 2, recipe.outputs) if recipe.per_channel else np.zeros(1, np.int64)
    xs, ws, vs = 2.0**-4, 2.0 ** (exponents - 5), 2.0 ** (last - 4)
    spread = xs * float(ws.mean()) * (w_high / 2) * (high - low) / 2
    step = 2.0 ** int(np.floor(np.log2(spread / (high - low)) + 1))
    scales = {"xs": xs, "as": step, "ys": step * 8}
    constants = {name: np.float32(value) for name, value in scales.items()}
    if recipe.per_channel:
        constants |= {"ws": ws.astype(np.float32), "vs": vs.astype(np.float32)}
        constants |= {"bs": (xs * ws).astype(np.float32), "cs": (step * vs).astype(np.float32)}
    else:
        constants |= {"ws": np.float32(ws[0]), "vs": np.float32(vs[0])}
        constants |= {"bs": np.float32(xs * ws[0]), "cs": np.float32(step * vs[0])}
    bias = rng.integers(-2000, 2000, recipe.width), rng.integers(-2000, 2000, recipe.outputs)
    if recipe.real_bias:
        constants |= {name: (b * 2.0**-13).astype(np.float32) for name, b in zip(("bd", "cd"), bias, strict=True)}
    proto = make("  ".join(body), outputs=f"float[N,{recipe.outputs}] y", opset=recipe.opset, **constants)
    kinds = [("xz", recipe.kind, recipe.zero & ~1), ("az", recipe.kind, recipe.zero), ("yz", recipe.kind, recipe.zero)]
    kind = "int4" if "4" in recipe.kind else "int8"
    kinds += [("w", kind, rng.integers(w_low, w_high + 1, (3, recipe.width)))]
    kinds += [("v", kind, rng.integers(w_low, w_high + 1, (recipe.width, recipe.outputs)))]
    kinds += [] if recipe.real_bias else [("b", "int32", bias[0]), ("c", "int32", bias[1])]
    for name, of, values in kinds:
        proto.graph.initializer.append(integers(name, of, values))
    proto.graph.output.append(helper.make_tensor_value_info("ad", TensorProto.FLOAT, ("N", recipe.width)))
    return proto


def codes_of(values, proto: onnx.ModelProto, step: str, zero: int, low: int):
    """The codes above the lowest that dequantised ``values`` stand for; exact, since steps are powers of two."""
    scale = next(numpy_helper.to_array(tensor) for tensor in proto.graph.initializer if tensor.name == step)
    codes = values.astype(np.float64) / float(scale) + zero - low
    assert (codes == np.rint(codes)).all()
    return codes.astype(np.int64)


def without_codes(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its first output only."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    del copy.graph.output[1:]
    return copy


RECIPES = [
    Recipe(),
    Recipe(zero=-128),
    Recipe(zero=17),
    Recipe(kind="uint8", zero=128),
    Recipe(kind="uint8", hidden="a = Relu(g)", quantised_scores=False),
    Recipe(kind="int4", zero=-3),
    Recipe(kind="uint4", zero=5, hidden="a = Relu(g)"),
    Recipe(kind="int8", hidden="a = Clip(g, lo, hi)", zero=3),
    Recipe(kind="int8", hidden="a = LeakyRelu<alpha=0.25>(g)", zero=-50),
    Recipe(kind="int8", hidden="a = HardSigmoid<alpha=0.25, beta=0.5>(g)", zero=-100),
    Recipe(kind="int8", per_channel=True),
    Recipe(kind="int8", per_channel=True, quantised_scores=False, zero=-128),
    Recipe(kind="int8", real_bias=True),
    Recipe(kind="int8", real_bias=True, quantised_scores=False, per_channel=True),
    Recipe(kind="int8", matmul=True, opset=13),
    Recipe(kind="int8", matmul=True, real_bias=True, quantised_scores=False),
    Recipe(kind="int8", outputs=1, zero=2),
    Recipe(kind="uint8", outputs=1, quantised_scores=False, real_bias=True),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_codes_and_classes_are_onnxruntimes(tmp_path, recipe, seed):
    proto = quantised_model(recipe, seed)
    for name, value in (("lo", -1.0), ("hi", 1.5)):
        proto.graph.initializer.append(numpy_helper.from_array(np.float32(value), name))
    x = rows()
    x[:, 0] = np.rint(x[:, 0] * 32) / 32  # half-way between two codes
    model = load(saved(tmp_path, without_codes(proto)))
    result = quantise(model, Dataset.from_arrays(x, np.arange(len(x)) % max(recipe.outputs, 2)))
    scores, hidden = run(proto, x)
    trace = interpret(result.net, encode(result.net, x.astype(np.float64)))
    low = RANGES[recipe.kind][0]
    np.testing.assert_array_equal(trace.layers[0], codes_of(hidden, proto, "as", recipe.zero, low))
    expected = (scores[:, 0] > 0).astype(np.int64) if recipe.outputs == 1 else scores.argmax(axis=1)
    np.testing.assert_array_equal(trace.decision, expected)
    assert result.report.exact
    assert result.report.agreement == 1.0
    if recipe.quantised_scores and recipe.outputs > 1:
        np.testing.assert_array_equal(trace.layers[1], codes_of(scores, proto, "ys", recipe.zero, low))
        assert all(neuron.activation == Raw() for neuron in result.net.layers[2].neurons)
    else:
        assert len(result.net.layers) == 2
    values, _ = interpret_model(model, x.astype(np.float64))
    np.testing.assert_allclose(values, scores, rtol=1e-6)


def test_the_integers_are_kept(tmp_path):
    proto = without_codes(quantised_model(Recipe(zero=-128, quantised_scores=False), 7))
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    model = load(saved(tmp_path, proto))
    assert model.quantiser == Quantiser(2.0**-4, -128, -128, 127)
    for layer, weight, bias in zip(model.layers, ("w", "v"), ("b", "c"), strict=True):
        np.testing.assert_array_equal(layer.integers.weight, held[weight].T)
        np.testing.assert_array_equal(layer.integers.bias, held[bias])
    net = quantise(model, Dataset.from_arrays(rows(), np.arange(200) % 3)).net
    found = np.zeros((4, 3), np.int64)
    for j, neuron in enumerate(net.layers[0].neurons):
        for term in neuron.terms:
            found[j, term.source] += term.sign << term.shift
        assert neuron.bias == held["b"][j]  # the input's zero point is its lowest code
        assert isinstance(neuron.activation, Ladder)
        assert len(neuron.activation.thresholds) == 255
    np.testing.assert_array_equal(found, held["w"].T)
    assert net.head == Argmax()
    assert [feature.bits for feature in net.inputs] == [8, 8, 8]
    assert {feature.rounding for feature in net.inputs} == {"even"}


def test_cheaper_scores_differ_only_where_codes_tie_or_saturate(tmp_path):
    model = load(saved(tmp_path, without_codes(quantised_model(Recipe(), 5))))
    data = Dataset.from_arrays(rows(), np.arange(200) % 3)
    exact, cheap = quantise(model, data).net, quantise(model, data, output_codes=False).net
    assert (len(exact.layers), len(cheap.layers)) == (3, 2)
    codes = encode(exact, data.features)
    coded, summed = interpret(exact, codes), interpret(cheap, codes)
    scores = np.sort(coded.layers[1], axis=1)
    clear = scores[:, -1] > scores[:, -2]
    np.testing.assert_array_equal(coded.decision[clear], summed.decision[clear])
    assert 0.5 < clear.mean() < 1.0


def test_regression_scores(tmp_path):
    for quantised in (True, False):
        recipe = Recipe(outputs=2, quantised_scores=quantised, per_channel=True, real_bias=True)
        proto = without_codes(quantised_model(recipe, 3))
        model = load(saved(tmp_path, proto), task="regression")
        result = quantise(model, Dataset.from_arrays(rows(), rows(2), task="regression"))
        assert isinstance(result.net.head, Scores)
        trace = interpret(result.net, encode(result.net, rows().astype(np.float64)))
        real = trace.scores * np.array(result.net.head.scale) + np.array(result.net.head.offset)
        np.testing.assert_allclose(real, run(proto, rows())[0], rtol=1e-6)
        assert result.report.metric == "r2"
        assert result.report.agreement == pytest.approx(1.0, abs=1e-9)


def test_integers_can_be_quantised_anew(tmp_path):
    model = load(saved(tmp_path, without_codes(quantised_model(Recipe(hidden="a = Relu(g)"), 2))))
    _, found = interpret_model(model, rows().astype(np.float64))
    result = quantise(model, Dataset.from_arrays(rows(), found), keep_integers=False, input_bits=6)
    assert not result.report.exact
    assert {feature.bits for feature in result.net.inputs} == {6}
    assert result.report.net_score > 0.9


class Rows(CalibrationDataReader):
    def __init__(self, x):
        self.left = [x[i : i + 20] for i in range(0, len(x), 20)]

    def get_next(self):
        return {"x": self.left.pop()} if self.left else None


FLOAT_BODIES = {
    "Gemm Relu": "h = Gemm(x, w, b)  a = Relu(h)  y = Gemm(a, v, c)",
    "MatMul Add Relu": "h = MatMul(x, w)  g = Add(h, b)  a = Relu(g)  i = MatMul(a, v)  y = Add(i, c)",
    "Sigmoid": "h = Gemm(x, w, b)  a = Sigmoid(h)  y = Gemm(a, v, c)",
    "LeakyRelu": "h = Gemm(x, w, b)  a = LeakyRelu<alpha=0.1>(h)  y = Gemm(a, v, c)",
    "Softmax": "h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  y = Softmax(z)",
    "one logit": "h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  y = Sigmoid(z)",
    "three layers": "h = Gemm(x, w, b)  a = Relu(h)  g = Gemm(a, u, b)  r = Relu(g)  y = Gemm(r, v, c)",
}


@pytest.mark.parametrize("name", FLOAT_BODIES)
@pytest.mark.parametrize(
    ("activations", "weight_type", "per_channel"),
    [
        (QuantType.QInt8, QuantType.QInt8, False),
        (QuantType.QUInt8, QuantType.QInt8, True),
        (QuantType.QUInt8, QuantType.QUInt8, False),
    ],
)
def test_models_quantised_by_onnxruntime(tmp_path, name, activations, weight_type, per_channel):
    outputs = 1 if name == "one logit" else 3
    constants = {"w": weights(3, 6), "b": weights(6), "v": weights(6, outputs), "c": weights(outputs)}
    constants |= {"u": weights(6, 6)} if name == "three layers" else {}
    proto = make(FLOAT_BODIES[name], outputs=f"float[N,{outputs}] y", opset=21, **constants)
    x = rows()
    options = {"per_channel": per_channel, "activation_type": activations, "weight_type": weight_type}
    path = tmp_path / "model.onnx"
    quantize_static(proto, path, Rows(x), quant_format=QuantFormat.QDQ, **options)
    quantised = onnx.load(path)
    model = load(path)
    found = run(quantised, x)[0]
    expected = (found[:, 0] > 0.5).astype(np.int64) if outputs == 1 else found.argmax(axis=1)
    result = quantise(model, Dataset.from_arrays(x, expected, classes=range(max(outputs, 2))))
    trace = interpret(result.net, encode(result.net, x.astype(np.float64)))
    assert result.report.exact
    if name == "Softmax":  # probabilities that are quantised to the same code leave a tie that the scores decide
        top = np.sort(found, axis=1)
        clear = top[:, -1] > top[:, -2]
        np.testing.assert_array_equal(trace.decision[clear], expected[clear])
    else:
        np.testing.assert_array_equal(trace.decision, expected)
    assert isinstance(result.net.head, Threshold if outputs == 1 else Argmax)


def test_thresholds_are_exact_where_single_precision_is_not(tmp_path):
    """Codes against ``QuantizeLinear`` in rational arithmetic, for scales that are no powers of two."""
    rng = np.random.default_rng(11)
    constants = {"xs": np.float32(0.0123), "as": np.float32(0.0457), "ws": np.float32(0.00731)}
    body = (
        "xq = QuantizeLinear(x, xs, xz)  xd = DequantizeLinear(xq, xs, xz)  wd = DequantizeLinear(w, ws)  "
        "bd = DequantizeLinear(b, bs)  h = Gemm(xd, wd, bd)  a = Relu(h)  aq = QuantizeLinear(a, as, az)  "
        "ad = DequantizeLinear(aq, as, az)  y = Gemm(ad, wd)"
    )
    proto = make(body, outputs="float[N,3] y", bs=constants["xs"] * constants["ws"], **constants)
    w, b = rng.integers(-127, 128, (3, 3)), rng.integers(-3000, 3000, 3)
    for name, kind, values in (("w", "int8", w), ("b", "int32", b), ("xz", "int8", -7), ("az", "int8", -128)):
        proto.graph.initializer.append(integers(name, kind, values))
    net = quantise(load(saved(tmp_path, proto)), Dataset.from_arrays(rows(), np.arange(200) % 3)).net
    codes = rng.integers(0, 256, (300, 3))
    step = Fraction(float(constants["xs"])) * Fraction(float(constants["ws"])) / Fraction(float(constants["as"]))
    sums = (codes - 128 + 7) @ w + b
    expected = [[min(max(round(max(total, 0) * step), 0), 255) for total in row] for row in sums.tolist()]
    np.testing.assert_array_equal(interpret(net, codes).layers[0], expected)


def test_quantised_inputs_and_outputs(tmp_path):
    body = "d = DequantizeLinear(x, s, z)  wd = DequantizeLinear(w, s)  h = Gemm(d, wd)  y = QuantizeLinear(h, t, z)"
    proto = make(body, inputs="int8[N,3] x", outputs="int8[N,2] y", s=np.float32(0.5), t=np.float32(16), z=np.int8(3))
    proto.graph.initializer.append(integers("w", "int8", np.random.default_rng(1).integers(-127, 128, (3, 2))))
    x = np.random.default_rng(2).integers(-128, 128, (300, 3)).astype(np.int8)
    model = load(saved(tmp_path, proto))
    found = run(proto, x)[0]
    net: Net = quantise(model, Dataset.from_arrays(x, np.arange(300) % 2)).net
    trace = interpret(net, encode(net, x.astype(np.float64)))
    np.testing.assert_array_equal(encode(net, x.astype(np.float64)), x.astype(np.int64) + 128)
    np.testing.assert_array_equal(trace.layers[0], found.astype(np.int64) + 128)
    np.testing.assert_array_equal(trace.decision, found.argmax(axis=1))


def test_weights_quantised_in_the_graph(tmp_path):
    """As PyTorch writes quantisation-aware models: real weights through QuantizeLinear and DequantizeLinear."""
    body = (
        "xq = QuantizeLinear(x, s, z)  xd = DequantizeLinear(xq, s, z)  wq = QuantizeLinear<axis=0>(w, ws, wz)  "
        "wd = DequantizeLinear<axis=0>(wq, ws, wz)  y = Gemm<transB=1>(xd, wd, b)"
    )
    w = weights(2, 3)
    constants = {"s": np.float32(0.0625), "z": np.int8(0), "w": w, "b": weights(2), "wz": np.zeros(2, np.int8)}
    proto = make(body, ws=np.array([0.03, 0.02], np.float32), **constants)
    model = load(saved(tmp_path, proto))
    held = model.layers[0].integers
    expected = np.clip(np.rint(w / np.array([[0.03], [0.02]], np.float32)), -128, 127)
    np.testing.assert_array_equal(held.weight, expected)
    assert held.bias is None
    net = quantise(model, Dataset.from_arrays(rows(), np.arange(200) % 2)).net
    found = interpret(net, encode(net, rows().astype(np.float64))).decision
    np.testing.assert_array_equal(found, run(proto, rows())[0].argmax(axis=1))


def test_activations_that_stay_between_quantisers(tmp_path):
    proto = without_codes(quantised_model(Recipe(hidden="a = LeakyRelu<alpha=0.25>(g)"), 1))
    assert [layer.activation for layer in load(saved(tmp_path, proto)).layers] == [LeakyRelu(0.25), Linear()]
    body = "q = QuantizeLinear(g, as, az)  d = DequantizeLinear(q, as, az)  a = Sigmoid(d)"
    layers = load(saved(tmp_path, without_codes(quantised_model(Recipe(hidden=body), 1)))).layers
    assert [layer.activation for layer in layers] == [Linear(), Sigmoid(), Linear()]
    net = quantise(load(saved(tmp_path, proto)), Dataset.from_arrays(rows(), np.arange(200) % 3)).net
    assert len(net.layers[0].neurons) == 4
    relu = without_codes(quantised_model(Recipe(hidden="a = Relu(g)"), 1))
    assert load(saved(tmp_path, relu)).layers[0].activation == Relu()


QDQ = "q = QuantizeLinear(x, s, z)  d = DequantizeLinear(q, s, z)  y = MatMul(d, w)"
BASE = {"s": np.float32(0.1), "z": np.int8(0), "w": weights(3, 2)}


@pytest.mark.parametrize(
    ("body", "changes", "message"),
    [
        (
            QDQ.replace("(q, s, z)", "(q, t, z)"),
            {"t": np.float32(0.2)},
            "node of output 'd' (DequantizeLinear): it dequantises with another scale "
            "or zero point than quantised its input",
        ),
        (
            QDQ,
            {"s": np.array([0.1, 0.2], np.float32), "z": np.zeros(2, np.int8)},
            "node of output 'q' (QuantizeLinear): 2 scales or zero points do not fit rows of shape (3,)",
        ),
        (QDQ, {"s": np.float32(0)}, "node of output 'q' (QuantizeLinear): its scale is not positive"),
        (
            QDQ,
            {"s": np.float32("nan")},
            "node of output 'q' (QuantizeLinear): a constant holds a value that is not finite",
        ),
        (
            QDQ,
            {"z": np.float32(0)},
            "node of output 'q' (QuantizeLinear): its integers have type FLOAT; supported: INT4, UINT4, INT8,",
        ),
        (
            "q = QuantizeLinear(x, s, z)  y = MatMul(q, w)",
            {},
            "node of output 'y' (MatMul): it multiplies what is quantised by what is a constant; that is not supported",
        ),
        (
            "d = DequantizeLinear(w, s)  y = MatMul(x, d)",
            {},
            "node of output 'd' (DequantizeLinear): it dequantises what is a constant; "
            "supported are integers with a zero point",
        ),
        (
            "q = QuantizeLinear<block_size=2>(w, s, z)  d = DequantizeLinear<block_size=2>(q, s, z)  y = MatMul(x, d)",
            {},
            "node of output 'q' (QuantizeLinear): blocked quantisation is not supported; "
            "use one scale for a tensor or for an axis",
        ),
        (
            "q = QuantizeLinear(w, s, z)  d = DequantizeLinear<axis=1>(q, t, z)  y = MatMul(x, d)",
            {"t": np.ones(5, np.float32)},
            "node of output 'd' (DequantizeLinear): 5 scales or zero points do not fit a tensor of shape (3, 2)",
        ),
    ],
)
def test_quantisers_that_cannot_be_read(tmp_path, body, changes, message):
    assert refused(tmp_path, make(body, opset=21, **{**BASE, **changes})).startswith(message)
