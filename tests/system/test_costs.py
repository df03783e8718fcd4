"""What the command line says that things cost: one count of cells, and converters as read and where asked for."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from support.commands import mlpress
from support.reports import render

from mlpress import ir
from mlpress.hw import printed
from mlpress.pipeline.compile import Options, build_design
from mlpress.pipeline.result import shipped
from mlpress.targets import printed as printed_target

PACKED = """module top(input [11:0] inp, output y, output [2:0] z);
  assign y = inp[3:0] > inp[11:8];
  DW01_satrnd #(4, 3, 1) u (.din(inp[3:0]), .tc(1'b0), .rnd(1'b0), .ov(), .sat(1'b1), .dout(z));
endmodule"""


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    path = tmp_path / "packed.v"
    path.write_text(PACKED)
    return path


def test_converters_are_asked_for(packed: Path) -> None:
    rows = packed.with_name("rows.csv")
    rows.write_text("inp[3:0],inp[7:4],inp[11:8]\n" + "".join(f"{k % 16},{k % 5},{k % 7}\n" for k in range(50)))
    plain = mlpress("estimate", packed, "--vectors", rows, "--effort", "fast", "--json")
    assert plain.returncode == 0, plain.stderr
    facts = json.loads(plain.stdout)
    assert facts["adc"] is None
    assert facts["rows"] == 50
    assert "DW01_satrnd is in none of the files" in facts["notes"][0]
    asked = mlpress("estimate", packed, "--vectors", rows, "--effort", "fast", "--json", "--with-adc")
    adc = json.loads(asked.stdout)["adc"]
    assert (adc["features"], adc["converters"], adc["bits"], adc["comparators"]) == (3, 2, 8, 32)
    assert "input converters" in mlpress("estimate", packed, "--vectors", rows, "--with-adc", "--effort", "fast").stdout


def narrow() -> ir.Circuit:
    """A circuit of three features that reads the top bit of one and two bits of another."""
    inputs = tuple(ir.Input(name, 4, 15.0, 0.0) for name in "abc")
    return ir.Circuit(inputs, np.array([[8, 14], [12, 26]], np.int32), ((28,),), ("no", "yes"))


def test_a_design_counts_cells_once_and_converters_as_read(tmp_path: Path) -> None:
    program = narrow()
    rows = np.random.default_rng(0).uniform(0, 1, (60, 3))
    codes = ir.encode(program, rows)
    labels = ir.interpret_circuit(program, codes).decision
    design = build_design(program, rows, labels, Options.of())
    estimate, synthesis = design.facts["estimate"], design.facts["synthesis"]
    cells = len(re.findall(r"(?m)^  \w+ \w+ \(\.", design.text("netlist.v")))
    assert cells == estimate["cells"] == sum(synthesis["cells"].values()) == sum(estimate["cells_by_type"].values())
    netlist = printed.parse_netlist(design.text("netlist.v"))
    assert len(netlist.names) == cells
    read = printed.link(netlist, printed.load_technology("egfet")).live_nets()
    bits = [[net in read for net in port.nets] for port in netlist.inputs]
    assert estimate["adc"]["bits"] == sum(map(sum, bits)) < 12
    assert estimate["adc"]["converters"] == sum(map(any, bits)) < 3
    assert f"{cells} cells" in render(design.facts).replace("&nbsp;", " ")


def test_what_is_shipped_is_synthesised_thoroughly() -> None:
    small = narrow()
    assert shipped(small, Options.of()).target.effort == "thorough"
    assert shipped(small, Options.of(effort="fast")).target.effort == "fast"
    many = np.array([[2, 4]] * (printed_target.MOST_THOROUGH_NODES + 1), np.int32)
    large = ir.Circuit(small.inputs, many, ((26,),), small.classes)
    assert shipped(large, Options.of()).target.effort == "default"
