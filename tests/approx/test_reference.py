"""Losses count from the given model: whatever networks trained anew reach, and with an interval that warns."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support import egfet

from mlpress import Dataset, from_sklearn, ir
from mlpress.approx import Budget, Clock, Limits, estimated_loss, gates, paired_loss
from mlpress.errors import MlpressError, MlpressWarning
from mlpress.intervals import Z, accuracy_interval
from mlpress.pipeline import search as searching
from mlpress.pipeline.compile import Options
from mlpress.pipeline.result import SearchResult, check_loss
from mlpress.pipeline.settings import Settings
from mlpress.progress import Silent

INPUTS = tuple(ir.Input(f"f{k}", 3, 1.0, 0.0) for k in range(3))


def rows(count: int = 300) -> gates.Rows:
    codes = np.random.default_rng(0).integers(0, 8, (count, 3))
    return gates.Rows(codes, (codes[:, 0] > codes[:, 1]).astype(np.int64))


def constant(word: int) -> ir.Circuit:
    return ir.CircuitBuilder(INPUTS).circuit([(word,)], (0, 1))


class Fixed:
    """A start that always makes the same circuit."""

    name = key = "fixed"

    def __init__(self, circuit: ir.Circuit) -> None:
        self.made = circuit

    def make(self, rows: gates.Rows, seed: int, *, part: bool = False) -> ir.Circuit:
        return self.made


def test_a_failed_training_says_nothing_of_the_given_circuit() -> None:
    good = gates.Tree(INPUTS, (0, 1), 64).make(rows(), 0)
    given = gates.FixedStart("given", good, Fixed(constant(0)))
    assert given.make(rows(), 0, part=True) is good
    other = gates.Tree(INPUTS, (0, 1), 60).make(rows(), 1)
    assert gates.FixedStart("given", constant(0), Fixed(other)).make(rows(), 0, part=True) is other
    assert gates.FixedStart("given", good, Fixed(other)).make(rows(), 0, part=True) is other


def design(area: float, accuracy: float) -> gates.CircuitDesign:
    return gates.CircuitDesign(constant(0), "", "start", "rows", accuracy, accuracy, {"area": area})


def found(reference: float, *designs: gates.CircuitDesign, seconds: float | None = None) -> SearchResult:
    front = gates.CircuitFront(designs, reference, egfet.METRICS, 0, 1, 1, 1.0, "rounds")
    net = ir.Net(INPUTS, (ir.Layer((ir.Neuron(0, (ir.Term(0, 1, 0, 7),), ir.Raw()),) * 2),), ir.Argmax(), (0, 1))
    nothing: Any = None
    prepared: Any = SimpleNamespace(quantised=SimpleNamespace(net=net), rows=nothing, tests=None)
    clock = Clock(0.0, seconds)
    return SearchResult(
        front=front,
        integer=None,
        merged=None,
        trees=(),
        prepared=prepared,
        rows=nothing,
        validation_rows=400,
        retrained=0.70,
        search={},
        options=Options.of(),
        limits=Limits(),
        clock=clock,
        warnings=(),
        progress=Silent(),
    )


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result gives the member of the front, or "exact", in place of a built design."""
    monkeypatch.setattr(SearchResult, "design", lambda self, judged, max_loss=None: judged)
    monkeypatch.setattr(SearchResult, "_exact", lambda self, max_loss: "exact")


SMALL, MIDDLE, LARGE = design(0.1, 0.82), design(0.5, 0.90), design(2.0, 0.945)


@pytest.mark.usefixtures("chosen")
def test_the_smallest_within_the_loss_from_the_models_accuracy() -> None:
    front = found(0.95, SMALL, MIDDLE, LARGE)
    assert front.smallest(max_loss=0.01) is LARGE  # type: ignore[comparison-overlap]
    assert front.smallest(max_loss=0.06) is MIDDLE  # type: ignore[comparison-overlap]


@pytest.mark.usefixtures("chosen")
def test_where_nothing_is_within_the_loss() -> None:
    front = found(0.97, SMALL, MIDDLE, LARGE)
    assert front.smallest(max_loss=0.01) == "exact"  # type: ignore[comparison-overlap]
    assert front.smallest(max_loss=0.01, most={"area": 1.0}) is MIDDLE  # type: ignore[comparison-overlap]
    late = found(0.97, SMALL, MIDDLE, LARGE, seconds=1e-9)
    assert late.smallest(max_loss=0.01) is LARGE  # type: ignore[comparison-overlap]
    with pytest.raises(MlpressError, match=r"no design is within 0\.05 cm2"):
        front.smallest(most={"area": 0.05})


@pytest.mark.usefixtures("chosen")
def test_area_that_is_allowed_is_used_where_it_buys_accuracy() -> None:
    front = found(0.95, SMALL, MIDDLE, design(1.9, 0.945), design(2.4, 0.945))
    assert front.smallest(max_loss=None, most={"area": 1.0}) is MIDDLE  # type: ignore[comparison-overlap]
    assert front.smallest(max_loss=None, most={"area": 3.0}).model == {"area": 1.9}  # type: ignore[attr-defined]


def test_the_interval_of_matched_pairs() -> None:
    model = np.repeat([True, True, False, False], [80, 8, 3, 9])
    ours = np.repeat([True, False, True, False], [80, 8, 3, 9])
    loss = paired_loss(model, ours)
    b, c, n = 8.5, 3.5, 102
    half = Z * np.sqrt(b + c - (b - c) ** 2 / n) / n
    assert (loss.mean, loss.rows) == (0.05, 100)
    assert loss[1:3] == pytest.approx(((b - c) / n - half, (b - c) / n + half), abs=1e-12)
    assert paired_loss(model, model).mean == 0.0
    assert paired_loss(model, model).high > 0.0


def test_the_interval_of_two_shares() -> None:
    loss = estimated_loss(0.9, 0.85, 200)
    one, two = accuracy_interval(0.9, 200), accuracy_interval(0.85, 200)
    assert loss.high == pytest.approx(0.05 + np.hypot(one.high - 0.9, 0.85 - two.low))
    assert loss.low == pytest.approx(0.05 - np.hypot(0.9 - one.low, two.high - 0.85))
    assert estimated_loss(0.9, 0.85, 20_000).high < loss.high


@pytest.mark.parametrize(("high", "warned"), [(0.02, True), (0.01, False)])
def test_a_loss_whose_upper_end_is_too_large_warns(high: float, warned: bool) -> None:
    loss = paired_loss(np.ones(10, np.bool_), np.ones(10, np.bool_))._replace(mean=0.0, high=high)
    if warned:
        with pytest.warns(MlpressWarning, match=r"on test rows the design may lose more than the 1\.0%"):
            check_loss(loss, 0.01, "test rows", Silent())
    else:
        check_loss(loss, 0.01, "test rows", Silent())
    check_loss(loss, None, "test rows", Silent())


def test_the_reference_is_the_models_own_where_training_anew_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks trained anew that know nothing change neither the reference nor, with the same seed, the test rows."""
    from sklearn.neural_network import MLPClassifier

    data = rows()
    features = data.codes.astype(np.float64)
    dataset = Dataset.from_arrays(features, data.labels)
    model = from_sklearn(
        MLPClassifier((4,), max_iter=800, random_state=1, learning_rate_init=0.02).fit(features, data.labels)
    )
    knows_nothing = lambda codes, labels, net, how: replace(net, layers=_blank(net))  # noqa: E731
    monkeypatch.setattr("mlpress.approx.gates.starts.train", knows_nothing)
    small = partial(gates.GateSearchOptions, visits=60, cycles=1, folds=2, augmentations=("rows",))
    monkeypatch.setattr(
        "mlpress.approx.gates.GateSearchOptions", lambda **options: small(**options | {"prices": (4.0, 1.0)})
    )
    monkeypatch.setattr("mlpress.approx.load_kernels", lambda **_: 0.0)
    notes: list[str] = []
    watch = SimpleNamespace(step=lambda _: None, note=notes.append, warn=notes.append, round=lambda _: None)
    options = Options.of(effort="fast", input_bits=3)
    got = searching.search_model(
        model,
        dataset,
        Budget(generations=1),
        options,
        Settings("gates"),
        rounds=1,
        progress=watch,  # type: ignore[arg-type]
    )
    decided = ir.interpret_model(model, features)[1]
    own = float(np.mean(decided == data.labels))
    assert own > 0.9
    assert got.reference == own
    assert got.retrained < 0.7
    assert any("trained anew reach" in note for note in notes)
    assert max(each.validation_accuracy for each in got.front.designs) > 0.85


def _blank(net: ir.Net) -> tuple[ir.Layer, ...]:
    """Layers whose sums are 0."""
    return tuple(ir.Layer(tuple(replace(neuron, bias=0, terms=()) for neuron in layer.neurons)) for layer in net.layers)
