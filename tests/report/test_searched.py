"""Reports of searched designs: the circuit in place of the net, all accuracies, and the tree to hold it against."""

from typing import Any

import pytest
from support.design_facts import design_facts
from support.pages import Page
from support.reports import render, tiles

TREE = {"leaves": 37, "fit": 0.961, "validation": 0.887, "test": 0.873, "area_cm2": 0.0457, "power_mw": 0.123}
CIRCUIT = {"inputs": 21, "input_bits": 84, "classes": ["ill", "well"], "and_gates": 1234, "depth": 17}
SEARCH = {"level": "gates", "seed": 5, "rounds": 9, "moves": 1_234_567, "start": "<b>tree</b>", "lesson": "moved"}


def searched() -> dict[str, Any]:
    facts = design_facts() | {"net": None, "circuit": CIRCUIT, "tree": TREE, "search": SEARCH}
    facts["accuracy"] = facts["accuracy"] | {"validation": 0.8125, "reference": 0.8375}
    return facts


def test_the_circuit_stands_in_place_of_the_net() -> None:
    page = Page(render(searched()))
    assert "what" not in page.sections
    shown = render(searched())
    for said in ("1,234 and-gates", "84 bits in all", "17 after one another", "ill, well"):
        assert said in shown


def test_all_accuracies_and_the_search_are_shown() -> None:
    shown = render(searched()).replace("\N{NO-BREAK SPACE}", " ")
    for said in ("81.2 %", "83.8 %", "search level", "1234567", "search seed", "&lt;b&gt;tree&lt;/b&gt;"):
        assert said in shown
    assert "<b>tree</b>" not in shown


def test_the_tree_is_a_row_a_mark_and_a_figure() -> None:
    shown = render(searched()).replace("\N{NO-BREAK SPACE}", " ")
    for said in ("tree of 37 leaves", "0.0457", "0.123", "96.1 %", "88.7 %", "87.3 %"):
        assert said in shown, said
    tile = next(tile for tile in tiles(searched()) if tile.name == "decision tree")
    assert tile.value.replace("\N{NO-BREAK SPACE}", " ") == "0.0457 cm²"
    assert "37 leaves" in tile.note
    without = render(searched() | {"tree": None})
    assert "decision tree" not in without


@pytest.mark.parametrize("name", list(TREE))
def test_a_tree_of_which_something_is_unknown(name: str) -> None:
    assert 'id="tree"' in render(searched() | {"tree": TREE | {name: None}, "front": None})
