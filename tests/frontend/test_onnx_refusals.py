"""Nodes and graphs that the reader refuses: each gives one line that names the place."""

from __future__ import annotations

import numpy as np
import pytest
from support.onnx_text import make, refused, weights

W, B, V, C = weights(3, 4), weights(4), weights(4, 2), weights(2)
LAYERS = {"w": W, "b": B, "v": V, "c": C}
HEAD = "h = Gemm(x, w, b)  a = Relu(h)  "


NODE_ERRORS = {
    "unknown operator": (
        HEAD + "[bad] s = Shrink(a)  y = Gemm(s, v, c)",
        {},
        "node 'bad' (Shrink): this operator is not supported; supported: Gemm, MatMul, ",
    ),
    "unknown operator without a name": (
        HEAD + "s = Sin(a)  y = Gemm(s, v, c)",
        {},
        "node of output 's' (Sin): this operator is not supported",
    ),
    "unknown domain": (
        HEAD + "[bad] s = ai.onnx.ml.FeatureVectorizer(a)  y = Gemm(s, v, c)",
        {},
        "node 'bad' (ai.onnx.ml.FeatureVectorizer): this operator is not supported",
    ),
    "convolution": ("[conv] y = Conv(x, w)", {}, "node 'conv' (Conv): a kernel of shape (3, 4) on rows of shape (3,)"),
    "tree ensemble": (
        "[trees] y = ai.onnx.ml.TreeEnsembleClassifier(x)",
        {},
        "node 'trees' (ai.onnx.ml.TreeEnsembleClassifier): this operator is not supported: decision trees",
    ),
    "sum of rows of two widths": (
        HEAD + "z = Gemm(a, v, c)  [res] s = Add(a, z)  y = Gemm(s, v, c)",
        {},
        "node 'res' (Add): rows of shape (4,) and (2,) cannot be added",
    ),
    "product of features": (
        HEAD + "[mul] s = Mul(a, a)  y = Gemm(s, v, c)",
        {},
        "node 'mul' (Mul): both operands are computed from the features",
    ),
    "attention-like product": (
        HEAD + "t = Transpose(a)  [mm] y = MatMul(a, t)",
        {},
        "node 'mm' (MatMul): both factors are computed from the features; one of them must be constant",
    ),
    "constant over features": (
        HEAD + "[div] s = Div(b, a)  y = Gemm(s, v, c)",
        {},
        "node 'div' (Div): its inputs are a constant and computed from the features; "
        "supported are features with a constant",
    ),
    "division by zero": (
        HEAD + "[div] s = Div(a, z)  y = Gemm(s, v, c)",
        {"z": np.zeros(4, np.float32)},
        "node 'div' (Div): it divides by a constant that holds 0",
    ),
    "weights of another width": (
        HEAD + "[last] y = Gemm(a, w, c)",
        {},
        "node 'last' (Gemm): the weights have shape (3, 4) but a row has 4 values",
    ),
    "three-dimensional weights": (
        HEAD + "[last] y = MatMul(a, k)",
        {"k": weights(1, 4, 2)},
        "node 'last' (MatMul): the weights have shape (1, 4, 2) but a row has 4 values",
    ),
    "bias of another width": (
        "[first] h = Gemm(x, w, c)  y = Gemm(h, v, c)",
        {},
        "node 'first' (Gemm): a constant of shape (2,) does not fit rows of shape (4,)",
    ),
    "constant a row": (
        HEAD + "[add] s = Add(a, k)  y = Gemm(s, v, c)",
        {"k": weights(5, 4)},
        "node 'add' (Add): a constant of shape (5, 4) does not fit rows of shape (4,)",
    ),
    "transposed features": (
        "[first] h = Gemm<transA=1>(x, w, b)  y = Gemm(h, v, c)",
        {},
        "node 'first' (Gemm): the batch is not where a dense layer needs it; check transA and transB",
    ),
    "weights that are not finite": (
        "[first] h = Gemm(x, k, b)  y = Gemm(h, v, c)",
        {"k": W * np.inf},
        "node 'first' (Gemm): a constant holds a value that is not finite; train or export the model again",
    ),
    "text as weights": (
        "[first] h = MatMul(x, k)  y = MatMul(h, v)",
        {"k": np.full((3, 4), "a")},
        "node 'first' (MatMul): a text constant stands where numbers are expected",
    ),
    "weights from the features": (
        "r = Gemm(x, w, b)  [first] h = Gemm(x, r)  y = MatMul(h, v)",
        {},
        "node 'first' (Gemm): both factors are computed from the features",
    ),
    "missing weights": ('[first] y = Gemm(x, "")', {}, "node 'first' (Gemm): its input 1 is missing"),
    "undefined input": (
        "[first] y = Gemm(x, nothing)",
        {},
        "node 'first' (Gemm): its input 'nothing' is not computed before it",
    ),
    "attribute of another type": (
        '[first] h = Gemm<alpha="big">(x, w, b)  y = Gemm(h, v, c)',
        {},
        "node 'first' (Gemm): its attribute 'alpha' has the wrong type",
    ),
    "soft-max in the middle": (
        HEAD + "s = Softmax(a)  [last] y = Gemm(s, v, c)",
        {},
        "node 'last' (Gemm): a dense layer on probabilities is not supported; keep the soft-max or sigmoid last",
    ),
    "soft-max over the batch": (
        HEAD + "z = Gemm(a, v, c)  [soft] y = Softmax<axis=0>(z)",
        {},
        "node 'soft' (Softmax): axis 0 is not that of the classes; supported is a soft-max over each row's values",
    ),
    "two soft-maxes": (
        HEAD + "z = Gemm(a, v, c)  s = Softmax(z)  [soft] y = Softmax(s)",
        {},
        "node 'soft' (Softmax): a soft-max of probabilities is not supported",
    ),
    "arithmetic on probabilities": (
        HEAD + "s = Softmax(a)  [scale] y = Mul(s, b)",
        {},
        "node 'scale' (Mul): arithmetic on softmax probabilities of 4 classes: each row is divided by a sum of its own",
    ),
    "activation on probabilities": (
        HEAD + "z = Gemm(a, v, c)  s = Softmax(z)  [clip] y = Relu(s)",
        {},
        "node 'clip' (Relu): an activation on probabilities is not supported",
    ),
    "falling Elu": (
        HEAD + "[elu] s = Elu<alpha=-0.5>(h)  y = Gemm(s, v, c)",
        {},
        "node 'elu' (Elu): its alpha or gamma is -0.5; supported are curves with positive ones",
    ),
    "falling HardSigmoid": (
        HEAD + "[hard] s = HardSigmoid<alpha=-0.5>(h)  y = Gemm(s, v, c)",
        {},
        "node 'hard' (HardSigmoid): its alpha is -0.5;",
    ),
    "clip upside down": (
        HEAD + "[clip] s = Clip(h, hi, lo)  y = Gemm(s, v, c)",
        {"lo": np.float32(0), "hi": np.float32(1)},
        "node 'clip' (Clip): its min 1.0 is not below its max 0.0",
    ),
    "clip by a vector": (
        HEAD + "[clip] s = Clip(h, b)  y = Gemm(s, v, c)",
        {},
        "node 'clip' (Clip): its min is not one number",
    ),
    "clip by NaN": (
        HEAD + "[clip] s = Clip(h, k)  y = Gemm(s, v, c)",
        {"k": np.float32("nan")},
        "node 'clip' (Clip): its min nan is not below its max",
    ),
    "training batch norm": (
        HEAD + "[norm] n = BatchNormalization<training_mode=1>(a, b, b, b, b)  y = Gemm(n, v, c)",
        {},
        "node 'norm' (BatchNormalization): it is in training mode; export the model in inference mode (eval)",
    ),
    "negative variance": (
        HEAD + "[norm] n = BatchNormalization(a, b, b, b, k)  y = Gemm(n, v, c)",
        {"k": -np.ones(4, np.float32)},
        "node 'norm' (BatchNormalization): a variance is not positive",
    ),
    "batch norm of another width": (
        HEAD + "[norm] n = BatchNormalization(a, c, c, c, c)  y = Gemm(n, v, c)",
        {},
        "node 'norm' (BatchNormalization): its constants have shapes [(2,), (2,), (2,), (2,)]; rows have (4,)",
    ),
    "training dropout": (
        HEAD + '[drop] s = Dropout(a, "", t)  y = Gemm(s, v, c)',
        {"t": np.array(True)},
        "node 'drop' (Dropout): it is in training mode",
    ),
    "dropout mask": (
        HEAD + "[drop] s, mask = Dropout(a)  k = Cast<to=1>(mask)  z = Mul(s, k)  y = Gemm(z, v, c)",
        {},
        "node 'drop' (Dropout): its output 'mask' is used; only the first one is supported",
    ),
    "rows mixed": (
        HEAD + "[shape] s = Reshape(a, k)  y = Gemm(s, v, c)",
        {"k": np.array([-1, 2])},
        "node 'shape' (Reshape): the target shape (-1, 2) mixes rows of shape (4,); keep the batch as the first axis",
    ),
    "batch flattened away": (
        HEAD + "[shape] s = Reshape(a, k)  y = Gemm(s, v, c)",
        {"k": np.array([-1])},
        "node 'shape' (Reshape): the target shape (-1) mixes rows",
    ),
    "shape from the features": (
        HEAD + "i = Cast<to=1>(a)  [shape] s = Reshape(a, i)  y = Gemm(s, v, c)",
        {},
        "node 'shape' (Reshape): a shape, axis or index is not a short constant list of integers",
    ),
    "flattened from axis 0": (
        HEAD + "[flat] s = Flatten<axis=0>(a)  y = Gemm(s, v, c)",
        {},
        "node 'flat' (Flatten): flattening is supported from axis 1 on",
    ),
    "squeezed batch": (
        HEAD + "[sq] s = Squeeze(a, k)  y = Gemm(s, v, c)",
        {"k": np.array([0])},
        "node 'sq' (Squeeze): axes [0] of rows of shape (4,) cannot be squeezed away",
    ),
    "unsqueezed batch": (
        HEAD + "[un] s = Unsqueeze(a, k)  y = Gemm(s, v, c)",
        {"k": np.array([0])},
        "node 'un' (Unsqueeze): axes [0] do not fit rows of shape (4,)",
    ),
    "cast to integers": (
        HEAD + "[cast] s = Cast<to=7>(a)  y = Gemm(s, v, c)",
        {},
        "node 'cast' (Cast): casting features to INT64 rounds them; only floats are supported",
    ),
    "probabilities joined": (
        HEAD + "p = Softmax(a)  q = Softmax(h)  [join] s = Concat<axis=1>(p, q)  y = MatMul(s, k)",
        {"k": weights(8, 2)},
        "node 'join' (Concat): probabilities are joined or added: these are several networks; export one of them",
    ),
    "features joined with a constant": (
        HEAD + "[join] s = Concat<axis=1>(a, b)  y = MatMul(s, k)",
        {"k": weights(8, 2)},
        "node 'join' (Concat): joining features with anything else is not supported",
    ),
    "rows joined": (
        "[join] s = Concat<axis=0>(x, x)  y = Gemm(s, w, b)",
        {},
        "node 'join' (Concat): joining is supported for (batch, values) along the values",
    ),
    "input in two scalings": (
        "q = QuantizeLinear(x, t, z)  d = DequantizeLinear(q, t, z)  [join] s = Concat<axis=1>(x, d)  y = MatMul(s, k)",
        {"k": weights(6, 2), "t": np.float32(0.1), "z": np.int8(0)},
        "node 'join' (Concat): input 'x[0]' is read with two scalings or quantisers; scale it once",
    ),
    "arg-max over the batch": (
        HEAD + "z = Gemm(a, v, c)  [max] y = ArgMax(z)",
        {},
        "node 'max' (ArgMax): axis 0 is not that of the classes; supported is an arg-max over each row's values",
    ),
    "arg-max with last index": (
        HEAD + "z = Gemm(a, v, c)  [max] y = ArgMax<axis=1, select_last_index=1>(z)",
        {},
        "node 'max' (ArgMax): select_last_index=1 is not supported; a tie goes to the first index",
    ),
    "arg-max of one": (
        HEAD + "z = MatMul(a, k)  [max] y = ArgMax<axis=1>(z)",
        {"k": V[:, :1]},
        "node 'max' (ArgMax): an arg-max over one value is always 0; compare it with a threshold instead",
    ),
    "comparing two scores": (
        HEAD + "z = Gemm(a, v, c)  [more] y = Greater(z, c)",
        {},
        "2 comparisons without an ArgMax may be independent labels; decide one class",
    ),
    "too few names": (
        HEAD + "z = Gemm(a, v, c)  [zip] y = ai.onnx.ml.ZipMap<classlabels_int64s=[1]>(z)",
        {},
        "node 'zip' (ai.onnx.ml.ZipMap): it names 1 class but the model tells 2 apart",
    ),
    "names for a class looked up twice": (
        HEAD + "z = Gemm(a, v, c)  k = ArgMax<axis=1>(z)  n = Gather(m, k)  [again] y = Gather(m, n)",
        {"m": np.array([1, 0])},
        "node 'again' (Gather): the class is looked up twice; that is not supported",
    ),
    "classes that are real numbers": (
        HEAD + "z = Gemm(a, v, c)  k = ArgMax<axis=1>(z)  [names] y = Gather(c, k)",
        {},
        "node 'names' (Gather): class names are real numbers; supported are integers and text",
    ),
    "feature selection": (
        "[pick] s = Gather<axis=1>(x, k)  y = MatMul(s, w)",
        {"k": np.array([0, 1, 5])},
        "node 'pick' (Gather): index '[0, 1, 5]' is out of range",
    ),
    "row normaliser in front": (
        '[norm] n = ai.onnx.ml.Normalizer<norm="L2">(x)  h = Gemm(n, w, b)  y = Gemm(h, v, c)',
        {},
        "node 'norm' (ai.onnx.ml.Normalizer): normalising rows is supported for probabilities only",
    ),
    "scaler of another width": (
        "[scale] n = ai.onnx.ml.Scaler<offset=[1.0, 2.0], scale=[1.0]>(x)  y = Gemm(n, w, b)",
        {},
        "node 'scale' (ai.onnx.ml.Scaler): its offset has 2 values; there must be 1 or 3",
    ),
    "a huge constant": (
        "k = Mul(p, q)  [first] y = MatMul(x, k)",
        {"p": np.ones((4096, 1), np.float32), "q": np.ones((1, 4096), np.float32)},
        "node of output 'k' (Mul): its result has 16777216 elements; at most 8388608 are supported",
    ),
    "constants that do not fit": (
        "[add] k = Add(b, c)  y = MatMul(x, k)",
        {},
        "node 'add' (Add): its constants have shapes that do not fit together",
    ),
    "constant without a value": (
        "[const] k = Constant()  y = MatMul(x, k)",
        {},
        "node 'const' (Constant): it has no value that can be read",
    ),
    "QOperator format": (
        "[qmm] y = QLinearConv(x, w, w, w, w, w, w, w)",
        {},
        "node 'qmm' (QLinearConv): this operator is not supported; quantise the model with QuantFormat.QDQ instead",
    ),
    "sequence": (
        "[seq] s = SequenceConstruct(x)  y = ConcatFromSequence<axis=1>(s)",
        {},
        "node 'seq' (SequenceConstruct): this operator is not supported",
    ),
    "dynamic quantisation": (
        "[dq] q, s, z = DynamicQuantizeLinear(x)  y = DequantizeLinear(q, s, z)",
        {},
        "node 'dq' (DynamicQuantizeLinear): this operator is not supported: dynamic quantisation has no fixed scales",
    ),
    "integer product": (
        "[mm] y = MatMulInteger(x, w)",
        {},
        "node 'mm' (MatMulInteger): this operator is not supported",
    ),
}


@pytest.mark.parametrize("name", NODE_ERRORS)
def test_a_node_that_cannot_be_read_is_named(tmp_path, name):
    body, constants, message = NODE_ERRORS[name]
    assert refused(tmp_path, make(body, **LAYERS, **constants)).startswith(message)


MODEL_ERRORS = {
    "no dense layer": (make("y = Relu(x)"), "the model has no dense layer (Gemm or MatMul); it is not an MLP"),
    "an arg-max of the features": (
        make("y = ArgMax<axis=1>(x)"),
        "the class is found without a dense layer (Gemm or MatMul); this is not an MLP",
    ),
    "constant output": (
        make("y = Constant<value_float=1.0>()"),
        "an output is a constant; it must be computed from the features",
    ),
    "output of no node": (make("z = Gemm(x, w, b)", **LAYERS), "output 'y' is computed by no node"),
    "two heads": (
        make("y = Gemm(x, w, b)  z = MatMul(x, k)", outputs="float[N,4] y, float[N,2] z", k=V[:3], **LAYERS),
        "the outputs do not all come from the same scores; keep one of them",
    ),
    "a hidden layer as output": (
        make("h = Gemm(x, w, b)  a = Relu(h)  y = Gemm(a, v, c)", outputs="float[N,2] y, float[N,4] a", **LAYERS),
        "the outputs do not all come from the same scores; keep one of them",
    ),
    "only a column": (
        make("z = Gemm(x, w, b)  p = Softmax(z)  y = ReduceMax<axes=[1]>(p)", **LAYERS),
        "the outputs are parts of the probabilities only; export all of them, or the label",
    ),
    "independent labels": (
        make("z = Gemm(x, w, b)  y = Sigmoid(z)", **LAYERS),
        "4 sigmoid outputs without an ArgMax may be independent labels; add an ArgMax or a Softmax",
    ),
    "one soft-max output": (
        make("z = MatMul(x, k)  y = Softmax(z)", k=W[:, :1]),
        "one score cannot be told apart by an arg-max; compare it with a threshold",
    ),
    "text features": (
        make("y = Gemm(x, w, b)", inputs="string[N,3] x", **LAYERS),
        "input 'x' has type STRING; features must be numbers",
    ),
    "free number of features": (
        make("h = Relu(x)  y = Gemm(h, w, b)", inputs="float[N,M] x", **LAYERS),
        "input 'x' has rows of shape (0,); every axis but the batch must be fixed",
    ),
    "no batch axis": (
        make("y = MatMul(x, w)", inputs="float[M] x", **LAYERS),
        "input 'x' has 1 axis of unknown size; features must have the shape (batch, features)",
    ),
    "too many features": (
        make("y = MatMul(x, w)", inputs="float[N,100000] x", **LAYERS),
        "input 'x' has rows of shape (100000,); every axis but the batch must be fixed, with at most 16384 features",
    ),
    "an old opset": (
        make("y = Gemm(x, w, b)", opset=6, **LAYERS),
        "opset 6; mlpress reads 7 to 28, so export the model with one of these",
    ),
    "a future opset": (
        make("y = Gemm(x, w, b)", opset=99, **LAYERS),
        "opset 99; mlpress reads 7 to 28, so export the model with one of these",
    ),
    "a future ai.onnx.ml opset": (
        make("y = Gemm(x, w, b)", ml=9, **LAYERS),
        "ai.onnx.ml opset 9; mlpress reads 1 to 5",
    ),
    "too many nodes": (
        make("  ".join(f"r{i} = Relu({'x' if i == 0 else f'r{i - 1}'})" for i in range(2001)) + "  y = Relu(r2000)"),
        "2002 nodes; a model for mlpress has at most 2000",
    ),
    "too many layers": (
        make(
            "  ".join(f"h{i} = MatMul({'x' if i == 0 else f'r{i - 1}'}, s)  r{i} = Relu(h{i})" for i in range(70))
            + "  y = MatMul(r69, s)",
            s=weights(3, 3),
        ),
        "layers: 71 layers; there must be 1 to 64",
    ),
    "a control character in a name": (
        make("y = Gemm(x, w, b)", inputs='float[N,3] "a\tb"', **LAYERS),
        "the input's name 'a\\tb' is empty or holds control characters; rename it",
    ),
}


@pytest.mark.parametrize("name", MODEL_ERRORS)
def test_a_model_that_is_no_mlp_is_explained(tmp_path, name):
    proto, message = MODEL_ERRORS[name]
    if name == "a control character in a name":
        proto.graph.node[0].input[0] = "a\tb"
    assert refused(tmp_path, proto).startswith(message)
