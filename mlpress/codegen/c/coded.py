"""Entropy-coded weights: a Rice code per weight, read bit by bit.

For flash, not for speed.  A weight ``w`` is the number ``2 * w`` or ``-2 * w - 1``; its high part stands in unary, ones
that a zero ends, and its low ``split`` bits follow, the highest first (R. F. Rice, "Some Practical Universal Noiseless
Coding Techniques", JPL Publication 79-22, 1979).
"""

from __future__ import annotations

from collections.abc import Sequence

from mlpress.codegen.c.matrix import Matrix
from mlpress.codegen.c.text import read


def rice(matrix: Matrix) -> tuple[int, list[int]]:
    """Return the ``split`` that makes the code of all weights, row by row, shortest, and that code as bytes."""
    folded = [2 * w if w >= 0 else -2 * w - 1 for row in matrix.weights for w in row]
    split = min(range(16), key=lambda k: sum((value >> k) + 1 + k for value in folded))
    bits: list[int] = []
    for value in folded:
        bits += [1] * (value >> split) + [0]
        bits += [value >> k & 1 for k in reversed(range(split))]
    bits += [0] * (-len(bits) % 8)
    return split, [sum(bit << k for k, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8)]


def sum_lines(kind: str, start: str, stop: str, place: str, split: str) -> list[str]:
    """Return the lines that leave in ``sum`` the products of a neuron's inputs.

    ``place`` is the C variable with the place of the next bit in the stream ``w``; the code's low part has ``split``
    bits.
    """
    return [
        f"    const {kind} *p = {start};",
        "    uint32_t sum = 0u;",
        "    do {",
        "        uint32_t folded = 0u;",
        f"        unsigned left = {split} + 1u;",
        "        do {",
        f"            const uint32_t here = {place};",
        f"            const uint32_t bit = ((uint32_t){read('uint8_t', '&w[here >> 3]')} >> (here & 7u)) & 1u;",
        f"            {place} = here + 1u;",
        f"            if (left <= {split}) {{",
        "                folded += folded + bit;",
        "                --left;",
        "            } else if (bit != 0u) {",
        "                ++folded;",
        "            } else {",
        "                --left;",
        "            }",
        "        } while (left != 0u);",
        "        sum += (uint32_t)*p * ((folded >> 1) ^ (0u - (folded & 1u)));",
        "        ++p;",
        f"    }} while (p != {stop});",
    ]


def sum_function(name: str, kinds: Sequence[str]) -> list[str]:
    """Return, for each C type of inputs, the function that returns a neuron's sum (see :func:`sum_lines`)."""
    lines: list[str] = []
    for kind in dict.fromkeys(kinds):
        inputs = f"const {kind} *x, const {kind} *stop"
        lines += [
            f"static uint32_t {name}_{kind}({inputs}, const uint8_t *w, uint32_t *at, unsigned split)",
            "{",
            *sum_lines(kind, "x", "stop", "*at", "split"),
            "    return sum;",
            "}",
            "",
        ]
    return lines
