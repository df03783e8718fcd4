"""Searches for FPGAs end to end: designs ranked by look-up tables, and the chosen one verified."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.quick_mlpress import quickened
from support.told import classifier, data

import mlpress as mp
from mlpress.hw import fpga

BITS = {"input_bits": 3, "weight_bits": 5, "activation_bits": 3}


@pytest.mark.long
@pytest.mark.parametrize("target", ["ecp5-25k", "ice40-up5k"])
def test_a_search_writes_a_verified_design_ranked_by_look_up_tables(target: str, tmp_path: Path) -> None:
    options = {"generations": 1, "rounds": 1, "max_loss": 0.15, "seed": 1, **BITS}
    with quickened():
        found = mp.search(classifier(), data(count=200), target=target, **options)
    front = found.merged or found.front
    assert front.metrics[0].name == "luts"
    design = found.chosen()
    enough = [one for one in front.designs if one.validation_accuracy >= found.reference - 0.15]
    assert design.cost["luts"] == min(map(found.price, enough))
    assert design.cost["luts"] == fpga.resources(design.artifact.files["netlist.json"]).luts
    exact = mp.compile(classifier(), data(count=200), target=target, place=False, input_bits=4)
    assert design.cost["luts"] < exact.cost["luts"]
    again = mp.Design.load(design.save(tmp_path / "build"))
    assert all(check.verdict == "equal" for check in mp.verify(again, rows=40))
    assert [proof.verdict for proof in mp.prove(again)] == ["proven", "proven"]
    assert 0 < again.cost["latency"] < 1000
    assert again.facts["accuracy"]["quantised"] > 0.7
