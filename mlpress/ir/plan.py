"""The exact arithmetic plan of a net: what the circuit adds, shares and compares.

A plan is a list of values, each made from earlier ones.  It computes the same function as its net and differs
where that is cheaper:

* weights are recoded as canonical signed digits, sources that are constant are folded into the bias;
* equal sums are one value, and pairs of operands that several sums share are sums of their own;
* under an exact argmax the scores are moved by a common linear form, which changes no class and removes digits (of
  two classes one difference is left), and classes that can never win are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mlpress.ir.digits import signed_digits
from mlpress.ir.interval import (
    Interval,
    activate,
    bits_interval,
    input_intervals,
    intervals,
    signed_bits,
    unsigned_bits,
)
from mlpress.ir.net import Activation, Argmax, BitRange, Head, Input, Layer, Net, Neuron, Scores, Threshold
from mlpress.ir.share import Operand, Pair, best_pair, replace_pair

LEAST_GAIN = 2
"""Full adders that a shared pair must save to be worth its own half adder and wires."""


@dataclass(frozen=True, slots=True)
class Code:
    """An input port's value."""

    name: str
    interval: Interval


@dataclass(frozen=True, slots=True)
class Sum:
    """``constant + sum of operands``: one bit heap."""

    name: str
    operands: tuple[Operand, ...]
    constant: int
    interval: Interval

    @property
    def width(self) -> int:
        """Bits of the sum: two's complement where it can be negative."""
        low, high = self.interval
        return signed_bits(low, high) if low < 0 else unsigned_bits(high)


@dataclass(frozen=True, slots=True)
class Output:
    """A neuron's unsigned output: ``activation`` of the sum at index ``source``."""

    name: str
    source: int
    activation: Activation
    interval: Interval

    @property
    def width(self) -> int:
        """Bits of the output; what it can't reach is not built."""
        return unsigned_bits(self.interval.high)


Value = Code | Sum | Output


@dataclass(frozen=True, slots=True)
class Tournament:
    """The arg-max over ``candidates`` (class index, value index), in the rounds of :class:`mlpress.ir.Argmax`.

    ``windows`` is empty where every comparison is exact.
    """

    candidates: tuple[tuple[int, int], ...]
    windows: tuple[BitRange, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Class 1 where the value at index ``value`` is at least ``at``."""

    value: int
    at: int


@dataclass(frozen=True, slots=True)
class Raws:
    """The values at these indices are the outputs."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The arithmetic of a whole classifier: ``values`` in order of use, and what the head does with them."""

    inputs: tuple[Input, ...]
    values: tuple[Value, ...]
    head: Tournament | AtLeast | Raws
    classes: tuple[int | str, ...]

    @property
    def sums(self) -> tuple[Sum, ...]:
        """The bit heaps, in order."""
        return tuple(value for value in self.values if isinstance(value, Sum))


Row = dict[tuple[int, int], int]
"""A sum before it is recoded: the weight of each (value index, mask)."""


@dataclass(slots=True)
class _Maker:
    values: list[Value] = field(default_factory=list)
    sums: dict[tuple[tuple[Operand, ...], int], int] = field(default_factory=dict)

    def add(self, value: Value) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def interval(self, operands: Sequence[Operand], constant: int) -> Interval:
        """The range of a sum; operands on the same unsigned value are taken together, bit by bit."""
        low = high = constant
        weights: dict[int, list[int]] = {}
        for operand in operands:
            source = self.values[operand.value].interval
            if source.low < 0:
                ends = [operand.sign * (end << operand.shift) for end in source]
                low, high = low + min(ends), high + max(ends)
                continue
            bits = weights.setdefault(operand.value, [0] * source.high.bit_length())
            for k in range(len(bits)):
                bits[k] += (operand.mask >> k & 1) * (operand.sign << (operand.shift + k))
        for value, bits in weights.items():
            part = bits_interval(bits, self.values[value].interval)
            low, high = low + part.low, high + part.high
        return Interval(low, high)

    def sum(self, name: str, operands: Sequence[Operand], constant: int, known: Interval | None = None) -> int:
        """The index of this sum: an equal earlier one, or a new one.  ``known`` is a range found by other means."""
        key = (tuple(sorted(operands)), constant)
        if key not in self.sums:
            found = self.interval(key[0], constant)
            if known is not None:
                found = Interval(max(found.low, known.low), min(found.high, known.high))
            self.sums[key] = self.add(Sum(name, *key, found))
        return self.sums[key]

    def row(self, neuron: Neuron, sources: Sequence[int]) -> tuple[Row, int]:
        """The weights of ``neuron`` over value indices, and its constant; constant sources are folded."""
        row: Row = {}
        constant = neuron.bias
        for term in neuron.terms:
            low, high = self.values[sources[term.source]].interval
            weight = term.sign << term.shift
            mask = term.mask & ((1 << high.bit_length()) - 1)
            if low == high:
                constant += weight * (low & mask)
            elif mask:
                key = (sources[term.source], mask)
                row[key] = row.get(key, 0) + weight
        return row, constant

    def layer(self, index: int, layer: Layer, known: Sequence[Interval], sources: Sequence[int]) -> list[int]:
        """The outputs of a hidden layer, as value indices; ``known`` are the ranges of its sums."""
        sums = self.shared(f"h{index}", [self.row(neuron, sources) for neuron in layer.neurons], known)
        outputs = []
        for k, (source, neuron) in enumerate(zip(sums, layer.neurons, strict=True)):
            total = self.values[source].interval
            outputs.append(self.add(Output(f"h{index}_{k}", source, neuron.activation, _outputs(neuron, total))))
        return outputs

    def shared(self, name: str, rows: Sequence[tuple[Row, int]], known: Sequence[Interval] | None = None) -> list[int]:
        """One sum a row, with the pairs that they share as sums of their own."""
        operands = [_digits(row) for row, _ in rows]
        ranges = known or [self.interval(row, constant) for row, (_, constant) in zip(operands, rows, strict=True)]
        count = 0
        while (pair := best_pair(operands, self._saved_bits, LEAST_GAIN)) is not None:
            index = self.sum(f"{name}_shared{count}", pair, 0)
            operands = [replace_pair(row, pair, index) for row in operands]
            count += 1
        return [
            self.sum(f"{name}_{k}_sum", row, constant, found)
            for k, (row, (_, constant), found) in enumerate(zip(operands, rows, ranges, strict=True))
        ]

    def _bits(self, operand: Operand) -> int:
        source = self.values[operand.value]
        if isinstance(source, Sum):
            return source.width
        return (operand.mask & ((1 << source.interval.high.bit_length()) - 1)).bit_count()

    def _saved_bits(self, pair: Pair) -> int:
        low, high = self.interval(pair, 0)
        width = signed_bits(low, high) if low < 0 else unsigned_bits(high)
        return self._bits(pair.first) + self._bits(pair.second) - width


def plans(net: Net) -> list[Plan]:
    """Exact plans of a verified ``net`` that are worth comparing, one for each way to move its scores."""
    maker = _Maker()
    sources = [maker.add(Code(f"x{k}", interval)) for k, interval in enumerate(input_intervals(net))]
    *hidden, (scored, known) = zip(net.layers, intervals(net), strict=True)
    for index, (layer, found) in enumerate(hidden):
        sources = maker.layer(index, layer, found.sums, sources)
    rows = [maker.row(neuron, sources) for neuron in scored.neurons]
    if isinstance(net.head, Argmax) and not net.head.ranges:
        candidates = _contenders(known.sums)
        rows = [rows[k] for k in candidates]
        return [_moved_plan(net, maker, rows, candidates, moved) for moved in (None, *range(len(candidates)))]
    sums = maker.shared("s", rows, known.sums)
    return [Plan(net.inputs, tuple(maker.values), _head(net.head, sums), net.classes)]


def _moved_plan(
    net: Net, maker: _Maker, rows: Sequence[tuple[Row, int]], candidates: Sequence[int], moved: int | None
) -> Plan:
    own = _Maker(list(maker.values), dict(maker.sums))
    sums = own.shared("s", _moved(rows, moved))
    head = Tournament(tuple(zip(candidates, sums, strict=True)), ())
    return Plan(net.inputs, tuple(own.values), head, net.classes)


def _head(head: Head, sums: Sequence[int]) -> Tournament | AtLeast | Raws:
    match head:
        case Argmax(ranges=windows):
            return Tournament(tuple(enumerate(sums)), windows)
        case Threshold(at=at):
            return AtLeast(sums[0], at)
        case Scores():
            return Raws(tuple(sums))


def _digits(row: Row) -> list[Operand]:
    return sorted(
        Operand(value, mask, exponent, sign)
        for (value, mask), weight in row.items()
        for sign, exponent in signed_digits(weight)
    )


def _outputs(neuron: Neuron, total: Interval) -> Interval:
    return Interval(activate(neuron.activation, total.low), activate(neuron.activation, total.high))


def _contenders(ranges: Sequence[Interval]) -> list[int]:
    """The classes that can win: none whose largest score never beats the smallest score of another."""
    floor = max(interval.low for interval in ranges)
    first = next(k for k, interval in enumerate(ranges) if interval.low == floor)
    return [
        k
        for k, interval in enumerate(ranges)
        if k == first or interval.high > floor or (interval.high == floor and k < first)
    ]


def _moved(rows: Sequence[tuple[Row, int]], moved: int | None) -> list[tuple[Row, int]]:
    """The rows less a common row, which is that of one class or the one that leaves the fewest digits."""
    keys = sorted({key for row, _ in rows for key in row})
    common: Row = {}
    for key in keys:
        weights = [row.get(key, 0) for row, _ in rows]
        common[key] = weights[moved] if moved is not None else _fewest_digits(weights)
    constants = [constant for _, constant in rows]
    base = constants[moved] if moved is not None else min(constants)
    return [
        ({key: row.get(key, 0) - common[key] for key in keys if row.get(key, 0) != common[key]}, constant - base)
        for row, constant in rows
    ]


def _fewest_digits(weights: Sequence[int]) -> int:
    """The integer whose subtraction leaves the fewest signed digits in ``weights``; of those the nearest to 0."""
    span = max(weights) - min(weights)
    near = range(min(0, *weights), max(0, *weights) + 1) if span < 4096 else sorted({0, *weights})
    return min(near, key=lambda v: (sum(len(signed_digits(weight - v)) for weight in weights), abs(v), v))
