import json

import numpy as np
import pytest
from support.netlists import random_netlist

from mlpress.errors import MlpressError
from mlpress.hw.printed import (
    POWER_SOURCES,
    Converter,
    Feed,
    InputStatistics,
    PackedNetlist,
    adc_cost,
    critical_path,
    estimate,
    estimate_power,
    full_converters,
    link,
    load_technology,
    parse_liberty,
    parse_netlist,
    sources_for,
    to_liberty,
)

EGFET = load_technology("egfet")
HALF_ADDER = parse_netlist(
    "module top (input [3:0] x, input y, output s, output c);"
    "XOR2X1 u (.A1(x[0]), .A2(y), .Y(s)); AND2X1 v (.A1(x[0]), .A2(y), .Y(c)); INVX1 w (.A(x[1]), .Y()); endmodule"
)
ROWS = {"x": np.arange(16), "y": np.arange(16) // 3 % 2}


def test_every_figure() -> None:
    found = estimate(HALF_ADDER, EGFET, ROWS, rate_hz=10)
    assert (found.technology, found.top, found.cells, found.logic_depth) == ("egfet", "top", 3, 1)
    assert found.cells_by_type == {"AND2X1": 1, "INVX1": 1, "XOR2X1": 1}
    assert found.area_cm2 == (1042800 + 433500 + 228420) / 1e8
    assert (found.rate_hz, found.rows, found.activity) == (10, 16, "16 rows of data")
    assert tuple(v.voltage for v in found.voltages) == EGFET.voltages
    linked = link(HALF_ADDER, EGFET)
    for corner in found.voltages:
        timing = critical_path(linked, corner.voltage)
        power = estimate_power(linked, PackedNetlist(linked).activity(ROWS), timing, 10)
        assert corner.critical_path_ms == timing.delay_ms
        assert (corner.static_mw, corner.dynamic_mw, corner.total_mw) == (
            power.static_mw,
            power.dynamic_mw,
            power.total_mw,
        )
        assert corner.energy_mj == power.total_mw / 10
        assert corner.power_sources == tuple(s.name for s in POWER_SOURCES if power.total_mw <= s.limit_mw)
        assert corner.timing == EGFET.timing[corner.voltage]
        assert corner.meets_rate
    assert found.nominal == found.at(1.0)
    assert found.path == critical_path(linked, 1.0).path
    assert found.notes == ()


def test_the_rate_is_held_against_the_critical_path() -> None:
    delay = estimate(HALF_ADDER, EGFET, ROWS).nominal.critical_path_ms
    assert estimate(HALF_ADDER, EGFET, ROWS, rate_hz=999 / delay).nominal.meets_rate
    assert not estimate(HALF_ADDER, EGFET, ROWS, rate_hz=1001 / delay).nominal.meets_rate
    for rate in (0, -1, float("inf"), float("nan")):
        with pytest.raises(MlpressError, match="the rate must be a positive number of inferences per second"):
            estimate(HALF_ADDER, EGFET, ROWS, rate_hz=rate)


def test_without_rows_the_statistics_are_said() -> None:
    found = estimate(HALF_ADDER, EGFET)
    assert found.activity == "4096 random rows, each input bit 1 with probability 0.5 on its own (seed 0)"
    assert "no rows were given" in found.notes[0]
    assert found == estimate(HALF_ADDER, EGFET)
    quiet = estimate(HALF_ADDER, EGFET, input_statistics=InputStatistics(one=0.0, rows=10))
    assert quiet.rows == 10 and quiet.nominal.dynamic_mw == 0
    assert quiet.nominal.static_mw == pytest.approx(
        (19625.4 + EGFET.cells["AND2X1"].corners[1.0].states[3][1] + 491.103) * 1e-6
    )
    with pytest.raises(MlpressError, match="a probability from 0 to 1 and at least one row"):
        estimate(HALF_ADDER, EGFET, input_statistics=InputStatistics(one=1.5))
    assert "one row has no changes" in estimate(HALF_ADDER, EGFET, {"x": [1], "y": [1]}).notes[0]


def test_wide_inputs_are_drawn_too() -> None:
    wide = parse_netlist("module top (input [83:0] x, output y); XOR2X1 u (.A1(x[0]), .A2(x[83]), .Y(y)); endmodule")
    found = estimate(wide, EGFET)
    assert found.adc is None and found.nominal.dynamic_mw > 0


def test_json_is_plain_and_repeats() -> None:
    first = json.dumps(estimate(HALF_ADDER, EGFET, ROWS).to_json(), allow_nan=False)
    assert first == json.dumps(estimate(HALF_ADDER, EGFET, ROWS).to_json(), allow_nan=False)
    assert set(json.loads(first)) >= {"technology", "area_cm2", "voltages", "critical_path", "adc", "notes"}


def test_circuits_too_large_to_print_are_noted() -> None:
    _, netlist = random_netlist(0, cells=4000)
    assert "beyond the 20 cm2" in estimate(netlist, EGFET, {"x": np.arange(64)}).notes[0]


def test_own_tables_and_the_same_liberty_give_the_same_figures() -> None:
    """Area, timing and static power of the data file equal those of a liberty file with its figures."""
    for seed in range(5):
        _, netlist = random_netlist(seed)
        for voltage in (0.6, 1.0):
            library = parse_liberty(to_liberty(EGFET, voltage, for_mapping=False))
            ours, theirs = (
                estimate(netlist, EGFET, {"x": np.arange(64)}),
                estimate(netlist, library, {"x": np.arange(64)}),
            )
            assert theirs.area_cm2 == ours.area_cm2
            assert theirs.nominal.critical_path_ms == pytest.approx(ours.at(voltage).critical_path_ms, rel=1e-9)
            assert theirs.nominal.static_mw == pytest.approx(ours.at(voltage).static_mw, rel=1e-9)


def test_voltages_trade_power_for_speed() -> None:
    """As published for EGFET: 0.6 V takes 0.32 of the static power of 1.0 V and 1.4 to 1.7 times its delay."""
    _, netlist = random_netlist(7, cells=400)
    found = estimate(netlist, EGFET, {"x": np.arange(64)})
    low, nominal = found.at(0.6), found.at(1.0)
    assert low.static_mw / nominal.static_mw == pytest.approx(0.32, abs=0.02)
    assert 1.3 < low.critical_path_ms / nominal.critical_path_ms < 1.8
    with pytest.raises(MlpressError, match=r"no estimate at 0.7 V; choose one of 0.6, 0.8"):
        found.at(0.7)


def test_power_sources_by_limit() -> None:
    assert [s.name for s in POWER_SOURCES] == ["harvester", "blue-spark", "zinergy", "molex"]
    assert [s.name for s in sources_for(0.05)] == ["harvester", "blue-spark", "zinergy", "molex"]
    assert [s.name for s in sources_for(3.0)] == ["blue-spark", "zinergy", "molex"]
    assert [s.name for s in sources_for(12.5)] == ["molex"]
    assert sources_for(31) == ()


def test_the_published_converter() -> None:
    """4-bit flash: 28 ORs, 16 comparators, 0.1706 cm2, 1.296 mW."""
    full = Converter(4)
    assert (full.comparators, full.or_gates) == (16, 28)
    assert (
        Converter(4, tuple(range(1, 16))) == Converter(4, tuple(range(1, 16)))
        and Converter(4, tuple(range(1, 16))).or_gates == 28
    )
    found = adc_cost([full], EGFET)
    assert found is not None
    assert (round(found.area_cm2, 4), round(found.power_mw, 3)) == (0.1706, 1.296)


@pytest.mark.parametrize(
    ("levels", "comparators", "gates"),
    [((), 0, 0), ((8,), 1, 0), ((3,), 1, 0), ((1, 3), 2, 1), ((4, 8, 12), 3, 2), ((1, 2, 3), 3, 2)],
)
def test_pruned_converters_lose_comparators_and_gates(levels: tuple[int, ...], comparators: int, gates: int) -> None:
    pruned = Converter(4, levels)
    assert (pruned.comparators, pruned.or_gates) == (comparators, gates)


def test_converters_beside_the_estimate() -> None:
    assert estimate(HALF_ADDER, EGFET, ROWS).adc is None
    pruned = estimate(HALF_ADDER, EGFET, ROWS, converters=[Feed("x", Converter(4, (3,)))])
    assert pruned.adc is not None and pruned.adc.area_cm2 == pytest.approx(0.0008)
    cnt = load_technology("cnt-tft")
    netlist = parse_netlist("module top (input x, output y); INVX1_psuedo u (.A(x), .Y(y)); endmodule")
    assert estimate(netlist, cnt, converters=full_converters(netlist, cnt)).adc is None


@pytest.mark.parametrize(
    ("bits", "levels", "message"),
    [
        (0, None, "1 to 8 bits, not 0"),
        (9, None, "1 to 8 bits, not 9"),
        (2, (4,), r"must increase within 1..3"),
        (2, (2, 1), r"must increase within 1..3"),
        (2, (1, 1), r"must increase within 1..3"),
    ],
)
def test_converters_that_do_not_exist(bits: int, levels: tuple[int, ...] | None, message: str) -> None:
    with pytest.raises(MlpressError, match=message):
        Converter(bits, levels)
