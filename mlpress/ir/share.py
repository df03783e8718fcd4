"""Sub-sums that several sums share.

Weights become signed powers of two, and pairs of such terms that stand in several sums become sums of their own, as
in the multiple constant multiplication of R. I. Hartley ("Subexpression sharing in filters using canonic signed digit
multipliers", IEEE TCAS-II 43(10), 1996).  Three things are chosen together, by a search that counts the adders of
the bit heaps: the pairs, which of its shortest signed-digit forms each weight takes, and, where only the differences
of the sums matter, a common weight that is taken off every sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlpress.ir.digits import digit_count, signed_digit_forms, signed_digits

if TYPE_CHECKING:
    from mlpress.ir.share_search import Sharing

FORMS = 12
"""Signed-digit forms of a weight that the search may choose from."""

MOVES = 12
"""Common weights of a source that it may choose from, beside those of each sum and none."""

MOVED_ROWS = 64
"""Sums at most whose common weights are searched."""

NEAR = 1 << 15
"""Weights at most that a source's common weights are chosen from, times the sums."""

STEPS, WORK = 10_000, 40_000_000
"""Most steps of a search, and its steps times the pairs of terms that it looks at."""

BLOCK_PAIRS, BLOCK_SOURCES = 200_000, 128
"""Terms that stand together in a search: more sources are searched in several blocks."""

BEHIND, IDLE = 88, 80
"""Tenths of a NAND gate: what stands behind each column of the widest score, a comparator and a choice for each but
one of them; and what of it a score that is constant saves."""

SAFE = 1 << 48
"""Weighted sums and constants beyond it are not searched; the search computes in int64."""


class Operand(NamedTuple):
    """``sign * ((value & mask) << shift)``.

    ``value`` is an index into a plan's values; a ``mask`` of ``-1`` takes all of its bits.
    """

    value: int
    mask: int
    shift: int
    sign: int


class Source(NamedTuple):
    """What sums read: ``value & mask``, at most ``high``."""

    value: int
    mask: int
    high: int


Row = Mapping[Source, int]
"""A sum: the weight of each source."""

Sum = tuple[tuple[Operand, ...], int]
"""Operands and a constant."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Sums in terms of sources and of each other.

    ``pairs`` are sums of two operands and a constant, which keeps them from being negative, and ``rows`` the sums of
    the problem, less the common form, each as operands and a constant.  An operand's ``value`` is that of its source
    or, from ``first`` on, the pair ``value - first``.  ``forms`` are the rows in terms of the sources alone.
    """

    first: int
    pairs: tuple[Sum, ...]
    rows: tuple[Sum, ...]
    forms: tuple[Sum, ...]


def _plain(rows: Sequence[tuple[Row, int]]) -> tuple[Sum, ...]:
    """Plan every sum on its own, its weights in canonical signed digits."""
    return tuple((tuple(sorted(_digits(row))), constant) for row, constant in rows)


def _digits(row: Row) -> list[Operand]:
    return [
        Operand(source.value, source.mask, exponent, sign)
        for source, weight in row.items()
        for sign, exponent in signed_digits(weight)
    ]


def share(rows: Sequence[tuple[Row, int]], unread: Sequence[int], first: int, *, move: bool = False) -> Shared:
    """Plan the sums of ``rows`` (weights, constant) with what they share.

    ``unread`` says how many low bits of each sum nothing reads; ``first`` is the number of the first pair.  With
    ``move`` the sums are scores of which only the largest counts: all lose a common form.
    """
    sources = sorted({source for row, _ in rows for source in row})
    reach = max((abs(w) * source.high for row, _ in rows for source, w in row.items()), default=0) * len(sources)
    if reach == 0 or reach > SAFE or max(abs(constant) for _, constant in rows) > SAFE:
        return Shared(first, (), _plain(rows), _plain(rows))
    move = move and 1 < len(rows) <= MOVED_ROWS
    blocks = _blocks(rows, sources)
    made = _Made(first, [], [[] for _ in rows], [constant for _, constant in rows], {})
    for block in blocks:
        made.add(_Problem.of(rows, block, move), unread, WORK // len(blocks))
    base = _base(made.rows, made.constants) if move else 0
    constants = [constant - base for constant in made.constants]
    forms = [({s: row.get(s, 0) - made.common[s] for s in sources}, constant - base) for row, constant in rows]
    sums = tuple((tuple(sorted(row)), constant) for row, constant in zip(made.rows, constants, strict=True))
    return Shared(first, tuple(made.pairs), sums, _plain(forms))


@dataclass(frozen=True, slots=True)
class _Made:
    """What the searches of all blocks found."""

    first: int
    pairs: list[Sum]
    rows: list[list[Operand]]
    constants: list[int]
    common: dict[Source, int]

    def add(self, problem: _Problem, unread: Sequence[int], work: int) -> None:
        """Search one block of sources."""
        found = problem.search(self.constants, unread, work)
        sources = problem.sources
        base = self.first + len(self.pairs) - len(sources)

        def operand(word: int, shift: int, sign: int) -> Operand:
            if word < len(sources):
                return Operand(sources[word].value, sources[word].mask, shift, sign)
            return Operand(base + word, -1, shift, sign)

        for one, other, low, high, sign in found.pairs[len(sources) :].tolist():
            constant = 0 if sign > 0 else int(found.words[other, 0]) << high
            self.pairs.append(((operand(one, low, 1), operand(other, high, sign)), constant))
        for r, word, shift, sign in found.terms.tolist():
            self.rows[r].append(operand(word, shift, sign))
            self.constants[r] -= sign * int(found.words[word, 2]) << shift
        for s, choice in enumerate(found.common.tolist()):
            self.common[sources[s]] = problem.choices[s][choice]


def _base(rows: Sequence[Sequence[Operand]], constants: Sequence[int]) -> int:
    """Return what to take off all constants: a score that is constant becomes 0, or -1 where it stands left in its
    comparison, so that the comparison is the sign of the other."""
    for k, (row, constant) in enumerate(zip(rows, constants, strict=True)):
        if not row:
            return constant + (k % 2 == 0 and k + 1 < len(rows))
    return min(constants)


def _blocks(rows: Sequence[tuple[Row, int]], sources: Sequence[Source]) -> list[list[Source]]:
    """Split the sources into groups that a search can handle."""
    blocks: list[list[Source]] = [[]]
    sizes = [0] * len(rows)
    for source in sources:
        added = [digit_count(row.get(source, 0)) for row, _ in rows]
        sizes = [size + more for size, more in zip(sizes, added, strict=True)]
        if blocks[-1] and (len(blocks[-1]) == BLOCK_SOURCES or sum(size * size for size in sizes) > BLOCK_PAIRS):
            blocks.append([])
            sizes = added
        blocks[-1].append(source)
    return blocks


@dataclass(frozen=True, slots=True)
class _Problem:
    """Rows and sources as the arrays that the search reads."""

    weights: list[list[list[int]]]
    choices: list[list[int]]
    sources: list[Source]
    move: bool

    @classmethod
    def of(cls, rows: Sequence[tuple[Row, int]], sources: list[Source], move: bool) -> _Problem:
        columns = [[row.get(source, 0) for row, _ in rows] for source in sources]
        choices = [_common_weights(column) if move else [0] for column in columns]
        weights = [
            [[weight - common for common in chosen] for weight in column]
            for column, chosen in zip(columns, choices, strict=True)
        ]
        return cls(weights, choices, sources, move)

    def search(self, constants: Sequence[int], unread: Sequence[int], work: int) -> Sharing:
        from mlpress.ir.share_search import best_sharing

        numbers: dict[int, int] = {}
        widest = max(map(len, self.choices))
        table = np.zeros((len(constants), len(self.sources), widest), np.int64)
        for s, rows in enumerate(self.weights):
            for r, row in enumerate(rows):
                table[r, s, : len(row)] = [numbers.setdefault(weight, len(numbers)) for weight in row]
        values: list[tuple[int, int, int]] = []
        forms: list[tuple[int, int]] = []
        digits: list[tuple[int, int]] = []
        for weight in numbers:
            known = signed_digit_forms(weight, FORMS)
            values.append((weight, len(forms), len(known)))
            for form in known:
                forms.append((len(digits), len(form)))
                digits += [(exponent, sign) for sign, exponent in form]
        start = [min(range(len(c)), key=lambda k: self._size(s, k)) for s, c in enumerate(self.choices)]
        pairs = sum(sum(self._size(s, k, r) for s, k in enumerate(start)) ** 2 for r in range(len(constants))) // 2
        return best_sharing(
            table,
            np.array([len(c) for c in self.choices]),
            np.array(start),
            np.array(values),
            np.array(forms),
            np.array(digits, np.int64).reshape(-1, 2),
            np.array(constants),
            np.array(unread),
            np.array([(_columns(source), source.high) for source in self.sources]),
            per_column=BEHIND * (len(constants) - 1) if self.move else 0,
            idle=IDLE if self.move else 0,
            steps=min(STEPS, work // max(1, pairs)),
        )

    def _size(self, s: int, choice: int, row: int | None = None) -> int:
        rows = self.weights[s] if row is None else [self.weights[s][row]]
        return sum(digit_count(weights[choice]) for weights in rows)


def _columns(source: Source) -> int:
    return source.mask & ((1 << source.high.bit_length()) - 1)


def _common_weights(column: Sequence[int]) -> list[int]:
    """Return what may be taken off all weights of a source: each of them, nothing, and what leaves the fewest
    digits."""
    fixed = [*column, 0]
    span = range(min(fixed), max(fixed) + 1)
    near = span if len(span) * len(column) <= NEAR else sorted(set(fixed))
    best = sorted(near, key=lambda v: (sum(digit_count(weight - v) for weight in column), abs(v), v))
    return fixed + [common for common in best[:MOVES] if common not in fixed]
