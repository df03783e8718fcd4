"""One model of each kind that people have: read as onnxruntime computes it, or refused for its true reason."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.onnx_text import check, make, refused, rows, run, saved, weights

from mlpress.frontend import Dataset, load, quantise
from mlpress.ir import ThresholdHead, encode, interpret, interpret_model

SIZES = {"w": weights(3, 6), "b": weights(6), "v": weights(6, 3), "c": weights(3), "u": weights(6, 1)}
OUTPUT = "float[N,3] y"


def hidden(body: str, **more) -> onnx.ModelProto:
    """A network whose hidden values ``h`` become ``a`` by ``body``."""
    return make(f"h = Gemm(x, w, b)  {body}  y = Gemm(a, v, c)", outputs=OUTPUT, opset=20, **{**SIZES, **more})


READ = {
    "elu": hidden("a = Elu<alpha=0.7>(h)"),
    "selu": hidden("a = Selu(h)"),
    "celu": hidden("a = Celu<alpha=2.0>(h)"),
    "softplus": hidden("a = Softplus(h)"),
    "softsign": hidden("a = Softsign(h)"),
    "hardswish": hidden("a = HardSwish(h)"),
    "gelu": hidden("a = Gelu(h)"),
    "gelu by tanh": hidden('a = Gelu<approximate="tanh">(h)'),
    "mish": hidden("a = Mish(h)"),
    "silu": hidden("s = Sigmoid(h)  a = Mul(h, s)"),
    "sign": hidden("a = Sign(h)"),
    "absolute": hidden("a = Abs(h)"),
    "erf": hidden("a = Erf(h)"),
    "silu of a multiple": hidden("m = Mul(h, z)  s = Sigmoid(m)  a = Mul(s, h)", z=np.float32(1.7)),
    "gelu in five nodes": hidden(
        "d = Div(h, r)  e = Erf(d)  f = Add(e, o)  g = Mul(h, f)  a = Mul(g, z)",
        r=np.float32(np.sqrt(2)), o=np.float32(1), z=np.float32(0.5),
    ),
    "gelu, halved first": hidden(
        "d = Mul(h, r)  e = Erf(d)  f = Add(e, o)  k = Mul(h, z)  a = Mul(k, f)",
        r=np.float32(np.sqrt(0.5)), o=np.float32(1), z=np.float32(0.5),
    ),
    "mish in three nodes": hidden("s = Softplus(h)  t = Tanh(s)  a = Mul(h, t)"),
    "hard swish by HardSigmoid": hidden("s = HardSigmoid<alpha=0.1666667, beta=0.5>(h)  a = Mul(h, s)"),
    "hard swish by a clip": hidden(
        "s = Add(h, t)  k = Clip(s, z, x6)  m = Mul(h, k)  a = Div(m, x6)",
        t=np.float32(3), z=np.float32(0), x6=np.float32(6),
    ),
    "softsign in three nodes": hidden("n = Abs(h)  d = Add(n, o)  a = Div(h, d)", o=np.float32(1)),
    "softplus above its threshold": hidden(
        "s = Softplus(h)  g = Greater(h, t)  a = Where(g, h, s)", t=np.float32(20)
    ),
    "split": make(
        "s, t = Split<axis=1>(x, i)  g = Gemm(s, w, b)  a = Relu(g)  d = Gemm(a, v, c)  e = MatMul(t, k)  "
        "y = Add(d, e)", outputs=OUTPUT, inputs="float[N,5] x", i=np.array([3, 2]), k=weights(2, 3), **SIZES,
    ),
    "weight norm": hidden(
        "l = ReduceL2(q, i)  m = Div(q, l)  d = Gemm(h, m, b)  a = Relu(d)", q=weights(6, 6), i=np.array([1])
    ),
    "slopes": hidden("a = PRelu(h, p)", p=np.array([0.3, -0.1, 0.0, 1.5, 0.2, -2.0], np.float32)),
    "falling": hidden("a = LeakyRelu<alpha=-0.5>(h)"),
    "max is relu": hidden("a = Max(h, z)", z=np.float32(0)),
    "min and max are clip": hidden("m = Min(h, o)  a = Max(m, z)", z=np.float32(-1), o=np.float32(2)),
    "comparisons inside": hidden("g = GreaterOrEqual(h, b)  a = Cast<to=1>(g)"),
    "comparison the other way": hidden("g = Greater(b, h)  a = Cast<to=1>(g)"),
    "residual": hidden("r = Relu(h)  k = Gemm(r, q, b)  t = Relu(k)  a = Add(r, t)", q=weights(6, 6)),
    "residual of sums": hidden("r = Relu(h)  k = Gemm(r, q, b)  a = Add(r, k)", q=weights(6, 6)),
    "wide and deep": make(
        "h = Gemm(x, w, b)  a = Relu(h)  d = Gemm(a, v, c)  s = MatMul(x, k)  y = Add(d, s)",
        outputs=OUTPUT,
        k=weights(3, 3, seed=5),
        **SIZES,
    ),
    "skip": make(
        "h = Gemm(x, w, b)  a = Relu(h)  s = Concat<axis=1>(x, a)  y = MatMul(s, k)",
        outputs=OUTPUT,
        k=weights(9, 3),
        **SIZES,
    ),
    "crelu": make(
        "h = Gemm(x, w, b)  n = Neg(h)  p = Relu(h)  q = Relu(n)  s = Concat<axis=1>(p, q)  y = MatMul(s, k)",
        outputs=OUTPUT,
        k=weights(12, 3),
        **SIZES,
    ),
    "crelu of features": make(
        "n = Neg(x)  p = Relu(x)  q = Relu(n)  s = Concat<axis=1>(p, q)  y = MatMul(s, k)",
        outputs=OUTPUT,
        k=weights(6, 3),
    ),
    "residual of features": make(
        "r = Clip(x, z, o)  s = Add(x, r)  y = MatMul(s, k)",
        outputs=OUTPUT,
        k=weights(3, 3),
        z=np.float32(-1),
        o=np.float32(2),
    ),
    "gather": make("s = Gather<axis=1>(x, i)  h = Gemm(s, w, b)  a = Relu(h)  y = Gemm(a, v, c)", outputs=OUTPUT,
                   inputs="float[N,5] x", i=np.array([4, 0, 2]), **SIZES),
    "slice": make("s = Slice(x, i, j, o)  h = Gemm(s, w, b)  a = Relu(h)  y = Gemm(a, v, c)", outputs=OUTPUT,
                  inputs="float[N,5] x", i=np.array([1]), j=np.array([4]), o=np.array([1]), **SIZES),
    "picked feature by feature": make(
        "s = ai.onnx.ml.ArrayFeatureExtractor(x, i)  t = ai.onnx.ml.ArrayFeatureExtractor(x, j)  "
        "p = ai.onnx.ml.Scaler<offset=[1.0], scale=[0.5]>(t)  q = Concat<axis=1>(s, p)  "
        "h = Gemm(q, w, b)  a = Relu(h)  y = Gemm(a, v, c)",
        outputs=OUTPUT, inputs="float[N,5] x", i=np.array([4, 1]), j=np.array([0]), **SIZES,
    ),
    "gathered by transposing": make(
        "t = Transpose(x)  g = GatherND(t, i)  s = Transpose(g)  h = Gemm(s, w, b)  a = Relu(h)  y = Gemm(a, v, c)",
        outputs=OUTPUT, inputs="float[N,5] x", i=np.array([[3], [0], [1]]), **SIZES,
    ),
    "imputer": make(
        "s = ai.onnx.ml.Imputer<imputed_value_floats=[1.0, 2.0, 3.0], replaced_value_float=nan>(x)  "
        "h = Gemm(s, w, b)  a = Relu(h)  y = Gemm(a, v, c)", outputs=OUTPUT, **SIZES,
    ),
    "1x1 convolution": make(
        "s = Unsqueeze(x, i)  d = Conv(s, k, b)  r = Relu(d)  a = Squeeze(r, i)  y = Gemm(a, v, c)",
        outputs=OUTPUT, i=np.array([2]), k=weights(6, 3, 1), **SIZES,
    ),
    "shape arithmetic": make(
        "s = Shape(x)  m = Gather(s, i)  n = Mul(m, o)  l = Unsqueeze(n, z)  k = Concat<axis=0>(e, l)  "
        "f = Reshape(x, k)  h = Gemm(f, w, b)  a = Relu(h)  y = Gemm(a, v, c)",
        outputs=OUTPUT, inputs="float[N,1,3] x", i=np.array(2), o=np.array(1), z=np.array([0]), e=np.array([-1]),
        **SIZES,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_read(tmp_path, name):
    proto = READ[name]
    dims = [dim.dim_value for dim in proto.graph.input[0].type.tensor_type.shape.dim[1:]]
    x = rows(int(np.prod(dims))).reshape(-1, *dims)
    model = check(tmp_path, proto, x)
    values, _ = interpret_model(model, x.reshape(len(x), -1).astype(np.float64))
    np.testing.assert_allclose(values, run(proto, x)[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "name",
    [
        "gelu",
        "silu",
        "slopes",
        "sign",
        "residual",
        "skip",
        "crelu",
        "softplus",
        "absolute",
        "erf",
        "gelu in five nodes",
    ],
)
def test_integers_stay_near_the_model(tmp_path, name):
    x = rows()
    model = load(saved(tmp_path, READ[name]))
    _, classes = interpret_model(model, x.astype(np.float64))
    result = quantise(model, Dataset.from_arrays(x, classes, classes=range(3)), input_bits=8, ladder_bits=6)
    assert result.report.agreement > 0.97


HEADS = {
    "less": ("p = Less(s, t)  y = Cast<to=7>(p)", "int64[N,1] y"),
    "round": ("p = Sigmoid(s)  y = Round(p)", "float[N,1] y"),
    "where": ("p = Greater(s, t)  y = Where(p, k, l)", "int64[N,1] y"),
    "column of one sigmoid": ("p = Sigmoid(s)  y = Gather<axis=1>(p, z)", "float[N] y"),
    "column of two": ("g = Gemm(h, d)  p = Softmax(g)  y = Gather<axis=1>(p, o)", "float[N] y"),
    "the other column": ("g = Gemm(h, d)  p = Softmax(g)  y = Gather<axis=1>(p, z)", "float[N] y"),
}


@pytest.mark.parametrize("name", HEADS)
def test_heads_of_two_classes(tmp_path, name):
    body, output = HEADS[name]
    proto = make(
        f"h = Gemm(x, w, b)  s = MatMul(h, u)  {body}",
        outputs=output,
        t=np.float32(0.3),
        k=np.array(7),
        l=np.array(3),
        z=np.array(0),
        o=np.array(1),
        d=weights(6, 2),
        **SIZES,
    )
    model = load(saved(tmp_path, proto))
    _, found = interpret_model(model, rows().astype(np.float64))
    expected = run(proto, rows())[0].reshape(-1)
    expected = (expected > 0.5).astype(int) if expected.dtype.kind == "f" else expected
    assert [model.classes[index] for index in found] == expected.tolist()
    assert len(set(expected.tolist())) == 2


def test_largest_of_k_and_linear_classifier(tmp_path):
    top = make(
        "h = Gemm(x, w, b)  a = Relu(h)  s = Gemm(a, v, c)  f, y = TopK(s, k)", outputs="int64[N,1] y",
        k=np.array([1]), **SIZES,
    )  # fmt: skip
    check(tmp_path, top, rows())
    many = "[" + ", ".join(str(float(value)) for value in weights(9)) + "]"
    label = (
        f"y, p = ai.onnx.ml.LinearClassifier<coefficients={many}, intercepts=[0.1, -0.2, 0.0], "
        'classlabels_ints=[4, 5, 9], post_transform="SOFTMAX">(x)'
    )
    model = check(tmp_path, make(label, outputs="int64[N] y", ml=1), rows())
    assert model.classes == (4, 5, 9)
    assert len(model.layers) == 1
    both = make(label.replace("y, p", "l, y"), outputs="float[N,3] y", ml=1)
    check(tmp_path, both, rows())
    value = "y = ai.onnx.ml.LinearRegressor<coefficients=[1.0, -2.0, 0.5], intercepts=[0.25]>(x)"
    check(tmp_path, make(value, outputs="float[N,1] y", ml=1, producer="skl2onnx"), rows())


def test_rows_without_batch_and_widths_left_free(tmp_path):
    lone = make("h = MatMul(x, w)  a = Relu(h)  y = MatMul(a, v)", inputs="float[3] x", outputs="float[3] y", **SIZES)
    model = load(saved(tmp_path, lone))
    for row in rows()[:5]:
        values, _ = interpret_model(model, row[None].astype(np.float64))
        np.testing.assert_allclose(values[0], run(lone, row)[0], rtol=1e-4)
    body = "s = Cast<to=1>(x)  h = MatMul(s, w)  y = MatMul(h, v)"
    free = make(body, inputs="float[N,M] x", outputs=OUTPUT, **SIZES)
    assert len(load(saved(tmp_path, free)).inputs) == 3


def test_names_of_onnxruntime(tmp_path):
    proto = make('a = com.microsoft.FusedGemm<activation="Relu">(x, w, b)  y = Gemm(a, v, c)', outputs=OUTPUT, **SIZES)
    proto.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    check(tmp_path, proto, rows())


CODES = {"xs": np.float32(0.05), "xz": np.int8(3), "hs": np.float32(0.09), "hz": np.int8(-5), "ws": np.float32(0.02)}
KINDS = {"w": (3, 6), "v": (6, 3)}
LAYERS = {
    "relu behind": (
        "h = Gemm(xd, wd, b)  hq = QuantizeLinear(h, hs, hz)  hd = DequantizeLinear(hq, hs, hz)  a = Relu(hd)"
    ),
    "relu between": (
        "h = Gemm(xd, wd, b)  hq = QuantizeLinear(h, hs, hz)  ht = Cast<to=3>(hq)  hd = DequantizeLinear(ht, hs, hz)  "
        "r = Relu(hd)  rq = QuantizeLinear(r, hs, hz)  a = DequantizeLinear(rq, hs, hz)"
    ),
    "residual": (
        "h = Gemm(xd, wd, b)  r = Relu(h)  hq = QuantizeLinear(r, hs, hz)  hd = DequantizeLinear(hq, hs, hz)  "
        "t = Gemm(hd, kd, b)  kq = QuantizeLinear(t, ws, hz)  e = DequantizeLinear(kq, ws, hz)  a = Add(hd, e)"
    ),
}
FALLING = {
    "gelu": "g = Gelu(h)",
    "gelu by tanh": 'g = Gelu<approximate="tanh">(h)',
    "hard swish": "g = HardSwish(h)",
    "mish": "g = Mish(h)",
    "silu": "s = Sigmoid(h)  g = Mul(h, s)",
    "absolute": "g = Abs(h)",
    "slopes": "g = PRelu(h, p)",
}
CODED = "  gq = QuantizeLinear(g, hs, hz)  a = DequantizeLinear(gq, hs, hz)"
LAYERS |= {name: f"h = Gemm(xd, wd, b)  {body}{CODED}" for name, body in FALLING.items()}


@pytest.mark.parametrize("name", LAYERS)
def test_integers_are_kept(tmp_path, name):
    rng = np.random.default_rng(4)
    codes = {n: rng.integers(-100, 100, shape).astype(np.int8) for n, shape in (*KINDS.items(), ("k", (6, 6)))}
    body = (
        "xq = QuantizeLinear(x, xs, xz)  xd = DequantizeLinear(xq, xs, xz)  wd = DequantizeLinear(w, ws)  "
        f"kd = DequantizeLinear(k, ws)  vd = DequantizeLinear(v, ws)  {LAYERS[name]}  y = Gemm(a, vd, c)"
    )
    real = {"b": weights(6), "c": weights(3), "p": np.array([0.3, -0.1, 0.0, 1.5, 0.2, -2.0], np.float32)}
    proto = make(body, outputs=OUTPUT, opset=21, **CODES, **codes, **real)
    assert_kept(load(saved(tmp_path, proto)), run(proto, rows())[0])


@pytest.mark.parametrize("name", FALLING)
def test_few_codes_are_kept_where_weights_are_real(tmp_path, name):
    coded = "gq = QuantizeLinear(g, hs, hz)  gc = Clip(gq, lo, hi)  a = DequantizeLinear(gc, hs, hz)"
    body = f"h = Gemm(x, w, b)  {FALLING[name]}  {coded}  y = Gemm(a, v, c)"
    few = {"hs": np.float32(0.5), "hz": np.int8(-128), "p": np.array([0.3, -0.1, 0.0, 1.5, 0.2, -2.0], np.float32)}
    proto = make(body, outputs=OUTPUT, opset=21, lo=np.int8(-128), hi=np.int8(-113), **few, **SIZES)
    scores, model = run(proto, rows())[0], load(saved(tmp_path, proto))
    data = Dataset.from_arrays(rows(), scores.argmax(axis=1), classes=range(3))
    result = quantise(model, data, input_bits=8, activation_bits=4)
    assert {len(neuron.activation.thresholds) for neuron in result.net.layers[0].neurons} <= set(range(1, 16))
    assert result.report.agreement > 0.9


@pytest.mark.parametrize("name", FALLING)
def test_scores_that_fall_before_they_rise_keep_their_codes(tmp_path, name):
    codes = {"w": np.random.default_rng(6).integers(-100, 100, (3, 6)).astype(np.int8)}
    body = (
        "xq = QuantizeLinear(x, xs, xz)  xd = DequantizeLinear(xq, xs, xz)  wd = DequantizeLinear(w, ws)  "
        f"h = Gemm(xd, wd, b)  {FALLING[name]}{CODED.replace('a =', 'y =')}"
    )
    real = {"b": weights(6), "p": np.array([0.3, -0.1, 0.0, 1.5, 0.2, -2.0], np.float32)}
    proto = make(body, outputs="float[N,6] y", opset=21, **CODES, **codes, **real)
    scores = run(proto, rows())[0]
    assert_kept(load(saved(tmp_path, proto)), scores)
    model = load(saved(tmp_path, proto), task="regression")
    net = quantise(model, Dataset.from_arrays(rows(), scores)).net
    head, trace = net.head, interpret(net, encode(net, rows().astype(np.float64)))
    found = trace.sums[-1] * np.array(head.scale) + np.array(head.offset)
    np.testing.assert_allclose(found, scores, rtol=0, atol=1e-6)


def assert_kept(model, scores, x=None):
    x = rows() if x is None else x
    result = quantise(model, Dataset.from_arrays(x, scores.argmax(axis=1), classes=range(scores.shape[1])))
    assert result.report.exact
    assert not result.report.remark
    decision = interpret(result.net, encode(result.net, x.astype(np.float64))).decision
    np.testing.assert_array_equal(decision, scores.argmax(axis=1))
    values, _ = interpret_model(model, x.astype(np.float64))
    np.testing.assert_allclose(values, scores, rtol=1e-4, atol=1e-5)


def test_integers_of_the_operator_format(tmp_path):
    rng = np.random.default_rng(5)
    names = ["xs", "xz", "w", "ws", "wz", "b", "hs", "hz", "v", "vs", "vz", "d", "ys", "yz"]
    values = [np.float32(0.05), np.uint8(120), rng.integers(-90, 90, (6, 3)).astype(np.int8), np.float32(0.02)]
    values += [np.int8(0), rng.integers(-900, 900, 6).astype(np.int32), np.float32(0.0637), np.uint8(0)]
    values += [rng.integers(-90, 90, (6, 3)).astype(np.int8), np.float32(0.03), np.int8(0), np.float32(0.5)]
    values += [np.float32(0.1171), np.uint8(130)]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "xs", "xz"], ["q"]),
        helper.make_node(
            "QGemm", ["q", "xs", "xz", "w", "ws", "wz", "b", "hs", "hz"], ["h"], domain="com.microsoft", transB=1
        ),
        helper.make_node("QLinearMatMul", ["h", "hs", "hz", "v", "vs", "vz", "ys", "yz"], ["p"]),
        helper.make_node("DequantizeLinear", ["p", "ys", "yz"], ["y"]),
    ]
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in zip(names, values, strict=True)]
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])
    graph = helper.make_graph(nodes, "g", [entry], [output], held)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    assert_kept(load(saved(tmp_path, proto)), run(proto, rows())[0])


def test_real_values_between_integers_are_said(tmp_path):
    body = (
        "xq = QuantizeLinear(x, xs, xz)  xd = DequantizeLinear(xq, xs, xz)  wd = DequantizeLinear(w, ws)  "
        "vd = DequantizeLinear(v, ws)  h = Gemm(xd, wd, b)  a = Relu(h)  y = Gemm(a, vd, c)"
    )
    rng = np.random.default_rng(4)
    codes = {n: rng.integers(-100, 100, shape).astype(np.int8) for n, shape in KINDS.items()}
    model = load(saved(tmp_path, make(body, outputs=OUTPUT, opset=21, b=weights(6), c=weights(3), **CODES, **codes)))
    _, found = interpret_model(model, rows().astype(np.float64))
    report = quantise(model, Dataset.from_arrays(rows(), found, classes=range(3))).report
    assert not report.exact
    assert report.remark.startswith("the model's integers are not kept, all is quantised anew: no integers stand for")
    assert "the outputs of layer 0" in report.remark


REFUSED = {
    "dynamic": (
        make("q, s, z = DynamicQuantizeLinear(x)  d = DequantizeLinear(q, s, z)  y = Gemm(d, w, b)", **SIZES),
        "dynamic quantisation has no fixed scales; quantise the model statically (quantize_static)",
    ),
    "ensemble": (
        make("h = Gemm(x, w, b)  s = Unsqueeze(h, i)  y = ReduceMean(s)", i=np.array([0]), **SIZES),
        "an axis before the batch stacks several networks, as an ensemble does; export one of them",
    ),
    "vote": (
        make("h = Gemm(x, w, b)  p = Softmax(h)  q = Mul(p, o)  y = Sum(q, q)", o=np.float32(0.5), **SIZES),
        "a vote of several networks is no single network: export one of them",
    ),
    "another product": (
        hidden("t = Tanh(h)  a = Mul(h, t)"),
        "a product of two is supported only as x * f(x) of SiLU (x * sigmoid(x)), GELU, Mish and hard swish",
    ),
    "votes over their largest": (
        make(
            "h = Gemm(x, w, b)  p = Softmax(h)  q = Mul(p, o)  y = ai.onnx.ml.Normalizer(q)",
            outputs="float[N,2] y",
            w=weights(3, 2),
            b=weights(2),
            o=np.array([-0.5, -1.0], np.float32),
        ),
        "it divides votes by the largest, which may be negative; normalise by L1, or leave it out",
    ),
    "two bounds on one score": (
        make(
            "s = Gemm(x, u, k)  y = Greater(s, o)  z = Greater(s, t)",
            outputs="bool[N,1] y, bool[N,1] z",
            u=weights(3, 1),
            k=weights(1),
            o=np.float32(0.3),
            t=np.float32(0.8),
        ),
        "two outputs are classes, told apart by two bounds on one score; keep one of them",
    ),
    "a gate with values of its own": (
        hidden("k = Gemm(x, q, b)  s = Sigmoid(k)  a = Mul(h, s)", q=weights(3, 6, seed=9)),
        "a product of two is supported only as x * f(x)",
    ),
    "another quotient": (
        hidden("s = Sigmoid(h)  d = Add(s, o)  a = Div(h, d)", o=np.float32(1)),
        "a quotient of two is supported only as x / (1 + |x|)",
    ),
    "softplus above a low threshold": (
        hidden("s = Softplus(h)  g = Greater(h, t)  a = Where(g, h, s)", t=np.float32(2)),
        "it chooses between values computed from the features",
    ),
    "parts that are no row": (
        hidden("a, t = Split<axis=1>(h, i)", i=np.array([3, 2])),
        "its parts are '[3, 2]' of a row of 6 values, for 2 outputs",
    ),
    "layer norm": (
        hidden("a = LayerNormalization(h, b)"),
        "its scale depends on each row's own values, which no layer of fixed weights does",
    ),
    "bits of a real number": (
        hidden("a = BitCast<to=1>(h)"),
        "the bits of a real number are read, as some exporters write ArgMax",
    ),
    "two heads": (
        make("y = Gemm(x, w, b)  z = MatMul(x, k)", outputs="float[N,6] y, float[N,2] z", k=weights(3, 2), **SIZES),
        "keep one of them, for instance with onnx.utils.extract_model",
    ),
    "a constant left as an input": (
        make("s = Sub(x, m)  y = Gemm(s, w, b)", inputs="float[N,3] x, float[1,3] m", **SIZES),
        "the graph's input 'm' has one row for all rows: a constant that the exporter left as an input",
    ),
    "a parameter left as an input": (
        make("s = BatchNormalization(x, m, m, m, m)  y = Gemm(s, w, b)", inputs="float[N,3] x, float[1,3] m", **SIZES),
        "its input 1 is the graph's input 'm' where a constant belongs; the exporter left its value out",
    ),
    "trees": (
        make("y, p = ai.onnx.ml.TreeEnsembleClassifier(x)", outputs="int64[N] y, float[N,2] p"),
        "decision trees are no network of layers",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_for_the_true_reason(tmp_path, name):
    proto, reason = REFUSED[name]
    assert reason in refused(tmp_path, proto)


def test_too_many_thresholds_name_the_layer():
    from mlpress.errors import MlpressError
    from mlpress.frontend import exact_net
    from mlpress.ir import ArgmaxHead, Dense, Integers, Linear, Model, Quantiser

    def layer(outputs: int, inputs: int, coder: Quantiser | None) -> Dense:
        held = Integers(np.ones((outputs, inputs), np.int64), np.ones(outputs))
        return Dense(np.ones((outputs, inputs)), np.zeros(outputs), Linear(), held, coder)

    wide = Quantiser(1.0, 0, -(1 << 15), (1 << 15) - 1)
    layers = (layer(20, 1, wide), layer(2, 20, None))
    model = Model(("x",), np.ones(1), np.zeros(1), layers, ArgmaxHead(), (0, 1), quantiser=wide)
    with pytest.raises(MlpressError, match="layer 0: 20 neurons of 16-bit codes need 1310700 thresholds"):
        exact_net(model)


def test_a_threshold_head_stays_one(tmp_path):
    body, output = HEADS["less"]
    proto = make(f"h = Gemm(x, w, b)  s = MatMul(h, u)  {body}", outputs=output, t=np.float32(0.3), **SIZES)
    model = load(saved(tmp_path, proto))
    assert isinstance(model.head, ThresholdHead)
    assert model.classes == (1, 0)
