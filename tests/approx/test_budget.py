"""Time: of a whole command, of a turn, of a generation; and what is left out where data or networks are large."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from time import monotonic
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support import egfet, small_search

from mlpress import Dataset, ir
from mlpress.approx import Budget, Clock, Effort, Space, dense
from mlpress.approx.gates import FixedStart, GateSearchOptions, Rows, Trained, Tree
from mlpress.approx.gates.advance import Turn, advance
from mlpress.approx.gates.archive import Archive
from mlpress.approx.gates.checkpoint import GateState
from mlpress.approx.gates.evolution import _turn_s
from mlpress.approx.gates.genome import to_genome
from mlpress.approx.gates.problem import GateProblem
from mlpress.approx.integer.islands import Problem, first_islands
from mlpress.approx.integer.islands import advance as advance_island
from mlpress.approx.integer.search import GENERATION_SHARE, _steps
from mlpress.approx.integer.starts import start_genomes
from mlpress.pipeline import search_key
from mlpress.pipeline.starts import starts
from mlpress.pipeline.task import WholeTime

INPUTS = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0) for k in range(4))


def problem(**options: Any) -> GateProblem:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 8, (240, 4))
    rows = Rows(codes, (codes[:, 0] + codes[:, 1] > codes[:, 2] + 3).astype(np.int64))
    effort = GateSearchOptions(
        prices=(4.0, 2.0, 1.0, 0.5), visits=200, draws=(8, 8, 4), folds=2, augmentations=("rows",)
    )
    costs = egfet.gate_costs()
    return GateProblem(INPUTS, (0, 1), rows, (Tree(INPUTS, (0, 1), 20),), costs, replace(effort, **options), 0)


def test_a_turn_without_time_keeps_the_start_itself() -> None:
    made = problem()
    short = advance(made, Turn(Archive(2), (), 0.0))
    assert (short.rounds, len(short.members), short.moves) == (1, 1, 0)
    tree = to_genome(made.starts[0].make(made.rows, 0), made.costs)
    whole = advance(made, Turn(Archive(2), ()))
    assert whole.moves > 0
    assert whole == advance(made, Turn(Archive(2), (), inf))
    assert min(member.wrong for member in whole.members) <= short.members[0].wrong
    assert abs(short.members[0].cost - tree.area(made.costs)) < 0.5 * tree.area(made.costs)


def test_a_turn_skips_prices_and_ends_in_time() -> None:
    made = problem(visits=40_000, cycles=50)
    since = monotonic()
    cut = advance(made, Turn(Archive(2), (), 0.3))
    assert monotonic() - since < 60  # about 200 anneals as long as these would take far longer
    assert (cut.rounds, cut.moves > 0) == (1, True)


def test_turns_share_what_is_left_with_the_starts_that_wait() -> None:
    made = problem()  # 3 archives, 1 start
    begin = GateState(tuple(Archive(k) for k in range(3)))
    assert _turn_s(made, begin, Budget(60.0), 0.0, 1) == pytest.approx(10.0)
    assert _turn_s(made, begin, Budget(60.0), 0.0, 2) == pytest.approx(15.0)
    later = replace(begin, energies=(1.0,))
    assert _turn_s(made, later, Budget(60.0), 30.0, 3) == pytest.approx(30.0)
    assert _turn_s(made, later, Budget(60.0), 99.0, 3) == 0.0
    assert _turn_s(made, begin, Budget(60.0, 5), 0.0, 1) == inf
    assert _turn_s(made, begin, Budget(generations=5), 0.0, 1) == inf


def test_a_generation_without_time_keeps_its_first_chain() -> None:
    space = Space.of(small_search.net())
    features, labels = small_search.rows()
    cost = egfet.cost_model(space.layout)
    effort = Effort(islands=1, size=16, offspring=8, steps=50)
    made = Problem(space, cost, features.astype(np.int64), labels, effort, 0)
    begin = first_islands(made, start_genomes(space, made.codes, labels, 0, 1, monotonic()))[0]
    short, whole = (advance_island(made, begin, 1, seconds) for seconds in (-1.0, inf))
    assert len(short.population.genomes) < len(whole.population.genomes)
    assert len(short.population.genomes) > 0
    same = advance_island(made, begin, 2)
    assert np.array_equal(same.population.objectives, whole.population.objectives)


def test_chains_are_shortened_where_a_generation_takes_long() -> None:
    effort = Effort()
    assert _steps(effort, effort.steps, 0.0, 60.0) == effort.steps // 8
    assert _steps(effort, 250, GENERATION_SHARE * 60.0, 60.0) == 250
    assert _steps(effort, 250, 1e-3, 60.0) == effort.steps
    assert _steps(effort, 250, 1e6, 60.0) == effort.steps // 16


@pytest.mark.parametrize(("seconds", "end"), [(4.0, 2.0), (20.0, 6.0), (60.0, 15.0), (3600.0, 60.0)])
def test_the_end_of_a_command_has_its_time(seconds: float, end: float) -> None:
    clock = Clock(monotonic(), seconds)
    assert clock.end_s == end
    assert 0 < clock.chosen_s < end
    assert seconds - 1 < clock.left_s() <= seconds
    assert clock.paused(5.0).left_s() == pytest.approx(clock.left_s() + 5.0, abs=0.5)
    assert Clock(0.0).left_s() == inf
    assert not Clock(0.0).timed


def test_time_left_is_that_of_the_whole() -> None:
    said: list[Any] = []
    watch: Any = SimpleNamespace(step=None, note=None, warn=None, generation=said.append, round=said.append)
    from mlpress.approx.gates import Round

    whole = WholeTime(watch, Clock(monotonic(), 100.0))
    whole.round(Round(1, 1, 1.0, np.zeros((1, 2)), 3.0, egfet.METRICS[0]))
    assert said[0].left_s == pytest.approx(100.0, abs=5)


def test_many_rows_are_sampled_with_their_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_key, "MOST_ROWS", 100)
    labels = np.repeat([0, 1, 2], [900, 90, 10])
    rows = Dataset.from_arrays(np.arange(1000.0)[:, None], labels)
    notes: list[str] = []
    some = search_key.sampled(rows, 0, SimpleNamespace(note=notes.append))  # type: ignore[arg-type]
    assert np.bincount(some.labels.astype(int)).tolist() == [90, 9, 1]
    assert "100 of the 1000 rows" in notes[0]
    assert (np.diff(some.features[:, 0]) > 0).all()
    again = search_key.sampled(rows, 0, SimpleNamespace(note=notes.append))  # type: ignore[arg-type]
    assert np.array_equal(some.features, again.features)
    assert search_key.sampled(some, 0, SimpleNamespace(note=notes.append)) is some  # type: ignore[arg-type]


def test_the_users_own_network_is_the_first_to_evolve() -> None:
    net = small_search.net()
    first, small, wider, *trees = starts(net, None, trees=True)
    assert isinstance(first, FixedStart)
    assert first.circuit == ir.bit_blast(net)
    assert isinstance(wider, Trained)
    assert [tree.leaves for tree in (small, *trees) if isinstance(tree, Tree)] == [16, 64, 256]
    first, *trees = starts(net, None, trees=True, few=True)
    assert isinstance(first, FixedStart)
    assert isinstance(first.fold_substitute, Trained)
    assert first.fold_substitute.tries == 1
    assert [tree.leaves for tree in trees if isinstance(tree, Tree)] == [16, 64]


def test_a_network_that_is_too_large_is_not_made_a_circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(net: ir.Net) -> ir.Circuit:
        raise AssertionError("it was made a circuit")

    monkeypatch.setattr("mlpress.ir.bit_blast", never)
    large = dense(tuple(ir.Input(f"f{k}", 4, 1.0, 0.0) for k in range(784)), (10,), tuple(range(10)))
    notes: list[str] = []
    found = starts(large, None, trees=False, note=notes.append)
    assert all(isinstance(start, Tree) for start in found)
    assert "too many to evolve its circuit gate by gate" in notes[0]
