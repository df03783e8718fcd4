"""The exact arithmetic plan of a net: what the circuit adds, shares and compares.

A plan is a list of values, each made from earlier ones.  It computes the same function as its net and differs
where that is cheaper:

* weights are recoded as signed digits, sources that are constant are folded into the bias;
* equal sums are one value, and pairs of operands that several sums share are sums of their own;
* a long ladder whose thresholds lie on a line is a multiplication of the sum by a constant, a shift and a clip;
* a sum that is only compared is moved so that a comparison is with zero: its sign;
* under an exact argmax the scores are moved by a common linear form, which changes no class and removes digits (of
  two classes one difference is left), and classes that can never win are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from mlpress.ir.ladder import LONG, Clamp, reached, straight
from mlpress.ir.net import (
    Activation,
    Argmax,
    BitRange,
    Head,
    Input,
    Ladder,
    Layer,
    Net,
    Neuron,
    QRelu,
    Scores,
    Threshold,
    port_name,
)
from mlpress.ir.share import Operand, Source, share

SIGN_ONLY = 62
"""Unread low bits of a sum of which only the sign is read."""


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
    activation: Activation | Clamp
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

    @property
    def shared_sums(self) -> int:
        """Number of sums that are operands of other sums."""
        read = {operand.value for value in self.sums for operand in value.operands}
        return sum(isinstance(value, Sum) and k in read for k, value in enumerate(self.values))


Row = dict[Source, int]
"""A sum before it is recoded: the weight of each source."""


@dataclass(frozen=True, slots=True)
class _Request:
    """A sum to be made: its weights and constant, a range known by other means, and its low bits that nothing
    reads."""

    row: Row
    constant: int
    known: Interval | None = None
    unread: int = 0


@dataclass(slots=True)
class _Maker:
    values: list[Value] = field(default_factory=list)
    sums: dict[tuple[tuple[Operand, ...], int], int] = field(default_factory=dict)

    def add(self, value: Value) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def interval(self, operands: Sequence[Operand], constant: int) -> Interval:
        """Return the range of a sum; operands on the same value are taken together, bit by bit."""
        low = high = constant
        weights: dict[int, list[int]] = {}
        for operand in operands:
            source = self.values[operand.value].interval
            bits = weights.setdefault(operand.value, [0] * source.high.bit_length())
            for k in range(len(bits)):
                bits[k] += (operand.mask >> k & 1) * (operand.sign << (operand.shift + k))
        for value, bits in weights.items():
            part = bits_interval(bits, self.values[value].interval)
            low, high = low + part.low, high + part.high
        return Interval(low, high)

    def sum(self, name: str, operands: Sequence[Operand], constant: int, known: Interval | None = None) -> int:
        """Return the index of this sum: an equal earlier one, or a new one.  ``known`` is a range found by other
        means."""
        key = (tuple(sorted(operands)), constant)
        if key not in self.sums:
            found = self.interval(key[0], constant)
            if known is not None:
                found = Interval(max(found.low, known.low), min(found.high, known.high))
            self.sums[key] = self.add(Sum(name, *key, found))
        return self.sums[key]

    def row(self, neuron: Neuron, sources: Sequence[int]) -> tuple[Row, int]:
        """Return the weights of ``neuron``, and its constant; constant sources are folded."""
        row: Row = {}
        constant = neuron.bias
        for term in neuron.terms:
            low, high = self.values[sources[term.source]].interval
            weight = term.sign << term.shift
            mask = term.mask & ((1 << high.bit_length()) - 1)
            if low == high:
                constant += weight * (low & mask)
            elif mask:
                source = Source(sources[term.source], mask, bits_interval(_mask_bits(mask), Interval(low, high)).high)
                row[source] = row.get(source, 0) + weight
        return {source: weight for source, weight in row.items() if weight}, constant

    def layer(self, index: int, layer: Layer, known: Sequence[Interval], sources: Sequence[int]) -> list[int]:
        """Return the outputs of a hidden layer, as value indices; ``known`` are the ranges of its sums."""
        requests, activations = [], []
        for neuron, total in zip(layer.neurons, known, strict=True):
            row, constant = self.row(neuron, sources)
            moved, activation = _centred(neuron.activation, total)
            activations.append(activation)
            rest = _less(total, moved)
            requests.append(_Request(row, constant - moved, rest, _unread(activation, rest)))
        sums = self.shared(f"h{index}", requests)
        outputs = []
        for k, (source, activation) in enumerate(zip(sums, activations, strict=True)):
            outputs.append(self.output(f"h{index}_{k}", source, activation))
        return outputs

    def output(self, name: str, source: int, activation: Activation) -> int:
        """Return the index of ``activation`` of the sum ``source``; a ladder that is a straight line is built as
        one."""
        low, high = total = self.values[source].interval
        found = Interval(activate(activation, low), activate(activation, high))
        line = straight(activation.thresholds, total) if isinstance(activation, Ladder) else None
        if line is None:
            return self.add(Output(name, source, activation, found))
        operands = tuple(Operand(source, -1, exponent, sign) for sign, exponent in signed_digits(line.multiplier))
        ends = Interval(low * line.multiplier + line.constant, high * line.multiplier + line.constant)
        scaled = self.add(Sum(f"{name}_scaled", tuple(sorted(operands)), line.constant, ends))
        return self.add(Output(name, scaled, line.clamp, found))

    def shared(self, name: str, requests: Sequence[_Request], *, first: int = 0, move: bool = False) -> list[int]:
        """Plan one sum per request, numbered from ``first``, with the pairs that they share as sums of their own.

        With ``move`` they are the scores of an argmax, and all of them lose a common linear form.
        """
        rows = [(request.row, request.constant) for request in requests]
        unread = [request.unread for request in requests]
        found = share(rows, unread, len(self.values), move=move)
        index = {source.value: source.value for row, _ in rows for source in row}
        for k, (operands, constant) in enumerate(found.pairs):
            index[found.first + k] = self.sum(f"{name}_shared{k}", _renamed(operands, index), constant)
        made = []
        numbered = enumerate(zip(requests, found.rows, found.forms, strict=True), first)
        for k, (request, (operands, constant), form) in numbered:
            known = request.known if request.known is not None else self.interval(*form)
            made.append(self.sum(f"{name}_{k}_sum", _renamed(operands, index), constant, known))
        return made


def plan(net: Net) -> Plan:
    """Return the exact plan of a verified ``net``."""
    maker = _Maker()
    sources = [maker.add(Code(port_name(k), interval)) for k, interval in enumerate(input_intervals(net))]
    *hidden, (scored, known) = zip(net.layers, intervals(net), strict=True)
    for index, (layer, found) in enumerate(hidden):
        sources = maker.layer(index, layer, found.sums, sources)
    head = _head(maker, net.head, [maker.row(neuron, sources) for neuron in scored.neurons], known.sums)
    return Plan(net.inputs, tuple(maker.values), head, net.classes)


def _head(
    maker: _Maker, head: Head, rows: Sequence[tuple[Row, int]], known: Sequence[Interval]
) -> Tournament | AtLeast | Raws:
    match head:
        case Argmax(ranges=()):
            candidates = _contenders(known)
            sums = _differences(maker, [rows[k] for k in candidates])
            return Tournament(tuple(zip(candidates, sums, strict=True)), ())
        case Argmax(ranges=windows):
            unread = min(window.low for window in windows)
            requests = [_Request(*row, total, unread) for row, total in zip(rows, known, strict=True)]
            return Tournament(tuple(enumerate(maker.shared("s", requests))), windows)
        case Threshold(at=at):
            ((row, constant),) = rows
            request = _Request(row, constant - at, _less(known[0], at), SIGN_ONLY)
            return AtLeast(maker.shared("s", [request])[0], 0)
        case Scores():
            requests = [_Request(*row, total) for row, total in zip(rows, known, strict=True)]
            return Raws(tuple(maker.shared("s", requests)))


def _differences(maker: _Maker, rows: Sequence[tuple[Row, int]]) -> list[int]:
    """Return the scores of an exact argmax, less a common linear form; of two only the sign of their difference is
    left.
    """
    if len(rows) == 1:  # nothing is compared
        return [maker.sum("s_0_sum", (), 0)]
    if len(rows) > 2:
        return maker.shared("s", [_Request(*row) for row in rows], move=True)
    (left, low), (right, high) = rows
    keys = sorted({*left, *right})
    apart = {key: right.get(key, 0) - left.get(key, 0) for key in keys}
    request = _Request({key: weight for key, weight in apart.items() if weight}, high - low - 1, None, SIGN_ONLY)
    return [maker.sum("s_0_sum", (), -1), *maker.shared("s", [request], first=1)]


def _renamed(operands: Sequence[Operand], index: Mapping[int, int]) -> list[Operand]:
    return [operand._replace(value=index[operand.value]) for operand in operands]


def _mask_bits(mask: int) -> list[int]:
    return [mask & 1 << k for k in range(mask.bit_length())]


def _less(interval: Interval, moved: int) -> Interval:
    return Interval(interval.low - moved, interval.high - moved)


def _centred(activation: Activation, total: Interval) -> tuple[int, Activation]:
    """Return what to take off a sum in ``total`` so that its comparisons are cheapest, and the activation of the
    rest."""
    match activation:
        case QRelu(shift=shift, bits=1):  # one comparison
            return _centred(Ladder((1 << shift,)), total)
        case Ladder(thresholds=thresholds):
            _, inner = reached(thresholds, total)
            if len(inner) >= LONG:
                return 0, activation
            moved = min(inner, key=lambda m: (-sum(_zeros(t - m) for t in inner), m), default=0)
            return moved, Ladder(tuple(t - moved for t in thresholds))
        case _:
            return 0, activation


def _zeros(value: int) -> int:
    """Count low zero bits."""
    return (value & -value).bit_length() - 1 if value else SIGN_ONLY


def _unread(activation: Activation, total: Interval) -> int:
    """Count the low bits of a sum in ``total`` that its activation does not read, but for their carry."""
    match activation:
        case QRelu(shift=shift):
            return shift
        case Ladder(thresholds=thresholds):
            return min((_zeros(t) for t in thresholds if total.low < t <= total.high), default=SIGN_ONLY)
        case _:
            return 0


def _contenders(ranges: Sequence[Interval]) -> list[int]:
    """Return the classes that can win: none whose largest score never beats the smallest score of another."""
    floor = max(interval.low for interval in ranges)
    first = next(k for k, interval in enumerate(ranges) if interval.low == floor)
    return [
        k
        for k, interval in enumerate(ranges)
        if k == first or interval.high > floor or (interval.high == floor and k < first)
    ]
