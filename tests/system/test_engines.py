"""300 random networks, every engine, bit for bit: what the product rests on."""

import numpy as np
import pytest
from support.nets import random_codes, random_net

from mlpress import codegen, hw, ir, sim
from mlpress.verification import port_values

CHUNKS, EACH = 60, 5
ROWS = 64


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_engine_agrees(chunk: int) -> None:
    technology = hw.load_technology("egfet")
    for seed in range(chunk * EACH, (chunk + 1) * EACH):
        rng = np.random.default_rng(seed)
        net = random_net(rng)
        codes = random_codes(rng, net, ROWS)
        expected = answers(net, codes)
        lowered = ir.lower_net(net)

        found = sim.Oracle(codegen.onnx_net(net, start="codes")).run(codes)
        decided = {"y": found["decision"]} if "decision" in found else _columns(found[f"out_{len(net.layers) - 1}"])
        check(seed, "onnxruntime", decided, expected)

        program = ir.evaluate(lowered.bits, codes.tolist())
        check(seed, "bit program", {port: np.array(values) for port, values in program.items()}, expected)

        flat = codegen.verilog(lowered)
        readable = codegen.verilog(lowered, style="modules")
        codegen.audit(flat, lowered)
        codegen.audit(readable, lowered)
        for style, text in (("flat", flat), ("modules", readable)):
            engine = sim.Rtl(text)
            values = engine.run(port_values(codes, [bus.name for bus in engine.gates.inputs]))
            check(seed, f"RTL ({style})", signed(net, values, engine.gates.outputs), expected)
        check(seed, "Amaranth", codegen.simulate(lowered, codes[:8], "modules"), answers(net, codes[:8]))

        mapped = hw.synthesise(flat, "top", technology, effort="fast").netlist
        netlist = hw.PackedNetlist(mapped, technology)
        values = netlist.run(port_values(codes, [port.name for port in netlist.inputs]))
        check(seed, "mapped netlist", signed(net, values, mapped.outputs), expected)


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
