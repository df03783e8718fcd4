"""The readable style: one module per sum and one per activation, in words and operators."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Elaboratable, Module, Mux, Shape, Signal, Value

from mlpress.errors import MlpressError
from mlpress.ir import (
    AtLeast,
    BitRange,
    Clamp,
    Code,
    Interval,
    Ladder,
    Operand,
    Output,
    Plan,
    QRelu,
    Raws,
    Sum,
    Tournament,
    signed_bits,
)


def readable(module: Module, plan: Plan, inputs: Sequence[Signal], outputs: Sequence[Signal]) -> None:
    """Add a submodule for every value of ``plan`` to ``module``, and the head."""
    signals: list[Signal] = []
    for value in plan.values:
        match value:
            case Code():
                signals.append(inputs[len(signals)])
            case Sum():
                signals.append(_add(module, _SumModule(value, {o.value: signals[o.value] for o in value.operands})))
            case Output():
                signals.append(_add(module, _OutputModule(value, signals[value.source])))
    match plan.head:
        case Tournament():
            module.d.comb += outputs[0].eq(_tournament(plan, plan.head, signals))
        case AtLeast(value=index, at=at):
            module.d.comb += outputs[0].eq(signals[index] >= at)
        case Raws(values=values):
            for output, index in zip(outputs, values, strict=True):
                module.d.comb += output.eq(signals[index])


LINE = 64
"""Operands per expression: a longer sum is several, each as wide as the sum, since only the last must not wrap."""


def shape(interval: Interval) -> Shape:
    """Return the narrowest shape that holds every value of ``interval``."""
    low, high = interval
    return Shape(signed_bits(low, high), signed=True) if low < 0 else Shape(max(1, high.bit_length()))


class _SumModule(Elaboratable):  # type: ignore[misc]
    def __init__(self, value: Sum, sources: dict[int, Signal]) -> None:
        self.value = value
        self.sources = sources
        self.out = Signal(shape(value.interval), name=value.name)

    def elaborate(self, platform: object) -> Module:
        module = Module()
        constant, operands = self.value.constant, self.value.operands
        total: Value = Const(constant, shape(Interval(min(constant, 0), max(constant, 0))))
        for k, operand in enumerate(operands):
            part = _shifted(operand, self.sources[operand.value])
            first = k == 0 and constant == 0
            total = total - part if operand.sign < 0 else part if first else total + part
            if k % LINE == LINE - 1 and k + 1 < len(operands):
                held = Signal(self.out.shape(), name=f"{self.value.name}_to_{k}")
                module.d.comb += held.eq(total)
                total = held
        module.d.comb += self.out.eq(total)
        return module


def adders(value: Sum) -> int:
    """Count the ``+`` and ``-`` operators of a sum: one per operand, save for a first one that is added to nothing."""
    starts_free = value.constant == 0 and bool(value.operands) and value.operands[0].sign > 0
    return len(value.operands) - starts_free


def _shifted(operand: Operand, source: Signal) -> Value:
    every = (1 << len(source)) - 1
    seen = source if operand.mask & every == every else source & operand.mask
    return seen << operand.shift if operand.shift else seen


class _OutputModule(Elaboratable):  # type: ignore[misc]
    def __init__(self, value: Output, source: Signal) -> None:
        self.value = value
        self.source = source
        self.out = Signal(value.width, name=value.name)

    def elaborate(self, platform: object) -> Module:
        module = Module()
        total = self.source
        match self.value.activation:
            case QRelu(shift=shift, bits=bits):
                module.d.comb += self.out.eq(_clipped(total >> shift, (1 << bits) - 1))
            case Clamp(shift=shift, base=base, top=top):
                module.d.comb += self.out.eq(base + _clipped(total >> shift, top))
            case Ladder(thresholds=thresholds):
                module.d.comb += self.out.eq(_counted([total >= threshold for threshold in thresholds]))
            case activation:
                raise MlpressError(f"{self.value.name}: {activation} is no hidden activation")
        return module


def _clipped(code: Value, top: int) -> Value:
    return Mux(code < 0, 0, Mux(code > top, top, code))


def _counted(reached: list[Value]) -> Value:
    """Count how many are 1: halves are counted and added, so that no sum is wider than it must be."""
    while len(reached) > 1:
        odd = reached[-1:] if len(reached) % 2 else []
        reached = [low + high for low, high in zip(reached[::2], reached[1::2], strict=False)] + odd
    return reached[0] if reached else Const(0, 1)


def _add(module: Module, part: _SumModule | _OutputModule) -> Signal:
    setattr(module.submodules, f"{part.value.name}_unit", part)
    return part.out


def _tournament(plan: Plan, head: Tournament, signals: Sequence[Signal]) -> Value:
    score = Shape(max(signed_bits(*plan.values[value].interval) for _, value in head.candidates), signed=True)
    field: list[tuple[Value, Value]] = [(signals[value], Const(index, 32)) for index, value in head.candidates]
    played = 0
    while len(field) > 1:
        winners: list[tuple[Value, Value]] = []
        for (left, left_index), (right, right_index) in zip(field[::2], field[1::2], strict=False):
            window = head.windows[played] if head.windows else BitRange()
            played += 1
            wins = _seen(right, window, score) > _seen(left, window, score)
            winners.append((Mux(wins, right, left), Mux(wins, right_index, left_index)))
        if len(field) % 2:
            winners.append(field[-1])
        field = winners
    return field[0][1]


def _seen(value: Value, window: BitRange, score: Shape) -> Value:
    if window.high is None:
        return value >> window.low
    wide = Cat(value, *([value[-1] if value.shape().signed else Const(0, 1)] * max(0, window.high - len(value))))
    return wide[window.low : window.high].as_signed()
