"""What is known of a message from the window of messages before it, as codes of three bits; and trivial detectors."""

from __future__ import annotations

from collections import Counter, deque

import numpy as np
from numpy.typing import NDArray
from traffic import Traffic

NAMES = ("known", "gap", "gap_to_usual", "in_10_ms", "same_of_16", "kinds_of_16", "changed", "changed_before")
BITS, WINDOW, RECENT_S = 3, 16, 0.01
TOP = (1 << BITS) - 1

Ints = NDArray[np.int64]


def usual_gaps(traffic: Traffic) -> dict[int, float]:
    """Return the median time between two messages of the car, in seconds, by identifier."""
    own = traffic.attack == 0
    found = {}
    for identifier in np.unique(traffic.identifier[own]).tolist():
        times = traffic.seconds[own & (traffic.identifier == identifier)]
        found[identifier] = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    return found


def codes_of(traffic: Traffic, usual: dict[int, float]) -> Ints:
    """Return the codes of each message, int64 (messages, :data:`NAMES`), 0 to 7.

    Times are logarithms; ``changed`` counts the bits that differ from the identifier's last message, in steps of four,
    ``changed_before`` the same for the message before that.
    """
    last_time, last_data, last_change = dict[int, float](), dict[int, int](), dict[int, int]()
    window, recent = deque[int](maxlen=WINDOW), deque[float]()
    counts = Counter[int]()
    rows = []
    words = [int.from_bytes(row.tobytes()) for row in traffic.data]
    for time, identifier, word in zip(traffic.seconds.tolist(), traffic.identifier.tolist(), words, strict=True):
        gap = time - last_time.get(identifier, time - 1.0)
        while recent and time - recent[0] > RECENT_S:
            recent.popleft()
        change = (word ^ last_data.get(identifier, word)).bit_count()
        rows.append(
            (
                TOP * (identifier in usual),
                _log(gap / 0.0005),
                _log(8 * gap / usual.get(identifier, 1.0)),
                len(recent) // 4,
                counts[identifier] // 2,
                len(counts) // 2,
                change // 4,
                last_change.get(identifier, 0) // 4,
            )
        )
        if len(window) == WINDOW:
            counts[window[0]] -= 1
            if not counts[window[0]]:
                del counts[window[0]]
        window.append(identifier)
        counts[identifier] += 1
        recent.append(time)
        last_time[identifier], last_data[identifier], last_change[identifier] = time, word, change
    return np.clip(np.array(rows, np.int64), 0, TOP)


def _log(ratio: float) -> int:
    """Round the logarithm to base 2 down; 0 below 1."""
    return max(int(ratio), 1).bit_length() - 1


def unknown_identifier(codes: Ints) -> Ints:
    """Say attack where the car never sent the identifier in the training rows."""
    return (codes[:, NAMES.index("known")] == 0).astype(np.int64)


def too_soon(codes: Ints) -> Ints:
    """Say attack where the identifier is unknown, or came after less than half its usual time."""
    return (unknown_identifier(codes) | (codes[:, NAMES.index("gap_to_usual")] < 2)).astype(np.int64)
