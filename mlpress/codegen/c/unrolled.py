"""Unrolled code: the weights are instructions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mlpress.codegen.c.head import Score, largest_lines, tournament_lines
from mlpress.codegen.c.sums import LONG_LADDER, Operand, activation_lines, long_ladder, sum_lines
from mlpress.codegen.c.text import fast_type, number, read, type_bytes
from mlpress.ir import (
    Argmax,
    AtLeast,
    Code,
    Interval,
    Ladder,
    Layer,
    LayerIntervals,
    Net,
    Output,
    Plan,
    Raw,
    Raws,
    Sum,
    Term,
    Threshold,
    Tournament,
    Value,
    intervals,
    signed_digits,
    unsigned_bits,
)


@dataclass(slots=True)
class Work:
    """Additions, doublings, loads, comparisons and tables of straight-line code, for the cost model."""

    adds: int = 0
    shifts: int = 0
    loads: int = 0
    compares: int = 0
    tables: int = 0


@dataclass(slots=True)
class Body:
    """Lines of a function, tables that it reads, and its work; ``keep`` is that of :func:`sum_lines`."""

    keep: bool = False
    lines: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    work: Work = field(default_factory=Work)

    def sum(self, name: str, operands: Sequence[Operand], constant: int) -> str:
        """Add a sum; return its type."""
        kind, lines = sum_lines(name, operands, constant, self.keep)
        self.lines += lines
        self.work.adds += len(operands) + (constant != 0)
        self.work.shifts += len({one.shift for one in operands if one.shift})
        self.work.adds += sum(one.mask is not None for one in operands)
        return kind

    def output(self, name: str, source: str, kind: str, value: Output, total: Interval, prefix: str) -> None:
        """Add a neuron's output."""
        activation = value.activation
        if isinstance(activation, Ladder):
            reached = sum(total.low < t <= total.high for t in activation.thresholds)
            if reached > LONG_LADDER:
                self._searched(name, source, activation, total, prefix)
                return
            self.work.compares += reached
        else:
            self.work.compares += 1
            self.work.shifts += 1
        self.lines += activation_lines(name, source, kind, activation, total)

    def _searched(self, name: str, source: str, activation: Ladder, total: Interval, prefix: str) -> None:
        lines, certain, count, kind = long_ladder(f"{prefix}_{name}_steps", activation.thresholds, total)
        self.tables += lines
        self.work.tables += count * type_bytes(kind)
        self.work.compares += 4 * count.bit_length()
        word = fast_type(len(activation.thresholds))
        step = read_signed(kind, f"{prefix}_{name}_steps[at + span - 1u]")
        self.lines += [
            f"    {word} {name} = {certain};",
            "    {",
            "        unsigned span = " + f"{1 << (count.bit_length() - 1)}u;",
            "        unsigned at = 0u;",
            "        while (span != 0u) {",
            f"            if (((at + span) <= {count}u) && ({source} >= {step})) {{",
            "                at += span;",
            "            }",
            "            span >>= 1;",
            "        }",
            f"        {name} += ({word})at;",
            "    }",
        ]


def read_signed(kind: str, place: str) -> str:
    """Return the expression that reads a signed table element."""
    if kind == "int64_t":
        return place  # no AVR macro reads 64 bits: see generate, which keeps such tables out of flash sections
    return f"({kind}){read(kind, f'&{place}')}"


def predict_body(plan: Plan, prefix: str, keep: bool) -> Body:
    """Return the body of ``_predict`` over ``x``, straight from the arithmetic ``plan`` of the net."""
    body = Body(keep)
    needed = _needed(plan)
    kinds: dict[int, str] = {}
    for index in sorted(needed):
        _value(body, plan.values, index, kinds, prefix)
    match plan.head:
        case Tournament(candidates=candidates, windows=()):
            kind = _widest(kinds.get(value, "int") for _, value in candidates)
            scores = [Score(k, _name(plan.values[value])) for k, value in candidates]
            body.lines += largest_lines(scores, kind)
            body.work.compares += 2 * len(scores)
        case Tournament(candidates=candidates, windows=windows):
            bits = 64 if any(kinds[value] == "int64_t" for _, value in candidates) else 32
            scores = [Score(k, f"(int{bits}_t){_name(plan.values[value])}") for k, value in candidates]
            body.lines += tournament_lines(scores, windows, bits)
            body.work.compares += 8 * len(scores)
        case AtLeast(value=value, at=at):
            body.lines.append(f"    return ({_name(plan.values[value])} >= {number(at)}) ? 1 : 0;")
            body.work.compares += 2
        case Raws():
            raise AssertionError("a regression has no class")
    return body


def _needed(plan: Plan) -> set[int]:
    """Return the indices of all values that the head's values are made from."""
    match plan.head:
        case Tournament(candidates=candidates, windows=windows):
            open_ = [value for _, value in candidates] if len(candidates) > 1 or windows else []
        case AtLeast(value=value):
            open_ = [value]
        case Raws(values=values):
            open_ = list(values)
    seen: set[int] = set()
    while open_:
        index = open_.pop()
        if index in seen:
            continue
        seen.add(index)
        match plan.values[index]:
            case Sum(operands=operands):
                open_ += [one.value for one in operands]
            case Output(source=source, interval=interval) if interval.low != interval.high:
                open_.append(source)
    return seen


def _name(value: Value) -> str:
    return value.name


def _value(body: Body, values: Sequence[Value], index: int, kinds: dict[int, str], prefix: str) -> None:
    match values[index]:
        case Code(name=name, interval=interval):
            kinds[index] = fast_type(interval.high)
            body.lines.append(f"    const {kinds[index]} {name} = ({kinds[index]})x[{name[1:]}];")
            body.work.loads += 1
        case Sum(name=name, operands=operands, constant=constant):
            made = []
            for one in operands:
                source = values[one.value]
                full = (1 << unsigned_bits(source.interval.high)) - 1
                mask = None if one.mask == -1 or one.mask & full == full else one.mask & full
                high = source.interval.high if mask is None else mask
                made.append(Operand(_name(source), mask, one.shift, one.sign, max(high, 0)))
            kinds[index] = body.sum(name, made, constant)
        case Output(name=name, source=source, interval=interval) as output:
            kinds[index] = fast_type(max(interval.high, 1))
            if interval.low == interval.high:
                body.lines.append(f"    const {kinds[index]} {name} = {interval.low};")
            else:
                body.output(name, _name(values[source]), kinds[source], output, values[source].interval, prefix)


def _widest(kinds: Iterable[str]) -> str:
    return max(set(kinds), key=("int", "int32_t", "int64_t").index)


def layer_lines(
    layer: Layer, known: LayerIntervals, high: Sequence[int], source: str, index: int, prefix: str, keep: bool
) -> tuple[Body, list[tuple[str, str]]]:
    """Return the straight-line code of a layer that reads ``source[k]``, and the type and name of each output.

    The last layer's outputs are its sums.
    """
    body = Body(keep)
    outputs: list[tuple[str, str]] = []
    live = [out.low != out.high for out in known.outputs]
    names = {k: f"v{index}_{k}" for k in range(len(high))}
    made = [
        _operands(neuron.terms, names, high) if alive else [] for neuron, alive in zip(layer.neurons, live, strict=True)
    ]
    used = {one.variable for operands in made for one in operands}
    for k, name in names.items():
        if name in used:
            word = fast_type(high[k])
            body.lines.append(f"    const {word} {name} = ({word}){source}[{k}];")
            body.work.loads += 1
    for j, (neuron, total, out) in enumerate(zip(layer.neurons, known.sums, known.outputs, strict=True)):
        if not live[j]:
            outputs.append((fast_type(abs(out.low)), number(out.low)))
            continue
        name = f"s{index}_{j}"
        kind = body.sum(name, made[j], neuron.bias)
        if isinstance(neuron.activation, Raw):
            outputs.append((kind, name))
            continue
        value = Output(f"h{index}_{j}", 0, neuron.activation, out)
        body.output(value.name, name, kind, value, total, prefix)
        outputs.append((fast_type(out.high), value.name))
    return body, outputs


def _operands(terms: Sequence[Term], names: Mapping[int, str], high: Sequence[int]) -> list[Operand]:
    weights: dict[tuple[int, int], int] = {}
    for term in terms:
        full = (1 << high[term.source].bit_length()) - 1
        mask = term.mask & full
        if mask:
            key = (term.source, mask)
            weights[key] = weights.get(key, 0) + (term.sign << term.shift)
    made = []
    for (source, mask), weight in weights.items():
        full = (1 << high[source].bit_length()) - 1
        for sign, exponent in signed_digits(weight):
            whole = mask == full
            made.append(
                Operand(names[source], None if whole else mask, exponent, sign, high[source] if whole else mask)
            )
    return made


def decision_lines(net: Net, scores: Sequence[str], kind: str, bits: int) -> list[str]:
    """Return the lines that return the class index of ``scores``, expressions of the type ``kind``."""
    match net.head:
        case Argmax(ranges=()):
            return largest_lines([Score(k, name) for k, name in enumerate(scores)], kind)
        case Argmax(ranges=windows):
            return tournament_lines([Score(k, f"(int{bits}_t){name}") for k, name in enumerate(scores)], windows, bits)
        case Threshold(at=at):
            (total,) = intervals(net)[-1].sums
            if not total.low < at <= total.high:
                return [f"    return {int(at <= total.low)};"]
            return [f"    return ({scores[0]} >= {number(at)}) ? 1 : 0;"]
        case _:
            raise AssertionError("a regression has no class")
