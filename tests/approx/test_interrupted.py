"""Searches that are interrupted, killed, resumed or spread over machines find what an undisturbed one finds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from support import small_search
from support.small_search import EFFORT, find, same

from mlpress.approx import Effort, IntegerFront
from mlpress.errors import MlpressError

GENERATIONS = 8


@pytest.fixture(scope="module")
def undisturbed() -> IntegerFront:
    found = find(GENERATIONS, workers=1)
    assert found.stopped == "generations"
    assert len(found.designs) > 5
    return found


def test_another_seed_finds_another_front(undisturbed: IntegerFront) -> None:
    assert not same(find(GENERATIONS, seed=4), undisturbed)


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers(undisturbed: IntegerFront, workers: int) -> None:
    assert same(find(GENERATIONS, workers=workers), undisturbed)


@pytest.mark.parametrize("first", [1, 5])
def test_a_resumed_search_finds_the_same(undisturbed: IntegerFront, tmp_path: Path, first: int) -> None:
    kept = tmp_path / "kept.npz"
    begun = find(first, checkpoint=kept)
    numbers: list[int] = []
    resumed = find(GENERATIONS, numbers.append, checkpoint=kept, resume=True, workers=2)
    assert numbers == list(range(first + 1, GENERATIONS + 1))
    assert same(resumed, undisturbed)
    assert resumed.elapsed_s > begun.elapsed_s


def started(folder: Path, generations: int) -> subprocess.Popen[str]:
    """A search in a process of its own, at its third generation."""
    script = [sys.executable, small_search.__file__, str(folder / "kept.npz"), str(generations), str(folder / "front")]
    process = subprocess.Popen(script, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": ROOT})
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 3:
            return process
    raise AssertionError(f"the search ended early, with code {process.wait()}")


ROOT = str(Path(__file__).resolve().parents[2])


def test_killed_and_resumed(undisturbed: IntegerFront, tmp_path: Path) -> None:
    process = started(tmp_path, 1000)
    process.kill()
    said = process.communicate()[0].split()
    assert process.returncode == -signal.SIGKILL
    last = int(said[-1]) if said else 3
    kept = tmp_path / "kept.npz"
    facts = json.loads(str(np.load(kept)["facts"]))
    assert facts["generations"][0] in (last, last + 1)
    ends = max(GENERATIONS, last + 2)
    resumed = find(ends, checkpoint=kept, resume=True)
    assert same(resumed, undisturbed if ends == GENERATIONS else find(ends))


def test_interrupt_stops_with_the_front_so_far(tmp_path: Path) -> None:
    process = started(tmp_path, 100_000)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=30)[0]
    assert process.returncode == 0, errors
    found = IntegerFront.from_json((tmp_path / "front").read_text())
    assert found.stopped == "interrupted"
    assert 3 <= found.generations < 1000
    assert same(found, find(found.generations))
    more = find(found.generations + 2, checkpoint=tmp_path / "kept.npz", resume=True)
    assert same(more, find(found.generations + 2))


def test_a_cluster_that_loses_a_worker_finds_the_same() -> None:
    distributed = pytest.importorskip("distributed", reason="the extra mlpress[cluster] is not installed")
    effort = Effort(**{name: getattr(EFFORT, name) for name in EFFORT.__slots__} | {"steps": 15_000})
    events: list[str] = []

    def kill() -> None:
        os.kill(victim, signal.SIGKILL)
        events.append("killed")

    def each(number: int) -> None:
        events.append(str(number))
        if number == 1:
            threading.Timer(0.05, kill).start()

    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        assert len(set(pids.values()) | {os.getpid()}) == 3
        victim = next(iter(pids.values()))
        found = find(2, each, effort=effort, cluster=cluster.scheduler_address)
        after = client.run(os.getpid)
    assert events == ["1", "killed", "2"]
    assert victim not in after.values()
    assert same(found, find(2, effort=effort))


def test_no_cluster_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="the extra mlpress[cluster] is not installed")
    monkeypatch.setattr("mlpress.approx.common.cluster.CONNECT_S", 1)
    with pytest.raises(MlpressError, match=r"tcp://127\.0\.0\.1:9"):
        find(1, cluster="tcp://127.0.0.1:9")


def damaged(kept: Path, how: str) -> None:
    data = kept.read_bytes()
    with np.load(kept) as archive:
        arrays = {name: archive[name] for name in archive.files}
    match how:
        case "empty":
            kept.write_bytes(b"")
        case "text":
            kept.write_text("no checkpoint")
        case "cut":
            kept.write_bytes(data[: len(data) // 2])
        case "flipped":
            middle = data.index(b"genomes1") + 400
            kept.write_bytes(data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :])
        case "objects":
            np.savez(kept, **arrays | {"start0": np.array([{}, {}], dtype=object)})
        case "shapes":
            np.savez(kept, **arrays | {"genomes1": arrays["genomes1"][:, 1:]})
        case "bounds":
            np.savez(kept, **arrays | {"genomes0": arrays["genomes0"] + 10**6})
        case "facts":
            np.savez(kept, **arrays | {"facts": np.array("[]")})
        case "format":
            facts = json.loads(str(arrays["facts"])) | {"format": "mlpress search 999"}
            np.savez(kept, **arrays | {"facts": np.array(json.dumps(facts))})
        case "missing":
            np.savez(kept, facts=arrays["facts"])
        case "bomb":
            np.savez_compressed(kept, **arrays | {"more": np.zeros(1 << 18, np.int64)})


@pytest.mark.parametrize(
    "how", ["empty", "text", "cut", "flipped", "objects", "shapes", "bounds", "facts", "format", "missing", "bomb"]
)
def test_a_damaged_checkpoint_is_one_line(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlpress.approx.common.state_file.LARGEST", 1 << 20)
    kept = tmp_path / "kept.npz"
    find(1, checkpoint=kept)
    damaged(kept, how)
    with pytest.raises(MlpressError, match="is no checkpoint of this version") as raised:
        find(2, checkpoint=kept, resume=True)
    assert str(kept) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("other", [{"seed": 4}, {"effort": Effort(islands=2)}, {"validation": 0.3}])
def test_a_foreign_checkpoint_is_one_line(tmp_path: Path, other: dict[str, object]) -> None:
    kept = tmp_path / "kept.npz"
    find(1, checkpoint=kept)
    with pytest.raises(MlpressError, match="belongs to a search with other data, options or model"):
        find(2, checkpoint=kept, resume=True, **other)


def test_an_absent_checkpoint_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MlpressError, match=r"cannot read the checkpoint .*none\.npz: No such file"):
        find(2, checkpoint=tmp_path / "none.npz", resume=True)
    with pytest.raises(MlpressError, match="there is no checkpoint to resume from"):
        find(2, resume=True)
