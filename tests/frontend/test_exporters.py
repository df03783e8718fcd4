"""Models as the exporters of the common trainers write them: skl2onnx itself, and the exact graphs of the others."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from support.onnx_text import assert_same_classes, check, make, rows, run, saved, weights

from mlpress.errors import MlpressError
from mlpress.frontend import from_sklearn, load
from mlpress.ir import ArgmaxHead, Clip, Relu, ScoresHead, Sigmoid, Tanh, ThresholdHead, interpret_model

X = rows(4, 150)
CODES = np.digitize(X[:, 0] + 0.5 * X[:, 1], [-1.5, 1.5])
LABELS = {
    "binary": (CODES > 0).astype(np.int64),
    "three": CODES,
    "negative": CODES - 1,
    "apart": np.array([3, 7, 11])[CODES],
    "text": np.array(["apple", "pear", "plum"])[CODES],
    "binary text": np.array(["no", "yes"])[(CODES > 0).astype(np.int64)],
}
SCALERS = [StandardScaler(), MinMaxScaler(), MinMaxScaler((0, 0.9), clip=True), MaxAbsScaler(), RobustScaler()]


def fitted(estimator, x, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(x, y)


def classifier(labels="three", activation="relu", scaler=None, dtype=np.float32):
    mlp = MLPClassifier((5,), activation=activation, max_iter=60, random_state=0, learning_rate_init=0.05)
    return fitted(make_pipeline(*([scaler] if scaler else []), mlp), X.astype(dtype), LABELS[labels])


def check_classifier(tmp_path, estimator, x=X, **options):
    proto = to_onnx(estimator, x[:1], **options)
    model = load(saved(tmp_path, proto))
    _, found = interpret_model(model, x.astype(np.float64))
    labels = run(proto, x)[0]
    assert_same_classes(model, found, labels)
    assert [str(name) for name in model.classes] == [str(name) for name in estimator.classes_]
    assert len(set(found.tolist())) == len(model.classes)
    return model


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("zipmap", [True, False, "columns"])
def test_skl2onnx_labels(tmp_path, labels, zipmap):
    model = check_classifier(tmp_path, classifier(labels), options={"zipmap": zipmap})
    assert model.head == (ThresholdHead() if labels.startswith("binary") else ArgmaxHead())
    assert all(isinstance(name, str) == ("text" in labels) for name in model.classes)


@pytest.mark.parametrize("labels", ["binary", "three"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_skl2onnx_activations(tmp_path, labels, activation):
    model = check_classifier(tmp_path, classifier(labels, activation))
    kept = {"relu": Relu(), "tanh": Tanh(), "logistic": Sigmoid()}.get(activation)
    assert len(model.layers) == (1 if kept is None else 2)
    assert kept is None or model.layers[0].activation == kept


@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_skl2onnx_pipelines(tmp_path, scaler, dtype):
    estimator = classifier(scaler=scaler, dtype=dtype)
    model = check_classifier(tmp_path, estimator, X.astype(dtype), options={"zipmap": False})
    assert not np.array_equal(model.scale, np.ones(4))
    assert model.clip == (Clip(0.0, pytest.approx(0.9)) if getattr(scaler, "clip", False) else None)


@pytest.mark.parametrize("opset", [9, 11, 13, 15, 18, 21])
def test_skl2onnx_opsets(tmp_path, opset):
    check_classifier(tmp_path, classifier(scaler=StandardScaler()), target_opset={"": opset, "ai.onnx.ml": 1})


@pytest.mark.parametrize("scaler", [None, *SCALERS], ids=repr)
def test_skl2onnx_regressors(tmp_path, scaler):
    mlp = MLPRegressor(hidden_layer_sizes=(6, 3), max_iter=40, random_state=1)
    estimator = fitted(make_pipeline(*([scaler] if scaler else []), mlp), X, X[:, 0] - X[:, 1])
    model = check(tmp_path, to_onnx(estimator, X[:1]), X)
    assert model.head == ScoresHead()
    assert model.classes == ()


def test_skl2onnx_regressor_with_two_targets_is_refused(tmp_path):
    # skl2onnx 1.20 reshapes both targets into one column, which is another function than the regressor's
    estimator = fitted(MLPRegressor(hidden_layer_sizes=(6,), max_iter=10), X, X[:, :2])
    with pytest.raises(MlpressError, match=r"\(Reshape\): the target shape \(-1, 1\) mixes rows of shape \(2,\)"):
        load(saved(tmp_path, to_onnx(estimator, X[:1])))


def test_skl2onnx_multi_label_is_refused(tmp_path):
    estimator = fitted(MLPClassifier((4,), max_iter=10), X, np.stack([CODES > 0, CODES > 1], axis=1).astype(int))
    with pytest.raises(MlpressError, match=r"\(ai.onnx.ml.Binarizer\): this operator is not supported"):
        load(saved(tmp_path, to_onnx(estimator, X[:1])))


def test_skl2onnx_agrees_with_the_estimator_itself(tmp_path):
    estimator = classifier(scaler=StandardScaler())
    read, direct = load(saved(tmp_path, to_onnx(estimator, X[:1]))), from_sklearn(estimator)
    assert read.classes == direct.classes
    np.testing.assert_allclose(read.scale, direct.scale, rtol=1e-6)
    for a, b in zip(read.layers, direct.layers, strict=True):
        np.testing.assert_allclose(a.weight, b.weight, rtol=1e-5, atol=1e-7)


TORCH = {"0.weight": weights(4, 3), "0.bias": weights(4), "2.weight": weights(2, 4, seed=2), "2.bias": weights(2)}
LINEAR = "alpha=1.0, beta=1.0, transB=1"
DYNAMO = "beta=1.0, transB=1, alpha=1.0, transA=0"


def torch_script(body: str, outputs: str = "float[batch,2] y", opset: int = 20, **constants):
    """A graph as ``torch.onnx.export(dynamo=False)`` writes it: slashes in names, constants as nodes."""
    return make(body, "float[batch,3] x", outputs, opset=opset, producer="pytorch", **named(constants))


def named(constants):
    return {key.replace(".", "__"): value for key, value in {**TORCH, **constants}.items()}


HIDDEN = (
    f'["/0/Gemm"] "/0/Gemm_output_0" = Gemm<{LINEAR}>(x, "0.weight", "0.bias")  '
    '["/1/Relu"] "/1/Relu_output_0" = Relu("/0/Gemm_output_0")  '
)


def test_torch_script_plain(tmp_path):
    body = f'{HIDDEN}["/2/Gemm"] y = Gemm<{LINEAR}>("/1/Relu_output_0", "2.weight", "2.bias")'
    check(tmp_path, torch_script(body), rows())


@pytest.mark.parametrize(
    "last", ['["/3/Softmax"] y = Softmax<axis=1>(z)', '["/3/LogSoftmax"] y = LogSoftmax<axis=-1>(z)']
)
def test_torch_script_softmax(tmp_path, last):
    body = f'{HIDDEN}["/2/Gemm"] z = Gemm<{LINEAR}>("/1/Relu_output_0", "2.weight", "2.bias")  {last}'
    check(tmp_path, torch_script(body), rows())


def test_torch_script_batch_norm_shares_constants_through_identities(tmp_path):
    body = (
        '[Identity_0] "2.running_var" = Identity("1.weight")  [Identity_1] "2.running_mean" = Identity("1.bias")  '
        '["/0/Flatten"] "/0/Flatten_output_0" = Flatten<axis=1>(x)  '
        f'["/0/Gemm"] "/0/Gemm_output_0" = Gemm<{LINEAR}>("/0/Flatten_output_0", "0.weight", "0.bias")  '
        '["/1/BatchNormalization"] n = BatchNormalization<epsilon=0.00001, momentum=0.9, training_mode=0>'
        '("/0/Gemm_output_0", "1.weight", "1.bias", "2.running_mean", "2.running_var")  '
        f'["/2/Relu"] r = Relu(n)  ["/3/Gemm"] y = Gemm<{LINEAR}>(r, "2.weight", "2.bias")'
    )
    extra = {"1.weight": np.ones(4, np.float32), "1.bias": np.zeros(4, np.float32)}
    assert len(check(tmp_path, torch_script(body, **extra), rows()).layers) == 2


def test_torch_script_hard_activations(tmp_path):
    body = (
        '["/0/MatMul"] "/0/MatMul_output_0" = MatMul(x, "onnx::MatMul_20")  '
        '["/1/HardSigmoid"] s = HardSigmoid<alpha=0.16666667>("/0/MatMul_output_0")  '
        f'["/2/Gemm"] g = Gemm<{LINEAR}>(s, "2.weight", "2.bias")  '
        '["/3/Constant"] lo = Constant<value=float {0}>()  ["/3/Constant_1"] hi = Constant<value=float {6}>()  '
        '["/3/Clip"] c = Clip(g, lo, hi)  ["/4/MatMul"] y = MatMul(c, "onnx::MatMul_21")'
    )
    extra = {"onnx::MatMul_20": weights(3, 4), "onnx::MatMul_21": weights(2, 2)}
    model = check(tmp_path, torch_script(body, **extra), rows())
    assert [layer.weight.shape for layer in model.layers] == [(4, 3), (2, 4), (2, 2)]


def test_torch_script_view(tmp_path):
    body = (
        '["/Shape"] "/Shape_output_0" = Shape(x)  ["/Constant"] zero = Constant<value=int64 {0}>()  '
        '["/Gather"] g = Gather<axis=0>("/Shape_output_0", zero)  [Constant_6] ax = Constant<value=int64[1] {0}>()  '
        '["/Unsqueeze"] u = Unsqueeze(g, ax)  ["/Constant_1"] minus = Constant<value=int64[1] {-1}>()  '
        '["/Concat"] s = Concat<axis=0>(u, minus)  ["/Reshape"] v = Reshape<allowzero=0>(x, s)  '
        f'["/b/b.0/Gemm"] h = Gemm<{LINEAR}>(v, "0.weight", "0.bias")  ["/b/b.1/Relu"] r = Relu(h)  '
        f'["/b/b.2/Gemm"] y = Gemm<{LINEAR}>(r, "2.weight", "2.bias")'
    )
    check(tmp_path, torch_script(body), rows())


def test_torch_script_thresholded_sigmoid(tmp_path):
    body = (
        f'{HIDDEN}["/2/Gemm"] z = Gemm<{LINEAR}>("/1/Relu_output_0", "4.weight", "4.bias")  '
        '["/Sigmoid"] s = Sigmoid(z)  ["/Constant"] half = Constant<value=float {0.5}>()  '
        '["/Greater"] g = Greater(s, half)  ["/Constant_1"] one = Constant<value=int64[1] {1}>()  '
        '["/Squeeze"] y = Squeeze(g, one)'
    )
    extra = {"4.weight": weights(1, 4), "4.bias": weights(1)}
    model = check(tmp_path, torch_script(body, "bool[batch] y", **extra), rows())
    assert model.head == ThresholdHead(0.0)


def test_torch_script_max_with_indices(tmp_path):
    body = (
        f'{HIDDEN}["/2/Gemm"] z = Gemm<{LINEAR}>("/1/Relu_output_0", "2.weight", "2.bias")  '
        '["/Constant"] ax = Constant<value=int64[1] {1}>()  ["/ReduceMax"] y = ReduceMax<keepdims=0>(z, ax)  '
        '["/ArgMax"] "10" = ArgMax<axis=1, keepdims=0>(z)'
    )
    proto = torch_script(body, 'float[batch] y, int64[batch] "10"')
    _, found = interpret_model(load(saved(tmp_path, proto)), rows().astype(np.float64))
    np.testing.assert_array_equal(found, run(proto, rows())[1])


def dynamo(body: str, outputs: str = "float[batch,2] linear_1", **constants):
    """A graph as ``torch.onnx.export(dynamo=True)`` writes it: opset 20, named nodes, all constants initialisers."""
    return make(body, "float[batch,3] input", outputs, opset=20, producer="pytorch", **named(constants))


def test_dynamo_plain(tmp_path):
    body = (
        f'[node_linear] linear = Gemm<{DYNAMO}>(input, "0.weight", "0.bias")  [node_relu] relu = Relu(linear)  '
        f'[node_linear_1] linear_1 = Gemm<{DYNAMO}>(relu, "2.weight", "2.bias")'
    )
    check(tmp_path, dynamo(body), rows())


def test_dynamo_scaled_view_and_folded_batch_norm(tmp_path):
    body = (
        "[node_view] view = Reshape<allowzero=1>(input, val_3)  [node_sub] sub = Sub(view, m)  "
        "[node_div] div = Div(sub, val_4)  "
        '[node_Gemm_8] getitem = Gemm<transB=1, alpha=1.0, transA=0>(div, "0.weight", "0.bias")  '
        "[node_relu] relu = Relu(getitem)  "
        f'[node_linear_1] linear_1 = Gemm<{DYNAMO}>(relu, "2.weight", "2.bias")'
    )
    extra = {"val_3": np.array([-1, 3]), "m": np.array([1, 2, 3], np.float32), "val_4": np.float32(4)}
    model = check(tmp_path, dynamo(body, **extra), rows())
    np.testing.assert_array_equal(model.scale, [0.25, 0.25, 0.25])
    np.testing.assert_array_equal(model.offset, [-0.25, -0.5, -0.75])


def test_dynamo_norm_between_layers_and_hardtanh(tmp_path):
    body = (
        "[node__native_batch_norm_legit_no_training__0] getitem = BatchNormalization<momentum=0.9, epsilon=0.00001>"
        '(input, "g", "o", "o", "g")  '
        f'[node_linear] linear = Gemm<{DYNAMO}>(getitem, "0.weight")  '
        "[node_leaky_relu] leaky_relu = LeakyRelu<alpha=0.2>(linear)  "
        "[node__native_batch_norm_legit_no_training_1__0] getitem_3 = "
        "BatchNormalization<momentum=0.9, epsilon=0.00001>"
        '(leaky_relu, "g4", "o4", "o4", "g4")  '
        f'[node_linear_1] l1 = Gemm<{DYNAMO}>(getitem_3, "2.weight", "2.bias")  '
        "[n4] hardtanh = Clip(l1, min_val_cast, max_val_cast)  "
        f'[node_linear_2] l2 = Gemm<{DYNAMO}>(hardtanh, "4.weight")  '
        "[node_argmax] argmax = ArgMax<select_last_index=0, keepdims=0, axis=-1>(l2)"
    )
    extra = {
        "g": np.array([1, 2, 0.5], np.float32),
        "o": np.array([0, 1, -1], np.float32),
        "g4": np.array([1, 2, 0.5, 3], np.float32),
        "o4": np.array([0, 1, -1, 2], np.float32),
        "min_val_cast": np.float32(-1),
        "max_val_cast": np.float32(1),
        "4.weight": weights(3, 2),
    }
    model = check(tmp_path, dynamo(body, "int64[batch] argmax", **extra), rows())
    assert [layer.weight.shape for layer in model.layers] == [(4, 3), (2, 4), (3, 2)]


def keras(body: str, outputs: str, inputs: str = "float[unk__6,3] input", **constants):
    """A graph as tf2onnx writes a Keras model: MatMul and Add with path-like names."""
    return make(body, inputs, outputs, opset=13, ml=2, producer="tf2onnx", **constants)


def test_keras_softmax(tmp_path):
    body = (
        '["sequential_1/dense_1/MatMul"] "sequential_1/dense_1/MatMul:0" = MatMul(input, k1)  '
        '["sequential_1/dense_1/Add"] "sequential_1/dense_1/Add:0" = Add("sequential_1/dense_1/MatMul:0", b1)  '
        '["sequential_1/dense_1/Relu"] "sequential_1/dense_1/Relu:0" = Relu("sequential_1/dense_1/Add:0")  '
        '["sequential_1/dense_1_2/MatMul"] z = MatMul("sequential_1/dense_1/Relu:0", k2)  '
        '["sequential_1/dense_1_2/Softmax"] "Identity:0" = Softmax(z)'
    )
    proto = keras(body, 'float[unk__7,3] "Identity:0"', k1=weights(3, 4), b1=weights(4), k2=weights(4, 3))
    check(tmp_path, proto, rows())


def test_keras_normalisation_batch_norm_and_sigmoid(tmp_path):
    body = (
        "[Sub] s = Sub(input, mean)  [truediv] t = Mul(s, recip)  [MatMul] m = MatMul(t, k1)  "
        "[batchnorm_mul_1] n = Mul(m, gamma)  [batchnorm_add_1] o = Add(n, beta)  [re_lu] r = Relu(o)  "
        '[MatMul_1] z = MatMul(r, k2)  [Add_1] a = Add(z, b2)  [Sigmoid] "Identity:0" = Sigmoid(a)'
    )
    constants = {"mean": weights(1, 3), "recip": np.abs(weights(1, 3, seed=1)), "gamma": weights(4), "beta": weights(4)}
    proto = keras(body, 'float[unk__14,1] "Identity:0"', k1=weights(3, 4), k2=weights(4, 1), b2=weights(1), **constants)
    model = check(tmp_path, proto, rows(), at=0.5)
    assert model.head == ThresholdHead(0.0)
    assert len(model.layers) == 2


def test_keras_flatten_rescaling_and_hard_sigmoid_as_relu6(tmp_path):
    body = (
        "[flatten] f = Reshape(input, s)  [rescaling_mul] m = Mul(f, k)  [rescaling_add] a = Add(m, o)  "
        "[dense] d = MatMul(a, k1)  [dense_add] e = Add(d, three)  [relu6] c = Clip(e, lo, hi)  "
        "[truediv] t = Mul(c, sixth)  [dense_1] g = MatMul(t, k2)  [leaky_re_lu] l = LeakyRelu<alpha=0.1>(g)  "
        '[dense_2] "Identity:0" = MatMul(l, k3)'
    )
    constants = {
        "s": np.array([-1, 4]),
        "k": np.float32(0.5),
        "o": np.float32(-0.5),
        "three": np.full(4, 3, np.float32),
    }
    constants |= {"lo": np.float32(0), "hi": np.float32(6), "sixth": np.float32(1 / 6)}
    proto = keras(
        body,
        'float[unk__37,2] "Identity:0"',
        "float[unk__36,2,2] input",
        k1=weights(4, 4),
        k2=weights(4, 3),
        k3=weights(3, 2),
        **constants,
    )
    model = check(tmp_path, proto, rows(4).reshape(-1, 2, 2))
    assert [layer.weight.shape for layer in model.layers] == [(4, 4), (3, 4), (2, 3)]
    assert model.layers[0].activation == Clip(0.0, 6.0)
