"""A search that runs out of time takes a design that it has time to build, and leaves slow checks."""

from dataclasses import replace
from time import monotonic

import numpy as np
import pytest
from support.told import classifier, data

import mlpress as mp
from mlpress.approx import Budget, Clock, now
from mlpress.pipeline.result import SearchResult
from mlpress.targets import Printed
from mlpress.verify import require_equal


@pytest.fixture(scope="module")
def found() -> SearchResult:
    return mp.search(classifier(), data(), level="integer", generations=2, effort="fast", interface="binary")


def test_the_most_accurate_design_that_there_is_time_for(found: SearchResult, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked = found.within()
    assert len(ranked) > 1
    dearest = max(found.program(each).terms for each in ranked)
    late = replace(found, clock=Clock(now() - 100.0, 100.0))
    monkeypatch.setattr(Printed, "expected_s", lambda self, program: 1000.0 if program.terms == dearest else 1.0)
    chosen = late._in_time_for(ranked)
    fits = [each for each in ranked if found.program(each).terms != dearest]
    assert chosen is fits[0]
    assert found._in_time_for(ranked) is ranked[0]  # no limit of time


def test_a_search_of_gates_alone_needs_rounds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlpress.pipeline.search.search_model", lambda *given, **options: (given[2], options["rounds"]))
    assert mp.search(classifier(), data(), level="gates", rounds=2) == (Budget(None, 2), 2)
    assert mp.search(classifier(), data(), generations=3, rounds=2) == (Budget(None, 3), 2)
    assert mp.search(classifier(), data()) == (Budget(120.0, None), None)


def test_optional_engines_do_not_begin_without_time_to_end() -> None:
    design = mp.compile(classifier(), data(), effort="fast", input_bits=2, weight_bits=3)
    late = {each.engine: each for each in require_equal(design, optional_until=monotonic() - 1.0)}
    assert (late["Amaranth"].verdict, late["Amaranth"].rows) == ("out of time", 0)
    assert "there is no time left" in late["Amaranth"].note
    assert {late[name].verdict for name in ("onnxruntime", "RTL", "mapped netlist")} == {"equal"}
    usual = {each.engine: each for each in require_equal(design)}
    assert usual["Amaranth"].verdict == "equal"
    assert np.isfinite(usual["Amaranth"].rows)
