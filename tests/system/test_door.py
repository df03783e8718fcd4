"""``import mlpress as mp``: what is at the door, for people and for type checkers."""

import ast
import importlib
from importlib.resources import files
from pathlib import Path

import pytest
from support.told import classifier, data

import mlpress as mp
from mlpress import ir
from mlpress.design import Design

SOURCE = Path(str(mp.__file__))


def test_dir_lists_the_public_names_and_each_is_there() -> None:
    assert dir(mp) == sorted(mp.__all__)
    assert {"compile", "search", "verify", "targets", "read_target", "Dataset", "Design"} <= {*dir(mp)}
    for name in dir(mp):
        assert callable(getattr(mp, name)) or name == "__version__", name


@pytest.mark.parametrize("name", ["approx", "codegen", "frontend", "hw.printed", "report", "sim", "targets", "verify"])
def test_dir_of_every_door(name: str) -> None:
    door = importlib.import_module(f"mlpress.{name}")
    assert {*door.__all__} <= {*dir(door)}


def test_type_checkers_see_every_name() -> None:
    assert files("mlpress").joinpath("py.typed").is_file()
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {alias.asname or alias.name for node in block.body for alias in node.names}  # type: ignore[attr-defined]
    assert seen == {*mp.__all__} - {"MlpressError", "__version__"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'complie'"):
        _ = mp.complie


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"effrot": "fast"},
            r"no option 'effrot'; there are comparator_cm2, .*effort, .*with_adc; of every target activation_bits",
        ),
        ({"effort": 3}, r"option 'effort' of target egfet is 3; it must be str$"),
        ({"input_bits": "4"}, r"option 'input_bits' is '4'; it must be a whole number$"),
        ({"target": "egfte"}, r"no target 'egfte'; there are egfet, cnt-tft"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(options: dict[str, object], says: str) -> None:
    with pytest.raises(mp.MlpressError, match=says) as caught:
        mp.compile(classifier(), data(), **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"effrot": "fast"}, r"no option 'effrot'; there are .*effort, .*with_adc; of every target activation_bits"),
        ({"with_adc": 1}, r"option 'with_adc' of target egfet is 1; it must be bool$"),
        ({"most": {"flash": 1.0}}, r"target egfet has no metric 'flash'; there are area, power$"),
        ({"minimise": "speed"}, r"target egfet has no metric 'speed'; there are area, power$"),
        ({"target": "egfte"}, r"no target 'egfte'; there are egfet, cnt-tft"),
        ({"level": "both gates"}, r"level is 'both gates'; it must be one of integer, gates, both$"),
        ({"seconds": "long"}, r"seconds is 'long'; it must be a number$"),
        ({"generations": 1.5}, r"generations is 1\.5; it must be a whole number$"),
        ({"most": {"area": "small"}}, r"area is 'small'; it must be a number$"),
    ],
)
def test_a_wrong_option_of_a_search_is_one_line(options: dict[str, object], says: str) -> None:
    with pytest.raises(mp.MlpressError, match=says) as caught:
        mp.search(classifier(), data(), **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_printed_design_says_what_it_is(tmp_path: Path) -> None:
    rows = data()
    design = mp.compile(classifier(), rows, effort="fast", input_bits=2, weight_bits=3)
    assert repr(design).startswith("Design(egfet, net of 3 inputs, ")
    assert len(repr(design)) < 200
    assert set(design.cost) == {"area", "power"}
    assert design.cost["area"] == design.facts["estimate"]["area_cm2"] > 0
    assert mp.estimate(design).values == design.cost
    assert mp.estimate(design, data(count=20)).values["power"] != design.cost["power"]
    netlist = tmp_path / "netlist.v"
    netlist.write_text(design.text("netlist.v"))
    assert mp.estimate(netlist, mapped=True).values["area"] == design.cost["area"]
    assert mp.estimate([netlist], mapped=True).facts["estimate"]["activity"] != design.facts["estimate"]["activity"]
    with pytest.raises(mp.MlpressError, match="a design has its own target and rows"):
        mp.estimate(design, mapped=True)
    assert design.facts["cost"]["units"] == {"area": "cm2", "power": "mW"}
    circuit = Design(ir.bit_blast(design.program), {}, {}, b"", design.features, design.labels)
    assert len(repr(circuit)) < 200
    assert (circuit.predict(rows.features) == design.predict(rows.features)).all()
    assert (circuit.cost, circuit.accuracy) == ({}, None)
