"""A full disk, killed children, jumping clocks, dead clusters: one line, nothing half-written, the same front."""

from __future__ import annotations

import re
import resource
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.small_search import find, same

from mlpress import Design
from mlpress.approx.common import cluster
from mlpress.children import Limits, run_child, scratch
from mlpress.cli import main
from mlpress.errors import MlpressError, one_line
from mlpress.failures import in_one_line
from mlpress.files import write_file, write_folder
from mlpress.yosys import child

FOLDERS = Path(__file__).parents[1] / "folders"
KILLS = Path(__file__).with_name("kills.py")


@contextmanager
def full_disk(most: int) -> Iterator[None]:
    """No file grows beyond ``most`` bytes; writing more is an OSError, as on a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_full_disk_leaves_the_design_that_was_there(tmp_path: Path) -> None:
    design = Design.load(FOLDERS / "printed-2")
    folder = design.save(tmp_path / "design")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with full_disk(1000), pytest.raises(MlpressError, match=r"cannot write .*File too large; choose another place"):
        design.with_facts({**design.facts, "more": "x" * 5000}).save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with full_disk(1000), pytest.raises(MlpressError, match="cannot write"):
        design.save(tmp_path / "other")
    assert names(tmp_path) == ["design"]


def test_a_full_disk_during_a_search(tmp_path: Path) -> None:
    kept = tmp_path / "kept.npz"
    find(2, checkpoint=kept)
    whole = find(3)
    with full_disk(1000), pytest.raises(MlpressError, match=r"cannot write .*kept.npz: File too large"):
        find(3, checkpoint=kept, resume=True)
    assert names(tmp_path) == ["kept.npz"]
    assert same(find(3, checkpoint=kept, resume=True), whole)


def test_a_rename_that_fails_brings_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "design"
    write_folder(folder, {"mark": "old"}, marker="mark")
    rename = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if (self / "mark").is_file() and (self / "mark").read_text() == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(MlpressError, match="No space left on device"):
        write_folder(folder, {"mark": "new"}, marker="mark")
    assert (folder / "mark").read_text() == "old"
    assert names(tmp_path) == ["design"]


def test_two_writers_of_one_folder_and_one_file(tmp_path: Path) -> None:
    problems: list[BaseException] = []

    def write(letter: str) -> None:
        for _ in range(30):
            try:
                write_folder(tmp_path / "design", {"mark": letter * 9, "other": letter * 9}, marker="mark")
                write_file(tmp_path / "kept", letter * 9999)
            except MlpressError as error:
                problems.extend([] if "\n" not in str(error) else [error])
            except BaseException as error:
                problems.append(error)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert problems == []
    assert names(tmp_path) == ["design", "kept"], "nothing is left behind"
    assert (tmp_path / "design" / "mark").read_text() == (tmp_path / "design" / "other").read_text()
    assert len((tmp_path / "kept").read_text()) == 9999


def test_a_folder_that_another_process_takes_away_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, rename, moved = tmp_path / "design", Path.replace, []
    write_folder(folder, {"mark": "old"}, marker="mark")

    def taken(self: Path, target: Path) -> Path:
        if self == folder and not moved:
            moved.append(rename(self, tmp_path / "elsewhere"))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", taken)
    write_folder(folder, {"mark": "new"}, marker="mark")
    assert (folder / "mark").read_text() == "new"
    assert names(tmp_path) == ["design", "elsewhere"]


@pytest.mark.parametrize("place", ["/proc/design", "/dev/null/design"])
def test_places_where_nothing_can_be_written(place: str) -> None:
    with pytest.raises(MlpressError, match=r"cannot write|is a file") as caught:
        Design.load(FOLDERS / "printed-2").save(place)
    assert "\n" not in str(caught.value)
    with pytest.raises(MlpressError, match="cannot write"):
        write_file(Path(place), "text")


def test_a_child_that_is_killed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_CHILD", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(MlpressError, match=r"Yosys failed: killed by signal 9 \(out of memory\?\)"):
        child.run_yosys("help", {})
    with scratch("test", {}) as folder:
        code = "import os, time; os.kill(os.getppid(), 9); time.sleep(60)"
        since = time.monotonic()
        ended = run_child([sys.executable, "-c", code], folder, Limits(30.0))
    assert time.monotonic() - since < 25
    assert ended.status == -signal.SIGKILL


def test_text_that_is_no_unicode_reaches_a_child_as_it_is() -> None:
    with scratch("test", {"case.v": b"// \xff".decode("utf-8", "surrogateescape")}) as folder:
        assert (folder / "case.v").read_bytes() == b"// \xff"


class Client:
    """A Dask client of a scheduler that is gone."""

    def __init__(self, address: str, **_: Any) -> None:
        if address.startswith("nonsense"):
            raise TypeError(f"no scheme in {address}")

    def submit(self, *_: Any, **__: Any) -> int:
        return 0

    def gather(self, tasks: list[int]) -> list[int]:
        raise CancelledError(["task"])

    def close(self) -> None:
        pass


def test_a_malformed_address_and_a_scheduler_that_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.ModuleType("distributed")
    fake.Client, fake.KilledWorker = Client, type("KilledWorker", (Exception,), {})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "distributed", fake)
    monkeypatch.setattr(cluster, "_ask", lambda address: None)
    with pytest.raises(MlpressError, match=r"no Dask scheduler answers at .nonsense"):
        cluster.Cluster("nonsense://")
    with cluster.Cluster("tcp://127.0.0.1:1") as gone, pytest.raises(MlpressError, match="scheduler is gone"):
        gone.map(lambda problem, item: item, None, [1])


def test_a_clock_that_jumps_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = find(2)
    jumps = iter(range(10**9, 0, -(10**5)))
    monkeypatch.setattr(time, "time", lambda: float(next(jumps)))
    assert same(find(2), whole)


@pytest.mark.parametrize("level", ["integer", pytest.param("gates", marks=pytest.mark.long)])
def test_killed_at_random_moments_and_resumed(level: str) -> None:
    words = [sys.executable, str(KILLS), "--kills", "3", "--seed", "7", "--level", level]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    told = re.fullmatch(rf"{level}: 3 kills in (\d+) searches, \d+ of them .*; (\d+) of \1 fronts .*\n", done.stdout)
    assert told is not None, done.stdout
    assert told[1] == told[2] != "0"


def ended(*words: str) -> int | str | None:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    return caught.value.code


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device", "/x"), MemoryError(), MlpressError("a\nb\x1b")]
)
def test_what_a_machine_lacks_is_one_line(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, in_one_line():
        raise error
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert said.startswith("mlpress: ")
    assert said.count("\n") == 1
    assert "\x1b" not in said


def test_long_names_are_cut(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert ended("compile", "m" * 5000, "--data", "d" * 5000, "-o", str(tmp_path / "o")) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert len(said) < 1000
    assert ended("verify", str(FOLDERS / "printed-2"), "--data", "d" * 5000) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert len(said) < 600
    assert one_line("a\x1b[31mb\u202ec\nd") == r"a\x1b[31mb\u202ec\nd"
    assert one_line("x" * 201) == "x" * 197 + "..."
    assert one_line("x" * 200) == "x" * 200
