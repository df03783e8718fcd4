"""Mutations of bytes and of text: flips, cuts, numbers and words that parsers may trip over."""

from __future__ import annotations

import re
from random import Random

NUMBERS = (
    *("0", "-1", "1", "2", "255", "256", "65536", "2147483648", "4294967296", "9223372036854775807"),
    *("9223372036854775808", "18446744073709551616", "1e308", "1e999", "-1e-320", "nan", "inf", "-inf", "0.5"),
    *("00", "+1", "1_0", "0x10", "1e", "٤", "1" * 400),
)
WORDS = (
    "",
    "x9",
    "xa",
    "q2",
    "\x00",
    "\x1b[31m",
    "\ufeff",
    "\u202e",
    "é",
    "a" * 300,
    "__proto__",
    "../x",
    "$(x)",
    "'",
    '"',
)
TOKEN = re.compile(r"-?\d[\w.]*|\w+|[^\w\s]|\s+")


def mutate_bytes(rng: Random, data: bytes, other: bytes) -> bytes:
    """Flip, cut, double or swap in parts of ``other``."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(changed) + 1)
        length = min(int(rng.expovariate(1 / 8)) + 1, len(changed))
        match rng.randrange(6):
            case 0 if changed:
                changed[at % len(changed)] ^= 1 << rng.randrange(8)
            case 1 if changed:
                changed[at % len(changed)] = rng.choice((0, 1, 127, 128, 255, 10))
            case 2:
                del changed[at : at + length]
            case 3:
                changed[at:at] = changed[at : at + length]
            case 4 if other:
                begin = rng.randrange(len(other))
                changed[at : at + length] = other[begin : begin + length]
            case _:
                changed[at:at] = bytes(rng.randrange(256) for _ in range(min(length, 32)))
    return bytes(changed)


def mutate_text(rng: Random, data: bytes, other: bytes) -> bytes:
    """Change tokens: numbers and words, deletions, doublings, swaps, tokens of ``other``; seldom bytes."""
    if rng.random() < 0.1:
        return mutate_bytes(rng, data, other)
    tokens = TOKEN.findall(data.decode("utf-8", "surrogateescape"))
    if not tokens:
        return b"0"
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(tokens))
        match rng.randrange(8):
            case 0 | 1:
                tokens[at] = rng.choice(NUMBERS)
            case 2:
                tokens[at] = rng.choice(WORDS)
            case 3 if len(tokens) > 1:
                del tokens[at]
            case 4:
                end = at + rng.randrange(1, 12)
                tokens[at:at] = tokens[at:end]
            case 5:
                to = rng.randrange(len(tokens))
                tokens[at], tokens[to] = tokens[to], tokens[at]
            case 6:
                theirs = TOKEN.findall(other.decode("utf-8", "surrogateescape")) or ["0"]
                tokens[at] = rng.choice(theirs)
            case _:
                numbers = [k for k, token in enumerate(tokens) if token.lstrip("-").isdecimal() and len(token) < 15]
                if numbers:
                    k = rng.choice(numbers)
                    tokens[k] = str(int(tokens[k]) + rng.choice((-1, 1, 7, -100)))
    return "".join(tokens).encode("utf-8", "surrogateescape")
