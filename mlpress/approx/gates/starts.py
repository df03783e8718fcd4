"""Starts of the evolution: fixed circuits, and circuits that are fitted anew to the rows of each fold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from mlpress.approx.gates.rows import Rows
from mlpress.approx.integer.train import train
from mlpress.approx.integer.training import Training
from mlpress.ir import (
    Circuit,
    CircuitBuilder,
    Input,
    Interface,
    Net,
    bit_blast,
    index_bits,
    interpret,
    interpret_circuit,
    to_text,
    unary,
    unary_circuit,
)

ROW_VISITS = 200_000
"""A training sees about this many rows, within :data:`EPOCHS` passes over them."""

EPOCHS = (60, 300)

TRIES = 3
"""So many trainings are tried, and the best on its own rows is taken: a few get stuck."""

MOST_WORK = 1e9
"""Rows seen times connections over all tries: large networks are trained fewer times."""

AS_GOOD = 0.02
"""A substitute stands in for a circuit where it is at most so much less accurate on the rows that it learned from."""


class Start(Protocol):
    """Makes a first circuit for rows."""

    @property
    def name(self) -> str:
        """The name that the user reads."""
        ...

    @property
    def key(self) -> str:
        """A text of all that decides the circuit, but for rows and seed."""
        ...

    def make(self, rows: Rows, seed: int, *, part: bool = False) -> Circuit:
        """Make a classifier for ``rows``, where ``part`` is set only a part of all; equal arguments, equal circuits."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FixedStart:
    """The same circuit for all rows.

    It may have been fitted to rows that a fold holds out, and would bias the fold's accuracy upwards; so archives that
    do not see all rows start from what ``fold_substitute`` makes in its place, where that is given and where it is
    about as accurate on the rows that it learned from (:data:`AS_GOOD`): a failed training says nothing of the circuit.
    """

    name: str
    circuit: Circuit
    fold_substitute: Start | None = None

    @property
    def key(self) -> str:
        """Name and digest of the circuit, and the key of its substitute."""
        substitute = "" if self.fold_substitute is None else self.fold_substitute.key
        return f"{self.name} {sha256(to_text(self.circuit).encode()).hexdigest()} {substitute}"

    def make(self, rows: Rows, seed: int, *, part: bool = False) -> Circuit:
        """Return the circuit, or for ``part`` of the rows what ``fold_substitute`` makes."""
        if not part or self.fold_substitute is None:
            return self.circuit
        other = self.fold_substitute.make(rows, seed)
        return other if _accuracy(other, rows) >= _accuracy(self.circuit, rows) - AS_GOOD else self.circuit


@dataclass(frozen=True, slots=True)
class Trained:
    """A net with the inputs, head and classes of ``like``, trained on the rows with ``hidden`` neurons per layer.

    It receives codes by ``interface`` and is the best of ``tries`` trainings.  Equal starts are trained once for the
    same rows and seed.
    """

    like: Net
    hidden: tuple[int, ...]
    tries: int = TRIES
    interface: Interface = "binary"

    @property
    def name(self) -> str:
        """Its topology."""
        sizes = (len(self.like.inputs), *self.hidden, len(self.like.layers[-1].neurons))
        return "trained " + "-".join(str(size) for size in sizes)

    @property
    def key(self) -> str:
        """A text of all that decides the circuit, but for rows and seed."""
        return f"{self.name} {sha256(to_text(self.like).encode()).hexdigest()} {self.tries} {self.interface}"

    def make(self, rows: Rows, seed: int, *, part: bool = False) -> Circuit:
        """Return the exact circuit of a net of signed powers of two."""
        return _trained_circuit(self, rows, seed)

    def net(self, rows: Rows, seed: int) -> Net:
        """Train a few nets; return the one that decides most of ``rows`` rightly."""
        epochs = min(max(ROW_VISITS // len(rows), EPOCHS[0]), EPOCHS[1])
        sizes = (len(self.like.inputs), *self.hidden, len(self.like.layers[-1].neurons))
        work = epochs * len(rows) * sum(a * b for a, b in pairwise(sizes))
        tries = min(max(int(MOST_WORK / work), 1), self.tries)
        trainings = (Training(self.hidden, seed=seed + k, epochs=epochs) for k in range(tries))
        nets = [train(rows.codes, rows.labels, self.like, how) for how in trainings]
        return max(nets, key=lambda net: float(np.mean(interpret(net, rows.codes).decision == rows.labels)))


@lru_cache(maxsize=16)
def _trained_circuit(start: Trained, rows: Rows, seed: int) -> Circuit:
    """Return the circuit of a start, trained once: an archive's rows stay the same object from round to round."""
    net = start.net(rows, seed)
    if start.interface == "unary" and any(feature.levels is not None for feature in net.inputs):
        return unary_circuit(net)  # levels that are no even grid have dear encoders
    circuit = bit_blast(net)
    return unary(circuit) if start.interface == "unary" else circuit


@dataclass(frozen=True, slots=True)
class Tree:
    """A decision tree with at most ``leaves`` leaves, fitted by scikit-learn."""

    inputs: tuple[Input, ...]
    classes: tuple[int | str, ...]
    leaves: int

    @property
    def name(self) -> str:
        """Its size."""
        return f"tree of {self.leaves} leaves"

    @property
    def key(self) -> str:
        """A text of all that decides the circuit, but for rows and seed."""
        return repr(self)

    def make(self, rows: Rows, seed: int, *, part: bool = False) -> Circuit:
        """Fit a tree; return its comparisons of codes with constants, and a choice of class bits at each split."""
        from sklearn.tree import DecisionTreeClassifier

        fitted = DecisionTreeClassifier(max_leaf_nodes=self.leaves, random_state=seed).fit(rows.codes, rows.labels)
        return tree_circuit(fitted, self.inputs, self.classes)


def _accuracy(circuit: Circuit, rows: Rows) -> float:
    return float(np.mean(interpret_circuit(circuit, rows.codes).decision == rows.labels))


def tree_circuit(fitted: Any, inputs: tuple[Input, ...], classes: tuple[int | str, ...]) -> Circuit:
    """Return the circuit of a decision tree that scikit-learn fitted to input codes and class indices."""
    tree, builder, bits = fitted.tree_, CircuitBuilder(inputs), index_bits(len(classes))
    words: dict[int, list[int]] = {}
    for node in range(tree.node_count - 1, -1, -1):  # children have higher numbers than their parent
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            label = int(fitted.classes_[np.argmax(tree.value[node])])
            words[node] = [label >> bit & 1 for bit in range(bits)]
            continue
        least = int(np.floor(tree.threshold[node])) + 1
        above = reaches(builder, inputs, int(tree.feature[node]), least)
        words[node] = [
            builder.choose(above, high, low) for high, low in zip(words.pop(right), words.pop(left), strict=True)
        ]
    return builder.circuit([tuple(words[0])], classes)


def reaches(builder: CircuitBuilder, inputs: tuple[Input, ...], number: int, least: int) -> int:
    """Return whether the code of input ``number`` is ``least`` or more: of a unary input that is one level."""
    feature, bits = inputs[number], builder.input(number)
    if feature.interface == "binary":
        return at_least(builder, bits, least)
    if least <= 0:
        return 1
    return next((bit for level, bit in zip(feature.reached, bits, strict=True) if level >= least), 0)


def at_least(builder: CircuitBuilder, bits: list[int], least: int) -> int:
    """Return whether the unsigned number ``bits`` (the least significant first) is ``least`` or more."""
    if least <= 0:
        return 1
    if least >> len(bits):
        return 0
    above = 0
    for k, bit in enumerate(bits):  # above: the bits so far are more than those of ``least - 1``
        above = builder.both(bit, above) if least - 1 >> k & 1 else builder.either(bit, above)
    return above
