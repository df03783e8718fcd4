"""The report reads what the other parts really write."""

from __future__ import annotations

import json

from rich.console import Console
from support.pages import Page
from support.reports import estimate_table, render

from mlpress.codegen import AuditReport
from mlpress.hw.printed import POWER_SOURCES, estimate, load_technology, parse_netlist
from mlpress.report.figures import figure, words

NETLIST = """
module top(x0, y);
  input [1:0] x0;
  output [1:0] y;
  wire n;
  NAND2X1 a (.A1(x0[0]), .A2(x0[1]), .Y(n));
  INVX1 b (.A(n), .Y(y[0]));
  INVX1 c (.A(y[0]), .Y(y[1]));
endmodule
"""


def test_an_estimate_as_hw_writes_it() -> None:
    technology = load_technology("egfet")
    found = json.loads(json.dumps(estimate(parse_netlist(NETLIST), technology).to_json()))
    page = Page(render({"estimate": found}))
    costs = page.sections["cost"]
    for words_ in ("NAND2X1", "INVX1", found["activity"], *found["notes"], found["voltages"][0]["timing"]):
        assert words_ in costs
    for source in POWER_SOURCES:
        assert source.title in costs
    with Console(width=80, highlight=False) as console, console.capture() as printed:
        console.print(estimate_table(found))
    lines = [line for line in printed.get().splitlines() if len(line.split()) > 7]
    for row in found["voltages"]:
        line = next(line for line in lines if line.split()[:2] == [words(row["voltage"]), "V"])
        for key in ("total_mw", "static_mw", "dynamic_mw", "critical_path_ms", "energy_mj"):
            assert figure(row[key]) in line
            assert figure(row[key]) in costs


def test_an_audit_as_codegen_writes_it() -> None:
    built = {
        "h0": {"full_adders": 12, "half_adders": 3, "muxes": 0},
        "d0": {"full_adders": 7, "half_adders": 1, "muxes": 4},
    }
    report = AuditReport("flat", 1, {"x0": 4, "y": 2}, {"&": 31, "^": 77}, 2, 0, built)
    audit = Page(render({"audit": json.loads(json.dumps(report.to_json()))})).sections["audit"]
    for words_ in ("full adders", "half adders", "muxes", "h0", "d0", "12", "31", "77", "x0 4, y 2"):
        assert words_ in audit
