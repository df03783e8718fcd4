"""Every state file belongs to one search; to resume always comes through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlpress import Dataset, approx, from_sklearn
from mlpress.approx import Budget, Effort, Limits
from mlpress.errors import MlpressError
from mlpress.pipeline import search as searching
from mlpress.pipeline.compile import Options
from mlpress.pipeline.preparation import quantised_model
from mlpress.pipeline.result import SearchResult
from mlpress.pipeline.search import finished
from mlpress.pipeline.search_key import search_key
from mlpress.pipeline.settings import RunOptions, Settings
from mlpress.pipeline.task import STATE, read_front

OPTIONS = Options.of(effort="fast")


@pytest.fixture(scope="module")
def model() -> Any:
    from sklearn.neural_network import MLPClassifier

    data = Dataset.bundled("iris")
    return from_sklearn(MLPClassifier((2,), max_iter=500, random_state=0).fit(data.features, data.labels))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlpress.approx.load_kernels", lambda **_: 0.0)
    whole = approx.search
    short = Effort(islands=1, size=8, offspring=4, steps=40)
    monkeypatch.setattr(approx, "search", lambda *a, **b: whole(*a, **b | {"effort": short, "trainings": 1}))


def run(model: Any, data: Dataset, checkpoint: Path, *, resume: bool, generations: int = 1) -> SearchResult:
    options = RunOptions(1, None, checkpoint, resume)
    budget = Budget(generations=generations)
    return searching.search_model(model, data, budget, OPTIONS, Settings("integer"), run=options)


@pytest.mark.usefixtures("quick")
def test_an_integer_front_of_another_search_is_not_taken(model: Any, tmp_path: Path) -> None:
    data, kept = Dataset.bundled("iris"), tmp_path / "kept"
    first = run(model, data, kept, resume=True)  # nothing to resume from: it starts
    assert json.loads((tmp_path / "kept.front.json").read_text())["format"] == STATE
    again = run(model, data, kept, resume=True)
    assert again.front.to_csv() == first.front.to_csv()
    more = run(model, data, kept, resume=True, generations=2)
    assert more.front.generations == 2  # type: ignore[union-attr]
    other = Dataset(data.features, data.labels[::-1].copy(), data.names, data.classes)
    with pytest.raises(MlpressError, match="belongs to a search with other data, options or model") as raised:
        run(model, other, kept, resume=True)
    assert "\n" not in str(raised.value)
    (tmp_path / "kept.front.json").unlink()  # and so for the checkpoint alone
    with pytest.raises(MlpressError, match="belongs to a search with other data, options or model"):
        run(model, other, kept, resume=True)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "mlpress front 2", "key": "", "front": ""}'])
def test_a_damaged_integer_front_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "kept.front.json").write_text(text)
    with pytest.raises(MlpressError, match="is no state of this version") as raised:
        read_front(tmp_path / "kept.front.json", "")
    assert "\n" not in str(raised.value)


def test_what_decides_a_search_decides_its_key(model: Any) -> None:
    data = Dataset.bundled("iris")
    net = quantised_model(model, data, OPTIONS.quantisation).net
    rows = data.for_model(net)
    key = search_key(net, rows, OPTIONS, Settings())
    assert key == search_key(net, rows, OPTIONS, Settings())
    for other in (Settings(seed=1), Settings(limits=Limits(0.1)), Settings(start_tree=True), Settings("gates")):
        assert search_key(net, rows, OPTIONS, other) != key
    assert search_key(net, rows.take(np.arange(1, len(rows))), OPTIONS, Settings()) != key


def test_a_finished_folder_is_known_by_its_key(model: Any, tmp_path: Path) -> None:
    data = Dataset.bundled("iris")
    net = quantised_model(model, data, OPTIONS.quantisation).net
    key = search_key(net, data.for_model(net), OPTIONS, Settings())

    def asked(facts: Any, settings: Settings = Settings()) -> Any:  # noqa: B008 - immutable
        (tmp_path / "design.json").write_text(json.dumps(facts))
        return finished(tmp_path, model, data, OPTIONS, settings)

    done = {"search": {"key": key, "stopped": "time"}}
    assert asked(done) == done
    with pytest.raises(MlpressError, match="is what a search with other data, options or model found"):
        asked(done, Settings(seed=1))
    assert asked({"search": {"key": key, "stopped": "interrupted"}}) is None
    for other in ({}, [], {"search": None}, {"search": {"key": key}}):
        assert asked(other) is None
    assert finished(tmp_path / "none", model, data, OPTIONS, Settings()) is None
