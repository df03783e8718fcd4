import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tiny_liberty import HEAD, INVERTER, TINY, plane

from mlpress.errors import MlpressError
from mlpress.hw.printed import load_technology, parse_liberty, read_liberty, to_liberty
from mlpress.hw.printed.cells.boolean import truth_table


def test_units_and_figures() -> None:
    tiny = parse_liberty(TINY)
    assert (tiny.name, tiny.nominal, tiny.voltages) == ("tiny", 2.0, (2.0,))
    inverter = tiny.cells["INV"].corners[2.0]
    assert tiny.cells["INV"].area_um2 == 100
    assert inverter.static_nw == 5000
    assert [power for _, power in inverter.states] == [3000, 7000]  # both supply rails of a state add up
    pin = inverter.capacitance["A"]
    assert (pin.typical, pin.rise, pin.fall) == (2, 4, 5)
    (arc,) = inverter.arcs
    assert arc.sense == "negative" and arc.rise is not None
    assert arc.rise.slews.tolist() == [10_000, 20_000] and arc.rise.loads.tolist() == [1, 3]
    assert arc.rise.values.tolist() == [[115_000, 135_000], [120_000, 140_000]]
    (energy,) = inverter.energies
    assert energy.fall is not None and energy.fall.values.tolist() == [[22, 26], [22, 26]]


def test_what_is_implied_is_filled_in() -> None:
    nand = parse_liberty(TINY).cells["NAND"]
    assert nand.inputs == ("A", "B")
    assert [(arc.related, arc.sense) for arc in nand.corners[2.0].arcs] == [("A", "negative"), ("B", "negative")]
    passive = [energy for energy in nand.corners[2.0].energies if energy.related is None]
    assert {energy.pin for energy in passive} == {"A", "B"} and all(energy.rise is energy.fall for energy in passive)
    pin = nand.corners[2.0].capacitance["B"]
    assert (pin.typical, pin.rise, pin.fall) == (3, 3, 3)


def cell(name: str, inside: str) -> str:
    return HEAD + f"cell ({name}) {{ area : 1; {inside} }} }}"


IN = "pin (A) { direction : input; capacitance : 1; } "


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        (IN + 'pin (Y) { direction : output; function : "A"; three_state : "!A"; }', "tri-state"),
        (IN + "pin (Y) { direction : output; }", "no function"),
        (IN + "pin (Y) { direction : inout; }", "neither input nor output"),
        (
            IN + 'latch (IQ, IQN) { data_in : "A"; enable : "A"; } pin (Y) { direction : output; function : "IQ"; }',
            "level-sensitive",
        ),
        (
            IN
            + 'pin (Q) { direction : output; function : "!A"; timing () { related_pin : "P"; } }'
            + 'pin (P) { direction : output; function : "A"; }',
            "set-reset latch",
        ),
        (" ".join(f"pin (A{k}) {{ direction : input; }}" for k in range(9)), "over 8 inputs"),
        ("statetable (A, B) { table : x; }", "several stored bits"),
    ],
)
def test_cells_that_cannot_be_simulated_say_why(inside: str, reason: str) -> None:
    found = parse_liberty(cell("X", inside)).cells["X"]
    assert reason in found.unsupported and found.dont_use == found.unsupported


def test_latch_with_the_timing_of_a_flip_flop_is_one() -> None:
    edge = f"timing () {{ related_pin : CK; timing_type : rising_edge; {plane('cell_rise', 1, 0, 0)} }}"
    text = cell(
        "DFF",
        "pin (CK) { direction : input; } pin (D) { direction : input; } "
        f"latch (IQ, IQN) {{ data_in : D; enable : CK; }} pin (Q) {{ direction : output; function : IQ; {edge} }}",
    )
    found = parse_liberty(text).cells["DFF"]
    assert found.flip_flop is not None and not found.unsupported and "declared as a latch" in found.dont_use


def test_dont_use_of_the_library_is_kept() -> None:
    text = cell("B", IN + 'dont_use : true; pin (Y) { direction : output; function : "A"; }')
    assert parse_liberty(text).cells["B"].dont_use == "marked dont_use in the library"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: there is no library group"),
        ("library (x) {", "line 1: the file ends inside a group"),
        ("library (x) {\n  area 5;\n}", "line 2: 'area' needs ':' or '\\(' after it"),
        ("cell (x) { }", "line 1: a library group should come first, not 'cell'"),
        ("library (x) { }", r"line 1: library \(x\) has no nom_voltage"),
        ("library (x) { nom_voltage : 1; }", "line 1: library 'x' has no cell"),
        ("library (x) { nom_voltage : one; }", "line 1: in library: could not convert string to float: 'one'"),
        ("library (x) { nom_voltage : nan; }", "library needs finite numbers"),
        ("library (x) { nom_voltage : 1; } more", "line 1: text after the library group"),
        ("library (x) {\n\n /* no end", "line 3: a string or comment does not end"),
        ('library (x) { a : "no end', "line 1: a string or comment does not end"),
        ("library (x) { } }", "line 1: text after"),
        ("}", "line 1: '}' without a group"),
        ("a : 5;", "line 1: attribute 'a' outside of a library group"),
        ("library (x) { b ( ; }", "line 1: the arguments of 'b' do not end"),
        ("library (x) { " + "g () { " * 20, "groups nest over 16 deep"),
        (
            "library (x) { time_unit : 1parsec; nom_voltage : 1; }",
            "time_unit '1parsec' is not a number and a unit of s",
        ),
        (
            "library (x) { capacitive_load_unit (1, kg); nom_voltage : 1; }",
            "capacitive_load_unit '1kg' is not a number and a unit of F",
        ),
        (HEAD + "\n\ncell () { } }", "line 21: a cell has no name"),
        (cell("C", "area : big;"), r"could not convert string to float: 'big' \(cell C\)"),
        (
            cell("C", IN + 'pin (Y) { direction : output; function : "A +"; }'),
            r"line 19: the function 'A \+' .* \(cell C\)",
        ),
        (cell("C", IN + 'pin (Y) { direction : output; function : "Z"; }'), "reads 'Z', which is no input"),
        (cell("C", 'leakage_power () { value : 1; when : "("; }'), "it ends early"),
        (
            HEAD + INVERTER.replace("cell_rise (delay_2x2) {", 'cell_rise (delay_2x2) { index_1 ("2, 1");') + "}",
            "index_1 of cell_rise must increase",
        ),
        (
            HEAD + INVERTER.replace("cell_rise (delay_2x2) {", 'cell_rise (delay_2x2) { values ("1");') + "}",
            "cell_rise has 5 values for 2 x 2 points",
        ),
    ],
)
def test_what_is_no_liberty_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(MlpressError, match=message) as caught:
        parse_liberty(text)
    assert "\n" not in str(caught.value) and "liberty line" in str(caught.value)


def test_missing_semicolons_and_continued_lines_are_read() -> None:
    text = TINY.replace("nom_voltage : 2.0;", "nom_voltage : 2.0").replace('"10, 20"', '\\\n "10, \\\n 20"')
    assert parse_liberty(text).cells["INV"].corners[2.0].arcs[0].rise is not None


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.data())
def test_mangled_files_never_crash(data: st.DataObject) -> None:
    words = TINY.split(" ")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(words) - 1))
        words[at] = data.draw(
            st.sampled_from(["", ";", "(", ")", "{", "}", '"', ":", "1e999", "x", "\\", "/*", "pin", "-1"])
        )
    try:
        parse_liberty(" ".join(words))
    except MlpressError as error:
        assert "\n" not in str(error)


def test_files_are_named_in_errors(tmp_path) -> None:
    with pytest.raises(MlpressError, match=r"cannot read .*absent.lib: No such file"):
        read_liberty(tmp_path / "absent.lib")
    (tmp_path / "bad.lib").write_text("library")
    with pytest.raises(MlpressError, match=r"bad.lib: liberty line 1: 'library' needs"):
        read_liberty(tmp_path / "bad.lib")


@pytest.mark.parametrize(("name", "voltage"), [("egfet", 1.0), ("egfet", 0.6), ("cnt-tft", 3.0)])
def test_written_technology_reads_back(name: str, voltage: float) -> None:
    technology = load_technology(name)
    again = parse_liberty(to_liberty(technology, voltage, for_mapping=False))
    assert again.voltages == (voltage,)
    usable = {cell.name: cell for cell in technology.cells.values() if not cell.unsupported}
    assert set(again.cells) == set(usable)
    for cell in usable.values():
        found = again.cells[cell.name]
        assert (found.area_um2, found.inputs, found.flip_flop is None) == (
            cell.area_um2,
            cell.inputs,
            cell.flip_flop is None,
        )
        for pin, function in cell.outputs.items():
            if cell.flip_flop:
                assert found.outputs[pin] == function
            else:
                assert truth_table(found.outputs[pin], cell.inputs) == truth_table(function, cell.inputs)
        for old, new in zip(cell.corners[voltage].arcs, found.corners[voltage].arcs, strict=True):
            assert (new.related, new.output, new.sense, new.edges, new.clocked) == (
                old.related, old.output, old.sense, old.edges, old.clocked
            )  # fmt: skip
            assert old.rise is not None and new.rise is not None
            rows, columns = old.rise.values.shape
            assert np.allclose(new.rise.values[:rows, :columns], old.rise.values, rtol=1e-9)


def test_liberty_for_mapping_leaves_out_the_traps_and_stays_quick() -> None:
    text = to_liberty(load_technology("egfet"))
    mapping = parse_liberty(text)
    assert set(mapping.cells) == {"INVX1", "NAND2X1", "NOR2X1", "AND2X1", "OR2X1", "XOR2X1", "XNOR2X1", "DFFNRX1"}
    slowest = max(
        float(table.values.max())
        for cell in mapping.cells.values()
        for arc in cell.corners[1.0].arcs
        for table in (arc.rise, arc.fall)
        if table is not None
    )
    assert slowest < 10_000  # ns: what ABC takes
