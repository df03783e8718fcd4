import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.netlists import naive_nets, naive_output, random_netlist
from support.tiny_liberty import HEAD

from mlpress.errors import MlpressError
from mlpress.hw.printed import PackedNetlist, link, load_technology, parse_liberty, parse_netlist

EGFET = load_technology("egfet")


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 80), st.integers(1, 130))
def test_equals_naive_evaluation(seed: int, inputs: int, cells: int, rows: int) -> None:
    _, netlist = random_netlist(seed, inputs, cells, outputs=min(cells, 5))
    values = np.random.default_rng(seed).integers(0, 1 << inputs, rows)
    engine = PackedNetlist(netlist, EGFET)
    result = engine.run({"x": values})
    assert result["y"].dtype == np.int64
    nets = [naive_nets(netlist, {"x": int(value)}) for value in values]
    assert result["y"].tolist() == [naive_output(netlist, row, "y") for row in nets]
    counted = engine.activity({"x": values})
    driven = np.unique(np.concatenate([netlist.pins.ravel(), *[port.nets for port in netlist.ports], [0, 1]]))
    assert np.array_equal(counted.one[driven], np.array(nets)[:, driven].sum(axis=0) / rows)


def test_levels_and_depth() -> None:
    netlist = parse_netlist(
        "module top (input a, b, output y);"
        "INVX1 c (.A(n), .Y(y)); NAND2X1 b1 (.A1(m), .A2(b), .Y(n)); INVX1 a1 (.A(a), .Y(m)); endmodule"
    )
    linked = link(netlist, EGFET)
    assert linked.depth == 3
    assert [netlist.names[cell] for cell in linked.order] == ["a1", "b1", "c"]
    assert linked.level.tolist() == [3, 2, 1]


def test_wide_ports_are_python_integers() -> None:
    netlist = parse_netlist("module top (input [99:0] x, output [99:0] y); assign y = x; endmodule")
    values = [0, 1, (1 << 100) - 1, 1 << 77]
    engine = PackedNetlist(netlist, EGFET)
    assert engine.run({"x": np.array(values, object)})["y"].tolist() == values
    assert engine.run({"x": np.array([0, 1, 1 << 62])})["y"].tolist() == [0, 1, 1 << 62]


def test_cells_of_many_inputs_and_outputs() -> None:
    text = HEAD + (
        "cell (MAJ) { pin (A, B, C) { direction : input; } "
        'pin (Y) { direction : output; function : "A B + C (A + B)"; }'
        ' pin (Z) { direction : output; function : "(A ^ B ^ C)\'"; } } '
        'cell (ONE) { pin (Y) { direction : output; function : "1"; } } }'
    )
    netlist = parse_netlist(
        "module top (input [2:0] x, output [2:0] y); ONE o (.Y(y[2]));"
        "MAJ m (.A(x[0]), .B(x[1]), .C(x[2]), .Y(y[0]), .Z(y[1])); endmodule"
    )
    result = PackedNetlist(netlist, parse_liberty(text)).run({"x": np.arange(8)})["y"]
    bits = [[row >> k & 1 for k in range(3)] for row in range(8)]
    assert result.tolist() == [4 + 2 * (1 - sum(b) % 2) + (sum(b) >= 2) for b in bits]


PIPELINE = (
    "module top (input clk, input rst_n, input [1:0] x, output y, output z);"
    "DFFNRX1 r (.CP(clk), .D(x[0]), .RST_N(rst_n), .Q(q), .Q_bar());"
    "DFFNRX1 s (.CP(clk), .D(x[1]), .RST_N(rst_n), .Q(), .Q_bar(p));"
    "NAND2X1 g (.A1(q), .A2(p), .Y(d)); DFFX1 t (.CP(clk), .D(d), .Q(y)); assign z = q; endmodule"
)


def test_registers_delay_by_a_row() -> None:
    random = np.random.default_rng(3)
    x, rst = random.integers(0, 4, 300), random.integers(0, 2, 300)
    result = PackedNetlist(parse_netlist(PIPELINE), EGFET).run({"x": x, "rst_n": rst})
    q = s = t = 0
    for row in range(300):
        now = (q & rst[row], s & rst[row])  # the reset does not wait for the clock
        assert result["z"][row] == now[0] and result["y"][row] == t
        t = 1 - (now[0] & (1 - now[1]))
        q, s = x[row] & 1, x[row] >> 1


COUNTER = (
    "module top (input clk, input rst_n, input up, output [1:0] y, output z);"
    "XOR2X1 a (.A1(y[0]), .A2(up), .Y(d0)); AND2X1 b (.A1(y[0]), .A2(up), .Y(c)); XOR2X1 e (.A1(y[1]), .A2(c), .Y(d1));"
    "DFFNRX1 r (.CP(clk), .D(d0), .RST_N(rst_n), .Q(y[0]), .Q_bar());"
    "DFFNRX1 s (.CP(clk), .D(d1), .RST_N(rst_n), .Q(y[1]), .Q_bar(n)); INVX1 i (.A(n), .Y(z)); endmodule"
)


def test_registers_that_feed_back_run_row_by_row() -> None:
    random = np.random.default_rng(4)
    up, rst = random.integers(0, 2, 500), (random.random(500) > 0.1).astype(int)
    engine = PackedNetlist(parse_netlist(COUNTER), EGFET)
    assert engine.program.feedback and engine.linked.feedback and engine.linked.depth == 2
    result = engine.run({"up": up, "rst_n": rst})
    count = 0
    for row in range(500):
        count *= rst[row]
        assert result["y"][row] == count and result["z"][row] == count >> 1
        count = (count + up[row]) % 4
    assert engine.activity({"up": up, "rst_n": rst}).one[engine.linked.netlist.outputs[0].nets[0]] == np.mean(
        result["y"] & 1
    )


def test_a_flip_flop_may_read_its_own_state() -> None:
    text = HEAD + (
        "cell (EFF) { pin (C, D, E) { direction : input; } "
        'ff (IQ, IQN) { clocked_on : C; next_state : "D E + IQ !E"; }'
        " pin (Q) { direction : output; function : IQ; } } }"
    )
    netlist = parse_netlist("module top (input c, d, e, output q); EFF u (.C(c), .D(d), .E(e), .Q(q)); endmodule")
    d, e = [1, 0, 1, 0, 0, 1], [0, 1, 1, 0, 0, 1]
    result = PackedNetlist(netlist, parse_liberty(text)).run({"d": np.array(d), "e": np.array(e)})
    assert result["q"].tolist() == [0, 0, 0, 1, 1, 1]


def test_clock_activity_is_implied() -> None:
    engine = PackedNetlist(parse_netlist(PIPELINE), EGFET)
    assert [port.name for port in engine.inputs] == ["rst_n", "x"]
    found = engine.activity({"x": np.array([0, 1, 2, 3]), "rst_n": np.ones(4, int)})
    (clock,) = (port.nets[0] for port in engine.linked.netlist.inputs if port.name == "clk")
    assert (found.one[clock], found.toggles[clock]) == (0.5, 2.0)


def mapped(inside: str, ports: str = "input [1:0] x, output y") -> str:
    return f"module top ({ports}); {inside} endmodule"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (mapped("AOI21 u (.A(x[0]), .Y(y));"), "egfet has no cell 'AOI21'"),
        (mapped("and u (.a(x[0]), .y(y));"), "egfet has no cell 'and'"),
        (mapped("LATCHX1 u (.R(x[0]), .S(x[1]), .Q(y));"), r"cell LATCHX1 \(instance u\) is a set-reset latch"),
        (mapped("TSBUF u (.I(x[0]), .OE(x[1]), .Y(y));"), r"cell TSBUF \(instance u\) is a tri-state driver"),
        (mapped("INVX1 u (.B(x[0]), .Y(y));"), r"cell INVX1 \(instance u\) has no pin 'B'; its pins are A, Y"),
        (mapped("NAND2X1 u (.A1(x[0]), .Y(y));"), r"input A2 of u \(NAND2X1\) is not connected"),
        (mapped("NAND2X1 u (.A1(x[0]), .A2(), .Y(y));"), r"input A2 of u \(NAND2X1\) is not connected"),
        (mapped("INVX1 u (.A(n), .Y(y));"), r"net 'n' at u/A \(INVX1\) has no driver"),
        (mapped("INVX1 u (.A(x[0]), .Y());"), "output 'y': net 'y' has no driver"),
        (mapped("INVX1 u (.A(x[0]), .Y(y)); INVX1 v (.A(x[1]), .Y(y));"), "net 'y' has two drivers"),
        (mapped("INVX1 u (.A(x[0]), .Y(x[1])); assign y = x[1];"), r"net 'x\[1\]' has two drivers"),
        (mapped("wire w; assign w = 1'b0; INVX1 u (.A(x[0]), .Y(w)); assign y = w;"), 'net "1\'b0" has two drivers'),
        (
            mapped("INVX1 u (.A(n), .Y(m)); INVX1 v (.A(m), .Y(n)); assign y = n;"),
            "there are combinational loops in 'top'; mlpress simulates none",
        ),
        (
            mapped("INVX1 i (.A(x[0]), .Y(c)); DFFX1 r (.CP(c), .D(x[1]), .Q(y));"),
            "clock net 'c' is gated or used as data",
        ),
        (mapped("DFFX1 r (.CP(x[0]), .D(x[0]), .Q(y));"), r"clock net 'x\[0\]' is gated or used as data"),
    ],
)
def test_netlists_that_cannot_be_simulated_say_why(text: str, message: str) -> None:
    with pytest.raises(MlpressError, match=message) as caught:
        PackedNetlist(parse_netlist(text), EGFET)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"z": [1]}, "the netlist has no data input 'z'; its inputs are x"),
        ({}, "no values for input 'x'"),
        ({"x": [4]}, "4 does not fit the 2 bits of input 'x'"),
        ({"x": [-1]}, "-1 does not fit the 2 bits of input 'x'"),
        ({"x": [0.5]}, "values for input 'x' must be a list of integers, not float64"),
        ({"x": ["1"]}, "values for input 'x' must be a list of integers"),
        ({"x": np.array([1, "1"], object)}, "values for input 'x' must be a list of integers, not object"),
        ({"x": [[1]]}, "values for input 'x' must be a list of integers"),
        ({"x": np.zeros(0, int)}, "there is no row to simulate"),
        (np.zeros((3, 2), int), r"the netlist has 1 data inputs; the rows have shape \(3, 2\)"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows, message: str) -> None:
    engine = PackedNetlist(parse_netlist(mapped("XOR2X1 u (.A1(x[0]), .A2(x[1]), .Y(y));")), EGFET)
    with pytest.raises(MlpressError, match=message):
        engine.run(rows)


def test_columns_of_different_lengths_are_refused() -> None:
    engine = PackedNetlist(parse_netlist(mapped("NAND2X1 u (.A1(a), .A2(b), .Y(y));", "input a, b, output y")), EGFET)
    with pytest.raises(MlpressError, match=r"different lengths: \[2, 3\]"):
        engine.run({"a": np.array([0, 1]), "b": np.array([0, 1, 1])})
    assert engine.run(np.array([[1, 1], [0, 1]]))["y"].tolist() == [0, 1]
