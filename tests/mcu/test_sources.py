"""What the generated text promises: names, header, refusals, one source for every compiler."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.mcu_nets import nets

from mlpress.codegen import c
from mlpress.errors import MlpressError
from mlpress.hw import mcu
from mlpress.ir import (
    Argmax,
    Input,
    Layer,
    Net,
    Neuron,
    QRelu,
    Raw,
    Threshold,
    bit_blast,
    encode,
    interpret,
    interpret_circuit,
    weight_terms,
)
from mlpress.sim import mcu as sim

M0 = mcu.read_core("cortex-m0plus")


def _net(features: tuple[Input, ...], weights: list[list[int]], classes: tuple[int | str, ...]) -> Net:
    layer = Layer(
        tuple(
            Neuron(k, tuple(t for s, w in enumerate(row) for t in weight_terms(w, s, features[s].bits)), Raw())
            for k, row in enumerate(weights)
        )
    )
    return Net(features, (layer,), Argmax(), classes)


HOSTILE = '*/ #include "/etc/passwd" \\ ??/ {'


@pytest.mark.parametrize("shape", ["looped", "unrolled", "sliced"])
def test_names_of_the_model_end_no_comment_and_make_no_code(shape: str) -> None:
    net = _net((Input(HOSTILE, 3, 1.0, 0.0),), [[1], [2]], (HOSTILE, "b"))
    source = c.generate(net, M0, c.COptions(HOSTILE, shape))  # type: ignore[arg-type]
    header = source.files[f"{source.name}.h"]
    assert source.name == "include_etc_passwd"
    assert header.count("*/") == header.count("/*")
    assert '#include "/etc' not in "".join(line for line in header.splitlines(True) if not line.startswith(" *"))
    with sim.HostProgram([source]) as program:
        _, classes, _ = program.run(0, np.array([[5]]))
        assert classes is not None
        assert classes.tolist() == [1]


@pytest.mark.parametrize(
    ("name", "wanted"), [("int", "m_int"), ("3d", "m_3d"), ("", "m"), ("a b-c", "a_b_c"), ("Namespace", "m_namespace")]
)
def test_identifiers(name: str, wanted: str) -> None:
    assert c.identifier(name) == wanted


def test_the_header_says_what_codes_and_classes_mean() -> None:
    net = _net((Input("petal", 3, 2.0, 0.5, "even", (2, 5)),), [[1], [2]], ("setosa", 7))
    header = c.generate(net, M0, c.COptions("iris")).files["iris.h"]
    assert " * x[0]: 0 to 7, of which 3 occur, even(2.0 * feature + 0.5) of petal" in header
    assert " * 0: setosa\n * 1: 7\n */\nint iris_predict(const uint8_t x[1]);" in header
    assert 'extern "C" {' in header
    assert "#define IRIS_INPUTS 1" in header


def test_the_header_is_cpp_too(tmp_path: Path) -> None:
    source = c.generate(next(iter(nets(5, 1))), M0, c.COptions("net"))
    for name, text in source.files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "main.cpp").write_text('#include "net.h"\nint main() { return NET_INPUTS == 0; }\n')
    subprocess.run(
        [*sim.host_compiler("c++"), "-Wall", "-Werror", "-fsyntax-only", str(tmp_path / "main.cpp")], check=True
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"shape": "rolled"},
            "shape is 'rolled'; it must be one of auto, unrolled, looped, listed, coded, dsp, sliced",
        ),
        ({"minimise": "size"}, "minimise is 'size'; it must be cycles or flash"),
    ],
)
def test_wrong_options_are_told(options: dict[str, str], text: str) -> None:
    with pytest.raises(MlpressError, match=text):
        c.COptions(**options)  # type: ignore[arg-type]


def test_a_circuit_has_only_sliced_code() -> None:
    circuit = bit_blast(_net((Input("a", 2, 1.0, 0.0),), [[1], [2]], (0, 1)))
    with pytest.raises(MlpressError, match="a circuit has no looped code; ask for shape sliced or auto"):
        c.generate(circuit, M0, c.COptions(shape="looped"))


def test_unknown_core_is_told() -> None:
    with pytest.raises(MlpressError, match="no core '6502'; there are cortex-m0plus, "):
        mcu.read_core("6502")


def test_circuits_agree_one_by_one_on_the_core() -> None:
    rng = np.random.default_rng(0)
    net = _net(tuple(Input(f"f{k}", 3, 8.0, 0.0) for k in range(5)), rng.integers(-7, 8, (4, 5)).tolist(), (0, 1, 2, 3))
    circuit = bit_blast(net)
    codes = rng.integers(0, 8, (20, 5))
    source = c.generate(circuit, M0, c.COptions("gates"))
    found = sim.Emulator(sim.build(source, M0)).run(codes, counted=1)
    np.testing.assert_array_equal(found.predictions, interpret(net, codes).decision)
    np.testing.assert_array_equal(found.predictions, interpret_circuit(circuit, codes).decision)


def test_thirty_two_rows_a_word(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    net = _net(tuple(Input(f"f{k}", 3, 8.0, 0.0) for k in range(5)), rng.integers(-7, 8, (4, 5)).tolist(), (0, 1, 2, 3))
    codes = rng.integers(0, 8, (32, 5))
    source = c.generate(net, M0, c.COptions("net", "sliced"))
    for name, text in source.files.items():
        (tmp_path / name).write_text(text)
    rows = ", ".join("{" + ", ".join(map(str, row)) + "}" for row in codes.tolist())
    (tmp_path / "main.c").write_text(
        '#include "net.h"\n#include <stdio.h>\n'
        f"int main(void) {{ static const uint8_t x[32][5] = {{{rows}}}; uint8_t y[32]; int k;\n"
        'net_predict32(x, y); for (k = 0; k < 32; ++k) { printf("%d ", y[k]); } return 0; }\n'
    )
    program = tmp_path / "main"
    words = [str(tmp_path / "main.c"), str(tmp_path / "net.c"), "-o", str(program)]
    subprocess.run([*sim.host_compiler("cc"), *words], check=True)
    said = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout.split()
    assert [int(word) for word in said] == interpret(net, codes).decision.tolist()  # type: ignore[union-attr]


def test_avr_objects_compile(tmp_path: Path) -> None:
    core = mcu.read_core("atmega328p")
    made = [
        c.generate(net, core, c.COptions(f"n{k}", shape))  # type: ignore[arg-type]
        for k, (net, shape) in enumerate(zip(nets(6, 4), ("auto", "looped", "unrolled", "looped"), strict=True))
    ]
    sim.compile_object(made, core, "Os", "zig", tmp_path / "all.o")
    assert (tmp_path / "all.o").stat().st_size > 500


def test_scores_can_be_left_out() -> None:
    net = _net((Input("a", 2, 1.0, 0.0),), [[1], [2]], (0, 1))
    source = c.generate(net, M0, c.COptions("net", "looped", scores=False))
    assert source.score_type is None
    assert "net_scores" not in "".join(source.files.values())


def test_what_does_not_link_without_a_library_is_told() -> None:
    text = "#include <stdint.h>\nint net_predict(const uint8_t x[1]);\nint net_predict(const uint8_t x[1])\n"
    text += "{ extern int soft_float(int); return soft_float((int)x[0]); }\n"
    source = c.generate(_net((Input("a", 2, 1.0, 0.0),), [[1], [2]], (0, 1)), M0, c.COptions("net", scores=False))
    broken = c.CSource(
        {"net.h": source.files["net.h"], "net.c": text + "void net_quantize(const float *x, uint8_t *q);\n"
         "void net_quantize(const float *x, uint8_t *q) { (void)x; *q = 0u; }\n"},
        "net", "looped", "uint8_t", None, 1, 2, True, source.facts,
    )  # fmt: skip
    with pytest.raises(MlpressError, match="soft_float"):
        sim.build(broken, M0, compiler="zig")


def test_wide_sums_and_thresholds_beyond_32_bits() -> None:
    feature = Input("a", 8, 1.0, 0.0)
    hidden = Layer((Neuron(-(1 << 33), weight_terms(1 << 27, 0, 8), QRelu(26, 8)),))
    last = Layer((Neuron(-5, weight_terms((1 << 40) + 1, 0, 8), Raw()),))
    net = Net((feature,), (hidden, last), Threshold((1 << 44) + 3), ("no", "yes"))
    codes = np.arange(256).reshape(-1, 1)
    trace = interpret(net, codes)
    for shape in ("unrolled", "looped"):
        with sim.HostProgram([c.generate(net, M0, c.COptions("net", shape))]) as program:  # type: ignore[arg-type]
            _, classes, scores = program.run(0, codes)
            np.testing.assert_array_equal(classes, trace.decision)
            np.testing.assert_array_equal(scores, trace.scores)


@pytest.mark.parametrize("scale", [16.0, 15.0, -3.7, 1e-3, 0.0, 255.99, 1e30, 5e-324])
@pytest.mark.parametrize("rounding", ["floor", "even"])
def test_quantize_is_exact_around_every_threshold(scale: float, rounding: str) -> None:
    features = tuple(
        Input(f"f{bits}{offset}", bits, scale, offset, rounding)  # type: ignore[arg-type]
        for bits in (1, 4, 8)
        for offset in (0.0, 0.1, -3.0, 7.5)
    )
    layer = Layer((Neuron(0, (), Raw()), Neuron(1, (), Raw())))
    rows = []
    for feature in features:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            edges = (np.arange(0, (1 << feature.bits) + 1) - feature.offset) / np.float64(scale)
            edges = np.concatenate(
                [edges, (np.arange(0, 1 << feature.bits) + 0.5 - feature.offset) / np.float64(scale)]
            )
            near = np.nan_to_num(edges).astype(np.float32)
            near = np.nan_to_num(near, posinf=3e38, neginf=-3e38)
        column = [near]
        for direction in (np.float32(np.inf), np.float32(-np.inf)):
            moved = near
            for _ in range(2):
                moved = np.nextafter(moved, direction)
                column.append(moved)
        special = np.array([0.0, -0.0, 1e-45, -1e-45, 3.4e38, -3.4e38, 1.0, -1.0], np.float32)
        values = np.concatenate([*column, special])
        rows.append(values[np.isfinite(values)])
    longest = max(map(len, rows))
    table = np.stack([np.resize(row, longest) for row in rows], axis=1)
    net = Net(features, (layer,), Argmax(), (0, 1))
    whole = c.generate(net, M0, c.COptions("all", scores=False))
    alone = [
        c.generate(Net((f,), (layer,), Argmax(), (0, 1)), M0, c.COptions(f"one{k}", scores=False))
        for k, f in enumerate(features[:6])
    ]
    wanted = encode(net, table.astype(np.float64))
    with sim.HostProgram([whole, *alone]) as program:
        codes, _, _ = program.run(0, np.zeros(table.shape), table)
        np.testing.assert_array_equal(codes, wanted)
        for k in range(6):
            codes, _, _ = program.run(k + 1, np.zeros((len(table), 1)), table[:, k : k + 1])
            np.testing.assert_array_equal(codes, wanted[:, k : k + 1])
