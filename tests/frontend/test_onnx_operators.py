"""Every operator that the reader knows, against onnxruntime on the same rows."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from support.onnx_text import check, make, rows, run, saved, weights

from mlpress.errors import MlpressError
from mlpress.frontend import load
from mlpress.ir import (
    ArgmaxHead,
    Clip,
    HardSigmoid,
    LeakyRelu,
    Linear,
    Relu,
    ScoresHead,
    Sigmoid,
    Tanh,
    ThresholdHead,
    interpret_model,
)

W, B = weights(3, 4), weights(4)
V, C = weights(4, 2), weights(2)
TWO_LAYERS = "h = Gemm(x, w, b)  a = Relu(h)  y = Gemm(a, v, c)"
LAYERS = {"w": W, "b": B, "v": V, "c": C}


@pytest.mark.parametrize(
    ("body", "constants"),
    [
        pytest.param(TWO_LAYERS, LAYERS, id="plain"),
        pytest.param(
            "h = Gemm<transB=1, alpha=0.5, beta=2.0>(x, w, b)  a = Relu(h)  y = Gemm<beta=0.0>(a, v, c)",
            {**LAYERS, "w": W.T},
            id="transB alpha beta",
        ),
        pytest.param("h = Gemm(x, w)  a = Relu(h)  y = Gemm(a, v)", {"w": W, "v": V}, id="no bias"),
        pytest.param("h = Gemm(x, w, b)  a = Relu(h)  y = Gemm(a, v, c)", {**LAYERS, "c": C[None]}, id="bias (1, n)"),
        pytest.param(
            "h = Gemm(x, w, b)  a = Relu(h)  y = Gemm(a, v, c)", {**LAYERS, "c": C[:1].reshape(())}, id="bias ()"
        ),
        pytest.param(
            "xt = Transpose<perm=[1,0]>(x)  h = Gemm<transA=1>(xt, w, b)  a = Relu(h)  y = Gemm(a, v, c)",
            LAYERS,
            id="transA",
        ),
        pytest.param(
            "h = Gemm<transB=1>(w, x, b)  a = Relu(h)  yt = Gemm(v, a, c)  y = Transpose(yt)",
            {"w": W.T, "b": B[:, None], "v": V.T, "c": C[:, None]},
            id="weights on the left",
        ),
        pytest.param(
            "h = MatMul(x, w)  g = Add(h, b)  a = Relu(g)  i = MatMul(a, v)  y = Add(c, i)", LAYERS, id="MatMul Add"
        ),
        pytest.param(
            "xt = Transpose(x)  h = MatMul(w, xt)  g = Add(b, h)  a = Relu(g)  at = Transpose(a)  y = MatMul(at, v)",
            {"w": W.T, "b": B[:, None], "v": V},
            id="MatMul from the left",
        ),
        pytest.param("h = Gemm(x, w, b)  y = Gemm(h, v, c)", LAYERS, id="two layers with nothing between"),
        pytest.param("h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  y = Softmax<axis=1>(z)", LAYERS, id="Softmax"),
        pytest.param("h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  y = LogSoftmax(z)", LAYERS, id="LogSoftmax"),
        pytest.param(
            "h = Gemm(x, w, b)  d, mask = Dropout(h)  a = Relu(d)  i = Identity(a)  k "
            "= Cast<to=1>(i)  y = Gemm(k, v, c)",
            LAYERS,
            id="Dropout Identity Cast",
        ),
        pytest.param(
            "h = Gemm(x, w, b)  d = Dropout(h, r, t)  a = Relu(d)  y = Gemm(a, v, c)",
            {**LAYERS, "r": np.array(0.5, np.float32), "t": np.array(False)},
            id="Dropout with inputs",
        ),
        pytest.param(
            "h = Gemm(x, w, b)  s = Mul(h, k)  a = Relu(s)  m = Neg(a)  n = Sub(one, m)  y = Gemm(n, v, c)",
            {**LAYERS, "k": -np.abs(B), "one": np.array([1], np.float32), "c": np.array([-3, 1], np.float32)},
            id="arithmetic around an activation",
        ),
        pytest.param(
            "h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  y = Div(z, k)",
            {**LAYERS, "k": np.array([[2.0, 0.5]], np.float32)},
            id="scores scaled apart",
        ),
        pytest.param("z = Gemm(x, w, b)  y = Tanh(z)", {"w": W[:, :2] / 4, "b": B[:2]}, id="Tanh at the end"),
        pytest.param(
            "h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  y = LeakyRelu(z)", LAYERS, id="LeakyRelu at the end"
        ),
        pytest.param("h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  y = Relu(z)", LAYERS, id="Relu at the end"),
        pytest.param(
            "h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  y = HardSigmoid(z)",
            LAYERS,
            id="HardSigmoid at the end",
        ),
    ],
)
def test_scores_decide_as_in_onnxruntime(tmp_path, body, constants):
    model = check(tmp_path, make(body, **constants), rows())
    assert model.head == ArgmaxHead()
    assert model.classes == (0, 1)
    assert model.inputs == ("x[0]", "x[1]", "x[2]")


@pytest.mark.parametrize(
    ("node", "expected", "constants"),
    [
        ("a = Relu(h)", Relu(), {}),
        ("a = Clip(h, lo, hi)", Clip(0.0, 1.0), {"lo": np.float32(0), "hi": np.float32(1)}),
        ("a = Clip(h, lo)", Relu(), {"lo": np.float32(0)}),
        ("a = LeakyRelu<alpha=0.25>(h)", LeakyRelu(0.25), {}),
        ("a = LeakyRelu(h)", LeakyRelu(0.01), {}),
        ("a = Sigmoid(h)", Sigmoid(), {}),
        ("a = HardSigmoid<alpha=0.25, beta=0.5>(h)", HardSigmoid(0.25, 0.5), {}),
        ("a = Tanh(h)", Tanh(), {}),
        ("r = Relu(h)  a = Clip(r, lo, hi)", Clip(0.0, 1.0), {"lo": np.float32(-1), "hi": np.float32(1)}),
        ("r = Clip(h, lo, hi)  a = Relu(r)", Clip(0.0, 1.0), {"lo": np.float32(-1), "hi": np.float32(1)}),
        ("r = Relu(h)  a = Relu(r)", Relu(), {}),
    ],
)
def test_hidden_activations_are_kept(tmp_path, node, expected, constants):
    proto = make(f"h = Gemm(x, w, b)  {node}  y = Gemm(a, v, c)", **LAYERS, **constants)
    model = check(tmp_path, proto, rows())
    assert model.layers[0].activation == expected
    assert [layer.weight.shape for layer in model.layers] == [(4, 3), (2, 4)]


def test_different_activations_in_a_row_get_a_layer_each(tmp_path):
    model = check(tmp_path, make("h = Gemm(x, w, b)  s = Sigmoid(h)  a = Tanh(s)  y = Gemm(a, v, c)", **LAYERS), rows())
    assert [layer.activation for layer in model.layers] == [Sigmoid(), Tanh(), Linear()]
    np.testing.assert_array_equal(model.layers[1].weight, np.eye(4))


def test_clip_before_opset_11_has_attributes(tmp_path):
    proto = make("h = Gemm(x, w, b)  a = Clip<min=0.0, max=6.0>(h)  y = Gemm(a, v, c)", opset=9, **LAYERS)
    assert check(tmp_path, proto, rows()).layers[0].activation == Clip(0.0, 6.0)


def test_softmax_before_opset_13(tmp_path):
    proto = make("h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  y = Softmax(z)", opset=11, **LAYERS)
    assert check(tmp_path, proto, rows()).head == ArgmaxHead()


def test_composed_layers_are_one(tmp_path):
    model = check(tmp_path, make("h = Gemm(x, w, b)  y = Gemm(h, v, c)", **LAYERS), rows())
    assert len(model.layers) == 1
    np.testing.assert_allclose(model.layers[0].weight, (W.astype(float) @ V).T, rtol=1e-12)


MEAN, STD = np.array([0.5, -1.0, 2.0], np.float32), np.array([2.0, 0.25, 3.0], np.float32)


@pytest.mark.parametrize(
    ("front", "constants"),
    [
        ("m = Sub(x, mean)  s = Div(m, std)", {"mean": MEAN, "std": STD}),
        ("m = Mul(x, std)  s = Add(m, mean)", {"mean": MEAN[None], "std": STD[None]}),
        ("m = Add(mean, x)  s = Mul(std, m)", {"mean": MEAN, "std": STD}),
        ("k = Cast<to=1>(x)  s = Div(k, std)", {"std": np.array(8.0, np.float32)}),
        ("s = ai.onnx.ml.Scaler<offset=[0.5, -1.0, 2.0], scale=[2.0, 0.25, 3.0]>(x)", {}),
        ("s = ai.onnx.ml.Scaler<offset=[0.5], scale=[2.0]>(x)", {}),
        ("s = BatchNormalization(x, std, mean, mean, std)", {"mean": MEAN, "std": STD}),
        ("m = Mul(x, std)  k = Clip(m, lo, hi)", {"std": STD, "lo": np.float32(-0.5), "hi": np.float32(0.75)}),
    ],
)
def test_scaling_in_front_is_folded_into_the_inputs(tmp_path, front, constants):
    last = front.split(" = ")[-2].split()[-1]
    proto = make(f"{front}  h = Gemm({last}, w, b)  a = Relu(h)  y = Gemm(a, v, c)", **LAYERS, **constants)
    model = check(tmp_path, proto, rows())
    assert len(model.layers) == 2
    assert not np.array_equal(model.scale, np.ones(3))
    assert model.clip == (Clip(-0.5, 0.75) if "Clip" in front else None)


@pytest.mark.parametrize("place", ["before", "after", "at the start", "at the end"])
def test_batch_normalisation_is_folded(tmp_path, place):
    norm = {"g": np.abs(weights(4, seed=1)) + 0.5, "o": weights(4, seed=2) / 9, "m": weights(4, seed=3)}
    norm |= {"s": np.abs(weights(4, seed=4)) + 0.1}
    body = {
        "before": "h = Gemm(x, w, b)  n = BatchNormalization<epsilon=0.01>(h, g, o, "
        "m, s)  a = Relu(n)  y = MatMul(a, v)",
        "after": "h = Gemm(x, w, b)  a = Tanh(h)  n = BatchNormalization(a, g, o, m, s)  y = Gemm(n, v, c)",
        "at the start": "n = BatchNormalization(x, g, o, m, s)  y = MatMul(n, v)",
        "at the end": "y1 = MatMul(x, v2)  y = BatchNormalization(y1, g, o, m, s)",
    }[place]
    if place == "at the start":
        proto, x = make(body, inputs="float[N,4] x", v=V, **norm), rows(4)
    elif place == "at the end":
        proto, x = make(body, outputs="float[N,4] y", v2=W, **norm), rows()
    else:
        proto, x = make(body, **LAYERS, **norm), rows()
    model = check(tmp_path, proto, x)
    assert len(model.layers) == (2 if place in {"before", "after"} else 1)


@pytest.mark.parametrize(
    ("tail", "at", "expected"),
    [
        ("y = Identity(z)", 0.0, 0.0),
        ("y = Sigmoid(z)", 0.5, 0.0),
        ("y = Tanh(z)", 0.0, 0.0),
        ("y = HardSigmoid<alpha=0.25, beta=0.25>(z)", 0.5, 1.0),
        ("s = Sigmoid(z)  y = Squeeze(s, one)", 0.5, 0.0),
        ("s = Sigmoid(z)  y = Reshape(s, minus)", 0.5, 0.0),
    ],
)
def test_one_output_is_a_threshold(tmp_path, tail, at, expected):
    shape = "float[N]" if "Squeeze" in tail or "Reshape" in tail else "float[N,1]"
    proto = make(
        f"h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  {tail}",
        outputs=f"{shape} y",
        one=np.array([1]),
        minus=np.array([-1]),
        w=W,
        b=B,
        v=V[:, :1],
        c=C[:1],
    )
    model = check(tmp_path, proto, rows(), at=at)
    assert isinstance(model.head, ThresholdHead)
    assert model.head.at == pytest.approx(expected, abs=1e-12)
    assert model.classes == (0, 1)
    assert model.layers[-1].activation == Linear()


@pytest.mark.parametrize(
    ("tail", "output"),
    [
        ("y = ArgMax<axis=1>(z)", "int64[N,1]"),
        ("y = ArgMax<axis=-1, keepdims=0>(z)", "int64[N]"),
        ("p = Softmax(z)  y = ArgMax<axis=1, keepdims=0>(p)", "int64[N]"),
        ("k = ArgMax<axis=1, keepdims=0>(z)  y = Cast<to=6>(k)", "int32[N]"),
        ("n = Div(z, eight)  p = Sigmoid(n)  y = ArgMax<axis=1, keepdims=0>(p)", "int64[N]"),
        ("k = ArgMax<axis=1, keepdims=1>(z)  y = Squeeze(k, one)", "int64[N]"),
    ],
)
def test_argmax(tmp_path, tail, output):
    proto = make(
        f"h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  {tail}",
        outputs=f"{output} y",
        one=np.array([1]),
        eight=np.float32(8),
        **{**LAYERS, "v": weights(4, 5), "c": weights(5)},
    )
    model = check(tmp_path, proto, rows())
    assert model.head == ArgmaxHead()
    assert model.classes == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("operator", ["Greater", "GreaterOrEqual"])
@pytest.mark.parametrize(("squash", "bound"), [("Sigmoid", 0.5), ("Sigmoid", 0.75), ("Identity", 0.25)])
def test_comparison_is_a_threshold(tmp_path, operator, squash, bound):
    proto = make(
        f"h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  s = {squash}(z)  t = {operator}(s, k)  y = Cast<to=7>(t)",
        outputs="int64[N,1] y",
        k=np.float32(bound),
        **{**LAYERS, "v": V[:, :1], "c": C[:1]},
    )
    model = check(tmp_path, proto, rows())
    assert isinstance(model.head, ThresholdHead)
    exact = np.log(bound / (1 - bound)) if squash == "Sigmoid" else bound
    assert model.head.at == pytest.approx(exact, abs=1e-12)


def test_greater_or_equal_includes_the_bound(tmp_path):
    proto = make(
        "z = MatMul(x, w)  t = GreaterOrEqual(z, k)  y = Cast<to=7>(t)",
        inputs="float[N,1] x",
        outputs="int64[N,1] y",
        w=np.ones((1, 1), np.float32),
        k=np.float32(2),
    )
    model = check(tmp_path, proto, np.array([[1], [2], [3]], np.float32))
    assert interpret_model(model, np.array([[2.0]]))[1].tolist() == [1]


def test_label_names(tmp_path):
    body = (
        "h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  k = ArgMax<axis=1, keepdims=0>(z)  "
        'y = ai.onnx.ml.LabelEncoder<keys_int64s=[0, 1], values_strings=["no", "yes"], default_string="?">(k)'
    )
    model = check(tmp_path, make(body, outputs="string[N] y", **LAYERS), rows())
    assert model.classes == ("no", "yes")


def test_gathered_label_names(tmp_path):
    body = "h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  k = ArgMax<axis=1, keepdims=0>(z)  y = Gather(names, k)"
    model = check(tmp_path, make(body, outputs="int64[N] y", names=np.array([7, 3]), **LAYERS), rows())
    assert model.classes == (7, 3)


def test_normalised_sigmoids_are_classes(tmp_path):
    body = 'h = Gemm(x, w, b)  s = Sigmoid(h)  y = ai.onnx.ml.Normalizer<norm="L1">(s)'
    model = check(tmp_path, make(body, outputs="float[N,4] y", w=W, b=B), rows())
    assert model.head == ArgmaxHead()


IMAGE = weights(2, 2, 3, seed=9)


@pytest.mark.parametrize(
    ("front", "constants", "opset"),
    [
        ("f = Flatten(x)", {}, 17),
        ("f = Flatten<axis=1>(x)", {}, 9),
        ("f = Reshape(x, s)", {"s": np.array([-1, 12])}, 17),
        ("f = Reshape(x, s)", {"s": np.array([0, -1])}, 17),
        ("f = Reshape(x, s)", {"s": np.array([0, 12])}, 17),
        ("m = Mul(x, k)  f = Reshape(m, s)", {"s": np.array([-1, 12]), "k": IMAGE}, 17),
        ("m = Sub(x, k)  f = Flatten(m)", {"k": IMAGE[:, :1, :1]}, 17),
        ("u = Unsqueeze(x, ax)  q = Squeeze(u, ax)  f = Flatten(q)", {"ax": np.array([1])}, 17),
        ("u = Unsqueeze<axes=[2]>(x)  q = Squeeze<axes=[2]>(u)  f = Flatten(q)", {}, 11),
        (
            "n = Shape(x)  zero = Constant<value=int64 {0}>()  i = Gather<axis=0>(n, "
            "zero)  ax = Constant<value=int64[1] {0}>()"
            "  u = Unsqueeze(i, ax)  rest = Constant<value=int64[1] {-1}>()  s = "
            "Concat<axis=0>(u, rest)  f = Reshape(x, s)",
            {},
            17,
        ),
        (
            "n = Shape(x)  st = Constant<value_ints=[0]>()  en = Constant<value_ints=[1]>()  i = Slice(n, st, en)"
            "  c12 = Constant<value_ints=[12]>()  s = Concat<axis=0>(i, c12)  f = Reshape(x, s)",
            {},
            17,
        ),
    ],
)
def test_rows_are_flattened(tmp_path, front, constants, opset):
    body = f"{front}  h = Gemm(f, w, b)  a = Relu(h)  y = Gemm(a, v, c)"
    layers = {**LAYERS, "w": weights(12, 4)}
    proto = make(body, inputs="float[N,2,2,3] x", opset=opset, **layers, **constants)
    model = check(tmp_path, proto, rows(12).reshape(-1, 2, 2, 3))
    assert len(model.inputs) == 12
    assert model.inputs[-1] == "x[11]"


@pytest.mark.parametrize("batch", ["1", "5", "batch", "N"])
def test_fixed_and_dynamic_batches(tmp_path, batch):
    proto = make(TWO_LAYERS, inputs=f"float[{batch},3] x", outputs=f"float[{batch},2] y", **LAYERS)
    check(tmp_path, proto, rows())


def test_reshape_to_a_fixed_batch(tmp_path):
    body = "f = Reshape(x, s)  h = Gemm(f, w, b)  a = Relu(h)  y = Gemm(a, v, c)"
    proto = make(body, inputs="float[1,3] x", outputs="float[1,2] y", s=np.array([1, 3]), **LAYERS)
    check(tmp_path, proto, rows())


@pytest.mark.parametrize(
    ("dtype", "name", "tolerance"),
    [(np.float32, "float", 1e-4), (np.float64, "double", 1e-9), (np.float16, "float16", 1e-2)],
)
def test_float_types(tmp_path, dtype, name, tolerance):
    constants = {key: value.astype(dtype) for key, value in LAYERS.items()}
    body = "h = Gemm(x, w, b)  a = Relu(h)  y = Gemm(a, v, c)"
    proto = make(body, inputs=f"{name}[N,3] x", outputs=f"{name}[N,2] y", producer="skl2onnx", **constants)
    model = check(tmp_path, proto, rows(dtype=dtype), tolerance=tolerance)
    assert model.head == ScoresHead()
    np.testing.assert_array_equal(model.layers[0].weight, constants["w"].T.astype(np.float64))


def test_bfloat16_weights(tmp_path):
    proto = make("h = Gemm(x, w, b)  a = Relu(h)  y = Gemm(a, v, c)", **{**LAYERS, "w": W})
    proto.graph.initializer[0].CopyFrom(onnx.helper.make_tensor("w", TensorProto.BFLOAT16, (3, 4), [1.0, -0.5] * 6))
    assert load(saved(tmp_path, proto)).layers[0].weight[0].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
def test_integer_features(tmp_path, dtype):
    body = "f = Cast<to=1>(x)  s = Div(f, k)  h = Gemm(s, w, b)  a = Relu(h)  y = Gemm(a, v, c)"
    proto = make(body, inputs=f"{np.dtype(dtype).name}[N,3] x", k=np.float32(100), **LAYERS)
    x = np.random.default_rng(3).integers(0, 255, (200, 3)).astype(dtype)
    check(tmp_path, proto, x)


def test_initialisers_may_also_be_inputs(tmp_path):
    proto = make(TWO_LAYERS, inputs="float[N,3] x, float[3,4] w, float[4] b", **LAYERS)
    model = load(saved(tmp_path, proto))
    assert model == load(saved(tmp_path, make(TWO_LAYERS, **LAYERS)))


def test_constant_nodes(tmp_path):
    body = (
        "w = Constant<value=float[3,2] {1, -2, 0.5, 3, -1, 0.25}>()  b = Constant<value_floats=[0.5, -0.5]>()  "
        "k = Constant<value_float=2.0>()  i = Identity(w)  m = Mul(i, k)  h = MatMul(x, m)  y = Add(h, b)"
    )
    model = check(tmp_path, make(body), rows())
    np.testing.assert_array_equal(model.layers[0].weight, [[2, 1, -2], [-4, 6, 0.5]])


def test_constants_are_folded(tmp_path):
    body = (
        "wt = Transpose<perm=[1,0]>(w)  r = Reshape(wt, s)  e = Sqrt(var)  q = Div(one, e)  d = Cast<to=1>(q)  "
        "u = Unsqueeze(d, ax)  z = Squeeze(u, ax)  g = Mul(r, z)  h = MatMul(x, g)  n "
        "= Concat<axis=0>(c1, c2)  y = Add(h, n)"
    )
    proto = make(
        body,
        outputs="float[N,4] y",
        w=W.T,
        s=np.array([3, -1]),
        var=np.abs(B).astype(np.float64),
        one=np.float64(1),
        ax=np.array([0]),
        c1=C,
        c2=C,
    )
    check(tmp_path, proto, rows())


def test_several_inputs_are_joined(tmp_path):
    body = "s = Mul(b2, k)  x = Concat<axis=1>(a1, s)  h = Gemm(x, w, b)  r = Relu(h)  y = Gemm(r, v, c)"
    proto = make(body, inputs="float[N,1] a1, float[N,2] b2", k=np.float32(3), **LAYERS)
    model = load(saved(tmp_path, proto))
    x = rows()
    _, found = interpret_model(model, x.astype(np.float64))
    np.testing.assert_array_equal(found, run(proto, x[:, :1], x[:, 1:])[0].argmax(axis=1))
    assert model.inputs == ("a1", "b2[0]", "b2[1]")
    assert model.scale.tolist() == [1.0, 3.0, 3.0]


def test_unneeded_nodes_are_not_read(tmp_path):
    proto = make(f'{TWO_LAYERS}  junk = Einsum<equation="ij->ji">(x)', **LAYERS)
    check(tmp_path, proto, rows())


def test_a_label_decides_over_the_other_outputs(tmp_path):
    body = (
        "h = Gemm(x, w, b)  a = Relu(h)  z = Gemm(a, v, c)  top = ReduceMax<axes=[1]>(z)  p = Softmax(z)  "
        "k = ArgMax<axis=1, keepdims=0>(z)"
    )
    model = load(saved(tmp_path, make(body, outputs="float[N,1] top, float[N,2] p, int64[N] k", **LAYERS)))
    assert model.head == ArgmaxHead()


def test_task_decides_what_plain_outputs_mean(tmp_path):
    path = saved(tmp_path, make(TWO_LAYERS, **LAYERS))
    assert load(path).head == ArgmaxHead()
    regression = load(path, task="regression")
    assert regression.head == ScoresHead()
    assert regression.classes == ()
    single = saved(tmp_path, make("y = Gemm(x, w, b)", outputs="float[N,1] y", w=W[:, :1], b=B[:1]))
    assert load(single).head == ThresholdHead(0.0)
    assert load(single, task="regression").head == ScoresHead()
    sklearn = make("y = Gemm(x, w, b)", outputs="float[N,1] y", producer="skl2onnx", w=W[:, :1], b=B[:1])
    assert load(saved(tmp_path, sklearn)).head == ScoresHead()
    assert load(saved(tmp_path, sklearn), task="classification").head == ThresholdHead(0.0)
    sigmoids = saved(tmp_path, make("h = Gemm(x, v, c)  y = Sigmoid(h)", v=V[:3], c=C))
    assert load(sigmoids, task="classification").head == ArgmaxHead()
    with pytest.raises(MlpressError, match="task is 'both'; it must be auto, classification or regression"):
        load(path, task="both")  # type: ignore[arg-type]


def test_sigmoid_before_a_regression_stays(tmp_path):
    proto = make("h = Gemm(x, w, b)  y = Sigmoid(h)", outputs="float[N,4] y", w=W, b=B)
    model = load(saved(tmp_path, proto), task="regression")
    assert [layer.activation for layer in model.layers] == [Sigmoid(), Linear()]
    values, _ = interpret_model(model, rows().astype(np.float64))
    np.testing.assert_allclose(values, run(proto, rows())[0], atol=1e-6)


@pytest.mark.parametrize("location", ["weights.bin", "data/weights.bin"])
def test_external_data_beside_the_model(tmp_path, location):
    proto = make(TWO_LAYERS, **LAYERS)
    expected = load(saved(tmp_path, proto))
    (tmp_path / location).parent.mkdir(exist_ok=True)
    padding = b"\0" * 64
    (tmp_path / location).write_bytes(padding + W.tobytes())
    tensor = proto.graph.initializer[0]
    assert tensor.name == "w"
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "64"), ("length", str(W.nbytes))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    assert load(saved(tmp_path, proto)) == expected


def test_local_functions_are_written_out(tmp_path):
    text = """<ir_version: 8, opset_import: ["" : 17, "local" : 1]>
    g (float[N,3] x) => (float[N,2] y) { h = local.dense(x, w, b)  a = Relu(h)  y = local.dense(a, v, c) }
    <opset_import: ["" : 17], domain: "local"> dense (x, w, b) => (y) { m = MatMul(x, w)  y = Add(m, b) }"""
    proto = onnx.parser.parse_model(text)
    for name, value in LAYERS.items():
        proto.graph.initializer.append(numpy_helper.from_array(value, name))
    check(tmp_path, proto, rows())
