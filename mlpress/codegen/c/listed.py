"""Sparse weights as lists of inputs: a neuron adds the inputs of one list and takes off those of another.

Weights are signed digits of powers of two (``ir.weight_terms``).  For every neuron, and for every power from its
highest to the lowest of its layer, the stream has a list of inputs to take off and one of inputs to add, each as its
length and the inputs' indices; the sum is doubled between powers (Horner's scheme).  Where a layer has several powers,
their number stands before the lists of each neuron.  Only weights that are not 0 take time and flash, and nothing is
multiplied.
"""

from __future__ import annotations

from typing import NamedTuple

from mlpress.codegen.c.matrix import Matrix
from mlpress.codegen.c.text import read
from mlpress.ir import weight_terms

BYTE_INDICES = 0xFF
"""Inputs at most whose indices, and lengths of lists, take a byte each."""

UNROLLED = (1, 2)
"""Indices that are read before the loop, where the length of a list has this bit; the loop reads four at a time."""


class Lists(NamedTuple):
    """The lists of a layer: ``rows`` has, per neuron and power, the indices to take off and those to add, in turn.

    Sums are in units of ``1 << fine``.  ``size`` are the bits of an index and of a length, 8 or 16.
    """

    rows: tuple[tuple[tuple[int, ...], ...], ...]
    fine: int
    size: int

    @property
    def powers(self) -> int:
        """Powers of two of a neuron at most."""
        return max(len(row) for row in self.rows) // 2

    def stream(self) -> list[int]:
        """Return the table's elements."""
        found: list[int] = []
        for row in self.rows:
            found += [len(row) // 2] if self.powers > 1 else []
            found += [value for one in row for value in (len(one), *one)]
        return found


def lists(matrix: Matrix) -> Lists:
    """Return the lists of ``matrix``."""
    digits = [
        [
            (term.shift, term.sign, source)
            for source, weight in enumerate(row)
            for term in weight_terms(weight, source, 1)
        ]
        for row in matrix.weights
    ]
    fine = min((shift for row in digits for shift, _, _ in row), default=0)
    rows = tuple(
        tuple(
            tuple(source for shift, sign, source in row if shift == power and sign == wanted)
            for power in range(max((shift for shift, _, _ in row), default=fine), fine - 1, -1)
            for wanted in (-1, 1)
        )
        for row in digits
    )
    return Lists(rows, fine, 8 if matrix.inputs <= BYTE_INDICES else 16)


def _list(element: str, word: str, source: str, sign: str) -> list[str]:
    """Return the lines that add the inputs of the list at ``w`` to ``sum``, or take them off, and move ``w`` on."""

    def added(count: int) -> list[str]:
        places = ["w", *(f"&w[{k}]" for k in range(1, count))]
        values = [f"({word}){source}[{read(element, place)}]" for place in places]
        return [
            *(f"    sum = ({word})(sum {sign} {value});" for value in values),
            "    ++w;" if count == 1 else f"    w += {count};",
        ]

    lines = [f"unsigned left = {read(element, 'w')};", "++w;"]
    for count in UNROLLED:
        lines += [f"if ((left & {count}u) != 0u) {{", *added(count), "}"]
    return [*lines, "for (left >>= 2; left != 0u; --left) {", *added(4), "    MLPRESS_KEEP(left);", "}"]


def powers_lines(made: Lists) -> list[str]:
    """Return the lines that read the powers of a neuron into ``powers``, where they are not one for all."""
    return [f"unsigned powers = {read(f'uint{made.size}_t', 'w')};", "++w;"] if made.powers > 1 else []


def listed_lines(made: Lists, word: str, kind: str, start: str) -> list[str]:
    """Return the lines that leave the sum of a neuron in ``sum``, and ``w`` at the next neuron's lists.

    ``start`` is the first of the inputs, of the C type ``kind``; ``word`` is the type of the sum.
    """
    element = f"uint{made.size}_t"
    body = [
        line for sign in ("-", "+") for line in ("{", *(f"    {one}" for one in _list(element, word, "p", sign)), "}")
    ]
    if made.powers > 1:
        body = [
            *powers_lines(made),
            "do {",
            f"    sum = ({word})(sum + sum);",
            *(f"    {line}" for line in body),
            "    --powers;",
            "} while (powers != 0u);",
        ]
    return [f"    const {kind} *p = {start};", f"    {word} sum = 0u;", *(f"    {line}" for line in body)]


def list_function(name: str, word: str, kind: str, element: str) -> list[str]:
    """Return the function that returns the sum of a neuron of so many ``powers``, and moves ``*at`` on."""
    return [
        f"static {word} {name}(const {kind} *x, const {element} **at, unsigned powers)",
        "{",
        f"    const {element} *w = *at;",
        f"    {word} sum = 0u;",
        "    unsigned lists = powers + powers;",
        "    do {",
        f"        sum = ({word})(0u - sum);",
        *(f"        {line}" for line in _list(element, word, "x", "+")),
        "        --lists;",
        f"        if ((lists & 1u) == 0u && lists != 0u) {{ sum = ({word})(sum + sum); }}",
        "    } while (lists != 0u);",
        "    *at = w;",
        "    return sum;",
        "}",
        "",
    ]
