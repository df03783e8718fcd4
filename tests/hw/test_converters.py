"""Input converters are those that the netlist reads; a source feeds a circuit only where that is fast enough."""

from itertools import pairwise

import numpy as np
import pytest
from support.reports import estimate_table, render, summary_table

from mlpress.errors import MlpressError
from mlpress.hw.printed import (
    Converter,
    Feed,
    adc_cost,
    estimate,
    full_converters,
    load_technology,
    parse_netlist,
    read_vectors,
)

EGFET = load_technology("egfet")
PARTS = parse_netlist(
    "module top (input [3:0] x0, input [3:0] x1, input [3:0] x2, input [11:0] w, output y, output z, input clk);"
    "wire n, m, dead;"
    "NAND2X1 a (.A1(x0[3]), .A2(x0[2]), .Y(n)); NAND2X1 b (.A1(n), .A2(x1[0]), .Y(m)); INVX1 c (.A(x2[1]), .Y(dead));"
    "DFFNRX1 r (.D(m), .CP(clk), .RST_N(x2[0]), .Q(y)); INVX1 d (.A(w[5]), .Y(z)); endmodule"
)


def changes(levels: list[int], mask: int) -> tuple[int, int]:
    """Comparators and ORs, counted from the codes that come out."""
    codes = [0, *levels]
    kept = [code for before, code in pairwise(codes) if (before & mask) != (code & mask)]
    ors = sum(max(0, sum(code >> k & 1 for code in kept) - 1) for k in range(4) if mask >> k & 1)
    return len(kept) + (len(kept) == 15), ors


@pytest.mark.parametrize("levels", [None, (3, 9), (1, 2, 3, 4, 12), ()])
def test_a_converter_keeps_what_its_reader_can_tell_apart(levels: tuple[int, ...] | None) -> None:
    for mask in range(16):
        found = Converter(4, levels).reading(mask)
        assert (found.comparators, found.or_gates) == changes(list(range(1, 16) if levels is None else levels), mask)
    assert Converter(4).reading(15) == Converter(4)
    assert (Converter(4).reading(8).comparators, Converter(4).reading(12).comparators) == (1, 3)


def test_only_what_an_output_depends_on_is_counted() -> None:
    feeds = [Feed(f"x{k}", Converter(4)) for k in range(3)]
    found = estimate(PARTS, EGFET, converters=feeds).adc
    assert found is not None
    assert (found.converters, found.features, found.bits) == (2, 3, 3)  # x2 clears and feeds a cell that nobody reads
    assert found.comparators == 3 + 16
    assert found == adc_cost([Converter(4).reading(12), Converter(4).reading(1), Converter(4).reading(0)], EGFET)
    assert found.to_json()["counted"] == "what the netlist reads: 3 bits of 2 of 3 features"


def test_nobody_asked_nothing_is_counted() -> None:
    assert estimate(PARTS, EGFET).adc is None


def test_wide_ports_are_counted_by_the_columns_of_the_vectors(tmp_path) -> None:
    whole = full_converters(PARTS, EGFET)
    assert [(feed.port, feed.converter.bits) for feed in whole] == [("x0", 4), ("x1", 4), ("x2", 4)]
    file = tmp_path / "rows.csv"
    file.write_text("x0,x1,x2,w[3:0],w[7:4],w[11:8]\n" + "1,2,3,4,5,6\n" * 3)
    rows = read_vectors(file, PARTS)
    assert rows.ports["w"].tolist() == [0x654] * 3
    found = estimate(PARTS, EGFET, rows.ports, converters=full_converters(PARTS, EGFET, rows.features)).adc
    assert found is not None
    assert (found.features, found.converters, found.bits) == (6, 3, 4)
    assert found.comparators == 3 + 16 + Converter(4).reading(2).comparators


@pytest.mark.parametrize(
    ("header", "row", "says"),
    [
        ("a[3:0],a[5:4]", "1,2", "no column gives bit 6 of 'a'"),
        ("a[3:0],a[6:3]", "1,2", "columns give bits of 'a' twice"),
        ("a,a[3:0]", "1,2", "columns give bits of 'a' twice"),
        ("a[3:0],a[6:4]", "16,2", r"'a\[3:0\]' has the value 16, which does not fit into 4 bits"),
        ("a[3:0],a[7:4]", "1,2", r"line 1 names 'a\[7:4\]', which is no input"),
        ("a[0:3],a[6:4]", "1,2", r"line 1 names 'a\[0:3\]', which is no input"),
        ("b[0]", "1", r"line 1 names 'b\[0\]', which is no input"),
    ],
)
def test_parts_of_a_bus_that_do_not_make_it(tmp_path, header: str, row: str, says: str) -> None:
    netlist = parse_netlist("module top (input [6:0] a, input b, output y); assign y = b; endmodule")
    (tmp_path / "rows.csv").write_text(f"{header}\n{row}\n")
    with pytest.raises(MlpressError, match=says):
        read_vectors(tmp_path / "rows.csv", netlist)


def test_parts_of_buses_in_every_direction_and_width(tmp_path) -> None:
    netlist = parse_netlist(
        "module top (input [0:7] up, input [83:0] wide, input [9:2] high, output y); assign y = up[0]; endmodule"
    )
    columns = {"up[4:7]": 3, "up[0:3]": 9, "wide[83:60]": 5, "wide[59:0]": 7, "high[9:3]": 2, "high[2]": 1}
    (tmp_path / "rows.csv").write_text(",".join(columns) + "\n" + ",".join(map(str, columns.values())) + "\n")
    expected = {"up": 9 << 4 | 3, "wide": 5 << 60 | 7, "high": 5}
    assert {
        name: int(column[0]) for name, column in read_vectors(tmp_path / "rows.csv", netlist).ports.items()
    } == expected
    np.savez(tmp_path / "rows.npz", **{name: np.array([value]) for name, value in columns.items()})
    assert {
        name: int(column[0]) for name, column in read_vectors(tmp_path / "rows.npz", netlist).ports.items()
    } == expected


def test_no_source_feeds_what_is_too_slow() -> None:
    slow = estimate(PARTS, EGFET, rate_hz=1e3)
    assert not any(found.meets_rate for found in slow.voltages)
    assert all(found.power_sources == () for found in slow.voltages)
    delay = {found.voltage: found.critical_path_ms for found in slow.voltages}
    rate = 1000 / ((delay[0.6] + delay[1.0]) / 2)
    found = estimate(PARTS, EGFET, rate_hz=rate)
    assert (found.at(0.6).meets_rate, found.at(0.6).power_sources) == (False, ())
    assert found.nominal.meets_rate and found.nominal.power_sources


def shown(facts: dict, rate: float) -> str:
    from rich.console import Console

    cost = estimate(PARTS, EGFET, rate_hz=rate, converters=[Feed("x0", Converter(4))]).to_json()
    tree = {"leaves": 4, "area_cm2": 0.1, "power_mw": 0.2}
    with Console(width=300, highlight=False) as console, console.capture() as printed:
        console.print(summary_table(facts | {"estimate": cost, "tree": tree}))
    return printed.get()


def test_one_supply_in_a_summary() -> None:
    cost = estimate(PARTS, EGFET)
    text = shown({}, 5.0).replace("\N{NO-BREAK SPACE}", " ")
    assert "at 1 V, the nominal supply" in text
    assert not [volts for volts in (0.6, 0.8, 1.2, 2.0) if f"{volts:g} V" in text]
    assert "0.2" in text and "flash converter" in text
    delays = {found.voltage: found.critical_path_ms for found in cost.voltages}
    rate = 1000 / ((delays[1.0] + min(delays.values())) / 2)  # the nominal supply is too slow
    text = shown({}, rate).replace("\N{NO-BREAK SPACE}", " ")
    assert "the least that meets" in text
    assert " 1 V" not in text
    assert "draws 0.2" not in text


def test_the_report_says_where_a_source_is_enough() -> None:
    rate = 1e3
    facts = {"estimate": estimate(PARTS, EGFET, rate_hz=rate).to_json()}
    assert "meets 1000 Hz" in render(facts)
    from rich.console import Console

    with Console(width=120, highlight=False) as console, console.capture() as printed:
        console.print(estimate_table(facts["estimate"]))
    lines = [line.split() for line in printed.get().splitlines() if line.split()[1:2] == ["V"]]
    assert [line[-2:] for line in lines] == [["no", "none"]] * len(lines)
