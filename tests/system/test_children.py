"""Child processes: their limits, and that none of them, nor their folders, outlives the parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from mlpress.children import Limits, run_child, scratch
from mlpress.errors import MlpressError, OutOfTimeError
from mlpress.yosys import run_abc, run_yosys

PARENT = """
import sys, threading
from mlpress.yosys import run_yosys
from mlpress.children import Limits, run_child, scratch

def work(kind):
    if kind == "yosys":
        run_yosys("exec -- sleep 300", {})
    else:
        with scratch("test", {}) as folder:
            run_child(["sh", "-c", "sleep 300 & sleep 300"], folder, Limits(300))

if sys.argv[2] == "thread":
    threading.Thread(target=work, args=[sys.argv[1]]).start()
else:
    work(sys.argv[1])
"""


def sleepers(folder: Path) -> list[int]:
    """Processes whose working folder is (or was) below ``folder``."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                place = str((process / "cwd").readlink())
            except OSError:
                continue
            if place.startswith(str(folder)):
                found.append(int(process.name))
    return found


def wait_for(condition, seconds: float) -> bool:
    end = monotonic() + seconds
    while not condition():
        if monotonic() > end:
            return False
        sleep(0.05)
    return True


@pytest.mark.parametrize("kind", ["yosys", "grandchild"])
@pytest.mark.parametrize("where", ["main", "thread"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_nothing_outlives_the_parent(tmp_path: Path, kind: str, where: str, end: signal.Signals) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, kind, where], env=environment)
    try:
        assert wait_for(lambda: len(sleepers(tmp_path)) >= 3, 60)
    finally:
        parent.send_signal(end)
    assert parent.wait(10) == -end
    assert wait_for(lambda: not sleepers(tmp_path), 5)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_the_child_and_removes_its_folder(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, "grandchild", "main"], env=environment, stderr=subprocess.DEVNULL
    )
    assert wait_for(lambda: len(sleepers(tmp_path)) >= 3, 60)
    parent.send_signal(signal.SIGINT)
    parent.wait(10)
    assert sleepers(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_limits_of_time_processor_time_and_output() -> None:
    with scratch("test", {"in": "text"}) as folder:
        assert (folder / "in").read_text() == "text"
        assert run_child(["sh", "-c", "cat in; exit 3"], folder, Limits(20)).status == 3
        assert run_child(["cat", "in"], folder, Limits(20)).log == "text"
        assert run_child(["sleep", "60"], folder, Limits(0.3)).status is None
        busy = Limits(60, threads=0)  # one second of processor time
        assert run_child([sys.executable, "-c", "while True: pass"], folder, busy).status is None
        full = run_child(["sh", "-c", "exec yes"], folder, Limits(60, file_mb=1))
        assert full.status == -signal.SIGXFSZ
        assert len(full.log) <= 1 << 20
        big = f"x = bytearray({1 << 30})"
        assert run_child([sys.executable, "-c", big], folder, Limits(60, memory_mb=512)).status == 1
        assert run_child(["no-such-program"], folder, Limits(20)).status == 127
    assert not folder.exists()


def test_yosys_out_of_time_is_told_from_an_error() -> None:
    with pytest.raises(OutOfTimeError, match="did not end within"):
        run_yosys("exec -- sleep 60", {}, timeout_s=0.5)
    with pytest.raises(MlpressError, match="Yosys failed") as caught:
        run_yosys("no_such_command", {})
    assert not isinstance(caught.value, OutOfTimeError)
    assert run_abc("print_stats", {}, [], timeout_s=20).log
