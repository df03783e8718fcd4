"""The CAN example: its traffic, its loader, its features, and a thinned run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "can_ids"


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))
    for name in ("traffic", "features", "can_ids"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def made(importable: None) -> Any:
    return import_module("traffic").generate(2.0, seed=1)


def test_traffic_is_a_bus_in_order_with_all_attacks(made: Any) -> None:
    traffic = import_module("traffic")
    assert np.diff(made.seconds).min() > 0.9 * traffic.FRAME_S
    assert set(made.attack.tolist()) == {0, 1, 2, 3, 4}
    dos = made.attack == 1 + traffic.ATTACKS.index("dos")
    assert set(made.identifier[dos].tolist()) == {0}
    gear = made.attack == 1 + traffic.ATTACKS.index("gear")
    assert set(made.identifier[gear].tolist()) == {traffic.GEAR}
    same = traffic.generate(2.0, seed=1)
    assert all(np.array_equal(one, other) for one, other in zip(vars(made).values(), vars(same).values(), strict=True))


def test_the_published_format_is_read(tmp_path: Path) -> None:
    traffic = import_module("traffic")
    path = tmp_path / "DoS_dataset.csv"
    path.write_text("1478198376.389636,0316,8,05,21,68,09,21,21,00,6f,R\n1478198376.389427,0000,2,0a,ff,T\n")
    found = traffic.load(path, "dos")
    assert found.identifier.tolist() == [0, 0x316]
    assert found.data.tolist() == [[10, 255, 0, 0, 0, 0, 0, 0], [5, 0x21, 0x68, 9, 0x21, 0x21, 0, 0x6F]]
    assert found.attack.tolist() == [1, 0]
    path.write_text("1478198376.389636,0316,8,05,R\n")
    with pytest.raises(SystemExit, match=r"DoS_dataset.csv:1: not timestamp"):
        traffic.load(path, "dos")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "No such file or directory"),
        (b"", "the first 0 messages, 60% of all, are to train on; there must be 100 or more"),
        (b"1.0,0000,2,00,R\n", "gone.csv:1: not timestamp, identifier, bytes, data, R or T"),
        (b"1.0,0000,1,00,R\n" * 200, "the first 120 messages, 60% of all, are to train on"),
        (b"\xff\x00" * 9, "gone.csv:1: not timestamp, identifier, bytes, data, R or T"),
    ],
)
def test_files_that_cannot_be_learned_from_are_one_line(tmp_path: Path, content: bytes | None, line: str) -> None:
    path = tmp_path / "gone.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SystemExit) as caught:
        import_module("can_ids").main(["--csv", str(path)])
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_features_see_only_what_came_before(made: Any) -> None:
    traffic, features = import_module("traffic"), import_module("features")
    usual = features.usual_gaps(made)
    codes = features.codes_of(made, usual)
    assert codes.shape == (len(made.seconds), len(features.NAMES))
    assert (codes.min(), codes.max()) == (0, 7)
    half = traffic.Traffic(*(column[:500] for column in vars(made).values()))
    assert np.array_equal(features.codes_of(half, usual), codes[:500])
    assert features.unknown_identifier(codes)[made.attack == 1].all()
    assert not features.unknown_identifier(codes)[made.attack == 0].any()


def test_a_thinned_run_states_all_baselines(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--seconds", "3", "--hidden", "3", "--epochs", "6", "--targets", "ecp5-25k", "--no-place"]
    import_module("can_ids").main(words)
    said = capsys.readouterr().out
    for name in ("more frequent class", "look-up of identifiers", "period check", "decision tree", "2-bit weights"):
        (line,) = [line for line in said.splitlines() if name in line]
        assert all(0 <= float(share) <= 100 for share in line.split()[-4:])
    assert "split by time" in said
    assert "Synthetic traffic: its attacks are as regular" in said
    assert "luts" in said
    network = next(line for line in said.splitlines() if line.startswith("network"))
    common = next(line for line in said.splitlines() if "frequent" in line)
    assert float(network[34:42]) > float(common[34:42])


@pytest.mark.long
def test_the_whole_example_states_every_target_within_two_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    """As continuous integration runs it, by the processor's time of this process and its children."""
    before = spent()
    import_module("can_ids").main([])
    seconds = spent() - before
    said = capsys.readouterr().out
    assert seconds < 120
    lines = said.splitlines()
    rights = {line[:34].strip(): float(line[34:42]) for line in lines if line[:34].strip() and "%" not in line[:60]
              and line[34:42].strip().replace(".", "", 1).isdigit()}  # fmt: skip
    assert rights["network, 2-bit weights and outputs"] > 98
    assert rights["network, 2-bit weights and outputs"] > rights["look-up and period check"]
    head = next(k for k, line in enumerate(lines) if "per message" in line and "energy" in line)
    rows = {line[:30].strip(): line[30:54].split() for line in lines[head + 1 :] if line[30:54].strip()}
    assert rows["ecp5-25k"][1:] == ["us", "not", "known"]
    assert 0 < float(rows["ecp5-25k"][0]) < 1
    assert rows["printed egfet"][1::2] == ["ms", "uJ"]
    in_c = [row for name, row in rows.items() if name.startswith("C on ")]
    assert in_c
    assert all(row[1] == "us" and row[-1] in ("nJ", "known") for row in in_c)


def spent() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
