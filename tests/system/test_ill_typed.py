"""What a caller from Python gets wrong is one line, and what is given shows itself in one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.mcu_nets import dense_net

import mlpress as mp
from mlpress import ir
from mlpress.approx import Budget
from mlpress.codegen.c import COptions, generate
from mlpress.errors import MlpressError
from mlpress.hw.mcu import read_core
from mlpress.pipeline import suspicions
from mlpress.pipeline.compile import Options
from mlpress.pipeline.search import finished
from mlpress.pipeline.settings import RunOptions, Settings

ROWS = mp.Dataset.from_arrays(np.arange(60.0).reshape(30, 2), np.arange(30) % 3)
MODEL = ir.Model(
    ("a", "b"),
    np.ones(2),
    np.zeros(2),
    (ir.Dense(np.ones((3, 2)), np.zeros(3), ir.Linear()),),
    ir.ArgmaxHead(),
    (0, 1, 2),
)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: mp.estimate(7), "estimate takes a design or Verilog files, not a int"),  # type: ignore[arg-type]
        (lambda: mp.estimate("missing.v"), "missing.v"),
        (lambda: mp.estimate("top.v", ROWS), "Verilog sees input vectors, not rows of data"),
        (lambda: mp.estimate("top.v", target="cortex-m0plus"), "Verilog cannot be estimated for cortex-m0plus"),
        (lambda: mp.compile("model.onnx", ROWS), "the model is a str; give what mlpress.load"),
        (lambda: mp.compile(MODEL, "rows.csv"), "the data are a str; give a Dataset"),
        (lambda: mp.search(MODEL, "rows.csv", seconds=1), "the data are a str; give a Dataset"),
        (lambda: mp.search(MODEL, ROWS, seconds=-3), "a search cannot have -3 seconds; give more than 0"),
        (lambda: mp.search(MODEL, ROWS, generations=-1), "a search cannot have -1 generations; give 1 or more"),
        (lambda: mp.search(MODEL, ROWS, level="gates", rounds=-1), "a search cannot have -1 "),
        (lambda: mp.search(MODEL, ROWS, generations=1, rounds=-1), "a search cannot have -1 rounds; give 1 or more"),
        (lambda: mp.search(MODEL, ROWS, seed=-1), "the seed is -1; give 0 to 4294967295"),
        (lambda: mp.search(MODEL, ROWS, max_loss=2), "max_loss is 2; it is a share of accuracy, 0 to 1"),
        (lambda: mp.search(MODEL, ROWS, max_loss=float("nan")), "max_loss is nan; it must be 0 or more"),
        (lambda: RunOptions(workers=0), "a search cannot have 0 workers; give 1 or more"),
        (lambda: Budget(0.0), "a search cannot have 0 seconds"),
    ],
)
def test_the_wrong_type_is_one_line(call: Callable[[], object], says: str) -> None:
    with pytest.raises(MlpressError, match=says) as error:
        call()
    assert "\n" not in str(error.value)


def test_what_is_given_shows_itself_in_a_line() -> None:
    assert repr(ROWS) == "Dataset(30 rows, 2 features, 3 classes)"
    assert repr(MODEL) == "Model(2-3)"


def test_as_good_as_always_saying_one_class_is_no_good() -> None:
    """Shuffled columns may hit exactly the largest class's share."""
    facts = {"metric": "accuracy", "float": 1 / 3, "majority": 1 / 3}
    (line,) = suspicions.of_fit(MODEL, ROWS, ROWS.match(MODEL), facts, "")
    assert "no more than the 33.3 % that always saying 0 would" in line


def test_resume_into_the_folder_of_another_search_is_refused(tmp_path: Path) -> None:
    (tmp_path / "design.json").write_text('{"search": {"key": "of another", "stopped": "time"}}')
    with pytest.raises(MlpressError, match="is what a search with other data, options or model found; name another"):
        finished(tmp_path, MODEL, ROWS, Options.of(), Settings())


def test_a_few_bytes_are_not_worth_many_times_the_cycles() -> None:
    core = read_core("cortex-m0plus")
    net = dense_net(np.random.default_rng(3), 0)
    shapes = ("looped", "listed", "unrolled", "coded")
    made = [generate(net, core, COptions(shape=shape, minimise="flash")).facts for shape in shapes]  # type: ignore[arg-type]
    chosen = generate(net, core, COptions(minimise="flash")).facts
    least = min(facts.flash for facts in made)
    near = [facts for facts in made if facts.flash <= least + max(16, 0.01 * least)]
    assert chosen.flash <= least + max(16, 0.01 * least)
    assert chosen.cycles == min(facts.cycles for facts in near)
