"""A net and its circuit are used alike, and give the same answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlpress import ir
from mlpress.errors import MlpressError

INPUTS = (ir.Input("a", 3, 1.0, 0.0), ir.Input("b", 2, 2.0, 1.0))
HIDDEN = ir.Layer(
    (
        ir.Neuron(-3, (ir.Term(0, 1, 1, 7), ir.Term(1, -1, 0, 3)), ir.QRelu(0, 3)),
        ir.Neuron(2, (ir.Term(1, 1, 0, 3),), ir.Ladder((2, 4))),
    )
)
LAST = ir.Layer(
    (
        ir.Neuron(0, (ir.Term(0, 1, 0, 7),), ir.Raw()),
        ir.Neuron(-1, (ir.Term(1, 1, 1, 3), ir.Term(0, -1, 0, 1)), ir.Raw()),
    )
)
CLASSES = ir.Net(INPUTS, (HIDDEN, LAST), ir.Argmax(), ("no", "yes"))
SCORES = ir.Net(INPUTS, (HIDDEN, LAST), ir.Scores((0.5, 2.0), (1.0, -3.0)), ())
CODES = np.array([[a, b] for a in range(8) for b in range(4)])


@pytest.mark.parametrize("net", [CLASSES, SCORES], ids=["classes", "scores"])
def test_net_and_circuit_answer_alike(net: ir.Net) -> None:
    ir.verify(net)
    circuit = ir.to_circuit(net)
    assert (net.level, circuit.level) == ("net", "circuit")
    assert ir.to_circuit(circuit) is circuit
    assert (net.ports, net.scores, net.classes) == (circuit.ports, circuit.scores, circuit.classes)
    trace = ir.interpret(net, CODES)
    words = trace.scores if trace.decision is None else trace.decision[:, None]
    expected = trace.decision if net.scores is None else trace.scores * [0.5, 2.0] + [1.0, -3.0]
    for program in (net, circuit):
        found = ir.run(program, CODES)
        np.testing.assert_array_equal(found.words, words)
        assert (found.decision is None) == (net.scores is not None)
        np.testing.assert_array_equal(ir.answers(program, CODES), expected)
        by_port = {port: found.words[:, k] for k, port in enumerate(program.ports)}
        np.testing.assert_array_equal(ir.answers_of(program, by_port), expected)
        named = ir.named_values(program, CODES)
        assert [name for name in named if name.startswith("output ")] == [f"output {port}" for port in program.ports]
        assert ("layer 1, neuron 1, sum" in named) == (program is net)
    names = np.array(["no", "yes"])[trace.decision] if net.scores is None else expected
    np.testing.assert_array_equal(ir.predict(net, CODES), names)
    np.testing.assert_array_equal(ir.predict(circuit, CODES), names)


def test_hardware_is_of_its_program() -> None:
    circuit = ir.to_circuit(CLASSES)
    lowered = ir.to_hardware(CLASSES)
    assert ir.program_of(lowered) is CLASSES and ir.to_hardware(circuit) is circuit is ir.program_of(circuit)
    assert lowered.inputs == circuit.inputs and lowered.classes == circuit.classes
    rows = CODES.tolist()
    assert ir.evaluate(ir.bits_of(lowered), rows) == ir.evaluate(ir.bits_of(circuit), rows)
    assert circuit.shared_sums is None and isinstance(lowered.shared_sums, int)


def test_structure_is_counted() -> None:
    found = ir.structure(CLASSES)
    assert (found["topology"], found["terms"], found["classes"]) == ("2-2-2", CLASSES.terms, ["no", "yes"])
    assert [layer["terms"] for layer in found["layers"]] == [3, 3] and CLASSES.terms == 6
    circuit = ir.to_circuit(CLASSES)
    gates = {"inputs": 2, "input_bits": 5, "classes": ["no", "yes"], "and_gates": len(circuit.ands)}
    assert ir.structure(circuit) == gates | {"depth": circuit.depth()}


def test_larger_programs_take_longer() -> None:
    twice = replace(CLASSES, layers=(*CLASSES.layers[:1], *CLASSES.layers))
    assert 15.0 < ir.row_micros(CLASSES) < ir.row_micros(twice)
    assert ir.row_micros(ir.to_circuit(CLASSES)) > 4.0


def test_only_programs_of_integers_are_taken() -> None:
    ir.check_program(CLASSES, "target x")
    with pytest.raises(MlpressError, match="target x takes an integer network or a circuit"):
        ir.check_program("text", "target x")
