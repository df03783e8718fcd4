"""Registers with synchronous resets work; nets with two drivers, without any, or of high impedance are named."""

import numpy as np
import pytest

from mlpress.errors import MlpressError
from mlpress.hw.printed import PackedNetlist, load_technology, synthesise
from mlpress.yosys import read_gates

EGFET = load_technology("egfet")


def module(body: str, ports: str = "input a, b, output y") -> str:
    return f"module top({ports}); {body} endmodule"


SYNCHRONOUS = {
    "cleared": ("if (rst) q <= 0; else q <= q + d;", lambda q, d, rst, en: 0 if rst else (q + d) % 16),
    "preset": ("if (rst) q <= 9; else q <= q ^ d;", lambda q, d, rst, en: 9 if rst else q ^ d),
    "enabled": ("if (en) q <= d;", lambda q, d, rst, en: d if en else q),
    "both": ("if (rst) q <= 5; else if (en) q <= q + d;", lambda q, d, rst, en: 5 if rst else (q + d * en) % 16),
    "enable first": ("if (en) if (rst) q <= 0; else q <= d;", lambda q, d, rst, en: q if not en else 0 if rst else d),
    "part": (
        "begin q <= q + d; if (rst) q[1:0] <= 2; end",
        lambda q, d, rst, en: (q + d) % 16 & ~3 | 2 if rst else (q + d) % 16,
    ),
}


@pytest.mark.parametrize("kind", SYNCHRONOUS)
def test_synchronous_resets_and_enables(kind: str) -> None:
    body, step = SYNCHRONOUS[kind]
    text = module(f"always @(posedge clk) {body}", "input clk, rst, en, input [3:0] d, output reg [3:0] q")
    found = synthesise(text, "top", EGFET, effort="fast")
    rng = np.random.default_rng(1)
    rows = {"rst": rng.integers(0, 4, 200) == 0, "en": rng.integers(0, 2, 200), "d": rng.integers(0, 16, 200)}
    engine = PackedNetlist(found.netlist, EGFET)
    rows = {port.name: rows[port.name].astype(int) for port in engine.inputs}
    seen, q = [], 0
    for row in range(200):
        seen.append(q)
        values = {name: int(rows[name][row]) if name in rows else 0 for name in ("d", "rst", "en")}
        q = step(q, values["d"], values["rst"], values["en"])
    assert engine.run(rows)["q"].tolist() == seen


SUB = "module sub(input i, output o); assign o = ~i; endmodule\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (module("assign y = a; assign y = b;"), "top.y has 2 drivers: the input a and the input b"),
        (module("assign y = a & b; assign y = a | b;"), r"y has 2 drivers: logic of top.v:1\S* and logic of top.v"),
        (module("assign y = a & 1'b0; assign y = a ^ b;"), "top.y has 2 drivers: the constant 0 and logic of"),
        (module("assign y = 1'b1; assign y = a;"), "a is an input, and is driven to the constant 1 as well"),
        (module("assign z[1] = a; assign z[1] = ~b; assign z[0] = a; assign y = z[0];",
                "input a, b, output y, output [1:0] z"), "has 2 drivers: the input a and logic of"),
        (SUB + module("sub u(.i(a), .o(y)); sub v(.i(b), .o(y));"), "top.y has 2 drivers"),
        (module("always @(posedge a) y <= b; always @(posedge a) y <= ~b;", "input a, b, output reg y"), "top.y has 2"),
        (module("wire n; assign n = a; assign n = b; assign y = ~n;"), "top.n has 2 drivers"),
        (module(""), "nothing drives top.y"),
        (module("assign z[1] = a; assign y = b;", "input a, b, output y, output [2:1] z"), r"drives top.z\[2\]"),
        (module("wire n; assign y = a & n;"), "nothing drives top.n"),
        (SUB.replace("o =", "n =") + module("sub u(.i(a), .o(y));"), "nothing drives top.y"),
        (module("assign y = 1'bz;"), "top.y is driven to z"),
        (module("assign y = a ? b : 1'bz;"), "top.y may be driven to z"),
        (module("wire n = a ? b : 1'bz; assign y = n & b;"), "top.n may be driven to z"),
        (module("always @* case ({a, b}) 0: y = 1; 1: y = 0; default: y = 1'bz; endcase",
                "input a, b, output reg y"), "top.y may be driven to z"),
        (module("bufif1 u(y, a, b);"), "top.y may be driven to z"),
    ],
)  # fmt: skip
def test_nets_that_are_not_driven_once_are_named(text: str, says: str) -> None:
    with pytest.raises(MlpressError, match=says) as caught:
        read_gates({"top.v": text}, "top")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        module("wire [1:0] n; assign n[0] = a; assign y = n[0] & b;"),
        module("wire n; assign y = a & b;"),
        module("always @* casez ({a, b}) 2'b1?: y = 1; 2'bz1: y = 0; default: y = 1'bx; endcase",
               "input a, b, output reg y"),
        SUB + module("wire n; sub u(.i(a), .o(y)); sub v(.i(b), .o());"),
    ],
)  # fmt: skip
def test_what_nobody_reads_needs_no_driver(text: str) -> None:
    assert read_gates({"top.v": text}, "top").outputs[0].name == "y"
