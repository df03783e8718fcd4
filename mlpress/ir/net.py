"""The integer level: a network of signed, masked, shifted sums of small unsigned integers.

One element says it all.  A neuron is ``bias + sum of terms``; a term is
``sign * ((x[source] & mask) << shift)``.  ``docs/ir.md`` is the specification; :func:`mlpress.ir.verify`
enforces it and :func:`mlpress.ir.interpret` is its meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from mlpress.notebook import table_html

Interface = Literal["binary", "unary"]
"""How a circuit receives a code: as its bits, or as one bit per level, which says whether the code reaches it."""


@dataclass(frozen=True, slots=True)
class Term:
    """``sign * ((x[source] & mask) << shift)``, with ``x`` the outputs of the layer before."""

    source: int
    sign: Literal[-1, 1]
    shift: int
    mask: int


@dataclass(frozen=True, slots=True)
class QRelu:
    """``clip(sum >> shift, 0, 2**bits - 1)``: ReLU with truncation and saturation."""

    shift: int
    bits: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """The number of ``thresholds`` that the sum reaches (``sum >= t``): any monotone activation.

    Thresholds never decrease; a repeated threshold is a step of more than one.
    """

    thresholds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Raw:
    """The sum itself: the only activation of the last layer, and of no other."""


Activation = QRelu | Ladder | Raw


@dataclass(frozen=True, slots=True)
class Neuron:
    """``activation(bias + sum of terms)``."""

    bias: int
    terms: tuple[Term, ...]
    activation: Activation


@dataclass(frozen=True, slots=True)
class Layer:
    """Neurons that all read the layer before."""

    neurons: tuple[Neuron, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """How one real feature becomes an unsigned integer of ``bits`` bits.

    ``q = clip(round(x * scale + offset), 0, 2**bits - 1)`` in float64, where ``round`` is ``floor`` or, for
    ``rounding="even"``, round half to even.  With ``levels`` (a pruned flash converter) the code is the
    largest kept level that ``q`` reaches, or 0; levels increase strictly within 1 .. 2**bits - 1.

    A circuit receives the code by its ``interface``: ``binary``, its bits, or ``unary``, one bit per level in
    :attr:`reached`, the lowest first, which is 1 where the code is that level or more.

    ``missing`` is what a feature that is missing (NaN) is taken for; ``None``: none may be.
    """

    name: str
    bits: int
    scale: float
    offset: float
    rounding: Literal["floor", "even"] = "floor"
    levels: tuple[int, ...] | None = None
    interface: Interface = "binary"
    missing: float | None = None

    @property
    def reached(self) -> Sequence[int]:
        """The levels that a code can reach, the lowest first: the kept ones, or 1 .. 2**bits - 1."""
        return range(1, 1 << self.bits) if self.levels is None else self.levels

    @property
    def width(self) -> int:
        """Bits in which a circuit receives the code."""
        return self.bits if self.interface == "binary" else len(self.reached)


@dataclass(frozen=True, slots=True)
class BitRange:
    """What one comparison sees of a signed score: bits ``low`` to ``high - 1``, sign-extended from bit ``high - 1``.

    ``high=None`` sees everything from ``low`` up (``score >> low``).
    """

    low: int = 0
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Argmax:
    """The class with the largest score; a tie goes to the lowest index.

    A knock-out tournament of neighbours: a round compares candidates (0, 1), (2, 3), ...; an odd last one
    passes; the right one wins where what the comparison sees of it is strictly greater.  ``ranges`` holds
    one :class:`BitRange` per comparison, in the order played (classes - 1 of them), or is empty: all exact.
    """

    ranges: tuple[BitRange, ...] = ()


@dataclass(frozen=True, slots=True)
class Threshold:
    """Two classes from one score: class 1 where ``score >= at``, else class 0."""

    at: int = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """Regression: every score is an output; the real value is ``score * scale[i] + offset[i]``."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]


Head = Argmax | Threshold | Scores


@dataclass(frozen=True, slots=True)
class Net:
    """Inputs, dense layers over unsigned integers, and a head.

    ``classes`` names what the head's integer stands for; it is empty for :class:`Scores`.
    """

    inputs: tuple[Input, ...]
    layers: tuple[Layer, ...]
    head: Head
    classes: tuple[int | str, ...]

    level: ClassVar[str] = "net"

    def __repr__(self) -> str:
        shape = "-".join(str(len(part)) for part in (self.inputs, *(layer.neurons for layer in self.layers)))
        return f"Net({shape}, {self.terms} terms, {len(self.classes)} classes)"

    def _repr_html_(self) -> str:
        rows = [
            {
                "layer": k,
                "neurons": len(layer.neurons),
                "terms": sum(len(neuron.terms) for neuron in layer.neurons),
                "activation": type(layer.neurons[0].activation).__name__ if layer.neurons else "",
            }
            for k, layer in enumerate(self.layers)
        ]
        return table_html(repr(self), rows)

    @property
    def scores(self) -> Scores | None:
        """What a regression's scores stand for; ``None`` for a classifier."""
        return self.head if isinstance(self.head, Scores) else None

    @property
    def ports(self) -> tuple[str, ...]:
        """The output ports: ``y``, or ``y0``, ``y1``, ... for scores."""
        return output_ports(self.scores)

    @property
    def terms(self) -> int:
        """Terms of all neurons together."""
        return sum(len(neuron.terms) for layer in self.layers for neuron in layer.neurons)

    @property
    def product_bits(self) -> int:
        """Bits of all products, before any are shared: the size, found at no cost."""
        return sum(term.mask.bit_count() for layer in self.layers for neuron in layer.neurons for term in neuron.terms)


def port_name(index: int) -> str:
    """Return the name of the port, and of the code, of input ``index``: ``x0``, ``x1``, ..."""
    return f"x{index}"


def level_port(index: int, level: int) -> str:
    """Return the name of the port that says whether input ``index`` reaches ``level``: ``x3_ge5``."""
    return f"{port_name(index)}_ge{level}"


def output_ports(scores: Scores | None) -> tuple[str, ...]:
    """Return the names of the output ports: ``y`` of a class index, ``y0``, ``y1``, ... of ``scores``."""
    return ("y",) if scores is None else tuple(f"y{k}" for k in range(len(scores.scale)))
