"""Exact circuits of the same integer network, three ways, in one run and one synthesis flow.

`naive`: Verilog with `input * constant` and `+`, as one writes it by hand.  `da4ml`: each layer's constant
matrix by da4ml (the distributed-arithmetic compiler behind hls4ml and HGQ2), with the same clips and arg-max around
it.  `mlpress`: our plan.  All three compute the same function on every test row, which is checked on the mapped
netlists.  Needs the extra `mlpress[bench]`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from support import TOPOLOGIES, arguments, protocol, show

from mlpress import codegen, from_sklearn, ir, quantise
from mlpress.hw import printed
from mlpress.verify import port_values

SEEDS = 3


@dataclass
class Lines:
    """Verilog in the making: signed wires of the narrowest width."""

    text: list[str] = field(default_factory=list)

    def wire(self, width: int, expression: str, signed: bool = True) -> str:
        """A new wire that carries ``expression``; its name."""
        name = f"t{len(self.text)}"
        self.text.append(f"  wire {'signed ' if signed else ''}[{width - 1}:0] {name} = {expression};")
        return name


@dataclass(frozen=True)
class Range:
    """A signed wire, its range, and the power of two that it is scaled by."""

    name: str
    low: int
    high: int
    exponent: int = 0


def matrix(layer: ir.Layer, sources: int) -> tuple[np.ndarray, list[int]]:
    """Integer weights (neurons, sources) and biases."""
    weights = np.zeros((len(layer.neurons), sources), int)
    for row, neuron in enumerate(layer.neurons):
        for term in neuron.terms:
            weights[row, term.source] += term.sign << term.shift
    return weights, [neuron.bias for neuron in layer.neurons]


def naive_sums(lines: Lines, weights: np.ndarray, biases: Sequence[int], inputs: Sequence[Range]) -> list[Range]:
    """`bias + input * constant + ...`, as wide as the sum's range."""
    sums = []
    for row, bias in zip(weights.tolist(), biases, strict=True):
        low = bias + sum(min(w * x.low, w * x.high) for w, x in zip(row, inputs, strict=True))
        high = bias + sum(max(w * x.low, w * x.high) for w, x in zip(row, inputs, strict=True))
        products = [f"{x.name} * ({w})" for w, x in zip(row, inputs, strict=True) if w]
        name = lines.wire(ir.signed_bits(low, high), " + ".join([*products, f"({bias})"]))
        sums.append(Range(name, low, high))
    return sums


def da4ml_sums(lines: Lines, weights: np.ndarray, biases: Sequence[int], inputs: Sequence[Range]) -> list[Range]:
    """The matrix product as da4ml's two-stage adder graph, then the biases."""
    from da4ml.cmvm import solve

    kernel = np.ascontiguousarray(weights.T.astype(np.float32))
    solution = solve(kernel, qintervals=[(float(x.low), float(x.high), 1.0) for x in inputs])
    values = list(inputs)
    for stage in solution.solutions:
        made: list[Range] = []
        for op in stage.ops:
            if op.opcode == -1:
                source = values[op.id0]
                made.append(
                    Range(source.name, source.low, source.high, source.exponent + int(stage.inp_shifts[op.id0]))
                )
            else:
                made.append(_added(lines, made[op.id0], made[op.id1], int(op.data), subtract=op.opcode == 1))
        values = [
            _output(lines, made, int(index), int(shift), bool(negated))
            for index, shift, negated in zip(stage.out_idxs, stage.out_shifts, stage.out_negs, strict=True)
        ]
    return [_biased(lines, _unscaled(lines, value), bias) for value, bias in zip(values, biases, strict=True)]


def _added(lines: Lines, one: Range, other: Range, shift: int, *, subtract: bool) -> Range:
    exponent = min(one.exponent, other.exponent + shift)
    left, right = one.exponent - exponent, other.exponent + shift - exponent
    low, high = other.low << right, other.high << right
    if subtract:
        low, high = -high, -low
    low, high = low + (one.low << left), high + (one.high << left)
    text = f"{_shifted(one.name, left)} {'-' if subtract else '+'} {_shifted(other.name, right)}"
    return Range(lines.wire(ir.signed_bits(low, high), text), low, high, exponent)


def _shifted(name: str, by: int) -> str:
    return name if by == 0 else f"$signed({{{name}, {by}'d0}})"


def _output(lines: Lines, made: Sequence[Range], index: int, shift: int, negated: bool) -> Range:
    if index < 0:
        return Range("1'sd0", 0, 0)
    value = made[index]
    low, high, name = value.low, value.high, value.name
    if negated:
        low, high = -high, -low
        name = lines.wire(ir.signed_bits(low, high), f"-{name}")
    return Range(name, low, high, value.exponent + shift)


def _unscaled(lines: Lines, value: Range) -> Range:
    if value.exponent <= 0:
        return value
    low, high = value.low << value.exponent, value.high << value.exponent
    return Range(lines.wire(ir.signed_bits(low, high), _shifted(value.name, value.exponent)), low, high)


def _biased(lines: Lines, value: Range, bias: int) -> Range:
    if not bias:
        return value
    low, high = value.low + bias, value.high + bias
    return Range(lines.wire(ir.signed_bits(low, high), f"{value.name} + ({bias})"), low, high)


def rtl(net: ir.Net, sums_of: Any) -> str:
    """The whole classifier in plain Verilog, with ``sums_of`` making each layer's sums."""
    lines = Lines()
    inputs = [Range(lines.wire(x.bits + 1, f"{{1'b0, x{k}}}"), 0, (1 << x.bits) - 1) for k, x in enumerate(net.inputs)]
    for layer, known in zip(net.layers, ir.intervals(net), strict=True):
        sums = sums_of(lines, *matrix(layer, len(inputs)), inputs)
        if layer is not net.layers[-1]:
            inputs = [
                _clipped(lines, total, neuron.activation, output.high)
                for total, neuron, output in zip(sums, layer.neurons, known.outputs, strict=True)
            ]
    index_bits = max(1, (len(net.classes) - 1).bit_length())
    answer = _decided(lines, net, sums, index_bits)
    ports = ", ".join(f"input [{x.bits - 1}:0] x{k}" for k, x in enumerate(net.inputs))
    body = "\n".join(lines.text)
    return f"module top({ports}, output [{index_bits - 1}:0] y);\n{body}\n  assign y = {answer};\nendmodule\n"


def _clipped(lines: Lines, total: Range, activation: ir.Activation, highest: int) -> Range:
    """ReLU, truncation and saturation, each only where the range asks for it; or a ladder's comparisons, counted."""
    if isinstance(activation, ir.Ladder):
        bits = max(1, ir.unsigned_bits(highest))
        kept = [threshold for threshold in activation.thresholds if threshold <= total.high]
        reached = [f"({total.name} >= ({threshold}))" if threshold > total.low else "1'b1" for threshold in kept]
        name = lines.wire(bits, " + ".join(reached) or "0", signed=False)
        return Range(lines.wire(bits + 1, f"{{1'b0, {name}}}"), 0, highest)
    assert isinstance(activation, ir.QRelu)
    width, top, shift = ir.signed_bits(total.low, total.high), (1 << activation.bits) - 1, activation.shift
    bits = ir.unsigned_bits(highest)
    text = f"{total.name}[{min(width - 1, shift + bits - 1)}:{shift}]" if width > shift else "0"
    if total.high >> shift > top:
        text = f"(|{total.name}[{width - 2}:{shift + activation.bits}]) ? {activation.bits}'d{top} : {text}"
    if total.low < 0:
        text = f"{total.name}[{width - 1}] ? {bits}'d0 : ({text})"
    name = lines.wire(bits, text, signed=False)
    return Range(lines.wire(bits + 1, f"{{1'b0, {name}}}"), 0, highest)


def _decided(lines: Lines, net: ir.Net, scores: Sequence[Range], index_bits: int) -> str:
    if isinstance(net.head, ir.Threshold):
        return f"{scores[0].name} >= ({net.head.at})"
    field = [(score, f"{index_bits}'d{k}") for k, score in enumerate(scores)]
    while len(field) > 1:
        winners = []
        for (left, left_index), (right, right_index) in zip(field[::2], field[1::2], strict=False):
            wins = lines.wire(1, f"{right.name} > {left.name}", signed=False)
            low, high = min(left.low, right.low), max(left.high, right.high)
            name = lines.wire(ir.signed_bits(low, high), f"{wins} ? {right.name} : {left.name}")
            index = lines.wire(index_bits, f"{wins} ? {right_index} : {left_index}", signed=False)
            winners.append((Range(name, low, high), index))
        field = winners + field[len(winners) * 2 :]
    return field[0][1]


def best_model(train: Any, hidden: int, scaler: Any) -> tuple[Any, float]:
    """The best of a few trainings by accuracy on a quarter of the training rows; and that accuracy."""
    fit, held = train.split(test_size=0.25, seed=0)
    trained = [
        make_pipeline(
            scaler, MLPClassifier((hidden,), alpha=1e-3, learning_rate_init=0.01, max_iter=400, random_state=seed)
        )
        for seed in range(SEEDS)
    ]
    for model in trained:
        model[-1].fit(scaler.transform(fit.features), fit.labels)
    scores = [model[-1].score(scaler.transform(held.features), held.labels) for model in trained]
    best = trained[int(np.argmax(scores))]
    return best, max(scores)


def measure(folder: Path, name: str, effort: str) -> dict[str, Any]:
    """One row of the table."""
    train, test, scaler = protocol(folder, name)
    model, _ = best_model(train, TOPOLOGIES[name][1], scaler)
    real = from_sklearn(model)
    net = quantise(real, train, input_bits=4, weight_bits=8, activation_bits=8).net
    codes = ir.encode(net, test.features)
    expected = ir.interpret(net, codes).decision
    technology = printed.load_technology("egfet")
    sources = {
        "naive": rtl(net, naive_sums),
        "da4ml": rtl(net, da4ml_sums),
        "mlpress": codegen.to_verilog(ir.lower_net(net)),
    }
    areas = {}
    for tool, text in sources.items():
        found = printed.synthesise({f"{tool}.v": text}, "top", technology, effort=effort)
        engine = printed.PackedNetlist(found.netlist, technology)
        answers = engine.run(port_values(codes, [port.name for port in engine.inputs]))["y"]
        assert np.array_equal(answers, expected), f"{tool} computes another function on {name}"
        areas[tool] = found.area_um2 * 1e-8
    decided = ir.interpret_model(real, test.features)[1]
    return {
        "dataset": name,
        "topology": "-".join(str(n) for n in (len(net.inputs), *(len(layer.neurons) for layer in net.layers))),
        "float_accuracy": float(np.mean(decided == test.labels)),
        "quantised_accuracy": float(np.mean(expected == test.labels)),
        **{f"{tool}_cm2": area for tool, area in areas.items()},
        "mlpress_to_da4ml": areas["mlpress"] / areas["da4ml"],
        "flow": f"yosys + abc, effort {effort}, egfet 1.0 V",
    }


def main() -> None:
    """Print the table."""
    parser = arguments(str(__doc__).splitlines()[0])
    parser.add_argument("--effort", default="default", help="synthesis effort, the same for all three")
    options = parser.parse_args()
    rows = [measure(options.data, name, options.effort) for name in options.only]
    show("Exact circuits of the same integer network, area in cm2", rows, options.json)
    mean = math.exp(sum(math.log(row["mlpress_to_da4ml"]) for row in rows) / len(rows))
    if not options.json:
        print(f"geometric mean of mlpress / da4ml: {mean:.3f}")


if __name__ == "__main__":
    main()
