"""Ctrl-C, SIGTERM and SIGHUP end a command, and a search that found something ends with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from support import quick_mlpress

from mlpress import Dataset, Design, approx, cli, from_sklearn, interrupts
from mlpress.approx import gates
from mlpress.console import Screen
from mlpress.pipeline import compile as compiling
from mlpress.pipeline import measuring, result
from mlpress.targets import Cost

SEARCH = ["search", "model.onnx", "--data", "rows.csv", "--effort", "fast", "--max-loss", "0.3", "--workers", "2"]
BOTH = [*SEARCH, "--generations", "2", "--rounds", "1"]
ENDLESS = ["--generations", "100000", "--rounds", "100000"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two features of iris as model.onnx and rows.csv."""
    from sklearn.neural_network import MLPClassifier

    from mlpress.codegen import onnx_model

    folder = tmp_path_factory.mktemp("signals")
    data = Dataset.bundled("iris")
    features = data.features[:, 2:] / 8
    classifier = MLPClassifier((2,), solver="lbfgs", max_iter=500, random_state=1).fit(features, data.labels)
    (folder / "model.onnx").write_bytes(onnx_model(from_sklearn(classifier)).SerializeToString())
    np.savetxt(folder / "rows.csv", np.column_stack([features, data.labels]), delimiter=",", fmt="%g")
    return folder


class Done(NamedTuple):
    """How a command ended."""

    code: int
    output: str
    errors: str


Run = Callable[..., Done]


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command here, which sends itself a signal when it calls ``Screen``'s ``method`` with what starts so.

    Here rather than in a process of its own, which would take seconds to import all; nothing is synthesised but the
    chosen design, and nothing verified, which would take seconds too.
    """
    assert threading.current_thread() is threading.main_thread()  # others get no signals
    monkeypatch.chdir(place)
    monkeypatch.setattr("tempfile.tempdir", str(place))
    monkeypatch.setattr(compiling, "require_equal", lambda *_, **__: [])
    for module in (measuring, result):
        monkeypatch.setattr(module, "measured", lambda *_, **__: Cost({"area": 0.5, "power": 0.5}))
    monkeypatch.setattr(approx, "search", quick_mlpress.search())
    monkeypatch.setattr(gates, "GateSearchOptions", quick_mlpress.gate_options())

    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)

    def command(number: int, method: str, starts: str, *words: str) -> Done:
        shown, left = getattr(Screen, method), [number]

        def watched(self: Screen, what: Any) -> None:
            shown(self, what)
            if left and str(getattr(what, "number", what)).startswith(starts):
                os.kill(os.getpid(), left.pop())

        monkeypatch.setattr(Screen, method, watched)
        with pytest.raises(SystemExit) as ended:
            cli.main([*words])
        monkeypatch.setattr(Screen, method, shown)
        assert not left
        assert [path.name for path in place.iterdir() if path.name.startswith((".", "mlpress-", "tmp"))] == []
        assert interrupts.received() is None
        return Done(int(str(ended.value.code or 0)), *capfd.readouterr())

    return command


@pytest.mark.parametrize(
    ("number", "code", "step", "words"),
    [
        (signal.SIGINT, 130, "read model", ["compile", "model.onnx", "--data", "rows.csv"]),
        (signal.SIGTERM, 143, "synthesise", ["compile", "model.onnx", "--data", "rows.csv", "--effort", "fast"]),
        (
            signal.SIGHUP,
            129,
            "verify in every engine",
            ["compile", "model.onnx", "--data", "rows.csv", "--effort", "fast"],
        ),
        (signal.SIGTERM, 143, "train 2 starts", BOTH),
        (signal.SIGINT, 130, "search", BOTH),
        (signal.SIGHUP, 129, "evolve gates", [*SEARCH, "--level", "gates", "--rounds", "1"]),
    ],
)
def test_with_nothing_to_show(place: Path, run: Run, number: int, code: int, step: str, words: list[str]) -> None:
    done = run(number, "step", step, *words, "-o", "none")
    assert done.code == code
    assert done.output == ""
    assert done.errors.splitlines()[-1] == "mlpress: interrupted; nothing was written"
    assert not list(place.glob("none*"))


@pytest.mark.parametrize(
    ("number", "method", "starts", "level", "stopped"),
    [
        (signal.SIGTERM, "generation", "1", "integer", "interrupted"),
        (signal.SIGINT, "step", "judge the front", "integer", "interrupted"),
        (signal.SIGTERM, "step", "train networks of the model's own shape", "integer", "interrupted"),
        (signal.SIGHUP, "step", "evolve gates", "integer", "interrupted"),
        (signal.SIGHUP, "round", "1", "gates", "interrupted"),
        (signal.SIGTERM, "step", "measure the front", "gates", "generations"),
        (signal.SIGTERM, "step", "fit decision trees", "gates", "generations"),
        (signal.SIGINT, "step", "build and verify", "gates", "generations"),
    ],
)
def test_a_search_ends_with_what_it_found(
    place: Path, run: Run, number: int, method: str, starts: str, level: str, stopped: str
) -> None:
    endless = ENDLESS if method != "step" else []
    done = run(number, method, starts, *BOTH, *endless, "-o", "found", "--json")
    assert done.code == 0, done.errors
    facts = json.loads(done.output)
    assert (facts["search"]["level"], facts["search"]["stopped"]) == (level, stopped)
    assert Design.load(place / "found").facts["search"] == facts["search"]
    assert "interrupted" in done.errors
    kept = list(place.glob("found.checkpoint*"))
    assert bool(kept) == (stopped == "interrupted")
    assert ("--resume goes on" in done.errors) == bool(kept)
    for path in kept:
        path.unlink()


def test_a_resumed_search_that_is_interrupted_at_once_still_has_its_front(place: Path, run: Run) -> None:
    words = [*SEARCH, "--level", "integer", "-o", "again", "--json", *ENDLESS]
    begun = run(signal.SIGINT, "generation", "2", *words)
    resumed = run(signal.SIGTERM, "step", "prepare the search", *words, "--resume")
    assert (begun.code, resumed.code) == (0, 0), resumed.errors
    assert json.loads(resumed.output)["search"] == json.loads(begun.output)["search"]


def test_a_second_signal_ends_at_once(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "SAME_S", -1.0)
    again = Screen.step

    def step(self: Screen, name: str) -> None:
        again(self, name)
        if name.startswith("build and verify"):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Screen, "step", step)
    done = run(signal.SIGTERM, "step", "measure the front", *BOTH, "-o", "twice")
    assert done.code == 143
    assert not (place / "twice").exists()
    assert done.errors.splitlines()[-1] == "mlpress: interrupted; nothing was written"


def test_signals_in_a_burst_are_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``timeout`` sends one to the process and one to its group."""
    monkeypatch.setattr(interrupts, "SAME_S", 60.0)
    again = Screen.step

    def step(self: Screen, name: str) -> None:
        again(self, name)
        if name.startswith("measure the front"):
            os.kill(os.getpid(), signal.SIGHUP)

    monkeypatch.setattr(Screen, "step", step)
    assert run(signal.SIGTERM, "step", "measure the front", *BOTH, "-o", "burst", "--json").code == 0


def test_what_a_library_swallows_is_raised_at_the_next_look() -> None:
    with interrupts.handled():
        with suppress(KeyboardInterrupt):  # as MLPClassifier.fit does
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        interrupts.defer()
        interrupts.check()
        with pytest.raises(KeyboardInterrupt), interrupts.allowed():
            pytest.fail("not reached")
    interrupts.check()


def test_what_was_ignored_stays_ignored(place: Path) -> None:
    """As ``nohup`` has SIGHUP ignored."""
    code = (
        "import os, signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from mlpress import interrupts\n"
        "with interrupts.handled():\n"
        "    os.kill(os.getpid(), signal.SIGHUP)\n"
        "    print(interrupts.received())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_process_of_its_own_exits_with_the_signals_code(place: Path, number: int, code: int) -> None:
    script = (
        "import os, sys\n"
        "from mlpress.console import Screen\n"
        f"Screen.step = lambda self, name: os.kill(os.getpid(), {int(number)})\n"
        "from mlpress.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    words = ["compile", "model.onnx", "--data", "rows.csv", "-o", "none"]
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=place, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr == "mlpress: interrupted; nothing was written\n"
