"""Rows packed 64 per word, as the evolution reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlpress.errors import MlpressError
from mlpress.ir import Input, index_bits, input_bits
from mlpress.progress import counted
from mlpress.sim import packed

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

LANES = 8
"""The number of words is a multiple of this: a vector register of 512 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Input codes, int64 (rows, inputs), and the index of the right class, int64 (rows,).

    ``places``, float64 (rows, inputs), are ``feature * scale + offset``, which comparators with offsets read.
    """

    codes: Ints
    labels: Ints
    places: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Rows:
        """Return the rows with these indices, or where this mask holds."""
        return Rows(self.codes[rows], self.labels[rows], None if self.places is None else self.places[rows])


@dataclass(frozen=True, slots=True, eq=False)
class PackedRows:
    """``inputs`` uint64 (input bits, words), ``labels`` uint64 (output bits, words), ``valid`` uint64 (words,)."""

    rows: int
    inputs: Words
    labels: Words
    valid: Words

    @property
    def words(self) -> int:
        """Words of a signal."""
        return len(self.valid)


def check_rows(inputs: tuple[Input, ...], classes: int, rows: Rows) -> None:
    """Raise :class:`MlpressError` where the rows do not fit these inputs and so many classes."""
    top = np.array([(1 << feature.bits) - 1 for feature in inputs])
    if rows.codes.ndim != 2 or rows.codes.shape[1] != len(top):
        raise MlpressError(f"the rows have the shape {rows.codes.shape}; the circuit has {counted(len(top), 'input')}")
    if len(rows.labels) != len(rows.codes) or not len(rows.labels):
        raise MlpressError(
            f"{counted(len(rows.labels), 'label')} for {counted(len(rows.codes), 'row')}; each row needs its class"
        )
    if rows.codes.min() < 0 or (rows.codes > top).any():
        raise MlpressError("an input code is below 0 or beyond its bits; encode the rows with the circuit's inputs")
    if rows.labels.min() < 0 or rows.labels.max() >= classes:
        raise MlpressError(f"a label is outside 0..{classes - 1}, the indices of the classes")


def packed_order(rows: Rows) -> NDArray[np.intp]:
    """Return the row in each place of :func:`pack_rows`."""
    return np.lexsort((*(rows.codes[:, k] for k in range(rows.codes.shape[1])), rows.labels))


def pack_rows(inputs: tuple[Input, ...], classes: int, rows: Rows) -> PackedRows:
    """Pack the rows in an order that puts similar rows side by side: a change then touches few words."""
    order = packed_order(rows)
    return pack_bits(input_bits(inputs, rows.codes[order]), rows.labels[order], classes)


def pack_bits(bits: NDArray[np.bool_], labels: Ints, classes: int) -> PackedRows:
    """Pack rows with these input ``bits``, bool (input bits, rows), in their order."""
    words = LANES * -(-len(labels) // (64 * LANES))

    def wide(columns: NDArray[np.bool_]) -> Words:
        result = np.zeros((len(columns), words), np.uint64)
        narrow = packed.pack(columns)
        result[:, : narrow.shape[1]] = narrow
        return result

    wanted = np.array([labels >> b & 1 == 1 for b in range(index_bits(classes))])
    return PackedRows(len(labels), wide(bits), wide(wanted), wide(np.array([labels >= 0]))[0])


def held_out_folds(labels: Ints, folds: int, seed: int) -> NDArray[np.bool_]:
    """Draw the rows that each fold holds out, (folds, rows): every row once, each class by its share in every fold."""
    rng = np.random.default_rng((seed, 4))
    fold = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        fold[rng.permutation(rows)] = (np.arange(len(rows)) + label) % folds
    held: NDArray[np.bool_] = fold == np.arange(folds)[:, None]
    return held
