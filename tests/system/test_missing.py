"""Missing features (NaN): what stands for them is part of the input code, from the estimator to the C."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from support.onnx_text import make, saved, weights
from typer.testing import CliRunner

import mlpress as mp
from mlpress import codegen, ir
from mlpress.cli import app
from mlpress.codegen import c
from mlpress.errors import MlpressError
from mlpress.frontend import Dataset, from_sklearn, load, quantise
from mlpress.hw import mcu
from mlpress.sim import Oracle
from mlpress.sim import mcu as sim

RNG = np.random.default_rng(11)
X = RNG.normal(size=(150, 4)) * [1.0, 5.0, 0.3, 2.0] + [0, 9, 1, -4]
Y = np.digitize(X[:, 0] + X[:, 1] / 5, [1.2, 2.4])
HOLES = np.where(RNG.random(X.shape) < 0.2, np.nan, X)


def fit(*steps: Any) -> Any:
    mlp = MLPClassifier((5,), max_iter=80, learning_rate_init=0.05, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make_pipeline(*steps, mlp).fit(HOLES, Y)


MIXED = ColumnTransformer(
    [("a", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), [2, 0]),
     ("b", make_pipeline(MinMaxScaler(), SimpleImputer(strategy="constant", fill_value=0.25)), [1, 3])]
)  # fmt: skip


@pytest.mark.parametrize("steps", [(SimpleImputer(), StandardScaler()), (StandardScaler(), SimpleImputer()), (MIXED,)])
def test_an_estimator_with_holes_is_read(steps: tuple[Any, ...]) -> None:
    estimator = fit(*steps)
    model = from_sklearn(estimator)
    assert None not in model.missing
    assert ir.from_text(ir.to_text(model)) == model
    scores, decided = ir.interpret_model(model, HOLES)
    odds = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(odds, estimator.predict_proba(HOLES), atol=1e-5)
    assert decided is not None
    found = Oracle(codegen.onnx_model(model)).run(HOLES)
    np.testing.assert_allclose(found["outputs"], scores, rtol=1e-9)
    data = Dataset.from_arrays(HOLES, Y, missing=True)
    net = quantise(model, data, input_bits=6).net
    assert [one.missing for one in net.inputs] == list(model.missing)


def test_two_values_for_one_hole_are_refused() -> None:
    both = FeatureUnion([("a", SimpleImputer()), ("b", SimpleImputer(strategy="constant", fill_value=0.0))])
    with pytest.raises(MlpressError, match="SimpleImputers that take one missing value for two values"):
        from_sklearn(fit(both))


GRAPH = (
    "s = ai.onnx.ml.Imputer<imputed_value_floats=[1.0, 2.0, 3.0], replaced_value_float=nan>(x)  "
    "h = Gemm(s, w, b)  a = Relu(h)  y = Gemm(a, v, c)"
)


def graph(tmp_path: Path, body: str = GRAPH) -> Path:
    sizes = {"w": weights(3, 6), "b": weights(6), "v": weights(6, 3), "c": weights(3)}
    return saved(tmp_path, make(body, outputs="float[N,3] y", **sizes))


def rows_with_holes(count: int = 80) -> np.ndarray:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(count, 3)).astype(np.float32).astype(np.float64) * 3
    return np.where(rng.random(x.shape) < 0.3, np.nan, x)


def test_an_imputer_of_a_file_is_a_rule_of_every_engine(tmp_path: Path) -> None:
    model = load(graph(tmp_path))
    assert model.missing == (1.0, 2.0, 3.0)
    x = rows_with_holes()
    full = np.where(np.isnan(x), [1.0, 2.0, 3.0], x)
    _, labels = ir.interpret_model(model, x)
    net = quantise(model, Dataset.from_arrays(x, labels, missing=True, classes=range(3)), input_bits=6).net
    assert ir.from_text(ir.to_text(net)) == net
    codes = ir.encode(net, x)
    np.testing.assert_array_equal(codes, ir.encode(net, full))
    np.testing.assert_array_equal(Oracle(codegen.onnx_net(net)).run(x)["codes"], codes)
    with sim.HostProgram([c.generate(net, mcu.read_core("cortex-m0plus"), c.COptions("n"))]) as program:
        np.testing.assert_array_equal(program.run(0, codes, x.astype(np.float32))[0], codes)


def test_the_scaled_form_of_the_c_has_the_rule_too() -> None:
    inputs = tuple(ir.Input(f"x{k}", 3, 8.0, 0.0, missing=value) for k, value in enumerate((0.5, None, -2.0)))
    neuron = ir.Neuron(0, tuple(ir.Term(k, 1, 0, 7) for k in range(3)), ir.Raw())
    net = ir.Net(inputs, (ir.Layer((neuron, ir.Neuron(9, (), ir.Raw()))),), ir.Argmax(), (0, 1))
    source = c.generate(net, mcu.read_core("cortex-m0plus"), c.COptions("n"))
    assert any("0x7FFFFFu" in text for text in source.files.values())
    x = np.array([[np.nan, 0.3, np.nan], [0.2, 0.9, 0.4], [np.nan, 0.1, 5.0]])
    codes = ir.encode(net, x)
    assert codes[:, 0].tolist() == [4, 1, 4]
    with sim.HostProgram([source]) as program:
        np.testing.assert_array_equal(program.run(0, codes, x.astype(np.float32))[0], codes)


def test_the_command_takes_files_with_holes_where_the_model_says_what_stands_for_them(tmp_path: Path) -> None:
    x = rows_with_holes()
    model = graph(tmp_path)
    _, labels = ir.interpret_model(load(model), x)
    lines = [",".join("" if np.isnan(value) else repr(value) for value in row) for row in x.tolist()]
    table = tmp_path / "rows.csv"
    table.write_text("a,b,c,label\n" + "".join(f"{line},{label}\n" for line, label in zip(lines, labels, strict=True)))
    out = tmp_path / "build"
    words = [
        "--data",
        str(table),
        "--target",
        "ecp5-25k",
        "-O",
        "place=false",
        "--input-bits",
        "3",
        "--weight-bits",
        "3",
    ]
    words += ["--activation-bits", "3", "-o", str(out)]
    result = CliRunner().invoke(app, ["compile", str(model), *words])
    assert result.exit_code == 0, result.output
    design = mp.Design.load(out)
    assert [one.missing for one in design.program.inputs] == [1.0, 2.0, 3.0]
    assert CliRunner().invoke(app, ["run", str(out), "--device", "rtl", "--data", str(table)]).exit_code == 0
    bare = graph(tmp_path, GRAPH.partition("  ")[2].replace("Gemm(s,", "Gemm(x,"))
    result = CliRunner().invoke(app, ["compile", str(bare), *words])
    assert "the cell is empty; fill it or drop the row" in str(result.exception)


def test_a_rule_goes_to_a_file_and_comes_again(tmp_path: Path) -> None:
    x = rows_with_holes()
    model = graph(tmp_path)
    _, labels = ir.interpret_model(load(model), x)
    np.savez(tmp_path / "rows.npz", X=x, y=labels)
    out = tmp_path / "net.onnx"
    result = CliRunner().invoke(app, ["convert", str(model), "--data", str(tmp_path / "rows.npz"), "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert load(out).missing == (1.0, 2.0, 3.0)


def test_a_hole_without_a_rule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MlpressError, match=r"row 0, feature 'x\[1\]': the value is not a finite number"):
        Dataset.from_arrays([[1.0, np.nan]], [0])
    some = ir.Input("a", 2, 1.0, 0.0, missing=1.0), ir.Input("b", 2, 1.0, 0.0)
    net = ir.Net(some, (ir.Layer((ir.Neuron(0, (), ir.Raw()),) * 2),), ir.Argmax(), (0, 1))
    with pytest.raises(MlpressError, match=r"row 1, feature 'b': nan is not a finite number"):
        ir.encode(net, np.array([[np.nan, 1.0], [1.0, np.nan]]))
    data = Dataset.from_arrays([[np.nan, 1.0], [1.0, np.nan]], [0, 1], ["a", "b"], missing=True)
    with pytest.raises(MlpressError, match="row 1, feature 'b'"):
        data.for_model(net)
