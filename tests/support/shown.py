"""Designs to be shown, of every kind: facts made up, programs, netlists and files that are real."""

from __future__ import annotations

from typing import Any

import numpy as np
from support.circuits import random_circuit
from support.design_facts import design_facts
from support.netlists import random_netlist
from support.nets import random_net

from mlpress import report

NETLIST, PARSED = random_netlist(3, inputs=6, cells=60, outputs=2)
GATES = len(PARSED.names)
VERILOG = "// <script>alert(1)</script>\nmodule top(x0, y);\n  input x0;\n  output y;\n  assign y = ~x0;\nendmodule\n"


def printed() -> report.Shown:
    """A compiled network with a front, its mistakes, and where its costs go."""
    facts = design_facts() | {"landmarks": landmarks(), "spent": spent(), "proofs": proofs(), "date": "2026-01-02"}
    facts["front"] = [
        {"design": k, "fit": 0.9, "accuracy": one["accuracy"], "test": 0.8, "rows": 90, "interval": [0.7, 0.9]}
        | {"area_cm2": one["area_cm2"], "power_mw": 1.2 * one["area_cm2"], "chosen": one.get("chosen", False)}
        for k, one in enumerate(facts["front"])
    ]
    facts["accuracy"] |= {"confusion": [[90, 4, 1], [3, 80, 0], [0, 2, 60]], "missed": missed()}
    net = random_net(np.random.default_rng(4), layers=2, neurons=5, inputs=6, head="argmax")
    return report.Shown(report.read_design(facts), net, {"top.v": VERILOG, "netlist.v": NETLIST}, "exact")


def searched() -> report.Shown:
    """A circuit that was evolved gate by gate."""
    circuit = random_circuit(np.random.default_rng(2), gates=40, regression=False)
    facts = design_facts() | {"net": None, "landmarks": landmarks(), "spent": spent()}
    facts["circuit"] = {"inputs": 3, "input_bits": 9, "classes": ["a", "b"], "and_gates": 40, "depth": 6}
    return report.Shown(report.read_design(facts), circuit, {"top.v": VERILOG, "netlist.v": NETLIST}, "small")


def mcu() -> report.Shown:
    """A design for a microcontroller."""
    cost = {"values": {"flash": 1800, "cycles": 5200.5, "stack": 60, "ram": 0}, "units": {"flash": "B"}, "how": {}}
    parts = [{"of": ["tables", "weights"], "flash_b": 300}, {"of": ["code", "rest"], "flash_b": 1500}]
    parts += [{"of": ["layers", f"layer {k}"], "cycles": 2600 - 100 * k} for k in range(2)]
    facts = {
        **{key: design_facts()[key] for key in ("source", "net", "accuracy", "verification")},
        **{"kind": "mcu", "target": "cortex-m0plus", "cost": cost, "spent": {"how": "counted", "parts": parts}},
        "code": {"shape": "unrolled", "weight_bytes": 300, "layer_cycles": [2600, 2500]},
    }
    return report.Shown(report.read_design(facts), None, {"model.c": "int f(void) { return 0; }\n"}, "mcu")


def ngpc() -> report.Shown:
    """A field for a cluster."""
    timing = {
        **{"mode": "paper", "bound": "grid", "analytic": 1.5, "stalls": {"banks": 0.2, "l2": 0.1}},
        "roofline": {"operations_per_byte": 20.0, "reached_tops": 1.0, "roof_tops": 4.0, "slope_tops": 2.0},
        "scaling": [{"processors": n, "cycles": 8 / n, "speedup": n, "here": n == 8} for n in (1, 2, 4, 8, 16)],
    }
    cost = {"values": {"cycles": 1.6, "energy": 2.0}, "units": {"energy": "nJ"}, "how": {}}
    facts = {"kind": "ngpc", "target": "ngpc:8", "cost": cost, "timing": timing, "field": {"inputs": ["x", "y"]}}
    return report.Shown(report.read_design(facts), None, {"kernel.txt": "load 1\n"}, "field")


def landmarks() -> list[dict[str, Any]]:
    return [
        {"name": "model as given", "kind": "model", "accuracy": 0.9},
        {"name": "exact network", "kind": "exact", "accuracy": 0.897, "area_cm2": 7.5, "power_mw": 9.0},
        {"name": "tree of 8 leaves", "kind": "tree", "fit": 0.9, "accuracy": 0.874, "area_cm2": 0.11},
        {"name": "published one", "kind": "published", "accuracy": 0.88, "area_cm2": 12.0},
    ]


def spent() -> dict[str, Any]:
    parts = [("inputs", "width", 0.5), ("inputs", "length", 0.2), ("gates", "y[0]", 3.0), ("gates", "y[1]", 1.9)]
    return {"how": "cell by cell", "parts": [{"of": [a, b], "area_cm2": x, "power_mw": 2 * x} for a, b, x in parts]}


def proofs() -> list[dict[str, Any]]:
    return [{"claim": "circuit = top.v", "verdict": "proven", "seconds": 0.3, "difference": ""}]


def missed() -> dict[str, Any]:
    return {"count": 2, "rows": [{"row": 7, "label": 0, "decided": 1, "values": [0.25, 3]}]}
