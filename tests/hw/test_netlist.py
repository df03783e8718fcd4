import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.netlists import random_netlist

from mlpress.errors import MlpressError
from mlpress.hw.printed import PackedNetlist, load_technology, parse_netlist, read_netlist

VENDOR = r"""
/////////////////////////////////////////////////////////////
// Created by: a synthesis tool
/////////////////////////////////////////////////////////////
`timescale 1ns / 1ps

module adder_1 ( a, b, \sum[0] , cout );
  input [1:0] a;
  input b;
  output \sum[0] , cout;
  wire   n1, \U2/n2 ;   /* a comment
                           over lines */
  XOR2X1 U1 ( .A1(a[0]), .A2(a[1]), .Y(n1) );
  XOR2X1 \U2/x  ( .A1(n1), .A2(b),
                  .Y(\sum[0] ) );
  AND2X1 U3 ( .A1(n1), .A2(b), .Y(\U2/n2 ) );
  OR2X1 U4 ( .A1(\U2/n2 ), .A2(n1), .Y(cout) );
endmodule

(* top_module = 1 *)
module classifier ( inp, en, out, spare, copy );
  input [0:3] inp;
  input en;
  output [1:0] out;
  output spare;
  output [2:0] copy;
  tri    n7;
  wire   SYNOPSYS_UNCONNECTED__0, \*Logic1* ;
  wire [2:0] t;
  supply0 gnd;
  assign out[1] = n7;
  assign spare = 1'b0;
  assign copy = { inp[3], t[1], inp[0] };
  assign t[1:0] = { en, gnd };
  adder_1 first ( .a(inp[0:1]), .b(inp[2]), .\sum[0] (n7), .cout(SYNOPSYS_UNCONNECTED__0) );
  adder_1 second ( .a({inp[3], 1'b1}), .b(\*Logic1* ), .\sum[0] (out[0]), .cout() );
endmodule
"""


def test_vendor_netlist_is_flattened() -> None:
    netlist = parse_netlist(VENDOR)
    assert netlist.name == "classifier"
    assert [(port.name, port.direction, port.width) for port in netlist.ports] == [
        ("inp", "input", 4),
        ("en", "input", 1),
        ("out", "output", 2),
        ("spare", "output", 1),
        ("copy", "output", 3),
    ]
    assert netlist.cells_by_type() == {"AND2X1": 2, "OR2X1": 2, "XOR2X1": 4}
    assert netlist.names[:2] == ("first/U1", "first/U2/x")
    values = np.arange(32)
    result = PackedNetlist(netlist, load_technology("egfet")).run({"inp": values & 15, "en": values >> 4})
    for row in values.tolist():
        bit = [row >> (3 - k) & 1 for k in range(4)]  # inp[0] is the most significant bit of [0:3]
        high = bit[0] ^ bit[1] ^ bit[2]
        low = bit[3] ^ 1 ^ 1
        assert result["out"][row] == 2 * high + low
        assert result["spare"][row] == 0
        assert result["copy"][row] == 4 * bit[3] + 2 * (row >> 4) + bit[0]


def test_writer_and_reader_agree() -> None:
    netlist = parse_netlist(VENDOR)
    text = netlist.to_verilog()
    again = parse_netlist(text)
    assert again.to_verilog() == text
    shape = [[(port.name, port.direction, port.left, port.right) for port in found.ports] for found in (netlist, again)]
    assert shape[0] == shape[1]
    engines = [PackedNetlist(found, load_technology("egfet")) for found in (netlist, again)]
    rows = {"inp": np.arange(16), "en": np.arange(16) % 2}
    first, second = (engine.run(rows) for engine in engines)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_pyverilog_reads_what_is_written(tmp_path) -> None:
    from pyverilog.vparser.parser import VerilogParser

    netlist = parse_netlist(VENDOR)
    tree = VerilogParser(outputdir=str(tmp_path)).parse(netlist.to_verilog())
    (module,) = tree.description.definitions
    instances = [item for item in module.items if type(item).__name__ == "InstanceList"]
    assert module.name == "classifier" and len(instances) == len(netlist.names)


def test_names_that_need_it_are_escaped() -> None:
    netlist = parse_netlist(
        "module \\a.b (x, \\wire ); input x; output \\wire ; INVX1 \\1 (.A(x), .Y(\\wire )); endmodule"
    )
    assert "module \\a.b  (x, \\wire );" in netlist.to_verilog()
    assert "INVX1 \\1  (.A(x), .Y(\\wire ));" in netlist.to_verilog()


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_random_netlists_round_trip(seed: int) -> None:
    _, netlist = random_netlist(seed)
    again = parse_netlist(netlist.to_verilog())
    assert again.to_verilog() == netlist.to_verilog()
    rows = {"x": np.arange(64)}
    technology = load_technology("egfet")
    assert np.array_equal(
        PackedNetlist(netlist, technology).run(rows)["y"], PackedNetlist(again, technology).run(rows)["y"]
    )


def test_top_is_chosen_or_asked_for() -> None:
    text = "module a (x, y); input x; output y; INVX1 u (.A(x), .Y(y)); endmodule "
    both = text + text.replace("module a", "module b")
    assert parse_netlist(both, top="b").name == "b"
    with pytest.raises(MlpressError, match="candidates: a, b; say it with --top"):
        parse_netlist(both)
    with pytest.raises(MlpressError, match="there is no module 'c'; the file has a, b"):
        parse_netlist(both, top="c")


HEAD = "module top (x, y);\n input [3:0] x;\n output y;\n"
BAD = [
    ("", "line 1: there is no module"),
    ("hello", "line 1: 'hello' where a module should be"),
    ("module top (x, y)", "the text ends before ';'"),
    (HEAD, "the text ends inside module 'top'"),
    (HEAD + "always @(x) y = x;", "line 4: 'always' is not part of a mapped netlist"),
    (HEAD + "reg r; endmodule", "line 4: 'reg' is not part of a mapped netlist"),
    (HEAD + "assign y = x[0] & x[1]; endmodule", "line 4: '&' in an assign: only aliases"),
    (HEAD + "assign y = ~x[0]; endmodule", "line 4: '~' where a name should be"),
    (HEAD + "INVX1 u (x[0], y); endmodule", "line 4: 'u' connects 'INVX1' by position; name the pins"),
    (HEAD + "INVX1 #(2) u (.A(x[0]), .Y(y)); endmodule", "line 4: parameters of 'INVX1'"),
    (HEAD + "INVX1 u [3:0] (.A(x), .Y(y)); endmodule", "line 4: the array of instances 'u'"),
    (HEAD + "INVX1 u (.A(x), .Y(y)); endmodule", "line 4: pin 'A' of 'u' is connected to 4 bits"),
    (HEAD + "INVX1 u (.A(x[4]), .Y(y)); endmodule", r"line 4: x\[4:4\] lies outside of \[3:0\]"),
    (HEAD + "INVX1 u (.A(z[0]), .Y(y)); endmodule", "line 4: 'z' is not a declared bus"),
    (HEAD + "assign y = x[0:3]; endmodule", r"line 4: x\[0:3\] runs against its declaration"),
    (HEAD + "assign y = 1'bx; endmodule", 'line 4: the constant "1\'bx" is not a number of zeros and ones'),
    (HEAD + "assign y = 1; endmodule", "line 4: the number 1 has no width"),
    (HEAD + "wire a; assign a = 1'b0; assign a = 1'b1; endmodule", "line 4: a net is tied to both 0 and 1"),
    (HEAD + "assign x[0] = x[1]; endmodule", "input 'x' is shorted to input 'x'"),
    (HEAD + "assign x[0] = 1'b1; endmodule", "input 'x' is shorted to the constant 1"),
    (HEAD + "wire x; endmodule x", "line 4: 'x' where a module should be"),
    (HEAD + "wire [1:0] x; endmodule", "line 4: 'x' is declared twice, with two ranges"),
    (HEAD + "input z; endmodule", "line 4: input 'z' is not in the port list"),
    ("module top (x, y); input x; endmodule", "port 'y' of module 'top' is neither input nor output"),
    ("module top (inout x); endmodule", "line 1: 'inout' in a port list"),
    ("module top (x, x); input x; endmodule", "line 1: port 'x' is listed twice"),
    (HEAD + "/* no end", "line 4: '/' where a name should be"),
    (HEAD + "top u (.x(x), .y(y)); endmodule", "none, for all are instantiated"),
    ("module a (); a u (); endmodule module top (); a u (); endmodule", "over 64 deep"),
    (HEAD + "endmodule " + HEAD + "endmodule", "module 'top' is declared twice"),
    (HEAD + "wire [99999:0] w; endmodule", "a bus of over 4096 bits"),
    (HEAD + "wire w = {{{{{{{{{{1'b0}}}}}}}}}}; endmodule", "nest over 8 deep"),
    (HEAD + "sub u (.p(x)); endmodule module sub (q); input q; endmodule", "line 4: 'sub' has no port 'p'"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_no_netlist_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(MlpressError, match=message) as caught:
        parse_netlist(text)
    assert "\n" not in str(caught.value)


def test_bomb_of_modules_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlpress.hw.printed.netlist import netlist_reader

    monkeypatch.setattr(netlist_reader, "MOST_CELLS", 1000)
    layers = ["module m0 (x, y); input x; output y; INVX1 u (.A(x), .Y(y)); endmodule"]
    for k in range(1, 40):
        layers.append(
            f"module m{k} (x, y); input x; output y; wire t; "
            f"m{k - 1} a (.x(x), .y(t)); m{k - 1} b (.x(t), .y(y)); endmodule"
        )
    with pytest.raises(MlpressError, match="over 1000 cells once flat"):
        parse_netlist("\n".join(layers))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.data())
def test_mangled_netlists_never_crash(data: st.DataObject) -> None:
    words = VENDOR.split(" ")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(words) - 1))
        words[at] = data.draw(
            st.sampled_from(["", ";", "(", ")", "[", "]", "{", "1'b0", "x", "\\", "module", "assign", "\x00"])
        )
    try:
        parse_netlist(" ".join(words))
    except MlpressError as error:
        assert "\n" not in str(error)


def test_files_are_named_in_errors(tmp_path) -> None:
    with pytest.raises(MlpressError, match=r"cannot read .*absent.v: No such file"):
        read_netlist(tmp_path / "absent.v")
    (tmp_path / "bad.v").write_text("module")
    with pytest.raises(MlpressError, match=r"bad.v: netlist line 1: the text ends where a name should be"):
        read_netlist(tmp_path / "bad.v")
