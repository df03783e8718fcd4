"""A machine that lacks memory, tools that are killed, clusters that do not answer, two searches at one place."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from fuzz import onnx_files
from support.small_search import find, same

from mlpress import Design
from mlpress.approx.common import cluster
from mlpress.children import Limits, run_child, scratch
from mlpress.cli import main
from mlpress.errors import MlpressError
from mlpress.failures import in_one_line
from mlpress.yosys import child

ROOT = Path(__file__).parents[2]
MEMORY = "there is not enough memory; give smaller files, fewer rows or workers, or more memory"
LIMITED = "import resource, sys; from mlpress.cli import main; most = int(sys.argv[1]); \
resource.setrlimit(resource.RLIMIT_AS, (most, most)); main(sys.argv[2:])"
"""``mlpress`` in so many bytes of address space."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model, and rows for it."""
    folder = tmp_path_factory.mktemp("machine")
    (folder / "net.onnx").write_bytes(onnx_files.seeds()[0])
    rows = np.random.default_rng(1).uniform(0, 9, (40, 3))
    lines = [",".join([*(f"{value:.3f}" for value in row), str(k % 2)]) for k, row in enumerate(rows)]
    (folder / "rows.csv").write_text("\n".join(["a,b,c,label", *lines]) + "\n")
    return folder


def limited(place: Path, most: int, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LIMITED, str(most), *words]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=300, check=False)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def in_one_line_or_done(done: subprocess.CompletedProcess[str], place: Path, folder: str) -> bool:
    """Whether the command came to its end; else it said one line, after notes and warnings, and wrote nothing."""
    if done.returncode == 0:
        assert Design.load(place / folder).changed == ()
        return True
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("note: ", "warning: "))]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("mlpress: ")
    kept = {name for name in names(place) if name.startswith(f"{folder}.checkpoint")}  # what --resume goes on from
    assert names(place) - {folder} - kept == {"net.onnx", "rows.csv"}
    assert not (place / folder).exists()
    return False


@pytest.mark.parametrize(
    "error",
    [
        ImportError("x.so: failed to map segment from shared object"),
        SystemError("<function f> returned NULL without setting an exception"),
        RuntimeError("can't start new thread"),
        RuntimeError("[ONNXRuntimeError] : 6 : std::bad_alloc"),
        OSError(12, "Cannot allocate memory", "/x"),
        MemoryError(),
    ],
)
def test_too_little_memory_is_one_line_however_a_library_says_it(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught, in_one_line():
        raise error
    assert (caught.value.code, capsys.readouterr().err) == (2, f"mlpress: {MEMORY}\n")
    with pytest.raises(SystemExit), in_one_line():
        try:
            raise error
        except Exception as cause:
            raise ValueError("something else") from cause
    assert capsys.readouterr().err == f"mlpress: {MEMORY}\n"
    with pytest.raises(ValueError, match="our own"), in_one_line():
        raise ValueError("our own")


def test_a_model_too_large_for_the_address_space(place: Path) -> None:
    done = limited(place, 400 << 20, "compile", "net.onnx", "--data", "rows.csv", "-o", "out", "--effort", "fast")
    assert not in_one_line_or_done(done, place, "out")


@pytest.mark.long
@pytest.mark.parametrize("most", [1000, 1500])
@pytest.mark.parametrize("words", ["compile", "search --generations 1 --level integer"])
def test_little_address_space(place: Path, most: int, words: str) -> None:
    """In megabytes.  Within 600 or so, OpenBLAS waits for memory for ever while SciPy loads it, which is not ours."""
    command, *more = words.split()
    given = [command, "net.onnx", "--data", "rows.csv", "-o", f"out{most}{command}", "--effort", "fast", *more]
    if in_one_line_or_done(limited(place, most << 20, *given), place, given[5]):
        shutil.rmtree(place / given[5])
    for file in place.glob(f"{given[5]}.checkpoint*"):
        file.unlink()


def test_children_get_no_more_than_their_parent_may_have(tmp_path: Path) -> None:
    code = (
        "import resource; from mlpress.children import Limits, run_child, scratch\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (50, 50))\n"
        "with scratch('test', {}) as folder:\n"
        "    print(run_child(['sh', '-c', 'ulimit -v; ulimit -f; ulimit -t'], folder, Limits(100.0)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"Ended(status=0, log='{1 << 20}\\n{(1 << 20) // 512}\\n50\\n')\n"


def test_a_yosys_that_is_killed_in_its_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    victims: list[int] = []

    def kill() -> None:
        until = time.monotonic() + 60
        while not victims and time.monotonic() < until:
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    try:
                        here = str((process / "cwd").readlink()).startswith(str(tmp_path))
                        if here and b"sleep" in (process / "cmdline").read_bytes().split(b"\0")[0]:
                            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                            victims.append(_yosys_above(parent))
                    except OSError:
                        continue
            time.sleep(0.02)
        os.kill(victims[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(MlpressError, match=r"^Yosys failed: killed by signal 9 \(out of memory\?\)$"):
        child.run_yosys("exec -- sleep 60", {})
    killer.join()
    assert list(tmp_path.iterdir()) == []


def _yosys_above(process: int) -> int:
    """The process that runs Yosys, of one that it started or itself."""
    while b"libyosys" not in Path(f"/proc/{process}/cmdline").read_bytes():
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return process


def test_a_compile_whose_yosys_is_killed_writes_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setattr(child, "_CHILD", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(SystemExit) as caught:
        main(["compile", "net.onnx", "--data", "rows.csv", "-o", "killed", "--effort", "fast", "-q"])
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert said == "mlpress: Yosys failed: killed by signal 9 (out of memory?)\n"
    assert "killed" not in names(place)


ADDRESSES = (
    "nonsense",
    "",
    "tcp://",
    "http://x:1",
    "tcp://127.0.0.1:notaport",
    "tcp://x:99999",
    "tcp://x:0",
    "/etc",
    "x",
)


@pytest.mark.parametrize("address", [*ADDRESSES, "tcp://\x1b[2J:1", "d" * 5000])
def test_an_address_that_is_none_is_refused_before_anything_waits_for_it(address: str) -> None:
    pytest.importorskip("distributed", reason="the extra mlpress[cluster] is not installed")
    since = time.monotonic()
    with pytest.raises(MlpressError, match=r"that is no address; write tcp://host:port") as caught:
        cluster.Cluster(address)
    assert time.monotonic() - since < 20
    assert "\n" not in str(caught.value)


def test_an_open_port_where_nobody_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the extra mlpress[cluster] is not installed")
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        since = time.monotonic()
        with pytest.raises(MlpressError, match="no Dask scheduler answers at 'tcp://127"):
            cluster.Cluster(f"tcp://127.0.0.1:{mute.getsockname()[1]}")
    assert time.monotonic() - since < 30


def test_two_searches_with_one_checkpoint_find_what_each_finds_alone(tmp_path: Path) -> None:
    whole, found = find(6), []
    kept = tmp_path / "kept.npz"
    searches = [threading.Thread(target=lambda: found.append(find(6, checkpoint=kept, workers=1))) for _ in range(2)]
    for one in searches:
        one.start()
    for one in searches:
        one.join()
    assert [same(one, whole) for one in found] == [True, True]
    assert names(tmp_path) == {"kept.npz"}
    assert same(find(7, checkpoint=kept, resume=True), find(7))


@pytest.mark.long
def test_two_searches_into_one_folder(place: Path, tmp_path: Path) -> None:
    words = ["search", str(place / "net.onnx"), "--data", str(place / "rows.csv"), "-o", "out", "--effort", "fast"]
    words += ["--generations", "3", "--level", "integer", "--max-loss", "0.5", "--workers", "1"]
    command = [sys.executable, "-m", "mlpress", *words]
    both = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate()[1] for one in both]
    codes = [one.returncode for one in both]
    assert 0 in codes and set(codes) <= {0, 2}, said
    assert all("Traceback" not in text for text in said)
    assert names(tmp_path) == {"out"}
    assert Design.load(tmp_path / "out").changed == ()


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_clock_that_jumps_ends_no_child(step_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    wall, jumps = time.time, iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: wall() + step_s * next(jumps))
    with scratch("test", {}) as folder:
        assert run_child([sys.executable, "-c", "import time; time.sleep(0.2)"], folder, Limits(20.0)).status == 0
