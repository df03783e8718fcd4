import numpy as np
import pytest

from mlpress.errors import MlpressError
from mlpress.hw.printed import load_technology, technologies
from mlpress.hw.printed.cells.boolean import truth_table
from mlpress.hw.printed.cost.power import state_power

TABLES = {"INV": 0b01, "NAND2": 0b0111, "NOR2": 0b0001, "AND2": 0b1000, "OR2": 0b1110, "XOR2": 0b0110, "XNOR2": 0b1001}


def test_the_printed_technologies() -> None:
    assert technologies() == ("egfet", "cnt-tft")
    egfet, cnt = load_technology("egfet"), load_technology("cnt-tft")
    assert (egfet.nominal, egfet.voltages) == (1.0, (0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0))
    assert (cnt.nominal, cnt.voltages) == (3.0, (2.6, 2.8, 3.0, 3.2, 3.4, 3.6))


@pytest.mark.parametrize("name", ["egfet", "cnt-tft"])
def test_every_cell_is_complete_at_every_voltage(name: str) -> None:
    technology = load_technology(name)
    assert set(technology.timing) == set(technology.voltages)
    assert {"area", "static", "capacitance", "arcs", "energies", "dont_use"} <= set(technology.sources)
    for cell in technology.cells.values():
        assert cell.area_um2 > 0 and set(cell.corners) == set(technology.voltages)
        if cell.unsupported:
            continue
        for corner in cell.corners.values():
            assert corner.static_nw > 0
            assert set(corner.capacitance) == set(cell.inputs)
            assert all(c.rise >= c.typical > 0 and c.fall >= c.typical for c in corner.capacitance.values())
            related = {(arc.related, arc.output) for arc in corner.arcs}
            inputs = cell.inputs if cell.flip_flop is None else ("CP",)
            assert related == {(pin, out) for pin in inputs for out in cell.outputs}
            for arc in corner.arcs:
                for table in (arc.rise, arc.rise_slew, arc.fall, arc.fall_slew):
                    assert table is not None and table.values.shape == (len(table.slews), len(table.loads))
                    assert np.all(table.values > 0)
            assert {energy.supply for energy in corner.energies} == {"VDD", "VSS"}


@pytest.mark.parametrize("name", ["egfet", "cnt-tft"])
def test_functions_of_the_gates(name: str) -> None:
    cells = load_technology(name).cells
    for prefix, table in TABLES.items():
        (cell,) = (cells[found] for found in cells if found.startswith(prefix + "X1"))
        (function,) = cell.outputs.values()
        assert truth_table(function, cell.inputs) == table


def test_published_figures() -> None:
    """Area in um2 and mean static power in nW at 1.0 V, re-typed from the published library."""
    expected = {
        "INVX1": (228420, 9887),
        "NAND2X1": (247860, 4925),
        "NOR2X1": (399500, 14792),
        "AND2X1": (433500, 19492),
        "OR2X1": (563530, 19964),
        "XOR2X1": (1042800, 24330),
        "XNOR2X1": (1347557, 34208),
        "DFFNRX1": (2776032, 121630),
    }
    cells = load_technology("egfet").cells
    for name, (area, static) in expected.items():
        assert cells[name].area_um2 == area
        assert round(cells[name].corners[1.0].static_nw) == static


def test_static_power_follows_the_output() -> None:
    """A NAND draws hundreds of nW with output 1 and 18,569 nW with output 0 (1.0 V, states as published)."""
    cell = load_technology("egfet").cells["NAND2X1"]
    assert state_power(cell, cell.corners[1.0]).tolist() == [248.054, 391.073, 490.604, 18569.1]


def test_traps_are_marked() -> None:
    for name in technologies():
        marked = {cell.name.split("_")[0]: cell for cell in load_technology(name).cells.values() if cell.dont_use}
        assert set(marked) == {"DFFX1", "LATCHX1", "TSBUF"}
        assert "latch" in marked["DFFX1"].dont_use and not marked["DFFX1"].unsupported
        assert "set-reset latch" in marked["LATCHX1"].unsupported
        assert "tri-state" in marked["TSBUF"].unsupported


def test_states_that_no_cnt_cell_can_be_in_are_left_out() -> None:
    cells = load_technology("cnt-tft").cells
    assert cells["XOR2X1_psuedo"].corners[3.0].states == ()
    nand = state_power(cells["NAND2X1_psuedo"], cells["NAND2X1_psuedo"].corners[3.0])
    assert nand.tolist() == [11766.8, 12179.5, 12179.5, 6284.22]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(MlpressError, match="there is no technology 'tsmc'; choose one of egfet, cnt-tft"):
        load_technology("tsmc")
    egfet = load_technology("egfet")
    with pytest.raises(MlpressError, match="egfet has no cell 'AOI21'; its cells are AND2X1, DFFNRX1, INVX1, NAND2X1"):
        egfet.cell("AOI21")
    with pytest.raises(MlpressError, match=r"egfet is not characterised at 5 V; choose one of 0.6, 0.8, 1"):
        egfet.check_voltage(5.0)


def test_technology_files_hold_only_finite_numbers_below_the_technology_they_name() -> None:
    for name in technologies():
        technology = load_technology(name)
        assert technology.name == name
        for cell in technology.cells.values():
            for corner in cell.corners.values():
                for energy in corner.energies:
                    for table in (energy.rise, energy.fall):
                        assert table is not None and np.all(np.isfinite(table.values))
