"""CAN traffic: made here, or read from the published car-hacking set.

What is made follows the description of that set (H. M. Song, J. Woo, H. K. Kim: "In-vehicle network intrusion detection
using deep convolutional neural network", Vehicular Communications 21, 2020): identifiers that come periodically, and
four attacks in bursts: denial of service (identifier 0 every .3 ms), fuzzing (random identifiers and data every .5 ms),
and spoofed gear and engine speed (their identifiers with data of the attacker's every 1 ms).
"""

from __future__ import annotations

import csv
import heapq
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FRAME_S = 0.00025
"""Seconds that a frame of eight bytes takes on a bus of 500 kbit/s, with stuffing."""

PERIODS_MS = (10, 10, 10, 10, 10, 20, 20, 20, 20, 50, 50, 50, 100, 100, 100, 100, 200, 200, 500, 1000)
GEAR, SPEED = 0x43F, 0x316
ATTACKS = ("dos", "fuzzy", "gear", "speed")
EVERY_S = {"dos": 0.0003, "fuzzy": 0.0005, "gear": 0.001, "speed": 0.001}
BURST_S = 0.15
"""Length of a burst; those of the published set are seconds long."""


@dataclass(frozen=True)
class Traffic:
    """Messages in the order of time.

    ``seconds`` float64 (messages,), ``identifier`` int64 (messages,), ``data`` uint8 (messages, 8), ``attack`` int64
    (messages,): 0 for a message of the car, else 1 + the place in :data:`ATTACKS`.
    """

    seconds: NDArray[np.float64]
    identifier: NDArray[np.int64]
    data: NDArray[np.uint8]
    attack: NDArray[np.int64]


def generate(seconds: float, seed: int = 0) -> Traffic:
    """Make so many seconds of traffic: in every second each attack has a burst, at a time drawn from ``seed``."""
    rng = np.random.default_rng(seed)
    wanted = _car(rng, seconds)
    for second in range(int(seconds)):
        for k, name in enumerate(rng.permutation(ATTACKS).tolist()):
            begin = second + 0.25 * k + rng.uniform(0, 0.25 - BURST_S)
            wanted += _burst(rng, name, begin, begin + BURST_S)
    sent = _arbitrated(wanted)
    return Traffic(
        np.array([time for time, _, _, _ in sent]),
        np.array([identifier for _, identifier, _, _ in sent]),
        np.array([list(data) for _, _, data, _ in sent], np.uint8),
        np.array([attack for _, _, _, attack in sent]),
    )


Frame = tuple[float, int, bytes, int]
"""When a frame is ready to be sent, its identifier, its data, and the number of its attack."""


def _car(rng: np.random.Generator, seconds: float) -> list[Frame]:
    """Frames of the car: bytes are counters, sensors that drift, states that seldom change, and constants."""
    names = {GEAR, SPEED}
    while len(names) < len(PERIODS_MS):
        names.add(int(rng.integers(0x80, 0x600)))
    frames = []
    for identifier, period in zip([GEAR, SPEED, *sorted(names - {GEAR, SPEED})], PERIODS_MS, strict=True):
        count = int(1000 * seconds / period) + 1
        ready = (np.arange(count) + rng.uniform()) * period / 1000 + rng.normal(0, 0.02 * period / 1000, count)
        kinds = rng.choice(["counter", "sensor", "state", "constant"], 8, p=[0.15, 0.25, 0.2, 0.4])
        columns = np.stack([_column(rng, kind, count) for kind in kinds.tolist()], axis=1)
        frames += [
            (time, identifier, bytes(row), 0) for time, row in zip(ready.tolist(), columns.tolist(), strict=True)
        ]
    return frames


def _column(rng: np.random.Generator, kind: str, count: int) -> NDArray[np.int64]:
    match kind:
        case "counter":
            return np.arange(count) % 16
        case "sensor":
            return np.clip(128 + np.cumsum(rng.normal(0, 2, count)), 0, 255).astype(np.int64)
        case "state":
            return np.cumsum(rng.random(count) < 0.01) % 4
        case _:
            return np.full(count, int(rng.integers(256)))


def _burst(rng: np.random.Generator, name: str, begin: float, end: float) -> list[Frame]:
    number = 1 + ATTACKS.index(name)
    spoofed = rng.integers(0, 256, 8).astype(np.uint8).tobytes()
    frames = []
    for time in np.arange(begin, end, EVERY_S[name]).tolist():
        match name:
            case "dos":
                identifier, data = 0, bytes(8)
            case "fuzzy":
                identifier, data = int(rng.integers(0x800)), rng.integers(0, 256, 8).astype(np.uint8).tobytes()
            case _:
                identifier, data = (GEAR if name == "gear" else SPEED), spoofed
        frames.append((time, identifier, data, number))
    return frames


def _arbitrated(wanted: list[Frame]) -> list[Frame]:
    """Frames as the bus carries them: of those that are ready, the lowest identifier goes first."""
    waiting: list[tuple[int, float, bytes, int]] = []
    coming, sent, now = sorted(wanted), list[Frame](), 0.0
    at = 0
    while at < len(coming) or waiting:
        if not waiting:
            now = max(now, coming[at][0])
        while at < len(coming) and coming[at][0] <= now:
            ready, identifier, data, attack = coming[at]
            heapq.heappush(waiting, (identifier, ready, data, attack))
            at += 1
        identifier, _, data, attack = heapq.heappop(waiting)
        now += FRAME_S
        sent.append((now, identifier, data, attack))
    return sent


def load(path: Path, attack: str) -> Traffic:
    """Read a file of the published set, which holds one kind of attack.

    A row is ``timestamp, identifier (hex), bytes, data (hex, as many), R or T``: T for a message of the attacker.
    """
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}") from None
    seconds, identifiers, data, attacks = [], [], [], []
    for line, row in enumerate(csv.reader(lines), 1):
        try:
            size = int(row[2])
            if not 0 <= size <= 8 or len(row) != 4 + size or row[-1] not in {"R", "T"}:
                raise ValueError
            seconds.append(float(row[0]))
            identifiers.append(int(row[1], 16))
            data.append([int(byte, 16) for byte in row[3:-1]] + [0] * (8 - size))
        except (ValueError, IndexError):
            raise SystemExit(f"{path}:{line}: not timestamp, identifier, bytes, data, R or T") from None
        attacks.append(1 + ATTACKS.index(attack) if row[-1] == "T" else 0)
    order = np.argsort(np.array(seconds), kind="stable")
    return Traffic(
        np.array(seconds)[order],
        np.array(identifiers)[order],
        np.array(data, np.uint8)[order],
        np.array(attacks)[order],
    )
