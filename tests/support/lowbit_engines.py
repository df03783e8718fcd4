"""Random networks of few bits in every engine, bit for bit what their exporter means.

``python -m support.lowbit_engines 1000``, in ``tests``, checks that many and says how many each engine had.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from support.lowbit import random_network, read, run, standard, width_of

from mlpress import codegen, ir
from mlpress.codegen import c
from mlpress.errors import MlpressError
from mlpress.hw import fpga, mcu, printed
from mlpress.ir import Net, encode, interpret
from mlpress.sim import Oracle, Rtl, packed
from mlpress.sim import mcu as sim
from mlpress.verify import port_values

Ints = NDArray[np.int64]
NEAR = 1e-4
"""How near to a step, in steps, single precision may take a value to the other side of it."""

MOST_GATES = 60_000
"""And-gates above which Verilog is not tried: such networks have a weight per scale of a channel, of 50 bits."""


class Case(NamedTuple):
    """A network as its exporter writes it, its rows, and what it means: codes of its quantisers, what these are rounded
    from (QCDQ alone), and its classes.
    """

    seed: int
    proto: onnx.ModelProto
    net: Net
    features: NDArray[np.float64]
    codes: tuple[Ints, ...]
    steps: tuple[NDArray[np.float64], ...]
    decision: Ints


def case(seed: int, count: int, *, any_rounding: bool = False) -> Case:
    """Return the network of ``seed`` on ``count`` rows of single precision."""
    proto = random_network(seed, any_rounding=any_rounding)
    x = np.random.default_rng([3, seed]).normal(size=(count, width_of(proto)))
    x = x.astype(np.float32).astype(np.float64)
    scores, *found = run(standard(proto), "x", x)
    count = sum(1 for _ in coded(proto)) if seed % 2 else len(found)
    codes = tuple(table.astype(np.int64) for table in found[:count])
    return Case(seed, proto, read(proto), x, codes, tuple(found[count:]), scores.argmax(axis=1))


class Coded(NamedTuple):
    """A tensor of a QCDQ file that holds codes of values: its ONNX type, and its lowest code."""

    name: str
    kind: int
    lowest: int


def coded(proto: onnx.ModelProto) -> Iterator[Coded]:
    """Yield the tensors of codes that depend on the features, in their order."""
    held = {tensor.name: tensor for tensor in proto.graph.initializer}
    fixed, made = set(held), dict[str, onnx.NodeProto]()
    for node in proto.graph.node:
        made[node.output[0]] = node
        if node.input[0] in fixed:
            fixed.update(node.output)
        elif node.op_type == "DequantizeLinear":
            maker, zero = made[node.input[0]], held[node.input[2]]
            whole = np.iinfo(numpy_helper.to_array(zero).dtype).min
            clips = maker.op_type == "Clip"
            lowest = int(numpy_helper.to_array(held[maker.input[1]])) if clips else int(whole)
            yield Coded(node.input[0], zero.data_type, lowest)


def check_codes(one: Case) -> Ints:
    """Hold the reference interpreter and onnxruntime against the exporter; return the codes of the inputs."""
    net, codes = one.net, encode(one.net, one.features)
    trace = interpret(net, codes)
    assert trace.decision is not None
    found = Oracle(codegen.onnx_net(net, start="codes")).run(codes)
    tables = [codes, *trace.layers[:-1]]
    assert len(tables) == len(one.codes), f"net {one.seed}: {len(tables)} tables of codes, not {len(one.codes)}"
    for k, (ours, theirs) in enumerate(zip(tables, one.codes, strict=True)):
        two_valued = set(np.unique(theirs).tolist()) <= {0, 2} and ours.max() <= 1
        same(one, f"codes {k}", ours * 2 if two_valued else ours, theirs)
        if k:
            same(one, f"onnxruntime, codes {k}", found[f"out_{k - 1}"], ours)
    same(one, "interpreter", trace.decision, one.decision)
    same(one, "onnxruntime", found["decision"], one.decision)
    return codes


def same(one: Case, engine: str, found: NDArray[np.int64] | None, wanted: Ints) -> None:
    """Raise where an engine differs from what is wanted."""
    assert found is not None
    wrong = np.argwhere(found != wanted)
    assert not len(wrong), (
        f"net {one.seed}, {engine}: row {wrong[0][0]}: {found[wrong[0][0]]} not {wanted[wrong[0][0]]}"
    )


def check_single_precision(one: Case) -> int:
    """Hold onnxruntime's own run of a QCDQ file against the exact codes; return in how many rows they differ.

    Where the first of them differ, a value must lie within :data:`NEAR` of the middle of two codes.
    """
    graph = onnx.ModelProto()
    graph.CopyFrom(one.proto)
    found = list(coded(graph))
    graph.graph.output.extend(helper.make_tensor_value_info(each.name, each.kind, None) for each in found)
    _, *tables = run(graph, "x", one.features.astype(np.float32))
    sound = np.ones(len(one.features), bool)
    for each, table, codes, steps in zip(found, tables, one.codes, one.steps, strict=True):
        near = np.abs(steps - np.floor(steps) - 0.5) < NEAR * (1 + np.abs(steps))
        other = table.astype(np.int64) - each.lowest != codes
        assert not np.any(other[sound] & ~near[sound]), f"net {one.seed}: onnxruntime has other codes in {each.name}"
        sound &= ~other.any(axis=1)
    return int(np.sum(~sound))


def check_circuit(one: Case, codes: Ints) -> int:
    """Hold the and-inverter graph, run on packed bits, against the exporter; return its number of gates."""
    circuit = ir.to_circuit(one.net)
    program = packed.Program.of_ands(circuit.input_bits, circuit.ands)
    bits = [codes[:, k] >> bit & 1 for k, each in enumerate(circuit.inputs) for bit in range(each.bits)]
    word = np.array(circuit.outputs[0])
    said = packed.unpack(packed.run(program, packed.pack(np.array(bits, bool)), word >> 1), len(codes))
    said = said ^ (word[:, None] & 1 == 1)
    same(one, "packed bits", (said * (1 << np.arange(len(word)))[:, None]).sum(axis=0), one.decision)
    return len(circuit.ands)


def check_verilog(one: Case, codes: Ints, netlists: bool) -> None:
    """Hold the generated RTL, and ``netlists`` of printed cells and of look-up tables, against the exporter."""
    lowered = ir.lower_net(one.net)
    text = codegen.to_verilog(lowered)
    engine = Rtl(text)
    same(one, "RTL", engine.run(port_values(codes, [bus.name for bus in engine.gates.inputs]))["y"], one.decision)
    if netlists:
        technology = printed.load_technology("egfet")
        mapped = printed.PackedNetlist(printed.synthesise(text, "top", technology, effort="fast").netlist, technology)
        found = mapped.run(port_values(codes, [port.name for port in mapped.inputs]))["y"]
        same(one, "netlist of printed cells", found, one.decision)
        registered = codegen.to_verilog(lowered, registered=True)
        tables = Rtl(fpga.read_netlist(fpga.synthesise(registered, fpga.read_device("ecp5-25k"))))
        late = np.concatenate([codes, np.repeat(codes[-1:], 2, axis=0)])
        found = tables.run(port_values(late, [bus.name for bus in tables.gates.inputs]))["y"][2:]
        same(one, "netlist of look-up tables", found, one.decision)


def check_c(cases: Sequence[tuple[Case, Ints]]) -> int:
    """Hold the C on this computer, with its sanitizers, against the exporter; return how many there is C of."""
    core = mcu.read_core("cortex-m4f")
    made = []
    for one, codes in cases:
        try:
            made.append((one, codes, c.generate(one.net, core, c.COptions(f"n{one.seed}"))))
        except MlpressError as error:
            assert "64" in str(error), error  # sums of more bits than C has
    with sim.HostProgram([source for _, _, source in made]) as program:
        for index, (one, codes, _) in enumerate(made):
            features = one.features.astype(np.float32)
            quantised, classes, _ = program.run(index, codes, features)
            same(one, "C, codes", quantised, codes)
            same(one, "C", classes, one.decision)
    return len(made)


def check(seeds: Sequence[int], rows: int, verilog: int, netlists: int, batch: int = 25) -> Counter[str]:
    """Check the networks of ``seeds``; every ``verilog``-th and ``netlists``-th in these too; count them by engine."""
    counts = Counter[str]()
    waiting: list[tuple[Case, Ints]] = []
    for place, seed in enumerate(seeds):
        one = case(seed, rows)
        codes = check_codes(one)
        waiting.append((one, codes))
        counts["rows that single precision rounds otherwise"] += check_single_precision(one) if seed % 2 else 0
        counts["QCDQ in single precision"] += seed % 2
        gates = check_circuit(one, codes)
        counts.update(("exporter", "interpreter", "onnxruntime", "packed bits"))
        if gates <= MOST_GATES and place % verilog == 0:
            check_verilog(one, codes, netlists=place % netlists == 0)
            counts["RTL"] += 1
            counts["netlists"] += place % netlists == 0
        if len(waiting) == batch or place == len(seeds) - 1:
            counts["C"] += check_c(waiting)
            waiting = []
    return counts


if __name__ == "__main__":
    print(check(range(int(sys.argv[1])), rows=60, verilog=1, netlists=1))
