"""Netlists in our own spelling are read line by line, all others word by word: the same netlist either way."""

import re

import pytest

from mlpress.errors import MlpressError
from mlpress.hw import printed

TEXT = """module top (a, b, y);
  input [1:0] a;
  input b;
  output y;
  wire n1;
  wire n2;
  NAND2X1 g0 (.A(n1), .B(b), .Y(n2));
  INVX1 g1 (.A(a[0]), .Y(n1));
  INVX1 g2 (.A(n2), .Y(y));
  INVX1 g3 (.A(a[1]), .Y());
endmodule
"""


def test_spelling_changes_nothing() -> None:
    plain = printed.parse_netlist(TEXT, "top")
    spaced = printed.parse_netlist(re.sub(r"([(),.;])", r" \1\n ", TEXT), "top")
    for netlist in (plain, spaced):
        assert netlist.cells_by_type() == {"INVX1": 3, "NAND2X1": 1}
        assert netlist.names == ("g0", "g1", "g2", "g3")
    assert plain.to_verilog() == spaced.to_verilog() == printed.parse_netlist(plain.to_verilog(), "top").to_verilog()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (TEXT.replace("  INVX1 g2 (", "  always g2 ("), "line 9: 'always' is not part"),
        (TEXT.replace(".Y(n2));", ".Y(n2);"), "line 7: ';' in the connections of 'g0'"),
        (TEXT.replace("g2 (.A(n2)", "g2 (.A(n2[1])"), r"line 9: n2\[1\]|line 9: 'n2' is not a declared bus"),
        (TEXT.replace("  wire n2;\n", "  wire n2;\n  wire [1:0] n2;\n"), "line 7: 'n2' is declared twice"),
        (TEXT.replace("endmodule\n", ""), "line 10: the text ends inside module 'top'"),
    ],
)
def test_errors_name_the_line(wrong: str, message: str) -> None:
    with pytest.raises(MlpressError, match=message):
        printed.parse_netlist(wrong, "top")
