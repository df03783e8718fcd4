"""Searches for FPGAs end to end: designs ranked by look-up tables, and the chosen one verified."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.quick_mlpress import quicken
from support.told import classifier, data

import mlpress as mp
from mlpress.hw import fpga

BITS = {"input_bits": 3, "weight_bits": 5, "activation_bits": 3}


@pytest.mark.long
@pytest.mark.parametrize(("target", "place"), [("ecp5-25k", False), ("ecp5-25k", True), ("ice40-up5k", True)])
def test_a_search_writes_a_verified_design_ranked_by_look_up_tables(
    target: str, place: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlpress import approx
    from mlpress.approx import gates

    monkeypatch.setattr(approx, "search", approx.search)  # undone after the test
    monkeypatch.setattr(gates, "GateSearchOptions", gates.GateSearchOptions)
    quicken()
    options = {"generations": 2, "rounds": 1, "max_loss": 0.1, "place": place, "seed": 1, **BITS}
    exact = mp.compile(classifier(), data(), target=target, place=False, **BITS)
    found = mp.search(classifier(), data(), target=target, **options)
    assert found.front.metrics[0].name == "luts"
    measured = [one.measured["luts"] for one in found.front.designs if one.measured is not None]
    assert measured == sorted(measured)
    design = found.chosen()
    assert design.cost["luts"] == fpga.resources(design.artifact.files["netlist.json"]).luts
    assert design.cost["luts"] < exact.cost["luts"]
    assert design.facts["accuracy"]["quantised"] >= exact.facts["accuracy"]["quantised"] - 0.1
    again = mp.Design.load(design.save(tmp_path / "build"))
    assert all(check.verdict == "equal" for check in mp.verify(again, rows=40))
    assert [proof.verdict for proof in mp.prove(again)] == ["proven", "proven"]
    assert ("latency" in design.cost) == place
    assert (tmp_path / "build" / "front.svg").exists() or list((tmp_path / "build").glob("front*"))
