"""Timing against numbers worked out here by hand or by a few lines of plain arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.netlists import random_netlist
from support.tiny_liberty import TINY

from mlpress.errors import MlpressError
from mlpress.hw.printed import critical_path, link, load_technology, parse_liberty, parse_netlist
from mlpress.hw.printed.cells.lookup import stack
from mlpress.hw.printed.cells.technology import Table


def timing(cells: str, ports: str = "input a, input b, output y", voltage: float = 2.0):
    netlist = parse_netlist(f"module top ({ports});\n{cells}\nendmodule")
    technology = parse_liberty(TINY) if voltage == 2.0 else load_technology("egfet")
    return critical_path(link(netlist, technology), voltage)


def test_two_inverters_by_hand() -> None:
    """Tiny's tables are planes (us, pF): every look-up is base + slew part + load part, here outside the tables.

    First inverter (input slew 0): its load is the second's pin: 4 pF rising, 5 pF falling.
      rise 100 + 0.5 * 0 + 10 * 4 = 140, slew 30 + 4 * 4 = 46;  fall 60 + 5 * 5 = 85, slew 20 + 2 * 5 = 30.
    Second (no load): rise after the first's fall: 85 + 100 + 0.5 * 30 = 200; fall after its rise:
      140 + 60 + 0.1 * 46 = 204.6.
    """
    found = timing("INV u1 (.A(a), .Y(n)); INV u2 (.A(n), .Y(y));", "input a, output y")
    assert found.delay_ms == pytest.approx(0.2046, rel=1e-12)
    assert [(s.instance, s.cell, s.input, s.output, s.edge, s.net) for s in found.path] == [
        ("u1", "INV", "A", "Y", "rise", "n"),
        ("u2", "INV", "A", "Y", "fall", "y"),
    ]
    assert [s.delay_ms for s in found.path] == pytest.approx([0.140, 0.0646], rel=1e-12)
    assert [s.arrival_ms for s in found.path] == pytest.approx([0.140, 0.2046], rel=1e-12)


def test_worst_slew_need_not_come_with_the_latest_arrival() -> None:
    """A NAND whose pin A rises late with a small slew, and whose pin B rises early with a large one.

    A: three inverters; rise 140 (slew 46), fall +60 + 4.6 + 25 = 229.6 (slew 20 + 9.2 + 10 = 39.2), rise
    +100 + 19.6 + 30 = 379.2 (slew 30 + 9.8 + 12 = 51.8).
    B: one inverter that drives three NAND pins, 9 pF: rise 190, slew 30 + 36 = 66.
    m falls at 379.2 + 150 + 51.8 + 75 = 656 (load 5 pF), with the slew that B makes: 40 + 33 + 15 = 88.
    y rises at 656 + 100 + 44 = 800; with A's slew it would be 796.45.
    """
    found = timing(
        "INV a1 (.A(a), .Y(p1)); INV a2 (.A(p1), .Y(p2)); INV a3 (.A(p2), .Y(p)); INV b1 (.A(b), .Y(q));"
        "NAND n1 (.A(p), .B(q), .Y(m)); NAND n2 (.A(b), .B(q), .Y()); NAND n3 (.A(b), .B(q), .Y());"
        "INV o (.A(m), .Y(y));"
    )
    assert found.delay_ms == pytest.approx(0.8, rel=1e-12)
    assert [step.instance for step in found.path] == ["a1", "a2", "a3", "n1", "o"]


NAND_A2_FALL = [[1160830, 1229570, 1291680], [1160370, 1229600, 1291940], [1160460, 1229620, 1291390]]
NAND_A2_FALL_SLEW = [[456606, 485624, 515620], [457026, 485624, 515342], [457088, 485623, 515654]]
XOR_A1_RISE_IF_A2 = [[5186080, 5327940, 5474520], [5184640, 5328180, 5473260], [5185570, 5328350, 5473560]]
SLEWS, LOADS = [1000, 2000, 5000], [10000, 15000, 20000]


def plain_look_up(table: list[list[float]], slew: float, load: float) -> float:
    """Bilinear interpolation as the textbook has it, from the nearest four points, also outside of them."""
    i = 0 if slew < SLEWS[1] else 1
    j = 0 if load < LOADS[1] else 1
    u = (slew - SLEWS[i]) / (SLEWS[i + 1] - SLEWS[i])
    v = (load - LOADS[j]) / (LOADS[j + 1] - LOADS[j])
    corner = [[table[i + p][j + q] for q in (0, 1)] for p in (0, 1)]
    return sum((u if p else 1 - u) * (v if q else 1 - v) * corner[p][q] for p in (0, 1) for q in (0, 1))


def test_egfet_path_from_the_published_tables() -> None:
    """NAND2 (A2) into XOR2 (A1) at 1.0 V; the tables above are re-typed from the published library.

    The XOR's A1 pin loads a falling NAND with 349.455 pF, the upper end of its fall_capacitance_range.
    """
    found = timing(
        "NAND2X1 u1 (.A1(a), .A2(b), .Y(n)); XOR2X1 u2 (.A1(n), .A2(c), .Y(y));", "input a, b, c, output y", 1.0
    )
    fall = plain_look_up(NAND_A2_FALL, 0, 349.455)
    slew = plain_look_up(NAND_A2_FALL_SLEW, 0, 349.455)
    late = plain_look_up(XOR_A1_RISE_IF_A2, slew, 0)
    assert found.delay_ms == pytest.approx((fall + late) / 1e6, rel=1e-12)
    assert [(s.instance, s.input, s.edge) for s in found.path] == [("u1", "A2", "fall"), ("u2", "A1", "rise")]


def test_constants_block_paths() -> None:
    free = timing("XOR2X1 u (.A1(a), .A2(b), .Y(y));", voltage=1.0)
    tied = timing("XOR2X1 u (.A1(a), .A2(1'b0), .Y(y)); INVX1 v (.A(b), .Y());", voltage=1.0)
    assert tied.delay_ms < free.delay_ms  # only the arc "when !A2" is left: 3.16 ms against 5.2 ms
    assert tied.path[0].input == "A1" and 2 < tied.delay_ms < 3.2
    dead = timing("NAND2X1 u (.A1(a), .A2(1'b0), .Y(n)); INVX1 v (.A(n), .Y(y)); INVX1 w (.A(b), .Y());", voltage=1.0)
    assert dead.delay_ms == 0 and dead.path == ()


def test_registers_end_and_start_paths() -> None:
    """From the clock through r (13.8 ms) and an XOR (about 5 ms) to the data pin of s; inputs to r are quicker."""
    text = (
        "INVX1 i (.A(x), .Y(d)); DFFNRX1 r (.CP(clk), .D(d), .RST_N(1'b1), .Q(q), .Q_bar());"
        "XOR2X1 o (.A1(q), .A2(x), .Y(e)); DFFNRX1 s (.CP(clk), .D(e), .RST_N(1'b1), .Q(y), .Q_bar());"
    )
    found = timing(text, "input clk, input x, output y", 1.0)
    assert [(step.instance, step.input) for step in found.path] == [("r", "CP"), ("o", "A1")]
    assert found.path[0].delay_ms == pytest.approx(13.8, abs=0.1) and 18 < found.delay_ms < 19.5
    assert found.arrival[:, 1].max() == -np.inf  # a constant never switches


def test_a_wire_takes_no_time() -> None:
    found = timing("assign y = a;", "input a, output y", 1.0)
    assert (found.delay_ms, found.path) == (0.0, ())


def test_cells_without_tables_are_named() -> None:
    text = TINY.replace("cell (INV)", "cell (BARE) { pin (A) { direction : input; } pin (Y) { direction : output; "
                        'function : "!A"; } } cell (INV)')  # fmt: skip
    netlist = parse_netlist("module top (input a, output y); BARE u (.A(a), .Y(y)); endmodule")
    with pytest.raises(MlpressError, match="cell BARE has no delay tables at 2 V"):
        critical_path(link(netlist, parse_liberty(text)), 2.0)
    with pytest.raises(MlpressError, match="not characterised at 3 V; choose one of 2"):
        critical_path(link(netlist, parse_liberty(text)), 3.0)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4))
def test_look_up_is_bilinear_and_extrapolates(seed: int, slews: int, loads: int) -> None:
    """On a bilinear function every look-up is exact, inside and outside the table."""
    random = np.random.default_rng(seed)
    c = random.normal(size=4)
    x = np.sort(random.choice(100, slews, replace=False)).astype(float)
    y = np.sort(random.choice(100, loads, replace=False)).astype(float)
    if slews == 1:
        c[[1, 3]] = 0
    if loads == 1:
        c[[2, 3]] = 0
    table = Table(x, y, c[0] + c[1] * x[:, None] + c[2] * y[None] + c[3] * x[:, None] * y[None])
    other = Table(np.arange(5.0), np.arange(6.0), np.zeros((5, 6)))
    at, to = random.uniform(-50, 150, 20), random.uniform(-50, 150, 20)
    found = stack([other, table])(np.ones(20, np.int32), at, to)
    assert np.allclose(found, c[0] + c[1] * at + c[2] * to + c[3] * at * to, rtol=1e-9, atol=1e-6)


def test_paths_add_up_on_random_netlists() -> None:
    for seed in range(20):
        _, netlist = random_netlist(seed)
        for voltage in (0.6, 1.0, 2.0):
            found = critical_path(link(netlist, load_technology("egfet")), voltage)
            ends = [net for port in netlist.outputs for net in port.nets]
            latest = found.arrival[:, ends].max()
            assert found.delay_ms == pytest.approx(latest / 1e6 if np.isfinite(latest) else 0)
            assert sum(step.delay_ms for step in found.path) == pytest.approx(found.delay_ms, abs=1e-12)
