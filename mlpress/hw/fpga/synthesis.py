"""Synthesis: Verilog to the look-up tables and flip-flops of a family, by Yosys."""

from __future__ import annotations

import json
from typing import Any

from mlpress.hw.fpga.devices import Device
from mlpress.yosys import check_sources, run_yosys

MAP_LUTS = "strash; ifraig; scorr; dc2; strash; dch -f; if -K 4 -a; mfs2 -a"
"""ABC's commands that map logic to look-up tables of four inputs: area first, where Yosys's own are for speed.

Measured on the 4-bit networks of ``benchmarks/exact.py``: 412 tables for Vertebral in a second, against 443 of Yosys's
own script in 17.
"""

_SCOPE = "$scopeinfo"
"""What Yosys leaves for each instance that it flattens: its name, and no logic."""

_KEPT = ("type", "parameters", "port_directions", "connections")


def synthesise(verilog: str, device: Device, *, timeout_s: float = 1800.0, memory_mb: int = 4096) -> str:
    """Map the module ``top`` of ``verilog`` to the cells of the device's family.

    Returns the netlist as Yosys's JSON, which nextpnr reads: the top module alone, without names of files.  Equal
    arguments give equal text.  Raises :class:`MlpressError` for Verilog that Yosys does not take, and where the time
    or the memory ends.
    """
    check_sources({"top.v": verilog})
    family = device.family
    mapped = f"abc -lut 4 -script luts.abc\nclean\n{family.cells}"
    script = f"read_verilog -nodpi top.v\n{family.synthesis}\n{mapped}\nwrite_json netlist.json"
    files = {"top.v": verilog, "luts.abc": MAP_LUTS + "\n"}
    run = run_yosys(script, files, ["netlist.json"], timeout_s=timeout_s, memory_mb=memory_mb)
    module: dict[str, Any] = json.loads(run.outputs["netlist.json"])["modules"]["top"]
    mapped_cells = [cell for cell in module["cells"].values() if cell["type"] != _SCOPE]
    cells = {f"c{k}": {key: cell[key] for key in _KEPT} for k, cell in enumerate(mapped_cells)}
    nets = {name: {"bits": port["bits"], "attributes": {}} for name, port in module["ports"].items()}
    top = {"attributes": {"top": f"{1:032b}"}, "ports": module["ports"], "cells": cells, "netnames": nets}
    return json.dumps({"creator": "mlpress", "modules": {"top": top}}, separators=(",", ":")) + "\n"
