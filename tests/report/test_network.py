"""The drawing of a network has its weights, masks and pruned connections; a schematic has the gates of its netlist."""

from __future__ import annotations

from typing import Any

import numpy as np
from support.netlists import random_netlist

from mlpress.ir import Argmax, Input, Layer, Net, Neuron, QRelu, Raw, Term
from mlpress.report.facts import Part, Spent
from mlpress.report.network import network
from mlpress.report.pictures import treemaps
from mlpress.report.schematic import MOST_GATES, schematics


def rows(spec: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return next(one["values"] for one in spec["data"] if one["name"] == f"{name}_rows")


def small_net() -> Net:
    inputs = (Input("width", 4, 2.0, 1.0), Input("length", 4, 1.0, 0.0))
    hidden = Neuron(3, (Term(0, 1, 2, 0b1111), Term(0, -1, 0, 0b1111), Term(1, -1, 1, 0b0111)), QRelu(0, 4))
    scores = (Neuron(0, (Term(0, 1, 0, 0b1111),), Raw()), Neuron(1, (), Raw()))
    hidden_2 = Neuron(0, (Term(1, 1, 0, 0b1111),), QRelu(0, 4))
    return Net(inputs, (Layer((hidden, hidden_2)), Layer(scores)), Argmax(), ("no", "yes"))


def test_weights_masks_and_pruned_connections() -> None:
    drawn, left_out = network(small_net())
    edges = {(edge["from"], edge["to"]): edge for edge in rows(drawn, "edges")}
    assert len(edges) == 2 * 2 + 2 * 2
    assert edges["0.0", "1.0"]["weight"] == 3 and edges["0.0", "1.0"]["kind"] == "whole"
    assert edges["0.1", "1.0"]["kind"] == "masked" and edges["0.1", "1.0"]["colour"] == "var(--cool)"
    assert edges["0.0", "1.1"]["kind"] == "pruned"
    assert "(x & 1111) ≪ 2" in edges["0.0", "1.0"]["tip"]
    names = [node["name"] for node in rows(drawn, "nodes")]
    assert names == ["width", "length", "", "", "no", "yes"]
    assert left_out == ""


def test_a_large_network_says_what_is_left_out() -> None:
    inputs = tuple(Input(f"x{k}", 4, 1.0, 0.0) for k in range(200))
    neurons = tuple(Neuron(0, tuple(Term(i, 1, 0, 15) for i in range(200)), Raw()) for _ in range(40))
    drawn, left_out = network(Net(inputs, (Layer(neurons),), Argmax(), tuple(range(40))))
    assert len(rows(drawn, "edges")) == 2000
    assert left_out == "Not drawn: the 3,120 connections of the smallest weights and 72 neurons."


def test_the_schematic_has_every_gate_and_wire() -> None:
    text, netlist = random_netlist(5, inputs=4, cells=30, outputs=3)
    (drawing,) = schematics(text, (), frozenset({"u7"}))
    assert drawing.gates == len(rows(drawing.spec, "gates")) == len(netlist.names) == 30
    inputs = sum(len(kind.pins) - 1 for kind in (netlist.kinds[k] for k in netlist.kind))
    assert len(rows(drawing.spec, "wires")) == inputs + 3
    assert [gate["critical"] for gate in rows(drawing.spec, "gates")] == [name == "u7" for name in netlist.names]
    places = {(gate["x"], gate["y"]) for gate in rows(drawing.spec, "gates")}
    assert len(places) == 30
    again = schematics(text, (), frozenset({"u7"}))
    assert again == [drawing]


def test_comparators_are_named_by_what_they_compare() -> None:
    inputs = (Input("width", 3, 2.0, 1.0, interface="unary"),)
    text = "module top (x0_ge3, y);\n input x0_ge3;\n output y;\n INVX1 a (.A(x0_ge3), .Y(y));\nendmodule\n"
    (drawing,) = schematics(text, inputs)
    assert [port["name"] for port in rows(drawing.spec, "ports")] == ["width ≥ 1", "y"]


def test_a_large_circuit_is_drawn_by_the_cone_of_each_bit() -> None:
    text, _ = random_netlist(6, inputs=8, cells=MOST_GATES + 200, outputs=3)
    drawings = schematics(text, ())
    assert [one.title for one in drawings] == ["y[0]", "y[1]", "y[2]"]
    assert all(0 < one.gates <= MOST_GATES for one in drawings)
    assert schematics("not a netlist", ()) == []


def test_a_treemap_has_a_leaf_per_part_and_the_sum_of_all() -> None:
    rng = np.random.default_rng(0)
    parts = tuple(Part(("gates", f"y[{k}]"), None, {"area_cm2": float(v)}) for k, v in enumerate(rng.random(5) + 0.1))
    (picture,) = treemaps(Spent("", parts), [])
    leaves = [row for row in rows(picture.spec, "parts") if row["leaf"]]
    assert sorted(row["value"] for row in leaves) == sorted(part.costs["area_cm2"] for part in parts)
    assert all("cm²" in row["amount"] for row in leaves)
