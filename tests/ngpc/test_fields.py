"""Fields as programs: text and back, rules, and files that are not what mlpress writes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from support.fields import formatted, one_grid, small

from mlpress import ir
from mlpress.codegen import onnx_field
from mlpress.errors import MlpressError
from mlpress.frontend import fields, load, load_field


@pytest.mark.parametrize("formats", ["float32", "float16", "float16 int8"])
@pytest.mark.parametrize("name", ["nerf", "gia"])
def test_text_comes_back_and_holds_no_table(name: Any, formats: str) -> None:
    field = formatted(small(name, "hashgrid"), formats)
    text, tables = ir.to_text(field), ir.field_tables(field)
    assert ir.from_text(text, tables.values()) == field
    weights = sum(layer.weight.size for node in field.nodes if isinstance(node, ir.Network) for layer in node.layers)
    assert len(text) < 8000 + 26 * weights
    assert len(tables) == 16
    changed = [np.where(table == table.flat[0], 0, table).astype(table.dtype) for table in tables.values()]
    with pytest.raises(MlpressError, match=r"line \d+: there is no .* table .* with the SHA-256"):
        ir.from_text(text, changed)


def test_frequencies_and_harmonics_have_a_text_form() -> None:
    network = ir.Network((ir.Span(1, 0, 8), ir.Span(2, 0, 4)), fields.layers([12, 3], np.random.default_rng(0)))
    nodes = (
        ir.Encode((ir.Span(0, 0, 2),), ir.Frequency(2, 2)),
        ir.Encode((ir.Span(0, 0, 2), ir.Span(0, 1, 2)), ir.Spherical(2)),
        network,
    )
    field = ir.Field(("a b", 'c "d"'), nodes, ("x", "y", "z"), (ir.Span(3, 0, 3),))
    ir.verify(field)
    assert ir.from_text(ir.to_text(field)) == field
    assert 'inputs "a b" "c \\"d\\""' in ir.to_text(field)


def level_of(field: ir.Field, **changes: Any) -> ir.Field:
    node = field.nodes[0]
    assert isinstance(node, ir.Encode) and isinstance(node.encoding, ir.Grid)
    levels = (replace(node.encoding.levels[0], **changes), *node.encoding.levels[1:])
    return replace(field, nodes=(replace(node, encoding=replace(node.encoding, levels=levels)), *field.nodes[1:]))


def weight_of(field: ir.Field, weight: Any) -> ir.Field:
    node = field.nodes[1]
    assert isinstance(node, ir.Network)
    layers = (replace(node.layers[0], weight=weight), *node.layers[1:])
    return replace(field, nodes=(field.nodes[0], replace(node, layers=layers)))


BROKEN: list[tuple[Callable[[ir.Field], ir.Field], str]] = [
    (lambda f: replace(f, inputs=("x",)), "node 0: a span's stop is 2"),
    (lambda f: replace(f, inputs=("x", "x")), "the name 'x' is that of input 0 too"),
    (lambda f: replace(f, outputs=("a", "b")), "results: 1 columns for 2 outputs"),
    (lambda f: replace(f, precision="float8"), "precision is 'float8'"),  # type: ignore[arg-type]
    (lambda f: replace(f, precision="float16"), "a float16 field has float16 or int8"),
    (lambda f: replace(f, results=(ir.Span(3, 0, 1),)), "results: a span's value is 3"),
    (lambda f: replace(f, nodes=()), "nodes: 0 nodes"),
    (lambda f: level_of(f, resolution=9), "node 0, level 0: the resolution is 9"),
    (lambda f: level_of(f, scale=4.1), "a float32 value"),
    (lambda f: level_of(f, hashed=True), "needs no hash"),
    (lambda f: level_of(f, step=0.5), "step 0.5"),
    (lambda f: level_of(f, bits=16), "16 bits"),
    (lambda f: level_of(f, table=np.full((32, 2), np.nan, np.float32)), "not finite"),
    (lambda f: level_of(f, table=np.full((32, 2), 9, np.int8), bits=4), "a value is not within -7..7"),
    (lambda f: level_of(f, table=np.zeros((32, 3), np.float32)), "level 1: 2 features per entry"),
    (lambda f: level_of(f, scale=99999.0, resolution=100000), "10000000000 vertices"),
    (lambda f: weight_of(f, np.zeros((8, 5), np.float32)), "node 1, layer 0: weight has 5 inputs; 6 columns come in"),
    (lambda f: weight_of(f, np.full((8, 6), np.inf, np.float32)), "not finite"),
    (lambda f: weight_of(f, np.zeros((8, 6))), "no float32 array"),
]


@pytest.mark.parametrize(("change", "says"), BROKEN, ids=[says for _, says in BROKEN])
def test_broken_rules_are_named_with_their_place(change: Callable[[ir.Field], ir.Field], says: str) -> None:
    with pytest.raises(MlpressError) as raised:
        ir.verify(change(one_grid("dense", 2)))
    assert says in str(raised.value)


def test_an_encoding_takes_inputs_alone() -> None:
    field = one_grid("dense", 2)
    deeper = ir.Encode((ir.Span(1, 0, 2),), ir.Frequency(2, 2))
    with pytest.raises(MlpressError, match="columns of the inputs"):
        ir.verify(replace(field, nodes=(field.nodes[0], deeper, field.nodes[1])))


def changed(tmp_path: Path, change: Callable[[Any], None], name: Any = "gia") -> Path:
    proto = onnx_field(small(name, "hashgrid"))
    change(proto)
    (tmp_path / "field.onnx").write_bytes(proto.SerializeToString())
    return tmp_path / "field.onnx"


def other_body(proto: Any) -> None:
    next(node for node in proto.functions[0].node if node.op_type == "Floor").op_type = "Ceil"


def other_attribute(proto: Any) -> None:
    next(one for one in proto.graph.node[0].attribute if one.name == "resolutions").ints[0] += 1


def few_values(proto: Any) -> None:
    proto.graph.initializer[0].dims[0] -= 8


def other_table(proto: Any) -> None:
    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.zeros((8, 2)), proto.graph.initializer[0].name))


def a_matmul(proto: Any) -> None:
    proto.graph.node[1].op_type, proto.graph.node[1].domain = "MatMul", ""


def no_function(proto: Any) -> None:
    del proto.functions[1:]


def external(proto: Any) -> None:
    proto.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL


FILES: list[tuple[Callable[[Any], None], str]] = [
    (other_body, "function 'GridEncode' is not the one that mlpress writes for its attributes"),
    (other_attribute, "is not the one that mlpress writes"),
    (few_values, "do not fit its shape"),
    (other_table, "must be an initialiser of float32, float16 or int8"),
    (a_matmul, "operator 'MatMul'; between functions a field has Identity, Concat and Slice"),
    (no_function, "function 'Dense' is not the one that mlpress writes"),
    (external, "is in another file"),
]


@pytest.mark.parametrize(("change", "says"), FILES, ids=[change.__name__ for change, _ in FILES])
def test_files_that_mlpress_did_not_write_are_refused_in_one_line(
    change: Callable[[Any], None], says: str, tmp_path: Path
) -> None:
    with pytest.raises(MlpressError) as raised:
        load_field(changed(tmp_path, change))
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "field.onnx" in str(raised.value)


def test_damaged_files_end_in_one_line(tmp_path: Path) -> None:
    data = onnx_field(one_grid("hash", 2)).SerializeToString()
    rng, refused = np.random.default_rng(0), 0
    wrong = [data.replace(b"GridEncode", b"Grid\xffncode"), data.replace(b"features", b"\xfeeatures")]
    for _ in range(150):
        bytes_ = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            bytes_[place] = rng.integers(256)
        wrong.append(bytes(bytes_))
    for one in wrong:
        (tmp_path / "field.onnx").write_bytes(one)
        try:
            load_field(tmp_path / "field.onnx")
        except MlpressError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 100


def test_a_field_is_no_classifier_and_the_other_way_round(tmp_path: Path) -> None:
    with pytest.raises(
        MlpressError, match="it is a field, of the real level; name a target that takes fields, such as ngpc:8"
    ):
        load(changed(tmp_path, lambda proto: None))
    graph = "g (float[n,2] x) => (float[n,2] y) {y = Relu(x)}"
    plain = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 18]> {graph}')
    onnx.save(plain, tmp_path / "plain.onnx")
    with pytest.raises(MlpressError, match="it calls no function of domain ngpc"):
        load_field(tmp_path / "plain.onnx")


def test_published_shapes() -> None:
    rng = np.random.default_rng(0)
    hashed = fields.grid_of(fields.grid_shape("hashgrid", 3, entries=1 << 12), rng)
    assert len(hashed.levels) == 16 and hashed.width == 32
    assert [level.resolution for level in hashed.levels][::15] == [16, 2048]
    assert [level.hashed for level in hashed.levels][:2] == [False, True]
    assert hashed.levels[0].entries == hashed.levels[1].entries == 4096
    dense = fields.grid_of(fields.grid_shape("densegrid", 2), rng)
    assert [level.entries for level in dense.levels][:2] == [256, 536]  # 23 * 23 vertices, to a multiple of 8
    tiled = fields.grid_of(fields.grid_shape("lowres", 2), rng)
    assert [(level.resolution, level.entries, level.features) for level in tiled.levels] == [(128, 16384, 8)] * 2
    for name, networks in (("nerf", ["16", "3"]), ("nsdf", ["1"]), ("nvr", ["4"]), ("gia", ["3"])):
        field = small(name, "densegrid")
        ends = [str(node.width) for node in field.nodes if isinstance(node, ir.Network)]
        assert ends == networks
    with pytest.raises(MlpressError, match="no encoding 'octree'"):
        fields.grid_shape("octree", 3)  # type: ignore[arg-type]
    with pytest.raises(MlpressError, match="no application 'mesh'"):
        fields.application("mesh", "lowres", shape=ir.GridShape("dense", 3, 1, 1, 2, 1.0))  # type: ignore[arg-type]
    with pytest.raises(MlpressError, match="makes no grid"):
        fields.grid_of(ir.GridShape("dense", 2, 0, 2, 16, 1.5), rng)


def test_a_saved_field_is_read_back(tmp_path: Path) -> None:
    field = ir.with_halves(small("nvr", "lowres"))
    fields.save(field, tmp_path / "field.onnx")
    assert load_field(tmp_path / "field.onnx") == field
    with pytest.raises(MlpressError, match="results: 4 columns for 1 outputs"):
        fields.save(replace(field, outputs=("one",)), tmp_path / "other.onnx")
    assert not (tmp_path / "other.onnx").exists()


def test_values_beyond_half_precision_keep_a_field_in_float32() -> None:
    field = weight_of(one_grid("dense", 2), np.full((8, 6), 1e6, np.float32))
    with pytest.raises(MlpressError, match="1e\\+06, beyond float16"):
        ir.with_halves(field)
