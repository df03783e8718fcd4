"""A sample of the functional mutations that ``tests/fuzz/mutations.py`` counts: verify and ``--formal`` find them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from support.mutations import FOLDERS, KINDS, found_by, mutations

from mlpress import Design


@pytest.mark.parametrize("kind", KINDS)
def test_a_functional_mutation_is_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlpress.targets.verilog_engines.SIMULATION_SECONDS", 0.02)
    mutation = next(mutations(Design.load(FOLDERS / "printed-1"), kind, Random(f"test {kind}")))
    assert found_by(mutation, rows=16) == (True, True), mutation.how


def test_what_is_no_mutation_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from support.mutations import Mutation

    monkeypatch.setattr("mlpress.targets.verilog_engines.SIMULATION_SECONDS", 0.02)
    design = Design.load(Path(FOLDERS) / "printed-1")
    assert found_by(Mutation("none", "", design), rows=16) == (False, False)
