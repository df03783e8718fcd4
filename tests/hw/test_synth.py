"""Synthesis: the same function, the same ports, the same result every time, and one line for what is no circuit."""

from pathlib import Path

import numpy as np
import pytest

from mlpress.errors import MlpressError
from mlpress.hw import printed
from mlpress.hw.printed import PackedNetlist, load_technology, parse_netlist, synthesise
from mlpress.sim import Rtl
from mlpress.yosys import read_gates, read_sources, run_abc, run_yosys

ADDER = """module top(input [3:0] a, b, input signed [2:0] c, output [4:0] s, output g);
  assign s = a + b;
  assign g = $signed(a) > c;
endmodule"""
COUNTER = """module top(input clk, rst, input [2:0] step, output reg [3:0] q);
  always @(posedge clk or posedge rst) if (rst) q <= 0; else q <= q + step;
endmodule"""


@pytest.fixture(scope="module")
def egfet() -> printed.Technology:
    return load_technology("egfet")


def every_row(*widths: int) -> np.ndarray:
    count = 1 << sum(widths)
    columns, low = [], 0
    for width in widths:
        columns.append(np.arange(count) >> low & ((1 << width) - 1))
        low += width
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("effort", ["fast", "default", "thorough"])
@pytest.mark.parametrize("technology", ["egfet", "cnt-tft"])
def test_mapped_function_is_the_function(effort: str, technology: str) -> None:
    cells = load_technology(technology)
    found = synthesise(ADDER, "top", cells, effort=effort)
    rows = every_row(4, 4, 3)
    outputs = PackedNetlist(found.netlist, cells).run({"a": rows[:, 0], "b": rows[:, 1], "c": rows[:, 2]})
    signed = rows[:, 0] - (rows[:, 0] >> 3 << 4), rows[:, 2] - (rows[:, 2] >> 2 << 3)
    np.testing.assert_array_equal(outputs["s"], rows[:, 0] + rows[:, 1])
    np.testing.assert_array_equal(outputs["g"], signed[0] > signed[1])
    assert found.area_um2 == sum(cells.cell(name).area_um2 * count for name, count in found.cells.items())
    assert not any(cells.cell(name).dont_use for name in found.cells)


def test_efforts_only_get_smaller_and_repeat(egfet: printed.Technology) -> None:
    found = {effort: synthesise(ADDER, "top", egfet, effort=effort) for effort in ("fast", "default", "thorough")}
    assert found["fast"].area_um2 >= found["default"].area_um2 >= found["thorough"].area_um2
    again = synthesise(ADDER, "top", egfet, effort="thorough")
    assert again.verilog == found["thorough"].verilog
    assert again.to_json() == found["thorough"].to_json()


def test_netlist_text_reads_back(egfet: printed.Technology) -> None:
    found = synthesise(ADDER, "top", egfet, effort="fast")
    again = parse_netlist(found.verilog, "top")
    assert [(port.name, port.width, port.direction) for port in again.ports] == [
        ("a", 4, "input"), ("b", 4, "input"), ("c", 3, "input"), ("s", 5, "output"), ("g", 1, "output"),
    ]  # fmt: skip
    assert again.cells_by_type() == found.cells


def test_flip_flops_are_the_right_cell(egfet: printed.Technology) -> None:
    found = synthesise(COUNTER, "top", egfet, effort="fast")
    assert found.cells["DFFNRX1"] == 4
    assert "DFFX1" not in found.cells
    steps = np.array([3, 1, 4, 1, 5, 2, 6])
    counted = np.concatenate([[0], np.cumsum(steps)[:-1]]) % 16
    outputs = PackedNetlist(found.netlist, egfet).run({"rst": np.zeros(7, int), "step": steps})
    np.testing.assert_array_equal(outputs["q"], counted)


def test_rtl_engine_runs_what_is_written() -> None:
    rows = every_row(4, 4, 3)
    outputs = Rtl(ADDER).run({"a": rows[:, 0], "b": rows[:, 1], "c": rows[:, 2]})
    np.testing.assert_array_equal(outputs["s"], rows[:, 0] + rows[:, 1])


TWO_TOPS = "module a(input x, output y); assign y = x; endmodule\nmodule b(output y); assign y = 0; endmodule"
FILE = 'module top(input a);\nreg [7:0] m [0:3]; initial $readmemh("/x", m); endmodule'


@pytest.mark.parametrize(
    ("text", "top", "says"),
    [
        ("module top(input a, output y); asign y = a; endmodule", "top", "verilog:1: .*syntax error"),
        ("module top(input a, output y); assign y = ~a; endmodule", "other", "the modules are top"),
        (TWO_TOPS, None, "candidates: a, b"),
        ("no verilog at all", None, "no module"),
        ("module top(input a, output y); box b(.a(a), .y(y)); endmodule", "top", "box"),
        ("module top(input a, e, output reg y); always @* if (e) y = a; endmodule", "top", "(?i)latch"),
        ("module top(input a, output y); wire b; assign b = ~(a & b); assign y = b; endmodule", "top", "(?i)loop"),
        ("`include \"/etc/passwd\"\nmodule top(input a); endmodule", "top", "verilog:1: `include"),
        (FILE, "top", r"verilog:2: \$readmemh"),
        ("module top(input a, output y); initial $system(\"id\"); assign y = a; endmodule", "top", r"\$system"),
        ("`define I include\n``I\nmodule top(input a, output y); assign y = a; endmodule", "top", "verilog:"),
        ("module top(input a, output y); /* never ends", "top", "does not end"),
    ],
)  # fmt: skip
def test_what_is_no_circuit_is_one_line(egfet: printed.Technology, text: str, top: str | None, says: str) -> None:
    with pytest.raises(MlpressError, match=says) as caught:
        synthesise(text, top, egfet, effort="fast")
    assert "\n" not in str(caught.value)


def test_unknown_effort_is_one_line(egfet: printed.Technology) -> None:
    with pytest.raises(MlpressError, match="fast, default, thorough"):
        synthesise(ADDER, "top", egfet, effort="heroic")


def test_runaway_children_are_ended() -> None:
    with pytest.raises(MlpressError, match="did not end within 1 s"):
        run_yosys("exec -- sleep 60", {}, timeout_s=1)
    assert not run_abc("!sleep 60", {}, [], timeout_s=1).finished
    with pytest.raises(MlpressError, match="Yosys failed"):
        run_yosys("read_verilog big.v", {"big.v": ADDER}, memory_mb=40)


def test_a_run_leaves_what_was_asked_for() -> None:
    run = run_yosys("read_verilog in.v\nwrite_verilog -noattr out.v", {"in.v": ADDER}, ["out.v"])
    assert "module top" in run.outputs["out.v"]
    with pytest.raises(MlpressError, match=r"wrote no missing\.v"):
        run_yosys("read_verilog in.v", {"in.v": ADDER}, ["missing.v"])


def test_gates_keep_ports_and_order() -> None:
    gates = read_gates({"adder.v": ADDER}, "top")
    assert [(bus.name, bus.width) for bus in gates.inputs] == [("a", 4), ("b", 4), ("c", 3)]
    assert [(bus.name, bus.width) for bus in gates.outputs] == [("s", 5), ("g", 1)]
    reach = np.arange(len(gates.operation)) + 1 + gates.input_bits
    assert (gates.left < reach).all()
    assert (gates.right < reach).all()


def test_files_of_the_same_name_are_both_read(tmp_path: Path, egfet: printed.Technology) -> None:
    for folder, text in (
        ("a", "module top(x, y); input x; output y; half h(.x(x), .y(y)); endmodule"),
        ("b", "module half(x, y); input x; output y; assign y = ~x; endmodule"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.v").write_text(text)
    sources = read_sources(tmp_path / "a" / "same.v", tmp_path / "b" / "same.v")
    assert synthesise(sources, None, egfet, effort="fast").cells == {"INVX1": 1}
    with pytest.raises(MlpressError, match=r"cannot read .*missing.v: No such file"):
        read_sources(tmp_path / "missing.v")
