"""What the head makes of scores: C for the class index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mlpress.codegen.c.text import number
from mlpress.ir import BitRange


class Score(NamedTuple):
    """A candidate: the class that it stands for, and the C expression of its score."""

    number: int
    value: str


def largest_lines(scores: Sequence[Score], kind: str) -> list[str]:
    """Return the lines that return the class with the largest score, the first where several tie."""
    if len(scores) == 1:
        return [f"    return {scores[0].number};"]
    if len(scores) == 2:
        left, right = scores
        if left.value == right.value:
            return [f"    (void)({left.value});", f"    return {left.number};"]
        return [f"    return ({right.value} > {left.value}) ? {right.number} : {left.number};"]
    lines = [f"    {kind} best = {scores[0].value};", f"    int winner = {scores[0].number};"]
    for score in scores[1:-1]:
        lines.append(f"    if ({score.value} > best) {{ best = {score.value}; winner = {score.number}; }}")
    lines.append(f"    return ({scores[-1].value} > best) ? {scores[-1].number} : winner;")
    return lines


def tournament_lines(scores: Sequence[Score], windows: Sequence[BitRange], bits: int) -> list[str]:
    """Return the lines that play the knock-out tournament of :class:`mlpress.ir.Argmax` with inexact comparisons.

    ``bits`` (32 or 64) hold every score.
    """
    lines: list[str] = []
    players = [(str(score.number), score.value) for score in scores]
    played = 0
    while len(players) > 1:
        winners = []
        for left, right in zip(players[0::2], players[1::2], strict=False):
            window = windows[played]
            name = f"w{played}"
            played += 1
            if left[1] == right[1]:
                winners.append(left)
                continue
            lines += [
                f"    const uint{bits}_t {name}_right = {_key(right[1], window, bits)};",
                f"    const uint{bits}_t {name}_left = {_key(left[1], window, bits)};",
                f"    const int {name} = ({name}_right > {name}_left) ? 1 : 0;",
                f"    const int {name}_class = ({name} != 0) ? {right[0]} : {left[0]};",
                f"    const int{bits}_t {name}_score = ({name} != 0) ? {right[1]} : {left[1]};",
            ]
            winners.append((f"{name}_class", f"{name}_score"))
        if len(players) % 2:
            winners.append(players[-1])
        players = winners
    unused = [f"    (void)({players[0][1]});"] if played else []
    return [*lines, *unused, f"    return {players[0][0]};"]


def _key(value: str, window: BitRange, bits: int) -> str:
    """Return an unsigned expression that orders scores as the window sees them."""
    high = bits if window.high is None else min(window.high, bits)
    low = min(window.low, bits - 1)
    if window.low >= bits:
        high = bits  # only the sign is left
    word = f"(uint{bits}_t){value}"
    if high < bits:
        word = f"(uint{bits}_t)({word} << {bits - high})"
    flipped = f"({word} ^ UINT{bits}_C({number(1 << (bits - 1))}))"
    move = bits - high + low
    return f"({flipped} >> {move})" if move else flipped
