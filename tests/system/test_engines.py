"""300 random networks, every engine, bit for bit: what the product rests on.  `make test` takes 60 of them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from support.nets import random_codes, random_net

from mlpress import codegen, ir, sim
from mlpress.hw import printed
from mlpress.verify import port_values

CHUNKS, LONG, SHORT, EACH = 60, 24, 12, 5
ROWS = 64


class Port(NamedTuple):
    name: str
    width: int


@pytest.mark.parametrize(
    "chunk",
    [
        *range(SHORT),
        *(pytest.param(k, marks=pytest.mark.long if k < LONG else pytest.mark.campaign) for k in range(SHORT, CHUNKS)),
    ],
)
def test_every_engine_agrees(chunk: int) -> None:
    technology = printed.load_technology("egfet")
    cases = [Case.of(seed) for seed in range(chunk * EACH, (chunk + 1) * EACH)]
    for case in cases:
        check_alone(case)
    # Yosys takes its time to start: the flat modules of a chunk go through it side by side.
    text = side_by_side(cases)
    engine = sim.Rtl(text, "all")
    check_side_by_side("RTL (flat)", cases, engine.run, engine.gates.inputs, engine.gates.outputs)
    mapped = printed.synthesise(text, "all", technology, effort="fast").netlist
    netlist = printed.PackedNetlist(mapped, technology)
    check_side_by_side("mapped netlist", cases, netlist.run, netlist.inputs, mapped.outputs)


@dataclass(frozen=True)
class Case:
    """A random net with codes, the answers to them, and its flat module ``net<seed>``."""

    seed: int
    net: ir.Net
    lowered: ir.Lowered
    codes: np.ndarray
    expected: dict[str, np.ndarray]
    flat: str

    @classmethod
    def of(cls, seed: int) -> "Case":
        rng = np.random.default_rng(seed)
        net = random_net(rng)
        codes = random_codes(rng, net, ROWS)
        lowered = ir.lower_net(net)
        flat = codegen.to_verilog(lowered, name=f"net{seed}")
        codegen.audit(flat, lowered, name=f"net{seed}")
        return cls(seed, net, lowered, codes, answers(net, codes), flat)


def check_alone(case: Case) -> None:
    net, codes, lowered = case.net, case.codes, case.lowered
    found = sim.Oracle(codegen.onnx_net(net, start="codes")).run(codes)
    decided = {"y": found["decision"]} if "decision" in found else _columns(found[f"out_{len(net.layers) - 1}"])
    check(case.seed, "onnxruntime", decided, case.expected)

    program = ir.evaluate(lowered.bits, codes.tolist())
    check(case.seed, "bit program", {port: np.array(values) for port, values in program.items()}, case.expected)

    readable = codegen.to_verilog(lowered, style="modules")
    codegen.audit(readable, lowered)
    engine = sim.Rtl(readable)
    values = engine.run(port_values(codes, [bus.name for bus in engine.gates.inputs]))
    check(case.seed, "RTL (modules)", signed(net, values, engine.gates.outputs), case.expected)
    check(case.seed, "Amaranth", codegen.simulate(lowered, codes[:8], "modules"), answers(net, codes[:8]))


def side_by_side(cases: list[Case]) -> str:
    """The flat modules of all nets, and a module ``all`` with their ports, each behind the name of its net."""
    ports, lines = [], []
    for case in cases:
        bits = case.lowered.bits
        widths = {"input": dict(bits.inputs), "output": {port: len(word) for port, (word, _) in bits.outputs.items()}}
        for direction, named in widths.items():
            ports += [f"{direction} [{width - 1}:0] net{case.seed}_{port}" for port, width in named.items()]
        pins = ", ".join(f".{port}(net{case.seed}_{port})" for named in widths.values() for port in named)
        lines.append(f"  net{case.seed} part{case.seed}({pins});")
    wrapper = "module all(" + ", ".join(ports) + ");\n" + "\n".join(lines) + "\nendmodule\n"
    return "".join(case.flat for case in cases) + wrapper


def check_side_by_side(name, cases, run, inputs, outputs) -> None:
    columns = {}
    for port in inputs:
        owner, own = port.name.split("_")
        codes = next(case.codes for case in cases if owner == f"net{case.seed}")
        columns[port.name] = port_values(codes, [own])[own]
    found = run(columns)
    for case in cases:
        prefix = f"net{case.seed}_"
        mine = [Port(port.name.removeprefix(prefix), port.width) for port in outputs if port.name.startswith(prefix)]
        values = signed(case.net, {port.name: found[prefix + port.name] for port in mine}, mine)
        check(case.seed, name, values, case.expected)


def answers(net, codes):
    trace = ir.interpret(net, codes)
    return _columns(trace.scores) if trace.decision is None else {"y": trace.decision}


def _columns(scores):
    return {f"y{k}": scores[:, k] for k in range(scores.shape[1])}


def signed(net, values, ports):
    if not isinstance(net.head, ir.Scores):
        return values
    return {port.name: values[port.name] - ((values[port.name] >> (port.width - 1)) << port.width) for port in ports}


def check(seed, engine, found, expected):
    assert set(found) == set(expected), (seed, engine)
    for port, values in expected.items():
        wrong = np.flatnonzero(found[port] != values)
        assert not len(wrong), (
            f"net {seed}, {engine}: row {wrong[0]}, {port}: {found[port][wrong[0]]} not {values[wrong[0]]}"
        )
