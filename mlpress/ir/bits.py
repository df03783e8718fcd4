"""The exact lowering of a plan to single-bit operations: bit heaps, clips, ladders and the arg-max network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mlpress.ir.ands import FALSE, TRUE
from mlpress.ir.gates import Bits, Gate, GateList
from mlpress.ir.interval import Interval, signed_bits
from mlpress.ir.ladder import LONG, Clamp, reached
from mlpress.ir.nands import AND, FULL, HALF, MAJORITY, MUX, PARITY, XOR
from mlpress.ir.net import Activation, BitRange, Input, Ladder, Net, QRelu, Raw, Scores, port_name
from mlpress.ir.plan import AtLeast, Code, Output, Plan, Raws, Sum, Tournament, plan

Word = tuple[int, ...]
"""Literals, LSB first.  A value that can be negative carries its sign bit last."""

ALONE = {"and": AND, "xor": XOR, "xor3": PARITY, "maj": MAJORITY, "mux": MUX}
"""Tenths of a NAND gate that an operation takes on its own."""

CARRY = {"maj": FULL - PARITY, "and": HALF - XOR}
"""The same for a carry beside its sum."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """A net with its exact plan and that plan's bit program."""

    net: Net
    plan: Plan
    bits: Bits

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The net's inputs."""
        return self.net.inputs

    @property
    def classes(self) -> tuple[int | str, ...]:
        """The net's classes."""
        return self.net.classes

    @property
    def scores(self) -> Scores | None:
        """What a regression's scores stand for; ``None`` for a classifier."""
        return self.net.scores

    @property
    def shared_sums(self) -> int | None:
        """Sums that several neurons read."""
        return self.plan.shared_sums


@lru_cache(maxsize=4)
def lower_net(net: Net) -> Lowered:
    """Lower a verified ``net`` through its exact plan."""
    made = plan(net)
    return Lowered(net, made, lower(made))


def nand_count(bits: Bits) -> float:
    """Estimate the circuit's size in two-input NAND gates, before logic optimisation."""
    sums = {_plain(gate) for gate in bits.gates if gate.kind in ("xor", "xor3")}
    beside = [gate.kind in CARRY and _plain(gate) in sums for gate in bits.gates]
    return sum((CARRY if carry else ALONE)[gate.kind] for gate, carry in zip(bits.gates, beside, strict=True)) / 10


def _plain(gate: Gate) -> tuple[int, ...]:
    return tuple(sorted(literal & ~1 for literal in gate[1:4]))


def lower(plan: Plan) -> Bits:
    """Lower the plan to single-bit operations.

    Ports: ``x0``, ``x1``, ... in, as wide as their codes; out ``y``, the class index, or ``y0``, ``y1``, ...,
    signed scores.
    """
    gates = GateList(tuple((port_name(k), feature.bits) for k, feature in enumerate(plan.inputs)))
    ports = gates.input_words()
    words: list[Word] = []
    names: dict[str, Word] = {}
    for value in plan.values:
        match value:
            case Code(interval=interval):
                words.append(ports[len(words)][: interval.high.bit_length()])
                continue
            case Sum():
                gates.owner = value.name
                words.append(_heap(gates, value, words, plan))
            case Output(source=source):
                gates.owner = value.name
                word = _activation(gates, words[source], plan.values[source].interval, value.activation)
                words.append(word[: value.interval.high.bit_length()])
        names[value.name] = words[-1]
    return gates.finish(names, _outputs(gates, plan, words))


def _outputs(gates: GateList, plan: Plan, words: Sequence[Word]) -> dict[str, tuple[Word, bool]]:
    gates.owner = "y"
    match plan.head:
        case Tournament():
            return {"y": (_tournament(gates, plan, plan.head, words), False)}
        case AtLeast(value=value, at=at):
            return {"y": ((_at_least(gates, words[value], plan.values[value].interval, at),), False)}
        case Raws(values=values):
            return {f"y{k}": (_signed(words[v], plan.values[v].interval), True) for k, v in enumerate(values)}


def _heap(gates: GateList, total: Sum, words: Sequence[Word], plan: Plan) -> Word:
    """Reduce the sum as one bit heap: columns of bits, full adders on the earliest until one bit per column is left.

    A subtracted bit is its complement and a constant (``-b = ~b - 1``), as is the sign bit of a signed operand, so
    that all constants meet in one.  Columns above the sum's width are never built.
    """
    width = total.width
    columns: list[list[int]] = [[] for _ in range(width + 1)]
    constant = total.constant
    for operand in total.operands:
        word = words[operand.value]
        signed = plan.values[operand.value].interval.low < 0
        for k, bit in enumerate(word):
            place = operand.shift + k
            if not operand.mask >> k & 1 or place >= width:
                continue
            negative = (operand.sign < 0) != (signed and k == len(word) - 1)
            constant -= negative << place
            columns[place].append(bit ^ negative)
    result: list[int] = []
    for k in range(width):
        column = columns[k] + [TRUE] * (constant >> k & 1)
        while len(column) > 1:
            column.sort(key=gates.depth)
            three = [*column, FALSE][:3]
            if k + 1 < width:
                one, carry = gates.full_add(three[0], three[1], three[2])
                columns[k + 1] += [carry] * (carry != FALSE)
            else:
                one = gates.xor3(three[0], three[1], three[2])
            column = [*column[3:], *[one] * (one != FALSE)]
        result.append(column[0] if column else FALSE)
    return tuple(result)


def _activation(gates: GateList, word: Word, total: Interval, activation: Activation | Clamp) -> Word:
    match activation:
        case QRelu():
            return _qrelu(gates, word, total, activation)
        case Ladder():
            return _ladder(gates, word, total, activation)
        case Clamp():
            return _clamp(gates, word, total, activation)
        case Raw():
            return word


def _qrelu(gates: GateList, word: Word, total: Interval, activation: QRelu) -> Word:
    """Truncate, cut off below at 0 and above at the largest code, where the sum's range asks for it."""
    positive = word[-1] ^ 1 if total.low < 0 else TRUE
    magnitude = (word[:-1] if total.low < 0 else word)[activation.shift :]
    over = FALSE
    for bit in magnitude[activation.bits :]:
        over = gates.or_(over, bit)
    if total.high >> activation.shift < 1 << activation.bits:
        over = FALSE
    return tuple(gates.and_(gates.or_(bit, over), positive) for bit in magnitude[: activation.bits])


def _clamp(gates: GateList, word: Word, total: Interval, clamp: Clamp) -> Word:
    """Return the code above ``clamp.base``, cut off at 0 and ``clamp.top``, and the base added."""
    bits = clamp.top.bit_length()
    code = _qrelu(gates, word, total, QRelu(clamp.shift, bits))
    if clamp.top + 1 < 1 << bits and total.high >> clamp.shift > clamp.top:
        over = _at_least(gates, (*code, FALSE), Interval(0, (1 << bits) - 1), clamp.top + 1)
        code = tuple(gates.mux(over, clamp.top >> k & 1, bit) for k, bit in enumerate(code))
    result: list[int] = []
    carry = FALSE
    for k in range((clamp.base + clamp.top).bit_length()):
        one, carry = gates.full_add(code[k] if k < len(code) else FALSE, clamp.base >> k & 1, carry)
        result.append(one)
    return tuple(result)


def _ladder(gates: GateList, word: Word, total: Interval, activation: Ladder) -> Word:
    """Count the thresholds that the sum reaches, by binary search over them, most significant bit first.

    A long ladder is one comparison for each bit, with a threshold that the bits above choose; a short one compares
    with every threshold at once.
    """
    if len(reached(activation.thresholds, total)[1]) >= LONG:
        return _searched(gates, word, total, activation.thresholds)
    results = [_at_least(gates, word, total, threshold) for threshold in activation.thresholds]
    width = len(results).bit_length()
    results += [FALSE] * ((1 << width) - 1 - len(results))
    result: list[int] = []
    while results:
        middle = len(results) // 2
        top = results[middle]
        result.append(top)
        results = [gates.mux(top, high, low) for low, high in zip(results[:middle], results[middle + 1 :], strict=True)]
    return tuple(reversed(result))


def _searched(gates: GateList, word: Word, total: Interval, thresholds: Sequence[int]) -> Word:
    """Lower a long ladder: bit by bit, hold the sum against the threshold that the bits so far select from a table."""
    bits = len(thresholds).bit_length()
    last = total.high + 1  # no sum reaches it
    table = [max(min(t, last), total.low) for t in thresholds]
    table += [last] * ((1 << bits) - 1 - len(table))
    width = signed_bits(total.low - 1, last)
    sum_word = _extended(word, total, width)
    chosen: list[int] = []  # the bits so far, the highest first
    for bit in reversed(range(bits)):
        below = [t - 1 for t in table[(1 << bit) - 1 :: 2 << bit]]
        constant = tuple(_looked_up(gates, [t >> k & 1 for t in below], chosen) for k in range(width))
        chosen.append(_greater(gates, sum_word, constant))
    return tuple(reversed(chosen))


def _looked_up(gates: GateList, table: Sequence[int], address: Sequence[int]) -> int:
    """Return entry ``address`` (highest bit first) of a table of constants."""
    entries = list(table)
    for bit in reversed(address):
        entries = [gates.mux(bit, high, low) for low, high in zip(entries[::2], entries[1::2], strict=True)]
    return entries[0]


def _at_least(gates: GateList, word: Word, total: Interval, threshold: int) -> int:
    """Return whether a value in ``total`` is at least ``threshold``."""
    if threshold <= total.low:
        return TRUE
    if threshold > total.high:
        return FALSE
    width = signed_bits(min(total.low, threshold - 1), max(total.high, threshold))
    constant = tuple((threshold - 1) >> k & 1 for k in range(width))
    return _greater(gates, _extended(word, total, width), constant)


def _tournament(gates: GateList, plan: Plan, head: Tournament, words: Sequence[Word]) -> Word:
    """Play rounds of neighbours; the winner's score and its class index go on."""
    index_width = max(1, (len(plan.classes) - 1).bit_length())
    width = max(signed_bits(*plan.values[value].interval) for _, value in head.candidates)
    field = [
        (
            _extended(words[value], plan.values[value].interval, width),
            tuple(index >> k & 1 for k in range(index_width)),
        )
        for index, value in head.candidates
    ]
    played = 0
    while len(field) > 1:
        winners = []
        for (left, left_index), (right, right_index) in zip(field[::2], field[1::2], strict=False):
            window = head.windows[played] if head.windows else BitRange()
            played += 1
            wins = _greater(gates, _seen(right, window), _seen(left, window))
            winners.append(
                (
                    tuple(gates.mux(wins, one, other) for one, other in zip(right, left, strict=True)),
                    tuple(gates.mux(wins, one, other) for one, other in zip(right_index, left_index, strict=True)),
                )
            )
        if len(field) % 2:
            winners.append(field[-1])
        field = winners
    return field[0][1]


def _seen(word: Word, window: BitRange) -> Word:
    """Return the bits of a signed word that a comparison looks at, its sign bit last."""
    high = window.low + 1 if window.high is None else window.high
    extended = word + (word[-1],) * max(0, high - len(word))
    return extended[window.low : window.high]


def _greater(gates: GateList, left: Word, right: Word) -> int:
    """Compare ``left > right``, signed words of one width: a chain of majorities from the lowest bit."""
    result = FALSE
    for one, other in zip(left[:-1], right[:-1], strict=True):
        result = gates.maj(one, other ^ 1, result)
    return gates.maj(left[-1] ^ 1, right[-1], result)


def _signed(word: Word, total: Interval) -> Word:
    return _extended(word, total, signed_bits(*total))


def _extended(word: Word, total: Interval, width: int) -> Word:
    """Extend a value's word to a signed one of ``width`` bits."""
    sign = word[-1] if total.low < 0 else FALSE
    return word + (sign,) * (width - len(word))


def evaluate(bits: Bits, rows: Sequence[Sequence[int]]) -> dict[str, list[int]]:
    """Run the program on input values (rows, inputs), one Python integer of row bits per node; return outputs by
    name."""
    everyone = (1 << len(rows)) - 1
    values = [0]
    for k, (_, width) in enumerate(bits.inputs):
        values += [sum((row[k] >> b & 1) << r for r, row in enumerate(rows)) for b in range(width)]

    def read(literal: int) -> int:
        return values[literal >> 1] ^ (everyone if literal & 1 else 0)

    for gate in bits.gates:
        values.append(_apply(gate, read(gate.a), read(gate.b), read(gate.c), everyone))
    found = {}
    for name, (word, signed) in bits.outputs.items():
        columns = [read(literal) for literal in word]
        numbers = [sum((column >> r & 1) << k for k, column in enumerate(columns)) for r in range(len(rows))]
        top = 1 << (len(word) - 1)
        found[name] = [number - 2 * top if signed and number & top else number for number in numbers]
    return found


def _apply(gate: Gate, a: int, b: int, c: int, everyone: int) -> int:
    match gate.kind:
        case "and":
            return a & b
        case "xor":
            return a ^ b
        case "xor3":
            return a ^ b ^ c
        case "maj":
            return a & b | a & c | b & c
        case "mux":
            return a & b | (everyone ^ a) & c
