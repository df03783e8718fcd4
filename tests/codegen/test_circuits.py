"""Circuits written out for other tools are the circuits."""

from __future__ import annotations

import numpy as np
import pytest
from support.circuits import random_circuit

from mlpress import codegen, ir, sim
from mlpress.errors import MlpressError
from mlpress.ir import Circuit


def answers(circuit: Circuit, codes: np.ndarray) -> dict[str, np.ndarray]:
    words = ir.interpret_circuit(circuit, codes).words
    return {name: words[:, k] for k, name in enumerate(circuit.ports)}


@pytest.mark.parametrize("seed", range(12))
def test_every_form_computes_the_circuit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng)
    codes = rng.integers(0, [1 << feature.bits for feature in circuit.inputs], (40, len(circuit.inputs)))
    wanted = answers(circuit, codes)
    text = codegen.to_verilog(circuit)
    assert codegen.audit(text, circuit).ports.keys() == {
        *(f"x{k}" for k in range(len(circuit.inputs))),
        *circuit.ports,
    }
    found = sim.Rtl(text).run({f"x{k}": codes[:, k] for k in range(codes.shape[1])})
    simulated = codegen.simulate(circuit, codes[:8])
    said = sim.Oracle(codegen.onnx_circuit(circuit, "codes")).run(codes)
    oracle = said["words"] if circuit.scores is not None else said["decision"][:, None]
    for k, (name, word) in enumerate(zip(circuit.ports, circuit.outputs, strict=True)):
        unsigned = wanted[name] & ((1 << len(word)) - 1)
        assert found[name].tolist() == unsigned.tolist()
        assert simulated[name].tolist() == wanted[name][:8].tolist()
        assert oracle[:, k].tolist() == wanted[name].tolist()


def test_the_oracle_encodes_features() -> None:
    rng = np.random.default_rng(5)
    net_inputs = (ir.Input("a", 3, 2.0, 0.5), ir.Input("b", 2, -1.0, 3.0, "floor"))
    builder = ir.CircuitBuilder(net_inputs)
    bits = [*builder.input(0), *builder.input(1)]
    circuit = builder.circuit([(builder.differ(bits[0], bits[4]), builder.both(bits[2], bits[3] ^ 1))], ("p", "q", "r"))
    features = rng.normal(1.0, 2.0, (60, 2))
    codes = ir.encode(circuit, features)
    said = sim.Oracle(codegen.onnx_circuit(circuit)).run(features)
    assert said["codes"].tolist() == codes.tolist()
    assert said["decision"].tolist() == ir.interpret_circuit(circuit, codes).words[:, 0].tolist()


def test_a_changed_gate_fails_the_audit() -> None:
    circuit = random_circuit(np.random.default_rng(3))
    assert len(circuit.ands)
    text = codegen.to_verilog(circuit)
    with pytest.raises(MlpressError, match="operators"):
        codegen.audit(text.replace(" & ", " | ", 1), circuit)


def test_a_circuit_has_no_modules() -> None:
    with pytest.raises(MlpressError, match="flat"):
        codegen.to_verilog(random_circuit(np.random.default_rng(1)), style="modules")
