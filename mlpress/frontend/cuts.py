"""Where comparators' thresholds lie: a few levels of each input's fine code, chosen from training rows.

A resistor ladder's tap costs the same wherever it is, so levels may lie anywhere; what counts is how few of them tell
the classes apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir import Net

Ints = NDArray[np.int64]

CutRule = Literal["uniform", "quantiles", "information", "mdl"]
"""How levels are chosen: evenly over the full scale; evenly over the rows; where they tell most about the class, one
after the other; the same, as long as a level is worth its description."""

CUT_RULES: tuple[CutRule, ...] = get_args(CutRule)

MOST_LEVELS = 63
"""Levels of an input that may be asked for."""


def check_cuts(levels: int, rule: str) -> None:
    """Raise :class:`MlpressError` where there is no such rule, or where so many levels cannot be chosen."""
    if rule not in CUT_RULES:
        raise MlpressError(f"no rule of cuts {rule!r}; there are {', '.join(CUT_RULES)}")
    if not 1 <= levels <= MOST_LEVELS:
        raise MlpressError(f"{levels} levels cannot be chosen; ask for 1 to {MOST_LEVELS} per input")


def with_cuts(net: Net, codes: Ints, labels: Ints, levels: int, rule: str) -> Net:
    """Return ``net`` with at most so many ``levels`` of each input, chosen on input ``codes`` (rows, inputs).

    ``labels`` (rows,) are class indices.  An input that says nothing keeps none where the rule is of information.
    Raises :class:`MlpressError` as :func:`check_cuts` does.
    """
    check_cuts(levels, rule)
    inputs = [
        replace(feature, levels=chosen_levels(codes[:, k], labels, feature.bits, levels, rule))
        for k, feature in enumerate(net.inputs)
    ]
    return replace(net, inputs=tuple(inputs))


def chosen_levels(codes: Ints, labels: Ints, bits: int, most: int, rule: str) -> tuple[int, ...]:
    """Return at most ``most`` levels, increasing, of a code of ``bits`` bits, where rows have ``codes`` and ``labels``.

    A code of 2**bits - 1 or fewer levels keeps them all where that is no more than ``most``.
    """
    top = (1 << bits) - 1
    match rule:
        case "uniform":
            found = {round(k * (top + 1) / (most + 1)) for k in range(1, most + 1)}
        case "quantiles":
            ordered = np.sort(codes)
            found = {int(ordered[len(codes) * k // (most + 1)]) for k in range(1, most + 1)}
        case _:
            found = _informative(codes, labels, top, most, described=rule == "mdl")
    return tuple(sorted(level for level in found if 1 <= level <= top))


def _informative(codes: Ints, labels: Ints, top: int, most: int, *, described: bool) -> set[int]:
    """Return levels by recursive entropy minimisation, the most informative first.

    Each splits the interval of codes that loses most entropy by it, weighed by its rows (U. M. Fayyad and K. B. Irani,
    "Multi-interval discretization of continuous-valued attributes for classification learning", IJCAI 1993).  Where
    ``described``, a split must gain more than the paper's minimum description length asks for.
    """
    counts = np.zeros((top + 1, int(labels.max()) + 1))
    np.add.at(counts, (codes, labels), 1.0)
    below = np.concatenate([np.zeros((1, counts.shape[1])), counts.cumsum(axis=0)])  # rows of codes under each level
    found: set[int] = set()
    waiting = [_best_split(below, 0, top + 1, described)]
    while len(found) < most and any(gain > 0 for gain, *_ in waiting):
        k = max(range(len(waiting)), key=lambda j: (waiting[j][0], -waiting[j][1]))
        _, low, level, high = waiting.pop(k)
        found.add(level)
        waiting += [_best_split(below, low, level, described), _best_split(below, level, high, described)]
    return found


def _best_split(below: NDArray[np.float64], low: int, high: int, described: bool) -> tuple[float, int, int, int]:
    """Return the bits gained by the best split of codes ``low`` to ``high - 1``, ``low``, the level, and ``high``.

    The gain is 0 where none is worth it.
    """
    if high - low < 2:
        return 0.0, low, low, high
    whole = below[high] - below[low]
    left = below[low + 1 : high] - below[low]
    right = whole - left
    gain = _bits(whole) - _bits(left) - _bits(right)
    best = int(gain.argmax())
    worth, rows = float(gain[best]), whole.sum()
    if described and rows > 1:
        kinds = [int(np.count_nonzero(part)) for part in (whole, left[best], right[best])]
        parts = [float(_bits(part)) / max(part.sum(), 1.0) for part in (whole, left[best], right[best])]
        spread = kinds[0] * parts[0] - kinds[1] * parts[1] - kinds[2] * parts[2]
        asked = np.log2(rows - 1) + np.log2(3.0 ** kinds[0] - 2) - spread
        worth = worth if worth > asked else 0.0
    level = low + 1 + best
    return (worth if worth > 1e-9 else 0.0), low, level, high


def _bits(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows times entropy of their classes, bits, of class ``counts`` (..., classes)."""
    rows = counts.sum(axis=-1, keepdims=True)
    share = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    logs = np.log2(share, out=np.zeros_like(share), where=share > 0)
    found: NDArray[np.float64] = -(counts * logs).sum(axis=-1)
    return found
