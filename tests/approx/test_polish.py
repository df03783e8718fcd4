"""Circuits of searched networks: made smaller gate by gate, and judged as the networks are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import egfet
from support.balance import balance

from mlpress import ir
from mlpress.approx import Training, dense, now, split_rows, timed_by, train
from mlpress.approx.gates import CircuitDesign, CircuitFront, FixedStart, GateSearchOptions, Rows, Trained, polished
from mlpress.approx.gates.advance import Turn, advance
from mlpress.approx.gates.archive import Archive
from mlpress.approx.gates.problem import GateProblem

INPUTS = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0) for k in range(4))
EFFORT = GateSearchOptions(prices=(64.0, 32.0, 16.0), visits=150, folds=2, augmentations=("rows",))


@pytest.fixture(scope="module")
def parts() -> tuple[Rows, Rows]:
    codes, labels = balance()
    fit, held = split_rows(labels, 0.25, 0)
    rows = Rows(codes, labels)
    return rows.take(fit), rows.take(held)


@pytest.fixture(scope="module")
def net(parts: tuple[Rows, Rows]) -> ir.Net:
    fit, _ = parts
    return train(fit.codes, fit.labels, dense(INPUTS, (3,), (0, 1, 2)), Training((3,), epochs=300))


def share(program: ir.Circuit, rows: Rows) -> float:
    return float(np.mean(ir.interpret_circuit(program, rows.codes).decision == rows.labels))


def test_circuits_of_networks_shrink_and_keep_the_networks_accuracy(parts: tuple[Rows, Rows], net: ir.Net) -> None:
    fit, held = parts
    start = FixedStart("net", ir.bit_blast(net))
    found = polished(fit, held, [start], egfet.gate_costs(), "area", EFFORT, seed=1)
    assert found == polished(fit, held, [start], egfet.gate_costs(), "area", EFFORT, seed=1)
    exact = share(start.circuit, held)
    near = [each for each in found if each.validation_accuracy >= exact - 0.03]
    assert near
    assert len(near[0].circuit.ands) < 0.9 * len(start.circuit.ands)
    for each in found:
        assert each.fit_accuracy == pytest.approx(share(each.circuit, fit))
        assert (each.start, each.augmentation, each.validation_rows) == ("net", "moved", len(held))
    shifted = polished(fit, held, [start], egfet.gate_costs(), "area", EFFORT, moved=-0.1, seed=1)
    assert shifted[-1].validation_accuracy == pytest.approx(found[-1].validation_accuracy - 0.1)


def test_without_time_the_circuits_stay_as_they_are(parts: tuple[Rows, Rows], net: ir.Net) -> None:
    start = FixedStart("net", ir.bit_blast(net))
    (found,) = polished(*parts, [start], egfet.gate_costs(), "area", EFFORT, until=now() - 1)
    assert found.fit_accuracy == pytest.approx(share(start.circuit, parts[0]))


def test_what_stands_in_for_several_starts_is_trained_once(
    parts: tuple[Rows, Rows], net: ir.Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []
    once = Trained.net

    def counted(self: Trained, rows: Rows, seed: int) -> ir.Net:
        trained.append(seed)
        return once(self, rows, seed)

    monkeypatch.setattr(Trained, "net", counted)
    starts = tuple(FixedStart(name, ir.bit_blast(net), Trained(net, (3,), tries=1)) for name in ("one", "two"))
    costs = egfet.gate_costs()
    problem = GateProblem(INPUTS, (0, 1, 2), parts[0], starts, costs, EFFORT, 0)
    archive = Archive(0)
    for _ in starts:
        archive = advance(problem, Turn(archive, (), 0.0))
    assert len(trained) == 1


def test_a_front_takes_in_what_belongs_there() -> None:
    circuit: Any = None

    def front(*points: tuple[float, float]) -> tuple[CircuitDesign, ...]:
        return tuple(
            CircuitDesign(circuit, "", "s", "rows", 0.9, accuracy, {"area": area}) for area, accuracy in points
        )

    whole = CircuitFront(front((0.1, 0.7), (0.5, 0.8), (1.0, 0.9)), 0.9, egfet.METRICS, 0, 1, 1, 1.0, "rounds")
    joined = whole.joined(front((0.2, 0.85), (2.0, 0.89)))
    assert [(each.model["area"], each.validation_accuracy) for each in joined.designs] == [
        (0.1, 0.7),
        (0.2, 0.85),
        (1.0, 0.9),
    ]
    assert whole.joined([]) is whole


def test_searches_read_the_time_in_one_place() -> None:
    with timed_by(lambda: 7.0):
        assert now() == 7.0
        with timed_by(lambda: 8.0):
            assert now() == 8.0
        assert now() == 7.0
    assert now() != 7.0
